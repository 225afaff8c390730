//! From two heaps of documents to a model that says how good it is; and how good a model is on other heaps.

use super::heaps::{HeapsError, HeldOut, Parting, gather};
use super::measure::{Trial, evaluation};
use super::rules::Rules;
use super::train::fit;
use crate::stage::BuildError;
use crate::stages::learned::head::{Evaluation, Heap, OfLanguage};
use crate::stages::learned::model::{Model, Scorer};
use crate::store::{StoreError, sha256_file};
use crate::texts::{Texts, TextsError};

/// A part with fewer documents of a kind says nothing.
const PART_MIN: u64 = 5;

/// The tag of documents whose language nobody told.
const UNDETERMINED: &str = "und";

/// How a model is made.
#[derive(Clone, Debug)]
pub struct Training {
    /// How documents are read and parted.
    pub parting: Parting,
    /// Languages with fewer good, or fewer bad, documents are left out.
    pub documents_min: u64,
    /// What the user has to say of the texts.
    pub note: String,
}

/// Why there is no model, or no evaluation.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The documents cannot be learned from.
    #[error(transparent)]
    Heaps(#[from] HeapsError),
    /// A file cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rules cannot be asked.
    #[error("the rules of the house cannot be asked: {0}")]
    Rules(#[from] BuildError),
    /// No language has enough documents.
    #[error("no language has enough documents: {0}")]
    TooFew(String),
    /// The model knows none of the languages.
    #[error(
        "the model knows none of the languages of the documents ({theirs}); it knows {known}. `--lang` states the language of all documents"
    )]
    OtherLanguages { theirs: String, known: String },
}

impl From<TextsError> for MakeError {
    fn from(error: TextsError) -> MakeError {
        MakeError::Heaps(error.into())
    }
}

/// What is not learned from, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// Documents whose language nobody states.
    NoLanguage { documents: u64 },
    /// A language with too few good or bad documents.
    TooFew { lang: String, good: u64, bad: u64 },
    /// A language whose documents cannot be parted so that each part has some of both kinds.
    TooThin { lang: String },
}

/// What came of training.
pub struct Made {
    /// The languages that were learned.
    pub languages: Vec<(OfLanguage, Scorer)>,
    /// Why others were not.
    pub left_out: Vec<LeftOut>,
    /// Documents left out since their text was there before.
    pub repeated: u64,
    /// Documents left out since they have no word.
    pub empty: u64,
    /// Texts left out since they were called good and bad.
    pub both: u64,
}

/// Makes a score for each language of which `good` and `bad` have enough documents.
///
/// # Errors
/// See [`MakeError`].
pub fn make(good: &Texts, bad: &Texts, training: &Training) -> Result<Made, MakeError> {
    let read = gather(good, bad, &training.parting)?;
    let inputs = [inputs(good, true)?, inputs(bad, false)?].concat();
    let rules = Rules::of_the_house()?;
    let mut made = Made { languages: Vec::new(), left_out: Vec::new(), repeated: read.repeated, empty: read.empty, both: read.both };
    for (lang, heaps) in read.languages {
        let parts = heaps.parts();
        if let Some(why) = too_few(&lang, heaps.documents(), parts, training) {
            made.left_out.push(why);
            continue;
        }
        let scorer = fit(&heaps.learn, &heaps.calibrate, training.parting.buckets);
        let evaluation = evaluate(&scorer, &lang, &heaps.held_out, &rules);
        let [[bad, good], ..] = parts;
        let (buckets, note, inputs) = (training.parting.buckets as u32, training.note.clone(), inputs.clone());
        made.languages.push((OfLanguage { lang, buckets, note, inputs, good, bad, evaluation }, scorer));
    }
    if made.languages.is_empty() {
        let why = told(&made.left_out, training.documents_min).join("; ");
        return Err(MakeError::TooFew(if why.is_empty() { "the files hold no text".to_owned() } else { why }));
    }
    Ok(made)
}

/// How `model` does on all documents of `good` and `bad`, by language, and the languages that it does not know.
///
/// # Errors
/// See [`MakeError`].
pub fn judge(model: &Model, good: &Texts, bad: &Texts, parting: &Parting) -> Result<(Vec<(String, Evaluation)>, Vec<String>), MakeError> {
    // More than all, so that the greatest hash is held out too.
    let read = gather(good, bad, &Parting { hold_out: 1.1, ..parting.clone() })?;
    let rules = Rules::of_the_house()?;
    let (mut judged, mut unknown) = (Vec::new(), Vec::new());
    for (lang, heaps) in read.languages {
        match model.scorer(&lang) {
            Some(scorer) => {
                let evaluation = evaluate(scorer, &lang, &heaps.held_out, &rules);
                judged.push((lang, evaluation));
            }
            None => unknown.push(lang),
        }
    }
    if judged.is_empty() {
        let known = model.head.languages.iter().map(|language| language.lang.as_str()).collect::<Vec<_>>().join(", ");
        return Err(MakeError::OtherLanguages { theirs: unknown.join(", "), known });
    }
    Ok((judged, unknown))
}

fn evaluate(scorer: &Scorer, lang: &str, held_out: &[HeldOut], rules: &Rules) -> Evaluation {
    let trial = |held: &HeldOut| Trial {
        good: held.good,
        score: scorer.score(&held.text),
        bytes: held.text.len() as u64,
        kept: rules.judge(lang, &held.text),
    };
    evaluation(&held_out.iter().map(trial).collect::<Vec<_>>(), &Rules::names())
}

/// Why a language is left out, if it is none or has too few documents, bad and good, in all or in a part.
fn too_few(lang: &str, [bad, good]: [u64; 2], parts: [[u64; 2]; 3], training: &Training) -> Option<LeftOut> {
    if lang == UNDETERMINED {
        return Some(LeftOut::NoLanguage { documents: bad + good });
    }
    let lang = lang.to_owned();
    if bad.min(good) < training.documents_min {
        return Some(LeftOut::TooFew { lang, good, bad });
    }
    parts.iter().flatten().any(|count| *count < PART_MIN).then_some(LeftOut::TooThin { lang })
}

/// What is said of those left out where `least` documents of each kind were wanted: a line a reason, or a language.
#[must_use]
pub fn told(left_out: &[LeftOut], least: u64) -> Vec<String> {
    let (mut few, mut lines) = (Vec::new(), Vec::new());
    for left in left_out {
        match left {
            LeftOut::NoLanguage { documents } => lines.push(format!("{documents} documents state no language; `--lang` states that of all")),
            LeftOut::TooFew { lang, good, bad } => few.push(format!("{lang} {good} and {bad}")),
            LeftOut::TooThin { lang } => lines.push(format!(
                "the documents of `{lang}` cannot be parted so that each part has {PART_MIN} good and {PART_MIN} bad ones; give more of them, \
                a larger --hold-out, or pages of more sites"
            )),
        }
    }
    if !few.is_empty() {
        lines.push(format!("languages with fewer than {least} good and {least} bad documents (--documents-min): {}", few.join(", ")));
    }
    lines
}

fn inputs(texts: &Texts, good: bool) -> Result<Vec<Heap>, StoreError> {
    let heap = |path: &std::path::PathBuf| {
        let bytes = std::fs::metadata(path).map_err(|error| StoreError::io(path, error))?.len();
        let name = |path: &std::path::Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Shards are called alike in every language's folder.
        let folder = path.parent().map(name).filter(|folder| folder.starts_with("lang="));
        let name = folder.map_or_else(|| name(path), |folder| format!("{folder}/{}", name(path)));
        Ok(Heap { good, name, bytes, sha256: sha256_file(path)? })
    };
    texts.files().iter().map(heap).collect()
}
