//! A release is whole or not there, stays as it was frozen, can be given away as it lies, and forgets what is erased.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::takedown::{hits_of, member, page, rows_of};
use crate::{copy_folder, ends_with, files_below, said, tamis};

const RECIPE: &str = "dataset = \"d\"\n[source]\nkind = \"warc\"\n[[clean]]\nstage = \"url\"\n[[clean]]\nstage = \"extract\"\n\
    [[emit]]\nstage = \"tokenize\"\n";
const SHARD: &str = "data/d/lang=und/part-00000.parquet";
const FACTS: &str = "title = \"Storks\"\n[provider]\nname = \"Example\"\ncontact = \"mailto:corpus@dorf.example.eu\"\n";

struct House {
    folder: tempfile::TempDir,
}

impl House {
    /// A workspace with six published pages of four hosts.
    fn new() -> House {
        let house = House { folder: tempfile::tempdir().expect("a folder") };
        std::fs::write(house.at("recipe.toml"), RECIPE).expect("room");
        std::fs::write(house.at("facts.toml"), FACTS).expect("room");
        house.run(0..6);
        house
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn run(&self, pages: std::ops::Range<usize>) {
        let archive = self.at(&format!("{}.warc.gz", pages.start));
        let url = |number: usize| format!("https://{}.example.eu/{number}", ["storch", "kranich", "reiher", "uhu"][number % 4]);
        let members = pages.flat_map(|number| member("response", &url(number), "200 OK", &page(number, &format!("Zeuge{number}z"))));
        std::fs::write(&archive, members.collect::<Vec<u8>>()).expect("room");
        let mut command = tamis(["run", "--quiet"]);
        command.arg(self.at("recipe.toml")).arg("--workspace").arg(self.at("w")).arg("--keys").arg(self.at("keys"));
        ends_with(command.arg("--set").arg(format!("input={}", archive.display())), 0);
    }

    fn release(&self, name: &str) -> Command {
        let mut command = tamis(["release", name]);
        command.arg(self.at("w/data/d")).arg("--facts").arg(self.at("facts.toml")).arg("--keys").arg(self.at("keys"));
        command
    }

    fn verify(&self, code: i32) -> String {
        said(&ends_with(tamis(["verify"]).arg(self.at("w/releases/r")), code).stdout)
    }

    fn erase(&self, url: &str) {
        let mut plan = tamis(["takedown", "plan", "--reason", "gdpr-17", "--received", "2026-11-20", "--url", url, "--out"]);
        ends_with(plan.arg(self.at("plan.json")).arg("--workspace").arg(self.at("w")), 0);
        self.apply();
    }

    fn apply(&self) {
        let mut apply = tamis(["takedown", "apply", "--confirm-large"]);
        apply.arg(self.at("plan.json")).arg("--workspace").arg(self.at("w")).arg("--keys").arg(self.at("keys"));
        ends_with(&mut apply, 0);
    }

    /// Files below the workspace in which a word stands.
    fn hits(&self, word: &str) -> Vec<PathBuf> {
        files_below(&self.at("w")).into_iter().filter(|path| hits_of(&self.at("w").join(path), word) > 0).collect()
    }

    fn inode(&self, path: &str) -> (u64, u64) {
        let known = self.at(path).metadata().expect("a file");
        (known.dev(), known.ino())
    }

    fn check_sums(&self, code: i32) {
        let folder = self.at("w/releases/r");
        ends_with(Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&folder), code);
        ends_with(tamis(["report", "sums-check"]).arg(folder.join("SHA256SUMS")), 0);
    }
}

#[test]
fn a_release_is_whole_and_stays_as_it_was_frozen() {
    let house = House::new();
    let told = said(&ends_with(&mut house.release("r"), 0).stdout);
    assert!(told.contains("6 documents in 1 files") && told.contains("frozen"), "{told}");
    assert_eq!(house.inode(&format!("w/{SHARD}")), house.inode(&format!("w/releases/r/{SHARD}")), "one file under two names");
    let names: Vec<String> = files_below(&house.at("w/releases/r")).iter().map(|path| path.display().to_string()).collect();
    let reports = ["README.md", "SHA256SUMS", "SHA256SUMS.sig", "ai-act.html", "ai-act.json", "ai-act.md", "croissant.json"];
    let rest = [SHARD, "datasheet.html", "datasheet.md", "facts.toml", "release.json"];
    assert_eq!(names, [&reports[..], &rest[..]].concat());
    house.check_sums(0);
    assert!(house.verify(0).contains("r: 9 files") && house.verify(0).contains("6 rows"), "{}", house.verify(0));
    let before: Vec<_> = names.iter().map(|name| std::fs::read(house.at("w/releases/r").join(name)).expect("a file")).collect();
    house.run(6..9);
    let told = said(&ends_with(&mut house.release("r"), 0).stderr);
    assert!(told.contains("nothing to do: it was frozen on"), "{told}");
    let after: Vec<_> = names.iter().map(|name| std::fs::read(house.at("w/releases/r").join(name)).expect("a file")).collect();
    assert!(before == after, "nothing of it changed");
    let told = said(&ends_with(&mut house.release("later"), 0).stdout);
    assert!(told.contains("9 documents in 2 files"), "{told}");
    let list = said(&ends_with(tamis(["release", "list", "--workspace"]).arg(house.at("w")), 0).stdout);
    let rows: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(rows.iter().any(|row| row.first() == Some(&"r") && row.contains(&"6") && row.last() == Some(&"signed")), "{list}");
    assert!(rows.iter().any(|row| row.first() == Some(&"later") && row.contains(&"9")), "{list}");
}

#[test]
fn what_is_wrong_with_a_release_is_named() {
    let house = House::new();
    ends_with(&mut house.release("r"), 0);
    let kept = house.at("kept");
    copy_folder(&house.at("w/releases/r"), &kept);
    let flip = |path: &Path| {
        let mut bytes = std::fs::read(path).expect("a file");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::remove_file(path).and_then(|()| std::fs::write(path, bytes)).expect("room");
    };
    let harms: [(&str, &dyn Fn(&Path), &str); 6] = [
        (SHARD, &flip, "hash"),
        ("README.md", &flip, "hash"),
        ("SHA256SUMS", &flip, "not the list of these files"),
        ("SHA256SUMS.sig", &flip, "not one of the checksums"),
        (SHARD, &|path| std::fs::remove_file(path).expect("ours"), "missing"),
        ("data/d/copy.parquet", &|path| std::fs::write(path, "x").expect("room"), "stranger"),
    ];
    for (path, harm, told) in harms {
        harm(&house.at("w/releases/r").join(path));
        let found = house.verify(1);
        assert!(found.contains(told), "{path}: {found}");
        std::fs::remove_dir_all(house.at("w/releases/r")).expect("ours");
        copy_folder(&kept, &house.at("w/releases/r"));
    }
    house.verify(0);
    let told = said(&ends_with(tamis(["release", "list", "--workspace"]).arg(house.at("none")), 2).stderr);
    assert!(told.contains("is not a workspace") && !house.at("none").exists(), "{told}");
    for (name, told) in [("list", "give a name"), (".r", "cannot be the name"), ("a/b", "cannot be the name")] {
        let output = house.release(name).output().expect("it starts");
        assert!(output.status.code() == Some(2), "{name}");
        let stderr = said(&output.stderr);
        assert!(name == "list" || stderr.contains(told), "{name}: {stderr}");
    }
    let other = std::fs::read_to_string(house.at("recipe.toml")).expect("ours").replace("\"d\"", "\"other\"");
    std::fs::write(house.at("recipe.toml"), other).expect("room");
    house.run(6..7);
    let mut taken = tamis(["release", "r"]);
    let told = said(&ends_with(taken.arg(house.at("w/data/other")).arg("--keys").arg(house.at("keys")), 2).stderr);
    assert!(told.contains("is a release of `d` already"), "{told}");
}

#[test]
fn what_is_erased_goes_out_of_releases_with_its_old_bytes_and_all_that_counted_it() {
    let house = House::new();
    ends_with(&mut house.release("r"), 0);
    copy_folder(&house.at("w/releases"), &house.at("backup"));
    assert!(house.hits("Zeuge1z").contains(&Path::new("releases/r").join(SHARD)));
    house.erase("https://kranich.example.eu/1");
    assert_eq!(house.hits("Zeuge1z"), Vec::<PathBuf>::new());
    assert_eq!(house.inode(&format!("w/{SHARD}")), house.inode(&format!("w/releases/r/{SHARD}")), "the new bytes lie there once");
    assert_eq!(rows_of(&house.at("w/releases/r").join(SHARD)).len(), 5);
    let card = std::fs::read_to_string(house.at("w/releases/r/README.md")).expect("made anew");
    assert!(card.contains("Storks") && card.contains("| und |") && card.contains("| 5 |"), "{card}");
    let summary = std::fs::read_to_string(house.at("w/releases/r/ai-act.md")).expect("made anew");
    assert!(summary.contains("gdpr-17"), "the takedown is counted");
    house.check_sums(0);
    assert!(house.verify(0).contains("5 rows"));
    house.erase("https://reiher.example.eu/2");
    // The release comes back from a backup that is older than both takedowns; its data set does not.
    std::fs::remove_dir_all(house.at("w/releases")).expect("ours");
    copy_folder(&house.at("backup"), &house.at("w/releases"));
    let mut check = tamis(["restore-check", "--out"]);
    check.arg(house.at("plan.json")).arg("--workspace").arg(house.at("w")).arg("--keys").arg(house.at("keys"));
    ends_with(&mut check, 1);
    house.apply();
    for gone in ["Zeuge1z", "Zeuge2z"] {
        assert_eq!(house.hits(gone), Vec::<PathBuf>::new());
    }
    assert!(house.verify(0).contains("4 rows"), "{}", house.verify(0));
    assert!(said(&ends_with(&mut check, 0).stdout).contains("nothing that was erased is back"));
}

#[test]
fn a_damaged_release_and_one_that_was_never_finished_stand_in_no_takedowns_way() {
    let house = House::new();
    ends_with(&mut house.release("r"), 0);
    // A release that died lies there with links of shards.
    let left = house.at("w/releases/.new-late");
    for step in (1..).step_by(2) {
        assert_eq!(house.release("late").env("TAMIS_KILL_AT", step.to_string()).output().expect("it starts").status.signal(), Some(9));
        if left.join(SHARD).exists() {
            break;
        }
    }
    let shard = house.at("w/releases/r").join(SHARD);
    let mut bytes = std::fs::read(&shard).expect("a file");
    let at = bytes.len() - 3;
    bytes[at] ^= 1;
    std::fs::remove_file(&shard).and_then(|()| std::fs::write(&shard, bytes)).expect("room");
    let url = "https://kranich.example.eu/1";
    let mut plan = tamis(["takedown", "plan", "--reason", "gdpr-17", "--received", "2026-11-20", "--url", url, "--out"]);
    ends_with(plan.arg(house.at("plan.json")).arg("--workspace").arg(house.at("w")), 1);
    let mut apply = tamis(["takedown", "apply", "--confirm-large"]);
    apply.arg(house.at("plan.json")).arg("--workspace").arg(house.at("w")).arg("--keys").arg(house.at("keys"));
    let told = said(&ends_with(&mut apply, 1).stderr);
    assert!(told.contains("releases/r/data/d") && told.contains("no receipt yet"), "{told}");
    assert_eq!(rows_of(&house.at("w").join(SHARD)).len(), 5, "all else is erased");
    assert!(!left.join(SHARD).exists(), "and what was left of the other release goes with it");
    std::fs::remove_dir_all(house.at("w/releases/r")).expect("ours");
    ends_with(&mut apply, 0);
    ends_with(&mut house.release("late"), 0);
    assert_eq!(rows_of(&house.at("w/releases/late").join(SHARD)).len(), 5);
}

#[test]
fn a_release_that_is_killed_after_any_step_is_not_there_or_whole_and_the_same_command_makes_it() {
    let house = House::new();
    ends_with(&mut house.release("r"), 0);
    let whole: Vec<_> = std::fs::read(house.at("w/releases/r/SHA256SUMS")).expect("made");
    let mut steps = 0;
    for step in 1.. {
        std::fs::remove_dir_all(house.at("w/releases")).expect("ours");
        let output = house.release("r").env("TAMIS_KILL_AT", step.to_string()).output().expect("it starts");
        if output.status.code() == Some(0) {
            break;
        }
        assert_eq!(output.status.signal(), Some(9), "{}", said(&output.stderr));
        let there = house.at("w/releases/r").exists();
        assert!(!there || std::fs::read(house.at("w/releases/r/SHA256SUMS")).is_ok_and(|sums| sums == whole), "step {step}");
        ends_with(&mut house.release("r"), 0);
        assert!(std::fs::read(house.at("w/releases/r/SHA256SUMS")).expect("made") == whole, "step {step}");
        steps = step;
    }
    assert!(steps > 15, "a release has more than {steps} steps");
    house.verify(0);
    assert_eq!(std::fs::read_dir(house.at("w/releases")).expect("a folder").count(), 1, "nothing is left of tries");
}

#[test]
fn where_the_disk_of_releases_is_another_one_they_are_copies() {
    let house = House::new();
    let Ok(disk) = tempfile::tempdir_in("/dev/shm") else {
        println!("SKIPPED: this machine has no second file system at /dev/shm");
        return;
    };
    if disk.path().metadata().expect("a folder").dev() == house.at("w").metadata().expect("a folder").dev() {
        println!("SKIPPED: /dev/shm is no second file system");
        return;
    }
    std::os::unix::fs::symlink(disk.path(), house.at("w/releases")).expect("room");
    ends_with(&mut house.release("r"), 0);
    house.check_sums(0);
    house.verify(0);
    house.erase("https://kranich.example.eu/1");
    assert_eq!(files_below(disk.path()).iter().filter(|path| hits_of(&disk.path().join(path), "Zeuge1z") > 0).count(), 0);
    house.check_sums(0);
    assert!(house.verify(0).contains("5 rows"));
}
