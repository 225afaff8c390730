//! The columns of a document that fell: those of a document that mean something there, and the verdict.

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};

use super::DOCUMENT;

/// The columns of a document that mean nothing where one fell.
const LEFT_OUT: [&str; 5] = ["input_ids", "token_count", "cluster_id", "cluster_size", "recipe_hash"];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let document = DOCUMENT.arrow();
    let kept = document.fields().iter().filter(|field| !LEFT_OUT.contains(&field.name().as_str()));
    // Whoever was dropped before a language was looked for has none, which is not the same as `und`.
    let as_it_got =
        |field: &FieldRef| if field.name() == "lang" { Arc::new(field.as_ref().clone().with_nullable(true)) } else { field.clone() };
    let text = |name: &str, nullable| Arc::new(Field::new(name, DataType::Utf8, nullable));
    let number = |name: &str| Arc::new(Field::new(name, DataType::Float32, true));
    let verdict = [
        text("stage", false),
        text("reason", false),
        number("value"),
        number("limit"),
        text("duplicate_of", true),
        number("jaccard"),
        text("duplicate_in", true),
    ];
    Arc::new(Schema::new(kept.map(as_it_got).chain(verdict).collect::<Vec<FieldRef>>()))
});

/// All columns of a file of rejects.
#[must_use]
pub fn schema() -> SchemaRef {
    SCHEMA.clone()
}

/// Those of them that a document has.
pub static OF_DOCUMENT: LazyLock<SchemaRef> = LazyLock::new(|| {
    let fields = SCHEMA.fields().iter().filter(|field| DOCUMENT.column(field.name()).is_some());
    Arc::new(Schema::new(fields.cloned().collect::<Vec<FieldRef>>()))
});

/// Whether a reject has the column `name` of a document.
#[must_use]
pub fn has_column(name: &str) -> bool {
    OF_DOCUMENT.column_with_name(name).is_some()
}
