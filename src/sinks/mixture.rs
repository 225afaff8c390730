//! A row group that is made of documents and of rows of stored files, in the order in which they came.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema, SchemaRef};
use arrow_select::interleave::interleave_record_batch;

/// Rows in the making.
#[derive(Default)]
pub(super) struct Mixture {
    /// What rows are taken from, each with the columns that are wanted.
    batches: Vec<RecordBatch>,
    /// The numbers of the batches that were met, by where their ids lie in memory.
    known: BTreeMap<usize, usize>,
    /// Batch and row, in order; batch 0 is that of the documents.
    rows: Vec<(usize, usize)>,
    documents: usize,
}

impl Mixture {
    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds the next document.
    pub(super) fn add_document(&mut self) {
        self.rows.push((0, self.documents));
        self.documents += 1;
    }

    /// Adds a row of `batch`, of which the columns of `schema` are taken.
    pub(super) fn add_row(&mut self, batch: &RecordBatch, row: usize, schema: &SchemaRef) -> Result<(), ArrowError> {
        // Columns that are held keep their places in memory, so that no other batch can be taken for one that was met.
        let place = batch.column_by_name("id").map(|ids| Arc::as_ptr(ids).cast::<()>() as usize);
        let number = match place.and_then(|place| self.known.get(&place)) {
            Some(number) => *number,
            None => {
                self.batches.push(with_columns(batch, schema)?);
                self.known.extend(place.map(|place| (place, self.batches.len())));
                self.batches.len()
            }
        };
        self.rows.push((number, row));
        Ok(())
    }

    /// All rows as one batch, the documents among them from `documents`.
    pub(super) fn into_batch(self, documents: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        if self.batches.is_empty() {
            return Ok(documents.clone());
        }
        let batches: Vec<&RecordBatch> = std::iter::once(documents).chain(&self.batches).collect();
        interleave_record_batch(&batches, &self.rows)
    }
}

/// `batch` with the columns of `schema`, in their order.
pub(super) fn with_columns(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let column =
        |name: &str| batch.column_by_name(name).cloned().ok_or_else(|| ArrowError::SchemaError(format!("there is no column `{name}`")));
    let columns = schema.fields().iter().map(|field| column(field.name())).collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::new(Schema::clone(schema)), columns)
}
