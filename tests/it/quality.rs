//! A learned score: made from heaps that the user names, measured in a run, decided by anew, and never another than the plan was made with.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::run::fingerprint;
use crate::{ends_with, files_below, said, tamis};

/// Beginnings, middles and ends of sentences, so that there are many of them.
const GOOD: [[&str; 6]; 3] = [
    ["Der Fährmann", "Die Lehrerin", "Ein alter Müller", "Meine Nachbarin", "Der junge Arzt", "Die Bäuerin"],
    ["wartete am Ufer", "ging durch den verschneiten Wald", "stand vor der Kirche", "las am Fenster", "kam vom Markt", "saß im Garten"],
    [
        "und dachte an den Winter.",
        "und hörte die Glocken.",
        "bis die Kinder nach Hause kamen.",
        "weil der Bruder noch fehlte.",
        "und schwieg lange.",
        "obwohl es regnete.",
    ],
];
const BAD: [[&str; 6]; 3] = [
    ["Jetzt kaufen!", "In den Warenkorb", "Gratis Versand!", "Newsletter bestellen", "Anmelden", "Cookies akzeptieren"],
    ["| Startseite", "| Impressum", "| Mein Konto", "| Merkzettel", "| Sonderangebote", "| Kundenservice"],
    ["| nur heute billiger", "| Top Angebot", "| Bestseller", "| jetzt sparen", "| Gutschein", "| mehr erfahren"],
];

const DUTCH: [[&str; 6]; 3] = [
    ["De veerman", "De schooljuffrouw", "Een oude molenaar", "Mijn buurvrouw", "De jonge dokter", "De boerin"],
    [
        "wachtte aan de oever",
        "liep door het besneeuwde bos",
        "stond voor de kerk",
        "las bij het raam",
        "kwam van de markt",
        "zat in de tuin",
    ],
    [
        "en dacht aan de winter.",
        "en hoorde de klokken.",
        "tot de kinderen thuiskwamen.",
        "omdat zijn broer nog ontbrak.",
        "en zweeg lang.",
        "hoewel het regende.",
    ],
];

/// Text number `number` of a heap: eight sentences.
fn text(parts: &[[&str; 6]; 3], number: usize) -> String {
    let part = |line: usize, place: usize| parts[place][(number / 6_usize.pow(place as u32) + line * (place + 1) + number * line) % 6];
    (0..8).map(|line| format!("{} {} {}", part(line, 0), part(line, 1), part(line, 2))).collect::<Vec<_>>().join("\n")
}

fn heap(path: &Path, parts: &[[&str; 6]; 3], lang: &str, count: usize) {
    let line =
        |number| json!({"text": text(parts, number), "lang": lang, "url": format!("https://seite{number}.example/")}).to_string() + "\n";
    std::fs::write(path, (0..count).map(line).collect::<String>()).expect("room");
}

struct Place(tempfile::TempDir);

impl Place {
    /// A folder with heaps of German texts and a model of them.
    fn with_model() -> Place {
        let place = Place(tempfile::tempdir().expect("a folder"));
        heap(&place.at("good.jsonl"), &GOOD, "de", 150);
        heap(&place.at("bad.jsonl"), &BAD, "de", 150);
        ends_with(&mut place.train(&["--out", "model"]), 0);
        place
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// `tamis quality train` in the folder, where the recipe's relative paths are looked for too.
    fn train(&self, words: &[&str]) -> Command {
        let mut command = self.tamis(&["quality", "train", "--good", "good.jsonl", "--bad", "bad.jsonl"]);
        for (word, value) in [("--documents-min", "100"), ("--bits", "14")] {
            if !words.contains(&word) {
                command.args([word, value]);
            }
        }
        command.args(words);
        command
    }

    fn tamis(&self, words: &[&str]) -> Command {
        let mut command = tamis(words);
        command.current_dir(self.0.path());
        command
    }

    /// A recipe that reads good and bad pages in German, and Dutch ones that the model knows nothing of.
    fn recipe(&self) {
        let lines = |parts, lang: &'static str, from: usize| {
            (from..from + 20)
                .map(move |number| json!({"id": format!("{lang}{number}"), "text": text(parts, number), "lang": lang}).to_string() + "\n")
        };
        let all: String = lines(&GOOD, "de", 200).chain(lines(&BAD, "de", 300)).chain(lines(&DUTCH, "nl", 400)).collect();
        std::fs::write(self.at("pages.jsonl"), all).expect("room");
        let recipe = "dataset = \"measured\"\ninput = \"pages.jsonl\"\n[source]\nkind = \"jsonl\"\n[[clean]]\nstage = \"langid\"\nmin_score = 0.0\n[[clean]]\nstage = \"learned-quality\"\n\
            model = \"model\"\n[dedup]\nexact = true\nnear = false\n[[emit]]\nstage = \"tokenize\"\n";
        std::fs::write(self.at("recipe.toml"), recipe).expect("room");
    }

    fn run(&self, verb: &str, workspace: &str, sets: &[&str]) -> Command {
        let mut command = self.tamis(&[verb, "recipe.toml", "--workspace", workspace]);
        command.args(sets.iter().flat_map(|set| ["--set", *set]));
        command
    }

    /// The counts of the run that wrote `dataset`.
    fn counts(&self, workspace: &str, dataset: &str) -> Value {
        let folder = self.at(workspace).join("_tamis/ledger");
        let ledgers = files_below(&folder).into_iter().filter(|name| name.extension().is_some_and(|ending| ending == "json"));
        let mut read =
            ledgers.map(|name| serde_json::from_slice::<Value>(&std::fs::read(folder.join(name)).expect("a ledger")).expect("JSON"));
        read.find(|ledger| ledger["dataset"] == dataset).expect("it was written")["clean"].clone()
    }
}

#[test]
fn training_twice_gives_the_same_bytes_and_tells_how_good_they_are_beside_the_rules() {
    let place = Place::with_model();
    let told = said(&ends_with(&mut place.train(&["--out", "again", "--json"]), 0).stdout);
    assert!(std::fs::read(place.at("model")).expect("a model") == std::fs::read(place.at("again")).expect("a model"));
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["bytes"], std::fs::metadata(place.at("again")).expect("a file").len());
    let evaluation = &told["languages"][0]["evaluation"];
    assert!(evaluation["auc"].as_f64().is_some_and(|area| area > 0.95), "{evaluation}");
    let rules: Vec<&str> = evaluation["rules"].as_array().expect("a list").iter().filter_map(|of| of["room"].as_str()).collect();
    assert_eq!(rules, ["gopher-quality", "c4-quality", "fineweb-quality", "repetition", "machine-made", "all"]);
    // Learning from and judging by other sites changes who is held out, and so the model.
    ends_with(&mut place.train(&["--out", "apart", "--sites-apart"]), 0);
    assert!(std::fs::read(place.at("model")).expect("a model") != std::fs::read(place.at("apart")).expect("a model"));
}

#[test]
fn a_model_shows_what_it_was_made_from_and_takes_other_languages_along() {
    let place = Place::with_model();
    heap(&place.at("good.jsonl"), &GOOD, "nds", 150);
    heap(&place.at("bad.jsonl"), &BAD, "nds", 150);
    ends_with(&mut place.train(&["--out", "both", "--with", "model", "--note", "texts of our own"]), 0);
    let head: Value = serde_json::from_slice(&ends_with(&mut place.tamis(&["quality", "show", "both", "--json"]), 0).stdout).expect("JSON");
    let of = |place: usize, what: &str| head["languages"][place][what].clone();
    assert_eq!(
        (of(0, "lang"), of(1, "lang"), of(0, "note"), of(1, "note")),
        (json!("de"), json!("nds"), json!(""), json!("texts of our own"))
    );
    assert_ne!(of(0, "inputs")[0]["sha256"], of(1, "inputs")[0]["sha256"]);
    let shown = said(&ends_with(&mut place.tamis(&["quality", "show", "both"]), 0).stdout);
    assert!(shown.contains("texts of our own") && shown.contains("good.jsonl"), "{shown}");
    // Judged by heaps that are called the wrong way round, it is as bad as it was good.
    let mut evaluate = place.tamis(&["quality", "evaluate", "both", "--json", "--good", "bad.jsonl", "--bad", "good.jsonl"]);
    let told: Value = serde_json::from_slice(&ends_with(&mut evaluate, 0).stdout).expect("JSON");
    assert!(told["lang"] == "nds" && told["evaluation"]["auc"].as_f64().is_some_and(|area| area < 0.05), "{told}");
}

#[test]
fn what_a_run_measured_is_decided_by_anew_with_the_outcome_of_a_full_run() {
    let place = Place::with_model();
    place.recipe();
    ends_with(&mut place.run("run", "w", &[]), 0);
    let kept = place.counts("w", "measured")["kept"].clone();
    let sets = ["dataset=strict", "clean.learned-quality.min_score=0.5"];
    ends_with(&mut place.run("run", "full", &sets), 0);
    ends_with(place.run("decide", "w", &sets).args(["--from", "measured"]), 0);
    let counts = place.counts("w", "strict");
    assert_eq!(counts, place.counts("full", "strict"));
    assert_eq!(counts["dropped"]["learned-quality"], json!({"too-low": 20}), "all bad German pages, and no Dutch ones");
    assert_eq!(kept, 60);
    let strict = |workspace: &str| {
        let all = fingerprint(&place.at(workspace));
        all.into_iter().filter(|(path, _)| path.starts_with("strict/")).collect::<Vec<_>>()
    };
    assert!(strict("w") == strict("full") && !strict("w").is_empty(), "the same shards");
    // What falls for want of a model is decided by the same signals.
    let sets = ["dataset=known", "clean.learned-quality.unknown=drop"];
    ends_with(place.run("decide", "w", &sets).args(["--from", "measured"]), 0);
    assert_eq!(place.counts("w", "known")["dropped"]["learned-quality"], json!({"no-model": 20}));
}

#[test]
fn another_model_under_the_same_name_is_not_the_one_of_the_plan() {
    let place = Place::with_model();
    place.recipe();
    ends_with(&mut place.run("run", "w", &[]), 0);
    let planned = said(&ends_with(&mut place.run("plan", "v", &[]), 0).stdout);
    ends_with(&mut place.train(&["--out", "model", "--sites-apart"]), 0);
    let mut work = place.tamis(&["work", "--plan"]);
    let told = said(&ends_with(work.arg(planned.trim()), 2).stderr);
    assert!(told.contains("changed since the plan was made"), "{told}");
    let mut decide = place.run("decide", "w", &["dataset=strict", "clean.learned-quality.min_score=0.5"]);
    let told = said(&ends_with(decide.args(["--from", "measured"]), 2).stderr);
    assert!(told.contains("put the old file back"), "{told}");
}

#[test]
fn what_cannot_be_learned_from_is_refused_with_what_to_change() {
    let place = Place::with_model();
    let good = std::fs::read_to_string(place.at("good.jsonl")).expect("ours");
    std::fs::write(place.at("empty.jsonl"), "").expect("room");
    std::fs::write(place.at("few.jsonl"), good.lines().take(50).collect::<Vec<_>>().join("\n")).expect("room");
    std::fs::write(place.at("notes.csv"), "a,b").expect("room");
    std::fs::write(place.at("good.txt"), GOOD[0].join(" ")).expect("room");
    std::fs::write(place.at("bad.txt"), BAD[0].join(" ")).expect("room");
    let mut damaged = std::fs::read(place.at("model")).expect("ours");
    damaged[5_000] ^= 1;
    std::fs::write(place.at("damaged"), damaged).expect("room");
    for (words, told) in [
        (&["--good", "few.jsonl"][..], "texts are called good and bad; take them out"),
        (&["--documents-min", "500"], "fewer than 500 good and 500 bad documents (--documents-min): de 150 and 150"),
        (&["--lang", "German_language"], "is no language tag"),
        (&["--bits", "23"], "--bits is from 12 to 22"),
        (&["--hold-out", "0.5"], "--hold-out is a share"),
        (&["--with", "good.jsonl"], "no model of a learned score"),
        (&["--with", "damaged"], "it is damaged"),
    ] {
        let mut command = place.train(words);
        if words[0] == "--good" {
            command = place.tamis(&["quality", "train", "--good", "good.jsonl", "--bad", "few.jsonl"]);
        }
        let told_instead = said(&ends_with(command.args(["--out", "x"]), 2).stderr);
        assert!(told_instead.contains(told), "{told}: {told_instead}");
    }
    for (good, bad, told) in [
        ("empty.jsonl", "empty.jsonl", "hold no text"),
        ("few.jsonl", "notes.csv", "no JSON lines"),
        ("good.txt", "bad.txt", "2 documents state no language; `--lang` states that of all"),
        ("absent.jsonl", "few.jsonl", "absent.jsonl"),
    ] {
        let mut command = place.tamis(&["quality", "train", "--good", good, "--bad", bad, "--out", "x"]);
        let told_instead = said(&ends_with(&mut command, 2).stderr);
        assert!(told_instead.contains(told), "{told}: {told_instead}");
    }
    assert!(!place.at("x").exists());
    let mut evaluate = place.tamis(&["quality", "evaluate", "model", "--lang", "fi", "--good", "good.jsonl", "--bad", "bad.jsonl"]);
    assert!(said(&ends_with(&mut evaluate, 2).stderr).contains("it knows de"));
}

#[test]
fn a_score_of_heaps_that_are_alike_is_told_to_be_no_better_than_chance() {
    let place = Place(tempfile::tempdir().expect("a folder"));
    // By lot, so that nothing in a text says in which heap it lies.
    let is_good = |number: &usize| tamis::store::sha256_bytes(&number.to_le_bytes()).as_bytes()[0] < b'8';
    for (name, good) in [("good.jsonl", true), ("bad.jsonl", false)] {
        let numbers = (0..216).filter(|number| is_good(number) == good);
        let line = |number| json!({"text": text(&GOOD, number), "lang": "de"}).to_string() + "\n";
        std::fs::write(place.at(name), numbers.map(line).collect::<String>()).expect("room");
    }
    let told = said(&ends_with(&mut place.train(&["--out", "model", "--hold-out", "0.3", "--documents-min", "80"]), 0).stderr);
    assert!(told.contains("`de`: on documents that were held out the score does no better than chance"), "{told}");
    let told = said(&ends_with(&mut Place::with_model().train(&["--out", "other"]), 0).stderr);
    assert!(!told.contains("chance"), "{told}");
}
