//! What the columns of a shard amount to: its hosts, its clusters by size, and how each signal of quality is spread.
//!
//! A shard is counted alone, so that what was counted stays good until that file changes, and sums are made of what is there.

use std::collections::BTreeMap;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, UInt32Type};
use arrow_array::{Array, RecordBatch};

use super::InspectError;
use crate::locator::rows::Documents;
use crate::locator::{InBlock, LocateError};

/// Bars of a histogram.
pub const BINS: usize = 20;
/// The largest clusters that are named.
const LARGEST: usize = 10;
/// Bounds of the classes of clusters: documents in one, from and to.
pub const CLUSTERS: [(u32, u32); 6] = [(1, 1), (2, 2), (3, 5), (6, 20), (21, 100), (101, u32::MAX)];

/// How the values of one signal are spread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Documents by bin; see [`bin_start`].
    pub bins: [u64; BINS],
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Documents.
    pub documents: u64,
    /// Documents by host; the smallest are left out where there are too many.
    pub hosts: BTreeMap<Box<str>, u64>,
    /// Documents of hosts that were left out.
    pub hosts_left_out: u64,
    /// Clusters by class of [`CLUSTERS`].
    pub clusters: [u64; CLUSTERS.len()],
    /// The largest clusters: size and id of the winner, largest first.
    pub largest: Vec<(u32, String)>,
    /// By signal.
    pub signals: BTreeMap<Box<str>, Spread>,
}

/// Whether a signal is a share, from 0 to 1; all others are counts, whose bins double.
#[must_use]
pub fn is_share(signal: &str) -> bool {
    ["fraction", "share", "confidence", "_per_word"].iter().any(|ending| signal.ends_with(ending))
}

/// Where bin `bin` of a signal begins.
#[must_use]
pub fn bin_start(signal: &str, bin: usize) -> f64 {
    match (is_share(signal), bin) {
        (true, bin) => bin as f64 / BINS as f64,
        (false, 0) => 0.0,
        (false, bin) => 2_f64.powi(bin as i32 - 1),
    }
}

fn bin_of(is_share: bool, value: f32) -> usize {
    let bin = match is_share {
        true => (f64::from(value) * BINS as f64) as usize,
        false if value < 1.0 => 0,
        false => value.log2() as usize + 1,
    };
    bin.min(BINS - 1)
}

impl Counts {
    /// Counts the shard at `path`; at most `hosts_max` hosts are kept apart.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path, hosts_max: usize) -> Result<Counts, InspectError> {
        let refused = |source| LocateError::Parquet { path: path.to_owned(), source };
        let documents = Documents::open(path).map_err(refused)?;
        let mut counts = Counts::default();
        for group in 0..documents.groups().len() {
            let columns = ["id", "host", "cluster_size", "quality"];
            let each = |_: usize, row: crate::locator::rows::Row<'_>| {
                // Rows come in batches, and columns are quicker than rows.
                if row.number() == 0 {
                    counts.add_batch(row.batch());
                }
            };
            documents.for_each(group, &InBlock::Anywhere, &columns, each).map_err(refused)?;
            counts.leave_out(2 * hosts_max);
        }
        counts.leave_out(hosts_max);
        Ok(counts)
    }

    fn add_batch(&mut self, batch: &RecordBatch) {
        self.documents += batch.num_rows() as u64;
        if let Some(hosts) = batch.column_by_name("host").and_then(|column| column.as_string_opt::<i32>()) {
            for host in hosts.iter().flatten() {
                match self.hosts.get_mut(host) {
                    Some(count) => *count += 1,
                    None => drop(self.hosts.insert(host.into(), 1)),
                }
            }
        }
        self.add_clusters(batch);
        let Some(quality) = batch.column_by_name("quality").and_then(|column| column.as_struct_opt()) else { return };
        for (field, column) in quality.fields().iter().zip(quality.columns()) {
            let column = column.as_primitive_opt::<Float32Type>().filter(|column| column.null_count() < column.len());
            let Some(column) = column else { continue };
            let signal = field.name().as_str();
            let (spread, is_share) = (self.signals.entry(signal.into()).or_default(), is_share(signal));
            column.iter().flatten().filter(|value| value.is_finite()).for_each(|value| spread.bins[bin_of(is_share, value)] += 1);
        }
    }

    fn add_clusters(&mut self, batch: &RecordBatch) {
        let ids = batch.column_by_name("id").and_then(|column| column.as_string_opt::<i32>());
        let sizes = batch.column_by_name("cluster_size").and_then(|column| column.as_primitive_opt::<UInt32Type>());
        let (Some(ids), Some(sizes)) = (ids, sizes) else { return };
        for (id, size) in ids.iter().zip(sizes.iter()) {
            let size = size.unwrap_or(1).max(1);
            let class = CLUSTERS.iter().position(|(_, to)| size <= *to).unwrap_or(CLUSTERS.len() - 1);
            self.clusters[class] += 1;
            if size > 1 && (self.largest.len() < LARGEST || self.largest.last().is_some_and(|(least, _)| size > *least)) {
                self.largest.push((size, id.unwrap_or_default().to_owned()));
                self.keep_largest();
            }
        }
    }

    fn keep_largest(&mut self) {
        self.largest.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
        self.largest.truncate(LARGEST);
    }

    /// Leaves out the smallest hosts where there are more than `hosts_max`.
    fn leave_out(&mut self, hosts_max: usize) {
        if self.hosts.len() <= hosts_max {
            return;
        }
        let mut sizes: Vec<u64> = self.hosts.values().copied().collect();
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        let least = sizes.get(hosts_max).copied().unwrap_or(0);
        self.hosts_left_out += self.hosts.values().filter(|count| **count <= least).sum::<u64>();
        self.hosts.retain(|_, count| *count > least);
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Counts) {
        self.documents += other.documents;
        self.hosts_left_out += other.hosts_left_out;
        for (host, count) in &other.hosts {
            *self.hosts.entry(host.clone()).or_default() += count;
        }
        self.clusters.iter_mut().zip(other.clusters).for_each(|(mine, count)| *mine += count);
        self.largest.extend(other.largest.iter().cloned());
        self.keep_largest();
        for (signal, spread) in &other.signals {
            let mine = self.signals.entry(signal.clone()).or_default();
            mine.bins.iter_mut().zip(spread.bins).for_each(|(mine, count)| *mine += count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_falls_into_the_bin_that_begins_at_or_below_it() {
        for (signal, value) in [("words", 0.0), ("words", 1.0), ("words", 5.0), ("lang_share", 0.0), ("lang_share", 0.52), ("words", 300.0)]
        {
            let bin = bin_of(is_share(signal), value as f32);
            assert!(bin_start(signal, bin) <= value && value < bin_start(signal, bin + 1), "{signal} {value} {bin}");
        }
        assert_eq!((bin_of(true, 1.0), bin_of(false, f32::MAX)), (BINS - 1, BINS - 1));
    }

    #[test]
    fn of_many_hosts_the_largest_stay_and_none_is_lost_from_the_sum() {
        let mut counts = Counts::default();
        counts.hosts.extend((0..100_u64).map(|host| (format!("h{host:03}.eu").into(), host)));
        let all: u64 = counts.hosts.values().sum();
        counts.leave_out(10);
        assert_eq!((counts.hosts.len(), counts.hosts.get("h099.eu")), (10, Some(&99)));
        assert_eq!(counts.hosts.values().sum::<u64>() + counts.hosts_left_out, all);
    }
}
