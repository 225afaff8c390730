//! Files of signatures: one a clean task, a row a document.
//!
//! Each band is a column of its own, so that deciding reads one band of all documents at a time. A row carries all that the choice of a
//! winner needs and its document's id, so that a match can be traced, runs of many nights can be merged, and an erased id can be found.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::doc::{DocId, Document, Lang};
use crate::sink::{Output, OutputKind, SinkError};

use super::clusters::{Row, Signatures};
use super::columns::{Column, ColumnError, ColumnFile, ColumnWriter};
use super::settings::{Banding, DedupSettings};
use super::sign::{NOTHING_TO_COMPARE, Scheme};

const ID: usize = 0;
const OCCURRENCE: usize = 1;
const LANG: usize = 2;
const RANK: usize = 3;
const EXACT: usize = 4;
const SKETCHED: usize = 5;
const SKETCH: usize = 6;
const BAND: usize = 7;

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
    let fixed = [("id", 16), ("occurrence", 8), ("lang", 2), ("rank", 8), ("exact", 16), ("sketched", 1)];
    let (bands, values) = scheme.banding.map_or((0, 0), |banding| (banding.bands, banding.values()));
    let fixed = fixed.into_iter().map(|(name, width)| Column::new(name, width));
    let sketch = std::iter::once(Column::new("sketch", 2 * values));
    fixed.chain(sketch).chain((0..bands).map(|band| Column::new(&format!("band-{band:02}"), 8))).collect()
}

/// How well a document is worth keeping among its duplicates, the greater the better: the longer text. The upper half is free for a
/// measure of quality.
#[must_use]
pub fn rank(doc: &Document) -> u64 {
    u64::from(u32::try_from(doc.text.len()).unwrap_or(u32::MAX))
}

/// Writes the signatures of a task's documents.
#[derive(Debug)]
pub struct SignatureSink {
    writer: ColumnWriter,
    scheme: Scheme,
    languages: Vec<Lang>,
}

impl SignatureSink {
    /// Begins a file at `path` for documents signed by `settings`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path, settings: &DedupSettings) -> Result<SignatureSink, SinkError> {
        let scheme = Scheme::of(settings);
        Ok(SignatureSink { writer: ColumnWriter::create(path, columns(scheme))?, scheme, languages: Vec::new() })
    }

    /// Takes the signature of `doc`. A document that nobody signed is written as one that has no duplicates.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, doc: &Document) -> Result<(), SinkError> {
        let (exact, bands, sketch) = match doc.signature.as_deref() {
            Some(signature) => (signature.exact, signature.bands.as_slice(), signature.sketch.as_slice()),
            None => (NOTHING_TO_COMPARE, [].as_slice(), [].as_slice()),
        };
        let lang = self.language(doc.lang.as_ref());
        let writer = &mut self.writer;
        writer.set(ID, &doc.id.0.to_le_bytes());
        writer.set(OCCURRENCE, &occurrence(&doc.source_file, doc.source_offset).to_le_bytes());
        writer.set(LANG, &lang.to_le_bytes());
        writer.set(RANK, &rank(doc).to_le_bytes());
        writer.set(EXACT, &exact.to_le_bytes());
        writer.set(SKETCHED, &[u8::from(!bands.is_empty())]);
        let Banding { bands: bands_wanted, rows } = self.scheme.banding.unwrap_or(Banding { bands: 0, rows: 0 });
        let value = |at: usize| sketch.get(at).copied().unwrap_or_default().to_le_bytes();
        writer.set(SKETCH, (0..bands_wanted * rows).map(value).collect::<Vec<_>>().as_flattened());
        for band in 0..bands_wanted {
            writer.set(BAND + band, &bands.get(band).copied().unwrap_or_default().to_le_bytes());
        }
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

    /// All languages, sorted: their numbers are the same whatever the order of the files.
    fn languages(&self) -> Vec<&Lang> {
        let mut languages: Vec<&Lang> = self.files.iter().flat_map(|file| &file.about().languages).collect();
        languages.sort_unstable();
        languages.dedup();
        languages
    }
}

impl Signatures for SignatureFiles {
    type Error = SignatureError;

    fn rows(&self) -> Result<Vec<Row>, SignatureError> {
        let languages = self.languages();
        let mut rows = Vec::with_capacity(self.files.iter().map(ColumnFile::rows).sum());
        for file in &self.files {
            for block in 0..file.blocks().len() {
                let ids = wide(&file.read(ID, block)?);
                let occurrences = numbers(&file.read(OCCURRENCE, block)?);
                let ranks = numbers(&file.read(RANK, block)?);
                let exacts = wide(&file.read(EXACT, block)?);
                let sketched = file.read(SKETCHED, block)?;
                for (at, lang) in shorts(&file.read(LANG, block)?).into_iter().enumerate() {
                    let lang = file.about().languages.get(usize::from(lang)).and_then(|lang| languages.binary_search(&lang).ok());
                    rows.push(Row {
                        id: DocId(ids[at]),
                        occurrence: occurrences[at],
                        rank: ranks[at],
                        exact: exacts[at],
                        lang: lang.unwrap_or_default() as u16,
                        sketched: sketched[at] != 0,
                        place: rows.len() as u32,
                    });
                }
            }
        }
        Ok(rows)
    }

    fn bands(&self) -> usize {
        self.scheme.banding.map_or(0, |banding| banding.bands)
    }

    fn band(&self, band: usize) -> Result<Vec<u64>, SignatureError> {
        let mut keys = Vec::with_capacity(self.files.iter().map(ColumnFile::rows).sum());
        for file in &self.files {
            for block in 0..file.blocks().len() {
                keys.extend(numbers(&file.read(BAND + band, block)?));
            }
        }
        Ok(keys)
    }

    fn sketches(&self, places: &[u32]) -> Result<Vec<u16>, SignatureError> {
        let values = self.scheme.banding.map_or(0, Banding::values);
        let mut sketches = Vec::with_capacity(places.len() * values);
        let (mut wanted, mut first) = (places.iter().map(|place| *place as usize).peekable(), 0);
        for file in &self.files {
            for (block, rows) in file.blocks().enumerate() {
                if wanted.peek().is_some_and(|place| *place < first + rows) {
                    let held = shorts(&file.read(SKETCH, block)?);
                    while let Some(place) = wanted.next_if(|place| *place < first + rows) {
                        sketches.extend_from_slice(&held[(place - first) * values..][..values]);
                    }
                }
                first += rows;
            }
        }
        Ok(sketches)
    }
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
        let rows = files.rows().unwrap();
        assert_eq!(
            rows.iter().map(|row| (row.id.0, row.lang, row.rank, row.sketched)).collect::<Vec<_>>(),
            [(3, 1, 22, true), (1, 0, 0, false), (2, 1, 3, true)]
        );
        let signature = docs[0].signature.as_deref().unwrap();
        assert_eq!((rows[0].exact, files.band(5).unwrap()[0]), (signature.exact, signature.bands[5]));
        assert_eq!(files.sketches(&[0, 2]).unwrap()[..112], signature.sketch);
        assert_eq!(files.sketches(&[2]).unwrap(), docs[2].signature.as_deref().unwrap().sketch);
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
