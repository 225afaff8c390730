//! What a crawl may do: where it begins, who answers for it, how polite it is, and where it ends.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::optout::TRAINING;
use crate::size::ByteSize;

/// Settings of the source `crawl`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CrawlSettings {
    /// Address of a page, or an e-mail address, at which webmasters reach whoever answers for the crawl. Without it no crawl starts.
    pub contact: String,
    /// Our product token: what robots.txt files call us, and the beginning of the user agent.
    pub agent: String,
    /// Addresses to begin with.
    pub seeds: Vec<String>,
    /// Files of addresses to begin with, one a line; empty lines and lines that begin with # are passed over.
    pub seed_files: Vec<String>,
    /// Which links are followed: to the hosts of the seeds, to their registrable domains, or anywhere.
    pub scope: Scope,
    /// Whether the sitemaps that a robots.txt names are asked for: they tell of pages that no link leads to.
    pub sitemaps: bool,
    /// Product tokens of crawlers for AI training: what is forbidden to one of them is reserved.
    pub training_agents: Vec<String>,
    /// The most pages of one night.
    pub pages_max: u64,
    /// The most pages of one host in one night.
    pub host_pages_max: u64,
    /// The most pages of one registrable domain in one night.
    pub domain_pages_max: u64,
    /// Languages that the crawl is for, as BCP 47 tags; none means all. The share of them in the first pages of a host decides how much of
    /// `host_pages_max` it gets, and of a page's translations (`hreflang`) only these are followed.
    pub languages: Vec<String>,
    /// Pages of a host whose language is looked at before its budget is set.
    pub language_sample_pages: u64,
    /// A host with a smaller share of wanted languages gets no more than the sample in one night, from 0 to 1.
    pub language_share_min: f32,
    /// Links from a seed to a page at most.
    pub depth_max: u32,
    /// The longest night, in minutes.
    pub minutes_max: u64,
    /// Hosts that are asked at the same time, one connection each.
    pub connections_max: usize,
    /// The shortest pause between two requests to one host, or to one address, in ms.
    pub delay_ms_min: u64,
    /// The pause is at least this many times what the last request took.
    pub delay_factor: u32,
    /// A host whose Crawl-delay is longer than this is left out, in seconds.
    pub crawl_delay_s_max: u64,
    /// Faults in a row after which a host is left alone for the night.
    pub faults_max: u32,
    /// Whether pages of earlier nights are asked for again when they are due.
    pub revisit: bool,
    /// The shortest time after which a page is asked for again, in hours; it doubles while the page stays the same.
    pub revisit_hours_min: u64,
    /// The longest such time, in hours.
    pub revisit_hours_max: u64,
    /// The longest answer that is kept, as sent. What is longer is cut and marked as such.
    pub body_bytes_max: ByteSize,
    /// The longest head of an answer; readers of archives take 64 KiB, so more is never kept.
    pub head_bytes_max: ByteSize,
    /// The longest time for one answer, in seconds.
    pub fetch_s_max: u64,
    /// The longest silence in an answer, in seconds.
    pub idle_s_max: u64,
    /// Size after which a new archive is begun.
    pub archive_bytes_max: ByteSize,
    /// File to which the counts of the night are written while it goes on and at its end, in Prometheus' text format; empty: nowhere.
    pub metrics_file: String,
    /// Addresses for host names, in place of those that DNS gives; `*.example` stands for all names below. Only what stands here may be at
    /// a private address.
    #[schemars(with = "BTreeMap<String, String>")]
    pub hosts: BTreeMap<String, SocketAddr>,
}

/// Which links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// To the hosts of the seeds.
    Host,
    /// To the registrable domains of the seeds.
    Domain,
    /// Anywhere.
    Any,
}

impl Default for CrawlSettings {
    fn default() -> CrawlSettings {
        CrawlSettings {
            contact: String::new(),
            agent: "tamisbot".to_owned(),
            seeds: Vec::new(),
            seed_files: Vec::new(),
            scope: Scope::Host,
            sitemaps: true,
            training_agents: TRAINING.iter().map(|agent| (*agent).to_owned()).collect(),
            pages_max: 100_000,
            host_pages_max: 1_000,
            domain_pages_max: 5_000,
            languages: Vec::new(),
            language_sample_pages: 20,
            language_share_min: 0.05,
            depth_max: 20,
            minutes_max: 480,
            connections_max: 200,
            delay_ms_min: 5_000,
            delay_factor: 5,
            crawl_delay_s_max: 30,
            faults_max: 5,
            revisit: true,
            revisit_hours_min: 20,
            revisit_hours_max: 24 * 60,
            body_bytes_max: ByteSize::mib(8),
            head_bytes_max: ByteSize(64 << 10),
            fetch_s_max: 60,
            idle_s_max: 20,
            archive_bytes_max: ByteSize(1_000_000_000),
            metrics_file: String::new(),
            hosts: BTreeMap::new(),
        }
    }
}

impl CrawlSettings {
    /// What is wrong with them, in a sentence.
    ///
    /// # Errors
    /// The sentence.
    pub fn check(&self) -> Result<(), String> {
        let is_address = |text: &str| text.starts_with("https://") || text.starts_with("http://") || text.contains('@');
        if !is_address(self.contact.trim()) || self.contact.chars().any(char::is_control) {
            let asked = "`contact` must be the address of a page, or an e-mail address, at which webmasters reach you: a crawler that nobody can \
                         reach does not start";
            return Err(asked.to_owned());
        }
        let is_token = !self.agent.is_empty() && self.agent.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'));
        if !is_token {
            return Err("`agent` must be letters, `-` and `_` only, as robots.txt files can name it (RFC 9309)".to_owned());
        }
        if self.connections_max == 0 || self.body_bytes_max.0 == 0 || self.fetch_s_max == 0 || self.archive_bytes_max.0 == 0 {
            return Err("`connections_max`, `body_bytes_max`, `fetch_s_max` and `archive_bytes_max` must be larger than 0".to_owned());
        }
        if self.revisit_hours_min == 0 || self.revisit_hours_min > self.revisit_hours_max {
            return Err("`revisit_hours_min` must be larger than 0 and not larger than `revisit_hours_max`".to_owned());
        }
        if !(0.0..=1.0).contains(&self.language_share_min) || self.language_sample_pages == 0 {
            return Err("`language_share_min` must be between 0 and 1, and `language_sample_pages` larger than 0".to_owned());
        }
        Ok(())
    }

    /// The address that is set for `host`: for itself, or for the longest end of it that is set.
    #[must_use]
    pub fn address_of(&self, host: &str) -> Option<SocketAddr> {
        let ends = host.match_indices('.').map(|(at, _)| format!("*{}", &host[at..]));
        std::iter::once(host.to_owned()).chain(ends).find_map(|name| self.hosts.get(&name).copied())
    }

    /// Whose rules in robots.txt files speak of training.
    #[must_use]
    pub fn training(&self) -> Vec<&str> {
        self.training_agents.iter().map(String::as_str).collect()
    }

    /// The user agent: who we are, and where to ask.
    #[must_use]
    pub fn user_agent(&self) -> String {
        format!("{}/{} (+{})", self.agent, env!("CARGO_PKG_VERSION"), self.contact.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_set_for_a_name_or_for_all_below_it() {
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let hosts = [("*.example", "127.0.0.1:1"), ("*.ostrov.example", "127.0.0.1:2"), ("a.ostrov.example", "127.0.0.1:3")];
        let hosts = hosts.map(|(name, address)| (name.to_owned(), at(address))).into_iter().collect();
        let settings = CrawlSettings { hosts, ..CrawlSettings::default() };
        for (host, address) in [("b.cz.example", "127.0.0.1:1"), ("b.ostrov.example", "127.0.0.1:2"), ("a.ostrov.example", "127.0.0.1:3")] {
            assert_eq!(settings.address_of(host), Some(at(address)), "{host}");
        }
        assert_eq!((settings.address_of("example"), settings.address_of("x.example.cz")), (None, None));
    }

    #[test]
    fn who_cannot_be_reached_or_named_does_not_crawl() {
        let with =
            |contact: &str, agent: &str| CrawlSettings { contact: contact.to_owned(), agent: agent.to_owned(), ..CrawlSettings::default() };
        for (contact, agent, told) in [("", "tamisbot", "`contact`"), ("me", "tamisbot", "`contact`"), ("a@b.eu", "tamis bot/1", "`agent`")]
        {
            assert!(with(contact, agent).check().is_err_and(|why| why.contains(told)), "{contact} {agent}");
        }
        assert_eq!(with("mailto:a@b.eu", "ostrov-bot").check(), Ok(()));
        assert!(with("https://b.eu/x", "ostrov-bot").user_agent().ends_with("(+https://b.eu/x)"));
    }
}
