//! `tamis release`: freezes a version of a data set under a name, or lists what was frozen.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};

use super::exit::Exit;
use super::run::Keys;
use super::table::plain;
use crate::ledger::receipt::Receipts;
use crate::release::freeze::{Frozen, Order, freeze, is_whole};
use crate::release::record::{FACTS, all};
use crate::size::{ByteSize, grouped};
use crate::workspace::Workspace;

/// Arguments of `tamis release`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ReleaseArgs {
    #[command(subcommand)]
    verb: Option<ReleaseVerb>,
    /// Name of the release: the folder WORKSPACE/releases/NAME
    #[arg(required = true)]
    name: Option<String>,
    /// The data set: WORKSPACE/data/NAME
    #[arg(required = true, value_parser = super::away::place)]
    dataset: Option<PathBuf>,
    /// What no machine can know: a TOML file; docs/publishing.md lists what may stand in it. It is published with the release
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    #[command(flatten)]
    keys: Keys,
    /// Writes the record of the release as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum ReleaseVerb {
    /// Lists the releases of a workspace
    List {
        /// The workspace
        #[arg(long, short = 'w', value_name = "DIR", default_value = "workspace", value_parser = super::away::place)]
        workspace: PathBuf,
        /// Writes their records as JSON, one a line
        #[arg(long)]
        json: bool,
    },
}

/// Freezes or lists.
///
/// # Errors
/// What stands against it, in a sentence.
pub fn release(args: &ReleaseArgs) -> anyhow::Result<Exit> {
    match (&args.verb, &args.name, &args.dataset) {
        (Some(ReleaseVerb::List { workspace, json }), ..) => list(workspace, *json),
        (None, Some(name), Some(dataset)) => make(args, name, dataset),
        _ => anyhow::bail!("give a name and a data set, as in: tamis release 2026.1 WORKSPACE/data/NAME"),
    }
}

fn make(args: &ReleaseArgs, name: &str, dataset: &Path) -> anyhow::Result<Exit> {
    let (workspace, dataset) = Workspace::of_dataset(dataset)?;
    let _lock = workspace.lock()?;
    let read =
        |path: &PathBuf| std::fs::read_to_string(path).with_context(|| format!("cannot read the publisher's facts `{}`", path.display()));
    let facts = args.facts.as_ref().map(read).transpose()?;
    let signer = Receipts::open(&workspace)?.signer(&args.keys.signing())?;
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let order = Order { name, dataset: &dataset, facts: facts.as_deref(), day: &day };
    let (release, became) = match freeze(&workspace, &order, &signer)? {
        Frozen::Now(release) => (release, "frozen"),
        Frozen::Renewed(release) => (release, "its reports are made anew"),
        Frozen::Before(release) => {
            eprintln!(
                "nothing to do: it was frozen on {}; what came into the data set since is for another release",
                release.record.released
            );
            (release, "frozen before")
        }
    };
    if !release.folder.join(FACTS).exists() {
        eprintln!("note: its reports have open fields, for nobody said what no machine can know; give --facts FILE");
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&release.record)?);
    } else {
        let record = &release.record;
        println!(
            "{}: {} documents in {} files, {}, signed by {}: {became}",
            release.folder.display(),
            grouped(record.documents()),
            record.files.len(),
            ByteSize(record.bytes()),
            signer.public_key()
        );
    }
    Ok(Exit::Done)
}

fn list(workspace: &Path, json: bool) -> anyhow::Result<Exit> {
    let is_one = workspace.join("_tamis").is_dir();
    anyhow::ensure!(is_one, "`{}` is not a workspace; give the folder that holds data/ and _tamis/", workspace.display());
    let releases = all(&Workspace::open(workspace)?)?;
    if json {
        releases.iter().try_for_each(|release| serde_json::to_string(&release.record).map(|line| println!("{line}")))?;
        return Ok(Exit::Done);
    }
    if releases.is_empty() {
        eprintln!("there is no release in this workspace; `tamis release NAME DATASET` makes one");
        return Ok(Exit::Done);
    }
    let mut table = plain(&["release", "data set", "day", "manifest", "takedown", "documents", "bytes", "reports"]);
    for release in &releases {
        let record = &release.record;
        let [manifest, takedown, documents] = [record.manifest, record.takedown_sequence, record.documents()].map(grouped);
        let reports = if is_whole(release) { "signed" } else { "to be made anew" };
        let bytes = ByteSize(record.bytes()).to_string();
        table.add_row([&record.name, &record.dataset, &record.released, &manifest, &takedown, &documents, &bytes, reports]);
    }
    println!("{table}");
    Ok(Exit::Done)
}
