//! Gives a document's address its canonical form and its host, and drops what comes from blocked domains.
//!
//! The id of a document does not change with its address: it was made from the address as recorded. A document without an address is
//! kept, since a curated collection may have none.

mod blocklist;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::ValueDeserializer;

use crate::doc::Document;
use crate::stage::{BuildError, Resources, Room, Stage, Verdict};
use crate::text::canonical::Rules;

use blocklist::Blocklist;

const NOT_A_WEB_ADDRESS: &str = "not-a-web-address";
const TOO_LONG: &str = "too-long";
const BLOCKED_DOMAIN: &str = "blocked-domain";

/// The row of this stage.
pub const ROOM: Room = Room {
    name: "url",
    summary: "puts addresses into canonical form and drops blocked domains",
    reasons: &[NOT_A_WEB_ADDRESS, TOO_LONG, BLOCKED_DOMAIN],
    signals: &[],
    needs: &[],
    gives: &[],
    schema: || schemars::schema_for!(Address),
    build,
};

/// Puts a document's address into canonical form, sets its host, and drops blocked domains. Documents without an address are kept.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Address {
    /// Domains to drop, each with all hosts below it.
    pub block_domains: Vec<String>,
    /// Files of domains to drop: a domain a line, `#` begins a comment.
    pub block_domain_files: Vec<String>,
    /// Drop parameters that only tell how a visitor came (`utm_source`, `gclid`, `fbclid`, ..) from the address.
    pub drop_tracking: bool,
    /// Drop session ids (`jsessionid`, `PHPSESSID`, ..) from the address.
    pub drop_sessions: bool,
    /// More parameters to drop from the address; `*` at the end stands for any ending.
    pub drop_parameters: Vec<String>,
    /// The longest address in canonical form, in bytes.
    pub url_bytes_max: usize,
    /// Keep documents whose address is none of the web; it stays as it is, and the host is empty.
    pub keep_unparsable: bool,
}

impl Default for Address {
    fn default() -> Address {
        Address {
            block_domains: Vec::new(),
            block_domain_files: Vec::new(),
            drop_tracking: true,
            drop_sessions: true,
            drop_parameters: Vec::new(),
            // What sitemaps.org allows and every browser takes.
            url_bytes_max: 2_048,
            keep_unparsable: false,
        }
    }
}

struct Addressing {
    rules: Rules,
    blocked: Blocklist,
    url_bytes_max: usize,
    keep_unparsable: bool,
}

fn build(settings: ValueDeserializer<'_>, resources: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    let settings = Address::deserialize(settings)?;
    let blocked = Blocklist::read(&settings.block_domains, &settings.block_domain_files, resources)?;
    let rules = Rules::new(settings.drop_tracking, settings.drop_sessions, &settings.drop_parameters);
    Ok(Box::new(Addressing { rules, blocked, url_bytes_max: settings.url_bytes_max, keep_unparsable: settings.keep_unparsable }))
}

impl Stage for Addressing {
    fn judge(&self, doc: &mut Document) -> Verdict {
        if doc.url.is_empty() {
            return Verdict::Keep;
        }
        let Some(url) = self.rules.canonical(&doc.url) else {
            return if self.keep_unparsable { Verdict::Keep } else { Verdict::drop(NOT_A_WEB_ADDRESS) };
        };
        doc.host = url.host_str().unwrap_or_default().to_owned();
        doc.url = url.into();
        if doc.url.len() > self.url_bytes_max {
            return Verdict::broke(TOO_LONG, doc.url.len() as f32, self.url_bytes_max as f32);
        }
        if self.blocked.holds(&doc.host) { Verdict::drop(BLOCKED_DOMAIN) } else { Verdict::Keep }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files;

    impl Resources for Files {
        fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
            match path {
                "blocked.txt" => Ok("# casinos\nSpam.example\n*.müll.example # typo squatting\r\n\n192.0.2.7\n".into()),
                "broken.txt" => Ok("fine.example\nnot a domain\n".into()),
                _ => Err(std::io::ErrorKind::NotFound.into()),
            }
        }
    }

    fn stage(table: &str) -> Result<Box<dyn Stage>, BuildError> {
        (ROOM.build)(ValueDeserializer::parse(table).unwrap(), &Files)
    }

    fn judge(table: &str, url: &str) -> (Option<&'static str>, Document) {
        let mut doc = Document { url: url.to_owned(), ..Document::default() };
        match stage(table).unwrap().judge(&mut doc) {
            Verdict::Keep => (None, doc),
            Verdict::Drop(dropped) => (Some(dropped.reason), doc),
        }
    }

    #[test]
    fn a_document_gets_a_canonical_address_and_a_host() {
        let (reason, doc) = judge("{}", "HTTP://Zpravy.Example.CZ:80/a?utm_source=rss");
        assert_eq!((reason, doc.url.as_str(), doc.host.as_str()), (None, "http://zpravy.example.cz/a", "zpravy.example.cz"));
    }

    #[test]
    fn a_document_without_an_address_is_kept() {
        assert_eq!(judge("{}", "").0, None);
    }

    #[test]
    fn what_is_no_web_address_falls_unless_it_shall_stay() {
        assert_eq!(judge("{}", "kirja-17").0, Some(NOT_A_WEB_ADDRESS));
        let (reason, doc) = judge("{ keep_unparsable = true }", "kirja-17");
        assert_eq!((reason, doc.url.as_str(), doc.host.as_str()), (None, "kirja-17", ""));
    }

    #[test]
    fn a_blocked_domain_takes_all_hosts_below_it_and_no_other() {
        let table = "{ block_domains = ['bad.example'], block_domain_files = ['blocked.txt'] }";
        for (url, reason) in [
            ("https://bad.example/", Some(BLOCKED_DOMAIN)),
            ("https://WWW.bad.example./x", Some(BLOCKED_DOMAIN)),
            ("https://notbad.example/", None),
            ("https://example/", None),
            ("https://a.b.spam.example/", Some(BLOCKED_DOMAIN)),
            ("https://www.xn--mll-hoa.example/", Some(BLOCKED_DOMAIN)),
            ("http://192.0.2.7/", Some(BLOCKED_DOMAIN)),
            ("http://192.0.2.8/", None),
        ] {
            assert_eq!(judge(table, url).0, reason, "{url}");
        }
    }

    #[test]
    fn an_endless_address_falls() {
        assert_eq!(judge("{ url_bytes_max = 30 }", "http://example.pt/lisboa/alfama/").0, Some(TOO_LONG));
        assert_eq!(judge("{ url_bytes_max = 30 }", "http://example.pt/lisboa/").0, None);
    }

    #[test]
    fn a_block_list_that_cannot_be_used_names_file_and_line() {
        for (table, expected) in [
            ("{ block_domain_files = ['broken.txt'] }", "line 2"),
            ("{ block_domain_files = ['absent.txt'] }", "absent.txt"),
            ("{ block_domains = ['a b'] }", "a b"),
        ] {
            let said = stage(table).err().expect("settings that cannot be used").to_string();
            assert!(said.contains(expected), "{said}");
        }
    }
}
