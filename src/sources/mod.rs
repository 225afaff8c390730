//! The sources: how inputs of each kind become documents. [`ROOMS`] is the one list of them.

mod cdx;
mod jsonl;
mod mediawiki;
pub mod papers;
mod parquet;
pub mod warc;
mod wet;

use crate::source::Room;

/// The settings that say how documents are read, of a source that fetches its inputs itself; `None` for all others, which read files.
#[must_use]
pub fn reading_of(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        warc::crawled::NAME => Some(&warc::crawled::READING),
        papers::harvested::NAME => Some(&crate::crawl::harvest::settings::READING),
        _ => None,
    }
}

/// Every source, as `tamis stages` lists them.
pub const ROOMS: &[&Room] = &[
    &warc::ROOM,
    &warc::crawled::ROOM,
    &cdx::ROOM,
    &wet::ROOM,
    &jsonl::ROOM,
    &parquet::ROOM,
    &mediawiki::ROOM,
    &papers::ROOM,
    &papers::harvested::ROOM,
];
