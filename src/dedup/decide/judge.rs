//! Judges one part after the other: compares candidates by their sketches, finds the clusters and their winners.
//!
//! Documents of earlier nights win: they are published, and what is published stays. A cluster without one keeps its best document.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::gather::{Part, Parts};
use super::records::{Label, MemberRecord, Met};
use super::{DecideError, Night, Numbers};
use crate::dedup::clusters::{Fate, Member, beats, join_group};
use crate::dedup::minhash::jaccard;
use crate::dedup::sign::NOTHING_TO_COMPARE;
use crate::dedup::sorter::{Sorter, Spill};
use crate::doc::DocId;

/// What the index must learn of tonight's clusters.
pub(super) struct Judged {
    pub(super) labels: Sorter<Label>,
    /// Clusters of earlier nights that are one now: the larger number, and a smaller one.
    pub(super) joins: BTreeMap<u64, u64>,
}

/// Judges all parts and tells `members` of every cluster.
pub(super) fn judge(
    night: &Night<'_>,
    numbers: &mut Numbers,
    parts: Parts,
    members: &mut Sorter<MemberRecord>,
) -> Result<Judged, DecideError> {
    let mut judged = Judged { labels: Sorter::new(night.folder, "labels", night.buffer_bytes / 4), joins: BTreeMap::new() };
    let mut slots = vec![0; numbers.len() as usize];
    for part in parts.parts {
        judge_part(night, numbers, (part, parts.row_bytes), &mut slots, members, &mut judged)?;
    }
    Ok(judged)
}

fn judge_part(
    night: &Night<'_>,
    numbers: &mut Numbers,
    (part, row_bytes): (Part, usize),
    slots: &mut [u32],
    members: &mut Sorter<MemberRecord>,
    judged: &mut Judged,
) -> Result<(), DecideError> {
    let Part { documents, mut groups } = part;
    let mut table = Table::open(documents, row_bytes, night.buffer_bytes)?;
    let mut clusters: HashMap<u64, u32> = HashMap::new();
    for slot in 0..table.len() {
        let met = table.met(slot)?;
        slots[met.number as usize] = slot;
        if met.number >= numbers.fresh {
            let first = *clusters.entry(met.cluster).or_insert(met.number);
            numbers.joined.join(first, met.number);
        }
    }
    let (fresh, jaccard_min) = (numbers.fresh, night.settings.jaccard_min);
    groups.for_each(|group| {
        join_group(group, fresh, &mut numbers.joined, |a, b| Ok(table.jaccard(slots[a as usize], slots[b as usize])? >= jaccard_min))
    })?;
    let mut by_root: Vec<(u32, u32)> = Vec::with_capacity(table.len() as usize);
    for slot in 0..table.len() {
        by_root.push((numbers.joined.root(table.met(slot)?.number), slot));
    }
    by_root.sort_unstable();
    for cluster in by_root.chunk_by(|a, b| a.0 == b.0).filter(|cluster| cluster.len() > 1) {
        settle(night, fresh, cluster, &mut table, members, judged)?;
    }
    Ok(())
}

/// Names the winner of one cluster and tells what becomes of the others.
fn settle(
    night: &Night<'_>,
    fresh: u32,
    cluster: &[(u32, u32)],
    table: &mut Table,
    members: &mut Sorter<MemberRecord>,
    judged: &mut Judged,
) -> Result<(), DecideError> {
    let mut found = Found::default();
    for (_, slot) in cluster {
        found.look_at(table.met(*slot)?, *slot, fresh);
    }
    let size = cluster.len() as u32;
    let (winner, name, number) = match &found.earlier {
        Some(earlier) => (earlier.winner, earlier.winner, earlier.cluster),
        None => (found.best.map_or(DocId(0), |(met, _)| met.id), found.smallest_id, night.fresh_base() + u64::from(found.smallest_place)),
    };
    found.clusters.iter().for_each(|other| join_clusters(&mut judged.joins, number, *other));
    for (_, slot) in cluster {
        let met = table.met(*slot)?;
        if met.number >= fresh {
            continue;
        }
        let place = met.number;
        judged.labels.push(Label { place, winner, cluster: number })?;
        let Some(fate) = fate(&found, &met, *slot, table)? else { continue };
        let (id, occurrence) = met.key();
        members.push(MemberRecord(Member { id, occurrence, place, fate, winner, cluster: name, size }))?;
    }
    Ok(())
}

/// What one of tonight's documents is in its cluster; nothing for a record that the job read twice and that cannot be told from the
/// winner: both stay rather than none.
fn fate(found: &Found, met: &Met, slot: u32, table: &mut Table) -> Result<Option<Fate>, DecideError> {
    let has_text = met.exact != NOTHING_TO_COMPARE;
    if found.earlier.is_some() {
        if has_text && found.earlier_exacts.contains(&met.exact) {
            return Ok(Some(Fate::Exact));
        }
        let mut nearest = 0.0_f32;
        for other in &found.earlier_slots {
            nearest = nearest.max(table.jaccard(slot, *other)?);
        }
        return Ok(Some(Fate::Near(nearest)));
    }
    let Some((best, best_slot)) = found.best else { return Ok(None) };
    Ok(match met.number == best.number {
        true => Some(Fate::Winner),
        false if met.key() == best.key() => None,
        false if has_text && met.exact == best.exact => Some(Fate::Exact),
        false => Some(Fate::Near(table.jaccard(slot, best_slot)?)),
    })
}

/// Earlier documents of a cluster that are held against each of tonight's, for the similarity that is told.
const TOLD_MAX: usize = 8;

/// What a first look at a cluster finds.
struct Found {
    /// The earlier document whose cluster has the smallest number.
    earlier: Option<Met>,
    earlier_exacts: BTreeSet<u128>,
    earlier_slots: Vec<u32>,
    /// All clusters of earlier nights in it.
    clusters: BTreeSet<u64>,
    /// The best of tonight's.
    best: Option<(Met, u32)>,
    smallest_id: DocId,
    smallest_place: u32,
}

impl Default for Found {
    fn default() -> Found {
        Found {
            earlier: None,
            earlier_exacts: BTreeSet::new(),
            earlier_slots: Vec::new(),
            clusters: BTreeSet::new(),
            best: None,
            smallest_id: DocId(u128::MAX),
            smallest_place: u32::MAX,
        }
    }
}

impl Found {
    fn look_at(&mut self, met: Met, slot: u32, fresh: u32) {
        if met.number < fresh {
            self.smallest_id = self.smallest_id.min(met.id);
            self.smallest_place = self.smallest_place.min(met.number);
            if self.best.is_none_or(|(best, _)| beats((met.rank, met.key()), (best.rank, best.key()))) {
                self.best = Some((met, slot));
            }
            return;
        }
        self.clusters.insert(met.cluster);
        self.earlier_exacts.insert(met.exact);
        if self.earlier_slots.len() < TOLD_MAX {
            self.earlier_slots.push(slot);
        }
        if self.earlier.is_none_or(|first| (met.cluster, met.key()) < (first.cluster, first.key())) {
            self.earlier = Some(met);
        }
    }
}

/// Notes that two clusters of earlier nights are one.
fn join_clusters(joins: &mut BTreeMap<u64, u64>, a: u64, b: u64) {
    let root = |mut cluster: u64| {
        while let Some(next) = joins.get(&cluster) {
            cluster = *next;
        }
        cluster
    };
    let (a, b) = (root(a), root(b));
    if a != b {
        joins.insert(a.max(b), a.min(b));
    }
}

/// The documents of a part: in memory, or on disk where one component is larger than memory.
struct Table {
    row_bytes: usize,
    rows: u32,
    held: Vec<u8>,
    spill: Spill,
    /// Two rows that were read from disk.
    read: [Vec<u8>; 2],
}

impl Table {
    fn open(mut spill: Spill, row_bytes: usize, bytes_max: usize) -> Result<Table, DecideError> {
        spill.flush()?;
        let rows = (spill.bytes() / row_bytes as u64) as u32;
        let mut held = Vec::new();
        if spill.bytes() <= bytes_max as u64 {
            held.resize(spill.bytes() as usize, 0);
            spill.read(&mut held, 0)?;
        }
        Ok(Table { row_bytes, rows, held, spill, read: [vec![0; row_bytes], vec![0; row_bytes]] })
    }

    fn len(&self) -> u32 {
        self.rows
    }

    fn load(&mut self, slot: u32, hand: usize) -> Result<(), DecideError> {
        Ok(self.spill.read(&mut self.read[hand], u64::from(slot) * self.row_bytes as u64)?)
    }

    fn held(&self, slot: u32) -> Option<&[u8]> {
        let start = slot as usize * self.row_bytes;
        self.held.get(start..start + self.row_bytes)
    }

    fn met(&mut self, slot: u32) -> Result<Met, DecideError> {
        if let Some(row) = self.held(slot) {
            return Ok(Met::take(row));
        }
        self.load(slot, 0)?;
        Ok(Met::take(&self.read[0]))
    }

    fn jaccard(&mut self, a: u32, b: u32) -> Result<f32, DecideError> {
        if let (Some(a), Some(b)) = (self.held(a), self.held(b)) {
            return Ok(jaccard(&a[Met::BYTES..], &b[Met::BYTES..]));
        }
        self.load(a, 0)?;
        self.load(b, 1)?;
        Ok(jaccard(&self.read[0][Met::BYTES..], &self.read[1][Met::BYTES..]))
    }
}
