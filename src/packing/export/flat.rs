//! All ids of a split in one file without padding: Megatron-LM's `.bin` and `.idx`, and NumPy arrays. Each piece of a document is a sequence.

use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{Format, Pair, SplitWriter, megatron, numpy, put_id};
use crate::packing::PackError;
use crate::packing::record::{ExportRecord, PackedFile, describe};
use crate::packing::sequence::Sequence;
use crate::store;

/// The files of one split in the making.
pub(super) struct Flat<'a> {
    record: &'a ExportRecord,
    folder: &'a Path,
    split: &'a str,
    pair: Pair,
    lengths: Vec<u32>,
}

/// Bytes before the first id.
pub(super) fn header_bytes(format: Format) -> u64 {
    if format == Format::Numpy { numpy::HEADER_BYTES } else { 0 }
}

impl<'a> Flat<'a> {
    pub(super) fn create(record: &'a ExportRecord, folder: &'a Path, split: &'a str) -> Result<Flat<'a>, PackError> {
        let mut pair = Pair::create(folder, split, record.format.ending())?;
        pair.put(&vec![0; header_bytes(record.format) as usize])?;
        Ok(Flat { record, folder, split, pair, lengths: Vec::new() })
    }
}

impl SplitWriter for Flat<'_> {
    fn write(&mut self, sequence: &Sequence) -> Result<(), PackError> {
        let mut bytes = Vec::with_capacity(sequence.tokens() * usize::from(self.record.id_bytes));
        for piece in &sequence.pieces {
            piece.tokens.iter().try_for_each(|id| put_id(*id, self.record, &mut bytes))?;
            self.lengths.push(piece.tokens.len() as u32);
        }
        self.pair.put(&bytes)?;
        self.pair.note(self.pair.tokens, sequence)
    }

    fn finish(self: Box<Self>) -> Result<Vec<PackedFile>, PackError> {
        let Flat { record, folder, split, pair, lengths } = *self;
        let closed = pair.close()?;
        let wide = record.id_bytes == 4;
        let (index, bytes) = if record.format == Format::Megatron {
            let code = if wide { megatron::INT32 } else { megatron::UINT16 };
            (format!("{split}.idx"), megatron::index(code, record.id_bytes, &lengths))
        } else {
            let header = numpy::header(if wide { "<u4" } else { "<u2" }, closed.tokens);
            closed.ids.write_all_at(&header, 0).map_err(PackError::io(folder))?;
            let mut bytes = numpy::header("<u4", lengths.len() as u64);
            lengths.iter().for_each(|length| bytes.extend_from_slice(&length.to_le_bytes()));
            (format!("{split}.lengths.npy"), bytes)
        };
        store::write_over(&folder.join(&index), &bytes)?;
        closed.sync()?;
        let [ids, side] = &closed.names;
        [ids, &index, side].iter().map(|path| describe(folder, path, lengths.len() as u64, closed.tokens)).collect()
    }
}
