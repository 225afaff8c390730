//! Turns text into the ids of a vocabulary: what a trainer reads.
//!
//! Four kinds of vocabulary stand behind one small trait: those inside the program (no file, no network), tiktoken's rank files, any Hugging
//! Face `tokenizer.json`, and SentencePiece models. Byte-level BPE, which nearly all recent models have, is our own code: texts are split
//! by hand ([`split`]), pieces are remembered ([`memory`]), and what is new is joined pair by pair ([`merge`]). The names of special tokens in a text are plain text: a page that prints `<|endoftext|>` must not end a
//! document. An end-of-text id closes every document unless a setting says otherwise, because shards are read as one stream
//! (datatrove's `DocumentTokenizer` and Megatron's `--append-eod` do the same).

mod bytelevel;
mod bytes;
mod huggingface;
mod memory;
mod merge;
mod ranks;
mod sentencepiece;
mod split;
mod table;
pub mod training;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::de::ValueDeserializer;

use crate::doc::Document;
use crate::stage::{BuildError, Field, Resources, Room, Stage, Verdict};

const UNTOKENIZABLE: &str = "untokenizable";

/// The row of this stage.
pub const ROOM: Room = Room {
    name: "tokenize",
    summary: "turns text into token ids",
    reasons: &[UNTOKENIZABLE],
    signals: &[],
    needs: &[Field::Text],
    gives: &[Field::Tokens],
    schema: || schemars::schema_for!(Tokenize),
    build,
};

/// Turns text into token ids. Ids are stored as they are, the end-of-text id among them; `token_count` is their number.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tokenize {
    /// A vocabulary inside the program (`o200k_base`, `cl100k_base`), or the path of a file: a rank file of tiktoken's (`NAME.tiktoken`, NAME
    /// being `r50k_base`, `p50k_base`, `cl100k_base` or `o200k_base`), a Hugging Face tokenizer (`.json`), or a SentencePiece model (any other).
    pub tokenizer: String,
    /// Put the begin-of-text id before every document. Vocabularies of the GPT family have none.
    pub bos: bool,
    /// Put the end-of-text id behind every document.
    pub eos: bool,
    /// Name of the begin-of-text token; found by its usual names if not set.
    pub bos_token: Option<String>,
    /// Name of the end-of-text token; found by its usual names if not set.
    pub eos_token: Option<String>,
}

impl Default for Tokenize {
    fn default() -> Tokenize {
        Tokenize { tokenizer: "o200k_base".to_owned(), bos: false, eos: true, bos_token: None, eos_token: None }
    }
}

/// What a reader of shards must know to turn ids back into text; it goes into the metadata of every file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizerInfo {
    /// The vocabulary's name, or the path of its file as the recipe has it.
    pub name: String,
    /// SHA-256 of the vocabulary's file, in hex; of the published rank file for a vocabulary inside the program.
    pub sha256: String,
    /// Every id is smaller than this; special tokens are counted.
    pub vocabulary_size: u32,
    /// The id before every document.
    pub bos_id: Option<u32>,
    /// The id behind every document.
    pub eos_id: Option<u32>,
}

/// A text for which a vocabulary has no ids.
#[derive(Debug)]
struct NoIds;

/// What the stage asks of a vocabulary.
trait Vocabulary: Send + Sync {
    /// Appends the ids of `text`; names of special tokens are plain text.
    fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), NoIds>;

    /// The id of the special token `name`.
    fn special(&self, name: &str) -> Option<u32>;

    /// Every id is smaller than this.
    fn size(&self) -> u32;

    /// Why it is slow, in words, where there is no fast way.
    fn slow(&self) -> Option<&str> {
        None
    }
}

/// The names under which widely used vocabularies know the two ends of a document, the likelier first.
const USUAL_BOS: &[&str] = &["<|begin_of_text|>", "<bos>", "<s>", "[BOS]"];
const USUAL_EOS: &[&str] = &["<|endoftext|>", "<|end_of_text|>", "<eos>", "</s>", "[EOS]"];

struct Tokenizing {
    vocabulary: Box<dyn Vocabulary>,
    bos: Option<u32>,
    eos: Option<u32>,
}

impl Tokenize {
    fn open(&self, resources: &dyn Resources) -> Result<(Tokenizing, String), BuildError> {
        let (vocabulary, sha256): (Box<dyn Vocabulary>, String) = match ranks::inside(&self.tokenizer) {
            Some((vocabulary, sha256)) => (Box::new(vocabulary), sha256.to_owned()),
            None => self.load(&self.read(resources)?)?,
        };
        let bos = self.end_of_document(self.bos, "bos", self.bos_token.as_deref(), USUAL_BOS, vocabulary.as_ref())?;
        let eos = self.end_of_document(self.eos, "eos", self.eos_token.as_deref(), USUAL_EOS, vocabulary.as_ref())?;
        Ok((Tokenizing { vocabulary, bos, eos }, sha256))
    }

    /// The vocabulary of a file, by the end of its name, with its hash.
    fn load(&self, bytes: &[u8]) -> Result<(Box<dyn Vocabulary>, String), BuildError> {
        let refuse = |why: String| self.refuse(why);
        let vocabulary: Box<dyn Vocabulary> = match self.tokenizer.rsplit_once('.').map_or("", |(_, ending)| ending) {
            "tiktoken" => Box::new(Arc::new(ranks::Ranks::read(&self.tokenizer, bytes).map_err(refuse)?)),
            "json" => Box::new(huggingface::HuggingFace::new(bytes).map_err(refuse)?),
            _ => Box::new(sentencepiece::SentencePiece::new(bytes).map_err(refuse)?),
        };
        Ok((vocabulary, data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))))
    }

    fn read(&self, resources: &dyn Resources) -> Result<Vec<u8>, BuildError> {
        resources.read(&self.tokenizer).map_err(|error| {
            let inside = ranks::INSIDE.join("`, `");
            self.refuse(format!("{error}; it is neither a file nor a vocabulary inside the program (`{inside}`)"))
        })
    }

    fn refuse(&self, why: String) -> BuildError {
        BuildError::Resource { setting: "tokenizer", path: self.tokenizer.clone(), why }
    }

    /// The id for one end of a document, if it is wanted.
    fn end_of_document(
        &self,
        wanted: bool,
        setting: &str,
        name: Option<&str>,
        usual: &[&str],
        vocabulary: &dyn Vocabulary,
    ) -> Result<Option<u32>, BuildError> {
        let tokenizer = &self.tokenizer;
        match (wanted, name) {
            (false, None) => Ok(None),
            (false, Some(_)) => Err(BuildError::Contradiction(format!("`{setting}_token` is set, but `{setting}` is false"))),
            (true, Some(name)) => vocabulary.special(name).map(Some).ok_or_else(|| {
                BuildError::Contradiction(format!("`{tokenizer}` has no special token `{name}`, named by setting `{setting}_token`"))
            }),
            (true, None) => usual.iter().find_map(|name| vocabulary.special(name)).map(Some).ok_or_else(|| {
                BuildError::Contradiction(format!(
                    "`{tokenizer}` has none of the usual tokens {}; name one with `{setting}_token`, or set `{setting} = false`",
                    usual.join(" ")
                ))
            }),
        }
    }
}

fn build(settings: ValueDeserializer<'_>, resources: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    let (stage, _) = Tokenize::deserialize(settings)?.open(resources)?;
    Ok(Box::new(stage))
}

/// What the metadata of a shard says about the tokenizer that `settings` ask for.
///
/// # Errors
/// The same as building the stage.
pub fn info(settings: ValueDeserializer<'_>, resources: &dyn Resources) -> Result<TokenizerInfo, BuildError> {
    let settings = Tokenize::deserialize(settings)?;
    let (stage, sha256) = settings.open(resources)?;
    Ok(TokenizerInfo { vocabulary_size: stage.vocabulary.size(), bos_id: stage.bos, eos_id: stage.eos, name: settings.tokenizer, sha256 })
}

impl Stage for Tokenizing {
    fn warning(&self) -> Option<String> {
        self.vocabulary.slow().map(|why| format!("the tokenizer goes the slow way, at about 5 MB/s a core: {why}"))
    }

    fn judge(&self, doc: &mut Document) -> Verdict {
        let mut ids = Vec::with_capacity(doc.text.len() / 3 + 2);
        ids.extend(self.bos);
        if self.vocabulary.encode(&doc.text, &mut ids).is_err() {
            return Verdict::drop(UNTOKENIZABLE);
        }
        ids.extend(self.eos);
        let Ok(count) = u32::try_from(ids.len()) else { return Verdict::drop(UNTOKENIZABLE) };
        doc.token_count = Some(count);
        doc.input_ids = ids;
        Verdict::Keep
    }
}

#[cfg(test)]
mod tests;
