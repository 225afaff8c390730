//! Documents into columns: one pass over the documents a column, so that each column is one run of memory.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, UInt32Type};
use arrow_array::{
    ArrayRef, Float32Array, ListArray, PrimitiveArray, RecordBatch, RecordBatchOptions, StringArray, StructArray,
    TimestampMillisecondArray, UInt32Array, UInt64Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};

use super::{Column, ColumnsError, DOCUMENT, element};
use crate::doc::{Document, Marks};

/// The columns of `documents`, in the same order. `recipe_hash` stands in every row.
///
/// # Errors
/// [`ColumnsError::UnknownMark`] for a signal or a kind of personal data that the schema does not list, and what Arrow says when a
/// column would pass 2 GiB.
pub fn to_batch(documents: &[Document], recipe_hash: Option<&str>) -> Result<RecordBatch, ColumnsError> {
    let columns = DOCUMENT.columns.iter().map(|column| array_of(column, documents, recipe_hash)).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(documents.len()));
    Ok(RecordBatch::try_new_with_options(DOCUMENT.arrow(), columns, &options)?)
}

fn array_of(column: &Column, docs: &[Document], recipe_hash: Option<&str>) -> Result<ArrayRef, ColumnsError> {
    Ok(match column.name.as_str() {
        "id" => hex(docs, |doc| Some(doc.id.0)),
        "url" => strings(docs, |doc| Some(&doc.url)),
        "host" => strings(docs, |doc| Some(&doc.host)),
        "lang" => strings(docs, |doc| Some(doc.lang.as_ref().map_or("und", |lang| lang.as_str()))),
        "script" => strings(docs, |doc| doc.script),
        "lang_score" => Arc::new(docs.iter().map(|doc| doc.lang_score).collect::<Float32Array>()),
        "title" => strings(docs, |doc| doc.title.as_deref()),
        "text" => strings(docs, |doc| Some(&doc.text)),
        "input_ids" => input_ids(docs)?,
        "token_count" => Arc::new(docs.iter().map(|doc| doc.token_count).collect::<UInt32Array>()),
        "source" => strings(docs, |doc| Some(doc.source)),
        "source_file" => strings(docs, |doc| Some(&doc.source_file)),
        "source_offset" => Arc::new(docs.iter().map(|doc| Some(doc.source_offset)).collect::<UInt64Array>()),
        "fetched_at" => timestamps(docs.iter().map(|doc| doc.fetched_at)),
        "content_digest" => strings(docs, |doc| Some(&doc.content_digest)),
        "quality" => marks::<Float32Type>("quality", column, docs.iter().map(|doc| &doc.quality))?,
        "pii" => marks::<UInt32Type>("pii", column, docs.iter().map(|doc| &doc.pii))?,
        "licence" => strings(docs, |doc| doc.licence.as_deref()),
        "optout" => optout(column, docs)?,
        "cluster_id" => hex(docs, |doc| doc.cluster.map(|cluster| cluster.id.0)),
        "cluster_size" => Arc::new(docs.iter().map(|doc| doc.cluster.map(|cluster| cluster.size)).collect::<UInt32Array>()),
        "recipe_hash" => strings(docs, |_| recipe_hash),
        other => return Err(ColumnsError::Missing(other.to_owned())),
    })
}

fn strings<'a>(docs: &'a [Document], value: impl Fn(&'a Document) -> Option<&'a str>) -> ArrayRef {
    let bytes = docs.iter().filter_map(&value).map(str::len).sum();
    let mut builder = StringBuilder::with_capacity(docs.len(), bytes);
    for doc in docs {
        builder.append_option(value(doc));
    }
    Arc::new(builder.finish())
}

fn hex(docs: &[Document], value: impl Fn(&Document) -> Option<u128>) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(docs.len(), 32 * docs.len());
    for doc in docs {
        match value(doc) {
            None => builder.append_null(),
            Some(number) => {
                write!(builder, "{number:032x}").expect("a string builder takes all text");
                builder.append_value("");
            }
        }
    }
    Arc::new(builder.finish())
}

fn timestamps(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMillisecondArray>().with_timezone("UTC"))
}

fn input_ids(docs: &[Document]) -> Result<ArrayRef, ColumnsError> {
    let mut ids = Vec::with_capacity(docs.iter().map(|doc| doc.input_ids.len()).sum());
    for doc in docs {
        ids.extend_from_slice(&doc.input_ids);
    }
    let offsets = OffsetBuffer::from_lengths(docs.iter().map(|doc| doc.input_ids.len()));
    Ok(Arc::new(ListArray::try_new(element(), offsets, Arc::new(UInt32Array::from(ids)), None)?))
}

/// A struct with one nullable field a name.
fn marks<'a, T>(
    struct_name: &'static str,
    column: &Column,
    rows: impl ExactSizeIterator<Item = &'a Marks<T::Native>>,
) -> Result<ArrayRef, ColumnsError>
where
    T: ArrowPrimitiveType,
{
    let count = rows.len();
    let mut values = vec![vec![None; count]; column.fields.len()];
    for (row, marks) in rows.enumerate() {
        for (name, value) in marks.iter() {
            let place = column.fields.iter().position(|field| field.name == name);
            let place = place.ok_or_else(|| ColumnsError::UnknownMark { column: struct_name, name: name.to_owned() })?;
            values[place][row] = Some(value);
        }
    }
    let arrays = values.into_iter().map(|values| Arc::new(PrimitiveArray::<T>::from_iter(values)) as ArrayRef).collect();
    Ok(Arc::new(StructArray::try_new_with_length(column.struct_fields(), arrays, None, count)?))
}

fn optout(column: &Column, docs: &[Document]) -> Result<ArrayRef, ColumnsError> {
    let known = || docs.iter().map(|doc| doc.optout.as_ref());
    let verdicts: StringArray = known().map(|optout| Some(optout.map_or("", |optout| optout.verdict.as_str()))).collect();
    let protocols: StringArray = known().map(|optout| Some(optout.map_or("", |optout| optout.protocol.as_str()))).collect();
    let checked = timestamps(known().map(|optout| optout.and_then(|optout| optout.checked_at)));
    let present: NullBuffer = known().map(|optout| optout.is_some()).collect::<Vec<_>>().into();
    let arrays: Vec<ArrayRef> = vec![Arc::new(verdicts), Arc::new(protocols), checked];
    Ok(Arc::new(StructArray::try_new(column.struct_fields(), arrays, Some(present))?))
}
