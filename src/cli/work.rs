//! `tamis work`: one of several workers that share a plan. It takes task after task until none is left that it may take.
//!
//! Before it ends for tasks that others hold, it waits until each of those others was heard of: what a dead one held is taken over, so the
//! last worker never leaves behind what nobody is at.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;

use super::away;
use super::exit::Exit;
use super::plan::Planned;
use crate::engine::claim::{self, Claim, Claims, Who};
use crate::engine::plan::{StageName, TaskName};
use crate::engine::schedule::{self, HELD_LOOKS_MAX, Lease, Sight, Walk};
use crate::engine::watch::{Stop, Unwatched};
use crate::passes::{Job, JobError};
use crate::store;

/// Arguments of `tamis work`.
#[derive(Debug, Args)]
pub struct WorkArgs {
    #[command(flatten)]
    planned: Planned,
    /// Which of how many workers this is, from 0: it begins with every K-th task, and takes others' when its own are done
    #[arg(long, value_name = "k/K", default_value = "0/1")]
    lease: Lease,
    /// Does the stages up to this one: clean, decide or emit
    #[arg(long, value_name = "STAGE", default_value = "emit")]
    until: StageName,
    /// Takes a task over whose worker has not been heard of for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = claim::SILENT_AFTER.as_secs())]
    steal_after: u64,
    /// Ends in time: takes no task any more when less than the longest one took is left of so many seconds
    #[arg(long, value_name = "SECONDS")]
    time_max: Option<u64>,
    /// Ends with 0 where others, who live, are at all that is left
    #[arg(long)]
    leave_others: bool,
    /// Name of this worker, which no other has: a scheduler gives a worker that it starts anew the same one, and what its earlier life held is its own
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// How often a worker of this name was started before
    #[arg(long, value_name = "N", default_value_t = 0, requires = "name")]
    life: u32,
}

/// What there is to do.
enum Next {
    Task(TaskName, Claim),
    /// Others are at all tasks that can be done now: these.
    Held(Vec<TaskName>),
    Nothing,
}

struct Worker<'a> {
    args: &'a WorkArgs,
    job: Job,
    claims: Claims,
    who: Who,
    touch_every: Duration,
    begun: Instant,
    is_warned: Arc<AtomicBool>,
    longest: Duration,
    walks: BTreeMap<StageName, Walk>,
}

/// Works until nothing is left that this worker may take.
///
/// # Errors
/// What a task says; others can go on with it.
pub fn work(args: &WorkArgs, stop: Stop) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    let is_warned = warned()?;
    let job = args.planned.open(stop)?;
    let steal_after = Duration::from_secs(args.steal_after.max(1));
    let claims = Claims::open(&job.place.claims(), steal_after)?;
    let name = args.name.clone().unwrap_or_else(|| store::own_name().to_owned());
    let who = Who { name: name.replace(['\n', '\r'], " "), life: args.life };
    let touch_every = steal_after / 4;
    let mut worker = Worker { args, job, claims, who, touch_every, begun, is_warned, longest: Duration::ZERO, walks: BTreeMap::new() };
    let mut quarantined = false;
    loop {
        match worker.next()? {
            Next::Nothing => return Ok(if quarantined { Exit::Quarantined } else { Exit::Done }),
            Next::Held(tasks) if worker.may_go_on() => {
                if worker.all_live(&tasks)? {
                    return Ok(if args.leave_others { Exit::Done } else { Exit::TryAgain });
                }
            }
            Next::Task(task, claim) if worker.may_go_on() => quarantined |= worker.do_task(task, &claim)?,
            Next::Held(_) | Next::Task(..) if worker.job.stop().wished() => return Err(JobError::Stopped.into()),
            Next::Held(_) | Next::Task(..) => return Ok(Exit::TryAgain),
        }
    }
}

/// Set once somebody sends USR1, as Slurm does some time before it ends a job: the task at hand is finished, and no other is begun.
fn warned() -> anyhow::Result<Arc<AtomicBool>> {
    let warned = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGUSR1, warned.clone())?;
    Ok(warned)
}

impl Worker<'_> {
    /// Whether another task may be begun.
    fn may_go_on(&self) -> bool {
        let left = self.args.time_max.map(|most| Duration::from_secs(most).saturating_sub(self.begun.elapsed()));
        schedule::may_begin(left, self.longest) && !self.is_warned.load(Ordering::Relaxed) && !self.job.stop().wished()
    }

    /// The next task: of the first stage that has open ones. A stage begins when the one before is done.
    fn next(&mut self) -> Result<Next, JobError> {
        for stage in StageName::ALL.into_iter().filter(|stage| *stage <= self.args.until) {
            let mut walk = match self.walks.remove(&stage) {
                Some(walk) => walk,
                None => {
                    Walk::new(self.args.lease, self.job.tasks(stage)?, if self.args.leave_others { HELD_LOOKS_MAX } else { usize::MAX })
                }
            };
            if walk.is_among_others() {
                walk.learn(self.job.place.known_done(stage)?, self.claims.known_held(stage)?);
            }
            let mut taken = None;
            let mut next = walk.next(|index| self.look(TaskName { stage, index }, &mut taken))?;
            if next == schedule::Next::Learn {
                walk.learn(self.job.place.known_done(stage)?, self.claims.known_held(stage)?);
                next = walk.next(|index| self.look(TaskName { stage, index }, &mut taken))?;
            }
            self.walks.insert(stage, walk);
            match (next, taken) {
                (schedule::Next::Done | schedule::Next::Learn, _) => {}
                (schedule::Next::Task(index), Some(claim)) => return Ok(Next::Task(TaskName { stage, index }, claim)),
                (schedule::Next::Task(index), None) => return Ok(Next::Held(vec![TaskName { stage, index }])),
                (schedule::Next::Held(tasks), _) => {
                    return Ok(Next::Held(tasks.into_iter().map(|index| TaskName { stage, index }).collect()));
                }
            }
        }
        Ok(Next::Nothing)
    }

    /// Looks at a task, and takes it if nobody has it.
    fn look(&self, task: TaskName, taken: &mut Option<Claim>) -> Result<Sight, JobError> {
        if self.job.place.is_done(task)? {
            return Ok(Sight::Done);
        }
        let Some(claim) = self.claims.take(task, &self.who)? else { return Ok(Sight::Held) };
        // Its holder may have finished it between the two looks.
        if self.job.place.is_done(task)? {
            return Ok(Sight::Done);
        }
        *taken = Some(claim);
        Ok(Sight::Taken)
    }

    /// Waits until the makers of these claims were heard of, or until one of the tasks can be had or is done. Answers whether all live.
    fn all_live(&self, tasks: &[TaskName]) -> Result<bool, JobError> {
        let mut silent = BTreeMap::new();
        for task in tasks {
            match self.claims.seen(*task)? {
                Some(seen) if !seen.is_stale => silent.insert(*task, seen.touched_ms),
                _ => return Ok(false),
            };
        }
        let pause = (self.touch_every / 4).clamp(Duration::from_millis(20), Duration::from_secs(5));
        while !silent.is_empty() && self.may_go_on() {
            std::thread::sleep(pause);
            for (task, touched_ms) in silent.clone() {
                match self.claims.seen(task)? {
                    Some(seen) if seen.is_stale => return Ok(false),
                    Some(seen) if seen.touched_ms == touched_ms => {}
                    Some(_) => drop(silent.remove(&task)),
                    None => return Ok(false),
                }
            }
        }
        Ok(silent.is_empty())
    }

    /// Does a task, and says meanwhile that we live. Answers whether something was set aside.
    fn do_task(&mut self, task: TaskName, claim: &Claim) -> anyhow::Result<bool> {
        let clock = Instant::now();
        let is_done = AtomicBool::new(false);
        let done = std::thread::scope(|scope| {
            let heart = scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    std::thread::park_timeout(self.touch_every);
                    claim.touch();
                }
            });
            let done = self.job.task(task, &Unwatched);
            is_done.store(true, Ordering::Relaxed);
            heart.thread().unpark();
            done
        });
        self.longest = self.longest.max(clock.elapsed());
        let commit = done?;
        away::exchange("work")?;
        Ok(commit.tally.damages + commit.tally.quarantined > 0)
    }
}
