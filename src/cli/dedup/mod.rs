//! `tamis dedup`: finds duplicates in JSONL or Parquet and says for every document which one of its cluster stays.
//!
//! It holds signatures, never texts: some 400 bytes a document, so that a machine with 16 GB takes about 35 million documents. Texts wait
//! in a temporary file, so that pairs which look alike by their sketches are judged by all their shingles.

mod earlier;
mod read;
mod texts;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroU32;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde::{Deserialize, Serialize};

use super::exit::Exit;
use crate::dedup::against::{Repeat, find_clusters_against};
use crate::dedup::clusters::Member;
use crate::dedup::index::Index;
use crate::dedup::memory::{SignedText, between, estimated};
use crate::dedup::settings::{DedupSettings, Near};
use crate::dedup::sign::Signer;
use crate::doc::DocId;

use read::{Document, Reader};
use texts::Texts;

/// Arguments of `tamis dedup`.
#[derive(Debug, Args)]
pub struct DedupArgs {
    /// JSONL (plain, .gz, .zst) or .parquet with `id` and `text`, and `lang` if documents of different languages shall not be compared;
    /// JSONL on standard input if none
    files: Vec<PathBuf>,
    /// What earlier documents must not be repeated: a data set (WORKSPACE/data/NAME) or its index (WORKSPACE/_tamis/index/NAME). A
    /// document that repeats one has that one as `winner` and `cluster`. Preset, shingles and seed are then the index's
    #[arg(long, value_name = "INDEX")]
    against: Option<PathBuf>,
    /// How near-duplicates are looked for: wide (16 bands x 7 rows; the default), fineweb (14 x 8), strict (20 x 13), loose (22 x 5), loosest (28 x 4), or off
    #[arg(long, value_name = "PRESET", value_parser = near)]
    near: Option<Near>,
    /// Least Jaccard similarity of near-duplicates
    #[arg(long, value_name = "SHARE", default_value_t = DedupSettings::default().jaccard_min, value_parser = share)]
    jaccard_min: f32,
    /// Words in a shingle [default: 5]
    #[arg(long, value_name = "WORDS")]
    shingle_words: Option<NonZeroU32>,
    /// Whether pairs are judged by all their shingles; else, and against an index, by the estimate of their sketches alone
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    verify: bool,
}

fn near(name: &str) -> Result<Near, String> {
    if name == "off" {
        Ok(Near::Off)
    } else {
        Near::named(name).ok_or_else(|| "there are wide, fineweb, strict, loose, loosest and off".to_owned())
    }
}

fn share(text: &str) -> Result<f32, String> {
    text.parse().ok().filter(|value| (0.0..=1.0).contains(value)).ok_or_else(|| "a number from 0 to 1 is wanted".to_owned())
}

/// An id as it stands in the input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged, expecting = "`id` as a text or a whole number")]
enum Id {
    Number(i64),
    Text(String),
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a Id,
    cluster: &'a Id,
    winner: &'a Id,
    size: u32,
}

impl DedupArgs {
    /// What the flags ask for, where no index has the word.
    fn settings(&self) -> DedupSettings {
        let default = DedupSettings { jaccard_min: self.jaccard_min, ..DedupSettings::default() };
        let (near, shingle_words) = (self.near.unwrap_or(default.near), self.shingle_words.unwrap_or(default.shingle_words));
        DedupSettings { near, shingle_words, ..default }
    }
}

/// Reads all documents, then writes `{"id","cluster","winner","size"}` for each, in the order of the input. The longest text of a
/// cluster stays, of equally long ones that with the smallest id; the smallest id names the cluster. What repeats a document of the index
/// that is given has that one as both.
///
/// # Errors
/// When an input cannot be read or the output not be written.
pub fn dedup(args: DedupArgs) -> anyhow::Result<Exit> {
    let (index, settings) = match &args.against {
        Some(path) => earlier::open(path, &args)?,
        None => (Index::none(), args.settings()),
    };
    let mut desk = Desk::new(&settings, args.verify)?;
    let mut reader = Reader::default();
    if args.files.is_empty() {
        reader.jsonl("standard input", Box::new(std::io::stdin()), &mut |document| desk.take(document))?;
    }
    for path in &args.files {
        let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
        let name = path.display().to_string();
        match path.extension().is_some_and(|ending| ending == "parquet") {
            true => reader.parquet(&name, file, &mut |document| desk.take(document))?,
            false => reader.jsonl(&name, Box::new(file), &mut |document| desk.take(document))?,
        }
    }
    desk.answer(&settings, &index, BufWriter::with_capacity(1 << 18, std::io::stdout().lock()))?;
    if reader.bad == 0 {
        return Ok(Exit::Done);
    }
    eprintln!("{} parts of the input were no documents and are left out", reader.bad);
    Ok(Exit::Quarantined)
}

/// What is held of the documents.
struct Desk {
    signer: Signer,
    texts: Option<Texts>,
    ids: Vec<Id>,
    signed: Vec<SignedText>,
}

impl Desk {
    fn new(settings: &DedupSettings, verify: bool) -> anyhow::Result<Desk> {
        let texts = if verify && settings.near != Near::Off { Some(Texts::new()?) } else { None };
        Ok(Desk { signer: Signer::new(settings), texts, ids: Vec::new(), signed: Vec::new() })
    }

    fn take(&mut self, document: Document<'_>) -> anyhow::Result<()> {
        if let Some(texts) = &mut self.texts {
            texts.push(&document.text)?;
        }
        let signature = self.signer.sign(&document.text);
        let (rank, lang) = (document.text.len() as u64, document.lang);
        self.signed.push(SignedText { id: DocId(0), occurrence: 0, rank, lang, signature });
        self.ids.push(document.id);
        Ok(())
    }

    fn answer(mut self, settings: &DedupSettings, index: &Index, out: impl Write) -> anyhow::Result<()> {
        let mut by_id: Vec<u32> = (0..self.ids.len() as u32).collect();
        by_id.sort_by(|a, b| self.ids[*a as usize].cmp(&self.ids[*b as usize]));
        for (place, position) in by_id.iter().zip(0..) {
            self.signed[*place as usize].id = DocId(position);
        }
        let found = match &mut self.texts {
            Some(texts) => {
                texts.ready()?;
                let near = |a, b| texts.similar((a, b), between(&self.signed, a, b), settings.jaccard_min, &self.signer);
                find_clusters_against::<anyhow::Error>(settings, &self.signed, index, near)?
            }
            None => find_clusters_against::<anyhow::Error>(settings, &self.signed, index, estimated(settings, &self.signed))?,
        };
        self.write(&by_id, found, out).context("cannot write the answers")
    }

    /// Writes an answer for each document. `by_id` is the order of their ids, which members name them by.
    fn write(&self, by_id: &[u32], (members, repeats): (Vec<Member>, Vec<Repeat>), mut out: impl Write) -> anyhow::Result<()> {
        let (mut members, mut repeats) = (members.into_iter().peekable(), repeats.into_iter().peekable());
        let named = |position: DocId| &self.ids[by_id[position.0 as usize] as usize];
        for (place, id) in (0..).zip(&self.ids) {
            let member = members.next_if(|member| member.place == place);
            let earlier = repeats.next_if(|repeat| repeat.place == place).map(|repeat| (Id::Text(repeat.winner.to_string()), repeat.size));
            let answer = match (&earlier, member) {
                (Some((winner, size)), _) => Answer { id, cluster: winner, winner, size: *size },
                (None, Some(member)) => Answer { id, cluster: named(member.cluster), winner: named(member.winner), size: member.size },
                (None, None) => Answer { id, cluster: id, winner: id, size: 1 },
            };
            serde_json::to_writer(&mut out, &answer)?;
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "Dün sabah limana inen yolda, eski fenerin altında, kimsenin beklemediği bir gemi demir attı ve sessizce bekledi";

    fn answers_by(lines: &[&str], settings: &DedupSettings, verify: bool) -> (String, u64) {
        let mut desk = Desk::new(settings, verify).unwrap();
        let mut reader = Reader::default();
        let bytes = std::io::Cursor::new(lines.join("\n").into_bytes());
        reader.jsonl("test", Box::new(bytes), &mut |document| desk.take(document)).unwrap();
        let mut out = Vec::new();
        desk.answer(settings, &Index::none(), &mut out).unwrap();
        (String::from_utf8(out).unwrap(), reader.bad)
    }

    fn answers(lines: &[&str]) -> (String, u64) {
        answers_by(lines, &DedupSettings::default(), true)
    }

    #[test]
    fn every_document_is_answered_in_order_and_the_longest_stays() {
        let (a, b) = (format!(r#"{{"id":"a","text":"{PATH}"}}"#), format!(r#"{{"id":"b","text":"{PATH}!"}}"#));
        let (out, bad) = answers(&[&b, r#"{"id":7,"text":""}"#, &a, "", r#"{"id":8,"text":""}"#]);
        let expected = [
            r#"{"id":"b","cluster":"a","winner":"b","size":2}"#,
            r#"{"id":7,"cluster":7,"winner":7,"size":1}"#,
            r#"{"id":"a","cluster":"a","winner":"b","size":2}"#,
            r#"{"id":8,"cluster":8,"winner":8,"size":1}"#,
        ];
        assert_eq!((out.lines().collect::<Vec<_>>(), bad), (expected.to_vec(), 0));
    }

    #[test]
    fn lines_that_are_no_documents_are_counted_and_the_rest_goes_on() {
        let (out, bad) = answers(&["{", r#"{"id":"a"}"#, r#"{"id":"b","text":"Tere"}"#, "\u{0}", r#"{"id":[1],"text":""}"#]);
        assert_eq!((out.as_str(), bad), ("{\"id\":\"b\",\"cluster\":\"b\",\"winner\":\"b\",\"size\":1}\n", 4));
    }

    #[test]
    fn near_duplicates_of_different_languages_are_left_apart() {
        let line = |id: u8, lang: &str, end: &str| format!(r#"{{"id":{id},"text":"{PATH}{end}","lang":"{lang}"}}"#);
        let (out, _) = answers(&[&line(1, "tr", "."), &line(2, "az", "!"), &line(3, "tr", "?")]);
        assert_eq!(out.matches("\"size\":2").count(), 2);
        assert!(out.contains(r#"{"id":2,"cluster":2,"#), "{out}");
    }

    #[test]
    fn a_pair_that_only_looks_alike_by_chance_is_told_apart_by_its_shingles() {
        let settings = DedupSettings { near: Near::Loose, jaccard_min: 0.62, ..DedupSettings::default() };
        // 16 of 22 shingles are common to both: 0.727; an estimate from 110 values is more than 0.05 off every fourth time.
        let words: Vec<String> = (0..24).map(|n| format!("ord{n}")).collect();
        let (mut near, mut far) = (words.clone(), words.clone());
        near[23] = "slut".to_owned();
        far[12] = "mitt".to_owned();
        let line = |id: &str, words: &[String]| format!(r#"{{"id":"{id}","text":"{}"}}"#, words.join(" "));
        let lines = [line("a", &words), line("b", &near), line("c", &far)];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let (out, _) = answers_by(&lines, &settings, true);
        assert!(out.contains(r#"{"id":"b","cluster":"a","#), "0.905 is enough: {out}");
        assert!(out.contains(r#"{"id":"c","cluster":"c","#), "0.6 is not: {out}");
    }
}
