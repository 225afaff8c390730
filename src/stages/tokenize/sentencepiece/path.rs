//! Unigram: of all ways to cut a text into pieces the one with the greatest sum of scores (Kudo 2018), found in one pass.

use super::model::Type;
use super::{NO_PIECE, Pieces, character};

/// How much worse than the worst piece an unknown character is.
const UNKNOWN_PENALTY: f32 = 10.0;

/// The best way to a place.
#[derive(Clone, Copy)]
struct Best {
    /// Score of the whole way; of no meaning where nothing leads here yet.
    score: f32,
    /// Where the last piece begins, or `usize::MAX`.
    start: usize,
    id: u32,
}

/// Where each piece of `text` ends, with its id.
pub(super) fn best(text: &[u8], pieces: &Pieces) -> Vec<(usize, u32)> {
    let unknown = pieces.score_min - UNKNOWN_PENALTY;
    let mut ways = vec![Best { score: 0.0, start: usize::MAX, id: 0 }; text.len() + 1];
    let mut start = 0;
    while start < text.len() {
        let (till_here, mut has_single) = (ways[start].score, false);
        let single = character(text[start]).min(text.len() - start);
        let mut node = 0;
        for (length, byte) in (1..).zip(&text[start..]) {
            let Some((next, id)) = pieces.trie.find(node, u32::from(*byte)) else { break };
            node = next;
            if id == NO_PIECE {
                continue;
            }
            let piece = pieces.of(id);
            // A symbol of the user's is always taken.
            let score = match piece.kind {
                Type::UserDefined => length as f32 * pieces.score_max - 0.1,
                _ => piece.score,
            };
            improve(&mut ways[start + length], score + till_here, start, id);
            has_single |= length == single;
        }
        if !has_single {
            improve(&mut ways[start + single], unknown + till_here, start, pieces.unknown);
        }
        start += single;
    }
    let (mut cut, mut end) = (Vec::new(), text.len());
    while end > 0 {
        cut.push((end, ways[end].id));
        end = ways[end].start;
    }
    cut.reverse();
    cut
}

fn improve(way: &mut Best, score: f32, start: usize, id: u32) {
    if way.start == usize::MAX || score > way.score {
        *way = Best { score, start, id };
    }
}
