//! The words of Slurm's programs: `sbatch` to submit, `squeue` to see what is queued, `scontrol` for the site's limits, `scancel` to take back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::process::Command;

use super::chain::{After, Step, Submission};
use super::script::{Frame, job_name};
use crate::store::{self, StoreError};

/// Why Slurm did not do it.
#[derive(Debug, thiserror::Error)]
pub enum SlurmError {
    /// Its programs are not here.
    #[error(
        "there is no `{program}` on this machine; run the same command on a login node of the cluster, or write the scripts with --engine print"
    )]
    Absent { program: &'static str },
    /// It could not be started.
    #[error("cannot start `{program}`: {source}")]
    Start { program: &'static str, source: std::io::Error },
    /// It refused.
    #[error("`{program}` refused: {said}; see account, partition, time and leases_max in the engine profile{cancelled}")]
    Refused { program: &'static str, said: String, cancelled: String },
    /// Its controller does not answer.
    #[error("Slurm does not answer `{program}`: {said}; try again when it does")]
    Silent { program: &'static str, said: String },
    /// A script cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a job waits that will come to its turn.
const ITS_TURN: [&str; 6] = ["None", "Priority", "Resources", "Dependency", "BeginTime", "JobArrayTaskLimit"];

/// Jobs of one step that Slurm knows: ids of arrays, and how many elements are in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Queued {
    /// Ids, each once.
    pub jobs: Vec<String>,
    /// Elements by state, in Slurm's words.
    pub states: BTreeMap<String, u32>,
    /// Why some wait for more than their turn, in Slurm's words: `PartitionTimeLimit`.
    pub held_by: BTreeSet<String>,
}

fn run(program: &'static str, words: &[String]) -> Result<String, SlurmError> {
    let output = Command::new(program).args(words).output().map_err(|source| match source.kind() {
        ErrorKind::NotFound => SlurmError::Absent { program },
        _ => SlurmError::Start { program, source },
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said =
        String::from_utf8_lossy(&output.stderr).lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    let is_silent = ["Unable to contact", "Socket timed out", "Connection refused"].iter().any(|sign| said.contains(sign));
    Err(if is_silent { SlurmError::Silent { program, said } } else { SlurmError::Refused { program, said, cancelled: String::new() } })
}

/// Elements that an array may have at this site.
///
/// # Errors
/// See [`SlurmError`].
pub fn array_max() -> Result<u32, SlurmError> {
    let told = run("scontrol", &["show".to_owned(), "config".to_owned()])?;
    // Numbers of elements go from 0 to MaxArraySize - 1.
    Ok(number_of(&told, "MaxArraySize").unwrap_or(1000).max(1))
}

fn number_of(config: &str, key: &str) -> Option<u32> {
    config.lines().filter_map(|line| line.split_once('=')).find(|(name, _)| name.trim() == key)?.1.trim().parse().ok()
}

/// The jobs of a plan that are queued or running, by step.
///
/// # Errors
/// See [`SlurmError`].
pub fn queued(id: &str) -> Result<BTreeMap<Step, Queued>, SlurmError> {
    let names: Vec<String> = Step::ALL.into_iter().map(|step| job_name(id, step)).collect();
    let words = ["--noheader", "--array", "--format=%F|%j|%T|%r"].map(str::to_owned);
    let told = run("squeue", &[&words[..], &[format!("--name={}", names.join(","))]].concat())?;
    Ok(read_queue(&told, id))
}

fn read_queue(told: &str, id: &str) -> BTreeMap<Step, Queued> {
    let mut queue: BTreeMap<Step, Queued> = BTreeMap::new();
    for line in told.lines() {
        let mut parts = line.trim().split('|');
        let (Some(job), Some(name), Some(state)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let Some(step) = Step::ALL.into_iter().find(|step| job_name(id, *step) == name) else { continue };
        let queued = queue.entry(step).or_default();
        if !queued.jobs.iter().any(|known| known == job) {
            queued.jobs.push(job.to_owned());
        }
        let reason = parts.next().filter(|reason| state == "PENDING" && !reason.is_empty() && !ITS_TURN.contains(reason));
        queued.held_by.extend(reason.map(str::to_owned));
        *queued.states.entry(state.to_lowercase()).or_default() += 1;
    }
    queue
}

/// Writes the scripts of `submissions`.
///
/// # Errors
/// When they cannot be written.
pub fn write_scripts(frame: &Frame, submissions: &[Submission]) -> Result<(), StoreError> {
    store::create_folder(&frame.logs)?;
    submissions
        .iter()
        .try_for_each(|part| store::write_over(&frame.script_path(part.step), frame.script(part.step, part.leases).as_bytes()))
}

/// Submits a chain. Answers the ids of its jobs by step. If Slurm refuses a part of it, what was submitted before in this call is taken back.
///
/// # Errors
/// See [`SlurmError`].
pub fn submit(frame: &Frame, submissions: &[Submission]) -> Result<Vec<(Step, Vec<String>)>, SlurmError> {
    write_scripts(frame, submissions)?;
    let mut done: Vec<(Step, Vec<String>)> = Vec::new();
    for submission in submissions {
        let after = match &submission.after {
            After::Nothing => Vec::new(),
            After::Jobs(jobs) => jobs.clone(),
            After::Step(step) => done.iter().find(|(other, _)| other == step).map(|(_, jobs)| jobs.clone()).unwrap_or_default(),
        };
        done.push((submission.step, Vec::new()));
        for array in &submission.arrays {
            match run("sbatch", &frame.words(submission, *array, &after)) {
                // With several clusters the answer is `id;cluster`.
                Ok(told) => done.iter_mut().rev().take(1).for_each(|(_, jobs)| jobs.push(told.split(';').next().unwrap_or("").to_owned())),
                Err(error) => return Err(taken_back(error, &done)),
            }
        }
    }
    Ok(done)
}

/// Cancels what was submitted before an error, and says so.
fn taken_back(error: SlurmError, done: &[(Step, Vec<String>)]) -> SlurmError {
    let jobs: Vec<String> = done.iter().flat_map(|(_, jobs)| jobs.iter().cloned()).collect();
    if jobs.is_empty() {
        return error;
    }
    let outcome = match run("scancel", &jobs) {
        Ok(_) => format!("; jobs {}, submitted just before, were cancelled", jobs.join(", ")),
        Err(_) => format!("; jobs {} were submitted just before: cancel them with scancel", jobs.join(", ")),
    };
    match error {
        SlurmError::Refused { program, said, .. } => SlurmError::Refused { program, said, cancelled: outcome },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_read_by_names_of_jobs() {
        let told = "12|tamis-00aa-clean|RUNNING|None\n12|tamis-00aa-clean|PENDING|Resources\n13|tamis-00aa-clean|PENDING|PartitionTimeLimit\n\
                    14|tamis-00aa-seal|PENDING|Dependency\n9|other|RUNNING\nodd";
        let queue = read_queue(told, "00aa");
        assert_eq!(queue[&Step::Clean].jobs, ["12", "13"]);
        assert_eq!(queue[&Step::Clean].states, BTreeMap::from([("pending".to_owned(), 2), ("running".to_owned(), 1)]));
        assert_eq!(queue[&Step::Clean].held_by, BTreeSet::from(["PartitionTimeLimit".to_owned()]), "what passes with its turn is not told");
        assert!(queue[&Step::Seal].held_by.is_empty());
        assert_eq!(queue.keys().copied().collect::<Vec<_>>(), [Step::Clean, Step::Seal]);
    }

    #[test]
    fn the_sites_limit_is_read_off_its_configuration() {
        assert_eq!(number_of("MaxArraySize            = 1001\nMaxJobCount = 10000\n", "MaxArraySize"), Some(1001));
        assert_eq!(number_of("nothing", "MaxArraySize"), None);
    }
}
