//! A sequence with its pieces of documents, and the Parquet files that hold sequences.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder, UInt32Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::PackError;
use super::record::{Origin, Settings};
use crate::doc::DocId;

/// Token ids of one row group, at most about so many.
const GROUP_TOKENS: usize = 1 << 20;

/// A part of a document, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The document.
    pub id: DocId,
    /// Which token of the document is the first here.
    pub offset: u32,
    /// The tokens.
    pub tokens: Vec<u32>,
}

/// What stands in one row: pieces in order, padding after the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The pieces.
    pub pieces: Vec<Piece>,
}

impl Sequence {
    /// Token ids without padding.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.pieces.iter().map(|piece| piece.tokens.len()).sum()
    }
}

/// Writes sequences to one Parquet file.
pub(super) struct SequenceWriter {
    path: PathBuf,
    writer: ArrowWriter<File>,
    settings: Settings,
    held: Vec<Sequence>,
    pub(super) sequences: u64,
    pub(super) tokens: u64,
}

impl SequenceWriter {
    pub(super) fn create(path: &Path, settings: &Settings, origin: &Origin) -> Result<SequenceWriter, PackError> {
        let file = File::create(path).map_err(PackError::io(path))?;
        let schema = batch_of(&[], settings).map_err(|error| PackError::parquet(path)(error.into()))?.schema();
        let properties = WriterProperties::builder()
            .set_created_by("tamis".to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_statistics_enabled(EnabledStatistics::None)
            .set_dictionary_enabled(false)
            .set_key_value_metadata(Some(footer(settings, origin)))
            .build();
        let writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(PackError::parquet(path))?;
        Ok(SequenceWriter { path: path.to_owned(), writer, settings: settings.clone(), held: Vec::new(), sequences: 0, tokens: 0 })
    }

    pub(super) fn write(&mut self, sequence: Sequence) -> Result<(), PackError> {
        self.sequences += 1;
        self.tokens += sequence.tokens() as u64;
        self.held.push(sequence);
        if self.held.len() * self.settings.sequence_tokens as usize >= GROUP_TOKENS {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), PackError> {
        let batch = batch_of(&self.held, &self.settings).map_err(ParquetError::from);
        let written = batch.and_then(|batch| self.writer.write(&batch)).and_then(|()| self.writer.flush());
        self.held.clear();
        written.map_err(PackError::parquet(&self.path))
    }

    pub(super) fn finish(mut self) -> Result<(), PackError> {
        self.flush()?;
        let file = self.writer.into_inner().map_err(PackError::parquet(&self.path))?;
        file.sync_all().map_err(PackError::io(&self.path))
    }
}

fn footer(settings: &Settings, origin: &Origin) -> Vec<KeyValue> {
    let pairs = [
        ("tamis.schema", "packed.v1".to_owned()),
        ("tamis.takedown_sequence", origin.takedown_sequence.to_string()),
        ("tamis.tokenizer.name", origin.tokenizer.clone()),
        ("tamis.tokenizer.hash", origin.tokenizer_hash.clone()),
        ("tamis.tokenizer.vocabulary_size", origin.vocabulary_size.to_string()),
        ("tamis.packed.seed", settings.seed.to_string()),
        ("tamis.packed.sequence_tokens", settings.sequence_tokens.to_string()),
        ("tamis.packed.pad_id", settings.pad_id.to_string()),
        ("tamis.packed.dataset", origin.dataset.clone()),
        ("tamis.packed.manifest", origin.manifest.to_string()),
    ];
    pairs.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect()
}

/// The rows as columns: `input_ids`, `tokens`, `doc_ids`, `doc_lengths`, `doc_offsets`, and `position_ids` if wanted.
fn batch_of(sequences: &[Sequence], settings: &Settings) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let width = settings.sequence_tokens as usize;
    let numbers = || ListBuilder::new(UInt32Builder::new());
    let (mut input, mut lengths, mut offsets, mut positions) = (numbers(), numbers(), numbers(), numbers());
    let mut ids = ListBuilder::new(StringBuilder::new());
    for sequence in sequences {
        let free = width.saturating_sub(sequence.tokens());
        for piece in &sequence.pieces {
            input.values().append_slice(&piece.tokens);
            lengths.values().append_value(piece.tokens.len() as u32);
            offsets.values().append_value(piece.offset);
            ids.values().append_value(piece.id.to_string());
            (0..piece.tokens.len() as u32).for_each(|position| positions.values().append_value(position));
        }
        for _ in 0..free {
            input.values().append_value(settings.pad_id);
            positions.values().append_value(0);
        }
        [&mut input, &mut lengths, &mut offsets, &mut positions].into_iter().for_each(|list| list.append(true));
        ids.append(true);
    }
    let tokens: UInt32Array = sequences.iter().map(|sequence| sequence.tokens() as u32).collect::<Vec<_>>().into();
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("input_ids", Arc::new(input.finish())),
        ("tokens", Arc::new(tokens)),
        ("doc_ids", Arc::new(ids.finish())),
        ("doc_lengths", Arc::new(lengths.finish())),
        ("doc_offsets", Arc::new(offsets.finish())),
    ];
    if settings.position_ids {
        columns.push(("position_ids", Arc::new(positions.finish())));
    }
    RecordBatch::try_from_iter(columns)
}

/// Calls `each` with every sequence of the file `path`, in order.
///
/// # Errors
/// When the file is damaged, and what `each` says.
pub fn for_each(path: &Path, mut each: impl FnMut(Sequence) -> Result<(), PackError>) -> Result<(), PackError> {
    let file = File::open(path).map_err(PackError::io(path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(PackError::parquet(path))?;
    for batch in builder.with_batch_size(64).build().map_err(PackError::parquet(path))? {
        let batch = batch.map_err(|error| PackError::parquet(path)(error.into()))?;
        for row in 0..batch.num_rows() {
            let sequence = row_of(&batch, row).ok_or_else(|| PackError::parquet(path)(damaged()))?;
            each(sequence)?;
        }
    }
    Ok(())
}

fn damaged() -> ParquetError {
    ParquetError::General("its columns are not those of packed.v1".to_owned())
}

fn row_of(batch: &RecordBatch, row: usize) -> Option<Sequence> {
    let list = |name: &str| Some(batch.column_by_name(name)?.as_list_opt::<i32>()?.value(row));
    let numbers = |name: &str| Some(list(name)?.as_primitive_opt::<UInt32Type>()?.values().to_vec());
    let (input, lengths, offsets, ids) = (numbers("input_ids")?, numbers("doc_lengths")?, numbers("doc_offsets")?, list("doc_ids")?);
    let ids = ids.as_string_opt::<i32>()?;
    let mut pieces = Vec::with_capacity(lengths.len());
    let mut at = 0;
    for (place, length) in lengths.iter().enumerate() {
        let end = at + *length as usize;
        let id = (place < ids.len()).then(|| ids.value(place).parse().ok())??;
        pieces.push(Piece { id, offset: *offsets.get(place)?, tokens: input.get(at..end)?.to_vec() });
        at = end;
    }
    Some(Sequence { pieces })
}
