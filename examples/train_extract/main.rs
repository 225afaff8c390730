//! The two steps of the training of stage `extract` that must not drift from the stage or must be fast; `training/extract/train.py`
//! calls them.
//!
//! `train_extract lessons DIR < pages.jsonl` writes what the stage sees of each page: DIR/features.bin, row after row, DIR/names.json and
//! DIR/blocks.jsonl.
//!
//! `train_extract boost DIR JOB [KEY=VALUE ..]` trains on DIR/features.bin with JOB.wanted, JOB.weight, JOB.page, JOB.fold (a 32-bit float
//! a row) and writes JOB.held, the judgement of each row by a forest that has not seen its fold, and JOB.trees, the forest of all rows.

#![expect(clippy::print_stderr, reason = "a tool that is run by hand says what went wrong")]

mod boost;
mod numbers;
mod table;

use std::fs::File;
use std::io::{self, BufRead, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::Deserialize;
use tamis::stages::extract::lesson::lesson;

use crate::boost::{Settings, train};
use crate::table::Table;

const FOLDS: u32 = 5;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[derive(Deserialize)]
struct Page {
    id: String,
    url: String,
    html: String,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["lessons", folder] => lessons(Path::new(folder)),
        ["boost", folder, job, ..] => boost(Path::new(folder), job, &words[3..]),
        _ => Err("see the head of examples/train_extract/main.rs".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn lessons(folder: &Path) -> Outcome<()> {
    let mut features = BufWriter::new(File::create(folder.join("features.bin"))?);
    let mut blocks = BufWriter::new(File::create(folder.join("blocks.jsonl"))?);
    let mut names = Vec::new();
    for line in io::stdin().lock().lines() {
        let page: Page = serde_json::from_str(&line?)?;
        let lesson = lesson(&page.html, &page.url).ok_or("a page has too many elements")?;
        for row in 0..lesson.texts.len() {
            let values: Vec<u8> = lesson.columns.iter().map(|column| column[row]).collect();
            features.write_all(&values)?;
        }
        serde_json::to_writer(&mut blocks, &serde_json::json!({ "id": page.id, "texts": lesson.texts, "words": lesson.words }))?;
        blocks.write_all(b"\n")?;
        names = lesson.names;
    }
    std::fs::write(folder.join("names.json"), serde_json::to_vec(&names)?)?;
    Ok(())
}

fn boost(folder: &Path, job: &str, options: &[String]) -> Outcome<()> {
    let settings = Settings::read(options)?;
    let table = Table::read(folder, job)?;
    let fold = table::floats(&format!("{job}.fold"))?;
    let mut held = vec![0.0_f32; table.rows];
    for wanted in (0..FOLDS).map(|fold| fold as f32) {
        let forest = train(&table.without(|row| fold[row] == wanted), &settings);
        for row in (0..table.rows).filter(|row| fold[*row] == wanted) {
            held[row] = forest.predict(&table, row);
        }
    }
    let bytes: Vec<u8> = held.iter().flat_map(|held| held.to_le_bytes()).collect();
    std::fs::write(format!("{job}.held"), bytes)?;
    let forest = train(&table, &settings);
    let mut out = BufWriter::new(File::create(format!("{job}.trees"))?);
    forest.write(&table.names, &mut out)?;
    out.flush()?;
    Ok(())
}
