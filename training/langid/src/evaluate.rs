//! The scorer's figures on the lines of one fold, for tuning and for cross-validation.

use std::collections::BTreeMap;

use crate::calibrate::{LENGTHS, score};
use crate::classes::Class;
use crate::judged::Judged;

/// Languages that are easily taken for one another.
const CLOSE: &[&str] =
    &["cs sk", "hr bs sr sl", "da nb nn sv", "es ca gl pt oc", "bg mk ru uk be", "nl af de lb fy", "ga gd cy", "fi et", "is fo"];

/// Shares of the sentences of each language of a close group by their label.
fn close_groups(confused: &BTreeMap<(&str, &str), u32>, totals: &BTreeMap<&str, u32>) {
    for group in CLOSE {
        let languages: Vec<&str> = group.split(' ').filter(|lang| totals.contains_key(lang)).collect();
        println!("is \\ called  {}  other", languages.join("  "));
        for gold in &languages {
            let total = totals[gold];
            let wrong: u32 = confused.iter().filter(|((of, _), _)| of == gold).map(|(_, count)| count).sum();
            let count = |got: &str| if got == *gold { total - wrong } else { confused.get(&(*gold, got)).copied().unwrap_or(0) };
            let inside: Vec<u32> = languages.iter().map(|got| count(got)).collect();
            let other = total - inside.iter().sum::<u32>();
            let shares: Vec<String> =
                inside.iter().chain([&other]).map(|count| format!("{:.3}", f64::from(*count) / f64::from(total))).collect();
            println!("{gold} ({total})  {}", shares.join("  "));
        }
    }
}

const EU24: &str = "bg hr cs da nl en et fi fr de el hu ga it lv lt mt pl pt ro sk sl es sv";

/// Prints the expected calibration error on sentences of the official languages: ten bins, as the scorer has it.
pub fn report_calibration(judged: &[Judged], curves: &[(f32, f32); LENGTHS]) {
    let mut bins = [(0.0, 0.0); 10];
    let mut lines = 0.0;
    for one in judged.iter().filter(|one| one.line.set.ends_with(" sentences") && EU24.split(' ').any(|lang| lang == one.gold())) {
        let score = score(curves, one);
        let bin = &mut bins[((score * 10.0) as usize).min(9)];
        bin.0 += score;
        bin.1 += f64::from(u8::from(one.is_right()));
        lines += 1.0;
    }
    let error: f64 = bins.iter().map(|(scores, right)| (scores - right).abs()).sum();
    println!("expected calibration error: {:.4}", error / lines);
}

/// Prints the figures of `judged`.
pub fn report(judged: &[Judged], classes: &[Class]) {
    let mut right: BTreeMap<(&str, &str), (u32, u32)> = BTreeMap::new();
    let mut confused: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for one in judged {
        let entry = right.entry((one.line.set, one.gold())).or_default();
        entry.1 += 1;
        entry.0 += u32::from(one.is_right());
        if !one.is_right() && (one.line.set == "lingua sentences" || one.line.set == "ud sentences") {
            *confused.entry((one.gold(), one.tag)).or_default() += 1;
        }
    }
    let accuracy = |lang: &str, sets: &[&str]| {
        let found: Vec<f64> = sets
            .iter()
            .filter_map(|set| right.iter().find(|((known, of), _)| known == set && *of == lang))
            .map(|(_, (right, all))| f64::from(*right) / f64::from(*all))
            .collect();
        (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
    };
    let kinds: [(&str, &[&str]); 5] = [
        ("sentences", &["lingua sentences", "ud sentences"]),
        ("documents", &["ud documents"]),
        ("word pairs", &["lingua word-pairs"]),
        ("single words", &["lingua single-words"]),
        ("udhr", &["udhr paragraphs"]),
    ];
    for (name, sets) in kinds {
        let scores: Vec<(&str, f64)> =
            EU24.split(' ').filter(|lang| *lang != "el").filter_map(|lang| Some((lang, accuracy(lang, sets)?))).collect();
        let mean = (scores.iter().map(|(_, score)| score).sum::<f64>() + 1.0) / (scores.len() + 1) as f64;
        let mut worst = scores.clone();
        worst.sort_by(|a, b| a.1.total_cmp(&b.1));
        let others: Vec<(&str, f64)> = classes
            .iter()
            .filter(|class| !EU24.split(' ').any(|lang| lang == class.tag))
            .filter_map(|class| Some((class.tag, accuracy(class.tag, sets)?)))
            .collect();
        let others_mean = others.iter().map(|(_, score)| score).sum::<f64>() / others.len().max(1) as f64;
        println!(
            "{name}: eu24 {mean:.4} others {others_mean:.4} worst {:?}",
            &worst.iter().map(|(l, s)| format!("{l} {s:.3}")).collect::<Vec<_>>()
        );
        if name == "sentences" {
            println!("  {}", others.iter().map(|(l, s)| format!("{l} {s:.2}")).collect::<Vec<_>>().join(" "));
        }
    }
    let mut totals: BTreeMap<&str, u32> = BTreeMap::new();
    for ((set, gold), (_, all)) in &right {
        if set.ends_with(" sentences") {
            *totals.entry(gold).or_default() += all;
        }
    }
    close_groups(&confused, &totals);
    let mut confused: Vec<_> = confused.into_iter().collect();
    confused.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("{}", confused.iter().take(40).map(|((gold, got), count)| format!("{gold}>{got} {count}")).collect::<Vec<_>>().join(", "));
}
