//! Packed data sets and exports hold every token of every document once, in an order that seed and ids alone decide, and forget what is erased.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use tamis::doc::DocId;
use tamis::packing::sequence::{Sequence, for_each};

use crate::{ends_with, files_below, root, said, tamis};

const RECIPE: &str = "dataset = \"d\"\n[source]\nkind = \"jsonl\"\n[[emit]]\nstage = \"tokenize\"\n";

struct House {
    folder: tempfile::TempDir,
}

impl House {
    /// A published data set of `count` documents of different lengths and words.
    fn new(count: usize) -> House {
        let house = House { folder: tempfile::tempdir().expect("a folder") };
        let mut lines = String::new();
        for number in 0..count {
            let text: String = (0..=number * 37 % 23).fold(String::new(), |mut text, word| {
                write!(text, "Rybak č. {} viděl {number}. loď. ", number * 131 + word * 17).expect("memory");
                text
            });
            let line = serde_json::json!({"url": format!("https://pristav{number}.example.cz/"), "text": text.trim(), "lang": "cs"});
            writeln!(lines, "{line}").expect("memory");
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

    fn pack(&self, name: &str, words: &[&str]) -> Value {
        let mut pack = tamis(["pack", "--json", "--out", name]);
        let output = ends_with(pack.args(words).arg(self.at("w/data/d")), 0);
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    fn erase(&self, id: DocId) {
        let mut plan = tamis(["takedown", "plan", "--reason", "gdpr-17", "--received", "2026-11-20", "--id"]);
        ends_with(plan.arg(id.to_string()).arg("--workspace").arg(self.at("w")).arg("--out").arg(self.at("plan.json")), 0);
        let mut apply = tamis(["takedown", "apply", "--confirm-large"]);
        ends_with(apply.arg(self.at("plan.json")).arg("--workspace").arg(self.at("w")).arg("--keys").arg(self.at("keys")), 0);
    }

    fn split(&self, name: &str, split: &str) -> Vec<Sequence> {
        sequences_below(&self.at("w/packed").join(name).join(split))
    }

    /// Token ids of all published documents.
    fn documents(&self) -> BTreeMap<DocId, Vec<u32>> {
        let folder = self.at("w/data/d");
        let mut documents = BTreeMap::new();
        for path in files_below(&folder).iter().filter(|path| path.extension().is_some_and(|ending| ending == "parquet")) {
            let file = std::fs::File::open(folder.join(path)).expect("a shard");
            for batch in ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build().expect("rows") {
                let batch = batch.expect("rows");
                let ids = batch.column_by_name("id").expect("a column").as_string::<i32>();
                let lists = batch.column_by_name("input_ids").expect("a column").as_list::<i32>();
                for row in 0..ids.len() {
                    let tokens = lists.value(row).as_primitive::<UInt32Type>().values().to_vec();
                    documents.insert(ids.value(row).parse().expect("an id"), tokens);
                }
            }
        }
        documents
    }
}

/// All sequences of the shards below a folder, in order.
pub fn sequences_below(folder: &Path) -> Vec<Sequence> {
    let mut all = Vec::new();
    for path in files_below(folder) {
        for_each(&folder.join(path), |sequence| {
            all.push(sequence);
            Ok(())
        })
        .expect("a sound file");
    }
    all
}

/// The documents put together again from their pieces; no token may be there twice.
fn together(sequences: &[Sequence]) -> BTreeMap<DocId, Vec<u32>> {
    let mut pieces: BTreeMap<DocId, BTreeMap<u32, Vec<u32>>> = BTreeMap::new();
    for piece in sequences.iter().flat_map(|sequence| &sequence.pieces) {
        let known = pieces.entry(piece.id).or_default().insert(piece.offset, piece.tokens.clone());
        assert!(known.is_none(), "{} is there twice", piece.id);
    }
    pieces.into_iter().map(|(id, pieces)| (id, pieces.into_values().flatten().collect())).collect()
}

fn folder_bytes(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files_below(folder).into_iter().map(|path| (path.clone(), std::fs::read(folder.join(path)).expect("a file"))).collect()
}

#[test]
fn every_token_is_in_one_split_once_and_threads_do_not_show() {
    let house = House::new(400);
    let documents = house.documents();
    assert_eq!(documents.len(), 400);
    for fit in ["best", "concatenate"] {
        let words = ["--fit", fit, "--sequence-tokens", "128", "--validation", "0.1", "--test", "0.1", "--shard-sequences-max", "40"];
        let told = house.pack(fit, &words);
        let splits = ["train", "validation", "test"].map(|split| house.split(fit, split));
        assert!(splits.iter().all(|sequences| !sequences.is_empty()));
        let of: Vec<BTreeSet<DocId>> = splits.iter().map(|sequences| together(sequences).into_keys().collect()).collect();
        assert!(of[0].is_disjoint(&of[1]) && of[0].is_disjoint(&of[2]) && of[1].is_disjoint(&of[2]));
        assert_eq!(together(&splits.concat()), documents, "{fit}");
        assert!(splits.iter().flatten().all(|sequence| (1..=128).contains(&sequence.tokens())));
        assert_eq!(told["origin"]["tokenizer"], "o200k_base");
        assert!(told["files"].as_array().expect("files").len() > 5, "shards end where they are told to");
        let before = folder_bytes(&house.at("w/packed").join(fit));
        std::fs::remove_dir_all(house.at("w/packed").join(fit)).expect("ours");
        let mut again = tamis(["pack", "--out", fit]);
        ends_with(again.args(words).arg(house.at("w/data/d")).env("RAYON_NUM_THREADS", "1"), 0);
        assert!(folder_bytes(&house.at("w/packed").join(fit)) == before, "{fit}: the same bytes");
    }
    let mut taken = tamis(["pack", "--out", "best"]);
    let told = said(&ends_with(taken.arg(house.at("w/data/d")), 2).stderr);
    assert!(told.contains("choose another --out"), "{told}");
}

#[test]
fn the_shuffle_puts_documents_anywhere_and_another_seed_elsewhere() {
    let house = House::new(600);
    let order = |seed: &str| -> Vec<DocId> {
        house.pack(seed, &["--fit", "concatenate", "--seed", seed]);
        let pieces = house.split(seed, "train").into_iter().flat_map(|sequence| sequence.pieces);
        pieces.filter(|piece| piece.offset == 0).map(|piece| piece.id).collect()
    };
    let published: BTreeMap<DocId, usize> = house.documents().into_keys().zip(0..).collect();
    let mut counts = [[0_u32; 6]; 6];
    for seed in ["1", "2", "3", "4", "5", "6"] {
        for (place, id) in order(seed).into_iter().enumerate() {
            counts[published[&id] / 100][place / 100] += 1;
        }
    }
    // 36 cells of 100 each. The 99.99 % point of chi-square with 25 degrees of freedom is 60.1.
    let chi: f64 = counts.iter().flatten().map(|count| (f64::from(*count) - 100.0).powi(2) / 100.0).sum();
    assert!(chi < 60.1, "{chi}: {counts:?}");
    assert_ne!(order("1"), order("2"));
}

#[test]
fn exports_are_read_by_others_to_the_same_ids_also_after_a_takedown() {
    let Some(python) = std::env::var_os("TAMIS_READERS_PYTHON") else {
        eprintln!("SKIPPED: TAMIS_READERS_PYTHON names no Python with the readers; tests/run sets it up");
        return;
    };
    let house = House::new(120);
    house.pack("p", &["--sequence-tokens", "100", "--validation", "0.2", "--position-ids"]);
    for format in ["megatron", "numpy", "mds", "webdataset", "jsonl"] {
        ends_with(tamis(["export", format]).arg(house.at("w/packed/p")).arg("--out").arg(house.at("out").join(format)), 0);
    }
    let check = |erased: &str| {
        let mut reading = std::process::Command::new(&python);
        reading.arg(root().join("tests/readers/exports.py"));
        reading.arg(house.at("w/packed/p")).arg(house.at("out")).arg(erased);
        said(&ends_with(&mut reading, 0).stdout)
    };
    let told = check("");
    assert!(told.contains("train") && told.contains("validation"), "{told}");
    let gone = *house.documents().first_key_value().expect("documents").0;
    let mut others = house.documents();
    others.remove(&gone);
    let before: BTreeMap<PathBuf, Vec<u8>> = folder_bytes(&house.at("w/packed/p")).into_iter().collect();
    house.erase(gone);
    let left = [house.split("p", "train"), house.split("p", "validation")].concat();
    assert_eq!(together(&left), others, "the neighbours keep every token");
    let changed = folder_bytes(&house.at("w/packed/p")).into_iter().filter(|(path, bytes)| before[path] != *bytes).count();
    assert_eq!(changed, 2, "the record and the shard that held it");
    let record: Value = serde_json::from_slice(&std::fs::read(house.at("w/packed/p/pack.json")).expect("a record")).expect("JSON");
    for file in record["files"].as_array().expect("files") {
        let path = house.at("w/packed/p").join(file["path"].as_str().expect("a path"));
        assert_eq!(tamis::store::sha256_file(&path).expect("a file"), file["sha256"].as_str().expect("a hash"));
    }
    check(&gone.to_string());
    ends_with(tamis(["verify"]).arg(house.at("w/packed/p")), 0);
}

#[test]
fn documents_that_repeat_a_benchmark_are_left_out_and_told_and_a_takedown_reaches_the_list() {
    let house = House::new(60);
    std::fs::write(house.at("quiz.txt"), "Zeptali se: rybak č. 917 viděl 7. loď. Proč?\nkrátká\n").expect("room");
    let quiz = house.at("quiz.txt");
    let told = house.pack("p", &["--benchmark-words", "5", "--decontaminate", quiz.to_str().expect("UTF-8")]);
    let benchmark = &told["benchmarks"][0];
    assert_eq!((&benchmark["documents"], &benchmark["items"], &benchmark["short_items"]), (&1.into(), &1.into(), &1.into()), "{told}");
    let list = house.at("w/packed/p/left-out.jsonl");
    let line: Value = serde_json::from_slice(&std::fs::read(&list).expect("a list")).expect("one line of JSON");
    let gone: DocId = line["doc_id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let mut others = house.documents();
    assert!(others.remove(&gone).is_some() && line["line"] == 1, "{line}");
    assert_eq!(together(&house.split("p", "train")), others);
    house.erase(gone);
    assert_eq!(std::fs::read(&list).expect("a list"), b"");
}

#[test]
fn the_loaders_of_the_examples_give_each_sequence_once_go_on_where_they_stopped_and_the_loss_falls() {
    let Some(python) = std::env::var_os("TAMIS_READERS_PYTHON") else {
        eprintln!("SKIPPED: TAMIS_READERS_PYTHON names no Python with the readers; tests/run sets it up");
        return;
    };
    let house = House::new(60);
    house.pack("p", &["--sequence-tokens", "100", "--shard-sequences-max", "20"]);
    let mut reading = std::process::Command::new(python);
    ends_with(reading.arg(root().join("tests/readers/loaders.py")).arg(house.at("w/packed/p")).env("PYTHONDONTWRITEBYTECODE", "1"), 0);
}

#[test]
fn an_export_that_was_killed_is_thrown_away_by_a_takedown() {
    let house = House::new(20);
    house.pack("p", &[]);
    ends_with(tamis(["export", "numpy"]).arg(house.at("w/packed/p")).arg("--out").arg(house.at("out")), 0);
    let records = house.at("w/_tamis/exports");
    let record_path = records.join(&files_below(&records)[0]);
    let mut record: Value = serde_json::from_slice(&std::fs::read(&record_path).expect("a record")).expect("JSON");
    record["files"] = Value::Array(Vec::new());
    std::fs::write(&record_path, record.to_string()).expect("room");
    house.erase(*house.documents().first_key_value().expect("documents").0);
    assert!(files_below(&house.at("out")).is_empty() && files_below(&records).is_empty());
}

#[test]
fn what_does_not_fit_is_refused_with_what_to_change() {
    let house = House::new(20);
    house.pack("p", &[]);
    let refused = |words: &[&str], place: &str, out: &str| {
        let mut command = tamis(words);
        command.arg(house.at(place));
        if words[0] == "export" {
            command.arg("--out").arg(house.at(out));
        }
        said(&ends_with(&mut command, 2).stderr)
    };
    for (words, place, out, told) in [
        (&["export", "megatron", "--dtype", "uint16"][..], "w/packed/p", "narrow", "--dtype int32"),
        (&["export", "numpy"], "w/packed/none", "x", "not a packed data set"),
        (&["export", "numpy"], "w/packed/p", "w", "export to a new folder"),
        (&["pack", "--out", "../p"], "w/data/d", "", "cannot name a packed data set"),
        (&["pack", "--out", "q", "--sequence-tokens", "0"], "w/data/d", "", "give 1 to"),
        (&["pack", "--out", "q", "--validation", "0.6", "--test", "0.5"], "w/data/d", "", "leave something for training"),
        (&["pack", "--out", "q"], "w/data/none", "", "not a data set"),
    ] {
        let said = refused(words, place, out);
        assert!(said.contains(told), "{words:?}: {said}");
    }
}
