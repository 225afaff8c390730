//! `tamis run --engine slurm | print | ray`: the same plan on many machines. What is submitted, and what the user is told of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;

use super::exit::Exit;
use super::run::{Engine, RunArgs};
use crate::cluster::chain::{Standing, Step, Submission, submissions};
use crate::cluster::profile::Profile;
use crate::cluster::progress::Progress;
use crate::cluster::script::Frame;
use crate::cluster::slurm;
use crate::engine::attempt::Place;
use crate::engine::plan::{Plan, StageName};
use crate::passes::{Job, JobError};
use crate::store;
use crate::workspace::Workspace;

/// The profile that was given, or one of defaults.
pub fn profile(args: &RunArgs) -> anyhow::Result<Profile> {
    anyhow::ensure!(
        args.engine == Engine::Local || args.machine.scratch.is_none(),
        "--scratch is for this machine; `scratch` in the engine profile says where nodes have a disk of their own"
    );
    match &args.profile {
        Some(_) if args.engine == Engine::Local => anyhow::bail!("--profile is for other machines; add --engine slurm, ray or print"),
        Some(path) => Ok(Profile::load(path)?),
        None => Ok(Profile::default()),
    }
}

/// Submits what is left of the plan, or writes the scripts with which it can be.
pub fn submit(args: &RunArgs, profile: &Profile, workspace: &Workspace, plan: &Plan, path: &Path) -> anyhow::Result<Exit> {
    let frame = frame(args, profile, workspace, plan, path)?;
    let progress = Progress::of(plan, &Place::new(workspace, plan), Duration::from_secs(profile.steal_after_s))?;
    if args.engine == Engine::Print {
        let parts = submissions(&chain(&progress, plan, |_| Vec::new()), profile, profile.array_max.get());
        slurm::write_scripts(&frame, &parts)?;
        let all = frame.logs.join("submit.sh");
        store::write_over(&all, frame.submit_all(&parts).as_bytes())?;
        if !args.quiet {
            eprintln!("to submit: bash {}", all.display());
        }
        parts.iter().for_each(|part| println!("{}", frame.script_path(part.step).display()));
        println!("{}", all.display());
        return Ok(Exit::Done);
    }
    let queued = slurm::queued(&frame.id)?;
    let jobs = |step| queued.get(&step).map(|queued| queued.jobs.clone()).unwrap_or_default();
    let array_max = profile.array_max.get().min(slurm::array_max()?);
    let parts = submissions(&chain(&progress, plan, jobs), profile, array_max);
    let submitted = slurm::submit(&frame, &parts)?;
    tell(args, &frame, &parts, &submitted)
}

/// Says what was submitted.
fn tell(args: &RunArgs, frame: &Frame, parts: &[Submission], submitted: &[(Step, Vec<String>)]) -> anyhow::Result<Exit> {
    if args.json {
        let steps: Vec<_> = submitted.iter().map(|(step, jobs)| serde_json::json!({ "step": step.word(), "jobs": jobs })).collect();
        println!("{}", serde_json::json!({ "plan": frame.id, "submitted": steps, "logs": frame.logs }));
    } else if parts.is_empty() {
        println!("nothing to submit: jobs of plan {} are queued or running for all that is left", frame.id);
    } else {
        for (part, (step, jobs)) in parts.iter().zip(submitted) {
            println!("{:<6} {:>5} leases   jobs {}", step.word(), part.leases, jobs.join(" "));
        }
    }
    if !args.quiet {
        eprintln!("to see how it goes: tamis status {}", args.place.workspace.display());
    }
    Ok(Exit::Done)
}

fn frame(args: &RunArgs, profile: &Profile, workspace: &Workspace, plan: &Plan, path: &Path) -> anyhow::Result<Frame> {
    let absolute = |path: &Path| std::path::absolute(path).with_context(|| format!("cannot tell where `{}` is", path.display()));
    let tamis = match &profile.tamis {
        Some(tamis) => tamis.clone(),
        None => std::env::current_exe().context("cannot tell where this program is; say it in the engine profile: tamis = \"/path\"")?,
    };
    let keys = args.place.keys.folder().map(absolute).transpose()?;
    let folder = std::env::current_dir().context("cannot tell which folder this is")?;
    let (id, logs) = (plan.id(), absolute(&workspace.logs())?);
    Ok(Frame { plan: absolute(path)?, folder, logs: logs.join(&id), id, tamis, keys, profile: profile.clone() })
}

/// How the steps of a plan stand. How many shards `emit` will write is a guess until `decide` is done: a lease for each 256 MB of input.
fn chain(progress: &Progress, plan: &Plan, jobs: impl Fn(Step) -> Vec<String>) -> Vec<Standing> {
    let guess = u32::try_from(plan.input_bytes() / 256_000_000).unwrap_or(u32::MAX).saturating_add(1);
    let open = |step: Step| match step.stage() {
        None => 1,
        Some(stage) => {
            let of = progress.stages.iter().find(|of| of.stage == stage);
            of.map_or(0, |of| of.tasks.map_or(guess, |tasks| tasks.saturating_sub(of.done)))
        }
    };
    Step::ALL.into_iter().map(|step| Standing { step, open: open(step), jobs: jobs(step) }).collect()
}

/// Sends the open tasks of all stages to a Ray cluster, and waits until they are done. Answers whether they are.
pub fn on_ray(args: &RunArgs, profile: &Profile, job: &Job, path: &Path) -> anyhow::Result<bool> {
    for stage in StageName::ALL {
        let open = job.pending(stage)?;
        if open.is_empty() {
            continue;
        }
        let of = profile.of(match stage {
            StageName::Clean => Step::Clean,
            StageName::Decide => Step::Decide,
            StageName::Emit => Step::Emit,
        });
        let status = ray_words(args, &of, path, stage, open.len())?.status().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => anyhow::anyhow!(
                "there is no `{RAY}` on this machine; `pip install ./engines/ray` brings it, in the Python environment whose PATH you run in"
            ),
            _ => anyhow::anyhow!("cannot start `{RAY}`: {error}"),
        })?;
        if job.stop().wished() {
            return Err(JobError::Stopped.into());
        }
        let left = job.pending(stage)?.len();
        if !status.success() || left > 0 {
            let all = open.len();
            eprintln!("Ray ended ({status}) with {left} of {all} tasks of stage {stage} open; the same command goes on with them");
            return Ok(false);
        }
    }
    Ok(true)
}

/// The Python program that speaks with Ray.
const RAY: &str = "tamis-ray";

fn ray_words(args: &RunArgs, profile: &Profile, plan: &Path, stage: StageName, open: usize) -> anyhow::Result<Command> {
    let tamis: PathBuf = profile.tamis.clone().map_or_else(std::env::current_exe, Ok)?;
    let leases = u32::try_from(open).unwrap_or(u32::MAX).min(profile.leases_max.get());
    let mut command = Command::new(RAY);
    command.arg("--tamis").arg(tamis).arg("--plan").arg(std::path::absolute(plan)?).args(["--stage", stage.word()]);
    command.args(["--leases", &leases.to_string(), "--cpus", &profile.cpus.to_string()]);
    command.args(["--steal-after", &profile.steal_after_s.to_string(), "--retries", &profile.restarts_max.to_string()]);
    if let Some(memory) = profile.may_take() {
        command.args(["--memory-max", &memory.0.to_string()]);
    }
    if let Some(folder) = &profile.scratch {
        command.args(["--scratch", folder]);
    }
    if let Some(address) = &profile.address {
        command.args(["--address", address]);
    }
    if let Some(keys) = args.place.keys.folder() {
        command.arg("--keys").arg(std::path::absolute(keys)?);
    }
    if args.quiet {
        command.arg("--quiet");
    }
    Ok(command)
}
