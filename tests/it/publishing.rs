//! What a data set says of itself: numbers that SQL counts too, descriptions that other programs take, signatures that hold.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::run::QUICKSTART;
use crate::{ends_with, root, said, tamis};

struct House(tempfile::TempDir);

impl House {
    fn new() -> House {
        let house = House(tempfile::tempdir().expect("a folder"));
        ends_with(tamis(["run", QUICKSTART, "--quiet", "--workspace"]).arg(house.at("w")), 0);
        let facts = "title = \"Harbours\"\ndescription = \"Pages of harbour towns.\"\nlicence = \"CC-BY-4.0\"\nversion = \"1.0.0\"\npublished = \"2026-11-26\"\nsme = true\n\
                     url = \"https://example.eu/harbours\"\ncitation = \"Harbours, 2026\"\n[provider]\nname = \"Example\"\ncontact = \"mailto:corpus@example.eu\"\n\
                     [[source]]\nprefix = \"data-samples/archives/harbours\"\nkind = \"public\"\nname = \"Harbours\"\n[[source]]\nprefix = \"data-samples/archives/islands\"\nkind = \"crawled\"\nname = \"islandbot\"\n";
        std::fs::write(house.at("facts.toml"), facts).expect("room");
        house
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn report(&self, words: &[&str]) -> String {
        let mut command = tamis(["report"]);
        command.arg(words[0]).arg(self.at("w/data/quickstart")).arg("--facts").arg(self.at("facts.toml")).args(&words[1..]);
        said(&ends_with(&mut command, 0).stdout)
    }

    #[cfg(feature = "sql")]
    fn sql(&self, question: &str) -> Vec<Value> {
        let output = ends_with(tamis(["inspect"]).arg(self.at("w/data/quickstart")).args(["sql", question, "--json"]), 0);
        said(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

fn table<'p>(page: &'p Value, title: &str) -> Vec<Vec<&'p str>> {
    let sections = page["sections"].as_array().expect("sections").iter();
    let section =
        sections.into_iter().find(|section| section["title"].as_str().is_some_and(|known| known.starts_with(title))).expect("a section");
    let rows = section["table"]["rows"].as_array().into_iter().flatten();
    rows.map(|row| row.as_array().expect("a row").iter().filter_map(Value::as_str).collect()).collect()
}

#[cfg(feature = "sql")]
#[test]
fn every_number_of_the_reports_is_one_that_sql_counts_too() {
    let house = House::new();
    let page: Value = serde_json::from_str(&house.report(&["ai-act", "--format", "json"])).expect("JSON");
    let by_language = house.sql("select lang, count(*) as documents, sum(octet_length(text)) as bytes, sum(token_count) as tokens from documents group by lang order by lang");
    let numbers = |row: &Value| ["documents", "bytes", "tokens"].map(|name| row[name].to_string());
    let expected: Vec<Vec<String>> =
        by_language.iter().map(|row| [vec![row["lang"].as_str().unwrap_or("").to_owned()], numbers(row).to_vec()].concat()).collect();
    let told: Vec<Vec<String>> = table(&page, "1.3. Description of the linguistic")
        .iter()
        .map(|row| [0, 2, 3, 4].map(|at| row[at].replace(|sign: char| sign.is_whitespace(), "")).to_vec())
        .collect();
    assert_eq!(told, expected);
    let card = house.report(&["card"]);
    for row in &by_language {
        let [documents, bytes, tokens] = numbers(row);
        let line = format!(" | {documents} | {bytes} | {tokens} |\n");
        assert!(card.contains(&line), "{line} in\n{card}");
    }
    let of_source = |prefix: &str| {
        let row = &house.sql(&format!("select count(*) as documents, sum(octet_length(text)) as bytes, sum(token_count) as tokens from documents where source_file like 'data-samples/archives/{prefix}%'"))[0];
        numbers(row).to_vec()
    };
    assert_eq!(table(&page, "2.1.")[0][3..].iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>(), of_source("harbours"));
    let domains = house.sql("select host, sum(octet_length(text)) as bytes from documents where source_file like 'data-samples/archives/islands%' group by host order by bytes desc");
    let largest = table(&page, "2.3. Summary");
    assert!(
        domains.iter().any(|row| largest[0][0].ends_with(row["host"].as_str().unwrap_or("").rsplit('.').next().unwrap_or(""))),
        "{largest:?}"
    );
    let sheet: Value = serde_json::from_str(&house.report(&["datasheet", "--format", "json"])).expect("JSON");
    let fell = house.sql("select sum(documents) as n from ledger where what = 'dropped'")[0]["n"].clone();
    let told: u64 = table(&sheet, "Why documents fell").iter().map(|row| row[1].parse::<u64>().expect("a number")).sum();
    assert_eq!(Value::from(told), fell);
    let croissant: Value = serde_json::from_str(&house.report(&["croissant"])).expect("JSON");
    let all = &house.sql("select count(*) as documents, sum(octet_length(text)) as bytes, sum(token_count) as tokens from documents")[0];
    let [documents, bytes, tokens] = numbers(all);
    assert!(
        croissant["description"]
            .as_str()
            .is_some_and(|text| text.starts_with(&format!("{documents} documents, {tokens} tokens and {bytes} bytes"))),
        "{}",
        croissant["description"]
    );
}

#[test]
fn all_forms_are_whole_and_open_fields_are_named() {
    let house = House::new();
    let html = house.report(&["ai-act"]);
    assert!(
        html.starts_with("<!DOCTYPE html>")
            && html.contains("Versioned model name(s)")
            && html.contains("[to be filled in]")
            && !html.contains("<script")
    );
    assert!(house.report(&["datasheet"]).contains("<svg"));
    let markdown = house.report(&["ai-act", "--format", "markdown"]);
    // As the Commission's template calls them, Annex to C(2025) 8311.
    let sections = [
        "1.1. Provider identification",
        "1.2. Model identification",
        "1.3. Modalities, overall training data size and other characteristics",
        "2.1. Publicly available datasets",
        "2.2.1. Datasets commercially licensed by rightsholders or their representatives",
        "2.2.2. Private datasets obtained from other third parties",
        "2.3. Data crawled and scraped from online sources",
        "2.4. User data",
        "2.5. Synthetic data",
        "2.6. Other sources of data",
        "3.1. Respect of reservation of rights from text and data mining exception or limitation",
        "3.2. Removal of illegal content",
        "3.3. Other information (optional)",
    ];
    let mut from = 0;
    for section in sections {
        let at = markdown[from..].find(&format!("\n## {section}\n")).unwrap_or_else(|| panic!("{section} is missing, or not in its place"));
        from += at;
    }
    assert!(markdown.contains("Provider name and contact details**: Example mailto:corpus@example.eu"), "{markdown}");
    let mut bare = tamis(["report", "ai-act"]);
    let told = said(&ends_with(bare.arg(house.at("w/data/quickstart")), 0).stderr);
    assert!(told.contains("fields are to be filled in") && told.contains("Provider name"), "{told}");
    std::fs::write(house.at("facts.toml"), "titel = \"x\"").expect("room");
    let mut wrong = tamis(["report", "card"]);
    let told = said(&ends_with(wrong.arg(house.at("w/data/quickstart")).arg("--facts").arg(house.at("facts.toml")), 2).stderr);
    assert!(told.contains("titel"), "{told}");
}

#[test]
fn checksums_hold_for_sha256sum_and_the_signature_for_us() {
    let house = House::new();
    let list = house.at("w/SHA256SUMS");
    let mut command = tamis(["report", "sums"]);
    ends_with(command.arg(house.at("w/data/quickstart")).arg("--out").arg(&list).arg("--keys").arg(house.at("keys")), 0);
    ends_with(Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(house.at("w")), 0);
    ends_with(tamis(["report", "sums-check"]).arg(&list), 0);
    let text = std::fs::read_to_string(&list).expect("ours");
    std::fs::write(&list, text.replacen('a', "b", 1)).expect("room");
    ends_with(tamis(["report", "sums-check"]).arg(&list), 1);
}

#[test]
fn other_programs_take_card_and_croissant() {
    // In a release they lie beside what they describe; alone they say the same.
    let house = House::new();
    let mut release = tamis(["release", "r"]);
    release.arg(house.at("w/data/quickstart")).arg("--facts").arg(house.at("facts.toml")).arg("--keys").arg(house.at("keys"));
    ends_with(&mut release, 0);
    for (file, report) in
        [("README.md", "card"), ("croissant.json", "croissant"), ("ai-act.html", "ai-act"), ("datasheet.html", "datasheet")]
    {
        assert!(std::fs::read_to_string(house.at("w/releases/r").join(file)).expect("made") == house.report(&[report]), "{file}");
    }
    for (variable, script) in [("TAMIS_READERS_PYTHON", "card.py"), ("TAMIS_CROISSANT_PYTHON", "croissant.py")] {
        let Some(python) = std::env::var_os(variable) else {
            println!("SKIPPED in part: {variable} names no Python; tests/run sets it up");
            continue;
        };
        let output = ends_with(Command::new(python).arg(root().join("tests/readers").join(script)).arg(house.at("w/releases/r")), 0);
        assert!(said(&output.stdout).contains("all is well"), "{}", said(&output.stdout));
    }
}
