//! What the owner of a page says about its use for training, read from all that an owner can say it with: files of the site, the
//! response's status and headers, and the head of the page. The same for a page just fetched and for a record of an archive.
//!
//! One pure function leads from evidence to a finding. One reservation is enough, whatever else is allowed; only TDMRep ranks its own
//! three places. A signal that cannot be read says nothing, as the protocols demand. Every signal quotes what it was read from, so that a
//! finding can be shown to the owner. [`PROTOCOLS`] lists what is read; docs/optout.md says it in plain words.

mod agents;
mod ai_txt;
mod directives;
mod head;
mod lines;
mod pattern;
mod protocols;
mod robots_txt;
mod rsl;
mod tdmrep;
mod usage;

use serde::Serialize;

pub use agents::{Agents, TRAINING, TRAINING_VERSION};
pub use protocols::{PROTOCOLS, Protocol};

use head::Tag;
use protocols::{CONTENT_SIGNAL, CONTENT_USAGE, HTTP_STATUS, ROBOTS_META, RSL, TDMREP_FILE, TDMREP_HEADER, TDMREP_META, X_ROBOTS_TAG};

/// Characters that a signal quotes at most.
const QUOTE_CHARS_MAX: usize = 200;
/// Signals that a finding tells at most; where there are more, those that reserve come first.
const SIGNALS_MAX: usize = 100;

/// What is known of a page and its site. What is not known is left empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence<'a> {
    /// Address of the page.
    pub url: &'a str,
    /// Status code of the response.
    pub status: Option<u16>,
    /// Response headers, with names in lower case.
    pub headers: &'a [(String, String)],
    /// The page, or as much of it as is to be searched; the end of its head ends the search.
    pub html: &'a [u8],
    /// `/robots.txt` of its site.
    pub robots_txt: Option<&'a [u8]>,
    /// `/.well-known/tdmrep.json` of its site.
    pub tdmrep_json: Option<&'a [u8]>,
    /// `/ai.txt` of its site.
    pub ai_txt: Option<&'a [u8]>,
}

/// What a signal says about training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Says {
    /// It may not be used.
    Reserved,
    /// It may be used.
    Allowed,
}

impl Says {
    /// In a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Says::Reserved => "reserved",
            Says::Allowed => "allowed",
        }
    }
}

/// What all signals together come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// At least one signal allows, and none reserves.
    Allowed,
    /// At least one signal reserves.
    Reserved,
    /// Nobody said anything.
    Unknown,
}

impl Verdict {
    /// As it stands in the column `optout.verdict`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Allowed => "allowed",
            Verdict::Reserved => "reserved",
            Verdict::Unknown => "unknown",
        }
    }
}

/// One statement, and where it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signal {
    /// The name of one of [`PROTOCOLS`].
    pub protocol: &'static str,
    /// What it comes to.
    pub says: Says,
    /// The words themselves: at most 200 characters, as they were written, control characters too.
    pub quote: String,
    /// The header, the tag, or the file and line.
    pub place: String,
}

impl Signal {
    fn new(protocol: &'static str, says: Says, quoted: &[u8], place: String) -> Signal {
        // No character takes more than four bytes.
        let quoted = &quoted[..quoted.len().min(QUOTE_CHARS_MAX * 4)];
        Signal { protocol, says, quote: String::from_utf8_lossy(quoted).chars().take(QUOTE_CHARS_MAX).collect(), place }
    }

    fn at_line(protocol: &'static str, says: Says, quoted: &[u8], file: SiteFile, line: usize) -> Signal {
        Signal::new(protocol, says, quoted, format!("{} line {line}", file.path()))
    }
}

/// What was found, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it comes to.
    pub verdict: Verdict,
    /// Every signal that counts, up to a hundred.
    pub signals: Vec<Signal>,
}

impl Finding {
    fn of(mut signals: Vec<Signal>) -> Finding {
        settle(&mut signals);
        let says = |wanted| signals.iter().any(|signal| signal.says == wanted);
        let verdict = match (says(Says::Reserved), says(Says::Allowed)) {
            (true, _) => Verdict::Reserved,
            (_, true) => Verdict::Allowed,
            _ => Verdict::Unknown,
        };
        if signals.len() > SIGNALS_MAX {
            signals.sort_by_key(|signal| signal.says == Says::Allowed);
            signals.truncate(SIGNALS_MAX);
        }
        Finding { verdict, signals }
    }

    /// The first signal that says what the verdict says; `None` where there are no signals.
    #[must_use]
    pub fn decisive(&self) -> Option<&Signal> {
        [Says::Reserved, Says::Allowed].into_iter().find_map(|says| self.signals.iter().find(|signal| signal.says == says))
    }
}

/// A file in which a site speaks of all its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteFile {
    /// `/robots.txt`
    Robots,
    /// `/.well-known/tdmrep.json`
    Tdmrep,
    /// `/ai.txt`
    Ai,
}

impl SiteFile {
    /// All of them.
    pub const ALL: [SiteFile; 3] = [SiteFile::Robots, SiteFile::Tdmrep, SiteFile::Ai];

    /// Where it lies on its site.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            SiteFile::Robots => "/robots.txt",
            SiteFile::Tdmrep => "/.well-known/tdmrep.json",
            SiteFile::Ai => "/ai.txt",
        }
    }

    /// The file at `url`, if it is one of them.
    #[must_use]
    pub fn at(url: &str) -> Option<SiteFile> {
        let (_, rest) = url.split_once("://")?;
        let path = &rest[rest.find('/')?..];
        SiteFile::ALL.into_iter().find(|file| file.path() == path)
    }
}

/// The files of one site, read once for all its pages.
#[derive(Clone, Debug, Default)]
pub struct Site {
    robots: Option<robots_txt::RobotsTxt>,
    tdmrep: Option<tdmrep::Tdmrep>,
    ai: Option<ai_txt::AiTxt>,
}

impl Site {
    /// Reads one of its files, whatever its bytes; a later one takes the place of an earlier.
    pub fn take(&mut self, file: SiteFile, bytes: &[u8], agents: &Agents<'_>) {
        match file {
            SiteFile::Robots => self.robots = Some(robots_txt::RobotsTxt::read(bytes, agents)),
            SiteFile::Tdmrep => self.tdmrep = Some(tdmrep::Tdmrep::read(bytes)),
            SiteFile::Ai => self.ai = Some(ai_txt::AiTxt::read(bytes)),
        }
    }

    /// What is found on a page of this site. The files in `page` are not looked at: those that the site took stand for them.
    #[must_use]
    pub fn find(&self, page: &Evidence<'_>) -> Finding {
        let mut found = in_headers(page.headers);
        let newer = in_newer_headers(page.headers);
        let mut licences = Vec::new();
        head::each_tag(page.html, |tag| match tag {
            Tag { is_data: true, .. } => licences.push(in_data(&tag)),
            Tag { is_link: true, .. } => licences.extend(in_link(&tag)),
            _ => found.extend(in_meta(&tag)),
        });
        found.extend(newer);
        found.append(&mut licences);
        found.extend(page.status.and_then(of_status));
        if let Some(robots) = &self.robots {
            found.extend(robots.signals(page.url));
        }
        if self.tdmrep.is_some() || self.ai.is_some() {
            let path = pattern::path_of(page.url);
            found.extend(self.tdmrep.iter().filter_map(|tdmrep| tdmrep.signal(&path)));
            found.extend(self.ai.iter().flat_map(|ai| ai.signals(&path)));
        }
        Finding::of(found)
    }
}

/// What `evidence` comes to. Where many pages of one site are asked about, [`Site`] reads its files once.
#[must_use]
pub fn find(evidence: &Evidence<'_>, agents: &Agents<'_>) -> Finding {
    let mut site = Site::default();
    for (file, bytes) in SiteFile::ALL.into_iter().zip([evidence.robots_txt, evidence.tdmrep_json, evidence.ai_txt]) {
        if let Some(bytes) = bytes {
            site.take(file, bytes, agents);
        }
    }
    site.find(evidence)
}

fn in_headers(headers: &[(String, String)]) -> Vec<Signal> {
    let mut found = Vec::new();
    for (name, value) in headers {
        let says = match name.as_str() {
            "tdm-reservation" => tdmrep::says(value.as_bytes()).map(|says| (TDMREP_HEADER, says)),
            "x-robots-tag" => directives::reserve(value.as_bytes()).then_some((X_ROBOTS_TAG, Says::Reserved)),
            _ => None,
        };
        found.extend(says.map(|(protocol, says)| Signal::new(protocol, says, value.as_bytes(), format!("header {name}"))));
    }
    // Several fields of a structured header are one (RFC 9651, 4.2).
    let usage: Vec<&str> = headers.iter().filter(|(name, _)| name == "content-usage").map(|(_, value)| value.as_str()).collect();
    let usage = usage.join(", ");
    let says = usage::of_usage(&usage);
    found.extend(says.map(|says| Signal::new(CONTENT_USAGE, says, usage.as_bytes(), "header content-usage".to_owned())));
    found
}

/// Headers that came later. They stand behind the page's own tags, so that the protocol which a document is marked with stays the same.
fn in_newer_headers(headers: &[(String, String)]) -> Vec<Signal> {
    let mut found = Vec::new();
    for (name, value) in headers {
        let place = || format!("header {name}");
        match name.as_str() {
            "content-signal" => {
                found.extend(usage::of_signal(value).map(|says| Signal::new(CONTENT_SIGNAL, says, value.as_bytes(), place())));
            }
            "link" => found.extend(rsl::in_link_header(value).map(|to| Signal::new(RSL, Says::Reserved, to.as_bytes(), place()))),
            _ => {}
        }
    }
    found
}

fn in_meta(tag: &Tag<'_>) -> Option<Signal> {
    let (protocol, says) = if tag.name.eq_ignore_ascii_case(b"tdm-reservation") {
        (TDMREP_META, tdmrep::says(tag.content)?)
    } else if directives::is_for_robots(tag.name) && directives::reserve(tag.content) {
        (ROBOTS_META, Says::Reserved)
    } else {
        return None;
    };
    let name = &tag.name[..tag.name.len().min(QUOTE_CHARS_MAX)];
    Some(Signal::new(protocol, says, tag.content, format!("meta {}", String::from_utf8_lossy(name).to_lowercase())))
}

fn in_link(tag: &Tag<'_>) -> Option<Signal> {
    rsl::offers(tag.rel, tag.kind).then(|| Signal::new(RSL, Says::Reserved, tag.href, "link license".to_owned()))
}

/// A licence that stands in the page itself.
fn in_data(tag: &Tag<'_>) -> Signal {
    Signal::new(RSL, Says::Reserved, tag.content, "script application/rsl+xml".to_owned())
}

/// Payment is asked, or the law forbids: either way it is not there for the taking.
fn of_status(status: u16) -> Option<Signal> {
    matches!(status, 402 | 451).then(|| Signal::new(HTTP_STATUS, Says::Reserved, status.to_string().as_bytes(), "status".to_owned()))
}

/// Within TDMRep a page outranks its header, and that the file (W3C TDMRep, processing priority); other protocols do not rank.
fn settle(found: &mut Vec<Signal>) {
    let ranks = [TDMREP_META, TDMREP_HEADER, TDMREP_FILE];
    let Some(highest) = ranks.iter().position(|rank| found.iter().any(|signal| signal.protocol == *rank)) else { return };
    found.retain(|signal| !ranks[highest + 1..].contains(&signal.protocol));
}

#[cfg(test)]
mod tests;
