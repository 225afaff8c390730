//! Repositories that misbehave lose and double nothing, each night takes what is new, and what they delete can be erased everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::takedown::{hits_of, rows_of};
use crate::web::{Web, addresses};
use crate::{ends_with, files_below, said, tamis};

const HOST: &str = "saugykla.example.lt";
/// Which night it is, and how often each thing was asked for since it began.
static STATE: Mutex<(u64, BTreeMap<String, u64>)> = Mutex::new((1, BTreeMap::new()));
/// Records of a page.
const PAGE: usize = 3;

fn begin_night(night: u64) {
    *STATE.lock().expect("no panic") = (night, BTreeMap::new());
}

/// Counts that `what` is asked for, and tells the night and how often it was before.
fn count(what: &str) -> (u64, u64) {
    let mut state = STATE.lock().expect("no panic");
    let before = state.1.entry(what.to_owned()).or_default();
    *before += 1;
    let before = *before - 1;
    (state.0, before)
}

fn answer(status: &str, fields: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn xml(body: &str) -> Vec<u8> {
    answer("200 OK", "Content-Type: text/xml\r\n", body)
}

/// An answer of the protocol, from a clock that is a thousand years ahead.
fn oai(body: &str) -> Vec<u8> {
    xml(&format!(
        "<?xml version=\"1.0\"?><OAI-PMH xmlns=\"http://www.openarchives.org/OAI/2.0/\"><responseDate>3026-01-01T00:00:00Z</responseDate>\
         <request>x</request>{body}</OAI-PMH>"
    ))
}

/// The records that are shown in a night; their dates mean nothing.
fn numbers(night: u64) -> Vec<usize> {
    (1..=match night {
        1 => 12,
        2 => 14,
        _ => 15,
    })
        .collect()
}

fn record(night: u64, number: usize) -> String {
    let date = match number {
        3 if night >= 2 => "2026-11-27",
        5 => "1999-01-01",
        6 => "2999-12-31",
        _ => "2026-11-01",
    };
    let header = format!("<identifier>oai:saugykla:{number}</identifier><datestamp>{date}</datestamp>");
    if number == 5 && night >= 3 {
        return format!("<record><header status=\"deleted\">{header}</header></record>");
    }
    let address =
        if number.is_multiple_of(2) { format!("http://{HOST}/irasas/{number}") } else { format!("http://{HOST}/tekstas/{number}.xml") };
    let rights = if number == 11 { "info:eu-repo/semantics/closedAccess" } else { "https://creativecommons.org/licenses/by/4.0/" };
    format!(
        "<record><header>{header}</header><metadata><oai_dc:dc xmlns:oai_dc=\"a\" xmlns:dc=\"b\"><dc:title>Pasakojimas {}</dc:title>\
         <dc:creator>Ona</dc:creator><dc:language>lit</dc:language><dc:rights>{rights}</dc:rights><dc:date>2020</dc:date>\
         <dc:identifier>{address}</dc:identifier></oai_dc:dc></metadata></record>",
        word(night, number)
    )
}

/// A word that only one state of one record has.
fn word(night: u64, number: usize) -> String {
    format!("zodis{number}x{}", if number == 3 && night >= 2 { 2 } else { 1 })
}

fn list(path: &str) -> Vec<u8> {
    let token = path.split_once("resumptionToken=").map(|(_, token)| token.to_owned());
    let (night, before) = count(if token.is_some() { &path[path.find("resumptionToken").expect("it is there")..] } else { "first page" });
    // An overloaded server, once a night.
    if token.is_none() && before == 0 {
        return answer("503 Busy", if night == 1 { "Retry-After: 1\r\n" } else { "Retry-After: 0\r\n" }, "busy");
    }
    let at = match token.as_deref().map(|token| token.trim_start_matches('t')) {
        None => 0,
        // The second page expires once, the third one comes again under another name, and the list is cut in the middle once.
        Some("1") if before == 0 => return oai("<error code=\"badResumptionToken\">it expired</error>"),
        Some("2") if before == 0 && night == 1 => return xml("<OAI-PMH><ListRecords><record><header>"),
        Some("again") => 2,
        Some(number) => number.parse::<usize>().expect("our token"),
    };
    let numbers = numbers(night);
    let records: String = numbers.iter().skip(at * PAGE).take(PAGE).map(|number| record(night, *number)).collect();
    let next = match token.as_deref() {
        Some("t2") => "tagain".to_owned(),
        _ if (at + 1) * PAGE < numbers.len() => format!("t{}", at + 1),
        _ => String::new(),
    };
    oai(&format!("<ListRecords>{records}<resumptionToken>{next}</resumptionToken></ListRecords>"))
}

fn repository(_: &str, path: &str, _: &str) -> Vec<u8> {
    if path.starts_with("/oai?verb=Identify") {
        return oai("<Identify><earliestDatestamp>2020-01-01</earliestDatestamp><granularity>YYYY-MM-DD</granularity></Identify>");
    }
    if path.starts_with("/oai?") {
        return list(path);
    }
    let number = |path: &str| path.trim_end_matches(".xml").rsplit('/').next().and_then(|number| number.parse::<usize>().ok());
    let (night, before) = count(path);
    match (path, number(path)) {
        ("/robots.txt", _) => answer("200 OK", "Content-Type: text/plain\r\n", "User-agent: *\nDisallow: /uzdrausta/\n"),
        (_, Some(7)) => answer("404 Not Found", "", ""),
        // Never there in the first night.
        (_, Some(9)) if night == 1 || before == 0 => answer("503 Busy", "Retry-After: 0\r\n", ""),
        (_, Some(1)) if path.ends_with(".xml") => tei(night, 1, "TDM-Reservation: 1\r\n"),
        (path, Some(number)) if path.ends_with(".xml") => tei(night, number, ""),
        (_, Some(number)) => answer(
            "200 OK",
            "Content-Type: text/html\r\n",
            &format!("<html><head><meta name=citation_xml_url content=/tekstas/{number}.xml></head><body>Apie</body></html>"),
        ),
        _ => answer("404 Not Found", "", ""),
    }
}

fn tei(night: u64, number: usize, fields: &str) -> Vec<u8> {
    let lines = (0..4).map(|line| {
        format!(
            "<p>{} {}-oji diena prie ežero buvo rami, ir senas žvejys pasakojo vaikams, kaip {}-aisiais metais ledas nunešė tiltą.</p>",
            word(night, number),
            number * 7 + line,
            number * 31 + line
        )
    });
    let body = format!("<TEI><text><body>{}</body></text></TEI>", lines.collect::<String>());
    answer("200 OK", &format!("Content-Type: application/xml\r\n{fields}"), &body)
}

struct House {
    folder: tempfile::TempDir,
    web: Web,
}

impl House {
    fn new(settings: &str) -> House {
        let (folder, web) = (tempfile::tempdir().expect("a folder"), Web::open("127.0.21.1", repository));
        let house = House { folder, web };
        let recipe = format!(
            "dataset = \"d\"\n[source]\nkind = \"oai-pmh\"\nrepositories = [\"http://{HOST}/oai\"]\ncontact = \"mailto:harvest@example.eu\"\n\
             delay_ms_min = 0\ndelay_factor = 0\nfaults_max = 9\n{settings}\n{}\n[[clean]]\nstage = \"licence\"\nadmit = [\"CC-BY-4.0\"]\n\
             [dedup]\nnear = false\n[[emit]]\nstage = \"tokenize\"\n",
            addresses(&[(HOST, house.web.address)])
        );
        std::fs::write(house.at("recipe.toml"), recipe).expect("room");
        house
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn tamis(&self, verb: &str, night: &str) -> Command {
        let mut command = tamis([verb]);
        command
            .arg(self.at("recipe.toml"))
            .arg("--workspace")
            .arg(self.at("w"))
            .arg("--keys")
            .arg(self.at("keys"))
            .args(["--night", night]);
        command
    }

    fn night(&self, date: &str, settings: &str) -> Command {
        std::fs::write(self.at("night.toml"), format!("{settings}[disk]\nbegin_bytes_min = \"1 B\"\nwork_bytes_min = \"1 B\"\n"))
            .expect("room");
        let mut command = tamis(["night"]);
        command.arg(self.at("recipe.toml")).arg("--workspace").arg(self.at("w")).arg("--keys").arg(self.at("keys"));
        command.arg("--settings").arg(self.at("night.toml")).args(["--date", date, "--json", "--quiet"]);
        command
    }

    /// The numbers of the texts that were asked for.
    fn asked(&self) -> BTreeSet<usize> {
        let asked = self.web.asked().into_keys().filter_map(|path| path.split_once("/tekstas/").map(|(_, rest)| rest.to_owned()));
        asked.map(|path| path.trim_end_matches(".xml").parse().expect("a number")).collect()
    }

    /// How often each record is published.
    fn published(&self) -> BTreeMap<usize, usize> {
        let data = self.at("w/data");
        let rows: Vec<String> = files_below(&data).iter().flat_map(|path| rows_of(&data.join(path))).collect();
        let of = |number: usize| rows.iter().filter(|row| row.contains(&format!("oai-pmh:oai:saugykla:{number} "))).count();
        (1..=20).map(|number| (number, of(number))).filter(|(_, count)| *count > 0).collect()
    }

    /// The files below `w` in which `word` stands.
    fn hits(&self, word: &str) -> Vec<String> {
        let root = self.at("w");
        files_below(&root).iter().filter(|path| hits_of(&root.join(path), word) > 0).map(|path| path.display().to_string()).collect()
    }
}

fn each_once(numbers: impl IntoIterator<Item = usize>) -> BTreeMap<usize, usize> {
    numbers.into_iter().map(|number| (number, 1)).collect()
}

#[test]
fn three_nights_take_only_what_is_new_and_what_was_deleted_is_nowhere_after_the_third() {
    let house = House::new("");
    // Reserved is the first, away the seventh, closed the eleventh; the ninth cannot be had tonight.
    let told = said(&ends_with(&mut house.tamis("run", "2026-11-26"), 0).stderr);
    assert_eq!(house.published(), each_once([2, 3, 4, 5, 6, 8, 10, 12]), "{told}");
    for reason in ["closed-access", "no-full-text", "reserved", "http-503"] {
        assert!(told.contains(reason), "{reason}: {told}");
    }
    assert_eq!(house.asked(), (1..=12).filter(|number| *number != 11).collect());
    assert!(house.hits(&word(1, 1)).iter().all(|file| !file.starts_with("w/data")), "what is reserved is not published");
    // The same night again asks nobody.
    house.web.forget();
    ends_with(&mut house.tamis("run", "2026-11-26"), 0);
    assert!(house.web.asked().is_empty());
    // The second night: two new ones, one changed, and the one that could not be had. The server shows all of them again.
    begin_night(2);
    ends_with(&mut house.tamis("run", "2026-11-27"), 0);
    assert_eq!(house.asked(), [3, 9, 13, 14].into());
    let mut expected = each_once([2, 4, 5, 6, 8, 9, 10, 12, 13, 14]);
    expected.insert(3, 2);
    assert_eq!(house.published(), expected, "the changed one is a text of its own");
    // The third night: one new, one deleted.
    begin_night(3);
    house.web.forget();
    let told = said(&ends_with(&mut house.tamis("run", "2026-11-28"), 0).stderr);
    assert_eq!(house.asked(), [15].into());
    assert!(told.contains("1 address that") || told.contains("1 deleted"), "{told}");
    assert!(!house.hits(&word(3, 5)).is_empty(), "it is still here before the takedown");
    erase(&house, "2026-11-28");
    assert_eq!(house.hits(&word(3, 5)), Vec::<String>::new());
    assert_eq!(house.hits("oai:saugykla:5<"), Vec::<String>::new());
    expected.remove(&5);
    expected.insert(15, 1);
    assert_eq!(house.published(), expected);
    ends_with(tamis(["warc", "check"]).args(archives(&house.at("w"))), 0);
    let told = said(&ends_with(house.tamis("harvest", "2026-11-28").arg("--takedown-plan").arg(house.at("other.json")), 0).stderr);
    assert!(told.contains("there is no plan"), "{told}");
}

/// Plans what was deleted, and carries it out.
fn erase(house: &House, night: &str) {
    let told = said(&ends_with(house.tamis("harvest", night).arg("--takedown-plan").arg(house.at("plan.json")), 0).stdout);
    assert!(told.contains("1 of 13 published documents"), "{told}");
    let mut apply = tamis(["takedown", "apply", "--confirm-large"]);
    ends_with(apply.arg(house.at("plan.json")).arg("--workspace").arg(house.at("w")).arg("--keys").arg(house.at("keys")), 0);
}

fn archives(workspace: &Path) -> Vec<PathBuf> {
    let folder = workspace.join("archive");
    files_below(&folder).into_iter().filter(|path| path.to_string_lossy().ends_with(".warc.gz")).map(|path| folder.join(path)).collect()
}

#[test]
fn a_night_that_takes_few_records_goes_on_in_the_next_one_even_when_its_place_was_lost() {
    let house = House::new("records_max = 4");
    for (night, day) in [(1, "2026-11-26"), (1, "2026-11-27"), (1, "2026-11-28"), (1, "2026-11-29")] {
        begin_night(night);
        ends_with(&mut house.tamis("harvest", day), 0);
    }
    begin_night(2);
    ends_with(&mut house.tamis("run", "2026-11-30"), 0);
    let mut expected = each_once((2..=14).filter(|number| ![7, 11].contains(number)));
    expected.insert(3, 2);
    assert_eq!(house.published(), expected);
}

#[test]
fn a_timer_harvests_each_night_once_within_its_time_and_what_was_killed_is_neither_lost_nor_doubled() {
    let house = House::new("");
    let done = |date: &str, settings: &str, code: i32| -> serde_json::Value {
        serde_json::from_slice(&ends_with(&mut house.night(date, settings), code).stdout).expect("a record")
    };
    // No time at all: nobody is asked for long, and the next night does it all.
    let late = done("2026-11-15", "minutes_max = 0.0001\n", 75);
    assert_eq!((&late["state"], &late["why"]), (&"unfinished".into(), &"time".into()));
    // A night that dies in its harvest, and is never called again.
    begin_night(1);
    let killed = house.night("2026-11-16", "").env("TAMIS_KILL_AT", "10").output().expect("it starts");
    assert_eq!(killed.status.signal(), Some(9), "{}", said(&killed.stderr));
    let before = archives(&house.at("w")).len();
    begin_night(1);
    let night = done("2026-11-17", "", 0);
    assert_eq!(house.published(), each_once([2, 3, 4, 5, 6, 8, 10, 12]), "{before} archives before, {night}");
    assert_eq!((&night["state"], &night["harvest"]["lists_left"]), (&"done".into(), &0.into()));
    house.web.forget();
    let told = said(&ends_with(&mut house.night("2026-11-17", ""), 0).stderr);
    assert!(told.contains("nothing to do") && house.web.asked().is_empty(), "{told}");
    begin_night(2);
    let next = done("2026-11-18", "", 0);
    assert_eq!(next["harvest"]["records"], 4, "two new ones, one changed, and the one that could not be had: {next}");
    let mut expected = each_once([2, 4, 5, 6, 8, 9, 10, 12, 13, 14]);
    expected.insert(3, 2);
    assert_eq!(house.published(), expected);
    begin_night(3);
    let third = done("2026-11-19", "", 0);
    assert_eq!((&third["harvest"]["deleted_waiting"], &third["alarms"][0]["rule"]), (&1.into(), &"deleted-waits".into()), "{third}");
    ends_with(tamis(["warc", "check"]).args(archives(&house.at("w"))), 0);
}

/// Changes to the disk before each of which a harvest is killed: the workspace's own folders come first.
const KILLED_AT: [u32; 6] = [18, 19, 20, 21, 22, 23];

#[test]
fn a_harvest_that_is_killed_anywhere_loses_and_doubles_nothing() {
    for step in KILLED_AT {
        begin_night(2);
        let house = House::new("");
        let killed = house.tamis("harvest", "2026-11-26").env("TAMIS_KILL_AT", step.to_string()).output().expect("it starts");
        assert_eq!(killed.status.signal(), Some(9), "{step}: {}", said(&killed.stderr));
        begin_night(2);
        ends_with(&mut house.tamis("run", "2026-11-26"), 0);
        assert_eq!(house.published(), each_once((2..=14).filter(|number| ![7, 11].contains(number))), "{step}");
        ends_with(tamis(["warc", "check"]).args(archives(&house.at("w"))), 0);
    }
}
