//! Workspaces whose home is a store of objects: what is brought there is whole, once and in order, whatever the store and the machines do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use tamis::home::{Home, HomeError};
use tamis::store::sha256_bytes;

use crate::bucket::{Fault, Server};

const TAMIS: &str = env!("CARGO_BIN_EXE_tamis");

/// The environment in which a program finds the store.
fn credentials(url: &str) -> [(&'static str, String); 4] {
    [
        ("AWS_ENDPOINT_URL", url.to_owned()),
        ("AWS_ACCESS_KEY_ID", "a".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "b".to_owned()),
        ("AWS_REGION", "eu-central-1".to_owned()),
    ]
}

/// A test below that runs in a process of its own, with the store in its environment: nothing else can set that.
fn in_own_process(test: &str, server: &Server) {
    in_own_process_with(test, server, &[]);
}

fn in_own_process_with(test: &str, server: &Server, more: &[(&str, &str)]) {
    let mut program = Command::new(std::env::current_exe().expect("this one"));
    program.args(["--exact", test, "--nocapture", "--ignored"]).envs(credentials(server.url())).envs(more.iter().copied());
    let output = program.output().expect("it starts");
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

/// Faults at about every sixth question, of all kinds, by a seed.
fn faults(seed: usize) -> Box<dyn Fn(usize) -> Option<Fault> + Send + Sync> {
    Box::new(move |number| {
        let chance = (number.wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40_503)) >> 7) % 36;
        [Fault::Before, Fault::After, Fault::Status(409), Fault::Status(500), Fault::Status(503), Fault::After].get(chance).copied()
    })
}

/// At every twentieth question the store says nothing more, half of the times with the deed done.
fn silences(number: usize) -> Option<Fault> {
    match number % 40 {
        19 => Some(Fault::SilentBefore),
        39 => Some(Fault::SilentAfter),
        _ => None,
    }
}

const WRITERS: usize = 4;
const COMMITS: usize = 25;

fn path_of(writer: usize, commit: usize) -> String {
    format!("_tamis/commits/plan/{writer}/{commit:05}.json")
}

fn words_of(writer: usize, commit: usize) -> String {
    format!("užrašas {commit} iš {writer}\n")
}

/// Several machines bring one file after the other, at once.
fn bring_all() {
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                let folder = tempfile::tempdir().expect("a folder");
                let mut home = Home::open("s3://b/w", folder.path()).expect("a home");
                for commit in 0..commits() {
                    let path = home.folder().join(path_of(writer, commit));
                    std::fs::create_dir_all(path.parent().expect("a folder")).expect("room");
                    std::fs::write(path, words_of(writer, commit)).expect("room");
                    home.bring("test").expect("it is brought").expect("there is something");
                }
            });
        }
    });
}

/// How many each writer brings: 25, or what `TAMIS_TEST_COMMITS` says.
fn commits() -> usize {
    std::env::var("TAMIS_TEST_COMMITS").ok().and_then(|text| text.parse().ok()).unwrap_or(COMMITS)
}

/// All are there once, and nothing else is.
fn check_all(server: &Server) {
    let objects = server.objects();
    let states: Vec<serde_json::Value> = objects
        .iter()
        .filter(|(path, _)| path.starts_with("b/w/_tamis/home/states/") && path.ends_with(".json"))
        .map(|(_, bytes)| serde_json::from_slice(bytes).expect("a state"))
        .collect();
    assert_eq!(states.len(), WRITERS * commits(), "each is one state");
    let numbers: Vec<u64> = states.iter().map(|state| state["number"].as_u64().expect("a number")).collect();
    assert_eq!(numbers, (1..=states.len() as u64).collect::<Vec<_>>(), "without gaps");
    let transactions: BTreeSet<&str> = states.iter().map(|state| state["transaction"].as_str().expect("a name")).collect();
    assert_eq!(transactions.len(), states.len(), "none is there twice");
    for writer in 0..WRITERS {
        for commit in 0..commits() {
            let bytes = objects.get(&format!("b/w/{}", path_of(writer, commit))).expect("none is lost");
            assert_eq!(bytes, words_of(writer, commit).as_bytes());
        }
    }
    let left: Vec<&String> =
        objects.keys().filter(|path| ["staging/", "ballots/", "probes/"].iter().any(|left| path.contains(left))).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
#[ignore = "run by the tests below, in a process that has the store in its environment"]
fn writers_bring_what_they_have() {
    bring_all();
}

#[test]
fn of_many_commits_by_many_writers_none_is_lost_and_none_doubled_whatever_goes_wrong() {
    let server = Server::start(true, faults(1));
    in_own_process("homes::writers_bring_what_they_have", &server);
    check_all(&server);
}

#[test]
fn a_store_that_stops_answering_is_asked_again_and_none_is_lost_and_none_doubled() {
    let server = Server::start(true, Box::new(silences));
    in_own_process_with("homes::writers_bring_what_they_have", &server, &[("TAMIS_STORE_ANSWER_S", "1")]);
    check_all(&server);
}

#[test]
fn a_store_that_does_not_look_at_conditions_gives_each_number_once_all_the_same() {
    let server = Server::start(false, faults(2));
    in_own_process("homes::writers_bring_what_they_have", &server);
    check_all(&server);
}

#[test]
fn a_store_is_known_for_what_it_is_whatever_its_answers_meet() {
    for (honours_conditions, seed) in (0..5).flat_map(|seed| [(true, seed), (false, seed)]) {
        let server = Server::start(honours_conditions, faults(seed));
        in_own_process(if honours_conditions { "homes::it_honours_conditions" } else { "homes::it_honours_none" }, &server);
    }
}

/// What the store is taken for, asked several times.
fn is_taken_for(honours: bool) {
    let bucket = tamis::remote::Bucket::open("s3://b/w").expect("an address");
    for number in 0..8 {
        assert_eq!(bucket.honours_conditions(&format!("trial-{number}")).expect("it answers"), honours);
    }
}

#[test]
#[ignore = "run by the test above, in a process that has the store in its environment"]
fn it_honours_conditions() {
    is_taken_for(true);
}

#[test]
#[ignore = "run by the test above, in a process that has the store in its environment"]
fn it_honours_none() {
    is_taken_for(false);
}

#[test]
#[ignore = "run by the test below, in a process that has the store in its environment"]
fn two_machines_change_one_file() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let open = |number: usize| Home::open("s3://b/w", folders[number].path()).expect("a home");
    let write = |home: &Home, path: &str, words: &str| {
        std::fs::create_dir_all(home.folder().join("_tamis")).expect("room");
        std::fs::write(home.folder().join(path), words).expect("room");
    };
    let (mut first, mut second) = (open(0), open(1));
    write(&first, "_tamis/one", "pirmas");
    assert_eq!(first.bring("test").expect("alone").expect("new").number, 1);
    write(&second, "_tamis/two", "antras");
    assert_eq!(second.bring("test").expect("another file").expect("new").number, 2, "changes of different files go in one after the other");
    write(&second, "_tamis/three", "trečias");
    write(&first, "_tamis/three", "kitas");
    assert_eq!(first.bring("test").expect("first").expect("new").number, 3);
    let error = second.bring("test").expect_err("the file was changed meanwhile");
    assert!(matches!(&error, HomeError::Overtaken { path, .. } if path == "_tamis/three"), "{error}");
    assert!(error.is_passing());
    drop(second);
    let mut second = open(1);
    second.fetch(|_| true).expect("it is there");
    assert_eq!(std::fs::read_to_string(second.folder().join("_tamis/three")).expect("fetched"), "kitas");
    assert_eq!(second.bring("test").expect("nothing to bring"), None);
    std::fs::remove_file(second.folder().join("_tamis/one")).expect("it is there");
    assert_eq!(second.bring("test").expect("alone").map(|brought| brought.removed), Some(1));
    first.fetch(|_| true).expect("what it knows is there");
    drop(first);
    let mut first = open(0);
    first.fetch(|_| true).expect("all is there");
    assert!(!first.folder().join("_tamis/one").exists(), "what one machine removed goes on the other too");
    assert!(matches!(Home::open("s3://b/w", folders[0].path()), Err(HomeError::Busy { .. })));
}

#[test]
fn the_later_of_two_that_changed_one_file_is_told_to_begin_anew() {
    in_own_process("homes::two_machines_change_one_file", &Server::start(true, faults(3)));
}

/// The program, working with the home `s3://b/w` in a copy of its own.
fn tamis(server: &Server, scratch: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(TAMIS);
    command.args(args).envs(credentials(server.url())).env("TAMIS_SCRATCH", scratch).env("TAMIS_KEYS", scratch.join("keys"));
    command.current_dir(crate::root());
    command
}

fn ends_with(command: &mut Command, code: i32) -> String {
    let output = command.output().expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{command:?}\n{told}");
    told
}

/// Every file that the states name is there as they say; answers how many.
fn check_home(server: &Server) -> usize {
    let objects = server.objects();
    let mut tree: BTreeMap<String, String> = BTreeMap::new();
    for (path, bytes) in &objects {
        if !path.contains("/_tamis/home/states/") || !path.ends_with(".json") {
            continue;
        }
        let state: serde_json::Value = serde_json::from_slice(bytes).expect("a state");
        for path in state["removed"].as_array().expect("paths") {
            tree.remove(path.as_str().expect("a path"));
        }
        for change in state["changed"].as_array().expect("files") {
            tree.insert(change["path"].as_str().expect("a path").to_owned(), change["sha256"].as_str().expect("a hash").to_owned());
        }
    }
    for (path, sha256) in &tree {
        let bytes = objects.get(&format!("b/w/{path}")).expect("it is there");
        assert_eq!(sha256_bytes(bytes), *sha256, "{path}");
    }
    let left: Vec<&String> = objects.keys().filter(|path| path.contains("/home/staging/")).collect();
    assert!(left.is_empty(), "{left:?}");
    tree.len()
}

const OPEN: [&str; 8] = ["takedown", "open", "--reason", "gdpr-17", "--received", "2026-11-20", "-w", "s3://b/w"];
const LIST: [&str; 4] = ["takedown", "list", "-w", "s3://b/w"];

#[test]
fn killed_after_any_step_the_home_is_whole_after_the_next_command() {
    let server = Server::start(true, Box::new(|_| None));
    let folder = tempfile::tempdir().expect("a folder");
    let [recipe, lines] = ["lines.toml", "lines.jsonl"].map(|name| folder.path().join(name).display().to_string());
    std::fs::write(&recipe, "dataset = \"d\"\n[source]\nkind = \"jsonl\"\n").expect("room");
    std::fs::write(&lines, "{\"id\":\"1\",\"text\":\"Kaķis guļ uz loga, un ārā snieg.\"}\n").expect("room");
    let machine = |number: usize| folder.path().join(format!("machine-{}", number % 3));
    ends_with(&mut tamis(&server, &machine(0), &["run", &recipe, "-q", "-w", "s3://b/w", "--set", &format!("input={lines}")]), 0);
    (0..3).for_each(|number| drop(ends_with(&mut tamis(&server, &machine(number), &LIST), 0)));
    let mut kills = 0;
    loop {
        // The machines take turns, so each finds what another one left half done.
        let scratch = machine(kills);
        let status = tamis(&server, &scratch, &OPEN).env("TAMIS_KILL_AT", (kills + 1).to_string()).output().expect("it starts").status;
        if status.success() {
            break;
        }
        assert_eq!(status.code(), None, "killed");
        // The killed one itself, or another one, comes next.
        ends_with(&mut tamis(&server, &machine(kills + kills / 3), &LIST), 0);
        ends_with(&mut tamis(&server, &scratch, &LIST), 0);
        check_home(&server);
        kills += 1;
        assert!(kills < 500, "it never ends");
    }
    assert!(kills > 10, "{kills} steps");
}

#[test]
fn a_run_in_a_store_gives_the_shards_of_a_run_on_a_disk_and_another_machine_goes_on() {
    let server = Server::start(true, faults(4));
    let folder = tempfile::tempdir().expect("a folder");
    let [here, there, disk] = ["here", "there", "disk"].map(|name| folder.path().join(name));
    ends_with(tamis(&server, &here, &["run", "pipelines/quickstart.toml", "-q", "-w"]).arg(&disk), 0);
    let told = ends_with(&mut tamis(&server, &here, &["verify", "s3://b/w/data/quickstart"]), 2);
    assert!(told.contains("there is no workspace at `s3://b/w`; `tamis run"), "{told}");
    let told = ends_with(&mut tamis(&server, &here, &["run", "pipelines/quickstart.toml", "-q", "-w", "s3://b/w"]), 0);
    assert!(told.contains("brought to s3://b/w"), "{told}");
    assert!(check_home(&server) > 50);
    let objects = server.objects();
    let shards: BTreeMap<&str, String> =
        objects.iter().filter_map(|(path, bytes)| Some((path.strip_prefix("b/w/data/")?, sha256_bytes(bytes)))).collect();
    let files = crate::files_below(&disk.join("data"));
    let on_disk: BTreeMap<String, String> = files
        .iter()
        .map(|file| (file.to_string_lossy().into_owned(), sha256_bytes(&std::fs::read(disk.join("data").join(file)).expect("it is there"))))
        .collect();
    assert_eq!(shards.into_iter().map(|(path, sha256)| (path.to_owned(), sha256)).collect::<BTreeMap<_, _>>(), on_disk);
    let told = ends_with(&mut tamis(&server, &there, &["run", "pipelines/quickstart.toml", "-w", "s3://b/w"]), 0);
    assert!(told.contains("nothing to do"), "{told}");
    assert!(
        crate::files_below(&there).iter().all(|file| !file.to_string_lossy().contains("workspace/data/")),
        "a run needs no shards that are there"
    );
    ends_with(&mut tamis(&server, &there, &["verify", "s3://b/w/data/quickstart"]), 0);
    let shard = objects.keys().find(|path| path.starts_with("b/w/data/")).expect("a shard");
    server.put(shard, b"something else");
    let told = ends_with(&mut tamis(&server, &folder.path().join("third"), &["verify", "s3://b/w/data/quickstart"]), 2);
    assert!(told.contains("is damaged: it should have SHA-256"), "{told}");
}

#[test]
fn machines_that_share_a_plan_in_a_store_see_what_each_other_finished_and_one_of_them_may_die() {
    let server = Server::start(true, faults(5));
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let recipe = crate::engines::recipe(folder.path()).display().to_string();
    ends_with(tamis(&server, &at("first"), &["run", &recipe, "-q", "-w"]).arg(at("disk")), 0);
    let mut planning = tamis(&server, &at("first"), &["plan", &recipe, "-w", "s3://b/w"]);
    ends_with(&mut planning, 0);
    let is_plan = |path: &&String| path.starts_with("b/w/_tamis/plans/");
    let objects = server.objects();
    let plan = format!("s3://{}", objects.keys().find(is_plan).expect("a plan"));
    let work = |machine: &str, lease: &str| tamis(&server, &at(machine), &["work", "--plan", &plan, "--lease", lease]);
    let commits = || server.objects().keys().filter(|path| path.starts_with("b/w/_tamis/commits/")).count();
    // One is killed once it has brought some tasks, and never comes back.
    let mut first = work("first", "0/2").spawn().expect("it starts");
    while commits() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    first.kill().expect("it is ours");
    first.wait().expect("it ends");
    let done = commits();
    ends_with(&mut work("second", "1/2"), 0);
    assert!(commits() > done, "what was left is done");
    // Two more at once find nothing left to do; the third machine publishes.
    let others = ["third", "fourth"].map(|machine| work(machine, "0/1").spawn().expect("it starts"));
    others.into_iter().for_each(|mut other| assert!(other.wait().expect("it ends").success()));
    ends_with(&mut tamis(&server, &at("third"), &["seal", "--plan", &plan]), 0);
    check_home(&server);
    let published: BTreeMap<String, String> = server
        .objects()
        .iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix("b/w/data/")?.to_owned(), sha256_bytes(bytes))))
        .collect();
    let on_disk = crate::files_below(&at("disk/data")).into_iter();
    let on_disk = on_disk.map(|file| (file.display().to_string(), sha256_bytes(&std::fs::read(at("disk/data").join(file)).expect("ours"))));
    assert_eq!(published, on_disk.collect());
}

/// What moto's bucket has: objects, earlier versions, marks of removal.
fn kept(python: &std::ffi::OsStr, address: &str, more: &[&str]) -> [u64; 3] {
    let mut program = Command::new(python);
    let output =
        program.arg(crate::root().join("tests/readers/versions.py")).args([address, "corpora"]).args(more).output().expect("it starts");
    let told = String::from_utf8_lossy(&output.stdout);
    let counts: Vec<u64> = told.split_whitespace().map(|count| count.parse().expect("a count")).collect();
    counts.try_into().expect("three counts")
}

#[test]
fn a_takedown_in_a_bucket_that_keeps_versions_leaves_none() {
    let Some(python) = std::env::var_os("TAMIS_STORES_PYTHON") else {
        eprintln!("SKIPPED: TAMIS_STORES_PYTHON names no Python with moto; tests/run sets it up");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("in")).expect("room");
    let (_server, address) = crate::remote::moto(&python, &at("in"));
    assert_eq!(kept(&python, &address, &["--make"]), [0, 0, 0]);
    let tamis = |scratch: &str, words: &[&str]| {
        let mut command = Command::new(TAMIS);
        command.current_dir(crate::root()).args(words).envs(credentials(&address)).env("AWS_REGION", "us-east-1");
        command.env("TAMIS_SCRATCH", at(scratch)).env("TAMIS_KEYS", at("keys"));
        ends_with(&mut command, 0)
    };
    let home = "s3://corpora/eu/quick";
    tamis("night", &["run", "pipelines/quickstart.toml", "-q", "-w", home]);
    let plan = at("plan.json").display().to_string();
    let host = "barcadepaper.example";
    let request = ["--host", host, "--reason", "gdpr-17", "--received", "2026-11-20", "--out", &plan, "-w", home];
    tamis("officer", &[&["takedown", "plan"][..], &request].concat());
    let told = tamis("officer", &["takedown", "apply", &plan, "--confirm-large", "-w", home]);
    assert!(told.contains("earlier versions removed"), "{told}");
    tamis("officer", &["takedown", "receipt", "verify", "-w", home]);
    let [objects, old, marks] = kept(&python, &address, &[]);
    assert!(objects > 50 && old == 0 && marks == 0, "{objects} objects, {old} earlier versions, {marks} marks");
    // The machine of the night follows, and what was erased is in nothing that it has.
    tamis("night", &["verify", &format!("{home}/data/quickstart")]);
    let rows = crate::inspect::stored(&copy_in(&at("night")).join("data"));
    assert!(rows.len() > 80 && rows.iter().all(|row| row["host"] != host), "{} rows", rows.len());
}

/// The workspace's folder in the one copy that `scratch` has.
fn copy_in(scratch: &Path) -> std::path::PathBuf {
    let mut copies = std::fs::read_dir(scratch).expect("copies").map(|entry| entry.expect("an entry").path().join("workspace"));
    copies.find(|path| path.is_dir()).expect("one")
}
