//! Files of whole sequences, padding among them: a sample has the same size everywhere, so the place of a token is arithmetic, also for a takedown.

use std::path::Path;

use super::{Format, Pair, SplitWriter, mds, put_id, tar};
use crate::packing::PackError;
use crate::packing::record::{ExportRecord, PackedFile, describe};
use crate::packing::sequence::Sequence;
use crate::store;

/// Ids of one file take at most so many bytes: MDS has places of 32 bits, and readers fetch whole files.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// The files of one split in the making.
pub(super) struct Samples<'a> {
    record: &'a ExportRecord,
    folder: &'a Path,
    split: &'a str,
    /// Sequences that are still to come.
    left: u64,
    open: Option<Part>,
    files: Vec<PackedFile>,
    parts: u64,
    index: Vec<mds::Shard>,
}

/// A file in the making.
struct Part {
    pair: Pair,
    samples: u64,
    /// How many it will have.
    expected: u64,
}

impl<'a> Samples<'a> {
    pub(super) fn create(record: &'a ExportRecord, folder: &'a Path, split: &'a str, sequences: u64) -> Result<Samples<'a>, PackError> {
        store::create_folder(&folder.join(split))?;
        Ok(Samples { record, folder, split, left: sequences, open: None, files: Vec::new(), parts: 0, index: Vec::new() })
    }

    fn open(&self) -> Result<Part, PackError> {
        let sample_bytes = u64::from(self.record.sequence_tokens) * u64::from(self.record.id_bytes);
        let expected = self.left.min((FILE_BYTES_MAX / sample_bytes).max(1));
        let join = if self.record.format == Format::Mds { '.' } else { '-' };
        let stem = format!("{}/shard{join}{:05}", self.split, self.parts);
        let mut pair = Pair::create(self.folder, &stem, self.record.format.ending())?;
        if self.record.format == Format::Mds {
            pair.put(&mds::header(self.record, expected))?;
        }
        Ok(Part { pair, samples: 0, expected })
    }

    fn close(&mut self, mut part: Part) -> Result<(), PackError> {
        if self.record.format == Format::Webdataset {
            part.pair.put(&tar::END)?;
        }
        let closed = part.pair.close()?;
        closed.sync()?;
        for name in &closed.names {
            self.files.push(describe(self.folder, name, part.samples, closed.tokens)?);
        }
        let data = &self.files[self.files.len() - 2];
        let basename = data.path.rsplit('/').next().unwrap_or_default().to_owned();
        self.index.push(mds::Shard { basename, bytes: data.bytes, samples: part.samples });
        self.parts += 1;
        Ok(())
    }
}

impl SplitWriter for Samples<'_> {
    fn write(&mut self, sequence: &Sequence) -> Result<(), PackError> {
        let mut part = match self.open.take() {
            Some(part) => part,
            None => self.open()?,
        };
        let width = self.record.sequence_tokens as usize;
        let mut ids = Vec::with_capacity(width * usize::from(self.record.id_bytes));
        let padding = std::iter::repeat_n(&self.record.pad_id, width.saturating_sub(sequence.tokens()));
        let tokens = sequence.pieces.iter().flat_map(|piece| &piece.tokens);
        tokens.chain(padding).try_for_each(|id| put_id(*id, self.record, &mut ids))?;
        match self.record.format {
            Format::Webdataset => {
                let number = self.parts * (FILE_BYTES_MAX / ids.len() as u64).max(1) + part.samples;
                part.pair.put(&tar::member(&format!("{number:012}.input_ids.npy"), &tar::array(self.record, &ids)))?;
            }
            _ => part.pair.put(&ids)?,
        }
        part.pair.note(part.samples * width as u64, sequence)?;
        part.samples += 1;
        self.left = self.left.saturating_sub(1);
        if part.samples == part.expected {
            return self.close(part);
        }
        self.open = Some(part);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<PackedFile>, PackError> {
        if let Some(part) = self.open.take() {
            self.close(part)?;
        }
        if self.record.format == Format::Mds {
            let path = format!("{}/index.json", self.split);
            store::write_over(&self.folder.join(&path), &mds::index(self.record, &self.index))?;
            let samples = self.index.iter().map(|shard| shard.samples).sum();
            self.files.push(describe(self.folder, &path, samples, 0)?);
        }
        store::fsync_folder(&self.folder.join(self.split))?;
        Ok(self.files)
    }
}
