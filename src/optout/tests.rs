//! Promises of the room as a whole; what each protocol promises stands beside its reader.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// The examples that stand in the specification `name`.
pub(super) fn shared(name: &str) -> Option<serde_json::Value> {
    let path = format!("{}/../shared/data/crawl/{name}/vectors.json", env!("CARGO_MANIFEST_DIR"));
    let read = std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if read.is_none() {
        eprintln!("SKIPPED: the examples of {name}: no shared data");
    }
    read
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The verdict, and protocol and place of every signal.
#[track_caller]
fn check(evidence: &Evidence<'_>, verdict: Verdict, signals: &[(&str, &str, &str)]) {
    let found = find(evidence, &Agents::default());
    let told: Vec<(&str, &str, &str)> =
        found.signals.iter().map(|signal| (signal.protocol, signal.quote.as_str(), signal.place.as_str())).collect();
    assert_eq!((found.verdict, told.as_slice()), (verdict, signals), "{evidence:?}");
}

const PAGE: Evidence<'_> = Evidence {
    url: "https://ostrov.example.cz/zprávy/1",
    status: Some(200),
    headers: &[],
    html: b"",
    robots_txt: None,
    tdmrep_json: None,
    ai_txt: None,
};

#[test]
fn every_protocol_can_reserve_and_quotes_what_it_read() {
    let mut seen = BTreeSet::new();
    let mut reserved = |evidence: Evidence<'_>, protocol: &'static str, quote: &str, place: &str| {
        check(&evidence, Verdict::Reserved, &[(protocol, quote, place)]);
        seen.insert(protocol);
    };
    for (header, protocol, quote) in [
        (("tdm-reservation", " 1 "), TDMREP_HEADER, " 1 "),
        (("x-robots-tag", "noindex, NoAI"), X_ROBOTS_TAG, "noindex, NoAI"),
        (("content-usage", "search=y, train-ai=n"), CONTENT_USAGE, "search=y, train-ai=n"),
        (("content-signal", "ai-train=no"), CONTENT_SIGNAL, "ai-train=no"),
        (("link", "</licence.xml>; rel=\"license\"; type=\"application/rsl+xml\""), RSL, "/licence.xml"),
    ] {
        reserved(Evidence { headers: &owned(&[header]), ..PAGE }, protocol, quote, &format!("header {}", header.0));
    }
    for (html, protocol, quote, place) in [
        ("<meta name=TDM-Reservation content=1>", TDMREP_META, "1", "meta tdm-reservation"),
        ("<title>Žába</title><META CONTENT='noai, index' NAME=GPTBot>", ROBOTS_META, "noai, index", "meta gptbot"),
        ("<link href=/l.xml type=application/rsl+xml rel='license'>", RSL, "/l.xml", "link license"),
        (
            "<script>'<meta name=robots content=noai>'</script><SCRIPT type='Application/RSL+xml'><rsl><content url='/'/></rsl> </script>",
            RSL,
            "<rsl><content url='/'/></rsl>",
            "script application/rsl+xml",
        ),
    ] {
        reserved(Evidence { html: html.as_bytes(), ..PAGE }, protocol, quote, place);
    }
    let robots = "User-agent: GPTBot\nDisallow: /zprávy";
    reserved(Evidence { robots_txt: Some(robots.as_bytes()), ..PAGE }, "robots-txt", "Disallow: /zprávy", "/robots.txt line 2");
    let rule = "{\"location\": \"/zprávy/*\", \"tdm-reservation\": 1}";
    let tdmrep = format!("[\n{rule}\n]");
    reserved(Evidence { tdmrep_json: Some(tdmrep.as_bytes()), ..PAGE }, TDMREP_FILE, rule, "/.well-known/tdmrep.json line 2");
    reserved(Evidence { ai_txt: Some(b"User-Agent: *\nDisallow: *"), ..PAGE }, "ai-txt", "Disallow: *", "/ai.txt line 2");
    for status in [402, 451] {
        reserved(Evidence { status: Some(status), ..PAGE }, HTTP_STATUS, &status.to_string(), "status");
    }
    let listed: BTreeSet<&str> = PROTOCOLS.iter().map(|protocol| protocol.name).collect();
    assert_eq!(seen, listed, "the table lists what is read");
    assert_eq!(listed.len(), PROTOCOLS.len());
}

#[test]
fn silence_is_no_permission() {
    check(&PAGE, Verdict::Unknown, &[]);
    let open = Evidence { robots_txt: Some(b"User-agent: *\nAllow: /"), tdmrep_json: Some(b"[]"), ai_txt: Some(b""), ..PAGE };
    check(&open, Verdict::Unknown, &[]);
}

#[test]
fn one_reservation_is_enough_and_permissions_are_told_too() {
    let headers = owned(&[("content-usage", "train-ai=y"), ("x-robots-tag", "noai")]);
    let signals = [(X_ROBOTS_TAG, "noai", "header x-robots-tag"), (CONTENT_USAGE, "train-ai=y", "header content-usage")];
    check(&Evidence { headers: &headers, ..PAGE }, Verdict::Reserved, &signals);
    check(&Evidence { headers: &headers[..1], ..PAGE }, Verdict::Allowed, &signals[1..]);
}

#[test]
fn tdmrep_ranks_file_header_and_page_in_rising_order() {
    let file = |value: u8| format!("{{\"location\":\"/\",\"tdm-reservation\":{value}}}");
    for (in_file, header, meta, verdict, protocol) in [
        (Some(1), None, None, Verdict::Reserved, Some(TDMREP_FILE)),
        (Some(1), Some("0"), None, Verdict::Allowed, Some(TDMREP_HEADER)),
        (Some(0), Some("1"), Some("0"), Verdict::Allowed, Some(TDMREP_META)),
        (Some(0), Some("0"), Some("1"), Verdict::Reserved, Some(TDMREP_META)),
        (Some(1), None, Some("0"), Verdict::Allowed, Some(TDMREP_META)),
        (Some(1), Some("yes"), Some(""), Verdict::Reserved, Some(TDMREP_FILE)),
        (Some(2), Some("true"), Some("01"), Verdict::Unknown, None),
    ] {
        let headers: Vec<_> = header.map(|value: &str| ("tdm-reservation".to_owned(), value.to_owned())).into_iter().collect();
        let html = meta.map(|value: &str| format!("<meta name='tdm-reservation' content='{value}'>")).unwrap_or_default();
        let json = in_file.map(file);
        let evidence = Evidence { headers: &headers, html: html.as_bytes(), tdmrep_json: json.as_deref().map(str::as_bytes), ..PAGE };
        let found = find(&evidence, &Agents::default());
        assert_eq!((found.verdict, found.decisive().map(|signal| signal.protocol)), (verdict, protocol), "{evidence:?}");
    }
}

#[test]
fn a_quote_ends_after_200_characters() {
    let long = "Ž".repeat(150) + &"ž".repeat(150) + ", noai";
    let found = find(&Evidence { headers: &owned(&[("x-robots-tag", &long)]), ..PAGE }, &Agents::default());
    assert_eq!(found.signals[0].quote.chars().count(), 200);
    assert!(found.signals[0].quote.ends_with('ž'));
}

#[test]
fn whoever_repeats_himself_a_thousand_times_is_told_a_hundred_times_and_heard() {
    let html = "<meta name=tdm-reservation content=0>".repeat(1000) + "<meta name=robots content=noai>";
    let robots = "User-agent: *\n".to_owned() + &"Content-Usage: train-ai=y\nLicense: https://a.example/l\n".repeat(1000);
    let found = find(&Evidence { html: html.as_bytes(), robots_txt: Some(robots.as_bytes()), ..PAGE }, &Agents::default());
    assert_eq!((found.verdict, found.signals.len()), (Verdict::Reserved, 100));
    assert_eq!(found.decisive().map(|signal| signal.protocol), Some(ROBOTS_META));
}

#[test]
fn files_of_a_site_are_known_by_their_address() {
    for (url, file) in [
        ("https://ostrov.example.cz/robots.txt", Some(SiteFile::Robots)),
        ("http://ostrov.example.cz:8080/.well-known/tdmrep.json", Some(SiteFile::Tdmrep)),
        ("https://ostrov.example.cz/ai.txt", Some(SiteFile::Ai)),
        ("https://ostrov.example.cz/robots.txt?v=2", None),
        ("https://ostrov.example.cz/a/robots.txt", None),
        ("https://ostrov.example.cz", None),
        ("/robots.txt", None),
    ] {
        assert_eq!(SiteFile::at(url), file, "{url}");
    }
}

#[test]
fn the_documentation_names_every_protocol() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/optout.md")).unwrap();
    for protocol in PROTOCOLS {
        assert!(page.contains(&format!("`{}`", protocol.name)), "{}", protocol.name);
        assert!(!protocol.summary.is_empty() && !protocol.specification.is_empty() && !protocol.version.is_empty());
    }
    assert!(page.contains(TRAINING_VERSION), "the list of crawlers is dated {TRAINING_VERSION}");
}

/// Bytes that look enough like what is read to come far.
fn material() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "User-agent: *\n",
        "User-agent: GPTBot\n",
        "Disallow: /",
        "Allow: *",
        "Content-Usage: ",
        "/a ",
        "train-ai=n",
        "Content-Signal: ai-train=no",
        "License: https://",
        "<meta name=robots content=",
        "<link rel=license type=application/rsl+xml href=",
        "<!--",
        "-->",
        "</",
        "<script>",
        "[{\"location\": \"",
        "\", \"tdm-reservation\": 1}",
        "]",
        "%2",
        "%C3%A1",
        "ž",
        "$",
        "*",
        "\"",
        "'",
        "\\",
        "\n",
        "\r\n",
        "#",
        ";",
        ",",
        "=",
        "(",
        ">",
    ]);
    let piece = prop_oneof![3 => word.prop_map(|word| word.as_bytes().to_vec()), 1 => prop::collection::vec(any::<u8>(), 0..12)];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_bring_it_down(bytes in material(), other in material(), status in any::<Option<u16>>()) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let names = ["tdm-reservation", "x-robots-tag", "content-usage", "content-signal", "link", "other"];
        let headers: Vec<(String, String)> = names.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
        for url in ["https://ostrov.example.cz/a", &text] {
            let evidence = Evidence {
                url, status, headers: &headers, html: &other, robots_txt: Some(&bytes), tdmrep_json: Some(&other), ai_txt: Some(&bytes),
            };
            let found = find(&evidence, &Agents { own: &text, ..Agents::default() });
            prop_assert_eq!(found.decisive().map_or("unknown", |signal| signal.says.as_str()), found.verdict.as_str());
            prop_assert!(found.signals.iter().all(|signal| signal.quote.chars().count() <= 200));
        }
    }
}
