//! Limits by language proposed from a sample: where the tail of each signal lies among documents that people would keep.
//!
//! FineWeb-2 sets a limit where it drops the same share of a language as the English one drops of English (Penedo et al. 2025,
//! arXiv:2506.20920, section 4). Here the share is stated, since the sample is one that somebody vouches for. A proposal stays between the
//! limit for all languages and a multiple of it: small samples of small languages have wild tails.

use std::collections::BTreeMap;

use crate::stages::RULED;
use crate::stages::limits::{Rule, Side};

/// How a proposal is found.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// Share of the documents of a language that one rule may drop.
    pub tail: f64,
    /// Fewer documents of a language say nothing.
    pub documents_min: usize,
    /// How many times looser than for all languages a limit may become.
    pub loosen_max: f64,
    /// Whether a limit may become stricter than for all languages; at most as many times.
    pub tighten: bool,
}

impl Default for Method {
    fn default() -> Method {
        Method { tail: 0.02, documents_min: 100, loosen_max: 1.5, tighten: false }
    }
}

/// A limit in force and the one that the sample speaks for.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Proposal {
    /// Room of the rule.
    pub room: &'static str,
    /// Name of the limit.
    pub setting: &'static str,
    /// Language.
    pub lang: String,
    /// Documents of the sample that have the signal.
    pub documents: usize,
    /// The limit that the house ships for the language.
    pub limit: f32,
    /// Documents that break it.
    pub fall: usize,
    /// The limit that is proposed.
    pub proposed: f32,
    /// Documents that would break that one.
    pub would_fall: usize,
}

/// Signals of documents, by language and name.
#[derive(Debug, Default)]
pub struct Sample {
    values: BTreeMap<String, BTreeMap<String, Vec<f32>>>,
}

impl Sample {
    /// Adds a document of language `lang`.
    pub fn add(&mut self, lang: &str, signals: impl IntoIterator<Item = (String, f32)>) {
        let of_lang = self.values.entry(lang.to_owned()).or_default();
        for (signal, value) in signals {
            of_lang.entry(signal).or_default().push(value);
        }
    }

    /// What the sample speaks for where that differs from the limit in force, room by room.
    #[must_use]
    pub fn proposals(&self, method: &Method) -> Vec<Proposal> {
        let mut proposals = Vec::new();
        for (room, limits) in RULED {
            let limits = limits();
            for (place, rule) in limits.rules().iter().enumerate() {
                for (lang, signals) in &self.values {
                    let Some(values) = signals.get(rule.signal).filter(|values| values.len() >= method.documents_min.max(1)) else {
                        continue;
                    };
                    let (limit, for_all) = limits.limit(place, lang);
                    let proposed = proposed(rule.side, values, for_all, method);
                    let falling = |limit: f32| values.iter().filter(|value| breaks(rule, **value, limit)).count();
                    if proposed.to_bits() != limit.to_bits() {
                        let (documents, fall, would_fall) = (values.len(), falling(limit), falling(proposed));
                        let (room, lang) = (room.name, lang.clone());
                        proposals.push(Proposal { room, setting: rule.setting, lang, documents, limit, fall, proposed, would_fall });
                    }
                }
            }
        }
        proposals
    }
}

fn breaks(rule: &Rule, value: f32, limit: f32) -> bool {
    match rule.side {
        Side::Below => value < limit,
        Side::Above => value > limit,
    }
}

/// The limit that leaves a tail of `values` outside, between those that are allowed.
fn proposed(side: Side, values: &[f32], for_all: f32, method: &Method) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let tail = ((sorted.len() as f64 * method.tail) as usize).min(sorted.len() - 1);
    let times = method.loosen_max as f32;
    let (value, loosest, strictest) = match side {
        Side::Above => (rounded(sorted[sorted.len() - 1 - tail], f32::ceil), for_all * times, for_all / times),
        Side::Below => (rounded(sorted[tail], f32::floor), for_all / times, for_all * times),
    };
    let strictest = if method.tighten { strictest } else { for_all };
    value.clamp(loosest.min(strictest), loosest.max(strictest))
}

/// Three digits behind the point, towards the side on which the value itself stays.
fn rounded(value: f32, towards: fn(f32) -> f32) -> f32 {
    towards(value * 1_000.0) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(lang: &str, signal: &str, values: impl IntoIterator<Item = f32>) -> Sample {
        let mut sample = Sample::default();
        values.into_iter().for_each(|value| sample.add(lang, [(signal.to_owned(), value)]));
        sample
    }

    fn of(sample: &Sample, setting: &str, method: &Method) -> Option<Proposal> {
        sample.proposals(method).into_iter().find(|proposal| proposal.setting == setting)
    }

    #[test]
    fn a_limit_that_drops_more_than_the_tail_is_loosened_until_it_does_not() {
        let words = sample("fy", "words", (0..200).map(|n| 40.0 + n as f32));
        let proposal = of(&words, "words_min", &Method::default()).expect("ten documents have fewer than 50 words");
        assert_eq!((proposal.room, proposal.lang.as_str(), proposal.documents), ("gopher-quality", "fy", 200));
        assert_eq!((proposal.limit, proposal.fall), (50.0, 10));
        assert_eq!((proposal.proposed, proposal.would_fall), (44.0, 4));
        let lines = sample("fy", "duplicate_line_fraction", (0..200).map(|n| n as f32 / 500.0));
        let proposal = of(&lines, "duplicate_line_fraction_max", &Method::default()).expect("some repeat more lines");
        assert_eq!((proposal.proposed, proposal.would_fall), (0.39, 4));
    }

    #[test]
    fn wild_tails_few_documents_and_strictness_nobody_asked_for_are_left_out() {
        let wild = sample("fy", "mean_word_chars", (0..200).map(|_| 40.0));
        assert_eq!(of(&wild, "mean_word_chars_max", &Method::default()).map(|proposal| proposal.proposed), Some(15.0));
        assert_eq!(sample("fy", "words", (0..99).map(|_| 3.0)).proposals(&Method::default()), []);
        let long = sample("fy", "words", (0..200).map(|n| 400.0 + n as f32));
        assert_eq!(of(&long, "words_min", &Method::default()), None);
        let tight = Method { tighten: true, ..Method::default() };
        assert_eq!(of(&long, "words_min", &tight).map(|proposal| (proposal.proposed, proposal.would_fall)), Some((75.0, 0)));
    }

    #[test]
    fn what_the_house_ships_for_a_language_is_what_a_proposal_is_held_against() {
        let words = sample("fi", "words", (0..200).map(|n| 41.0 + n as f32));
        let proposal = of(&words, "words_min", &Method::default()).expect("the table says 40");
        assert_eq!((proposal.limit, proposal.fall, proposal.proposed, proposal.would_fall), (40.0, 0, 45.0, 4));
    }
}
