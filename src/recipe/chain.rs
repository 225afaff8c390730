//! Stages as arguments of a command: `langid:min_score=0,keep=["fi","sv"]`.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Fault, Faults, RecipeErrors};
use super::settle::settle;
use super::sheet::{Origin, Sheet};
use super::suggest::nearest;
use super::{House, Placed, reader, shape};
use crate::stage::Resources;

/// Builds the stages that `arguments` name, each as `STAGE` or `STAGE:key=value,key=value`.
///
/// A value is TOML, or else a text without quotes. A comma ends it, except between quotes or brackets that begin with the value:
/// `tokenize:tokenizer="/data/a,b.json",bos=false`.
///
/// # Errors
/// Every mistake that was found.
pub fn chain(arguments: &[String], resources: &dyn Resources) -> Result<Vec<Placed>, RecipeErrors> {
    build(arguments, resources, &House::ALL)
}

pub(super) fn build(arguments: &[String], resources: &dyn Resources, house: &House) -> Result<Vec<Placed>, RecipeErrors> {
    let mut sheet = Sheet::new(Origin::Argument("STAGE"), "");
    arguments.iter().for_each(|argument| sheet.add(Origin::Argument("STAGE"), argument.clone()));
    let mut faults = Faults::default();
    let mut stages = Vec::new();
    for number in 1..=arguments.len() {
        let (argument, start) = sheet.part(number);
        stages.extend(stage(argument, start, resources, house, &mut faults));
    }
    let mistakes = faults.into_mistakes(&sheet);
    if mistakes.is_empty() { Ok(stages) } else { Err(RecipeErrors { mistakes }) }
}

fn stage(argument: &str, start: usize, resources: &dyn Resources, house: &House, faults: &mut Faults) -> Option<Placed> {
    let (name, settings) = argument.split_once(':').unwrap_or((argument, ""));
    let Some(room) = house.stage(name) else {
        let nearest = nearest(name, house.stages.iter().map(|room| room.name)).map(str::to_owned);
        faults.note(start..start + name.len(), Fault::UnknownRoom { kind: "stage", name: name.to_owned(), nearest });
        return None;
    };
    let schema = (room.schema)().to_value();
    let begin = argument.len() - settings.len();
    let mut table = DeTable::new();
    for range in pieces(settings) {
        let (piece, at) = (&settings[range.clone()], start + begin + range.start);
        let Some((key, raw)) = piece.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            let why = format!("write settings as key=value with commas between them, not `{piece}`; `tamis stages {name}` lists them");
            faults.note(at..at + piece.len(), Fault::Refused { owner: format!("stage `{name}`"), why });
            continue;
        };
        let value = shape::value_for(Some(&schema), &[key], raw, at + key.len() + 1);
        insert(&mut table, key, at, value);
    }
    let span = start..start + argument.len();
    let built = settle(&format!("stage `{name}`"), &table, span, faults, |settings| (room.build)(settings, resources))?;
    Some(Placed { room, settings: reader::written(&table), stage: Arc::from(built) })
}

fn insert<'i>(table: &mut DeTable<'i>, key: &'i str, at: usize, value: Spanned<DeValue<'i>>) {
    table.remove(key);
    table.insert(Spanned::new(at..at + key.len(), key.into()), value);
}

/// The parts between commas that stand outside quotes and brackets.
fn pieces(settings: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut begin, mut depth, mut quote, mut before) = (0, 0_usize, None, ',');
    for (at, c) in settings.char_indices() {
        match (c, quote) {
            (c, Some(open)) if c == open && before != '\\' => quote = None,
            (_, Some(_)) => {}
            // Inside a bare text, as in a path, quotes and brackets mean nothing.
            ('"' | '\'', None) if depth > 0 || before == '=' => quote = Some(c),
            ('[' | '{', None) if depth > 0 || before == '=' => depth += 1,
            (']' | '}', None) => depth = depth.saturating_sub(1),
            (',', None) if depth == 0 => {
                found.push(begin..at);
                begin = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    if begin < settings.len() {
        found.push(begin..settings.len());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_part_settings_except_in_quotes_and_brackets() {
        let parts = |settings: &str| pieces(settings).into_iter().map(|range| settings[range].to_owned()).collect::<Vec<_>>();
        assert_eq!(parts("a=1,b=x"), ["a=1", "b=x"]);
        assert_eq!(parts(r#"keep=["fi","sv"],min=0"#), [r#"keep=["fi","sv"]"#, "min=0"]);
        assert_eq!(parts(r#"path="/a,\"b.json",c='x,y'"#), [r#"path="/a,\"b.json""#, "c='x,y'"]);
        assert_eq!(parts("path=/l'amour/a[1].json,bos=false"), ["path=/l'amour/a[1].json", "bos=false"]);
        assert_eq!(parts("over={fi={min=3},sv={min=4}}"), ["over={fi={min=3},sv={min=4}}"]);
        assert!(parts("").is_empty());
    }
}
