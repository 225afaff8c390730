//! Documents of several languages: kept, cut down to their main language, or dropped.

use schemars::JsonSchema;
use serde::Deserialize;

use super::identify::Finding;

/// What becomes of a document with more than one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mixed {
    /// It stays as it is; the shares are told.
    Keep,
    /// Paragraphs in other languages than the main one are cut out.
    Cut,
    /// It falls.
    Drop,
}

/// Cuts out of `text` the segments that have another language than the main one. Short lines between paragraphs of both stay.
pub(super) fn cut(text: &mut String, finding: &Finding) {
    let mut kept = String::with_capacity(text.len());
    let mut place = 0;
    for (range, _) in finding.segments.iter().filter(|(_, label)| *label != finding.label) {
        if range.start >= place {
            kept.push_str(&text[place..range.start]);
            place = range.end;
        }
    }
    kept.push_str(&text[place..]);
    kept.truncate(kept.trim_end().len());
    *text = kept;
}
