//! `tamis optout explain`: what the owners of the pages in an archive, or of one address, say about training, and in which words.
//!
//! Files of a site (robots.txt, tdmrep.json, ai.txt) are evidence for what comes behind them in the archive, if they were answered with
//! 200. Sites are told apart by host alone: archives mix http and https of one site, and its owner is the same.

mod live;
mod recheck;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::exit::Exit;
use super::warc::{is_unsafe, open, shown, write_row};
use crate::archive::charset::{self, Hints};
use crate::archive::fields::{Fields, text};
use crate::archive::head::Kind;
use crate::archive::http::Response;
use crate::archive::sniff::{self, Looks};
use crate::archive::{Cutter, Ending, Found, address, chunked, coding};
use crate::optout::{Agents, Evidence, Finding, Says, Signal, Site, SiteFile, Verdict};
use crate::source::Damage;

/// How much of a record is read: signals stand at its beginning.
const BLOCK_BYTES_MAX: usize = 8 << 20;
/// How far a body is unpacked.
const BODY_BYTES_MAX: usize = 4 << 20;
/// How much of a page is searched, as stage `optout` does by itself.
const HEAD_BYTES_MAX: usize = 1 << 20;
/// How many bytes of files of sites are remembered.
const SITES_BYTES_MAX: usize = 256 << 20;

/// Arguments of `tamis optout`.
#[derive(Debug, Args)]
pub struct OptoutArgs {
    #[command(subcommand)]
    verb: OptoutVerb,
}

#[derive(Debug, Subcommand)]
enum OptoutVerb {
    /// Says of every response in an archive, or of one address, whether its owner reserved it from training, and shows the words
    ///
    /// A line a response: offset, URL and verdict; below it a line a signal: protocol, what it says, the words, and where they stand;
    /// tabs between them. An address is asked as the crawler would ask: the files of its site first, and the page only if they allow it;
    /// its line has the status in place of the offset. See docs/optout.md.
    Explain(Explain),
    /// Looks at today's robots.txt, tdmrep.json and ai.txt of every host of a data set, and plans a takedown of what is reserved now
    Recheck(recheck::RecheckArgs),
}

#[derive(Debug, Args)]
struct Explain {
    /// Archive (WARC or ARC; plain, .gz or .zst), - for standard input, or an address (http://.. or https://..)
    file: PathBuf,
    /// Writes a JSON object a line: offset, url, verdict, signals
    #[arg(long)]
    json: bool,
    /// Product token of the crawler whose rules in robots.txt count as ours
    #[arg(long, value_name = "TOKEN", default_value = Agents::default().own)]
    agent: String,
    /// For an address: a page, or an e-mail address, at which the webmaster who is asked reaches you; it goes into the user agent
    #[arg(long, value_name = "URL|MAIL")]
    contact: Option<String>,
    /// For an address: asks this host at this network address, whatever its name resolves to; only such ones may be private
    #[arg(long, value_name = "HOST=IP:PORT")]
    resolve: Vec<String>,
}

/// Runs `tamis optout`.
///
/// # Errors
/// Where the archive cannot be read or standard output not be written.
pub fn optout(args: &OptoutArgs) -> Result<Exit> {
    let args = match &args.verb {
        OptoutVerb::Recheck(args) => return recheck::recheck(args),
        OptoutVerb::Explain(args) => args,
    };
    match explain(args) {
        // Whoever reads the list has seen enough.
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) => Ok(Exit::Done),
        done => done,
    }
}

fn explain(args: &Explain) -> Result<Exit> {
    let name = shown(&args.file);
    let is_address =
        ["http:", "https:"].iter().any(|scheme| name.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    if is_address {
        return live::explain(args, &name);
    }
    let cutter = if name == "-" { Cutter::open(Box::new(io::stdin()), "-", 0) } else { open(&args.file, 0) };
    let mut cutter = cutter.with_context(|| format!("cannot read {name}"))?;
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let mut sites = Sites { agents: Agents { own: &args.agent, ..Agents::default() }, known: BTreeMap::new(), bytes: 0, left_out: 0 };
    let (mut responses, mut troubles) = (0_u64, 0_u64);
    let mut tell = |damage: &Damage| {
        troubles += 1;
        eprintln!("tamis optout: {name}: byte {}: {}", damage.offset, damage.what);
    };
    while let Some(found) = cutter.next() {
        if let Found::Damage(damage) = found {
            tell(&damage);
            continue;
        }
        let response = Captured::read(&mut cutter);
        match cutter.end() {
            Ending::Whole => {}
            Ending::Short(damage) => tell(&damage),
            Ending::Broken(damage) => {
                tell(&damage);
                continue;
            }
        }
        if let Some(response) = response {
            responses += 1;
            sites.explain(&response)?.write(args.json, &mut out)?;
        }
    }
    out.flush()?;
    if sites.left_out > 0 {
        eprintln!("tamis optout: {name}: {} files of sites found no room and were not used as evidence", sites.left_out);
    }
    if responses == 0 {
        eprintln!("tamis optout: {name}: no response could be read, so there is nothing to explain");
    }
    Ok(match (responses, troubles + sites.left_out) {
        (0, _) => Exit::NotStarted,
        (_, 0) => Exit::Done,
        _ => Exit::Quarantined,
    })
}

/// A response as the archive holds it, with its body unpacked.
struct Captured {
    offset: Option<u64>,
    url: String,
    status: Option<u16>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Captured {
    /// Reads the present record; `None` where it is no response.
    fn read(cutter: &mut Cutter) -> Option<Captured> {
        let head = cutter.head();
        let (is_response, may_hold_http) = (head.kind() == Kind::Response, head.may_hold_http());
        let url = head.url().unwrap_or_default();
        if !is_response {
            return None;
        }
        let mut read = Captured { offset: Some(cutter.offset()), url, status: None, headers: Vec::new(), body: Vec::new() };
        while let Some(piece) = cutter.piece().filter(|_| read.body.len() < BLOCK_BYTES_MAX) {
            read.body.extend_from_slice(piece);
        }
        if may_hold_http {
            read.parse();
        }
        Some(read)
    }

    /// Takes the head off the body, and unpacks that.
    fn parse(&mut self) {
        let Some(response) = Response::parse(&self.body) else { return };
        let (status, headers, start) = (response.status, all(response.fields), response.body);
        (self.status, self.headers) = (Some(status), headers);
        self.body.drain(..start);
        self.unpack();
    }

    /// Undoes transfer and content codings. A body that cannot be unpacked is as good as none.
    fn unpack(&mut self) {
        if self.header("transfer-encoding").to_ascii_lowercase().contains("chunked") {
            chunked::join(&mut self.body);
        }
        let codings = self.header("content-encoding");
        self.body = coding::decode(std::mem::take(&mut self.body), &codings, BODY_BYTES_MAX).map(|body| body.bytes).unwrap_or_default();
    }

    /// All values of a header, with commas between them.
    fn header(&self, name: &str) -> String {
        let values: Vec<&str> = self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
        values.join(",")
    }

    /// The beginning of the page; empty where it is none.
    fn markup(&self, host: &str) -> String {
        let content_type = self.header("content-type");
        let is_page = sniff::essence(&content_type).contains("html") || sniff::look(&self.body) == Looks::Html;
        let head = if is_page { &self.body[..self.body.len().min(HEAD_BYTES_MAX)] } else { &[] };
        let hints = Hints { http: sniff::charset(&content_type), tld: address::top_level(host), markup: true };
        charset::decode(head.to_vec(), hints).0
    }
}

fn all(fields: Fields<'_>) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| (text(name).to_ascii_lowercase(), text(&value))).collect()
}

/// What is known of the sites so far, by host.
struct Sites<'a> {
    agents: Agents<'a>,
    known: BTreeMap<String, Site>,
    bytes: usize,
    /// Files for which there was no room.
    left_out: u64,
}

impl Sites<'_> {
    /// What is found on a response; if it is a file of its site, it counts from the next one on.
    fn explain(&mut self, response: &Captured) -> Result<Row> {
        let host = address::host(&response.url);
        let markup = response.markup(&host);
        let page = Evidence {
            url: &response.url,
            status: response.status,
            headers: &response.headers,
            html: markup.as_bytes(),
            ..Evidence::default()
        };
        let finding = self.known.get(&host).map_or_else(|| Site::default().find(&page), |site| site.find(&page));
        if let Some(file) = SiteFile::at(&response.url).filter(|_| response.status == Some(200)) {
            self.remember(host, file, &response.body);
        }
        Ok(Row::of(response, &finding))
    }

    fn remember(&mut self, host: String, file: SiteFile, bytes: &[u8]) {
        if self.bytes + bytes.len() > SITES_BYTES_MAX {
            self.left_out += 1;
            return;
        }
        self.bytes += bytes.len();
        self.known.entry(host).or_default().take(file, bytes, &self.agents);
    }
}

/// What is told of one response.
#[derive(Serialize)]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    url: String,
    /// Where the response was asked for now: its status, `null` where it was not asked for or did not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Option<u16>>,
    verdict: Verdict,
    signals: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    protocol: &'static str,
    says: Says,
    quote: String,
    place: String,
}

impl Row {
    fn of(response: &Captured, finding: &Finding) -> Row {
        let told = |signal: &Signal| Told {
            protocol: signal.protocol,
            says: signal.says,
            quote: printable(&signal.quote),
            place: printable(&signal.place),
        };
        Row {
            offset: response.offset,
            url: printable(&response.url),
            status: response.offset.is_none().then_some(response.status),
            verdict: finding.verdict,
            signals: finding.signals.iter().map(told).collect(),
        }
    }

    fn write(&self, json: bool, out: &mut dyn Write) -> Result<()> {
        if json {
            return write_row(out, self);
        }
        let first = match (self.offset, self.status.flatten()) {
            (Some(number), _) => number.to_string(),
            (None, status) => status.map_or("-".to_owned(), |status| status.to_string()),
        };
        writeln!(out, "{first}\t{}\t{}", self.url, self.verdict.as_str())?;
        for Told { protocol, says, quote, place } in &self.signals {
            writeln!(out, "\t{protocol}\t{}\t{quote}\t{place}", says.as_str())?;
        }
        Ok(())
    }
}

/// Words of strangers without what moves a terminal's cursor or turns its lines: line ends and tabs become spaces, the rest U+FFFD.
fn printable(text: &str) -> String {
    let safe = |sign: char| match sign {
        '\n' | '\r' | '\t' => ' ',
        sign if is_unsafe(sign) => '\u{fffd}',
        sign => sign,
    };
    text.chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_strangers_are_made_safe() {
        assert_eq!(printable("noai\u{1b}[2J\r\n\tžlutý\u{202e}\u{9b}"), "noai\u{fffd}[2J   žlutý\u{fffd}\u{fffd}");
    }

    #[test]
    fn when_there_is_no_room_files_are_counted_and_not_used() {
        let mut sites = Sites { agents: Agents::default(), known: BTreeMap::new(), bytes: SITES_BYTES_MAX - 3, left_out: 0 };
        sites.remember("ostrov.example.cz".to_owned(), SiteFile::Robots, b"User-agent: *\nDisallow: /");
        assert!(sites.left_out == 1 && sites.known.is_empty());
    }
}
