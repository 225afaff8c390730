//! The chain of steps of a plan, and which of them are to be submitted: those that are open and that no job is at, each after the one before.

use std::fmt;

use super::profile::Profile;
use crate::engine::plan::StageName;

/// A step of the chain: a stage of the plan, or its publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Stage clean.
    Clean,
    /// Stage decide.
    Decide,
    /// Stage emit.
    Emit,
    /// Publication.
    Seal,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Step; 4] = [Step::Clean, Step::Decide, Step::Emit, Step::Seal];

    /// The word in names of jobs and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.stage().map_or("seal", StageName::word)
    }

    /// The stage of the plan.
    #[must_use]
    pub fn stage(self) -> Option<StageName> {
        match self {
            Step::Clean => Some(StageName::Clean),
            Step::Decide => Some(StageName::Decide),
            Step::Emit => Some(StageName::Emit),
            Step::Seal => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How a step stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The step.
    pub step: Step,
    /// Its open tasks; for emit before decide is done, a guess.
    pub open: u32,
    /// Ids of jobs that are queued or running for it.
    pub jobs: Vec<String>,
}

/// A job array to submit: leases `first..first + leases` of `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Array {
    /// The first lease.
    pub first: u32,
    /// Its elements.
    pub leases: u32,
}

/// A step to submit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The step.
    pub step: Step,
    /// All its leases.
    pub leases: u32,
    /// They come in these arrays.
    pub arrays: Vec<Array>,
    /// What it waits for.
    pub after: After,
}

/// What a step waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Nothing: the step before is done.
    Nothing,
    /// All arrays of this step, which is submitted in the same go.
    Step(Step),
    /// Jobs that were submitted before.
    Jobs(Vec<String>),
}

/// What is to be submitted of a chain. `array_max` bounds the elements of an array.
#[must_use]
pub fn submissions(chain: &[Standing], profile: &Profile, array_max: u32) -> Vec<Submission> {
    let mut submissions: Vec<Submission> = Vec::new();
    let mut after = After::Nothing;
    for standing in chain.iter().filter(|standing| standing.open > 0) {
        if !standing.jobs.is_empty() {
            after = After::Jobs(standing.jobs.clone());
            continue;
        }
        let leases = match standing.step {
            Step::Decide | Step::Seal => 1,
            Step::Clean | Step::Emit => standing.open.min(profile.of(standing.step).leases_max.get()),
        };
        let next = After::Step(standing.step);
        submissions.push(Submission {
            step: standing.step,
            leases,
            arrays: split(leases, array_max),
            after: std::mem::replace(&mut after, next),
        });
    }
    submissions
}

/// So many leases in arrays of at most `array_max` elements.
fn split(leases: u32, array_max: u32) -> Vec<Array> {
    let array_max = array_max.max(1);
    (0..leases).step_by(array_max as usize).map(|first| Array { first, leases: array_max.min(leases - first) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(rows: [(u32, &[&str]); 4]) -> Vec<Standing> {
        let standing =
            |(step, (open, jobs)): (Step, (u32, &[&str]))| Standing { step, open, jobs: jobs.iter().map(|id| (*id).to_owned()).collect() };
        Step::ALL.into_iter().zip(rows).map(standing).collect()
    }

    fn plan(rows: [(u32, &[&str]); 4]) -> Vec<Submission> {
        let profile = toml::from_str("leases_max = 2500\n[emit]\nleases_max = 3\n").expect("a profile");
        submissions(&chain(rows), &profile, 1001)
    }

    #[test]
    fn a_new_plan_is_submitted_whole_in_arrays_that_the_site_takes() {
        let all = plan([(9000, &[]), (1, &[]), (50, &[]), (1, &[])]);
        let array = |first, leases| Array { first, leases };
        assert_eq!(all[0].arrays, [array(0, 1001), array(1001, 1001), array(2002, 498)]);
        assert_eq!(
            all.iter().map(|part| (part.step.word(), part.leases)).collect::<Vec<_>>(),
            [("clean", 2500), ("decide", 1), ("emit", 3), ("seal", 1)]
        );
        let after: Vec<&After> = all.iter().map(|part| &part.after).collect();
        assert_eq!(after, [&After::Nothing, &After::Step(Step::Clean), &After::Step(Step::Decide), &After::Step(Step::Emit)]);
    }

    #[test]
    fn what_is_done_or_at_work_is_not_submitted_again() {
        assert_eq!(plan([(5, &["7"]), (1, &["8"]), (2, &["9"]), (1, &["10"])]), []);
        let rest = plan([(0, &["7"]), (1, &[]), (2, &[]), (1, &[])]);
        assert_eq!((rest[0].step, &rest[0].after), (Step::Decide, &After::Nothing));
        let rest = plan([(5, &["7", "8"]), (1, &[]), (2, &["9"]), (1, &[])]);
        assert_eq!(
            rest.iter().map(|part| (part.step, part.after.clone())).collect::<Vec<_>>(),
            [(Step::Decide, After::Jobs(vec!["7".to_owned(), "8".to_owned()])), (Step::Seal, After::Jobs(vec!["9".to_owned()])),]
        );
    }

    #[test]
    fn a_single_task_is_one_lease() {
        assert_eq!(plan([(1, &[]), (1, &[]), (1, &[]), (1, &[])])[0].arrays, [Array { first: 0, leases: 1 }]);
    }
}
