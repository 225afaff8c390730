//! Asks for one address after another as politely as a crawl does: robots.txt first, what a site reserves is not asked for, pauses between
//! requests, `Retry-After` followed, a host with too many faults left alone.
//!
//! A harvest mostly speaks with one host, so there is no frontier here: whoever asks waits for the answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::archive::http::Response;
use crate::crawl::fetch::{Client, Fault, Fetched};
use crate::crawl::frontier::site_of;
use crate::crawl::night::network::{self, AddressClocks};
use crate::crawl::night::now_ms;
use crate::crawl::polite::{Came, Patience};
use crate::crawl::robots_file::{Answer, Policy, answer};
use crate::crawl::settings::CrawlSettings;
use crate::crawl::writer::{HOPS_MAX, redirect};
use crate::optout::{self, Agents, Evidence, SiteFile, Verdict};
use crate::suppression::Suppression;
use crate::text::canonical::Rules;

/// How long somebody who wishes to stop waits at most.
const NAP: Duration = Duration::from_millis(50);

/// Why an address gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unheard {
    /// It is not to be asked for, by reason: it will be the same tomorrow.
    Refused(&'static str),
    /// Nothing came of it tonight.
    Failed(String),
    /// The night is over.
    Over,
    /// Somebody wishes to stop.
    Stopped,
}

/// What a night of asking needs of the world.
#[derive(Clone, Copy)]
pub(super) struct Bounds<'w> {
    pub(super) suppression: Option<&'w Suppression>,
    pub(super) stop: &'w (dyn Fn() -> bool + Sync),
    pub(super) ends_ms: u64,
}

struct Site {
    policy: Policy,
    reserves: optout::Site,
    patience: Patience,
}

/// Who asks.
pub(super) struct Visitor<'w> {
    settings: Arc<CrawlSettings>,
    client: Client,
    clocks: AddressClocks,
    bounds: Bounds<'w>,
    sites: BTreeMap<String, Site>,
    pub(super) requests: u64,
}

impl<'w> Visitor<'w> {
    pub(super) fn new(settings: Arc<CrawlSettings>, clocks: AddressClocks, bounds: Bounds<'w>) -> Visitor<'w> {
        Visitor { client: Client::new(settings.clone()), settings, clocks, bounds, sites: BTreeMap::new(), requests: 0 }
    }

    /// Asks for `url`, up to `tries_max` times, and for what it redirects to. With `minds` what a site reserves is not asked for.
    pub(super) async fn get(&mut self, url: &Url, minds: bool, tries_max: u32) -> Result<(Url, Fetched), Unheard> {
        let mut url = url.clone();
        for _ in 0..=HOPS_MAX {
            let fetched = self.one(&url, minds, tries_max).await?;
            match target(&url, &fetched) {
                Some(next) => url = next,
                None => return Ok((url, fetched)),
            }
        }
        Err(Unheard::Failed("too-many-redirects".to_owned()))
    }

    async fn one(&mut self, url: &Url, minds: bool, tries_max: u32) -> Result<Fetched, Unheard> {
        let name = site_of(url.as_str()).ok_or(Unheard::Refused("no-address"))?;
        if self.bounds.suppression.is_some_and(|list| list.refuses_url(url.as_str())) {
            return Err(Unheard::Refused("suppressed"));
        }
        self.learn(&name).await?;
        self.refusal(&name, url, minds).map_or(Ok(()), |why| Err(Unheard::Refused(why)))?;
        let mut last = String::new();
        for _ in 0..tries_max {
            let result = self.ask(&name, url).await?;
            match result {
                Ok(fetched) if fetched.status == 429 || fetched.status >= 500 => last = format!("http-{}", fetched.status),
                Ok(fetched) if fetched.truncated.is_some_and(|why| why != "length") => "cut".clone_into(&mut last),
                Ok(fetched) => return Ok(fetched),
                Err(Fault::NotPublic) => return Err(Unheard::Refused("not-public")),
                Err(fault) => fault.word().clone_into(&mut last),
            }
        }
        Err(Unheard::Failed(last))
    }

    fn refusal(&self, name: &str, url: &Url, minds: bool) -> Option<&'static str> {
        let site = self.sites.get(name)?;
        if !site.policy.allows(&self.settings.agent, url.as_str()) {
            return Some("robots");
        }
        if site.policy.crawl_delay(&self.settings.agent).is_some_and(|delay| delay > self.settings.crawl_delay_s_max as f64) {
            return Some("crawl-delay");
        }
        let found = site.reserves.find(&Evidence { url: url.as_str(), ..Evidence::default() });
        (minds && found.verdict == Verdict::Reserved).then_some("reserved")
    }

    /// One request, when the host and its address may be asked.
    async fn ask(&mut self, name: &str, url: &Url) -> Result<Result<Fetched, Fault>, Unheard> {
        loop {
            let patience = self.sites.get(name).map(|site| site.patience).unwrap_or_default();
            if patience.parked {
                return Err(Unheard::Failed("parked".to_owned()));
            }
            self.wait(patience.next_ms).await?;
            let result = match network::page(&self.client, &self.clocks, self.settings.delay_ms_min, url, None).await {
                Err(until) => {
                    self.wait(until).await?;
                    continue;
                }
                Ok(result) => result,
            };
            self.requests += 1;
            self.take_note(name, &result);
            return Ok(result);
        }
    }

    fn take_note(&mut self, name: &str, result: &Result<Fetched, Fault>) {
        let retry_after = result.as_ref().ok().and_then(|fetched| Response::parse(&fetched.response)?.fields.text("retry-after"));
        let came = match result {
            Ok(fetched) => Came::Answer { status: fetched.status, took_ms: fetched.took_ms, retry_after: retry_after.as_deref() },
            Err(_) => Came::Fault,
        };
        if let Some(site) = self.sites.get_mut(name) {
            let delay = site.policy.crawl_delay(&self.settings.agent);
            site.patience = site.patience.after(&came, delay, now_ms(), &self.settings);
        }
    }

    /// Waits until `at_ms`, as long as the night lasts.
    async fn wait(&self, at_ms: u64) -> Result<(), Unheard> {
        loop {
            let now = now_ms();
            if (self.bounds.stop)() {
                return Err(Unheard::Stopped);
            }
            if now.max(at_ms) >= self.bounds.ends_ms {
                return Err(Unheard::Over);
            }
            if now >= at_ms {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(at_ms - now).min(NAP)).await;
        }
    }

    /// Asks a site that is new tonight for its robots.txt, and for the files beside it where that allows it.
    async fn learn(&mut self, name: &str) -> Result<(), Unheard> {
        if self.sites.contains_key(name) {
            return Ok(());
        }
        let training = self.settings.training().into_iter().map(str::to_owned).collect::<Vec<_>>();
        let training: Vec<&str> = training.iter().map(String::as_str).collect();
        let agent = self.settings.agent.clone();
        let agents = Agents { own: &agent, training: &training };
        let mut site = Site { policy: Policy::Nothing, reserves: optout::Site::default(), patience: Patience::default() };
        for file in [SiteFile::Robots, SiteFile::Tdmrep, SiteFile::Ai] {
            if file != SiteFile::Robots && !site.policy.allows(&agent, &format!("{name}{}", file.path())) {
                continue;
            }
            let (status, body, took_ms) = self.file(name, file, site.patience.next_ms).await?;
            if file == SiteFile::Robots {
                site.policy = Policy::of(answer(status), &body, None);
            }
            if file != SiteFile::Robots || answer(status) == Answer::File {
                site.reserves.take(file, if matches!(status, Ok(200..=299)) { &body } else { &[] }, &agents);
            }
            let came = status.map_or(Came::Fault, |status| Came::Answer { status, took_ms, retry_after: None });
            site.patience = site.patience.after(&came, None, now_ms(), &self.settings);
        }
        self.sites.insert(name.to_owned(), site);
        Ok(())
    }

    async fn file(&mut self, name: &str, file: SiteFile, mut at_ms: u64) -> Result<(Result<u16, Fault>, Vec<u8>, u64), Unheard> {
        loop {
            self.wait(at_ms).await?;
            let began = now_ms();
            match network::file(&self.client, &self.clocks, self.settings.delay_ms_min, (name, file)).await {
                Err(until) => at_ms = until,
                Ok((came, _)) => {
                    self.requests += 1;
                    let (status, body) = came.map_or_else(|fault| (Err(fault), Vec::new()), |(status, body)| (Ok(status), body));
                    return Ok((status, body, now_ms() - began));
                }
            }
        }
    }
}

/// Where an answer redirects to.
fn target(url: &Url, fetched: &Fetched) -> Option<Url> {
    let location = Response::parse(&fetched.response)?.fields.text("location").filter(|_| (300..400).contains(&fetched.status))?;
    redirect(url, &location, &Rules::new(false, true, &[])).pop()?.parse().ok()
}
