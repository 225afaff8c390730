//! What a network says of lines that it was not taught.

use crate::classes::Class;
use crate::inputs::{Line, family_of};
use crate::langid::letters::{Alphabet, Family};
use crate::langid::ngrams::read;
use crate::sampler::Rows;
use crate::trainer::Network;

/// A line's label, and how sure the network was.
pub struct Judged<'l> {
    pub line: &'l Line,
    pub tag: &'static str,
    /// Logarithm of the odds of the label against all others of its family.
    pub odds: f64,
    pub features: usize,
}

impl Judged<'_> {
    pub fn gold(&self) -> &str {
        self.line.lang.split('-').next().unwrap_or("")
    }

    pub fn is_right(&self) -> bool {
        self.gold() == self.tag
    }
}

/// Judges all lines of `fold`, or all lines, that are written in a family of scripts.
pub fn judge<'l>(network: &Network, classes: &[Class], lines: &'l [Line], fold: Option<u64>) -> Vec<Judged<'l>> {
    let alphabet = Alphabet::new();
    let mut rows = Rows { family: Family::Latin, rows: network.rows.len() as u64, found: Vec::new() };
    let mut judged = Vec::new();
    for line in lines.iter().filter(|line| fold.is_none_or(|fold| line.fold == fold)) {
        let Some(family) = family_of(&line.text, &alphabet) else { continue };
        rows.family = family;
        rows.found.clear();
        read(&line.text, &alphabet, &mut rows);
        let range = network.range(family);
        let scores = network.scores(&network.hidden(&rows.found), range.clone());
        let Some(best) = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])) else { continue };
        let others: f64 = (0..scores.len())
            .filter(|class| *class != best)
            .map(|class| crate::arithmetic::exp(f64::from(scores[class] - scores[best])))
            .sum();
        judged.push(Judged { line, tag: classes[range.start + best].tag, odds: -others.max(1e-12).ln(), features: rows.found.len() });
    }
    judged
}
