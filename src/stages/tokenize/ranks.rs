//! Vocabularies of the GPT family: a token's id is its rank, and pairs join to whatever token their bytes are.
//!
//! They come from tiktoken's rank files (`NAME.tiktoken`: the bytes in Base64 and the rank, a line each; the name says by which pattern
//! texts are split) or from inside the program, where the two widest used lie packed.

use std::io::Read;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use data_encoding::BASE64;

use super::bytes::Tokens;
use super::memory::Memory;
use super::merge::{Pairs, Workbench};
use super::split::Pattern;
use super::{NoIds, Vocabulary};

/// The names of the vocabularies inside the program.
pub(super) const INSIDE: [&str; 2] = ["o200k_base", "cl100k_base"];

/// The tokens of o200k_base and cl100k_base, in order: length in a byte and bytes, zstd. Made from the published rank files, whose hashes
/// a test compares (github.com/openai/tiktoken, MIT licence).
const O200K: &[u8] = include_bytes!("vocabularies/o200k_base.zst");
const CL100K: &[u8] = include_bytes!("vocabularies/cl100k_base.zst");

/// What is known of a vocabulary by its name. Special tokens and hashes are those of tiktoken's `openai_public.py`.
struct Known {
    name: &'static str,
    pattern: Pattern,
    specials: &'static [(&'static str, u32)],
    sha256: &'static str,
}

const CL100K_PATTERN: Pattern = Pattern::Cl100k { whole_tail: true, digits: 3 };

const KNOWN: [Known; 4] = [
    Known {
        name: "o200k_base",
        pattern: Pattern::O200k,
        specials: &[("<|endoftext|>", 199_999), ("<|endofprompt|>", 200_018)],
        sha256: "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    },
    Known {
        name: "cl100k_base",
        pattern: CL100K_PATTERN,
        specials: &[
            ("<|endoftext|>", 100_257),
            ("<|fim_prefix|>", 100_258),
            ("<|fim_middle|>", 100_259),
            ("<|fim_suffix|>", 100_260),
            ("<|endofprompt|>", 100_276),
        ],
        sha256: "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    },
    Known {
        name: "p50k_base",
        pattern: Pattern::Gpt2,
        specials: &[("<|endoftext|>", 50_256)],
        sha256: "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
    },
    Known {
        name: "r50k_base",
        pattern: Pattern::Gpt2,
        specials: &[("<|endoftext|>", 50_256)],
        sha256: "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
    },
];

/// A vocabulary of ranks.
pub(super) struct Ranks {
    tokens: Tokens,
    singles: [u32; 256],
    /// Tokens of two bytes by their bytes: most first questions are for them.
    doubles: Vec<u32>,
    pattern: Pattern,
    specials: &'static [(&'static str, u32)],
    desks: Desks,
}

/// What a document needs to be encoded with: a thread takes one and puts it back, so that there are as many as threads.
#[derive(Default)]
pub(super) struct Desks(Mutex<Vec<Desk>>);

/// Memory and workbench of one thread.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) memory: Memory,
    pub(super) workbench: Workbench,
}

impl Desks {
    /// Works with a desk that nobody uses.
    pub(super) fn with(&self, work: impl FnOnce(&mut Desk)) {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut desk = idle.unwrap_or_default();
        work(&mut desk);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(desk);
    }
}

/// A vocabulary inside the program. It is unpacked when the first text is encoded, and once, though a recipe is built for the plan, for the footers of
/// shards and for the work: four times when a run is decided anew, where most often no text is encoded at all.
pub(super) struct Inside {
    known: &'static Known,
    ranks: &'static LazyLock<Option<Arc<Ranks>>>,
}

impl Inside {
    fn ranks(&self) -> &Arc<Ranks> {
        self.ranks.as_ref().expect("a vocabulary of the program itself; a test reads it")
    }
}

impl Vocabulary for Inside {
    fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), NoIds> {
        self.ranks().encode(text, ids)
    }

    fn special(&self, name: &str) -> Option<u32> {
        special(self.known.specials, name)
    }

    fn size(&self) -> u32 {
        behind_specials(self.known.specials)
    }
}

/// The id of the special token `name`.
fn special(specials: &[(&str, u32)], name: &str) -> Option<u32> {
    specials.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
}

/// Every special token's id is smaller than this.
fn behind_specials(specials: &[(&str, u32)]) -> u32 {
    specials.iter().map(|(_, id)| id + 1).max().unwrap_or(0)
}

/// The vocabulary inside the program that is called `name`, with the hash of its published rank file.
pub(super) fn inside(name: &str) -> Option<(Inside, &'static str)> {
    static O200K_BASE: LazyLock<Option<Arc<Ranks>>> = LazyLock::new(|| build_inside("o200k_base", O200K));
    static CL100K_BASE: LazyLock<Option<Arc<Ranks>>> = LazyLock::new(|| build_inside("cl100k_base", CL100K));
    let ranks = match name {
        "o200k_base" => &O200K_BASE,
        "cl100k_base" => &CL100K_BASE,
        _ => return None,
    };
    let known = KNOWN.iter().find(|known| known.name == name)?;
    Some((Inside { known, ranks }, known.sha256))
}

fn build_inside(name: &str, packed: &[u8]) -> Option<Arc<Ranks>> {
    let known = KNOWN.iter().find(|known| known.name == name)?;
    let bytes = unpacked(packed);
    let tokens = Tokens::new(Packed::all(&bytes).into_iter()).ok()?;
    Ranks::new(tokens, known).ok().map(Arc::new)
}

fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = zstd::Decoder::new(packed).and_then(|mut decoder| decoder.read_to_end(&mut bytes));
    read.expect("a file of the program itself; a test reads it");
    bytes
}

/// Tokens one behind the other, each after its length in a byte.
struct Packed;

impl Packed {
    fn all(bytes: &[u8]) -> Vec<&[u8]> {
        let (mut rest, mut tokens) = (bytes, Vec::new());
        while let Some((length, behind)) = rest.split_first() {
            let (token, behind) = behind.split_at(usize::from(*length).min(behind.len()));
            tokens.push(token);
            rest = behind;
        }
        tokens
    }
}

impl Ranks {
    /// Reads a rank file called `path`; `bytes` are what it holds.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Ranks, String> {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path).trim_end_matches(".tiktoken");
        let known = KNOWN.iter().find(|known| known.name == name).ok_or_else(|| {
            let names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
            format!(
                "the name of a rank file says how texts are split, and `{name}` is none that is known ({}); rename it if it is one of them, \
                 else give a tokenizer.json",
                names.join(", ")
            )
        })?;
        let tokens = parse(bytes)?;
        Ranks::new(Tokens::new(tokens.iter().map(Vec::as_slice))?, known)
    }

    fn new(tokens: Tokens, known: &Known) -> Result<Ranks, String> {
        let singles = tokens.single_bytes().ok_or("not every byte has a token, so some texts would have no ids")?;
        let doubles = (0..=u16::MAX).map(|pair| tokens.find(&pair.to_be_bytes(), 0, 2).unwrap_or(u32::MAX)).collect();
        Ok(Ranks { tokens, singles, doubles, pattern: known.pattern, specials: known.specials, desks: Desks::default() })
    }
}

/// The tokens of a rank file, by rank; ranks that nobody has are empty.
fn parse(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    /// Ranks are ids, and ids are stored in 32 bits; far more than any vocabulary has, and little enough to hold them.
    const RANKS_MAX: usize = 16_000_000;
    let mut tokens: Vec<Vec<u8>> = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let wrong = || format!("line {number} is not Base64, a space and a rank");
        let line = std::str::from_utf8(line.trim_ascii()).map_err(|_| wrong())?;
        let (token, rank) = line.split_once(' ').ok_or_else(wrong)?;
        let token = BASE64.decode(token.as_bytes()).map_err(|_| wrong())?;
        let rank = rank.trim().parse::<usize>().map_err(|_| wrong())?;
        if rank >= RANKS_MAX {
            return Err(format!("line {number} has rank {rank}; ids above {RANKS_MAX} are not taken"));
        }
        if tokens.len() <= rank {
            tokens.resize_with(rank + 1, Vec::new);
        }
        if !tokens[rank].is_empty() {
            return Err(format!("line {number}: rank {rank} is there twice"));
        }
        tokens[rank] = token;
    }
    Ok(tokens)
}

impl Pairs for Ranks {
    #[inline]
    fn join(&self, _: u32, _: u32, text: &[u8], at: usize, end: usize) -> Option<(u32, u32)> {
        let id = match end - at {
            2 => Some(self.doubles[usize::from(text[at]) << 8 | usize::from(text[at + 1])]).filter(|id| *id != u32::MAX),
            _ => self.tokens.find(text, at, end),
        };
        id.map(|id| (id, id))
    }

    fn byte(&self, byte: u8) -> u32 {
        self.singles[usize::from(byte)]
    }
}

impl Vocabulary for Arc<Ranks> {
    fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), NoIds> {
        let bytes = text.as_bytes();
        self.desks.with(|Desk { memory, workbench }| {
            self.pattern.for_each_piece(text, |at, end| {
                memory.recall(bytes, (at, end), ids, |ids| match self.tokens.find(bytes, at, end) {
                    Some(id) => ids.push(id),
                    None => workbench.encode(bytes, (at, end), self.as_ref(), ids),
                });
            });
        });
        Ok(())
    }

    fn special(&self, name: &str) -> Option<u32> {
        special(self.specials, name)
    }

    fn size(&self) -> u32 {
        behind_specials(self.specials).max(self.tokens.len() as u32)
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_vocabularies_inside_are_those_of_the_published_rank_files() {
        for name in INSIDE {
            let (vocabulary, sha256) = inside(name).unwrap();
            let (bytes, mut hasher) = (unpacked(if name == "o200k_base" { O200K } else { CL100K }), Sha256::new());
            for (id, token) in Packed::all(&bytes).into_iter().enumerate() {
                hasher.update(format!("{} {id}\n", BASE64.encode(token)));
                assert_eq!(vocabulary.ranks().tokens.find(token, 0, token.len()), Some(id as u32));
            }
            assert_eq!(data_encoding::HEXLOWER.encode(&hasher.finalize()), sha256, "{name}");
            assert_eq!(vocabulary.size(), vocabulary.ranks().size(), "{name}");
        }
    }

    #[test]
    fn a_run_without_spaces_has_ids_that_give_it_back_however_long() {
        let ((vocabulary, _), bytes) = (inside("o200k_base").unwrap(), unpacked(O200K));
        let tokens = Packed::all(&bytes);
        for text in ["a".repeat(20_000), "Donaudampfschifffahrt".repeat(1_000), " ".repeat(5_000), "ž".repeat(9_999), "=".repeat(3_001)] {
            let mut ids = Vec::new();
            vocabulary.encode(&text, &mut ids).unwrap();
            let back: Vec<u8> = ids.iter().flat_map(|id| tokens[*id as usize]).copied().collect();
            assert_eq!(back, text.as_bytes());
        }
    }

    #[test]
    fn a_rank_file_that_cannot_be_read_is_refused_with_the_line() {
        let all: String = (0..=255_u8).map(|byte| format!("{} {byte}\n", BASE64.encode(&[byte]))).collect();
        assert!(Ranks::read("r50k_base.tiktoken", all.as_bytes()).is_ok());
        for (path, bytes, told) in [
            ("my.tiktoken", all.as_str(), "`my` is none that is known (o200k_base"),
            ("r50k_base.tiktoken", "IQ== 0\nIg==\n", "line 2 is not Base64"),
            ("r50k_base.tiktoken", "IQ== 0\nIg== 0\n", "rank 0 is there twice"),
            ("r50k_base.tiktoken", "IQ== 4294967296\n", "ids above 16000000"),
            ("r50k_base.tiktoken", "IQ== 0\n", "not every byte has a token"),
            ("r50k_base.tiktoken", "!! 0\n", "line 1 is not Base64"),
        ] {
            let why = Ranks::read(path, bytes.as_bytes()).err().expect("it cannot be used");
            assert!(why.contains(told), "{told}: {why}");
        }
    }
}
