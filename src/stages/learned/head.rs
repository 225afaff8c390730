//! What a model says of itself: from which heaps each language was learned, and how well it told them apart where it had not learned.

use serde::{Deserialize, Serialize};

/// The head of a model's file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Its languages, by tag.
    pub languages: Vec<OfLanguage>,
}

/// A language of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfLanguage {
    /// BCP 47 tag.
    pub lang: String,
    /// Weights, of a byte each.
    pub buckets: u32,
    /// What the user who trained it has to say, for example under which licence the texts stand; empty if nothing.
    pub note: String,
    /// The files that were read.
    pub inputs: Vec<Heap>,
    /// Good documents that were learned from.
    pub good: u64,
    /// Bad documents that were learned from.
    pub bad: u64,
    /// How it did on documents that were held out.
    pub evaluation: Evaluation,
}

/// A file that was named as good or bad.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heap {
    /// Whether its documents were called good.
    pub good: bool,
    /// Name of the file; of a shard with the folder of its language before it.
    pub name: String,
    /// Its size as stored.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

/// How a score tells good from bad documents that it had not seen. Shares are from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Good documents held out.
    pub good: u64,
    /// Bad documents held out.
    pub bad: u64,
    /// How often a good document has a higher score than a bad one (area under the ROC curve).
    pub auc: f64,
    /// Standard error of that, as Hanley and McNeil (1982) estimate it.
    pub auc_error: f64,
    /// The same for the number of bytes in place of the score, or its reverse, whichever is higher.
    pub auc_of_length: f64,
    /// Of the documents with a score of 0.5 or more, how many are good.
    pub precision: f64,
    /// Of the good documents, how many have a score of 0.5 or more.
    pub recall: f64,
    /// Of the bad documents, how many have a score below 0.5.
    pub bad_dropped: f64,
    /// What the rooms of rules say of the same documents, each alone, and all together.
    pub rules: Vec<OfRules>,
    /// What several limits would do.
    pub limits: Vec<AtLimit>,
}

/// What rules say of the documents held out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfRules {
    /// A room of rules, or `all`.
    pub room: String,
    /// Of the good documents, how many the rules keep.
    pub good_kept: f64,
    /// Of the bad documents, how many they drop.
    pub bad_dropped: f64,
    /// How many the score drops with the limit that keeps at least as many good ones.
    pub score_drops: f64,
}

/// What a limit does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtLimit {
    /// The least score.
    pub min_score: f32,
    /// Of the good documents, how many stay.
    pub good_kept: f64,
    /// Of the bad documents, how many fall.
    pub bad_dropped: f64,
}
