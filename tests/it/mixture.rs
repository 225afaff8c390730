//! A mixture takes what it says of each language, cluster and split, `--plan` tells the same before, and packed ids are the documents' texts.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use tamis::doc::DocId;
use tamis::packing::sequence::Piece;

use crate::packing::sequences_below;
use crate::{ends_with, files_below, root, said, tamis};

const RECIPE: &str = "dataset = \"d\"\n[source]\nkind = \"jsonl\"\n[[clean]]\nstage = \"langid\"\n[dedup]\nexact = true\nnear = false\n[[emit]]\nstage = \"tokenize\"\n";

/// A name of its own for each number: deduplication does not look at digits.
fn name(number: u64) -> String {
    number
        .to_string()
        .chars()
        .map(|digit| ["ka ", "lo ", "mi ", "nu ", "pe ", "ra ", "so ", "ti ", "vu ", "ze "][digit as usize - 48])
        .collect()
}

/// A sentence that leaves no doubt of its language.
fn sentence(lang: &str) -> &'static str {
    match lang {
        "de" => "Am frühen Morgen ging der alte Fischer zum Hafen, weil er die Boote sehen wollte, die in der Nacht gekommen waren.",
        "fi" => "Varhain aamulla vanha kalastaja lähti satamaan, koska hän halusi nähdä veneet, jotka olivat tulleet yöllä.",
        "mt" => "Kmieni filgħodu s-sajjied xiħ mar il-port għax ried jara d-dgħajjes li kienu waslu matul il-lejl.",
        _ => "Νωρίς το πρωί ο γέρος ψαράς πήγε στο λιμάνι, γιατί ήθελε να δει τις βάρκες που είχαν έρθει τη νύχτα.",
    }
}

/// A published data set: languages with these numbers of texts, each text found `times` times.
struct House {
    folder: tempfile::TempDir,
}

impl House {
    fn new(languages: &[(&str, u64, usize)]) -> House {
        let house = House { folder: tempfile::tempdir().expect("a folder") };
        let mut lines = String::new();
        for (lang, texts, times) in languages {
            for (text, time) in (0..*texts).flat_map(|text| (0..*times).map(move |time| (text, time))) {
                let url = format!("https://{lang}{text}.example/{time}");
                let text =
                    format!("{} {}\u{a0}\n\n🐟 {}", sentence(lang), name(text), format!("{} ", sentence(lang)).repeat(text as usize % 4));
                lines += &(serde_json::json!({"url": url, "text": text, "lang": lang}).to_string() + "\n");
            }
        }
        std::fs::write(house.at("in.jsonl"), lines).expect("room");
        std::fs::write(house.at("recipe.toml"), RECIPE).expect("room");
        let mut run = tamis(["run"]);
        run.arg(house.at("recipe.toml")).arg("--workspace").arg(house.at("w")).arg("--keys").arg(house.at("keys"));
        ends_with(run.arg("--set").arg(format!("input={}", house.at("in.jsonl").display())), 0);
        house
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn pack(&self, name: &str, mixture: &str, words: &[&str]) -> Value {
        std::fs::write(self.at("mixture.toml"), mixture).expect("room");
        let mut pack = tamis(["pack", "--json", "--sequence-tokens", "64", "--out", name, "--mixture"]);
        let output = ends_with(pack.arg(self.at("mixture.toml")).args(words).arg(self.at("w/data/d")), 0);
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Pieces of a split.
    fn pieces(&self, name: &str, split: &str) -> Vec<Piece> {
        let sequences = sequences_below(&self.at("w/packed").join(name).join(split));
        sequences.into_iter().flat_map(|sequence| sequence.pieces).collect()
    }

    /// Language and text of each published document.
    fn documents(&self) -> BTreeMap<DocId, (String, String)> {
        let folder = self.at("w/data/d");
        let mut documents = BTreeMap::new();
        for path in files_below(&folder).iter().filter(|path| path.extension().is_some_and(|ending| ending == "parquet")) {
            let file = std::fs::File::open(folder.join(path)).expect("a shard");
            for batch in ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build().expect("rows") {
                let batch = batch.expect("a sound shard");
                let column = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>()).expect("text");
                for row in 0..batch.num_rows() {
                    let of = (column("lang").value(row).to_owned(), column("text").value(row).to_owned());
                    documents.insert(column("id").value(row).parse().expect("an id"), of);
                }
            }
        }
        documents
    }
}

/// Tokens by language of `pieces`.
fn by_language(pieces: &[Piece], documents: &BTreeMap<DocId, (String, String)>) -> BTreeMap<String, u64> {
    let mut tokens = BTreeMap::new();
    pieces.iter().for_each(|piece| *tokens.entry(documents[&piece.id].0.clone()).or_default() += piece.tokens.len() as u64);
    tokens
}

/// How often the first token of each document is there.
fn times(pieces: &[Piece]) -> BTreeMap<DocId, u64> {
    let mut times = BTreeMap::new();
    pieces.iter().filter(|piece| piece.offset == 0).for_each(|piece| *times.entry(piece.id).or_default() += 1);
    times
}

fn counted(record: &Value, count: &str) -> BTreeMap<String, u64> {
    let groups = record["groups"].as_array().expect("groups").iter();
    groups.map(|group| (group["lang"].as_str().expect("a tag").to_owned(), group[count].as_u64().expect("a number"))).collect()
}

#[test]
fn a_mixture_is_packed_as_its_plan_says_and_never_repeats_what_a_model_is_tested_with() {
    let house = House::new(&[("de", 400, 1), ("fi", 40, 1), ("mt", 20, 1)]);
    let documents = house.documents();
    let unimax = "method = \"unimax\"\nepochs_max = 3.0\n";
    let splits = ["--validation", "0.1", "--seed", "5"];
    let planned = house.pack("u", unimax, &[&splits[..], &["--plan"]].concat());
    assert!(!house.at("w/packed/u").exists() && files_below(&house.at("w/_tamis/staging")).is_empty(), "a plan leaves nothing");
    let record = house.pack("u", unimax, &splits);
    assert_eq!(record["groups"], planned["groups"]);
    let pieces = house.pieces("u", "train");
    assert_eq!(by_language(&pieces, &documents), counted(&record, "tokens_after"));
    let (before, after) = (counted(&record, "tokens_before"), counted(&record, "tokens_after"));
    for small in ["fi", "mt"] {
        let epochs = after[small] as f64 / before[small] as f64;
        assert!((2.99..3.01).contains(&epochs), "{small}: {epochs}");
    }
    let (was, is): (u64, u64) = (before.values().sum(), after.values().sum());
    assert!(is.abs_diff(was) < was / 20, "as many tokens as before, but for the rounding of documents: {was}, {is}");
    assert!(times(&house.pieces("u", "validation")).values().all(|times| *times == 1));
    let gone = *times(&pieces).iter().max_by_key(|(_, times)| **times).expect("documents").0;
    let mut plan = tamis(["takedown", "plan", "--reason", "gdpr-17", "--received", "2026-11-20", "--id"]);
    ends_with(plan.arg(gone.to_string()).arg("--workspace").arg(house.at("w")).arg("--out").arg(house.at("plan.json")), 0);
    let mut apply = tamis(["takedown", "apply", "--confirm-large"]);
    ends_with(apply.arg(house.at("plan.json")).arg("--workspace").arg(house.at("w")).arg("--keys").arg(house.at("keys")), 0);
    assert!(!times(&house.pieces("u", "train")).contains_key(&gone), "all its copies go");
    ends_with(tamis(["verify"]).arg(house.at("w/packed/u")), 0);
}

#[test]
fn documents_of_large_clusters_count_as_often_as_the_steps_say() {
    let house = House::new(&[("de", 20, 1), ("fi", 20, 4)]);
    let documents = house.documents();
    assert_eq!(documents.len(), 40, "equal texts are folded");
    let steps = "tokens = 100_000\nepochs_max = 3.0\n[[copies]]\ncluster_size_min = 2\ncopies = 3\n";
    let record = house.pack("c", steps, &[]);
    assert_eq!(record["groups"][1]["tokens_copied"], record["groups"][1]["tokens_before"].as_u64().expect("tokens") * 3);
    let copies = house.pack("d", "[[copies]]\ncluster_size_min = 2\ncopies = 3\n", &[]);
    let (before, after) = (counted(&copies, "tokens_before"), counted(&copies, "tokens_after"));
    assert!(after["fi"] > 2 * after["de"] && before["fi"] < 2 * before["de"], "{copies}");
}

#[test]
fn what_is_no_mixture_is_refused_with_what_to_change() {
    let house = House::new(&[("de", 5, 1)]);
    for (mixture, told) in [
        ("method = \"best\"", "unknown variant `best`"),
        ("weight = 3", "unknown field `weight`"),
        ("temperature = 0.3\nmethod = \"temperature\"", "give 1 or more"),
        ("epochs_max = 0.0", "give more than 0"),
        ("method = \"explicit\"", "no table `[weights]`"),
        ("[weights]\nde = 1.0", "for the method `explicit` alone"),
        ("method = \"explicit\"\n[weights]\nde = -1.0", "the weight of `de` is -1"),
        ("method = \"explicit\"\n[weights]\nfr = 1.0", "the mixture leaves no document"),
        ("[[copies]]\ncluster_size_min = 2\ncopies = 999", "too many"),
    ] {
        std::fs::write(house.at("m.toml"), mixture).expect("room");
        let mut pack = tamis(["pack", "--out", "p", "--mixture"]);
        let said = said(&ends_with(pack.arg(house.at("m.toml")).arg(house.at("w/data/d")), 2).stderr);
        assert!(said.contains(told), "{mixture}: {said}");
    }
    assert!(!house.at("w/packed").join("p").exists());
}

/// The bytes of each token of a vocabulary inside the program: a byte with the length, and so many bytes.
fn token_bytes(path: &Path) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    zstd::Decoder::new(std::fs::File::open(path).expect("a file")).and_then(|mut all| all.read_to_end(&mut bytes)).expect("zstd");
    let (mut tokens, mut rest) = (Vec::new(), &bytes[..]);
    while let Some((length, more)) = rest.split_first() {
        let (token, next) = more.split_at(usize::from(*length));
        tokens.push(token.to_vec());
        rest = next;
    }
    tokens
}

#[test]
fn packed_ids_decode_to_the_texts_of_their_documents_byte_for_byte() {
    let house = House::new(&[("de", 120, 1), ("el", 30, 1)]);
    house.pack("p", "", &["--validation", "0.2", "--fit", "concatenate"]);
    let tokens = token_bytes(&root().join("src/stages/tokenize/vocabularies/o200k_base.zst"));
    let mut texts: BTreeMap<DocId, BTreeMap<u32, Vec<u8>>> = BTreeMap::new();
    for piece in [house.pieces("p", "train"), house.pieces("p", "validation")].concat() {
        // The last id of a document is the end of text, which is no text.
        let bytes = piece.tokens.iter().filter_map(|id| tokens.get(*id as usize)).flatten().copied().collect();
        texts.entry(piece.id).or_default().insert(piece.offset, bytes);
    }
    let texts: BTreeMap<DocId, String> =
        texts.into_iter().map(|(id, pieces)| (id, String::from_utf8(pieces.into_values().flatten().collect()).expect("UTF-8"))).collect();
    assert_eq!(texts, house.documents().into_iter().map(|(id, (_, text))| (id, text)).collect());
}
