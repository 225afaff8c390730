//! `tamis harvest`: asks repositories for what is new, and writes down as a takedown plan what they have deleted.
//!
//! `tamis run` with a source `oai-pmh` harvests by itself; this verb is for nights on which only fetching is wanted, and for the plan.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::exit::Exit;
use super::run::Place;
use super::takedown::{bar, outside_of, told};
use crate::crawl::harvest::settings::HarvestSettings;
use crate::crawl::harvest::{Brought, HarvestError, LIMIT, World, deleted, harvest as harvest_all};
use crate::engine::watch::Stop;
use crate::passes::JobError;
use crate::recipe::Recipe;
use crate::size::grouped;
use crate::store::write_over;
use crate::suppression::Suppression;
use crate::takedown::plan::{Grounds, TakedownPlan, find_targets};
use crate::takedown::request::Request;
use crate::workspace::Workspace;

/// Arguments of `tamis harvest`.
#[derive(Debug, Args)]
pub struct HarvestArgs {
    #[command(flatten)]
    place: Place,
    /// Which night it is for; a night that is over is not harvested again [default: today, UTC]
    #[arg(long, value_name = "DATE")]
    night: Option<jiff::civil::Date>,
    /// Where a takedown plan for all that repositories have deleted is written, outside the workspace; carry it out with `tamis takedown apply`
    #[arg(long, value_name = "FILE")]
    takedown_plan: Option<PathBuf>,
    /// Shows nothing of what goes well
    #[arg(long, short)]
    quiet: bool,
}

fn today(night: Option<jiff::civil::Date>) -> String {
    night.unwrap_or_else(|| jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date()).to_string()
}

/// Harvests.
///
/// # Errors
/// What stands against it, in a sentence.
pub fn harvest(args: &HarvestArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let recipe = Recipe::load(&args.place.recipe, &args.place.sets)?;
    let settings = recipe.harvest().map_err(|why| anyhow::anyhow!("source `oai-pmh`: {why}"))?;
    let settings = settings.with_context(|| format!("`{}` harvests nothing: its source is not `oai-pmh`", args.place.recipe.display()))?;
    let out = args.takedown_plan.as_ref().map(|out| outside_of(&args.place.workspace, out)).transpose()?;
    let workspace = Workspace::open(&args.place.workspace)?;
    let _lock = workspace.lock()?;
    let suppression = Suppression::open(&workspace, &args.place.keys.suppression())?;
    let whole = night(&settings, &workspace, args.night, suppression.as_ref(), &|| stop.wished(), args.quiet)?.whole();
    if let Some(out) = out {
        let urls = deleted(&workspace)?;
        if urls.is_empty() {
            eprintln!("no repository has deleted anything that is here, so there is no plan");
        } else {
            let requests: Vec<Request> = urls.into_iter().map(Request::Url).collect();
            let targets = find_targets(&workspace, &requests, false, &bar())?;
            let grounds = Grounds { reason: "deleted-by-repository".to_owned(), received: today(args.night), request: None, expires: None };
            let plan = TakedownPlan::make(&workspace, requests, targets, grounds)?;
            write_over(&out, &plan.to_json())?;
            print!("{}", told(&plan, &out));
        }
    }
    Ok(if whole { Exit::Done } else { Exit::Quarantined })
}

/// What a night of harvesting came to.
pub struct Came {
    /// What each repository brought.
    pub brought: Vec<Brought>,
    /// Addresses that repositories have deleted and that are still here.
    pub waiting: u64,
}

impl Came {
    /// Lists that were not read to their end or their limit.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.brought.iter().filter(|one| one.unfinished.as_deref().is_some_and(|why| why != LIMIT)).count() as u64
    }

    /// Whether there is none.
    #[must_use]
    pub fn whole(&self) -> bool {
        self.left() == 0
    }
}

/// Harvests the night, and says what came.
///
/// # Errors
/// What stands against it, in a sentence.
pub fn night(
    settings: &HarvestSettings,
    workspace: &Workspace,
    night: Option<jiff::civil::Date>,
    suppression: Option<&Suppression>,
    stop: &(dyn Fn() -> bool + Sync),
    quiet: bool,
) -> anyhow::Result<Came> {
    let night = today(night);
    let world = World { workspace, night: &night, suppression, stop };
    let brought = harvest_all(settings, &world).map_err(|error| match error {
        HarvestError::Stopped => anyhow::Error::from(JobError::Stopped),
        error => error.into(),
    })?;
    if !quiet {
        brought.iter().for_each(|one| eprintln!("{}", line(&night, one)));
    }
    let waiting = deleted(workspace)?.len() as u64;
    if waiting > 0 && !quiet {
        eprintln!(
            "note: {} that their repositories have deleted are still here; `tamis harvest --takedown-plan FILE` plans to erase them",
            if waiting == 1 { "1 address".to_owned() } else { format!("{} addresses", grouped(waiting)) }
        );
    }
    Ok(Came { brought, waiting })
}

/// What one repository brought, in a line or more.
fn line(night: &str, brought: &Brought) -> String {
    let Brought { repository, pages, records, texts, unchanged, deleted, requests, .. } = brought;
    if brought.was_over {
        return format!("harvest {night}: {repository}: the night is over; nobody was asked");
    }
    let [pages, records, texts, unchanged, deleted, requests] =
        [pages, records, texts, unchanged, deleted, requests].map(|count| grouped(*count));
    let mut told = format!(
        "harvest {night}: {repository}: {records} new records with {texts} texts, {unchanged} known, {deleted} deleted, on {pages} pages, {requests} requests"
    );
    brought.without.iter().for_each(|(why, count)| told += &format!("\n  {why:<24}{:>10}", grouped(*count)));
    if let Some(why) = &brought.unfinished {
        told += &format!("\n  not read to its end: {why}; the next harvest goes on");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_what_came_and_why_a_list_was_left() {
        let brought = Brought { repository: "https://r.example/oai".to_owned(), records: 3, texts: 2, ..Brought::default() };
        assert!(line("2026-11-26", &brought).contains("3 new records with 2 texts"));
        let brought = Brought { unfinished: Some("http-500".to_owned()), ..brought };
        assert!(line("2026-11-26", &brought).ends_with("not read to its end: http-500; the next harvest goes on"));
        assert!(line("2026-11-26", &Brought { was_over: true, ..brought }).contains("nobody was asked"));
    }
}
