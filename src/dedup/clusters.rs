//! Which documents belong together: exact groups over all languages, then pairs that share a band and pass the sketch, per language.
//!
//! Documents are numbered by (id, occurrence), so that nothing depends on the order of files. Components come from a union-find in which
//! the smaller number is the root. One band is held at a time: about 115 bytes a document in all, and for each document that shares a
//! band with another one (4 * bands + 2 * values) bytes, 288 with the default banding. Sketches are read for those only.

use crate::doc::DocId;

use super::minhash::jaccard;
use super::settings::DedupSettings;
use super::sign::NOTHING_TO_COMPARE;

/// Most documents of one band key with which a further one is compared. Without a bound a page that a million hosts carry would cost
/// a million comparisons squared; more than a few unlike documents under one key come from chance only.
const LEADERS_MAX: usize = 8;

/// A document as the decision sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: DocId,
    /// Which capture it is ([`super::signatures::occurrence`]).
    pub occurrence: u64,
    /// The greater stays.
    pub rank: u64,
    /// Exact hash.
    pub exact: u128,
    /// Number of its language.
    pub lang: u16,
    /// Whether it has bands and a sketch.
    pub sketched: bool,
    /// Where it stands among the signatures.
    pub place: u32,
}

impl Row {
    fn key(&self) -> (DocId, u64) {
        (self.id, self.occurrence)
    }
}

/// Signatures of a job, read piece by piece.
pub trait Signatures {
    /// Why they cannot be read.
    type Error;

    /// All documents, in the order of their places.
    fn rows(&self) -> Result<Vec<Row>, Self::Error>;

    /// Number of bands.
    fn bands(&self) -> usize;

    /// One band's keys, in the order of the places.
    fn band(&self, band: usize) -> Result<Vec<u64>, Self::Error>;

    /// The sketches of the documents at `places` (ascending), one after the other.
    fn sketches(&self, places: &[u32]) -> Result<Vec<u16>, Self::Error>;
}

/// What becomes of a member of a cluster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// It stays.
    Winner,
    /// It falls: its text is the winner's but for white space.
    Exact,
    /// It falls: it hangs together with the winner; the estimated similarity of the two, which may be low where others stand between.
    Near(f32),
}

/// A document that has duplicates.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its id.
    pub id: DocId,
    /// Which capture it is.
    pub occurrence: u64,
    /// Where it stands among the signatures.
    pub place: u32,
    /// What becomes of it.
    pub fate: Fate,
    /// The one that stays.
    pub winner: DocId,
    /// Where that one stands.
    pub winner_place: u32,
    /// Name of the cluster: its smallest id.
    pub cluster: DocId,
    /// Documents in the cluster.
    pub size: u32,
}

/// Every member of every cluster of at least two, sorted by id and occurrence.
///
/// # Errors
/// When the signatures cannot be read.
pub fn find_clusters<S: Signatures>(settings: &DedupSettings, signatures: &S) -> Result<Vec<Member>, S::Error> {
    let mut rows = signatures.rows()?;
    rows.sort_unstable_by_key(|row| (row.key(), row.place));
    let mut forest = Forest::of(rows.len());
    if settings.exact {
        join_exact(&rows, &mut forest);
    }
    let near = join_near(settings, signatures, &rows, &mut forest)?;
    Ok(members(&rows, &mut forest, &near))
}

fn join_exact(rows: &[Row], forest: &mut Forest) {
    let numbered = rows.iter().zip(0_u32..).filter(|(row, _)| row.exact != NOTHING_TO_COMPARE);
    let mut keys: Vec<(u64, u32)> = numbered.map(|(row, number)| (row.exact as u64, number)).collect();
    for_each_group(&mut keys, |group| {
        for pair in group.windows(2) {
            if rows[pair[0].1 as usize].exact == rows[pair[1].1 as usize].exact {
                forest.join(pair[0].1, pair[1].1);
            }
        }
    });
}

/// Sketches of the documents that met another one in a band.
struct Near {
    /// For each document the one of its exact group that stands for it.
    representative: Vec<u32>,
    /// Where a document's sketch is; `u32::MAX` for none.
    slots: Vec<u32>,
    values: usize,
    sketches: Vec<u16>,
}

impl Near {
    fn sketch(&self, number: u32) -> &[u16] {
        let slot = self.slots[self.representative[number as usize] as usize] as usize;
        self.sketches.get(slot * self.values..(slot + 1) * self.values).unwrap_or_default()
    }

    fn jaccard(&self, a: u32, b: u32) -> f32 {
        jaccard(self.sketch(a), self.sketch(b))
    }
}

fn join_near<S: Signatures>(settings: &DedupSettings, signatures: &S, rows: &[Row], forest: &mut Forest) -> Result<Near, S::Error> {
    let representative: Vec<u32> = (0..rows.len() as u32).map(|number| forest.root(number)).collect();
    let candidates = candidates(signatures, rows, &representative)?;
    let mut met = candidates.numbers.clone();
    met.sort_unstable();
    met.dedup();
    met.sort_unstable_by_key(|number| rows[*number as usize].place);
    let places: Vec<u32> = met.iter().map(|number| rows[*number as usize].place).collect();
    let mut slots = vec![u32::MAX; rows.len()];
    for (slot, number) in (0..).zip(&met) {
        slots[*number as usize] = slot;
    }
    let sketches = signatures.sketches(&places)?;
    let near = Near { representative, slots, values: sketches.len() / met.len().max(1), sketches };
    for group in candidates.groups() {
        join_group(settings, group, &near, forest);
    }
    Ok(near)
}

/// Compares each document of a group with the first of it and with those that are unlike all before them: star edges, never all pairs.
fn join_group(settings: &DedupSettings, group: &[u32], near: &Near, forest: &mut Forest) {
    let mut leaders: Vec<u32> = Vec::with_capacity(LEADERS_MAX);
    for number in group {
        let same = |leader: &&u32| forest.root(**leader) == forest.root(*number) || near.jaccard(**leader, *number) >= settings.jaccard_min;
        match leaders.iter().find(same) {
            Some(leader) => forest.join(*leader, *number),
            None if leaders.len() < LEADERS_MAX => leaders.push(*number),
            None => {}
        }
    }
}

/// Groups of documents of one language that share a band key, one after the other.
#[derive(Default)]
struct Candidates {
    numbers: Vec<u32>,
    ends: Vec<usize>,
}

impl Candidates {
    fn groups(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.numbers[start..*end])
    }
}

fn candidates<S: Signatures>(signatures: &S, rows: &[Row], representative: &[u32]) -> Result<Candidates, S::Error> {
    let mut found = Candidates::default();
    let mut keys: Vec<(u64, u32)> = Vec::new();
    for band in 0..signatures.bands() {
        let column = signatures.band(band)?;
        keys.clear();
        for (row, number) in rows.iter().zip(0_u32..) {
            if row.sketched && representative[number as usize] == number {
                keys.push((column[row.place as usize] ^ u64::from(row.lang) << 48, number));
            }
        }
        for_each_group(&mut keys, |group| {
            found.numbers.extend(group.iter().map(|(_, number)| *number));
            found.ends.push(found.numbers.len());
        });
    }
    Ok(found)
}

/// Sorts `keys` and calls `each` with every run of two or more equal ones.
fn for_each_group(keys: &mut [(u64, u32)], each: impl FnMut(&[(u64, u32)])) {
    keys.sort_unstable();
    keys.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1).for_each(each);
}

fn members(rows: &[Row], forest: &mut Forest, near: &Near) -> Vec<Member> {
    let mut sizes = vec![0_u32; rows.len()];
    let mut winners: Vec<u32> = (0..rows.len() as u32).collect();
    for number in 0..rows.len() as u32 {
        let root = forest.root(number) as usize;
        sizes[root] += 1;
        if rows[number as usize].rank > rows[winners[root] as usize].rank {
            winners[root] = number;
        }
    }
    let mut members = Vec::new();
    for (row, number) in rows.iter().zip(0_u32..) {
        let root = forest.root(number) as usize;
        let winner = &rows[winners[root] as usize];
        // A record that the job read twice cannot be told from itself: both stay, rather than none.
        if sizes[root] < 2 || number != winners[root] && row.key() == winner.key() {
            continue;
        }
        let same_text = row.exact == winner.exact && row.exact != NOTHING_TO_COMPARE;
        let fate = match number == winners[root] {
            true => Fate::Winner,
            false if same_text => Fate::Exact,
            false => Fate::Near(near.jaccard(number, winners[root])),
        };
        members.push(Member {
            id: row.id,
            occurrence: row.occurrence,
            place: row.place,
            fate,
            winner: winner.id,
            winner_place: winner.place,
            cluster: rows[root].id,
            size: sizes[root],
        });
    }
    members
}

/// Union-find in which the smaller number is the root, so that labels depend on nothing but the edges.
struct Forest(Vec<u32>);

impl Forest {
    fn of(size: usize) -> Forest {
        Forest((0..size as u32).collect())
    }

    fn root(&mut self, mut number: u32) -> u32 {
        while self.0[number as usize] != number {
            let above = self.0[number as usize];
            self.0[number as usize] = self.0[above as usize];
            number = self.0[number as usize];
        }
        number
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}
