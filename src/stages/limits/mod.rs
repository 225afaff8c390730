//! Thresholds as rooms of rules share them: signals are measured first, then a table says which value breaks which limit.
//!
//! A limit holds for every language unless somebody knows better, and what a recipe states always wins over what the house ships:
//! recipe for the language, recipe for all, house for the language, house for all. All signals of a room are measured before its
//! first rule is asked, so a document carries the same signals whether it stays or falls. A rule whose signal was not measured
//! (no stop-word list for the language) does not apply. Macro [`limits!`](crate::stages::limits::limits) writes the settings struct,
//! the overrides and the table from one list of lines, so that no limit can be forgotten in one of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::doc::Document;
use crate::stage::{BuildError, Verdict};

mod shipped;

pub use shipped::Shipped;

/// A threshold, and whether the recipe states it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    value: f64,
    stated: bool,
}

impl Limit {
    /// A threshold that the house ships.
    #[must_use]
    pub const fn shipped(value: f64) -> Limit {
        Limit { value, stated: false }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Limit, D::Error> {
        Ok(Limit { value: f64::deserialize(deserializer)?, stated: true })
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        f64::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        f64::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}

/// Which side of a limit is wrong. A value equal to its limit stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Values smaller than the limit fall.
    Below,
    /// Values greater than the limit fall.
    Above,
}

/// One line of a table: the signal, the limit that it must not break, and the reason if it does.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Name of the limit in the settings.
    pub setting: &'static str,
    /// Name of the signal among the document's `quality` marks.
    pub signal: &'static str,
    /// The wrong side.
    pub side: Side,
    /// Why a document falls by this rule.
    pub reason: &'static str,
    /// Limit for languages that have none of their own.
    pub limit: Limit,
}

/// The rules of a room with the limits of every language worked out.
#[derive(Clone, Debug)]
pub struct Limits {
    rules: Vec<Rule>,
    base: Vec<f32>,
    languages: BTreeMap<String, Vec<f32>>,
}

impl Limits {
    /// Works out the limits of `rules`, of which only those whose reasons are `wanted` are in force (all of them for `None`).
    /// `stated` has a value a rule, in their order, for the languages that the recipe names.
    ///
    /// # Errors
    /// A wanted reason that no rule has; a language that is no tag; a limit that is not a number; a smallest value above the greatest.
    pub fn new(
        rules: &[Rule],
        wanted: Option<&[String]>,
        stated: &BTreeMap<String, Vec<Option<f64>>>,
        shipped: &Shipped,
    ) -> Result<Limits, BuildError> {
        check_wanted(rules, wanted)?;
        let base = rules.iter().map(|rule| rule.limit.value).collect::<Vec<_>>();
        check_values("all languages", rules, &base)?;
        let mut languages = BTreeMap::new();
        for tag in stated.keys().map(String::as_str).chain(shipped.languages()) {
            check_tag(tag)?;
            let values: Vec<f64> = (0..rules.len()).map(|place| resolve(rules, place, tag, stated, shipped)).collect();
            check_values(tag, rules, &values)?;
            languages.insert(tag.to_owned(), values);
        }
        let in_force: Vec<bool> =
            rules.iter().map(|rule| wanted.is_none_or(|wanted| wanted.iter().any(|name| name == rule.reason))).collect();
        let narrow = |values: Vec<f64>| values.into_iter().zip(&in_force).filter(|(_, on)| **on).map(|(value, _)| single(value)).collect();
        Ok(Limits {
            rules: rules.iter().zip(&in_force).filter(|(_, on)| **on).map(|(rule, _)| *rule).collect(),
            base: narrow(base),
            languages: languages.into_iter().map(|(tag, values)| (tag, narrow(values))).collect(),
        })
    }

    /// Judges `doc` by the signals that it carries: the first rule that it breaks, in the table's order.
    pub fn decide(&self, doc: &Document) -> Verdict {
        let limits = self.of(doc.lang.as_ref().map_or("", |lang| lang.as_str()));
        for (rule, &limit) in self.rules.iter().zip(limits) {
            let Some(value) = doc.quality.get(rule.signal) else { continue };
            let broken = match rule.side {
                Side::Below => value < limit,
                Side::Above => value > limit,
            };
            if broken {
                return Verdict::broke(rule.reason, value, limit);
            }
        }
        Verdict::Keep
    }

    /// The rules in force, in the order in which they are asked.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The limit of rule number `place` for language `tag`, and that for languages without one of their own.
    #[must_use]
    pub fn limit(&self, place: usize, tag: &str) -> (f32, f32) {
        (self.of(tag)[place], self.base[place])
    }

    /// The limits for language `tag`: its own, else those of the tag without its last part, else those for all.
    fn of(&self, tag: &str) -> &[f32] {
        parents(tag).find_map(|tag| self.languages.get(tag)).unwrap_or(&self.base)
    }
}

/// `sr-Latn-RS`, `sr-Latn`, `sr`.
fn parents(tag: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(tag), |tag| tag.rsplit_once('-').map(|(parent, _)| parent))
}

/// The limit of rule number `place` for language `tag`.
fn resolve(rules: &[Rule], place: usize, tag: &str, stated: &BTreeMap<String, Vec<Option<f64>>>, shipped: &Shipped) -> f64 {
    let rule = &rules[place];
    if let Some(value) = parents(tag).find_map(|tag| stated.get(tag)?[place]) {
        return value;
    }
    if rule.limit.stated {
        return rule.limit.value;
    }
    parents(tag).find_map(|tag| shipped.limit(rule.setting, tag)).unwrap_or(rule.limit.value)
}

/// The value as signals are kept, so that the numbers that a reader finds in a shard decide as the room did.
fn single(value: f64) -> f32 {
    value as f32
}

fn check_wanted(rules: &[Rule], wanted: Option<&[String]>) -> Result<(), BuildError> {
    for name in wanted.unwrap_or_default() {
        if !rules.iter().any(|rule| rule.reason == name) {
            let known = rules.iter().map(|rule| rule.reason).collect::<Vec<_>>().join(", ");
            return Err(BuildError::Contradiction(format!("setting `rules` names `{name}`; the rules are {known}")));
        }
    }
    Ok(())
}

fn check_tag(tag: &str) -> Result<(), BuildError> {
    let primary = tag.split('-').next().unwrap_or("");
    if (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(());
    }
    Err(BuildError::Contradiction(format!("`languages.{tag}` is no language tag; write for example `languages.fi` or `languages.sr-Latn`")))
}

fn check_values(tag: &str, rules: &[Rule], values: &[f64]) -> Result<(), BuildError> {
    for (rule, value) in rules.iter().zip(values) {
        if value.is_nan() {
            return Err(BuildError::Contradiction(format!("`{}` is not a number for {tag}", rule.setting)));
        }
        let least = rules.iter().zip(values).find(|(other, _)| other.signal == rule.signal && other.side == Side::Below);
        if let (Side::Above, Some((smallest, least))) = (rule.side, least)
            && least > value
        {
            let (low, high) = (smallest.setting, rule.setting);
            return Err(BuildError::Contradiction(format!("`{low}` = {least} is above `{high}` = {value} for {tag}: nothing would stay")));
        }
    }
    Ok(())
}

/// Writes the settings of a room of rules, from lines `limit = value, signal below|above => "reason";`, and further settings.
///
/// `struct` names the settings, `languages` the same limits for one language. The settings get `fn limits(&self) -> Result<Limits, BuildError>`,
/// and the module `REASONS`.
macro_rules! limits {
    (
        $(#[$about:meta])* struct $settings:ident; languages $own:ident; room $room:literal;
        rules { $( $(#[$doc:meta])* $limit:ident = $value:literal, $signal:ident $side:ident => $reason:literal; )+ }
        settings { $( $(#[$further_doc:meta])* $further:ident: $type:ty = $default:expr; )* }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $settings {
            $( $(#[$doc])* pub $limit: $crate::stages::limits::Limit, )+
            $( $(#[$further_doc])* pub $further: $type, )*
            /// The rules in force, by their reasons; all of them where this is left out. Signals are measured in any case, so `[]` only
            /// measures.
            pub rules: Option<Vec<String>>,
            /// Limits for single languages, by tag: `languages.fi.mean_word_chars_max = 14`. They go before the limits above, and those go
            /// before the values by language that the program ships.
            pub languages: std::collections::BTreeMap<String, $own>,
        }

        /// Limits for one language; those left out are as for all languages.
        #[derive(Debug, Clone, Default, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $own {
            $( $(#[$doc])* pub $limit: Option<f64>, )+
        }

        impl Default for $settings {
            fn default() -> $settings {
                $settings {
                    $( $limit: $crate::stages::limits::Limit::shipped($value), )+
                    $( $further: $default, )*
                    rules: None,
                    languages: std::collections::BTreeMap::new(),
                }
            }
        }

        impl $settings {
            fn limits(&self) -> Result<$crate::stages::limits::Limits, $crate::stage::BuildError> {
                let rules = [ $( $crate::stages::limits::Rule {
                    setting: stringify!($limit),
                    signal: stringify!($signal),
                    side: $crate::stages::limits::limits!(@side $side),
                    reason: $reason,
                    limit: self.$limit,
                }, )+ ];
                let stated = self.languages.iter().map(|(tag, own)| (tag.clone(), vec![ $( own.$limit, )+ ])).collect();
                $crate::stages::limits::Limits::new(&rules, self.rules.as_deref(), &stated, &$crate::stages::limits::Shipped::of($room))
            }
        }

        /// The rules with the limits that the house ships.
        ///
        /// # Panics
        /// Never: a test reads the table of limits.
        #[must_use]
        pub fn house_limits() -> $crate::stages::limits::Limits {
            $settings::default().limits().expect("the table of limits is part of the program, and a test reads it")
        }

        /// Every reason for which the room drops, in the order in which the rules are asked.
        const REASONS: &[&str] = &[ $( $reason, )+ ];

        /// The settings that only decide: the limits, and which of them are in force for whom.
        const DECIDES: &[&str] = &[ $( stringify!($limit), )+ "rules", "languages" ];
    };
    (@side below) => { $crate::stages::limits::Side::Below };
    (@side above) => { $crate::stages::limits::Side::Above };
}
pub(crate) use limits;

/// Trials of a room of rules, for the tests of each.
#[cfg(test)]
pub mod trial {
    use crate::doc::{Document, Lang};
    use crate::stage::{Resources, Room, Stage, Verdict};

    struct NoFiles;

    impl Resources for NoFiles {
        fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
            panic!("rooms of rules read no files, and this one wants {path}")
        }
    }

    /// The stage of `room` with `settings`, written as in a recipe, or why there is none.
    pub fn stage(room: &Room, settings: &str) -> Result<Box<dyn Stage>, String> {
        let table: toml::Table = settings.parse().expect("the test's settings are TOML");
        let value = toml::Value::Table(table).to_string();
        let value = toml::de::ValueDeserializer::parse(&value).expect("a table that was just written");
        (room.build)(value, &NoFiles).map_err(|error| error.to_string())
    }

    /// What becomes of `text`, and the verdict.
    pub fn judged(room: &Room, settings: &str, lang: &str, text: &str) -> (String, Verdict) {
        let stage = stage(room, settings).expect("the test's settings make sense");
        let mut doc = Document { text: text.to_owned(), lang: Some(Lang::new(lang)), ..Document::default() };
        let verdict = stage.judge(&mut doc);
        let set: Vec<&str> = doc.quality.iter().map(|(signal, _)| signal).collect();
        for signal in room.signals.iter().filter(|signal| !["stop_words", "function_word_fraction"].contains(signal)) {
            assert!(set.contains(signal), "{signal} was not measured");
        }
        assert!(set.iter().all(|signal| room.signals.contains(signal)), "{set:?} has more than the room lists");
        assert!(doc.quality.iter().all(|(_, value)| value.is_finite()), "{:?}", doc.quality);
        (doc.text, verdict)
    }

    /// Asserts that `text` falls for `reason`.
    pub fn falls(room: &Room, settings: &str, lang: &str, text: &str, reason: &str) {
        assert!(room.reasons.contains(&reason), "{reason} is not listed");
        match judged(room, settings, lang, text).1 {
            Verdict::Drop(dropped) => {
                assert_eq!((dropped.reason, dropped.finding.is_some()), (reason, true), "{:?}: {text}", dropped.finding)
            }
            Verdict::Keep => panic!("stays, and should fall for {reason}: {text}"),
        }
    }

    /// Asserts that `text` stays.
    pub fn stays(room: &Room, settings: &str, lang: &str, text: &str) {
        assert_eq!(judged(room, settings, lang, text).1, Verdict::Keep, "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc::Lang;

    const RULES: [Rule; 2] = [
        Rule { setting: "words_min", signal: "words", side: Side::Below, reason: "too-few-words", limit: Limit::shipped(50.0) },
        Rule { setting: "words_max", signal: "words", side: Side::Above, reason: "too-many-words", limit: Limit::shipped(90.0) },
    ];
    const SHIPPED: &str = "-\twords_min\tfi\t40\t50\t?\n-\twords_min\tsr\t30\t50\t?\n-\twords_min\tsr-Latn\t20\t50\t?";

    fn fate(limits: &Limits, lang: &str, words: f32) -> Option<&'static str> {
        let mut doc = Document { lang: Some(Lang::new(lang)), ..Document::default() };
        doc.quality.set("words", words);
        match limits.decide(&doc) {
            Verdict::Keep => None,
            Verdict::Drop(dropped) => Some(dropped.reason),
        }
    }

    fn stated(values: &[(&str, [Option<f64>; 2])]) -> BTreeMap<String, Vec<Option<f64>>> {
        values.iter().map(|(tag, own)| ((*tag).to_owned(), own.to_vec())).collect()
    }

    #[test]
    fn a_value_equal_to_its_limit_stays_and_a_rule_without_a_signal_does_not_apply() {
        let limits = Limits::new(&RULES, None, &BTreeMap::new(), &Shipped::parse(SHIPPED, "-")).expect("sound");
        assert_eq!(fate(&limits, "de", 49.0), Some("too-few-words"));
        assert_eq!(fate(&limits, "de", 50.0), None);
        assert_eq!(fate(&limits, "de", 90.0), None);
        assert_eq!(fate(&limits, "de", 91.0), Some("too-many-words"));
        assert_eq!(limits.decide(&Document::default()), Verdict::Keep);
    }

    #[test]
    fn a_language_goes_by_its_own_limits_its_parent_tag_or_those_for_all() {
        let limits = Limits::new(&RULES, None, &BTreeMap::new(), &Shipped::parse(SHIPPED, "-")).expect("sound");
        for (lang, least) in
            [("fi", 40.0), ("sr", 30.0), ("sr-Cyrl", 30.0), ("sr-Latn", 20.0), ("sr-Latn-RS", 20.0), ("de", 50.0), ("und", 50.0)]
        {
            assert_eq!(fate(&limits, lang, least), None, "{lang}");
            assert_eq!(fate(&limits, lang, least - 1.0), Some("too-few-words"), "{lang}");
        }
    }

    #[test]
    fn what_the_recipe_states_goes_before_what_the_house_ships() {
        let mut rules = RULES;
        rules[0].limit = Limit { value: 60.0, stated: true };
        let own = stated(&[("fi", [None, Some(80.0)]), ("sr", [Some(10.0), None])]);
        let limits = Limits::new(&rules, None, &own, &Shipped::parse(SHIPPED, "-")).expect("sound");
        assert_eq!(fate(&limits, "de", 55.0), Some("too-few-words"));
        assert_eq!(fate(&limits, "fi", 55.0), Some("too-few-words"));
        assert_eq!(fate(&limits, "fi", 85.0), Some("too-many-words"));
        assert_eq!(fate(&limits, "sr-Latn", 15.0), None);
    }

    #[test]
    fn only_wanted_rules_are_in_force() {
        let few = ["too-few-words".to_owned()];
        let limits = Limits::new(&RULES, Some(&few), &BTreeMap::new(), &Shipped::parse(SHIPPED, "-")).expect("sound");
        assert_eq!(fate(&limits, "de", 49.0), Some("too-few-words"));
        assert_eq!(fate(&limits, "de", 91.0), None);
        let none = Limits::new(&RULES, Some(&[]), &BTreeMap::new(), &Shipped::parse(SHIPPED, "-")).expect("sound");
        assert_eq!(fate(&none, "fi", 1.0), None);
    }

    #[test]
    fn limits_that_make_no_sense_are_refused_with_what_to_change() {
        let refusal = |wanted: Option<&[String]>, own| match Limits::new(&RULES, wanted, &stated(own), &Shipped::parse(SHIPPED, "-")) {
            Ok(_) => panic!("accepted"),
            Err(error) => error.to_string(),
        };
        assert_eq!(
            refusal(Some(&["too-few-wrods".to_owned()]), &[]),
            "setting `rules` names `too-few-wrods`; the rules are too-few-words, too-many-words"
        );
        assert!(refusal(None, &[("Finnish", [None, None])]).starts_with("`languages.Finnish` is no language tag"));
        assert_eq!(refusal(None, &[("fi", [Some(99.0), None])]), "`words_min` = 99 is above `words_max` = 90 for fi: nothing would stay");
        assert_eq!(refusal(None, &[("fi", [Some(f64::NAN), None])]), "`words_min` is not a number for fi");
    }
}
