//! How odds become probabilities, by length: a logistic curve for each class of length (Platt 1999), fitted to lines that the judging
//! network was not taught.

use crate::judged::Judged;

/// Classes of length: the logarithm of the number of features to the base 2.
pub const LENGTHS: usize = 12;
/// Fewer lines than this take the curve of the next shorter class.
const LINES_MIN: usize = 300;

/// Offset and slope of each class of length.
pub fn curves(judged: &[Judged], counts: impl Fn(&Judged) -> bool) -> [(f32, f32); LENGTHS] {
    let mut curves = [(0.0, 1.0); LENGTHS];
    for length in 0..LENGTHS {
        let lines: Vec<(f64, f64)> = judged
            .iter()
            .filter(|one| counts(one) && length_of(one.features) == length)
            .map(|one| (one.odds, f64::from(u8::from(one.is_right()))))
            .collect();
        curves[length] = if lines.len() < LINES_MIN { curves[length.max(1) - 1] } else { fit(&lines) };
    }
    curves
}

pub fn length_of(features: usize) -> usize {
    (features.max(1).ilog2() as usize).min(LENGTHS - 1)
}

/// Steps down the logistic loss, with a weak pull towards slope 1, as there may be hardly an error to learn from. The odds are measured
/// from their mean, so that offset and slope do not hinder each other.
fn fit(lines: &[(f64, f64)]) -> (f32, f32) {
    let count = lines.len() as f64;
    let mean = lines.iter().map(|(odds, _)| odds).sum::<f64>() / count;
    let spread = (lines.iter().map(|(odds, _)| (odds - mean) * (odds - mean)).sum::<f64>() / count).sqrt().max(1e-3);
    let (mut level, mut rise) = (mean, spread);
    for _ in 0..3_000 {
        let (mut level_by, mut rise_by) = (0.0, PULL * (rise - spread) / count);
        for (odds, right) in lines {
            let place = (odds - mean) / spread;
            let wrong = 1.0 / (1.0 + crate::arithmetic::exp(-(level + rise * place).clamp(-30.0, 30.0))) - right;
            level_by += wrong / count;
            rise_by += wrong * place / count;
        }
        level -= RATE * level_by;
        rise -= RATE * rise_by;
    }
    let slope = (rise / spread).clamp(0.1, 3.0);
    ((level - slope * mean) as f32, slope as f32)
}

const PULL: f64 = 2.0;
const RATE: f64 = 2.0;

/// The probability that a label is right.
pub fn score(curves: &[(f32, f32); LENGTHS], one: &Judged) -> f64 {
    let (offset, slope) = curves[length_of(one.features)];
    1.0 / (1.0 + crate::arithmetic::exp(-(f64::from(offset) + f64::from(slope) * one.odds)))
}
