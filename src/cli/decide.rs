//! `tamis decide`: the same documents under other limits. What earlier runs measured is read back from their shards and rejects, so that
//! a changed table costs minutes where a full run costs hours, and the outcome is that of a full run.

use clap::Args;

use super::exit::Exit;
use super::progress::Progress;
use super::run::{Machine, Place, finish, run_stages, save_plan};
use crate::engine::watch::Stop;
use crate::passes::{History, Job, check_shards, make_plan, plan_again};
use crate::recipe::Recipe;
use crate::store;
use crate::suppression::Suppression;
use crate::workspace::Workspace;

/// Arguments of `tamis decide`.
#[derive(Debug, Args)]
#[command(
    after_help = "The recipe is that of the earlier runs with other limits of its rules; [dedup], [[emit]] and [output] may differ too. \
It writes a data set of its own, and inputs are not read: tamis decide RECIPE --from web --set dataset=web-2 \
--set clean.gopher-quality.words_min=80"
)]
pub struct DecideArgs {
    #[command(flatten)]
    place: Place,
    /// The data set whose documents and rejects are judged anew
    #[arg(long, value_name = "DATASET")]
    from: String,
    #[command(flatten)]
    machine: Machine,
    /// Writes the summary as JSON to stdout instead of tables
    #[arg(long)]
    json: bool,
    /// Writes the plan's file and prints its path, for `tamis work`, `task` and `seal`; does nothing else
    #[arg(long)]
    plan_only: bool,
    /// Shows no progress
    #[arg(long, short)]
    quiet: bool,
}

/// Decides anew and publishes what is kept.
///
/// # Errors
/// What differs in more than limits, and what can go wrong in any run.
pub fn decide(args: &DecideArgs, stop: Stop) -> anyhow::Result<Exit> {
    let means = args.machine.means()?;
    let recipe = Recipe::load(&args.place.recipe, &args.place.sets)?;
    let workspace = Workspace::open(&args.place.workspace)?;
    let _lock = workspace.lock()?;
    let suppression = Suppression::open(&workspace, &args.place.keys.suppression())?;
    let mut fresh = make_plan(&recipe, &[]);
    fresh.takedowns = suppression.as_ref().map_or(0, Suppression::sequence);
    let plan = plan_again(&workspace, &args.from, &recipe, &fresh)?;
    let id = plan.id();
    if let Some(ledger) = History::open(&workspace, &plan.dataset)?.ledger_of(&id)? {
        if !args.quiet {
            eprintln!("nothing to do: this was decided already; its summary follows");
        }
        return finish(args.json, &workspace, &ledger, None);
    }
    check_shards(&workspace, &args.from)?;
    let path = save_plan(&workspace, &plan)?;
    if args.plan_only {
        println!("{}", path.display());
        return Ok(Exit::Done);
    }
    let progress = Progress::new(args.quiet);
    store::remove_folder(&workspace.attempts(&id))?;
    let job = Job::new(&workspace, plan, recipe, suppression, &means, stop)?;
    run_stages(&job, &progress, &|| true)?;
    let sealed = job.seal()?;
    finish(args.json, &workspace, &sealed.ledger, Some(&progress))
}
