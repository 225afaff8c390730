//! Harvests repositories that speak OAI-PMH: each night what is new on their lists, and the full texts that the records lead to.
//!
//! A step before planning, as a crawl is: what one night brought lies in `archive/harvest-<night>/` and is read by the source `oai-pmh`. [`settings`] say
//! what is wanted, `list` speaks with one repository, `texts` finds full texts, `visitor` asks politely, [`keep`] writes archives, and `memory`
//! remembers. A record is noted as taken in the same step in which it is on disk, so whatever happens none is lost and none comes twice.

pub mod keep;
mod list;
mod memory;
pub mod settings;
mod texts;
mod visitor;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use url::Url;

use self::keep::{Keep, group_of};
use self::list::{End, Listed, list, next_from};
use self::memory::{Learnt, MemoryError, Standing, key_of, state_of};
use self::settings::HarvestSettings;
use self::texts::{Text, text_of};
use self::visitor::{Bounds, Unheard, Visitor};
use super::archive::Group;
use super::night::network::AddressClocks;
use super::night::now_ms;
use super::settings::CrawlSettings;
use crate::formats::oai::Harvested;
use crate::store::StoreError;
use crate::suppression::Suppression;
use crate::workspace::Workspace;

/// Why a list was left that goes on tomorrow as it should.
pub const LIMIT: &str = "records_max is reached";
/// Records that are written at once.
const BATCH: usize = 32;

/// Why a harvest cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum HarvestError {
    /// The settings.
    #[error("{0}")]
    Settings(String),
    /// What is known of repositories.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network cannot be used at all.
    #[error("cannot begin to use the network: {0}")]
    Runtime(std::io::Error),
    /// A thread ended.
    #[error("a thread that asks a repository ended before its time; please report this")]
    Thread,
    /// Somebody wished it.
    #[error("stopped; the same command goes on where this one ended")]
    Stopped,
}

/// What a harvest needs of the world.
pub struct World<'a> {
    /// Where everything is kept.
    pub workspace: &'a Workspace,
    /// Name of the night: a day, YYYY-MM-DD.
    pub night: &'a str,
    /// What must not come back.
    pub suppression: Option<&'a Suppression>,
    /// Whether somebody wishes it to stop.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// What one repository brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Brought {
    /// Its base address.
    pub repository: String,
    /// Whether its night was over before, so that it was not asked.
    pub was_over: bool,
    /// Pages of its list.
    pub pages: u64,
    /// Records that were new or changed, and are kept.
    pub records: u64,
    /// Full texts among them.
    pub texts: u64,
    /// Records that came and were known, each time that they came.
    pub unchanged: u64,
    /// Records that it has deleted, and that were taken before.
    pub deleted: u64,
    /// Why there is no text, or none tonight, by reason.
    pub without: BTreeMap<String, u64>,
    /// Requests of any kind.
    pub requests: u64,
    /// Why its list was not read to its end; the next harvest goes on or begins it anew.
    pub unfinished: Option<String>,
}

/// Harvests one night. Repositories whose night is over are not asked.
///
/// # Errors
/// See [`HarvestError`]. A repository that cannot be had is none: [`Brought::unfinished`] says why.
pub fn harvest(settings: &HarvestSettings, world: &World<'_>) -> Result<Vec<Brought>, HarvestError> {
    settings.check().map_err(HarvestError::Settings)?;
    let crawl = Arc::new(settings.crawl());
    let night = Night {
        settings,
        world,
        keep: Mutex::new(Keep::open(world.workspace, world.night, &crawl)?),
        clocks: AddressClocks::default(),
        bounds: Bounds { suppression: world.suppression, stop: world.stop, ends_ms: now_ms() + settings.minutes_max * 60_000 },
        crawl,
    };
    let open: Mutex<VecDeque<&String>> = Mutex::new(settings.repositories.iter().collect::<BTreeSet<_>>().into_iter().collect());
    let next = || open.lock().ok().and_then(|mut open| open.pop_front());
    let work = || -> Result<Vec<Brought>, HarvestError> {
        let mut brought = Vec::new();
        while let Some(base) = next() {
            brought.push(night.repository(base)?);
        }
        Ok(brought)
    };
    let count = settings.repositories_at_once.min(settings.repositories.len());
    let done: Vec<Result<Vec<Brought>, HarvestError>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err(HarvestError::Thread))).collect()
    });
    // What was written is told even where somebody else failed.
    night.keep()?.end()?;
    let mut brought = done.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    brought.sort_by(|one, other| one.repository.cmp(&other.repository));
    if (world.stop)() { Err(HarvestError::Stopped) } else { Ok(brought) }
}

/// Brings the archives of an earlier night in order whose harvest was killed: what nothing is known of was written in its last moment, and comes again.
///
/// # Errors
/// When the memory or an archive cannot be used.
pub fn mend(workspace: &Workspace, night: &str) -> Result<(), HarvestError> {
    Keep::mend(workspace, night)
}

/// The addresses of what repositories have deleted and what is still here. What is not here any more is forgotten.
///
/// # Errors
/// When the memory or an index cannot be read.
pub fn deleted(workspace: &Workspace) -> Result<BTreeSet<String>, HarvestError> {
    let memory = memory::Memory::open(&workspace.harvest())?;
    let keys = memory.deleted()?;
    let found = keep::addresses(workspace, &keys)?;
    memory.settle_deleted(&keys.into_iter().filter(|key| !found.contains_key(key)).collect())?;
    Ok(found.into_values().flatten().collect())
}

struct Night<'a> {
    settings: &'a HarvestSettings,
    crawl: Arc<CrawlSettings>,
    world: &'a World<'a>,
    keep: Mutex<Keep>,
    clocks: AddressClocks,
    bounds: Bounds<'a>,
}

/// How far the texts of a list came.
#[derive(Default)]
struct Fetched {
    /// Whether some could not be had.
    missed: bool,
    /// Why it ended early.
    ended: Option<String>,
}

impl Night<'_> {
    fn keep(&self) -> Result<std::sync::MutexGuard<'_, Keep>, HarvestError> {
        self.keep.lock().map_err(|_| HarvestError::Thread)
    }

    fn repository(&self, written: &str) -> Result<Brought, HarvestError> {
        let base = Url::parse(written).map_err(|error| HarvestError::Settings(format!("`{written}`: {error}")))?;
        let mut brought = Brought { repository: base.to_string(), ..Brought::default() };
        // Another set or format of the same repository is another list.
        let name = format!("{base} {} {}", self.settings.metadata_prefix, self.settings.set);
        let standing = self.keep()?.memory.standing(&name)?;
        if standing.night == self.world.night {
            brought.was_over = true;
            return Ok(brought);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(HarvestError::Runtime)?;
        let mut visitor = Visitor::new(self.crawl.clone(), self.clocks.clone(), self.bounds);
        let listed = runtime.block_on(self.list(&mut visitor, &base, &standing))?;
        (brought.pages, brought.unchanged) = (listed.pages, listed.unchanged);
        self.note_deleted(&listed, &mut brought)?;
        let fetched = runtime.block_on(self.texts(&mut visitor, &base, &listed.new, &mut brought))?;
        brought.requests = visitor.requests;
        let standing = self.stands(standing, &listed, &fetched);
        brought.unfinished = match (listed.end, fetched.ended) {
            (End::Broken(why), _) | (_, Some(why)) => Some(why).filter(|why| !why.is_empty()),
            (End::Limit(_), _) => Some(LIMIT.to_owned()),
            _ => None,
        };
        self.keep()?.write(&[], Learnt { lists: vec![(name, standing)], ..Learnt::default() })?;
        Ok(brought)
    }

    async fn list(&self, visitor: &mut Visitor<'_>, base: &Url, standing: &Standing) -> Result<Listed, HarvestError> {
        // The memory's file is shared by all threads, and the lock is not held while anybody waits for the network.
        list(visitor, &|key| self.keep()?.memory.known(key).map_err(HarvestError::from), base, self.settings, standing).await
    }

    fn note_deleted(&self, listed: &Listed, brought: &mut Brought) -> Result<(), HarvestError> {
        let taken = || listed.deleted.iter().filter(|(.., was_taken)| *was_taken);
        brought.deleted = taken().count() as u64;
        let known = listed.deleted.iter().map(|(key, state, _)| (*key, *state)).collect();
        self.keep()?.write(&[], Learnt { known, ..Learnt::default() })?;
        self.keep()?.write(&[], Learnt { deleted: taken().map(|(key, ..)| *key).collect(), ..Learnt::default() })
    }

    /// Fetches the texts of `records` and writes them.
    async fn texts(
        &self,
        visitor: &mut Visitor<'_>,
        base: &Url,
        records: &[Harvested],
        brought: &mut Brought,
    ) -> Result<Fetched, HarvestError> {
        let (mut fetched, mut groups, mut learnt): (Fetched, Vec<Group>, Learnt) = Default::default();
        for record in records {
            let known = (key_of(base.as_str(), &record.identifier), state_of(record));
            let mut without = |why: &str| *brought.without.entry(why.to_owned()).or_default() += 1;
            match text_of(visitor, record, self.settings.body_bytes_max.as_usize()).await {
                Text::Found(url, text) => {
                    groups.push(group_of(base, record, Ok((url, *text))));
                    learnt.known.push(known);
                    brought.texts += 1;
                }
                Text::None(why) => {
                    without(why);
                    groups.push(group_of(base, record, Err(why)));
                    learnt.known.push(known);
                }
                Text::Failed(why) => {
                    without(&why);
                    fetched.missed = true;
                    learnt.failed.push(known);
                }
                Text::Ended(Unheard::Stopped) => fetched.ended = Some(String::new()),
                Text::Ended(_) => fetched.ended = Some("the night is over".to_owned()),
            }
            if learnt.known.len() >= BATCH || fetched.ended.is_some() {
                brought.records += groups.len() as u64;
                self.keep()?.write(&std::mem::take(&mut groups), std::mem::take(&mut learnt))?;
            }
            if fetched.ended.is_some() {
                return Ok(fetched);
            }
        }
        brought.records += groups.len() as u64;
        self.keep()?.write(&groups, learnt)?;
        Ok(fetched)
    }

    /// Where the list stands after tonight. It moves on only when all that it showed is here.
    fn stands(&self, before: Standing, listed: &Listed, fetched: &Fetched) -> Standing {
        let night = self.world.night.to_owned();
        let missed = before.missed || fetched.missed;
        // Whatever was not reached comes again with the list's beginning; what is known is passed over then.
        let anew = Standing { from: before.from.clone(), ..Standing::default() };
        match &listed.end {
            _ if fetched.ended.is_some() => anew,
            End::Broken(_) | End::Stopped => anew,
            End::Limit(token) => Standing { from: before.from, began_ms: listed.began_ms, token: token.clone(), missed, night },
            End::Whole if missed => Standing { night, ..anew },
            End::Whole => {
                let from = next_from(listed.began_ms, self.settings.overlap_hours, &listed.granularity);
                Standing { from, night, ..Standing::default() }
            }
        }
    }
}
