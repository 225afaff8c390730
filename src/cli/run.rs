//! `tamis run`: plans the recipe, does every open task on this machine, publishes, and says what became of the documents.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::exit::Exit;
use super::harvest;
use super::progress::Progress;
use super::table::tally_tables;
use super::{crawl, engines};
use crate::engine::local::run_tasks;
use crate::engine::plan::{Plan, StageName, TaskName};
use crate::engine::scratch::Scratch;
use crate::engine::watch::{Stop, Watch};
use crate::engine::{attempt, claim};
use crate::ledger::run::RunLedger;
use crate::passes::{History, Job, JobError, Left, Means, make_plan};
use crate::recipe::{Recipe, inputs};
use crate::report::{Run, report_html};
use crate::size::{ByteSize, grouped};
use crate::sources::papers::harvested;
use crate::sources::warc::crawled;
use crate::store;
use crate::suppression::Suppression;
use crate::workspace::Workspace;

/// Where, what, and with which means; shared by `run` and `plan`.
#[derive(Debug, Args)]
pub struct Place {
    /// The recipe: a TOML file
    pub recipe: PathBuf,
    /// Folder for everything that is written, or an address such as s3://bucket/corpus; made if it is not there
    #[arg(long, short = 'w', value_name = "DIR", default_value = "workspace", value_parser = super::away::place)]
    pub workspace: PathBuf,
    /// Overrides a setting of the recipe: input=GLOB, clean.langid.min_score=0.6, output.shard_bytes_max="64 MiB"
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub sets: Vec<(String, String)>,
    #[command(flatten)]
    pub keys: Keys,
}

/// Where secrets lie; shared by all verbs that ask or change the suppression list.
#[derive(Debug, Args)]
pub struct Keys {
    /// Folder of the keys of takedowns, outside every workspace [default: tamis/ in $XDG_CONFIG_HOME or ~/.config]
    #[arg(long = "keys", value_name = "DIR", env = "TAMIS_KEYS", hide_env_values = true)]
    folder: Option<PathBuf>,
}

impl Keys {
    fn path(&self, name: &str) -> PathBuf {
        let config = || match std::env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()) {
            Some(folder) => PathBuf::from(folder),
            None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".config"),
        };
        self.folder.clone().unwrap_or_else(|| config().join("tamis")).join(name)
    }

    /// The folder, where one was given.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The key of the suppression list.
    #[must_use]
    pub fn suppression(&self) -> PathBuf {
        self.path("suppression.key")
    }

    /// The key that signs receipts.
    #[must_use]
    pub fn signing(&self) -> PathBuf {
        self.path("signing.key")
    }
}

/// The means of this machine; shared by all verbs that work.
#[derive(Debug, Args)]
pub struct Machine {
    /// Cores to use [default: all]
    #[arg(long, short = 't', value_name = "N")]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Memory to stay under, such as 4GiB
    #[arg(long, value_name = "SIZE", default_value = "1.5GB")]
    pub memory_max: ByteSize,
    /// Tries tasks in this folder, on a disk of this machine's own, and brings into the workspace what is finished
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}

/// Who does the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// This machine
    Local,
    /// A Slurm cluster: submits what is left as job arrays and ends; `tamis status` tells how it goes
    Slurm,
    /// A Ray cluster: sends the work there and waits (`pip install ./engines/ray`)
    Ray,
    /// Nobody: writes the scripts for Slurm, to be submitted by hand
    Print,
}

/// Arguments of `tamis run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub(super) place: Place,
    #[command(flatten)]
    pub(super) machine: Machine,
    /// Who does the tasks
    #[arg(long, value_enum, default_value_t = Engine::Local)]
    pub(super) engine: Engine,
    /// What a site's scheduler wants to know (account, partition, time ..): a TOML file, as in pipelines/engines
    #[arg(long, value_name = "FILE")]
    pub(super) profile: Option<PathBuf>,
    /// Writes the summary as JSON to stdout instead of tables
    #[arg(long)]
    pub(super) json: bool,
    /// Which night a crawl or harvest is for; a night that is over is not fetched again [default: today, UTC]
    #[arg(long, value_name = "DATE")]
    night: Option<jiff::civil::Date>,
    /// Shows no progress
    #[arg(long, short)]
    pub(super) quiet: bool,
}

pub fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as key=value, for example input=pages/*.warc.gz")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

impl Machine {
    /// The means, checked.
    ///
    /// # Errors
    /// When the memory is too little to work with.
    pub fn means(&self) -> anyhow::Result<Means> {
        anyhow::ensure!(
            self.memory_max >= Means::MEMORY_MIN,
            "--memory-max {} is too little to work with; give at least {}",
            self.memory_max,
            Means::MEMORY_MIN
        );
        let threads = self.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, std::num::NonZeroUsize::get);
        let scratch = self.scratch.as_deref().map(Scratch::open).transpose()?.map(Arc::new);
        Ok(Means { threads, memory_max: self.memory_max, scratch })
    }
}

impl Place {
    /// The checked recipe, and the plan of all its inputs without the state of the workspace.
    ///
    /// # Errors
    /// Everything that is wrong with the recipe or its inputs.
    pub fn plan(&self) -> anyhow::Result<(Recipe, Plan)> {
        let recipe = Recipe::load(&self.recipe, &self.sets)?;
        let plan = self.plan_of(&recipe)?;
        Ok((recipe, plan))
    }

    /// The plan of `recipe`: its inputs, or for a crawl or a harvest all archives that it wrote.
    fn plan_of(&self, recipe: &Recipe) -> anyhow::Result<Plan> {
        let files = match recipe.source_room.name {
            crawled::NAME => crawl::archives(&self.workspace, false)?,
            harvested::NAME => crawl::archives(&self.workspace, true)?,
            _ => inputs::find(recipe)?,
        };
        Ok(make_plan(recipe, &files))
    }
}

/// Runs the recipe.
///
/// # Errors
/// What `main` turns into a sentence and an exit code.
pub fn run(args: &RunArgs, stop: Stop) -> anyhow::Result<Exit> {
    let profile = engines::profile(args)?;
    let means = args.machine.means()?;
    let recipe = Recipe::load(&args.place.recipe, &args.place.sets)?;
    let crawls = recipe.crawl().map_err(|why| anyhow::anyhow!("source `crawl`: {why}"))?;
    let harvests = recipe.harvest().map_err(|why| anyhow::anyhow!("source `oai-pmh`: {why}"))?;
    anyhow::ensure!(
        (crawls.is_none() && harvests.is_none()) || args.engine == Engine::Local,
        "a crawl or a harvest is one machine's work; run it with --engine local, and its archives on the cluster with a recipe of source `warc`"
    );
    if !args.quiet {
        recipe.warnings.iter().for_each(|warning| eprintln!("note: {warning}"));
    }
    let planned = if crawls.is_none() && harvests.is_none() { Some(args.place.plan_of(&recipe)?) } else { None };
    let workspace = Workspace::open(&args.place.workspace)?;
    let _lock = workspace.lock()?;
    let suppression = Suppression::open(&workspace, &args.place.keys.suppression())?;
    if let Some(settings) = crawls {
        crawl::night(&settings, &workspace, args.night, suppression.as_ref(), &|| stop.wished(), args.quiet)?;
    }
    if let Some(settings) = harvests {
        let came = harvest::night(&settings, &workspace, args.night, suppression.as_ref(), &|| stop.wished(), args.quiet)?;
        if !came.whole() && !args.quiet {
            eprintln!("note: what came so far is used; `tamis harvest` or the same command later goes on with the rest");
        }
    }
    let mut plan = planned.map_or_else(|| args.place.plan_of(&recipe), Ok)?;
    plan.takedowns = suppression.as_ref().map_or(0, Suppression::sequence);
    let history = History::open(&workspace, &plan.dataset)?;
    if let Some(ledger) = history.ledger_of(&plan.id())? {
        if !args.quiet {
            eprintln!("nothing to do: this recipe was run on these inputs already; its summary follows");
        }
        return finish(args.json, &workspace, &ledger, None);
    }
    let plan = match history.left_of(&plan, &recipe)? {
        Left::New(plan) => *plan,
        Left::NothingNew(ledger) => {
            if !args.quiet {
                eprintln!("nothing to do: all inputs were read already by this recipe; the summary of the last run follows");
            }
            return finish(args.json, &workspace, &ledger, None);
        }
    };
    let path = save_plan(&workspace, &plan)?;
    if let Engine::Slurm | Engine::Print = args.engine {
        return engines::submit(args, &profile, &workspace, &plan, &path);
    }
    let progress = Progress::new(args.quiet);
    let place = attempt::Place::new(&workspace, &plan);
    if args.engine == Engine::Local && claim::nobody_lives(&place.claims())? {
        store::remove_folder(&workspace.attempts(place.plan()))?;
    }
    let job = Job::new(&workspace, plan, recipe, suppression, &means, stop)?;
    match args.engine {
        Engine::Ray if !engines::on_ray(args, &profile, &job, &path)? => return Ok(Exit::TryAgain),
        Engine::Ray => {}
        _ => run_stages(&job, &progress, &|| true)?,
    }
    let sealed = job.seal()?;
    finish(args.json, &workspace, &sealed.ledger, Some(&progress))
}

/// Writes the plan's file. Answers its path.
///
/// # Errors
/// When it cannot be written.
pub fn save_plan(workspace: &Workspace, plan: &Plan) -> anyhow::Result<PathBuf> {
    let path = workspace.plans().join(format!("{}.json", plan.id()));
    store::write_new(&path, &plan.to_json())?;
    Ok(path)
}

/// Does the open tasks of all stages; each begins only if it `may`, else all is stopped.
///
/// # Errors
/// What a task says, or that it was stopped.
pub(super) fn run_stages(job: &Job, watch: &dyn Watch, may: &(dyn Fn() -> bool + Sync)) -> Result<(), JobError> {
    for stage in StageName::ALL {
        let open = job.pending(stage)?;
        let bytes = if stage == StageName::Clean { job.input_bytes(&open) } else { 0 };
        watch.stage_begins(stage, open.len(), bytes);
        run_tasks(&open, job.flows(), job.stop(), |index| {
            if job.stop().wished() || !may() {
                return Err(JobError::Stopped);
            }
            let task = TaskName { stage, index };
            watch.task_begins(task);
            let done = job.task(task, watch);
            watch.task_ended(task, done.as_ref().err().map(|error| if matches!(error, JobError::Stopped) { "stopped" } else { "error" }));
            done?;
            watch.task_done(stage);
            Ok(())
        })?;
        watch.stage_ends(stage);
    }
    Ok(())
}

fn report_path(workspace: &Workspace, ledger: &RunLedger) -> PathBuf {
    workspace.ledger().join(format!("{}.html", ledger.plan))
}

/// Writes the report of a run.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write_report(workspace: &Workspace, ledger: &RunLedger, progress: &Progress) -> anyhow::Result<()> {
    let report = report_path(workspace, ledger);
    let html = report_html(&Run { ledger, seconds: progress.elapsed().as_secs_f64(), samples: &progress.samples() });
    std::fs::write(&report, html).with_context(|| format!("cannot write the run report `{}`", report.display()))
}

/// Writes the report, prints the summary, and says how the run ended.
pub(super) fn finish(json: bool, workspace: &Workspace, ledger: &RunLedger, progress: Option<&Progress>) -> anyhow::Result<Exit> {
    let report = report_path(workspace, ledger);
    if let Some(progress) = progress {
        write_report(workspace, ledger, progress)?;
    }
    let total = ledger.total();
    if json {
        println!("{}", serde_json::to_string(&super::inspect::summary_json(std::slice::from_ref(ledger), &BTreeMap::new()))?);
    } else {
        print_summary(workspace, ledger, progress, &report);
    }
    let set_aside = total.damages + total.quarantined;
    if set_aside == 0 {
        return Ok(Exit::Done);
    }
    eprintln!(
        "note: {} of the input {} set aside; the list is in {}",
        parts(set_aside),
        if set_aside == 1 { "was" } else { "were" },
        workspace.quarantine(&ledger.plan).display()
    );
    Ok(Exit::Quarantined)
}

fn parts(number: u64) -> String {
    if number == 1 { "1 part".to_owned() } else { format!("{} parts", grouped(number)) }
}

fn print_summary(workspace: &Workspace, ledger: &RunLedger, progress: Option<&Progress>, report: &Path) {
    let total = ledger.total();
    println!("{}", tally_tables(&total));
    let bytes: u64 = ledger.shards.iter().map(|shard| shard.bytes).sum();
    println!();
    println!("input    {} in {} files", ByteSize(total.input_bytes), grouped(ledger.input_files));
    println!(
        "shards   {} in {} files, {} tokens, in {}",
        ByteSize(bytes),
        grouped(ledger.shards.len() as u64),
        grouped(total.tokens()),
        workspace.data(&ledger.dataset).display()
    );
    if let Some(progress) = progress {
        let seconds = progress.elapsed().as_secs_f64();
        println!(
            "time     {seconds:.1} s, {} documents and {} of input a second",
            grouped((total.read as f64 / seconds) as u64),
            ByteSize((total.input_bytes as f64 / seconds) as u64)
        );
    }
    println!("report   {}", report.display());
}
