//! From evidence to labels: of each segment, of the whole text, and how sure that is.
//!
//! The script names the candidates. Where several languages share it, a segment takes the language of the whole text's evidence unless it
//! is sure of another: a paragraph alone cannot tell Croatian from Bosnian, but it can tell English. The language with the largest share
//! of the letters is the text's; what is told of it (score, runner-up) comes from the evidence of its own segments.

use super::declared::Declared;
use super::letters::Family;
use super::model::{Evidence, Model};
use super::scripts::only_language;
use super::segments::{Segment, segments};

/// A language and the script that it is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// BCP 47.
    pub(super) tag: &'static str,
    /// ISO 15924.
    pub(super) script: &'static str,
}

/// A language's part of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) label: Label,
    /// Of the letters that have a language, 0 to 1.
    pub(super) share: f32,
}

/// What is known of a text's language.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    pub(super) label: Label,
    /// The probability that the label is right.
    pub(super) score: f32,
    /// The next likely language of the same letters, with its probability.
    pub(super) second: Option<(Label, f32)>,
    /// The languages of the text, the largest first.
    pub(super) parts: Vec<Part>,
    /// Segments of running text with their labels, in the order of the text.
    pub(super) segments: Vec<(std::ops::Range<usize>, Label)>,
}

/// Running text with fewer bytes of letters than this does not outvote the short lines around it.
const RUNNING_LETTER_BYTES_MIN: u32 = 120;
/// By so much another language must fit a segment better than the text's does, in logarithms of odds before calibration. An English
/// paragraph in a German text differs by 20 and more, a Croatian one in a Serbian text by less than 10. With 6, a hundredth more of 4,000
/// real pages were called English for the English that they quote.
const SEGMENT_ODDS_MIN: f32 = 16.0;
/// And it must have so many bytes of letters.
const SEGMENT_LETTER_BYTES_MIN: u32 = 80;

/// The language of `pieces` of a text, each with its place in it; `None` where it has none.
pub(super) fn identify(pieces: &[(usize, &str)], declared: Option<&Declared>, model: &Model) -> Option<Finding> {
    let found = segments(pieces, model);
    let running: u32 = found.running.iter().filter(|segment| segment.is_language()).map(Segment::letter_bytes).sum();
    let scraps_count = running < RUNNING_LETTER_BYTES_MIN.max(found.scraps.letter_bytes() / 4);
    let scraps = scraps_count.then_some(&found.scraps);
    let voters: Vec<&Segment> = found.running.iter().chain(scraps).filter(|segment| segment.is_language()).collect();
    let firsts = firsts_of(&voters, declared, model);
    let labels: Vec<Option<Label>> = voters.iter().map(|segment| label_of(segment, &firsts, model)).collect();
    let parts = parts_of(&voters, &labels);
    let main = parts.first()?.label;
    let mut finding = judge(main, &voters, &labels, declared, model);
    let ranges = voters.iter().map(|segment| segment.range.clone());
    finding.segments =
        ranges.zip(&labels).filter(|(range, _)| !range.is_empty()).filter_map(|(range, label)| Some((range, (*label)?))).collect();
    finding.parts = parts;
    // The evidence of all its segments may tell the main language better than each alone: then its parts bear the better name.
    let better = std::mem::replace(&mut finding.label, main);
    finding.rename(better);
    Some(finding)
}

impl Finding {
    /// Gives the main language another name, in its parts and segments too.
    pub(super) fn rename(&mut self, now: Label) {
        let was = std::mem::replace(&mut self.label, now);
        for label in self.parts.iter_mut().map(|part| &mut part.label).chain(self.segments.iter_mut().map(|(_, label)| label)) {
            if *label == was {
                *label = now;
            }
        }
    }
}

/// The likeliest language of each family by the evidence of all segments.
fn firsts_of(voters: &[&Segment], declared: Option<&Declared>, model: &Model) -> [Option<usize>; Family::ALL.len()] {
    Family::ALL.map(|family| {
        let evidence = joined(voters.iter().copied(), family);
        (evidence.features > 0).then(|| Ranking::new(family, &evidence, declared, model).first)
    })
}

fn joined<'s>(segments: impl Iterator<Item = &'s Segment>, family: Family) -> Evidence {
    let mut all = Evidence::NONE;
    segments.for_each(|segment| all.join(&segment.families[family as usize]));
    all
}

fn family_of(script: &str) -> Option<Family> {
    Family::ALL.into_iter().find(|family| family.script() == script)
}

fn label_of(segment: &Segment, firsts: &[Option<usize>; Family::ALL.len()], model: &Model) -> Option<Label> {
    let (script, _) = segment.script()?;
    let Some(family) = family_of(script) else {
        return only_language(script).map(|tag| Label { tag, script });
    };
    let first = firsts[family as usize]?;
    let class = another(&segment.families[family as usize], family, first, model).unwrap_or(first);
    Some(Label { tag: model.classes(family)[class].tag, script })
}

/// The language that a segment is sure of, where it is another than `first`.
fn another(evidence: &Evidence, family: Family, first: usize, model: &Model) -> Option<usize> {
    if evidence.letter_bytes < SEGMENT_LETTER_BYTES_MIN {
        return None;
    }
    let scores = model.scores(family, evidence);
    let own = largest(&scores, usize::MAX);
    (scores[own] - scores[first] >= SEGMENT_ODDS_MIN).then_some(own)
}

/// Labels with their shares of the letters, the largest first.
fn parts_of(voters: &[&Segment], labels: &[Option<Label>]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut all = 0;
    for (segment, label) in voters.iter().zip(labels) {
        let Some(label) = *label else { continue };
        all += segment.letter_bytes();
        match parts.iter_mut().find(|part| part.label == label) {
            Some(part) => part.share += segment.letter_bytes() as f32,
            None => parts.push(Part { label, share: segment.letter_bytes() as f32 }),
        }
    }
    parts.iter_mut().for_each(|part| part.share /= all.max(1) as f32);
    parts.sort_by(|a, b| b.share.total_cmp(&a.share));
    parts
}

/// How sure the label `main` is by the evidence of the segments that bear it.
fn judge(main: Label, voters: &[&Segment], labels: &[Option<Label>], declared: Option<&Declared>, model: &Model) -> Finding {
    let own = voters.iter().zip(labels).filter(|(_, label)| **label == Some(main)).map(|(segment, _)| *segment);
    let finding = |label, score, second| Finding { label, score, second, parts: Vec::new(), segments: Vec::new() };
    let Some(family) = family_of(main.script) else {
        let (letters, in_script) = own.fold((0.0, 0.0), |(letters, in_script), segment| {
            let all = segment.letter_bytes() as f32;
            (letters + all, in_script + all * segment.script().map_or(0.0, |(_, share)| share))
        });
        return finding(main, in_script / letters, None);
    };
    let evidence = joined(own, family);
    let ranking = Ranking::new(family, &evidence, declared, model);
    let label = |class: usize| Label { tag: model.classes(family)[class].tag, script: main.script };
    finding(label(ranking.first), ranking.score, Some((label(ranking.second), ranking.second_score)))
}

/// The two likeliest languages of a family with their probabilities.
struct Ranking {
    first: usize,
    score: f32,
    second: usize,
    second_score: f32,
}

impl Ranking {
    fn new(family: Family, evidence: &Evidence, declared: Option<&Declared>, model: &Model) -> Ranking {
        let (offset, slope) = model.calibration(evidence.features);
        let mut scores = model.scores(family, evidence);
        if let Some(declared) = declared {
            for (score, class) in scores.iter_mut().zip(model.classes(family)) {
                *score += declared.shift(class.tag) / slope;
            }
        }
        let first = largest(&scores, usize::MAX);
        let second = largest(&scores, first);
        let most = scores[first];
        let sum_of_others: f32 =
            scores.iter().enumerate().filter(|(class, _)| *class != first).map(|(_, score)| (score - most).exp()).sum();
        let second_of_others = (scores[second] - most).exp() / sum_of_others.max(f32::MIN_POSITIVE);
        let score = 1.0 / (1.0 + (slope * sum_of_others.max(1e-12).ln() - offset).exp());
        Ranking { first, score, second, second_score: (1.0 - score) * second_of_others.min(1.0) }
    }
}

/// The largest of `scores` but for the one at `not`.
fn largest(scores: &[f32], not: usize) -> usize {
    (0..scores.len()).filter(|class| *class != not).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap_or(0)
}
