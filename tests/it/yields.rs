//! Data sets that go before others: what the archives have falls from the web, by name, and the same plan gives the same bytes.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::nights::{rewritten, rows_below, text};
use crate::{copy_folder, ends_with, files_below, root, said, tamis};

/// Two recipes over one workspace, each with its own inputs.
struct Shelves {
    folder: tempfile::TempDir,
}

impl Shelves {
    fn new() -> Shelves {
        let shelves = Shelves { folder: tempfile::tempdir().expect("a folder") };
        for dataset in ["archives", "web"] {
            std::fs::create_dir(shelves.at(dataset)).expect("room");
            let recipe = format!(
                "dataset = \"{dataset}\"\n[source]\nkind = \"jsonl\"\n[limits]\ntask_bytes_max = \"1 kB\"\n[[emit]]\nstage = \"tokenize\"\n"
            );
            std::fs::write(shelves.at(&format!("{dataset}.toml")), recipe).expect("room");
        }
        shelves
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn put(&self, dataset: &str, night: usize, texts: &[String]) {
        for (place, text) in texts.iter().enumerate() {
            let line = serde_json::json!({ "url": format!("https://{dataset}{night}.example/{place}"), "text": text });
            std::fs::write(self.at(&format!("{dataset}/{night}-{place}.jsonl")), format!("{line}\n")).expect("room");
        }
    }

    fn verb(&self, verb: &str, dataset: &str, sets: &[&str]) -> Command {
        let mut command = tamis([verb]);
        command.arg(self.at(&format!("{dataset}.toml"))).arg("--workspace").arg(self.at("w")).arg("--keys").arg(self.at("keys"));
        command.arg("--set").arg(format!("input={}/*.jsonl", self.at(dataset).display()));
        sets.iter().for_each(|set| _ = command.args(["--set", set]));
        command
    }

    fn run(&self, dataset: &str, sets: &[&str]) -> Command {
        self.verb("run", dataset, sets)
    }

    /// Columns of the shards of a data set.
    fn published(&self, dataset: &str, columns: &[&str]) -> Vec<Vec<String>> {
        rows_below(&self.at("w/data").join(dataset), columns)
    }

    fn kept(&self, dataset: &str) -> BTreeSet<String> {
        self.published(dataset, &["text"]).into_iter().map(|row| row[0].clone()).collect()
    }

    fn id(&self, dataset: &str, text: &str) -> String {
        self.published(dataset, &["id", "text"]).into_iter().find(|row| row[1] == text).expect("it was published")[0].clone()
    }

    fn fingerprint(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let places = ["w/data", "w/_tamis/index", "w/_tamis/rejects"].map(|place| self.at(place));
        let files = places.iter().flat_map(|place| files_below(place).into_iter().map(|file| place.join(file)));
        files.map(|path| (path.clone(), Sha256::digest(std::fs::read(path).expect("a file")).to_vec())).collect()
    }
}

const YIELDS: &str = "dedup.yield_to=[\"archives\"]";

#[test]
fn a_copy_on_the_web_falls_with_the_name_of_the_edited_text_and_of_its_data_set() {
    let shelves = Shelves::new();
    shelves.put("archives", 1, &[text(1), text(2)]);
    shelves.put("web", 1, &[text(1), rewritten(2, "verkossa"), text(3)]);
    let mut check = tamis(["check", "--set", YIELDS, "--set"]);
    check.arg(format!("input={}/*.jsonl", shelves.at("web").display())).arg(shelves.at("web.toml"));
    assert!(said(&ends_with(&mut check, 0).stdout).contains("; what repeats archives falls first"));
    ends_with(&mut shelves.run("archives", &[]), 0);
    ends_with(&mut shelves.run("web", &[YIELDS]), 0);
    assert_eq!(shelves.kept("web"), BTreeSet::from([text(3)]));
    let columns = ["reason", "text", "duplicate_of", "duplicate_in"];
    let mut rejects = rows_below(&shelves.at("w/_tamis/rejects"), &columns);
    rejects.sort();
    let row =
        |reason: &str, text: String, of: u64| vec![reason.to_owned(), text, shelves.id("archives", &self::text(of)), "archives".to_owned()];
    assert_eq!(rejects, [row("exact-elsewhere", text(1), 1), row("near-elsewhere", rewritten(2, "verkossa"), 2)]);
    let mut explain = tamis(["inspect"]);
    let told = said(&ends_with(explain.arg(shelves.at("w/data/web")).args(["explain", "https://web1.example/0"]), 0).stdout);
    let expected = format!(
        "dropped: dedup/exact-elsewhere: it repeats {} of the data set archives, with a similarity of 1",
        row("", String::new(), 1)[2]
    );
    assert!(told.contains(&expected), "{told}");
    ends_with(&mut shelves.run("web", &["dataset=alone"]), 0);
    assert_eq!(shelves.kept("alone").len(), 3, "without the setting data sets are not held against each other");
    ends_with(&mut tamis(["verify".as_ref(), shelves.at("w/data/web").as_os_str()]), 0);
}

#[test]
fn what_was_published_before_the_edited_text_came_stays_and_what_comes_afterwards_falls() {
    let shelves = Shelves::new();
    shelves.put("archives", 1, &[text(1)]);
    shelves.put("web", 1, &[text(2), text(3)]);
    ends_with(&mut shelves.run("archives", &[]), 0);
    ends_with(&mut shelves.run("web", &[YIELDS]), 0);
    shelves.put("archives", 2, &[text(2), text(4)]);
    ends_with(&mut shelves.run("archives", &[]), 0);
    shelves.put("web", 2, &[text(4), rewritten(2, "myöhemmin"), text(5)]);
    ends_with(&mut shelves.run("web", &[YIELDS]), 0);
    assert_eq!(shelves.kept("web"), BTreeSet::from([text(2), text(3), text(5)]), "a night takes nothing back");
    let reasons: Vec<String> = rows_below(&shelves.at("w/_tamis/rejects"), &["reason"]).concat();
    assert_eq!(
        reasons.iter().filter(|reason| reason.ends_with("elsewhere")).count(),
        2,
        "the data set that goes before is asked first: {reasons:?}"
    );
    let mut decide = shelves.verb("decide", "web", &[YIELDS, "dataset=web-anew"]);
    ends_with(decide.args(["--from", "web"]), 0);
    assert_eq!(shelves.kept("web-anew"), BTreeSet::from([text(3), text(5)]), "decided anew, all of it is held against the archives");
}

#[test]
fn a_plan_is_held_to_the_state_of_the_other_data_set() {
    let shelves = Shelves::new();
    shelves.put("archives", 1, &[text(1)]);
    shelves.put("web", 1, &[text(1), text(2)]);
    ends_with(&mut shelves.run("archives", &[]), 0);
    let plan = said(&ends_with(&mut shelves.verb("plan", "web", &[YIELDS]), 0).stdout).trim().to_owned();
    ends_with(&mut tamis(["task", "--plan", &plan, "--stage", "clean", "--task", "0"]), 0);
    shelves.put("archives", 2, &[text(2)]);
    ends_with(&mut shelves.run("archives", &[]), 0);
    let told = said(&ends_with(&mut tamis(["task", "--plan", &plan, "--stage", "decide", "--task", "0"]), 2).stderr);
    assert!(told.contains("`archives` of dedup.yield_to changed since the plan was made"), "{told}");
    ends_with(&mut shelves.run("web", &[YIELDS]), 0);
    assert!(shelves.kept("web").is_empty(), "the new plan knows both");
    // Once all is decided the other data set may grow.
    shelves.put("web", 2, &[text(3), text(4)]);
    let plan = said(&ends_with(&mut shelves.verb("plan", "web", &[YIELDS]), 0).stdout).trim().to_owned();
    let task = |stage: &str| ends_with(&mut tamis(["task", "--plan", &plan, "--stage", stage, "--task", "0"]), 0);
    task("clean");
    task("decide");
    shelves.put("archives", 3, &[text(3)]);
    ends_with(&mut shelves.run("archives", &[]), 0);
    task("emit");
    ends_with(&mut tamis(["seal", "--plan", &plan]), 0);
    assert_eq!(shelves.kept("web"), BTreeSet::from([text(3), text(4)]));
}

#[test]
fn a_run_that_yields_gives_the_same_bytes_after_a_kill_at_any_step() {
    let shelves = Shelves::new();
    shelves.put("archives", 1, &[text(1), text(2), text(3)]);
    shelves.put("web", 1, &[text(1), rewritten(2, "verkossa"), text(4), text(5), rewritten(5, "lopuksi")]);
    ends_with(&mut shelves.run("archives", &[]), 0);
    let before = shelves.at("before");
    copy_folder(&shelves.at("w"), &before);
    ends_with(shelves.run("web", &[YIELDS]).args(["--threads", "3"]), 0);
    let (whole, mut steps) = (shelves.fingerprint(), 0);
    for step in (1..).step_by(5) {
        std::fs::remove_dir_all(shelves.at("w")).expect("it is ours");
        copy_folder(&before, &shelves.at("w"));
        let output = shelves.run("web", &[YIELDS]).env("TAMIS_KILL_AT", step.to_string()).output().expect("it starts");
        if output.status.code() == Some(0) {
            break;
        }
        ends_with(shelves.run("web", &[YIELDS]).args(["--threads", "1"]), 0);
        assert_eq!(shelves.fingerprint(), whole, "killed after step {step}");
        steps += 1;
    }
    assert!(steps > 10, "a run has more than {steps} steps");
}

#[test]
fn a_data_set_without_an_index_a_circle_and_other_settings_are_told_before_anything_is_written() {
    let shelves = Shelves::new();
    shelves.put("archives", 1, &[text(1)]);
    shelves.put("web", 1, &[text(1), text(2)]);
    let told = |command: &mut Command| said(&ends_with(command, 2).stderr);
    let missing = told(&mut shelves.run("web", &[YIELDS]));
    assert!(missing.contains("`archives` of dedup.yield_to has no index in this workspace; run its recipe first"), "{missing}");
    let itself = told(tamis(["check", "--set", "dedup.yield_to=[\"web\"]"]).arg(shelves.at("web.toml")));
    assert!(itself.contains("names `web`, the data set that this recipe writes"), "{itself}");
    ends_with(&mut shelves.run("archives", &[]), 0);
    let typo = told(&mut shelves.run("web", &["dedup.yield_to=[\"archive\"]"]));
    assert!(typo.contains("(there is one of archives)"), "{typo}");
    let strict = told(&mut shelves.run("web", &[YIELDS, "dedup.near=strict"]));
    assert!(strict.contains("dedup.near is 16 bands of 7 rows there and 20 bands of 13 rows here"), "{strict}");
    let plans = || files_below(&shelves.at("w/_tamis/plans")).len();
    assert_eq!((shelves.at("w/data/web").exists(), plans()), (false, 1), "nothing was begun");
    ends_with(&mut shelves.run("web", &[YIELDS]), 0);
    shelves.put("archives", 2, &[text(3)]);
    let circle = told(&mut shelves.run("archives", &["dedup.yield_to=[\"web\"]", "output.existing=append"]));
    assert!(circle.contains("in a circle (archives -> web -> archives)"), "{circle}");
}

#[test]
fn the_recipes_of_the_house_sign_alike_so_that_each_may_yield_to_each() {
    let mut signed = BTreeSet::new();
    for recipe in files_below(&root().join("pipelines")).iter().filter(|path| path.extension().is_some_and(|ending| ending == "toml")) {
        let text = std::fs::read_to_string(root().join("pipelines").join(recipe)).expect("a recipe");
        let table: toml::Table = text.parse().expect("TOML");
        let Some(dedup) = table.get("dedup").filter(|_| table.contains_key("source")) else { continue };
        let setting = |name: &str| dedup.get(name).map_or_else(|| "as by default".to_owned(), ToString::to_string);
        signed.insert(["near", "seed", "shingle_words"].map(setting));
    }
    assert_eq!(signed.len(), 1, "{signed:?}");
}

#[test]
fn packed_for_training_the_edited_text_is_there_once_whichever_was_published_first() {
    let shelves = Shelves::new();
    shelves.put("web", 1, &[text(1), rewritten(2, "verkossa"), text(3)]);
    ends_with(&mut shelves.run("web", &[]), 0);
    shelves.put("archives", 1, &[text(1), text(2)]);
    ends_with(&mut shelves.run("archives", &[]), 0);
    std::fs::write(shelves.at("mixture.toml"), "yield_to = [\"archives\"]\n").expect("room");
    let packing = |name: &str, words: &[&str]| {
        let mut pack = tamis(["pack", "--json", "--sequence-tokens", "64", "--out", name, "--mixture"]);
        pack.arg(shelves.at("mixture.toml")).args(words).arg(shelves.at("w/data/web"));
        pack
    };
    let pack = |name: &str, words: &[&str]| -> serde_json::Value {
        serde_json::from_slice(&ends_with(&mut packing(name, words), 0).stdout).expect("JSON")
    };
    let planned = pack("p", &["--plan"]);
    let record = pack("p", &[]);
    for told in [&planned, &record] {
        assert_eq!((told["documents"].as_u64(), &told["yielded"][0]["dataset"]), (Some(1), &"archives".into()));
        assert_eq!(told["yielded"][0]["documents"], 2);
        assert_eq!(told["groups"][0]["documents"], 1, "shares are made of what is packed");
    }
    let sequences = crate::packing::sequences_below(&shelves.at("w/packed/p/train"));
    let ids: BTreeSet<String> = sequences.iter().flat_map(|sequence| &sequence.pieces).map(|piece| piece.id.to_string()).collect();
    assert_eq!(ids, BTreeSet::from([shelves.id("web", &text(3))]));
    assert_eq!(pack("p", &[]), record, "a second time there is nothing to do");
    shelves.put("archives", 2, &[text(3)]);
    ends_with(&mut shelves.run("archives", &[]), 0);
    let told = said(&ends_with(&mut packing("p", &[]), 2).stderr);
    assert!(told.contains("from another state"), "the other data set has grown: {told}");
    let told = said(&ends_with(&mut packing("q", &[]), 2).stderr);
    assert!(told.contains("the mixture leaves no document"), "{told}");
    for (names, expected) in [("web", "`web`, the data set that is packed"), ("laws", "`laws` has no index in this workspace")] {
        std::fs::write(shelves.at("mixture.toml"), format!("yield_to = [\"{names}\"]\n")).expect("room");
        let told = said(&ends_with(&mut packing("r", &[]), 2).stderr);
        assert!(told.contains(expected), "{told}");
    }
}
