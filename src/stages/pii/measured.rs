//! The promises that are figures: precision and recall on the set of tests/pii, numbers with wrong check digits, and linear time.

#![cfg(test)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::find::find;
use super::kind::{Finding, Kind};
use super::national::NATIONALS;
use super::number::Question;

#[derive(serde::Deserialize)]
struct Line {
    lang: String,
    case: String,
    text: String,
    findings: Vec<Expected>,
}

#[derive(serde::Deserialize)]
struct Expected {
    kind: String,
    which: String,
    value: String,
}

#[derive(Default)]
struct Score {
    expected: u32,
    right: u32,
    found: u32,
}

fn all_in(text: &str, lang: &str) -> Vec<Finding> {
    find(&Question::new(text, Some(lang), [true; Kind::ALL.len()], 0.5))
}

/// `national_id` by identifier, the other kinds by their name.
fn row(kind: &str, which: &str) -> String {
    if kind == "national_id" { which.to_owned() } else { kind.to_owned() }
}

#[test]
fn every_kind_is_found_in_95_of_100_places_and_98_of_100_findings_are_right() {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for line in include_str!("../../../tests/pii/set.jsonl").lines() {
        let line: Line = serde_json::from_str(line).expect("the set is JSON");
        let found = all_in(&line.text, &line.lang);
        let is_same = |finding: &Finding, expected: &Expected| {
            let is_which = finding.kind != Kind::NationalId || finding.which == expected.which;
            finding.kind.name() == expected.kind && line.text[finding.span.clone()] == expected.value && is_which
        };
        for finding in &found {
            let score = scores.entry(row(finding.kind.name(), finding.which)).or_default();
            score.found += 1;
            let is_right = line.findings.iter().any(|expected| is_same(finding, expected));
            score.right += u32::from(is_right);
            if !is_right {
                println!(
                    "wrong  {} {} {} `{}`: {}",
                    line.case,
                    line.lang,
                    row(finding.kind.name(), finding.which),
                    &line.text[finding.span.clone()],
                    line.text
                );
            }
        }
        for expected in &line.findings {
            scores.entry(row(&expected.kind, &expected.which)).or_default().expected += 1;
            if !found.iter().any(|finding| is_same(finding, expected)) {
                println!("missed {} {} `{}`: {}", line.lang, row(&expected.kind, &expected.which), expected.value, line.text);
            }
        }
    }
    println!("{:24}{:>9}{:>7}{:>7}{:>11}{:>8}", "kind", "expected", "found", "right", "precision", "recall");
    let mut low = Vec::new();
    for (kind, score) in &scores {
        let (precision, recall) =
            (f64::from(score.right) / f64::from(score.found.max(1)), f64::from(score.right) / f64::from(score.expected.max(1)));
        println!("{kind:24}{:9}{:7}{:7}{precision:11.3}{recall:8.3}", score.expected, score.found, score.right);
        if precision < 0.98 || recall < 0.95 {
            low.push(kind.as_str());
        }
    }
    assert!(low.is_empty(), "below 0.98 or 0.95: {}", low.join(", "));
}

/// A generator of numbers that is the same everywhere (Knuth, MMIX).
struct Draw(u64);

impl Draw {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

#[test]
fn ten_thousand_numbers_with_wrong_check_digits_are_not_taken_for_the_identifier() {
    let mut draw = Draw(11);
    for national in NATIONALS {
        let (form, mut own, mut other, mut tries) = (&national.forms[0], 0, 0, 0);
        let lang =
            ["de", "fr", "nl", "es", "it", "pl", "en"].into_iter().find(|lang| national.countries.contains(&&lang[..])).unwrap_or("und");
        while tries < 10_000 {
            let signs: Vec<u8> = (0..form.length)
                .map(|place| if form.is_digit(place) { b'0' + draw.next(10) as u8 } else { b'A' + draw.next(26) as u8 })
                .collect();
            if (national.rule)(&signs).is_some() {
                continue;
            }
            tries += 1;
            for finding in all_in(std::str::from_utf8(&signs).expect("ASCII"), lang) {
                if finding.which == national.name { own += 1 } else { other += 1 }
            }
        }
        println!("{:24} own {own}, others by chance {other} of {tries}", national.name);
        assert_eq!(own, 0, "{}", national.name);
        assert!(other <= 300, "{}: {other} of {tries} were taken for something else", national.name);
    }
}

#[test]
fn hostile_texts_take_linear_time() {
    for sign in ["1", "@", "A", "1 ", "A1 ", "+49 ", "1.", "0 0", "a@", "12345678 ", "(0)", "DE12 ", "2001:", "A 1"] {
        let took = |bytes: usize| {
            let text = sign.repeat(bytes / sign.len());
            let begun = Instant::now();
            all_in(&text, "de");
            begun.elapsed()
        };
        let (short, long) = (took(50_000), took(200_000));
        assert!(long < short * 10 + Duration::from_millis(100), "`{sign}`: {short:?} for 50,000 bytes, {long:?} for 200,000");
    }
}
