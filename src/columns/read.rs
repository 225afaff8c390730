//! Columns back into documents.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::types::{ArrowPrimitiveType, Float32Type, TimestampMillisecondType, UInt32Type, UInt64Type};
use arrow_array::{Array, ListArray, PrimitiveArray, RecordBatch, StringArray, StructArray};
use arrow_schema::DataType;

use super::{ColumnsError, DOCUMENT};
use crate::doc::{Cluster, DocId, Document, Lang, Marks, OptOut};

/// The documents of a batch, in its order. Columns are found by name; language `und` reads back as none.
///
/// # Errors
/// When a column is missing, has another type than the schema says, or holds an id that is not 32 hex digits.
pub fn from_batch(batch: &RecordBatch) -> Result<Vec<Document>, ColumnsError> {
    let columns = Reader { batch };
    let mut docs: Vec<Document> = vec![Document::default(); batch.num_rows()];
    columns.identity(&mut docs)?;
    columns.content(&mut docs)?;
    columns.provenance(&mut docs)?;
    columns.findings(&mut docs)?;
    Ok(docs)
}

struct Reader<'a> {
    batch: &'a RecordBatch,
}

impl<'a> Reader<'a> {
    fn typed<A: Array + 'static>(&self, name: &str) -> Result<&'a A, ColumnsError> {
        let array = self.batch.column_by_name(name).ok_or_else(|| ColumnsError::Missing(name.to_owned()))?;
        downcast(array, name)
    }

    fn strings(&self, name: &str) -> Result<impl Iterator<Item = Option<&'a str>> + use<'a>, ColumnsError> {
        Ok(self.typed::<StringArray>(name)?.iter())
    }

    fn numbers<T: ArrowPrimitiveType>(&self, name: &str) -> Result<impl Iterator<Item = Option<T::Native>> + use<'a, T>, ColumnsError> {
        Ok(self.typed::<PrimitiveArray<T>>(name)?.iter())
    }

    fn identity(&self, docs: &mut [Document]) -> Result<(), ColumnsError> {
        for ((row, doc), id) in docs.iter_mut().enumerate().zip(self.strings("id")?) {
            doc.id = parse_id("id", row, id.unwrap_or(""))?;
        }
        for (doc, url) in docs.iter_mut().zip(self.strings("url")?) {
            url.unwrap_or("").clone_into(&mut doc.url);
        }
        for (doc, host) in docs.iter_mut().zip(self.strings("host")?) {
            host.unwrap_or("").clone_into(&mut doc.host);
        }
        for (doc, lang) in docs.iter_mut().zip(self.strings("lang")?) {
            doc.lang = lang.filter(|tag| *tag != "und").map(Lang::new);
        }
        for (doc, script) in docs.iter_mut().zip(named(self.strings("script")?)) {
            doc.script = script;
        }
        for (doc, score) in docs.iter_mut().zip(self.numbers::<Float32Type>("lang_score")?) {
            doc.lang_score = score;
        }
        Ok(())
    }

    fn content(&self, docs: &mut [Document]) -> Result<(), ColumnsError> {
        for (doc, title) in docs.iter_mut().zip(self.strings("title")?) {
            doc.title = title.map(str::to_owned);
        }
        for (doc, text) in docs.iter_mut().zip(self.strings("text")?) {
            text.unwrap_or("").clone_into(&mut doc.text);
        }
        let lists = self.typed::<ListArray>("input_ids")?;
        let ids = downcast::<PrimitiveArray<UInt32Type>>(lists.values(), "input_ids")?.values();
        for (doc, ends) in docs.iter_mut().zip(lists.value_offsets().windows(2)) {
            doc.input_ids.extend_from_slice(&ids[ends[0] as usize..ends[1] as usize]);
        }
        for (doc, count) in docs.iter_mut().zip(self.numbers::<UInt32Type>("token_count")?) {
            doc.token_count = count;
        }
        Ok(())
    }

    fn provenance(&self, docs: &mut [Document]) -> Result<(), ColumnsError> {
        for (doc, source) in docs.iter_mut().zip(named(self.strings("source")?)) {
            doc.source = source.unwrap_or("");
        }
        let mut last: Arc<str> = Arc::default();
        for (doc, file) in docs.iter_mut().zip(self.strings("source_file")?) {
            let file = file.unwrap_or("");
            if *last != *file {
                last = Arc::from(file);
            }
            doc.source_file = last.clone();
        }
        for (doc, offset) in docs.iter_mut().zip(self.numbers::<UInt64Type>("source_offset")?) {
            doc.source_offset = offset.unwrap_or(0);
        }
        for (doc, at) in docs.iter_mut().zip(self.numbers::<TimestampMillisecondType>("fetched_at")?) {
            doc.fetched_at = at;
        }
        for (doc, digest) in docs.iter_mut().zip(self.strings("content_digest")?) {
            digest.unwrap_or("").clone_into(&mut doc.content_digest);
        }
        Ok(())
    }

    fn findings(&self, docs: &mut [Document]) -> Result<(), ColumnsError> {
        self.marks::<Float32Type>("quality", docs, |doc| &mut doc.quality)?;
        self.marks::<UInt32Type>("pii", docs, |doc| &mut doc.pii)?;
        for (doc, licence) in docs.iter_mut().zip(self.strings("licence")?) {
            doc.licence = licence.map(str::to_owned);
        }
        self.optout(docs)?;
        let sizes = self.numbers::<UInt32Type>("cluster_size")?;
        for (((row, doc), id), size) in docs.iter_mut().enumerate().zip(self.strings("cluster_id")?).zip(sizes) {
            if let (Some(id), Some(size)) = (id, size) {
                doc.cluster = Some(Cluster { id: parse_id("cluster_id", row, id)?, size });
            }
        }
        Ok(())
    }

    fn marks<T: ArrowPrimitiveType>(
        &self,
        name: &str,
        docs: &mut [Document],
        place: impl Fn(&mut Document) -> &mut Marks<T::Native>,
    ) -> Result<(), ColumnsError> {
        let parent = self.typed::<StructArray>(name)?;
        for field in DOCUMENT.fields_of(name) {
            let values = field_of::<PrimitiveArray<T>>(parent, name, field)?;
            if values.null_count() == values.len() {
                continue;
            }
            for (doc, value) in docs.iter_mut().zip(values) {
                if let Some(value) = value {
                    place(doc).set(field, value);
                }
            }
        }
        Ok(())
    }

    fn optout(&self, docs: &mut [Document]) -> Result<(), ColumnsError> {
        let parent = self.typed::<StructArray>("optout")?;
        let verdicts = field_of::<StringArray>(parent, "optout", "verdict")?;
        let protocols = field_of::<StringArray>(parent, "optout", "protocol")?;
        let checked = field_of::<PrimitiveArray<TimestampMillisecondType>>(parent, "optout", "checked_at")?;
        for (row, doc) in docs.iter_mut().enumerate().filter(|(row, _)| parent.is_valid(*row)) {
            let checked_at = checked.is_valid(row).then(|| checked.value(row));
            doc.optout = Some(OptOut { verdict: verdicts.value(row).to_owned(), protocol: protocols.value(row).to_owned(), checked_at });
        }
        Ok(())
    }
}

fn field_of<'a, A: Array + 'static>(parent: &'a StructArray, name: &str, field: &str) -> Result<&'a A, ColumnsError> {
    let path = format!("{name}.{field}");
    match parent.column_by_name(field) {
        Some(array) => downcast(array, &path),
        None => Err(ColumnsError::Missing(path)),
    }
}

fn downcast<'a, A: Array + 'static>(array: &'a dyn Array, name: &str) -> Result<&'a A, ColumnsError> {
    array.as_any().downcast_ref::<A>().ok_or_else(|| {
        let mut path = name.split('.');
        let top = path.next().and_then(|name| DOCUMENT.column(name));
        let column = path.next().map_or(top, |field| top.and_then(|top| top.fields.iter().find(|known| known.name == field)));
        let expected = column.map_or(DataType::Null, super::Column::data_type);
        ColumnsError::Type { column: name.to_owned(), found: array.data_type().clone(), expected }
    })
}

fn parse_id(column: &'static str, row: usize, hex: &str) -> Result<DocId, ColumnsError> {
    let wrong = || ColumnsError::Value { column, row, value: hex.to_owned(), expected: "id of 32 hex digits" };
    if hex.len() == 32 { hex.parse().map_err(|_| wrong()) } else { Err(wrong()) }
}

/// How many different names of sources and scripts one process may meet: ISO 15924 has some 220 scripts.
const NAMES_MAX: usize = 1_000;

/// Names of few kinds as `&'static str`: each is kept once for the life of the process; past [`NAMES_MAX`] they read as none.
fn named<'a>(names: impl Iterator<Item = Option<&'a str>>) -> impl Iterator<Item = Option<&'static str>> {
    let mut last: Option<&'static str> = None;
    names.map(move |name| {
        let name = name?;
        if last != Some(name) {
            last = kept(name);
        }
        last
    })
}

fn kept(name: &str) -> Option<&'static str> {
    static NAMES: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.iter().find(|known| **known == name) {
        return Some(known);
    }
    if names.len() == NAMES_MAX {
        return None;
    }
    let known: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.push(known);
    Some(known)
}
