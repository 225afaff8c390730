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

/// What the files of some sites are today: by site, each file with status and body, or why there is none. A file that robots.txt forbids is not asked for.
pub type FilesOfSites = BTreeMap<String, Vec<(SiteFile, Result<(u16, Vec<u8>), Fault>)>>;

/// Asks `sites` (scheme, host and port) for their files: many at a time, each at the pace that the settings give. `told` hears how many are done.
///
/// # Errors
/// As [`look`].
pub fn look_at_sites(settings: &CrawlSettings, sites: &[String], told: &dyn Fn(usize)) -> Result<FilesOfSites, CrawlError> {
    settings.check().map_err(CrawlError::Settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CrawlError::Runtime)?;
    let settings = Arc::new(settings.clone());
    let (client, clocks) = (Arc::new(Client::new(settings.clone())), AddressClocks::default());
    runtime.block_on(async {
        let (mut all, mut asking, mut open) = (FilesOfSites::new(), tokio::task::JoinSet::new(), sites.iter());
        loop {
            while asking.len() < settings.connections_max
                && let Some(site) = open.next()
            {
                asking.spawn(files_of(site.clone(), client.clone(), clocks.clone(), settings.clone()));
            }
            let Some(done) = asking.join_next().await else { return Ok(all) };
            let (site, files) = done.map_err(|error| CrawlError::Runtime(std::io::Error::other(error)))?;
            all.insert(site, files);
            told(all.len());
        }
    })
}

async fn files_of(
    site: String,
    client: Arc<Client>,
    clocks: AddressClocks,
    settings: Arc<CrawlSettings>,
) -> (String, Vec<(SiteFile, Result<(u16, Vec<u8>), Fault>)>) {
    let (mut files, mut policy) = (Vec::new(), None::<Policy>);
    for file in SiteFile::ALL {
        let address = format!("{site}{}", file.path());
        if file != SiteFile::Robots && !policy.as_ref().is_some_and(|policy| policy.allows(&settings.agent, &address)) {
            continue;
        }
        let came = loop {
            match network::file(&client, &clocks, settings.delay_ms_min, (&site, file)).await {
                Ok((came, _)) => break came,
                // Another host at the same network address is being asked: its turn first.
                Err(_) => tokio::time::sleep(Duration::from_millis(settings.delay_ms_min.max(50))).await,
            }
        };
        if file == SiteFile::Robots {
            let (status, body) = match &came {
                Ok((status, body)) => (Ok(*status), body.as_slice()),
                Err(fault) => (Err(*fault), &[][..]),
            };
            policy = Some(Policy::of(answer(status), body, None));
        }
        files.push((file, came));
        tokio::time::sleep(Duration::from_millis(settings.delay_ms_min)).await;
    }
    (site, files)
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
