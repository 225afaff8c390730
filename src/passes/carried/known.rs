//! Signatures that the index of a data set remembers, asked for in the order in which its documents were signed.

use std::collections::VecDeque;

use crate::dedup::columns::ColumnError;
use crate::dedup::index::{Index, Remembered, Rows};
use crate::doc::DocId;

/// How many rows ahead of the last one that was found are looked at, and how many behind it stay at hand. Only documents that share a place in their
/// input come in another order than they were signed in, and only documents whose rejects are gone are never asked for.
const AROUND: usize = 2_048;

/// The documents of an index from some number on.
pub(super) struct Known {
    rows: Rows,
    /// Those that were not asked for yet.
    waiting: VecDeque<Remembered>,
    /// How many of them lie behind the last one that was found.
    behind: usize,
}

impl Known {
    /// What `index` remembers from number `first` on.
    pub(super) fn from(index: Index, first: u64) -> Result<Known, ColumnError> {
        Ok(Known { rows: index.rows_from(first)?, waiting: VecDeque::new(), behind: 0 })
    }

    /// What is remembered of the document `id` captured at `occurrence`, each time once; nothing where the index does not have it around the last
    /// one that was found.
    pub(super) fn take(&mut self, id: DocId, occurrence: u64) -> Result<Option<Remembered>, ColumnError> {
        let is = |row: &Remembered| (row.id, row.occurrence) == (id, occurrence);
        let mut place = (self.behind..self.waiting.len()).chain(0..self.behind).find(|place| is(&self.waiting[*place]));
        while place.is_none() && self.waiting.len() - self.behind < AROUND {
            let Some(row) = self.rows.pull()? else { break };
            // An erased document leaves an empty row.
            if row.id != DocId(0) {
                place = is(&row).then_some(self.waiting.len());
                self.waiting.push_back(row);
            }
        }
        let Some(place) = place else { return Ok(None) };
        let found = self.waiting.remove(place);
        self.behind = if place < self.behind { self.behind - 1 } else { place };
        let too_many = self.behind.saturating_sub(AROUND);
        self.waiting.drain(..too_many);
        self.behind -= too_many;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dedup::decide::{Work, decide};
    use crate::dedup::erase::{Orphans, erase};
    use crate::dedup::index::RunFiles;
    use crate::dedup::settings::DedupSettings;
    use crate::dedup::signatures::SignatureSink;
    use crate::doc::{Document, Lang};

    /// The index of `count` documents, of which those whose number is in `erased` were erased.
    fn index(folder: &std::path::Path, count: u64, erased: &[u64]) -> Index {
        let settings = DedupSettings::default();
        let signatures = folder.join("signatures");
        let mut sink = SignatureSink::create(&signatures, &settings).expect("a fresh folder");
        for number in 0..count {
            let doc = Document { id: id(number), lang: Some(Lang::new("sl")), source_offset: number, ..Document::default() };
            sink.write(&doc).expect("room on disk");
        }
        sink.finish().expect("room on disk");
        let work =
            Work { settings: &settings, signatures: &[signatures], index: &[], yields: &[], out_dir: folder, memory_bytes_max: 1 << 24 };
        decide(&work).expect("signatures");
        let mut run = RunFiles::of(folder, crate::dedup::decide::RUN_STEM);
        if !erased.is_empty() {
            let out = folder.join("erased");
            std::fs::create_dir(&out).expect("a fresh folder");
            let ids = erased.iter().map(|number| id(*number)).collect();
            let files = erase(&[run.clone()], &ids, Orphans::Block, &out).expect("an index").files;
            for (_, file) in files.iter().filter(|(_, file)| file.name.ends_with("documents")) {
                run.documents = out.join(&file.name);
            }
        }
        Index::open_any(&[run]).expect("it was just written")
    }

    fn id(number: u64) -> DocId {
        DocId(u128::from(number + 1) << 64)
    }

    fn occurrence(number: u64) -> u64 {
        crate::dedup::signatures::occurrence("", number)
    }

    #[test]
    fn documents_are_found_in_their_order_from_any_number_on_and_nearby_ones_in_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut known = Known::from(index(folder.path(), 2_000, &[]), 700).expect("an index");
        for number in [700, 702, 701, 703].into_iter().chain(704..2_000) {
            let found = known.take(id(number), occurrence(number)).expect("whole");
            assert_eq!(found.map(|row| row.id), Some(id(number)));
        }
        assert!(known.take(id(700), occurrence(700)).expect("whole").is_none(), "each is given once");
    }

    #[test]
    fn what_was_erased_is_passed_over_and_what_is_unknown_does_not_hide_the_rest() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut known = Known::from(index(folder.path(), 1_200, &[3, 4, 600]), 0).expect("an index");
        assert!(known.take(id(5_000), occurrence(5_000)).expect("whole").is_none());
        for number in (0..1_200).filter(|number| ![3, 4, 600].contains(number)) {
            assert!(known.take(id(number), occurrence(number)).expect("whole").is_some(), "{number}");
            assert!(known.take(id(number), 7).expect("whole").is_none(), "another capture of {number}");
        }
    }
}
