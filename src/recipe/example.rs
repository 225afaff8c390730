//! The recipe's own tests: a small document through all stages, and whether it ends as the recipe says.

use super::settings::Example;
use super::suggest::nearest;
use crate::doc::{DocId, Document};
use crate::engine::flow::Step;
use crate::stage::{Field, Room, Verdict};

/// The fate that an example must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// It reaches a shard.
    Keep,
    /// It is dropped by a stage, for a certain reason if one is named.
    Drop { stage: String, reason: Option<String> },
}

impl Expectation {
    /// Reads `keep`, `STAGE` or `STAGE/REASON`, which must be known to the stages of the recipe.
    pub(super) fn read(text: &str, clean: &[&Room], emit: &[&Room]) -> Result<Expectation, String> {
        if text == "keep" {
            return Ok(Expectation::Keep);
        }
        let (stage, reason) = text.split_once('/').map_or((text, None), |(stage, reason)| (stage, Some(reason)));
        let rooms = || clean.iter().chain(emit);
        let meant = |word: Option<&str>| word.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
        let Some(room) = rooms().find(|room| room.name == stage) else {
            let hint = meant(nearest(stage, rooms().map(|room| room.name).chain(["keep"])));
            return Err(format!(
                "it expects `{text}`, and the recipe has no stage `{stage}`; write \"keep\", or stage and reason, as in \"extract/no-text\"{hint}"
            ));
        };
        if let Some(reason) = reason.filter(|reason| !room.reasons.contains(reason)) {
            let hint = meant(nearest(reason, room.reasons.iter().copied()));
            return Err(format!("stage `{stage}` never drops for `{reason}`; `tamis stages {stage}` lists its reasons{hint}"));
        }
        Ok(Expectation::Drop { stage: stage.to_owned(), reason: reason.map(str::to_owned) })
    }
}

/// Why an example cannot be run with this source and these stages.
pub(super) fn cannot_run(example: &Example, source: &crate::source::Room, clean: &[&Room]) -> Option<String> {
    let reads_markup = clean.iter().any(|room| room.gives.contains(&Field::Text));
    match (&example.html, &example.text) {
        (None, None) => Some("has neither `html` nor `text`; add one of them".to_owned()),
        (Some(_), Some(_)) => Some("has both `html` and `text`; remove one of them".to_owned()),
        (Some(_), None) if !source.gives.contains(&Field::Html) => {
            Some(format!("has `html`, and source `{}` gives plain text; write `text`", source.name))
        }
        (None, Some(_)) if reads_markup && !source.gives.contains(&Field::Text) => {
            Some("has `text`, and the recipe takes text out of markup; write `html`".to_owned())
        }
        _ => None,
    }
}

/// How an example ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// `keep` or `STAGE/REASON`, with value and limit where there are some.
    pub got: String,
    /// What is not as expected, in words; none if all is.
    pub wrong: Vec<String>,
    /// The document at the end.
    pub document: Document,
}

/// Runs `example` through `steps`, the stages of clean and emit. Duplicates are not looked for.
#[must_use]
pub fn run_example(example: &Example, expectation: &Expectation, steps: &[Step]) -> Outcome {
    let mut doc = document(example);
    let (mut dropped_by, mut got) = (None, "keep".to_owned());
    for step in steps {
        if let Verdict::Drop(dropped) = step.stage.judge(&mut doc) {
            let finding = dropped.finding.map(|finding| format!(" ({} against {})", finding.value, finding.limit)).unwrap_or_default();
            got = format!("{}/{}{finding}", step.name, dropped.reason);
            dropped_by = Some((step.name, dropped.reason));
            break;
        }
    }
    let as_expected = match (expectation, dropped_by) {
        (Expectation::Keep, None) => true,
        (Expectation::Drop { stage, reason }, Some((by, why))) => stage == by && reason.as_ref().is_none_or(|reason| reason == why),
        _ => false,
    };
    let mut wrong = Vec::new();
    if !as_expected {
        wrong.push(format!("expected {}, got {got}", example.expect));
    }
    if let Some(lang) = example.lang.as_ref().filter(|lang| doc.lang.as_ref().is_none_or(|found| found.as_str() != **lang)) {
        wrong.push(format!("expected language {lang}, got {}", doc.lang.as_ref().map_or("none", |lang| lang.as_str())));
    }
    if let Some(words) = example.contains.as_ref().filter(|words| !doc.text.contains(*words)) {
        wrong.push(format!("the text lacks `{words}`: `{}`", beginning(&doc.text)));
    }
    if let Some(words) = example.lacks.as_ref().filter(|words| doc.text.contains(*words)) {
        wrong.push(format!("the text still has `{words}`"));
    }
    Outcome { got, wrong, document: doc }
}

fn document(example: &Example) -> Document {
    let payload = example.html.as_ref().or(example.text.as_ref()).map_or("", String::as_str);
    Document {
        id: DocId::of(&example.url, payload.as_bytes()),
        url: example.url.clone(),
        html: example.html.clone().unwrap_or_default(),
        text: example.text.clone().unwrap_or_default(),
        source: "example",
        policy_headers: example.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect(),
        ..Document::default()
    }
}

fn beginning(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 100;
    text.chars().take(SHOWN_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
