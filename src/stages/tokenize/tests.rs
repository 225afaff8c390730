//! What the stage promises, on short texts, and on the reference ids of the shared data where they are at hand.

use std::io;

use super::*;

/// Files by name; anything else is absent.
struct Files(Vec<(&'static str, Vec<u8>)>);

impl Resources for Files {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.0.iter().find(|(name, _)| *name == path).map(|(_, bytes)| bytes.clone()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

const WORDS: &str = r#"{"version": "1.0", "truncation": {"max_length": 2, "stride": 0, "strategy": "LongestFirst", "direction": "Right"},
    "padding": {"strategy": {"Fixed": 16}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "<unk>"},
    "added_tokens": [{"id": 4, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
    "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
    "model": {"type": "WordLevel", "vocab": {"<unk>": 0, "laba": 1, "diena": 2, "pasauli": 3}, "unk_token": "<unk>"}}"#;

fn files() -> Files {
    Files(vec![
        ("vocab/words.json", WORDS.as_bytes().to_vec()),
        ("vocab/broken.json", b"{".to_vec()),
        ("vocab/own.tiktoken", Vec::new()),
        ("vocab/no.model", b"no".to_vec()),
    ])
}

fn settings(table: &str) -> ValueDeserializer<'_> {
    ValueDeserializer::parse(table).unwrap()
}

fn ids(table: &str, text: &str) -> Vec<u32> {
    let stage = (ROOM.build)(settings(table), &files()).unwrap();
    let mut doc = Document { text: text.to_owned(), ..Document::default() };
    assert_eq!(stage.judge(&mut doc), Verdict::Keep);
    assert_eq!(doc.token_count, Some(doc.input_ids.len() as u32));
    doc.input_ids
}

fn refusal(table: &str) -> String {
    (ROOM.build)(settings(table), &files()).err().expect("settings that cannot be used").to_string()
}

#[test]
fn every_document_ends_with_the_end_of_text_id_unless_told_otherwise() {
    let bare = ids("{ eos = false }", "Labas rytas, pasauli");
    let closed = ids("{}", "Labas rytas, pasauli");
    assert_eq!(closed, [bare, vec![199_999]].concat());
    assert_eq!(ids(r#"{ tokenizer = "cl100k_base" }"#, ""), [100_257]);
}

#[test]
fn the_name_of_a_special_token_in_a_text_is_plain_text() {
    assert!(!ids("{ eos = false }", "Konec <|endoftext|> textu").contains(&199_999));
    let words = ids(r#"{ tokenizer = "vocab/words.json", eos = false }"#, "laba </s> diena");
    assert_eq!((words.first(), words.last()), (Some(&1), Some(&2)));
    assert!(!words.contains(&4));
}

#[test]
fn a_tokenizer_json_is_neither_truncated_nor_padded() {
    assert_eq!(ids(r#"{ tokenizer = "vocab/words.json" }"#, "laba diena pasauli laba"), [1, 2, 3, 1, 4]);
}

#[test]
fn the_metadata_name_the_vocabulary_its_hash_and_its_size() {
    let told = info(settings("{}"), &files()).unwrap();
    assert_eq!((told.name.as_str(), told.vocabulary_size, told.bos_id, told.eos_id), ("o200k_base", 200_019, None, Some(199_999)));
    let told = info(settings(r#"{ tokenizer = "vocab/words.json", bos = true, bos_token = "</s>" }"#), &files()).unwrap();
    assert_eq!((told.vocabulary_size, told.bos_id, told.eos_id), (5, Some(4), Some(4)));
    assert_eq!(told.sha256, data_encoding::HEXLOWER.encode(&Sha256::digest(WORDS)));
}

#[test]
fn settings_that_cannot_be_used_say_what_to_change() {
    for (table, expected) in [
        (r#"{ tokenizer = "o200k_bas" }"#, "(`o200k_base`, `cl100k_base`)"),
        (r#"{ tokenizer = "vocab/broken.json" }"#, "no tokenizer.json"),
        (r#"{ tokenizer = "vocab/own.tiktoken" }"#, "rename it if it is one of them"),
        (r#"{ tokenizer = "vocab/no.model" }"#, "no SentencePiece model"),
        ("{ bos = true }", "name one with `bos_token`, or set `bos = false`"),
        (r#"{ eos_token = "<eod>" }"#, "no special token `<eod>`"),
        (r#"{ eos = false, eos_token = "</s>" }"#, "`eos` is false"),
        ("{ oes = true }", "unknown field `oes`"),
    ] {
        let said = refusal(table);
        assert!(said.contains(expected), "{table}: {said}");
    }
}

#[test]
fn ids_are_those_of_the_reference_implementations() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/tokenizer");
    let lines = |name: &str| -> Option<Vec<serde_json::Value>> {
        let file = std::fs::File::open(format!("{folder}/reference-ids/{name}.jsonl.gz")).ok()?;
        let text = io::read_to_string(flate2::read::GzDecoder::new(file)).unwrap();
        Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    };
    let Some(texts) = lines("texts") else {
        eprintln!("SKIPPED: ids_are_those_of_the_reference_implementations: no {folder}");
        return;
    };
    let json = |name: &str| format!("{folder}/tokenizer-json/{name}.json");
    let ranks = |name: &str| format!("{folder}/ranks/{name}.tiktoken");
    let pieces = |name: &str| format!("{folder}/sentencepiece/{name}");
    for (reference, tokenizer) in [
        ("tiktoken-o200k_base", "o200k_base".to_owned()),
        ("tiktoken-cl100k_base", "cl100k_base".to_owned()),
        ("tiktoken-o200k_base", ranks("o200k_base")),
        ("tiktoken-cl100k_base", ranks("cl100k_base")),
        ("tiktoken-p50k_base", ranks("p50k_base")),
        ("tiktoken-r50k_base", ranks("r50k_base")),
        ("hf-allenai_dolma2", json("allenai_dolma2")),
        ("hf-allenai_gpt-neox-olmo-dolma-v1_5", json("allenai_gpt-neox-olmo-dolma-v1_5")),
        ("spm-mistral_instruct_tokenizer_240323.model.v3", pieces("mistral_instruct_tokenizer_240323.model.v3")),
        ("spm-tokenizer.model.v1", pieces("tokenizer.model.v1")),
        ("spm-spm_test_model.model", pieces("spm_test_model.model")),
    ] {
        let settings = Tokenize { tokenizer, eos: false, ..Tokenize::default() };
        let (stage, _) = settings.open(&Disk).unwrap();
        // The scorer asks for all of them; here a share of each language and kind is enough.
        for (text, expected) in texts.iter().zip(lines(reference).unwrap()).step_by(5) {
            let mut doc = Document { text: text["text"].as_str().unwrap().to_owned(), ..Document::default() };
            assert_eq!(stage.judge(&mut doc), Verdict::Keep);
            assert_eq!(serde_json::json!([text["i"], doc.input_ids]), expected, "{reference}: {}", doc.text);
        }
    }
}

struct Disk;

impl Resources for Disk {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }
}
