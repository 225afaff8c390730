//! One night of a crawl: asks hosts for what waits, as fast as each allows, until nothing is left or the night is over.
//!
//! Everything that is decided here is decided on one thread; the network is awaited on it, records are written on another. An address
//! leaves the queue when its records are on disk, so a crawl that is killed goes on without loss, and asks again only for what had not
//! been written.

mod ask;
mod hints;
pub(in crate::crawl) mod network;
mod settle;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::JoinSet;

use ask::{policy_of, reserves_of};
use network::{AddressClocks, Done};

use super::archive::{Acknowledged, Archive};
use super::fetch::Client;
use super::frontier::{Changes, Files, Frontier, FrontierError, Host, Page, Waiting, site_of};
use super::languages::LanguageOf;
use super::metrics::Metrics;
use super::outcome::Outcome;
use super::robots_file::Policy;
use super::scope::Bounds;
use super::seeds::Seeds;
use super::settings::CrawlSettings;
use super::writer::{Asked, Reading, Settled, Writer, Written};
use crate::optout;
use crate::store::StoreError;
use crate::suppression::Suppression;
use crate::text::canonical::Rules;
use crate::workspace::Workspace;

/// Addresses of one site that are held in memory.
const HELD: usize = 64;
/// Answers in a batch at most.
const BATCH: usize = 256;
/// How long an answer waits for others at most.
const BATCH_EVERY: Duration = Duration::from_millis(100);
/// Changes that need no archive and wait to be noted.
const CHANGES_MAX: usize = 4_096;
/// How often it is told how things stand.
const STATUS_EVERY: Duration = Duration::from_secs(1);

/// Why a night cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum CrawlError {
    /// The settings.
    #[error("{0}")]
    Settings(String),
    /// The frontier.
    #[error(transparent)]
    Frontier(#[from] FrontierError),
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network cannot be used at all.
    #[error("cannot begin to use the network: {0}")]
    Runtime(std::io::Error),
    /// The thread that writes ended.
    #[error("the thread that writes archives ended before its time; please report this")]
    Writer,
    /// Somebody wished it.
    #[error("stopped; the same command goes on where this one ended")]
    Stopped,
}

/// How a night stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Status {
    /// Sites that something waits for.
    pub sites: u64,
    /// Sites that were met tonight.
    pub met: u64,
    /// Addresses that wait.
    pub queue: u64,
    /// Addresses that were ever seen.
    pub seen: u64,
    /// Answers that are kept tonight.
    pub pages: u64,
    /// Bytes that came.
    pub bytes: u64,
    /// Requests for pages, whatever came.
    pub requests: u64,
    /// Answers to requests for pages and for files of sites, by class of status (`2xx`); where there was none, by the fault.
    pub answers: BTreeMap<String, u64>,
    /// What is not kept, by reason.
    pub refused: BTreeMap<String, u64>,
}

/// What a night needs of the world.
pub struct World<'a> {
    /// Where everything is kept.
    pub workspace: &'a Workspace,
    /// Name of the night: a day, YYYY-MM-DD.
    pub night: &'a str,
    /// Tells the language of a page, for crawls that are for some languages.
    pub language_of: LanguageOf,
    /// What must not come back.
    pub suppression: Option<&'a Suppression>,
    /// Whether somebody wishes it to stop.
    pub stop: &'a dyn Fn() -> bool,
    /// Told how things stand.
    pub watch: &'a dyn Fn(&Status),
}

/// One site: scheme, host and port.
#[derive(Default)]
struct Site {
    waiting: VecDeque<(u64, Waiting)>,
    /// Place of the last one that was read from the queue.
    last: Option<u64>,
    /// Whether more may wait in the queue.
    more: bool,
    busy: bool,
    host: Host,
    files: Files,
    policy: Option<Policy>,
    /// What its files reserve.
    reserves: optout::Site,
    tries: u32,
    /// Pages that came and are not on disk yet, and whose language is to be told.
    unjudged: u64,
}

struct Night<'a> {
    settings: Arc<CrawlSettings>,
    world: &'a World<'a>,
    bounds: Bounds,
    frontier: Frontier,
    client: Arc<Client>,
    writer: Writer,
    sites: BTreeMap<String, Site>,
    ready: BinaryHeap<Reverse<(u64, String)>>,
    clocks: AddressClocks,
    tasks: JoinSet<Done>,
    batch: Vec<Asked>,
    batch_since: Option<tokio::time::Instant>,
    /// Changes that need no archive.
    changes: Changes,
    domains: BTreeMap<String, u64>,
    /// Addresses that the sitemaps of each site brought tonight.
    hinted: BTreeMap<String, usize>,
    status: Status,
    metrics: Metrics,
    ends_ms: u64,
}

pub(in crate::crawl) fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn host_of(site: &str) -> &str {
    crate::text::address::host_of(site.split_once("://").map_or(site, |(_, rest)| rest))
}

/// How a crawl ended.
#[derive(Clone, Debug)]
pub struct Crawled {
    /// How the night stands.
    pub status: Status,
    /// Whether it was over before, so that nobody was asked.
    pub was_over: bool,
    /// Lines of seed lists that are no addresses.
    pub garbage: Vec<String>,
}

/// Crawls one night. Does nothing for a night that is over.
///
/// # Errors
/// See [`CrawlError`].
pub fn crawl(settings: &CrawlSettings, world: &World<'_>) -> Result<Crawled, CrawlError> {
    settings.check().map_err(CrawlError::Settings)?;
    let seeds = Seeds::read(settings)?;
    let frontier = Frontier::open(&world.workspace.frontier())?;
    let over = format!("over:{}", world.night);
    if let Some(status) = frontier.note(&over)? {
        let pages = status.parse().unwrap_or(0);
        let status = Status { pages, seen: frontier.seen() as u64, ..Status::default() };
        return Ok(Crawled { status, was_over: true, garbage: seeds.garbage });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CrawlError::Runtime)?;
    let status = runtime.block_on(async {
        let mut night = Night::begin(settings, world, frontier, &seeds)?;
        let ended = night.go().await;
        night.writer.end();
        night.stand();
        night.metrics.end(&night.status, ended.is_ok())?;
        ended?;
        let notes = vec![(over, night.status.pages.to_string())];
        night.frontier.change(&Changes { notes, ..Changes::default() })?;
        Ok::<Status, CrawlError>(night.status)
    })?;
    Ok(Crawled { status, was_over: false, garbage: seeds.garbage })
}

impl<'a> Night<'a> {
    fn begin(settings: &CrawlSettings, world: &'a World<'a>, mut frontier: Frontier, seeds: &Seeds) -> Result<Night<'a>, CrawlError> {
        let settings = Arc::new(settings.clone());
        let folder = world.workspace.archive().join(world.night);
        let known: Vec<_> = frontier
            .archives()?
            .into_iter()
            .filter_map(|(name, length)| Some((name.strip_prefix(world.night)?.strip_prefix('/')?.to_owned(), length)))
            .collect();
        let (archive, recovered, lengths) =
            Archive::open(&folder, world.night, (warcinfo(&settings), now_ms()), settings.archive_bytes_max.0, &known)?;
        let bounds = Bounds::new(&settings, &seeds.urls);
        let began = format!("began:{}", world.night);
        let began_ms = match frontier.note(&began)?.and_then(|note| note.parse().ok()) {
            Some(began_ms) => began_ms,
            None => {
                let now = now_ms();
                let again = if settings.revisit { frontier.due(now)? } else { Vec::new() };
                let waits =
                    |page: Page| Some((site_of(&page.url)?, Waiting { url: page.url, depth: page.depth, hops: 0, sitemap: page.sitemap }));
                let again = again.into_iter().filter_map(waits).collect();
                frontier.change(&Changes { again, notes: vec![(began, now.to_string())], ..Changes::default() })?;
                now
            }
        };
        let new = seeds.urls.iter().filter(|url| !frontier.has_seen(url));
        let new = new.filter_map(|url| Some((site_of(url)?, Waiting { url: url.clone(), depth: 0, hops: 0, sitemap: false }))).collect();
        frontier.change(&Changes { new, ..Changes::default() })?;
        let reading =
            Reading { rules: Rules::new(true, true, &[]), languages: settings.languages.clone(), language_of: world.language_of.clone() };
        let metrics = Metrics::begin(&settings, world.night, &Status { queue: frontier.queued(), ..Status::default() })?;
        let writer = Writer::start(archive, reading);
        let mut night = Night {
            client: Arc::new(Client::new(settings.clone())),
            ends_ms: began_ms + settings.minutes_max * 60_000,
            settings,
            world,
            bounds,
            frontier,
            writer,
            sites: BTreeMap::new(),
            ready: BinaryHeap::new(),
            clocks: AddressClocks::default(),
            tasks: JoinSet::new(),
            batch: Vec::new(),
            batch_since: None,
            changes: Changes::default(),
            domains: BTreeMap::new(),
            hinted: BTreeMap::new(),
            status: Status::default(),
            metrics,
        };
        night.recover(recovered, lengths)?;
        for (site, _) in night.frontier.waiting_hosts()? {
            night.wake(&site)?;
        }
        Ok(night)
    }

    /// Takes over what was written before the crawl was killed.
    fn recover(&mut self, outcomes: Vec<Outcome>, archives: Vec<Acknowledged>) -> Result<(), CrawlError> {
        let mut settled = Vec::new();
        let mut queues: BTreeMap<String, BTreeMap<String, (u64, Waiting)>> = BTreeMap::new();
        for outcome in outcomes {
            let Some(site) = site_of(&outcome.url) else { continue };
            if !queues.contains_key(&site) {
                let waiting = self.frontier.waiting(&site, None, usize::MAX)?;
                queues.insert(site.clone(), waiting.into_iter().map(|(place, waiting)| (waiting.url.clone(), (place, waiting))).collect());
            }
            let place = queues[&site].get(&outcome.url);
            let before = self.frontier.page(&outcome.url)?;
            let is_same = before.as_ref().is_some_and(|before| !before.digest.is_empty() && before.digest == outcome.digest);
            let (hops, sitemap) = place.map_or((0, false), |(_, waiting)| (waiting.hops, waiting.sitemap));
            let place = place.map(|(place, _)| *place);
            settled.push(Settled { site, place, hops, sitemap, outcome, is_same, before });
        }
        self.take_over(Written { settled, archives, bytes: 0 })
    }

    /// Makes sure that a site with something in its queue is asked when it may be.
    fn wake(&mut self, name: &str) -> Result<(), CrawlError> {
        if !self.sites.contains_key(name) {
            let mut host = self.frontier.host(name)?.unwrap_or_default();
            if host.night != self.world.night {
                host.night = self.world.night.to_owned();
                (host.pages, host.patience.parked, host.patience.faults) = (0, false, 0);
                // What a host is written in may change: each night looks at some pages anew, and earlier nights count half.
                (host.judged, host.wanted) = (host.judged / 2, host.wanted / 2);
            }
            let files = self.frontier.files(name)?.unwrap_or_default();
            let policy = files.robots.as_ref().map(policy_of);
            let reserves = reserves_of(&files, &self.settings);
            self.sites.insert(name.to_owned(), Site { more: true, host, files, policy, reserves, ..Site::default() });
        }
        let Some(site) = self.sites.get_mut(name) else { return Ok(()) };
        if site.busy || site.host.patience.parked {
            return Ok(());
        }
        if site.waiting.is_empty() && site.more {
            let more = self.frontier.waiting(name, site.last, HELD)?;
            site.more = more.len() == HELD;
            site.last = more.last().map(|(place, _)| *place).or(site.last);
            site.waiting.extend(more);
        }
        if !site.waiting.is_empty() {
            site.busy = true; // until it is taken from the heap again
            self.ready.push(Reverse((site.host.patience.next_ms, name.to_owned())));
        }
        Ok(())
    }

    async fn go(&mut self) -> Result<(), CrawlError> {
        let mut told = tokio::time::Instant::now();
        loop {
            if (self.world.stop)() {
                self.drain().await?;
                return Err(CrawlError::Stopped);
            }
            let may_ask = now_ms() < self.ends_ms && self.status.requests < self.settings.pages_max;
            if may_ask {
                self.dispatch()?;
            }
            let next = self.ready.peek().map(|Reverse((at, _))| *at).filter(|at| may_ask && *at < self.ends_ms);
            if self.tasks.is_empty() && next.is_none() {
                self.drain().await?;
                // What was written last may have brought new addresses.
                let woken = self.ready.peek().is_some_and(|Reverse((at, _))| *at < self.ends_ms);
                if !(may_ask && woken) {
                    return Ok(());
                }
                continue;
            }
            self.flush_if_due(false).await?;
            if self.changes.hosts.len() + self.changes.done.len() >= CHANGES_MAX {
                self.take_over(Written::default())?;
            }
            if told.elapsed() >= STATUS_EVERY {
                told = tokio::time::Instant::now();
                self.stand();
                (self.world.watch)(&self.status);
                self.metrics.keep_up(&self.status);
            }
            let until_ready = next
                .filter(|_| self.tasks.len() < self.settings.connections_max)
                .map_or(STATUS_EVERY, |at| Duration::from_millis(at.saturating_sub(now_ms())));
            let pause = until_ready.min(if self.batch.is_empty() { STATUS_EVERY } else { BATCH_EVERY }).max(Duration::from_millis(1));
            tokio::select! {
                Some(done) = self.tasks.join_next(), if !self.tasks.is_empty() => if let Ok(done) = done { self.handle(done)?; },
                Some(written) = self.writer.next(), if self.writer.open > 0 => self.take_over(written?)?,
                () = tokio::time::sleep(pause) => {}
            }
            while let Some(done) = self.tasks.try_join_next() {
                if let Ok(done) = done {
                    self.handle(done)?;
                }
            }
        }
    }

    /// Looks how the night stands.
    fn stand(&mut self) {
        self.status.sites = self.sites.values().filter(|site| !site.waiting.is_empty()).count() as u64;
        (self.status.met, self.status.queue) = (self.sites.len() as u64, self.frontier.queued());
    }

    /// Waits for all that is under way, and takes it over.
    async fn drain(&mut self) -> Result<(), CrawlError> {
        while let Some(done) = self.tasks.join_next().await {
            if let Ok(done) = done {
                self.handle(done)?;
            }
        }
        self.flush_if_due(true).await?;
        while self.writer.open > 0 {
            let written = self.writer.next().await.ok_or(CrawlError::Writer)??;
            self.take_over(written)?;
        }
        self.take_over(Written::default())
    }

    /// Gives a full or old batch to the disk.
    async fn flush_if_due(&mut self, now: bool) -> Result<(), CrawlError> {
        let is_old = self.batch_since.is_some_and(|since| since.elapsed() >= BATCH_EVERY);
        if self.batch.is_empty() || !(now || is_old || self.batch.len() >= BATCH) {
            return Ok(());
        }
        while !self.writer.has_room() {
            let written = self.writer.next().await.ok_or(CrawlError::Writer)??;
            self.take_over(written)?;
        }
        self.writer.give(std::mem::take(&mut self.batch));
        self.batch_since = None;
        Ok(())
    }

    fn hand_over(&mut self, asked: Asked) {
        self.batch_since.get_or_insert_with(tokio::time::Instant::now);
        self.batch.push(asked);
    }

    /// Asks every site that may be asked now, as far as connections go.
    fn dispatch(&mut self) -> Result<(), CrawlError> {
        let now = now_ms();
        while self.tasks.len() < self.settings.connections_max && self.status.requests < self.settings.pages_max {
            match self.ready.peek() {
                Some(Reverse((at, _))) if *at <= now => {}
                _ => break,
            }
            let Some(Reverse((_, name))) = self.ready.pop() else { break };
            self.ask(&name, now)?;
        }
        Ok(())
    }
}

pub(in crate::crawl) fn warcinfo(settings: &CrawlSettings) -> String {
    format!(
        "software: tamis/{}\r\nformat: WARC File Format 1.1\r\nconformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n\
         robots: classic, RFC 9309\r\nhttp-header-user-agent: {}\r\noperator: {}\r\n",
        env!("CARGO_PKG_VERSION"),
        settings.user_agent(),
        settings.contact.trim()
    )
}
