//! Settings from a TOML table, with every mistake in them and not only the first.
//!
//! serde stops at the first mistake. So a setting that serde refuses is noted, taken out of the table, and the rest is tried again: what
//! is left of a table always becomes a value or a fault of its own.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::mistake::{Fault, Faults, listed};
use super::suggest::nearest;
use crate::stage::BuildError;

/// Makes a value of `table`, which stands at `span`, with `build`. `owner` is who has the settings, as messages say it: "stage `langid`".
pub(super) fn settle<'i, T>(
    owner: &str,
    table: &DeTable<'i>,
    span: Range<usize>,
    faults: &mut Faults,
    build: impl Fn(ValueDeserializer<'i>) -> Result<T, BuildError>,
) -> Option<T> {
    let mut rest = table.clone();
    let before = faults.count();
    let mut forgiven: Vec<Vec<String>> = Vec::new();
    loop {
        let refused = match build(ValueDeserializer::from(Spanned::new(span.clone(), DeValue::Table(rest.clone())))) {
            Ok(value) => return Some(value),
            Err(refused) => refused,
        };
        match refused {
            BuildError::Settings(error) => {
                let at = error.span().unwrap_or_else(|| span.clone());
                let trail = trail_of(&rest, &at);
                let fault = explain(owner, &trail.join("."), error.message());
                let sibling = |key: &str| [&trail[..trail.len().saturating_sub(1)], &[key.to_owned()]].concat();
                let known = match &fault {
                    Fault::Missing { key, .. } => forgiven.contains(&[&trail[..], std::slice::from_ref(key)].concat()),
                    Fault::UnknownKey { nearest: Some(meant), .. } => {
                        forgiven.push(sibling(meant));
                        false
                    }
                    _ => {
                        forgiven.push(trail.clone());
                        false
                    }
                };
                if !known {
                    faults.note(at, fault);
                }
                if trail.is_empty() || !remove(&mut rest, &trail) {
                    return None;
                }
            }
            // With a refused setting taken out, a contradiction among the others may be no fault of the recipe.
            _ if faults.count() > before => return None,
            BuildError::Contradiction(why) => {
                faults.note(named_in(&why, &rest).unwrap_or(span), Fault::Refused { owner: owner.to_owned(), why });
                return None;
            }
            BuildError::Resource { setting, path, why } => {
                let at = rest.get(setting).map_or(span, Spanned::span);
                let why = format!("cannot use `{path}`, named by setting `{setting}`: {why}");
                faults.note(at, Fault::Refused { owner: owner.to_owned(), why });
                return None;
            }
        }
    }
}

/// The place of the first setting that a message names in backquotes.
fn named_in(message: &str, table: &DeTable<'_>) -> Option<Range<usize>> {
    message.split('`').skip(1).step_by(2).find_map(|name| table.get_key_value(name)).map(|(key, value)| key.span().start..value.span().end)
}

/// The keys that lead to the entry which stands at `span`; empty if there is none.
fn trail_of(table: &DeTable<'_>, span: &Range<usize>) -> Vec<String> {
    for (key, value) in table {
        if key.span() == *span || value.span() == *span {
            return vec![key.get_ref().to_string()];
        }
        let inner = match value.get_ref() {
            DeValue::Table(inner) => trail_of(inner, span),
            DeValue::Array(items) if items.iter().any(|item| within(item, span)) => return vec![key.get_ref().to_string()],
            _ => Vec::new(),
        };
        if !inner.is_empty() {
            return std::iter::once(key.get_ref().to_string()).chain(inner).collect();
        }
    }
    Vec::new()
}

/// Whether `span` is this value's or lies in it.
fn within(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    value.span() == *span
        || match value.get_ref() {
            DeValue::Table(inner) => !trail_of(inner, span).is_empty(),
            DeValue::Array(items) => items.iter().any(|item| within(item, span)),
            _ => false,
        }
}

fn remove(table: &mut DeTable<'_>, trail: &[String]) -> bool {
    match trail {
        [] => false,
        [key] => table.remove(key.as_str()).is_some(),
        [key, rest @ ..] => match table.get_mut(key.as_str()).map(Spanned::get_mut) {
            Some(DeValue::Table(inner)) => remove(inner, rest),
            _ => false,
        },
    }
}

/// Words serde's message so that somebody who does not know Rust can act on it.
fn explain(owner: &str, key: &str, message: &str) -> Fault {
    let owner = owner.to_owned();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let (true, Some((unknown, known))) = (message.starts_with("unknown field"), quoted.split_first()) {
        if super::TOP_LEVEL.contains(unknown) && key == *unknown && !known.contains(unknown) {
            return Fault::Misplaced { owner, key: (*unknown).to_owned() };
        }
        let parent = key.rsplit_once('.').map(|(parent, _)| format!("`{parent}` of {owner}"));
        return Fault::UnknownKey {
            owner: parent.unwrap_or(owner),
            key: (*unknown).to_owned(),
            nearest: nearest(unknown, known.iter().copied()).map(str::to_owned),
            known: known.iter().map(|&word| word.to_owned()).collect(),
        };
    }
    if let (true, Some(missing)) = (message.starts_with("missing field"), quoted.first()) {
        let owner = if key.is_empty() { owner } else { format!("`{key}` of {owner}") };
        return Fault::Missing { owner, key: (*missing).to_owned(), example: format!("`{missing} = ..`") };
    }
    if let (true, Some((value, known))) = (message.starts_with("unknown variant"), quoted.split_first()) {
        let hint = nearest(value, known.iter().copied()).map(|word| format!(" (did you mean `{word}`?)")).unwrap_or_default();
        return Fault::WrongValue {
            owner,
            key: key.to_owned(),
            wish: format!("cannot be `{value}`{hint}; it is one of {}", listed(known)),
        };
    }
    let wish = match message.split_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid ") => {
            format!("must be {}, and this is {}", plainly(expected), found_plainly(found))
        }
        _ if is_wish(message) => format!("must be {message}"),
        _ => format!("is not right: {message}"),
    };
    if key.is_empty() {
        return Fault::Refused { owner, why: format!("it {wish}") };
    }
    Fault::WrongValue { owner, key: key.to_owned(), wish }
}

/// Whether a message says only what is wanted, as the `expecting` text of an untagged enum does.
fn is_wish(message: &str) -> bool {
    !message.contains(';') && (message.starts_with("a ") || message.starts_with("an ") || message.contains(" or one of "))
}

/// What serde expects, in words.
fn plainly(expected: &str) -> String {
    match expected {
        "f32" | "f64" => "a number".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" => "a text in quotes".to_owned(),
        "a sequence" => "a list in [ ]".to_owned(),
        "a map" => "a table".to_owned(),
        other if other.starts_with("a nonzero ") => "a whole number, 1 or more".to_owned(),
        other if other.starts_with("struct ") => "a table of settings".to_owned(),
        other => other.to_owned(),
    }
}

/// What serde found, in words: of "invalid type: string \"x\"", "the text \"x\"".
fn found_plainly(found: &str) -> String {
    let found = found.split_once(": ").map_or(found, |(_, found)| found);
    match found.split_once(' ') {
        Some(("string", text)) => format!("the text {text}"),
        Some(("integer", number)) => format!("the whole number {}", number.trim_matches('`')),
        Some(("floating", rest)) => format!("the number {}", rest.trim_start_matches("point ").trim_matches('`')),
        Some(("boolean", word)) => word.trim_matches('`').to_owned(),
        _ => match found {
            "map" => "a table".to_owned(),
            "sequence" => "a list".to_owned(),
            other => other.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::sheet::{Origin, Sheet};
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Quality {
        words_min: u32,
        #[serde(default)]
        share: f32,
        #[serde(default)]
        languages: std::collections::BTreeMap<String, Override>,
        #[serde(default)]
        keep: Vec<String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Override {
        words_min: u32,
    }

    fn faults(text: &str) -> Vec<String> {
        let mut faults = Faults::default();
        let table = DeTable::parse(text).expect("TOML");
        settle("stage `quality`", table.get_ref(), table.span(), &mut faults, |settings| Ok(Quality::deserialize(settings)?));
        let sheet = Sheet::new(Origin::File("r".to_owned()), text);
        faults.into_mistakes(&sheet).iter().map(|mistake| mistake.to_string().lines().next().expect("a line").to_owned()).collect()
    }

    #[test]
    fn every_mistake_of_a_table_is_found_however_deep() {
        let text = "words_min = \"ten\"\nshar = 0.1\nshare = true\nkeep = [\"fi\", 3]\nlanguages.fi.words_mn = 3\nlanguages.sv = { words_min = -1 }\n";
        assert_eq!(
            faults(text),
            [
                "r:1:13: `words_min` of stage `quality` must be a whole number, 0 or more, and this is the text \"ten\"",
                "r:2:1: stage `quality` has no setting `shar`, did you mean `share`?",
                "r:3:9: `share` of stage `quality` must be a number, and this is true",
                "r:4:15: `keep` of stage `quality` must be a text in quotes, and this is the whole number 3",
                "r:5:14: `languages.fi` of stage `quality` has no setting `words_mn`, did you mean `words_min`?",
                "r:6:30: `languages.sv.words_min` of stage `quality` must be a whole number, 0 or more, and this is the whole number -1",
            ]
        );
    }

    #[test]
    fn a_missing_setting_is_named_at_its_table() {
        assert_eq!(faults("share = 1"), ["r:1:1: stage `quality` needs `words_min`; add `words_min = ..`"]);
        assert_eq!(
            faults("words_min = 1\n[languages.fi]\n"),
            ["r:2:1: `languages.fi` of stage `quality` needs `words_min`; add `words_min = ..`"]
        );
    }
}
