//! Inputs on other machines are read as files on a disk are, whatever the line does: nothing is lost, doubled or taken for damage.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::inspect::stored;
use crate::objects::{Fault, Store};
use crate::run::QUICKSTART;
use crate::takedown::{member, page};
use crate::{ends_with, files_below, root, said, tamis};

const LINES: &str = "dataset = \"d\"\n[source]\nkind = \"jsonl\"\n[dedup]\nnear = false\n[limits]\ntask_bytes_max = \"1 MiB\"\n";

struct House(tempfile::TempDir);

impl House {
    fn new() -> House {
        let house = House(tempfile::tempdir().expect("a folder"));
        std::fs::write(house.at("lines.toml"), LINES).expect("room");
        house
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// A run that asks `store` where it is to be S3.
    fn run(&self, store: &Store, recipe: &str, workspace: &str, input: &str) -> Command {
        self.run_at(&store.url(), recipe, workspace, input)
    }

    fn run_at(&self, address: &str, recipe: &str, workspace: &str, input: &str) -> Command {
        let mut run = tamis(["run"]);
        run.current_dir(env!("CARGO_MANIFEST_DIR"))
            .arg(recipe)
            .arg("--workspace")
            .arg(self.at(workspace))
            .arg("--keys")
            .arg(self.at("keys"));
        run.arg("--set").arg(format!("input={input}"));
        run.env("AWS_ENDPOINT_URL", address).env("AWS_REGION", "eu-central-1").env("HOME", self.0.path());
        run.env("AWS_ACCESS_KEY_ID", "anyone").env("AWS_SECRET_ACCESS_KEY", "anything");
        run
    }

    fn lines(&self) -> String {
        self.at("lines.toml").display().to_string()
    }

    fn rows(&self, workspace: &str) -> Vec<Value> {
        let mut rows = stored(&self.at(workspace).join("data"));
        for row in &mut rows {
            row["source_file"] = Value::Null;
        }
        rows.sort_by_key(|row| row["id"].to_string());
        rows
    }

    fn shards(&self, workspace: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let data = self.at(workspace).join("data");
        files_below(&data).into_iter().map(|path| (path.clone(), std::fs::read(data.join(path)).expect("ours"))).collect()
    }
}

fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = root().join("data-samples/archives");
    let files = files_below(&folder).into_iter().filter(|path| path.to_string_lossy().ends_with(".warc.gz"));
    files.map(|path| (path.display().to_string(), std::fs::read(folder.join(&path)).expect("ours"))).collect()
}

/// Some megabytes of lines, no two alike.
fn long_lines(megabytes: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0_u64.. {
        let words: Vec<String> = (0..300_u64).map(|word| format!("Wort{}", (number * 300 + word) * 7919 % 1_000_003)).collect();
        bytes
            .extend(serde_json::json!({"url": format!("https://a.example.eu/{number}"), "text": words.join(" ")}).to_string().into_bytes());
        bytes.push(b'\n');
        if bytes.len() > megabytes << 20 {
            return bytes;
        }
    }
    unreachable!("the loop returns");
}

#[test]
fn archives_of_a_bucket_give_what_archives_on_a_disk_give() {
    let (house, store) = (House::new(), Store::sound());
    for (name, bytes) in samples() {
        store.put(&format!("/crawls/2026/{name}"), bytes);
    }
    store.put("/crawls/2026/notes.txt", b"no archive".to_vec());
    ends_with(&mut house.run(&store, QUICKSTART, "disk", "data-samples/archives/*.warc.gz"), 0);
    for (workspace, input) in [("glob", "s3://crawls/2026/*.warc.gz"), ("folder", "s3://crawls/2026/")] {
        ends_with(&mut house.run(&store, QUICKSTART, workspace, input), 0);
        assert_eq!(house.rows(workspace), house.rows("disk"), "{input}");
    }
    assert!(!house.rows("disk").is_empty());
    let asked = store.asked("GET /crawls/2026/islands");
    let again = said(&ends_with(&mut house.run(&store, QUICKSTART, "glob", "s3://crawls/2026/*.warc.gz"), 0).stderr);
    assert!(again.contains("nothing to do"), "{again}");
    assert_eq!(store.asked("GET /crawls/2026/islands"), asked, "what was read is not read again");
    ends_with(tamis(["verify"]).arg(house.at("glob/data/quickstart")), 0);
}

/// moto's server, with the files of `folder` in its bucket `crawls`, and its address. It ends when its input does.
pub(crate) fn moto(python: &std::ffi::OsStr, folder: &std::path::Path) -> (Moto, String) {
    let mut server = Command::new(python);
    server.arg(root().join("tests/readers/objects.py")).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = server.spawn().expect("it starts");
    let mut address = String::new();
    BufReader::new(server.stdout.take().expect("a pipe")).read_line(&mut address).expect("its address");
    (Moto(server), address.trim().to_owned())
}

/// A server that runs until this is dropped.
pub(crate) struct Moto(std::process::Child);

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// moto's server, with archives and a file of several parts in it, which the credentials of a file may read.
#[test]
fn a_real_s3_server_gives_what_the_disk_gives() {
    let Some(python) = std::env::var_os("TAMIS_STORES_PYTHON") else {
        eprintln!("SKIPPED: TAMIS_STORES_PYTHON names no Python with moto; tests/run sets it up");
        return;
    };
    let house = House::new();
    std::fs::create_dir_all(house.at("in")).expect("room");
    for (name, bytes) in samples() {
        std::fs::write(house.at("in").join(name), bytes).expect("room");
    }
    std::fs::write(house.at("in/long.jsonl"), long_lines(12)).expect("room");
    let (_server, address) = moto(&python, &house.at("in"));
    std::fs::create_dir(house.at(".aws")).expect("room");
    std::fs::write(house.at(".aws/credentials"), "[default]\naws_access_key_id = a\naws_secret_access_key = b\n").expect("room");
    let run = |recipe: &str, workspace: &str, input: &str| {
        let mut run = house.run_at(address.trim(), recipe, workspace, input);
        run.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env("AWS_REGION", "us-east-1");
        ends_with(&mut run, 0);
    };
    run(QUICKSTART, "store", "s3://crawls/2026/*.warc.gz");
    run(QUICKSTART, "disk", &house.at("in/*.warc.gz").display().to_string());
    run(&house.lines(), "store-long", "s3://crawls/2026/long.jsonl");
    run(&house.lines(), "disk-long", &house.at("in/long.jsonl").display().to_string());
    assert_eq!(house.rows("store"), house.rows("disk"));
    assert!(house.rows("store-long").len() > 1000 && house.rows("store-long") == house.rows("disk-long"));
}

#[test]
fn a_list_of_paths_and_the_page_of_a_folder_name_archives_of_a_web_server() {
    let (house, store) = (House::new(), Store::sound());
    let mut paths = String::new();
    for (name, bytes) in samples() {
        store.put(&format!("/crawl data/2026/{name}"), bytes);
        paths += &format!("crawl%20data/2026/{name}\n");
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, paths.as_bytes()).expect("room");
    store.put("/lists/warc.paths.gz", packed.finish().expect("room"));
    ends_with(&mut house.run(&store, QUICKSTART, "disk", "data-samples/archives/*.warc.gz"), 0);
    let inputs = ["lists/warc.paths.gz", "crawl%20data/2026/", "crawl%20data/2026/*.warc.gz"];
    for (number, input) in inputs.into_iter().enumerate() {
        let workspace = format!("web-{number}");
        ends_with(&mut house.run(&store, QUICKSTART, &workspace, &format!("{}/{input}", store.url())), 0);
        assert_eq!(house.rows(&workspace), house.rows("disk"), "{input}");
    }
}

#[test]
fn whatever_the_line_does_the_shards_are_the_same_bytes() {
    let house = House::new();
    let faults = [Fault::Lost, Fault::Status(500), Fault::Cut, Fault::Status(503), Fault::Elsewhere];
    let text = long_lines(24);
    let mut sound = None;
    for seed in 0..5_usize {
        let store = Store::start(Box::new(move |number| {
            (seed > 0 && (number + seed) % 2 == 0).then(|| faults[(number / 2 + seed) % faults.len()])
        }));
        for part in 0..2 {
            store.put(&format!("/b/part-{part}.jsonl"), text[part * text.len() / 2..(part + 1) * text.len() / 2].to_vec());
        }
        let workspace = format!("w{seed}");
        ends_with(&mut house.run(&store, &house.lines(), &workspace, "s3://b/part-*.jsonl"), 0);
        let shards = house.shards(&workspace);
        assert!(shards.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > 1 << 20);
        assert!(*sound.get_or_insert_with(|| shards.clone()) == shards, "the shards of seed {seed} are others");
        assert!(store.asked("GET /b/part-0") > 3, "in ranges");
    }
}

#[test]
fn a_store_that_fails_for_good_is_no_damage_and_the_same_command_goes_on() {
    let house = House::new();
    let text = long_lines(10);
    let store = Store::start(Box::new(|number| (number > 1).then_some(Fault::Status(403))));
    store.put("/b/part.jsonl", text.clone());
    let told = said(&ends_with(&mut house.run(&store, &house.lines(), "w", "s3://b/part.jsonl"), 2).stderr);
    assert!(told.contains("the store refuses to give `s3://b/part.jsonl`"), "{told}");
    assert!(files_below(&house.at("w/data")).is_empty(), "nothing of it was published");
    let store = Store::sound();
    store.put("/b/part.jsonl", text);
    ends_with(&mut house.run(&store, &house.lines(), "w", "s3://b/part.jsonl"), 0);
    let other = House::new();
    ends_with(&mut other.run(&store, &other.lines(), "w", "s3://b/part.jsonl"), 0);
    assert_eq!(house.shards("w"), other.shards("w"));
}

#[test]
fn an_object_that_changes_under_a_run_stops_it() {
    let house = House::new();
    let store = Store::sound();
    store.put("/b/part.jsonl", long_lines(1));
    let mut plan = tamis(["plan"]);
    plan.arg(house.lines()).arg("--workspace").arg(house.at("w")).arg("--set").arg("input=s3://b/part.jsonl");
    plan.env("AWS_ENDPOINT_URL", store.url()).env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b").env("AWS_REGION", "eu");
    ends_with(&mut plan, 0);
    let plans = house.at("w/_tamis/plans");
    let plan = plans.join(files_below(&plans).first().expect("a plan"));
    store.put("/b/part.jsonl", long_lines(2));
    let mut task = tamis(["task", "--stage", "clean", "--task", "0", "--plan"]);
    task.arg(plan).env("AWS_ENDPOINT_URL", store.url()).env("AWS_REGION", "eu");
    let told = said(&ends_with(task.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b"), 2).stderr);
    assert!(told.contains("the input `s3://b/part.jsonl` changed since the plan was made"), "{told}");
}

#[test]
fn formats_that_jump_are_read_from_a_store_too() {
    let (house, store) = (House::new(), Store::sound());
    ends_with(&mut house.run(&store, QUICKSTART, "disk", "data-samples/archives/*.warc.gz"), 0);
    let data = house.at("disk/data/quickstart");
    for path in files_below(&data).iter().filter(|path| path.extension().is_some_and(|ending| ending == "parquet")) {
        store.put(&format!("/b/{}", path.display()), std::fs::read(data.join(path)).expect("ours"));
    }
    std::fs::write(house.at("p.toml"), "dataset = \"d\"\n[source]\nkind = \"parquet\"\n[dedup]\nnear = false\nexact = false\n")
        .expect("room");
    let recipe = house.at("p.toml").display().to_string();
    ends_with(&mut house.run(&store, &recipe, "w", "s3://b/"), 0);
    assert_eq!(house.rows("w").len(), house.rows("disk").len());
    let left = files_below(&house.at("w")).into_iter().filter(|path| path.ends_with("fetched")).count();
    assert_eq!(left, 0, "what was fetched whole is gone");
}

#[test]
fn what_cannot_be_read_is_told_with_what_to_change() {
    let (house, store) = (House::new(), Store::sound());
    store.put("/b/a.jsonl", b"{}\n".to_vec());
    store.put("/b/bad.paths", b"a.jsonl\n../../etc/passwd\n".to_vec());
    let ends = |input: &str, code: i32, told: &str| {
        let output = ends_with(&mut house.run(&store, &house.lines(), "w", input), code);
        let said = said(&output.stderr);
        assert!(said.contains(told), "{input}: {said}");
    };
    ends("s3://b/none.jsonl", 2, "there is no `s3://b/none.jsonl`: look at the spelling");
    ends("s3://b/none/", 2, "nothing at `s3://b/none/` is a file that this source reads");
    ends("s3://b/*.warc.gz", 2, "nothing at `s3://b/*.warc.gz`");
    ends("s3://b/bad.paths", 2, "line 2 of the list `s3://b/bad.paths` is no path of an object: `../../etc/passwd`");
    ends("ftp://b/a.jsonl", 2, "this version reads s3://, gs://, az://, https:// and http:// beside files");
    ends("http://127.0.0.1:1/a.jsonl?x=1", 2, "fetch the file and read it from a disk");
    store.refuse(Some((403, "<Error><Code>AccessDenied</Code></Error>")));
    ends("s3://b/a.jsonl", 2, "the store refuses to give `s3://b/a.jsonl`");
    store.refuse(Some((404, "<Error><Code>NoSuchBucket</Code></Error>")));
    ends("s3://other/*.jsonl", 2, "there is no bucket for");
    store.refuse(Some((200, "this is no store")));
    ends("s3://b/*.jsonl", 2, "cannot read");
}

/// An index as Common Crawl's of pages that lie one after the other in an archive; every third page is Latvian.
fn indexed(pages: usize) -> (Vec<u8>, String) {
    let (mut archive, mut index) = (Vec::new(), String::new());
    for number in 0..pages {
        let url = format!("https://h{}.example.eu/{number}", number % 4);
        let record = member("response", &url, "200 OK", &page(number, "Oma"));
        let language = if number % 3 == 0 { "lav" } else { "deu,eng" };
        index += &format!(
            "eu,example,h{})/{number} 20260502030405 {{\"url\": \"{url}\", \"mime\": \"text/html\", \"status\": \"200\", \"length\": \"{}\", \"offset\": \"{}\", \
             \"filename\": \"crawl/a.warc.gz\", \"languages\": \"{language}\"}}\n",
            number % 4,
            record.len(),
            archive.len()
        );
        archive.extend(record);
    }
    (archive, index)
}

#[test]
fn an_index_chooses_pages_and_only_these_are_fetched() {
    let (house, store) =
        (House::new(), Store::start(Box::new(|number| [None, Some(Fault::Cut), None, Some(Fault::Status(503))][number % 4])));
    let (archive, index) = indexed(60);
    store.put("/cc/crawl/a.warc.gz", archive.clone());
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, index.as_bytes()).expect("room");
    store.put("/cc/indexes/cdx-00000.gz", packed.finish().expect("room"));
    std::fs::create_dir_all(house.at("crawl")).expect("room");
    std::fs::write(house.at("crawl/a.warc.gz"), &archive).expect("room");
    std::fs::write(house.at("a.cdxj"), &index).expect("room");
    let recipe = |kind: &str, settings: &str| {
        let text =
            format!("dataset = \"d\"\n[source]\nkind = \"{kind}\"\n{settings}\n[[clean]]\nstage = \"extract\"\n[dedup]\nnear = false\n");
        std::fs::write(house.at("r.toml"), text).expect("room");
        house.at("r.toml").display().to_string()
    };
    let chosen = "languages = [\"lav\"]\nhosts = [\"h1.example.eu\", \"h2.example.eu\"]\narchives = ";
    ends_with(&mut house.run(&store, &recipe("cdx", &format!("{chosen}\"s3://cc/\"")), "store", "s3://cc/indexes/cdx-*.gz"), 0);
    let local = format!("{chosen}\"{}\"", house.at(".").display());
    ends_with(&mut house.run(&store, &recipe("cdx", &local), "local", &house.at("a.cdxj").display().to_string()), 0);
    ends_with(&mut house.run(&store, &recipe("warc", ""), "whole", &house.at("crawl/a.warc.gz").display().to_string()), 0);
    let wanted: Vec<Value> = house
        .rows("whole")
        .into_iter()
        .filter(|row| {
            let number: usize = row["url"].as_str().and_then(|url| url.rsplit('/').next()?.parse().ok()).expect("a number");
            number.is_multiple_of(3) && [1, 2].contains(&(number % 4))
        })
        .collect();
    let plain =
        |rows: Vec<Value>| rows.into_iter().map(|row| (row["id"].clone(), row["url"].clone(), row["text"].clone())).collect::<Vec<_>>();
    assert_eq!(plain(house.rows("store")), plain(wanted.clone()));
    assert_eq!(plain(house.rows("local")), plain(wanted.clone()));
    assert_eq!(wanted.len(), 10);
    let summary = crate::run::summary(&house.at("store"), "d");
    assert_eq!((summary["read"].as_u64(), summary["other_records"]["not-chosen"].as_u64()), (Some(10), Some(50)), "{summary}");
}

#[test]
fn an_index_that_is_wrong_of_a_page_is_told_and_its_archive_that_is_gone_stops_the_task() {
    let (house, store) = (House::new(), Store::sound());
    let (archive, index) = indexed(4);
    store.put("/cc/crawl/a.warc.gz", archive);
    let lines: Vec<&str> = index.lines().collect();
    let shifted = [lines[0], &lines[1].replace("/1\"", "/9\""), "no line", lines[3]].join("\n");
    store.put("/cc/a.cdxj", shifted.into_bytes());
    std::fs::write(
        house.at("r.toml"),
        "dataset = \"d\"\n[source]\nkind = \"cdx\"\narchives = \"s3://cc\"\n[[clean]]\nstage = \"extract\"\n",
    )
    .expect("room");
    let recipe = house.at("r.toml").display().to_string();
    ends_with(&mut house.run(&store, &recipe, "w", "s3://cc/a.cdxj"), 1);
    let summary = crate::run::summary(&house.at("w"), "d");
    assert_eq!((summary["read"].as_u64(), summary["damages"].as_u64()), (Some(2), Some(2)), "{summary}");
    store.put("/cc/b.cdxj", index.replace("crawl/a.warc.gz", "crawl/gone.warc.gz").into_bytes());
    let told = said(&ends_with(&mut house.run(&store, &recipe, "gone", "s3://cc/b.cdxj"), 2).stderr);
    assert!(told.contains("there is no `s3://cc/crawl/gone.warc.gz`"), "{told}");
    assert!(files_below(&house.at("gone/data")).is_empty());
}
