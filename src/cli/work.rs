//! `tamis work`: one of several workers that share a plan. It takes task after task until none is left that it may take.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;

use super::exit::Exit;
use super::plan::Planned;
use crate::engine::claim::{Claim, Claims};
use crate::engine::plan::{StageName, TaskName};
use crate::engine::watch::{Stop, Unwatched};
use crate::passes::{Job, JobError};

/// Arguments of `tamis work`.
#[derive(Debug, Args)]
pub struct WorkArgs {
    #[command(flatten)]
    planned: Planned,
    /// Which of how many workers this is, from 0: it begins with every K-th task, and takes others' when its own are done
    #[arg(long, value_name = "k/K", default_value = "0/1")]
    lease: Lease,
    /// Takes a task over whose worker has not been heard of for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    steal_after: u64,
    /// Ends in time: takes no task any more when less than the longest one took is left of so many seconds
    #[arg(long, value_name = "SECONDS")]
    time_max: Option<u64>,
}

/// One of several workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lease {
    number: u32,
    of: u32,
}

impl FromStr for Lease {
    type Err = String;

    fn from_str(text: &str) -> Result<Lease, String> {
        let numbers = text.split_once('/').and_then(|(number, of)| Some(Lease { number: number.parse().ok()?, of: of.parse().ok()? }));
        numbers.filter(|lease| lease.number < lease.of).ok_or_else(|| "write k/K with k from 0 to K - 1, for example 0/4".to_owned())
    }
}

/// What there is to do.
enum Next {
    Task(TaskName, Claim),
    /// Others are at all tasks that can be done now.
    Held,
    Nothing,
}

struct Worker {
    job: Job,
    claims: Claims,
    who: String,
    lease: Lease,
    touch_every: Duration,
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
    let claims = Claims::open(&job.place.workspace().attempts(job.place.plan()).join("claims"), steal_after)?;
    let who = format!("lease {}/{}, process {}\n", args.lease.number, args.lease.of, std::process::id());
    let worker = Worker { job, claims, who, lease: args.lease, touch_every: steal_after / 4 };
    let (mut longest, mut quarantined) = (Duration::ZERO, false);
    loop {
        let time_is_up = args.time_max.is_some_and(|most| begun.elapsed() + longest >= Duration::from_secs(most));
        match worker.next()? {
            Next::Nothing => return Ok(if quarantined { Exit::Quarantined } else { Exit::Done }),
            Next::Held => return Ok(Exit::TryAgain),
            Next::Task(..) if time_is_up || is_warned.load(Ordering::Relaxed) => return Ok(Exit::TryAgain),
            Next::Task(task, claim) => {
                let clock = Instant::now();
                quarantined |= worker.do_task(task, &claim)?;
                longest = longest.max(clock.elapsed());
            }
        }
    }
}

/// Set once somebody sends USR1, as Slurm does some time before it ends a job: the task at hand is finished, and no other is begun.
fn warned() -> anyhow::Result<Arc<AtomicBool>> {
    let warned = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGUSR1, warned.clone())?;
    Ok(warned)
}

impl Worker {
    /// The next task: of the first stage that has open ones, the own first. A stage begins when the one before is done.
    fn next(&self) -> Result<Next, JobError> {
        for stage in StageName::ALL {
            let open = match self.job.pending(stage) {
                Err(JobError::NotYet { .. }) => return Ok(Next::Held),
                other => other?,
            };
            if open.is_empty() {
                continue;
            }
            let (own, others): (Vec<u32>, Vec<u32>) = open.into_iter().partition(|task| task % self.lease.of == self.lease.number);
            // Each begins with others' tasks at another place, so that they do not meet at the first.
            let start = others.partition_point(|task| task % self.lease.of < self.lease.number).min(others.len());
            let others = others[start..].iter().chain(&others[..start]).copied();
            for index in own.into_iter().chain(others) {
                let task = TaskName { stage, index };
                if let Some(claim) = self.claims.take(task, &self.who)? {
                    return Ok(Next::Task(task, claim));
                }
            }
            return Ok(Next::Held);
        }
        Ok(Next::Nothing)
    }

    /// Does a task, and says meanwhile that we live. Answers whether something was set aside.
    fn do_task(&self, task: TaskName, claim: &Claim) -> Result<bool, JobError> {
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let heart = scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    std::thread::park_timeout(self.touch_every);
                    claim.touch();
                }
            });
            let done = self.job.task(task, &Unwatched);
            is_done.store(true, Ordering::Relaxed);
            heart.thread().unpark();
            done.map(|commit| commit.tally.damages + commit.tally.quarantined > 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_one_of_several() {
        assert_eq!("2/3".parse(), Ok(Lease { number: 2, of: 3 }));
        for wrong in ["3/3", "1", "a/b", "-1/2", "0/0", ""] {
            assert!(wrong.parse::<Lease>().is_err(), "{wrong}");
        }
    }
}
