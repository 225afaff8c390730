//! `tamis dedup`: finds duplicates in JSONL and says for every document which one of its cluster stays.
//!
//! It holds signatures, never texts: some 500 bytes a document, so that a machine with 16 GB takes about 30 million documents.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::num::NonZeroU32;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde::{Deserialize, Serialize};

use super::exit::Exit;
use crate::dedup::clusters::find_clusters;
use crate::dedup::memory::SignedTexts;
use crate::dedup::settings::{DedupSettings, Near};
use crate::dedup::sign::Signer;
use crate::doc::{DocId, Signature};

/// Longest line that is read; a longer one is left out and told.
const LINE_BYTES_MAX: u64 = 256 << 20;

/// Bad lines that are told one by one.
const TOLD_MAX: u64 = 5;

/// Arguments of `tamis dedup`.
#[derive(Debug, Args)]
pub struct DedupArgs {
    /// JSONL with `id` and `text` a line, and `lang` if documents of different languages shall not be compared; standard input if none
    files: Vec<PathBuf>,
    /// How near-duplicates are looked for: wide (16 bands x 7 rows), fineweb (14 x 8), strict (20 x 13), loose (22 x 5), or off
    #[arg(long, value_name = "PRESET", default_value = "wide", value_parser = near)]
    near: Near,
    /// Least estimated Jaccard similarity of near-duplicates
    #[arg(long, value_name = "SHARE", default_value_t = DedupSettings::default().jaccard_min, value_parser = share)]
    jaccard_min: f32,
    /// Words in a shingle
    #[arg(long, value_name = "WORDS", default_value_t = DedupSettings::default().shingle_words)]
    shingle_words: NonZeroU32,
}

fn near(name: &str) -> Result<Near, String> {
    if name == "off" { Ok(Near::Off) } else { Near::named(name).ok_or_else(|| "there are wide, fineweb, strict, loose and off".to_owned()) }
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

#[derive(Deserialize)]
struct Line<'a> {
    id: Id,
    #[serde(borrow)]
    text: std::borrow::Cow<'a, str>,
    #[serde(default)]
    lang: Option<String>,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a Id,
    cluster: &'a Id,
    winner: &'a Id,
    size: u32,
}

/// A document without its text.
struct Signed {
    id: Id,
    bytes: u64,
    lang: u16,
    signature: Signature,
}

/// Reads all documents, then writes `{"id","cluster","winner","size"}` for each, in the order of the input. The longest text of a
/// cluster stays, of equally long ones that with the smallest id; the smallest id names the cluster.
///
/// # Errors
/// When an input cannot be read or the output not be written.
pub fn dedup(args: DedupArgs) -> anyhow::Result<Exit> {
    let settings =
        DedupSettings { near: args.near, jaccard_min: args.jaccard_min, shingle_words: args.shingle_words, ..DedupSettings::default() };
    let mut reader = Reader { signer: Signer::new(&settings), languages: BTreeMap::new(), signed: Vec::new(), bad_lines: 0 };
    if args.files.is_empty() {
        reader.read("standard input", std::io::stdin().lock())?;
    }
    for path in &args.files {
        let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
        reader.read(&path.display().to_string(), BufReader::with_capacity(1 << 18, file))?;
    }
    answer(&settings, reader.signed, BufWriter::with_capacity(1 << 18, std::io::stdout().lock())).context("cannot write the answers")?;
    if reader.bad_lines == 0 {
        return Ok(Exit::Done);
    }
    eprintln!("{} lines were no documents and are left out", reader.bad_lines);
    Ok(Exit::Quarantined)
}

struct Reader {
    signer: Signer,
    languages: BTreeMap<String, u16>,
    signed: Vec<Signed>,
    bad_lines: u64,
}

impl Reader {
    fn read(&mut self, name: &str, mut input: impl BufRead) -> anyhow::Result<()> {
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let taken = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line).with_context(|| format!("cannot read {name}"))?;
            if taken == 0 {
                break;
            }
            let cut = taken as u64 == LINE_BYTES_MAX && line.last() != Some(&b'\n');
            if cut {
                input.skip_until(b'\n').with_context(|| format!("cannot read {name}"))?;
                self.refuse(name, number, "it is longer than 256 MiB");
            } else if !line.trim_ascii().is_empty() {
                match serde_json::from_slice(&line) {
                    Ok(document) => self.sign(document),
                    Err(why) => self.refuse(name, number, &why.to_string()),
                }
            }
        }
        Ok(())
    }

    fn sign(&mut self, line: Line<'_>) {
        let fresh = self.languages.len() as u16;
        let lang = line.lang.map_or(u16::MAX, |lang| *self.languages.entry(lang).or_insert(fresh));
        self.signed.push(Signed { id: line.id, bytes: line.text.len() as u64, lang, signature: self.signer.sign(&line.text) });
    }

    fn refuse(&mut self, name: &str, number: u64, why: &str) {
        self.bad_lines += 1;
        if self.bad_lines <= TOLD_MAX {
            eprintln!("{name}, line {number}: {why}");
        }
    }
}

fn answer(settings: &DedupSettings, signed: Vec<Signed>, mut out: impl Write) -> std::io::Result<()> {
    let mut by_id: Vec<u32> = (0..signed.len() as u32).collect();
    by_id.sort_by(|a, b| signed[*a as usize].id.cmp(&signed[*b as usize].id));
    let mut order = vec![0; signed.len()];
    for (position, place) in by_id.iter().enumerate() {
        order[*place as usize] = position as u128;
    }
    let (mut ids, mut texts) = (Vec::with_capacity(signed.len()), SignedTexts::default());
    for (document, position) in signed.into_iter().zip(order) {
        texts.push((DocId(position), 0), document.bytes, document.lang, document.signature);
        ids.push(document.id);
    }
    let Ok(mut members) = find_clusters(settings, &texts);
    members.sort_unstable_by_key(|member| member.place);
    let mut members = members.into_iter().peekable();
    for (place, id) in (0..).zip(&ids) {
        let answer = match members.next_if(|member| member.place == place) {
            Some(member) => Answer {
                id,
                cluster: &ids[by_id[member.cluster.0 as usize] as usize],
                winner: &ids[member.winner_place as usize],
                size: member.size,
            },
            None => Answer { id, cluster: id, winner: id, size: 1 },
        };
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "Dün sabah limana inen yolda, eski fenerin altında, kimsenin beklemediği bir gemi demir attı ve sessizce bekledi";

    fn answers(lines: &[&str]) -> (String, u64) {
        let settings = DedupSettings::default();
        let mut reader = Reader { signer: Signer::new(&settings), languages: BTreeMap::new(), signed: Vec::new(), bad_lines: 0 };
        reader.read("test", lines.join("\n").as_bytes()).unwrap();
        let mut out = Vec::new();
        answer(&settings, reader.signed, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), reader.bad_lines)
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
}
