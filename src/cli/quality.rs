//! `tamis quality`: makes a model of a learned quality score, says how well it does beside the rules, and shows what one was made from.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use comfy_table::CellAlignment;

use super::exit::Exit;
use super::table::plain;
use crate::quality::heaps::Parting;
use crate::quality::make::{Made, Training, judge, make, told};
use crate::size::{ByteSize, grouped};
use crate::stages::learned::head::{Evaluation, OfLanguage};
use crate::stages::learned::model::Model;
use crate::store;
use crate::texts::Texts;

/// From here on length alone tells the heaps apart so well that a model may have learned little else.
const LENGTH_TELLS: f64 = 0.8;
/// Bits of the number of buckets: 4 KiB to 4 MiB a language, below the 5 MB that one may take.
const BITS: std::ops::RangeInclusive<u32> = 12..=22;
/// A larger file is no model: all languages with all buckets have less.
const MODEL_BYTES_MAX: u64 = 1 << 30;

/// Arguments of `tamis quality`.
#[derive(Debug, Args)]
pub struct QualityArgs {
    #[command(subcommand)]
    verb: QualityVerb,
}

#[derive(Debug, Subcommand)]
enum QualityVerb {
    /// Makes a score from good and bad texts, and says how it does on those held out, beside the rules
    Train(Train),
    /// Says how a model does on other good and bad texts, beside the rules
    Evaluate(Evaluate),
    /// Shows what a model was made from, and how it did
    Show(Show),
}

#[derive(Debug, Args)]
struct Named {
    /// Good texts: JSON lines with "text" and "lang" (.jsonl, also packed), shards or rejects of a data set, .txt files of one text each, or folders of these
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    good: Vec<PathBuf>,
    /// Bad texts, in the same forms
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    bad: Vec<PathBuf>,
    /// The language of all documents; left out, each document's own
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
    /// Text that is looked at, of the good and of the bad; larger heaps are sampled. Memory is some three times as much
    #[arg(long, value_name = "SIZE", default_value = "64 MiB")]
    sample: ByteSize,
    /// Leaves out texts that are among the good and the bad ones; else they are an error
    #[arg(long)]
    leave_out_both: bool,
    /// Writes JSON
    #[arg(long)]
    json: bool,
}

impl Named {
    fn texts(&self) -> Result<(Texts, Texts)> {
        Ok((Texts::open(&self.good)?, Texts::open(&self.bad)?))
    }

    fn parting(&self) -> Result<Parting> {
        let is_tag =
            |tag: &str| tag.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if let Some(tag) = self.lang.as_deref().filter(|tag| !is_tag(tag)) {
            anyhow::bail!("`{tag}` is no language tag; write for example `--lang fi` or `--lang sr-Latn`");
        }
        Ok(Parting {
            lang: self.lang.clone(),
            hold_out: 0.1,
            sites_apart: false,
            leaves_out_both: self.leave_out_both,
            sample_bytes: self.sample.0,
            buckets: 1 << BITS.start(),
        })
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Documents of one site are alike, so hold sites apart where documents have addresses: without that, figures are too good. \
Use the model with stage learned-quality: model = \"FILE\", min_score = .."
)]
struct Train {
    #[command(flatten)]
    named: Named,
    /// Where the model goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A model whose other languages are taken along
    #[arg(long, value_name = "MODEL")]
    with: Option<PathBuf>,
    /// Share of the documents that are held out to be judged by; as many calibrate
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    hold_out: f64,
    /// Learns from, calibrates by and judges by documents of different sites
    #[arg(long)]
    sites_apart: bool,
    /// Leaves out languages with fewer good or bad documents
    #[arg(long, value_name = "N", default_value_t = 200)]
    documents_min: u64,
    /// Weights of a language: 2 to this power, of a byte each
    #[arg(long, value_name = "N", default_value_t = 20)]
    bits: u32,
    /// What the model shall say of its texts, for example their licence
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

#[derive(Debug, Args)]
struct Evaluate {
    /// A model that `tamis quality train` wrote
    model: PathBuf,
    #[command(flatten)]
    named: Named,
}

#[derive(Debug, Args)]
struct Show {
    /// A model that `tamis quality train` wrote
    model: PathBuf,
    /// Writes the model's head as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `tamis quality`.
///
/// # Errors
/// When documents or a model cannot be read, or documents cannot be learned from.
pub fn quality(args: &QualityArgs) -> Result<Exit> {
    match &args.verb {
        QualityVerb::Train(args) => train(args),
        QualityVerb::Evaluate(args) => evaluate(args),
        QualityVerb::Show(args) => show(args),
    }
}

fn train(args: &Train) -> Result<Exit> {
    ensure!(BITS.contains(&args.bits), "--bits is from {} to {}, and {} is not", BITS.start(), BITS.end(), args.bits);
    ensure!((0.01..=0.4).contains(&args.hold_out), "--hold-out is a share from 0.01 to 0.4, and {} is not", args.hold_out);
    let parting = Parting { hold_out: args.hold_out, sites_apart: args.sites_apart, buckets: 1 << args.bits, ..args.named.parting()? };
    let training = Training { parting, documents_min: args.documents_min, note: args.note.clone() };
    let earlier = args.with.as_deref().map(open).transpose()?;
    let (good, bad) = args.named.texts()?;
    let Made { languages, left_out, repeated, empty, both } = make(&good, &bad, &training)?;
    told(&left_out, args.documents_min).iter().for_each(|why| eprintln!("left out: {why}"));
    for (documents, why) in [(repeated, "that were there before"), (empty, "without a word"), (both, "called good and bad")] {
        if documents > 0 {
            eprintln!("left out: documents {why}: {}", grouped(documents));
        }
    }
    for (language, _) in &languages {
        warn(&language.lang, &language.evaluation);
    }
    let learned: Vec<OfLanguage> = languages.iter().map(|(language, _)| language.clone()).collect();
    let taken = earlier.map(Model::into_languages).unwrap_or_default().into_iter();
    let others: Vec<_> = taken.filter(|(known, _)| learned.iter().all(|new| new.lang != known.lang)).collect();
    let bytes = Model::of(languages.into_iter().chain(others).collect()).to_bytes()?;
    store::write_over(&args.out, &bytes)?;
    if args.named.json {
        println!(
            "{}",
            serde_json::json!({"file": args.out, "bytes": bytes.len(), "sha256": store::sha256_bytes(&bytes), "languages": learned})
        );
        return Ok(Exit::Done);
    }
    learned.iter().for_each(tell);
    let (out, size) = (args.out.display(), ByteSize(bytes.len() as u64));
    eprintln!("wrote {out} ({size}); use it with stage learned-quality: model = \"{out}\", min_score = ..");
    Ok(Exit::Done)
}

fn evaluate(args: &Evaluate) -> Result<Exit> {
    let model = open(&args.model)?;
    let (good, bad) = args.named.texts()?;
    let (judged, unknown) = judge(&model, &good, &bad, &args.named.parting()?)?;
    if !unknown.is_empty() {
        eprintln!("left out: the model does not know {}", unknown.join(", "));
    }
    for (lang, evaluation) in &judged {
        if args.named.json {
            println!("{}", serde_json::json!({"lang": lang, "evaluation": evaluation}));
            continue;
        }
        warn(lang, evaluation);
        println!("{lang}\n{}", figures(evaluation));
    }
    Ok(Exit::Done)
}

fn show(args: &Show) -> Result<Exit> {
    let model = open(&args.model)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&model.head)?);
        return Ok(Exit::Done);
    }
    for language in &model.head.languages {
        tell(language);
        for heap in &language.inputs {
            let kind = if heap.good { "good" } else { "bad" };
            println!("    {kind} {} {} {}", heap.sha256, ByteSize(heap.bytes), heap.name);
        }
    }
    Ok(Exit::Done)
}

fn open(path: &Path) -> Result<Model> {
    let cannot = || format!("cannot read the model `{}`", path.display());
    let length = std::fs::metadata(path).with_context(cannot)?.len();
    ensure!(length <= MODEL_BYTES_MAX, "cannot read the model `{}`: it has more than 1 GiB, so it is no model", path.display());
    let bytes = std::fs::read(path).with_context(cannot)?;
    Model::read(&bytes).with_context(cannot)
}

fn warn(lang: &str, evaluation: &Evaluation) {
    let (area, error) = (evaluation.auc, evaluation.auc_error);
    if area - 2.0 * error <= 0.5 {
        eprintln!(
            "note: `{lang}`: on documents that were held out the score does no better than chance (area {area:.2} ± {error:.2}); do not use it, and give \
             more documents, good and bad ones of the same kinds of sites"
        );
    }
    let length = evaluation.auc_of_length;
    if length > LENGTH_TELLS {
        eprintln!(
            "note: `{lang}`: length alone tells good from bad (area {length:.2}), so the score may have learned little else; take heaps of like lengths"
        );
    }
}

fn tell(language: &OfLanguage) {
    let OfLanguage { lang, buckets, note, good, bad, evaluation, .. } = language;
    println!("{lang}  {} good and {} bad documents, {} of weights", grouped(*good), grouped(*bad), ByteSize(u64::from(*buckets)));
    if !note.is_empty() {
        println!("    {note}");
    }
    println!("{}", figures(evaluation));
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Figures of documents held out, for people.
fn figures(evaluation: &Evaluation) -> String {
    let Evaluation { good, bad, auc, auc_error, auc_of_length, precision, recall, bad_dropped, rules, limits } = evaluation;
    let mut told = format!(
        "    held out: {} good, {} bad documents\n    area under the curve {auc:.3} (standard error {auc_error:.3}); by length alone {auc_of_length:.3}\n    \
         at 0.5: precision {}, recall {}, {} of the bad dropped\n",
        grouped(*good),
        grouped(*bad),
        percent(*precision),
        percent(*recall),
        percent(*bad_dropped),
    );
    let mut table = plain(&["    rules", "good kept", "bad dropped", "the score, keeping as many good, drops"]);
    for of in rules {
        table.add_row([format!("    {}", of.room), percent(of.good_kept), percent(of.bad_dropped), percent(of.score_drops)]);
    }
    let mut at = plain(&["    min_score", "good kept", "bad dropped"]);
    for limit in limits {
        at.add_row([format!("    {}", limit.min_score), percent(limit.good_kept), percent(limit.bad_dropped)]);
    }
    for table in [&mut table, &mut at] {
        table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        told.push_str(&format!("{table}\n"));
    }
    told
}
