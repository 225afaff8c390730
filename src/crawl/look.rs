//! Looks at one address as a crawl would: at the files of its site first, at the page only where they allow it, and at every address that
//! it leads to in the same way. For a person who asks what a site says; nothing is kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::fetch::{Client, Fault, Fetched};
use super::frontier::site_of;
use super::night::CrawlError;
use super::night::network::{self, AddressClocks};
use super::robots_file::{Policy, answer};
use super::settings::CrawlSettings;
use super::writer::{HOPS_MAX, redirect};
use crate::archive::http::Response;
use crate::optout::SiteFile;
use crate::text::canonical::Rules;

/// The pause between two requests. A crawl waits longer; this is one page, for a person who waits.
const PAUSE: Duration = Duration::from_secs(1);

/// What became of an address.
#[derive(Clone, Debug)]
pub enum Seen {
    /// The site's robots.txt forbids it, or cannot be had: it was not asked for.
    Forbidden,
    /// There was no answer.
    Fault(Fault),
    /// The answer.
    Answer(Box<Fetched>),
}

/// An address that was looked at.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The address.
    pub url: Url,
    /// The files of its site that were asked for now: address, and status and body or why there is none.
    pub files: Vec<(String, Result<(u16, Vec<u8>), Fault>)>,
    /// What became of the page.
    pub page: Seen,
}

/// Looks at `url`, and at what it redirects to.
///
/// # Errors
/// When the settings name nobody who answers for it, or there is no network at all.
pub fn look(settings: &CrawlSettings, url: &Url) -> Result<Vec<Looked>, CrawlError> {
    settings.check().map_err(CrawlError::Settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CrawlError::Runtime)?;
    let settings = Arc::new(settings.clone());
    let mut looking =
        Looking { client: Client::new(settings.clone()), settings, clocks: AddressClocks::default(), policies: BTreeMap::new() };
    runtime.block_on(looking.follow(url.clone()))
}

struct Looking {
    settings: Arc<CrawlSettings>,
    client: Client,
    clocks: AddressClocks,
    /// What the robots.txt of each site allows.
    policies: BTreeMap<String, Policy>,
}

impl Looking {
    async fn follow(&mut self, mut url: Url) -> Result<Vec<Looked>, CrawlError> {
        let mut looked = Vec::new();
        for _ in 0..=HOPS_MAX {
            let Some(site) = site_of(url.as_str()) else { break };
            let files = if self.policies.contains_key(&site) { Vec::new() } else { self.files(&site).await };
            let page = match self.policies.get(&site) {
                Some(policy) if policy.allows(&self.settings.agent, url.as_str()) => self.page(&url).await,
                _ => Seen::Forbidden,
            };
            let next = target(&url, &page);
            looked.push(Looked { url, files, page });
            match next {
                Some(next) => url = next,
                None => break,
            }
        }
        Ok(looked)
    }

    /// Asks a site for its files; those beside robots.txt only where that allows it.
    async fn files(&mut self, site: &str) -> Vec<(String, Result<(u16, Vec<u8>), Fault>)> {
        let mut files = Vec::new();
        for file in [SiteFile::Robots, SiteFile::Tdmrep, SiteFile::Ai] {
            let address = format!("{site}{}", file.path());
            if file != SiteFile::Robots && !self.policies.get(site).is_some_and(|policy| policy.allows(&self.settings.agent, &address)) {
                continue;
            }
            let came = network::file(&self.client, &self.clocks, 0, (site, file)).await.map_or(Err(Fault::Timeout), |(came, _)| came);
            if file == SiteFile::Robots {
                let (status, body) = match &came {
                    Ok((status, body)) => (Ok(*status), body.as_slice()),
                    Err(fault) => (Err(*fault), &[][..]),
                };
                self.policies.insert(site.to_owned(), Policy::of(answer(status), body, None));
            }
            files.push((address, came));
            tokio::time::sleep(PAUSE).await;
        }
        files
    }

    async fn page(&self, url: &Url) -> Seen {
        match network::page(&self.client, &self.clocks, 0, url, None).await {
            Ok(Ok(fetched)) => Seen::Answer(Box::new(fetched)),
            Ok(Err(fault)) => Seen::Fault(fault),
            Err(_) => Seen::Fault(Fault::Timeout),
        }
    }
}

/// Where an answer redirects to.
fn target(url: &Url, page: &Seen) -> Option<Url> {
    let Seen::Answer(fetched) = page else { return None };
    let location = Response::parse(&fetched.response)?.fields.text("location").filter(|_| (300..400).contains(&fetched.status))?;
    redirect(url, &location, &Rules::new(true, true, &[])).pop()?.parse().ok()
}
