//! Several workers on one plan, however many of them die, make the bytes of a plain local run.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use sha2::{Digest, Sha256};

use crate::bad_input::Tmpfs;
use crate::{ends_with, files_below, said, tamis};

pub(crate) fn recipe(folder: &Path) -> PathBuf {
    let archives = concat!(env!("CARGO_MANIFEST_DIR"), "/data-samples/archives/*.warc.*");
    let text = format!(
        "dataset = \"d\"\ninput = \"{archives}\"\n[source]\nkind = \"warc\"\n[[clean]]\nstage = \"extract\"\n[[clean]]\nstage = \"langid\"\n\
         [[emit]]\nstage = \"tokenize\"\n[limits]\ntask_bytes_max = \"1 B\"\n"
    );
    std::fs::write(folder.join("recipe.toml"), text).expect("room");
    folder.join("recipe.toml")
}

pub(crate) fn digests(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files_below(folder)
        .into_iter()
        .map(|path| (path.clone(), Sha256::digest(std::fs::read(folder.join(path)).expect("ours")).to_vec()))
        .collect()
}

fn work(plan: &str, lease: &str, steal_after: &str) -> Command {
    tamis(["work", "--plan", plan, "--lease", lease, "--steal-after", steal_after])
}

/// The path of the plan that a recipe becomes in a workspace.
fn planned(recipe: &Path, workspace: &Path) -> String {
    let mut plan = tamis(["plan"]);
    let told = said(&ends_with(plan.arg(recipe).arg("--workspace").arg(workspace), 0).stdout);
    told.lines().last().expect("a path").to_owned()
}

#[test]
fn leases_that_run_at_once_and_die_give_the_bytes_of_a_local_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let recipe = recipe(folder.path());
    let command = |verb: &str, place: &str| {
        let mut command = tamis([verb]);
        command.arg(&recipe).arg("--workspace").arg(at(place));
        command
    };
    ends_with(&mut command("run", "local"), 0);
    let told = said(&ends_with(&mut command("plan", "spread"), 0).stdout);
    let plan = told.lines().last().expect("a path");
    let pending = || said(&ends_with(&mut tamis(["pending", "--plan", plan]), 0).stdout);
    assert!(pending().lines().count() > 3, "{}", pending());
    // Round after round three workers begin together, and one of them dies at another step each time.
    for round in 1..40 {
        let workers: Vec<Child> = (0..3)
            .map(|lease| {
                let mut worker = work(plan, &format!("{lease}/3"), "1");
                if lease == round % 3 {
                    worker.env("TAMIS_KILL_AT", (round * 3).to_string());
                }
                worker.spawn().expect("it starts")
            })
            .collect();
        for mut worker in workers {
            let status = worker.wait().expect("it ends");
            assert!(matches!(status.code(), Some(0 | 1 | 75)) || status.signal() == Some(9), "{status}");
        }
        if pending().is_empty() {
            break;
        }
    }
    assert_eq!(pending(), "");
    ends_with(&mut work(plan, "0/1", "1"), 0);
    ends_with(&mut tamis(["seal", "--plan", plan]), 0);
    assert_eq!(digests(&at("spread/data")), digests(&at("local/data")));
}

#[test]
fn what_others_are_at_is_left_alone_until_they_are_not_heard_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = planned(&recipe(folder.path()), &folder.path().join("w"));
    let plan = plan.as_str();
    let id = Path::new(plan).file_stem().expect("a name");
    let claims = folder.path().join("w/_tamis/attempts").join(id).join("claims");
    std::fs::create_dir_all(&claims).expect("room");
    let tasks = said(&ends_with(&mut tamis(["pending", "--plan", plan]), 0).stdout);
    let clean: Vec<&str> = tasks.lines().filter_map(|line| line.strip_prefix("clean ")).collect();
    for task in &clean {
        std::fs::write(claims.join(format!("clean-{:05}", task.parse::<u32>().expect("a number"))), "somebody").expect("room");
    }
    ends_with(work(plan, "0/2", "3600").args(["--time-max", "1"]), 75);
    assert_eq!(said(&ends_with(&mut tamis(["pending", "--plan", plan]), 0).stdout), tasks);
    // A time limit that is over before the first task: nothing is begun.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    ends_with(work(plan, "0/2", "1").args(["--time-max", "0"]), 75);
    ends_with(&mut work(plan, "1/2", "1"), 0);
    assert_eq!(said(&ends_with(&mut tamis(["pending", "--plan", plan]), 0).stdout), "");
}

#[test]
fn a_plan_that_does_not_fit_any_more_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("input.jsonl");
    let line =
        "{\"text\": \"Laiva on sidottu laituriin, ja kalastajat kantavat verkkoja rantaan.\", \"url\": \"https://satama.example/\"}\n";
    std::fs::write(&input, line).expect("room");
    let text = |more: &str| {
        let text =
            format!("dataset = \"d\"\ninput = \"{}\"\n[source]\nkind = \"jsonl\"\n[[clean]]\nstage = \"langid\"\n{more}", input.display());
        std::fs::write(folder.path().join("recipe.toml"), text).expect("room");
    };
    let place = folder.path().join("w");
    let plan = || {
        let mut command = tamis(["plan"]);
        command.arg(folder.path().join("recipe.toml")).arg("--workspace").arg(&place);
        said(&ends_with(&mut command, 0).stdout).lines().last().expect("a path").to_owned()
    };
    let refused = |verb: &str, plan: &str, code: i32, says: &str| {
        let told = said(&ends_with(&mut tamis([verb, "--plan", plan]), code).stderr);
        assert!(told.contains(says), "{told}");
    };
    text("[dedup]\nremember = false\n");
    let first = plan();
    // Made by another version.
    let other =
        std::fs::read_to_string(&first).expect("ours").replace(concat!("\"tamis\": \"", env!("CARGO_PKG_VERSION")), "\"tamis\": \"0.0.9");
    let name = data_encoding::HEXLOWER.encode(&Sha256::digest(&other)[..8]);
    let other_path = Path::new(&first).with_file_name(format!("{name}.json"));
    std::fs::write(&other_path, other).expect("room");
    refused("work", &other_path.to_string_lossy(), 2, "was made by tamis 0.0.9");
    // Two plans in one workspace, of two recipes, and of one recipe with more inputs: the first that is published wins.
    text("[dedup]\nremember = false\nexact = false\n");
    let second = plan();
    text("[dedup]\nremember = false\n");
    std::fs::write(folder.path().join("more.jsonl"), line.replace("satama", "toinen")).expect("room");
    let both = format!("{}/*.jsonl", folder.path().display());
    let mut wider = tamis(["plan"]);
    wider.arg(folder.path().join("recipe.toml")).arg("--workspace").arg(&place).args(["--set", &format!("input={both}")]);
    let third = said(&ends_with(&mut wider, 0).stdout).lines().last().expect("a path").to_owned();
    for plan in [&first, &second, &third] {
        ends_with(&mut tamis(["work", "--plan", plan]), 0);
    }
    ends_with(&mut tamis(["seal", "--plan", &first]), 0);
    ends_with(&mut tamis(["seal", "--plan", &first]), 0);
    refused("seal", &second, 2, "was written by another recipe");
    refused("seal", &third, 2, "was published since the plan was made, and read inputs of it");
    // An input that changed since.
    std::fs::write(folder.path().join("more.jsonl"), line.replace("satama", "kolmas")).expect("room");
    let fourth = said(&ends_with(&mut wider, 0).stdout).lines().last().expect("a path").to_owned();
    std::fs::write(folder.path().join("more.jsonl"), line.replace("satama", "viides")).expect("room");
    refused("work", &fourth, 2, "changed since the plan was made");
}

#[test]
fn a_worker_whose_disk_is_full_asks_to_try_again_and_another_goes_on_once_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = recipe(folder.path());
    let Some(disk) = Tmpfs::mount(&folder.path().join("disk"), "size=120k") else {
        eprintln!("SKIPPED: this user may not mount a tmpfs");
        return;
    };
    let mut plan = tamis(["plan"]);
    plan.arg(&recipe).arg("--workspace").arg(disk.0.join("w"));
    let told = said(&ends_with(&mut plan, 0).stdout);
    let plan = told.lines().last().expect("a path");
    let told = said(&ends_with(work(plan, "0/1", "2").args(["--threads", "1"]), 75).stderr);
    assert!(told.contains("no space left") && told.contains("make room"), "{told}");
    let grown = Command::new("mount").args(["-o", "remount,size=50m"]).arg(&disk.0).status().expect("mount starts");
    assert!(grown.success());
    ends_with(&mut work(plan, "0/1", "2"), 0);
    ends_with(&mut tamis(["seal", "--plan", plan]), 0);
}

#[test]
fn tasks_tried_on_a_disk_of_the_machines_own_give_the_same_bytes_and_leave_nothing_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let recipe = recipe(folder.path());
    ends_with(tamis(["run"]).arg(&recipe).arg("--workspace").arg(at("plain")), 0);
    let plan = planned(&recipe, &at("w"));
    let on_scratch = |kill_at: &str| {
        let mut worker = work(&plan, "0/1", "1");
        worker.arg("--scratch").arg(at("scratch")).env("TAMIS_KILL_AT", kill_at);
        worker.output().expect("it starts").status
    };
    let left = || files_below(&at("scratch")).into_iter().filter(|path| path.components().count() > 1).collect::<Vec<_>>();
    // Killed again and again, once while a finished file is on its way into the workspace.
    let mut was_full = false;
    for kill_at in (6..60).step_by(6) {
        let ended = on_scratch(&kill_at.to_string());
        assert!(ended.success() || ended.signal() == Some(9), "{ended}");
        was_full |= !left().is_empty();
    }
    assert!(was_full, "a killed worker leaves what it tried");
    assert!(on_scratch("").success());
    assert_eq!(left(), Vec::<PathBuf>::new(), "the next one clears it away");
    ends_with(&mut tamis(["seal", "--plan", &plan]), 0);
    assert_eq!(digests(&at("w/data")), digests(&at("plain/data")));
}

#[test]
fn a_scratch_that_is_full_asks_to_try_again_and_the_same_worker_goes_on_once_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = planned(&recipe(folder.path()), &folder.path().join("w"));
    let Some(disk) = Tmpfs::mount(&folder.path().join("disk"), "size=40k") else {
        eprintln!("SKIPPED: this user may not mount a tmpfs");
        return;
    };
    let on_scratch = || {
        let mut worker = work(&plan, "0/1", "2");
        worker.args(["--threads", "1", "--scratch"]).arg(&disk.0);
        worker
    };
    let told = said(&ends_with(&mut on_scratch(), 75).stderr);
    assert!(told.contains("no space left") && told.contains("make room"), "{told}");
    let grown = Command::new("mount").args(["-o", "remount,size=50m"]).arg(&disk.0).status().expect("mount starts");
    assert!(grown.success());
    ends_with(&mut on_scratch(), 0);
    ends_with(&mut tamis(["seal", "--plan", &plan]), 0);
}

#[test]
fn a_worker_that_was_thought_dead_finds_its_task_done_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = planned(&recipe(folder.path()), &folder.path().join("w"));
    let plan = plan.as_str();
    let id = Path::new(plan).file_stem().expect("a name");
    let attempts = folder.path().join("w/_tamis/attempts").join(id);
    let mut zombie = work(plan, "0/2", "1").spawn().expect("it starts");
    let process = rustix::process::Pid::from_child(&zombie);
    let is_at_it = || files_below(&attempts.join("claims")).iter().any(|name| name.to_string_lossy().starts_with("clean"));
    while !is_at_it() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    rustix::process::kill_process(process, rustix::process::Signal::STOP).expect("it is ours");
    ends_with(&mut work(plan, "1/2", "1"), 0);
    rustix::process::kill_process(process, rustix::process::Signal::CONT).expect("it is ours");
    assert!(matches!(zombie.wait().expect("it ends").code(), Some(0)), "it finds everything done");
    let left: Vec<_> = files_below(&attempts);
    assert!(left.is_empty(), "{left:?}");
    ends_with(&mut tamis(["seal", "--plan", plan]), 0);
}
