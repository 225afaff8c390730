//! Personal data in a data set: how much of which kind was found, by language and host, and passages to look at.
//!
//! What is shown is masked here once more, whatever the recipe did: a data set in which it was only counted still has the values, and whoever
//! reviews findings needs to see where they stand, not whose they are.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;
use serde_json::{Map, Value};
use toml::de::ValueDeserializer;

use super::{Dataset, InspectError};
use crate::columns::DOCUMENT;
use crate::doc::{Document, Lang};
use crate::locator::rows::{Documents, Row};
use crate::locator::{InBlock, LocateError};
use crate::stage::{Resources, Stage};
use crate::stages::room;

/// Findings of each kind.
pub type ByKind = BTreeMap<&'static str, u64>;

/// What was found in all published documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Personal {
    /// Documents in which somebody looked.
    pub documents: u64,
    /// Documents with findings, by kind.
    pub with: ByKind,
    /// Findings by kind.
    pub findings: ByKind,
    /// Findings by language and kind.
    pub languages: BTreeMap<String, ByKind>,
    /// Findings by host and kind.
    pub hosts: BTreeMap<String, ByKind>,
}

impl Personal {
    fn add(&mut self, row: &Row<'_>, kinds: &[&'static str]) {
        let counts: Vec<(&'static str, u64)> = kinds.iter().filter_map(|kind| Some((*kind, row.number_in("pii", kind)? as u64))).collect();
        self.documents += u64::from(!counts.is_empty());
        for (kind, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            *self.with.entry(kind).or_default() += 1;
            *self.findings.entry(kind).or_default() += count;
            *self.languages.entry(row.text("lang").to_owned()).or_default().entry(kind).or_default() += count;
            *self.hosts.entry(row.text("host").to_owned()).or_default().entry(kind).or_default() += count;
        }
    }

    /// The hosts with most findings.
    #[must_use]
    pub fn largest_hosts(&self, count: usize) -> Vec<(&str, &ByKind)> {
        let mut hosts: Vec<(&str, &ByKind)> = self.hosts.iter().map(|(host, kinds)| (host.as_str(), kinds)).collect();
        hosts.sort_by_key(|(host, kinds)| (std::cmp::Reverse(kinds.values().sum::<u64>()), *host));
        hosts.truncate(count);
        hosts
    }
}

/// Every kind of personal data that is counted.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    DOCUMENT.fields_of("pii")
}

impl Dataset {
    /// Counts the findings in all published documents.
    ///
    /// # Errors
    /// When a shard cannot be read.
    pub fn personal(&self) -> Result<Personal, InspectError> {
        let (mut personal, kinds) = (Personal::default(), kinds());
        for path in &self.shards {
            let damaged = |source| LocateError::Parquet { path: path.clone(), source };
            let documents = Documents::open(path).map_err(damaged)?;
            for group in 0..documents.groups().len() {
                let columns = ["lang", "host", "pii"];
                documents.for_each(group, &InBlock::Anywhere, &columns, |_, row| personal.add(&row, &kinds)).map_err(damaged)?;
            }
        }
        Ok(personal)
    }
}

/// Characters around a finding that are shown.
const AROUND: usize = 60;
/// Passages of a document that are shown.
const PASSAGES_MAX: usize = 5;

/// The passages of the document of `row` where personal data stood, with masks in its place.
#[must_use]
pub fn passages(row: &Map<String, Value>) -> Vec<String> {
    static MASK: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\[[A-Z][A-Z-]+(-\d+)?\]|email@example\.com|192\.0\.2\.1\b").expect("a pattern"));
    let masked = masked(row);
    let cut = |hit: regex::Match<'_>| {
        let before: Vec<char> = masked[..hit.start()].chars().rev().take_while(|sign| *sign != '\n').take(AROUND).collect();
        let after = masked[hit.end()..].chars().take_while(|sign| *sign != '\n').take(AROUND);
        before.into_iter().rev().chain(hit.as_str().chars()).chain(after).collect()
    };
    let mut passages: Vec<String> = MASK.find_iter(&masked).take(PASSAGES_MAX).map(cut).collect();
    passages.dedup();
    passages
}

struct NoFiles;

impl Resources for NoFiles {
    fn read(&self, _: &str) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// The text of `row` with masks for all that stage `pii` finds at its most watchful.
fn masked(row: &Map<String, Value>) -> String {
    static PII: LazyLock<Option<Box<dyn Stage>>> = LazyLock::new(|| {
        let settings = ValueDeserializer::parse("{ addresses = true, birth_dates = true, confidence_min = 0.3 }").ok()?;
        (room("pii")?.build)(settings, &NoFiles).ok()
    });
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut doc = Document { text: text("text").to_owned(), lang: Some(Lang::new(text("lang"))), ..Document::default() };
    match &*PII {
        Some(pii) => match pii.judge(&mut doc) {
            crate::stage::Verdict::Keep => doc.text,
            crate::stage::Verdict::Drop(_) => String::new(),
        },
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passages_show_where_something_stood_and_never_what() {
        let text = "Yhteys: aino.saari@example.fi tai +358 40 123 4567.\nTilinumero FI21 1234 5600 0007 85 on vanha.\nEi mitään täällä.";
        let row = serde_json::json!({"text": text, "lang": "fi"});
        let told = passages(row.as_object().expect("a row"));
        assert!(told.iter().any(|line| line.contains("email@example.com")) && told.iter().any(|line| line.contains("[IBAN]")), "{told:?}");
        assert!(told.iter().all(|line| !line.contains("aino") && !line.contains("123")), "{told:?}");
    }
}
