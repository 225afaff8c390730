//! What a JSON Schema says of one setting. A value from the command line has no quotes and no brackets, so the schema decides whether
//! `fi` means a text or a list with one text.

use std::borrow::Cow;

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeArray, DeValue};

/// The schema of the setting at `trail` below `root`, if the schema knows it.
fn setting_at<'s>(root: &'s Json, trail: &[&str]) -> Option<&'s Json> {
    trail.iter().try_fold(root, |node, key| {
        let node = resolved(root, node)?;
        let known = node.get("properties").and_then(|properties| properties.get(*key));
        known.or_else(|| node.get("additionalProperties").filter(|any| any.is_object()))
    })
}

/// Follows a `$ref` into `$defs`.
pub(super) fn resolved<'s>(root: &'s Json, node: &'s Json) -> Option<&'s Json> {
    match node.get("$ref").and_then(Json::as_str) {
        Some(reference) => root.pointer(reference.strip_prefix('#')?),
        None => Some(node),
    }
}

/// Whether `node` takes values of the JSON type `wanted`.
fn accepts(root: &Json, node: &Json, wanted: &str) -> bool {
    let Some(node) = resolved(root, node) else { return true };
    let is = |name: &Json| name == wanted || (name == "number" && wanted == "integer");
    let typed = match node.get("type") {
        Some(Json::Array(names)) => names.iter().any(is),
        Some(name) => is(name),
        None => false,
    };
    let words = node.get("enum").and_then(Json::as_array).into_iter().flatten().chain(node.get("const"));
    let alternatives = ["anyOf", "oneOf"].into_iter().filter_map(|word| node.get(word)?.as_array()).flatten();
    typed || words.into_iter().any(|word| type_of(word) == wanted) || alternatives.into_iter().any(|other| accepts(root, other, wanted))
}

fn type_of(word: &Json) -> &'static str {
    match word {
        Json::String(_) => "string",
        Json::Bool(_) => "boolean",
        Json::Array(_) => "array",
        _ => "other",
    }
}

/// The value that `raw`, written without quotes on a command line, means for the setting at `trail`: TOML if it is TOML of a type that
/// the setting takes, else a text; and a list of one where only a list will do.
pub(super) fn value_for<'i>(schema: Option<&Json>, trail: &[&str], raw: &'i str, start: usize) -> Spanned<DeValue<'i>> {
    let span = start..start + raw.len();
    let text = || Spanned::new(span.clone(), DeValue::String(Cow::Borrowed(raw)));
    let value = DeValue::parse(raw).map_or_else(|_| text(), |value| shifted(value, start));
    let Some((root, node)) = schema.and_then(|root| Some((root, setting_at(root, trail)?))) else { return value };
    let takes = |name| accepts(root, node, name);
    let value = match value.get_ref() {
        DeValue::Integer(_) if takes("integer") => value,
        DeValue::Float(_) if takes("number") => value,
        DeValue::Boolean(_) if takes("boolean") => value,
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) if takes("string") || takes("array") => text(),
        _ => value,
    };
    if matches!(value.get_ref(), DeValue::String(_)) && takes("array") && !takes("string") {
        let mut list = DeArray::new();
        list.push(value);
        return Spanned::new(span, DeValue::Array(list));
    }
    value
}

/// `value` with all its places moved by `by` bytes.
fn shifted(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let moved = |span: std::ops::Range<usize>| span.start + by..span.end + by;
    let span = moved(value.span());
    let inner = match value.into_inner() {
        DeValue::Array(items) => {
            let mut list = DeArray::new();
            items.into_iter().for_each(|item| list.push(shifted(item, by)));
            DeValue::Array(list)
        }
        DeValue::Table(table) => DeValue::Table(
            table.into_iter().map(|(key, value)| (Spanned::new(moved(key.span()), key.into_inner()), shifted(value, by))).collect(),
        ),
        plain => plain,
    };
    Spanned::new(span, inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn meant(node: &Json, raw: &str) -> String {
        let schema = json!({"properties": {"x": node}, "$defs": {"Words": {"type": "array"}}});
        let value = value_for(Some(&schema), &["x"], raw, 100);
        assert!(value.span().start >= 100);
        super::super::canonical::inline(value.get_ref())
    }

    #[test]
    fn a_bare_value_becomes_what_its_setting_takes() {
        for (node, raw, meaning) in [
            (json!({"type": "number"}), "0", "0"),
            (json!({"type": "string"}), "2024", "\"2024\""),
            (json!({"type": "string"}), "/a/b.json", "\"/a/b.json\""),
            (json!({"type": "string"}), "\"quoted\"", "\"quoted\""),
            (json!({"type": "array"}), "fi", "[\"fi\"]"),
            (json!({"type": ["array", "null"]}), "[\"fi\", \"sv\"]", "[\"fi\", \"sv\"]"),
            (json!({"$ref": "#/$defs/Words"}), "fi", "[\"fi\"]"),
            (json!({"anyOf": [{"type": "string"}, {"type": "array"}]}), "fi", "\"fi\""),
            (json!({"enum": ["fineweb", false]}), "false", "false"),
            (json!({"type": "boolean"}), "maybe", "\"maybe\""),
        ] {
            assert_eq!(meant(&node, raw), meaning, "{node} {raw}");
        }
    }
}
