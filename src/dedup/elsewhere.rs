//! Documents that repeat what another index holds: pairs that share a key, from two sorted streams, then their sketches side by side.
//!
//! Each document is judged by itself against the other index, so the answer depends neither on who else is asked nor on how much memory there
//! is. Only those that repeat one directly are found: what is like one of them and not like the other index's document is not.

use super::clusters::PARTNERS_MAX;
use super::columns::{ColumnError, ColumnFile};
use super::index::{Index, Run};
use super::keys::{Cursor, Key, KeysAbout};
use super::minhash::jaccard;
use super::sorter::{Record, Sorted, SpillError, array};
use crate::doc::DocId;

/// A document and one of the other index with which it shares a key, both by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) asker: u64,
    pub(super) other: u64,
    /// Whether they share a band; else their texts are equal.
    pub(super) near: bool,
}

impl Record for Pair {
    const BYTES: usize = 17;

    fn put(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.asker.to_le_bytes());
        bytes.extend_from_slice(&self.other.to_le_bytes());
        bytes.push(u8::from(self.near));
    }

    fn take(bytes: &[u8]) -> Pair {
        let number = |at: usize| u64::from_le_bytes(array(&bytes[at..]));
        Pair { asker: number(0), other: number(8), near: bytes[16] != 0 }
    }
}

/// A document that repeats one of the other index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Repeat {
    /// Its number.
    pub(super) asker: u64,
    /// Who stands for the cluster of the document that it repeats.
    pub(super) winner: DocId,
    /// How similar it is to the most similar one; none where a text is equal.
    pub(super) jaccard: Option<f32>,
}

/// Calls `each` with every pair of equal texts, the askers' `keys` in order: of each text the first document of the other index, whatever its
/// language if `over_languages`.
pub(super) fn equal_texts<E: From<ColumnError>>(
    keys: impl FnMut() -> Result<Option<(u128, u64)>, E>,
    other: &Index,
    over_languages: bool,
    mut each: impl FnMut(Pair) -> Result<(), E>,
) -> Result<(), E> {
    shared(
        keys,
        other,
        |run| &run.exact,
        1,
        |askers, others| {
            for (key, asker) in askers {
                let fitting = others.iter().filter(|(theirs, _)| over_languages || theirs == key).map(|(_, number)| *number);
                if let Some(other) = fitting.min() {
                    each(Pair { asker: *asker, other, near: false })?;
                }
            }
            Ok(())
        },
    )
}

/// Calls `each` with every pair that shares a band, the askers' `keys` in order. An asker meets the first [`PARTNERS_MAX`] of a band.
pub(super) fn shared_bands<E: From<ColumnError>>(
    keys: impl FnMut() -> Result<Option<(u64, u64)>, E>,
    other: &Index,
    mut each: impl FnMut(Pair) -> Result<(), E>,
) -> Result<(), E> {
    shared(
        keys,
        other,
        |run| &run.bands,
        PARTNERS_MAX,
        |askers, others| {
            for (_, asker) in askers {
                others.iter().try_for_each(|(_, other)| each(Pair { asker: *asker, other: *other, near: true }))?;
            }
            Ok(())
        },
    )
}

/// Calls `each` with the askers of one group of keys and the other index's documents of it, the first `others_max` of each key.
fn shared<K: Key, E: From<ColumnError>>(
    mut keys: impl FnMut() -> Result<Option<(K, u64)>, E>,
    other: &Index,
    file: impl Fn(&Run) -> &ColumnFile<KeysAbout>,
    others_max: usize,
    mut each: impl FnMut(&[(K, u64)], &[(K, u64)]) -> Result<(), E>,
) -> Result<(), E>
where
    (K, u32): Record,
{
    let sides = other.runs.iter().map(|run| Ok((Cursor::<K>::new(file(run))?, run.base)));
    let mut sides = sides.collect::<Result<Vec<_>, ColumnError>>()?;
    let (mut askers, mut others): (Vec<(K, u64)>, Vec<(K, u64)>) = (Vec::new(), Vec::new());
    let mut next = keys()?;
    while let Some((key, _)) = next {
        let group = key.group();
        askers.clear();
        while let Some(asker) = next.filter(|(key, _)| key.group() == group) {
            askers.push(asker);
            next = keys()?;
        }
        others.clear();
        for (cursor, base) in &mut sides {
            cursor.seek(group)?;
            while let Some((key, document)) = cursor.next_of(group)? {
                if others.iter().filter(|(known, _)| *known == key).count() < others_max {
                    others.push((key, *base + u64::from(document)));
                }
            }
        }
        if !others.is_empty() {
            each(&askers, &others)?;
        }
    }
    Ok(())
}

/// Some askers with all their pairs.
#[derive(Default)]
struct Batch {
    askers: Vec<u64>,
    /// Numbers in the other index, each with the asker's place in `askers` and whether they share a band only.
    pairs: Vec<(u64, u32, bool)>,
}

/// The best that was found for an asker: how similar, and who stands for it.
type Best = Option<(Option<f32>, DocId)>;

impl Batch {
    fn add(&mut self, pair: Pair) {
        if self.askers.last() != Some(&pair.asker) {
            self.askers.push(pair.asker);
        }
        let slot = self.askers.len() as u32 - 1;
        let known = self.pairs.last() == Some(&(pair.other, slot, pair.near));
        if !known {
            self.pairs.push((pair.other, slot, pair.near));
        }
    }

    fn bytes(&self, sketch_bytes: usize) -> usize {
        self.pairs.len() * size_of::<(u64, u32, bool)>() + self.askers.len() * (sketch_bytes + size_of::<(u64, Best)>())
    }

    /// Which askers repeat a document of `other`, in their order. `sketches` are the askers', one after the other.
    fn judge<E: From<ColumnError>>(&mut self, other: &Index, jaccard_min: f32, sketches: &[u8]) -> Result<Vec<Repeat>, E> {
        self.pairs.sort_unstable();
        let numbers: Vec<u64> = self.pairs.chunk_by(|a, b| a.0 == b.0).map(|pairs| pairs[0].0).collect();
        let mut groups = self.pairs.chunk_by(|a, b| a.0 == b.0);
        let mut best: Vec<Best> = vec![None; self.askers.len()];
        let sketch_bytes = sketches.len() / self.askers.len().max(1);
        other.look_up::<E>(&numbers, |_, row| {
            let winner = if row.winner == DocId(0) { row.id } else { row.winner };
            for (_, slot, near) in groups.next().unwrap_or_default() {
                let slot = *slot as usize;
                let sketch = &sketches[slot * sketch_bytes..][..sketch_bytes];
                let similar = near.then(|| jaccard(sketch, &row.sketch));
                if similar.is_none_or(|similar| similar >= jaccard_min) && is_better(similar, best[slot]) {
                    best[slot] = Some((similar, winner));
                }
            }
            Ok(())
        })?;
        let found = self.askers.iter().zip(best).filter_map(|(asker, best)| Some((*asker, best?)));
        Ok(found.map(|(asker, (jaccard, winner))| Repeat { asker, winner, jaccard }).collect())
    }
}

/// Whether a similarity is better than the best so far; an equal text, which has none, is the best.
fn is_better(similar: Option<f32>, best: Best) -> bool {
    match (similar, best) {
        (_, None) => true,
        (_, Some((None, _))) => false,
        (None, Some(_)) => true,
        (Some(similar), Some((Some(best), _))) => similar > best,
    }
}

/// Judges all `pairs` in parts of some `bytes_max`, and calls `each` with the documents that repeat one of `other`, in order of their numbers.
/// `sketches` gives those of some askers, in order, one after the other.
pub(super) fn judge<E: From<ColumnError> + From<SpillError>>(
    mut pairs: Sorted<Pair>,
    other: &Index,
    (jaccard_min, bytes_max): (f32, usize),
    mut sketches: impl FnMut(&[u64]) -> Result<Vec<u8>, E>,
    mut each: impl FnMut(&[Repeat]) -> Result<(), E>,
) -> Result<(), E> {
    let sketch_bytes = other.scheme().and_then(|(scheme, _)| scheme.banding).map_or(0, super::settings::Banding::values);
    let mut batch = Batch::default();
    loop {
        let pair = pairs.pull()?;
        let is_full = batch.bytes(sketch_bytes) > bytes_max && pair.is_none_or(|pair| batch.askers.last() != Some(&pair.asker));
        if (is_full || pair.is_none()) && !batch.askers.is_empty() {
            let sketches = sketches(&batch.askers)?;
            each(&batch.judge::<E>(other, jaccard_min, &sketches)?)?;
            batch = Batch::default();
        }
        match pair {
            Some(pair) => batch.add(pair),
            None => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_reads_back_and_equal_texts_of_one_asker_come_before_bands_of_the_same() {
        let pairs = [(7, 3, true), (7, 3, false), (6, 9, true)].map(|(asker, other, near)| Pair { asker, other, near });
        for pair in pairs {
            let mut bytes = Vec::new();
            pair.put(&mut bytes);
            assert_eq!((bytes.len(), Pair::take(&bytes)), (Pair::BYTES, pair));
        }
        let mut sorted = pairs;
        sorted.sort_unstable();
        assert_eq!(sorted, [pairs[2], pairs[1], pairs[0]]);
    }

    #[test]
    fn an_equal_text_is_better_than_any_similar_one_and_of_similar_ones_the_first_of_the_most_similar() {
        let best = |similar| Some((similar, DocId(1)));
        assert!(is_better(Some(0.7), None) && is_better(None, best(Some(0.99))) && is_better(Some(0.9), best(Some(0.8))));
        assert!(!is_better(Some(0.8), best(Some(0.8))) && !is_better(Some(1.0), best(None)) && !is_better(None, best(None)));
    }
}
