//! What came of one address: written into the archive as a metadata record, and from there into the frontier. Because the archive has all
//! of it, a crawl that was killed between the two finds it there again.

use std::fmt::Write as _;

/// What came of one address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The address, canonical.
    pub url: String,
    /// Links from a seed.
    pub depth: u32,
    /// When it was fetched, ms since 1970.
    pub at_ms: u64,
    /// Status code; 0 where there was no answer.
    pub status: u16,
    /// Digest of the payload, `sha1:..`; empty where nothing is kept.
    pub digest: String,
    /// The header `ETag`.
    pub etag: String,
    /// The header `Last-Modified`.
    pub last_modified: String,
    /// Addresses that it leads to: links, and where it redirects to.
    pub links: Vec<String>,
    /// Further sitemaps that it names, where it is one.
    pub sitemaps: Vec<String>,
    /// ms that it took.
    pub took_ms: u64,
    /// Why nothing was kept, or what is special: a word.
    pub note: String,
    /// Its language, where that was looked at: a BCP 47 tag, or `und`.
    pub language: String,
    /// Evidence of a reservation, a line each.
    pub evidence: Vec<String>,
}

/// Without line ends, which would begin another field.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Outcome {
    /// The fields of its metadata record (`application/warc-fields`).
    #[must_use]
    pub fn to_fields(&self) -> Vec<u8> {
        let mut fields =
            format!("fetchTimeMs: {}\r\nhopsFromSeed: {}\r\nstatus: {}\r\natMs: {}\r\n", self.took_ms, self.depth, self.status, self.at_ms);
        for (name, value) in [
            ("payloadDigest", &self.digest),
            ("etag", &self.etag),
            ("lastModified", &self.last_modified),
            ("note", &self.note),
            ("language", &self.language),
        ] {
            if !value.is_empty() {
                let _ = write!(fields, "{name}: {}\r\n", one_line(value));
            }
        }
        self.evidence.iter().for_each(|line| {
            let _ = write!(fields, "optout: {}\r\n", one_line(line));
        });
        self.links.iter().for_each(|link| {
            let _ = write!(fields, "outlink: {} L a/@href\r\n", one_line(link));
        });
        // Heritrix calls this hop `M`, manifest.
        self.sitemaps.iter().for_each(|link| {
            let _ = write!(fields, "outlink: {} M sitemap/loc\r\n", one_line(link));
        });
        fields.into_bytes()
    }

    /// Reads the fields of the metadata record of `url`; `None` where it is not one of ours.
    #[must_use]
    pub fn of_fields(url: &str, fields: &[u8]) -> Option<Outcome> {
        let text = std::str::from_utf8(fields).ok()?;
        let mut outcome = Outcome { url: url.to_owned(), ..Outcome::default() };
        let mut is_ours = false;
        for (name, value) in text.lines().filter_map(|line| line.split_once(": ")) {
            match name {
                "fetchTimeMs" => outcome.took_ms = value.parse().ok()?,
                "hopsFromSeed" => outcome.depth = value.parse().ok()?,
                "status" => outcome.status = value.parse().ok()?,
                "atMs" => (outcome.at_ms, is_ours) = (value.parse().ok()?, true),
                "payloadDigest" => value.clone_into(&mut outcome.digest),
                "etag" => value.clone_into(&mut outcome.etag),
                "lastModified" => value.clone_into(&mut outcome.last_modified),
                "note" => value.clone_into(&mut outcome.note),
                "language" => value.clone_into(&mut outcome.language),
                "optout" => outcome.evidence.push(value.to_owned()),
                "outlink" => match value.split_once(' ') {
                    Some((link, "M sitemap/loc")) => outcome.sitemaps.push(link.to_owned()),
                    found => outcome.links.push(found.map_or(value, |(link, _)| link).to_owned()),
                },
                _ => {}
            }
        }
        is_ours.then_some(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_reads_back_from_its_record_and_no_value_can_add_a_field() {
        let outcome = Outcome {
            url: "https://kyla.example.fi/".to_owned(),
            depth: 3,
            at_ms: 1_790_000_000_123,
            status: 200,
            digest: "sha1:ABC".to_owned(),
            etag: "\"x\"".to_owned(),
            links: vec!["https://kyla.example.fi/a".to_owned(), "https://kyla.example.fi/b?c=d".to_owned()],
            sitemaps: vec!["https://kyla.example.fi/kartta.xml.gz".to_owned()],
            took_ms: 42,
            language: "fi".to_owned(),
            evidence: vec!["tdmrep-meta: 1".to_owned()],
            ..Outcome::default()
        };
        assert_eq!(Outcome::of_fields(&outcome.url, &outcome.to_fields()), Some(outcome.clone()));
        let sly = Outcome { etag: "x\r\noutlink: https://muu.example.fi/".to_owned(), links: Vec::new(), ..outcome.clone() };
        assert!(Outcome::of_fields(&sly.url, &sly.to_fields()).is_some_and(|read| read.links.is_empty()));
        assert_eq!(Outcome::of_fields("x", b"software: other\r\n"), None);
    }
}
