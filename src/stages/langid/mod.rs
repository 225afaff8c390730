//! Tells the language of a document and keeps the wanted ones.
//!
//! A wrong label costs a small language more than a lost page, so doubt is a reason of its own. The model is ours and lies in the binary:
//! [`ngrams`] turns letters into features, [`model`] looks them up, [`segments`] gathers them by paragraph, [`mod@identify`] decides. What it
//! was built from, and how well it does, stands in docs/langid.md.

mod declared;
mod identify;
mod letters;
mod limits;
mod mixed;
mod model;
mod montenegrin;
mod ngrams;
mod sample;
mod scripts;
mod second;
mod segments;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::ValueDeserializer;

use self::declared::Declared;
use self::identify::{Finding, identify};
use self::limits::Limits;
pub use self::mixed::Mixed;
use self::model::Model;
use crate::doc::{Document, Lang, LangPart, LangScore};
use crate::stage::{BuildError, Field, Resources, Room, Stage, Verdict};

const NO_LETTERS: &str = "no-letters";
const NO_LANGUAGE: &str = "no-language";
const UNSURE: &str = "unsure";
const OTHER_LANGUAGE: &str = "other-language";
const MIXED: &str = "mixed";
const SECOND_OPINION: &str = "second-opinion";
/// The signal that tells the main language's share.
const SHARE: &str = "lang_share";
/// A language with a smaller share of the text than this is not the text's language.
const MAIN_SHARE_MIN: f32 = 0.5;
/// A text is sampled in this many windows.
const WINDOWS: usize = 8;
/// A second opinion is asked on this much of the text; whatlang gains little from more.
const SECOND_OPINION_BYTES_MAX: usize = 1_600;

/// The row of this stage.
pub const ROOM: Room = Room {
    name: "langid",
    summary: "tells the language and keeps the wanted ones",
    reasons: &[NO_LETTERS, NO_LANGUAGE, UNSURE, OTHER_LANGUAGE, MIXED, SECOND_OPINION],
    signals: &[SHARE],
    needs: &[Field::Text],
    gives: &[Field::Lang],
    schema: || schemars::schema_for!(Langid),
    build,
};

/// Tells the language of a document, its script and how sure that is, and keeps the wanted languages.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Langid {
    /// Languages to keep, as BCP 47 tags; `sr` keeps `sr-Cyrl` and `sr-Latn`, `mul` texts of which no language has half. Empty keeps
    /// every language.
    pub keep: Vec<String>,
    /// The least `lang_score` (0 to 1) that a document needs: the probability that its label is right. Left out, each language has a
    /// limit of its own, from which on 99 of 100 labels of sentences were right.
    pub min_score: Option<f32>,
    /// What becomes of a document with more than one language: `keep` it and tell the shares, `cut` out the paragraphs in other languages
    /// than the main one, or `drop` it.
    pub mixed: Mixed,
    /// A document is mixed if its main language has a smaller share of the letters than this, 0 to 1.
    pub share_min: f32,
    /// Drop documents for which a second model (whatlang) finds another language, where it knows the one that was found.
    pub second_opinion: bool,
    /// How much of a text is looked at, in bytes: eight windows of whole words, spread evenly. `mixed = "cut"` looks at everything.
    pub sample_bytes_max: usize,
    /// Take the language that the page declares as a hint where the text leaves a doubt.
    pub trust_declared: bool,
}

impl Default for Langid {
    fn default() -> Langid {
        Langid {
            keep: Vec::new(),
            min_score: None,
            mixed: Mixed::Keep,
            share_min: 0.8,
            second_opinion: false,
            sample_bytes_max: 16_000,
            trust_declared: true,
        }
    }
}

struct Identifying {
    settings: Langid,
    model: Model,
    limits: Limits,
}

fn build(settings: ValueDeserializer<'_>, _: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    let settings = Langid::deserialize(settings)?;
    for (name, value) in [("min_score", settings.min_score.unwrap_or(0.0)), ("share_min", settings.share_min)] {
        if !(0.0..=1.0).contains(&value) {
            return Err(BuildError::Contradiction(format!("`{name}` is {value}, but it is a share between 0 and 1")));
        }
    }
    if settings.sample_bytes_max < 200 {
        return Err(BuildError::Contradiction("`sample_bytes_max` must be at least 200".to_owned()));
    }
    Ok(Box::new(Identifying { settings, model: Model::embedded(), limits: Limits::embedded() }))
}

impl Langid {
    fn wants(&self, lang: &Lang) -> bool {
        self.keep.is_empty() || self.keep.iter().any(|tag| tag == lang.as_str() || tag == lang.primary())
    }

    fn bytes_max(&self) -> usize {
        if self.mixed == Mixed::Cut { usize::MAX } else { self.sample_bytes_max }
    }
}

impl Stage for Identifying {
    fn judge(&self, doc: &mut Document) -> Verdict {
        let declared = doc.declared_lang.as_deref().filter(|_| self.settings.trust_declared).and_then(Declared::read);
        let pieces = sample::windows(&doc.text, WINDOWS, self.settings.bytes_max());
        let Some(mut finding) = identify(&pieces, declared.as_ref(), &self.model) else {
            doc.lang = Some(Lang::undetermined());
            let letters = pieces.iter().any(|(_, piece)| piece.chars().any(char::is_alphabetic));
            return Verdict::drop(if letters { NO_LANGUAGE } else { NO_LETTERS });
        };
        montenegrin::mark(&mut finding, &doc.text);
        let share = finding.parts.first().map_or(1.0, |part| part.share);
        mark(doc, &finding, share);
        self.judge_found(doc, &finding, share)
    }
}

impl Identifying {
    fn judge_found(&self, doc: &mut Document, finding: &Finding, share: f32) -> Verdict {
        let limit = self.settings.min_score.unwrap_or_else(|| self.limits.of(finding.label.tag));
        if finding.score < limit {
            return Verdict::broke(UNSURE, finding.score, limit);
        }
        if !doc.lang.as_ref().is_some_and(|lang| self.settings.wants(lang)) {
            return Verdict::drop(OTHER_LANGUAGE);
        }
        if share < self.settings.share_min {
            match self.settings.mixed {
                Mixed::Keep => {}
                Mixed::Drop => return Verdict::broke(MIXED, share, self.settings.share_min),
                Mixed::Cut => mixed::cut(&mut doc.text, finding),
            }
        }
        if self.settings.second_opinion {
            let sample: Vec<&str> =
                sample::windows(&doc.text, WINDOWS, SECOND_OPINION_BYTES_MAX).into_iter().map(|(_, piece)| piece).collect();
            if second::disagrees(finding.label.tag, &sample.join(" ")) {
                return Verdict::drop(SECOND_OPINION);
            }
        }
        Verdict::Keep
    }
}

/// Writes what was found into the document.
fn mark(doc: &mut Document, finding: &Finding, share: f32) {
    doc.lang = Some(Lang::new(if share < MAIN_SHARE_MIN { "mul" } else { finding.label.tag }));
    doc.script = Some(finding.label.script);
    doc.lang_score = Some(finding.score);
    doc.lang_second = finding.second.map(|(label, score)| LangScore { lang: Lang::new(label.tag), score });
    doc.quality.set(SHARE, share);
    doc.lang_parts = match &finding.parts[..] {
        [_] => Vec::new(),
        parts => parts.iter().map(|part| LangPart { lang: Lang::new(part.label.tag), share: part.share }).collect(),
    };
}
