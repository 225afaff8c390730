//! `tamis inspect D labels`: documents that people called good or bad, one after the other or by id, and the list of them for others.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::sample::SampleArgs;
use super::{safe, short};
use crate::cli::exit::Exit;
use crate::doc::DocId;
use crate::inspect::Dataset;
use crate::inspect::find::Name;
use crate::inspect::labels::{Label, Labels, Verdict};
use crate::store;
use crate::workspace::Workspace;

/// Arguments of `labels`.
#[derive(Debug, Args)]
pub(super) struct LabelsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Calls documents good or bad
    Add(Add),
    /// Shows documents one after the other, and asks of each: g for good, b for bad, both with a reason if you like; s leaves it, q ends
    Ask(SampleArgs),
    /// All labels, with title and address of each document
    List {
        /// Writes a JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Writes the labelled documents as JSON lines, with their texts: what a filter or a score is trained and judged with
    Export {
        /// Where to
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Add {
    /// What they are
    label: Call,
    /// Ids or addresses of published documents
    #[arg(required = true)]
    documents: Vec<String>,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Call {
    Good,
    Bad,
}

pub(super) fn labels(dataset: &Dataset, workspace: &Workspace, name: &str, args: &LabelsArgs) -> Result<Exit> {
    match &args.what {
        What::Add(args) => add(dataset, workspace, name, args),
        What::Ask(args) => ask(dataset, workspace, name, args),
        What::List { json } => list(dataset, &Labels::open(workspace, name)?, *json),
        What::Export { output } => {
            let rows = rows(dataset, &Labels::open(workspace, name)?, &["id", "label", "reason", "lang", "url", "title", "text"])?;
            let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
            store::write_over(output, lines.as_bytes())?;
            eprintln!("wrote {} documents; takedowns do not reach this file", rows.len());
            Ok(Exit::Done)
        }
    }
}

fn id_of(dataset: &Dataset, asked: &str) -> Result<DocId> {
    let name = Name::read(asked).with_context(|| format!("`{}` is neither an id (32 hex digits) nor an address", safe(asked)))?;
    let (_, row) = dataset.published(&name)?.with_context(|| format!("`{}` is not published in this data set", safe(asked)))?;
    row.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok()).context("a row without an id")
}

fn add(dataset: &Dataset, workspace: &Workspace, name: &str, args: &Add) -> Result<Exit> {
    let label = match args.label {
        Call::Good => Verdict::Good,
        Call::Bad => Verdict::Bad,
    };
    let ids = args.documents.iter().map(|asked| id_of(dataset, asked)).collect::<Result<Vec<_>>>()?;
    let _lock = workspace.lock()?;
    Labels::open(workspace, name)?.set(ids.into_iter().map(|id| Label { id, label, reason: args.reason.clone() }))?;
    Ok(Exit::Done)
}

/// Each answer is kept at once, so nothing is lost where somebody goes away.
fn ask(dataset: &Dataset, workspace: &Workspace, name: &str, args: &SampleArgs) -> Result<Exit> {
    let known = Labels::open(workspace, name)?;
    let mut rows = dataset.sample(&args.wish()?)?;
    rows.retain(|row| !row.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok()).is_some_and(|id| known.has(id)));
    ensure!(!rows.is_empty(), "there is no document without a label for what is asked; another --seed draws others");
    let (mut answers, count) = (std::io::stdin().lock().lines(), rows.len());
    for (number, row) in (1..).zip(&rows) {
        let text = row.get("text").and_then(Value::as_str).unwrap_or_default();
        println!("\n[{number} of {count}] {}  {}\n\n{}\n", field(row, "lang"), field(row, "url"), safe(text));
        let answer = loop {
            if std::io::stdin().is_terminal() {
                print!("g(ood), b(ad), s(kip), q(uit), with a reason behind it: ");
                std::io::stdout().flush()?;
            }
            let Some(line) = answers.next().transpose()? else { return Ok(Exit::Done) };
            match read(&line) {
                Some(answer) => break answer,
                None => eprintln!("`{}` is none of g, b, s, q", safe(&line)),
            }
        };
        let (label, reason) = match answer {
            Answer::Quit => break,
            Answer::Skip => continue,
            Answer::Label(label, reason) => (label, reason),
        };
        let id = field(row, "id").parse().ok().context("a row without an id")?;
        let _lock = workspace.lock()?;
        Labels::open(workspace, name)?.set([Label { id, label, reason }])?;
    }
    Ok(Exit::Done)
}

enum Answer {
    Label(Verdict, String),
    Skip,
    Quit,
}

fn read(line: &str) -> Option<Answer> {
    let (word, reason) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
    let reason = reason.trim().to_owned();
    Some(match word {
        "g" | "good" => Answer::Label(Verdict::Good, reason),
        "b" | "bad" => Answer::Label(Verdict::Bad, reason),
        "s" | "skip" => Answer::Skip,
        "q" | "quit" => Answer::Quit,
        _ => return None,
    })
}

fn field(row: &serde_json::Map<String, Value>, name: &str) -> String {
    row.get(name).map(short).unwrap_or_default()
}

/// Each labelled document that is still published, with these fields.
fn rows(dataset: &Dataset, labels: &Labels, fields: &[&str]) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    for label in labels.iter() {
        let Some((_, row)) = dataset.published(&Name::Id(label.id))? else { continue };
        let known = json!({"label": label.label, "reason": label.reason});
        let value = |name: &&str| (name.to_string(), known.get(*name).or_else(|| row.get(*name)).cloned().unwrap_or_default());
        rows.push(Value::Object(fields.iter().map(value).collect()));
    }
    Ok(rows)
}

fn list(dataset: &Dataset, labels: &Labels, json: bool) -> Result<Exit> {
    for row in rows(dataset, labels, &["id", "label", "reason", "lang", "title", "url"])? {
        match json {
            true => println!("{row}"),
            false => {
                let part = |name: &str| row.get(name).map(short).unwrap_or_default();
                let (id, label, lang, title, url, reason) =
                    (part("id"), part("label"), part("lang"), part("title"), part("url"), part("reason"));
                println!(
                    "{id} {label:<4} {lang:<7} {title}\n    {url}{}",
                    if reason.is_empty() { String::new() } else { format!("\n    {reason}") }
                );
            }
        }
    }
    Ok(Exit::Done)
}
