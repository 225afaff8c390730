//! Takes documents out of the index for good: their rows are emptied and their keys removed, in files written anew.
//!
//! Numbers of other documents stay, so nothing else has to change. Of equal texts one holds the keys of all; where that one goes, the
//! next one inherits them, else copies of what may stay would no longer be found.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::doc::DocId;
use crate::sink::{Output, SinkError};

use super::clusters::beats;
use super::columns::ColumnError;
use super::index::{Columns, DocumentsWriter, ID, Index, IndexError, Remembered, Run, RunFiles, WINNER};
use super::keys::{Cursor, Key, copy_without};
use super::sorter::array;

/// What becomes of a cluster whose winner is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphans {
    /// The best of the others stands for it from now on and is offered for re-admission.
    Offer,
    /// Nobody stands for it: the others stay out, and so do later copies.
    Block,
}

/// What was erased.
#[derive(Clone, Debug, Default)]
pub struct Erased {
    /// New files, each with the number of its run; they go in the place of the old ones.
    pub files: Vec<(usize, Output)>,
    /// Rows that were emptied.
    pub documents: u64,
    /// For each erased winner that had duplicates the one that stands for its cluster now, if one does.
    pub heirs: Vec<(DocId, Option<DocId>)>,
}

/// Why documents could not be erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A file of it cannot be read.
    #[error(transparent)]
    Read(#[from] ColumnError),
    /// A new file cannot be written.
    #[error(transparent)]
    Write(#[from] SinkError),
}

/// What must change.
#[derive(Default)]
struct Changes {
    /// Numbers of the erased documents, with their exact hashes.
    erased: BTreeMap<u64, u128>,
    /// Best document of the rest, by erased winner.
    best: BTreeMap<DocId, (u64, (DocId, u64))>,
    /// Runs with rows that name an erased winner.
    orphaned: BTreeSet<usize>,
    /// Blocks of rows in which something changes: first number of the run, block.
    blocks: BTreeSet<(u64, usize)>,
    /// To whom the keys of an erased document go.
    heirs: BTreeMap<u64, u64>,
}

/// Writes those files of `runs` anew, in `out_dir`, that hold anything of `ids`. Two captures under one id go together.
///
/// # Errors
/// When a file cannot be read, is damaged, or cannot be written.
pub fn erase(runs: &[RunFiles], ids: &BTreeSet<DocId>, orphans: Orphans, out_dir: &Path) -> Result<Erased, EraseError> {
    let index = Index::open_any(runs)?;
    let mut changes = find(&index, ids)?;
    find_heirs(&index, &mut changes)?;
    let mut inherited = keys_of_erased(&index, &changes)?;
    let mut erased = Erased { documents: changes.erased.len() as u64, ..Erased::default() };
    for (number, run) in index.runs.iter().enumerate() {
        let holds = changes.erased.range(run.base..run.base + run.len()).next().is_some();
        let new_keys = inherited.remove(&number).unwrap_or_default();
        let files = RunFiles::of(out_dir, &format!("{number}"));
        let gone = || changes.erased.range(run.base..run.base + run.len()).map(|(number, _)| (number - run.base) as u32).collect();
        // The files of a run know nothing of each other, and the largest two are as large: they are written side by side.
        let (rows, bands) = std::thread::scope(|scope| {
            let bands = scope.spawn(|| match holds || !new_keys.is_empty() {
                true => copy_without::<u64, EraseError>(&run.bands, gone(), new_keys, &files.bands).map(Some),
                false => Ok(None),
            });
            let mut rows = Vec::new();
            let mut write_rows = || -> Result<(), EraseError> {
                if holds || changes.orphaned.contains(&number) {
                    rows.push(write_documents(run, &changes, ids, orphans, &files.documents)?);
                }
                if holds {
                    rows.push(copy_without::<u128, EraseError>(&run.exact, gone(), Vec::new(), &files.exact)?);
                }
                Ok(())
            };
            let written = write_rows();
            (written.map(|()| rows), bands.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        erased.files.extend(rows?.into_iter().chain(bands?).map(|output| (number, output)));
    }
    let heir = |winner: &DocId| changes.best.get(winner).filter(|_| orphans == Orphans::Offer).map(|(_, (id, _))| *id);
    erased.heirs = changes.best.keys().map(|winner| (*winner, heir(winner))).collect();
    Ok(erased)
}

/// How many rows of `runs` are documents of `ids`.
///
/// # Errors
/// When a file cannot be read or is damaged.
pub fn count(runs: &[RunFiles], ids: &BTreeSet<DocId>) -> Result<u64, EraseError> {
    Ok(find(&Index::open_any(runs)?, ids)?.erased.len() as u64)
}

/// One pass over all rows.
fn find(index: &Index, ids: &BTreeSet<DocId>) -> Result<Changes, EraseError> {
    let mut changes = Changes::default();
    for (number, run) in index.runs.iter().enumerate() {
        let mut first = run.base;
        for (block, rows) in run.documents.blocks().enumerate() {
            let (names, winners) = (run.documents.read(ID, block)?, run.documents.read(WINNER, block)?);
            let id = |column: &[u8], row: usize| DocId(u128::from_le_bytes(array(&column[16 * row..])));
            let touched = (0..rows).any(|row| ids.contains(&id(&names, row)) || ids.contains(&id(&winners, row)));
            if touched {
                changes.blocks.insert((run.base, block));
                let columns = Columns::read(&run.documents, block)?;
                for row in 0..rows {
                    changes.look_at((number, first + row as u64), &columns.row(row), ids);
                }
            }
            first += rows as u64;
        }
    }
    Ok(changes)
}

impl Changes {
    fn look_at(&mut self, (run, number): (usize, u64), row: &Remembered, ids: &BTreeSet<DocId>) {
        if ids.contains(&row.id) {
            self.erased.insert(number, row.exact);
        } else if ids.contains(&row.winner) {
            self.orphaned.insert(run);
            let rank = (row.rank, (row.id, row.occurrence));
            let best = self.best.entry(row.winner).or_insert(rank);
            if beats(rank, *best) {
                *best = rank;
            }
        }
    }
}

/// Finds the next document with the text and language of each erased one.
fn find_heirs(index: &Index, changes: &mut Changes) -> Result<(), EraseError> {
    let mut asked: Vec<u128> = changes.erased.values().filter(|exact| **exact != 0).map(|exact| exact.group()).collect();
    asked.sort_unstable();
    asked.dedup();
    let cursors = index.runs.iter().map(|run| Ok((Cursor::<u128>::new(&run.exact)?, run.base)));
    let mut cursors = cursors.collect::<Result<Vec<_>, ColumnError>>()?;
    for group in asked {
        let mut holders: BTreeMap<u128, Vec<u64>> = BTreeMap::new();
        for (cursor, base) in &mut cursors {
            cursor.seek(group)?;
            while let Some((key, document)) = cursor.next_of(group)? {
                holders.entry(key).or_default().push(*base + u64::from(document));
            }
        }
        for holders in holders.into_values() {
            let heir = holders.iter().find(|number| !changes.erased.contains_key(number)).copied();
            let gone = holders.iter().filter(|number| changes.erased.contains_key(number));
            changes.heirs.extend(gone.filter_map(|number| Some((*number, heir?))));
        }
    }
    Ok(())
}

/// The band keys that erased documents leave to others, sorted, by the run that will hold them.
fn keys_of_erased(index: &Index, changes: &Changes) -> Result<BTreeMap<usize, Vec<(u64, u32)>>, EraseError> {
    let mut inherited: BTreeMap<usize, Vec<(u64, u32)>> = BTreeMap::new();
    for run in &index.runs {
        if changes.heirs.range(run.base..run.base + run.len()).next().is_none() {
            continue;
        }
        let mut cursor = Cursor::<u64>::new(&run.bands)?;
        while let Some((key, document)) = cursor.pull()? {
            if let Some(heir) = changes.heirs.get(&(run.base + u64::from(document))) {
                let holder = index.runs.partition_point(|run| run.base <= *heir) - 1;
                inherited.entry(holder).or_default().push((key, (heir - index.runs[holder].base) as u32));
            }
        }
    }
    inherited.values_mut().for_each(|keys| keys.sort_unstable());
    Ok(inherited)
}

/// Copies the rows of a run, those of erased documents emptied; a block without any is copied as it stands.
fn write_documents(run: &Run, changes: &Changes, ids: &BTreeSet<DocId>, orphans: Orphans, path: &Path) -> Result<Output, EraseError> {
    let mut writer = DocumentsWriter::create(path, run.documents.about().clone())?;
    let mut number = run.base;
    for (block, rows) in run.documents.blocks().enumerate() {
        if !changes.blocks.contains(&(run.base, block)) {
            writer.copy_block::<EraseError>(&run.documents, block)?;
            number += rows as u64;
            continue;
        }
        let columns = Columns::read(&run.documents, block)?;
        for row in 0..columns.rows() {
            let mut row = columns.row(row);
            if changes.erased.contains_key(&number) {
                row = Remembered {
                    id: DocId(0),
                    occurrence: 0,
                    rank: 0,
                    exact: 0,
                    winner: DocId(0),
                    cluster: row.cluster,
                    sketch: vec![0; row.sketch.len()],
                };
            } else if ids.contains(&row.winner) {
                let best = changes.best.get(&row.winner).filter(|_| orphans == Orphans::Offer);
                row.winner = best.map_or(DocId(0), |(_, (id, _))| *id);
            }
            writer.write(&row)?;
            number += 1;
        }
    }
    Ok(writer.finish()?)
}
