//! The thread beside the network: turns answers into records, writes and flushes them, and tells what came of each address.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use url::Url;

use super::archive::{Acknowledged, Archive, Group, Repeats, digest_of};
use super::fetch::{self, Fetched};
use super::frontier::{Page, Waiting};
use super::languages::LanguageOf;
use super::links::links;
use super::outcome::Outcome;
use super::sitemaps;
use crate::archive::charset::{self, Hints};
use crate::archive::fields::text;
use crate::archive::http::Response;
use crate::archive::{address, coding, sniff};
use crate::optout::{self, Evidence, Says, Verdict};
use crate::store::StoreError;
use crate::text::canonical::{Rules, join};

/// Batches that wait for the disk.
const BATCHES: usize = 4;
/// Bytes of a page, unpacked, in which links are looked for.
const LINKED_BYTES_MAX: usize = 4 << 20;
/// Redirects in a row that are followed.
pub const HOPS_MAX: u32 = 5;

/// One address that was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its site, whose queue it stands in.
    pub site: String,
    /// Its place there; none for what never stood there, such as a robots.txt.
    pub place: Option<u64>,
    /// The address.
    pub waiting: Waiting,
    /// What was known of it before.
    pub before: Option<Page>,
    /// Whether its language is to be told.
    pub judge: bool,
    /// When it was asked for, ms since 1970.
    pub at_ms: u64,
    /// What came: an answer, or a word for why there is none.
    pub came: Result<Fetched, String>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Its site.
    pub site: String,
    /// Its place in the queue.
    pub place: Option<u64>,
    /// Redirects that led to it.
    pub hops: u32,
    /// Whether it was asked for as a sitemap.
    pub sitemap: bool,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether its payload is the one that was known.
    pub is_same: bool,
    /// What was known of it before.
    pub before: Option<Page>,
}

/// A batch that is on disk.
#[derive(Debug, Default)]
pub struct Written {
    /// What came of each address.
    pub settled: Vec<Settled>,
    /// How far archives are written.
    pub archives: Vec<Acknowledged>,
    /// Bytes that came.
    pub bytes: u64,
}

/// The thread, seen from outside.
pub struct Writer {
    batches: Option<SyncSender<Vec<Asked>>>,
    written: UnboundedReceiver<Result<Written, StoreError>>,
    thread: Option<JoinHandle<()>>,
    /// Batches that are under way.
    pub open: usize,
}

impl Writer {
    /// Starts it.
    #[must_use]
    pub fn start(archive: Archive, reading: Reading) -> Writer {
        let (batches, incoming) = sync_channel(BATCHES);
        let (answers, written) = unbounded_channel();
        let thread = std::thread::spawn(move || work(archive, &reading, &incoming, &answers));
        Writer { batches: Some(batches), written, thread: Some(thread), open: 0 }
    }

    /// Whether another batch can be given without waiting.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.open < BATCHES
    }

    /// Gives it a batch.
    pub fn give(&mut self, batch: Vec<Asked>) {
        if let Some(batches) = &self.batches
            && batches.send(batch).is_ok()
        {
            self.open += 1;
        }
    }

    /// The next batch that is on disk; `None` when it has ended.
    pub async fn next(&mut self) -> Option<Result<Written, StoreError>> {
        let written = self.written.recv().await;
        self.open = self.open.saturating_sub(usize::from(written.is_some()));
        written
    }

    /// Ends it: the index of the last archive is written.
    pub fn end(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            // A panic in it has been told by the end of its answers.
            let _ = thread.join();
        }
    }
}

/// How pages are read for what they lead to.
pub struct Reading {
    /// How addresses are made canonical.
    pub rules: Rules,
    /// Languages whose translations are followed; none means all.
    pub languages: Vec<String>,
    /// Tells the language of a page.
    pub language_of: LanguageOf,
}

fn work(mut archive: Archive, reading: &Reading, incoming: &Receiver<Vec<Asked>>, answers: &UnboundedSender<Result<Written, StoreError>>) {
    while let Ok(batch) = incoming.recv() {
        let bytes = batch.iter().map(|asked| asked.came.as_ref().map_or(0, |fetched| fetched.response.len() as u64)).sum();
        let (groups, settled): (Vec<Group>, Vec<Settled>) = batch.into_iter().map(|asked| settle(asked, reading)).unzip();
        let written = archive.write(&groups).map(|archives| Written { settled, archives, bytes });
        let failed = written.is_err();
        if answers.send(written).is_err() || failed {
            return;
        }
    }
    if let Err(error) = archive.write_index() {
        let _ = answers.send(Err(error));
    }
}

/// The records of an address, and what came of it.
fn settle(asked: Asked, reading: &Reading) -> (Group, Settled) {
    let Asked { site, place, waiting, before, judge, at_ms, came } = asked;
    let outcome = Outcome { url: waiting.url, depth: waiting.depth, at_ms, ..Outcome::default() };
    let mut group = match came {
        Ok(fetched) => group_of((outcome, waiting.sitemap, judge), fetched, before.as_ref(), reading),
        Err(why) => Group { outcome: Outcome { note: why, ..outcome }, ..Group::default() },
    };
    let is_same = group.repeats.is_some();
    if waiting.hops >= HOPS_MAX && (300..400).contains(&group.outcome.status) {
        group.outcome.links.clear();
        "too-many-redirects".clone_into(&mut group.outcome.note);
    }
    let settled = Settled { site, place, hops: waiting.hops, sitemap: waiting.sitemap, outcome: group.outcome.clone(), is_same, before };
    (group, settled)
}

fn group_of((mut outcome, is_sitemap, judge): (Outcome, bool, bool), fetched: Fetched, before: Option<&Page>, reading: &Reading) -> Group {
    let rules = &reading.rules;
    let Fetched { request, response, status, truncated, address, took_ms, .. } = fetched;
    (outcome.status, outcome.took_ms) = (status, took_ms);
    let (response, body) = joined(response);
    let Some(parsed) = Response::parse(&response) else { return Group { outcome, ..Group::default() } };
    let field = |name: &str| parsed.fields.text(name).unwrap_or_default();
    (outcome.etag, outcome.last_modified) = (field("etag"), field("last-modified"));
    let is_html = field("content-type").to_ascii_lowercase().contains("html") || field("content-type").is_empty();
    let html = match is_html && status != 304 {
        true => {
            coding::decode(response[body..].to_vec(), &field("content-encoding"), LINKED_BYTES_MAX).map_or(Vec::new(), |body| body.bytes)
        }
        false => Vec::new(),
    };
    outcome.evidence = reservations(&outcome.url, &parsed, &html);
    if !outcome.evidence.is_empty() {
        // Of a reserved page nothing is kept but why.
        "reserved".clone_into(&mut outcome.note);
        return Group { outcome, ..Group::default() };
    }
    if let Ok(url) = Url::parse(&outcome.url) {
        outcome.links = match status {
            300..=399 => redirect(&url, &field("location"), rules),
            200 if is_sitemap => {
                let named = sitemaps::read(response[body..].to_vec(), &field("content-encoding")).resolved(&url, rules);
                outcome.sitemaps = named.sitemaps;
                named.urls
            }
            200 => links(&html, &url, rules, &reading.languages),
            _ => Vec::new(),
        };
    }
    if judge && status == 200 && !html.is_empty() {
        let content_type = field("content-type");
        let host = address::host(&outcome.url);
        let hints = Hints { http: sniff::charset(&content_type), tld: address::top_level(&host), markup: true };
        outcome.language = (reading.language_of)(&outcome.url, &charset::decode(html, hints).0).unwrap_or_else(|| "und".to_owned());
    }
    let payload_digest = digest_of(&response[body..]);
    let known = before.filter(|before| !before.digest.is_empty());
    let repeats = known.filter(|before| status == 304 || status == 200 && before.digest == payload_digest).map(|before| Repeats {
        not_modified: status == 304,
        at_ms: before.captured_ms,
        digest: before.digest.clone(),
    });
    outcome.digest = repeats.as_ref().map_or(payload_digest, |repeats| repeats.digest.clone());
    Group { outcome, request, response, body, address: address.to_string(), truncated, repeats, ..Group::default() }
}

/// What a page itself and its response reserve, a line of evidence each; none where it may be kept.
pub(super) fn reservations(url: &str, response: &Response<'_>, html: &[u8]) -> Vec<String> {
    let lower = |name: &[u8]| String::from_utf8_lossy(name).to_ascii_lowercase();
    let headers: Vec<(String, String)> = response.fields.iter().map(|(name, value)| (lower(name), text(&value))).collect();
    let page = Evidence { url, status: Some(response.status), headers: &headers, html, ..Evidence::default() };
    let found = optout::Site::default().find(&page);
    if found.verdict != Verdict::Reserved {
        return Vec::new();
    }
    let reserving = found.signals.into_iter().filter(|signal| signal.says == Says::Reserved);
    reserving.map(|signal| format!("{} ({}): {}", signal.protocol, signal.place, signal.quote)).collect()
}

/// Where a redirect leads.
pub(super) fn redirect(url: &Url, location: &str, rules: &Rules) -> Vec<String> {
    let target = join(url, location).filter(|_| !location.is_empty());
    target.and_then(|target| rules.canonical(target.as_str())).map(|target| vec![target.to_string()]).unwrap_or_default()
}

/// An answer with its chunks joined, and where its body begins. An archive that keeps chunks is read in two ways by its readers, so the
/// header tells under another name that there were some, as Common Crawl's archives do; a length beside them was never true (RFC 9112,
/// 6.3), and is renamed as well.
pub(super) fn joined(response: Vec<u8>) -> (Vec<u8>, usize) {
    let Some(parsed) = Response::parse(&response) else { return (response, 0) };
    let body = parsed.body;
    if !fetch::is_chunked(parsed.fields) {
        return (response, body);
    }
    let mut whole = Vec::with_capacity(response.len() + 16);
    for line in response[..body].split_inclusive(|byte| *byte == b'\n') {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii_end();
        if [&b"transfer-encoding"[..], b"content-length"].iter().any(|framing| name.eq_ignore_ascii_case(framing)) {
            whole.extend_from_slice(b"X-Crawl-");
        }
        whole.extend_from_slice(line);
    }
    let at = whole.len();
    whole.extend(fetch::join(&response[body..]));
    (whole, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetched(response: &str) -> Fetched {
        let parsed = Response::parse(response.as_bytes()).expect("an answer");
        Fetched {
            request: b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            status: parsed.status,
            body: parsed.body,
            response: response.as_bytes().to_vec(),
            truncated: None,
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            took_ms: 5,
        }
    }

    fn reading() -> Reading {
        let language_of: LanguageOf = std::sync::Arc::new(|_, html| html.contains("Dobrý").then(|| "cs".to_owned()));
        Reading { rules: Rules::new(true, true, &[]), languages: Vec::new(), language_of }
    }

    fn settled(response: &str, before: Option<Page>) -> (Group, Settled) {
        let waiting = Waiting { url: "https://ostrov.example.cz/a/".to_owned(), depth: 1, hops: 0, sitemap: false };
        let asked = Asked { site: "s".to_owned(), place: Some(3), waiting, before, judge: true, at_ms: 7, came: Ok(fetched(response)) };
        settle(asked, &reading())
    }

    const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: \"e\"\r\n\r\n<a href=b>b</a>";

    #[test]
    fn a_page_gives_its_links_and_a_redirect_its_target() {
        let (group, settled) = settled(PAGE, None);
        assert_eq!((settled.outcome.links, settled.outcome.etag.as_str()), (vec!["https://ostrov.example.cz/a/b".to_owned()], "\"e\""));
        assert!(group.repeats.is_none() && group.outcome.digest.starts_with("sha1:"));
        let (_, moved) = super::tests::settled("HTTP/1.1 301 Moved\r\nLocation: /c d/\r\n\r\n", None);
        assert_eq!(moved.outcome.links, ["https://ostrov.example.cz/c%20d/"]);
    }

    #[test]
    fn the_language_of_a_page_is_told_where_that_is_asked() {
        for (body, language) in [("<p>Dobr\u{fd} den", "cs"), ("<p>Labas", "und")] {
            let page = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}");
            assert_eq!(settled(&page, None).1.outcome.language, language);
        }
        assert_eq!(settled("HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<p>Labas", None).1.outcome.language, "");
    }

    #[test]
    fn a_page_that_is_what_it_was_becomes_a_revisit_of_either_kind() {
        let (first, _) = settled(PAGE, None);
        let before = Page { digest: first.outcome.digest, captured_ms: 1, ..Page::default() };
        for (response, not_modified) in [(PAGE, false), ("HTTP/1.1 304 Not Modified\r\n\r\n", true)] {
            let (group, settled) = settled(response, Some(before.clone()));
            assert_eq!(group.repeats.map(|repeats| repeats.not_modified), Some(not_modified));
            assert!(settled.is_same && settled.outcome.digest == before.digest);
        }
        assert!(settled(&PAGE.replace('b', "c"), Some(before)).0.repeats.is_none());
    }

    #[test]
    fn a_sitemap_gives_its_pages_and_further_sitemaps() {
        let body = "<sitemap><loc>/b.xml.gz</loc></sitemap><url><loc>/c</loc></url><a href=/d>d</a>";
        let waiting = Waiting { url: "https://ostrov.example.cz/a.xml".to_owned(), depth: 0, hops: 0, sitemap: true };
        let came = Ok(fetched(&format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n{body}")));
        let asked = Asked { site: "s".to_owned(), place: Some(3), waiting, before: None, judge: true, at_ms: 7, came };
        let (_, settled) = settle(asked, &reading());
        assert_eq!(settled.outcome.links, ["https://ostrov.example.cz/c"]);
        assert_eq!((settled.outcome.sitemaps, settled.sitemap), (vec!["https://ostrov.example.cz/b.xml.gz".to_owned()], true));
    }

    #[test]
    fn of_a_reserved_page_nothing_is_kept_but_why() {
        let (group, settled) = settled(&PAGE.replace("<a", "<meta name=robots content='index, noai'><a"), None);
        assert!(group.response.is_empty() && group.request.is_empty() && settled.outcome.links.is_empty());
        assert_eq!((settled.outcome.note.as_str(), settled.outcome.evidence.len()), ("reserved", 1));
    }

    #[test]
    fn chunks_are_joined_and_the_head_tells_that_there_were_some() {
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\ncontent-length : 3\r\nContent-Type: text/html\r\n\r\n5\r\nlabas\r\n0\r\n\r\n";
        let (group, _) = settled(chunked, None);
        assert_eq!(&group.response[group.body..], b"labas");
        assert!(group.response.starts_with(b"HTTP/1.1 200 OK\r\nX-Crawl-Transfer-Encoding: chunked\r\nX-Crawl-content-length : 3\r\n"));
    }
}
