//! Documents that repeat a benchmark are left out: a model that has read the test says nothing by passing it.
//!
//! A document repeats an item if it has one run of n words of it, in whatever case and with whatever signs between them (n = 13 as in
//! Brown et al. 2020, "Language Models are Few-Shot Learners", appendix C). Items of fewer words are not looked for, and are counted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::PackError;
use crate::doc::DocId;
use crate::store;

/// Largest file of a benchmark.
const BENCHMARK_BYTES_MAX: u64 = 256 << 20;

/// What the record says of a benchmark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Benchmark {
    /// Name of the file, without its folder.
    pub file: String,
    /// SHA-256, hex.
    pub sha256: String,
    /// Items that are looked for.
    pub items: u64,
    /// Items with too few words.
    pub short_items: u64,
    /// Documents that were left out for it.
    pub documents: u64,
}

/// One line of `left-out.jsonl`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeftOut {
    /// The document.
    pub(super) doc_id: DocId,
    /// The file of the benchmark.
    pub(super) file: String,
    /// The line of the item, from 1.
    pub(super) line: u32,
}

/// The runs of words of all benchmarks.
#[derive(Clone, Debug, Default)]
pub(super) struct Benchmarks {
    words: usize,
    runs: BTreeMap<u64, (usize, u32)>,
    pub(super) all: Vec<Benchmark>,
}

impl Benchmarks {
    /// Reads files with an item a line: JSON with "text", or plain text.
    pub(super) fn read(paths: &[PathBuf], words: u32) -> Result<Benchmarks, PackError> {
        let mut benchmarks = Benchmarks { words: words as usize, ..Benchmarks::default() };
        for path in paths {
            benchmarks.add(path)?;
        }
        Ok(benchmarks)
    }

    fn add(&mut self, path: &Path) -> Result<(), PackError> {
        let bytes = std::fs::metadata(path).map_err(PackError::io(path))?.len();
        if bytes > BENCHMARK_BYTES_MAX {
            let value = format!("{} with {bytes} bytes", path.display());
            return Err(PackError::Setting { setting: "--decontaminate", value, what: "split it into files of at most 256 MiB" });
        }
        let text = std::fs::read_to_string(path).map_err(PackError::io(path))?;
        let (file, place) = (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), self.all.len());
        let mut benchmark = Benchmark { file, sha256: store::sha256_file(path)?, items: 0, short_items: 0, documents: 0 };
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let json = serde_json::from_str::<serde_json::Value>(line).ok();
            let item = json.as_ref().and_then(|json| json.get("text")?.as_str()).unwrap_or(line);
            let mut is_short = true;
            for run in runs(item, self.words) {
                self.runs.entry(run).or_insert((place, number));
                is_short = false;
            }
            *(if is_short { &mut benchmark.short_items } else { &mut benchmark.items }) += 1;
        }
        self.all.push(benchmark);
        Ok(())
    }

    /// Counts the document if it repeats an item, and says which.
    pub(super) fn repeats(&mut self, doc_id: DocId, text: &str) -> Option<LeftOut> {
        if self.runs.is_empty() {
            return None;
        }
        let (place, line) = runs(text, self.words).find_map(|run| self.runs.get(&run).copied())?;
        self.all[place].documents += 1;
        Some(LeftOut { doc_id, file: self.all[place].file.clone(), line })
    }
}

/// Hashes of all runs of `count` words.
fn runs(text: &str, count: usize) -> impl Iterator<Item = u64> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<[u8; 8]> = words.map(|word| xxh3_64(word.to_lowercase().as_bytes()).to_le_bytes()).collect();
    let last = (words.len() + 1).saturating_sub(count);
    (0..last).map(move |at| xxh3_64(words[at..at + count].as_flattened()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_words_is_found_whatever_stands_between_them_and_a_shorter_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("quiz.jsonl");
        std::fs::write(&path, "{\"text\": \"Kuris upė teka per Kauną ir Vilnių?\"}\nper trumpas\n").expect("room");
        let mut benchmarks = Benchmarks::read(&[path], 5).expect("a sound file");
        let mut line = |text: &str| benchmarks.repeats(DocId(1), text).map(|found| found.line);
        assert_eq!(line("Klausė: «UPĖ – teka per KAUNĄ, ir» daugiau nieko."), Some(1));
        assert_eq!(line("upė teka per Kauną"), None);
        assert_eq!(line("upė teka per Kauną bet"), None);
        assert_eq!((benchmarks.all[0].items, benchmarks.all[0].short_items, benchmarks.all[0].documents), (1, 1, 1));
    }
}
