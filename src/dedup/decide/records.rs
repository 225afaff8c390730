//! What a decision writes to temporary files: documents that met others, members of clusters, labels for the index.

use std::cmp::Ordering;

use crate::dedup::clusters::{Fate, Member};
use crate::dedup::sorter::{Record, array};
use crate::doc::DocId;

/// A document that met others; the sketch follows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Met {
    pub(super) number: u32,
    pub(super) id: DocId,
    pub(super) occurrence: u64,
    pub(super) rank: u64,
    pub(super) exact: u128,
    /// For one of an earlier night: who stands for its cluster.
    pub(super) winner: DocId,
    /// The same: which number names its cluster.
    pub(super) cluster: u64,
}

impl Met {
    /// Bytes without the sketch.
    pub(super) const BYTES: usize = 76;

    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.id.0.to_le_bytes());
        bytes.extend_from_slice(&self.occurrence.to_le_bytes());
        bytes.extend_from_slice(&self.rank.to_le_bytes());
        bytes.extend_from_slice(&self.exact.to_le_bytes());
        bytes.extend_from_slice(&self.winner.0.to_le_bytes());
        bytes.extend_from_slice(&self.cluster.to_le_bytes());
    }

    pub(super) fn take(bytes: &[u8]) -> Met {
        Met {
            number: u32::from_le_bytes(array(bytes)),
            id: DocId(u128::from_le_bytes(array(&bytes[4..]))),
            occurrence: u64::from_le_bytes(array(&bytes[20..])),
            rank: u64::from_le_bytes(array(&bytes[28..])),
            exact: u128::from_le_bytes(array(&bytes[36..])),
            winner: DocId(u128::from_le_bytes(array(&bytes[52..]))),
            cluster: u64::from_le_bytes(array(&bytes[68..])),
        }
    }

    pub(super) fn key(&self) -> (DocId, u64) {
        (self.id, self.occurrence)
    }
}

/// A member of a cluster, to be sorted by id and occurrence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MemberRecord(pub(super) Member);

impl From<MemberRecord> for Member {
    fn from(record: MemberRecord) -> Member {
        record.0
    }
}

impl MemberRecord {
    fn key(&self) -> (DocId, u64, u32) {
        (self.0.id, self.0.occurrence, self.0.place)
    }
}

impl Eq for MemberRecord {}

impl Ord for MemberRecord {
    fn cmp(&self, other: &MemberRecord) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for MemberRecord {
    fn partial_cmp(&self, other: &MemberRecord) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Record for MemberRecord {
    const BYTES: usize = 69;

    fn put(self, bytes: &mut Vec<u8>) {
        let (fate, jaccard) = fate_bytes(self.0.fate);
        bytes.extend_from_slice(&self.0.id.0.to_le_bytes());
        bytes.extend_from_slice(&self.0.occurrence.to_le_bytes());
        bytes.extend_from_slice(&self.0.place.to_le_bytes());
        bytes.push(fate);
        bytes.extend_from_slice(&jaccard.to_le_bytes());
        bytes.extend_from_slice(&self.0.winner.0.to_le_bytes());
        bytes.extend_from_slice(&self.0.cluster.0.to_le_bytes());
        bytes.extend_from_slice(&self.0.size.to_le_bytes());
    }

    fn take(bytes: &[u8]) -> MemberRecord {
        MemberRecord(Member {
            id: DocId(u128::from_le_bytes(array(bytes))),
            occurrence: u64::from_le_bytes(array(&bytes[16..])),
            place: u32::from_le_bytes(array(&bytes[24..])),
            fate: fate_of(bytes[28], f32::from_le_bytes(array(&bytes[29..]))),
            winner: DocId(u128::from_le_bytes(array(&bytes[33..]))),
            cluster: DocId(u128::from_le_bytes(array(&bytes[49..]))),
            size: u32::from_le_bytes(array(&bytes[65..])),
        })
    }
}

/// A fate as files hold it: its number, and the similarity.
pub(in crate::dedup) fn fate_bytes(fate: Fate) -> (u8, f32) {
    match fate {
        Fate::Winner => (0, 1.0),
        Fate::Exact => (1, 1.0),
        Fate::Near(jaccard) => (2, jaccard),
        Fate::Older => (3, 0.0),
        Fate::Yields { to, jaccard: None } => (YIELDS + 2 * to, 1.0),
        Fate::Yields { to, jaccard: Some(jaccard) } => (YIELDS + 2 * to + 1, jaccard),
    }
}

/// The first number of those that stand for [`Fate::Yields`]: two for each data set, equal texts and similar ones.
const YIELDS: u8 = 4;

/// The fate that a file holds.
pub(in crate::dedup) fn fate_of(number: u8, jaccard: f32) -> Fate {
    match number {
        0 => Fate::Winner,
        1 => Fate::Exact,
        2 => Fate::Near(jaccard),
        3 => Fate::Older,
        _ => Fate::Yields { to: (number - YIELDS) / 2, jaccard: (number % 2 == 1).then_some(jaccard) },
    }
}

/// To which cluster one of tonight's documents belongs, for the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Label {
    pub(super) place: u32,
    pub(super) winner: DocId,
    pub(super) cluster: u64,
}

impl Record for Label {
    const BYTES: usize = 28;

    fn put(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.place.to_le_bytes());
        bytes.extend_from_slice(&self.winner.0.to_le_bytes());
        bytes.extend_from_slice(&self.cluster.to_le_bytes());
    }

    fn take(bytes: &[u8]) -> Label {
        Label {
            place: u32::from_le_bytes(array(bytes)),
            winner: DocId(u128::from_le_bytes(array(&bytes[4..]))),
            cluster: u64::from_le_bytes(array(&bytes[20..])),
        }
    }
}

/// The newest capture of an address first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Capture {
    pub(super) url: u64,
    /// When it was fetched, so that a later one is smaller.
    pub(super) before: u64,
    pub(super) id: DocId,
    pub(super) occurrence: u64,
    pub(super) place: u32,
}

impl Record for Capture {
    const BYTES: usize = 44;

    fn put(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.url.to_le_bytes());
        bytes.extend_from_slice(&self.before.to_le_bytes());
        bytes.extend_from_slice(&self.id.0.to_le_bytes());
        bytes.extend_from_slice(&self.occurrence.to_le_bytes());
        bytes.extend_from_slice(&self.place.to_le_bytes());
    }

    fn take(bytes: &[u8]) -> Capture {
        Capture {
            url: u64::from_le_bytes(array(bytes)),
            before: u64::from_le_bytes(array(&bytes[8..])),
            id: DocId(u128::from_le_bytes(array(&bytes[16..]))),
            occurrence: u64::from_le_bytes(array(&bytes[32..])),
            place: u32::from_le_bytes(array(&bytes[40..])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_reads_back() {
        let yields = [Fate::Yields { to: 0, jaccard: None }, Fate::Yields { to: 15, jaccard: Some(0.875) }];
        for fate in [Fate::Winner, Fate::Exact, Fate::Near(0.75), Fate::Older].into_iter().chain(yields) {
            let (winner, cluster) = (DocId(u128::MAX - 3), DocId(9));
            let member = MemberRecord(Member { id: DocId(5), occurrence: 6, place: 7, fate, winner, cluster, size: 8 });
            let mut bytes = Vec::new();
            member.put(&mut bytes);
            assert_eq!((bytes.len(), MemberRecord::take(&bytes)), (MemberRecord::BYTES, member));
        }
        let label = Label { place: 1, winner: DocId(2), cluster: 1 << 40 };
        let capture = Capture { url: 1, before: 2, id: DocId(3), occurrence: 4, place: 5 };
        let (mut a, mut b) = (Vec::new(), Vec::new());
        label.put(&mut a);
        capture.put(&mut b);
        assert_eq!((Label::take(&a), Capture::take(&b)), (label, capture));
        assert_eq!((a.len(), b.len()), (Label::BYTES, Capture::BYTES));
        let met = Met { number: 1, id: DocId(2), occurrence: 3, rank: 4, exact: 5, winner: DocId(6), cluster: 7 };
        let mut bytes = Vec::new();
        met.put(&mut bytes);
        assert_eq!((bytes.len(), format!("{:?}", Met::take(&bytes))), (Met::BYTES, format!("{met:?}")));
    }
}
