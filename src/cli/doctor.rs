//! `tamis doctor`: whether a night could begin, as a list of checks with their remedies.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Exit;
use super::night::settings_of;
use super::run::Keys;
use crate::ledger::manifest::Manifests;
use crate::night::doctor::{Check, Health, clock, disk, files, key, nights, permissions, tell, version};
use crate::night::record::Records;
use crate::passes::{History, Left, make_plan};
use crate::recipe::{Recipe, inputs};
use crate::suppression::{self, Suppression};
use crate::workspace::Workspace;

/// Arguments of `tamis doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// A workspace, or the recipe of a night
    #[arg(value_parser = super::away::place)]
    what: PathBuf,
    /// The workspace of that recipe
    #[arg(long, short = 'w', value_name = "DIR", default_value = "workspace", value_parser = super::away::place)]
    workspace: PathBuf,
    /// Overrides a setting of the recipe
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = super::run::key_value)]
    sets: Vec<(String, String)>,
    /// How this machine does its nights: a TOML file
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(flatten)]
    keys: Keys,
    /// Writes the checks as JSON to stdout
    #[arg(long)]
    json: bool,
}

/// Looks at everything.
///
/// # Errors
/// When there is nothing to look at.
pub fn doctor(args: &DoctorArgs) -> anyhow::Result<Exit> {
    let settings = settings_of(args.settings.as_deref())?;
    let is_workspace = args.what.is_dir();
    let root = if is_workspace { &args.what } else { &args.workspace };
    anyhow::ensure!(root.join("_tamis").is_dir() || !is_workspace, "`{}` is no workspace; name one, or a recipe", root.display());
    let mut checks = vec![disk(deepest(root), &settings)];
    let recipe = if is_workspace { None } else { Some(Recipe::load(&args.what, &args.sets)?) };
    if root.join("_tamis").is_dir() {
        let workspace = Workspace::open(root)?;
        checks.extend(of_workspace(&workspace, args)?);
        if let Some(recipe) = recipe {
            checks.push(of_recipe(recipe, &workspace, args));
        }
    }
    checks.extend(tell(&settings.tell));
    if args.json {
        println!("{}", serde_json::to_string(&checks)?);
    } else {
        for check in &checks {
            let mark = match check.health {
                Health::Well => "ok  ",
                Health::Look => "look",
                Health::Bad => "BAD ",
            };
            println!("{mark}  {:<12} {}", check.what, check.says);
        }
    }
    let worst = checks.iter().map(|check| check.health).max();
    Ok(if worst == Some(Health::Bad) { Exit::Quarantined } else { Exit::Done })
}

/// The deepest folder of `path` that is there.
fn deepest(path: &Path) -> &Path {
    path.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."))
}

fn of_workspace(workspace: &Workspace, args: &DoctorArgs) -> anyhow::Result<Vec<Check>> {
    let mut records = Vec::new();
    for entry in std::fs::read_dir(workspace.nights())? {
        records.push(Records::open(workspace, &entry?.file_name().to_string_lossy())?);
    }
    let mut checks = vec![clock(jiff::Timestamp::now(), records.iter().flat_map(Records::all)), permissions(workspace)];
    checks.push(match workspace.lock() {
        Ok(_) => Check::well("lock", "nobody is at work"),
        Err(error) => Check::look("lock", error.to_string()),
    });
    let needed = suppression::sequence(workspace)? > 0;
    let path = args.keys.suppression();
    let mut keys = key(&path, workspace.root(), needed);
    if keys.health == Health::Well
        && let Err(error) = Suppression::open(workspace, &path)
    {
        keys = Check::bad("keys", error.to_string());
    }
    checks.push(keys);
    checks.extend(files(workspace));
    checks.extend(nights(records.iter().filter_map(Records::newest)));
    checks.push(version(env!("CARGO_PKG_VERSION"), writers(workspace)?.iter().map(String::as_str)));
    Ok(checks)
}

/// The versions that wrote the workspace.
fn writers(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let mut versions = Vec::new();
    if let Ok(manifests) = Manifests::read(workspace) {
        for dataset in manifests.datasets() {
            versions.extend(History::open(workspace, dataset)?.ledgers()?.into_iter().map(|ledger| ledger.tamis));
        }
    }
    Ok(versions)
}

/// Whether the recipe's data set takes what it would bring.
fn of_recipe(recipe: Recipe, workspace: &Workspace, args: &DoctorArgs) -> Check {
    match try_recipe(recipe, workspace, args) {
        Ok(says) => Check::well("recipe", says),
        Err(error) => Check::bad("recipe", format!("{error:#}")),
    }
}

fn try_recipe(mut recipe: Recipe, workspace: &Workspace, args: &DoctorArgs) -> anyhow::Result<String> {
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let files = match recipe.crawl().map_err(anyhow::Error::msg)? {
        Some(_) => super::crawl::archives(&args.workspace, false)?,
        None => inputs::find_of_night(&mut recipe, &today)?,
    };
    let history = History::open(workspace, &recipe.dataset)?;
    let new = match history.left_of(&make_plan(&recipe, &files), &recipe)? {
        Left::New(plan) => plan.inputs.len(),
        Left::NothingNew(_) => 0,
    };
    Ok(format!("it can go on with `{}`; {} inputs, {new} of them new", recipe.dataset, files.len()))
}
