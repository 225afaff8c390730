//! The ledger of one run: everything that was counted, and what was published. Written when the run is sealed; a pure function of the
//! plan's commits, so the same run has the same ledger on every machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tally::Tally;

/// What a sealed run did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunLedger {
    /// Version of this format: 1.
    pub version: u32,
    /// Id of the plan.
    pub plan: String,
    /// Name of the recipe.
    pub name: String,
    /// Data set that it wrote.
    pub dataset: String,
    /// Hash of the recipe.
    pub recipe_hash: String,
    /// Version of tamis.
    pub tamis: String,
    /// Number of input files.
    pub input_files: u64,
    /// Counts of stage `clean`.
    pub clean: Tally,
    /// Counts of stage `emit`.
    pub emit: Tally,
    /// Shards published, in order of path.
    pub shards: Vec<LedgerShard>,
    /// Lists of what was set aside, as file names in the plan's quarantine folder.
    pub quarantine: Vec<String>,
}

/// One published shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerShard {
    /// BCP 47 tag.
    pub lang: String,
    /// Documents.
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
    /// Token ids.
    pub tokens: u64,
}

impl RunLedger {
    /// Both passes as one: read by `clean`, kept by `emit`, dropped by either.
    #[must_use]
    pub fn total(&self) -> Tally {
        let mut total = self.emit.clone();
        total.read = 0;
        total.kept = 0;
        let mut clean = self.clean.clone();
        clean.languages.clear();
        total.add(&clean);
        total.kept = self.emit.kept;
        total
    }
}

/// Documents and token ids that takedowns erased, by language.
pub type Erased = BTreeMap<String, (u64, u64)>;

/// What became of everything that some runs of a data set read; what was erased since counts as dropped, for the reason
/// `takedown/erased`.
#[must_use]
pub fn sum<'a>(ledgers: impl IntoIterator<Item = &'a RunLedger>, erased: &Erased) -> Tally {
    let mut sum = Tally::default();
    ledgers.into_iter().for_each(|ledger| sum.add(&ledger.total()));
    for (lang, (documents, tokens)) in erased {
        sum.kept = sum.kept.saturating_sub(*documents);
        *sum.dropped.entry("takedown".to_owned()).or_default().entry("erased".to_owned()).or_default() += documents;
        if let Some(share) = sum.languages.get_mut(lang) {
            share.documents = share.documents.saturating_sub(*documents);
            share.tokens = share.tokens.saturating_sub(*tokens);
        }
    }
    sum.languages.retain(|_, share| share.documents > 0);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_passes_together_account_for_every_document() {
        let mut clean = Tally { read: 5, kept: 3, ..Tally::default() };
        clean.drop_one("extract", "no-text");
        clean.drop_one("langid", "unsure");
        let mut emit = Tally { read: 3, kept: 2, ..Tally::default() };
        emit.drop_one("dedup", "near-duplicate");
        let text = String::new;
        let ledger = RunLedger {
            version: 1,
            plan: text(),
            name: text(),
            dataset: text(),
            recipe_hash: text(),
            tamis: text(),
            input_files: 1,
            clean,
            emit,
            shards: Vec::new(),
            quarantine: Vec::new(),
        };
        let total = ledger.total();
        assert_eq!((total.read, total.kept, total.dropped_total()), (5, 2, 3));
        assert!(total.balanced());
    }
}
