//! Two runs side by side: what each read, kept and dropped, in all, by language, by reason and by host, from their ledgers alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::ledger::run::RunLedger;

/// A count in the first run and in the second.
pub type Pair = [u64; 2];

/// What two runs counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Their plans.
    pub plans: [String; 2],
    /// Documents that were read.
    pub read: Pair,
    /// Documents that were published.
    pub kept: Pair,
    /// Token ids that were published.
    pub tokens: Pair,
    /// Size of the input.
    pub input_bytes: Pair,
    /// By language.
    pub languages: BTreeMap<String, Share>,
    /// Dropped documents, by `stage/reason`.
    pub dropped: BTreeMap<String, Pair>,
    /// Published documents by host, as far as ledgers name hosts.
    pub hosts: BTreeMap<String, Pair>,
}

/// One language in two runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Documents.
    pub documents: Pair,
    /// Token ids.
    pub tokens: Pair,
}

/// Puts two runs side by side.
#[must_use]
pub fn diff(first: &RunLedger, second: &RunLedger) -> Diff {
    let totals = [first.total(), second.total()];
    let mut languages: BTreeMap<String, Share> = BTreeMap::new();
    let (mut dropped, mut hosts): (BTreeMap<String, Pair>, BTreeMap<String, Pair>) = Default::default();
    for (run, total) in totals.iter().enumerate() {
        for (lang, share) in &total.languages {
            let of = languages.entry(lang.clone()).or_default();
            (of.documents[run], of.tokens[run]) = (share.documents, share.tokens);
        }
        for (stage, reason, documents) in
            total.dropped.iter().flat_map(|(stage, all)| all.iter().map(move |(reason, n)| (stage, reason, n)))
        {
            dropped.entry(format!("{stage}/{reason}")).or_default()[run] = *documents;
        }
        for (host, share) in &total.hosts {
            hosts.entry(host.clone()).or_default()[run] = share.kept;
        }
    }
    Diff {
        plans: [first.plan.clone(), second.plan.clone()],
        read: totals.each_ref().map(|total| total.read),
        kept: totals.each_ref().map(|total| total.kept),
        tokens: totals.each_ref().map(|total| total.tokens()),
        input_bytes: totals.each_ref().map(|total| total.input_bytes),
        languages,
        dropped,
        hosts,
    }
}

impl Diff {
    /// The hosts whose count changed most, at most `count` of them; the largest change first, equal ones by name.
    #[must_use]
    pub fn moved_hosts(&self, count: usize) -> Vec<(&str, Pair)> {
        let changed = self.hosts.iter().filter(|(_, pair)| pair[0] != pair[1]);
        let sorted: BTreeSet<_> =
            changed.map(|(host, pair)| (std::cmp::Reverse(pair[0].abs_diff(pair[1])), host.as_str(), *pair)).collect();
        sorted.into_iter().take(count).map(|(_, host, pair)| (host, pair)).collect()
    }
}
