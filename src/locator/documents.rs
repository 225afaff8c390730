//! What a Parquet file of documents can be asked for.

use std::collections::BTreeSet;
use std::path::Path;

use super::rows::Documents;
use super::{Block, Entries, Entry, InBlock, Key, LocateError};

/// All blocks of `path`, and the entries of those that are `wanted`.
pub(super) fn read(path: &Path, wanted: Option<&BTreeSet<usize>>) -> Result<(Vec<Block>, Vec<Entry>), LocateError> {
    let refused = |source| LocateError::Parquet { path: path.to_owned(), source };
    let documents = Documents::open(path).map_err(refused)?;
    let groups = documents.groups();
    let mut entries = Vec::new();
    for group in (0..groups.len()).filter(|group| wanted.is_none_or(|wanted| wanted.contains(group))) {
        let mut of_group = Entries::of_block(group);
        let add = |number: usize, row: super::rows::Row<'_>| {
            of_group.add(Key::of_id(row.id()), number as u32);
            of_group.add_url(row.text("url"), number as u32);
            let digest = row.text("content_digest");
            if !digest.is_empty() {
                of_group.add(Key::of_digest(digest), number as u32);
            }
        };
        documents.for_each(group, &InBlock::Anywhere, &["id", "url", "content_digest"], add).map_err(refused)?;
        entries.extend(of_group.finish());
    }
    let blocks = groups.into_iter().map(|rows| Block { start: 0, end: rows as u64 }).collect();
    Ok((blocks, entries))
}
