//! The console of takedowns: plans that wait for a second officer, and the one search or erasure that is under way.
//!
//! A plan names what shall go, so it lies outside the workspace, beside a note of who made it; any `tamis takedown apply` can carry it
//! out as well. Erasing is done by [`crate::takedown`] alone: here it is only decided who may.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::house::House;
use crate::ledger::receipt::Receipt;
use crate::store::{self, StoreError};
use crate::takedown::apply::{Applied, Means, apply};
use crate::takedown::plan::{Grounds, TakedownPlan, find_targets};
use crate::takedown::register::{Register, State};
use crate::takedown::request::Request;
use crate::takedown::survey::Failure as Unerased;

/// Plans that may wait at once.
const PENDING_MAX: usize = 200;
/// Jobs whose end is remembered.
const JOBS_MAX: usize = 50;

/// Who made a plan, and when.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Made {
    pub(super) by: String,
    pub(super) at: String,
}

/// A plan that waits.
pub(super) struct Pending {
    pub(super) plan: TakedownPlan,
    pub(super) made: Made,
}

/// What an officer asked for, and what became of it.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// The plan is made: its hash.
    Planned(String),
    /// It is done: the receipt's number.
    Erased(u64),
    /// All but these files.
    Partly(Vec<Unerased>),
    /// It did not begin, or stopped.
    Failed(String),
}

/// One search or erasure.
pub(super) struct Job {
    pub(super) number: u64,
    /// Hash of the plan that is carried out; none while one is made.
    pub(super) plan: Option<String>,
    /// Bytes that were read, of how many.
    read: AtomicU64,
    of: AtomicU64,
    outcome: Mutex<Option<Outcome>>,
}

impl Job {
    pub(super) fn outcome(&self) -> Option<Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does `work`, and keeps how it ended, whatever happens in it.
    fn end_with(&self, work: impl FnOnce() -> Result<Outcome, Failure>) {
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        let outcome = match worked {
            Ok(worked) => worked.unwrap_or_else(|failure| failed(&failure)),
            Err(_) => Outcome::Failed("tamis made a mistake here; please report this".to_owned()),
        };
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }

    pub(super) fn progress(&self) -> (u64, u64) {
        (self.read.load(Ordering::Relaxed), self.of.load(Ordering::Relaxed))
    }
}

/// The console.
pub(super) struct Console {
    folder: PathBuf,
    /// Held by whoever changes the register.
    pub(super) register: Mutex<()>,
    jobs: Mutex<BTreeMap<u64, Arc<Job>>>,
}

/// Whether `hash` can be a plan's: then it can be a file's name too.
fn is_hash(hash: &str) -> bool {
    hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Console {
    /// The console whose plans lie in `folder`.
    pub(super) fn open(folder: &Path) -> Result<Console, StoreError> {
        store::create_folder(folder)?;
        Ok(Console { folder: folder.to_owned(), register: Mutex::default(), jobs: Mutex::default() })
    }

    fn plan_path(&self, hash: &str) -> PathBuf {
        self.folder.join(format!("{hash}.plan.json"))
    }

    fn made_path(&self, hash: &str) -> PathBuf {
        self.folder.join(format!("{hash}.made.json"))
    }

    /// The hashes of all plans that wait.
    pub(super) fn pending(&self) -> Result<Vec<String>, Failure> {
        let names = store::files_below(&self.folder)?.into_iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
        Ok(names.filter_map(|name| Some(name.strip_suffix(".plan.json")?.to_owned())).filter(|hash| is_hash(hash)).collect())
    }

    /// A plan that waits.
    pub(super) fn plan(&self, hash: &str) -> Result<Pending, Failure> {
        let path = self.plan_path(hash);
        if !is_hash(hash) || !path.exists() {
            return Err(Failure::NotFound);
        }
        let made = std::fs::read(self.made_path(hash)).map_err(|error| StoreError::io(&self.made_path(hash), error))?;
        Ok(Pending { plan: TakedownPlan::load(&path)?, made: serde_json::from_slice(&made)? })
    }

    /// Forgets a plan.
    pub(super) fn forget(&self, hash: &str) -> Result<(), Failure> {
        if !is_hash(hash) {
            return Err(Failure::NotFound);
        }
        store::remove_file(&self.plan_path(hash))?;
        Ok(store::remove_file(&self.made_path(hash))?)
    }

    fn keep(&self, plan: &TakedownPlan, made: &Made) -> Result<(), Failure> {
        // Who made it goes first: a plan without that could be approved by anybody.
        store::write_over(&self.made_path(&plan.hash), &serde_json::to_vec(made)?)?;
        Ok(store::write_over(&self.plan_path(&plan.hash), &plan.to_json())?)
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Arc<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn job(&self, number: u64) -> Option<Arc<Job>> {
        self.jobs().get(&number).cloned()
    }

    /// The job that carries out `plan` now, or did so last.
    pub(super) fn job_of(&self, plan: &str) -> Option<Arc<Job>> {
        self.jobs().values().rev().find(|job| job.plan.as_deref() == Some(plan)).cloned()
    }

    /// Begins a job, unless another is under way: two would only wait for each other's locks.
    fn begin(&self, plan: Option<String>) -> Result<Arc<Job>, Failure> {
        let mut jobs = self.jobs();
        if jobs.values().any(|job| job.outcome().is_none()) {
            return Err(Failure::Busy("another search or takedown of this server is under way".to_owned()));
        }
        let number = jobs.keys().next_back().map_or(1, |last| last + 1);
        let (read, of) = (AtomicU64::new(0), AtomicU64::new(0));
        let job = Arc::new(Job { number, plan, read, of, outcome: Mutex::new(None) });
        jobs.insert(number, Arc::clone(&job));
        while jobs.len() > JOBS_MAX {
            jobs.pop_first();
        }
        Ok(job)
    }
}

/// What an officer asks for.
pub(super) struct Wish {
    pub(super) requests: Vec<Request>,
    pub(super) near_duplicates: bool,
    pub(super) grounds: Grounds,
    pub(super) by: String,
}

/// Begins to plan; answers the job that tells when it is done.
pub(super) fn begin_plan(house: &Arc<House>, wish: Wish) -> Result<u64, Failure> {
    if house.console.pending()?.len() >= PENDING_MAX {
        return Err(Failure::Busy(format!("{PENDING_MAX} plans wait already; approve or withdraw some")));
    }
    let job = house.console.begin(None)?;
    let (house, working) = (Arc::clone(house), Arc::clone(&job));
    tokio::task::spawn_blocking(move || {
        working.end_with(|| make_plan(&house, &working, wish));
    });
    Ok(job.number)
}

fn failed(failure: &Failure) -> Outcome {
    Outcome::Failed(match failure {
        Failure::Wrong(why) | Failure::Trouble(why) | Failure::Busy(why) => why.clone(),
        other => format!("{other:?}"),
    })
}

fn make_plan(house: &House, job: &Job, wish: Wish) -> Result<Outcome, Failure> {
    let workspace = &house.settings.workspace;
    let progress = |read: u64, of: u64| {
        job.read.store(read, Ordering::Relaxed);
        job.of.store(of, Ordering::Relaxed);
    };
    let targets = find_targets(workspace, &wish.requests, wish.near_duplicates, &progress)?;
    let plan = TakedownPlan::make(workspace, wish.requests, targets, wish.grounds)?;
    let at = (house.settings.now)().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    house.console.keep(&plan, &Made { by: wish.by, at })?;
    Ok(Outcome::Planned(plan.hash))
}

/// Begins to carry out the plan `hash`, which `by` approves.
pub(super) fn begin_apply(house: &Arc<House>, hash: &str, by: &str, confirm_large: bool) -> Result<u64, Failure> {
    let pending = house.console.plan(hash)?;
    if pending.made.by == by {
        return Err(Failure::Own);
    }
    if pending.plan.is_large() && !confirm_large {
        return Err(Failure::Wrong("this plan is large: say in the form that it is meant".to_owned()));
    }
    let job = house.console.begin(Some(hash.to_owned()))?;
    let (house, working) = (Arc::clone(house), Arc::clone(&job));
    tokio::task::spawn_blocking(move || {
        working.end_with(|| carry_out(&house, &pending.plan));
    });
    Ok(job.number)
}

fn carry_out(house: &House, plan: &TakedownPlan) -> Result<Outcome, Failure> {
    let settings = &house.settings;
    let _lock = settings.workspace.lock()?;
    let means = Means {
        suppression_key: settings.suppression_key.clone(),
        signing_key: settings.signing_key.clone(),
        now: (settings.now)().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    let receipt: Box<Receipt> = match apply(&settings.workspace, plan, true, &means)? {
        Applied::Now(receipt) | Applied::Before(receipt) => receipt,
        Applied::Partly(failures) => return Ok(Outcome::Partly(failures)),
    };
    if let Some(number) = plan.request {
        let _one = house.console.register.lock();
        let on = receipt.finished.get(..10).unwrap_or_default().to_owned();
        Register::open(&settings.workspace)?.end(number, State::Done { receipt: receipt.number, on })?;
    }
    house.console.forget(&plan.hash)?;
    Ok(Outcome::Erased(receipt.number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hash_of_a_plan_is_a_file() {
        for wrong in ["", "../../etc/passwd", &"z".repeat(64), &"a".repeat(63)] {
            assert!(!is_hash(wrong), "{wrong}");
        }
        assert!(is_hash(&"0a".repeat(32)));
    }

    #[test]
    fn one_job_is_under_way_and_old_ones_are_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let console = Console::open(folder.path()).expect("room");
        let job = console.begin(None).expect("the first");
        assert!(matches!(console.begin(None), Err(Failure::Busy(_))));
        *job.outcome.lock().expect("no panic") = Some(Outcome::Erased(1));
        for _ in 0..2 * JOBS_MAX {
            let job = console.begin(None).expect("the last one ended");
            *job.outcome.lock().expect("no panic") = Some(Outcome::Erased(1));
        }
        assert_eq!(console.jobs().len(), JOBS_MAX);
        assert!(console.job(1).is_none() && console.job(2 * JOBS_MAX as u64 + 1).is_some());
    }
}
