//! Several workers on one plan, however many of them die, make the bytes of a plain local run.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use sha2::{Digest, Sha256};

use crate::{ends_with, files_below, said, tamis};

fn recipe(folder: &Path) -> PathBuf {
    let archives = concat!(env!("CARGO_MANIFEST_DIR"), "/data-samples/archives/*.warc.*");
    let text = format!(
        "dataset = \"d\"\ninput = \"{archives}\"\n[source]\nkind = \"warc\"\n[[clean]]\nstage = \"extract\"\n[[clean]]\nstage = \"langid\"\n\
         [[emit]]\nstage = \"tokenize\"\n[limits]\ntask_bytes_max = \"1 B\"\n"
    );
    std::fs::write(folder.join("recipe.toml"), text).expect("room");
    folder.join("recipe.toml")
}

fn digests(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files_below(folder)
        .into_iter()
        .map(|path| (path.clone(), Sha256::digest(std::fs::read(folder.join(path)).expect("ours")).to_vec()))
        .collect()
}

fn work(plan: &str, lease: &str, steal_after: &str) -> Command {
    tamis(["work", "--plan", plan, "--lease", lease, "--steal-after", steal_after])
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
    let recipe = recipe(folder.path());
    let mut plan = tamis(["plan"]);
    plan.arg(&recipe).arg("--workspace").arg(folder.path().join("w"));
    let told = said(&ends_with(&mut plan, 0).stdout);
    let plan = told.lines().last().expect("a path");
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
