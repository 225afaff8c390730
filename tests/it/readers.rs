//! Readers that are not ours see what we published.

use std::path::Path;

use redb::ReadableTable;
use serde_json::Value;

use crate::crawl::small_web;
use crate::run::{QUICKSTART, summary};
use crate::web::{House, Web, addresses};
use crate::{ends_with, root, said, tamis};

#[test]
fn duckdb_polars_pyarrow_and_datasets_count_the_same_through_a_plain_glob() {
    let Some(python) = std::env::var_os("TAMIS_READERS_PYTHON") else {
        eprintln!("SKIPPED: TAMIS_READERS_PYTHON names no Python with the readers; tests/run sets it up");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    ends_with(tamis(["run", QUICKSTART, "--workspace"]).arg(folder.path()), 0);
    let data = folder.path().join("data/quickstart");
    let mut reading = std::process::Command::new(&python);
    let output = ends_with(reading.arg(root().join("tests/readers/count.py")).arg(&data), 0);
    let told: Value = serde_json::from_slice(said(&output.stdout).lines().last().expect("a line").as_bytes()).expect("JSON");
    let ours = summary(folder.path(), "quickstart");
    for reader in ["duckdb", "polars", "pyarrow", "datasets"] {
        assert_eq!(told[reader], told["duckdb"], "{reader} and duckdb differ");
        let rows = told[reader].as_array().expect("rows");
        assert_eq!(rows.len(), ours["languages"].as_object().expect("counts").len(), "{reader}");
        let documents: u64 = rows.iter().filter_map(|row| row[1].as_u64()).sum();
        let tokens: u64 = rows.iter().filter_map(|row| row[2].as_u64()).sum();
        let ids: u64 = rows.iter().filter_map(|row| row[3].as_u64()).sum();
        assert_eq!(Some(documents), ours["kept"].as_u64(), "{reader}");
        assert_eq!(Some(tokens), ours["tokens"].as_u64(), "{reader}");
        assert_eq!(ids, tokens, "{reader}");
    }
    let mut notebook = std::process::Command::new(&python);
    let shown = said(&ends_with(notebook.arg(root().join("examples/notebook/look.py")).arg(&data), 0).stdout);
    assert!(shown.ends_with(&format!("{} documents\n", ours["kept"])), "the notebook's way: {shown}");
}

/// What warcio and FastWARC find in `files`, and at `offsets` of the first.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn archives(files: &[std::path::PathBuf], offsets: &[u64]) -> Option<Value> {
    let Some(python) = std::env::var_os("TAMIS_READERS_PYTHON") else {
        eprintln!("SKIPPED: TAMIS_READERS_PYTHON names no Python with the readers; tests/run sets it up");
        return None;
    };
    let mut reading = std::process::Command::new(python);
    reading.arg(root().join("tests/readers/archives.py")).args(files).arg("--at").args(offsets.iter().map(u64::to_string));
    let output = ends_with(&mut reading, 0);
    Some(serde_json::from_slice(said(&output.stdout).lines().last().expect("a line").as_bytes()).expect("JSON"))
}

#[test]
fn after_a_takedown_all_readers_take_the_archives_and_shards_and_every_other_offset_still_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |path: &str| folder.path().join(path);
    std::fs::create_dir_all(at("w/archive/night")).expect("room");
    let sample = std::fs::read_dir(root().join("data-samples/archives")).expect("samples");
    let sample = sample.map(|entry| entry.expect("an entry").path()).find(|path| path.to_string_lossy().ends_with(".warc.gz"));
    let archive = at("w/archive/night/a.warc.gz");
    std::fs::copy(sample.expect("a web archive"), &archive).expect("room");
    let mut run = tamis(["run", QUICKSTART, "--workspace"]);
    run.arg(at("w")).arg("--keys").arg(at("keys")).arg("--set").arg(format!("input={}", archive.display()));
    ends_with(&mut run, 0);
    let Some(before) = archives(std::slice::from_ref(&archive), &[]) else { return };
    let records: Vec<(u64, String)> = before["warcio"]
        .as_array()
        .expect("records")
        .iter()
        .filter_map(|record| Some((record[0].as_u64()?, record[2].as_str()?.to_owned())))
        .collect();
    let url = records.iter().map(|(_, url)| url).find(|url| url.starts_with("http")).expect("a page").clone();
    let kept = summary(&at("w"), "quickstart")["kept"].as_u64().expect("a count");
    let mut plan = tamis(["takedown", "plan", "--reason", "gdpr-17", "--received", "2026-11-20", "--url", &url, "--workspace"]);
    ends_with(plan.arg(at("w")).arg("--out").arg(at("plan.json")), 0);
    let mut apply = tamis(["takedown", "apply", "--confirm-large", "--workspace"]);
    ends_with(apply.arg(at("w")).arg("--keys").arg(at("keys")).arg(at("plan.json")), 0);
    let offsets: Vec<u64> = records.iter().map(|(offset, _)| *offset).collect();
    let after = archives(std::slice::from_ref(&archive), &offsets).expect("they read it before");
    for reader in ["warcio", "fastwarc"] {
        let places = |told: &Value| told[reader].as_array().expect("records").iter().map(|record| record[0].clone()).collect::<Vec<_>>();
        assert_eq!(places(&before), places(&after), "{reader}");
        assert!(!after[reader].to_string().contains(&url), "{reader}");
    }
    for (found, (offset, was)) in after["at"].as_array().expect("records").iter().zip(&records) {
        assert_eq!(found[0].as_u64(), Some(*offset));
        assert!(found[2].as_str() == Some(was) || *was == url && found[1] == "metadata", "{found}, was {was}");
    }
    let python = std::env::var_os("TAMIS_READERS_PYTHON").expect("it is set");
    let mut reading = std::process::Command::new(python);
    let output = ends_with(reading.arg(root().join("tests/readers/count.py")).arg(at("w/data/quickstart")), 0);
    let told: Value = serde_json::from_slice(said(&output.stdout).lines().last().expect("a line").as_bytes()).expect("JSON");
    let now = summary(&at("w"), "quickstart")["kept"].as_u64().expect("a count");
    for reader in ["duckdb", "polars", "pyarrow", "datasets"] {
        let documents: u64 = told[reader].as_array().expect("rows").iter().filter_map(|row| row[1].as_u64()).sum();
        assert!(documents == now && now <= kept, "{reader}: {documents}, {now}, {kept}");
    }
}

/// Lets all pages that a frontier knows be fetched a hundred days ago, so that each is due.
fn age(frontier: &Path) {
    const PAGES: redb::TableDefinition<'_, u64, &[u8]> = redb::TableDefinition::new("pages");
    let change = redb::Database::open(frontier).expect("a frontier").begin_write().expect("nobody else writes");
    {
        let mut pages = change.open_table(PAGES).expect("its pages");
        let known: Vec<(u64, Value)> = pages
            .iter()
            .expect("pages")
            .map(|row| row.expect("a page"))
            .map(|(key, page)| (key.value(), serde_json::from_slice(page.value()).expect("JSON")))
            .collect();
        for (key, mut page) in known {
            page["at_ms"] = (page["at_ms"].as_u64().expect("a time") - 100 * 24 * 3_600_000).into();
            pages.insert(key, page.to_string().as_bytes()).expect("room");
        }
    }
    change.commit().expect("room");
}

/// Every line of the index beside `archive` as address, offset and length.
fn index_of(archive: &Path) -> Vec<(String, u64, u64)> {
    let index = archive.with_extension("").with_extension("cdxj");
    let lines = std::fs::read_to_string(index).expect("an index");
    let about = lines.lines().map(|line| serde_json::from_str::<Value>(line.splitn(3, ' ').nth(2).expect("three parts")).expect("JSON"));
    let number = |value: &Value| value.as_str().and_then(|number| number.parse().ok()).expect("a number");
    about.map(|about| (about["url"].as_str().expect("an address").to_owned(), number(&about["offset"]), number(&about["length"]))).collect()
}

#[test]
fn two_nights_of_a_crawl_are_read_by_others_with_every_digest_and_every_offset_of_the_index() {
    let web = Web::open("127.0.11.4", small_web);
    let hosts = ["obec.example.sk", "mesto.example.sk"].map(|name| (name, web.address));
    let house = House::new(&format!("seeds = [\"http://obec.example.sk/\", \"http://mesto.example.sk\"]\n{}", addresses(&hosts)));
    let mut kinds = Vec::new();
    for night in ["2026-11-26", "2026-11-27"] {
        ends_with(&mut house.run(night), 0);
        age(&house.at("w/_tamis/frontier/frontier.redb"));
        for archive in house.archives(night) {
            let index = index_of(&archive);
            let offsets: Vec<u64> = index.iter().map(|(_, offset, _)| *offset).collect();
            let Some(told) = archives(std::slice::from_ref(&archive), &offsets) else { return };
            let rows = |reader: &str| told[reader].as_array().expect("records").clone();
            let places = |reader: &str| rows(reader).iter().map(|row| (row[0].clone(), row[2].clone())).collect::<Vec<_>>();
            assert_eq!(places("warcio"), places("fastwarc"));
            let length = std::fs::metadata(&archive).expect("it is there").len();
            let begins: Vec<u64> = rows("warcio").iter().filter_map(|row| row[0].as_u64()).chain([length]).collect();
            for (found, (url, offset, length)) in rows("at").iter().zip(&index) {
                assert_eq!((found[0].as_u64(), found[2].as_str()), (Some(*offset), Some(url.as_str())));
                let end = begins.iter().find(|begin| *begin > offset);
                assert_eq!(end, Some(&(offset + length)), "the index tells how long the record of {url} is");
                kinds.push((night, found[1].as_str().expect("a type").to_owned()));
            }
            let answers = rows("warcio").iter().filter(|row| row[1] == "response" || row[1] == "revisit").count();
            assert_eq!(index.len(), answers, "every answer is in the index");
        }
    }
    let count = |night: &str, kind: &str| kinds.iter().filter(|known| (known.0, known.1.as_str()) == (night, kind)).count();
    assert_eq!((count("2026-11-26", "revisit"), count("2026-11-27", "revisit")), (0, 6), "{kinds:?}");
}
