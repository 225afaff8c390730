//! `tamis optout explain` tells what owners reserved, and in which words.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::web::{Web, html};
use crate::{ends_with, said, tamis};

fn record(kind: &str, url: &str, http: &str, body: &[u8]) -> Vec<u8> {
    let block = [http.as_bytes(), b"\r\n\r\n", body].concat();
    let head = format!(
        "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-11-26T03:00:00Z\r\n\
         Content-Type: application/http; msgtype={kind}\r\nContent-Length: {}\r\n\r\n",
        block.len()
    );
    [head.as_bytes(), &block, b"\r\n\r\n"].concat()
}

fn response(url: &str, http: &str, body: &str) -> Vec<u8> {
    record("response", url, &format!("HTTP/1.1 {http}"), body.as_bytes())
}

const ROBOTS: &str = "User-agent: *\nContent-Signal: search=yes\n\nUser-agent: GPTBot\nDisallow: /básně/\n";
const HTML: &str = "200 OK\r\nContent-Type: text/html; charset=utf-8";

/// Two sites, of which one has files, and a page that comes before them.
fn records() -> Vec<Vec<u8>> {
    vec![
        response("https://ostrov.example.cz/b%C3%A1sn%C4%9B/0", HTML, "<title>Báseň</title>"),
        record("request", "https://ostrov.example.cz/robots.txt", "GET /robots.txt HTTP/1.1", b""),
        response("https://ostrov.example.cz/robots.txt", "200 OK\r\nContent-Type: text/plain", ROBOTS),
        response("https://ostrov.example.cz/b%C3%A1sn%C4%9B/1", HTML, "<title>Báseň</title>"),
        response("https://ostrov.example.cz/zpravy", HTML, "<title>Zprávy</title>"),
        response(
            "https://sala.example.lv/.well-known/tdmrep.json",
            "200 OK\r\nTransfer-Encoding: chunked",
            "2A\r\n[\n{\"location\":\"/\",\n \"tdm-reservation\":1}\n]\r\n0\r\n\r\n",
        ),
        response("http://sala.example.lv/dzejoļi", HTML, "<title>Dzejoļi</title>"),
        response("http://sala.example.lv/atvērti", HTML, "<meta name=tdm-reservation content=0>"),
        response("https://sala.example.lv/ai.txt", "404 Not Found", "Disallow: *"),
        response("https://sala.example.lv/dziesma", &format!("{HTML}\r\nX-Robots-Tag: noai\u{1b}[2J, noai\r\nTDM-Reservation: 0"), ""),
    ]
}

fn expected() -> Vec<(&'static str, &'static str, Value)> {
    let rule = "{\"location\":\"/\",  \"tdm-reservation\":1}";
    let signal = |protocol, says, quote, place| json!({ "protocol": protocol, "says": says, "quote": quote, "place": place });
    let file = signal("tdmrep-file", "reserved", rule, "/.well-known/tdmrep.json line 2");
    vec![
        ("https://ostrov.example.cz/b%C3%A1sn%C4%9B/0", "unknown", json!([])),
        ("https://ostrov.example.cz/robots.txt", "unknown", json!([])),
        (
            "https://ostrov.example.cz/b%C3%A1sn%C4%9B/1",
            "reserved",
            json!([signal("robots-txt", "reserved", "Disallow: /básně/", "/robots.txt line 5")]),
        ),
        ("https://ostrov.example.cz/zpravy", "unknown", json!([])),
        ("https://sala.example.lv/.well-known/tdmrep.json", "unknown", json!([])),
        ("http://sala.example.lv/dzejoļi", "reserved", json!([file])),
        ("http://sala.example.lv/atvērti", "allowed", json!([signal("tdmrep-meta", "allowed", "0", "meta tdm-reservation")])),
        ("https://sala.example.lv/ai.txt", "reserved", json!([file])),
        (
            "https://sala.example.lv/dziesma",
            "reserved",
            json!([
                signal("x-robots-tag", "reserved", "noai\u{fffd}[2J, noai", "header x-robots-tag"),
                signal("tdmrep-header", "allowed", "0", "header tdm-reservation"),
            ]),
        ),
    ]
}

#[test]
fn every_response_is_told_with_its_verdict_and_the_words_it_rests_on_in_any_packing() {
    let folder = tempfile::tempdir().expect("a folder");
    let packings: [(&str, fn(Vec<u8>) -> Vec<u8>); 3] = [
        ("x.warc", |record| record),
        ("x.warc.gz", |record| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            packed.write_all(&record).expect("room");
            packed.finish().expect("room")
        }),
        ("x.warc.zst", |record| zstd::encode_all(record.as_slice(), 1).expect("room")),
    ];
    for (name, pack) in packings {
        let packed: Vec<Vec<u8>> = records().into_iter().map(pack).collect();
        let file = folder.path().join(name);
        std::fs::write(&file, packed.concat()).expect("room");
        let output = ends_with(tamis(["optout", "explain", "--json"]).arg(&file), 0);
        let rows: Vec<Value> = said(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let offsets = packed.iter().scan(0, |end, record| Some(std::mem::replace(end, *end + record.len())));
        let offsets = offsets.enumerate().filter(|(number, _)| *number != 1).map(|(_, offset)| offset);
        let wanted: Vec<Value> = expected()
            .into_iter()
            .zip(offsets)
            .map(|((url, verdict, signals), offset)| json!({ "offset": offset, "url": url, "verdict": verdict, "signals": signals }))
            .collect();
        assert_eq!(rows, wanted, "{name}");
    }
}

#[test]
fn without_json_the_same_stands_in_lines_with_tabs_and_no_control_characters() {
    let mut explain = tamis(["optout", "explain", "-"]);
    let mut running = explain.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    running.stdin.take().expect("a pipe").write_all(&records().concat()).expect("room");
    let output = running.wait_with_output().expect("an end");
    let told = said(&output.stdout);
    assert!(output.status.success() && !told.contains('\u{1b}'), "{told}");
    let mut wanted = String::new();
    for (url, verdict, signals) in expected() {
        wanted += &format!("{url}\t{verdict}\n");
        for signal in signals.as_array().expect("a list") {
            let word = |name: &str| signal[name].as_str().expect("a word").to_owned();
            wanted += &format!("\t{}\t{}\t{}\t{}\n", word("protocol"), word("says"), word("quote"), word("place"));
        }
    }
    let without_offsets: String =
        told.lines().map(|line| line.trim_start_matches(|sign: char| sign.is_ascii_digit())).map(|line| format!("{line}\n")).collect();
    assert_eq!(without_offsets.replace("\thttp", "http"), wanted);
}

#[test]
fn nobody_is_asked_for_an_address_by_somebody_who_cannot_be_reached() {
    for address in ["https://ostrov.example.cz/", "HTTP:ostrov.example.cz"] {
        let output = ends_with(&mut tamis(["optout", "explain", address]), 2);
        assert!(said(&output.stderr).contains("--contact"), "{}", said(&output.stderr));
    }
}

fn island(_: &str, path: &str, _: &str) -> Vec<u8> {
    match path {
        "/robots.txt" => b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nUser-agent: *\nDisallow: /zavreno/\n".to_vec(),
        "/.well-known/tdmrep.json" => b"HTTP/1.1 200 OK\r\n\r\n[{\"location\": \"/kniha/*\", \"tdm-reservation\": 1}]".to_vec(),
        "/stary" => b"HTTP/1.1 301 Moved\r\nLocation: /kniha/1\r\n\r\n".to_vec(),
        "/kniha/1" | "/volne" => html("<title>Ostrov</title><p>Na ostrove"),
        "/zavreno/1" => html("<title>Canary</title>"),
        _ => b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec(),
    }
}

#[test]
fn an_address_is_asked_as_a_crawl_would_ask_and_its_words_are_shown() {
    let web = Web::open("127.0.15.1", island);
    let explain = |path: &str, code: i32| {
        web.forget();
        let mut command = tamis(["optout", "explain", "--json", "--contact", "mailto:crawl@example.eu", "--resolve"]);
        command.arg(format!("ostrov.example.cz={}", web.address)).arg(format!("http://ostrov.example.cz{path}"));
        let told = said(&ends_with(&mut command, code).stdout);
        told.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")).collect::<Vec<_>>()
    };
    let rows = explain("/stary", 0);
    let brief = |row: &serde_json::Value| (row["status"].as_u64(), row["verdict"].as_str().expect("a word").to_owned());
    assert_eq!(rows.iter().map(brief).collect::<Vec<_>>(), [(Some(301), "unknown".to_owned()), (Some(200), "reserved".to_owned())]);
    assert_eq!(rows[1]["signals"][0]["protocol"], "tdmrep-file");
    assert_eq!(web.asked().len(), 5, "each file of the site once: {:?}", web.asked());
    let rows = explain("/zavreno/1", 0);
    assert_eq!(rows.iter().map(brief).collect::<Vec<_>>(), [(None, "reserved".to_owned())]);
    assert_eq!(rows[0]["signals"][0]["quote"], "Disallow: /zavreno/");
    assert!(!web.asked().contains_key("ostrov.example.cz/zavreno/1"), "what robots.txt forbids is not asked for");
    assert_eq!(explain("/volne", 0).iter().map(brief).collect::<Vec<_>>(), [(Some(200), "unknown".to_owned())]);
    // The guard holds here too: a literal of the own network is nowhere allowed.
    let mut inner = tamis(["optout", "explain", "--contact", "mailto:crawl@example.eu"]);
    web.forget();
    ends_with(inner.arg(format!("http://{}/", web.address)), 1);
    assert!(web.asked().is_empty());
}

#[test]
fn damage_is_told_and_what_is_whole_is_explained() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("x.warc");
    let mut bytes = records().concat();
    bytes.truncate(bytes.len() - 40);
    std::fs::write(&file, bytes).expect("room");
    let output = ends_with(tamis(["optout", "explain", "--json"]).arg(&file), 1);
    assert_eq!(said(&output.stdout).lines().count(), expected().len() - 1);
    assert!(said(&output.stderr).contains("shorter than its head says"), "{}", said(&output.stderr));
    std::fs::write(&file, b"no archive").expect("room");
    let output = ends_with(tamis(["optout", "explain"]).arg(&file), 2);
    assert!(said(&output.stderr).contains("nothing to explain"), "{}", said(&output.stderr));
}

/// What two hosts say today: the one reserves a folder, the other is down.
fn of_today(host: &str, path: &str, _: &str) -> Vec<u8> {
    match (host, path) {
        ("ostrov.example.cz", "/robots.txt") => b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nUser-agent: *\nDisallow:\n".to_vec(),
        ("ostrov.example.cz", "/.well-known/tdmrep.json") => {
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[{\"location\": \"/b/*\", \"tdm-reservation\": 1}]".to_vec()
        }
        ("ostrov.example.cz", _) => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        _ => Vec::new(),
    }
}

#[test]
fn what_owners_reserve_today_becomes_a_plan_and_what_they_said_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |path: &str| folder.path().join(path);
    let urls =
        ["https://ostrov.example.cz/a/1", "https://ostrov.example.cz/b/1", "https://ostrov.example.cz/b/2", "https://jinde.example.cz/b/1"];
    let words = |number: usize| (0..30).map(|word| format!("slovo{}", number * 100 + word)).collect::<Vec<_>>().join(" ");
    let lines: String = urls
        .iter()
        .enumerate()
        .map(|(number, url)| format!("{}\n", json!({ "url": url.replace("https", "http"), "text": words(number) })))
        .collect();
    std::fs::write(at("in.jsonl"), lines).expect("room");
    std::fs::write(at("recipe.toml"), format!("dataset = \"d\"\ninput = \"{}\"\n[source]\nkind = \"jsonl\"\n", at("in.jsonl").display()))
        .expect("room");
    ends_with(tamis(["run", "--quiet"]).arg(at("recipe.toml")).arg("--workspace").arg(at("w")), 0);
    let recheck = |words: &[&str], code: i32| -> Value {
        let mut command = tamis(["optout", "recheck", "--json"]);
        let output = ends_with(command.arg(at("w/data/d")).arg("--out").arg(at("plan.json")).args(words), code);
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let web = Web::open("127.0.12.2", of_today);
    let [here, there] = ["ostrov", "jinde"].map(|name| format!("{name}.example.cz={}", web.address));
    let told = recheck(&["--contact", "mailto:crawl@example.eu", "--delay-ms", "0", "--resolve", &here, "--resolve", &there], 1);
    assert_eq!(told, json!({ "hosts": 2, "hosts_without_answer": 1, "documents": 4, "reserved": 2 }));
    let plan: Value = serde_json::from_slice(&std::fs::read(at("plan.json")).expect("a plan")).expect("JSON");
    assert_eq!((&plan["documents"], &plan["reason"]), (&2.into(), &"optout-recheck".into()));
    let history = || -> Vec<Value> {
        let folder = at("w/_tamis/logs/optouts");
        let path = folder.join(&crate::files_below(&folder)[0]);
        std::fs::read_to_string(path).expect("a history").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let said: Vec<_> = history().iter().map(|line| (line["host"].clone(), line["verdict"].clone())).collect();
    assert_eq!(said, [("jinde.example.cz".into(), "no-answer".into()), ("ostrov.example.cz".into(), "reserved-in-part".into())]);
    assert!(history()[1]["words"].as_str().is_some_and(|words| words.starts_with("tdmrep-file: ")), "{:?}", history()[1]);
    let mut apply = tamis(["takedown", "apply", "--confirm-large"]);
    ends_with(apply.arg(at("plan.json")).arg("--workspace").arg(at("w")).arg("--keys").arg(at("keys")), 0);
    // A snapshot that opens everything plans nothing; the history grew, and is not logs that retention removes.
    let archive =
        [response("http://jinde.example.cz/robots.txt", "200 OK\r\nContent-Type: text/plain", "User-agent: *\nDisallow:\n")].concat();
    std::fs::write(at("snapshot.warc"), archive).expect("room");
    assert_eq!(recheck(&["--snapshot", &at("snapshot.warc").to_string_lossy()], 0)["documents"], 2);
    assert!(history().len() >= 3, "{:?}", history());
    // Who reserves a host in its robots.txt takes all of it out.
    let archive =
        [response("http://jinde.example.cz/robots.txt", "200 OK\r\nContent-Type: text/plain", "User-agent: GPTBot\nDisallow: /\n")]
            .concat();
    std::fs::write(at("snapshot.warc"), archive).expect("room");
    assert_eq!(recheck(&["--snapshot", &at("snapshot.warc").to_string_lossy()], 1)["reserved"], 1);
}
