//! The records of one archive as a source offers them: those that it wants are copied out, up to a limit, the others are passed over
//! and named by their kind.
//!
//! A record whose end was seen is offered even where it is shorter than its head says; one that broke off, or whose member fails
//! its checksum, is told as damage and never offered.

use std::collections::VecDeque;
use std::sync::Arc;

use super::head::Head;
use super::records::{Cutter, Ending, Found};
use crate::source::{Input, RawRecord, Record, Records, SourceError};

/// Room that a record's buffer begins with at most; a claim of gigabytes is believed only as the bytes come.
const ROOM_BYTES_MAX: u64 = 1 << 20;

/// Reads the records of one archive.
pub struct RawRecords {
    cutter: Cutter,
    file: Arc<str>,
    record_bytes_max: usize,
    wanted: fn(&Head<'_>) -> bool,
    waiting: VecDeque<Record>,
}

impl RawRecords {
    /// Begins to read `input`. Of the records that are `wanted`, at most `record_bytes_max` bytes are held.
    ///
    /// # Errors
    /// Where the file has no bytes, or the system does not let it be read.
    pub fn open(input: Input, record_bytes_max: usize, wanted: fn(&Head<'_>) -> bool) -> Result<RawRecords, SourceError> {
        let cutter = Cutter::open(input.bytes, &input.name, input.size)?;
        if cutter.is_empty() {
            return Err(SourceError::NotThisFormat("the file is empty".to_owned()));
        }
        Ok(RawRecords { cutter, file: input.name, record_bytes_max, wanted, waiting: VecDeque::new() })
    }

    fn record(&mut self) -> Record {
        let head = self.cutter.head();
        let kind = head.kind().as_str();
        let mut record = if (self.wanted)(&head) { Record::Raw(self.copy_out()) } else { Record::Other(kind) };
        match self.cutter.end() {
            Ending::Whole => {}
            Ending::Short(damage) => {
                self.waiting.push_back(Record::Damage(damage));
                if let Record::Raw(raw) = &mut record {
                    raw.truncated = true;
                }
            }
            Ending::Broken(damage) => return Record::Damage(damage),
        }
        record
    }

    fn copy_out(&mut self) -> RawRecord {
        let head = self.cutter.head_bytes();
        let room = head.len() + self.cutter.remaining().min(ROOM_BYTES_MAX) as usize;
        let mut bytes = Vec::with_capacity(room);
        bytes.extend_from_slice(head);
        let mut truncated = false;
        while let Some(piece) = self.cutter.piece() {
            let count = piece.len().min(self.record_bytes_max.saturating_sub(bytes.len()));
            bytes.extend_from_slice(&piece[..count]);
            truncated |= count < piece.len();
        }
        RawRecord { file: Arc::clone(&self.file), offset: self.cutter.offset(), bytes, truncated }
    }
}

impl Records for RawRecords {
    fn next(&mut self) -> Option<Record> {
        if let Some(record) = self.waiting.pop_front() {
            return Some(record);
        }
        match self.cutter.next()? {
            Found::Record => Some(self.record()),
            Found::Damage(damage) => Some(Record::Damage(damage)),
        }
    }

    fn bytes_taken(&self) -> u64 {
        self.cutter.taken()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read, Write};

    use super::*;
    use crate::source::Damage;

    fn record(url: &str, body: &str) -> Vec<u8> {
        format!("WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nContent-Length: {}\r\n\r\n{body}\r\n\r\n", body.len())
            .into_bytes()
    }

    fn member(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    /// Offers as `offset:last letters of the record`, `~` where truncated; damages as `offset!what`.
    fn read(file: Vec<u8>) -> Vec<String> {
        let size = file.len() as u64;
        read_stream(Box::new(Cursor::new(file)), size)
    }

    fn read_stream(bytes: Box<dyn Read + Send>, size: u64) -> Vec<String> {
        let input = Input { name: "x.warc.gz".into(), bytes, file: None, size, reader_bytes_max: 64 << 20 };
        let mut records = RawRecords::open(input, 1 << 20, |_| true).unwrap();
        let mut seen = Vec::new();
        while let Some(record) = records.next() {
            seen.push(match record {
                Record::Raw(raw) => {
                    assert!(raw.bytes.capacity() <= 3 << 20);
                    let tail = String::from_utf8_lossy(&raw.bytes[raw.bytes.len().saturating_sub(4)..]).into_owned();
                    format!("{}:{tail}{}", raw.offset, if raw.truncated { "~" } else { "" })
                }
                Record::Damage(Damage { offset, what, .. }) => format!("{offset}!{what}"),
                Record::Other(_) | Record::Offer(_) | Record::Again(_) => unreachable!("all records are wanted"),
            });
        }
        seen
    }

    #[test]
    fn offsets_are_those_of_members_frames_and_plain_records() {
        let (one, two) = (record("https://a.example/", "tere"), record("https://b.example/", "ahoj"));
        let n = one.len();
        assert_eq!(read([one.clone(), two.clone()].concat()), ["0:tere".to_owned(), format!("{n}:ahoj")]);
        let n = member(&one).len();
        assert_eq!(read([member(&one), member(&two)].concat()), ["0:tere".to_owned(), format!("{n}:ahoj")]);
        assert_eq!(read(member(&[one.clone(), two.clone()].concat())), ["0:tere", "0:ahoj"]);
        let frames = [&one, &two].map(|bytes| zstd::encode_all(&bytes[..], 1).unwrap());
        assert_eq!(read(frames.concat()), ["0:tere".to_owned(), format!("{}:ahoj", frames[0].len())]);
    }

    #[test]
    fn members_cut_anywhere_are_joined() {
        let whole = [record("https://a.example/", "tere"), record("https://b.example/", "ahoj")].concat();
        for cut in 1..whole.len() {
            let seen = read([member(&whole[..cut]), member(&whole[cut..])].concat());
            let bodies: Vec<_> = seen.iter().filter_map(|seen| seen.split_once(':')).map(|(_, body)| body).collect();
            assert_eq!(bodies, ["tere", "ahoj"], "cut at {cut}: {seen:?}");
        }
    }

    #[test]
    fn a_cut_tail_is_told_and_the_whole_records_stay() {
        let (one, two) = (record("https://a.example/", "tere"), record("https://b.example/", "ahoj"));
        let plain = [&one[..], &two[..two.len() - 6]].concat();
        assert_eq!(read(plain), ["0:tere".to_owned(), format!("{}!the record is 2 bytes shorter than its head says", one.len())]);
        let (first, second) = (member(&one), member(&two));
        let seen = read([&first[..], &second[..second.len() - 9]].concat());
        assert_eq!(seen[0], "0:tere");
        assert!(seen.len() == 2 && seen[1].starts_with(&format!("{}!the gzip member ends early", first.len())), "{seen:?}");
    }

    #[test]
    fn a_broken_or_wrongly_summed_member_costs_its_own_record_only() {
        let members =
            ["https://a.example/", "https://b.example/", "https://c.example/"].map(|url| member(&record(url, &"dobrý den ".repeat(90))));
        let second = members[0].len();
        for place in [second + members[1].len() / 2, second + members[1].len() - 6] {
            let mut file = members.concat();
            file[place] ^= 0x3c;
            let seen = read(file);
            assert_eq!(seen.len(), 3, "{seen:?}");
            assert!(seen[1].starts_with(&format!("{second}!the gzip member")), "{seen:?}");
        }
    }

    #[test]
    fn a_record_that_claims_gigabytes_ends_where_the_next_begins() {
        let lie = b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 4294967296\r\n\r\nterve";
        let file = [&lie[..], b"\r\n\r\n", &record("https://b.example/", "ahoj")].concat();
        let seen = read(file);
        assert_eq!((seen[0].as_str(), seen.len()), ("0:e\r\n\r~", 3));
        assert!(seen[1].starts_with("0!the record is 42949") && seen[2].ends_with(":ahoj"), "{seen:?}");
        let seen = read([member(lie), member(&record("https://b.example/", "ahoj"))].concat());
        assert!(seen.len() == 3 && seen[0] == "0:erve~" && seen[2].ends_with(":ahoj"), "{seen:?}");
    }

    #[test]
    fn what_belongs_to_no_record_is_passed_over_and_told() {
        let one = record("https://a.example/", "tere");
        let n = one.len();
        let seen = read([&one[..], b"The monkeys are coming!\n", &one, &[0; 5000]].concat());
        let want = ["0:tere".to_owned(), format!("{n}!24 bytes that belong to no record"), format!("{}:tere", n + 24)];
        assert_eq!(
            (&seen[..3], seen[3].as_str()),
            (&want[..], format!("{}!5000 zero bytes that belong to no record", 2 * n + 24).as_str())
        );
        let packed = member(&one);
        let seen = read([&packed[..], &[0; 5000]].concat());
        assert_eq!(seen, ["0:tere".to_owned(), format!("{}!5000 zero bytes where a gzip member should begin", packed.len())]);
        assert_eq!(read(b"\xffgarbage \x00\x01 all the way".to_vec()), ["0!23 bytes that are no gzip member"]);
    }

    #[test]
    fn a_bomb_is_cut_and_passed_over_in_bounded_memory() {
        let bomb = member(&record("https://a.example/", &" ".repeat(5 << 20)));
        let seen = read([bomb, member(&record("https://b.example/", "ahoj"))].concat());
        assert!(seen.len() == 2 && seen[0] == "0:    ~" && seen[1].ends_with(":ahoj"), "{seen:?}");
    }

    #[test]
    fn a_head_without_end_is_no_head() {
        let endless = std::io::repeat(b'x').take(3 << 20);
        let stream = Cursor::new(b"WARC/1.0\r\nX: ".to_vec())
            .chain(endless)
            .chain(Cursor::new([b"\n".to_vec(), record("https://a.example/", "tere")].concat()));
        let seen = read_stream(Box::new(stream), 0);
        assert!(seen.len() == 2 && seen[1].ends_with(":tere"), "{seen:?}");
    }

    #[test]
    fn an_empty_file_and_a_system_that_refuses_are_told() {
        struct Refuses;
        impl Read for Refuses {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("the disk is on fire"))
            }
        }
        let open = |bytes: Box<dyn Read + Send>| {
            RawRecords::open(Input { name: "x".into(), bytes, file: None, size: 0, reader_bytes_max: 64 << 20 }, 1, |_| true).err().unwrap()
        };
        assert_eq!(open(Box::new(std::io::empty())).to_string(), "the file is empty");
        assert_eq!(open(Box::new(Refuses)).to_string(), "cannot read it: the disk is on fire");
        let late = Cursor::new([record("https://a.example/", "tere"), record("https://b.example/", "ahoj")].concat())
            .chain(Cursor::new(vec![b'\n'; 300 << 10]))
            .chain(Refuses);
        let seen = read_stream(Box::new(late), 0);
        assert!(seen.last().unwrap().contains("the system cannot read on: the disk is on fire"), "{seen:?}");
    }
}
