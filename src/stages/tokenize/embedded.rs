//! The vocabularies inside the program: crate bpe-openai's, which keeps its tables ready to load (35 ms for o200k_base).
//!
//! Two things are ours, for speed: words are cut off without the split pattern where the cut is plain ([`plain_piece`]), and the ids
//! of short pieces are remembered ([`PieceCache`]), because a text repeats its words. Neither changes an id; the tests compare.

use std::sync::{Mutex, PoisonError};

use bpe_openai::Tokenizer;

use super::pieces::{PieceCache, plain_piece};
use super::{NoIds, Vocabulary};

/// The names that [`find`] knows.
pub(super) const NAMES: [&str; 2] = ["o200k_base", "cl100k_base"];

/// A vocabulary of the GPT family. Sizes, special tokens and hashes of the rank files are those of OpenAI's tiktoken
/// (`tiktoken_ext/openai_public.py`); the hashes are checked against the tables by a test.
pub(super) struct Embedded {
    tokenizer: &'static Tokenizer,
    specials: Specials,
    /// Caches that no thread uses just now: a document takes one out and puts it back, so that there are as many as threads.
    caches: Mutex<Vec<PieceCache>>,
}

/// Special tokens with their ids.
type Specials = &'static [(&'static str, u32)];

const O200K_SPECIALS: Specials = &[("<|endoftext|>", 199_999), ("<|endofprompt|>", 200_018)];
const CL100K_SPECIALS: Specials = &[
    ("<|endoftext|>", 100_257),
    ("<|fim_prefix|>", 100_258),
    ("<|fim_middle|>", 100_259),
    ("<|fim_suffix|>", 100_260),
    ("<|endofprompt|>", 100_276),
];

/// The vocabulary called `name`, with the SHA-256 of its published rank file.
pub(super) fn find(name: &str) -> Option<(Embedded, &'static str)> {
    let (tokenizer, specials, sha256) = match name {
        "o200k_base" => (bpe_openai::o200k_base(), O200K_SPECIALS, "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"),
        "cl100k_base" => (bpe_openai::cl100k_base(), CL100K_SPECIALS, "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"),
        _ => return None,
    };
    Some((Embedded { tokenizer, specials, caches: Mutex::default() }, sha256))
}

impl Embedded {
    fn encode_with(&self, text: &str, cache: &mut PieceCache, ids: &mut Vec<u32>) {
        let mut rest = text;
        while !rest.is_empty() {
            let length = match plain_piece(rest.as_bytes()) {
                Some(length) => length,
                None => self.tokenizer.split(rest).next().map_or(rest.len(), str::len),
            };
            let (piece, behind) = rest.split_at(length);
            cache.encode(piece.as_bytes(), ids, |piece| self.tokenizer.bpe.encode_via_backtracking(piece));
            rest = behind;
        }
    }

    fn caches(&self) -> std::sync::MutexGuard<'_, Vec<PieceCache>> {
        self.caches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vocabulary for Embedded {
    fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), NoIds> {
        let idle = self.caches().pop();
        let mut cache = idle.unwrap_or_default();
        self.encode_with(text, &mut cache, ids);
        self.caches().push(cache);
        Ok(())
    }

    fn special(&self, name: &str) -> Option<u32> {
        self.specials.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
    }

    fn size(&self) -> u32 {
        self.specials.iter().map(|(_, id)| id + 1).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn ids(vocabulary: &Embedded, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        vocabulary.encode(text, &mut ids).unwrap();
        ids
    }

    #[test]
    fn the_tables_are_those_of_the_published_rank_files() {
        for name in NAMES {
            let (vocabulary, sha256) = find(name).unwrap();
            let bpe = &vocabulary.tokenizer.bpe;
            let mut hasher = Sha256::new();
            for id in 0..u32::try_from(bpe.num_tokens()).unwrap() {
                hasher.update(format!("{} {id}\n", data_encoding::BASE64.encode(bpe.token_bytes(id))));
            }
            assert_eq!(data_encoding::HEXLOWER.encode(&hasher.finalize()), sha256, "{name}");
        }
    }

    #[test]
    fn shortcuts_and_memory_change_no_id() {
        let texts = [
            "Dors, mon ange, la nuit s'étend; L'ÉTÉ, c'est fini!  Et\n\nvoilà\tencore:\r\n 12 345,67 € (TTC).",
            "Ο Όμηρος ἄειδε θεὰ — «Οδύσσεια», 24 ραψωδίες...",
            "Съешь же ещё этих мягких французских булок, да выпей чаю. ЩУКА-щука's",
            "Ţară și țară: ŞTIRI Știri. Příliš žluťoučký KŮŇ úpěl ĎÁBELSKÉ ódy; camelCase HTTPServer don't DON'T iPhone's",
            "e\u{301}te\u{301} I\u{307}stanbul ªº ǅ ŉ ĸ \u{345} x\u{300}\u{301} , . ;\n \n\n  \n fin ",
            "",
            "   ",
            "日本語とEnglishとру́сский١٢٣½ a1b2c3 _x_ //a/b\n/c",
        ];
        for name in NAMES {
            let (vocabulary, _) = find(name).unwrap();
            for text in texts.into_iter().chain(texts) {
                assert_eq!(ids(&vocabulary, text), vocabulary.tokenizer.encode(text), "{name}: {text}");
            }
        }
    }

    #[test]
    fn a_plain_cut_is_the_patterns_cut_for_every_pair_of_letters_and_neighbours() {
        let letters: Vec<char> = ('\u{1}'..'\u{530}').collect();
        for name in NAMES {
            let (vocabulary, _) = find(name).unwrap();
            for letter in &letters {
                for (before, behind) in
                    [("", ""), (" ", " "), (" A", ","), ("a", "\n"), ("É", "1"), (" ", "Ж."), ("\n", "x"), ("", "'s "), (" е", "-")]
                {
                    let text = format!("{before}{letter}{behind}");
                    if let Some(length) = plain_piece(text.as_bytes()) {
                        assert_eq!(Some(&text[..length]), vocabulary.tokenizer.split(&text).next(), "{name}: {text:?}");
                    }
                }
            }
        }
    }
}
