//! The nightly operator: a night is done once, goes on whatever stopped it, tells how it went, and a doctor says whether it could begin.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tamis::workspace::Workspace;

use crate::{ends_with, files_below, promtool_takes, root, said, tamis};

const RECIPE: &str = "dataset = \"d\"\n[source]\nkind = \"jsonl\"\n[limits]\ntask_bytes_max = \"2 kB\"\n[dedup]\nnear = false\n";

/// No alarm for small numbers, no limit of the disk.
const SETTINGS: &str = "[disk]\nbegin_bytes_min = \"1 B\"\nwork_bytes_min = \"1 B\"\n[alarm]\ndocuments_min = 5\n";

struct Station(tempfile::TempDir);

impl Station {
    fn new(settings: &str) -> Station {
        let station = Station(tempfile::tempdir().expect("a folder"));
        let input = format!("input = \"{}/{{date}}/*.jsonl\"\n", station.at("in").display());
        std::fs::write(station.at("recipe.toml"), input + RECIPE).expect("room");
        station.set(settings);
        station
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn set(&self, settings: &str) {
        let metrics = format!("[tell]\nmetrics_file = \"{}\"\n", self.at("night.prom").display());
        let settings = if settings.contains("[tell]") { settings.replace("[tell]\n", &metrics) } else { format!("{settings}{metrics}") };
        std::fs::write(self.at("night.toml"), settings).expect("room");
    }

    /// Lays the pages of a night: `pages` lines in files of eight.
    fn put(&self, date: &str, lang: &str, pages: std::ops::Range<usize>) {
        let folder = self.at("in").join(date);
        std::fs::create_dir_all(&folder).expect("room");
        for page in pages {
            let words: Vec<String> = (0..40).map(|word| format!("sana{}", page * 31 + word)).collect();
            let line = serde_json::json!({ "url": format!("https://{lang}.example/{page}"), "text": words.join(" "), "lang": lang });
            let file = folder.join(format!("{:03}.jsonl", page / 8));
            let mut text = std::fs::read_to_string(&file).unwrap_or_default();
            text += &format!("{line}\n");
            std::fs::write(file, text).expect("room");
        }
    }

    fn night(&self, date: &str) -> Command {
        let mut command = tamis(["night"]);
        command.arg(self.at("recipe.toml")).arg("--workspace").arg(self.at("w")).arg("--keys").arg(self.at("keys"));
        command.arg("--settings").arg(self.at("night.toml")).args(["--date", date, "--json", "--quiet"]);
        command
    }

    fn done(&self, date: &str, code: i32) -> Value {
        serde_json::from_slice(&ends_with(&mut self.night(date), code).stdout).expect("a record")
    }

    fn rows(&self) -> usize {
        let place = self.at("w/data");
        let read = |path: &PathBuf| {
            parquet::file::reader::SerializedFileReader::try_from(place.join(path).as_path()).expect("Parquet").into_iter().count()
        };
        files_below(&place).iter().map(read).sum()
    }

    fn metrics(&self) -> String {
        std::fs::read_to_string(self.at("night.prom")).expect("they are written")
    }

    fn doctor(&self, what: &Path, code: i32) -> Vec<Value> {
        let mut command = tamis(["doctor"]);
        command
            .arg(what)
            .arg("--workspace")
            .arg(self.at("w"))
            .arg("--keys")
            .arg(self.at("keys"))
            .arg("--settings")
            .arg(self.at("night.toml"));
        serde_json::from_slice(&ends_with(command.arg("--json"), code).stdout).expect("a list")
    }
}

fn rules(record: &Value) -> Vec<String> {
    record["alarms"].as_array().expect("a list").iter().map(|alarm| alarm["rule"].as_str().unwrap_or("").to_owned()).collect()
}

#[test]
fn a_night_is_done_once_and_the_next_one_takes_what_is_new() {
    let station = Station::new(SETTINGS);
    station.put("2026-11-20", "fi", 0..20);
    let first = station.done("2026-11-20", 0);
    assert_eq!(
        (&first["state"], &first["tally"]["kept"], first["published"].as_array().map(Vec::len)),
        (&"done".into(), &20.into(), Some(1))
    );
    let told = said(&ends_with(&mut station.night("2026-11-20"), 0).stderr);
    assert!(told.contains("nothing to do"), "{told}");
    // Pages of both nights, of which half repeat.
    station.put("2026-11-21", "fi", 10..30);
    let second = station.done("2026-11-21", 0);
    assert_eq!((&second["tally"]["read"], &second["tally"]["kept"]), (&20.into(), &10.into()));
    assert_eq!(rules(&second), ["reason-grew"], "duplicates are new");
    assert_eq!((station.rows(), &second["manifest"]), (30, &2.into()));
    let metrics = station.metrics();
    assert!(metrics.contains("tamis_night_documents_dropped{dataset=\"d\",stage=\"dedup\",reason=\"exact-duplicate\"} 10\n"), "{metrics}");
    promtool_takes(&metrics);
    // A night that brings nothing is done, and says that this is unusual; one that was missed can be made up for.
    let silent = station.done("2026-11-23", 0);
    assert_eq!((&silent["state"], rules(&silent)), (&"done".into(), vec!["nothing-read".to_owned()]));
    station.put("2026-11-22", "mt", 100..110);
    assert_eq!(station.done("2026-11-22", 0)["tally"]["kept"], 10);
    assert_eq!(station.rows(), 40);
    let log = std::fs::read_to_string(station.at("w/_tamis/logs/2026-11-22-d.jsonl")).expect("a log");
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(
        events.iter().map(|event| event["event"].as_str().unwrap_or("")).collect::<Vec<_>>(),
        ["begins", "plans", "published", "ends"]
    );
    let everything = log + &station.metrics() + &silent.to_string();
    assert!(!everything.contains("mt.example") && !everything.contains("sana"), "no host and no text is told");
}

#[test]
fn when_the_time_is_up_the_next_night_finishes_the_work_and_then_does_its_own() {
    let station = Station::new(SETTINGS);
    station.set(&format!("minutes_max = 0.0001\n{SETTINGS}"));
    station.put("2026-11-20", "fi", 0..20);
    let late = station.done("2026-11-20", 75);
    assert_eq!((&late["state"], &late["why"], station.rows()), (&"unfinished".into(), &"time".into(), 0));
    assert_eq!(rules(&late), ["not-done"]);
    station.set(SETTINGS);
    station.put("2026-11-21", "fi", 50..60);
    let next = station.done("2026-11-21", 0);
    assert_eq!((next["published"].as_array().map(Vec::len), &next["tally"]["kept"], station.rows()), (Some(2), &30.into(), 30));
    assert_eq!(next["plans"][0], late["plans"][0], "the work of the night before was gone on with");
    assert!(station.metrics().contains("tamis_night_done{dataset=\"d\"} 1\n"));
}

#[test]
fn a_night_that_is_killed_anywhere_publishes_once_in_the_end() {
    let station = Station::new(SETTINGS);
    station.put("2026-11-20", "fi", 0..20);
    let mut deaths = 0;
    for step in (1..).step_by(3) {
        let output = station.night("2026-11-20").env("TAMIS_KILL_AT", step.to_string()).output().expect("it starts");
        if output.status.code() == Some(0) {
            break;
        }
        assert_eq!(output.status.signal(), Some(9), "{}", said(&output.stderr));
        deaths += 1;
    }
    assert!(deaths > 8, "{deaths}");
    let done = station.done("2026-11-20", 0);
    assert_eq!((&done["tally"]["kept"], station.rows(), done["published"].as_array().map(Vec::len)), (&20.into(), 20, Some(1)));
    assert!(done["tries"].as_u64().expect("a number") > 3, "{done}");
    ends_with(tamis(["verify"]).arg(station.at("w/data/d")), 0);
}

#[test]
fn of_two_timers_one_works_and_the_other_touches_nothing() {
    let station = Station::new(SETTINGS);
    station.put("2026-11-20", "fi", 0..10);
    let workspace = Workspace::open(&station.at("w")).expect("room");
    {
        let _other = workspace.lock().expect("free");
        let told = said(&ends_with(&mut station.night("2026-11-20"), 75).stderr);
        assert!(told.contains("another tamis"), "{told}");
    }
    assert!(files_below(&station.at("w/_tamis/nights")).is_empty() && !station.at("night.prom").exists());
    assert_eq!(station.done("2026-11-20", 0)["tries"], 1);
    // Two processes in earnest: whoever comes second is turned away, or finds the night done.
    station.put("2026-11-21", "fi", 20..60);
    let mut pair = [station.night("2026-11-21"), station.night("2026-11-21")]
        .map(|mut command| command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().expect("it starts"));
    let codes: Vec<Option<i32>> = pair.iter_mut().map(|child| child.wait().expect("it ends").code()).collect();
    assert!(codes.contains(&Some(0)) && codes.iter().all(|code| matches!(code, Some(0 | 75))), "{codes:?}");
    let done = station.done("2026-11-21", 0);
    assert_eq!((&done["tries"], &done["published"].as_array().map(Vec::len), station.rows()), (&1.into(), &Some(1), 50));
}

#[test]
fn a_night_without_room_does_not_begin_and_one_to_come_neither() {
    let station = Station::new("[disk]\nbegin_bytes_min = \"900000 TB\"\nwork_bytes_min = \"1 B\"\n");
    station.put("2026-11-20", "fi", 0..10);
    let output = ends_with(&mut station.night("2026-11-20"), 75);
    assert!(said(&output.stderr).contains("disk.begin_bytes_min"), "{}", said(&output.stderr));
    assert!(station.metrics().contains("state=\"unfinished\",why=\"disk\""), "{}", station.metrics());
    let told = said(&ends_with(&mut station.night("2999-01-01"), 2).stderr);
    assert!(told.contains("yet to come"), "{told}");
}

#[test]
fn a_mail_server_that_is_down_and_a_webhook_that_is_gone_do_not_change_the_night() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let tell = format!(
        "[tell]\nalways = true\nmail_to = \"op@example.eu\"\nmail_from = \"tamis@example.eu\"\nwebhook = \"http://{free}/\"\n\
         mail_command = [\"sh\", \"-c\", \"echo 'connect to localhost: Connection refused' >&2; exit 75\"]\n"
    );
    let station = Station::new(&format!("{SETTINGS}{tell}"));
    station.put("2026-11-20", "fi", 0..10);
    let output = ends_with(&mut station.night("2026-11-20"), 0);
    let told = said(&output.stderr);
    assert!(
        told.contains("mail could not be told") && told.contains("Connection refused") && told.contains("webhook could not be told"),
        "{told}"
    );
    let metrics = station.metrics();
    for way in ["mail", "webhook"] {
        assert!(metrics.contains(&format!("tamis_night_told{{dataset=\"d\",way=\"{way}\"}} 0\n")), "{metrics}");
    }
    assert_eq!(station.rows(), 10);
}

#[test]
fn a_doctor_finds_what_would_stop_a_night() {
    let station = Station::new(SETTINGS);
    station.put("2026-11-20", "fi", 0..10);
    station.done("2026-11-20", 0);
    let bad = |checks: &[Value]| -> Vec<String> {
        checks.iter().filter(|check| check["health"] == "bad").map(|check| format!("{}: {}", check["what"], check["says"])).collect()
    };
    assert!(bad(&station.doctor(&station.at("recipe.toml"), 0)).is_empty());
    assert!(bad(&station.doctor(&station.at("w"), 0)).is_empty());
    let recipe = std::fs::read_to_string(station.at("recipe.toml")).expect("ours");
    std::fs::write(station.at("other.toml"), recipe.replace("near = false", "near = \"strict\"")).expect("room");
    let found = bad(&station.doctor(&station.at("other.toml"), 1));
    assert!(found.len() == 1 && found[0].contains("another recipe"), "{found:?}");
    // The newest night lies in the future, so the clock was set back; a file of the index is gone.
    let path = station.at("w/_tamis/nights/d/2026-11-20.json");
    let record = std::fs::read_to_string(&path).expect("a record");
    let mut later: Value = serde_json::from_str(&record).expect("JSON");
    later["ended"] = "2999-01-01T00:00:00Z".into();
    std::fs::write(&path, later.to_string()).expect("room");
    let index = files_below(&station.at("w/_tamis/index"));
    std::fs::remove_file(station.at("w/_tamis/index").join(&index[0])).expect("ours");
    let found = bad(&station.doctor(&station.at("w"), 1));
    assert!(found.len() == 2 && found[0].contains("clock") && found[1].contains("index"), "{found:?}");
}

#[test]
fn retention_removes_what_is_old_and_a_takedown_still_works() {
    let station = Station::new(&format!("{SETTINGS}[keep]\nrejects_days = 1\nlog_days = 1\n"));
    station.put("2026-11-20", "fi", 0..10);
    station.put("2026-11-20", "sv", 5..10);
    station.done("2026-11-20", 0);
    let rejects = || files_below(&station.at("w/_tamis/rejects")).len();
    assert!(rejects() > 0);
    for file in files_below(&station.at("w/_tamis/rejects")) {
        let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 86_400);
        let file = std::fs::OpenOptions::new().write(true).open(station.at("w/_tamis/rejects").join(file)).expect("ours");
        file.set_modified(old).expect("ours");
    }
    let next = station.done("2026-11-21", 0);
    assert_eq!(rejects(), 0);
    assert!(next["removed"]["rejects"][0].as_u64() > Some(0), "{next}");
    ends_with(tamis(["verify"]).arg(station.at("w/data/d")), 0);
    let plan = station.at("plan.json");
    let mut command =
        tamis(["takedown", "plan", "--url", "https://fi.example/3", "--reason", "gdpr-17", "--received", "2026-11-22", "--out"]);
    ends_with(command.arg(&plan).arg("--workspace").arg(station.at("w")).arg("--keys").arg(station.at("keys")), 0);
    let mut command = tamis(["takedown", "apply", "--confirm-large"]);
    ends_with(command.arg(&plan).arg("--workspace").arg(station.at("w")).arg("--keys").arg(station.at("keys")), 0);
    assert_eq!(station.rows(), 9);
}

/// A collector on loopback that takes what is posted to it until it is dropped.
struct Collector {
    address: std::net::SocketAddr,
    heard: std::sync::Arc<std::sync::Mutex<Vec<(String, String)>>>,
}

impl Collector {
    fn open() -> Collector {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let (address, heard) = (listener.local_addr().expect("an address"), std::sync::Arc::<std::sync::Mutex<Vec<_>>>::default());
        let into = std::sync::Arc::clone(&heard);
        // It ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.expect("somebody comes"));
                let (mut head, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).expect("a head");
                    if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().expect("a number");
                    }
                    head += &line;
                    if line.trim().is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).expect("a body");
                stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").expect("it reads");
                into.lock().expect("no panic").push((head, said(&body)));
            }
        });
        Collector { address, heard }
    }

    /// All spans that came.
    fn spans(&self) -> Vec<Value> {
        let heard = self.heard.lock().expect("no panic");
        let spans = heard.iter().flat_map(|(head, body)| {
            assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n") && head.contains("Content-Type: application/json\r\n"), "{head}");
            let request: Value = serde_json::from_str(body).expect("JSON");
            let resource = &request["resourceSpans"][0];
            assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "tamis");
            resource["scopeSpans"][0]["spans"].as_array().expect("spans").clone()
        });
        spans.collect()
    }
}

#[test]
fn a_collector_gets_a_span_for_each_thing_that_a_night_does() {
    let collector = Collector::open();
    let station = Station::new(&format!("{SETTINGS}[tell]\notlp_endpoint = \"http://{}\"\n", collector.address));
    station.put("2026-11-20", "fi", 0..20);
    let done = station.done("2026-11-20", 0);
    let spans = collector.spans();
    let named = |name: &str| spans.iter().filter(|span| span["name"] == name).collect::<Vec<_>>();
    let value = |span: &Value, key: &str| {
        let attributes = span["attributes"].as_array().expect("a list").iter();
        attributes.clone().find(|known| known["key"] == key).map(|known| known["value"].clone()).unwrap_or_default()
    };
    let night = named("night")[0];
    assert_eq!((value(night, "tamis.documents.kept")["intValue"].as_str(), &night["parentSpanId"]), (Some("20"), &"".into()));
    let plan = named("plan")[0];
    assert_eq!((&plan["parentSpanId"], &value(plan, "tamis.plan")["stringValue"]), (&night["spanId"], &done["plans"][0]));
    let stages: Vec<Value> = named("stage").iter().map(|stage| value(stage, "tamis.stage")["stringValue"].clone()).collect();
    assert_eq!(stages, ["clean", "decide", "emit"]);
    assert!(named("stage").iter().all(|stage| stage["parentSpanId"] == plan["spanId"]));
    let tasks: Vec<usize> =
        named("stage").iter().map(|stage| named("task").iter().filter(|task| task["parentSpanId"] == stage["spanId"]).count()).collect();
    assert!(tasks.iter().all(|count| *count > 0) && tasks[0] > 1, "{tasks:?}");
    assert!(spans.iter().all(|span| span["traceId"] == night["traceId"] && span["status"] == serde_json::json!({})));
    let text = serde_json::to_string(&spans).expect("JSON");
    assert!(
        !text.contains("fi.example") && !text.contains("sana") && !text.contains(&station.at("in").display().to_string()),
        "no host, text or path"
    );
    assert!(station.metrics().contains("tamis_night_told{dataset=\"d\",way=\"otlp\"} 1\n"));
    // A night that is stopped tells it; one whose collector is gone ends well.
    station.set(&format!("minutes_max = 0.0001\n{SETTINGS}[tell]\notlp_endpoint = \"http://{}\"\n", collector.address));
    station.put("2026-11-21", "fi", 30..50);
    station.done("2026-11-21", 75);
    let stopped = collector.spans().into_iter().filter(|span| span["status"]["code"] == 2).collect::<Vec<_>>();
    assert!(["night", "plan", "stage"].iter().all(|name| stopped.iter().any(|span| span["name"] == *name)), "{stopped:?}");
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    station.set(&format!("{SETTINGS}[tell]\notlp_endpoint = \"http://{free}\"\n"));
    let told = said(&ends_with(&mut station.night("2026-11-21"), 0).stderr);
    assert!(told.contains("otlp could not be told") && station.rows() == 40, "{told}");
}

#[test]
fn the_shell_and_man_know_every_verb() {
    let folder = tempfile::tempdir().expect("a folder");
    ends_with(tamis(["manual"]).arg(folder.path()), 0);
    let pages = files_below(folder.path());
    for name in ["tamis.1", "tamis-night.1", "tamis-takedown-plan.1"] {
        assert!(pages.iter().any(|page| page == Path::new(name)), "{pages:?}");
    }
    let page = std::fs::read_to_string(folder.path().join("tamis-night.1")).expect("a page");
    assert!(page.starts_with(".ie") || page.contains(".TH tamis-night 1") || page.contains(".TH"), "{page}");
    for shell in ["bash", "zsh", "fish"] {
        let words = said(&ends_with(&mut tamis(["completions", shell]), 0).stdout);
        assert!(words.contains("night") && words.contains("takedown"), "{shell}");
    }
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    if !Command::new("systemd-analyze").arg("--version").status().is_ok_and(|status| status.success()) {
        println!("SKIPPED: there is no systemd-analyze here");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for unit in ["tamis-night.service", "tamis-night.timer"] {
        let text = std::fs::read_to_string(root().join("packaging/systemd").join(unit)).expect("it is in the house");
        std::fs::write(folder.path().join(unit), text.replace("/usr/bin/tamis", env!("CARGO_BIN_EXE_tamis"))).expect("room");
    }
    let units = ["tamis-night.service", "tamis-night.timer"].map(|unit| folder.path().join(unit));
    let output =
        Command::new("systemd-analyze").args(["verify", "--man=no", "--recursive-errors=no"]).args(units).output().expect("it starts");
    let told = said(&output.stderr);
    assert!(output.status.success() && !told.contains("tamis"), "{told}");
}

#[test]
fn what_the_debian_package_installs_is_in_the_house() {
    let cargo: toml::Table = std::fs::read_to_string(root().join("Cargo.toml")).expect("ours").parse().expect("TOML");
    let deb = &cargo["package"]["metadata"]["deb"];
    let assets = deb["assets"].as_array().expect("a list");
    for asset in assets.iter().map(|asset| asset[0].as_str().expect("a path")).filter(|path| !path.starts_with("packaging/made/")) {
        let found = glob::glob(&root().join(asset).to_string_lossy()).expect("a pattern").count();
        assert!(found > 0, "{asset}");
    }
    for conf in deb["conf-files"].as_array().expect("a list") {
        let path = conf.as_str().expect("a path").trim_start_matches('/');
        assert!(assets.iter().any(|asset| asset[1].as_str() == Some(path)), "{path}");
    }
}
