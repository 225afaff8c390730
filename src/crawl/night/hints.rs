//! Where else there may be pages: what fetched pages and sitemaps lead to, and the sitemaps that a robots.txt names.

use std::collections::BTreeSet;

use url::Url;

use super::{CrawlError, Night};
use crate::crawl::frontier::{Changes, Waiting, key_of, site_of};
use crate::crawl::links::is_no_trap;
use crate::crawl::robots_file::Policy;
use crate::crawl::sitemaps::resolve;
use crate::crawl::writer::Settled;
use crate::text::canonical::Rules;

/// Sitemaps of one robots.txt that are asked for.
const SITEMAPS_MAX: usize = 10;
/// Addresses that the sitemaps of one site may bring in one night: a hundred nights of its pages.
const HINTED_MAX: usize = 100_000;

impl Night<'_> {
    /// Queues the sitemaps that the robots.txt of a site names.
    ///
    /// # Errors
    /// When the frontier cannot be read.
    pub(super) fn sitemaps(&mut self, name: &str) -> Result<(), CrawlError> {
        let Some(Policy::Rules(robots)) = self.sites.get(name).and_then(|site| site.policy.as_ref()) else { return Ok(()) };
        let Some(base) = Url::parse(name).ok().filter(|_| self.settings.sitemaps) else { return Ok(()) };
        let rules = Rules::new(true, true, &[]);
        let named = robots.sitemaps().iter().take(SITEMAPS_MAX).filter_map(|written| resolve(written, &base, &rules)).filter(is_no_trap);
        let named: Vec<String> = named.map(String::from).collect();
        let mut changes = std::mem::take(&mut self.changes);
        let queued = named.into_iter().try_for_each(|url| self.queue_sitemap(url, 0, &mut changes));
        self.changes = changes;
        queued
    }

    /// Queues a sitemap. One that was seen before is asked for again unless that was as a sitemap: a link to it says nothing of what it
    /// is, and as a page it led nowhere.
    fn queue_sitemap(&mut self, url: String, depth: u32, changes: &mut Changes) -> Result<(), CrawlError> {
        let Some(site) = site_of(&url).filter(|_| self.may_enter(&url)) else { return Ok(()) };
        let waiting = Waiting { url, depth, hops: 0, sitemap: true };
        let is_in = |list: &[(String, Waiting)]| list.iter().any(|(_, other)| other.sitemap && other.url == waiting.url);
        if is_in(&changes.new) || is_in(&changes.again) {
            return Ok(());
        }
        if !self.frontier.has_seen(&waiting.url) {
            changes.new.push((site, waiting));
            return Ok(());
        }
        match self.frontier.page(&waiting.url)? {
            Some(page) if page.sitemap => return Ok(()),
            Some(_) => {}
            None => {
                // It waits, or is on its way to the disk.
                let queue = self.frontier.waiting(&site, None, usize::MAX)?;
                let found = queue.into_iter().find(|(_, other)| other.url == waiting.url);
                let Some((place, _)) = found.filter(|(_, other)| !other.sitemap) else { return Ok(()) };
                let held = self.sites.get_mut(&site).map(|site| &mut site.waiting);
                held.into_iter().for_each(|held| held.retain(|(other, _)| *other != place));
                changes.done.push((site.clone(), place));
            }
        }
        changes.again.push((site, waiting));
        Ok(())
    }

    /// The addresses that an outcome leads to and that nobody has seen; `fresh` holds the keys of those that the same batch brought.
    pub(super) fn hints(&mut self, settled: &Settled, fresh: &mut BTreeSet<u64>, changes: &mut Changes) -> Result<(), CrawlError> {
        let redirects = (300..400).contains(&settled.outcome.status);
        let (depth, hops) = if redirects { (settled.outcome.depth, settled.hops + 1) } else { (settled.outcome.depth + 1, 0) };
        // An index names lists; one that names an index again is a trap (sitemaps.org).
        let sitemaps: &[String] = if settled.outcome.depth == 0 { &settled.outcome.sitemaps } else { &[] };
        let is_too_deep = depth > self.settings.depth_max;
        for url in sitemaps.iter().filter(|_| !is_too_deep) {
            if !self.may_hint(&settled.site) {
                return Ok(());
            }
            self.queue_sitemap(url.clone(), depth, changes)?;
            fresh.insert(key_of(url));
        }
        for url in &settled.outcome.links {
            let is_wanted = depth <= self.settings.depth_max && self.is_wanted(url);
            let Some(site) = site_of(url).filter(|_| is_wanted && !fresh.contains(&key_of(url))) else { continue };
            if settled.sitemap && !self.may_hint(&settled.site) {
                return Ok(());
            }
            fresh.insert(key_of(url));
            changes.new.push((site, Waiting { url: url.clone(), depth, hops, sitemap: redirects && settled.sitemap }));
        }
        Ok(())
    }

    /// Whether an address may enter the queue: nobody has seen it, it belongs to the crawl, and no takedown keeps it out, which would else
    /// stand in the frontier again until it is refused.
    fn is_wanted(&self, url: &str) -> bool {
        !self.frontier.has_seen(url) && self.may_enter(url)
    }

    fn may_enter(&self, url: &str) -> bool {
        let is_erased = || self.world.suppression.is_some_and(|list| list.refuses_url(url));
        self.bounds.contain(url) && !is_erased()
    }

    /// Counts an address that a sitemap of `site` brought, if it may bring more.
    fn may_hint(&mut self, site: &str) -> bool {
        let hinted = self.hinted.entry(site.to_owned()).or_default();
        *hinted += 1;
        *hinted <= HINTED_MAX
    }
}
