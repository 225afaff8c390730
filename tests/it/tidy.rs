//! The house stays tidy: who may import whom, what stages may not know, no forgotten file, only allowed licences.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::{files_below, root};

/// Who may import whom, by folder or file of `src/`. Whatever is not listed is forbidden. Data flows left to right; nobody downstream is
/// named upstream.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("doc", &[]),
    ("size", &[]),
    ("robots", &[]),
    ("text", &[]),
    ("optout", &["robots", "text"]),
    ("store", &[]),
    ("source", &["doc", "remote", "stage"]),
    ("stage", &["doc"]),
    ("sink", &["doc"]),
    ("workspace", &["store"]),
    ("crawl", &["archive", "formats", "optout", "robots", "size", "store", "suppression", "text", "workspace"]),
    ("locator", &["archive", "doc", "store", "text", "workspace"]),
    ("suppression", &["dedup", "doc", "source", "stage", "store", "text", "workspace"]),
    (
        "takedown",
        &[
            "archive",
            "crawl",
            "dedup",
            "doc",
            "engine",
            "ledger",
            "locator",
            "packing",
            "passes",
            "release",
            "sink",
            "sinks",
            "store",
            "suppression",
            "text",
            "workspace",
        ],
    ),
    ("calibration", &["stages"]),
    ("cluster", &["engine", "size", "store"]),
    ("columns", &["doc"]),
    ("archive", &["size", "source"]),
    ("formats", &["archive", "optout", "text"]),
    ("sources", &["archive", "columns", "crawl", "doc", "formats", "optout", "remote", "size", "source", "stage", "text"]),
    ("stages", &["doc", "optout", "stage", "text", "size", "dedup"]),
    ("sinks", &["doc", "sink", "stage", "columns", "size", "store"]),
    ("dedup", &["doc", "sink", "stage", "text"]),
    ("ledger", &["columns", "doc", "store", "suppression", "workspace"]),
    ("engine", &["doc", "ledger", "remote", "sink", "source", "stage", "store", "workspace"]),
    ("recipe", &["crawl", "dedup", "doc", "engine", "remote", "sinks", "size", "source", "sources", "stage", "stages"]),
    (
        "passes",
        &[
            "dedup",
            "doc",
            "engine",
            "ledger",
            "locator",
            "recipe",
            "remote",
            "sink",
            "sinks",
            "size",
            "source",
            "stage",
            "stages",
            "store",
            "suppression",
            "text",
            "workspace",
        ],
    ),
    (
        "inspect",
        &[
            "columns",
            "doc",
            "engine",
            "ledger",
            "locator",
            "source",
            "sources",
            "stage",
            "stages",
            "store",
            "suppression",
            "text",
            "workspace",
        ],
    ),
    ("remote", &["archive"]),
    ("home", &["remote", "store"]),
    ("night", &["ledger", "locator", "size", "store", "workspace"]),
    ("packing", &["dedup", "doc", "ledger", "locator", "store", "suppression", "workspace"]),
    ("tokenizer", &["stages", "text", "texts"]),
    ("texts", &["archive", "locator", "store", "text"]),
    ("quality", &["doc", "stage", "stages", "store", "text", "texts"]),
    ("publish", &["columns", "ledger", "night", "optout", "passes", "report", "size", "store", "text", "workspace"]),
    ("release", &["ledger", "publish", "sinks", "store", "suppression", "workspace"]),
    ("report", &["engine", "ledger", "size", "stages", "tokenizer"]),
    (
        "serve",
        &[
            "columns",
            "doc",
            "engine",
            "inspect",
            "ledger",
            "locator",
            "night",
            "passes",
            "report",
            "size",
            "store",
            "takedown",
            "workspace",
        ],
    ),
    (
        "cli",
        &[
            "archive",
            "calibration",
            "cluster",
            "columns",
            "crawl",
            "dedup",
            "doc",
            "engine",
            "home",
            "inspect",
            "ledger",
            "locator",
            "night",
            "optout",
            "packing",
            "passes",
            "publish",
            "quality",
            "recipe",
            "remote",
            "release",
            "report",
            "robots",
            "serve",
            "size",
            "source",
            "sources",
            "stage",
            "stages",
            "store",
            "suppression",
            "takedown",
            "text",
            "texts",
            "tokenizer",
            "workspace",
        ],
    ),
    ("lib", &[]),
    ("main", &[]),
];

/// What only some folders may name: the pattern, where it may stand, and why.
const ONLY_IN: &[(&str, &[&str], &str)] = &[
    (r"\brayon::", &["engine"], "threads are the engine's"),
    (
        r"\btokio(_rustls)?::",
        &["crawl", "inspect", "night", "remote", "serve"],
        "the network is the crawler's, the stores', the webhook's and the page's, and the SQL engine works on its threads",
    ),
    (r"\b(e?print(ln)?|dbg)!", &["cli", "main"], "printing is the command line's"),
    (
        r"\bstd::(fs|time|thread|process|env)\b",
        &[
            "archive",
            "cli",
            "cluster",
            "crawl",
            "dedup",
            "engine",
            "home",
            "inspect",
            "ledger",
            "locator",
            "main",
            "night",
            "packing",
            "passes",
            "remote",
            "publish",
            "quality",
            "recipe",
            "release",
            "serve",
            "sinks",
            "source",
            "sources",
            "store",
            "suppression",
            "takedown",
            "texts",
            "workspace",
        ],
        "the inside is pure",
    ),
    (r"\bSystemTime\b|\bZoned::now\b|\bTimestamp::now\b", &["cli", "crawl", "workspace"], "dates arrive as values"),
    (
        r"\bHashMap\b|\bHashSet\b",
        &["archive", "cli", "crawl", "dedup", "formats", "ledger", "recipe", "stages", "suppression", "text", "tokenizer"],
        "iteration order must never reach an output",
    ),
];

/// The part of a source file that is no test.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or("")
}

fn code() -> Vec<(String, String, String)> {
    files_below(&root().join("src"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs"))
        .map(|path| {
            let text = std::fs::read_to_string(root().join("src").join(&path)).expect("a readable file");
            let name = path.to_string_lossy().into_owned();
            let place = name.split(['/', '.']).next().unwrap_or("").to_owned();
            (name, place, text)
        })
        .collect()
}

#[test]
fn the_table_of_imports_holds() {
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let import = Regex::new(r"\bcrate::([a-z_]+)").expect("a pattern");
    let mut wrong = Vec::new();
    for (file, place, text) in code() {
        let Some(allowed) = table.get(place.as_str()) else {
            wrong.push(format!("{file}: `{place}` is not in the table of imports"));
            continue;
        };
        for (number, line) in without_tests(&text).lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for found in import.captures_iter(line) {
                if found[1] != place && !allowed.contains(&&found[1]) {
                    wrong.push(format!("{file}:{}: `{place}` may not import `{}`", number + 1, &found[1]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rooms_never_import_rooms() {
    let mut wrong = Vec::new();
    for (file, place, text) in code().into_iter().filter(|(_, place, _)| ["stages", "sources", "sinks"].contains(&place.as_str())) {
        let room = file.split('/').nth(1).unwrap_or("").trim_end_matches(".rs").to_owned();
        let import = Regex::new(&format!(r"\bcrate::{place}::([a-z_]+)")).expect("a pattern");
        for found in import.captures_iter(without_tests(&text)) {
            // `limits` is no room: it holds what the tables of thresholds share.
            if found[1] != room && room != "mod" && &found[1] != "limits" {
                wrong.push(format!("{file} imports the room `{}`", &found[1]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn world_and_threads_stay_where_they_belong() {
    let mut wrong = Vec::new();
    for (pattern, places, why) in ONLY_IN {
        let pattern = Regex::new(pattern).expect("a pattern");
        for (file, place, text) in code() {
            if places.contains(&place.as_str()) {
                continue;
            }
            for (number, line) in without_tests(&text).lines().enumerate() {
                if !line.trim_start().starts_with("//") && pattern.is_match(line) {
                    wrong.push(format!("{file}:{}: {why}: {}", number + 1, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_test_file_is_forgotten() {
    let main = std::fs::read_to_string(root().join("tests/it/main.rs")).expect("a readable file");
    for file in files_below(&root().join("tests/it")) {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let listed = file.components().count() > 1 || stem == "main" || main.contains(&format!("mod {stem};"));
        assert!(listed, "tests/it/{} is not in main.rs, so it never runs", file.display());
    }
}

#[test]
fn files_are_of_one_thing() {
    let long: Vec<String> = code()
        .into_iter()
        .map(|(file, _, text)| (file, without_tests(&text).lines().count()))
        .filter(|(_, lines)| *lines > 450)
        .map(|(file, lines)| format!("src/{file}: {lines} lines before its tests; look for the second thing in it"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn every_module_opens_with_what_it_is_for() {
    let silent: Vec<String> = code().into_iter().filter(|(_, _, text)| !text.starts_with("//!")).map(|(file, _, _)| file).collect();
    assert!(silent.is_empty(), "no `//!` at the top of: {}", silent.join(", "));
}

#[test]
fn every_licence_is_allowed() {
    let cargo = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .expect("cargo starts");
    let metadata: serde_json::Value = serde_json::from_slice(&cargo.stdout).expect("cargo metadata writes JSON");
    let deny: toml::Table = std::fs::read_to_string(root().join("deny.toml")).expect("a readable file").parse().expect("TOML");
    let allowed: BTreeSet<&str> = deny["licenses"]["allow"].as_array().expect("a list").iter().filter_map(toml::Value::as_str).collect();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().expect("a list") {
        let licence = package["license"].as_str().unwrap_or("none");
        if !is_allowed(licence, &allowed) {
            wrong.push(format!("{} {}: {licence}", package["name"], package["version"]));
        }
    }
    assert!(wrong.is_empty(), "not in deny.toml: {}", wrong.join(", "));
}

/// Whether an SPDX expression can be met with allowed licences. Without brackets inside brackets, which no dependency has.
fn is_allowed(licence: &str, allowed: &BTreeSet<&str>) -> bool {
    let flat = licence.replace('/', " OR ");
    flat.split(" AND ").all(|part| {
        let part = part.trim_matches(['(', ')', ' ']);
        part.split(" OR ").any(|one| allowed.contains(one.trim_matches(['(', ')', ' '])))
    })
}
