//! `tamis inspect D sample`: some documents, drawn by chance.

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::{safe, short};
use crate::cli::exit::Exit;
use crate::inspect::sample::{Bound, By, Wish};
use crate::inspect::{Dataset, InspectError};

/// Characters of a text that are shown on a terminal.
const SHOWN: usize = 400;

/// Arguments of `sample`.
#[derive(Debug, Args)]
pub(super) struct SampleArgs {
    /// Documents, in all or of each language or host
    #[arg(long, default_value_t = 10)]
    n: usize,
    /// Another seed draws other documents
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this language
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
    /// Only this host
    #[arg(long)]
    host: Option<String>,
    /// Only where a signal is at least so large, for example quality.words=100; may be given several times
    #[arg(long, value_name = "SIGNAL=NUMBER", value_parser = bound)]
    min: Vec<Bound>,
    /// Only where a signal is at most so large
    #[arg(long, value_name = "SIGNAL=NUMBER", value_parser = bound)]
    max: Vec<Bound>,
    /// Only where this regular expression matches title or text
    #[arg(long, value_name = "REGEX")]
    grep: Option<String>,
    /// Draws so many documents of each language or host
    #[arg(long, value_name = "WHAT")]
    by: Option<Each>,
    /// Writes a JSON object a line with all columns
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Each {
    Lang,
    Host,
}

fn bound(text: &str) -> Result<Bound, String> {
    let wrong = || format!("`{text}` is not SIGNAL=NUMBER, as quality.words=100");
    let (name, number) = text.split_once('=').ok_or_else(wrong)?;
    let name = name.strip_prefix("quality.").unwrap_or(name);
    let known = crate::columns::DOCUMENT.leaves().iter().any(|(path, _)| *path == ["quality", name]);
    if !known {
        return Err(format!("there is no signal quality.{name}; `tamis inspect D show ID` lists those of a document"));
    }
    Ok((name.to_owned(), number.parse().map_err(|_| wrong())?))
}

impl SampleArgs {
    /// What is to be drawn.
    pub(super) fn wish(&self) -> Result<Wish> {
        let grep = match &self.grep {
            Some(pattern) => Some(regex::Regex::new(pattern).map_err(|error| {
                let why = error.to_string();
                InspectError::Pattern { pattern: pattern.clone(), why: why.lines().last().unwrap_or_default().to_owned() }
            })?),
            None => None,
        };
        let by = self.by.map(|each| match each {
            Each::Lang => By::Lang,
            Each::Host => By::Host,
        });
        Ok(Wish {
            documents: self.n,
            seed: self.seed,
            lang: self.lang.clone(),
            host: self.host.clone(),
            at_least: self.min.clone(),
            at_most: self.max.clone(),
            grep,
            by,
            personal: None,
        })
    }
}

pub(super) fn sample(dataset: &Dataset, args: &SampleArgs) -> Result<Exit> {
    let rows = dataset.sample(&args.wish()?)?;
    if rows.is_empty() && !args.json {
        eprintln!("no document is like that");
    }
    for row in rows {
        if args.json {
            println!("{}", Value::Object(row));
            continue;
        }
        let text = |name: &str| row.get(name).map(short).unwrap_or_default();
        println!("{}  {}  {}", text("id"), text("lang"), text("url"));
        let whole = row.get("text").and_then(Value::as_str).unwrap_or_default();
        let beginning: String = whole.chars().take(SHOWN).collect();
        let more = if beginning.len() < whole.len() { " .." } else { "" };
        println!("    {}{more}\n", safe(&beginning).replace('\n', "\n    "));
    }
    Ok(Exit::Done)
}
