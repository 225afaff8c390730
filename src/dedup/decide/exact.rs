//! Equal texts, tonight's and earlier ones.

use std::path::Path;

use super::{DecideError, Night, Numbers, RUN_STEM};
use crate::dedup::index::RunFiles;
use crate::dedup::keys::{Cursor, KeyWriter};
use crate::dedup::meet::{Side, meet};
use crate::dedup::sign::NOTHING_TO_COMPARE;
use crate::dedup::sorter::{Sorted, Sorter};
use crate::sink::Output;

/// Joins equal texts, and lets one of each language stand for the others.
pub(super) fn join(night: &Night<'_>, numbers: &mut Numbers) -> Result<Option<Output>, DecideError> {
    let keys = keys(night, numbers)?;
    let mut writer = match night.settings.remember {
        true => Some(KeyWriter::create::<u128>(&run_file(night.folder, |files| &files.exact), night.fresh.scheme())?),
        false => None,
    };
    let kept = night.index.runs.len() - night.merged;
    let sides = night.index.runs.iter().enumerate();
    let sides = sides.map(|(at, run)| Ok(Side { cursor: Cursor::new(&run.exact)?, base: run.base, merged: at >= kept }));
    let sides = sides.collect::<Result<_, DecideError>>()?;
    let over_languages = night.settings.exact;
    meet(keys, sides, (night.fresh_base(), night.written_base()), writer.as_mut(), |records| {
        join_equal(records, over_languages, numbers);
        Ok(())
    })?;
    Ok(writer.map(KeyWriter::finish).transpose()?)
}

/// The path of one of the files of tonight's run.
pub(super) fn run_file(folder: &Path, which: impl Fn(&RunFiles) -> &std::path::PathBuf) -> std::path::PathBuf {
    which(&RunFiles::of(folder, RUN_STEM)).clone()
}

/// The keys of the texts of all documents that stand, in order.
pub(super) fn keys(night: &Night<'_>, numbers: &Numbers) -> Result<Sorted<(u128, u32)>, DecideError> {
    let mut sorter = Sorter::new(night.folder, "exact", night.buffer_bytes).expecting(numbers.fresh as usize);
    for piece in night.fresh.pieces() {
        let (exacts, languages, sketched) = (piece.exacts()?, piece.languages()?, piece.sketched()?);
        for (row, place) in (0..).zip(piece.first..piece.first + piece.count) {
            // Without exact matching equal texts are near-duplicates, if they have words.
            let compared = exacts[row] != NOTHING_TO_COMPARE && (night.settings.exact || sketched[row]);
            if compared && numbers.stands[place as usize] {
                let language = u128::from(languages[row] as u32);
                sorter.push((exacts[row] >> 32 << 32 | language, place))?;
            }
        }
    }
    Ok(sorter.finish()?)
}

fn join_equal(records: &[(u128, u64)], over_languages: bool, numbers: &mut Numbers) {
    let mut by_language: Vec<(u128, u32)> = Vec::new();
    for (key, global) in records {
        let number = numbers.number(*global);
        let first = match by_language.iter().find(|(language, _)| language == key) {
            Some((_, first)) => {
                if let Some(place) = numbers.place(*global) {
                    numbers.stands[place as usize] = false;
                }
                Some(*first)
            }
            None => {
                by_language.push((*key, number));
                by_language.first().filter(|_| over_languages).map(|(_, first)| *first)
            }
        };
        if let Some(first) = first {
            numbers.candidates.join(first, number);
            numbers.joined.join(first, number);
        }
    }
}
