//! Any Hugging Face `tokenizer.json`, through their own crate: right for every model of that format, at about 5 MB/s a core.

use tokenizers::{ModelWrapper, Tokenizer};

use super::{NoIds, Vocabulary};

/// A loaded `tokenizer.json`.
pub(super) struct HuggingFace {
    tokenizer: Tokenizer,
    size: u32,
}

impl HuggingFace {
    /// Loads the file's `bytes`. Its truncation and padding are for training batches and are turned off; dropout would make ids random
    /// and is refused.
    ///
    /// # Errors
    /// In words, what is wrong with the file.
    pub(super) fn new(bytes: &[u8]) -> Result<HuggingFace, String> {
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| format!("it is no tokenizer.json: {error}"))?;
        tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
        tokenizer.with_padding(None);
        tokenizer.set_encode_special_tokens(true);
        if let ModelWrapper::BPE(model) = tokenizer.get_model()
            && model.dropout.is_some_and(|rate| rate > 0.0)
        {
            return Err("its model asks for dropout, which gives other ids each time; set `dropout` to null in the file".to_owned());
        }
        let size = tokenizer.get_vocab(true).into_values().max().map_or(0, |id| id.saturating_add(1));
        Ok(HuggingFace { tokenizer, size })
    }
}

impl Vocabulary for HuggingFace {
    fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), NoIds> {
        let encoding = self.tokenizer.encode_fast(text, false).map_err(|_| NoIds)?;
        ids.extend_from_slice(encoding.get_ids());
        Ok(())
    }

    fn special(&self, name: &str) -> Option<u32> {
        let added = self.tokenizer.get_added_vocabulary();
        if added.is_special_token(name) { self.tokenizer.token_to_id(name) } else { None }
    }

    fn size(&self) -> u32 {
        self.size
    }
}
