//! 7z containers. Members are packed together, so they are unpacked in one pass by a thread of its own, which waits whenever two of them
//! have not been taken yet: the library calls back for each member, and the door of sources is asked for the next one.

use std::fs::File;
use std::io::Read;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use sevenz_rust2::{ArchiveEntry, ArchiveReader, EntryDecision, Error, Password};

use super::zipped::{Jumping, jumping};
use super::{FILE_TOO_LONG, Members, UNSAFE_NAME, is_unsafe};
use crate::formats::Fault;
use crate::source::{Damage, Record, Records, SourceError};

/// How 7z files begin.
pub(super) const MAGIC: &[u8] = b"7z\xbc\xaf";
/// Members that wait to be taken.
const WAITING: usize = 2;

/// The members of one 7z file.
struct SevenZip {
    records: Receiver<(Record, u64)>,
    thread: Option<JoinHandle<()>>,
    taken: u64,
}

/// Opens a 7z file. Without a `file` its bytes are held, up to the limit for one file.
pub(super) fn open(
    members: Members,
    bytes: Box<dyn Read + Send>,
    file: Option<File>,
    size: u64,
    dictionary_bytes_max: usize,
) -> Result<Box<dyn Records>, SourceError> {
    let jumping = jumping(&members, bytes, file)?;
    let reader =
        ArchiveReader::new_with_memory_limit(jumping, Password::empty(), dictionary_bytes_max >> 10).map_err(|error| match error {
            Error::PasswordRequired => SourceError::NotThisFormat("it is encrypted, its list of members too".to_owned()),
            error => SourceError::NotThisFormat(too_large(&error).unwrap_or_else(|| format!("it is no whole 7z file: {error}"))),
        })?;
    let count = reader.archive().files.len();
    if count > members.members_max {
        let what = format!("it lists {count} members, more than members_max = {}", members.members_max);
        return Err(SourceError::NotThisFormat(what));
    }
    let (give, records) = bounded(WAITING);
    let thread = std::thread::spawn(move || Unpacking { members, give, size, count, number: 0, unpacked: 0 }.all(reader));
    Ok(Box::new(SevenZip { records, thread: Some(thread), taken: 0 }))
}

impl Records for SevenZip {
    fn next(&mut self) -> Option<Record> {
        if let Ok((record, taken)) = self.records.recv() {
            self.taken = taken;
            return Some(record);
        }
        // The thread ended; where it did so before its time, that must not look like the end of the file.
        let ended = self.thread.take()?.join();
        ended.is_err().then(|| damaged(0, "its bytes are such that they cannot be unpacked", true))
    }

    fn bytes_taken(&self) -> u64 {
        self.taken
    }
}

/// The thread that unpacks.
struct Unpacking {
    members: Members,
    give: Sender<(Record, u64)>,
    /// Bytes of the file, for progress.
    size: u64,
    count: usize,
    number: u64,
    unpacked: u64,
}

impl Unpacking {
    fn all(mut self, mut reader: ArchiveReader<Box<dyn Jumping>>) {
        let encrypted: Vec<bool> = (0..self.count).map(|index| reader.archive().is_file_encrypted(index)).collect();
        if encrypted.contains(&true) {
            // One key locks all that is packed together; what is not locked beside it would need two passes.
            let names: Vec<String> = reader.archive().files.iter().map(|entry| entry.name().to_owned()).collect();
            for (number, name) in names.iter().enumerate().filter(|(number, _)| encrypted[*number]) {
                let dropped = self.members.dropped(name, number as u64, Fault::Encrypted.reason());
                if !self.hand_over(dropped) {
                    return;
                }
            }
            return;
        }
        let ended = reader.for_each_entries_with_decision(|entry, content| {
            Ok(if self.member(entry, content) { EntryDecision::Continue } else { EntryDecision::Stop })
        });
        if let Err(error) = ended {
            let why = too_large(&error).unwrap_or_else(|| error.to_string());
            let what = format!("the 7z file cannot be read on behind {} members: {why}", self.number);
            self.hand_over(damaged(self.number, &what, true));
        }
    }

    /// Hands over what becomes of one member. Answers whether to go on.
    fn member(&mut self, entry: &ArchiveEntry, content: &mut dyn Read) -> bool {
        let number = self.number;
        self.number += 1;
        if entry.is_directory() || entry.is_anti_item() {
            return true;
        }
        let most = self.members.file_bytes_max;
        let (mut bytes, is_unsafe) = (Vec::new(), is_unsafe(entry.name()));
        if let Err(error) = (&mut *content).take(most as u64 + 1).read_to_end(&mut bytes) {
            return self.give_up(number, &format!("member {number} of the 7z file cannot be read: {error}"));
        }
        self.unpacked += bytes.len() as u64;
        let is_long = bytes.len() > most;
        // What stands behind a long one can only be reached through it, within the limit of the whole.
        let left = (self.members.unpacked_bytes_max + 1).saturating_sub(self.unpacked);
        self.unpacked += if is_long { std::io::copy(&mut (&mut *content).take(left), &mut std::io::sink()).unwrap_or(left) } else { 0 };
        if self.unpacked > self.members.unpacked_bytes_max {
            let most = self.members.unpacked_bytes_max;
            let what = format!("its members unpack to more than {most} bytes, unpacked_ratio_max times its size");
            return self.give_up(number, &what);
        }
        self.hand_over(match (is_unsafe, is_long) {
            (true, _) => self.members.dropped(entry.name(), number, UNSAFE_NAME),
            (_, true) => self.members.dropped(entry.name(), number, FILE_TOO_LONG),
            _ => self.members.record(entry.name(), number, &bytes),
        })
    }

    /// Tells why the rest cannot be read, and that it is not to be.
    fn give_up(&self, number: u64, what: &str) -> bool {
        self.hand_over(damaged(number, what, true));
        false
    }

    /// Waits until there is room; answers whether anybody still wants more.
    fn hand_over(&self, record: Record) -> bool {
        let share = self.number.min(self.count as u64) as f64 / self.count.max(1) as f64;
        self.give.send((record, (self.size as f64 * share) as u64)).is_ok()
    }
}

/// What to do about a dictionary that does not fit.
fn too_large(error: &Error) -> Option<String> {
    let Error::MaxMemLimited { max_kb, actaul_kb } = error else { return None };
    Some(format!("its dictionary takes {actaul_kb} KiB, and dictionary_bytes_max allows {max_kb}"))
}

fn damaged(number: u64, what: &str, fatal: bool) -> Record {
    Record::Damage(Damage { offset: number, what: what.to_owned(), fatal })
}
