//! A learned quality score: how likely a text is one of those that somebody called good, by a linear model of hashed words and pairs of words.
//!
//! No recipe has it on and no model lies in the binary, for a score is as good as the heaps that it was learned from: `tamis quality train`
//! makes one from texts that the user names. What it rests on, how it was measured and what it must not be taken for stands in
//! docs/quality.md. [`features`] reads a text, [`model`] is the file and the score, [`head`] what the file says of itself.

pub mod features;
pub mod head;
pub mod model;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::ValueDeserializer;

use self::model::Model;
use crate::doc::Document;
use crate::stage::{BuildError, Field, Resources, Room, Stage, Verdict};
use crate::stages::limits::{Limits, limits};

const NO_MODEL: &str = "no-model";
const SIGNAL: &str = "learned_quality";
/// The settings that only decide; another model measures something else.
const DECIDING: &[&str] = &[DECIDES[0], DECIDES[1], DECIDES[2], "unknown"];

/// Room `learned-quality`.
pub const ROOM: Room = Room {
    name: "learned-quality",
    summary: "scores texts by a model that `tamis quality train` made of good and bad ones, and drops low scores if told to",
    reasons: &[REASONS[0], NO_MODEL],
    signals: &[SIGNAL],
    needs: &[Field::Text, Field::Lang],
    gives: &[],
    schema: || schemars::schema_for!(LearnedQuality),
    build,
};

/// What becomes of documents in a language that the model does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    /// They stay.
    Keep,
    /// They fall.
    Drop,
}

limits! {
    /// Settings of `learned-quality`.
    struct LearnedQuality;
    languages LearnedQualityLanguage;
    room "learned-quality";
    rules {
        /// Least score, from 0 to 1: how likely a text is one of the good ones, if there were as many good as bad. 0 only measures.
        min_score = 0.0, learned_quality below => "too-low";
    }
    settings {
        /// Path of a model that `tamis quality train` wrote. Without one nothing is measured.
        model: Option<String> = None;
        /// What becomes of documents in a language that the model does not know: `keep` or `drop`.
        unknown: Unknown = Unknown::Keep;
    }
}

/// The settings, made ready.
struct Learned {
    model: Option<Model>,
    unknown: Unknown,
    limits: Limits,
}

fn build(settings: ValueDeserializer<'_>, resources: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    let settings: LearnedQuality = serde::Deserialize::deserialize(settings)?;
    let limits = settings.limits()?;
    check_scores(&settings, &limits)?;
    let model = settings.model.as_deref().map(|path| open(path, resources)).transpose()?;
    Ok(Box::new(Learned { model, unknown: settings.unknown, limits }))
}

fn check_scores(settings: &LearnedQuality, limits: &Limits) -> Result<(), BuildError> {
    for place in 0..limits.rules().len() {
        let own = settings.languages.keys().map(|tag| limits.limit(place, tag).0);
        let scores: Vec<f32> = own.chain([limits.limit(place, "und").1]).collect();
        if let Some(score) = scores.iter().find(|score| !(0.0..=1.0).contains(*score)) {
            return Err(BuildError::Contradiction(format!("`min_score` is {score}, but a score lies between 0 and 1")));
        }
        if settings.model.is_none() && scores.iter().any(|score| *score > 0.0) {
            let why = "`min_score` is set, but no `model`; name one, `tamis quality train` makes it".to_owned();
            return Err(BuildError::Contradiction(why));
        }
    }
    match (&settings.model, settings.unknown) {
        (None, Unknown::Drop) => Err(BuildError::Contradiction("`unknown = \"drop\"` without a `model` would drop everything".to_owned())),
        _ => Ok(()),
    }
}

fn open(path: &str, resources: &dyn Resources) -> Result<Model, BuildError> {
    let refuse = |why: String| BuildError::Resource { setting: "model", path: path.to_owned(), why };
    let bytes = resources.read(path).map_err(|error| refuse(error.to_string()))?;
    Model::read(&bytes).map_err(|error| refuse(error.to_string()))
}

impl Stage for Learned {
    fn judge(&self, doc: &mut Document) -> Verdict {
        let lang = doc.lang.as_ref().map_or("", |lang| lang.as_str());
        if let Some(scorer) = self.model.as_ref().and_then(|model| model.scorer(lang)) {
            doc.quality.set(SIGNAL, scorer.score(&doc.text));
        }
        self.verdict(doc)
    }

    fn decide(&self, doc: &Document) -> Option<Verdict> {
        Some(self.verdict(doc))
    }

    fn decides(&self) -> &'static [&'static str] {
        DECIDING
    }

    fn warning(&self) -> Option<String> {
        self.model.is_none().then(|| "it names no `model`, so it measures nothing".to_owned())
    }
}

impl Learned {
    fn verdict(&self, doc: &Document) -> Verdict {
        if self.unknown == Unknown::Drop && doc.quality.get(SIGNAL).is_none() {
            return Verdict::drop(NO_MODEL);
        }
        self.limits.decide(doc)
    }
}

#[cfg(test)]
mod tests {
    use super::head::OfLanguage;
    use super::model::Scorer;
    use super::*;
    use crate::doc::Lang;
    use crate::stage::Finding;

    /// A file with a model that knows Dutch and takes no text for good whose words it has not seen.
    struct Files;

    fn model() -> Model {
        let mut weights = vec![0; 1 << 12];
        features::read("de veerman wacht op de laatste gasten", |hash| weights[features::bucket_of(hash, 1 << 12)] = 100);
        let about = OfLanguage { lang: "nl".to_owned(), buckets: 1 << 12, ..OfLanguage::default() };
        Model::of(vec![(about, Scorer { offset: -1.0, slope: 0.4, weights })])
    }

    impl Resources for Files {
        fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
            match path {
                "nl.model" => Ok(model().to_bytes().expect("a head")),
                "notes.txt" => Ok(b"no model".to_vec()),
                _ => Err(std::io::ErrorKind::NotFound.into()),
            }
        }
    }

    fn stage(table: &str) -> Result<Box<dyn Stage>, String> {
        (ROOM.build)(ValueDeserializer::parse(table).expect("a table"), &Files).map_err(|error| error.to_string())
    }

    fn judged(table: &str, lang: &str, text: &str) -> (Verdict, Option<f32>) {
        let stage = stage(table).expect("the test's settings make sense");
        let mut doc = Document { text: text.to_owned(), lang: Some(Lang::new(lang)), ..Document::default() };
        let verdict = stage.judge(&mut doc);
        assert_eq!(stage.decide(&doc), Some(verdict), "what was measured decides alike");
        (verdict, doc.quality.get(SIGNAL))
    }

    const GOOD: &str =
        "De veerman wacht op de laatste gasten. De veerman wacht op de laatste gasten. De veerman wacht op de laatste gasten.";
    const OTHER: &str = "Inloggen | Winkelwagen | Cookies accepteren | Klantenservice | Nieuwsbrief";

    #[test]
    fn a_low_score_falls_with_value_and_limit_and_a_high_one_stays() {
        let settings = "{ model = 'nl.model', min_score = 0.5 }";
        let (verdict, score) = judged(settings, "nl", GOOD);
        assert!(verdict == Verdict::Keep && score.is_some_and(|score| score > 0.9), "{score:?}");
        let (verdict, score) = judged(settings, "nl", OTHER);
        let Verdict::Drop(dropped) = verdict else { panic!("stays with {score:?}") };
        let finding = Finding { value: score.expect("it was measured"), limit: 0.5 };
        assert_eq!((dropped.reason, dropped.finding), ("too-low", Some(finding)));
    }

    #[test]
    fn without_a_limit_it_only_measures_and_a_language_may_have_its_own() {
        let (verdict, score) = judged("{ model = 'nl.model' }", "nl", OTHER);
        assert!(verdict == Verdict::Keep && score.is_some());
        let own = "{ model = 'nl.model', min_score = 0.5, languages = { nl = { min_score = 0.1 } } }";
        assert_eq!(judged(own, "nl", OTHER).0, Verdict::Keep);
        assert_eq!(judged("{ model = 'nl.model', min_score = 0.5, rules = [] }", "nl", OTHER).0, Verdict::Keep);
    }

    #[test]
    fn a_language_that_the_model_does_not_know_stays_unless_told_otherwise() {
        assert_eq!(judged("{ model = 'nl.model', min_score = 0.9 }", "fy", GOOD), (Verdict::Keep, None));
        assert_eq!(judged("{ model = 'nl.model', unknown = 'drop' }", "fy", GOOD), (Verdict::drop(NO_MODEL), None));
        assert_eq!(judged("{ model = 'nl.model', unknown = 'drop' }", "nl-BE", GOOD).0, Verdict::Keep);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_with_what_to_change() {
        for (table, told) in [
            ("{ model = 'absent.model' }", "cannot use `absent.model`, named by setting `model`"),
            ("{ model = 'notes.txt' }", "`tamis quality train` makes one"),
            ("{ model = 'nl.model', min_score = 80 }", "between 0 and 1"),
            ("{ model = 'nl.model', languages = { nl = { min_score = -1 } } }", "between 0 and 1"),
            ("{ min_score = 0.5 }", "but no `model`"),
            ("{ unknown = 'drop' }", "would drop everything"),
            ("{ unknown = 'ask' }", "unknown variant"),
        ] {
            let said = stage(table).err().unwrap_or_else(|| panic!("{table} was taken"));
            assert!(said.contains(told), "{table}: {said}");
        }
    }

    #[test]
    fn without_a_model_nothing_is_measured_and_the_user_is_told() {
        assert_eq!(judged("{}", "nl", OTHER), (Verdict::Keep, None));
        assert!(stage("{}").expect("defaults").warning().is_some());
        assert!(stage("{ model = 'nl.model' }").expect("a model").warning().is_none());
    }
}
