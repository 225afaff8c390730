//! A recipe as canonical TOML: the same settings give the same bytes, however they were written. This text is what a plan embeds and what
//! the recipe's hash is made of.

use std::fmt::Write;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use crate::sources::reading_of;

/// What stands in the canonical text, in this order. `name`, `input` and `example` change nothing about what a document becomes.
const TABLES: [&str; 6] = ["source", "clean", "dedup", "emit", "output", "limits"];

/// The canonical text of a whole recipe.
pub(super) fn document(root: &DeTable<'_>) -> String {
    let mut text = String::new();
    if let Some(dataset) = root.get("dataset") {
        line(&mut text, "dataset", dataset.get_ref());
    }
    for name in TABLES {
        match root.get(name).map(Spanned::get_ref) {
            Some(DeValue::Table(table)) if name == "source" => section(&mut text, "[source]", &reading(table)),
            Some(DeValue::Table(table)) => section(&mut text, &format!("[{name}]"), table),
            Some(DeValue::Array(items)) => {
                items
                    .iter()
                    .filter_map(|item| item.get_ref().as_table())
                    .for_each(|table| section(&mut text, &format!("[[{name}]]"), table));
            }
            _ => {}
        }
    }
    text
}

/// The settings of a source that say how documents are read: what a crawl or a harvest fetches may change from night to night.
fn reading<'i>(table: &DeTable<'i>) -> DeTable<'i> {
    let reading = table.get("kind").and_then(|kind| reading_of(kind.get_ref().as_str()?));
    let keeps = |key: &str| reading.is_none_or(|reading| reading.contains(&key));
    table.iter().filter(|(key, _)| keeps(key.get_ref())).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn section(text: &mut String, header: &str, table: &DeTable<'_>) {
    text.push('\n');
    text.push_str(header);
    text.push('\n');
    for (key, value) in settings(table) {
        line(text, key, value);
    }
}

/// The entries of a table: what it is first, then by name.
pub(super) fn settings<'t>(table: &'t DeTable<'_>) -> Vec<(&'t str, &'t DeValue<'t>)> {
    let mut entries: Vec<(&str, &DeValue<'_>)> = table.iter().map(|(key, value)| (key.get_ref().as_ref(), value.get_ref())).collect();
    entries.sort_by_key(|(key, _)| (!matches!(*key, "stage" | "kind"), *key));
    entries
}

fn line(text: &mut String, key: &str, value: &DeValue<'_>) {
    text.push_str(&bare_or_quoted(key));
    text.push_str(" = ");
    write_value(text, value);
    text.push('\n');
}

/// A value on one line.
pub(super) fn inline(value: &DeValue<'_>) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

fn write_value(text: &mut String, value: &DeValue<'_>) {
    match value {
        DeValue::String(value) => write_string(text, value),
        DeValue::Integer(value) => text.push_str(&decimal(value)),
        DeValue::Float(value) => text.push_str(&float(value.as_str())),
        DeValue::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        DeValue::Datetime(value) => text.push_str(&value.to_string()),
        DeValue::Array(items) => {
            text.push('[');
            for (number, item) in items.iter().enumerate() {
                text.push_str(if number > 0 { ", " } else { "" });
                write_value(text, item.get_ref());
            }
            text.push(']');
        }
        DeValue::Table(table) => {
            text.push('{');
            for (number, (key, value)) in settings(table).into_iter().enumerate() {
                text.push_str(if number > 0 { ", " } else { " " });
                text.push_str(&bare_or_quoted(key));
                text.push_str(" = ");
                write_value(text, value);
            }
            text.push_str(if table.is_empty() { "}" } else { " }" });
        }
    }
}

/// An integer in tens, whatever base it was written in; one too large for any setting stays as written.
fn decimal(value: &DeInteger<'_>) -> String {
    i128::from_str_radix(value.as_str(), value.radix()).map_or_else(|_| value.to_string(), |number| number.to_string())
}

/// A float in its shortest form that reads back as the same number.
fn float(written: &str) -> String {
    match written.parse::<f64>() {
        Ok(number) if number.is_nan() => "nan".to_owned(),
        Ok(number) => format!("{number:?}"),
        Err(_) => written.to_owned(),
    }
}

fn bare_or_quoted(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare {
        return key.to_owned();
    }
    let mut text = String::new();
    write_string(&mut text, key);
    text
}

/// A basic string: quotes, backslashes and control characters escaped (TOML 1.0, section String).
fn write_string(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(text, "\\u{:04X}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        document(DeTable::parse(text).expect("TOML").get_ref())
    }

    #[test]
    fn the_way_of_writing_makes_no_difference() {
        let plain = "name='a'\ninput='x'\ndataset = 'd'\n[source]\nkind='warc'\nz = 1_000\na = 0x10\n[[clean]]\nstage='langid'\nmin_score = 5e-1\nkeep = ['fi',\n  'sv', # both\n]\nlanguages.fi.words_min = 3\n[[example]]\nname='e'\n";
        let other = "dataset=\"d\"\nclean = [{languages = {fi = {words_min = 3}}, keep = [\"fi\", \"sv\"], min_score = 0.50, stage = \"langid\"}]\n[source]\na = 16\nz=1000\nkind = '''warc'''\n";
        assert_eq!(canonical(plain), canonical(other));
        assert_eq!(
            canonical(plain),
            "dataset = \"d\"\n\n[source]\nkind = \"warc\"\na = 16\nz = 1000\n\n[[clean]]\nstage = \"langid\"\nkeep = [\"fi\", \"sv\"]\nlanguages = { fi = { words_min = 3 } }\nmin_score = 0.5\n"
        );
    }

    #[test]
    fn the_canonical_text_reads_back_as_itself() {
        let text = canonical(
            "[source]\nkind = \"a\\\"b\\\\c\\n\\u0007\\u007f\\u0085ž\"\n'odd key' = [1, -2.5, 1e300, true, 1979-05-27, inf, -0.0]\nempty = {}\n",
        );
        assert_eq!(canonical(&text), text);
    }
}
