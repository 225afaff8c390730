//! Tar containers (POSIX ustar and pax, and GNU's long names), streamed. The form is old and simple; a reader that can be stopped between
//! two members, as the door asks, is shorter than the way around a library that lends out its stream.

use super::{FILE_TOO_LONG, Members, UNSAFE_NAME, is_unsafe};
use crate::archive::{Step, Unpacked};
use crate::source::{Damage, Record, Records};

/// Heads and contents come in blocks of this size.
pub(super) const BLOCK_BYTES: usize = 512;
/// Names that stand in a member of their own are no longer than this.
const NAME_BYTES_MAX: u64 = 1 << 16;
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// Whether a tar file begins here.
pub(super) fn begins(block: &[u8]) -> bool {
    block.len() >= BLOCK_BYTES && block[0] != 0 && is_head(&block[..BLOCK_BYTES])
}

/// Whether the checksum is right, which counts its own field as spaces.
fn is_head(block: &[u8]) -> bool {
    let sum: u64 = block.iter().enumerate().map(|(at, byte)| u64::from(if CHECKSUM.contains(&at) { b' ' } else { *byte })).sum();
    number(&block[CHECKSUM]) == Some(sum)
}

/// A number in octal digits, or in binary where its first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if field.first()? & 0x80 != 0 {
        return field[1..].iter().try_fold(u64::from(field[0] & 0x7f), |sum, byte| sum.checked_mul(256)?.checked_add(u64::from(*byte)));
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field.split(|byte| *byte == 0).next().unwrap_or(&[])).into_owned()
}

/// The members of one tar file.
pub(super) struct Tar {
    members: Members,
    unpacked: Unpacked,
    count: usize,
    /// The name of the next member, where one was given before it.
    long_name: Option<String>,
    ended: bool,
}

/// Why reading stopped.
enum Stop {
    End,
    Damage(Damage),
}

impl Tar {
    pub(super) fn new(members: Members, unpacked: Unpacked) -> Tar {
        Tar { members, unpacked, count: 0, long_name: None, ended: false }
    }

    /// Takes `count` bytes, of which those from `kept_max` on are only skipped.
    fn take(&mut self, mut count: u64, kept_max: usize) -> Result<Vec<u8>, Stop> {
        let mut kept = Vec::new();
        while count > 0 {
            match self.unpacked.step() {
                Step::Bytes => {
                    let held = self.unpacked.held();
                    let length = usize::try_from(count).unwrap_or(usize::MAX).min(held.len());
                    kept.extend_from_slice(&held[..length.min(kept_max - kept.len())]);
                    self.unpacked.consume(length);
                    count -= length as u64;
                    if self.unpacked.position() > self.members.unpacked_bytes_max {
                        let most = self.members.unpacked_bytes_max;
                        return Err(self.damage(format!("it unpacks to more than {most} bytes, unpacked_ratio_max times its size")));
                    }
                }
                Step::MemberEnd => {}
                Step::Broken(Some(damage)) => return Err(Stop::Damage(Damage { fatal: true, ..damage })),
                Step::Broken(None) => return Err(self.damage("the rest is broken".to_owned())),
                Step::End if kept.is_empty() && count == BLOCK_BYTES as u64 => return Err(Stop::End),
                Step::End => return Err(self.damage("the tar file ends early: it is cut off here".to_owned())),
            }
        }
        Ok(kept)
    }

    fn damage(&self, what: String) -> Stop {
        Stop::Damage(Damage { offset: self.unpacked.position(), what, fatal: true })
    }

    fn member(&mut self) -> Result<Option<Record>, Stop> {
        let offset = self.unpacked.position();
        let head = self.take(BLOCK_BYTES as u64, BLOCK_BYTES)?;
        if head.iter().all(|byte| *byte == 0) {
            return Err(Stop::End);
        }
        let size = number(&head[124..136])
            .filter(|_| is_head(&head))
            .ok_or_else(|| self.damage("this is no head of a member of a tar file".to_owned()))?;
        self.count += 1;
        if self.count > self.members.members_max {
            return Err(self.damage(format!("it holds more than members_max = {} members", self.members.members_max)));
        }
        let padded =
            size.checked_next_multiple_of(BLOCK_BYTES as u64).ok_or_else(|| self.damage("a size has too many digits".to_owned()))?;
        match head[156] {
            b'L' | b'x' if size <= NAME_BYTES_MAX => {
                let content = self.take(padded, BLOCK_BYTES * 129)?;
                let content = &content[..usize::try_from(size).unwrap_or(0).min(content.len())];
                self.long_name = if head[156] == b'L' { Some(text(content)) } else { pax_path(content).or(self.long_name.take()) };
                Ok(None)
            }
            0 | b'0' | b'7' => self.file(&head, offset, size, padded).map(Some),
            kind => {
                self.take(padded, 0)?;
                self.long_name = None;
                Ok(matches!(kind, b'1' | b'2').then_some(Record::Other("link")))
            }
        }
    }

    fn file(&mut self, head: &[u8], offset: u64, size: u64, padded: u64) -> Result<Record, Stop> {
        let name = self.long_name.take().unwrap_or_else(|| {
            let (prefix, name) =
                (if head[257..].starts_with(b"ustar\0") { text(&head[345..500]) } else { String::new() }, text(&head[..100]));
            if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
        });
        let most = self.members.file_bytes_max;
        let is_unsafe = is_unsafe(&name);
        let is_long = size > most as u64;
        let mut content = self.take(padded, if is_unsafe || is_long { 0 } else { most.saturating_add(BLOCK_BYTES) })?;
        if is_unsafe {
            return Ok(self.members.dropped(&name, offset, UNSAFE_NAME));
        }
        if is_long {
            return Ok(self.members.dropped(&name, offset, FILE_TOO_LONG));
        }
        content.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        Ok(self.members.record(&name, offset, &content))
    }
}

/// The path in the records of a pax head: `27 path=a/b.xml`, each a line.
fn pax_path(records: &[u8]) -> Option<String> {
    records.split(|byte| *byte == b'\n').find_map(|record| {
        let record = String::from_utf8_lossy(record);
        Some(record.split_once(' ')?.1.strip_prefix("path=")?.to_owned())
    })
}

impl Records for Tar {
    fn next(&mut self) -> Option<Record> {
        while !self.ended {
            match self.member() {
                Ok(Some(record)) => return Some(record),
                Ok(None) => {}
                Err(stop) => {
                    self.ended = true;
                    if let Stop::Damage(damage) = stop {
                        return Some(Record::Damage(damage));
                    }
                }
            }
        }
        None
    }

    fn bytes_taken(&self) -> u64 {
        self.unpacked.taken()
    }
}
