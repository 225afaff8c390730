//! Brings documents and groups together by component, in parts that fit into memory.
//!
//! Which documents may belong together is known; what is missing to judge them are their sketches, and those lie where the documents
//! were read. So each document that met another one is copied to the part that its component has, and each group after it.

use std::collections::HashMap;

use super::bands::Groups;
use super::records::Met;
use super::{DecideError, Night, Numbers};
use crate::dedup::sorter::Spill;
use crate::doc::DocId;

/// Most parts: each has two open files.
const PARTS_MAX: u64 = 200;

/// Some whole components.
pub(super) struct Part {
    /// Their documents: [`Met`], then the sketch.
    pub(super) documents: Spill,
    pub(super) groups: Groups,
}

/// Components in parts.
pub(super) struct Parts {
    pub(super) parts: Vec<Part>,
    /// Bytes of a document in a part.
    pub(super) row_bytes: usize,
}

/// Copies every document that met another one, and every group, to its part.
pub(super) fn gather(night: &Night<'_>, numbers: &mut Numbers, mut groups: Groups) -> Result<Parts, DecideError> {
    let values = night.fresh.scheme().banding.map_or(0, crate::dedup::settings::Banding::values);
    let mut parts = Parts { parts: Vec::new(), row_bytes: Met::BYTES + values };
    let earlier = read_earlier(night, numbers)?;
    let clustered = clustered(numbers);
    let bytes = clustered.iter().filter(|met| **met).count() as u64 * parts.row_bytes as u64;
    // Twice as many as would do if components were all of one size.
    let count = (2 * bytes / night.buffer_bytes as u64 + 1).min(PARTS_MAX);
    for number in 0..count {
        let documents = Spill::create(night.folder.join(format!("documents.{number}.spill")))?;
        parts.parts.push(Part { documents, groups: Groups(Spill::create(night.folder.join(format!("groups.{number}.spill")))?) });
    }
    copy_fresh(night, numbers, &clustered, &mut parts)?;
    copy_earlier(&earlier, numbers, &mut parts)?;
    groups.for_each(|group| {
        let part = part_of(numbers.candidates.root(group[0]), parts.parts.len());
        parts.parts[part].groups.put(group)
    })?;
    Ok(parts)
}

/// Which documents are in a component of more than one.
fn clustered(numbers: &mut Numbers) -> Vec<bool> {
    let mut clustered = vec![false; numbers.len() as usize];
    for number in 0..numbers.len() {
        let root = numbers.candidates.root(number);
        if root != number {
            clustered[number as usize] = true;
            clustered[root as usize] = true;
        }
    }
    clustered
}

fn part_of(root: u32, parts: usize) -> usize {
    (u64::from(root).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % parts
}

fn copy_fresh(night: &Night<'_>, numbers: &mut Numbers, clustered: &[bool], parts: &mut Parts) -> Result<(), DecideError> {
    let values = parts.row_bytes - Met::BYTES;
    let mut bytes = Vec::new();
    for piece in night.fresh.pieces() {
        let places = piece.first..piece.first + piece.count;
        if !places.clone().any(|place| clustered[place as usize]) {
            continue;
        }
        let (ids, occurrences, ranks) = (piece.ids()?, piece.occurrences()?, piece.ranks()?);
        let (exacts, sketches) = (piece.exacts()?, piece.sketches()?);
        for (row, number) in (0..).zip(places).filter(|(_, place)| clustered[*place as usize]) {
            let id = DocId(ids[row]);
            let met = Met { number, id, occurrence: occurrences[row], rank: ranks[row], exact: exacts[row], winner: id, cluster: 0 };
            bytes.clear();
            met.put(&mut bytes);
            bytes.extend_from_slice(&sketches[row * values..(row + 1) * values]);
            let part = part_of(numbers.candidates.root(number), parts.parts.len());
            parts.parts[part].documents.write(&bytes)?;
        }
    }
    Ok(())
}

/// Reads the earlier documents that were met. Those of one cluster are one component, whoever met them.
fn read_earlier(night: &Night<'_>, numbers: &mut Numbers) -> Result<Spill, DecideError> {
    let mut met: Vec<(u64, u32)> = numbers.earlier.iter().copied().zip(numbers.fresh..).collect();
    met.sort_unstable();
    let globals: Vec<u64> = met.iter().map(|(global, _)| *global).collect();
    let mut clusters: HashMap<u64, u32> = HashMap::new();
    let mut spill = Spill::create(night.folder.join("earlier.spill"))?;
    let mut bytes = Vec::new();
    night.index.look_up(&globals, |at, row| {
        let number = met[at].1;
        let winner = if row.winner == DocId(0) { row.id } else { row.winner };
        let cluster = night.index.cluster_now(row.cluster);
        numbers.candidates.join(*clusters.entry(cluster).or_insert(number), number);
        bytes.clear();
        let (id, occurrence, rank, exact) = (row.id, row.occurrence, row.rank, row.exact);
        Met { number, id, occurrence, rank, exact, winner, cluster }.put(&mut bytes);
        bytes.extend_from_slice(&row.sketch);
        Ok::<(), DecideError>(spill.write(&bytes)?)
    })?;
    spill.flush()?;
    Ok(spill)
}

fn copy_earlier(earlier: &Spill, numbers: &mut Numbers, parts: &mut Parts) -> Result<(), DecideError> {
    let mut row = vec![0; parts.row_bytes];
    for at in (0..earlier.bytes()).step_by(parts.row_bytes) {
        earlier.read(&mut row, at)?;
        let part = part_of(numbers.candidates.root(Met::take(&row).number), parts.parts.len());
        parts.parts[part].documents.write(&row)?;
    }
    Ok(())
}
