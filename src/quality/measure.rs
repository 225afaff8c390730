//! How well a score tells good from bad: figures over documents that were held out.

use super::bad_and_good;
use crate::stages::learned::head::{AtLimit, Evaluation, OfRules};

/// Shares of the good documents for which a limit is proposed.
const KEPT: [f64; 4] = [0.99, 0.98, 0.95, 0.9];

/// A document's score, and whether it is good.
pub type Scored = (f32, bool);

/// How a document that is held out fared.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Whether it is good.
    pub good: bool,
    /// What the model says of it.
    pub score: f32,
    /// Bytes of its text.
    pub bytes: u64,
    /// Whether each room of rules keeps it, and last whether all do.
    pub kept: Vec<bool>,
}

/// The figures of `trials`, in which `rooms` of rules were asked.
#[must_use]
pub fn evaluation(trials: &[Trial], rooms: &[&str]) -> Evaluation {
    let scores: Vec<Scored> = trials.iter().map(|trial| (trial.score, trial.good)).collect();
    let lengths: Vec<Scored> = trials.iter().map(|trial| (trial.bytes as f32, trial.good)).collect();
    let of_length = auc(&lengths);
    let [bad, good] = kinds(&scores);
    let recall = kept(&scores, 0.5, true);
    let bad_dropped = 1.0 - kept(&scores, 0.5, false);
    let (right, wrong) = (recall * good as f64, (1.0 - bad_dropped) * bad as f64);
    Evaluation {
        good,
        bad,
        auc: rounded(auc(&scores)),
        auc_error: rounded(error_of(auc(&scores), good as f64, bad as f64)),
        auc_of_length: rounded(of_length.max(1.0 - of_length)),
        precision: rounded(if right + wrong > 0.0 { right / (right + wrong) } else { 0.0 }),
        recall: rounded(recall),
        bad_dropped: rounded(bad_dropped),
        rules: rooms.iter().enumerate().map(|(place, room)| of_rules(trials, &scores, room, place)).collect(),
        limits: limits(&scores),
    }
}

/// Four digits say more than some hundred documents can.
fn rounded(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}

fn kinds(scores: &[Scored]) -> [u64; 2] {
    bad_and_good(scores.iter().map(|(_, good)| *good))
}

/// Of the good documents, or of the bad ones, how many have a score of `limit` or more.
fn kept(scores: &[Scored], limit: f32, good: bool) -> f64 {
    let of_kind = scores.iter().filter(|(_, is_good)| *is_good == good);
    let (all, stay) = of_kind.fold((0_u64, 0_u64), |(all, stay), (score, _)| (all + 1, stay + u64::from(*score >= limit)));
    if all == 0 { 0.0 } else { stay as f64 / all as f64 }
}

fn of_rules(trials: &[Trial], scores: &[Scored], room: &str, place: usize) -> OfRules {
    let verdicts: Vec<Scored> = trials.iter().map(|trial| (f32::from(u8::from(trial.kept[place])), trial.good)).collect();
    let good_kept = kept(&verdicts, 1.0, true);
    OfRules {
        room: room.to_owned(),
        good_kept: rounded(good_kept),
        bad_dropped: rounded(1.0 - kept(&verdicts, 1.0, false)),
        score_drops: rounded(1.0 - kept(scores, limit_that_keeps(scores, good_kept), false)),
    }
}

/// The greatest limit that keeps at least `share` of the good documents.
fn limit_that_keeps(scores: &[Scored], share: f64) -> f32 {
    let mut good: Vec<f32> = scores.iter().filter(|(_, good)| *good).map(|(score, _)| *score).collect();
    good.sort_by(f32::total_cmp);
    let may_fall = ((1.0 - share) * good.len() as f64 + 1e-9) as usize;
    good.get(may_fall).copied().unwrap_or(1.0)
}

/// A limit for each of the shares, each limit once.
fn limits(scores: &[Scored]) -> Vec<AtLimit> {
    let mut limits: Vec<AtLimit> = KEPT.iter().map(|share| at_limit(scores, *share)).collect();
    limits.dedup();
    limits
}

/// A limit with three digits that keeps at least `share` of the good documents, and what it does.
fn at_limit(scores: &[Scored], share: f64) -> AtLimit {
    let min_score = (limit_that_keeps(scores, share) * 1_000.0).floor() / 1_000.0;
    let (good_kept, bad_dropped) = (rounded(kept(scores, min_score, true)), rounded(1.0 - kept(scores, min_score, false)));
    AtLimit { min_score, good_kept, bad_dropped }
}

/// How often a good document has a higher score than a bad one; equal scores count half (Mann and Whitney 1947).
fn auc(scores: &[Scored]) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let (mut below, mut wins) = (0.0, 0.0);
    for equal in sorted.chunk_by(|(a, _), (b, _)| a == b) {
        let [bad, good] = kinds(equal).map(|count| count as f64);
        wins += good * (below + bad / 2.0);
        below += bad;
    }
    let [bad, good] = kinds(scores).map(|count| count as f64);
    if bad * good == 0.0 { 0.5 } else { wins / (bad * good) }
}

/// The standard error of an area (Hanley and McNeil 1982, Radiology 143).
fn error_of(area: f64, good: f64, bad: f64) -> f64 {
    let (one, two) = (area / (2.0 - area), 2.0 * area * area / (1.0 + area));
    let spread = area * (1.0 - area) + (good - 1.0) * (one - area * area) + (bad - 1.0) * (two - area * area);
    if good * bad == 0.0 { 0.5 } else { (spread.max(0.0) / (good * bad)).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trials(scores: &[(f32, bool)]) -> Vec<Trial> {
        scores.iter().map(|(score, good)| Trial { good: *good, score: *score, bytes: 100, kept: vec![*score > 0.25, *good] }).collect()
    }

    #[test]
    fn figures_are_those_that_one_counts_by_hand() {
        let scores = [(0.9, true), (0.8, true), (0.6, false), (0.4, true), (0.3, false), (0.1, false), (0.1, true), (0.05, false)];
        let figures = evaluation(&trials(&scores), &["some-room", "all"]);
        assert_eq!((figures.good, figures.bad), (4, 4));
        // Of 16 pairs, 0.9 and 0.8 win four each, 0.4 wins three, 0.1 wins one and ties with one.
        assert!((figures.auc - 12.5 / 16.0).abs() < 1e-4, "{}", figures.auc);
        assert!((figures.precision - 2.0 / 3.0).abs() < 1e-4 && figures.recall == 0.5 && figures.bad_dropped == 0.75);
        assert_eq!(figures.auc_of_length, 0.5);
        let rules: Vec<(&str, f64, f64, f64)> =
            figures.rules.iter().map(|of| (of.room.as_str(), of.good_kept, of.bad_dropped, of.score_drops)).collect();
        assert_eq!(rules, [("some-room", 0.75, 0.5, 0.75), ("all", 1.0, 1.0, 0.25)]);
        assert_eq!(figures.limits[0], AtLimit { min_score: 0.1, good_kept: 1.0, bad_dropped: 0.25 });
    }

    #[test]
    fn length_is_told_whichever_way_it_tells_them_apart() {
        let mut apart = trials(&[(0.5, true), (0.5, true), (0.5, false), (0.5, false)]);
        apart[2].bytes = 1_000;
        apart[3].bytes = 2_000;
        let figures = evaluation(&apart, &[]);
        assert_eq!((figures.auc, figures.auc_of_length), (0.5, 1.0));
    }

    #[test]
    fn an_area_is_less_sure_the_fewer_documents_there_are() {
        // The example of the paper: 51 normal and 58 abnormal scans, area 0.893, error 0.032.
        assert!((error_of(0.893, 51.0, 58.0) - 0.032).abs() < 0.002, "{}", error_of(0.893, 51.0, 58.0));
        assert!(error_of(0.893, 500.0, 500.0) < 0.011);
        assert!(error_of(1.0, 9.0, 9.0) == 0.0);
    }
}
