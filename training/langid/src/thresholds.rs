//! For each language the score from which on its labels are right in 99 of 100 cases, on lines that the judging network was not taught.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::calibrate::{LENGTHS, score};
use crate::classes::{Class, full_tag};
use crate::judged::Judged;

const PRECISION: f64 = 0.99;
const SCORE_MIN: f64 = 0.4;
const SCORE_MAX: f64 = 0.9;
const STEP: f64 = 0.05;
/// With fewer labelled lines nothing can be said.
const LINES_MIN: usize = 100;

/// A table: tag, score, labelled lines, wrong ones among those that stay, and how the score was found.
pub fn table(judged: &[Judged], curves: &[(f32, f32); LENGTHS], classes: &[Class]) -> String {
    let running: Vec<&Judged> =
        judged.iter().filter(|one| one.line.set.ends_with("sentences") || one.line.set.ends_with("documents")).collect();
    let mut lines_of: BTreeMap<&str, f64> = BTreeMap::new();
    running.iter().for_each(|one| *lines_of.entry(one.gold()).or_default() += 1.0);
    // Lines of a rare language weigh little, as there are few of its pages.
    let share_of = |tag: &str| classes.iter().find(|class| class.tag == tag).map_or(0.0, |class| f64::from(class.share));
    let mut text = String::from("tag\tmin_score\tlines\twrong\thow\n");
    for class in classes {
        let labelled: Vec<(f64, bool, f64)> = running
            .iter()
            .filter(|one| one.tag == class.tag)
            .map(|one| (score(curves, one), one.is_right(), share_of(one.gold()) / lines_of[one.gold()]))
            .collect();
        let tag = full_tag(class);
        if labelled.len() < LINES_MIN {
            writeln!(text, "{tag}\t{SCORE_MIN:.2}\t{}\t-\ttoo few lines to tell: the least score", labelled.len()).unwrap_or_default();
            continue;
        }
        let (limit, kept, wrong, reached) = limit_of(&labelled);
        let how = if reached { "least score with 99 % right" } else { "99 % right is not reached: the greatest score" };
        writeln!(text, "{tag}\t{limit:.2}\t{kept}\t{wrong}\t{how}").unwrap_or_default();
    }
    text
}

/// The least score whose labels are right often enough, weighed by their language; lines that stay, and wrong ones among them.
fn limit_of(labelled: &[(f64, bool, f64)]) -> (f64, usize, usize, bool) {
    let mut step = 0;
    loop {
        let limit = SCORE_MIN + STEP * f64::from(step);
        let kept: Vec<_> = labelled.iter().filter(|(score, _, _)| *score >= limit).collect();
        let weight = |right: bool| kept.iter().filter(|(_, is_right, _)| *is_right == right).map(|(_, _, weight)| weight).sum::<f64>();
        let precise = weight(true) >= PRECISION * (weight(true) + weight(false));
        if precise || limit + STEP > SCORE_MAX + 1e-9 {
            return (limit, kept.len(), kept.iter().filter(|(_, right, _)| !right).count(), precise);
        }
        step += 1;
    }
}
