//! `tamis warc`: looks into web archives. `ls` lists records, `check` verifies digests, `cat` writes one record out.
//!
//! What archives hold is written by strangers: in JSON every control character is escaped, also those that JSON itself would let
//! through (C1 and direction marks), and `cat` writes raw bytes only where standard output is no terminal.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::archive::digest::DigestState;
use crate::archive::http::Response;
use crate::archive::verify::RecordCheck;
use crate::archive::{Cutter, Ending, Found, chunked, coding, http};
use crate::cli::exit::Exit;
use crate::source::Damage;

/// The largest payload that `cat --part payload|body` holds.
const PAYLOAD_BYTES_MAX: usize = 256 << 20;

/// Looks into WARC and ARC files: plain, .gz or .zst.
#[derive(Args, Debug)]
pub struct WarcArgs {
    #[command(subcommand)]
    verb: WarcVerb,
}

#[derive(Subcommand, Debug)]
enum WarcVerb {
    /// Lists records: a JSON line each with offset, type, uri, date, length, `content_type`, `http_status`
    Ls {
        /// Archives
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Checks the digests of records: a JSON line each with offset and digest ok, bad or none
    Check {
        /// Archives
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Writes one record to standard output
    Cat {
        /// Archive
        file: PathBuf,
        /// Where the record begins in the file as stored, as `ls` tells it
        offset: u64,
        /// What of the record is written
        #[arg(long, value_enum, default_value_t = Part::Record)]
        part: Part,
    },
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Head and block as stored
    Record,
    /// The block without its HTTP head, as stored
    Payload,
    /// The payload behind its transfer and content codings
    Body,
}

/// What was met in the files.
#[derive(Default)]
struct Met {
    records: u64,
    troubles: u64,
}

/// Runs `tamis warc`.
///
/// # Errors
/// Where standard output cannot be written, or `cat` finds no record.
pub fn warc(args: &WarcArgs) -> Result<Exit> {
    let done = match &args.verb {
        WarcVerb::Ls { files } => over_files(files, list),
        WarcVerb::Check { files } => over_files(files, check),
        WarcVerb::Cat { file, offset, part } => cat(file, *offset, *part),
    };
    match done {
        // Whoever reads the list has seen enough.
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) => Ok(Exit::Done),
        done => done,
    }
}

fn over_files(files: &[PathBuf], each: fn(&mut Cutter, &Path, &mut dyn Write) -> Result<Met>) -> Result<Exit> {
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let mut met = Met::default();
    for file in files {
        match open(file, 0) {
            Ok(cutter) if cutter.is_empty() => {
                met.troubles += 1;
                eprintln!("tamis warc: {}: the file is empty", shown(file));
            }
            Ok(mut cutter) => {
                let here = each(&mut cutter, file, &mut out)?;
                met.records += here.records;
                met.troubles += here.troubles;
            }
            Err(error) => {
                met.troubles += 1;
                eprintln!("tamis warc: {}: {error}", shown(file));
            }
        }
    }
    out.flush()?;
    Ok(match met {
        Met { records: 0, .. } => Exit::NotStarted,
        Met { troubles: 0, .. } => Exit::Done,
        Met { .. } => Exit::Quarantined,
    })
}

pub(super) fn open(file: &Path, offset: u64) -> io::Result<Cutter> {
    let mut bytes = File::open(file)?;
    let size = bytes.metadata()?.len();
    bytes.seek(SeekFrom::Start(offset))?;
    Cutter::open(Box::new(bytes), &file.to_string_lossy(), size.saturating_sub(offset))
}

#[derive(Serialize)]
struct ListRow {
    offset: u64,
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
}

fn list(cutter: &mut Cutter, file: &Path, out: &mut dyn Write) -> Result<Met> {
    let mut met = Met::default();
    while let Some(found) = cutter.next() {
        if let Found::Damage(damage) = found {
            met.troubles += 1;
            tell(file, &damage);
            continue;
        }
        let head = cutter.head();
        let mut row = ListRow {
            offset: cutter.offset(),
            kind: head.kind_as_written(),
            uri: head.url(),
            date: head.date(),
            length: head.block_length(),
            content_type: head.content_type(),
            http_status: None,
            damage: None,
        };
        let may_hold_http = head.may_hold_http();
        row.http_status = cutter.piece().filter(|_| may_hold_http).and_then(http::status_code);
        if let Some(damage) = trouble(cutter.end()) {
            met.troubles += 1;
            tell(file, &damage);
            row.damage = Some(damage.what);
        }
        met.records += 1;
        write_row(out, &row)?;
    }
    Ok(met)
}

#[derive(Serialize)]
struct CheckRow {
    offset: u64,
    #[serde(rename = "type")]
    kind: String,
    digest: DigestState,
    block: DigestState,
    payload: DigestState,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
}

fn check(cutter: &mut Cutter, file: &Path, out: &mut dyn Write) -> Result<Met> {
    let mut met = Met::default();
    while let Some(found) = cutter.next() {
        if let Found::Damage(damage) = found {
            met.troubles += 1;
            tell(file, &damage);
            continue;
        }
        let head = cutter.head();
        let (kind, uri, mut record) = (head.kind_as_written(), head.url(), RecordCheck::new(&head));
        while let Some(piece) = cutter.piece() {
            record.update(piece);
        }
        let offset = cutter.offset();
        let damage = trouble(cutter.end());
        let checked = record.finish(damage.is_none());
        let digest = checked.block.and(checked.payload);
        if let Some(damage) = &damage {
            tell(file, damage);
        }
        met.troubles += u64::from(damage.is_some() || digest == DigestState::Bad);
        met.records += 1;
        let damage = damage.map(|damage| damage.what);
        write_row(out, &CheckRow { offset, kind, digest, block: checked.block, payload: checked.payload, uri, damage })?;
    }
    Ok(met)
}

fn cat(file: &Path, offset: u64, part: Part) -> Result<Exit> {
    let mut cutter = open_at(file, offset).with_context(|| format!("cannot read {}", shown(file)))?;
    let mut out = SafeOut { inner: BufWriter::new(io::stdout().lock()), raw: !io::stdout().is_terminal() };
    if part == Part::Record {
        out.write_all(cutter.head_bytes())?;
        while let Some(piece) = cutter.piece() {
            out.write_all(piece)?;
        }
    } else {
        let may_hold_http = cutter.head().may_hold_http();
        let mut block = Vec::new();
        while let Some(piece) = cutter.piece() {
            anyhow::ensure!(
                block.len() + piece.len() <= PAYLOAD_BYTES_MAX,
                "the payload has more than {PAYLOAD_BYTES_MAX} bytes; write `--part record` instead"
            );
            block.extend_from_slice(piece);
        }
        out.write_all(&payload(block, may_hold_http, part)?)?;
    }
    out.flush()?;
    match trouble(cutter.end()) {
        Some(damage) => {
            tell(file, &damage);
            Ok(Exit::Quarantined)
        }
        None => Ok(Exit::Done),
    }
}

/// A cutter whose present record is the one at `offset`: found by a jump, or where that fails by walking there from the beginning,
/// as zstd frames may need the dictionary in front.
fn open_at(file: &Path, offset: u64) -> Result<Cutter> {
    let mut cutter = open(file, offset)?;
    if matches!(cutter.next(), Some(Found::Record)) && cutter.offset() == 0 {
        return Ok(cutter);
    }
    let mut cutter = open(file, 0)?;
    while let Some(found) = cutter.next() {
        if found == Found::Record && cutter.offset() == offset {
            return Ok(cutter);
        }
    }
    anyhow::bail!("no record begins at byte {offset}; `tamis warc ls` lists where they do")
}

fn payload(mut block: Vec<u8>, may_hold_http: bool, part: Part) -> Result<Vec<u8>> {
    let Some(response) = Response::parse(&block).filter(|_| may_hold_http) else { return Ok(block) };
    let is_chunked = response.fields.text("transfer-encoding").is_some_and(|codings| codings.to_ascii_lowercase().contains("chunked"));
    let codings = response.fields.text("content-encoding").unwrap_or_default();
    block.drain(..response.body);
    if part == Part::Payload {
        return Ok(block);
    }
    if is_chunked {
        chunked::join(&mut block);
    }
    match coding::decode(block, &codings, PAYLOAD_BYTES_MAX) {
        Ok(body) => Ok(body.bytes),
        Err(coding::Undecodable) => {
            anyhow::bail!("the body's content coding `{}` cannot be undone; write `--part payload` instead", codings.escape_debug())
        }
    }
}

fn trouble(ending: Ending) -> Option<Damage> {
    match ending {
        Ending::Whole => None,
        Ending::Short(damage) | Ending::Broken(damage) => Some(damage),
    }
}

fn tell(file: &Path, damage: &Damage) {
    eprintln!("tamis warc: {}: byte {}: {}", shown(file), damage.offset, damage.what);
}

pub(super) fn shown(file: &Path) -> String {
    file.to_string_lossy().chars().map(|c| if is_unsafe(c) { '\u{fffd}' } else { c }).collect()
}

/// Characters that can change how a terminal shows what comes after.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// JSON with every control character escaped.
struct Escaping;

impl serde_json::ser::Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_unsafe) {
            out.write_all(&rest.as_bytes()[..at])?;
            let mut tail = rest[at..].chars();
            // All of them lie in the basic plane: one unit each.
            write!(out, "\\u{:04x}", tail.next().map_or(0, u32::from))?;
            rest = tail.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

pub(super) fn write_row(out: &mut dyn Write, row: &impl Serialize) -> Result<()> {
    let mut line = Vec::with_capacity(256);
    row.serialize(&mut serde_json::Serializer::with_formatter(&mut line, Escaping))?;
    line.push(b'\n');
    out.write_all(&line)?;
    Ok(())
}

/// Standard output; on a terminal, control characters other than line ends and tabs are shown as `\x..`.
struct SafeOut<W: Write> {
    inner: W,
    raw: bool,
}

impl<W: Write> Write for SafeOut<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.raw {
            return self.inner.write(bytes);
        }
        for byte in bytes {
            match byte {
                b'\n' | b'\t' | b' '..=b'~' => self.inner.write_all(&[*byte])?,
                b'\r' => {}
                other => write!(self.inner, "\\x{other:02x}")?,
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_of_an_archive_reaches_the_terminal() {
        let mut out = Vec::new();
        write_row(&mut out, &"a\u{1b}[2J\u{9b}31m\u{202e}ž\u{7f}").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "\"a\\u001b[2J\\u009b31m\\u202ež\\u007f\"\n");
        let mut safe = SafeOut { inner: Vec::new(), raw: false };
        safe.write_all("\x1b[2J\u{9b}ok\r\n".as_bytes()).unwrap();
        assert_eq!(safe.inner, b"\\x1b[2J\\xc2\\x9bok\n");
    }

    #[test]
    fn a_record_is_found_by_its_offset() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.warc");
        let record =
            |url: &str| format!("WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nContent-Length: 4\r\n\r\ntere\r\n\r\n");
        std::fs::write(&file, record("https://a.example/") + &record("https://b.example/")).unwrap();
        let second = record("https://a.example/").len() as u64;
        assert_eq!(open_at(&file, second).unwrap().head().url().as_deref(), Some("https://b.example/"));
        assert_eq!(open_at(&file, 0).unwrap().head().url().as_deref(), Some("https://a.example/"));
        assert!(open_at(&file, 7).is_err());
    }
}
