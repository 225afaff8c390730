//! A vocabulary that is made from a corpus is the same each time, balanced between languages, and one that the stage reads.

use std::path::Path;

use serde_json::Value;

use crate::{ends_with, said, tamis};

const LITHUANIAN: &str = "Žvejys kasrytį plaukia į ežerą ir grįžta su pilnu tinklu, o jo žmona kepa duoną ir laukia vaikų iš mokyklos.";
const ENGLISH: &str =
    "The fisherman rows out every morning and comes back with a full net, while his wife bakes bread and waits for the children.";

/// Much English, and some Lithuanian, with numbers so that no two documents are equal.
fn corpus(place: &Path) {
    let line = |lang: &str, text: &str, number: usize| {
        format!("{}\n", serde_json::json!({"lang": lang, "text": format!("{text} {number}. {text}")}))
    };
    let lines: String =
        (0..300).map(|number| line("en", ENGLISH, number)).chain((0..15).map(|number| line("lt", LITHUANIAN, number))).collect();
    std::fs::write(place, lines).expect("room");
}

#[test]
fn a_vocabulary_is_the_same_each_time_and_hears_small_languages_more_with_a_higher_temperature() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    corpus(&at("corpus.jsonl"));
    let train = |out: &str, temperature: &str, threads: &str| {
        let mut command = tamis(["tokenizer", "train", "--json", "--vocabulary-size", "340", "--temperature", temperature]);
        command.arg(at("corpus.jsonl")).arg("--out").arg(at(out)).env("RAYON_NUM_THREADS", threads);
        let told: Value = serde_json::from_slice(&ends_with(&mut command, 0).stdout).expect("JSON");
        let heard = |lang: &str| {
            let all = told["languages"].as_array().expect("a list");
            all.iter().find(|known| known["lang"] == lang).expect("it is there")["weighted"].as_f64().expect("a number")
        };
        heard("lt")
    };
    let (plain, raised) = (train("one.json", "1", "1"), train("even.json", "5", "1"));
    assert!(plain < 0.06 && raised > 0.3, "{plain} {raised}");
    train("two.json", "1", "2");
    let bytes = |name: &str| std::fs::read(at(name)).expect("it was written");
    assert!(bytes("one.json") == bytes("two.json"), "one thread and two");
    assert!(bytes("one.json") != bytes("even.json"));
    // The report sees that the balanced one fits Lithuanian better, and the stage takes both without a word about slowness.
    let mut report = tamis(["tokenizer", "report", "--json"]);
    report.arg(at("corpus.jsonl")).arg("--html").arg(at("fit.html"));
    report.arg("--tokenizer").arg(at("one.json")).arg("--tokenizer").arg(at("even.json")).args(["--tokenizer", "o200k_base"]);
    let output = ends_with(&mut report, 0);
    assert_eq!(said(&output.stderr), "");
    let rows: Vec<Value> = said(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.iter().map(|row| row["lang"].as_str().expect("a tag")).collect::<Vec<_>>(), ["en", "lt"]);
    let fertility = |vocabulary: usize| rows[1]["fits"][vocabulary]["fertility"].as_f64().expect("a number");
    assert!(fertility(1) < fertility(0), "{rows:?}");
    let page = std::fs::read_to_string(at("fit.html")).expect("it was written");
    assert!(page.contains("even.json") && page.contains("<svg"), "{page}");
    // Ids and text agree: every token of the stage is one of the file.
    let mut pipe = tamis(["pipe"]);
    pipe.arg(format!("tokenize:tokenizer=\"{}\"", at("even.json").display())).stdin(std::fs::File::open(at("corpus.jsonl")).expect("ours"));
    let told = said(&ends_with(&mut pipe, 0).stdout);
    let first: Value = serde_json::from_str(told.lines().next().expect("a line")).expect("JSON");
    let ids = first["input_ids"].as_array().expect("ids");
    assert!(ids.last() == Some(&0.into()) && ids.iter().all(|id| id.as_u64().is_some_and(|id| id < 340)), "{first}");
}

#[test]
fn what_cannot_become_a_vocabulary_is_refused_with_what_to_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("empty.jsonl"), "").expect("room");
    std::fs::write(at("broken.jsonl"), "{\"text\": \"a\"}\n{\"txt\": 1}\n").expect("room");
    for (file, words, told) in [
        ("empty.jsonl", &["--vocabulary-size", "300"][..], "has no text"),
        ("broken.jsonl", &[], "line 2"),
        ("nothing", &[], "no shards"),
        ("empty.jsonl", &["--vocabulary-size", "257"], "more than 257"),
        ("empty.jsonl", &["--temperature", "0.5"], "from 1 to 100"),
    ] {
        let mut command = tamis(["tokenizer", "train"]);
        command.args(words).arg(at(file)).arg("--out").arg(at("x.json"));
        let said = said(&ends_with(&mut command, 2).stderr);
        assert!(said.contains(told), "{told}: {said}");
        assert!(!at("x.json").exists());
    }
}
