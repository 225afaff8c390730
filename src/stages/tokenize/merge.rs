//! Byte-pair encoding of one piece: the pair with the lowest rank is joined, the leftmost of equals, until no pair has a rank (Sennrich et
//! al. 2016, over bytes as in GPT-2).
//!
//! A short piece is a list that is searched for the lowest rank again and again; a long one keeps its pairs in a heap, so a run of letters
//! without a space costs n log n and not n squared.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Parts up to which a search of the whole list is quicker than a heap.
const SHORT_PARTS: usize = 64;
/// No rank.
const NONE: u32 = u32::MAX;

/// A stretch of a piece that is one token by now.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Where it begins in the piece.
    start: u32,
    /// Its token.
    id: u32,
    /// Rank of the pair that it makes with the next part.
    rank: u32,
    /// The token of that pair.
    joined: u32,
}

/// What pairs become.
pub(super) trait Pairs {
    /// Rank and id of the token that `left` and `right`, which together are `text[at..end]`, become.
    fn join(&self, left: u32, right: u32, text: &[u8], at: usize, end: usize) -> Option<(u32, u32)>;
    /// The token of a single byte.
    fn byte(&self, byte: u8) -> u32;
}

/// A piece in its text: what lies behind it may be read with it, which is quicker than to stop at its end.
#[derive(Clone, Copy)]
struct Piece<'a> {
    text: &'a [u8],
    at: usize,
    end: usize,
}

impl Piece<'_> {
    /// What two neighbours become that `behind` follows.
    #[inline]
    fn join(self, left: Part, right: Part, behind: Option<&Part>, pairs: &impl Pairs) -> Option<(u32, u32)> {
        let end = behind.map_or(self.end, |part| self.at + part.start as usize);
        pairs.join(left.id, right.id, self.text, self.at + left.start as usize, end)
    }
}

/// Memory that pieces share.
#[derive(Default)]
pub(super) struct Workbench {
    parts: Vec<Part>,
    links: Vec<(u32, u32)>,
    heap: BinaryHeap<Reverse<(u32, u32, u32)>>,
}

impl Workbench {
    /// Appends the ids of the piece `text[at..end]`.
    pub(super) fn encode(&mut self, text: &[u8], (at, end): (usize, usize), pairs: &impl Pairs, ids: &mut Vec<u32>) {
        self.parts.clear();
        let piece = Piece { text, at, end };
        let single = |(start, byte): (usize, &u8)| Part { start: start as u32, id: pairs.byte(*byte), rank: NONE, joined: 0 };
        self.parts.extend(text[at..end].iter().enumerate().map(single));
        if self.parts.len() <= SHORT_PARTS { self.encode_short(piece, pairs, ids) } else { self.encode_long(piece, pairs, ids) }
    }

    fn encode_short(&mut self, piece: Piece<'_>, pairs: &impl Pairs, ids: &mut Vec<u32>) {
        let parts = &mut self.parts;
        for at in 0..parts.len().saturating_sub(1) {
            rate(parts, at, piece, pairs);
        }
        loop {
            let lowest = parts.iter().enumerate().min_by_key(|(_, part)| part.rank);
            let Some((at, part)) = lowest.filter(|(_, part)| part.rank != NONE) else { break };
            parts[at].id = part.joined;
            parts.remove(at + 1);
            rate(parts, at, piece, pairs);
            if at > 0 {
                rate(parts, at - 1, piece, pairs);
            }
        }
        ids.extend(parts.iter().map(|part| part.id));
    }

    /// Parts stay where they are; a part that was joined to its neighbour is passed over by the links.
    fn encode_long(&mut self, piece: Piece<'_>, pairs: &impl Pairs, ids: &mut Vec<u32>) {
        let count = self.parts.len() as u32;
        self.links.clear();
        self.links.extend((0..count).map(|at| (at.wrapping_sub(1), at + 1)));
        self.heap.clear();
        for at in 0..count {
            self.rate_long(at, piece, pairs);
        }
        while let Some(Reverse((rank, at, joined))) = self.heap.pop() {
            let part = self.parts[at as usize];
            // A pair whose parts have changed since has another entry, or none.
            if part.rank != rank || part.joined != joined {
                continue;
            }
            let next = self.links[at as usize].1;
            let (_, behind) = self.links[next as usize];
            self.parts[next as usize].rank = NONE;
            self.parts[at as usize].id = joined;
            self.links[at as usize].1 = behind;
            if behind < count {
                self.links[behind as usize].0 = at;
            }
            self.rate_long(at, piece, pairs);
            let before = self.links[at as usize].0;
            if before < count {
                self.rate_long(before, piece, pairs);
            }
        }
        let mut at = 0;
        while at < count {
            ids.push(self.parts[at as usize].id);
            at = self.links[at as usize].1;
        }
    }

    fn rate_long(&mut self, at: u32, piece: Piece<'_>, pairs: &impl Pairs) {
        let next = self.links[at as usize].1;
        let mut rated = (NONE, 0);
        if let Some(right) = self.parts.get(next as usize) {
            let behind = self.links[next as usize].1;
            let left = self.parts[at as usize];
            rated = piece.join(left, *right, self.parts.get(behind as usize), pairs).unwrap_or(rated);
        }
        let part = &mut self.parts[at as usize];
        (part.rank, part.joined) = rated;
        if rated.0 != NONE {
            self.heap.push(Reverse((rated.0, at, rated.1)));
        }
    }
}

/// Notes what the part at `at` becomes with the next one.
fn rate(parts: &mut [Part], at: usize, piece: Piece<'_>, pairs: &impl Pairs) {
    let mut rated = (NONE, 0);
    if let Some(right) = parts.get(at + 1) {
        rated = piece.join(parts[at], *right, parts.get(at + 2), pairs).unwrap_or(rated);
    }
    (parts[at].rank, parts[at].joined) = rated;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tokens of `a` and `b`, ranked by their length and then their letters, but for some that are missing.
    struct Letters;

    impl Pairs for Letters {
        fn join(&self, _: u32, _: u32, text: &[u8], at: usize, end: usize) -> Option<(u32, u32)> {
            let bytes = &text[at..end];
            let value = bytes.iter().fold(1_u32, |value, byte| value * 2 + u32::from(*byte == b'b'));
            (bytes.len() <= 6 && !value.is_multiple_of(5)).then_some(((value * 7_919) % 1_009 * 64 + value, value))
        }

        fn byte(&self, byte: u8) -> u32 {
            2 + u32::from(byte == b'b')
        }
    }

    /// The definition, word for word.
    fn slowly(piece: &[u8]) -> Vec<u32> {
        let mut parts: Vec<(Vec<u8>, u32)> = piece.iter().map(|byte| (vec![*byte], Letters.byte(*byte))).collect();
        loop {
            let both = |at: usize| [parts[at].0.as_slice(), &parts[at + 1].0].concat();
            let joined = |at: usize| Letters.join(0, 0, &both(at), 0, both(at).len());
            let best = (1..parts.len()).filter_map(|at| joined(at - 1).map(|(rank, id)| (rank, at - 1, id))).min();
            let Some((_, at, id)) = best else { return parts.into_iter().map(|(_, id)| id).collect() };
            let (right, _) = parts.remove(at + 1);
            parts[at].0.extend(right);
            parts[at].1 = id;
        }
    }

    proptest! {
        #[test]
        fn pairs_are_joined_in_the_order_of_their_ranks_however_long_the_piece(piece in "[ab]{1,300}") {
            let (mut bench, mut ids) = (Workbench::default(), Vec::new());
            bench.encode(format!("b{piece}a").as_bytes(), (1, piece.len() + 1), &Letters, &mut ids);
            prop_assert_eq!(ids, slowly(piece.as_bytes()));
        }
    }
}
