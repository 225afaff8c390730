//! Zip containers, member by member, from their directory at the end. A zip that is itself a document (EPUB, OpenDocument, DOCX) is
//! handed on whole.
//!
//! A directory may list the same bytes many times, so that a small file unpacks to petabytes: what all members together may give is
//! bounded by the size of the file.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::{FILE_TOO_LONG, Members, UNSAFE_NAME, is_unsafe};
use crate::formats::Fault;
use crate::source::{Damage, Record, Records, SourceError};

/// Bytes that can be read and jumped in.
trait Jumping: Read + Seek + Send {}
impl<T: Read + Seek + Send> Jumping for T {}

/// The members of one zip.
struct Zip {
    members: Members,
    zip: ZipArchive<Box<dyn Jumping>>,
    /// The member that comes next.
    next: usize,
    unpacked: u64,
    taken: u64,
    /// Whether the rest was given up.
    dead: bool,
}

/// Opens a zip. Without a `file` its bytes are held, up to the limit for one file.
pub(super) fn open(members: Members, mut bytes: Box<dyn Read + Send>, file: Option<File>) -> Result<Box<dyn Records>, SourceError> {
    let jumping: Box<dyn Jumping> = match file {
        Some(file) => Box::new(BufReader::new(file)),
        None => {
            let mut held = Vec::new();
            bytes.by_ref().take(members.file_bytes_max as u64).read_to_end(&mut held)?;
            Box::new(Cursor::new(held))
        }
    };
    let zip = ZipArchive::new(jumping).map_err(|error| SourceError::NotThisFormat(format!("it is no whole zip file: {error}")))?;
    if zip.len() > members.members_max {
        let what = format!("it lists {} members, more than members_max = {}", zip.len(), members.members_max);
        return Err(SourceError::NotThisFormat(what));
    }
    let is_document = ["mimetype", "word/document.xml", "META-INF/container.xml"].iter().any(|name| zip.index_for_name(name).is_some());
    if is_document {
        return whole(members, zip.into_inner());
    }
    Ok(Box::new(Zip { members, zip, next: 0, unpacked: 0, taken: 0, dead: false }))
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
            Ok(_) => Some(members.record(&name, offset, &content)),
        }
    }
}

fn damaged(offset: u64, number: usize, why: &str, fatal: bool) -> Record {
    Record::Damage(Damage { offset, what: format!("member {number} of the zip cannot be read: {why}"), fatal })
}
