//! Which documents of one index repeat those of another one: for two data sets that were published before anybody held them against each other.
//!
//! The same rules as when a run yields ([`super::decide`]). The own index is read once from front to back; buffers are bounded, and in memory stays
//! what was found, some 100 bytes a document.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::columns::ColumnError;
use super::decide::DecideError;
use super::elsewhere::{equal_texts, judge, shared_bands};
use super::index::Index;
use super::keys::{Cursor, Key};
use super::sorter::Sorter;
use crate::doc::DocId;

/// How to look for repeats.
#[derive(Clone, Copy, Debug)]
pub struct Overlap<'a> {
    /// Least estimated similarity of two documents that share a band.
    pub jaccard_min: f32,
    /// Where temporary files are written.
    pub folder: &'a Path,
    /// Memory for buffers.
    pub buffer_bytes: usize,
}

/// The ids of all documents of `own` that repeat one of `other`, which must be signed alike.
///
/// # Errors
/// When an index cannot be read or is damaged, or a temporary file fails.
pub fn repeated(own: &Index, other: &Index, overlap: Overlap<'_>) -> Result<BTreeSet<DocId>, DecideError> {
    let mut pairs = Sorter::new(overlap.folder, "overlap", overlap.buffer_bytes / 2);
    let over_languages = own.scheme().is_some_and(|(_, exact)| exact);
    for run in &own.runs {
        let number = |document: u32| run.base + u64::from(document);
        let mut texts = Cursor::<u128>::new(&run.exact)?;
        let pull = || Ok(texts.pull()?.map(|(key, document)| (key, number(document))));
        equal_texts::<DecideError>(pull, other, over_languages, |pair| Ok(pairs.push(pair)?))?;
        let mut bands = Cursor::<u64>::new(&run.bands)?;
        let pull = || Ok(bands.pull()?.map(|(key, document)| (key, number(document))));
        shared_bands::<DecideError>(pull, other, |pair| Ok(pairs.push(pair)?))?;
    }
    let mut found = Vec::new();
    let bounds = (overlap.jaccard_min, overlap.buffer_bytes / 2);
    judge::<DecideError>(
        pairs.finish()?,
        other,
        bounds,
        |numbers| sketches(own, numbers),
        |repeats| {
            found.extend(repeats.iter().map(|repeat| repeat.asker));
            Ok(())
        },
    )?;
    ids(own, &with_equal_texts(own, found)?)
}

fn sketches(own: &Index, numbers: &[u64]) -> Result<Vec<u8>, DecideError> {
    let mut sketches = Vec::new();
    own.look_up::<DecideError>(numbers, |_, row| {
        sketches.extend_from_slice(&row.sketch);
        Ok(())
    })?;
    Ok(sketches)
}

/// `found`, which is in order, and all that have the text of one of them in its language: of those the first alone holds the keys of the bands.
fn with_equal_texts(own: &Index, found: Vec<u64>) -> Result<Vec<u64>, DecideError> {
    let mut texts = Vec::with_capacity(found.len());
    own.look_up::<DecideError>(&found, |_, row| {
        texts.push(row.exact.group());
        Ok(())
    })?;
    texts.sort_unstable();
    texts.dedup();
    let cursors = own.runs.iter().map(|run| Ok((Cursor::<u128>::new(&run.exact)?, run.base)));
    let mut cursors = cursors.collect::<Result<Vec<_>, ColumnError>>()?;
    let mut all = found.clone();
    for text in texts {
        let mut holders: BTreeMap<u128, Vec<u64>> = BTreeMap::new();
        for (cursor, base) in &mut cursors {
            cursor.seek(text)?;
            while let Some((key, document)) = cursor.next_of(text)? {
                holders.entry(key).or_default().push(*base + u64::from(document));
            }
        }
        let repeating = holders.into_values().filter(|holders| holders.iter().any(|number| found.binary_search(number).is_ok()));
        all.extend(repeating.flatten());
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

fn ids(own: &Index, numbers: &[u64]) -> Result<BTreeSet<DocId>, DecideError> {
    let mut ids = BTreeSet::new();
    own.look_up::<DecideError>(numbers, |_, row| {
        ids.insert(row.id);
        Ok(())
    })?;
    ids.remove(&DocId(0));
    Ok(ids)
}
