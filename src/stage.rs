//! The door of every stage: one document in, a verdict out.
//!
//! A stage is pure: no clock, network, disk, thread or randomness, so that the same document and the same settings give the same
//! verdict anywhere. What it needs from outside (a block list, a vocabulary) reaches it once, when it is built, through
//! [`Resources`]. A removal is a value: the engine counts it, the stage never does.

use crate::doc::Document;

/// What becomes of a document.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub enum Verdict {
    /// It goes on.
    Keep,
    /// It falls, for a reason.
    Drop(Dropped),
}

/// Why a document fell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropped {
    /// Short, stable and listed in the room's `reasons`: `too-few-words`.
    pub reason: &'static str,
    /// The value that was judged and the limit that it broke, where there are such numbers.
    pub finding: Option<Finding>,
}

/// A measured value beside the limit that decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// What was measured.
    pub value: f32,
    /// The threshold in force for this document.
    pub limit: f32,
}

impl Verdict {
    /// Falls for `reason`.
    pub fn drop(reason: &'static str) -> Verdict {
        Verdict::Drop(Dropped { reason, finding: None })
    }

    /// Falls for `reason`, because `value` broke `limit`.
    pub fn broke(reason: &'static str, value: f32, limit: f32) -> Verdict {
        Verdict::Drop(Dropped { reason, finding: Some(Finding { value, limit }) })
    }
}

/// One step of a pass. Its struct is its settings.
pub trait Stage: Send + Sync {
    /// Marks the document and says whether it goes on. Must end in time linear in the document's bytes.
    fn judge(&self, doc: &mut Document) -> Verdict;

    /// Judges once more by the signals that `doc` carries, without measuring: the verdict that [`Stage::judge`] gave on a document that it
    /// measured, under the settings of this stage. None where a verdict does not rest on stored signals.
    fn decide(&self, _doc: &Document) -> Option<Verdict> {
        None
    }

    /// The settings that change what [`Stage::decide`] says and neither a signal nor the text.
    fn decides(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether it needs nothing of a document but what is kept in columns, so that one that fell before it can go on in a later run.
    fn resumes(&self) -> bool {
        !self.decides().is_empty()
    }

    /// What a user should know of this stage although it works, for example that its settings make it slow.
    fn warning(&self) -> Option<String> {
        None
    }
}

/// Files that a stage may read while it is built. The recipe implements it and keeps each file's hash in the plan.
pub trait Resources {
    /// The bytes of the file at `path`, relative to where the program was started.
    ///
    /// # Errors
    /// What the system says when the file cannot be read.
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>>;
}

/// Why a stage could not be built from its settings.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A setting has the wrong name, type or form. The source knows the place.
    #[error(transparent)]
    Settings(#[from] toml::de::Error),
    /// Settings that are well formed but make no sense.
    #[error("{0}")]
    Contradiction(String),
    /// A file named in the settings cannot be used.
    #[error("cannot use `{path}`, named by setting `{setting}`: {why}")]
    Resource { setting: &'static str, path: String, why: String },
}

/// A stage as the house knows it: one row in `stages::ROOMS`.
pub struct Room {
    /// Name in recipes, ledger and logs.
    pub name: &'static str,
    /// One line for `tamis stages`.
    pub summary: &'static str,
    /// Every reason for which it drops.
    pub reasons: &'static [&'static str],
    /// Every `quality.*` signal that it sets.
    pub signals: &'static [&'static str],
    /// What must have been there before it.
    pub needs: &'static [Field],
    /// What is there after it.
    pub gives: &'static [Field],
    /// JSON Schema of its settings.
    pub schema: fn() -> schemars::Schema,
    /// Makes the stage from its settings (a TOML table without the key `stage`).
    pub build: fn(toml::de::ValueDeserializer<'_>, &dyn Resources) -> Result<Box<dyn Stage>, BuildError>,
}

/// Parts of a document that stages need or give, so that `tamis check` can tell a wrong order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Decoded markup.
    Html,
    /// Plain text.
    Text,
    /// Language.
    Lang,
    /// Signature for deduplication.
    Signature,
    /// Token ids.
    Tokens,
}
