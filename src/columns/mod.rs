//! The columns of a document as Arrow knows them, made from `schemas/document.v1.json`, the only place that lists them.
//!
//! Every Parquet file that holds whole documents, between two passes or published, has the same columns; what a pass does not know
//! yet is null or empty. Arrow types are the plain ones (string, not large string or view) that every reader of shards takes.

mod read;
pub mod rejects;
mod write;

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use serde::Deserialize;

pub use read::from_batch;
pub use write::to_batch;

/// The columns of `schemas/document.v1.json`.
pub static DOCUMENT: LazyLock<Columns> = LazyLock::new(|| {
    Columns::parse(include_str!("../../schemas/document.v1.json")).expect("the file is part of the program, and a test reads it")
});

/// A list of columns, as a file under `schemas/` states it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Name of the schema: `document.v1`.
    pub title: String,
    /// What the keys of a column mean.
    pub description: String,
    /// Version of the schema.
    pub version: u32,
    /// The columns in file order.
    pub columns: Vec<Column>,
    #[serde(skip)]
    arrow: Option<SchemaRef>,
}

/// One column, or one field of a struct.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Name in the file.
    pub name: String,
    /// Type of its values.
    #[serde(rename = "type")]
    pub kind: ColumnKind,
    /// Whether a value may be missing.
    pub nullable: bool,
    /// What it says, for readers.
    pub doc: String,
    /// Whether the footer may hold its smallest and largest value.
    #[serde(default)]
    pub statistics: bool,
    /// Whether each row group carries a Bloom filter of it.
    #[serde(default)]
    pub bloom: bool,
    /// Whether values are stored once a row group and pointed at.
    #[serde(default)]
    pub dictionary: bool,
    /// The fields of a struct.
    #[serde(default)]
    pub fields: Vec<Column>,
}

/// Types of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum ColumnKind {
    /// UTF-8 text.
    #[serde(rename = "string")]
    String,
    /// 32 bits, unsigned.
    #[serde(rename = "uint32")]
    UInt32,
    /// 64 bits, unsigned.
    #[serde(rename = "uint64")]
    UInt64,
    /// 32 bits, IEEE 754.
    #[serde(rename = "float32")]
    Float32,
    /// ms since 1970, UTC.
    #[serde(rename = "timestamp[ms, UTC]")]
    Timestamp,
    /// A list of unsigned numbers of 32 bits, none of them null.
    #[serde(rename = "list<uint32>")]
    UInt32List,
    /// Named fields.
    #[serde(rename = "struct")]
    Struct,
}

impl Column {
    /// The type of its values, as the schema names it.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            ColumnKind::String => "string",
            ColumnKind::UInt32 => "uint32",
            ColumnKind::UInt64 => "uint64",
            ColumnKind::Float32 => "float32",
            ColumnKind::Timestamp => "timestamp[ms, UTC]",
            ColumnKind::UInt32List => "list<uint32>",
            ColumnKind::Struct => "struct",
        }
    }
}

/// Why documents and columns do not fit each other.
#[derive(Debug, thiserror::Error)]
pub enum ColumnsError {
    /// A stage marks something that the schema does not know.
    #[error("`{column}.{name}` is not in schemas/document.v1.json; add it there, or list it in the room's `signals` by its right name")]
    UnknownMark { column: &'static str, name: String },
    /// A file lacks a column.
    #[error("column `{0}` is missing")]
    Missing(String),
    /// A column has another type than the schema says.
    #[error("column `{column}` is {found}, the schema says {expected}")]
    Type { column: String, found: DataType, expected: DataType },
    /// A value that the schema does not allow.
    #[error("column `{column}` holds `{value}` in row {row}, which is no {expected}")]
    Value { column: &'static str, row: usize, value: String, expected: &'static str },
    /// The Arrow library refused.
    #[error(transparent)]
    Arrow(#[from] arrow_schema::ArrowError),
}

impl Columns {
    fn parse(json: &str) -> Result<Columns, serde_json::Error> {
        let mut columns: Columns = serde_json::from_str(json)?;
        columns.arrow = Some(Arc::new(Schema::new(columns.columns.iter().map(Column::field).collect::<Vec<_>>())));
        Ok(columns)
    }

    /// The Arrow schema of these columns.
    #[must_use]
    pub fn arrow(&self) -> SchemaRef {
        self.arrow.clone().unwrap_or_else(|| Arc::new(Schema::empty()))
    }

    /// The column called `name`.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The names of the fields of struct `name`: all quality signals, all kinds of personal data.
    #[must_use]
    pub fn fields_of(&self, name: &str) -> Vec<&str> {
        self.column(name).map_or_else(Vec::new, |column| column.fields.iter().map(|field| field.name.as_str()).collect())
    }

    /// Every stored column with its path in a Parquet file, structs taken apart.
    #[must_use]
    pub fn leaves(&self) -> Vec<(Vec<String>, &Column)> {
        let mut leaves = Vec::new();
        for column in &self.columns {
            match column.kind {
                ColumnKind::Struct => {
                    leaves.extend(column.fields.iter().map(|field| (vec![column.name.clone(), field.name.clone()], field)));
                }
                ColumnKind::UInt32List => leaves.push((vec![column.name.clone(), "list".to_owned(), "element".to_owned()], column)),
                _ => leaves.push((vec![column.name.clone()], column)),
            }
        }
        leaves
    }
}

impl Column {
    fn field(&self) -> Field {
        Field::new(&self.name, self.data_type(), self.nullable)
    }

    fn data_type(&self) -> DataType {
        match self.kind {
            ColumnKind::String => DataType::Utf8,
            ColumnKind::UInt32 => DataType::UInt32,
            ColumnKind::UInt64 => DataType::UInt64,
            ColumnKind::Float32 => DataType::Float32,
            ColumnKind::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            ColumnKind::UInt32List => DataType::List(element()),
            ColumnKind::Struct => DataType::Struct(self.struct_fields()),
        }
    }

    fn struct_fields(&self) -> Fields {
        self.fields.iter().map(Column::field).collect()
    }
}

/// The field inside a list, called as the Parquet format asks.
fn element() -> FieldRef {
    Arc::new(Field::new("element", DataType::UInt32, false))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::doc::{Cluster, DocId, Document, Lang, Marks, OptOut};

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![Just(String::new()), "\\PC{0,40}", Just("Grüße aus Köln\nΚαλημέρα\0".to_owned())]
    }

    fn marks<T: Copy>(column: &'static str, values: Vec<Option<T>>) -> Marks<T> {
        let mut marks = Marks::default();
        for (name, value) in DOCUMENT.fields_of(column).into_iter().zip(values) {
            if let Some(value) = value {
                marks.set(name, value);
            }
        }
        marks
    }

    prop_compose! {
        fn found()(
            id in any::<u128>(), url in text(), host in text(), lang in proptest::option::of("[a-z]{2}(-[A-Z][a-z]{3})?"),
            script in proptest::option::of(prop_oneof![Just("Latn"), Just("Grek")]), lang_score in proptest::option::of(0f32..1.0),
            title in proptest::option::of(text()), body in text(), source in prop_oneof![Just("warc"), Just("jsonl")],
        ) -> Document {
            Document {
                id: DocId(id), url, host, text: body, title, lang: lang.filter(|tag| tag != "und").map(Lang), script, lang_score, source,
                ..Document::default()
            }
        }
    }

    prop_compose! {
        fn document()(
            doc in found(), file in text(), offset in any::<u64>(), fetched_at in proptest::option::of(any::<i64>()), digest in text(),
            quality in proptest::collection::vec(proptest::option::of(-1e6f32..1e6), 64), pii in proptest::collection::vec(any::<Option<u32>>(), 8),
            licence in proptest::option::of(text()), optout in proptest::option::of((text(), text(), any::<Option<i64>>())),
            cluster in proptest::option::of((any::<u128>(), any::<u32>())), ids in proptest::option::of(proptest::collection::vec(any::<u32>(), 0..9)),
        ) -> Document {
            Document {
                source_file: file.into(), source_offset: offset, fetched_at, content_digest: digest,
                quality: marks("quality", quality), pii: marks("pii", pii), licence,
                optout: optout.map(|(verdict, protocol, checked_at)| OptOut { verdict, protocol, checked_at }),
                cluster: cluster.map(|(id, size)| Cluster { id: DocId(id), size }),
                token_count: ids.as_ref().map(|ids| ids.len() as u32), input_ids: ids.unwrap_or_default(),
                ..doc
            }
        }
    }

    proptest! {
        #[test]
        fn documents_come_back_from_a_batch_as_they_went_in(docs in proptest::collection::vec(document(), 0..6)) {
            let batch = to_batch(&docs, Some("5f3a")).expect("the schema knows all of it");
            let back = from_batch(&batch).expect("it was just made");
            prop_assert_eq!(format!("{docs:?}"), format!("{back:?}"));
        }
    }

    #[test]
    fn the_schema_has_the_columns_of_the_design_in_its_order() {
        let names: Vec<_> = DOCUMENT.columns.iter().map(|column| column.name.as_str()).collect();
        let design = "id url host lang script lang_score title text input_ids token_count source source_file source_offset fetched_at \
            content_digest quality pii licence optout cluster_id cluster_size recipe_hash";
        assert_eq!(names, design.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn nothing_that_can_name_a_person_has_statistics() {
        for (path, column) in DOCUMENT.leaves() {
            let personal =
                ["url", "host", "title", "text", "id", "source_file", "content_digest", "cluster_id"].contains(&path[0].as_str());
            assert!(!(personal && column.statistics), "{path:?}");
        }
    }

    #[test]
    fn a_mark_that_the_schema_does_not_know_is_an_error_and_not_lost() {
        let mut doc = Document::default();
        doc.quality.set("no_such_signal", 1.0);
        let error = to_batch(&[doc], None).expect_err("the schema does not know it");
        assert!(error.to_string().starts_with("`quality.no_such_signal` is not in schemas/document.v1.json"), "{error}");
    }
}
