//! The page shows a workspace to who has a token, never runs what crawled pages say, and erases only what two officers want erased.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use regex::Regex;
use serde_json::Value;

use crate::inspect::stored;
use crate::takedown::{member, page};
use crate::{ends_with, files_below, promtool_takes, root, said, tamis};

const RECIPE: &str = "dataset = \"d\"\n[source]\nkind = \"warc\"\n[[clean]]\nstage = \"extract\"\n[[emit]]\nstage = \"tokenize\"\n";
/// What somebody might write into a page so that it runs in ours; `MARK` is a call that a browser test can see.
fn vectors() -> Vec<String> {
    serde_json::from_str(include_str!("../browser/vectors.json")).expect("a list of texts")
}

fn payloads() -> Vec<String> {
    let mark = |number: usize| format!("top.document.title='ran{number}'");
    let vectors = vectors();
    let each = |turn: usize| {
        vectors.iter().enumerate().map(move |(at, vector)| vector.replace("MARK", &mark(turn * 100 + at))).collect::<Vec<_>>()
    };
    (0..4).flat_map(each).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// A page that has the payload in its title, in its text and address, and as live markup.
fn infected(number: usize, payload: &str) -> Vec<u8> {
    let said = escaped(payload);
    let sound = page(number + 100, "Mutter");
    let title = format!("<title>Seite {number} {said}</title>");
    let sound = Regex::new("<title>.*?</title>").expect("a pattern").replace(&sound, regex::NoExpand(&title)).into_owned();
    let own =
        format!("<p>Auf der Tafel im Dorf stand am Morgen: {said} und niemand wusste, wer das geschrieben hatte.</p></article>{payload}");
    let path: String = url::form_urlencoded::byte_serialize(payload.as_bytes()).collect();
    member("response", &format!("https://tafel.example.eu/{number}?{path}"), "200 OK", &sound.replace("</article>", &own))
}

struct House {
    folder: tempfile::TempDir,
}

impl House {
    /// A workspace with one night of these records.
    fn of(records: &[Vec<u8>]) -> House {
        let house = House { folder: tempfile::tempdir().expect("a folder") };
        std::fs::write(house.at("recipe.toml"), RECIPE).expect("room");
        std::fs::create_dir_all(house.at("w/archive/night")).expect("room");
        house.night("a", records);
        house
    }

    fn night(&self, name: &str, records: &[Vec<u8>]) {
        std::fs::write(self.at(&format!("w/archive/night/{name}.warc.gz")), records.concat()).expect("room");
        let mut run = tamis(["run"]);
        run.arg(self.at("recipe.toml")).arg("--workspace").arg(self.at("w")).arg("--keys").arg(self.at("keys"));
        ends_with(run.arg("--set").arg(format!("input={}", self.at("w/archive/night/*.warc.gz").display())), 0);
    }

    fn small() -> House {
        let records: Vec<Vec<u8>> = (10..14)
            .map(|number| member("response", &format!("https://dorf.example.eu/{number}"), "200 OK", &page(number, "Oma")))
            .collect();
        House::of(&records)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn serve(&self) -> Server {
        Server::start(&self.at("w"), &self.at("keys"))
    }

    fn rows(&self) -> Vec<Value> {
        stored(&self.at("w/data"))
    }
}

struct Server {
    child: Child,
    address: String,
    links: BTreeMap<String, String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Only this child: it may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn field(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next().unwrap_or_default()
    }

    #[track_caller]
    fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.body);
        self
    }
}

impl Server {
    fn start(workspace: &Path, keys: &Path) -> Server {
        Server::start_with(workspace, keys, &[])
    }

    fn start_with(workspace: &Path, keys: &Path, words: &[&str]) -> Server {
        let mut command = tamis(["serve", "--listen", "127.0.0.1:0", "--officer", "anna", "--officer", "bert", "--json"]);
        command.args(words);
        command.arg(workspace).arg("--keys").arg(keys).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it says where it listens");
        let told: Value = serde_json::from_str(&line).expect("JSON");
        let links = told["links"].as_object().expect("links").iter();
        let links = links.map(|(name, link)| (name.clone(), link.as_str().expect("a link").to_owned())).collect();
        Server { child, address: told["listen"].as_str().expect("an address").to_owned(), links }
    }

    fn ask(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("it answers");
        let text = said(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn get(&self, path: &str, cookie: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{cookie}\r\n", self.address))
    }

    fn post(&self, path: &str, cookie: &str, pairs: &[(&str, &str)]) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        let form = form.finish();
        let kind = "Content-Type: application/x-www-form-urlencoded";
        let length = form.len();
        let head = format!("POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{kind}\r\nContent-Length: {length}\r\n", self.address);
        self.ask(&format!("{head}{cookie}\r\n{form}"))
    }

    /// Comes in by the link of `name`; answers the header with the cookie.
    fn enter(&self, name: &str) -> String {
        let path = self.links[name].split_once(&self.address).expect("our address").1.to_owned();
        let answer = self.get(&path, "").is(303);
        let cookie = answer.field("set-cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(&path[20..]), "{cookie}");
        format!("Cookie: {}\r\n", cookie.split(';').next().expect("a pair"))
    }

    fn csrf(&self, cookie: &str) -> String {
        let body = self.get("/", cookie).is(200).body;
        let found = Regex::new("name=\"csrf\" value=\"([0-9a-f]{64})\"").expect("a pattern").captures(&body).expect("a form");
        found[1].to_owned()
    }

    /// Follows a job to the page that it ends with.
    fn follow(&self, first: &Answer, cookie: &str) -> String {
        let path = first.field("location").to_owned();
        for _ in 0..600 {
            let answer = self.get(&path, cookie);
            if answer.status == 303 {
                return answer.field("location").to_owned();
            }
            assert!(answer.status == 429 || answer.body.contains("data-again"), "{}", answer.body);
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{path} does not end");
    }
}

#[test]
fn metrics_are_for_everybody_where_that_is_wished_and_name_nobody() {
    let house = House::small();
    let told = |server: &Server, status: u16| server.get("/metrics", "").is(status).body;
    assert!(!told(&house.serve(), 401).contains("tamis_"), "nobody wished for it");
    let server = Server::start_with(&house.at("w"), &house.at("keys"), &["--metrics"]);
    let page = told(&server, 200);
    for line in
        ["tamis_dataset_documents{dataset=\"d\",lang=\"und\"} 4\n", "tamis_takedown_requests_overdue 0\n", "tamis_takedowns_total 0\n"]
    {
        assert!(page.contains(line), "{line} in\n{page}");
    }
    assert!(!page.contains("dorf") && !page.contains("example.eu"), "{page}");
    promtool_takes(&page);
    let documented = std::fs::read_to_string(root().join("docs/night.md")).expect("ours");
    for (name, kind, help) in tamis::serve::metrics::METRICS.iter().chain(tamis::night::metrics::METRICS) {
        assert!(documented.contains(&format!("| `{name}` | {kind} | {help} |")), "{name} is not in docs/night.md");
    }
    assert!(server.get("/", "").status != 200, "all else wants a token as before");
}

#[test]
fn without_a_token_nothing_is_shown() {
    let house = House::small();
    let server = house.serve();
    let id = house.rows()[0]["id"].as_str().expect("an id").to_owned();
    let shown =
        ["/", "/live", "/search", "/search?q=Oma", "/recipes", "/recipes/x", "/compare", "/takedown", "/takedown/job/1", "/nothing"];
    let mut pages: Vec<String> = shown.iter().map(|path| (*path).to_owned()).collect();
    pages.extend(["", "/cluster", "/original"].map(|end| format!("/document/{id}{end}")));
    pages.extend([format!("/takedown/pending/{}", "0".repeat(64)), "/takedown/receipt/1".to_owned(), "/language/de".to_owned()]);
    for path in &pages {
        for cookie in ["", "Cookie: tamis=x; tamis-8765=00\r\n"] {
            let answer = server.get(path, cookie).is(401);
            assert!(!answer.body.contains("dorf.example.eu") && !answer.body.contains(&id), "{path}");
        }
    }
    let hash = "0".repeat(64);
    let changing = ["/leave", "/takedown/plan", "/takedown/register", "/takedown/register/1/extend", "/takedown/register/1/refuse"];
    let mut forms: Vec<String> = changing.iter().map(|path| (*path).to_owned()).collect();
    forms.extend(["approve", "withdraw"].map(|verb| format!("/takedown/pending/{hash}/{verb}")));
    std::thread::sleep(Duration::from_secs(1));
    for path in &forms {
        server.post(path, "", &[("csrf", "x")]).is(401);
    }
    for path in ["/style.css", "/page.js", "/sign.svg"] {
        server.get(path, "").is(200);
    }
    server.get("/enter?token=0000", "").is(401);
    let reader = server.enter("reader");
    let answer = server.get("/", &reader).is(200);
    for (field, value) in [
        ("content-security-policy", "default-src 'none'"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
    ] {
        assert!(answer.field(field).contains(value), "{field}: {}", answer.field(field));
    }
    assert!(!answer.field("content-security-policy").contains("unsafe"));
    // Readers look; and a form without the session's secret, or from elsewhere, does nothing.
    server.get("/takedown", &reader).is(403);
    for path in &forms {
        server.post(path, &reader, &[("csrf", &"0".repeat(64))]).is(403);
    }
    let csrf = server.csrf(&reader);
    server.post("/leave", &format!("{reader}Sec-Fetch-Site: cross-site\r\n"), &[("csrf", &csrf)]).is(403);
    server.post("/takedown/plan", &reader, &[("csrf", &csrf), ("kind", "host"), ("value", "dorf.example.eu")]).is(403);
    server.post("/leave", &reader, &[("csrf", &csrf)]).is(303);
    server.get("/", &reader).is(401);
}

/// What a page may hold if nothing that was crawled became markup.
#[track_caller]
fn is_sound(body: &str, of: &str) {
    let pattern = |written: &str| Regex::new(written).expect("a pattern");
    let (tags, values) = (pattern("<[A-Za-z!/][^<>]*>"), pattern("\"[^\"]*\""));
    let (active, elsewhere) = (pattern(r"[\s/]on[a-z]+\s*=|\sstyle=|'"), pattern(r#"(href|src|action)="\s*[a-z]+:"#));
    let ours = "a article bdi body br button code dd del details dl div dt footer form h1 h2 h3 head header html iframe img input ins label li link main mark \
                meta nav ol option p pre progress rect script section select small span strong summary svg table tbody td textarea th thead \
                title tr ul caption";
    let ours: Vec<&str> = ours.split(' ').collect();
    for tag in tags.find_iter(body).map(|tag| tag.as_str()).filter(|tag| !tag.starts_with("<!")) {
        let name = tag.trim_start_matches(['<', '/']).split([' ', '>', '/']).next().unwrap_or_default();
        assert!(ours.contains(&name), "{of}: {tag}");
        assert!(name != "script" || tag == "</script>" || tag.contains("src=\"/page.js\""), "{of}: {tag}");
        assert!(!active.is_match(&values.replace_all(tag, "\"\"").to_lowercase()), "{of}: {tag}");
        assert!(!elsewhere.is_match(&tag.to_lowercase()), "{of}: {tag}");
    }
}

#[test]
fn what_pages_say_never_becomes_markup() {
    let payloads = payloads();
    assert!(payloads.len() >= 100);
    let records: Vec<Vec<u8>> = payloads.iter().enumerate().map(|(number, payload)| infected(number, payload)).collect();
    let house = House::of(&records);
    let rows = house.rows();
    let said_by = |row: &Value| ["title", "text", "url"].iter().any(|name| row[*name].as_str().is_some_and(|text| text.contains("ran")));
    assert!(rows.iter().filter(|row| said_by(row)).count() >= 100, "{} rows", rows.len());
    let server = house.serve();
    let anna = server.enter("anna");
    let csrf = server.csrf(&anna);
    let wanted =
        [("csrf", csrf.as_str()), ("kind", "host"), ("value", "tafel.example.eu"), ("reason", "<b onclick=x>"), ("received", "2026-01-05")];
    let plan = server.post("/takedown/plan", &anna, &wanted).is(303);
    let preview = server.follow(&plan, &anna);
    let entered =
        [("csrf", csrf.as_str()), ("received", "2026-01-05"), ("reason", payloads[1].as_str()), ("reference", payloads[3].as_str())];
    server.post("/takedown/register", &anna, &entered).is(303);
    let mut paths: Vec<String> = ["/", "/search?q=Tafel", "/draw?n=50", "/recipes", "/compare", "/takedown"].map(str::to_owned).to_vec();
    paths.extend([preview, "/search?host=tafel.example.eu&q=stand".to_owned()]);
    paths.extend(payloads.iter().step_by(9).map(|payload| {
        let q: String = url::form_urlencoded::byte_serialize(payload.as_bytes()).collect();
        format!("/search?q={q}&host={q}&lang={q}&from={q}")
    }));
    paths.extend(payloads.iter().step_by(20).map(|payload| {
        let value: String = url::form_urlencoded::byte_serialize(payload.as_bytes()).collect();
        format!("/takedown?kind=url&value={value}")
    }));
    let ids: Vec<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    paths.extend(ids.iter().map(|id| format!("/document/{id}")));
    let mut seen = 0;
    for path in &paths {
        let mut answer = server.get(path, &anna);
        while answer.status == 429 {
            std::thread::sleep(Duration::from_millis(300));
            answer = server.get(path, &anna);
        }
        is_sound(&answer.is(200).body, path);
        seen += 1;
    }
    assert!(seen > 110);
    std::thread::sleep(Duration::from_secs(1));
    for id in ids.iter().step_by(10) {
        let frame = server.get(&format!("/document/{id}/original"), &anna).is(200);
        let policy = frame.field("content-security-policy");
        assert!(policy.starts_with("sandbox; default-src 'none'") && !policy.contains("allow"), "{policy}");
        assert!(frame.body.contains("Mutter"), "it is the page: {}", frame.body);
    }
}

#[test]
fn a_document_goes_when_two_officers_want_it() {
    let word = "zqkanarienvogel";
    let url = format!("https://{word}.example.eu/leben.html");
    let mut records: Vec<Vec<u8>> =
        (10..14).map(|number| member("response", &format!("https://dorf.example.eu/{number}"), "200 OK", &page(number, "Oma"))).collect();
    records.push(member("response", &url, "200 OK", &page(3, word)));
    let house = House::of(&records);
    let row = house.rows().into_iter().find(|row| row["url"].as_str().is_some_and(|of| of.contains(word))).expect("it is published");
    let id = row["id"].as_str().expect("an id");
    let server = house.serve();
    let (anna, bert) = (server.enter("anna"), server.enter("bert"));
    let (secret_of_anna, secret_of_bert) = (server.csrf(&anna), server.csrf(&bert));
    let found = server.get(&format!("/search?q={word}"), &anna).is(200);
    assert!(found.body.contains(id) && server.get(&format!("/document/{id}"), &anna).is(200).body.contains(word));
    assert!(server.get(&format!("/search?q={url}"), &anna).is(303).field("location").ends_with(id));
    let entered = [("csrf", secret_of_anna.as_str()), ("received", "2026-11-20"), ("reason", "gdpr-17"), ("reference", "az 7")];
    server.post("/takedown/register", &anna, &entered).is(303);
    assert!(server.get("/takedown", &anna).is(200).body.contains("2026-12-20"), "the due date");
    let wanted = [("csrf", secret_of_anna.as_str()), ("kind", "url"), ("value", url.as_str()), ("request", "1")];
    let preview = server.follow(&server.post("/takedown/plan", &anna, &wanted).is(303), &anna);
    assert!(server.get(&preview, &anna).is(200).body.contains(id), "the preview names it");
    let approve = format!("{preview}/approve");
    let decided = |secret: &str| [("csrf", secret.to_owned()), ("large", "yes".to_owned()), ("sure", "yes".to_owned())];
    let send = |cookie: &str, secret: &str| {
        let decided = decided(secret);
        let pairs: Vec<(&str, &str)> = decided.iter().map(|(name, value)| (*name, value.as_str())).collect();
        server.post(&approve, cookie, &pairs)
    };
    send(&anna, &secret_of_anna).is(403);
    send(&bert, &secret_of_anna).is(403);
    assert!(server.get(&format!("/document/{id}"), &bert).is(200).body.contains(word), "nothing happened yet");
    let receipt = server.follow(&send(&bert, &secret_of_bert).is(303), &bert);
    assert_eq!(receipt, "/takedown/receipt/1");
    assert!(server.get(&receipt, &bert).is(200).body.contains("signature holds"));
    for path in [format!("/document/{id}"), format!("/search?q={url}")] {
        let gone = server.get(&path, &anna).is(410);
        assert!(gone.body.contains("number 1"), "{}", gone.body);
    }
    server.get(&preview, &anna).is(404);
    assert!(!server.get(&format!("/search?q={word}"), &anna).is(200).body.contains(id));
    let list = server.get("/takedown", &anna).is(200).body;
    assert!(list.contains("done on") && list.contains("/takedown/receipt/1"));
    // Neither the log nor anything else here names what was erased, or who did it.
    let mut lines = 0;
    for path in files_below(&house.at("w")) {
        let bytes = std::fs::read(house.at("w").join(&path)).expect("ours");
        let is_log = path.starts_with("_tamis/audit");
        lines += if is_log { said(&bytes).lines().count() } else { 0 };
        for name in [word, id, &url].into_iter().chain(["anna", "bert"].into_iter().filter(|_| is_log)) {
            assert!(memchr::memmem::find(&bytes, name.as_bytes()).is_none(), "{name} in {}", path.display());
        }
    }
    assert!(lines > 10, "{lines} lines of the audit log");
}

#[test]
fn pages_speak_three_languages_and_two_nights_are_compared() {
    let house = House::small();
    let server = house.serve();
    let reader = server.enter("reader");
    for (field, title, lang) in [
        ("", "Overview", "en"),
        ("Accept-Language: fr-CH, en\r\n", "Vue d’ensemble", "fr"),
        ("Accept-Language: xx, de;q=0.5\r\n", "Übersicht", "de"),
    ] {
        let body = server.get("/", &format!("{reader}{field}")).is(200).body;
        assert!(body.contains(title) && body.contains(&format!("<html lang=\"{lang}\">")), "{field}");
    }
    let chosen = server.get("/language/de?back=%2Fsearch%3Fq%3DOma", &reader).is(303);
    assert_eq!(chosen.field("location"), "/search?q=Oma");
    assert!(chosen.field("set-cookie").starts_with("tamis-language=de;"));
    for away in ["//example.eu", "https://example.eu", "/\\example.eu", ""] {
        let back: String = url::form_urlencoded::byte_serialize(away.as_bytes()).collect();
        assert_eq!(server.get(&format!("/language/fr?back={back}"), &reader).is(303).field("location"), "/", "{away}");
    }
    server.get("/language/xx", &reader).is(404);
    house.night("b", &[member("response", "https://dorf.example.eu/99", "200 OK", &page(55, "Opa"))]);
    let body = server.get("/compare", &reader).is(200).body;
    assert!(body.contains("Both nights have the same recipe"), "{body}");
    assert!(server.get("/search?q=Opa", &reader).is(200).body.contains("dorf.example.eu/99"), "a new night is seen without a new start");
    let plan = Regex::new("/recipes/([0-9a-f]+)").expect("a pattern");
    let recipes = server.get("/recipes", &reader).is(200).body;
    let plan = plan.find(&recipes).expect("a plan").as_str();
    assert!(server.get(plan, &reader).is(200).body.contains("stage = &quot;extract&quot;"));
    for wrong in ["/recipes/../x", "/recipes/abc", "/document/xyz", "/compare?a=7", "/?set=none", "/search?set=none"] {
        server.get(wrong, &reader).is(404);
    }
}

#[test]
fn whoever_asks_too_often_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("w/_tamis")).expect("room");
    let server = Server::start(&folder.path().join("w"), &folder.path().join("keys"));
    let reader = server.enter("reader");
    assert!(server.get("/", &reader).is(200).body.contains("Nothing has been published"));
    // All at once on one connection, so that no slow machine spreads them.
    let one = |last: &str| format!("GET /recipes HTTP/1.1\r\nHost: {}\r\n{last}{reader}\r\n", server.address);
    let rush = server.ask(&(one("").repeat(150) + &one("Connection: close\r\n")));
    let all = rush.head + &rush.body;
    assert!(all.contains("HTTP/1.1 200") && all.contains("HTTP/1.1 429") && all.to_lowercase().contains("retry-after: 2"));
    std::thread::sleep(Duration::from_millis(2_100));
    server.get("/recipes", &reader).is(200);
}

#[test]
fn a_workspace_in_any_state_is_told_and_stops_nothing() {
    let house = House::small();
    let server = house.serve();
    let reader = server.enter("reader");
    let manifest = house.at("w/_tamis/manifest/00000001.json");
    let sound = std::fs::read_to_string(&manifest).expect("ours");
    let written = |text: &str| {
        // A manifest is never changed in its place; a new file also tells the folder.
        let _ = std::fs::remove_file(&manifest);
        std::fs::write(&manifest, text).expect("room");
    };
    written(&sound.replace("\"version\": 1", "\"version\": 2"));
    assert!(server.get("/", &reader).is(503).body.contains("newer tamis"));
    written("{");
    assert!(server.get("/search", &reader).is(503).body.contains("is damaged"));
    written(&sound);
    server.get("/", &reader).is(200);
    std::fs::remove_file(house.at("w/_tamis/manifest/00000001.applied")).expect("it was applied");
    assert!(server.get("/", &reader).is(200).body.contains("A night is being published, or was interrupted"));
    assert!(!house.at("w/_tamis/manifest/00000001.applied").exists(), "looking changes nothing");
    let shard = files_below(&house.at("w/data")).remove(0);
    std::fs::write(house.at("w/data").join(shard), b"no Parquet").expect("room");
    assert!(server.get("/search", &reader).is(503).body.contains("cannot search"));
    server.get("/", &reader).is(200);
}

#[test]
fn events_come_and_a_signal_ends_the_server_in_peace() {
    let house = House::small();
    let mut server = house.serve();
    let reader = server.enter("reader");
    let mut events = TcpStream::connect(&server.address).expect("it listens");
    events.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
    events.write_all(format!("GET /live HTTP/1.1\r\nHost: {}\r\n{reader}\r\n", server.address).as_bytes()).expect("it reads");
    let mut lines = BufReader::new(events.try_clone().expect("a socket")).lines();
    let data = lines.find_map(|line| line.ok()?.strip_prefix("data: ").map(str::to_owned)).expect("an event");
    let told: Value = serde_json::from_str(&data).expect("JSON");
    assert_eq!((told["told"].as_str(), told["runs"].as_bool()), (Some("No night is under way."), Some(false)));
    ends_with(std::process::Command::new("kill").arg("-TERM").arg(server.child.id().to_string()), 0);
    assert_eq!(server.child.wait().expect("it ends").code(), Some(0));
    assert!(lines.all(|line| line.is_ok_and(|line| !line.contains("data"))), "the stream ended with it");
}

#[test]
fn what_cannot_be_served_safely_is_refused() {
    let house = House::small();
    let tries: [(&[&str], &str); 5] = [
        (&["--listen", "0.0.0.0:0"], "tokens would travel in the clear"),
        (&["--officer", "anna", "--officer", "anna"], "is named twice"),
        (&["--officer", "An na"], "is no handle"),
        (&["--officer", "reader"], "or called as readers are"),
        (&["--pending", "w/pending"], "would lie in the workspace"),
    ];
    for (words, told) in tries {
        let mut command = tamis(["serve"]);
        command.current_dir(house.folder.path()).arg("w").args(words).arg("--keys").arg(house.at("keys"));
        let said = said(&ends_with(&mut command, 2).stderr);
        assert!(said.contains(told), "{said}");
    }
    let said = said(&ends_with(tamis(["serve"]).arg(house.at("none")), 2).stderr);
    assert!(said.contains("is not a workspace"), "{said}");
}
