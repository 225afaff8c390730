//! SentencePiece models (`.model`), unigram and BPE, as the reference implementation encodes with them.
//!
//! A text is normalized by the table inside the model, then cut into pieces of the vocabulary: by the best path (Kudo 2018) or by joining
//! pairs (Sennrich et al. 2016). Names of control symbols in a text are plain text there too. The rules are those of
//! github.com/google/sentencepiece (Apache-2.0), read from its sources and checked against its ids.

mod model;
mod normalize;
mod pairs;
mod path;

use std::collections::HashMap;

use model::{Kind, Model, Piece, Type};
use normalize::Normalizer;

use super::table::PairTable;
use super::{NoIds, Vocabulary};

/// Longest piece that a search looks at; a longer one cannot be in a file that is read.
const PIECE_BYTES_MAX: usize = 4_096;

/// No piece ends at a node.
const NO_PIECE: u32 = u32::MAX;

/// A loaded model.
pub(super) struct SentencePiece {
    kind: Kind,
    pieces: Pieces,
    normalizer: Normalizer,
    /// Ids of the pieces of single bytes, where what is not known is written in them.
    bytes: Option<Box<[u32; 256]>>,
}

/// The pieces of a vocabulary.
struct Pieces {
    all: Vec<Piece>,
    /// Pieces that a text can be cut into, by what they are. Control symbols, unknown and bytes are not among them.
    by_text: HashMap<Box<[u8]>, u32>,
    /// Symbols that the user defined, the longest of those with the same first byte first: they are never cut.
    symbols: HashMap<u8, Vec<Box<[u8]>>>,
    /// The pieces that a path may take: a node and a byte lead to the next node and the piece that ends there.
    trie: PairTable,
    longest: usize,
    unknown: u32,
    score_min: f32,
    score_max: f32,
}

impl Pieces {
    fn new(all: Vec<Piece>) -> Result<Pieces, String> {
        let mut pieces = Pieces {
            by_text: HashMap::with_capacity(all.len()),
            symbols: HashMap::new(),
            trie: PairTable::with_room(4 * all.len()),
            longest: 0,
            unknown: 0,
            score_min: f32::MAX,
            score_max: f32::MIN,
            all: Vec::new(),
        };
        let (mut unknown, mut nodes) = (None, 1);
        for (id, piece) in (0_u32..).zip(&all) {
            let text = piece.text.as_bytes();
            match piece.kind {
                Type::Unknown if unknown.is_some() => return Err("it has two unknown pieces".to_owned()),
                Type::Unknown => unknown = Some(id),
                Type::Control | Type::Byte => {}
                Type::Normal | Type::UserDefined | Type::Unused => {
                    if text.is_empty() || text.len() > PIECE_BYTES_MAX {
                        return Err(format!("piece {id} is empty, or longer than {PIECE_BYTES_MAX} bytes"));
                    }
                    if pieces.by_text.insert(text.into(), id).is_some() {
                        return Err(format!("piece {id} is there twice"));
                    }
                    pieces.longest = pieces.longest.max(text.len());
                    if piece.kind != Type::Unused {
                        nodes = pieces.grow(text, id, nodes);
                    }
                }
            }
            if piece.kind == Type::UserDefined {
                pieces.symbols.entry(text[0]).or_default().push(text.into());
            }
            if piece.kind == Type::Normal {
                pieces.score_min = pieces.score_min.min(piece.score);
                pieces.score_max = pieces.score_max.max(piece.score);
            }
        }
        pieces.symbols.values_mut().for_each(|symbols| symbols.sort_by_key(|symbol| std::cmp::Reverse(symbol.len())));
        pieces.unknown = unknown.ok_or("it has no unknown piece")?;
        pieces.all = all;
        Ok(pieces)
    }

    /// Adds a piece to the trie, which has `nodes` nodes before; answers how many it has then.
    fn grow(&mut self, text: &[u8], id: u32, mut nodes: u32) -> u32 {
        let mut node = 0;
        for (place, byte) in (1..).zip(text) {
            let (next, mut piece) = self.trie.find(node, u32::from(*byte)).unwrap_or((nodes, NO_PIECE));
            nodes += u32::from(next == nodes);
            if place == text.len() {
                piece = id;
            }
            self.trie.insert(node, u32::from(*byte), (next, piece));
            node = next;
        }
        nodes
    }

    fn find(&self, text: &[u8]) -> Option<u32> {
        if text.len() > self.longest { None } else { self.by_text.get(text).copied() }
    }

    fn of(&self, id: u32) -> &Piece {
        &self.all[id as usize]
    }

    /// The length of the symbol of the user's that `text` begins with; 0 where there is none.
    fn symbol_at(&self, text: &[u8]) -> usize {
        let Some(symbols) = text.first().and_then(|first| self.symbols.get(first)) else { return 0 };
        symbols.iter().find(|symbol| text.starts_with(symbol)).map_or(0, |symbol| symbol.len())
    }
}

/// The length in bytes of the character that begins with `lead`.
fn character(lead: u8) -> usize {
    match lead {
        ..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    }
}

impl SentencePiece {
    /// Loads the file's `bytes`.
    ///
    /// # Errors
    /// In words, what is wrong with the file.
    pub(super) fn new(bytes: &[u8]) -> Result<SentencePiece, String> {
        let Model { kind, pieces, byte_fallback, normalizer } = Model::read(bytes)?;
        let pieces = Pieces::new(pieces)?;
        let bytes = if byte_fallback { Some(bytes_of(&pieces)?) } else { None };
        Ok(SentencePiece { kind, normalizer: Normalizer::new(normalizer)?, pieces, bytes })
    }

    /// Appends the ids of what a text was cut into: what is not known is written in bytes, or a run of it is one unknown piece.
    fn spell(&self, normalized: &[u8], cut: &[(usize, u32)], ids: &mut Vec<u32>) {
        let (mut start, mut was_unknown) = (0, false);
        for &(end, id) in cut {
            let is_unknown = id == self.pieces.unknown;
            match &self.bytes {
                Some(bytes) if is_unknown => ids.extend(normalized[start..end].iter().map(|byte| bytes[usize::from(*byte)])),
                None if is_unknown && was_unknown => {}
                _ => ids.push(id),
            }
            (start, was_unknown) = (end, is_unknown);
        }
    }
}

/// The pieces `<0x00>` to `<0xFF>`.
fn bytes_of(pieces: &Pieces) -> Result<Box<[u32; 256]>, String> {
    let mut bytes = Box::new([u32::MAX; 256]);
    for (id, piece) in (0_u32..).zip(&pieces.all).filter(|(_, piece)| piece.kind == Type::Byte) {
        let hex = piece.text.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).ok_or_else(|| format!("piece {id} is no byte"))?;
        bytes[usize::from(byte)] = id;
    }
    if bytes.contains(&u32::MAX) { Err("it writes unknown signs in bytes, and lacks some of them".to_owned()) } else { Ok(bytes) }
}

impl Vocabulary for SentencePiece {
    fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), NoIds> {
        let normalized = self.normalizer.normalize(text.as_bytes(), &self.pieces);
        let cut = match self.kind {
            Kind::Unigram => path::best(&normalized, &self.pieces),
            Kind::Bpe => pairs::join(&normalized, &self.pieces),
        };
        self.spell(&normalized, &cut, ids);
        Ok(())
    }

    fn special(&self, name: &str) -> Option<u32> {
        (0_u32..).zip(&self.pieces.all).find(|(_, piece)| piece.kind == Type::Control && piece.text == name).map(|(id, _)| id)
    }

    fn size(&self) -> u32 {
        self.pieces.all.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of a message.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, bytes.len() as u8][..], bytes].concat()
    }

    fn piece(text: &str, score: f32, kind: u8) -> Vec<u8> {
        let fields = [field(1, text.as_bytes()), [&[0x15][..], &score.to_le_bytes()].concat(), vec![0x18, kind]].concat();
        field(1, &fields)
    }

    /// A model of these pieces; kind 1 is unigram, 2 BPE.
    fn model(kind: u8, byte_fallback: bool, pieces: &[(&str, f32, u8)]) -> Vec<u8> {
        let trainer = field(2, &[0x18, kind, 0x98, 0x02, u8::from(byte_fallback)]);
        let mut all: Vec<Vec<u8>> =
            [("<unk>", 0.0, 2), ("<s>", 0.0, 3)].iter().chain(pieces).map(|(text, score, kind)| piece(text, *score, *kind)).collect();
        if byte_fallback {
            all.extend((0..=255).map(|byte| piece(&format!("<0x{byte:02X}>"), 0.0, 6)));
        }
        all.push(trainer);
        all.concat()
    }

    fn ids(model: &[u8], text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        SentencePiece::new(model).unwrap().encode(text, &mut ids).unwrap();
        ids
    }

    const LETTERS: &[(&str, f32, u8)] = &[
        ("▁", -3.0, 1),
        ("l", -4.0, 1),
        ("a", -4.0, 1),
        ("b", -4.0, 1),
        ("la", -2.0, 1),
        ("ba", -2.5, 1),
        ("▁laba", -1.0, 1),
        ("ab", -1.5, 1),
    ];

    #[test]
    fn the_best_path_is_taken_and_a_run_of_unknown_signs_is_one_piece() {
        let unigram = model(1, false, LETTERS);
        assert_eq!(ids(&unigram, "laba  laba"), [8, 8], "extra spaces go, and a space stands in front");
        assert_eq!(ids(&unigram, "ab"), [2, 9]);
        assert_eq!(ids(&unigram, "la žž ba"), [2, 6, 2, 0, 2, 7]);
        assert!(ids(&unigram, "").is_empty() && ids(&unigram, "   ").is_empty());
        assert!(!ids(&unigram, "<s>").contains(&1), "the name of a control symbol is plain text");
    }

    #[test]
    fn pairs_are_joined_by_score_and_unknown_signs_are_written_in_bytes() {
        let bpe = model(2, true, LETTERS);
        // `ab` comes before `la` and `ba`, so `laba` is l, ab, a.
        assert_eq!(ids(&bpe, "laba"), [2, 3, 9, 4]);
        let first_byte = 2 + LETTERS.len() as u32;
        assert_eq!(ids(&bpe, "ž"), [2, first_byte + 0xC5, first_byte + 0xBE]);
        let vocabulary = SentencePiece::new(&bpe).unwrap();
        assert_eq!((vocabulary.special("<s>"), vocabulary.special("la"), vocabulary.size()), (Some(1), None, first_byte + 256));
    }

    #[test]
    fn symbols_of_the_users_are_never_cut_and_unused_pieces_are_taken_apart_again() {
        let with = |extra: &[(&'static str, f32, u8)]| [LETTERS, extra].concat();
        for kind in [1, 2] {
            assert_eq!(ids(&model(kind, false, &with(&[("abl", -90.0, 4)])), "ablab"), [2, 10, 9], "kind {kind}");
        }
        let unused: Vec<_> = LETTERS.iter().map(|(text, score, kind)| (*text, *score, if *text == "ab" { 5 } else { *kind })).collect();
        assert_eq!(ids(&model(2, false, &unused), "ab"), [2, 4, 5]);
    }

    #[test]
    fn a_file_that_is_no_model_is_refused_wherever_it_is_cut() {
        let whole = model(1, false, LETTERS);
        for length in 0..whole.len() {
            let _ = SentencePiece::new(&whole[..length]);
        }
        for (bytes, told) in [
            (b"no model".to_vec(), "no SentencePiece model"),
            (model(3, false, LETTERS), "whole words"),
            (model(1, false, &[("a", 0.0, 1), ("a", 0.0, 1)]), "piece 3 is there twice"),
            (model(1, false, &[("<unk>", 0.0, 2)]), "two unknown pieces"),
        ] {
            let why = SentencePiece::new(&bytes).err().expect("it cannot be used");
            assert!(why.contains(told), "{told}: {why}");
        }
    }
}
