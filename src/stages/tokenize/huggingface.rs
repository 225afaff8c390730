//! Any Hugging Face `tokenizer.json`: byte-level BPE by our own code where the file is plain enough ([`ByteLevel`]), all else through their
//! crate, which is right for every model of that format, at about 5 MB/s a core.

use tokenizers::{ModelWrapper, Tokenizer};

use super::bytelevel::ByteLevel;
use super::{NoIds, Vocabulary};

/// A loaded `tokenizer.json`.
pub(super) struct HuggingFace {
    tokenizer: Tokenizer,
    fast: Result<ByteLevel, String>,
    size: u32,
}

impl HuggingFace {
    /// Loads the file's `bytes`. Its truncation and padding are for training batches and are turned off; dropout would make ids random
    /// and is refused.
    ///
    /// # Errors
    /// In words, what is wrong with the file.
    pub(super) fn new(bytes: &[u8]) -> Result<HuggingFace, String> {
        let no_tokenizer = |error: &dyn std::fmt::Display| format!("it is no tokenizer.json: {error}");
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| no_tokenizer(&error))?;
        tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
        tokenizer.with_padding(None);
        tokenizer.set_encode_special_tokens(true);
        if let ModelWrapper::BPE(model) = tokenizer.get_model()
            && model.dropout.is_some_and(|rate| rate > 0.0)
        {
            return Err("its model asks for dropout, which gives other ids each time; set `dropout` to null in the file".to_owned());
        }
        let json = serde_json::from_slice(bytes).map_err(|error| no_tokenizer(&error))?;
        let fast = ByteLevel::new(&json, &tokenizer);
        let size = tokenizer.get_vocab(true).into_values().max().map_or(0, |id| id.saturating_add(1));
        Ok(HuggingFace { tokenizer, fast, size })
    }
}

impl Vocabulary for HuggingFace {
    fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), NoIds> {
        if let Ok(fast) = &self.fast {
            fast.encode(text, ids);
            return Ok(());
        }
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

    fn slow(&self) -> Option<&str> {
        self.fast.as_ref().err().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::sync::LazyLock;
    use tokenizers::models::bpe::{BPE, BpeTrainer};
    use tokenizers::pre_tokenizers::byte_level::ByteLevel;
    use tokenizers::{
        AddedToken, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper, TokenizerBuilder, TokenizerImpl,
    };

    use super::*;

    const TEXT: &str = "Dors, mon ange, la nuit s'étend et l'été revient. Laba diena, pasauli! Žuvys plaukia greitai, žuvys nemiega. \
        Η νύχτα απλώνεται, το καλοκαίρι επιστρέφει. Съешь ещё этих мягких булок, да выпей чаю. It's late, don't wait; we'll go.";

    /// A small byte-level vocabulary, learned from [`TEXT`] by their crate, with what `change` does to its file.
    fn trained(change: impl Fn(&mut serde_json::Value)) -> HuggingFace {
        let alphabet = ByteLevel::alphabet();
        let mut trainer =
            BpeTrainer::builder().vocab_size(500).show_progress(false).initial_alphabet(alphabet.into_iter().collect()).build();
        let mut tokenizer: TokenizerImpl<BPE, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper> =
            TokenizerBuilder::new()
                .with_model(BPE::default())
                .with_pre_tokenizer(Some(ByteLevel::new(false, true, true).into()))
                .build()
                .unwrap();
        tokenizer.train(&mut trainer, std::iter::repeat_n(TEXT, 3)).unwrap();
        tokenizer.add_special_tokens([AddedToken::from("<|end|>", true)]).unwrap();
        tokenizer.add_tokens([AddedToken::from("žuvys", false).normalized(false), AddedToken::from("  ", false)]).unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&tokenizer.to_string(false).unwrap()).unwrap();
        change(&mut json);
        HuggingFace::new(json.to_string().as_bytes()).unwrap()
    }

    /// Plain files of several kinds.
    static PLAIN: LazyLock<Vec<HuggingFace>> = LazyLock::new(|| {
        let split = |regex: &str, behavior: &str, invert: bool| {
            serde_json::json!({"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": regex}, "behavior": behavior, "invert": invert},
                {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
            ]})
        };
        let llama = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
        vec![
            trained(|_| {}),
            trained(|json| json["pre_tokenizer"]["add_prefix_space"] = true.into()),
            trained(|json| json["normalizer"] = serde_json::json!({"type": "NFC"})),
            trained(|json| json["pre_tokenizer"] = split(llama, "Isolated", false)),
            trained(|json| {
                json["pre_tokenizer"] = split(llama, "Removed", true);
                json["model"]["ignore_merges"] = true.into();
            }),
        ]
    });

    fn check(text: &str) {
        for (number, vocabulary) in PLAIN.iter().enumerate() {
            let (mut ids, theirs) = (Vec::new(), vocabulary.tokenizer.encode_fast(text, false).unwrap());
            vocabulary.encode(text, &mut ids).unwrap();
            assert_eq!(ids, theirs.get_ids(), "file {number}");
        }
    }

    #[test]
    fn plain_files_take_the_fast_way_and_others_say_why_not() {
        PLAIN.iter().for_each(|vocabulary| assert_eq!(vocabulary.slow(), None));
        for (pointer, value, told) in [
            ("/pre_tokenizer", serde_json::json!({"type": "Whitespace"}), "pre-tokenizer"),
            ("/normalizer", serde_json::json!({"type": "Lowercase"}), "normalizer"),
            ("/model/end_of_word_suffix", "</w>".into(), "a suffix"),
            ("/added_tokens/1/lstrip", true.into(), "neighbours"),
        ] {
            let slow = trained(|json| *json.pointer_mut(pointer).unwrap() = value.clone());
            assert!(slow.slow().is_some_and(|why| why.contains(told)), "{pointer}: {:?}", slow.slow());
        }
    }

    #[test]
    fn texts_have_the_ids_that_their_crate_gives() {
        for text in [TEXT, "", " ", "<|end|> žuvys  žuvys<|end|>", "e\u{301}te\u{301} žuvys  \n\n  x", "日本語 \u{1F600}\u{0}\u{FFFD}"]
        {
            check(text);
        }
    }

    proptest! {
        #[test]
        fn random_texts_have_the_ids_that_their_crate_gives(
            text in "([ \t\n]{0,3}|[a-eA-C]{0,6}|'[stlvremd]{0,2}|žuvys|<\\|end\\|>|[žéα-ωя\u{301}\u{1100}]{0,4}|[0-9.,;]{0,4}){0,12}",
        ) {
            check(&text);
        }
    }
}
