//! The recipe as a JSON Schema, put together from the settings of all rooms, for editors that complete and check while one types.

use serde_json::{Map, Value as Json, json};

use super::settings::{Example, Limits, OutputSettings};
use crate::dedup::settings::DedupSettings;
use crate::stage::{Field, Room};

/// The JSON Schema of a whole recipe.
#[must_use]
pub fn json_schema() -> Json {
    let mut shared = Map::new();
    let mut table = |name: &str, schema: schemars::Schema| hoisted(name, schema.to_value(), &mut shared);
    let sources: Vec<Json> =
        crate::sources::ROOMS.iter().map(|room| named(table(room.name, (room.schema)()), "kind", room.name, room.summary)).collect();
    let stages: Vec<Json> = placeable().map(|room| named(table(room.name, (room.schema)()), "stage", room.name, room.summary)).collect();
    let properties = json!({
        "name": { "type": "string", "description": "Name of the recipe; by default the file's stem." },
        "dataset": { "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$", "description": "Folder of the data set below data/." },
        "input": {
            "description": "What to read: a file, a folder or a glob, or a list of them.",
            "anyOf": [{ "type": "string", "minLength": 1 }, { "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 }]
        },
        "source": { "description": "How inputs are read.", "oneOf": sources },
        "clean": { "description": "Stages that judge documents, in order.", "type": "array", "items": { "$ref": "#/$defs/stage" } },
        "dedup": table("dedup", schemars::schema_for!(DedupSettings)),
        "emit": { "description": "Stages that work on what deduplication left, in order.", "type": "array", "items": { "$ref": "#/$defs/stage" } },
        "output": table("output", schemars::schema_for!(OutputSettings)),
        "limits": table("limits", schemars::schema_for!(Limits)),
        "example": { "type": "array", "items": table("example", schemars::schema_for!(Example)) },
    });
    shared.insert("stage".to_owned(), json!({ "oneOf": stages }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tamis recipe",
        "type": "object",
        "required": ["dataset", "source"],
        "additionalProperties": false,
        "properties": properties,
        "$defs": shared,
    })
}

/// The stages that a recipe may name: the program runs by itself what signs.
fn placeable() -> impl Iterator<Item = &'static Room> {
    crate::stages::ROOMS.iter().copied().filter(|room| !room.gives.contains(&Field::Signature))
}

/// `schema` without what only a root has; its definitions move to `shared` under names that begin with `owner`.
fn hoisted(owner: &str, mut schema: Json, shared: &mut Map<String, Json>) -> Json {
    rename_references(&mut schema, owner);
    if let Json::Object(root) = &mut schema {
        root.remove("$schema");
        root.remove("title");
        if let Some(Json::Object(definitions)) = root.remove("$defs") {
            shared.extend(definitions.into_iter().map(|(name, definition)| (format!("{owner}.{name}"), definition)));
        }
    }
    schema
}

fn rename_references(node: &mut Json, owner: &str) {
    match node {
        Json::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Json::String(reference) if key == "$ref" => *reference = reference.replace("#/$defs/", &format!("#/$defs/{owner}.")),
                    value => rename_references(value, owner),
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| rename_references(item, owner)),
        _ => {}
    }
}

/// The schema of a room's table: its settings and the key that names it.
fn named(mut schema: Json, key: &str, name: &str, summary: &str) -> Json {
    if !schema.is_object() {
        schema = json!({ "type": "object", "additionalProperties": false });
    }
    let object = schema.as_object_mut().expect("it was made one if it was none");
    object.insert("title".to_owned(), json!(name));
    object.insert("description".to_owned(), json!(summary));
    let properties = object.entry("properties").or_insert_with(|| json!({}));
    if let Json::Object(properties) = properties {
        properties.insert(key.to_owned(), json!({ "const": name }));
    }
    let required = object.entry("required").or_insert_with(|| json!([]));
    if let Json::Array(required) = required {
        required.insert(0, json!(key));
    }
    schema
}

/// The schema of one room's settings without what only a root has.
#[must_use]
pub fn bare_schema(schema: &schemars::Schema) -> Json {
    let mut schema = schema.clone().to_value();
    if let Json::Object(root) = &mut schema {
        root.remove("$schema");
    }
    schema
}
