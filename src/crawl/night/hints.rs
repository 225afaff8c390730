//! Where else there may be pages: what fetched pages and sitemaps lead to, and the sitemaps that a robots.txt names.

use std::collections::BTreeSet;

use url::Url;

use super::Night;
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
    /// Queues the sitemaps that the robots.txt of a site names, as far as nobody has seen them.
    pub(super) fn sitemaps(&mut self, name: &str) {
        let Some(Policy::Rules(robots)) = self.sites.get(name).and_then(|site| site.policy.as_ref()) else { return };
        let Some(base) = Url::parse(name).ok().filter(|_| self.settings.sitemaps) else { return };
        let rules = Rules::new(true, true, &[]);
        let named = robots.sitemaps().iter().take(SITEMAPS_MAX).filter_map(|written| resolve(written, &base, &rules)).filter(is_no_trap);
        let new: Vec<(String, Waiting)> = named
            .map(String::from)
            .filter(|url| self.is_wanted(url))
            .filter_map(|url| Some((site_of(&url)?, Waiting { url, depth: 0, hops: 0, sitemap: true })))
            .collect();
        self.changes.new.extend(new);
    }

    /// The addresses that an outcome leads to and that nobody has seen; `fresh` holds the keys of those that the same batch brought.
    pub(super) fn hints(&mut self, settled: &Settled, fresh: &mut BTreeSet<u64>, changes: &mut Changes) {
        let redirects = (300..400).contains(&settled.outcome.status);
        let (depth, hops) = if redirects { (settled.outcome.depth, settled.hops + 1) } else { (settled.outcome.depth + 1, 0) };
        // An index names lists; one that names an index again is a trap (sitemaps.org).
        let sitemaps: &[String] = if settled.outcome.depth == 0 { &settled.outcome.sitemaps } else { &[] };
        let pages = settled.outcome.links.iter().map(|url| (url, redirects && settled.sitemap));
        for (url, sitemap) in sitemaps.iter().map(|url| (url, true)).chain(pages) {
            let is_wanted = depth <= self.settings.depth_max && self.is_wanted(url);
            let Some(site) = site_of(url).filter(|_| is_wanted && !fresh.contains(&key_of(url))) else { continue };
            if settled.sitemap && !self.may_hint(&settled.site) {
                return;
            }
            fresh.insert(key_of(url));
            changes.new.push((site, Waiting { url: url.clone(), depth, hops, sitemap }));
        }
    }

    /// Whether an address may enter the queue: nobody has seen it, it belongs to the crawl, and no takedown keeps it out, which would else
    /// stand in the frontier again until it is refused.
    fn is_wanted(&self, url: &str) -> bool {
        let is_erased = || self.world.suppression.is_some_and(|list| list.refuses_url(url));
        !self.frontier.has_seen(url) && self.bounds.contain(url) && !is_erased()
    }

    /// Counts an address that a sitemap of `site` brought, if it may bring more.
    fn may_hint(&mut self, site: &str) -> bool {
        let hinted = self.hinted.entry(site.to_owned()).or_default();
        *hinted += 1;
        *hinted <= HINTED_MAX
    }
}
