//! The night under way, told from its plan and the commit records of its tasks: what is done of what, and how fast.
//!
//! Nobody asks the running process, which may work on other machines: what is acknowledged stands in files. Commit records are read once,
//! for they never change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::counted;
use super::house::House;
use crate::engine::commit::Commit;
use crate::engine::plan::{Plan, StageName};
use crate::store::files_below;

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(1_000);
/// A night without any sign for so long was left: somebody may go on with it, but it is not under way.
const QUIET_MAX_S: f64 = 30.0 * 60.0;

/// A night under way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Running {
    pub(super) name: String,
    pub(super) dataset: String,
    /// The first stage that is not done.
    pub(super) stage: StageName,
    /// Tasks of that stage: done, of how many; of how many is not known before stage `decide` is done.
    pub(super) done: usize,
    pub(super) of: Option<usize>,
    /// Documents of stage `clean` so far.
    pub(super) read: u64,
    pub(super) kept: u64,
    pub(super) input_bytes: u64,
    pub(super) input_bytes_of: u64,
    /// Seconds since the first task ended, and documents read by then: a point for each task.
    pub(super) points: Vec<(f64, f64)>,
}

impl Running {
    /// Documents read in a second, between the first task's end and the last one's.
    pub(super) fn per_second(&self) -> Option<f64> {
        let (first, last) = (self.points.first()?, self.points.last()?);
        let seconds = last.0 - first.0;
        (seconds > 0.0).then(|| (last.1 - first.1) / seconds)
    }
}

/// What is known of unsealed plans and their commits.
#[derive(Default)]
struct Known {
    plan: Option<(String, Plan)>,
    commits: BTreeMap<PathBuf, (Timestamp, Commit)>,
}

/// Looks at the night under way, over and over, and has shards counted when there are new ones.
pub(super) async fn watch(house: Arc<House>) {
    let (mut known, mut counted_for) = (Known::default(), None);
    let mut counting: Option<tokio::task::JoinHandle<()>> = None;
    loop {
        let looker = Arc::clone(&house);
        let looked = tokio::task::spawn_blocking(move || (known.look(&looker), known)).await;
        let Ok((running, back)) = looked else { return };
        known = back;
        house.running.send_if_modified(|old| {
            let is_new = old.as_deref() != running.as_ref();
            if is_new {
                *old = running.map(Arc::new);
            }
            is_new
        });
        // A state that comes while another one is counted waits for its turn.
        let is_free = counting.as_ref().is_none_or(tokio::task::JoinHandle::is_finished);
        if let Some(snapshot) = house.snapshot().ok().filter(|snapshot| is_free && counted_for != Some(snapshot.version)) {
            counted_for = Some(snapshot.version);
            let counter = Arc::clone(&house);
            counting = Some(tokio::task::spawn_blocking(move || counted::count(&counter, &snapshot)));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// When a file was last written.
pub(super) fn modified(path: &Path) -> Option<Timestamp> {
    Timestamp::try_from(std::fs::metadata(path).and_then(|file| file.modified()).ok()?).ok()
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

impl Known {
    /// The night under way, if there is one. What cannot be read is not there.
    fn look(&mut self, house: &House) -> Option<Running> {
        let workspace = &house.settings.workspace;
        let sealed: BTreeSet<String> = house.snapshot().ok()?.sealed.clone();
        let plans = files_below(&workspace.plans()).ok()?;
        let open = plans.into_iter().filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)));
        let open = open.filter(|(id, _)| !sealed.contains(id)).filter_map(|(id, path)| Some((modified(&path)?, id, path)));
        let Some((begun, id, path)) = open.max() else {
            *self = Known::default();
            return None;
        };
        if self.plan.as_ref().is_none_or(|(known, _)| *known != id) {
            *self = Known { plan: Some((id.clone(), Plan::load(&path).ok()?)), ..Known::default() };
        }
        self.read_commits(&workspace.commits(&id));
        let last = self.commits.values().map(|(at, _)| *at).chain([begun]).max()?;
        let is_quiet = seconds(last, (house.settings.now)()) > QUIET_MAX_S;
        if is_quiet { None } else { Some(self.told()?) }
    }

    fn read_commits(&mut self, folder: &Path) {
        for path in files_below(folder).unwrap_or_default() {
            if self.commits.contains_key(&path) || path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            let commit = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Commit>(&bytes).ok());
            if let (Some(at), Some(mut commit)) = (modified(&path), commit) {
                commit.outputs = Vec::new();
                self.commits.insert(path, (at, commit));
            }
        }
    }

    fn told(&self) -> Option<Running> {
        let (_, plan) = self.plan.as_ref()?;
        let of_stage = |stage| self.commits.values().filter(move |(_, commit)| commit.task.stage == stage);
        let emit = of_stage(StageName::Decide).next().map(|(_, commit)| commit.layout.len());
        let counts = [(StageName::Clean, Some(plan.tasks.len())), (StageName::Decide, Some(1)), (StageName::Emit, emit)];
        let done = |stage| of_stage(stage).count();
        let (stage, of) = counts.into_iter().find(|(stage, of)| Some(done(*stage)) != *of).unwrap_or(counts[2]);
        let mut ends: Vec<(Timestamp, u64)> = of_stage(StageName::Clean).map(|(at, commit)| (*at, commit.tally.read)).collect();
        ends.sort_unstable();
        let first = ends.first().map(|(at, _)| *at);
        let mut read = 0;
        let points = ends.iter().map(|(at, more)| {
            read += more;
            (first.map_or(0.0, |first| seconds(first, *at)), read as f64)
        });
        let points = points.collect();
        let sum = |count: fn(&Commit) -> u64| of_stage(StageName::Clean).map(|(_, commit)| count(commit)).sum();
        Some(Running {
            name: plan.name.clone(),
            dataset: plan.dataset.clone(),
            stage,
            done: done(stage),
            of,
            read: sum(|commit| commit.tally.read),
            kept: sum(|commit| commit.tally.kept),
            input_bytes: sum(|commit| commit.tally.input_bytes),
            input_bytes_of: plan.input_bytes(),
            points,
        })
    }
}
