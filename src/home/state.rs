//! One state: what one transaction changes in a workspace's home.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::store;

/// What must not come back. Who worked without knowing the newest of it must not bring what it made.
const KEPT_OUT: &str = "_tamis/suppression/";

/// Version of the format.
const VERSION: u32 = 1;

/// What one transaction changes. It holds paths, hashes and sizes, and nothing that a document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// Version of this format.
    version: u32,
    /// Its number, from 1 without gaps.
    pub(super) number: u64,
    /// Names the attempt for good: it is never written twice.
    pub(super) transaction: String,
    /// What did it: the verb of the command line.
    verb: String,
    /// Files that are new or have other bytes.
    pub(super) changed: Vec<Change>,
    /// Paths of files that go.
    pub(super) removed: Vec<String>,
}

/// A file and what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// Path below the workspace, parts joined by `/`.
    pub(super) path: String,
    /// SHA-256, hex.
    pub(super) sha256: String,
    /// Size.
    pub(super) bytes: u64,
}

impl State {
    pub(super) fn new(verb: &str, changed: Vec<Change>, removed: Vec<String>) -> State {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let transaction = format!("{}-{}", store::own_name(), COUNT.fetch_add(1, Ordering::Relaxed));
        State { version: VERSION, number: 0, transaction, verb: verb.to_owned(), changed, removed }
    }

    /// The state that these bytes say, which must be number `number`.
    pub(super) fn read(bytes: &[u8], number: u64) -> Result<State, String> {
        let state: State = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        match (state.version, state.number) {
            (VERSION, there) if there == number => Ok(state),
            (VERSION, there) => Err(format!("it says that it is number {there}")),
            (version, _) => Err(format!("it has version {version} of the format")),
        }
    }

    pub(super) fn json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec(self).expect("strings, numbers and lists are JSON");
        json.push(b'\n');
        json
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }

    /// Where the new bytes of changed file `number` wait.
    pub(super) fn staged(&self, number: usize) -> String {
        format!("{}{}/{number:07}", super::states::STAGING, self.transaction)
    }

    /// Every path that it touches.
    pub(super) fn paths(&self) -> BTreeSet<&str> {
        self.changed.iter().map(|change| change.path.as_str()).chain(self.removed.iter().map(String::as_str)).collect()
    }

    /// Why this cannot go in after `other`, which it did not know: a path that both touch and not alike, or one by which `other` keeps documents out.
    pub(super) fn contradicts(&self, other: &State) -> Option<String> {
        let (ours, theirs) = (self.paths(), other.paths());
        if let Some(path) = theirs.iter().find(|path| path.starts_with(KEPT_OUT)) {
            return Some((*path).to_owned());
        }
        let fate = |state: &State, path: &str| state.changed.iter().find(|change| change.path == path).map(|change| change.sha256.clone());
        let mut both = ours.intersection(&theirs);
        both.find(|path| fate(self, path) != fate(other, path)).map(|path| (*path).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(changed: &[(&str, &str)], removed: &[&str]) -> State {
        let change = |(path, sha256): &(&str, &str)| Change { path: (*path).to_owned(), sha256: (*sha256).to_owned(), bytes: 1 };
        State::new("run", changed.iter().map(change).collect(), removed.iter().map(|path| (*path).to_owned()).collect())
    }

    #[test]
    fn two_contradict_where_they_give_one_path_two_fates() {
        let ours = state(&[("a", "1"), ("b", "2")], &["c"]);
        for (theirs, path) in [
            (state(&[("d", "1")], &[]), None),
            (state(&[("a", "1")], &["c"]), None),
            (state(&[("a", "2")], &[]), Some("a")),
            (state(&[("c", "3")], &[]), Some("c")),
            (state(&[], &["b"]), Some("b")),
            (state(&[("_tamis/suppression/list", "9")], &[]), Some("_tamis/suppression/list")),
        ] {
            assert_eq!(ours.contradicts(&theirs).as_deref(), path);
        }
    }

    #[test]
    fn a_state_is_read_as_it_was_written_and_not_under_another_number() {
        let written = State { number: 3, ..state(&[("lang=mt/part", "0f")], &["x"]) };
        assert_eq!(State::read(&written.json(), 3), Ok(written.clone()));
        assert!(State::read(&written.json(), 4).is_err_and(|why| why.contains("number 3")));
        let newer = String::from_utf8(written.json()).expect("letters").replace("\"version\":1", "\"version\":2");
        assert!(State::read(newer.as_bytes(), 3).is_err_and(|why| why.contains("version 2")));
    }
}
