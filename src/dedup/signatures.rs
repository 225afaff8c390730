//! Files of signatures: one a clean task, a row a document.
//!
//! Each kind of value is a column of its own, so that each step of deciding reads what it needs and no more. A row carries all that the
//! choice of a winner needs and its document's id, so that a match can be traced and the index of many nights can be made of it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::doc::{DocId, Document, Lang};
use crate::sink::{Output, OutputKind, SinkError};

use super::columns::{Column, ColumnError, ColumnFile, ColumnWriter};
use super::settings::{Banding, DedupSettings};
use super::sign::{NOTHING_TO_COMPARE, Scheme};

const ID: usize = 0;
const OCCURRENCE: usize = 1;
const LANG: usize = 2;
const RANK: usize = 3;
const EXACT: usize = 4;
const SKETCHED: usize = 5;
const URL: usize = 6;
const FETCHED: usize = 7;
const SKETCH: usize = 8;

/// Which capture a document comes from: the same page may be archived twice, and then two documents have one id. A hash of its file's
/// name and its place there.
#[must_use]
pub fn occurrence(source_file: &str, source_offset: u64) -> u64 {
    xxh3_64_with_seed(source_file.as_bytes(), source_offset)
}

/// What a file of signatures says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// How its signatures were made.
    pub scheme: Scheme,
    /// Its languages, by the numbers in column `lang`.
    pub languages: Vec<Lang>,
}

fn columns(scheme: Scheme) -> Vec<Column> {
    let fixed = [("id", 16), ("occurrence", 8), ("lang", 2), ("rank", 8), ("exact", 16), ("sketched", 1), ("url", 8), ("fetched", 8)];
    let values = scheme.banding.map_or(0, Banding::values);
    fixed.into_iter().chain([("sketch", values)]).map(|(name, width)| Column::new(name, width)).collect()
}

/// How well a document is worth keeping among its duplicates, the greater the better: by the signal `prefer` (a document without it comes
/// last), then by the length of its text.
#[must_use]
pub fn rank(doc: &Document, prefer: Option<&str>) -> u64 {
    rank_of(u32::try_from(doc.text.len()).unwrap_or(u32::MAX), prefer.and_then(|name| doc.quality.get(name)))
}

/// The rank of a document with so many bytes of text and this value of the signal that is preferred.
#[must_use]
pub fn rank_of(text_bytes: u32, signal: Option<f32>) -> u64 {
    u64::from(signal.map_or(0, in_order)) << 32 | u64::from(text_bytes)
}

/// The bytes of text, of which a rank knows, up to 4 GiB.
#[must_use]
pub fn text_bytes_of(rank: u64) -> u32 {
    rank as u32
}

/// What a row says of a document.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// Its id.
    pub id: DocId,
    /// Which capture it is.
    pub occurrence: u64,
    /// Its language.
    pub lang: Option<&'a Lang>,
    /// See [`rank`].
    pub rank: u64,
    /// Exact hash of its text.
    pub exact: u128,
    /// Its sketch; empty where it has no words.
    pub sketch: &'a [u8],
    /// See [`address_key`].
    pub url: u64,
    /// When it was fetched, ms since 1970; the least number where nobody knows.
    pub fetched: i64,
}

/// What stands for an address, under the key `seed`; 0 for none.
#[must_use]
pub fn address_key(url: &str, seed: u64) -> u64 {
    if url.is_empty() { 0 } else { xxh3_64_with_seed(url.as_bytes(), seed) }
}

/// A number that is greater where `value` is; 0 is for none.
fn in_order(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

/// Writes the signatures of a task's documents.
#[derive(Debug)]
pub struct SignatureSink {
    writer: ColumnWriter,
    scheme: Scheme,
    prefer: Option<String>,
    languages: Vec<Lang>,
}

impl SignatureSink {
    /// Begins a file at `path` for documents signed by `settings`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path, settings: &DedupSettings) -> Result<SignatureSink, SinkError> {
        let scheme = Scheme::of(settings);
        let writer = ColumnWriter::create(path, columns(scheme))?;
        Ok(SignatureSink { writer, scheme, prefer: settings.prefer.clone(), languages: Vec::new() })
    }

    /// Takes the signature of `doc`. A document that nobody signed is written as one that has no duplicates.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, doc: &Document) -> Result<(), SinkError> {
        let (exact, sketch) = match doc.signature.as_deref() {
            Some(signature) => (signature.exact, signature.sketch.as_slice()),
            None => (NOTHING_TO_COMPARE, [].as_slice()),
        };
        self.put(&Signed {
            id: doc.id,
            occurrence: occurrence(&doc.source_file, doc.source_offset),
            lang: doc.lang.as_ref(),
            rank: rank(doc, self.prefer.as_deref()),
            exact,
            sketch,
            url: address_key(&doc.url, self.scheme.seed),
            fetched: doc.fetched_at.unwrap_or(i64::MIN),
        })
    }

    /// Takes a signature that is known.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put(&mut self, signed: &Signed<'_>) -> Result<(), SinkError> {
        let lang = self.language(signed.lang);
        let writer = &mut self.writer;
        writer.set(ID, &signed.id.0.to_le_bytes());
        writer.set(OCCURRENCE, &signed.occurrence.to_le_bytes());
        writer.set(LANG, &lang.to_le_bytes());
        writer.set(RANK, &signed.rank.to_le_bytes());
        writer.set(EXACT, &signed.exact.to_le_bytes());
        writer.set(SKETCHED, &[u8::from(!signed.sketch.is_empty())]);
        writer.set(URL, &signed.url.to_le_bytes());
        writer.set(FETCHED, &signed.fetched.to_le_bytes());
        let mut whole_sketch = signed.sketch.to_vec();
        whole_sketch.resize(self.scheme.banding.map_or(0, Banding::values), 0);
        writer.set(SKETCH, &whole_sketch);
        writer.end_row()
    }

    /// Ends the file, flushes it to disk and describes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(self) -> Result<Output, SinkError> {
        self.writer.finish(OutputKind::Signatures, &About { scheme: self.scheme, languages: self.languages })
    }

    /// The number of a language in this file.
    fn language(&mut self, lang: Option<&Lang>) -> u16 {
        let known = self.languages.iter().position(|known| lang.map_or("und", Lang::as_str) == known.as_str());
        let number = known.unwrap_or_else(|| {
            self.languages.push(lang.cloned().unwrap_or_else(Lang::undetermined));
            self.languages.len() - 1
        });
        number as u16
    }
}

/// Why signatures cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] ColumnError),
    /// Signatures of different making cannot be compared.
    #[error("`{path}` was signed with other settings of deduplication ({found:?}, wanted {wanted:?}); run its clean task again", path = path.display())]
    OtherScheme { path: PathBuf, found: Box<Scheme>, wanted: Box<Scheme> },
    /// More documents than one decision can number.
    #[error("{documents} documents are more than one decision takes ({max}); cut the job into parts", max = u32::MAX)]
    TooMany { documents: u64 },
}

/// The signatures of a whole job, in as many files as it had clean tasks.
#[derive(Debug)]
pub struct SignatureFiles {
    scheme: Scheme,
    files: Vec<ColumnFile<About>>,
}

impl SignatureFiles {
    /// Opens `paths`, which must have been written with `settings`.
    ///
    /// # Errors
    /// When a file cannot be read, or was made in another way.
    pub fn open(settings: &DedupSettings, paths: &[PathBuf]) -> Result<SignatureFiles, SignatureError> {
        let wanted = Scheme::of(settings);
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let file = ColumnFile::<About>::open(path)?;
            let found = file.about().scheme;
            if found != wanted {
                return Err(SignatureError::OtherScheme { path: path.clone(), found: Box::new(found), wanted: Box::new(wanted) });
            }
            file.expect_columns(&columns(wanted))?;
            files.push(file);
        }
        let documents = files.iter().map(|file| file.rows() as u64).sum();
        if documents >= u64::from(u32::MAX) {
            Err(SignatureError::TooMany { documents })
        } else {
            Ok(SignatureFiles { scheme: wanted, files })
        }
    }

    /// How many documents there are.
    #[must_use]
    pub fn documents(&self) -> u32 {
        self.files.iter().map(ColumnFile::rows).sum::<usize>() as u32
    }

    /// How they were signed.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// All rows in the order of their places, piece by piece.
    pub fn pieces(&self) -> impl Iterator<Item = Rows<'_>> {
        let blocks = self.files.iter().flat_map(|file| file.blocks().enumerate().map(move |(block, rows)| (file, block, rows as u32)));
        blocks.scan(0, |next, (file, block, count)| {
            let first = *next;
            *next += count;
            Some(Rows { file, block, first, count })
        })
    }
}

/// Some rows of all signatures, as their file holds them together.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    file: &'a ColumnFile<About>,
    block: usize,
    /// Place of the first row among all signatures.
    pub first: u32,
    /// How many rows there are.
    pub count: u32,
}

impl Rows<'_> {
    /// Ids of the documents.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged, as for all that follow.
    pub fn ids(&self) -> Result<Vec<u128>, ColumnError> {
        Ok(wide(&self.file.read(ID, self.block)?))
    }

    /// Which captures they are.
    pub fn occurrences(&self) -> Result<Vec<u64>, ColumnError> {
        Ok(numbers(&self.file.read(OCCURRENCE, self.block)?))
    }

    /// How well they are worth keeping.
    pub fn ranks(&self) -> Result<Vec<u64>, ColumnError> {
        Ok(numbers(&self.file.read(RANK, self.block)?))
    }

    /// Exact hashes.
    pub fn exacts(&self) -> Result<Vec<u128>, ColumnError> {
        Ok(wide(&self.file.read(EXACT, self.block)?))
    }

    /// Which of them have a sketch.
    pub fn sketched(&self) -> Result<Vec<bool>, ColumnError> {
        Ok(self.file.read(SKETCHED, self.block)?.into_iter().map(|flag| flag != 0).collect())
    }

    /// Hashes of their languages.
    pub fn languages(&self) -> Result<Vec<u64>, ColumnError> {
        let hashes: Vec<u64> = self.file.about().languages.iter().map(language_hash).collect();
        let numbers = shorts(&self.file.read(LANG, self.block)?).into_iter();
        let wrong = || self.file.not_whole("it does not name a language that it numbers");
        numbers.map(|number| hashes.get(usize::from(number)).copied().ok_or_else(wrong)).collect()
    }

    /// Hashes of their addresses; 0 for none.
    pub fn urls(&self) -> Result<Vec<u64>, ColumnError> {
        Ok(numbers(&self.file.read(URL, self.block)?))
    }

    /// When they were fetched: ms since 1970, the least number where nobody knows.
    pub fn fetched(&self) -> Result<Vec<i64>, ColumnError> {
        Ok(numbers(&self.file.read(FETCHED, self.block)?).into_iter().map(|number| number as i64).collect())
    }

    /// All sketches, one after the other.
    pub fn sketches(&self) -> Result<Vec<u8>, ColumnError> {
        self.file.read(SKETCH, self.block)
    }
}

/// What stands for a language in keys: the same in every file, night and machine.
#[must_use]
pub fn language_hash(lang: &Lang) -> u64 {
    xxh3_64(lang.as_str().as_bytes())
}

fn shorts(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks().0.iter().map(|value| u16::from_le_bytes(*value)).collect()
}

fn numbers(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks().0.iter().map(|value| u64::from_le_bytes(*value)).collect()
}

fn wide(bytes: &[u8]) -> Vec<u128> {
    bytes.as_chunks().0.iter().map(|value| u128::from_le_bytes(*value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dedup::settings::Near;
    use crate::dedup::sign::Signer;

    fn doc(id: u128, lang: &str, text: &str, settings: &DedupSettings) -> Document {
        let signature = Some(Box::new(Signer::new(settings).sign(text)));
        Document { id: DocId(id), lang: Some(Lang::new(lang)), text: text.to_owned(), signature, ..Document::default() }
    }

    #[test]
    fn signatures_read_back_with_languages_numbered_the_same_in_any_order_of_files() {
        let settings = DedupSettings::default();
        let folder = tempfile::tempdir().unwrap();
        let docs = [doc(3, "sv", "Fyren lyser än i natt", &settings), doc(1, "fi", "", &settings), doc(2, "sv", "Hej", &settings)];
        let paths = [folder.path().join("a"), folder.path().join("b")];
        for (path, docs) in paths.iter().zip([&docs[..2], &docs[2..]]) {
            let mut sink = SignatureSink::create(path, &settings).unwrap();
            docs.iter().for_each(|doc| sink.write(doc).unwrap());
            let output = sink.finish().unwrap();
            assert_eq!((output.kind, output.rows), (OutputKind::Signatures, docs.len() as u64));
        }
        let files = SignatureFiles::open(&settings, &paths).unwrap();
        let pieces: Vec<Rows<'_>> = files.pieces().collect();
        assert_eq!((files.documents(), pieces.len(), pieces[1].first, pieces[1].count), (3, 2, 2, 1));
        assert_eq!((pieces[0].ids().unwrap(), pieces[0].ranks().unwrap()), (vec![3, 1], vec![22, 0]));
        assert_eq!(pieces[0].sketched().unwrap(), [true, false]);
        assert_eq!(pieces[0].languages().unwrap()[0], pieces[1].languages().unwrap()[0]);
        assert_ne!(pieces[0].languages().unwrap()[0], pieces[0].languages().unwrap()[1]);
        let signature = docs[0].signature.as_deref().unwrap();
        assert_eq!(pieces[0].exacts().unwrap()[0], signature.exact);
        assert_eq!(pieces[0].sketches().unwrap()[..112], signature.sketch);
        assert_eq!(pieces[1].sketches().unwrap(), docs[2].signature.as_deref().unwrap().sketch);
    }

    #[test]
    fn the_wanted_signal_comes_before_the_length() {
        let mut docs: Vec<Document> =
            ["Kurz", "Etwas länger", "Am längsten von allen"].map(|text| doc(1, "de", text, &DedupSettings::default())).into();
        assert!(rank(&docs[0], None) < rank(&docs[1], None));
        for (doc, value) in docs.iter_mut().zip([0.5, -3.0]) {
            doc.quality.set("worth", value);
        }
        let ranks: Vec<u64> = docs.iter().map(|doc| rank(doc, Some("worth"))).collect();
        assert!(ranks[0] > ranks[1] && ranks[1] > ranks[2], "{ranks:x?}");
    }

    #[test]
    fn signatures_of_another_making_are_refused() {
        let (ours, theirs) = (DedupSettings::default(), DedupSettings { near: Near::Strict, ..DedupSettings::default() });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        SignatureSink::create(&path, &theirs).unwrap().finish().unwrap();
        let error = SignatureFiles::open(&ours, &[path]).unwrap_err();
        assert!(matches!(error, SignatureError::OtherScheme { .. }), "{error}");
        let missing = SignatureFiles::open(&ours, &[folder.path().join("none")]).unwrap_err();
        assert!(matches!(missing, SignatureError::File(ColumnError::Io { .. })), "{missing}");
    }

    #[test]
    fn two_captures_of_a_page_are_told_apart() {
        assert_ne!(occurrence("a.warc.gz", 0), occurrence("a.warc.gz", 90));
        assert_ne!(occurrence("a.warc.gz", 90), occurrence("b.warc.gz", 90));
    }
}
