//! `tamis restore-check`: what a backup brought back. `tamis takedown restore-check`, its older name, is the same.

use std::path::PathBuf;

use clap::Args;

use super::{Here, outside_of, today};
use crate::cli::exit::Exit;
use crate::cli::run::Keys;
use crate::ledger::receipt::Receipts;
use crate::size::grouped;
use crate::store;
use crate::suppression::Suppression;
use crate::takedown::all_cores::unseen;
use crate::takedown::find::ids_of;
use crate::takedown::plan::{Grounds, TakedownPlan, find_targets, released_shards};
use crate::takedown::request::Request;
use crate::takedown::stores::Store;
use crate::takedown::tombstone::urls_of;
use crate::workspace::Workspace;

/// Arguments of `tamis restore-check`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Where a plan is written if something came back, outside the workspace
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    here: Here,
}

/// Looks for what was erased before, and plans to erase it again.
///
/// # Errors
/// What stands against it, in a sentence.
pub fn restore_check(args: &RestoreArgs) -> anyhow::Result<Exit> {
    let workspace = args.here.open()?;
    let out = outside_of(&args.here.workspace, &args.out)?;
    let receipts = Receipts::open(&workspace)?;
    let list = Suppression::open(&workspace, &args.keys.suppression())?;
    let sequence = list.as_ref().map_or(0, Suppression::sequence);
    anyhow::ensure!(
        sequence >= receipts.last_number(),
        "the suppression list ends at takedown {sequence}, but there is a receipt {}; restore `_tamis/suppression` from its newest copy first",
        receipts.last_number()
    );
    let requests = list.as_ref().map(|list| came_back(&workspace, list)).transpose()?.unwrap_or_default();
    if requests.is_empty() {
        println!("nothing that was erased is back");
        return Ok(Exit::Done);
    }
    let targets = find_targets(&workspace, &requests, false, &unseen)?;
    let grounds = Grounds { reason: "restore-check".to_owned(), received: today().to_string(), request: None, expires: None };
    let plan = TakedownPlan::make(&workspace, requests, targets, grounds)?;
    store::write_over(&out, &plan.to_json())?;
    println!("{} published documents that were erased before are back; apply the plan {}", grouped(plan.documents), out.display());
    Ok(Exit::Quarantined)
}

/// What stands in shards, published or released, in rejects and archives though the list refuses it.
fn came_back(workspace: &Workspace, list: &Suppression) -> anyhow::Result<Vec<Request>> {
    let mut requests = std::collections::BTreeSet::new();
    for path in Store::Shards.files(workspace)?.into_iter().chain(released_shards(workspace)?) {
        requests.extend(ids_of(&path, |id, url, text| list.refuses(id, url, text))?.into_iter().map(Request::Id));
    }
    for path in Store::Rejects.files(workspace)? {
        requests.extend(ids_of(&path, |id, url, _| list.refuses(id, url, ""))?.into_iter().map(Request::Id));
    }
    for path in Store::Archives.files(workspace)? {
        requests.extend(urls_of(&path, |url| list.refuses_url(url))?.into_iter().map(Request::Url));
    }
    Ok(requests.into_iter().collect())
}
