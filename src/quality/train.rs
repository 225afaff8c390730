//! Logistic regression on hashed features, one language at a time: the same examples give the same weights, on any machine.
//!
//! Stochastic gradient descent with a rate for each weight (AdaGrad, Duchi et al. 2011, JMLR 12). Good and bad examples weigh the same in
//! all, however many there are of each. Some examples are set apart: they say after each round whether to go on, and at the end they set
//! slope and offset, so that the score is a probability and not only an order (Platt 1999). The order of examples is fixed, and only
//! additions, multiplications, divisions and square roots are used, which every machine rounds alike.

use super::bad_and_good;
use crate::stages::learned::features::{bucket_of, read};
use crate::stages::learned::model::{Scorer, probability, share_of};

/// Rounds through all examples, at most.
const ROUNDS_MAX: usize = 30;
/// Training ends after so many rounds that brought nothing.
const PATIENCE: usize = 3;
/// The first step of a weight. From 1 to 3 the outcome is about the same.
const RATE: f64 = 2.0;
/// The step of the offset.
const OFFSET_RATE: f64 = 0.01;
/// Newton steps of the calibration; some five are enough.
const CALIBRATION_STEPS: usize = 50;
/// The greatest weight of a byte.
const WEIGHT_MAX: f32 = 127.0;

/// A text as it is learned from.
#[derive(Clone, Debug)]
pub struct Example {
    /// Buckets in order, each with how much of the text falls into it.
    features: Vec<(u32, f32)>,
    /// Whether it is a good text.
    pub good: bool,
}

impl Example {
    /// `text`, in so many buckets.
    #[must_use]
    pub fn of(text: &str, good: bool, buckets: usize) -> Example {
        let mut places: Vec<u32> = Vec::new();
        read(text, |hash| places.push(bucket_of(hash, buckets) as u32));
        places.sort_unstable();
        let all = places.len();
        let features = places.chunk_by(|a, b| a == b).map(|same| (same[0], share_of(same.len(), all) as f32)).collect();
        Example { features, good }
    }

    fn sum(&self, weights: &[f32]) -> f64 {
        self.features.iter().map(|(bucket, share)| f64::from(weights[*bucket as usize] * share)).sum()
    }

    fn truth(&self) -> f64 {
        f64::from(u8::from(self.good))
    }
}

/// How much a bad and a good example weigh, so that both kinds weigh the same in all.
fn kinds(examples: &[Example]) -> [f64; 2] {
    let half = examples.len() as f64 / 2.0;
    bad_and_good(examples.iter().map(|example| example.good)).map(|count| half / count.max(1) as f64)
}

/// Weights while they are learned.
struct Learning {
    weights: Vec<f32>,
    /// The sum of the squares of each weight's gradients.
    steepness: Vec<f32>,
    offset: f64,
}

impl Learning {
    fn guess(&self, example: &Example) -> f64 {
        probability(self.offset + example.sum(&self.weights))
    }

    fn step(&mut self, example: &Example, weight: f64) {
        let slope = (self.guess(example) - example.truth()) * weight;
        self.offset -= OFFSET_RATE * slope;
        for (bucket, share) in &example.features {
            let at = *bucket as usize;
            let gradient = slope as f32 * share;
            self.steepness[at] += gradient * gradient;
            self.weights[at] -= RATE as f32 * gradient / self.steepness[at].sqrt();
        }
    }

    /// How far the guesses are from the truth (Brier 1950), both kinds of equal weight.
    fn miss(&self, examples: &[Example]) -> f64 {
        let kinds = kinds(examples);
        let miss = |example: &Example| {
            let miss = self.guess(example) - example.truth();
            miss * miss * kinds[usize::from(example.good)]
        };
        examples.iter().map(miss).sum()
    }
}

/// Learns from `examples`, in their order; those set `apart` say when to stop and set slope and offset.
#[must_use]
pub fn fit(examples: &[Example], apart: &[Example], buckets: usize) -> Scorer {
    let kinds = kinds(examples);
    let mut learning = Learning { weights: vec![0.0; buckets], steepness: vec![1e-6; buckets], offset: 0.0 };
    let (mut best, mut least, mut best_round) = (learning.weights.clone(), f64::MAX, 0);
    for round in 0..ROUNDS_MAX {
        for example in examples {
            learning.step(example, kinds[usize::from(example.good)]);
        }
        let miss = learning.miss(apart);
        if miss < least {
            (least, best_round) = (miss, round);
            best.copy_from_slice(&learning.weights);
        } else if round >= best_round + PATIENCE {
            break;
        }
    }
    calibrated(&best, apart)
}

/// Weights cut to a byte each, with slope and offset that make a probability of their mean.
fn calibrated(weights: &[f32], apart: &[Example]) -> Scorer {
    let greatest = weights.iter().fold(f32::MIN_POSITIVE, |greatest, weight| greatest.max(weight.abs()));
    let weights: Vec<i8> = weights.iter().map(|weight| (weight / greatest * WEIGHT_MAX).round() as i8).collect();
    let cut: Vec<f32> = weights.iter().map(|weight| f32::from(*weight)).collect();
    let sums: Vec<(f64, bool)> = apart.iter().map(|example| (example.sum(&cut), example.good)).collect();
    let (slope, offset) = platt(&sums);
    Scorer { offset: offset as f32, slope: slope as f32, weights }
}

/// Slope and offset of a logistic curve through `sums`, both kinds of equal weight, with Platt's targets, which leave room for doubt.
fn platt(sums: &[(f64, bool)]) -> (f64, f64) {
    let good = sums.iter().filter(|(_, good)| *good).count() as f64;
    let bad = sums.len() as f64 - good;
    let (target_good, target_bad) = ((good + 1.0) / (good + 2.0), 1.0 / (bad + 2.0));
    let spread = sums.iter().fold(1e-9_f64, |spread, (sum, _)| spread.max(sum.abs()));
    let (mut slope, mut offset) = (0.0, 0.0);
    for _ in 0..CALIBRATION_STEPS {
        // Gradient and curvature; a little is added to the latter, for sums that a line parts without an error.
        let (mut to_slope, mut to_offset, mut ss, mut so, mut oo) = (0.0, 0.0, 1e-3, 0.0, 1e-3);
        for (sum, is_good) in sums {
            let sum = sum / spread;
            let (target, weight) = if *is_good { (target_good, 0.5 / good) } else { (target_bad, 0.5 / bad) };
            let guess = probability(slope * sum + offset);
            let (miss, curve) = ((guess - target) * weight, guess * (1.0 - guess) * weight);
            to_slope += miss * sum;
            to_offset += miss;
            ss += curve * sum * sum;
            so += curve * sum;
            oo += curve;
        }
        let determinant = ss * oo - so * so;
        slope -= (oo * to_slope - so * to_offset) / determinant;
        offset -= (ss * to_offset - so * to_slope) / determinant;
    }
    (slope / spread, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKETS: usize = 1 << 14;
    const GOOD: [&str; 5] = [
        "Kalastaja lähti aamulla järvelle ja palasi illalla verkko täynnä.",
        "Lapset kävelivät koulusta kotiin lumisen metsän halki.",
        "Kirjasto avattiin uudelleen, kun katto oli saatu korjattua.",
        "Vanha mylly jauhoi viljaa vielä sotien jälkeen.",
        "Kylän väki kokoontui rantaan katsomaan veneiden lähtöä.",
    ];
    const BAD: [&str; 5] = [
        "Osta nyt! Tarjous! Lisää ostoskoriin | Kassalle | Kirjaudu",
        "Etusivu | Tuotteet | Ota yhteyttä | Evästeet | Hyväksy kaikki",
        "Halvin hinta! Klikkaa tästä! Ilmainen toimitus! Osta nyt!",
        "Kirjaudu sisään | Unohditko salasanan | Rekisteröidy",
        "Jaa Facebookissa | Jaa Twitterissä | Tulosta | Lähetä",
    ];

    /// Texts of some sentences each, so that no two are equal.
    fn texts(sentences: &[&str; 5], count: usize, from: usize) -> Vec<String> {
        let sentence = |number: usize, k: usize| sentences[(number / 5_usize.pow(k as u32) + k) % 5];
        (from..from + count).map(|number| (0..4).map(|k| sentence(number, k)).collect::<Vec<_>>().join("\n")).collect()
    }

    fn examples(good: usize, bad: usize, from: usize) -> Vec<Example> {
        let good = texts(&GOOD, good, from).into_iter().map(|text| Example::of(&text, true, BUCKETS));
        let mut all: Vec<Example> = good.chain(texts(&BAD, bad, from).into_iter().map(|text| Example::of(&text, false, BUCKETS))).collect();
        let half = all.len() / 2;
        all = (0..half).flat_map(|place| [all[place].clone(), all[place + half].clone()]).collect();
        all
    }

    #[test]
    fn what_was_learned_is_told_apart_and_the_same_examples_give_the_same_weights() {
        let (learned, apart) = (examples(80, 80, 0), examples(20, 20, 200));
        let scorer = fit(&learned, &apart, BUCKETS);
        for text in texts(&GOOD, 30, 300) {
            assert!(scorer.score(&text) > 0.8, "{} {text}", scorer.score(&text));
        }
        for text in texts(&BAD, 30, 300) {
            assert!(scorer.score(&text) < 0.2, "{} {text}", scorer.score(&text));
        }
        assert_eq!(fit(&learned, &apart, BUCKETS), scorer);
    }

    #[test]
    fn a_tenfold_majority_does_not_move_the_middle() {
        let (even, odd) = (fit(&examples(40, 40, 0), &examples(20, 20, 200), BUCKETS), {
            let mut learned = examples(40, 40, 0);
            learned.extend(texts(&GOOD, 360, 40).iter().map(|text| Example::of(text, true, BUCKETS)));
            fit(&learned, &examples(20, 20, 450), BUCKETS)
        });
        let doubtful = format!("{}\n{}", GOOD[1], BAD[1]);
        for scorer in [&even, &odd] {
            assert!((0.15..0.85).contains(&scorer.score(&doubtful)), "{}", scorer.score(&doubtful));
        }
    }

    #[test]
    fn where_there_is_nothing_to_tell_apart_the_score_says_so() {
        let shuffled: Vec<Example> =
            texts(&GOOD, 120, 0).iter().enumerate().map(|(n, text)| Example::of(text, n % 2 == 0, BUCKETS)).collect();
        let scorer = fit(&shuffled[..80], &shuffled[80..], BUCKETS);
        for text in texts(&GOOD, 30, 300) {
            assert!((0.2..0.8).contains(&scorer.score(&text)), "{}", scorer.score(&text));
        }
    }

    #[test]
    fn calibration_gives_back_the_odds_that_made_the_examples() {
        // At sum 1 three of four are good, at sum -1 one of four.
        let sums: Vec<(f64, bool)> = (0..4_000).map(|n| if n % 2 == 0 { (1.0, n % 8 != 0) } else { (-1.0, n % 8 == 1) }).collect();
        let (slope, offset) = platt(&sums);
        assert!((slope - 3.0_f64.ln()).abs() < 0.02 && offset.abs() < 0.01, "{slope} {offset}");
    }
}
