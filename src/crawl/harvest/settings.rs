//! What a harvest may do: which repositories are asked, who answers for it, how polite it is, and how its documents are read.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::crawl::settings::CrawlSettings;
use crate::optout::TRAINING;
use crate::size::ByteSize;

/// Settings of the source `oai-pmh`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HarvestSettings {
    /// Base addresses of the repositories, as `https://repository.example/oai`.
    pub repositories: Vec<String>,
    /// Only this set of each repository (`ListSets` names them); empty for all records.
    pub set: String,
    /// Format of the metadata. Dublin Core, plain or qualified, is understood.
    pub metadata_prefix: String,
    /// Address of a page, or an e-mail address, at which repositories reach whoever answers for the harvest. Without it none starts.
    pub contact: String,
    /// Our product token: what robots.txt files call us, and the beginning of the user agent.
    pub agent: String,
    /// Product tokens of crawlers for AI training: what is forbidden to one of them is reserved.
    pub training_agents: Vec<String>,
    /// The most new records of one repository in one night; the next night goes on.
    pub records_max: usize,
    /// What changed this many hours before the end of the last harvest is asked for again: clocks differ, and some repositories show records
    /// late. What is known already is not fetched twice.
    pub overlap_hours: u64,
    /// Repositories that are asked at the same time, one request at a time each.
    pub repositories_at_once: usize,
    /// The longest night, in minutes.
    pub minutes_max: u64,
    /// The shortest pause between two requests to one host, or to one address, in ms.
    pub delay_ms_min: u64,
    /// The pause is at least this many times what the last request took.
    pub delay_factor: u32,
    /// A host whose Crawl-delay is longer than this is left out, in seconds.
    pub crawl_delay_s_max: u64,
    /// Faults and refusals in a row after which a host is left alone for the night.
    pub faults_max: u32,
    /// The longest answer that is kept, as sent; also what a file may unpack to.
    pub body_bytes_max: ByteSize,
    /// The longest time for one answer, in seconds.
    pub fetch_s_max: u64,
    /// The longest silence in an answer, in seconds.
    pub idle_s_max: u64,
    /// Size after which a new archive is begun.
    pub archive_bytes_max: ByteSize,
    /// Addresses for host names, in place of those that DNS gives; `*.example` stands for all names below. Only what stands here may be at
    /// a private address.
    #[schemars(with = "BTreeMap<String, String>")]
    pub hosts: BTreeMap<String, SocketAddr>,
    /// Records without a full text that can be had become documents of their title and description.
    pub abstracts: bool,
    /// Licence of all documents that state none.
    pub licence: Option<String>,
    /// Language of all documents that state none.
    pub lang: Option<String>,
    /// Drop what its metadata reserve from text and data mining. Without it documents are only marked.
    pub drop_reserved: bool,
}

impl Default for HarvestSettings {
    fn default() -> HarvestSettings {
        HarvestSettings {
            repositories: Vec::new(),
            set: String::new(),
            metadata_prefix: "oai_dc".to_owned(),
            contact: String::new(),
            agent: "tamisbot".to_owned(),
            training_agents: TRAINING.iter().map(|agent| (*agent).to_owned()).collect(),
            records_max: 10_000,
            overlap_hours: 48,
            repositories_at_once: 16,
            minutes_max: 480,
            delay_ms_min: 5_000,
            delay_factor: 5,
            crawl_delay_s_max: 30,
            faults_max: 5,
            body_bytes_max: ByteSize::mib(64),
            fetch_s_max: 300,
            idle_s_max: 60,
            archive_bytes_max: ByteSize(1_000_000_000),
            hosts: BTreeMap::new(),
            abstracts: false,
            licence: None,
            lang: None,
            drop_reserved: true,
        }
    }
}

/// Settings of a harvest that say how its documents are read; all others say what is fetched, and change no document.
pub const READING: [&str; 6] = ["kind", "body_bytes_max", "abstracts", "licence", "lang", "drop_reserved"];

impl HarvestSettings {
    /// What is wrong with them, in a sentence.
    ///
    /// # Errors
    /// The sentence.
    pub fn check(&self) -> Result<(), String> {
        self.crawl().check()?;
        if self.repositories.is_empty() {
            return Err("`repositories` is empty; name the base address of at least one, as in https://repository.example/oai".to_owned());
        }
        for base in &self.repositories {
            if !Url::parse(base).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none()) {
                return Err(format!("`repositories` names `{base}`, which is no http or https address without a query"));
            }
        }
        if self.records_max == 0 || self.repositories_at_once == 0 || self.metadata_prefix.is_empty() {
            return Err("`records_max` and `repositories_at_once` must be larger than 0, and `metadata_prefix` not empty".to_owned());
        }
        Ok(())
    }

    /// The same politeness and bounds as settings of a crawl, whose client and clocks ask here too.
    #[must_use]
    pub fn crawl(&self) -> CrawlSettings {
        CrawlSettings {
            contact: self.contact.clone(),
            agent: self.agent.clone(),
            training_agents: self.training_agents.clone(),
            minutes_max: self.minutes_max,
            delay_ms_min: self.delay_ms_min,
            delay_factor: self.delay_factor,
            crawl_delay_s_max: self.crawl_delay_s_max,
            faults_max: self.faults_max,
            body_bytes_max: self.body_bytes_max,
            fetch_s_max: self.fetch_s_max,
            idle_s_max: self.idle_s_max,
            archive_bytes_max: self.archive_bytes_max,
            hosts: self.hosts.clone(),
            ..CrawlSettings::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_without_a_contact_and_an_address() {
        let with = |contact: &str, base: &str| HarvestSettings {
            contact: contact.to_owned(),
            repositories: vec![base.to_owned()],
            ..HarvestSettings::default()
        };
        for (contact, base, told) in [
            ("", "https://r.example/oai", "`contact`"),
            ("a@b.eu", "r.example/oai", "no http"),
            ("a@b.eu", "https://r.example/?verb=x", "query"),
        ] {
            assert!(with(contact, base).check().is_err_and(|why| why.contains(told)), "{contact} {base}");
        }
        assert_eq!(with("a@b.eu", "https://r.example/oai").check(), Ok(()));
        assert!(
            HarvestSettings { contact: "a@b.eu".to_owned(), ..HarvestSettings::default() }
                .check()
                .is_err_and(|why| why.contains("`repositories`"))
        );
    }
}
