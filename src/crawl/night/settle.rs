//! What came: how long a site is left in peace, what is written, and what the frontier learns of it.

use std::collections::{BTreeMap, BTreeSet};

use super::ask::policy_of;
use super::network::Done;
use super::{CrawlError, Night, host_of, now_ms};
use crate::archive::http::Response;
use crate::crawl::fetch::{Fault, Fetched};
use crate::crawl::frontier::{Changes, Host, KnownFile, KnownRobots, Page, Waiting, key_of};
use crate::crawl::languages;
use crate::crawl::polite::Came;
use crate::crawl::robots_file::{Answer, Policy, answer};
use crate::crawl::writer::{Asked, Settled, Written};
use crate::optout::{Agents, SiteFile};
use crate::text::host::registrable_domain;

/// How often an address is tried.
const TRIES_MAX: u32 = 3;

impl Night<'_> {
    /// Takes what a task on the network came to.
    pub(super) fn handle(&mut self, done: Done) -> Result<(), CrawlError> {
        let now = now_ms();
        match done {
            Done::Busy { site: name, item, until } => {
                if let Some(site) = self.sites.get_mut(&name) {
                    if let Some(item) = item {
                        self.status.requests -= 1;
                        site.waiting.push_front(item);
                    }
                    site.host.patience.next_ms = site.host.patience.next_ms.max(until);
                }
                self.rest(&name)
            }
            Done::File { site, file, result, fetched, took_ms } => self.handle_file((&site, file), result, fetched, took_ms, now),
            Done::Page { site, place, waiting, before, at_ms, result } => {
                self.handle_page(&site, (place, waiting, before, at_ms), result, now)
            }
        }
    }

    fn handle_file(
        &mut self,
        (name, file): (&str, SiteFile),
        result: Result<(u16, Vec<u8>), Fault>,
        fetched: Option<(String, Fetched)>,
        took_ms: u64,
        now: u64,
    ) -> Result<(), CrawlError> {
        self.count_answer(result.as_ref().map(|(status, _)| *status).map_err(|fault| *fault));
        let Some(site) = self.sites.get_mut(name) else { return Ok(()) };
        let (status, body) = match result {
            Ok((status, body)) => (Ok(status), body),
            Err(fault) => (Err(fault), Vec::new()),
        };
        let training = self.settings.training();
        let agents = Agents { own: &self.settings.agent, training: &training };
        if file != SiteFile::Robots {
            let body = matches!(status, Ok(200..=299)).then_some(body);
            site.reserves.take(file, body.as_deref().unwrap_or_default(), &agents);
            site.files.others.insert(file.path().to_owned(), KnownFile { at_ms: now, body });
            return self.after_file(name, (status, took_ms), fetched, now);
        }
        let last = site.files.robots.take();
        let known = match (answer(status), last) {
            (Answer::Unreachable, Some(last)) => KnownRobots { at_ms: now, result: status, ..last },
            (came, _) => KnownRobots { at_ms: now, result: status, is_file: came == Answer::File, body },
        };
        site.policy = Some(policy_of(&known));
        site.reserves.take(SiteFile::Robots, if known.is_file { &known.body } else { &[] }, &agents);
        site.files.robots = Some(known);
        self.sitemaps(name)?;
        self.after_file(name, (status, took_ms), fetched, now)
    }

    /// Notes what a file of a site came to, and keeps it: it is the evidence for what is not fetched.
    fn after_file(
        &mut self,
        name: &str,
        (status, took_ms): (Result<u16, Fault>, u64),
        fetched: Option<(String, Fetched)>,
        now: u64,
    ) -> Result<(), CrawlError> {
        let Some(site) = self.sites.get_mut(name) else { return Ok(()) };
        let unreachable = matches!(site.policy, Some(Policy::Nothing));
        let came = match status {
            // Whatever the answer was, nobody can tell from it what is allowed.
            _ if unreachable => Came::Fault,
            Ok(status) => Came::Answer { status, took_ms, retry_after: None },
            // The host answered, and led to where nobody goes.
            Err(Fault::NotPublic) => Came::Answer { status: 404, took_ms, retry_after: None },
            Err(_) => Came::Fault,
        };
        site.host.patience = site.host.patience.after(&came, None, now, &self.settings);
        // An address inside of a network does not become public while one waits.
        site.host.patience.parked |= unreachable && status == Err(Fault::NotPublic);
        self.changes.files.push((name.to_owned(), site.files.clone()));
        let parked = site.host.patience.parked;
        self.changes.hosts.push((name.to_owned(), site.host.clone()));
        if let Some((url, fetched)) = fetched {
            let waiting = Waiting { url, depth: 0, hops: 0, sitemap: false };
            self.hand_over(Asked {
                site: name.to_owned(),
                place: None,
                waiting,
                before: None,
                judge: false,
                at_ms: now,
                came: Ok(fetched),
            });
        }
        // Until its rules can be had nothing of it is asked for; they are asked for again as long as patience lasts.
        if unreachable {
            let why = status.map_or_else(|fault| fault.word().to_owned(), |status| status.to_string());
            *self.status.refused.entry(format!("robots-unreachable:{why}")).or_default() += 1;
        }
        if parked { self.park(name, "faults") } else { self.rest(name) }
    }

    fn handle_page(
        &mut self,
        name: &str,
        (place, waiting, before, at_ms): (u64, Waiting, Option<Page>, u64),
        result: Result<Fetched, Fault>,
        now: u64,
    ) -> Result<(), CrawlError> {
        self.count_answer(result.as_ref().map(|fetched| fetched.status).map_err(|fault| *fault));
        let Some(site) = self.sites.get_mut(name) else { return Ok(()) };
        let retry_after = result.as_ref().ok().and_then(|fetched| Response::parse(&fetched.response)?.fields.text("retry-after"));
        let came = match &result {
            Ok(fetched) => Came::Answer { status: fetched.status, took_ms: fetched.took_ms, retry_after: retry_after.as_deref() },
            Err(_) => Came::Fault,
        };
        let delay = site.policy.as_ref().and_then(|policy| policy.crawl_delay(&self.settings.agent));
        site.host.patience = site.host.patience.after(&came, delay, now, &self.settings);
        let overloaded = matches!(&result, Ok(fetched) if fetched.status == 429 || fetched.status >= 500);
        let may_pass = overloaded || matches!(&result, Err(fault) if *fault != Fault::NotPublic);
        site.tries = if may_pass { site.tries + 1 } else { 0 };
        let parked = site.host.patience.parked;
        if may_pass && (parked || site.tries < TRIES_MAX) {
            // It stays where it is in the queue, and is tried again: later tonight, or another night.
            site.waiting.push_front((place, waiting));
            *self.status.refused.entry("try-again".to_owned()).or_default() += 1;
            return if parked { self.park(name, "faults") } else { self.rest(name) };
        }
        site.tries = 0;
        let came = match result {
            Ok(fetched) => {
                site.host.pages += 1;
                *self.domains.entry(registrable_domain(host_of(name)).to_owned()).or_default() += 1;
                Ok(fetched)
            }
            Err(fault) => Err(fault.word().to_owned()),
        };
        self.changes.hosts.push((name.to_owned(), self.sites[name].host.clone()));
        let judge = self.is_judging(name);
        self.hand_over(Asked { site: name.to_owned(), place: Some(place), waiting, before, judge, at_ms, came });
        self.rest(name)
    }

    /// Notes in the frontier what is on disk, with everything that needed no disk.
    pub(super) fn take_over(&mut self, written: Written) -> Result<(), CrawlError> {
        let mut changes = std::mem::take(&mut self.changes);
        changes.archives.extend(written.archives.into_iter().map(|(name, length)| (format!("{}/{name}", self.world.night), length)));
        self.status.bytes += written.bytes;
        let mut fresh = BTreeSet::new();
        changes.new.retain(|(_, waiting)| !self.frontier.has_seen(&waiting.url) && fresh.insert(key_of(&waiting.url)));
        for settled in written.settled {
            changes.done.extend(settled.place.map(|place| (settled.site.clone(), place)));
            self.count(&settled);
            self.judge(&settled, &mut changes);
            if settled.place.is_some() {
                self.hints(&settled, &mut fresh, &mut changes)?;
                changes.pages.push(self.page_of(settled));
            }
        }
        // Of several states of a host the last one counts.
        let hosts: BTreeMap<String, Host> = std::mem::take(&mut changes.hosts).into_iter().collect();
        changes.hosts = hosts.into_iter().collect();
        let places = self.frontier.change(&changes)?;
        self.status.seen = self.frontier.seen() as u64;
        let names: BTreeSet<String> = places.iter().map(|(site, _)| site.clone()).collect();
        for name in names {
            if let Some(site) = self.sites.get_mut(&name) {
                site.more = true;
            }
            self.wake(&name)?;
        }
        Ok(())
    }

    /// Notes what a page of a host is written in, where that was looked at.
    fn judge(&mut self, settled: &Settled, changes: &mut Changes) {
        let language = settled.outcome.language.as_str();
        let is_wanted = languages::is_wanted(language, &self.settings.languages);
        let Some(site) = self.sites.get_mut(&settled.site) else { return };
        site.unjudged = site.unjudged.saturating_sub(u64::from(settled.place.is_some()));
        if !language.is_empty() {
            (site.host.judged, site.host.wanted) = (site.host.judged + 1, site.host.wanted + u64::from(is_wanted));
            changes.hosts.push((settled.site.clone(), site.host.clone()));
        }
    }

    /// Whether the language of the next page of a site is to be told; counts the page then.
    fn is_judging(&mut self, name: &str) -> bool {
        let Some(site) = self.sites.get_mut(name) else { return false };
        let judge = !self.settings.languages.is_empty() && site.host.judged < self.settings.language_sample_pages;
        site.unjudged += u64::from(judge);
        judge
    }

    /// Counts what a request came to.
    fn count_answer(&mut self, came: Result<u16, Fault>) {
        let class = came.map_or_else(|fault| fault.word().to_owned(), |status| format!("{}xx", status / 100));
        *self.status.answers.entry(class).or_default() += 1;
    }

    fn count(&mut self, settled: &Settled) {
        let note = &settled.outcome.note;
        if settled.place.is_none() {
            return;
        }
        if note.is_empty() {
            self.status.pages += 1;
        } else {
            *self.status.refused.entry(note.clone()).or_default() += 1;
        }
    }

    /// What is known of a page now. It is asked for again after twice the time while it stays the same, and after half when it changed.
    fn page_of(&self, Settled { outcome, is_same, before, sitemap, .. }: Settled) -> Page {
        let (shortest, longest) = (self.settings.revisit_hours_min, self.settings.revisit_hours_max);
        let last = before.as_ref().map(|before| before.interval_hours);
        let interval_hours = match last {
            _ if !outcome.note.is_empty() || outcome.status >= 400 => longest,
            Some(last) if is_same => (last * 2).min(longest),
            Some(last) => (last / 2).max(shortest),
            None => shortest,
        };
        let known = before.unwrap_or_default();
        let or_known = |now: String, known: String| if is_same && now.is_empty() { known } else { now };
        Page {
            url: outcome.url,
            depth: outcome.depth,
            at_ms: outcome.at_ms,
            status: outcome.status,
            captured_ms: if is_same { known.captured_ms } else { outcome.at_ms },
            digest: outcome.digest,
            etag: or_known(outcome.etag, known.etag),
            last_modified: or_known(outcome.last_modified, known.last_modified),
            interval_hours,
            sitemap,
        }
    }
}
