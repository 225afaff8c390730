//! Writes what was fetched as WARC 1.1 (ISO 28500:2017): one gzip member a record, an index beside it, and nothing acknowledged before it
//! is on disk.
//!
//! A page is a group of records: request, response or revisit, and at last metadata, which has all that the frontier needs. A group that
//! was not written whole is cut off when the archive is opened again; a whole one that the frontier does not know yet is handed to it.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use data_encoding::BASE32;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha1::{Digest, Sha1};
use xxhash_rust::xxh3::xxh3_128;

use super::outcome::Outcome;
use crate::archive::{Cutter, Ending, Found};
use crate::store::{self, StoreError};
use crate::text::surt::surt;

/// Bytes of an archive's index that are held until it ends, sorted then; with more of it a new archive is begun, however short this one is.
const INDEX_BYTES_MAX: usize = 32 << 20;

/// Type of an index's line for a record that is only told about.
const METADATA: &str = "application/warc-fields";
/// Fields of a head that an index tells too, and as what: where a record came from, by which a repository names it.
const NAMED: &[(&str, &str)] = &[("OAI-Repository", "repository"), ("OAI-Identifier", "oai")];

/// What is to be written about one address.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// What came of it.
    pub outcome: Outcome,
    /// The request as it was sent; empty where none is kept.
    pub request: Vec<u8>,
    /// The answer, its chunks joined; empty where none is kept.
    pub response: Vec<u8>,
    /// Where its body begins.
    pub body: usize,
    /// Who answered.
    pub address: String,
    /// Why the body is not whole.
    pub truncated: Option<&'static str>,
    /// What the payload repeats: profile, date and address of the earlier capture.
    pub repeats: Option<Repeats>,
    /// What is known of it from elsewhere, as further fields of the record's head.
    pub about: Vec<(&'static str, String)>,
}

/// The earlier capture that a revisit stands for.
#[derive(Clone, Debug)]
pub struct Repeats {
    /// Whether the server said so (304), or the payload has the same digest.
    pub not_modified: bool,
    /// When it was captured, ms since 1970.
    pub at_ms: u64,
    /// Its digest.
    pub digest: String,
}

/// The archives of one night.
pub struct Archive {
    folder: PathBuf,
    night: String,
    info: String,
    bytes_max: u64,
    serial: u32,
    file: File,
    path: PathBuf,
    bytes: u64,
    index: Vec<String>,
    index_bytes: usize,
}

/// How far an archive is acknowledged: its name and length.
pub type Acknowledged = (String, u64);

/// SHA-1 as archives write it.
#[must_use]
pub fn digest_of(payload: &[u8]) -> String {
    format!("sha1:{}", BASE32.encode(&Sha1::digest(payload)))
}

impl Archive {
    /// Goes on, at `at_ms` since 1970, with the archives in `folder` of which `acknowledged` tells how far the frontier knows them. Answers what it does not know
    /// yet: outcomes that were written whole before the crawl was killed.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn open(
        folder: &Path,
        night: &str,
        (info, at_ms): (String, u64),
        bytes_max: u64,
        acknowledged: &[Acknowledged],
    ) -> Result<(Archive, Vec<Outcome>, Vec<Acknowledged>), StoreError> {
        store::create_folder(folder)?;
        let (mut recovered, mut lengths, mut serial) = (Vec::new(), Vec::new(), 0);
        for path in store::files_below(folder)?.into_iter().filter(|path| path.to_string_lossy().ends_with(".warc.gz")) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let known = acknowledged.iter().find(|(known, _)| *known == name).map_or(0, |(_, length)| *length);
            let (outcomes, length) = recover(&path, known)?;
            recovered.extend(outcomes);
            let index = index_path(&path);
            if !index.exists() {
                store::write_over(&index, index_of(&path, &name)?.as_bytes())?;
            }
            lengths.push((name, length));
            serial += 1;
        }
        let mut archive = Archive {
            folder: folder.to_owned(),
            night: night.to_owned(),
            info,
            bytes_max,
            serial,
            file: no_file_yet(folder)?,
            path: PathBuf::new(),
            bytes: 0,
            index: Vec::new(),
            index_bytes: 0,
        };
        archive.next_file(at_ms)?;
        Ok((archive, recovered, lengths))
    }

    /// Ends the archive that is being written, with its index, and begins another at `at_ms`.
    fn next_file(&mut self, at_ms: u64) -> Result<(), StoreError> {
        self.write_index()?;
        let name = format!("tamis-{}-{:05}.warc.gz", self.night, self.serial);
        self.serial += 1;
        self.path = self.folder.join(&name);
        self.file = OpenOptions::new().write(true).create_new(true).open(&self.path).map_err(|error| StoreError::io(&self.path, error))?;
        self.bytes = 0;
        let date = warc_date(at_ms);
        let block = self.info.clone().into_bytes();
        let head = [("WARC-Type", "warcinfo"), ("WARC-Filename", &name), ("WARC-Date", &date), ("Content-Type", "application/warc-fields")];
        let record = member(&head, &record_id(&name, 0, "warcinfo"), &block)?;
        self.put(&record)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.write_all(bytes).map_err(|error| StoreError::io(&self.path, error))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Writes groups and flushes them to disk. Answers how far the archives are written.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, groups: &[Group]) -> Result<Vec<Acknowledged>, StoreError> {
        let mut touched = Vec::new();
        for group in groups {
            if self.bytes >= self.bytes_max || self.index_bytes >= INDEX_BYTES_MAX {
                touched.push(self.flush()?);
                self.next_file(group.outcome.at_ms)?;
            }
            let bytes = self.packed(group)?;
            self.put(&bytes)?;
        }
        touched.push(self.flush()?);
        Ok(touched)
    }

    fn flush(&mut self) -> Result<Acknowledged, StoreError> {
        self.file.sync_data().map_err(|error| StoreError::io(&self.path, error))?;
        store::lasting_change();
        Ok((self.name(), self.bytes))
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The records of a group, packed, and the index's line.
    fn packed(&mut self, group: &Group) -> Result<Vec<u8>, StoreError> {
        let Outcome { url, at_ms, .. } = &group.outcome;
        let (date, name, offset) = (warc_date(*at_ms), self.name(), self.bytes);
        let id = |kind: &str| record_id(&format!("{name}{url}"), offset, kind);
        let mut bytes = Vec::new();
        if !group.response.is_empty() {
            let response_id = id("response");
            let head = [
                ("WARC-Type", "request"),
                ("WARC-Target-URI", url),
                ("WARC-Date", &date),
                ("WARC-Concurrent-To", &response_id),
                ("Content-Type", "application/http; msgtype=request"),
            ];
            bytes.extend(member(&head, &id("request"), &group.request)?);
            let at = bytes.len();
            bytes.extend(self.answer(group, &date, &response_id)?);
            let mime = if group.repeats.is_some() { "warc/revisit".to_owned() } else { mime_of(&group.response) };
            self.index(cdxj(&group.outcome, &mime, (offset + at as u64, bytes.len() - at), &name, &about(group)));
        }
        let mut head = vec![("WARC-Type", "metadata"), ("WARC-Target-URI", url), ("WARC-Date", &date)];
        let response_id = id("response");
        if !group.response.is_empty() {
            head.push(("WARC-Concurrent-To", &response_id));
        }
        head.push(("Content-Type", "application/warc-fields"));
        let is_alone = group.response.is_empty() && !group.about.is_empty();
        if is_alone {
            head.extend(about(group));
        }
        let at = bytes.len();
        bytes.extend(member(&head, &id("metadata"), &group.outcome.to_fields())?);
        if is_alone {
            self.index(cdxj(&group.outcome, METADATA, (offset + at as u64, bytes.len() - at), &name, &about(group)));
        }
        Ok(bytes)
    }

    fn index(&mut self, line: String) {
        self.index_bytes += line.len();
        self.index.push(line);
    }

    fn answer(&self, group: &Group, date: &str, response_id: &str) -> Result<Vec<u8>, StoreError> {
        let mut head = vec![("WARC-Target-URI", group.outcome.url.as_str()), ("WARC-Date", date), ("WARC-IP-Address", &group.address)];
        if let Some(why) = group.truncated {
            head.push(("WARC-Truncated", why));
        }
        let Some(repeats) = &group.repeats else {
            head.insert(0, ("WARC-Type", "response"));
            head.push(("WARC-Payload-Digest", &group.outcome.digest));
            head.push(("Content-Type", "application/http; msgtype=response"));
            head.extend(about(group));
            return member(&head, response_id, &group.response);
        };
        let before = warc_date(repeats.at_ms);
        let profile = if repeats.not_modified { "server-not-modified" } else { "identical-payload-digest" };
        let profile = format!("http://netpreserve.org/warc/1.1/revisit/{profile}");
        head.insert(0, ("WARC-Type", "revisit"));
        head.extend([
            ("WARC-Profile", profile.as_str()),
            ("WARC-Refers-To-Target-URI", &group.outcome.url),
            ("WARC-Refers-To-Date", &before),
            ("WARC-Payload-Digest", &repeats.digest),
            ("Content-Type", "application/http; msgtype=response"),
        ]);
        member(&head, response_id, &group.response[..group.body])
    }

    /// Writes the index of the archive that is being written, sorted, and ends it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_index(&mut self) -> Result<(), StoreError> {
        if self.index.is_empty() {
            return Ok(());
        }
        self.index.sort_unstable();
        self.index_bytes = 0;
        let lines = std::mem::take(&mut self.index).concat();
        store::write_over(&index_path(&self.path), lines.as_bytes())
    }
}

fn about(group: &Group) -> Vec<(&str, &str)> {
    group.about.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// A file that nothing is written to, before the first one is begun.
fn no_file_yet(folder: &Path) -> Result<File, StoreError> {
    File::open(folder).map_err(|error| StoreError::io(folder, error))
}

/// Where the index of an archive lies.
fn index_path(archive: &Path) -> PathBuf {
    archive.with_extension("").with_extension("cdxj")
}

/// Writes the indexes that the archives in `folder` lack: those of a night that was killed.
pub(super) fn index_what_lacks(folder: &Path) -> Result<(), StoreError> {
    for path in store::files_below(folder)?.into_iter().filter(|path| path.to_string_lossy().ends_with(".warc.gz")) {
        let index = index_path(&path);
        if !index.exists() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            store::write_over(&index, index_of(&path, &name)?.as_bytes())?;
        }
    }
    Ok(())
}

/// The index of an archive that was open when the crawl was killed, read from the archive.
fn index_of(path: &Path, name: &str) -> Result<String, StoreError> {
    let refused = |error| StoreError::io(path, error);
    let file = File::open(path).map_err(refused)?;
    let size = file.metadata().map_err(refused)?.len();
    let mut cutter = Cutter::open(Box::new(file), &path.to_string_lossy(), size).map_err(refused)?;
    let (mut lines, mut open): (Vec<String>, Option<Indexed>) = (Vec::new(), None);
    while cutter.next() == Some(Found::Record) {
        if let Some(indexed) = open.take() {
            lines.push(indexed.line(cutter.offset(), name));
        }
        let (offset, head) = (cutter.offset(), cutter.head());
        let kind = head.kind_as_written();
        let about: Vec<(&str, String)> = NAMED.iter().filter_map(|(field, _)| Some((*field, head.field(field)?))).collect();
        if matches!(kind.as_str(), "response" | "revisit") || kind == "metadata" && !about.is_empty() {
            let url = head.url().unwrap_or_default().trim_matches(['<', '>']).to_owned();
            let (at, digest) = (head.fetched_at().unwrap_or(0), head.field("warc-payload-digest").unwrap_or_default());
            let mut block = Vec::new();
            while let Some(piece) = cutter.piece() {
                block.extend_from_slice(piece);
            }
            let status = crate::archive::http::status_code(&block).unwrap_or(0);
            let mime = match kind.as_str() {
                "revisit" => "warc/revisit".to_owned(),
                "metadata" => METADATA.to_owned(),
                _ => mime_of(&block),
            };
            let outcome = Outcome { url, at_ms: at.max(0) as u64, status, digest, ..Outcome::default() };
            open = Some(Indexed { outcome, mime, offset, about });
        }
    }
    if let Some(indexed) = open {
        lines.push(indexed.line(size, name));
    }
    lines.sort_unstable();
    Ok(lines.concat())
}

/// A record whose end is not known yet.
struct Indexed {
    outcome: Outcome,
    mime: String,
    offset: u64,
    about: Vec<(&'static str, String)>,
}

impl Indexed {
    fn line(&self, end: u64, name: &str) -> String {
        let about: Vec<(&str, &str)> = self.about.iter().map(|(field, value)| (*field, value.as_str())).collect();
        cdxj(&self.outcome, &self.mime, (self.offset, (end - self.offset) as usize), name, &about)
    }
}

/// Reads an archive from where it is `known`: whole outcomes, and the length up to which it is sound. What comes behind is cut off.
fn recover(path: &Path, known: u64) -> Result<(Vec<Outcome>, u64), StoreError> {
    let refused = |error| StoreError::io(path, error);
    let mut file = File::open(path).map_err(refused)?;
    let size = file.metadata().map_err(refused)?.len();
    if size <= known {
        return Ok((Vec::new(), size));
    }
    file.seek(SeekFrom::Start(known)).map_err(refused)?;
    let mut cutter = Cutter::open(Box::new(file), &path.to_string_lossy(), size - known).map_err(refused)?;
    let (mut outcomes, mut sound, mut pending) = (Vec::new(), known, None);
    while let Some(found) = cutter.next() {
        if found != Found::Record {
            break;
        }
        // The group before is whole when the next record begins behind it.
        if let Some(outcome) = pending.take() {
            outcomes.extend(outcome);
            sound = known + cutter.offset();
        }
        let (kind, url) = (cutter.head().kind_as_written(), cutter.head().url().unwrap_or_default());
        let mut block = Vec::new();
        while let Some(piece) = cutter.piece() {
            block.extend_from_slice(piece);
        }
        if cutter.end() != Ending::Whole {
            break;
        }
        match kind.as_str() {
            "metadata" => pending = Some(Outcome::of_fields(url.trim_matches(['<', '>']), &block)),
            "warcinfo" => pending = Some(None),
            _ => {}
        }
    }
    if let Some(outcome) = pending {
        outcomes.extend(outcome);
        sound = size;
    }
    if sound < size {
        let file = OpenOptions::new().write(true).open(path).map_err(refused)?;
        file.set_len(sound).and_then(|()| file.sync_all()).map_err(refused)?;
    }
    Ok((outcomes, sound))
}

/// One record as a gzip member.
fn member(head: &[(&str, &str)], id: &str, block: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut record = String::from("WARC/1.1\r\n");
    for (name, value) in head {
        record += &format!("{name}: {value}\r\n");
    }
    record += &format!("WARC-Record-ID: {id}\r\nWARC-Block-Digest: {}\r\nContent-Length: {}\r\n\r\n", digest_of(block), block.len());
    let mut packed = GzEncoder::new(Vec::with_capacity(block.len() / 3 + 512), Compression::new(6));
    let written = packed.write_all(record.as_bytes()).and_then(|()| packed.write_all(block)).and_then(|()| packed.write_all(b"\r\n\r\n"));
    written.and_then(|()| packed.finish()).map_err(|error| StoreError::io(Path::new("memory"), error))
}

/// A record's name: the same for the same record, so that nothing random is in an archive.
fn record_id(place: &str, offset: u64, kind: &str) -> String {
    let hash = xxh3_128(format!("{place} {offset} {kind}").as_bytes());
    let hex = format!("{hash:032x}");
    format!("<urn:uuid:{}-{}-4{}-8{}-{}>", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// `2026-11-26T01:02:03Z`.
#[must_use]
pub fn warc_date(at_ms: u64) -> String {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(at_ms).unwrap_or(0)).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn mime_of(response: &[u8]) -> String {
    let parsed = crate::archive::http::Response::parse(response);
    let stated = parsed.and_then(|response| response.fields.text("content-type")).unwrap_or_default();
    let mime = stated.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if mime.is_empty() { "unk".to_owned() } else { mime }
}

/// A line of the index (CDXJ, as pywb reads it): key, date and JSON. Other indexers write SHA-1 without its name, and a replay compares
/// digests to find what a revisit stands for.
fn cdxj(
    Outcome { url, at_ms, status, digest, .. }: &Outcome,
    mime: &str,
    (offset, length): (u64, usize),
    name: &str,
    about: &[(&str, &str)],
) -> String {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(*at_ms).unwrap_or(0)).unwrap_or_default();
    let mut line = serde_json::json!({
        "url": url, "mime": mime, "status": status.to_string(), "digest": digest.strip_prefix("sha1:").unwrap_or(digest), "length": length.to_string(),
        "offset": offset.to_string(), "filename": name,
    });
    for (field, key) in NAMED {
        if let Some((_, value)) = about.iter().find(|(known, _)| known == field) {
            line[key] = serde_json::Value::from(*value);
        }
    }
    format!("{} {} {line}\n", surt(url), at.strftime("%Y%m%d%H%M%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(number: u64, body: &str) -> Group {
        let response = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let at = response.len() - body.len();
        Group {
            outcome: Outcome {
                url: format!("https://www.kyla.example.fi/Sivu/{number}"),
                at_ms: 1_790_000_000_000 + number,
                status: 200,
                digest: digest_of(body.as_bytes()),
                links: vec![format!("https://www.kyla.example.fi/{}", number + 1)],
                ..Outcome::default()
            },
            request: b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            response: response.into_bytes(),
            body: at,
            address: "127.0.0.2".to_owned(),
            ..Group::default()
        }
    }

    fn open(folder: &Path, acknowledged: &[Acknowledged]) -> (Archive, Vec<Outcome>) {
        let (archive, outcomes, _) =
            Archive::open(folder, "2026-11-26", ("software: x\r\n".to_owned(), 1_790_000_000_000), 4_000, acknowledged).expect("room");
        (archive, outcomes)
    }

    #[test]
    fn what_was_written_whole_and_not_acknowledged_comes_back_and_a_torn_group_is_cut_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let night = folder.path().join("n");
        let (mut archive, none) = open(&night, &[]);
        assert!(none.is_empty());
        let first = archive.write(&[group(1, "Yksi")]).expect("room");
        archive.write(&[group(2, "Kaksi"), group(3, "Kolme")]).expect("room");
        let path = archive.path.clone();
        drop(archive);
        let whole = std::fs::read(&path).expect("it is there");
        let outcomes = |length: usize, known: &[Acknowledged]| {
            std::fs::write(&path, &whole[..length]).expect("room");
            let (outcomes, sound) = recover(&path, known.first().map_or(0, |(_, length)| *length)).expect("it can be read");
            assert_eq!(std::fs::metadata(&path).expect("it is there").len(), sound);
            outcomes.iter().map(|outcome| outcome.url.rsplit('/').next().expect("a name").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(outcomes(whole.len(), &[]), ["1", "2", "3"]);
        assert_eq!(outcomes(whole.len(), &first), ["2", "3"]);
        // The index of an archive that was open when the crawl was killed is made from it.
        let (_, _) = open(&night, &first);
        let index = std::fs::read_to_string(index_path(&path)).expect("an index");
        assert_eq!(index.lines().count(), 3);
        for line in index.lines() {
            let about: serde_json::Value = serde_json::from_str(line.splitn(3, ' ').nth(2).expect("JSON")).expect("JSON");
            let number = |name: &str| about[name].as_str().and_then(|text| text.parse::<usize>().ok()).expect("a number");
            let member = &whole[number("offset")..][..number("length")];
            let mut record = String::new();
            std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(member), &mut record).expect("one member");
            let digest = about["digest"].as_str().expect("a digest");
            assert!(record.contains(&format!("WARC-Payload-Digest: sha1:{digest}\r\n")), "{line}");
            assert!(record.contains("WARC-Type: response") && record.contains(about["url"].as_str().expect("an address")), "{line}");
        }
        let after_first = first[0].1 as usize;
        for length in after_first..whole.len() {
            let found = outcomes(length, &first);
            assert!(found.len() <= 2 && found.iter().zip(["2", "3"]).all(|(found, expected)| found == expected), "{length}: {found:?}");
            assert!(length + 1 < whole.len() || found.len() < 2, "{length}");
        }
    }

    #[test]
    fn an_archive_is_ended_when_its_index_is_long_however_short_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut archive, _) = open(folder.path(), &[]);
        archive.write(&[group(1, "Yksi")]).expect("room");
        let first = archive.path.clone();
        archive.index_bytes = INDEX_BYTES_MAX;
        archive.write(&[group(2, "Kaksi"), group(3, "Kolme")]).expect("room");
        assert_ne!(archive.path, first);
        let second = archive.path.clone();
        archive.write_index().expect("room");
        let lines = |path: &Path| std::fs::read_to_string(index_path(path)).expect("an index").lines().count();
        assert_eq!((lines(&first), lines(&second)), (1, 2), "each has the lines of its own archive");
    }

    #[test]
    fn archives_are_ended_at_their_size_and_each_has_a_sorted_index() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut archive, _) = open(folder.path(), &[]);
        let noise: String =
            (0..3_000_u32).map(|at| char::from(b'a' + (at.wrapping_mul(2_654_435_761).rotate_left(at % 29) % 26) as u8)).collect();
        let groups: Vec<Group> = (0..6).rev().map(|number| group(number, &noise)).collect();
        assert!(archive.write(&groups).expect("room").len() > 1);
        archive.write_index().expect("room");
        let files = store::files_below(folder.path()).expect("they can be listed");
        let indexes: Vec<_> = files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "cdxj")).collect();
        assert!(indexes.len() > 1);
        for archive in files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "gz")) {
            let mut head = String::new();
            let file = File::open(archive).expect("a file");
            std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut head).expect("one member");
            assert!(head.contains("WARC-Type: warcinfo") && head.contains("WARC-Date: 2026-09-21T14:13:20Z"), "when it was begun: {head}");
        }
        for index in indexes {
            let text = std::fs::read_to_string(index).expect("a file");
            assert!(text.lines().is_sorted() && text.starts_with("fi,example,kyla)/sivu/"), "{text}");
        }
    }
}
