//! Counts of what became of the documents. Tallies of tasks add up to the tally of the run, in any order.
//!
//! The promise `read = kept + sum(dropped)` is checked by [`Tally::balanced`] wherever a tally is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts of one task, one stage of the plan, or a whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tally {
    /// Documents that a source offered.
    pub read: u64,
    /// Documents that went on to the next pass, and in the end into a shard.
    pub kept: u64,
    /// Documents that fell: stage, then reason. `read` is the source's own stage.
    pub dropped: BTreeMap<String, BTreeMap<String, u64>>,
    /// Archive records that are no documents, by kind.
    pub other_records: BTreeMap<String, u64>,
    /// Kept documents by language.
    pub languages: BTreeMap<String, Share>,
    /// Read and kept documents by class of host.
    pub hosts: BTreeMap<String, HostShare>,
    /// Bytes of input as stored.
    pub input_bytes: u64,
    /// Documents that a stage could not finish (panic, deadline); they are among `dropped` too.
    pub quarantined: u64,
    /// Parts of inputs that could not be read.
    pub damages: u64,
}

/// What a language holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Share {
    /// Documents.
    pub documents: u64,
    /// Token ids.
    pub tokens: u64,
    /// Bytes of text, UTF-8.
    pub text_bytes: u64,
}

/// What a class of hosts gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostShare {
    /// Documents read.
    pub read: u64,
    /// Documents kept.
    pub kept: u64,
}

impl Tally {
    /// Counts one dropped document.
    pub fn drop_one(&mut self, stage: &str, reason: &str) {
        let reasons = match self.dropped.get_mut(stage) {
            Some(reasons) => reasons,
            None => self.dropped.entry(stage.to_owned()).or_default(),
        };
        match reasons.get_mut(reason) {
            Some(count) => *count += 1,
            None => {
                reasons.insert(reason.to_owned(), 1);
            }
        }
    }

    /// All dropped documents.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.dropped.values().flat_map(BTreeMap::values).sum()
    }

    /// All token ids of kept documents.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.languages.values().map(|share| share.tokens).sum()
    }

    /// Whether every document that was read is accounted for.
    #[must_use]
    pub fn balanced(&self) -> bool {
        self.read == self.kept + self.dropped_total()
    }

    /// Adds another tally of the same pass.
    pub fn add(&mut self, other: &Tally) {
        self.read += other.read;
        self.kept += other.kept;
        self.input_bytes += other.input_bytes;
        self.quarantined += other.quarantined;
        self.damages += other.damages;
        for (stage, reasons) in &other.dropped {
            let mine = self.dropped.entry(stage.clone()).or_default();
            for (reason, count) in reasons {
                *mine.entry(reason.clone()).or_default() += count;
            }
        }
        for (kind, count) in &other.other_records {
            *self.other_records.entry(kind.clone()).or_default() += count;
        }
        for (lang, share) in &other.languages {
            let mine = self.languages.entry(lang.clone()).or_default();
            mine.documents += share.documents;
            mine.tokens += share.tokens;
            mine.text_bytes += share.text_bytes;
        }
        for (class, share) in &other.hosts {
            let mine = self.hosts.entry(class.clone()).or_default();
            mine.read += share.read;
            mine.kept += share.kept;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_add_up_and_stay_balanced() {
        let mut night = Tally::default();
        let mut task = Tally { read: 3, kept: 1, ..Tally::default() };
        task.drop_one("extract", "no-text");
        task.drop_one("langid", "unsure");
        night.add(&task);
        night.add(&task);
        assert!(night.balanced());
        assert_eq!(night.dropped["extract"]["no-text"], 2);
        assert_eq!(night.dropped_total(), 4);
    }
}
