//! Byte-level BPE of a Hugging Face `tokenizer.json`, fast: the same ids as their crate gives, for the files that are plain enough.
//!
//! Plain is: a BPE model without dropout, prefixes and suffixes, in whose vocabulary every byte has a token; no normalizer, or NFC; a
//! `ByteLevel` pre-tokenizer, alone or behind a split by a pattern that [`Pattern`] knows; added tokens that ask for nothing about their
//! neighbours. Most models of recent years are so. Everything else goes to their crate, which is slower. Unlike in tiktoken's vocabularies a
//! pair joins only where the file lists it as a merge.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};
use serde_json::Value;
use tokenizers::{NormalizedString, Normalizer, NormalizerWrapper, Tokenizer};
use unicode_normalization::{IsNormalized, is_nfc_quick};

use super::bytes::Tokens;
use super::merge::Pairs;
use super::ranks::{Desk, Desks};
use super::split::Pattern;
use super::table::PairTable;

/// A vocabulary that is plain enough.
pub(super) struct ByteLevel {
    tokens: Tokens,
    /// The ids in the file of `tokens`, which are numbered without gaps.
    ids: Vec<u32>,
    singles: [u32; 256],
    /// Pairs of ids to the rank of their merge and the id that they become.
    merges: PairTable,
    /// Whether a piece that is a token is that token, whatever the merges give.
    whole_pieces: bool,
    pattern: Pattern,
    prefix_space: bool,
    normalizer: Option<NormalizerWrapper>,
    /// Added tokens that are looked for before a text is normalized, and after.
    added: [Option<Added>; 2],
    desks: Desks,
}

impl ByteLevel {
    /// What `json` holds, if it is plain enough; else what is not, in words.
    pub(super) fn new(json: &Value, tokenizer: &Tokenizer) -> Result<ByteLevel, String> {
        let model = &json["model"];
        is_plain_model(model)?;
        let vocabulary = model["vocab"].as_object().ok_or("its vocabulary is no table")?;
        let mut entries: Vec<(u32, Vec<u8>)> = Vec::with_capacity(vocabulary.len());
        for (token, id) in vocabulary {
            // A token with other signs than those of bytes is never met.
            let Some(bytes) = bytes_of(token) else { continue };
            entries.push((id.as_u64().and_then(|id| u32::try_from(id).ok()).ok_or("an id is no number of 32 bits")?, bytes));
        }
        entries.sort_unstable();
        let tokens = Tokens::new(entries.iter().map(|(_, bytes)| bytes.as_slice()))?;
        let ids: Vec<u32> = entries.iter().map(|(id, _)| *id).collect();
        let singles =
            tokens.single_bytes().ok_or("not every byte has a token")?.map(|place| ids.get(place as usize).copied().unwrap_or(u32::MAX));
        let merges = read_merges(&model["merges"], &tokens, &ids)?;
        let (pattern, prefix_space) = splitting(&json["pre_tokenizer"])?;
        let normalizer = match json["normalizer"]["type"].as_str() {
            None if json["normalizer"].is_null() => None,
            Some("NFC") => tokenizer.get_normalizer().cloned(),
            _ => return Err("its normalizer is none of those that are known here".to_owned()),
        };
        let added = [false, true].map(|normalized| Added::read(&json["added_tokens"], normalized));
        let [before, after] = added;
        let whole_pieces = model["ignore_merges"].as_bool().unwrap_or(false);
        let added = [before?, after?];
        Ok(ByteLevel { tokens, ids, singles, merges, whole_pieces, pattern, prefix_space, normalizer, added, desks: Desks::default() })
    }

    /// Appends the ids of `text`.
    pub(super) fn encode(&self, text: &str, ids: &mut Vec<u32>) {
        self.desks.with(|desk| {
            between(self.added[0].as_ref(), text, ids, |part, ids| {
                let part = self.normalized(part);
                between(self.added[1].as_ref(), &part, ids, |part, ids| self.encode_part(part, desk, ids));
            });
        });
    }

    /// Their own normalizer does what has to be done: its tables are of an older version of Unicode.
    fn normalized<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(normalizer) = self.normalizer.as_ref().filter(|_| !text.is_ascii()) else { return Cow::Borrowed(text) };
        if is_nfc_quick(text.chars()) == IsNormalized::Yes {
            return Cow::Borrowed(text);
        }
        let mut whole = NormalizedString::from(text);
        // NFC refuses nothing.
        let _ = normalizer.normalize(&mut whole);
        Cow::Owned(whole.get().to_owned())
    }

    fn encode_part(&self, text: &str, desk: &mut Desk, ids: &mut Vec<u32>) {
        let text = match self.prefix_space && !text.starts_with(' ') {
            true => Cow::Owned(format!(" {text}")),
            false => Cow::Borrowed(text),
        };
        let (Desk { memory, workbench }, bytes) = (desk, text.as_bytes());
        self.pattern.for_each_piece(&text, |at, end| {
            memory.recall(bytes, (at, end), ids, |ids| match self.tokens.find(bytes, at, end).filter(|_| self.whole_pieces) {
                Some(place) => ids.push(self.ids[place as usize]),
                None => workbench.encode(bytes, (at, end), self, ids),
            });
        });
    }
}

impl Pairs for ByteLevel {
    fn join(&self, left: u32, right: u32, _: &[u8], _: usize, _: usize) -> Option<(u32, u32)> {
        self.merges.find(left, right)
    }

    fn byte(&self, byte: u8) -> u32 {
        self.singles[usize::from(byte)]
    }
}

fn is_plain_model(model: &Value) -> Result<(), String> {
    let is_empty = |name: &str| model[name].as_str().is_none_or(str::is_empty);
    let is_zero = model["dropout"].as_f64().is_none_or(|rate| rate == 0.0);
    match model["type"].as_str() {
        Some("BPE") if is_zero && is_empty("continuing_subword_prefix") && is_empty("end_of_word_suffix") => Ok(()),
        Some("BPE") => Err("its model has dropout, a prefix or a suffix".to_owned()),
        kind => Err(format!("its model is {}, not BPE", kind.unwrap_or("of no kind"))),
    }
}

/// How texts are split, and whether a space is put before each.
fn splitting(pre_tokenizer: &Value) -> Result<(Pattern, bool), String> {
    let unknown = || "its pre-tokenizer is none of those that are known here".to_owned();
    let is = |value: &Value, name: &str| value["type"].as_str() == Some(name);
    let flag = |value: &Value, name: &str, default: bool| value[name].as_bool().unwrap_or(default);
    if is(pre_tokenizer, "ByteLevel") && flag(pre_tokenizer, "use_regex", true) {
        return Ok((Pattern::Gpt2, flag(pre_tokenizer, "add_prefix_space", true)));
    }
    let steps = pre_tokenizer["pretokenizers"].as_array().filter(|_| is(pre_tokenizer, "Sequence")).ok_or_else(unknown)?;
    let [split, bytes] = steps.as_slice() else { return Err(unknown()) };
    // The pattern matches every character, so it does not matter whether matches are kept or what lies between them removed.
    let (behavior, invert) = (split["behavior"].as_str().unwrap_or_default(), flag(split, "invert", false));
    let keeps_matches = (behavior, invert) == ("Isolated", false) || (behavior, invert) == ("Removed", true);
    let is_bytes = is(bytes, "ByteLevel") && !flag(bytes, "use_regex", true) && !flag(bytes, "add_prefix_space", true);
    if !(is(split, "Split") && keeps_matches && is_bytes) {
        return Err(unknown());
    }
    let pattern = split["pattern"]["Regex"].as_str().and_then(Pattern::written);
    Ok((pattern.ok_or("its split pattern is none of those that are known here")?, false))
}

/// The bytes that a token stands for, by GPT-2's table (`bytes_to_unicode`): printable signs of Latin-1 are themselves, all other bytes the
/// signs from U+0100 on, in order.
fn bytes_of(token: &str) -> Option<Vec<u8>> {
    token.chars().map(byte_of).collect()
}

fn is_itself(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF)
}

fn byte_of(sign: char) -> Option<u8> {
    match u32::from(sign) {
        point @ 0..=0xFF => Some(point as u8).filter(|byte| is_itself(*byte)),
        point => (0..=255_u8).filter(|byte| !is_itself(*byte)).nth(point as usize - 0x100),
    }
}

/// The merges that the file lists: pairs of ids, and how early they are joined to which.
fn read_merges(listed: &Value, tokens: &Tokens, ids: &[u32]) -> Result<PairTable, String> {
    let listed = listed.as_array().ok_or("its merges are no list")?;
    let mut merges = PairTable::with_room(listed.len());
    for (rank, merge) in (0_u32..).zip(listed) {
        let wrong = || format!("merge {rank} is not of two tokens that make a third");
        let (left, right) = match merge {
            Value::String(both) => both.split_once(' ').ok_or_else(wrong)?,
            both => both[0].as_str().zip(both[1].as_str()).ok_or_else(wrong)?,
        };
        let (left, right) = bytes_of(left).zip(bytes_of(right)).ok_or_else(wrong)?;
        let find = |bytes: &[u8]| tokens.find(bytes, 0, bytes.len()).map(|place| ids[place as usize]).ok_or_else(wrong);
        let whole = find(&[left.as_slice(), &right].concat())?;
        merges.insert(find(&left)?, find(&right)?, (rank, whole));
    }
    Ok(merges)
}

/// The sign of a byte.
pub(super) fn sign_of(byte: u8) -> char {
    if is_itself(byte) {
        return char::from(byte);
    }
    let place = (0..byte).filter(|byte| !is_itself(*byte)).count() as u32;
    char::from_u32(0x100 + place).unwrap_or_default()
}

/// Tokens that are looked for in a text before it is split.
struct Added {
    search: AhoCorasick,
    /// Their ids; none for special ones, whose names in a text are plain text.
    ids: Vec<Option<u32>>,
}

impl Added {
    /// Those of the file's list that are looked for in normalized texts, or in texts as they are.
    fn read(listed: &Value, normalized: bool) -> Result<Option<Added>, String> {
        let (mut names, mut ids) = (Vec::new(), Vec::new());
        let flag = |token: &Value, name: &str| token[name].as_bool().unwrap_or(false);
        for token in listed.as_array().into_iter().flatten() {
            let (name, is_special) = (token["content"].as_str().unwrap_or_default(), flag(token, "special"));
            if ["single_word", "lstrip", "rstrip"].iter().any(|wish| flag(token, wish)) && !is_special {
                return Err(format!("its added token `{name}` asks for something about its neighbours"));
            }
            let is_normalized = token["normalized"].as_bool().unwrap_or(!is_special);
            if is_normalized && !name.is_ascii() {
                return Err(format!("its added token `{name}` is normalized"));
            }
            if is_normalized == normalized && !name.is_empty() {
                names.push(name);
                let id = token["id"].as_u64().and_then(|id| u32::try_from(id).ok());
                ids.push(if is_special { None } else { Some(id.ok_or("an added token has no id")?) });
            }
        }
        if names.is_empty() {
            return Ok(None);
        }
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(names).map_err(|error| error.to_string())?;
        Ok(Some(Added { search, ids }))
    }
}

/// Appends the ids of added tokens in `text`, and calls `encode` with what lies between them.
fn between(added: Option<&Added>, text: &str, ids: &mut Vec<u32>, mut encode: impl FnMut(&str, &mut Vec<u32>)) {
    let mut start = 0;
    for found in added.into_iter().flat_map(|added| added.search.find_iter(text).map(|found| (found, &added.ids))) {
        let (found, known) = found;
        let Some(id) = known[found.pattern().as_usize()] else { continue };
        if found.start() > start {
            encode(&text[start..found.start()], ids);
        }
        ids.push(id);
        start = found.end();
    }
    if start < text.len() {
        encode(&text[start..], ids);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_sign_of_its_own() {
        let mut seen = [false; 256];
        for byte in (0..0x200).filter_map(char::from_u32).filter_map(byte_of) {
            assert!(!std::mem::replace(&mut seen[usize::from(byte)], true));
        }
        assert!(seen.into_iter().all(|seen| seen));
        assert!((0..=255).all(|byte| byte_of(sign_of(byte)) == Some(byte)));
        assert_eq!((bytes_of("ĠÃ¶Ċ"), bytes_of("▁a")), (Some(b" \xC3\xB6\n".to_vec()), None));
    }
}
