//! What an engine calls: `tamis plan` freezes the work, `task` does one piece of it, `pending` lists what is open, `seal` publishes.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Exit;
use super::run::{Keys, Machine, Place, save_plan};
use crate::engine::plan::{Plan, StageName, TaskName};
use crate::engine::watch::{Stop, Unwatched};
use crate::passes::{History, Job, JobError, Left};
use crate::recipe::Recipe;
use crate::suppression::{Suppression, sequence};
use crate::workspace::Workspace;

/// Arguments of `tamis plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    place: Place,
}

/// Arguments of `tamis task`.
#[derive(Debug, Args)]
pub struct TaskArgs {
    #[command(flatten)]
    planned: Planned,
    /// Stage of the plan: clean, decide or emit
    #[arg(long)]
    stage: StageName,
    /// Number of the task in its stage, from 0
    #[arg(long, value_name = "I")]
    task: u32,
}

/// Arguments of `tamis pending` and `tamis seal`.
#[derive(Debug, Args)]
pub struct Planned {
    /// The plan's file, as `tamis plan` printed it
    #[arg(long, value_name = "FILE", value_parser = super::away::place)]
    plan: PathBuf,
    #[command(flatten)]
    machine: Machine,
    #[command(flatten)]
    keys: Keys,
}

/// Freezes the work and prints the path of the plan's file.
///
/// # Errors
/// What is wrong with recipe, inputs or workspace.
pub fn plan(args: &PlanArgs) -> anyhow::Result<Exit> {
    let (recipe, mut plan) = args.place.plan()?;
    let workspace = Workspace::open(&args.place.workspace)?;
    plan.takedowns = sequence(&workspace)?;
    let history = History::open(&workspace, &plan.dataset)?;
    let plan = match history.left_of(&plan, &recipe)? {
        Left::New(plan) => *plan,
        Left::NothingNew(_) => plan,
    };
    println!("{}", save_plan(&workspace, &plan)?.display());
    Ok(Exit::Done)
}

/// Does one task.
///
/// # Errors
/// See [`JobError`].
pub fn task(args: &TaskArgs, stop: Stop) -> anyhow::Result<Exit> {
    let job = args.planned.open(stop)?;
    let commit = job.task(TaskName { stage: args.stage, index: args.task }, &Unwatched)?;
    Ok(if commit.tally.damages + commit.tally.quarantined > 0 { Exit::Quarantined } else { Exit::Done })
}

/// Lists the tasks without a commit record, a line `STAGE TASK` each. Tasks of `emit` are known once `decide` is done.
///
/// # Errors
/// When a commit record cannot be read.
pub fn pending(args: &Planned) -> anyhow::Result<Exit> {
    let job = args.open(Stop::default())?;
    for stage in StageName::ALL {
        let open = match job.pending(stage) {
            Err(JobError::NotYet { .. }) => continue,
            other => other?,
        };
        for task in open {
            println!("{stage} {task}");
        }
    }
    Ok(Exit::Done)
}

/// Publishes the plan's shards.
///
/// # Errors
/// [`JobError::NotYet`] while tasks are open.
pub fn seal(args: &Planned) -> anyhow::Result<Exit> {
    let job = args.open(Stop::default())?;
    let sealed = job.seal()?;
    let total = sealed.ledger.total();
    println!("manifest {}: {} documents in {} shards", sealed.manifest, total.kept, sealed.ledger.shards.len());
    Ok(if total.damages + total.quarantined > 0 { Exit::Quarantined } else { Exit::Done })
}

impl Planned {
    pub(super) fn open(&self, stop: Stop) -> anyhow::Result<Job> {
        let plan = Plan::load_to_work(&self.plan)?;
        let workspace = Workspace::open(&root_of(&self.plan)?)?;
        let recipe = Recipe::of_plan(&plan)?;
        let suppression = Suppression::open(&workspace, &self.keys.suppression())?;
        Ok(Job::new(&workspace, plan, recipe, suppression, &self.machine.means()?, stop)?)
    }
}

/// The workspace of a plan's file: it lies in WORKSPACE/_tamis/plans/.
fn root_of(plan: &Path) -> anyhow::Result<PathBuf> {
    let full = std::path::absolute(plan)?;
    match full.ancestors().nth(3) {
        Some(root) if full.ancestors().nth(2).is_some_and(|folder| folder.ends_with("_tamis")) => Ok(root.to_owned()),
        _ => anyhow::bail!("`{}` does not lie in a workspace; give the path that `tamis plan` printed", plan.display()),
    }
}
