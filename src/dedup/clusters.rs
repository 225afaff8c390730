//! Which documents belong together: what a decision says of a document, and how candidates become clusters.
//!
//! A key only makes candidates; an edge is a pair of them that is similar. Whether a pair is compared depends on nothing but the order
//! of the documents, never on what was joined before, so that five nights one by one find the edges of one run over all five.

use crate::doc::DocId;

use super::forest::Forest;

/// Documents of one key with which a further one is compared: those that came first. Without a bound a key that a million pages share
/// would cost a million comparisons squared; more than a few unlike documents under one key come from templates and chance only.
pub const PARTNERS_MAX: usize = 128;

/// What becomes of a member of a cluster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// It stays.
    Winner,
    /// It falls: the winner, or a document of an earlier night in its cluster, has its text but for white space.
    Exact,
    /// It falls: it hangs together with the winner. The estimated similarity of the two, which may be low where others stand between;
    /// where an earlier night has the winner, the similarity to the most similar of its cluster that was met.
    Near(f32),
    /// It falls: the same address was captured again later.
    Older,
    /// It falls: a document of another data set goes before it, which has its text, or is as similar as `jaccard` estimates.
    Yields {
        /// The data set: its place in the setting `yield_to`.
        to: u8,
        /// How similar the two are; none where their texts are equal.
        jaccard: Option<f32>,
    },
}

/// A document that has duplicates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member {
    /// Its id.
    pub id: DocId,
    /// Which capture it is ([`super::signatures::occurrence`]).
    pub occurrence: u64,
    /// Where it stands among the signatures.
    pub place: u32,
    /// What becomes of it.
    pub fate: Fate,
    /// The one that stays.
    pub winner: DocId,
    /// Name of the cluster: its smallest id; the winner's id where an earlier night has the winner.
    pub cluster: DocId,
    /// Documents of the cluster that were at hand.
    pub size: u32,
}

/// Joins all pairs of `group` that are `similar`, each document compared with the first [`PARTNERS_MAX`] before it. Numbers from
/// `fresh_max` on are of earlier nights; two of them were judged when the later one came.
///
/// # Errors
/// What `similar` says.
pub fn join_group<E>(
    group: &[u32],
    fresh_max: u32,
    forest: &mut Forest,
    mut similar: impl FnMut(u32, u32) -> Result<bool, E>,
) -> Result<(), E> {
    for (at, number) in group.iter().enumerate() {
        for partner in &group[..at.min(PARTNERS_MAX)] {
            let both_judged = *number >= fresh_max && *partner >= fresh_max;
            if !both_judged && forest.root(*number) != forest.root(*partner) && similar(*partner, *number)? {
                forest.join(*partner, *number);
            }
        }
    }
    Ok(())
}

/// What the choice of a winner asks: the greater rank, then the smaller id and occurrence.
#[must_use]
pub fn beats((rank, key): (u64, (DocId, u64)), (other_rank, other_key): (u64, (DocId, u64))) -> bool {
    rank > other_rank || rank == other_rank && key < other_key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(group: &[u32], fresh_max: u32, similar: impl Fn(u32, u32) -> bool) -> Vec<u32> {
        let mut forest = Forest::of(group.iter().max().map_or(0, |max| max + 1));
        join_group::<()>(group, fresh_max, &mut forest, |a, b| Ok(similar(a, b))).unwrap();
        group.iter().map(|number| forest.root(*number)).collect()
    }

    #[test]
    fn a_document_joins_whom_it_is_like_even_if_the_first_of_the_group_is_unlike() {
        assert_eq!(joined(&[0, 1, 2, 3], 9, |a, b| (a, b) == (1, 3) || (a, b) == (2, 3)), [0, 1, 1, 1]);
    }

    #[test]
    fn documents_of_earlier_nights_are_not_judged_again() {
        assert_eq!(joined(&[5, 6, 0], 2, |_, _| true), [0, 0, 0]);
        assert_eq!(joined(&[5, 6, 0], 2, |a, b| a.min(b) > 0), [5, 6, 0]);
    }

    #[test]
    fn the_work_on_a_hot_key_is_bounded() {
        let group: Vec<u32> = (0..10_000).collect();
        let mut forest = Forest::of(10_000);
        let mut compared = 0_usize;
        join_group::<()>(&group, 10_000, &mut forest, |_, _| {
            compared += 1;
            Ok(false)
        })
        .unwrap();
        assert!(compared <= group.len() * PARTNERS_MAX);
    }

    #[test]
    fn the_better_stays_and_of_equals_the_one_with_the_smaller_id() {
        let of = |rank, id, occurrence| (rank, (DocId(id), occurrence));
        assert!(beats(of(2, 9, 0), of(1, 1, 0)));
        assert!(beats(of(2, 1, 5), of(2, 9, 0)) && !beats(of(2, 9, 0), of(2, 1, 5)));
        assert!(beats(of(2, 1, 0), of(2, 1, 5)));
    }
}
