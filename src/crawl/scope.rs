//! Which addresses belong to a crawl.

use std::collections::BTreeSet;

use super::settings::{CrawlSettings, Scope};
use crate::text::address::Address;
use crate::text::host::registrable_domain;

/// The bounds of a crawl.
pub struct Bounds {
    scope: Scope,
    names: BTreeSet<String>,
}

impl Bounds {
    /// The bounds that `settings` draw around `seeds`.
    #[must_use]
    pub fn new(settings: &CrawlSettings, seeds: &[String]) -> Bounds {
        let hosts = seeds.iter().filter_map(|url| Some(Address::of(url)?.host().to_owned()));
        let names = match settings.scope {
            Scope::Host => hosts.collect(),
            Scope::Domain => hosts.map(|host| registrable_domain(&host).to_owned()).collect(),
            Scope::Any => BTreeSet::new(),
        };
        Bounds { scope: settings.scope, names }
    }

    /// Whether `url` lies in them.
    #[must_use]
    pub fn contain(&self, url: &str) -> bool {
        let Some(address) = Address::of(url) else { return false };
        match self.scope {
            Scope::Host => self.names.contains(address.host()),
            Scope::Domain => self.names.contains(registrable_domain(address.host())),
            Scope::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crawl_stays_with_its_hosts_its_domains_or_nowhere() {
        let contain = |scope: Scope, url: &str| {
            let seeds = ["https://www.mesto.example.sk/a".to_owned(), "https://obec.sk/".to_owned()];
            Bounds::new(&CrawlSettings { scope, ..CrawlSettings::default() }, &seeds).contain(url)
        };
        for (url, host, domain) in [
            ("http://www.mesto.example.sk/b", true, true),
            ("https://mesto.example.sk/", false, true),
            ("https://foto.obec.sk/", false, true),
            ("https://inde.sk/", false, false),
        ] {
            assert_eq!((contain(Scope::Host, url), contain(Scope::Domain, url), contain(Scope::Any, url)), (host, domain, true), "{url}");
        }
    }
}
