//! `tamis calibrate`: limits by language from a sample of documents whose signals were measured, as lines for a recipe.

use std::collections::BTreeMap;
use std::io::BufRead;

use anyhow::Context;
use clap::Args;
use serde::Deserialize;

use super::exit::Exit;
use crate::calibration::{Method, Proposal, Sample};

/// A longer line is no document.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// Arguments of `tamis calibrate`.
#[derive(Debug, Args)]
#[command(after_help = "Reads JSON lines with `lang` and `quality`, as `tamis pipe` writes them, of documents that should be kept: \
tamis pipe langid gopher-quality:rules=[] fineweb-quality:rules=[] repetition:rules=[] machine-made:rules=[] < good.jsonl | tamis calibrate. \
Prints lines for a recipe; `tamis decide` applies them to what was measured before.")]
pub struct CalibrateArgs {
    /// Share of the documents of a language that one rule may drop
    #[arg(long, value_name = "SHARE", default_value_t = Method::default().tail)]
    tail: f64,
    /// Proposes nothing for languages with fewer documents
    #[arg(long, value_name = "N", default_value_t = Method::default().documents_min)]
    documents_min: usize,
    /// How many times looser than for all languages a limit may become
    #[arg(long, value_name = "TIMES", default_value_t = Method::default().loosen_max)]
    loosen_max: f64,
    /// Proposes limits that are stricter than for all languages too
    #[arg(long)]
    tighten: bool,
    /// Prints a JSON object a proposal
    #[arg(long)]
    json: bool,
}

/// A document, of which only this is read.
#[derive(Deserialize)]
struct Measured {
    lang: Option<String>,
    #[serde(default)]
    quality: BTreeMap<String, Option<f32>>,
}

/// Proposes limits.
///
/// # Errors
/// A line that is no JSON object; settings that make no sense.
pub fn calibrate(args: &CalibrateArgs) -> anyhow::Result<Exit> {
    anyhow::ensure!((0.0..0.5).contains(&args.tail), "--tail is a share from 0 to 0.5, and {} is not", args.tail);
    anyhow::ensure!(args.loosen_max >= 1.0, "--loosen-max is 1 or more, and {} is not", args.loosen_max);
    let sample = read(&mut std::io::stdin().lock())?;
    let CalibrateArgs { tail, documents_min, loosen_max, tighten, .. } = *args;
    let proposals = sample.proposals(&Method { tail, documents_min, loosen_max, tighten });
    let mut room = "";
    for proposal in &proposals {
        if args.json {
            println!("{}", serde_json::to_string(proposal)?);
            continue;
        }
        if proposal.room != room {
            room = proposal.room;
            println!("# stage = \"{room}\"");
        }
        println!("{}", line_of(proposal));
    }
    if proposals.is_empty() {
        eprintln!("the limits in force fit the sample: nothing to propose for languages with {} documents or more", args.documents_min);
    }
    Ok(Exit::Done)
}

fn line_of(proposal: &Proposal) -> String {
    let Proposal { setting, lang, documents, limit, fall, proposed, would_fall, .. } = proposal;
    format!("languages.{lang}.{setting} = {proposed}  # {limit} drops {fall} of {documents}, this {would_fall}")
}

fn read(lines: &mut dyn BufRead) -> anyhow::Result<Sample> {
    let (mut sample, mut line) = (Sample::default(), String::new());
    for number in 1.. {
        line.clear();
        let read =
            std::io::Read::take(&mut *lines, LINE_BYTES_MAX).read_line(&mut line).with_context(|| format!("cannot read line {number}"))?;
        if read == 0 {
            break;
        }
        let Measured { lang, quality } =
            serde_json::from_str(&line).with_context(|| format!("line {number} is no JSON object as `tamis pipe` writes them"))?;
        let signals = quality.into_iter().filter_map(|(signal, value)| Some((signal, value?)));
        sample.add(lang.as_deref().unwrap_or("und"), signals);
    }
    Ok(sample)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposal_is_a_line_for_a_recipe_that_says_what_it_changes() {
        let lines: String =
            (0..120).map(|n| format!("{{\"text\":\"\",\"lang\":\"fy\",\"quality\":{{\"words\":{},\"other\":null}}}}\n", 45 + n)).collect();
        let sample = read(&mut lines.as_bytes()).expect("JSON lines");
        let told: Vec<String> = sample.proposals(&Method::default()).iter().map(line_of).collect();
        assert_eq!(told, ["languages.fy.words_min = 47  # 50 drops 5 of 120, this 2"]);
        assert!(read(&mut "nonsense\n".as_bytes()).is_err());
    }
}
