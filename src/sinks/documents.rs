//! Documents between two passes: one Parquet file a task, each row group of one language, so that a later task reads one language
//! without the others.
//!
//! Documents wait in one buffer a language. A row group is cut when its buffer is full, or, when all buffers together hold too much,
//! from the fullest one: both depend on the documents alone. The file is read once or twice and then deleted, so packing is quick.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parquet::basic::Compression;
use parquet::schema::types::ColumnPath;

use super::rows::{RowsFile, Wanted};
use super::{ParquetFile, plain_properties, with_encodings, zstd};
use crate::columns::{ColumnsError, DOCUMENT, from_batch};
use crate::doc::{Document, Lang};
use crate::sink::{Output, OutputKind, Sink, SinkError};

/// Documents in one row group. Small groups keep `emit` at little memory, large ones cost fewer column chunks.
const GROUP_DOCUMENTS_MAX: usize = 2_000;
/// Text in one row group, unless one document alone is larger.
const GROUP_TEXT_BYTES_MAX: usize = 2 << 20;
/// Text in all buffers together.
const BUFFERED_TEXT_BYTES_MAX: usize = 48 << 20;
/// Documents that one read answers at most.
const READ_DOCUMENTS_MAX: usize = 512;
/// The quickest level that still halves text: the file lives for minutes.
const ZSTD_LEVEL: i32 = 1;

/// Documents, or what stands for them, that wait until their row group is full.
pub struct Waiting<T> {
    buffers: BTreeMap<String, Buffer<T>>,
    bytes: usize,
}

struct Buffer<T> {
    items: Vec<T>,
    bytes: usize,
}

impl<T> Default for Waiting<T> {
    fn default() -> Waiting<T> {
        Waiting { buffers: BTreeMap::new(), bytes: 0 }
    }
}

impl<T> Waiting<T> {
    /// Adds an item of `bytes` (text, address and title) in language `lang`. Answers a row group if there is one to write now, with its language.
    pub fn add(&mut self, lang: &str, bytes: usize, item: T) -> Option<(String, Vec<T>)> {
        let buffer = self.buffers.entry(lang.to_owned()).or_insert_with(|| Buffer { items: Vec::new(), bytes: 0 });
        buffer.items.push(item);
        buffer.bytes += bytes;
        self.bytes += bytes;
        let full = buffer.items.len() >= GROUP_DOCUMENTS_MAX || buffer.bytes >= GROUP_TEXT_BYTES_MAX;
        match full {
            true => self.take(lang.to_owned()),
            false if self.bytes > BUFFERED_TEXT_BYTES_MAX => self.fullest().and_then(|lang| self.take(lang)),
            false => None,
        }
    }

    /// The row group of the first language that has items waiting.
    pub fn rest(&mut self) -> Option<(String, Vec<T>)> {
        let lang = self.buffers.keys().next()?.clone();
        self.take(lang)
    }

    fn take(&mut self, lang: String) -> Option<(String, Vec<T>)> {
        let buffer = self.buffers.remove(&lang)?;
        self.bytes -= buffer.bytes;
        Some((lang, buffer.items))
    }

    /// The language with most bytes waiting; the first tag among equals.
    fn fullest(&self) -> Option<String> {
        let mut fullest: Option<(&String, usize)> = None;
        for (lang, buffer) in &self.buffers {
            if fullest.is_none_or(|(_, bytes)| buffer.bytes > bytes) {
                fullest = Some((lang, buffer.bytes));
            }
        }
        fullest.map(|(lang, _)| lang.clone())
    }
}

/// Bytes by which a document counts in [`Waiting`].
#[must_use]
pub fn waiting_bytes(doc: &Document) -> usize {
    doc.text.len() + doc.url.len() + doc.title.as_ref().map_or(0, String::len)
}

/// Writes documents grouped by language.
pub struct DocumentsSink {
    file: ParquetFile,
    waiting: Waiting<Document>,
}

impl DocumentsSink {
    /// Begins the file `name` in `folder`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(folder: &Path, name: &str) -> Result<DocumentsSink, SinkError> {
        // A compressor for each of thirty small columns of every row group took 4 % of a whole job, to save next to nothing.
        let properties = with_encodings(plain_properties(ZSTD_LEVEL), &DOCUMENT)
            .set_compression(Compression::UNCOMPRESSED)
            .set_column_compression(ColumnPath::from("text"), zstd(ZSTD_LEVEL))
            .build();
        let file = ParquetFile::create(folder, name, OutputKind::Documents, DOCUMENT.arrow(), properties)?;
        Ok(DocumentsSink { file, waiting: Waiting::default() })
    }
}

impl Sink for DocumentsSink {
    fn write(&mut self, mut doc: Document) -> Result<(), SinkError> {
        doc.html = String::new();
        doc.signature = None;
        let lang = doc.lang.as_ref().map_or("und", Lang::as_str).to_owned();
        match self.waiting.add(&lang, waiting_bytes(&doc), doc) {
            Some((lang, docs)) => self.file.documents(&lang, &docs, None),
            None => Ok(()),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<Output>, SinkError> {
        while let Some((lang, docs)) = self.waiting.rest() {
            self.file.documents(&lang, &docs, None)?;
        }
        Ok(vec![self.file.finish()?])
    }
}

/// Why a documents file cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused.
    #[error("cannot read `{path}`", path = path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// The Parquet library refused.
    #[error("cannot read `{path}`", path = path.display())]
    Parquet { path: PathBuf, source: parquet::errors::ParquetError },
    /// Its columns are not those of a document.
    #[error("`{path}` does not hold documents", path = path.display())]
    Columns { path: PathBuf, source: ColumnsError },
    /// It has fewer row groups than its commit record says.
    #[error("`{path}` has no row group {group}; it is not the file that its commit record describes", path = path.display())]
    NoSuchGroup { path: PathBuf, group: usize },
}

/// The documents of the row groups `groups` of a documents file, in the order asked for; at most 512 at a time, and never of two groups, for
/// a group bounds its bytes.
///
/// # Errors
/// When the file lacks a row group; the iterator answers an error where reading breaks off.
pub fn read_groups(
    file: RowsFile,
    groups: Vec<usize>,
) -> Result<impl Iterator<Item = Result<Vec<Document>, ReadError>> + use<>, ReadError> {
    for group in &groups {
        file.expect_group(*group)?;
    }
    Ok(groups.into_iter().flat_map(move |group| match file.read(group, Wanted::All, &|_| true, READ_DOCUMENTS_MAX) {
        Ok(batches) => {
            let path = file.path().to_owned();
            Box::new(batches.map(move |batch| {
                let batch = batch.map_err(|source| ReadError::Parquet { path: path.clone(), source: source.into() })?;
                from_batch(&batch).map_err(|source| ReadError::Columns { path: path.clone(), source })
            })) as Box<dyn Iterator<Item = _> + Send>
        }
        Err(error) => Box::new(std::iter::once(Err(error))),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc::DocId;

    fn doc(lang: &str, number: u64, text: &str) -> Document {
        let url = format!("https://www.example.eu/{lang}/{number}");
        Document {
            id: DocId::of(&url, text.as_bytes()),
            url,
            lang: Some(Lang::new(lang)),
            text: text.to_owned(),
            source_offset: number,
            ..Document::default()
        }
    }

    fn written(folder: &Path, name: &str, docs: impl IntoIterator<Item = Document>) -> Output {
        let mut sink = Box::new(DocumentsSink::create(folder, name).expect("a fresh folder"));
        for doc in docs {
            sink.write(doc).expect("room on disk");
        }
        sink.finish().expect("room on disk").remove(0)
    }

    fn offsets(path: &Path, groups: &[usize]) -> Vec<u64> {
        let file = RowsFile::open(path).expect("it was just written");
        let batches = read_groups(file, groups.to_vec()).expect("it has them");
        batches.flat_map(|batch| batch.expect("it was just written")).map(|doc| doc.source_offset).collect()
    }

    #[test]
    fn every_row_group_holds_one_language_in_the_order_of_input() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let langs = ["lt", "lv", "et"];
        let output = written(folder.path(), "d.parquet", (0..9).map(|n| doc(langs[n as usize % 3], n, "Labas rytas, Vilniau")));
        let groups: Vec<_> = output.groups.iter().map(|group| (group.lang.as_str(), group.rows)).collect();
        assert_eq!(groups, [("et", 3), ("lt", 3), ("lv", 3)]);
        let path = folder.path().join("d.parquet");
        assert_eq!(offsets(&path, &[0]), [2, 5, 8]);
        assert_eq!(offsets(&path, &[2, 0]), [1, 4, 7, 2, 5, 8]);
        assert_eq!(output.rows, 9);
        assert_eq!(output.sha256, crate::store::sha256_file(&path).expect("it is there"));
        assert_eq!(output.bytes, std::fs::metadata(&path).expect("it is there").len());
    }

    #[test]
    fn a_full_buffer_is_cut_where_the_documents_say_and_files_are_the_same_bytes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let long = "Tere hommikust. ".repeat(70_000);
        let docs = || (0..5).map(|n| doc(if n == 3 { "fi" } else { "et" }, n, &long));
        let output = written(folder.path(), "a.parquet", docs());
        let groups: Vec<_> = output.groups.iter().map(|group| (group.lang.as_str(), group.rows)).collect();
        assert_eq!(groups, [("et", 2), ("et", 2), ("fi", 1)]);
        assert_eq!(output.groups[0].bytes, 2 * long.len() as u64);
        assert_eq!(written(folder.path(), "b.parquet", docs()).sha256, output.sha256);
    }

    #[test]
    fn a_document_without_language_and_a_file_without_documents_are_fine() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let nobody = Document { lang: None, ..doc("x", 0, "?") };
        assert_eq!(written(folder.path(), "u.parquet", [nobody]).groups[0].lang, "und");
        let empty = written(folder.path(), "e.parquet", []);
        assert_eq!((empty.rows, empty.groups.len()), (0, 0));
        let path = folder.path().join("e.parquet");
        assert!(offsets(&path, &[]).is_empty());
        let file = RowsFile::open(&path).expect("it was just written");
        assert!(matches!(read_groups(file, vec![0]).err(), Some(ReadError::NoSuchGroup { group: 0, .. })));
    }
}
