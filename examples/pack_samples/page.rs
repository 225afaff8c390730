//! What a server would have sent for a page: the template filled in, the charset, the content coding, the headers.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::site::{Keys, Page, Sites};

/// Words of another page's first sentence in the sidebar.
const TEASER_WORDS: usize = 14;

/// An HTTP response as stored in an archive.
pub(crate) struct Response {
    /// Status line, headers and the empty line.
    pub(crate) head: String,
    /// What went over the wire after the head, chunks and all.
    pub(crate) body: Vec<u8>,
}

/// The answer to a request for `page` on the day `http_day` at `time`.
pub(crate) fn response(sites: &Sites, page: &Page, http_day: &str, time: &str) -> Response {
    let mut headers = vec![format!("Date: {http_day} {time} GMT"), "Server: imaginary/1.0".to_owned()];
    let mut status = page.get("status").unwrap_or("200 OK");
    let mut payload = Vec::new();
    if let Some((code, target)) = page.get("redirect").and_then(|redirect| redirect.split_once(" | ")) {
        status = code;
        headers.push(format!("Location: {target}"));
    } else if let Some(kind) = page.get("binary") {
        let (media_type, bytes) = binary(kind);
        headers.push(format!("Content-Type: {media_type}"));
        payload = bytes.to_vec();
    } else {
        headers.push(content_type(page));
        payload = encoded(page, &html(sites, page));
    }
    headers.extend(page.all("header").map(str::to_owned));
    if let Some(coding) = page.get("coding") {
        let (name, packed) = packed(coding, &payload);
        headers.push(format!("Content-Encoding: {name}"));
        payload = packed;
    }
    let is_chunked = page.get("chunked").is_some();
    let body = if is_chunked { chunked(&payload) } else { payload };
    headers.push(if is_chunked { "Transfer-Encoding: chunked".to_owned() } else { format!("Content-Length: {}", body.len()) });
    Response { head: format!("HTTP/1.1 {status}\r\n{}\r\n\r\n", headers.join("\r\n")), body }
}

/// The lines of text that a page shows, boilerplate and all.
pub(crate) fn plain_text(sites: &Sites, page: &Page) -> String {
    let labels = &sites.labels[page.lang()];
    let label = |key| labels.get(key).unwrap_or_default();
    let mut lines = vec![label("site"), label("nav"), page.get("title").unwrap_or_default()];
    lines.extend(page.body.iter().map(String::as_str));
    lines.extend(labels.all("comment").filter_map(|comment| comment.split_once(" | ")).map(|(_, words)| words));
    lines.extend([label("cookie"), label("footer")]);
    lines.join("\n") + "\n"
}

fn html(sites: &Sites, page: &Page) -> String {
    let empty = Keys::default();
    let labels = sites.labels.get(page.lang()).unwrap_or(&empty);
    let label = |key| escaped(labels.get(key).unwrap_or_default());
    let split = |key| labels.get(key).unwrap_or_default().split(" | ").map(escaped).collect::<Vec<_>>();
    let linked = |items: Vec<String>| -> String {
        items.iter().enumerate().map(|(place, item)| format!("<li><a href=\"/{place}\">{item}</a></li>")).collect()
    };
    let template = page.get("template").unwrap_or("news");
    let values = [
        ("meta", meta(page, template)),
        ("lang", page.get("declares").unwrap_or(page.lang()).to_owned()),
        ("title", escaped(page.get("title").unwrap_or_default())),
        ("date", page.get("date").unwrap_or("2026-05-01").to_owned()),
        ("host", page.host().to_owned()),
        ("canonical", escaped(page.get("canonical").unwrap_or(&page.url))),
        ("head", page.get("head").unwrap_or_default().to_owned()),
        ("body", body(page)),
        ("teasers", teasers(sites, page)),
        ("nav", linked(split("nav"))),
        ("footer", linked(split("footer"))),
        ("accept", split("accept").iter().map(|item| format!("<button type=\"button\">{item}</button>")).collect()),
        (
            "comment-items",
            labels
                .all("comment")
                .filter_map(|comment| comment.split_once(" | "))
                .map(|(who, words)| format!("<div class=\"comment\"><b>{}</b><p>{}</p></div>\n", escaped(who), escaped(words)))
                .collect(),
        ),
        ("site", label("site")),
        ("cookie", label("cookie")),
        ("search", label("search")),
        ("share", label("share")),
        ("related", label("related")),
        ("comments", label("comments")),
    ];
    let mut html = sites.templates.get(template).unwrap_or_else(|| panic!("no template `{template}`")).clone();
    for (name, value) in values {
        html = html.replace(&format!("{{{{{name}}}}}"), &value);
    }
    assert!(!html.contains("{{"), "template `{template}` asks for a value that nobody gives");
    html
}

fn body(page: &Page) -> String {
    let block = |text: &String| match text.strip_prefix("- ") {
        Some(item) => format!("<li><a href=\"/{}\">{}</a></li>", item.len(), escaped(item)),
        None => format!("<p>{}</p>", escaped(text)),
    };
    page.body.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// The beginnings of other pages of the language. Only of pages that must be kept: a text that must not reach a shard stands on
/// its own page and nowhere else.
fn teasers(sites: &Sites, page: &Page) -> String {
    let own = page.get("canonical").unwrap_or(&page.url);
    let is_teased = |other: &&Page| {
        other.lang() == page.lang()
            && other.url != own
            && matches!(other.get("role"), None | Some("page" | "charset" | "coding"))
            && other.get("archive").is_some_and(|archive| !archive.starts_with("damaged"))
    };
    let teaser = |other: &Page| {
        let words: Vec<&str> = other.body.first()?.split(' ').take(TEASER_WORDS).collect();
        let (url, title, words) = (escaped(&other.url), escaped(other.get("title")?), escaped(&words.join(" ")));
        Some(format!("<div class=\"teaser\"><h3><a href=\"{url}\">{title}</a></h3><p>{words} …</p></div>\n"))
    };
    sites.pages.iter().filter(is_teased).filter_map(teaser).take(3).collect()
}

fn meta(page: &Page, template: &str) -> String {
    let charset = page.get("meta").or(page.get("charset")).unwrap_or("utf-8");
    match (charset, template) {
        ("none", _) => String::new(),
        (_, "portal") => format!("<META http-equiv=\"Content-Type\" content=\"text/html; charset={charset}\">"),
        _ => format!("<meta charset=\"{charset}\">"),
    }
}

fn content_type(page: &Page) -> String {
    match page.get("header-charset").or(page.get("charset")).unwrap_or("utf-8") {
        "none" => "Content-Type: text/html".to_owned(),
        charset => format!("Content-Type: text/html; charset={charset}"),
    }
}

/// `text` in the charset of `page`. Letters that it lacks become character references, as browsers do it.
fn encoded(page: &Page, text: &str) -> Vec<u8> {
    let mut bytes = if page.get("bom").is_some() { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
    match page.get("charset").unwrap_or("utf-8") {
        "utf-16le" => bytes.extend([0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes)),
        "utf-16be" => bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
        label => {
            let charset = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or_else(|| panic!("no charset `{label}`"));
            bytes.extend_from_slice(&charset.encode(text).0);
        }
    }
    bytes
}

/// `payload` in the content coding `coding`, and the name that the header gives it.
fn packed<'a>(coding: &'a str, payload: &[u8]) -> (&'a str, Vec<u8>) {
    let (first, second) = payload.split_at(payload.len() / 2);
    match coding {
        "gzip" => (coding, gzip(payload)),
        "gzip-members" => ("gzip", [gzip(first), gzip(second)].concat()),
        "declared-gzip" => ("gzip", payload.to_vec()),
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(payload).expect("a Vec takes all");
            (coding, encoder.finish().expect("a Vec takes all"))
        }
        "zstd" => (coding, zstd::encode_all(payload, crate::archive::ZSTD_LEVEL).expect("packing in memory does not fail")),
        "br" => {
            let mut bytes = Vec::new();
            brotli::BrotliCompress(&mut &payload[..], &mut bytes, &brotli::enc::BrotliEncoderParams::default())
                .expect("packing in memory does not fail");
            (coding, bytes)
        }
        other => panic!("no content coding `{other}`"),
    }
}

/// `bytes` as one gzip member without name or time. The best level, whose match finder is the same code on every processor.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("a Vec takes all");
    encoder.finish().expect("a Vec takes all")
}

/// `payload` in chunks of uneven size, with an extension on the first and a trailer after the last.
fn chunked(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (place, chunk) in payload.chunks(1_789).enumerate() {
        let extension = if place == 0 { ";part=first" } else { "" };
        bytes.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\nX-Trailer: end\r\n\r\n");
    bytes
}

/// Things that are no page: a transparent GIF of one pixel, the frame of an empty PDF.
fn binary(kind: &str) -> (&'static str, &'static [u8]) {
    match kind {
        "gif" => ("image/gif", b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"),
        "pdf" => ("application/pdf", b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"),
        other => panic!("no binary `{other}`"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
