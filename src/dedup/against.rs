//! Texts in memory against the index of a data set: which of them repeat a document of an earlier night.
//!
//! The same edges as [`super::decide`] finds, for people who have no job but a file. Keys are asked in order, so a run of the index is read
//! once from the front to the back, and of it only the blocks that may hold one of them.

use std::collections::BTreeMap;

use super::clusters::PARTNERS_MAX;
use super::columns::ColumnFile;
use super::forest::Forest;
use super::index::{Index, IndexError, Remembered};
use super::keys::{Cursor, Key, KeysAbout};
use super::memory::{SignedText, join_all, members, standing};
use super::minhash::jaccard;
use super::settings::DedupSettings;
use super::sign::{NOTHING_TO_COMPARE, Scheme};
use super::sorter::Record;
use crate::dedup::clusters::Member;
use crate::doc::DocId;

/// A text that repeats what the index knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Which text it is.
    pub place: u32,
    /// The document that stays: the winner of the earliest cluster that the text belongs to.
    pub winner: DocId,
    /// Documents of the cluster that were at hand, those of the index that were met included.
    pub size: u32,
}

/// What texts have in common with earlier documents, which are numbered after them.
#[derive(Debug, Default)]
struct Met {
    /// The earlier documents, in order of their numbers in the index.
    earlier: Vec<Remembered>,
    /// Equal ones: a text and an earlier document.
    equal: Vec<(u32, u32)>,
    /// Candidates: earlier documents, and the texts that share a band with them.
    candidates: Vec<(Vec<u32>, Vec<u32>)>,
}

/// The texts and earlier documents that have one key.
type Shared = Vec<(Vec<u64>, Vec<u32>)>;

/// The clusters of `texts` among themselves, every member of those of at least two in order, and which texts repeat a document of `index`.
/// `similar` judges two texts, by their numbers, that share a band; what the index knows is judged by its sketches, since its texts are
/// not at hand. A text that repeats an earlier document may be in a cluster too; then the index has the word.
///
/// # Errors
/// What `similar` says, or when the index cannot be read or is damaged.
pub fn find_clusters_against<E: From<IndexError>>(
    settings: &DedupSettings,
    texts: &[SignedText],
    index: &Index,
    similar: impl FnMut(u32, u32) -> Result<bool, E>,
) -> Result<(Vec<Member>, Vec<Repeat>), E> {
    let met = meet(settings, texts, index)?;
    let mut forest = join_all(settings, texts, similar)?;
    let fresh = texts.len() as u32;
    forest.grow(fresh + met.earlier.len() as u32);
    join_earlier(settings, texts, &met, index, &mut forest);
    let repeats = repeats(fresh, &met.earlier, index, &mut forest);
    Ok((members(texts, &mut forest), repeats))
}

fn meet(settings: &DedupSettings, texts: &[SignedText], index: &Index) -> Result<Met, IndexError> {
    let equal = if settings.exact { shared(exact_keys(texts), index, |run| &run.exact)? } else { Vec::new() };
    let candidates = shared(band_keys(settings, texts), index, |run| &run.bands)?;
    let mut numbers: Vec<u64> = equal.iter().chain(&candidates).flat_map(|(earlier, _)| earlier.iter().copied()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut met = Met::default();
    index.look_up::<IndexError>(&numbers, |_, row| {
        met.earlier.push(row);
        Ok(())
    })?;
    let number = |global: &u64| (texts.len() + numbers.partition_point(|known| known < global)) as u32;
    for (earlier, texts) in &equal {
        met.equal.extend(earlier.iter().flat_map(|global| texts.iter().map(|text| (*text, number(global)))));
    }
    met.candidates = candidates.into_iter().map(|(earlier, texts)| (earlier.iter().map(number).collect(), texts)).collect();
    Ok(met)
}

fn exact_keys(texts: &[SignedText]) -> Vec<(u128, u32)> {
    let whole = (0..).zip(texts).filter(|(_, text)| text.signature.exact != NOTHING_TO_COMPARE);
    whole.map(|(number, text)| ((text.signature.exact >> 32 << 32) | u128::from(text.lang as u32), number)).collect()
}

fn band_keys(settings: &DedupSettings, texts: &[SignedText]) -> Vec<(u64, u32)> {
    let scheme = Scheme::of(settings);
    let of = |number: u32| {
        let SignedText { signature, lang, .. } = &texts[number as usize];
        scheme.band_keys(&signature.sketch).map(move |band| (band ^ lang, number))
    };
    standing(settings, texts).into_iter().flat_map(of).collect()
}

/// Every key that a text and an earlier document have.
fn shared<K: Key>(
    mut keys: Vec<(K, u32)>,
    index: &Index,
    file: impl Fn(&super::index::Run) -> &ColumnFile<KeysAbout>,
) -> Result<Shared, IndexError>
where
    (K, u32): Record,
{
    keys.sort_unstable();
    let mut sides = Vec::with_capacity(index.runs.len());
    for run in &index.runs {
        sides.push((Cursor::<K>::new(file(run))?, run.base));
    }
    let mut shared = Vec::new();
    for group in keys.chunk_by(|a, b| a.0.group() == b.0.group()) {
        let key = group[0].0.group();
        let mut earlier = Vec::new();
        for (cursor, base) in &mut sides {
            cursor.seek(key)?;
            while let Some((_, document)) = cursor.next_of(key)? {
                earlier.push(*base + u64::from(document));
            }
        }
        if !earlier.is_empty() {
            shared.push((earlier, group.iter().map(|(_, number)| *number).collect()));
        }
    }
    Ok(shared)
}

/// Joins texts with the earlier documents that they repeat. Earlier documents of one cluster hang together, whoever met them.
fn join_earlier(settings: &DedupSettings, texts: &[SignedText], met: &Met, index: &Index, forest: &mut Forest) {
    let fresh = texts.len() as u32;
    let mut clusters: BTreeMap<u64, u32> = BTreeMap::new();
    for (number, row) in (fresh..).zip(&met.earlier) {
        let first = *clusters.entry(index.cluster_now(row.cluster)).or_insert(number);
        forest.join(first, number);
    }
    met.equal.iter().for_each(|(text, earlier)| forest.join(*text, *earlier));
    for (earlier, group) in &met.candidates {
        for text in group {
            for other in earlier.iter().take(PARTNERS_MAX) {
                let sketch = &met.earlier[(*other - fresh) as usize].sketch;
                let joined = forest.root(*text) == forest.root(*other);
                if !joined && jaccard(&texts[*text as usize].signature.sketch, sketch) >= settings.jaccard_min {
                    forest.join(*text, *other);
                }
            }
        }
    }
}

fn repeats(fresh: u32, earlier: &[Remembered], index: &Index, forest: &mut Forest) -> Vec<Repeat> {
    let mut sizes: BTreeMap<u32, u32> = BTreeMap::new();
    let mut winners: BTreeMap<u32, (u64, DocId)> = BTreeMap::new();
    for number in 0..fresh + earlier.len() as u32 {
        let root = forest.root(number);
        *sizes.entry(root).or_default() += 1;
        if let Some(row) = number.checked_sub(fresh).map(|at| &earlier[at as usize]) {
            let winner = if row.winner == DocId(0) { row.id } else { row.winner };
            let found = (index.cluster_now(row.cluster), winner);
            winners.entry(root).and_modify(|best| *best = found.min(*best)).or_insert(found);
        }
    }
    let repeat = |place| {
        let root = forest.root(place);
        winners.get(&root).map(|(_, winner)| Repeat { place, winner: *winner, size: sizes[&root] })
    };
    (0..fresh).filter_map(repeat).collect()
}
