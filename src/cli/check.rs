//! `tamis check`: everything that can be known about a recipe before the first byte is read. Mistakes, inputs, the plan in words, and the
//! recipe's own examples.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::exit::Exit;
use super::stages::put;
use crate::dedup::settings::Near;
use crate::recipe::inputs::{self, InputFile};
use crate::recipe::{Mistake, Outcome, Placed, Recipe, RecipeErrors, run_example, set_argument, size_in_words};
use crate::size::{ByteSize, grouped};

/// Arguments of `tamis check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The recipe: a TOML file
    recipe: PathBuf,
    /// Overrides a setting of the recipe, as in `tamis run`
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = set_argument)]
    sets: Vec<(String, String)>,
    /// Writes one JSON object to stdout
    #[arg(long)]
    json: bool,
}

/// A checked recipe with its inputs, and how its examples ended.
struct Checked {
    recipe: Recipe,
    files: Vec<InputFile>,
    outcomes: Vec<Outcome>,
}

/// Checks the recipe. Ends with 2 where `tamis run` would not start, or where an example ends otherwise than it says.
///
/// # Errors
/// When nothing can be written.
pub fn check(args: &CheckArgs) -> anyhow::Result<Exit> {
    match checked(args) {
        Err(errors) => {
            if args.json {
                put(&format!("{}\n", told(&errors.mistakes)))?;
            } else {
                eprintln!("{errors}\n\n{}", count(errors.mistakes.len(), "mistake"));
            }
            Ok(Exit::NotStarted)
        }
        Ok(checked) => {
            put(&if args.json { format!("{}\n", as_json(&checked)) } else { in_words(&checked) })?;
            let failed = checked.outcomes.iter().filter(|outcome| !outcome.wrong.is_empty()).count();
            Ok(if failed == 0 { Exit::Done } else { Exit::NotStarted })
        }
    }
}

fn checked(args: &CheckArgs) -> Result<Checked, RecipeErrors> {
    let recipe = Recipe::load(&args.recipe, &args.sets)?;
    let files = inputs::find(&recipe)?;
    let steps = [recipe.clean_steps(), recipe.emit_steps()].concat();
    let outcomes = recipe.examples.iter().map(|(example, expectation)| run_example(example, expectation, &steps)).collect();
    Ok(Checked { recipe, files, outcomes })
}

fn count(number: usize, word: &str) -> String {
    format!("{} {word}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

fn in_words(checked: &Checked) -> String {
    let Checked { recipe, files, outcomes } = checked;
    let mut text = format!("recipe   {} ({})\n", recipe.name, recipe.hash());
    let bytes = ByteSize(files.iter().map(|file| file.bytes).sum());
    let _ = writeln!(text, "input    {}, {bytes}", count(files.len(), "file"));
    const SHOWN_MAX: usize = 5;
    for file in files.iter().take(SHOWN_MAX) {
        let _ = writeln!(text, "         {} ({})", file.path.display(), ByteSize(file.bytes));
    }
    if files.len() > SHOWN_MAX {
        let _ = writeln!(text, "         and {} more", grouped((files.len() - SHOWN_MAX) as u64));
    }
    let _ = writeln!(text, "source   {}{}", recipe.source_room.name, settings(&recipe.source_settings));
    stages(&mut text, "clean", &recipe.clean);
    let _ = writeln!(text, "dedup    {}", dedup(recipe));
    stages(&mut text, "emit", &recipe.emit);
    let output = &recipe.output;
    let _ = writeln!(
        text,
        "output   data/{}/lang=<tag>/part-<n>.parquet, at most {} of text a shard, row groups of at most {} documents or {}, zstd {}",
        recipe.dataset,
        size_in_words(output.shard_bytes_max),
        grouped(u64::from(output.row_group_documents_max)),
        size_in_words(output.row_group_bytes_max),
        output.compression_level
    );
    for (path, sha256) in &recipe.resources {
        let _ = writeln!(text, "reads    {path} (sha256 {sha256})");
    }
    recipe.warnings.iter().for_each(|warning| {
        let _ = writeln!(text, "warning  {warning}");
    });
    examples(&mut text, recipe, outcomes);
    text
}

fn settings(settings: &[(String, String)]) -> String {
    settings.iter().map(|(key, value)| format!("  {key} = {value}")).collect()
}

fn stages(text: &mut String, pass: &str, placed: &[Placed]) {
    for (number, placed) in placed.iter().enumerate() {
        let _ = writeln!(text, "{:8} {}{}", if number == 0 { pass } else { "" }, placed.room.name, settings(&placed.settings));
    }
}

fn dedup(recipe: &Recipe) -> String {
    let exact = if recipe.dedup.exact { "equal texts" } else { "no equal texts" };
    let near = match recipe.dedup.near.banding() {
        Some(banding) => format!(
            "near-duplicates by {} bands of {} rows over {}-word shingles, similarity at least {}",
            banding.bands, banding.rows, recipe.dedup.shingle_words, recipe.dedup.jaccard_min
        ),
        None => "no near-duplicates".to_owned(),
    };
    let yields = match recipe.dedup.yield_to.as_slice() {
        [] => String::new(),
        names => format!("; what repeats {} falls first", names.join(", ")),
    };
    if !recipe.dedup.exact && recipe.dedup.near == Near::Off { "off".to_owned() } else { format!("{exact}; {near}{yields}") }
}

fn examples(text: &mut String, recipe: &Recipe, outcomes: &[Outcome]) {
    for ((example, _), outcome) in recipe.examples.iter().zip(outcomes) {
        let verdict = if outcome.wrong.is_empty() { "ok" } else { "WRONG" };
        let _ = writeln!(text, "example  {verdict}: {}: {}", example.name, outcome.got);
        for wrong in &outcome.wrong {
            let _ = writeln!(text, "         {wrong}");
        }
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.wrong.is_empty()).count();
    let _ = match (outcomes.len(), failed) {
        (0, _) => writeln!(text, "\nThe recipe is sound. It has no examples."),
        (all, 0) => writeln!(text, "\nThe recipe is sound, and {} ended as expected.", count(all, "example")),
        (all, failed) => {
            writeln!(text, "\n{failed} of {} ended otherwise than expected; change the recipe or the example.", count(all, "example"))
        }
    };
}

fn told(mistakes: &[Mistake]) -> Value {
    let mistakes: Vec<Value> =
        mistakes.iter().map(|mistake| json!({ "place": mistake.place, "message": mistake.fault.to_string() })).collect();
    json!({ "ok": false, "mistakes": mistakes })
}

fn as_json(checked: &Checked) -> Value {
    let Checked { recipe, files, outcomes } = checked;
    let pass = |placed: &[Placed]| -> Vec<Value> {
        placed.iter().map(|placed| json!({ "stage": placed.room.name, "settings": placed.settings.iter().cloned().collect::<std::collections::BTreeMap<_, _>>() })).collect()
    };
    let examples: Vec<Value> = recipe
        .examples
        .iter()
        .zip(outcomes)
        .map(|((example, _), outcome)| json!({ "name": example.name, "expected": example.expect, "got": outcome.got, "wrong": outcome.wrong }))
        .collect();
    json!({
        "ok": outcomes.iter().all(|outcome| outcome.wrong.is_empty()),
        "mistakes": [],
        "name": recipe.name,
        "dataset": recipe.dataset,
        "hash": recipe.hash(),
        "inputs": files.iter().map(|file| json!({ "path": file.path.display().to_string(), "bytes": file.bytes })).collect::<Vec<_>>(),
        "source": recipe.source_room.name,
        "clean": pass(&recipe.clean),
        "dedup": recipe.dedup,
        "emit": pass(&recipe.emit),
        "resources": recipe.resources,
        "warnings": recipe.warnings,
        "examples": examples,
    })
}
