//! The sources: how inputs of each kind become documents. [`ROOMS`] is the one list of them.

mod jsonl;
mod mediawiki;
mod papers;
mod parquet;
pub mod warc;
mod wet;

use crate::source::Room;

/// Every source, as `tamis stages` lists them.
pub const ROOMS: &[&Room] = &[&warc::ROOM, &warc::crawled::ROOM, &wet::ROOM, &jsonl::ROOM, &parquet::ROOM, &mediawiki::ROOM, &papers::ROOM];
