//! The main job as a user runs it: once, again, killed, stopped, beside another.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{ends_with, files_below, root, said, tamis};

pub(crate) const QUICKSTART: &str = "pipelines/quickstart.toml";

/// SHA-256 of every file under `data/`, by path.
pub(crate) fn fingerprint(workspace: &Path) -> BTreeMap<String, Vec<u8>> {
    let data = workspace.join("data");
    files_below(&data)
        .into_iter()
        .map(|file| {
            let bytes = std::fs::read(data.join(&file)).expect("a readable shard");
            (file.to_string_lossy().into_owned(), Sha256::digest(bytes).to_vec())
        })
        .collect()
}

pub(crate) fn summary(workspace: &Path, dataset: &str) -> Value {
    let place = workspace.join("data").join(dataset);
    let output = ends_with(&mut tamis(["inspect".as_ref(), place.as_os_str(), "summary".as_ref(), "--json".as_ref()]), 0);
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn sum(counts: &Value) -> u64 {
    match counts {
        Value::Object(inner) => inner.values().map(sum).sum(),
        other => other.as_u64().unwrap_or(0),
    }
}

fn run_in(workspace: &Path, more: &[&str]) -> std::process::Command {
    let mut command = tamis(["run", QUICKSTART, "--workspace"]);
    command.arg(workspace).args(more);
    command
}

#[test]
fn a_first_run_publishes_shards_and_accounts_for_every_document() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = ends_with(&mut run_in(folder.path(), &[]), 0);
    let told = said(&output.stdout);
    for word in ["read", "kept", "dedup/near-duplicate", "optout/reserved", "language", "tokens", "report"] {
        assert!(told.contains(word), "the summary lacks `{word}`:\n{told}");
    }
    let summary = summary(folder.path(), "quickstart");
    assert_eq!(summary["read"].as_u64().expect("a count"), summary["kept"].as_u64().expect("a count") + sum(&summary["dropped"]));
    let languages: Vec<&String> = summary["languages"].as_object().expect("counts").keys().collect();
    for tag in "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split(' ') {
        assert!(languages.iter().any(|found| *found == tag), "no document in {tag}: {languages:?}");
    }
    ends_with(&mut tamis(["verify".as_ref(), folder.path().join("data/quickstart").as_os_str()]), 0);
    for file in files_below(&folder.path().join("data")) {
        let name = file.to_string_lossy().into_owned();
        assert!(name.starts_with("quickstart/lang=") && name.ends_with(".parquet"), "a stranger under data/: {name}");
    }
}

#[test]
fn the_same_command_again_does_nothing_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    ends_with(&mut run_in(folder.path(), &[]), 0);
    let before = fingerprint(folder.path());
    let output = ends_with(&mut run_in(folder.path(), &[]), 0);
    assert!(said(&output.stderr).contains("nothing to do"), "{}", said(&output.stderr));
    assert_eq!(fingerprint(folder.path()), before);
}

#[test]
fn any_number_of_threads_any_memory_and_any_size_of_task_give_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let one = folder.path().join("one");
    ends_with(&mut run_in(&one, &["--threads", "1"]), 0);
    let four = folder.path().join("four");
    ends_with(&mut run_in(&four, &["--threads", "4", "--memory-max", "310MB"]), 0);
    assert!(!fingerprint(&one).is_empty());
    assert_eq!(fingerprint(&one), fingerprint(&four));
    assert_eq!(summary(&one, "quickstart"), summary(&four, "quickstart"));
}

#[test]
fn killed_anywhere_and_started_again_gives_the_bytes_of_a_run_that_was_let_be() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = folder.path().join("whole");
    let begun = Instant::now();
    ends_with(&mut run_in(&whole, &["--set", "limits.task_bytes_max=\"20 kB\""]), 0);
    let length = begun.elapsed();
    let killed = folder.path().join("killed");
    for part in 1..8 {
        let mut child = run_in(&killed, &["--set", "limits.task_bytes_max=\"20 kB\""])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        std::thread::sleep(length.mul_f64(f64::from(part) * 0.11));
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        let seen = fingerprint(&killed);
        assert!(
            seen.iter().all(|(file, digest)| fingerprint(&whole).get(file) == Some(digest)),
            "a reader saw a file that was never committed"
        );
    }
    ends_with(&mut run_in(&killed, &["--set", "limits.task_bytes_max=\"20 kB\""]), 0);
    assert_eq!(fingerprint(&killed), fingerprint(&whole));
    assert_eq!(summary(&killed, "quickstart"), summary(&whole, "quickstart"));
}

#[test]
fn an_interrupt_ends_cleanly_with_130_and_the_same_command_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let child = run_in(folder.path(), &["--set", "limits.task_bytes_max=1"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let staging = folder.path().join("_tamis/commits");
    let begun = Instant::now();
    while files_below(&staging).is_empty() && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).expect("a process id")).expect("a process id");
    // It may have ended by itself on a fast machine.
    let interrupted = rustix::process::kill_process(pid, rustix::process::Signal::INT).is_ok();
    let output = child.wait_with_output().expect("it ends");
    if interrupted && output.status.code() != Some(0) {
        assert_eq!(output.status.code(), Some(130), "{}", said(&output.stderr));
        assert!(said(&output.stderr).contains("goes on"), "{}", said(&output.stderr));
    }
    ends_with(&mut run_in(folder.path(), &["--set", "limits.task_bytes_max=1"]), 0);
}

#[test]
fn the_same_work_piece_by_piece_gives_the_same_shards() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = folder.path().join("whole");
    ends_with(&mut run_in(&whole, &[]), 0);
    let pieces = folder.path().join("pieces");
    let mut planning = tamis(["plan", QUICKSTART, "--workspace"]);
    let output = ends_with(planning.arg(&pieces), 0);
    let plan = said(&output.stdout).lines().last().expect("a path").to_owned();
    ends_with(&mut tamis(["seal", "--plan", &plan]), 2);
    // The tasks of a stage in any order, here the last first; the first one of each stage twice, for it may be done already.
    for stage in ["clean", "decide", "emit"] {
        let open = said(&ends_with(&mut tamis(["pending", "--plan", &plan]), 0).stdout);
        let open: Vec<&str> = open.lines().filter_map(|line| line.strip_prefix(stage)).map(str::trim).collect();
        assert!(!open.is_empty(), "stage {stage} has tasks");
        for task in open.iter().rev().chain(open.first()) {
            ends_with(&mut tamis(["task", "--plan", &plan, "--stage", stage, "--task", task]), 0);
        }
    }
    assert_eq!(said(&ends_with(&mut tamis(["pending", "--plan", &plan]), 0).stdout), "");
    ends_with(&mut tamis(["seal", "--plan", &plan]), 0);
    assert_eq!(fingerprint(&pieces), fingerprint(&whole));
}

#[test]
fn a_plan_is_the_same_file_in_every_workspace() {
    let folder = tempfile::tempdir().expect("a folder");
    let plans: Vec<(String, Vec<u8>)> = ["a", "b"]
        .iter()
        .map(|name| {
            let output = ends_with(tamis(["plan", QUICKSTART, "--workspace"]).arg(folder.path().join(name)), 0);
            let path = said(&output.stdout).trim().to_owned();
            let stem = Path::new(&path).file_name().expect("a name").to_string_lossy().into_owned();
            (stem, std::fs::read(&path).expect("the plan"))
        })
        .collect();
    assert_eq!(plans[0], plans[1]);
}

#[test]
fn another_night_adds_only_new_inputs_and_another_recipe_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let inputs = folder.path().join("in");
    std::fs::create_dir(&inputs).expect("a folder");
    let archives: Vec<_> = files_below(&root().join("data-samples/archives"))
        .into_iter()
        .filter(|name| name.to_string_lossy().ends_with(".warc.gz"))
        .collect();
    let add = |name: &Path| std::fs::copy(root().join("data-samples/archives").join(name), inputs.join(name)).expect("a copy");
    add(&archives[0]);
    let set = format!("input={}/*.warc.gz", inputs.display());
    let workspace = folder.path().join("w");
    ends_with(&mut run_in(&workspace, &["--set", &set]), 0);
    let first = fingerprint(&workspace);
    let read = summary(&workspace, "quickstart")["read"].as_u64().expect("a count");
    add(&archives[1]);
    ends_with(&mut run_in(&workspace, &["--set", &set]), 0);
    let both = fingerprint(&workspace);
    assert!(both.len() > first.len(), "the second night adds shards");
    assert!(first.iter().all(|(file, digest)| both.get(file) == Some(digest)), "the first night's shards stay as they are");
    let twice = summary(&workspace, "quickstart");
    assert!(twice["read"].as_u64().expect("a count") > read);
    assert_eq!(twice["runs"], 2);
    let output = ends_with(&mut run_in(&workspace, &["--set", &set, "--set", "dedup.near=false"]), 2);
    assert!(said(&output.stderr).contains("another recipe"), "{}", said(&output.stderr));
    ends_with(&mut tamis(["verify".as_ref(), workspace.join("data/quickstart").as_os_str()]), 0);
}

#[test]
fn two_runs_on_one_workspace_do_not_mix() {
    let folder = tempfile::tempdir().expect("a folder");
    let workspace = tamis::workspace::Workspace::open(folder.path()).expect("a workspace");
    let lock = workspace.lock().expect("nobody else is here");
    let output = ends_with(&mut run_in(folder.path(), &[]), 75);
    assert!(said(&output.stderr).contains("at work"), "{}", said(&output.stderr));
    drop(lock);
    ends_with(&mut run_in(folder.path(), &[]), 0);
}

#[test]
fn a_reader_that_stops_to_read_is_no_error() {
    let mut child = tamis(["stages", "--schema"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), said(&output.stderr).as_str()), (Some(0), ""));
}
