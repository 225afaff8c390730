//! Paragraphs that recur on many pages of a host: menus that extraction left, legal notices, invitations to subscribe.
//!
//! A paragraph is a line of a document's text. Each page adds a key for each of its paragraphs, made of host and paragraph; keys that
//! enough pages of the run have are cut where documents are written. This is a step of its own beside duplicates of whole documents,
//! which are judged by their whole text.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::doc::Document;
use crate::sink::{Output, OutputKind, SinkError};
use crate::stage::Verdict;

use super::columns::{Column, ColumnError, ColumnFile, ColumnWriter};
use super::decide::DecideError;
use super::normalise::fold_white_space;
use super::sorter::Sorter;

/// Reason of a document of which nothing is left.
pub const ONLY_RECURRING: &str = "only-recurring-paragraphs";
/// Name of the file of paragraphs to cut.
pub const RECURRING_FILE: &str = "recurring.paragraphs";

/// How keys are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    seed: u64,
}

fn columns() -> Vec<Column> {
    vec![Column::new("key", 8)]
}

/// The key of a paragraph on a host; none for one without any visible character.
fn key(host: &str, paragraph: &str, seed: u64) -> Option<u64> {
    let folded = fold_white_space(paragraph);
    let bytes = [host.as_bytes(), b"\0", &folded].concat();
    if folded.is_empty() { None } else { Some(xxh3_64_with_seed(&bytes, seed)) }
}

/// Writes the keys of a task's paragraphs.
#[derive(Debug)]
pub struct ParagraphSink {
    writer: ColumnWriter,
    seed: u64,
}

impl ParagraphSink {
    /// Begins a file at `path` of keys that are keyed by `seed`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path, seed: u64) -> Result<ParagraphSink, SinkError> {
        Ok(ParagraphSink { writer: ColumnWriter::create(path, columns())?, seed })
    }

    /// Takes the paragraphs of `doc`, equal ones once.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, doc: &Document) -> Result<(), SinkError> {
        let mut keys: Vec<u64> = doc.text.lines().filter_map(|paragraph| key(&doc.host, paragraph, self.seed)).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            self.writer.set(0, &key.to_le_bytes());
            self.writer.end_row()?;
        }
        Ok(())
    }

    /// Ends the file, flushes it to disk and describes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(self) -> Result<Output, SinkError> {
        self.writer.finish(OutputKind::Paragraphs, &About { seed: self.seed })
    }
}

/// Finds the keys that at least `pages_min` pages have, and writes them in order to `out_dir`, holding at most `bytes_max` in memory.
///
/// # Errors
/// When a file cannot be read or is damaged, or the keys cannot be written.
pub fn find_recurring(files: &[PathBuf], pages_min: u32, seed: u64, out_dir: &Path, bytes_max: usize) -> Result<Output, DecideError> {
    let mut sorter = Sorter::new(out_dir, "paragraphs", bytes_max);
    for path in files {
        for_each_key::<DecideError>(path, |key| Ok(sorter.push((key, 0))?))?;
    }
    let mut writer = ColumnWriter::create(&out_dir.join(RECURRING_FILE), columns())?;
    let mut sorted = sorter.finish()?;
    while let Some((key, _)) = sorted.pull()? {
        let mut pages = 1_u32;
        while sorted.peek().is_some_and(|(next, _)| next == key) {
            sorted.pull()?;
            pages = pages.saturating_add(1);
        }
        if pages >= pages_min {
            writer.set(0, &key.to_le_bytes());
            writer.end_row()?;
        }
    }
    Ok(writer.finish(OutputKind::RecurringParagraphs, &About { seed })?)
}

fn for_each_key<E: From<ColumnError>>(path: &Path, mut each: impl FnMut(u64) -> Result<(), E>) -> Result<(), E> {
    let file = ColumnFile::<About>::open(path)?;
    file.expect_columns(&columns())?;
    for block in 0..file.blocks().len() {
        file.read(0, block)?.as_chunks().0.iter().try_for_each(|key| each(u64::from_le_bytes(*key)))?;
    }
    Ok(())
}

/// The paragraphs to cut: 8 bytes each.
#[derive(Debug, Default)]
pub struct Recurring {
    keys: Vec<u64>,
    seed: u64,
}

impl Recurring {
    /// Reads the keys at `path`.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub fn load(path: &Path) -> Result<Recurring, ColumnError> {
        let mut recurring = Recurring { keys: Vec::new(), seed: ColumnFile::<About>::open(path)?.about().seed };
        for_each_key::<ColumnError>(path, |key| {
            recurring.keys.push(key);
            Ok(())
        })?;
        Ok(recurring)
    }

    /// Cuts the recurring paragraphs of `doc`; drops it if nothing is left.
    pub fn judge(&self, doc: &mut Document) -> Verdict {
        let recurs = |paragraph: &str| key(&doc.host, paragraph, self.seed).is_some_and(|key| self.keys.binary_search(&key).is_ok());
        if self.keys.is_empty() || !doc.text.lines().any(recurs) {
            return Verdict::Keep;
        }
        let left: Vec<&str> = doc.text.lines().filter(|paragraph| !recurs(paragraph)).collect();
        let text = left.join("\n").trim().to_owned();
        doc.text = text;
        if doc.text.is_empty() { Verdict::drop(ONLY_RECURRING) } else { Verdict::Keep }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(host: &str, text: &str) -> Document {
        Document { host: host.to_owned(), text: text.to_owned(), ..Document::default() }
    }

    fn recurring(pages: &[Document], pages_min: u32, bytes_max: usize) -> Recurring {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().join("a"), folder.path().join("b")];
        for (path, pages) in paths.iter().zip(pages.chunks(pages.len().div_ceil(2))) {
            let mut sink = ParagraphSink::create(path, 5).unwrap();
            pages.iter().for_each(|page| sink.write(page).unwrap());
            sink.finish().unwrap();
        }
        find_recurring(&paths, pages_min, 5, folder.path(), bytes_max).unwrap();
        Recurring::load(&folder.path().join(RECURRING_FILE)).unwrap()
    }

    #[test]
    fn what_stands_on_many_pages_of_a_host_is_cut_there_and_nowhere_else() {
        let notice = "Kõik õigused kaitstud";
        let mut pages: Vec<Document> = (0..6).map(|n| page("a.ee", &format!("Uudis number {n}\n{notice}\nLõpp {n}"))).collect();
        pages.push(page("b.ee", notice));
        for bytes_max in [1 << 20, 1] {
            let recurring = recurring(&pages, 6, bytes_max);
            let mut first = pages[0].clone();
            assert_eq!(recurring.judge(&mut first), Verdict::Keep);
            assert_eq!(first.text, "Uudis number 0\nLõpp 0");
            let mut other = pages[6].clone();
            assert_eq!((recurring.judge(&mut other), other.text.as_str()), (Verdict::Keep, notice));
            let mut bare = page("a.ee", "Kõik  õigused kaitstud\n\n");
            assert_eq!(recurring.judge(&mut bare), Verdict::drop(ONLY_RECURRING));
        }
    }

    #[test]
    fn a_page_counts_once_and_empty_lines_are_no_paragraphs() {
        let pages = [page("a.lv", "Lasīt vairāk\nLasīt vairāk\n\n \nSākums"), page("a.lv", "\n\nLasīt vairāk")];
        assert!(recurring(&pages, 3, 1 << 20).keys.is_empty());
        assert_eq!(recurring(&pages, 2, 1 << 20).keys.len(), 1);
    }
}
