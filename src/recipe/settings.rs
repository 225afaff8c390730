//! The recipe's own tables: `[output]`, `[limits]` and `[[example]]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::size::ByteSize;

/// How shards are written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OutputSettings {
    /// Text that one shard holds at most, unpacked.
    pub shard_bytes_max: ByteSize,
    /// Documents in a row group, at most 4,000: taking one document out of a shard rewrites its row group.
    #[schemars(range(min = 1, max = 4000))]
    pub row_group_documents_max: u32,
    /// Text in a row group, at most 16 MiB, unpacked; a single longer document is a row group of its own.
    pub row_group_bytes_max: ByteSize,
    /// Level of zstd, 1 to 22. Level 9 takes nearly three times as long as 3 and saves 6 %.
    #[schemars(range(min = 1, max = 22))]
    pub compression_level: i32,
    /// What to do where earlier runs wrote into the data set. What they have read is never read again.
    pub existing: Existing,
}

impl OutputSettings {
    /// The largest row group in documents (design, section 3).
    pub const ROW_GROUP_DOCUMENTS_MAX: u32 = 4_000;
    /// The largest row group in bytes (design, section 3).
    pub const ROW_GROUP_BYTES_MAX: ByteSize = ByteSize::mib(16);
}

impl Default for OutputSettings {
    fn default() -> OutputSettings {
        OutputSettings {
            shard_bytes_max: ByteSize::mib(256),
            row_group_documents_max: OutputSettings::ROW_GROUP_DOCUMENTS_MAX,
            row_group_bytes_max: OutputSettings::ROW_GROUP_BYTES_MAX,
            compression_level: 3,
            existing: Existing::SameRecipe,
        }
    }
}

/// What to do where earlier runs wrote into the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Existing {
    /// Do not start.
    Refuse,
    /// Add what is new if the same recipe wrote all that is there.
    SameRecipe,
    /// Add what is new, whichever recipe wrote what is there.
    Append,
}

/// A limit as people write it: `256 MiB` where it is whole, else as sizes are shown.
#[must_use]
pub fn size_in_words(size: ByteSize) -> String {
    match size.0 {
        bytes if bytes > 0 && bytes % (1 << 30) == 0 => format!("{} GiB", bytes >> 30),
        bytes if bytes > 0 && bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
        _ => size.to_string(),
    }
}

/// Bounds of the work.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Input that one task reads at most, as stored; a larger file is a task of its own.
    pub task_bytes_max: ByteSize,
    /// CPU time that all stages together may spend on one document; one that takes longer is quarantined.
    #[schemars(range(min = 1))]
    pub document_cpu_ms_max: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { task_bytes_max: ByteSize(4 << 30), document_cpu_ms_max: 2_000 }
    }
}

/// A document with the fate that the recipe must give it; `tamis check` runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it shows, as a sentence: `a menu is no text`.
    pub name: String,
    /// Address; by default `https://www.example.org/`.
    #[serde(default = "example_url")]
    pub url: String,
    /// Markup, for sources that give markup.
    #[serde(default)]
    pub html: Option<String>,
    /// Plain text, for sources that give text.
    #[serde(default)]
    pub text: Option<String>,
    /// Response headers that say something about use or language, names in lower case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// `keep`, or the stage that drops it, or stage and reason: `extract/no-text`.
    pub expect: String,
    /// Language that must be found, as a BCP 47 tag.
    #[serde(default)]
    pub lang: Option<String>,
    /// Words that must stand in the text at the end.
    #[serde(default)]
    pub contains: Option<String>,
    /// Words that must not stand in the text at the end.
    #[serde(default)]
    pub lacks: Option<String>,
}

fn example_url() -> String {
    "https://www.example.org/".to_owned()
}
