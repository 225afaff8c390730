//! What is asked to go, and whether a document is meant.

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind};
use serde::{Deserialize, Serialize};

use crate::doc::DocId;
use crate::locator::Key;
use crate::text::address::{Address, host_of};
use crate::text::host::registrable_domain;

/// One request, as it was made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// A document by its id, and all captures of its address.
    Id(DocId),
    /// One address, however it is spelt.
    Url(String),
    /// An address and all below it.
    UrlPrefix(String),
    /// A host.
    Host(String),
    /// A registrable domain with all its hosts.
    Domain(String),
    /// A document by the digest of its payload, as the column `content_digest` has it.
    ContentHash(String),
    /// Every document whose address, title or text has these words, in whatever case.
    Containing(String),
    /// This text, and all documents like it.
    Text(String),
}

/// A request that names nothing.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// No address.
    #[error("`{0}` is no absolute http or https address; write it with its scheme, as in https://example.eu/page")]
    NoAddress(String),
    /// No host.
    #[error("`{0}` is no host name; write it without scheme and path, as in www.example.eu")]
    NoHost(String),
    /// No digest.
    #[error("`{0}` is no digest of a payload; write it as the column content_digest has it, as in sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ")]
    NoDigest(String),
    /// No domain.
    #[error("`{0}` is no domain that somebody can register; for one host of it use --host")]
    NoDomain(String),
    /// Nothing to look for.
    #[error("an empty text would match everything; give the words to look for")]
    Empty,
}

/// What must go, in the form in which documents are compared with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Targets {
    /// Documents.
    pub ids: BTreeSet<DocId>,
    /// Addresses, in canonical form without scheme.
    pub addresses: BTreeSet<String>,
    /// Prefixes of them.
    pub prefixes: BTreeSet<String>,
    /// Digests of payloads.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub digests: BTreeSet<String>,
    /// Hosts.
    pub hosts: BTreeSet<String>,
    /// Registrable domains.
    pub domains: BTreeSet<String>,
}

impl Targets {
    /// Adds what `request` names by itself; words and texts have to be looked for.
    ///
    /// # Errors
    /// When it names nothing.
    pub fn add(&mut self, request: &Request) -> Result<(), RequestError> {
        let address = |url: &str| Address::of(url).ok_or_else(|| RequestError::NoAddress(url.to_owned()));
        let host = |name: &str| {
            let address = Address::of(&format!("http://{name}/")).filter(|address| address.as_str().ends_with('/') && !name.contains('/'));
            address.map(|address| address.host().to_owned()).ok_or_else(|| RequestError::NoHost(name.to_owned()))
        };
        match request {
            Request::Id(id) => {
                self.ids.insert(*id);
            }
            Request::Url(url) => {
                self.addresses.insert(address(url)?.as_str().to_owned());
            }
            Request::UrlPrefix(url) => {
                self.prefixes.insert(address(url)?.as_str().trim_end_matches('/').to_owned());
            }
            Request::Host(name) => {
                self.hosts.insert(host(name)?);
            }
            Request::Domain(name) => {
                let host = host(name)?;
                if registrable_domain(&host) != host {
                    return Err(RequestError::NoDomain(name.clone()));
                }
                self.domains.insert(host);
            }
            Request::ContentHash(digest) => match digest.split_once(':') {
                Some((name, value)) if !name.is_empty() && !value.is_empty() => drop(self.digests.insert(digest.clone())),
                _ => return Err(RequestError::NoDigest(digest.clone())),
            },
            Request::Containing(words) | Request::Text(words) if words.trim().is_empty() => return Err(RequestError::Empty),
            Request::Containing(_) | Request::Text(_) => {}
        }
        Ok(())
    }

    /// Adds a document that was found.
    pub fn add_document(&mut self, id: DocId, url: &str) {
        self.ids.insert(id);
        if let Some(address) = Address::of(url) {
            self.addresses.insert(address.as_str().to_owned());
        }
    }

    /// Whether what was found at `url` is meant.
    #[must_use]
    pub fn has_url(&self, url: &str) -> bool {
        let Some(address) = Address::of(url) else { return false };
        self.addresses.contains(address.as_str())
            || self.hosts.contains(address.host())
            || !self.domains.is_empty() && self.domains.contains(registrable_domain(address.host()))
            || self.prefixes.iter().any(|prefix| address.is_below(prefix))
    }

    /// Whether a document is meant.
    #[must_use]
    pub fn has(&self, id: DocId, url: &str, digest: &str) -> bool {
        self.ids.contains(&id) || self.digests.contains(digest) || self.has_url(url)
    }

    /// What to ask the lists of the locator for. What they answer still has to be compared.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        let ids = self.ids.iter().map(|id| Key::of_id(*id));
        let addresses = self.addresses.iter().map(|address| Key::of_address(address));
        let hosts = self.prefixes.iter().map(|prefix| host_of(prefix)).chain(self.hosts.iter().map(String::as_str)).map(Key::of_host);
        let domains = self.domains.iter().map(|domain| Key::of_domain(domain));
        let digests = self.digests.iter().map(|digest| Key::of_digest(digest));
        ids.chain(addresses).chain(digests).chain(hosts).chain(domains).collect()
    }

    /// The names by which a line of a text tells of what is meant.
    #[must_use]
    pub fn names(&self) -> Names {
        let host_and_path = |address: &String| {
            let (host, rest) = address.split_once('/').unwrap_or((address, ""));
            // An index of archives begins its lines with the host's labels in reverse (SURT).
            let reversed: Vec<&str> = host.rsplit('.').collect();
            [address.trim_end_matches('/').to_owned(), format!("{})/{rest}", reversed.join(","))]
        };
        let hosts = self.hosts.iter().chain(&self.domains).flat_map(|host| [host.clone(), host.rsplit('.').collect::<Vec<_>>().join(",")]);
        let mut names: Vec<String> = self.addresses.iter().chain(&self.prefixes).flat_map(host_and_path).chain(hosts).collect();
        names.extend(self.ids.iter().map(DocId::to_string));
        Names::of(names)
    }

    /// Whether nothing is meant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Targets::default()
    }
}

/// Names to look for in a line.
#[derive(Clone, Debug)]
pub struct Names {
    names: Vec<String>,
    /// All of them at once, unless they are too many for any automaton.
    at_once: Option<AhoCorasick>,
}

impl Names {
    fn of(names: Vec<String>) -> Names {
        let at_once = AhoCorasickBuilder::new().kind(Some(AhoCorasickKind::ContiguousNFA)).build(&names).ok();
        Names { names, at_once }
    }

    /// Whether one of them stands in `line`. A name that goes on behind its end, as `a.eu/1` in `a.eu/12`, is another one.
    #[must_use]
    pub fn stand_in(&self, line: &[u8]) -> bool {
        let ends = |place: Range<usize>| {
            let next = line.get(place.end);
            let before = place.start.checked_sub(1).map(|before| line[before]);
            !next.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"-_%".contains(byte))
                && !before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        match &self.at_once {
            Some(names) => names.find_overlapping_iter(line).any(|found| ends(found.range())),
            None => self.names.iter().any(|name| memchr::memmem::find_iter(line, name).any(|at| ends(at..at + name.len()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(requests: &[Request]) -> Targets {
        let mut targets = Targets::default();
        requests.iter().for_each(|request| targets.add(request).expect("a sound request"));
        targets
    }

    #[test]
    fn a_request_means_what_it_says_and_no_more() {
        let targets = targets(&[
            Request::Url("https://Delta.example.ro/peste?utm_source=x".to_owned()),
            Request::UrlPrefix("http://satul.example.ro/oameni/".to_owned()),
            Request::Host("Ziar.example.ro".to_owned()),
            Request::Domain("luntre.ro".to_owned()),
            Request::Id(DocId(5)),
        ]);
        for url in
            ["http://delta.example.ro/peste", "https://satul.example.ro/oameni/ion", "https://ziar.example.ro/1", "https://a.luntre.ro/"]
        {
            assert!(targets.has(DocId(1), url, ""), "{url}");
        }
        for url in ["http://delta.example.ro/peste/2", "https://satul.example.ro/oameniisatului", "https://example.ro/", "none"] {
            assert!(!targets.has(DocId(1), url, ""), "{url}");
        }
        assert!(targets.has(DocId(5), "https://altceva.example.ro/", ""));
    }

    #[test]
    fn a_request_that_names_nothing_is_refused_with_what_would() {
        for (request, told) in [
            (Request::Url("delta.example.ro/peste".to_owned()), "with its scheme"),
            (Request::Host("https://delta.example.ro".to_owned()), "without scheme"),
            (Request::Domain("www.luntre.ro".to_owned()), "--host"),
            (Request::ContentHash("3I42H3S6".to_owned()), "content_digest"),
            (Request::Containing(" ".to_owned()), "empty"),
        ] {
            let error = Targets::default().add(&request).expect_err("it names nothing").to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
