//! Puts documents into sequences of a fixed length, in the order in which they come.
//!
//! Best fit works online with a bounded number of open sequences: memory stays small, the order stays close to the shuffled one, and on
//! real lengths the padding is about that of a sorted best fit (Ding et al. 2024, "Fewer Truncations Improve Language Modeling").

use super::record::{Fit, Settings};
use super::sequence::{Piece, Sequence};
use crate::doc::DocId;

/// Sequences that wait for documents to fill them.
const OPEN_MAX: usize = 256;

/// Takes documents, gives sequences.
pub(super) struct Fitter {
    fit: Fit,
    width: usize,
    open: Vec<(usize, Sequence)>,
}

impl Fitter {
    pub(super) fn new(settings: &Settings) -> Fitter {
        Fitter { fit: settings.fit, width: settings.sequence_tokens as usize, open: Vec::new() }
    }

    /// Adds a document; `full` gets the sequences that are done with it.
    pub(super) fn add(&mut self, id: DocId, tokens: &[u32], full: &mut Vec<Sequence>) {
        let mut at = 0;
        while at < tokens.len() {
            let left = tokens.len() - at;
            let place = self.place(left.min(self.width));
            let (room, sequence) = &mut self.open[place];
            let length = left.min(*room);
            sequence.pieces.push(Piece { id, offset: at as u32, tokens: tokens[at..at + length].to_vec() });
            *room -= length;
            at += length;
            if *room == 0 {
                full.push(self.open.remove(place).1);
            }
        }
        if self.open.len() > OPEN_MAX {
            let fullest = (0..self.open.len()).min_by_key(|place| self.open[*place].0);
            full.extend(fullest.map(|place| self.open.remove(place).1));
        }
    }

    /// The open sequence for `length` tokens: a new one where none has the room that is asked for.
    fn place(&mut self, length: usize) -> usize {
        let fitting = match self.fit {
            Fit::Concatenate => (!self.open.is_empty()).then_some(0),
            Fit::Best => (0..self.open.len()).filter(|place| self.open[*place].0 >= length).min_by_key(|place| self.open[*place].0),
        };
        fitting.unwrap_or_else(|| {
            self.open.push((self.width, Sequence::default()));
            self.open.len() - 1
        })
    }

    /// The sequences that are left, in the order in which they were opened.
    pub(super) fn finish(self) -> impl Iterator<Item = Sequence> {
        self.open.into_iter().map(|(_, sequence)| sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(fit: Fit, lengths: &[usize]) -> Vec<Sequence> {
        let mut fitter = Fitter::new(&Settings { fit, sequence_tokens: 10, ..Settings::default() });
        let mut all = Vec::new();
        for (number, length) in lengths.iter().enumerate() {
            fitter.add(DocId(number as u128), &vec![number as u32; *length], &mut all);
        }
        all.extend(fitter.finish());
        all
    }

    fn lengths(sequences: &[Sequence]) -> Vec<Vec<usize>> {
        sequences.iter().map(|sequence| sequence.pieces.iter().map(|piece| piece.tokens.len()).collect()).collect()
    }

    #[test]
    fn best_fit_cuts_only_what_is_longer_than_a_sequence() {
        assert_eq!(lengths(&packed(Fit::Best, &[6, 7, 3, 4, 23])), [vec![7, 3], vec![6, 4], vec![10], vec![10], vec![3]]);
    }

    #[test]
    fn concatenation_leaves_room_at_the_very_end_only() {
        assert_eq!(lengths(&packed(Fit::Concatenate, &[6, 7, 3, 4, 23])), [vec![6, 4], vec![3, 3, 4], vec![10], vec![10], vec![3]]);
    }

    #[test]
    fn no_token_is_lost_and_no_sequence_is_too_long() {
        for fit in [Fit::Best, Fit::Concatenate] {
            let all = packed(fit, &(0..2000).map(|number| number * 7 % 31).collect::<Vec<_>>());
            assert!(all.iter().all(|sequence| (1..=10).contains(&sequence.tokens())));
            assert_eq!(all.iter().map(Sequence::tokens).sum::<usize>(), (0..2000).map(|number| number * 7 % 31).sum::<usize>());
        }
    }
}
