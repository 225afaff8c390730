//! Zip containers, member by member, from their directory at the end. A zip that is itself a document (EPUB, OpenDocument, DOCX) is
//! handed on whole.
//!
//! A directory may list the same bytes many times, so that a small file unpacks to petabytes: what all members together may give is
//! bounded by the size of the file.
//!
//! A METS file among the members makes one document of the pages that it names; they are read when its turn comes, and not once more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::{FILE_TOO_LONG, Members, UNSAFE_NAME, is_unsafe};
use crate::formats::{Fault, issue};
use crate::source::{Damage, Record, Records, SourceError};

/// METS files of one container that are looked at.
const ISSUES_MAX: usize = 10_000;

/// Bytes that can be read and jumped in.
pub(super) trait Jumping: Read + Seek + Send {}
impl<T: Read + Seek + Send> Jumping for T {}

/// The members of one zip.
struct Zip {
    members: Members,
    zip: ZipArchive<Box<dyn Jumping>>,
    /// The member that comes next.
    next: usize,
    unpacked: u64,
    taken: u64,
    /// The pages of each METS file, by number, in order.
    issues: BTreeMap<usize, Vec<usize>>,
    /// All of those pages.
    pages: BTreeSet<usize>,
    /// Whether the rest was given up.
    dead: bool,
}

/// The bytes of a container so that one can jump in them. Without a `file` they are held, up to the limit for one file.
pub(super) fn jumping(members: &Members, mut bytes: Box<dyn Read + Send>, file: Option<File>) -> Result<Box<dyn Jumping>, std::io::Error> {
    Ok(match file {
        Some(mut file) => {
            file.rewind()?;
            Box::new(BufReader::new(file))
        }
        None => {
            let mut held = Vec::new();
            bytes.by_ref().take(members.file_bytes_max as u64).read_to_end(&mut held)?;
            Box::new(Cursor::new(held))
        }
    })
}

/// Opens a zip.
pub(super) fn open(members: Members, bytes: Box<dyn Read + Send>, file: Option<File>) -> Result<Box<dyn Records>, SourceError> {
    let jumping = jumping(&members, bytes, file)?;
    let mut zip = ZipArchive::new(jumping).map_err(|error| SourceError::NotThisFormat(format!("it is no whole zip file: {error}")))?;
    if zip.len() > members.members_max {
        let what = format!("it lists {} members, more than members_max = {}", zip.len(), members.members_max);
        return Err(SourceError::NotThisFormat(what));
    }
    let is_document = ["mimetype", "word/document.xml", "META-INF/container.xml"].iter().any(|name| zip.index_for_name(name).is_some());
    if is_document {
        return whole(members, zip.into_inner());
    }
    let issues = issues(&mut zip, members.file_bytes_max);
    let pages = issues.values().flatten().copied().collect();
    Ok(Box::new(Zip { members, zip, next: 0, unpacked: 0, taken: 0, issues, pages, dead: false }))
}

/// A zip that is one document.
fn whole(members: Members, mut bytes: Box<dyn Jumping>) -> Result<Box<dyn Records>, SourceError> {
    bytes.rewind()?;
    let mut content = Vec::new();
    bytes.by_ref().take(members.file_bytes_max as u64 + 1).read_to_end(&mut content)?;
    let name = members.file.rsplit('/').next().unwrap_or("").to_owned();
    let record = match content.len() > members.file_bytes_max {
        true => members.dropped(&name, 0, FILE_TOO_LONG),
        false => members.record(&name, 0, &content),
    };
    Ok(Box::new(One(Some(record), content.len() as u64)))
}

struct One(Option<Record>, u64);

impl Records for One {
    fn next(&mut self) -> Option<Record> {
        self.0.take()
    }

    fn bytes_taken(&self) -> u64 {
        self.1
    }
}

impl Records for Zip {
    fn next(&mut self) -> Option<Record> {
        while !self.dead && self.next < self.zip.len() {
            let number = self.next;
            self.next += 1;
            if self.pages.contains(&number) {
                continue;
            }
            if let Some(record) = self.member(number) {
                return Some(record);
            }
        }
        None
    }

    fn bytes_taken(&self) -> u64 {
        self.taken
    }
}

impl Zip {
    /// What becomes of one member; nothing of a folder.
    fn member(&mut self, number: usize) -> Option<Record> {
        let members = &self.members;
        let mut member = match self.zip.by_index(number) {
            Ok(member) => member,
            Err(ZipError::UnsupportedArchive(why)) if why == ZipError::PASSWORD_REQUIRED => {
                return Some(members.dropped(&format!("member {number}"), number as u64, Fault::Encrypted.reason()));
            }
            Err(error) => return Some(damaged(0, number, &error.to_string(), false)),
        };
        if member.is_dir() {
            return None;
        }
        let (name, offset) = (String::from_utf8_lossy(member.name_raw()).into_owned(), member.header_start());
        self.taken = self.taken.max(offset + member.compressed_size());
        if is_unsafe(&name) {
            return Some(members.dropped(&name, offset, UNSAFE_NAME));
        }
        if member.is_symlink() {
            return Some(Record::Other("link"));
        }
        let mut content = Vec::new();
        // The sizes in the directory are claims, so the limit is held while unpacking.
        let read = member.by_ref().take(members.file_bytes_max as u64 + 1).read_to_end(&mut content);
        self.unpacked += content.len() as u64;
        if self.unpacked > members.unpacked_bytes_max {
            self.dead = true;
            let what = format!("its members unpack to more than {} bytes, unpacked_ratio_max times its size", members.unpacked_bytes_max);
            return Some(damaged(offset, number, &what, true));
        }
        match read {
            Err(error) => Some(damaged(offset, number, &error.to_string(), false)),
            Ok(_) if content.len() > members.file_bytes_max => Some(members.dropped(&name, offset, FILE_TOO_LONG)),
            Ok(_) => {
                let Some(pages) = self.issues.remove(&number) else { return Some(members.record(&name, offset, &content)) };
                drop(member);
                Some(self.issue(&name, offset, &content, &pages))
            }
        }
    }

    /// A METS file and its pages as one document. A page that cannot be had is left out, as one that cannot be read is.
    fn issue(&mut self, name: &str, offset: u64, mets: &[u8], pages: &[usize]) -> Record {
        let most = self.members.file_bytes_max;
        let (mut contents, mut whole) = (Vec::new(), mets.len());
        for number in pages {
            let mut content = Vec::new();
            let Ok(mut member) = self.zip.by_index(*number) else { continue };
            self.taken = self.taken.max(member.header_start() + member.compressed_size());
            let read = member.by_ref().take((most - whole) as u64 + 1).read_to_end(&mut content);
            self.unpacked += content.len() as u64;
            whole += content.len();
            if whole > most {
                return self.members.dropped(name, offset, FILE_TOO_LONG);
            }
            if read.is_ok() {
                contents.push(content);
            }
        }
        if self.unpacked > self.members.unpacked_bytes_max {
            self.dead = true;
            let what =
                format!("its members unpack to more than {} bytes, unpacked_ratio_max times its size", self.members.unpacked_bytes_max);
            return damaged(offset, 0, &what, true);
        }
        self.members.record(name, offset, &issue::pack(mets, &contents))
    }
}

/// The METS files among the members, and the members that hold their pages. One that names nothing that is here is a file like others.
fn issues(zip: &mut ZipArchive<Box<dyn Jumping>>, bytes_max: usize) -> BTreeMap<usize, Vec<usize>> {
    let names: Vec<String> = zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let is_mets = |name: &str| {
        let name = name.rsplit('/').next().unwrap_or("").to_ascii_lowercase();
        name.contains("mets") && name.ends_with(".xml")
    };
    let (mut found, mut taken) = (BTreeMap::new(), BTreeSet::new());
    for name in names.iter().filter(|name| is_mets(name)).take(ISSUES_MAX) {
        let Some(number) = zip.index_for_name(name) else { continue };
        let mut mets = Vec::new();
        let read = zip.by_index(number).map(|member| member.take(bytes_max as u64).read_to_end(&mut mets));
        let Ok(hrefs) = issue::pages_of(&mets) else { continue };
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        let numbers: Vec<usize> = hrefs.iter().filter_map(|href| zip.index_for_name(&beside(folder, href))).collect();
        // A page belongs to one issue, the first that names it, so that nothing comes twice.
        let is_free = !numbers.is_empty() && numbers.iter().all(|page| *page != number && !taken.contains(page));
        if matches!(read, Ok(Ok(_))) && is_free {
            taken.extend(numbers.iter().copied());
            found.insert(number, numbers);
        }
    }
    found
}

/// The name in the container of the file that METS in `folder` calls `href`: `file://./alto/1.xml`, `./alto/1.xml`, `../alto/1.xml`.
fn beside(folder: &str, href: &str) -> String {
    let path = href.strip_prefix("file://").unwrap_or(href).split(['?', '#']).next().unwrap_or_default();
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn damaged(offset: u64, number: usize, why: &str, fatal: bool) -> Record {
    Record::Damage(Damage { offset, what: format!("member {number} of the zip cannot be read: {why}"), fatal })
}
