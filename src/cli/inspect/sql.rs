//! `tamis inspect D sql`: one question, or a shell for many.

use std::fs::File;
use std::io::{BufRead, IsTerminal, Write, stderr, stdin, stdout};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use parquet::arrow::ArrowWriter;
use serde_json::Value;

use super::short;
use crate::cli::exit::Exit;
use crate::cli::table::plain;
use crate::inspect::Dataset;
use crate::inspect::row::json_of;
use crate::inspect::sql::{Answer, Sql};
use crate::ledger::run::RunLedger;
use crate::size::ByteSize;

/// Arguments of `sql`.
#[derive(Debug, Args)]
pub(super) struct SqlArgs {
    /// The question; without one a shell reads questions that end with ;
    query: Option<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Writes a JSON object a line, as --format json
    #[arg(long)]
    json: bool,
    /// Where the answer goes; Parquet needs a file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Memory that a question may take
    #[arg(long, value_name = "SIZE", default_value = "2 GiB")]
    memory_max: ByteSize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
    Parquet,
}

pub(super) fn sql(dataset: &Dataset, ledgers: &[RunLedger], args: &SqlArgs) -> Result<Exit> {
    let format = if args.json { Format::Json } else { args.format };
    ensure!(format != Format::Parquet || args.output.is_some(), "Parquet goes to a file: name one with --output");
    let sql = dataset.sql(ledgers, args.memory_max.as_usize())?;
    match &args.query {
        Some(query) => write(&sql.ask(query)?, format, args.output.as_ref())?,
        None => shell(&sql, format, args.output.as_ref())?,
    }
    Ok(Exit::Done)
}

fn shell(sql: &Sql, format: Format, output: Option<&PathBuf>) -> Result<()> {
    let is_person = stdin().is_terminal();
    let prompt = |text: &str| {
        if is_person {
            eprint!("{text}");
        }
        stderr().flush()
    };
    let mut question = String::new();
    prompt("tamis> ")?;
    for line in stdin().lock().lines() {
        question += &line?;
        question.push('\n');
        if !question.trim_end().ends_with(';') {
            prompt(if question.trim().is_empty() { "tamis> " } else { "    -> " })?;
            continue;
        }
        let whole = std::mem::take(&mut question);
        match sql.ask(whole.trim().trim_end_matches(';')) {
            Ok(answer) => write(&answer, format, output)?,
            // A person asks again; a script should not go on as if nothing were.
            Err(error) if is_person => eprintln!("{error}"),
            Err(error) => return Err(error.into()),
        }
        prompt("tamis> ")?;
    }
    ensure!(question.trim().is_empty() || is_person, "the last question does not end with ;");
    Ok(())
}

fn write(answer: &Answer, format: Format, output: Option<&PathBuf>) -> Result<()> {
    let refused = |path: &PathBuf| format!("cannot write `{}`", path.display());
    let mut out: Box<dyn Write + Send> = match output {
        Some(path) => Box::new(File::create(path).with_context(|| refused(path))?),
        None => Box::new(stdout()),
    };
    match format {
        Format::Table => table(answer, &mut out)?,
        Format::Csv => csv(answer, &mut out)?,
        Format::Json => rows(answer).try_for_each(|row| writeln!(out, "{}", Value::Object(row)))?,
        Format::Parquet => {
            let mut writer = ArrowWriter::try_new(out, answer.schema.clone(), None)?;
            answer.batches.iter().try_for_each(|batch| writer.write(batch))?;
            writer.close()?;
            return Ok(());
        }
    }
    out.flush()?;
    Ok(())
}

fn rows(answer: &Answer) -> impl Iterator<Item = serde_json::Map<String, Value>> {
    answer.batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| json_of(batch, row)))
}

fn names(answer: &Answer) -> Vec<&str> {
    answer.schema.fields().iter().map(|field| field.name().as_str()).collect()
}

fn table(answer: &Answer, out: &mut dyn Write) -> Result<()> {
    let names = names(answer);
    let mut table = plain(&names);
    for row in rows(answer) {
        table.add_row(names.iter().map(|name| row.get(*name).filter(|value| !value.is_null()).map_or(String::new(), short)));
    }
    Ok(writeln!(out, "{table}")?)
}

/// Comma-separated values (RFC 4180); what is null is empty.
fn csv(answer: &Answer, out: &mut dyn Write) -> Result<()> {
    let quoted = |text: &str| match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    };
    let names = names(answer);
    writeln!(out, "{}", names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(","))?;
    for row in rows(answer) {
        let cell = |name: &&str| match row.get(*name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => quoted(text),
            Some(other) => quoted(&other.to_string()),
        };
        writeln!(out, "{}", names.iter().map(cell).collect::<Vec<_>>().join(","))?;
    }
    Ok(())
}
