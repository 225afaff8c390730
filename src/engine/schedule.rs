//! Which task a worker takes next: a decision on what it sees, without clock and file system.
//!
//! Real workers (`tamis work`) look at commit records and claims, the simulation of a thousand nodes (`examples/simulate`) at made-up ones;
//! the decision is this one in both. A lease begins with every K-th task. When those are done it takes others', from the back of their
//! row, so that it meets their owner last.

use std::str::FromStr;
use std::time::Duration;

/// One of several workers: number `number` of `of`, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    number: u32,
    of: u32,
}

/// What a worker sees of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Its commit record is there.
    Done,
    /// It was free, and is ours now.
    Taken,
    /// Somebody is at it.
    Held,
}

/// What there is to do in a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// This task, which is ours now.
    Task(u32),
    /// Nothing of its own is left: [`Walk::learn`] what others have done and are at, and ask again.
    Learn,
    /// Others are at all tasks that are left: these.
    Held(Vec<u32>),
    /// Every task has its commit record.
    Done,
}

/// The way of one lease through the tasks of one stage. What was seen to be done is not looked at again: commit records stay.
#[derive(Clone, Debug)]
pub struct Walk {
    lease: Lease,
    tasks: u32,
    is_done: Vec<bool>,
    is_held: Vec<bool>,
    held_looks_max: usize,
    own_left: bool,
}

/// How many tasks that others were just seen to hold a worker looks at again, where many workers come to their end at the same time: a thousand
/// that look at each other's last tasks are a million looks, and each lands on the one server that knows a file system's names.
/// Which ones differs from worker to worker, so that all are looked at by somebody.
pub const HELD_LOOKS_MAX: usize = 16;

impl Lease {
    /// Lease `number` of `of`, unless there is no such one.
    #[must_use]
    pub fn new(number: u32, of: u32) -> Option<Lease> {
        (number < of).then_some(Lease { number, of })
    }

    /// The tasks with which it begins.
    fn own(self, tasks: u32) -> impl Iterator<Item = u32> {
        (self.number..tasks).step_by(self.of as usize)
    }

    /// All other tasks: those of the next lease first, each row from its back.
    fn others(self, tasks: u32) -> impl Iterator<Item = u32> {
        let rows = self.of.min(tasks);
        let begin = (self.number + 1) % self.of;
        let later = begin.min(rows)..rows;
        let earlier = 0..begin.min(rows);
        let row = move |number: u32| (number..tasks).step_by(self.of as usize).rev();
        later.chain(earlier).filter(move |number| *number != self.number).flat_map(row)
    }
}

impl FromStr for Lease {
    type Err = String;

    fn from_str(text: &str) -> Result<Lease, String> {
        let numbers = text.split_once('/').and_then(|(number, of)| Lease::new(number.parse().ok()?, of.parse().ok()?));
        numbers.ok_or_else(|| "write k/K with k from 0 to K - 1, for example 0/4".to_owned())
    }
}

impl Walk {
    /// The way of `lease` through a stage of so many tasks. Of tasks that others hold it looks at `held_looks_max` at most, each time.
    #[must_use]
    pub fn new(lease: Lease, tasks: u32, held_looks_max: usize) -> Walk {
        let none = vec![false; tasks as usize];
        Walk { lease, tasks, is_done: none.clone(), is_held: none, held_looks_max, own_left: true }
    }

    /// Whether only others' tasks can be left: then it pays to learn what they have done and are at, before each of theirs is looked at.
    #[must_use]
    pub fn is_among_others(&self) -> bool {
        !self.own_left
    }

    /// Notes tasks that are done, and those that somebody is at just now.
    pub fn learn(&mut self, done: impl IntoIterator<Item = u32>, held: impl IntoIterator<Item = u32>) {
        self.is_held.fill(false);
        for (tasks, marks) in [(done.into_iter().collect::<Vec<_>>(), &mut self.is_done), (held.into_iter().collect(), &mut self.is_held)] {
            for task in tasks {
                if let Some(mark) = marks.get_mut(task as usize) {
                    *mark = true;
                }
            }
        }
    }

    /// The next task. `look` looks at one and takes it if it is free.
    ///
    /// # Errors
    /// What `look` says.
    pub fn next<E>(&mut self, mut look: impl FnMut(u32) -> Result<Sight, E>) -> Result<Next, E> {
        let mut held = Vec::new();
        let (lease, tasks) = (self.lease, self.tasks);
        for task in lease.own(tasks) {
            if let Some(next) = self.look_at(task, &mut look, &mut held)? {
                return Ok(next);
            }
        }
        if std::mem::take(&mut self.own_left) {
            return Ok(Next::Learn);
        }
        let (known_held, unknown): (Vec<u32>, Vec<u32>) = lease.others(tasks).partition(|task| self.is_held[*task as usize]);
        let open = known_held.into_iter().filter(|task| !self.is_done[*task as usize]).take(self.held_looks_max).collect::<Vec<_>>();
        for task in unknown.into_iter().chain(open) {
            if let Some(next) = self.look_at(task, &mut look, &mut held)? {
                return Ok(next);
            }
        }
        Ok(if held.is_empty() { Next::Done } else { Next::Held(held) })
    }

    fn look_at<E>(&mut self, task: u32, look: &mut impl FnMut(u32) -> Result<Sight, E>, held: &mut Vec<u32>) -> Result<Option<Next>, E> {
        if self.is_done[task as usize] {
            return Ok(None);
        }
        match look(task)? {
            Sight::Taken => return Ok(Some(Next::Task(task))),
            Sight::Done => self.is_done[task as usize] = true,
            Sight::Held => held.push(task),
        }
        Ok(None)
    }
}

/// Whether a worker that has `left` until its time is over may begin a task, if the longest so far took `longest`.
#[must_use]
pub fn may_begin(left: Option<Duration>, longest: Duration) -> bool {
    left.is_none_or(|left| left > longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(text: &str) -> Lease {
        text.parse().expect("a lease")
    }

    #[test]
    fn a_lease_is_one_of_several() {
        assert_eq!("2/3".parse(), Ok(Lease { number: 2, of: 3 }));
        for wrong in ["3/3", "1", "a/b", "-1/2", "0/0", ""] {
            assert!(wrong.parse::<Lease>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_lease_goes_through_every_task_once_and_its_own_first() {
        for of in 1..9 {
            for number in 0..of {
                for tasks in 0..20 {
                    let lease = Lease { number, of };
                    let mut all: Vec<u32> = lease.own(tasks).chain(lease.others(tasks)).collect();
                    assert!(lease.own(tasks).all(|task| task % of == number));
                    all.sort_unstable();
                    assert_eq!(all, (0..tasks).collect::<Vec<_>>(), "{lease:?}, {tasks} tasks");
                }
            }
        }
    }

    #[test]
    fn others_tasks_are_taken_from_their_back() {
        assert_eq!(lease("1/3").others(9).collect::<Vec<_>>(), [8, 5, 2, 6, 3, 0]);
        assert_eq!(lease("5/1000").others(3).collect::<Vec<_>>(), [0, 1, 2], "more leases than tasks");
    }

    #[test]
    fn what_is_done_is_looked_at_once_and_what_is_held_again() {
        let mut walk = Walk::new(lease("0/2"), 4, usize::MAX);
        assert_eq!(walk.next::<()>(|_| Ok(Sight::Held)), Ok(Next::Learn), "after a look at its own");
        walk.learn([2, 99], []);
        let mut looked = Vec::new();
        let next = walk.next::<()>(|task| {
            looked.push(task);
            Ok(if task == 0 { Sight::Done } else { Sight::Held })
        });
        assert_eq!(next, Ok(Next::Held(vec![3, 1])));
        assert_eq!(looked, [0, 3, 1]);
        assert!(walk.is_among_others());
        assert_eq!(walk.next::<()>(|task| Ok(if task == 3 { Sight::Done } else { Sight::Taken })), Ok(Next::Task(1)));
        walk.learn([1], []);
        assert_eq!(walk.next::<()>(|_| unreachable!("all are done")), Ok(Next::Done));
    }

    #[test]
    fn of_many_tasks_that_others_hold_a_few_are_looked_at_after_all_that_may_be_free() {
        let mut walk = Walk::new(lease("0/10"), 10, 3);
        assert_eq!(walk.next::<()>(|_| Ok(Sight::Held)), Ok(Next::Learn));
        walk.learn([0, 9], [1, 2, 3, 4, 6, 7, 8]);
        let mut looked = Vec::new();
        let next = walk.next::<()>(|task| {
            looked.push(task);
            Ok(Sight::Held)
        });
        assert_eq!((next, looked), (Ok(Next::Held(vec![5, 1, 2, 3])), vec![5, 1, 2, 3]));
    }

    #[test]
    fn no_task_is_begun_that_would_not_end_in_time() {
        let second = Duration::from_secs(1);
        assert!(may_begin(None, second));
        assert!(may_begin(Some(second * 2), second));
        assert!(!may_begin(Some(second), second));
        assert!(!may_begin(Some(Duration::ZERO), Duration::ZERO));
    }
}
