//! BPE: neighbours that make a piece are joined, the pair with the best score first and the leftmost of equals.

use std::collections::{BinaryHeap, HashMap};

use super::model::Type;
use super::{Pieces, character};

/// No neighbour.
const NONE: u32 = u32::MAX;

/// A stretch of the text.
struct Symbol {
    start: usize,
    /// Equal to `start` where it was joined to the one before.
    end: usize,
    before: u32,
    behind: u32,
    /// A symbol of the user's, which is never joined.
    is_fixed: bool,
}

/// Two neighbours that make a piece.
#[derive(PartialEq)]
struct Pair {
    score: f32,
    left: u32,
    right: u32,
    bytes: usize,
}

impl Eq for Pair {}

impl Ord for Pair {
    /// The best score is the greatest, and of equals the leftmost.
    fn cmp(&self, other: &Pair) -> std::cmp::Ordering {
        self.score.total_cmp(&other.score).then_with(|| other.left.cmp(&self.left))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Pair) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

struct Joining<'a> {
    text: &'a [u8],
    pieces: &'a Pieces,
    symbols: Vec<Symbol>,
    pairs: BinaryHeap<Pair>,
    /// How unused pieces were made, so that they can be taken apart again.
    made: HashMap<&'a [u8], usize>,
}

/// Where each piece of `text` ends, with its id.
pub(super) fn join(text: &[u8], pieces: &Pieces) -> Vec<(usize, u32)> {
    let mut joining = Joining { text, pieces, symbols: symbols(text, pieces), pairs: BinaryHeap::new(), made: HashMap::new() };
    for at in 1..joining.symbols.len() as u32 {
        joining.pair(at - 1, at);
    }
    while let Some(pair) = joining.pairs.pop() {
        joining.take(&pair);
    }
    let mut cut = Vec::new();
    let mut at = if joining.symbols.is_empty() { NONE } else { 0 };
    while at != NONE {
        let symbol = &joining.symbols[at as usize];
        joining.take_apart(symbol.start, symbol.end, &mut cut);
        at = symbol.behind;
    }
    cut
}

fn symbols(text: &[u8], pieces: &Pieces) -> Vec<Symbol> {
    let (mut symbols, mut start) = (Vec::new(), 0);
    while start < text.len() {
        let fixed = pieces.symbol_at(&text[start..]);
        let length = if fixed > 0 { fixed } else { character(text[start]).min(text.len() - start) };
        let at = symbols.len() as u32;
        symbols.push(Symbol { start, end: start + length, before: at.wrapping_sub(1), behind: at + 1, is_fixed: fixed > 0 });
        start += length;
    }
    if let Some(last) = symbols.last_mut() {
        last.behind = NONE;
    }
    symbols
}

impl<'a> Joining<'a> {
    fn pair(&mut self, left: u32, right: u32) {
        if left == NONE || right == NONE {
            return;
        }
        let (first, second) = (&self.symbols[left as usize], &self.symbols[right as usize]);
        if first.is_fixed || second.is_fixed {
            return;
        }
        let text = &self.text[first.start..second.end];
        let Some(id) = self.pieces.find(text) else { return };
        let piece = self.pieces.of(id);
        if piece.kind == Type::Unused {
            self.made.insert(text, first.end - first.start);
        }
        self.pairs.push(Pair { score: piece.score, left, right, bytes: text.len() });
    }

    fn take(&mut self, pair: &Pair) {
        let (left, right) = (&self.symbols[pair.left as usize], &self.symbols[pair.right as usize]);
        let is_gone = |symbol: &Symbol| symbol.start == symbol.end;
        if is_gone(left) || is_gone(right) || right.end - left.start != pair.bytes {
            return;
        }
        let (end, behind) = (right.end, right.behind);
        self.symbols[pair.right as usize].end = self.symbols[pair.right as usize].start;
        let left = &mut self.symbols[pair.left as usize];
        (left.end, left.behind) = (end, behind);
        let before = left.before;
        if behind != NONE {
            self.symbols[behind as usize].before = pair.left;
        }
        self.pair(before, pair.left);
        self.pair(pair.left, behind);
    }

    /// Adds a symbol, or what it was made of where it is an unused piece.
    fn take_apart(&self, start: usize, end: usize, cut: &mut Vec<(usize, u32)>) {
        let id = self.pieces.find(&self.text[start..end]);
        let is_unused = id.is_some_and(|id| self.pieces.of(id).kind == Type::Unused);
        match self.made.get(&self.text[start..end]).filter(|_| is_unused) {
            Some(left) => {
                self.take_apart(start, start + left, cut);
                self.take_apart(start + left, end, cut);
            }
            None => cut.push((end, id.unwrap_or(self.pieces.unknown))),
        }
    }
}
