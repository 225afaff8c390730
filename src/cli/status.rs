//! `tamis status`: how far the plans of a workspace have come, from any machine that sees it; with the jobs that a Slurm has for them.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;

use super::exit::Exit;
use crate::cluster::chain::Step;
use crate::cluster::progress::{Progress, StageProgress};
use crate::cluster::slurm::{self, Queued, SlurmError};
use crate::engine::attempt::Place;
use crate::engine::claim::SILENT_AFTER;
use crate::engine::plan::Plan;
use crate::engine::watch::Stop;
use crate::ledger::manifest::Manifests;
use crate::size::ByteSize;
use crate::workspace::Workspace;

/// Arguments of `tamis status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The workspace
    #[arg(value_parser = super::away::place)]
    workspace: PathBuf,
    /// Only this plan [default: those that were begun and are not published]
    #[arg(long, value_name = "ID")]
    plan: Option<String>,
    /// Goes on showing until all is published, or nobody is at it any more (exit code 75)
    #[arg(long)]
    watch: bool,
    /// Asks again after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5, requires = "watch")]
    every: u64,
    /// Writes JSON, a line for each look
    #[arg(long)]
    json: bool,
}

/// What is told of a plan.
#[derive(Debug, Serialize)]
struct Told {
    #[serde(flatten)]
    progress: Progress,
    published: bool,
    jobs: Vec<Jobs>,
    /// Whether the plan was submitted to a Slurm that answers: then claims of workers that are not in its queue are what dead ones left.
    #[serde(skip)]
    is_slurms: bool,
}

#[derive(Debug, Serialize)]
struct Jobs {
    step: &'static str,
    #[serde(flatten)]
    queued: Queued,
}

impl Told {
    fn is_somebody_at_it(&self) -> bool {
        !self.jobs.is_empty() || !self.is_slurms && self.progress.stages.iter().any(|stage| stage.at_work > 0)
    }
}

/// Says how far plans have come.
///
/// # Errors
/// When the workspace cannot be read, or has no such plan.
pub fn status(args: &StatusArgs, stop: &Stop) -> anyhow::Result<Exit> {
    anyhow::ensure!(
        args.workspace.join("_tamis").is_dir(),
        "`{}` is no workspace; give a folder that `tamis run` or `plan` made",
        args.workspace.display()
    );
    let workspace = Workspace::open(&args.workspace)?;
    let mut screen = Screen::new(args);
    loop {
        let plans = plans(args, &workspace)?;
        let told = plans.iter().map(|plan| look(&workspace, plan)).collect::<anyhow::Result<Vec<_>>>()?;
        screen.show(&told)?;
        if !args.watch || told.iter().all(|told| told.published && told.jobs.is_empty()) {
            return Ok(Exit::Done);
        }
        if !told.iter().any(Told::is_somebody_at_it) {
            eprintln!("nobody is at it: the `tamis run` that began it goes on with what is left");
            return Ok(Exit::TryAgain);
        }
        for _ in 0..args.every.max(1) * 10 {
            if stop.wished() {
                return Ok(Exit::Stopped);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The plans to tell of: those that were asked for, else those that are open, else the last one that was published.
fn plans(args: &StatusArgs, workspace: &Workspace) -> anyhow::Result<Vec<Plan>> {
    let plan_of = |id: &str| Plan::load(&workspace.plans().join(format!("{id}.json")));
    if let Some(id) = &args.plan {
        return Ok(vec![plan_of(id)?]);
    }
    let manifests = Manifests::read(workspace)?;
    let mut open = Vec::new();
    for path in
        crate::store::files_below(&workspace.plans())?.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "json"))
    {
        let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_begun = [workspace.commits(&id), workspace.attempts(&id), workspace.logs().join(&id)].iter().any(|folder| folder.is_dir());
        if is_begun && !manifests.has_run(&id) && !id.starts_with('.') {
            open.push(plan_of(&id)?);
        }
    }
    if let (true, Some(last)) = (open.is_empty(), manifests.last_run()) {
        open.push(plan_of(last)?);
    }
    anyhow::ensure!(!open.is_empty(), "no plan in `{}` was begun", workspace.root().display());
    Ok(open)
}

fn look(workspace: &Workspace, plan: &Plan) -> anyhow::Result<Told> {
    let place = Place::new(workspace, plan);
    let published = Manifests::read(workspace)?.has_run(place.plan());
    let progress = Progress::of(plan, &place, SILENT_AFTER)?;
    let queued = slurm::queued(place.plan());
    if let Err(error @ (SlurmError::Silent { .. } | SlurmError::Refused { .. })) = &queued
        && !published
    {
        eprintln!("note: {error}");
    }
    let is_slurms = queued.is_ok() && workspace.logs().join(place.plan()).is_dir();
    // No Slurm here, or one that says nothing: commit records say enough.
    let queued = queued.unwrap_or_default();
    let jobs = queued.into_iter().map(|(step, queued): (Step, Queued)| Jobs { step: step.word(), queued }).collect();
    Ok(Told { progress, published, jobs, is_slurms })
}

/// Where it is shown: bars on a terminal that is watched, lines elsewhere.
struct Screen<'a> {
    args: &'a StatusArgs,
    bars: MultiProgress,
    shown: Vec<ProgressBar>,
}

impl Screen<'_> {
    fn new(args: &StatusArgs) -> Screen<'_> {
        Screen { args, bars: MultiProgress::new(), shown: Vec::new() }
    }

    fn show(&mut self, told: &[Told]) -> anyhow::Result<()> {
        if self.args.json {
            println!("{}", serde_json::to_string(told)?);
        } else if self.args.watch && std::io::stderr().is_terminal() {
            self.draw(told);
        } else {
            told.iter().for_each(print);
        }
        Ok(())
    }

    fn draw(&mut self, told: &[Told]) {
        let rows = told.iter().flat_map(|told| &told.progress.stages);
        for (number, stage) in rows.enumerate() {
            if number == self.shown.len() {
                let style = ProgressStyle::with_template("{prefix:<6} [{bar:32}] {pos}/{len} tasks  {msg}  eta {eta}");
                let style = style.map_or_else(|_| ProgressStyle::default_bar(), |style| style.progress_chars("=> "));
                self.shown.push(self.bars.add(ProgressBar::new(0).with_style(style).with_prefix(stage.stage.word())));
            }
            let bar = &self.shown[number];
            bar.set_length(u64::from(stage.tasks.unwrap_or(0)));
            bar.set_position(u64::from(stage.done));
            bar.set_message(workers(stage));
        }
    }
}

/// Cells of a bar.
const BAR: u32 = 24;

fn print(told: &Told) {
    let state = if told.published {
        "published"
    } else if told.progress.is_complete() {
        "done, to be published"
    } else {
        "open"
    };
    println!("plan {}, data set {}: {state}", told.progress.plan, told.progress.dataset);
    for stage in &told.progress.stages {
        let cells = stage.tasks.map_or(0, |tasks| (u64::from(stage.done) * u64::from(BAR) / u64::from(tasks.max(1))) as usize);
        let bar = format!("{:<width$}", "=".repeat(cells), width = BAR as usize);
        let tasks = stage
            .tasks
            .map_or_else(|| "tasks are known once decide is done".to_owned(), |tasks| format!("{} of {tasks} tasks", stage.done));
        let bytes = match (stage.bytes_done, stage.bytes) {
            (Some(done), Some(all)) => format!(", {} of {}", ByteSize(done), ByteSize(all)),
            _ => String::new(),
        };
        println!("{:<6} [{bar}] {tasks}{bytes}{}", stage.stage.word(), workers(stage));
    }
    for jobs in &told.jobs {
        let states: Vec<String> = jobs.queued.states.iter().map(|(state, number)| format!("{number} {state}")).collect();
        println!("jobs   {}: {} ({})", jobs.step, states.join(", "), jobs.queued.jobs.join(" "));
        for reason in &jobs.queued.held_by {
            println!(
                "       Slurm holds jobs of {} back: {reason}. If that does not pass, cancel them (scancel), change the profile, and submit again",
                jobs.step
            );
        }
    }
}

fn workers(stage: &StageProgress) -> String {
    let at_work = if stage.at_work > 0 { format!(", {} at work", stage.at_work) } else { String::new() };
    let silent = if stage.silent > 0 { format!(", {} not heard of", stage.silent) } else { String::new() };
    at_work + &silent
}
