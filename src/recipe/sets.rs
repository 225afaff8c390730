//! `--set key=value`: changes one setting of a recipe from the command line.
//!
//! The value is put into the recipe's tree with its own place, and all checks come later, so a wrong value or an unknown setting is told
//! in the same words as in the file. Only a path that leads nowhere is told here.

use std::borrow::Cow;

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Fault, Faults, listed};
use super::{House, TOP_LEVEL, settings, shape};
use crate::dedup::settings::DedupSettings;

/// Splits the argument of `--set`.
///
/// # Errors
/// When there is no `=` or nothing before it.
pub fn set_argument(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((path, value)) if !path.trim().is_empty() => Ok((path.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write it as setting=value, for example `input=archives/*.warc.gz` or `clean.langid.min_score=0.5`".to_owned()),
    }
}

/// Puts the setting `text`, which is `path=value` and begins at byte `start` of the sheet, into the recipe.
pub(super) fn apply<'i>(root: &mut DeTable<'i>, text: &'i str, start: usize, house: &House, faults: &mut Faults) {
    let set = Set::new(text, start);
    let done = match set.keys[..] {
        ["name" | "dataset" | "input"] => {
            set.put(root, 0, Some(&text_schema(set.keys[0])));
            Ok(())
        }
        ["source", _, ..] => set.in_table(root, source_schema(root, house)),
        ["dedup", _, ..] => set.in_table(root, Some(schemars::schema_for!(DedupSettings).to_value())),
        ["output", _, ..] => set.in_table(root, Some(schemars::schema_for!(settings::OutputSettings).to_value())),
        ["limits", _, ..] => set.in_table(root, Some(schemars::schema_for!(settings::Limits).to_value())),
        [pass @ ("clean" | "emit"), stage, _, ..] => set.in_stage(root, pass, stage, house),
        [pass @ ("clean" | "emit"), ..] => Err(format!("name a stage and its setting, as in `{pass}.langid.min_score`")),
        ["example", ..] => Err("examples stand in the recipe only".to_owned()),
        [table @ ("source" | "dedup" | "output" | "limits")] => Err(format!("name a setting of it, as in `{table}.setting=value`")),
        _ => Err(advice(root, &set.keys)),
    };
    if let Err(advice) = done {
        faults.note(start..start + set.path.len(), Fault::SetNowhere { path: set.path.to_owned(), advice });
    }
}

/// One argument: its path, the keys of the path, its value as written, and where it begins on the sheet.
struct Set<'i> {
    path: &'i str,
    keys: Vec<&'i str>,
    raw: &'i str,
    start: usize,
}

impl<'i> Set<'i> {
    fn new(text: &'i str, start: usize) -> Set<'i> {
        let (path, raw) = text.split_once('=').unwrap_or((text, ""));
        Set { path, keys: path.split('.').collect(), raw, start }
    }

    /// Key `number` with its place.
    fn key(&self, number: usize) -> Spanned<Cow<'i, str>> {
        let at = self.start + self.keys[..number].iter().map(|key| key.len() + 1).sum::<usize>();
        Spanned::new(at..at + self.keys[number].len(), Cow::Borrowed(self.keys[number]))
    }

    fn new_table(&self, number: usize) -> Spanned<DeValue<'i>> {
        Spanned::new(self.key(number).span(), DeValue::Table(DeTable::new()))
    }

    /// Sets the value at the keys from `first` on below `table`, making tables on the way. A value on the way that is no table is left
    /// to the checks.
    fn put(&self, table: &mut DeTable<'i>, first: usize, schema: Option<&Json>) {
        let last = self.keys.len() - 1;
        let value = shape::value_for(schema, &self.keys[first..], self.raw, self.start + self.path.len() + 1);
        let mut table = table;
        for number in first..last {
            let entry = table.entry(self.key(number)).or_insert_with(|| self.new_table(number));
            let DeValue::Table(inner) = entry.get_mut() else { return };
            table = inner;
        }
        // The old key would keep its old place.
        table.remove(self.keys[last]);
        table.insert(self.key(last), value);
    }

    fn in_table(&self, root: &mut DeTable<'i>, schema: Option<Json>) -> Result<(), String> {
        let entry = root.entry(self.key(0)).or_insert_with(|| self.new_table(0));
        let DeValue::Table(table) = entry.get_mut() else { return Ok(()) };
        self.put(table, 1, schema.as_ref());
        Ok(())
    }

    fn in_stage(&self, root: &mut DeTable<'i>, pass: &str, stage: &str, house: &House) -> Result<(), String> {
        let items = match root.get_mut(pass).map(Spanned::get_mut) {
            Some(DeValue::Array(items)) => items.iter_mut().map(Spanned::get_mut).collect(),
            _ => Vec::new(),
        };
        let mut names = Vec::new();
        for item in items {
            let DeValue::Table(table) = item else { continue };
            let Some(name) = table.get("stage").and_then(|name| name.get_ref().as_str()).map(str::to_owned) else { continue };
            if name == stage {
                let schema = house.stage(stage).map(|room| (room.schema)().to_value());
                self.put(table, 2, schema.as_ref());
                return Ok(());
            }
            names.push(name);
        }
        match names.is_empty() {
            true => Err(format!("the recipe has no stage in [[{pass}]]")),
            false => Err(format!("the recipe has no stage `{stage}` in [[{pass}]]; it has {}", listed(names))),
        }
    }
}

/// `input` takes a list too; a plain text works for all three.
fn text_schema(key: &str) -> Json {
    serde_json::json!({ "properties": { key: { "type": "string" } } })
}

fn source_schema(root: &DeTable<'_>, house: &House) -> Option<Json> {
    let kind = root.get("source")?.get_ref().get("kind")?.get_ref().as_str()?;
    Some((house.source(kind)?.schema)().to_value())
}

/// What a path that begins with an unknown word may have meant.
fn advice(root: &DeTable<'_>, trail: &[&str]) -> String {
    for pass in ["clean", "emit"] {
        let items = root.get(pass).and_then(|items| items.get_ref().as_array());
        if items.into_iter().flatten().any(|item| item.get_ref().get("stage").is_some_and(|name| name.get_ref().as_str() == Some(trail[0])))
        {
            return format!("did you mean `{pass}.{}`?", trail.join("."));
        }
    }
    match super::suggest::nearest(trail[0], TOP_LEVEL.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("a path begins with one of {}", listed(TOP_LEVEL.iter().filter(|word| **word != "example"))),
    }
}
