//! Takes records out of a web archive and leaves everything else where it was.
//!
//! Each erased record becomes a tombstone of exactly its length as stored: in a packed archive one gzip member, in a plain one a record.
//! So offsets in indexes stay right, and readers find a sound record of type `metadata` that says what happened.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, Crc, write::DeflateEncoder};

use super::request::Targets;
use crate::locator::{Block, Kind, LocateError, Part, parts, places};
use crate::workspace::Workspace;

/// Longest comment with which a gzip member is padded; what is longer is padded inside, since readers bound a comment.
const COMMENT_BYTES_MAX: usize = 32 << 10;
/// Bytes of a gzip member beside its deflate stream: ten of head, eight of checksum and length.
const GZIP_BYTES: usize = 18;
/// Longest stored block of deflate.
const STORED_BYTES_MAX: usize = 65_535;

/// A record to erase: where it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Its first byte in the file.
    pub start: u64,
    /// Its length in the file.
    pub length: u64,
}

/// Why an archive cannot be searched or rewritten.
#[derive(Debug, thiserror::Error)]
pub enum TombstoneError {
    /// The system refused.
    #[error("cannot use the archive `{path}`", path = path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// It cannot be searched.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// Records share a member, or it is packed in another way.
    #[error(
        "the archive `{path}` is not packed a gzip member a record, so a record cannot be taken out in its place; pack it anew \
         (`warcio recompress`) and plan again",
        path = path.display()
    )]
    OtherPacking { path: PathBuf },
    /// A record is too short for a tombstone.
    #[error("the record at {start} of `{path}` is too short ({length} bytes) to hold a tombstone", path = path.display())]
    TooShort { path: PathBuf, start: u64, length: u64 },
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> TombstoneError + '_ {
    |source| TombstoneError::Io { path: path.to_owned(), source }
}

/// How an archive is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Gzip,
    Plain,
    Other,
}

fn packing(path: &Path) -> Result<Packing, TombstoneError> {
    let mut magic = [0; 5];
    let mut file = File::open(path).map_err(io(path))?;
    let length = file.read(&mut magic).map_err(io(path))?;
    Ok(match &magic[..length] {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        b"WARC/" => Packing::Plain,
        _ => Packing::Other,
    })
}

/// The addresses of the records of `path` that `wanted` takes, by reading all of it.
///
/// # Errors
/// When the file cannot be read.
pub fn urls_of(path: &Path, mut wanted: impl FnMut(&str) -> bool) -> Result<Vec<String>, TombstoneError> {
    let size = std::fs::metadata(path).map_err(io(path))?.len();
    let parts = parts(path, &Block { start: 0, end: size }).map_err(io(path))?;
    Ok(parts.into_iter().filter_map(|part| part.url).filter(|url| wanted(url)).collect())
}

/// The records of `path` that hold what was captured at an address that is meant: requests, responses, metadata, revisits.
///
/// # Errors
/// When the file cannot be read, or such a record cannot be taken out in its place.
pub fn find(workspace: &Workspace, path: &Path, targets: &Targets) -> Result<Vec<Extent>, TombstoneError> {
    let (locator, places) = places(workspace, Kind::Archive, path, &targets.keys())?;
    let blocks: Vec<Block> = places.keys().filter_map(|block| locator.blocks().get(*block).copied()).collect();
    find_in(path, &blocks, targets)
}

/// The same, in some blocks of the file.
fn find_in(path: &Path, blocks: &[Block], targets: &Targets) -> Result<Vec<Extent>, TombstoneError> {
    let is_meant = |part: &Part| part.url.as_ref().is_some_and(|url| targets.has_url(url));
    let mut extents = Vec::new();
    for block in blocks {
        let meant = parts(path, block).map_err(io(path))?.into_iter().filter(is_meant).collect::<Vec<_>>();
        if meant.iter().any(|part| part.shared) {
            return Err(TombstoneError::OtherPacking { path: path.to_owned() });
        }
        extents.extend(meant.iter().map(|part| Extent { start: part.start, length: part.end - part.start }));
    }
    if !extents.is_empty() && packing(path)? == Packing::Other {
        return Err(TombstoneError::OtherPacking { path: path.to_owned() });
    }
    Ok(extents)
}

/// Writes `path` to `out` with tombstones in the place of `extents`, and flushes it to disk.
///
/// # Errors
/// When a file cannot be used, or a record is too short.
pub fn rewrite(path: &Path, extents: &[Extent], out: &Path) -> Result<(), TombstoneError> {
    let packing = packing(path)?;
    let mut from = File::open(path).map_err(io(path))?;
    let mut to = BufWriter::new(File::create(out).map_err(io(out))?);
    let mut at = 0;
    for extent in extents {
        std::io::copy(&mut Read::by_ref(&mut from).take(extent.start - at), &mut to).map_err(io(out))?;
        let short = || TombstoneError::TooShort { path: path.to_owned(), start: extent.start, length: extent.length };
        let stone = tombstone(packing, extent.length as usize, extent.start).ok_or_else(short)?;
        to.write_all(&stone).map_err(io(out))?;
        at = extent.start + extent.length;
        from.seek(SeekFrom::Start(at)).map_err(io(path))?;
    }
    std::io::copy(&mut from, &mut to).map_err(io(out))?;
    let file = to.into_inner().map_err(|error| TombstoneError::Io { path: out.to_owned(), source: error.into_error() })?;
    file.sync_all().map_err(io(out))
}

/// A tombstone of exactly `length` bytes; `None` where it does not fit.
fn tombstone(packing: Packing, length: usize, start: u64) -> Option<Vec<u8>> {
    match packing {
        Packing::Gzip => packed(length, start),
        Packing::Plain => plain(length, start),
        Packing::Other => None,
    }
}

/// A record with a body of `body` bytes, and `spaces` more before the number that says so.
fn record(body: usize, spaces: usize, start: u64) -> Vec<u8> {
    const SAID: &[u8] = b"erased: takedown\r\n";
    let mut record = format!(
        "WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{:012x}>\r\nWARC-Date: 2000-01-01T00:00:00Z\r\n\
         Content-Type: application/warc-fields\r\nContent-Length: {:spaces$}{body}\r\n\r\n",
        start & 0xffff_ffff_ffff,
        ""
    )
    .into_bytes();
    record.extend(SAID.iter().copied().chain(std::iter::repeat(b' ')).take(body));
    record.extend_from_slice(b"\r\n\r\n");
    record
}

/// The record whose length is `length`. Its head grows with the number of digits of its body, and where it does a space makes up for it.
fn plain(length: usize, start: u64) -> Option<Vec<u8>> {
    let bare = record(0, 0, start).len() - 1;
    let shapes = (1..20).flat_map(|digits| [(digits, 0), (digits, 1)]);
    shapes.into_iter().find_map(|(digits, spaces)| {
        let body = length.checked_sub(bare + digits + spaces)?;
        (body.to_string().len() == digits).then(|| record(body, spaces, start))
    })
}

fn packed(length: usize, start: u64) -> Option<Vec<u8>> {
    let small = record(18, 0, start);
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
    deflate.write_all(&small).ok()?;
    let deflated = deflate.finish().ok()?;
    let spare = length.checked_sub(GZIP_BYTES + deflated.len())?;
    if spare <= COMMENT_BYTES_MAX { Some(member(&small, &deflated, spare)) } else { stored(length, start) }
}

/// A member whose record is as long as the member, not packed at all.
fn stored(length: usize, start: u64) -> Option<Vec<u8>> {
    let room = length.checked_sub(GZIP_BYTES)?;
    let blocks = room.div_ceil(STORED_BYTES_MAX + 5);
    // At a border between two numbers of blocks, and of digits in the head, some lengths do not exist; a comment fills the rest.
    let tries = (0..32).flat_map(|spare| [blocks, blocks.saturating_sub(1)].map(|blocks| (spare, blocks)));
    tries.filter(|(_, blocks)| *blocks > 0).find_map(|(spare, blocks)| {
        let content = plain(room.checked_sub(spare + 5 * blocks)?, start)?;
        let mut deflated = Vec::with_capacity(room);
        let pieces = content.chunks(STORED_BYTES_MAX);
        let last = pieces.len() - 1;
        for (number, piece) in pieces.enumerate() {
            let size = piece.len() as u16;
            deflated.push(u8::from(number == last));
            deflated.extend_from_slice(&size.to_le_bytes());
            deflated.extend_from_slice(&(!size).to_le_bytes());
            deflated.extend_from_slice(piece);
        }
        let member = member(&content, &deflated, spare);
        (member.len() == length).then_some(member)
    })
}

/// A gzip member (RFC 1952) of `content`, which `deflated` holds, with a comment that takes `spare` bytes with its end.
fn member(content: &[u8], deflated: &[u8], spare: usize) -> Vec<u8> {
    const COMMENT: u8 = 1 << 4;
    let mut member = Vec::with_capacity(GZIP_BYTES + spare + deflated.len());
    member.extend_from_slice(&[0x1f, 0x8b, 8, if spare > 0 { COMMENT } else { 0 }, 0, 0, 0, 0, 0, 255]);
    if spare > 0 {
        member.resize(member.len() + spare - 1, b' ');
        member.push(0);
    }
    member.extend_from_slice(deflated);
    let mut crc = Crc::new();
    crc.update(content);
    member.extend_from_slice(&crc.sum().to_le_bytes());
    member.extend_from_slice(&(content.len() as u32).to_le_bytes());
    member
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Cutter, Found};
    use crate::takedown::request::Request;

    fn response(url: &str, body: &str) -> Vec<u8> {
        let http = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{body}");
        format!(
            "WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-05-02T03:04:05Z\r\nWARC-Record-ID: <urn:uuid:1>\r\n\
             Content-Type: application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n{http}\r\n\r\n",
            http.len()
        )
        .into_bytes()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(bytes).expect("room");
        packed.finish().expect("room")
    }

    fn all_of(path: &Path) -> Block {
        Block { start: 0, end: std::fs::metadata(path).expect("a file").len() }
    }

    fn urls(path: &Path) -> Vec<(u64, Option<String>)> {
        let file = File::open(path).expect("a file");
        let size = file.metadata().expect("a file").len();
        let mut cutter = Cutter::open(Box::new(file), "a", size).expect("an archive");
        let mut urls = Vec::new();
        while let Some(found) = cutter.next() {
            assert_eq!(found, Found::Record);
            urls.push((cutter.offset(), cutter.head().url()));
            assert_eq!(cutter.end(), crate::archive::Ending::Whole);
        }
        urls
    }

    #[test]
    fn every_length_from_the_shortest_on_holds_a_sound_tombstone() {
        let shortest = (1..400).find(|length| packed(*length, 7).is_some()).expect("one fits");
        assert!(shortest < 220, "{shortest}");
        let around = [32 << 10, 65_535, 65_553, 65_558, 131_070, 131_098, 200_000, 1 << 20].map(|middle| middle - 40..middle + 300);
        for length in (shortest..shortest + 200).chain(around.into_iter().flatten()) {
            let stone = packed(length, 7).unwrap_or_else(|| panic!("{length}"));
            assert_eq!(stone.len(), length);
            let mut content = Vec::new();
            flate2::read::GzDecoder::new(&stone[..]).read_to_end(&mut content).expect("gzip");
            assert!(content.starts_with(b"WARC/1.1\r\n") && content.ends_with(b"\r\n\r\n"), "{length}");
        }
        for length in (300..1300).chain(99_990..100_010) {
            assert_eq!(plain(length, 7).map(|record| record.len()), Some(length));
        }
    }

    #[test]
    fn the_records_of_an_address_are_gone_and_all_others_stay_where_they_were() {
        let folder = tempfile::tempdir().expect("a folder");
        let secret = "Kapitonas Žydrūnas".repeat(9_000);
        let pages = [
            response("https://a.example.lt/", "Labas"),
            response("https://b.example.lt/x", &secret),
            response("http://B.example.lt/x#y", "Labas"),
            response("https://a.example.lt/2", "Vakaras"),
        ];
        let mut targets = Targets::default();
        targets.add(&Request::Url("https://b.example.lt/x".to_owned())).expect("an address");
        for (name, packed) in [("a.warc.gz", true), ("a.warc", false)] {
            let [path, out] = [name, "out"].map(|name| folder.path().join(name));
            let bytes: Vec<u8> = pages.iter().flat_map(|page| if packed { gzip(page) } else { page.clone() }).collect();
            std::fs::write(&path, &bytes).expect("room");
            let before = urls(&path);
            let extents = find_in(&path, &[all_of(&path)], &targets).expect("an archive");
            assert_eq!(extents.len(), 2);
            rewrite(&path, &extents, &out).expect("room");
            assert_eq!(std::fs::metadata(&out).expect("a file").len(), bytes.len() as u64);
            let after = urls(&out);
            assert_eq!(after.iter().map(|(at, _)| at).collect::<Vec<_>>(), before.iter().map(|(at, _)| at).collect::<Vec<_>>());
            assert_eq!(after.iter().map(|(_, url)| url.is_some()).collect::<Vec<_>>(), [true, false, false, true]);
            assert!(find_in(&out, &[all_of(&out)], &targets).expect("an archive").is_empty());
        }
    }

    #[test]
    fn records_that_share_a_member_are_told_and_not_touched() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.warc.gz");
        let whole = [response("https://a.example.lt/", "Labas"), response("https://b.example.lt/x", "Rytas")].concat();
        std::fs::write(&path, gzip(&whole)).expect("room");
        let mut targets = Targets::default();
        targets.add(&Request::Host("b.example.lt".to_owned())).expect("a host");
        assert!(matches!(find_in(&path, &[all_of(&path)], &targets), Err(TombstoneError::OtherPacking { .. })));
    }
}
