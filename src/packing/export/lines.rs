//! JSON lines: a sequence a line, `input_ids` without padding and the lengths of the pieces of documents in it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Pair, SplitWriter};
use crate::packing::PackError;
use crate::packing::record::{ExportRecord, PackedFile, describe};
use crate::packing::sequence::Sequence;
use crate::store;

/// Tokens of one file.
const FILE_TOKENS_MAX: u64 = 16 << 20;

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) input_ids: Vec<u32>,
    pub(super) doc_lengths: Vec<u32>,
}

impl Line {
    /// The line with its end.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec(self).expect("numbers are JSON");
        json.push(b'\n');
        json
    }
}

/// The files of one split in the making.
pub(super) struct Lines<'a> {
    record: &'a ExportRecord,
    folder: &'a Path,
    split: &'a str,
    open: Option<(Pair, u64)>,
    parts: u64,
    files: Vec<PackedFile>,
}

impl<'a> Lines<'a> {
    pub(super) fn create(record: &'a ExportRecord, folder: &'a Path, split: &'a str) -> Result<Lines<'a>, PackError> {
        store::create_folder(&folder.join(split))?;
        Ok(Lines { record, folder, split, open: None, parts: 0, files: Vec::new() })
    }

    fn close(&mut self, pair: Pair, sequences: u64) -> Result<(), PackError> {
        let closed = pair.close()?;
        closed.sync()?;
        for name in &closed.names {
            self.files.push(describe(self.folder, name, sequences, closed.tokens)?);
        }
        self.parts += 1;
        Ok(())
    }
}

impl SplitWriter for Lines<'_> {
    fn write(&mut self, sequence: &Sequence) -> Result<(), PackError> {
        let (mut pair, sequences) = match self.open.take() {
            Some(open) => open,
            None => {
                let stem = format!("{}/part-{:05}", self.split, self.parts);
                (Pair::create(self.folder, &stem, self.record.format.ending())?, 0)
            }
        };
        let line = Line {
            input_ids: sequence.pieces.iter().flat_map(|piece| piece.tokens.iter().copied()).collect(),
            doc_lengths: sequence.pieces.iter().map(|piece| piece.tokens.len() as u32).collect(),
        };
        pair.put(&line.bytes())?;
        pair.note(pair.tokens, sequence)?;
        if pair.tokens >= FILE_TOKENS_MAX {
            return self.close(pair, sequences + 1);
        }
        self.open = Some((pair, sequences + 1));
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<PackedFile>, PackError> {
        if let Some((pair, sequences)) = self.open.take() {
            self.close(pair, sequences)?;
        }
        store::fsync_folder(&self.folder.join(self.split))?;
        Ok(self.files)
    }
}
