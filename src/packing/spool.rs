//! Token ids of all documents in a temporary file, with notes of where each lies; from the notes comes the order in which they are packed.
//!
//! The order is made after all documents were read, because only then the mixture knows how often each is taken. Every taking is sorted by a
//! keyed hash of the document's id and the number of the taking, which is the shuffle.

use std::collections::BTreeMap;
use std::path::Path;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::PackError;
use super::benchmarks::{Benchmarks, LeftOut};
use super::mixture::{Group, Mixture, rounded};
use super::record::Settings;
use super::split::{SPLITS, split_of};
use super::yielded::Yields;
use crate::dedup::sorter::{Sorted, Sorter, Spill};
use crate::doc::DocId;
use crate::locator::InBlock;
use crate::locator::rows::{Documents, Row};

/// Memory for the sorting of one split.
const SORT_BYTES_MAX: usize = 64 << 20;
/// Bytes of a note on disk.
const NOTE_BYTES: usize = 16 + 8 + 4 + 2 + 2 + 1;
/// Notes that are read at a time where all are read.
const NOTES_READ: u32 = 4_096;

/// What is noted of a document.
#[derive(Clone, Copy)]
struct Note {
    id: DocId,
    /// Byte of its first token id in the file of ids.
    place: u64,
    tokens: u32,
    /// Place in the list of groups.
    group: u16,
    /// How often its cluster makes it count.
    copies: u16,
    /// Place in [`SPLITS`].
    split: u8,
}

impl Note {
    fn put(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.id.0.to_le_bytes());
        bytes.extend_from_slice(&self.place.to_le_bytes());
        bytes.extend_from_slice(&self.tokens.to_le_bytes());
        bytes.extend_from_slice(&self.group.to_le_bytes());
        bytes.extend_from_slice(&self.copies.to_le_bytes());
        bytes.push(self.split);
    }

    /// The note in `bytes`, [`NOTE_BYTES`] of them.
    fn take(bytes: &[u8]) -> Note {
        let number = |from: usize, to: usize| bytes[from..to].iter().rev().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
        Note {
            id: DocId(number(0, 16)),
            place: number(16, 24) as u64,
            tokens: number(24, 28) as u32,
            group: number(28, 30) as u16,
            copies: number(30, 32) as u16,
            split: bytes[32],
        }
    }
}

/// Documents with their tokens on disk.
pub(super) struct Spool {
    /// None where the documents are only counted.
    ids: Option<Spill>,
    notes: Spill,
    bytes: Vec<u8>,
    mixture: Mixture,
    places: BTreeMap<(String, String), u16>,
    /// Languages and sources of the split for training, in the order in which they were met.
    pub(super) groups: Vec<Group>,
    pub(super) benchmarks: Benchmarks,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) yields: Yields,
    pub(super) count: u32,
    pub(super) empty: u64,
}

impl Spool {
    /// An empty one in `folder`. If it is `for_counts`, it reads and keeps no token ids, and no document can be asked for.
    pub(super) fn create(folder: &Path, benchmarks: Benchmarks, settings: &Settings, for_counts: bool) -> Result<Spool, PackError> {
        Ok(Spool {
            ids: if for_counts { None } else { Some(Spill::create(folder.join("ids"))?) },
            notes: Spill::create(folder.join("notes"))?,
            bytes: Vec::new(),
            mixture: settings.mixture.clone().unwrap_or_default(),
            places: BTreeMap::new(),
            groups: Vec::new(),
            benchmarks,
            left_out: Vec::new(),
            yields: Yields::default(),
            count: 0,
            empty: 0,
        })
    }

    /// Takes all documents of a shard.
    pub(super) fn read(&mut self, path: &Path, settings: &Settings) -> Result<(), PackError> {
        let documents = Documents::open(path).map_err(PackError::parquet(path))?;
        let tokens = if self.ids.is_some() { "input_ids" } else { "token_count" };
        let mut columns = vec!["id", "lang", "source", "cluster_id", "cluster_size", tokens];
        if !self.benchmarks.all.is_empty() {
            columns.push("text");
        }
        for group in 0..documents.groups().len() {
            let mut failed = Ok(());
            let each = |_, row: Row<'_>| {
                if failed.is_ok() {
                    failed = self.take(&row, settings);
                }
            };
            documents.for_each(group, &InBlock::Anywhere, &columns, each).map_err(PackError::parquet(path))?;
            failed?;
        }
        Ok(())
    }

    fn take(&mut self, row: &Row<'_>, settings: &Settings) -> Result<(), PackError> {
        let list = row.batch().column_by_name("input_ids").and_then(|column| column.as_list_opt::<i32>());
        let values = list.map(|list| list.value(row.number()));
        let ids = values.as_ref().and_then(|values| values.as_primitive_opt::<UInt32Type>()).map_or(&[][..], |ids| ids.values());
        let tokens = if self.ids.is_some() { ids.len() as u32 } else { number(row, "token_count").unwrap_or(0) };
        if tokens == 0 {
            self.empty += 1;
            return Ok(());
        }
        let id = row.id();
        if self.yields.takes(id) {
            return Ok(());
        }
        if let Some(left_out) = self.benchmarks.repeats(id, row.text("text")) {
            self.left_out.push(left_out);
            return Ok(());
        }
        let copies = self.mixture.copies_of(number(row, "cluster_size").unwrap_or(1));
        let cluster: DocId = row.text("cluster_id").parse().unwrap_or(id);
        let split = split_of(settings, cluster.0);
        let group = self.group(row.text("lang"), row.text("source"))?;
        if split == 0 {
            let group = &mut self.groups[usize::from(group)];
            group.documents += 1;
            group.tokens_before += u64::from(tokens);
            group.tokens_copied += u64::from(tokens) * u64::from(copies);
        }
        let place = self.ids.as_ref().map_or(0, Spill::bytes);
        self.bytes.clear();
        Note { id, place, tokens, group, copies, split }.put(&mut self.bytes);
        self.notes.write(&self.bytes)?;
        if let Some(spill) = &mut self.ids {
            self.bytes.clear();
            ids.iter().for_each(|id| self.bytes.extend_from_slice(&id.to_le_bytes()));
            spill.write(&self.bytes)?;
        }
        self.count += 1;
        Ok(())
    }

    fn group(&mut self, lang: &str, source: &str) -> Result<u16, PackError> {
        let key = (lang.to_owned(), source.to_owned());
        if let Some(place) = self.places.get(&key) {
            return Ok(*place);
        }
        let many = |_| PackError::Groups { max: usize::from(u16::MAX) };
        let place = u16::try_from(self.groups.len()).map_err(many)?;
        self.groups.push(Group { lang: key.0.clone(), source: key.1.clone(), ..Group::default() });
        self.places.insert(key, place);
        Ok(place)
    }

    /// The order of each split, as numbers of documents, and in the groups what is packed of them.
    pub(super) fn order(&mut self, folder: &Path, settings: &Settings) -> Result<Vec<Sorted<(u128, u32)>>, PackError> {
        self.ids.as_mut().map_or(Ok(()), Spill::flush)?;
        self.notes.flush()?;
        let epochs = match settings.mixture {
            Some(_) => self.mixture.epochs(&self.groups),
            None => vec![1.0; self.groups.len()],
        };
        let mut orders: Vec<Sorter<(u128, u32)>> = SPLITS.iter().map(|split| Sorter::new(folder, split, SORT_BYTES_MAX)).collect();
        let mut bytes = Vec::new();
        for first in (0..self.count).step_by(NOTES_READ as usize) {
            bytes.resize(NOTES_READ.min(self.count - first) as usize * NOTE_BYTES, 0);
            self.notes.read(&mut bytes, u64::from(first) * NOTE_BYTES as u64)?;
            for (number, note) in (first..).zip(bytes.chunks_exact(NOTE_BYTES).map(Note::take)) {
                let group = usize::from(note.group);
                let times = match note.split {
                    0 => rounded(epochs[group] * f64::from(note.copies), note.id, settings.seed),
                    _ => 1,
                };
                if note.split == 0 {
                    self.groups[group].tokens_after += times * u64::from(note.tokens);
                }
                for time in 0..times {
                    orders[usize::from(note.split)].push((key(note.id, time, settings.seed), number))?;
                }
            }
        }
        Ok(orders.into_iter().map(Sorter::finish).collect::<Result<_, _>>()?)
    }

    /// Document `number` with its tokens; without any where documents are only counted.
    pub(super) fn document(&self, number: u32) -> Result<(DocId, Vec<u32>), PackError> {
        let mut note = [0; NOTE_BYTES];
        self.notes.read(&mut note, u64::from(number) * NOTE_BYTES as u64)?;
        let note = Note::take(&note);
        let Some(spill) = &self.ids else { return Ok((note.id, Vec::new())) };
        let mut bytes = vec![0; note.tokens as usize * 4];
        spill.read(&mut bytes, note.place)?;
        let (ids, _) = bytes.as_chunks::<4>();
        Ok((note.id, ids.iter().map(|id| u32::from_le_bytes(*id)).collect()))
    }
}

/// Where a document comes when it is taken for the `time`-th time, from 0.
fn key(id: DocId, time: u64, seed: u64) -> u128 {
    let mut bytes = id.0.to_le_bytes().to_vec();
    if time > 0 {
        bytes.extend_from_slice(&time.to_le_bytes());
    }
    xxh3_128_with_seed(&bytes, seed)
}

fn number(row: &Row<'_>, column: &str) -> Option<u32> {
    let column = row.batch().column_by_name(column)?.as_primitive_opt::<UInt32Type>()?;
    column.is_valid(row.number()).then(|| column.value(row.number()))
}
