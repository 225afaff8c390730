//! All states of a home, in order, and how the next number is given to one of many.
//!
//! A store that keeps `If-None-Match: *` gives a new name once; whether it does is tried at each opening, since some take the header and do not look
//! at it (Ceph). There numbers are given by ballots: a writer puts one, lists them, and goes on only if it is alone and the number is still free; it
//! removes its ballot after its state stands. Two that come together both step back. It needs what all these stores promise, that a listing shows
//! what was written before it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::HomeError;
use super::state::{Change, State};
use crate::remote::{Bucket, Created, Listed};
use crate::store;

/// Where all of it lies, below the home.
pub(super) const FOLDER: &str = "_tamis/home/";
/// Where files wait that were sent and are not published.
pub(super) const STAGING: &str = "_tamis/home/staging/";

/// States that are asked for side by side.
const ASKED_AT_ONCE: usize = 16;
/// A ballot that is older was left by a process that died.
const BALLOT_LIVES: Duration = Duration::from_secs(600);
/// A writer that was alone longer ago asks again.
const BALLOT_HOLDS: Duration = Duration::from_secs(240);
/// What was sent so long ago was left by a process that died.
const STAGED_LIVES: Duration = Duration::from_secs(24 * 3600);

/// All states that are known.
pub(super) struct States {
    all: Vec<State>,
    tree: BTreeMap<String, Change>,
    /// All up to this number are known to be published.
    applied: u64,
    /// Found out before the first state is written.
    honours_conditions: Option<bool>,
}

/// Where state `number` stands.
pub(super) fn key(number: u64) -> String {
    format!("{FOLDER}states/{number:08}.json")
}

fn mark(number: u64) -> String {
    format!("{FOLDER}states/{number:08}.applied")
}

impl States {
    pub(super) fn new() -> States {
        States { all: Vec::new(), tree: BTreeMap::new(), applied: 0, honours_conditions: None }
    }

    /// Whether the store gives a new name once.
    fn honours_conditions(&mut self, bucket: &Bucket, transaction: &str) -> Result<bool, HomeError> {
        if let Some(known) = self.honours_conditions {
            return Ok(known);
        }
        // A name that nobody else has, for who removed it meanwhile would make a good store look bad.
        let honours = bucket.honours_conditions(&format!("{FOLDER}probes/{transaction}"))?;
        self.honours_conditions = Some(honours);
        Ok(honours)
    }

    pub(super) fn last(&self) -> u64 {
        self.all.len() as u64
    }

    /// The files of the workspace after the last state, by path.
    pub(super) fn tree(&self) -> &BTreeMap<String, Change> {
        &self.tree
    }

    /// Reads what was written since.
    pub(super) fn learn(&mut self, bucket: &Bucket) -> Result<(), HomeError> {
        let mut batch = 1;
        loop {
            let numbers: Vec<u64> = (self.last() + 1..=self.last() + batch).collect();
            let read = store::side_by_side(&numbers, ASKED_AT_ONCE, |number| -> Result<_, HomeError> { Ok(bucket.read(&key(*number))?) })?;
            for (number, bytes) in numbers.iter().zip(read) {
                let Some(bytes) = bytes else { return Ok(()) };
                let wrong = |why| HomeError::State { address: bucket.name(), number: *number, why };
                self.take(State::read(&bytes, *number).map_err(wrong)?);
            }
            batch = (batch * 2).min(64);
        }
    }

    fn take(&mut self, state: State) {
        for path in &state.removed {
            self.tree.remove(path);
        }
        self.tree.extend(state.changed.iter().map(|change| (change.path.clone(), change.clone())));
        self.all.push(state);
    }

    /// Paths that `state` gives other bytes or removes, and that were there before it.
    pub(super) fn replaced_by(&self, state: &State) -> Vec<String> {
        let before = self.all.iter().take_while(|earlier| earlier.number < state.number);
        let known: BTreeSet<&str> = before.flat_map(|earlier| &earlier.changed).map(|change| change.path.as_str()).collect();
        state.paths().into_iter().filter(|path| known.contains(path)).map(str::to_owned).collect()
    }

    /// A path to which a state after number `base` and `ours` give different fates.
    pub(super) fn touched_since(&self, base: u64, ours: &State) -> Option<String> {
        let later = self.all.iter().filter(|state| state.number > base && state.transaction != ours.transaction);
        later.filter_map(|state| ours.contradicts(state)).next()
    }

    /// Writes `state` under its number. Answers whether the number is ours; else another has it.
    pub(super) fn write(&mut self, bucket: &Bucket, state: &State) -> Result<bool, HomeError> {
        let bytes = Bytes::from(state.json());
        let is_ours = if self.honours_conditions(bucket, &state.transaction)? {
            bucket.create(&key(state.number), &bytes)? == Created::Ours
        } else {
            by_ballot(bucket, state, &bytes)?
        };
        if is_ours {
            self.take(state.clone());
        }
        Ok(is_ours)
    }

    /// The states that are not marked as published, in order.
    pub(super) fn unapplied(&mut self, bucket: &Bucket) -> Result<Vec<State>, HomeError> {
        // They are published in order, so the newest mark speaks for all before it.
        let mut first = self.last();
        while first > self.applied && bucket.read(&mark(first))?.is_none() {
            first -= 1;
        }
        self.applied = first;
        Ok(self.all[first as usize..].to_vec())
    }

    pub(super) fn mark_applied(&mut self, bucket: &Bucket, number: u64) -> Result<(), HomeError> {
        bucket.put(&mark(number), &Bytes::new())?;
        self.applied = self.applied.max(number);
        Ok(())
    }

    /// What was sent and stands in no state: of one transaction, or of all.
    pub(super) fn unfinished(&self, bucket: &Bucket, transaction: Option<&str>) -> Result<Vec<Listed>, HomeError> {
        let is_written = |of: &str| self.all.iter().any(|state| state.transaction == of);
        let is_unfinished = |listed: &Listed| {
            let of = listed.key.strip_prefix(STAGING).and_then(|rest| rest.split('/').next()).unwrap_or_default();
            !is_written(of) && transaction.is_none_or(|wanted| wanted == of)
        };
        Ok(bucket.list(STAGING)?.into_iter().filter(is_unfinished).collect())
    }

    /// Removes what machines left that died so long ago that nobody is at it: what they sent, ballots, trials.
    pub(super) fn clear_litter(&self, bucket: &Bucket) -> Result<(), HomeError> {
        let mut left = self.unfinished(bucket, None)?;
        for folder in ["probes/", "ballots/"] {
            left.extend(bucket.list(&format!("{FOLDER}{folder}"))?);
        }
        if left.is_empty() {
            return Ok(());
        }
        let now_ms = now_ms(bucket)?;
        for listed in left.iter().filter(|listed| is_older(listed, STAGED_LIVES, now_ms)) {
            bucket.remove(&listed.key)?;
        }
        Ok(())
    }
}

/// Writes `state` if nobody else is at its number and nobody has it.
fn by_ballot(bucket: &Bucket, state: &State, bytes: &Bytes) -> Result<bool, HomeError> {
    let folder = format!("{FOLDER}ballots/{:08}/", state.number);
    let ballot = format!("{folder}{}", state.transaction);
    let begun = Instant::now();
    bucket.put(&ballot, &Bytes::new())?;
    let (ours, others): (Vec<Listed>, Vec<Listed>) = bucket.list(&folder)?.into_iter().partition(|listed| listed.key == ballot);
    // A writer whose own ballot is not in the list cannot know that it is alone.
    let Some(ours) = ours.first() else { return Ok(false) };
    for dead in others.iter().filter(|listed| is_older(listed, BALLOT_LIVES, ours.modified_ms)) {
        bucket.remove(&dead.key)?;
    }
    let is_alone = others.is_empty() && bucket.read(&key(state.number))?.is_none() && begun.elapsed() < BALLOT_HOLDS;
    // On the condition all the same: where it is honoured after all, nothing depends on ballots.
    let is_free = is_alone && bucket.create(&key(state.number), bytes)? == Created::Ours;
    bucket.remove(&ballot)?;
    if !is_free {
        // Two that stepped back together come again at different times.
        let chance = getrandom::u32().unwrap_or(7);
        std::thread::sleep(Duration::from_millis(u64::from(chance % 120)));
    }
    Ok(is_free)
}

/// What time it is by the store, as the list of an object that is made for it tells.
fn now_ms(bucket: &Bucket) -> Result<i64, HomeError> {
    let key = format!("{FOLDER}probes/clock-{}", store::own_name());
    bucket.put(&key, &Bytes::new())?;
    let listed = bucket.list(&format!("{FOLDER}probes/"))?;
    bucket.remove(&key)?;
    Ok(listed.iter().find(|listed| listed.key == key).map_or(0, |listed| listed.modified_ms))
}

fn is_older(listed: &Listed, than: Duration, now_ms: i64) -> bool {
    u64::try_from(now_ms - listed.modified_ms).is_ok_and(|age_ms| Duration::from_millis(age_ms) > than)
}
