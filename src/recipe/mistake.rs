//! What can be wrong with a recipe. All mistakes of a recipe are collected, each with its place and with what to change.

use std::fmt;
use std::ops::Range;

use super::sheet::{Origin, Place, Sheet};

/// One thing that is wrong, worded so that the reader knows what to change.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The file cannot be read.
    #[error("cannot read the recipe `{path}`: {why}")]
    Unreadable { path: String, why: String },
    /// The file is no text.
    #[error("the recipe is not valid UTF-8 from here on; save it as UTF-8")]
    NotUtf8,
    /// The text is no TOML.
    #[error("this is not TOML: {0}")]
    Syntax(String),
    /// A key that nobody asks for.
    #[error("{owner} has no setting `{key}`{}", options(.nearest.as_deref(), .known))]
    UnknownKey { owner: String, key: String, nearest: Option<String>, known: Vec<String> },
    /// A key of the whole recipe inside a table.
    #[error("{owner} has no setting `{key}`; it belongs at the top of the recipe, above the first line in brackets")]
    Misplaced { owner: String, key: String },
    /// A room that is on no list.
    #[error("there is no {kind} called `{name}`{}; `tamis stages` lists them all", nearest.as_ref().map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default())]
    UnknownRoom { kind: &'static str, name: String, nearest: Option<String> },
    /// Something that must be there.
    #[error("{owner} needs `{key}`; add {example}")]
    Missing { owner: String, key: String, example: String },
    /// A value of the wrong type or form.
    #[error("`{key}` of {owner} {wish}")]
    WrongValue { owner: String, key: String, wish: String },
    /// A table where a list of tables belongs, or the reverse.
    #[error("write `{wanted}` here: {why}")]
    WrongBrackets { wanted: String, why: &'static str },
    /// A name that cannot be a folder.
    #[error("`{name}` cannot name a data set: use at most 64 of a-z, 0-9 and -, beginning and ending with a letter or digit")]
    DatasetName { name: String },
    /// A stage before which something is missing.
    #[error("stage `{stage}` needs {what}, and nothing before it gives that; {advice}")]
    NotThereYet { stage: String, what: &'static str, advice: String },
    /// A stage in the wrong pass.
    #[error("stage `{stage}` belongs in [[{right}]]: {why}")]
    WrongPass { stage: String, right: &'static str, why: &'static str },
    /// A stage that runs by itself.
    #[error("stage `{stage}` is run by the program itself at the end of [[clean]]; remove it here")]
    RunsByItself { stage: String },
    /// The same stage twice.
    #[error("stage `{stage}` stands twice in [[{pass}]], so its counts could not be told apart; put all settings into one of them")]
    Twice { stage: String, pass: &'static str },
    /// Documents that reach the end without text.
    #[error("documents have no text at the end of [[clean]], so there is nothing to write; add the stage `extract`")]
    NoText,
    /// Two settings that cannot both hold.
    #[error("{0}")]
    Contradiction(String),
    /// A stage or source refuses its settings.
    #[error("{owner}: {why}")]
    Refused { owner: String, why: String },
    /// A `--set` that leads nowhere.
    #[error("--set cannot find `{path}`: {advice}")]
    SetNowhere { path: String, advice: String },
    /// An example that says nothing or cannot be run.
    #[error("example {0}")]
    Example(String),
    /// A pattern of `input` without files.
    #[error("no input: {0}")]
    NoInput(String),
    /// A password in a recipe.
    #[error("this address holds a user name or password; recipes are published with the data, so keep credentials out of them")]
    Credentials,
}

/// "did you mean .." or the list of what there is.
fn options(nearest: Option<&str>, known: &[String]) -> String {
    match nearest {
        Some(word) => format!(", did you mean `{word}`?"),
        None if known.is_empty() => ", and none at all; remove it".to_owned(),
        None => format!("; it has {}", listed(known)),
    }
}

/// Words in backquotes with commas between them.
pub(super) fn listed<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{}`", word.as_ref())).collect();
    quoted.join(", ")
}

/// A fault and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// Where, if it has a place in a text.
    pub place: Option<Place>,
    /// What.
    pub fault: Fault,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = &self.place else { return write!(f, "{}", self.fault) };
        let number = match &place.origin {
            Origin::File(path) => {
                writeln!(f, "{path}:{}:{}: {}", place.line, place.column, self.fault)?;
                place.line.to_string()
            }
            Origin::Argument(option) => {
                writeln!(f, "{option}, column {}: {}", place.column, self.fault)?;
                String::new()
            }
        };
        let margin = " ".repeat(number.len());
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {}", place.quoted)?;
        write!(f, "{margin} | {}{}", " ".repeat(place.caret_column), "^".repeat(place.caret_chars))
    }
}

/// Every mistake of a recipe, in the order in which they stand there.
#[derive(Debug, PartialEq, thiserror::Error)]
pub struct RecipeErrors {
    /// At least one.
    pub mistakes: Vec<Mistake>,
}

impl RecipeErrors {
    /// A single mistake without a place.
    pub(super) fn one(fault: Fault) -> RecipeErrors {
        RecipeErrors { mistakes: vec![Mistake { place: None, fault }] }
    }
}

impl fmt::Display for RecipeErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.mistakes.iter().enumerate() {
            if number > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

/// Faults while they are collected.
#[derive(Default)]
pub(super) struct Faults {
    found: Vec<(Range<usize>, Fault)>,
}

impl Faults {
    /// Notes `fault` at `span`.
    pub(super) fn note(&mut self, span: Range<usize>, fault: Fault) {
        if !self.found.iter().any(|known| known.0 == span && known.1 == fault) {
            self.found.push((span, fault));
        }
    }

    /// How many there are so far.
    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// The mistakes in the order of their places, if there are any.
    pub(super) fn into_mistakes(mut self, sheet: &Sheet) -> Vec<Mistake> {
        self.found.sort_by_key(|(span, _)| (span.start, span.end));
        self.found.into_iter().map(|(span, fault)| Mistake { place: Some(sheet.place(&span)), fault }).collect()
    }
}
