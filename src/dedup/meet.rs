//! Tonight's keys against those of earlier nights: one pass over sorted runs, which also writes the run that tonight leaves.

use super::decide::DecideError;
use super::keys::{Cursor, Key, KeyWriter};
use super::sorter::{Record, Sorted};

/// A run of earlier nights in the pass.
pub(super) struct Side<'a, K> {
    pub(super) cursor: Cursor<'a, K>,
    /// Number of its first document.
    pub(super) base: u64,
    /// Whether its keys go into tonight's run.
    pub(super) merged: bool,
}

/// Calls `each` with the keys and numbers of all documents that share a group of keys with one of `tonight`'s, earlier ones first.
/// Tonight's documents are numbered from `fresh_base`. What `tonight` and merged sides hold is written to `writer`, numbered from
/// `written_base`.
pub(super) fn meet<K: Key>(
    mut tonight: Sorted<(K, u32)>,
    mut sides: Vec<Side<'_, K>>,
    (fresh_base, written_base): (u64, u64),
    mut writer: Option<&mut KeyWriter>,
    mut each: impl FnMut(&[(K, u64)]) -> Result<(), DecideError>,
) -> Result<(), DecideError>
where
    (K, u32): Record,
{
    let mut records: Vec<(K, u64)> = Vec::new();
    loop {
        let asked = tonight.peek().map(|(key, _)| key.group());
        let mut least = asked;
        for side in sides.iter_mut().filter(|side| side.merged) {
            let group = side.cursor.peek()?.map(Key::group);
            least = [least, group].into_iter().flatten().min();
        }
        let Some(group) = least else { return Ok(()) };
        let is_asked = asked == Some(group);
        records.clear();
        for side in sides.iter_mut().filter(|side| is_asked || side.merged) {
            if !side.merged {
                side.cursor.seek(group)?;
            }
            while let Some((key, document)) = side.cursor.next_of(group)? {
                records.push((key, side.base + u64::from(document)));
            }
        }
        while let Some((key, document)) = tonight.peek().filter(|(key, _)| key.group() == group) {
            records.push((key, fresh_base + u64::from(document)));
            tonight.pull()?;
        }
        if is_asked && records.len() > 1 {
            each(&records)?;
        }
        if let Some(writer) = writer.as_deref_mut() {
            write(&mut records, written_base, writer)?;
        }
    }
}

/// Writes the records of documents from number `base` on, sorted.
fn write<K: Key>(records: &mut [(K, u64)], base: u64, writer: &mut KeyWriter) -> Result<(), DecideError> {
    if !records.is_sorted() {
        records.sort_unstable();
    }
    for (key, number) in records.iter().filter(|(_, number)| *number >= base) {
        writer.put((*key, (number - base) as u32))?;
    }
    Ok(())
}
