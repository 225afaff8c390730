//! The sites of `data-samples/` as a web server on loopback, so that a crawl can be tried without the internet.
//!
//!     cargo run --example serve_samples                 # on port 8417, until it is stopped
//!     cargo run --release -- run pipelines/quickstart-crawl.toml
//!
//! Each host of the sample archives has its pages as they were recorded, a front page that links to them, and a robots.txt. Which site is
//! meant is told by the header `Host`. `-- PORT` takes another port, 0 a free one; the first line of the output says which. The host
//! `library.example` is a repository that speaks OAI-PMH, and gives away what lies in `libraries/papers-2026-06.zip`:
//!
//!     cargo run --release -- run pipelines/repositories.toml

#![expect(clippy::print_stdout, reason = "a tool that is run by hand says what it does")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

/// The archives whose pages are served.
const ARCHIVES: [&str; 2] = ["islands-2026-02.warc.gz", "harbours-2026-03.warc.gz"];
const PORT: &str = "8417";
/// The papers that the repository gives away.
const PAPERS: &str = "libraries/papers-2026-06.zip";
const REPOSITORY: &str = "library.example";
/// Records of a page of its list.
const RECORDS: usize = 5;
const ROBOTS: &str = "User-agent: *\nDisallow: /share\nCrawl-delay: 0.1\n";

/// Answers by host and path.
type Sites = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).unwrap_or_else(|| PORT.to_owned());
    let mut sites = Sites::new();
    for name in ARCHIVES {
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data-samples/archives").join(name), &mut sites)?;
    }
    open_repository(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data-samples").join(PAPERS), &mut sites)?;
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    println!("{} sites on {}", sites.len(), listener.local_addr()?);
    std::io::stdout().flush()?;
    let sites = Arc::new(sites);
    for stream in listener.incoming().flatten() {
        let sites = sites.clone();
        std::thread::spawn(move || answer(stream, &sites));
    }
    Ok(())
}

/// Takes the responses out of an archive.
fn read(path: &Path, sites: &mut Sites) -> Result<(), Box<dyn Error>> {
    let mut archive = Vec::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path)?).read_to_end(&mut archive)?;
    let mut rest = &archive[..];
    while let Some(head_end) = find(rest, b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&rest[..head_end]).into_owned();
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let length: usize = field("Content-Length:").ok_or("a record without length")?.parse()?;
        let block = &rest[head_end + 4..][..length];
        if let (Some("response"), Some(url)) = (field("WARC-Type:"), field("WARC-Target-URI:"))
            && let Some((host, path)) = url.split_once("://").and_then(|(_, rest)| rest.split_once('/'))
        {
            sites.entry(host.to_owned()).or_default().insert(format!("/{path}"), block.to_vec());
        }
        rest = &rest[head_end + 4 + length + 4..];
    }
    Ok(())
}

/// The papers and the list of them, a page for each question that can be asked.
fn open_repository(path: &Path, sites: &mut Sites) -> Result<(), Box<dyn Error>> {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path)?)?;
    let site = sites.entry(REPOSITORY.to_owned()).or_default();
    let mut records = Vec::new();
    for number in 0..zip.len() {
        let (mut content, mut member) = (Vec::new(), zip.by_index(number)?);
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        if name.contains('/') {
            // The pages of an issue are no papers of their own.
            continue;
        }
        member.read_to_end(&mut content)?;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n", content.len());
        site.insert(format!("/files/{name}"), [head.as_bytes(), &content].concat());
        records.push(format!(
            "<record><header><identifier>oai:{REPOSITORY}:{name}</identifier><datestamp>2026-06-01</datestamp></header><metadata><dc>\
             <rights>https://creativecommons.org/publicdomain/zero/1.0/</rights><date>2026</date><identifier>http://{REPOSITORY}/files/{name}</identifier>\
             </dc></metadata></record>"
        ));
    }
    let said = |body: &str| {
        let xml = format!("<OAI-PMH><responseDate>2026-06-02T00:00:00Z</responseDate>{body}</OAI-PMH>");
        text("200 OK", "text/xml; charset=utf-8", &xml)
    };
    let identify = "<Identify><earliestDatestamp>2026-06-01</earliestDatestamp><granularity>YYYY-MM-DD</granularity></Identify>";
    site.insert("/oai?verb=Identify".to_owned(), said(identify));
    let pages: Vec<&[String]> = records.chunks(RECORDS).collect();
    for (number, page) in pages.iter().enumerate() {
        let question = if number == 0 { "metadataPrefix=oai_dc".to_owned() } else { format!("resumptionToken={number}") };
        let next = if number + 1 < pages.len() { (number + 1).to_string() } else { String::new() };
        let list = format!("<ListRecords>{}<resumptionToken>{next}</resumptionToken></ListRecords>", page.concat());
        site.insert(format!("/oai?verb=ListRecords&{question}"), said(&list));
    }
    Ok(())
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

fn answer(mut stream: TcpStream, sites: &Sites) {
    let Ok(copy) = stream.try_clone() else { return };
    let mut lines = BufReader::new(copy).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let Some(path) = lines.next().and_then(|first| first.split(' ').nth(1).map(str::to_owned)) else { return };
    let host = lines.find_map(|line| line.strip_prefix("Host: ").map(|host| host.split(':').next().unwrap_or_default().to_owned()));
    let pages = host.as_ref().and_then(|host| sites.get(host));
    let reply = match (pages, path.as_str()) {
        (Some(_), "/robots.txt") => text("200 OK", "text/plain", ROBOTS),
        (Some(pages), path) => match pages.get(path) {
            Some(recorded) => recorded.clone(),
            None if path == "/" => text("200 OK", "text/html; charset=utf-8", &front_page(pages)),
            None => text("404 Not Found", "text/html", "<p>404</p>"),
        },
        (None, _) => text("404 Not Found", "text/html", "<p>404</p>"),
    };
    let _ = stream.write_all(&reply);
}

fn front_page(pages: &BTreeMap<String, Vec<u8>>) -> String {
    let links: String = pages.keys().map(|path| format!("<li><a href=\"{path}\">{path}</a></li>")).collect();
    format!("<!doctype html><title>Index</title><ul>{links}</ul>")
}

fn text(status: &str, kind: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
