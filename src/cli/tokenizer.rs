//! `tamis tokenizer`: makes a vocabulary from a corpus, and says how well vocabularies fit its languages.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Table};

use super::exit::Exit;
use super::table::plain;
use crate::doc::Document;
use crate::recipe::{Disk, Placed, chain};
use crate::report::tokenizers_html;
use crate::size::{ByteSize, grouped};
use crate::stage::{Stage, Verdict};
use crate::store;
use crate::texts::Texts;
use crate::tokenizer::report::{OfLanguage, report};
use crate::tokenizer::train::{Training, train};

/// Arguments of `tamis tokenizer`.
#[derive(Debug, Args)]
pub struct TokenizerArgs {
    #[command(subcommand)]
    verb: TokenizerVerb,
}

#[derive(Debug, Subcommand)]
enum TokenizerVerb {
    /// Makes a byte-level BPE vocabulary from a corpus, balanced between its languages, as a Hugging Face tokenizer.json
    Train(Train),
    /// Says for each language how many tokens a word and how many bytes a token several vocabularies need
    Report(Report),
}

#[derive(Debug, Args)]
struct Train {
    /// Folders of shards (WORKSPACE/data/NAME), or JSON lines with "text" and "lang" (.jsonl, also packed)
    #[arg(required = true)]
    corpus: Vec<PathBuf>,
    /// Where the tokenizer.json goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Tokens in all, the 256 bytes and the special tokens among them
    #[arg(long, value_name = "N", default_value_t = 64_000)]
    vocabulary_size: usize,
    /// 1 takes languages as they are in the corpus; the higher, the more the small ones are heard
    #[arg(long, value_name = "T", default_value_t = 3.3)]
    temperature: f64,
    /// A special token; may be given several times, they take the first ids
    #[arg(long = "special", value_name = "NAME", default_values_t = ["<|endoftext|>".to_owned()])]
    specials: Vec<String>,
    /// Longest token, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 64)]
    token_bytes_max: usize,
    /// Text that is looked at; a larger corpus is sampled
    #[arg(long, value_name = "SIZE", default_value = "1 GiB")]
    sample: ByteSize,
    /// Writes one JSON object: what each language had
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Report {
    /// Folders of shards (WORKSPACE/data/NAME), or JSON lines with "text" and "lang" (.jsonl, also packed)
    #[arg(required = true)]
    corpus: Vec<PathBuf>,
    /// A vocabulary as stage `tokenize` names it; may be given several times
    #[arg(long = "tokenizer", value_name = "NAME|FILE", required = true)]
    tokenizers: Vec<String>,
    /// Text that is looked at; a larger corpus is sampled
    #[arg(long, value_name = "SIZE", default_value = "64 MiB")]
    sample: ByteSize,
    /// Writes the figures and charts as an HTML page too
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Writes a JSON object a language
    #[arg(long)]
    json: bool,
}

/// Runs `tamis tokenizer`.
///
/// # Errors
/// When the corpus or a vocabulary cannot be read, or a file cannot be written.
pub fn tokenizer(args: &TokenizerArgs) -> Result<Exit> {
    match &args.verb {
        TokenizerVerb::Train(args) => make(args),
        TokenizerVerb::Report(args) => tell(args),
    }
}

fn make(args: &Train) -> Result<Exit> {
    let training = Training {
        vocabulary_size: args.vocabulary_size,
        temperature: args.temperature,
        specials: args.specials.clone(),
        token_bytes_max: args.token_bytes_max,
        sample_bytes: args.sample.0,
    };
    let (json, balance) = train(&Texts::open(&args.corpus)?, &training)?;
    store::write_over(&args.out, json.as_bytes())?;
    if args.json {
        println!("{}", serde_json::json!({"file": args.out, "languages": balance}));
        return Ok(Exit::Done);
    }
    let mut table = plain(&["language", "text", "share", "heard"]);
    for known in &balance {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        table.add_row([known.lang.clone(), ByteSize(known.bytes).to_string(), percent(known.share), percent(known.weighted)]);
    }
    right(&mut table, 1..4);
    println!("{table}");
    eprintln!("wrote {}; use it with stage tokenize: tokenizer = \"{}\"", args.out.display(), args.out.display());
    Ok(Exit::Done)
}

fn tell(args: &Report) -> Result<Exit> {
    let texts = Texts::open(&args.corpus)?;
    let stages = args.tokenizers.iter().map(|name| vocabulary(name)).collect::<Result<Vec<_>>>()?;
    let counters: Vec<_> = stages.iter().map(|stage| |text: &str| tokens(stage.as_ref(), text)).collect();
    let counters: Vec<&dyn Fn(&str) -> u64> = counters.iter().map(|counter| counter as &dyn Fn(&str) -> u64).collect();
    let languages = report(&texts, args.sample.0, &counters)?;
    ensure!(!languages.is_empty(), "the corpus has no text");
    let names: Vec<&str> = args.tokenizers.iter().map(|name| name.rsplit('/').next().unwrap_or(name)).collect();
    if let Some(path) = &args.html {
        store::write_over(path, tokenizers_html(&names, &languages).as_bytes())?;
    }
    if args.json {
        for language in &languages {
            println!("{}", serde_json::to_string(language).context("figures are JSON")?);
        }
        return Ok(Exit::Done);
    }
    println!("{}", figures(&names, &languages));
    Ok(Exit::Done)
}

/// A table with tokens a word and bytes a token of each vocabulary.
fn figures(names: &[&str], languages: &[OfLanguage]) -> Table {
    let columns = names.iter().flat_map(|name| [format!("{name}: tokens a word"), "bytes a token".to_owned()]);
    let heads: Vec<String> = ["language", "documents", "text"].map(str::to_owned).into_iter().chain(columns).collect();
    let mut table = plain(&heads.iter().map(String::as_str).collect::<Vec<_>>());
    for language in languages {
        let fits = language.fits.iter().flat_map(|fit| [format!("{:.2}", fit.fertility), format!("{:.2}", fit.bytes_a_token)]);
        let first = [language.lang.clone(), grouped(language.documents), ByteSize(language.bytes).to_string()];
        table.add_row(first.into_iter().chain(fits));
    }
    right(&mut table, 1..heads.len());
    table
}

fn right(table: &mut Table, columns: std::ops::Range<usize>) {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// The stage that counts tokens by a vocabulary, without ends of documents.
fn vocabulary(name: &str) -> Result<Arc<dyn Stage>> {
    let stages = chain(&[format!("tokenize:tokenizer=\"{name}\",bos=false,eos=false")], &Disk)?;
    stages.iter().filter_map(Placed::warning).for_each(|warning| eprintln!("note: {warning}"));
    stages.into_iter().next().map(|placed| placed.stage).context("the stage was just built")
}

fn tokens(stage: &dyn Stage, text: &str) -> u64 {
    let mut doc = Document { text: text.to_owned(), ..Document::default() };
    if stage.judge(&mut doc) == Verdict::Keep { u64::from(doc.token_count.unwrap_or(0)) } else { 0 }
}
