//! What a site is asked for next, and what it is not asked for at all.

use url::Url;

use super::{Night, Site, host_of};
use crate::crawl::fetch::Fault;
use crate::crawl::frontier::{Files, KnownRobots, Page, Waiting};
use crate::crawl::languages;
use crate::crawl::night::CrawlError;
use crate::crawl::night::network::{self, Done, page};
use crate::crawl::robots_file::{AGAIN_MS, Answer, HOLDS_MS, Policy, answer};
use crate::crawl::settings::CrawlSettings;
use crate::optout::{self, Agents, Evidence, SiteFile, Verdict};
use crate::suppression::Suppression;
use crate::text::host::registrable_domain;

/// Addresses of a site that are refused in one go, before others have their turn.
const REFUSED_AT_ONCE: usize = 256;

/// How long a site waits for the writer to tell the languages of its first pages, in ms.
const UNJUDGED_MS: u64 = 50;

impl Night<'_> {
    /// Asks a site for its robots.txt if that is not known, else for its next address that may be fetched.
    pub(super) fn ask(&mut self, name: &str, now: u64) -> Result<(), CrawlError> {
        let Some(site) = self.sites.get_mut(name) else { return Ok(()) };
        if let Some(file) = missing_file(site, &self.settings.agent, name, now) {
            self.spawn_file(name, file);
            return Ok(());
        }
        let delay = site.policy.as_ref().and_then(|policy| policy.crawl_delay(&self.settings.agent));
        if delay.is_some_and(|delay| delay > self.settings.crawl_delay_s_max as f64) {
            return self.park(name, "crawl-delay");
        }
        let domain = registrable_domain(host_of(name)).to_owned();
        let of_domain = self.domains.get(&domain).copied().unwrap_or(0);
        let budget = languages::budget(&self.settings, host_of(name), &site.host);
        if site.host.pages >= self.settings.host_pages_max || of_domain >= self.settings.domain_pages_max {
            return self.park(name, "budget");
        }
        if site.host.pages >= budget {
            return self.park(name, "languages");
        }
        let sample = self.settings.language_sample_pages;
        if site.unjudged > 0 && site.host.judged < sample && site.host.judged + site.unjudged >= sample {
            // What came may set the budget already.
            site.host.patience.next_ms = now + UNJUDGED_MS;
            return self.rest(name);
        }
        for _ in 0..REFUSED_AT_ONCE {
            let Some(site) = self.sites.get_mut(name) else { return Ok(()) };
            let Some((place, waiting)) = site.waiting.pop_front() else { break };
            let Some(why) = refusal(&self.settings, self.world.suppression, site, &waiting.url) else {
                return self.spawn_page(name, place, waiting, now);
            };
            self.refuse(name, place, waiting, why, now);
        }
        self.rest(name)
    }

    /// Leaves a site alone for tonight; what waits for it stays in the queue.
    pub(super) fn park(&mut self, name: &str, why: &str) -> Result<(), CrawlError> {
        if let Some(site) = self.sites.get_mut(name) {
            (site.host.patience.parked, site.busy) = (true, false);
            *self.status.refused.entry(format!("parked:{why}")).or_default() += 1;
            self.changes.hosts.push((name.to_owned(), site.host.clone()));
            site.waiting.clear();
        }
        Ok(())
    }

    /// Lets a site wait for its next turn.
    pub(super) fn rest(&mut self, name: &str) -> Result<(), CrawlError> {
        if let Some(site) = self.sites.get_mut(name) {
            site.busy = false;
        }
        self.wake(name)
    }

    /// Notes that an address is not asked for.
    fn refuse(&mut self, name: &str, place: u64, waiting: Waiting, why: &'static str, now: u64) {
        *self.status.refused.entry(why.to_owned()).or_default() += 1;
        self.changes.done.push((name.to_owned(), place));
        if why != SUPPRESSED {
            let interval_hours = self.settings.revisit_hours_max;
            self.changes.pages.push(Page {
                url: waiting.url,
                depth: waiting.depth,
                at_ms: now,
                interval_hours,
                sitemap: waiting.sitemap,
                ..Page::default()
            });
        }
    }

    fn spawn_page(&mut self, name: &str, place: u64, waiting: Waiting, now: u64) -> Result<(), CrawlError> {
        let before = self.frontier.page(&waiting.url)?;
        let (client, clocks, site) = (self.client.clone(), self.clocks.clone(), name.to_owned());
        self.status.requests += 1;
        let pause = self.settings.delay_ms_min;
        self.tasks.spawn(async move {
            let result = match Url::parse(&waiting.url) {
                Ok(url) => page(&client, &clocks, pause, &url, before.as_ref()).await,
                Err(_) => Ok(Err(Fault::Dns)),
            };
            match result {
                Ok(result) => Done::Page { site, place, waiting, before, at_ms: now, result },
                Err(until) => Done::Busy { site, item: Some((place, waiting)), until },
            }
        });
        Ok(())
    }

    fn spawn_file(&mut self, name: &str, file: SiteFile) {
        let (client, clocks, site, pause) = (self.client.clone(), self.clocks.clone(), name.to_owned(), self.settings.delay_ms_min);
        self.tasks.spawn(async move {
            let began = tokio::time::Instant::now();
            match network::file(&client, &clocks, pause, (&site, file)).await {
                Ok((result, fetched)) => Done::File { site, file, result, fetched, took_ms: began.elapsed().as_millis() as u64 },
                Err(until) => Done::Busy { site, item: None, until },
            }
        });
    }
}

/// The reason of what a takedown keeps out.
const SUPPRESSED: &str = "suppressed";

/// Why an address is not asked for at all.
fn refusal(settings: &CrawlSettings, suppression: Option<&Suppression>, site: &Site, url: &str) -> Option<&'static str> {
    if suppression.is_some_and(|list| list.refuses_url(url)) {
        return Some(SUPPRESSED);
    }
    if !site.policy.as_ref().is_some_and(|policy| policy.allows(&settings.agent, url)) {
        return Some("robots");
    }
    let found = site.reserves.find(&Evidence { url, ..Evidence::default() });
    (found.verdict == Verdict::Reserved).then(|| found.decisive().map_or("reserved", |signal| reserved_by(signal.protocol)))
}

/// The reason of what a site's own files reserve, by protocol.
fn reserved_by(protocol: &str) -> &'static str {
    match protocol {
        "tdmrep-file" => "reserved-tdmrep",
        "ai-txt" => "reserved-ai-txt",
        "rsl" => "reserved-rsl",
        _ => "reserved-robots",
    }
}

/// The file of a site that has to be asked for before any page: what is not known, or was asked for too long ago. Files beside robots.txt
/// are asked for only where that allows it.
fn missing_file(site: &Site, agent: &str, name: &str, now: u64) -> Option<SiteFile> {
    let is_known = site.files.robots.as_ref().is_some_and(|robots| !is_old(robots, now));
    let Some(policy) = site.policy.as_ref().filter(|policy| is_known && !matches!(policy, Policy::Nothing)) else {
        return Some(SiteFile::Robots);
    };
    [SiteFile::Tdmrep, SiteFile::Ai].into_iter().find(|file| {
        let known = site.files.others.get(file.path());
        known.is_none_or(|known| now.saturating_sub(known.at_ms) >= HOLDS_MS) && policy.allows(agent, &format!("{name}{}", file.path()))
    })
}

/// What the files of a site reserve.
pub(super) fn reserves_of(files: &Files, settings: &CrawlSettings) -> optout::Site {
    let training = settings.training();
    let agents = Agents { own: &settings.agent, training: &training };
    let mut reserves = optout::Site::default();
    if let Some(robots) = files.robots.as_ref().filter(|robots| robots.is_file) {
        reserves.take(SiteFile::Robots, &robots.body, &agents);
    }
    for file in [SiteFile::Tdmrep, SiteFile::Ai] {
        if let Some(body) = files.others.get(file.path()).and_then(|known| known.body.as_ref()) {
            reserves.take(file, body, &agents);
        }
    }
    reserves
}

/// The rules that a robots.txt as it is known gives.
pub(super) fn policy_of(known: &KnownRobots) -> Policy {
    match answer(known.result) {
        Answer::Unreachable => {
            let last = known.is_file.then(|| Policy::of(Answer::File, &known.body, None));
            Policy::of(Answer::Unreachable, &[], last.as_ref())
        }
        came => Policy::of(came, &known.body, None),
    }
}

fn is_old(robots: &KnownRobots, now: u64) -> bool {
    let holds = if answer(robots.result) == Answer::Unreachable { AGAIN_MS } else { HOLDS_MS };
    now.saturating_sub(robots.at_ms) >= holds
}
