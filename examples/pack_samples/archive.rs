//! Writes WARC 1.1 records, a gzip member or a zstd frame each.
//!
//! Record ids are hashes of archive, position and address; dates are counted from midnight of the archive's day, seven seconds a
//! record. So the same sources give the same bytes.

use std::collections::BTreeMap;

use sha1::{Digest, Sha1};

use crate::page::{self, gzip};
use crate::site::{Page, Sites};

/// Level of every zstd frame.
pub(crate) const ZSTD_LEVEL: i32 = 19;

/// Pages by address: id, date and payload digest of the record that holds them.
pub(crate) type Seen = BTreeMap<String, (String, String, String)>;

/// How records are packed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Packing {
    /// A gzip member a record.
    Gzip,
    /// A zstd frame a record.
    Zstd,
}

/// A record that was written.
#[derive(Debug)]
pub(crate) struct Written {
    /// Where it begins.
    pub(crate) offset: usize,
    /// How long it is, packed.
    pub(crate) length: usize,
    /// `response`, `revisit`, `request`, `metadata`, `warcinfo`, `conversion` or `line`.
    pub(crate) kind: &'static str,
    /// What it holds, where that is a page.
    pub(crate) page: Option<Page>,
    /// Its address.
    pub(crate) url: String,
}

impl Written {
    /// A line of JSON.
    pub(crate) fn line(offset: usize, length: usize, page: &Page) -> Written {
        Written { offset, length, kind: "line", page: Some(page.clone()), url: page.url.clone() }
    }
}

/// An archive in the making.
pub(crate) struct Archive {
    /// Its bytes so far.
    pub(crate) bytes: Vec<u8>,
    /// Its records so far.
    pub(crate) records: Vec<Written>,
    file: &'static str,
    day: &'static str,
    http_day: &'static str,
    packing: Packing,
}

impl Archive {
    /// An empty archive that will be stored as `file`.
    pub(crate) fn new(file: &'static str, day: &'static str, http_day: &'static str, packing: Packing) -> Archive {
        Archive { bytes: Vec::new(), records: Vec::new(), file, day, http_day, packing }
    }

    /// The record that says what the file is.
    pub(crate) fn warcinfo(&mut self) {
        let name = self.file.rsplit('/').next().unwrap_or(self.file);
        let fields = [("WARC-Filename", name.to_owned()), ("Content-Type", "application/warc-fields".to_owned())];
        let block = b"software: tamis pack_samples\r\nformat: WARC File Format 1.1\r\ndescription: imaginary pages, CC0-1.0\r\n";
        self.push("warcinfo", "", None, &fields, block);
    }

    /// What a crawler stores when it meets `page`; `talkative` ones also keep the request and what they noted.
    pub(crate) fn visit(&mut self, sites: &Sites, page: &Page, talkative: bool, seen: &mut Seen) {
        if let Some(url) = page.get("revisit-of") {
            return self.revisit(page, &seen[url]);
        }
        if talkative {
            let path = page.url.splitn(4, '/').nth(3).unwrap_or_default();
            let request =
                format!("GET /{path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: imaginary-crawler\r\nAccept: text/html\r\n\r\n", page.host());
            self.push("request", &page.url, None, &[("Content-Type", "application/http; msgtype=request".to_owned())], request.as_bytes());
        }
        let response = page::response(sites, page, self.http_day, &self.time());
        // Over the body as stored, chunks and all, as warcio and most crawlers count it; the standard can also be read otherwise.
        let digest = digest(&response.body);
        let (id, date) = (self.id("response", &page.url), self.date());
        let fields = [("Content-Type", "application/http; msgtype=response".to_owned()), ("WARC-Payload-Digest", digest.clone())];
        self.push("response", &page.url, Some(page), &fields, &[response.head.as_bytes(), &response.body].concat());
        if talkative {
            let fields = [("WARC-Concurrent-To", id.clone()), ("Content-Type", "application/warc-fields".to_owned())];
            self.push("metadata", &page.url, None, &fields, b"hopsFromSeed: L\r\nfetchTimeMs: 120\r\n");
        }
        seen.insert(page.url.clone(), (id, date, digest));
    }

    /// The text of `page` without its markup.
    pub(crate) fn conversion(&mut self, sites: &Sites, page: &Page) {
        let iso3 = sites.labels[page.lang()].get("iso3").unwrap_or("und");
        let fields = [("WARC-Identified-Content-Language", iso3.to_owned()), ("Content-Type", "text/plain".to_owned())];
        self.push("conversion", &page.url, Some(page), &fields, page::plain_text(sites, page).as_bytes());
    }

    fn revisit(&mut self, page: &Page, (id, date, digest): &(String, String, String)) {
        let fields = [
            ("WARC-Profile", "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest".to_owned()),
            ("WARC-Refers-To", id.clone()),
            ("WARC-Refers-To-Date", date.clone()),
            ("Content-Type", "application/http; msgtype=response".to_owned()),
            ("WARC-Payload-Digest", digest.clone()),
        ];
        let head =
            format!("HTTP/1.1 200 OK\r\nDate: {} {} GMT\r\nContent-Type: text/html; charset=utf-8\r\n\r\n", self.http_day, self.time());
        self.push("revisit", &page.url, Some(page), &fields, head.as_bytes());
    }

    fn push(&mut self, kind: &'static str, url: &str, page: Option<&Page>, fields: &[(&str, String)], block: &[u8]) {
        let mut record =
            format!("WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: {}\r\nWARC-Date: {}\r\n", self.id(kind, url), self.date());
        if !url.is_empty() {
            record += &format!("WARC-Target-URI: {url}\r\n");
        }
        for (name, value) in fields {
            record += &format!("{name}: {value}\r\n");
        }
        record += &format!("WARC-Block-Digest: {}\r\nContent-Length: {}\r\n\r\n", digest(block), block.len());
        let record = [record.as_bytes(), block, b"\r\n\r\n"].concat();
        let packed = match self.packing {
            Packing::Gzip => gzip(&record),
            Packing::Zstd => zstd::encode_all(record.as_slice(), ZSTD_LEVEL).expect("packing in memory does not fail"),
        };
        self.records.push(Written { offset: self.bytes.len(), length: packed.len(), kind, page: page.cloned(), url: url.to_owned() });
        self.bytes.extend_from_slice(&packed);
    }

    /// A name-based UUID (RFC 9562, version 5 in form) of archive, position, kind and address.
    fn id(&self, kind: &str, url: &str) -> String {
        let mut hash = Sha1::digest(format!("{} {} {kind} {url}", self.file, self.records.len()));
        hash[6] = hash[6] & 0x0f | 0x50;
        hash[8] = hash[8] & 0x3f | 0x80;
        let hex = data_encoding::HEXLOWER.encode(&hash[..16]);
        format!("<urn:uuid:{}-{}-{}-{}-{}>", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    fn date(&self) -> String {
        format!("{}T{}Z", self.day, self.time())
    }

    fn time(&self) -> String {
        let seconds = self.records.len() * 7;
        format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha1:{}", data_encoding::BASE32.encode(&Sha1::digest(bytes)))
}
