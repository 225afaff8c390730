//! One conformance suite for all rooms: a new stage or source is tested by being listed.

use std::collections::BTreeSet;
use std::sync::Arc;

use tamis::doc::Document;
use tamis::source::{Offer, RawRecord};
use tamis::stage::{BuildError, Resources, Room, Stage, Verdict};
use tamis::stages::ROOMS;
use toml::de::ValueDeserializer;

/// No stage may read a file without a setting that names it.
struct NoFiles;

impl Resources for NoFiles {
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        Err(std::io::Error::other(format!("nobody asked for {path}")))
    }
}

fn build(room: &Room, settings: &str) -> Result<Box<dyn Stage>, BuildError> {
    (room.build)(ValueDeserializer::parse(settings).expect("a TOML table"), &NoFiles)
}

/// Texts and pages that nobody writes on purpose.
fn hostile_documents() -> Vec<Document> {
    let texts = [
        String::new(),
        " \n\t\n ".to_owned(),
        "\0\0\0".to_owned(),
        "\u{202e}txet\u{202c} \u{200b}\u{feff}\u{2066}x\u{2069}".to_owned(),
        "a".repeat(300_000),
        "x ".repeat(100_000),
        "\n".repeat(100_000),
        "é\u{301}\u{301}\u{301}".repeat(20_000),
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 👩‍👩‍👧‍👦 ".repeat(3_000),
        "@.@.@.1.2.3.4.5.6.7.8.9".repeat(5_000),
        "<".repeat(50_000),
        "&#x110000;&nosuch;&#0;&amp".repeat(2_000),
        "Dit is een gewone zin, die nergens kwaad kan. ".repeat(200),
    ];
    let deep = format!("{}deep{}", "<div>".repeat(60_000), "</div>".repeat(60_000));
    let pages = [
        deep,
        "<table><tr><td>".repeat(10_000),
        "<a href='x".to_owned(),
        "<!--".repeat(30_000),
        "<script>".to_owned() + &"x".repeat(100_000),
    ];
    let document = |html: &str, text: &str| Document {
        url: "https://www.example.nl/a?b=c".to_owned(),
        html: html.to_owned(),
        text: text.to_owned(),
        ..Document::default()
    };
    let mut documents: Vec<Document> = texts.iter().map(|text| document("", text)).collect();
    documents.extend(texts.iter().map(|text| document(text, "")));
    documents.extend(pages.iter().map(|page| document(page, "")));
    documents.push(Document::default());
    documents
}

#[test]
fn names_are_unique_and_reasons_are_short_and_stable() {
    let mut names = BTreeSet::new();
    for room in ROOMS {
        assert!(names.insert(room.name), "two rooms are called {}", room.name);
        assert!(!room.summary.is_empty() && !room.summary.contains('\n'), "{}: the summary is one line", room.name);
        let reasons: BTreeSet<&str> = room.reasons.iter().copied().collect();
        assert_eq!(reasons.len(), room.reasons.len(), "{}: a reason is listed twice", room.name);
        for reason in reasons {
            let kebab = reason.len() <= 40 && reason.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            assert!(kebab, "{}: `{reason}` is not short kebab-case", room.name);
        }
    }
}

#[test]
fn every_room_builds_with_its_defaults_and_refuses_a_typo() {
    for room in ROOMS {
        if let Err(error) = build(room, "{}") {
            panic!("{}: {error}", room.name);
        }
        assert!(matches!(build(room, "{ no_such_setting = 1 }"), Err(BuildError::Settings(_))), "{} takes any setting", room.name);
    }
    for room in tamis::sources::ROOMS {
        assert!((room.build)(ValueDeserializer::parse("{}").expect("a table")).is_ok(), "{}", room.name);
        assert!(
            (room.build)(ValueDeserializer::parse("{ no_such_setting = 1 }").expect("a table")).is_err(),
            "{} takes any setting",
            room.name
        );
    }
}

#[test]
fn every_setting_is_explained() {
    let schemas =
        ROOMS.iter().map(|room| (room.name, (room.schema)())).chain(tamis::sources::ROOMS.iter().map(|room| (room.name, (room.schema)())));
    for (name, schema) in schemas {
        let properties = schema.get("properties").and_then(|value| value.as_object()).cloned().unwrap_or_default();
        for (setting, about) in properties {
            assert!(about.get("description").is_some(), "{name}: setting `{setting}` has no words");
        }
    }
}

#[test]
fn signals_are_columns() {
    let schema: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(crate::root().join("schemas/document.v1.json")).expect("the schema")).expect("JSON");
    let columns = schema["columns"].as_array().expect("a list");
    let quality = columns.iter().find(|column| column["name"] == "quality").expect("a column");
    let fields: BTreeSet<&str> = quality["fields"].as_array().expect("a list").iter().filter_map(|field| field["name"].as_str()).collect();
    let signals: BTreeSet<&str> =
        ROOMS.iter().flat_map(|room| room.signals).chain(tamis::sources::ROOMS.iter().flat_map(|room| room.signals)).copied().collect();
    assert_eq!(fields, signals, "schemas/document.v1.json and the rooms list different signals");
}

#[test]
fn hostile_documents_get_the_same_verdict_twice_with_listed_reasons_and_signals() {
    for room in ROOMS {
        let stage = build(room, "{}").expect("defaults build");
        for (number, document) in hostile_documents().into_iter().enumerate() {
            let (mut once, mut again) = (document.clone(), document);
            let verdict = stage.judge(&mut once);
            assert_eq!(stage.judge(&mut again), verdict, "{}: document {number}", room.name);
            assert_eq!(format!("{once:?}"), format!("{again:?}"), "{}: document {number}", room.name);
            if let Verdict::Drop(dropped) = verdict {
                assert!(room.reasons.contains(&dropped.reason), "{}: reason `{}` is not listed", room.name, dropped.reason);
            }
            for (signal, value) in once.quality.iter() {
                assert!(room.signals.contains(&signal), "{}: signal `{signal}` is not listed", room.name);
                assert!(value.is_finite(), "{}: signal `{signal}` of document {number} is {value}", room.name);
            }
        }
    }
}

#[test]
fn no_bytes_make_a_source_panic() {
    let records: Vec<Vec<u8>> = [
        &b""[..],
        b"\0\xff\xfe",
        b"WARC/1.0\r\n",
        b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: http://a/\r\nContent-Length: 30\r\n\r\nHTTP/1.1 200\r\n\r\n",
        b"{\"text\": 3}",
        b"{",
        b"[[[[[[[[[[[[[[[[[[[[",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    ]
    .iter()
    .map(|bytes| bytes.to_vec())
    .collect();
    for room in tamis::sources::ROOMS {
        let source = (room.build)(ValueDeserializer::parse("{}").expect("a table")).expect("defaults build");
        if room.name == "parquet" {
            continue; // it cuts and decodes in one step and never gets raw records
        }
        for bytes in &records {
            let offer = source.decode(RawRecord { file: Arc::from("a"), offset: 0, bytes: bytes.clone(), truncated: false });
            if let Offer::Dropped(_, reason) = offer {
                assert!(room.reasons.contains(&reason), "{}: reason `{reason}` is not listed", room.name);
            }
        }
    }
}
