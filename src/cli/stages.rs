//! `tamis stages`: what a recipe can name, read off the rooms themselves, so that it cannot be out of date.

use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};

use super::exit::Exit;
use crate::recipe::{bare_schema, json_schema};
use crate::sources;
use crate::stage::Field;
use crate::stages as rooms;

/// Arguments of `tamis stages`.
#[derive(Debug, Args)]
pub struct StagesArgs {
    /// A stage or source to explain with all its settings
    name: Option<String>,
    /// Writes JSON
    #[arg(long)]
    json: bool,
    /// Writes the JSON Schema of recipes, or of the settings of NAME
    #[arg(long, conflicts_with = "json")]
    schema: bool,
}

/// One source or stage, as it is shown.
struct Entry {
    kind: &'static str,
    name: &'static str,
    summary: &'static str,
    reasons: &'static [&'static str],
    signals: &'static [&'static str],
    needs: &'static [Field],
    gives: &'static [Field],
    schema: Value,
}

/// Lists the rooms, or explains one.
///
/// # Errors
/// When there is no such room, or nothing can be written.
pub fn stages(args: &StagesArgs) -> anyhow::Result<Exit> {
    let entries = entries();
    let text = match &args.name {
        None if args.schema => pretty(&json_schema()),
        None if args.json => pretty(&Value::Array(entries.iter().map(as_json).collect())),
        None => list(&entries),
        Some(name) => {
            let found: Vec<&Entry> = entries.iter().filter(|entry| entry.name == name).collect();
            anyhow::ensure!(
                !found.is_empty(),
                "there is no stage or source called `{name}`{}; `tamis stages` lists them all",
                alike(name, &entries)
            );
            let shown: Vec<String> = found
                .into_iter()
                .map(|entry| match (args.json, args.schema) {
                    (true, _) => pretty(&as_json(entry)),
                    (_, true) => pretty(&entry.schema),
                    _ => explain(entry),
                })
                .collect();
            shown.join("\n")
        }
    };
    put(&text)?;
    Ok(Exit::Done)
}

/// The rooms whose names hold `name`.
fn alike(name: &str, entries: &[Entry]) -> String {
    let names: Vec<&str> = entries.iter().map(|entry| entry.name).filter(|known| !name.is_empty() && known.contains(name)).collect();
    if names.is_empty() { String::new() } else { format!(" (did you mean {}?)", names.join(", ")) }
}

/// Writes to standard output; a reader that has gone is no error.
pub(super) fn put(text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn entries() -> Vec<Entry> {
    let sources = sources::ROOMS.iter().map(|room| Entry {
        kind: "source",
        name: room.name,
        summary: room.summary,
        reasons: room.reasons,
        signals: &[],
        needs: &[],
        gives: room.gives,
        schema: bare_schema(&(room.schema)()),
    });
    let stages = rooms::ROOMS.iter().map(|room| Entry {
        kind: "stage",
        name: room.name,
        summary: room.summary,
        reasons: room.reasons,
        signals: room.signals,
        needs: room.needs,
        gives: room.gives,
        schema: bare_schema(&(room.schema)()),
    });
    sources.chain(stages).collect()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn as_json(entry: &Entry) -> Value {
    json!({
        "kind": entry.kind,
        "name": entry.name,
        "summary": entry.summary,
        "reasons": entry.reasons,
        "signals": entry.signals,
        "needs": entry.needs.iter().copied().map(word).collect::<Vec<_>>(),
        "gives": entry.gives.iter().copied().map(word).collect::<Vec<_>>(),
        "settings": entry.schema,
    })
}

fn word(field: Field) -> &'static str {
    match field {
        Field::Html => "html",
        Field::Text => "text",
        Field::Lang => "lang",
        Field::Signature => "signature",
        Field::Tokens => "tokens",
    }
}

fn list(entries: &[Entry]) -> String {
    let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (kind, heading) in
        [("source", "Sources, for [source] kind = \"..\""), ("stage", "Stages, for [[clean]] and [[emit]] stage = \"..\"")]
    {
        let _ = writeln!(text, "{heading}");
        for entry in entries.iter().filter(|entry| entry.kind == kind) {
            let _ = writeln!(text, "  {:width$}  {}", entry.name, entry.summary);
        }
        text.push('\n');
    }
    text.push_str("`tamis stages NAME` explains one with all its settings.\n");
    text
}

fn explain(entry: &Entry) -> String {
    let mut text = format!("{} {}: {}\n", entry.kind, entry.name, entry.summary);
    if let Some(about) = entry.schema["description"].as_str() {
        let _ = write!(text, "\n{}", wrapped(about, ""));
    }
    let listed = |fields: &[Field]| fields.iter().copied().map(word).collect::<Vec<_>>().join(", ");
    for (heading, words) in [
        ("needs", listed(entry.needs)),
        ("gives", listed(entry.gives)),
        ("drops for", entry.reasons.join(", ")),
        ("measures", entry.signals.join(", ")),
    ] {
        if !words.is_empty() {
            let _ = write!(text, "\n{heading}:\n{}", wrapped(&words, "  "));
        }
    }
    let settings = entry.schema["properties"].as_object();
    text.push_str(if settings.is_none_or(serde_json::Map::is_empty) { "\nIt has no settings.\n" } else { "\nsettings:\n" });
    for (name, setting) in settings.into_iter().flatten() {
        let default = match setting.get("default") {
            Some(Value::Null) | None => String::new(),
            Some(value) => format!(" = {}", shortest(value)),
        };
        let _ = writeln!(text, "  {name}{default}  ({})", type_of(&entry.schema, setting));
        let about = setting["description"].as_str().or_else(|| referred(&entry.schema, setting)["description"].as_str());
        text.push_str(&wrapped(about.unwrap_or(""), "      "));
    }
    text
}

/// A default as a recipe would have it: single precision is shown with the digits that it was written with.
fn shortest(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if !value.is_i64() && !value.is_u64() => {
            let (double, single) = (format!("{number}"), format!("{}", number as f32));
            if double.len() > single.len() + 4 { single } else { double }
        }
        _ => value.to_string(),
    }
}

/// The type of a setting in words.
fn type_of(root: &Value, setting: &Value) -> String {
    if setting.get("$ref").is_some() {
        return type_of(root, referred(root, setting));
    }
    let words: Vec<String> = ["enum", "anyOf", "oneOf"]
        .into_iter()
        .filter_map(|key| setting.get(key)?.as_array())
        .flatten()
        .map(|part| part_of_type(root, part))
        .collect();
    if !words.is_empty() {
        return words.into_iter().filter(|word| word != "null").collect::<Vec<_>>().join(" or ");
    }
    if let Some(value) = setting.get("const") {
        return value.to_string();
    }
    let names: Vec<&str> = match &setting["type"] {
        Value::Array(names) => names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
        Value::String(name) => vec![name],
        _ => return "anything".to_owned(),
    };
    let plain = names.iter().map(|name| match *name {
        "integer" => "whole number".to_owned(),
        "string" => "text".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => format!("list of {}", type_of(root, &setting["items"])),
        "object" if setting["additionalProperties"].is_object() => format!("table of {}", type_of(root, &setting["additionalProperties"])),
        "object" => fields_of(setting),
        other => other.to_owned(),
    });
    plain.collect::<Vec<_>>().join(" or ")
}

fn part_of_type(root: &Value, part: &Value) -> String {
    if part.is_object() { type_of(root, part) } else { part.to_string() }
}

/// A table by the names of its settings.
fn fields_of(table: &Value) -> String {
    let names: Vec<&str> = table["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    if names.is_empty() { "table".to_owned() } else { format!("tables with {}", names.join(", ")) }
}

fn referred<'s>(root: &'s Value, setting: &'s Value) -> &'s Value {
    let pointer = setting.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| root.pointer(pointer)).unwrap_or(&Value::Null)
}

/// Text in lines of at most 100 characters, each behind `margin` and with a line end.
fn wrapped(text: &str, margin: &str) -> String {
    const LINE_CHARS_MAX: usize = 100;
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split_whitespace() {
        if !line.is_empty() && margin.len() + line.chars().count() + 1 + word.chars().count() > LINE_CHARS_MAX {
            let _ = writeln!(lines, "{margin}{line}");
            line.clear();
        }
        line.push_str(if line.is_empty() { "" } else { " " });
        line.push_str(word);
    }
    if !line.is_empty() {
        let _ = writeln!(lines, "{margin}{line}");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_room_is_listed_and_every_setting_is_explained() {
        let entries = entries();
        let list = list(&entries);
        for entry in &entries {
            assert!(list.contains(&format!("  {} ", entry.name)), "{}", entry.name);
            let explained = explain(entry);
            for (name, setting) in entry.schema["properties"].as_object().into_iter().flatten() {
                assert!(explained.contains(&format!("\n  {name}")), "{} {name}", entry.name);
                let about = setting.get("description").or_else(|| referred(&entry.schema, setting).get("description"));
                assert!(
                    about.is_some_and(|about| about.as_str().is_some_and(|about| !about.is_empty())),
                    "setting `{name}` of `{}` has no doc",
                    entry.name
                );
            }
            assert!(!explained.contains("anything"), "{explained}");
        }
    }

    #[test]
    fn types_are_told_in_words() {
        let root = json!({"$defs": {"Mode": {"enum": ["keep", "cut"]}}});
        for (setting, words) in [
            (json!({"type": "number"}), "number"),
            (json!({"type": ["integer", "null"]}), "whole number"),
            (json!({"type": "array", "items": {"type": "string"}}), "list of text"),
            (json!({"$ref": "#/$defs/Mode"}), "\"keep\" or \"cut\""),
            (json!({"anyOf": [{"$ref": "#/$defs/Mode"}, {"type": "null"}]}), "\"keep\" or \"cut\""),
            (json!({"enum": ["wide", false]}), "\"wide\" or false"),
            (json!({"type": "object", "additionalProperties": {"type": "number"}}), "table of number"),
        ] {
            assert_eq!(type_of(&root, &setting), words);
        }
        assert_eq!(shortest(&json!(0.1_f32)), "0.1");
        assert_eq!(shortest(&json!(0.25)), "0.25");
    }
}
