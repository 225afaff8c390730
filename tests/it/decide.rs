//! A changed table of limits is applied to what earlier runs measured, and the outcome is that of a full run.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::run::{QUICKSTART, fingerprint};
use crate::{copy_folder, ends_with, files_below, said, tamis};

/// Limits that let some documents in that fell, of every room of rules, and drop some that stayed; those of an earlier room too.
const OTHER_LIMITS: [&str; 5] = [
    "clean.gopher-quality.words_min=60",
    "clean.gopher-quality.languages.fi.words_min=10",
    "clean.c4-quality.sentences_min=7",
    "clean.fineweb-quality.rules=[]",
    "clean.repetition.duplicate_line_fraction_max=0.9",
];

fn with(verb: &str, workspace: &Path, sets: &[&str]) -> Command {
    let mut command = tamis([verb, QUICKSTART, "--quiet", "--workspace"]);
    command.arg(workspace);
    for set in sets {
        command.args(["--set", set]);
    }
    command
}

/// The ledger of the run that wrote `dataset`, without what only names the run.
fn ledger(workspace: &Path, dataset: &str) -> (String, Value) {
    for name in files_below(&workspace.join("_tamis/ledger")).iter().filter(|name| name.extension().is_some_and(|end| end == "json")) {
        let bytes = std::fs::read(workspace.join("_tamis/ledger").join(name)).expect("a ledger");
        let mut ledger: Value = serde_json::from_slice(&bytes).expect("JSON");
        if ledger["dataset"] == dataset {
            let plan = ledger["plan"].as_str().expect("an id").to_owned();
            ledger.as_object_mut().expect("an object").remove("plan");
            return (plan, ledger);
        }
    }
    panic!("no run has written {dataset}");
}

/// Everything that must be equal: shards, ledger, rejects, quarantine lists and the index, by name.
fn outcome(workspace: &Path, dataset: &str) -> (Vec<(String, Vec<u8>)>, Value, Vec<(String, Vec<u8>)>) {
    let shards = fingerprint(workspace).into_iter().filter(|(path, _)| path.starts_with(&format!("{dataset}/"))).collect();
    let (plan, ledger) = ledger(workspace, dataset);
    let mut late = Vec::new();
    let digest = |path: &Path| Sha256::digest(std::fs::read(path).expect("a file")).to_vec();
    for place in ["rejects", "quarantine"] {
        let folder = workspace.join("_tamis").join(place).join(&plan);
        late.extend(files_below(&folder).iter().map(|file| (format!("{place}/{}", file.display()), digest(&folder.join(file)))));
    }
    let folder = workspace.join("_tamis/index").join(dataset);
    late.extend(files_below(&folder).iter().map(|file| (file.display().to_string().replace(&plan, "index"), digest(&folder.join(file)))));
    (shards, ledger, late)
}

#[test]
fn deciding_anew_gives_the_bytes_counts_and_rejects_of_a_full_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let (measured, full) = (folder.path().join("measured"), folder.path().join("full"));
    for tasks in ["limits.task_bytes_max=\"4 GiB\"", "limits.task_bytes_max=\"1 KiB\""] {
        let _ = std::fs::remove_dir_all(&measured);
        let _ = std::fs::remove_dir_all(&full);
        ends_with(&mut with("run", &measured, &[tasks]), 0);
        let sets: Vec<&str> = OTHER_LIMITS.iter().copied().chain(["dataset=other", tasks]).collect();
        ends_with(&mut with("run", &full, &sets), 0);
        ends_with(with("decide", &measured, &sets).args(["--from", "quickstart", "--threads", "1"]), 0);
        let (decided, whole) = (outcome(&measured, "other"), outcome(&full, "other"));
        assert_eq!(decided.1, whole.1, "counts");
        assert_eq!(decided.0, whole.0, "shards");
        assert_eq!(decided.2, whole.2, "rejects, quarantine and index");
        assert!(carries(&measured), "what stays is not read");
        let before = ledger(&measured, "quickstart").1;
        assert_eq!(decided.1["clean"]["read"], before["clean"]["read"]);
        for reason in ["gopher-quality", "c4-quality", "fineweb-quality"] {
            assert_ne!(decided.1["clean"]["dropped"][reason], before["clean"]["dropped"][reason], "the limits of {reason} changed nothing");
        }
        let again =
            ends_with(tamis(["run", QUICKSTART, "--workspace"]).arg(&measured).args(sets.iter().flat_map(|set| ["--set", *set])), 0);
        assert!(said(&again.stderr).contains("nothing to do"), "a run of the same recipe has nothing left to read");
        ends_with(&mut tamis(["verify".as_ref(), measured.join("data/other").as_os_str()]), 0);
    }
}

#[test]
fn documents_that_stayed_fall_under_stricter_limits_as_in_a_full_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let (measured, full) = (folder.path().join("measured"), folder.path().join("full"));
    ends_with(&mut with("run", &measured, &[]), 0);
    let before = ledger(&measured, "quickstart").1;
    for (words_min, dataset) in [(145, "some"), (100_000, "none")] {
        let sets = [format!("clean.gopher-quality.words_min={words_min}"), format!("dataset={dataset}")];
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        ends_with(&mut with("run", &full, &sets), 0);
        ends_with(with("decide", &measured, &sets).args(["--from", "quickstart"]), 0);
        let (decided, whole) = (outcome(&measured, dataset), outcome(&full, dataset));
        assert_eq!((decided.0, &decided.1), (whole.0, &whole.1), "shards and counts");
        let fell = |ledger: &Value| ledger["clean"]["dropped"]["gopher-quality"]["too-few-words"].as_u64();
        assert!(fell(&decided.1) > fell(&before), "{words_min}");
    }
}

#[test]
fn a_decision_is_decided_anew_and_the_first_limits_give_the_first_shards() {
    let folder = tempfile::tempdir().expect("a folder");
    let (measured, full) = (folder.path().join("measured"), folder.path().join("full"));
    for tasks in ["limits.task_bytes_max=\"4 GiB\"", "limits.task_bytes_max=\"1 KiB\""] {
        let _ = std::fs::remove_dir_all(&measured);
        let _ = std::fs::remove_dir_all(&full);
        ends_with(&mut with("run", &full, &["dataset=back", tasks]), 0);
        ends_with(&mut with("run", &measured, &[tasks]), 0);
        let sets: Vec<&str> = OTHER_LIMITS.iter().copied().chain(["dataset=other", tasks]).collect();
        ends_with(with("decide", &measured, &sets).args(["--from", "quickstart"]), 0);
        ends_with(with("decide", &measured, &["dataset=back", tasks]).args(["--from", "other"]), 0);
        let (decided, whole) = (outcome(&measured, "back"), outcome(&full, "back"));
        assert_eq!((decided.0, decided.1), (whole.0, whole.1), "shards and counts");
    }
}

/// Whether a plan of `workspace` carries stored rows over.
fn carries(workspace: &Path) -> bool {
    let plans = workspace.join("_tamis/plans");
    files_below(&plans).iter().any(|plan| std::fs::read_to_string(plans.join(plan)).is_ok_and(|plan| plan.contains("\"carries\"")))
}

#[test]
fn where_no_signatures_are_remembered_all_documents_are_read_and_the_outcome_is_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases = [
        ["dedup.remember=false", "limits.task_bytes_max=\"4 GiB\"", "dedup.near=wide"],
        ["dedup.remember=false", "limits.task_bytes_max=\"1 KiB\"", "dedup.near=wide"],
        ["dedup.remember=true", "limits.task_bytes_max=\"1 KiB\"", "dedup.near=strict"],
    ];
    for (case, sets) in cases.iter().enumerate() {
        let (measured, full) = (folder.path().join(format!("measured-{case}")), folder.path().join(format!("full-{case}")));
        ends_with(&mut with("run", &measured, &sets[..2]), 0);
        let sets: Vec<&str> = OTHER_LIMITS.iter().chain(sets).copied().chain(["dataset=other"]).collect();
        ends_with(&mut with("run", &full, &sets), 0);
        ends_with(with("decide", &measured, &sets).args(["--from", "quickstart"]), 0);
        assert!(!carries(&measured));
        assert_eq!(outcome(&measured, "other"), outcome(&full, "other"));
    }
}

#[test]
fn token_ids_are_those_of_a_full_run_whatever_is_changed_about_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let measured = folder.path().join("measured");
    ends_with(&mut with("run", &measured, &[]), 0);
    for (number, sets) in
        [&["emit.tokenize.eos=false"][..], &["emit.tokenize.tokenizer=cl100k_base"], &["dedup.paragraph_pages_min=2"]].iter().enumerate()
    {
        let full = folder.path().join(format!("full-{number}"));
        let dataset = format!("dataset=other-{number}");
        let sets: Vec<&str> = sets.iter().copied().chain([dataset.as_str(), "clean.gopher-quality.words_min=40"]).collect();
        ends_with(&mut with("run", &full, &sets), 0);
        ends_with(with("decide", &measured, &sets).args(["--from", "quickstart"]), 0);
        let name = &dataset["dataset=".len()..];
        assert_eq!(outcome(&measured, name), outcome(&full, name), "{sets:?}");
    }
}

#[test]
fn damaged_inputs_and_inputs_that_were_set_aside_are_told_of_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (measured, full) = (folder.path().join("measured"), folder.path().join("full"));
    let sets = ["input=data-samples", "limits.document_cpu_ms_max=60000"];
    let other: Vec<&str> = sets.iter().copied().chain(["dataset=other", "clean.gopher-quality.words_min=5"]).collect();
    ends_with(&mut with("run", &measured, &sets), 1);
    ends_with(&mut with("run", &full, &other), 1);
    ends_with(with("decide", &measured, &other).args(["--from", "quickstart"]), 1);
    assert_eq!(outcome(&measured, "other"), outcome(&full, "other"));
}

#[test]
fn a_decision_that_is_killed_after_any_step_ends_as_one_that_was_let_be() {
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    ends_with(&mut with("run", &whole, &[]), 0);
    copy_folder(&whole, &killed);
    let sets = ["dataset=other", "clean.gopher-quality.words_min=60"];
    let decide = |workspace: &Path| {
        let mut command = with("decide", workspace, &sets);
        command.args(["--from", "quickstart"]);
        command
    };
    ends_with(&mut decide(&whole), 0);
    let mut deaths = 0;
    for step in (1..).step_by(7) {
        let output = decide(&killed).env("TAMIS_KILL_AT", step.to_string()).output().expect("it starts");
        if output.status.code() == Some(0) {
            break;
        }
        assert_eq!(output.status.signal(), Some(9), "{}", said(&output.stderr));
        deaths += 1;
    }
    assert!(deaths > 2, "{deaths} deaths");
    assert_eq!(outcome(&killed, "other"), outcome(&whole, "other"));
    let again = ends_with(
        tamis(["decide", QUICKSTART, "--from", "quickstart", "--workspace"]).arg(&killed).args(sets.iter().flat_map(|set| ["--set", *set])),
        0,
    );
    assert!(said(&again.stderr).contains("nothing to do"), "{}", said(&again.stderr));
}

#[test]
fn what_was_erased_between_the_runs_and_the_decision_stays_out_and_all_else_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (workspace, keys) = (folder.path().join("w"), folder.path().join("keys"));
    // Two runs of one data set, and so two lists of inputs.
    for input in ["input=data-samples/archives/cases-2026-05.warc.gz", "input=data-samples/archives"] {
        ends_with(&mut with("run", &workspace, &[input]), 0);
    }
    let runs =
        files_below(&workspace.join("_tamis/ledger")).iter().filter(|name| name.extension().is_some_and(|end| end == "json")).count();
    assert_eq!(runs, 2, "the second run read what the first had not");
    let kept = |dataset: &str| {
        let mut inspect = tamis(["inspect".as_ref(), workspace.join("data").join(dataset).as_os_str(), "sample".as_ref()]);
        let listed = said(&ends_with(inspect.args(["--n", "1000", "--json"]), 0).stdout);
        let rows = listed.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        rows.map(|row| row["url"].as_str().expect("an address").to_owned()).collect::<std::collections::BTreeSet<String>>()
    };
    let before = kept("quickstart");
    let erased = before.iter().next().expect("a document").clone();
    let plan = folder.path().join("plan.json");
    let mut takedown = tamis(["takedown", "plan", "--url", &erased, "--reason", "gdpr-17", "--received", "2026-11-20", "--workspace"]);
    ends_with(takedown.arg(&workspace).arg("--out").arg(&plan), 0);
    let mut apply = tamis(["takedown", "apply", "--confirm-large"]);
    ends_with(apply.arg(&plan).arg("--workspace").arg(&workspace).arg("--keys").arg(&keys), 0);
    let mut decide = with("decide", &workspace, &["dataset=other", "clean.gopher-quality.words_min=20"]);
    ends_with(decide.args(["--from", "quickstart", "--keys"]).arg(&keys), 0);
    let after = kept("other");
    assert!(!after.contains(&erased), "{erased} came back");
    let lost: Vec<&String> = before.iter().filter(|url| **url != erased && !after.contains(*url)).collect();
    // Of copies that the two runs had read one by one, another is the winner where all are decided at once.
    for url in lost {
        let mut explain = tamis(["inspect".as_ref(), workspace.join("data/other").as_os_str(), "explain".as_ref()]);
        let told = said(&ends_with(explain.args([url, "--json", "--keys"]).arg(&keys), 0).stdout);
        assert!(told.contains(r#""stage":"dedup""#), "{url} stayed and is lost: {told}");
    }
    let (_, ledger) = ledger(&workspace, "other");
    for stage in ["clean", "emit"] {
        let count = |what: &str| ledger[stage][what].as_u64().expect("a count");
        let dropped = ledger[stage]["dropped"].as_object().expect("reasons by stage").values();
        let dropped: u64 = dropped.flat_map(|reasons| reasons.as_object().expect("reasons").values()).filter_map(Value::as_u64).sum();
        assert_eq!(count("read"), count("kept") + dropped, "{stage}");
    }
    ends_with(&mut tamis(["verify".as_ref(), workspace.join("data/other").as_os_str()]), 0);
}

#[test]
fn what_limits_alone_do_not_decide_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    ends_with(&mut with("run", folder.path(), &[]), 0);
    let before = fingerprint(folder.path());
    for (from, sets, why) in [
        ("quickstart", &["clean.gopher-quality.words_min=60"][..], "write the decision into another one"),
        ("qickstart", &["dataset=other"], "there is quickstart"),
        ("quickstart", &["dataset=other", "clean.langid.min_score=0.5"], "stage `langid` has other settings"),
        ("quickstart", &["dataset=other", "clean.c4-quality.remove_lines=[]"], "stage `c4-quality` has other settings"),
        ("quickstart", &["dataset=other", "clean.pii.rules=[]"], "pii"),
        ("quickstart", &["dataset=other", "source.body_bytes_max=\"1 MiB\""], "[source] is not that of the earlier run"),
    ] {
        let output = ends_with(with("decide", folder.path(), sets).args(["--from", from]), 2);
        assert!(said(&output.stderr).contains(why), "{sets:?}: {}", said(&output.stderr));
    }
    assert_eq!(fingerprint(folder.path()), before);
}
