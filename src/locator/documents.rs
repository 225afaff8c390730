//! What a Parquet file of documents can be asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aho_corasick::AhoCorasick;

use super::rows::Documents;
use super::{Block, Entries, Entry, InBlock, Key, LocateError};
use crate::text::address::Address;
use crate::text::host::registrable_domain;

/// All blocks of `path`, and their entries.
pub(super) fn read(path: &Path) -> Result<(Vec<Block>, Vec<Entry>), LocateError> {
    let refused = |source| LocateError::Parquet { path: path.to_owned(), source };
    let documents = Documents::open_to_read_all(path).map_err(refused)?;
    let groups = documents.groups();
    let mut entries = Vec::new();
    for group in 0..groups.len() {
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
    Ok((blocks_of(groups), entries))
}

fn blocks_of(groups: Vec<usize>) -> Vec<Block> {
    groups.into_iter().map(|rows| Block { start: 0, end: rows as u64 }).collect()
}

/// All blocks of `path`, and of those that were `changed` the keys of hosts and domains of `urls` that no row of them has any more.
pub(super) fn hosts_lost<'a>(
    path: &Path,
    changed: &BTreeSet<usize>,
    urls: impl IntoIterator<Item = &'a str>,
) -> Result<(Vec<Block>, BTreeSet<(u32, Key)>), LocateError> {
    let refused = |source| LocateError::Parquet { path: path.to_owned(), source };
    let documents = Documents::open(path).map_err(refused)?;
    let hosts = Hosts::of(urls);
    let mut lost = BTreeSet::new();
    for group in changed {
        let mut missing: BTreeSet<Key> = hosts.keys.iter().copied().collect();
        let look = |_: usize, row: super::rows::Row<'_>| hosts.take_from(&mut missing, row.text("url"));
        documents.for_each(*group, &InBlock::Anywhere, &["url"], look).map_err(refused)?;
        lost.extend(missing.into_iter().map(|key| (*group as u32, key)));
    }
    Ok((blocks_of(documents.groups()), lost))
}

/// Hosts and domains that are looked for in addresses.
struct Hosts {
    keys: Vec<Key>,
    /// Finds the names that belong to `keys`, in this order; none where it cannot be told by them.
    names: Option<AhoCorasick>,
}

impl Hosts {
    fn of<'a>(urls: impl IntoIterator<Item = &'a str>) -> Hosts {
        let mut named: BTreeMap<Key, String> = BTreeMap::new();
        for address in urls.into_iter().filter_map(Address::of) {
            let (host, domain) = (address.host(), registrable_domain(address.host()));
            named.extend([(Key::of_host(host), host.to_owned()), (Key::of_domain(domain), domain.to_owned())]);
        }
        let (keys, names): (Vec<Key>, Vec<String>) = named.into_iter().unzip();
        // A number, as the hosts of an IP address are, can be written in many ways.
        let plain = names.iter().all(|name| name.bytes().any(|byte| byte.is_ascii_alphabetic()) && !name.starts_with('['));
        let names = plain.then(|| AhoCorasick::builder().ascii_case_insensitive(true).build(&names).ok()).flatten();
        Hosts { keys, names }
    }

    /// Takes what `url` has out of `missing`.
    fn take_from(&self, missing: &mut BTreeSet<Key>, url: &str) {
        if !self.may_have(missing, url) {
            return;
        }
        if let Some(address) = Address::of(url) {
            missing.remove(&Key::of_host(address.host()));
            missing.remove(&Key::of_domain(registrable_domain(address.host())));
        }
    }

    /// Of a host in plain letters all that an address in canonical form has stands in the address as it is written.
    fn may_have(&self, missing: &BTreeSet<Key>, url: &str) -> bool {
        match &self.names {
            Some(names) if url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'%') => {
                names.find_overlapping_iter(url).any(|found| missing.contains(&self.keys[found.pattern().as_usize()]))
            }
            _ => true,
        }
    }
}
