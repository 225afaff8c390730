//! The same plan on a scheduler: a real Slurm where there is one, its programs in words where there is none.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::engines::{digests, recipe};
use crate::{ends_with, files_below, root, said, tamis};

struct House {
    folder: tempfile::TempDir,
    recipe: PathBuf,
}

impl House {
    fn new() -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let recipe = recipe(folder.path());
        House { folder, recipe }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, workspace: &str, more: &[&str]) -> Command {
        let mut command = tamis(["run"]);
        command.arg(&self.recipe).arg("--workspace").arg(self.at(workspace)).args(more);
        command
    }

    /// A folder of programs that stand in for Slurm's.
    fn programs(&self, programs: &[(&str, &str)]) -> String {
        let folder = self.at("bin");
        std::fs::create_dir_all(&folder).expect("room");
        for (name, text) in programs {
            let path = folder.join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("room");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("ours");
        }
        format!("{}:/usr/bin:/bin", folder.display())
    }
}

/// What a quiet site says: nothing is queued, arrays have up to four elements.
const QUIET: [(&str, &str); 2] = [("squeue", "exit 0"), ("scontrol", "echo 'MaxArraySize            = 4'")];

#[test]
fn an_engine_that_is_absent_or_refuses_says_what_to_do_and_leaves_nothing_queued() {
    let house = House::new();
    let empty = house.at("empty");
    std::fs::create_dir(&empty).expect("room");
    for (engine, remedy) in [("slurm", "--engine print"), ("ray", "pip install ./engines/ray")] {
        let told = said(&ends_with(house.run("w", &["--engine", engine]).env("PATH", &empty), 2).stderr);
        assert!(told.contains(remedy), "{engine}: {told}");
    }
    let refusing = [
        ("sbatch", "case $* in *emit*) echo 'sbatch: error: Invalid account' >&2; exit 1;; *) echo 7;; esac"),
        ("scancel", "echo $* > $0.said"),
    ];
    let path = house.programs(&[QUIET.as_slice(), refusing.as_slice()].concat());
    let told = said(&ends_with(house.run("w", &["--engine", "slurm"]).env("PATH", path), 2).stderr);
    assert!(told.contains("Invalid account") && told.contains("account, partition, time and leases_max"), "{told}");
    let cancelled = std::fs::read_to_string(house.at("bin/scancel.said")).expect("it was called");
    assert!(cancelled.split_whitespace().all(|job| job == "7") && told.contains("were cancelled"), "{told}");
    let told = said(&ends_with(house.run("w", &["--profile", "p.toml"]).env("PATH", &empty), 2).stderr);
    assert!(told.contains("--profile is for other machines"), "{told}");
    let told = said(&ends_with(house.run("w", &["--engine", "slurm", "--scratch", "s"]).env("PATH", &empty), 2).stderr);
    assert!(told.contains("--scratch is for this machine"), "{told}");
}

#[test]
fn scripts_that_are_printed_do_the_work_when_they_are_run_by_hand() {
    let house = House::new();
    ends_with(&mut house.run("local", &[]), 0);
    let profile = house.at("profile.toml");
    std::fs::write(&profile, "leases_max = 2\nsteal_after_s = 2\nmemory = \"800 MiB\"\nenvironment = { A = \"b c\" }").expect("room");
    let print = |workspace: &str| {
        let told = ends_with(&mut house.run(workspace, &["--engine", "print", "--profile", profile.to_str().expect("UTF-8")]), 0);
        said(&told.stdout).lines().map(PathBuf::from).collect::<Vec<_>>()
    };
    let written = print("spread");
    let names: Vec<_> = written.iter().map(|path| path.file_name().expect("a file").to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["clean.sbatch", "decide.sbatch", "emit.sbatch", "seal.sbatch", "submit.sh"]);
    // This sbatch does an array's elements at once, one after the other.
    let path = house.programs(&[(
        "sbatch",
        "count=1\nfor word; do case $word in --array=0-*) count=$((${word#--array=0-} + 1));; *.sbatch) script=$word;; esac; first=$word; done\n\
         lease=0; while [ $lease -lt $count ]; do SLURM_JOB_ID=7_$lease SLURM_ARRAY_TASK_ID=$lease bash \"$script\" \"$first\" >&2 || exit 1; lease=$((lease + 1)); done; echo 7",
    )]);
    ends_with(Command::new("bash").arg(&written[4]).env("PATH", path), 0);
    assert_eq!(digests(&house.at("spread/data")), digests(&house.at("local/data")));
    let status = said(&ends_with(tamis(["status"]).arg(house.at("spread")), 0).stdout);
    assert!(status.contains(": published") && status.contains("decide [========================] 1 of 1 tasks"), "{status}");
}

#[test]
fn status_tells_what_is_done_and_who_is_at_the_rest() {
    let house = House::new();
    let plan = said(&ends_with(tamis(["plan"]).arg(&house.recipe).arg("--workspace").arg(house.at("w")), 0).stdout);
    let plan = plan.lines().last().expect("a path");
    ends_with(&mut tamis(["status", house.at("w").to_str().expect("UTF-8")]), 2);
    ends_with(&mut tamis(["task", "--plan", plan, "--stage", "clean", "--task", "1"]), 0);
    let id = Path::new(plan).file_stem().expect("a name");
    let claims = house.at("w/_tamis/attempts").join(id).join("claims");
    std::fs::create_dir_all(&claims).expect("room");
    std::fs::write(claims.join("clean-00000"), "somebody life 0\n").expect("room");
    let queue = [(
        "squeue",
        "echo \"12|tamis-$(basename $PLAN .json)-clean|RUNNING|None\"; echo \"13|tamis-$(basename $PLAN .json)-seal|PENDING|PartitionTimeLimit\"",
    )];
    let path = house.programs(&queue);
    let told = ends_with(tamis(["status", "--json"]).arg(house.at("w")).env("PATH", &path).env("PLAN", plan), 0);
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
    let clean = &told[0]["stages"][0];
    assert_eq!((&clean["done"], &clean["at_work"], &clean["silent"]), (&1.into(), &1.into(), &0.into()), "{told}");
    assert!(clean["bytes_done"].as_u64() > Some(0) && clean["bytes_done"].as_u64() < clean["bytes"].as_u64(), "{told}");
    assert_eq!(told[0]["stages"][2]["tasks"], serde_json::Value::Null);
    assert_eq!((&told[0]["jobs"][0]["jobs"][0], &told[0]["jobs"][1]["states"]["pending"]), (&"12".into(), &1.into()), "{told}");
    let told = said(&ends_with(tamis(["status"]).arg(house.at("w")).env("PATH", &path).env("PLAN", plan), 0).stdout);
    assert!(told.contains("holds jobs of seal back: PartitionTimeLimit"), "{told}");
    std::fs::remove_file(claims.join("clean-00000")).expect("ours");
    let watched = ends_with(tamis(["status", "--watch"]).arg(house.at("w")).env("PATH", house.at("none")), 75);
    assert!(said(&watched.stderr).contains("nobody is at it"), "{}", said(&watched.stderr));
}

#[test]
fn ray_is_given_the_open_stages_one_after_the_other_and_the_run_is_published() {
    let house = House::new();
    ends_with(&mut house.run("local", &[]), 0);
    // This one does every lease on this machine; the second time it leaves without doing anything.
    let path = house.programs(&[(
        "tamis-ray",
        "while [ $# -gt 0 ]; do case $1 in --tamis) tamis=$2;; --plan) plan=$2;; --stage) stage=$2;; --leases) leases=$2;; esac; shift; done\n\
         echo \"$stage $leases\" >> \"$0.said\"; [ -e \"$0.lazy\" ] && [ $stage = emit ] && exit 0\n\
         lease=0; while [ $lease -lt $leases ]; do \"$tamis\" work --plan \"$plan\" --until $stage --lease $lease/$leases || exit 1; lease=$((lease + 1)); done",
    )]);
    let profile = house.at("profile.toml");
    std::fs::write(&profile, "leases_max = 2\n").expect("room");
    let ray = || {
        let mut command = house.run("spread", &["--engine", "ray", "--profile", profile.to_str().expect("UTF-8")]);
        command.env("PATH", &path);
        command
    };
    std::fs::write(house.at("bin/tamis-ray.lazy"), "").expect("room");
    let told = said(&ends_with(&mut ray(), 75).stderr);
    assert!(told.contains("tasks of stage emit open; the same command goes on"), "{told}");
    std::fs::remove_file(house.at("bin/tamis-ray.lazy")).expect("ours");
    ends_with(&mut ray(), 0);
    assert_eq!(std::fs::read_to_string(house.at("bin/tamis-ray.said")).expect("it was called"), "clean 2\ndecide 1\nemit 2\nemit 2\n");
    assert_eq!(digests(&house.at("spread/data")), digests(&house.at("local/data")));
}

/// A Slurm of three nodes; it ends with the test.
struct Slurm(PathBuf);

impl Slurm {
    /// Starts it, or says why none can be started here.
    fn start(folder: PathBuf) -> Result<Slurm, String> {
        let is_there = |program: &&str| ["/usr/sbin", "/usr/bin"].iter().any(|folder| Path::new(folder).join(program).exists());
        let missing: Vec<_> = ["slurmctld", "slurmd", "sbatch", "munged"].into_iter().filter(|program| !is_there(program)).collect();
        if !missing.is_empty() || !rustix::process::geteuid().is_root() {
            return Err(format!("no Slurm can be started here (missing: {missing:?}; root is needed); tests/run installs it where it can"));
        }
        let slurm = Slurm(folder);
        ends_with(slurm.cluster("up").args(["3", "2"]), 0);
        Ok(slurm)
    }

    fn cluster(&self, verb: &str) -> Command {
        let mut command = Command::new(root().join("tests/slurm/cluster"));
        command.arg(verb).arg(&self.0);
        command
    }

    fn conf(&self) -> PathBuf {
        self.0.join("slurm.conf")
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        let _: std::io::Result<Output> = self.cluster("down").output();
    }
}

#[test]
fn a_real_slurm_gives_the_bytes_of_a_local_run() {
    let house = House::new();
    let slurm = match Slurm::start(house.at("slurm")) {
        Ok(slurm) => slurm,
        Err(why) => {
            eprintln!("SKIPPED: {why}");
            return;
        }
    };
    ends_with(&mut house.run("local", &[]), 0);
    let profile = house.at("profile.toml");
    std::fs::write(&profile, "leases_max = 3\nsteal_after_s = 2\nmemory = \"800 MiB\"\ntime_minutes = 5\narray_max = 2\n").expect("room");
    let run = || {
        let told =
            ends_with(house.run("spread", &["--engine", "slurm", "--json", "--profile"]).arg(&profile).env("SLURM_CONF", slurm.conf()), 0);
        serde_json::from_slice::<serde_json::Value>(&told.stdout).expect("JSON")
    };
    let told = run();
    let steps: BTreeMap<&str, usize> = told["submitted"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|step| (step["step"].as_str().unwrap_or(""), step["jobs"].as_array().map_or(0, Vec::len)))
        .collect();
    assert_eq!(steps, BTreeMap::from([("clean", 2), ("decide", 1), ("emit", 1), ("seal", 1)]), "three leases in arrays of two");
    assert_eq!(run()["submitted"], serde_json::json!([]), "all of it is queued");
    let begun = Instant::now();
    let mut watch = tamis(["status", "--watch", "--every", "1"]);
    let output = watch.arg(house.at("spread")).env("SLURM_CONF", slurm.conf()).output().expect("it starts");
    let logs = files_below(&house.at("spread/_tamis/logs"));
    assert!(
        output.status.success() && begun.elapsed() < Duration::from_secs(90),
        "{}\n{}\n{logs:?}",
        said(&output.stdout),
        said(&output.stderr)
    );
    assert_eq!(digests(&house.at("spread/data")), digests(&house.at("local/data")));
    let told = said(&ends_with(house.run("spread", &["--engine", "slurm"]).env("SLURM_CONF", slurm.conf()), 0).stderr);
    assert!(told.contains("nothing to do"), "{told}");
}
