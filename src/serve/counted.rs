//! What was counted of the shards, in the background: hosts, clusters, signals.
//!
//! A shard is counted once for each state of its file. The counts live in memory and nowhere else: hosts can name people, and what a
//! takedown takes out of a shard goes from here when the shard changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::house::House;
use super::shelf::Snapshot;
use crate::inspect::search::lang_of;
use crate::inspect::signals::{CLUSTERS, Counts, Spread};
use crate::locator::Stamp;

/// Hosts that are kept apart, in all shards together.
const HOSTS_MAX: usize = 1_000_000;
/// Hosts that a page shows.
const HOSTS_SHOWN: usize = 25;

/// What a page shows of some shards.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) documents: u64,
    /// The largest hosts, and how many there are.
    pub(super) hosts: Vec<(String, u64)>,
    pub(super) hosts_of: usize,
    /// Documents of hosts too small to be kept apart.
    pub(super) hosts_left_out: u64,
    pub(super) clusters: [u64; CLUSTERS.len()],
    pub(super) largest: Vec<(u32, String)>,
    pub(super) signals: BTreeMap<Box<str>, Spread>,
}

/// Shards counted so far of how many, and what they amount to.
type Sums = BTreeMap<(String, String), Arc<Told>>;

/// The counts.
#[derive(Default)]
pub(super) struct Counted {
    files: Mutex<BTreeMap<PathBuf, (Stamp, Arc<Counts>)>>,
    /// By data set and language; all languages stand under the empty one.
    sums: Mutex<Sums>,
    progress: Mutex<(usize, usize)>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Counted {
    /// What was counted of a data set, in one language or, without, in all; none before it was counted.
    pub(super) fn told(&self, set: &str, lang: &str) -> Option<Arc<Told>> {
        lock(&self.sums).get(&(set.to_owned(), lang.to_owned())).cloned()
    }

    /// Shards that are counted, of how many.
    pub(super) fn progress(&self) -> (usize, usize) {
        *lock(&self.progress)
    }

    fn of_file(&self, path: &Path, hosts_max: usize) -> Option<Arc<Counts>> {
        let stamp = Stamp::of(path).ok()?;
        if let Some((known, counts)) = lock(&self.files).get(path)
            && *known == stamp
        {
            return Some(Arc::clone(counts));
        }
        // A shard that cannot be read is told by whoever opens it; `tamis verify` says what is wrong with it.
        let counts = Arc::new(Counts::of(path, hosts_max).ok()?);
        lock(&self.files).insert(path.to_owned(), (stamp, Arc::clone(&counts)));
        Some(counts)
    }
}

/// Counts what is new in `snapshot`. Nobody else counts meanwhile.
pub(super) fn count(house: &House, snapshot: &Snapshot) {
    let counted = &house.counted;
    let of = snapshot.sets.values().map(|set| set.shards).sum();
    let hosts_max = (HOSTS_MAX / of.max(1)).max(1_000);
    let (mut known, mut sums) = (Vec::new(), Sums::new());
    for (name, set) in &snapshot.sets {
        let mut by_lang: BTreeMap<&str, Counts> = BTreeMap::new();
        for path in set.dataset.shards() {
            if house.is_stopped() {
                return;
            }
            *lock(&counted.progress) = (known.len(), of);
            if let Some(counts) = counted.of_file(path, hosts_max) {
                by_lang.entry(lang_of(path)).or_default().add(&counts);
            }
            known.push(path.clone());
        }
        let mut all = Counts::default();
        by_lang.values().for_each(|counts| all.add(counts));
        sums.insert((name.clone(), String::new()), Arc::new(told(&all)));
        sums.extend(by_lang.iter().map(|(lang, counts)| ((name.clone(), (*lang).to_owned()), Arc::new(told(counts)))));
    }
    lock(&counted.files).retain(|path, _| known.contains(path));
    *lock(&counted.sums) = sums;
    *lock(&counted.progress) = (of, of);
}

fn told(counts: &Counts) -> Told {
    let mut hosts: Vec<(String, u64)> = counts.hosts.iter().map(|(host, count)| (host.to_string(), *count)).collect();
    hosts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    hosts.truncate(HOSTS_SHOWN);
    Told {
        documents: counts.documents,
        hosts,
        hosts_of: counts.hosts.len(),
        hosts_left_out: counts.hosts_left_out,
        clusters: counts.clusters,
        largest: counts.largest.clone(),
        signals: counts.signals.clone(),
    }
}
