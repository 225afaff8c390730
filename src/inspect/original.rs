//! The page that a document was made of, where an archive still has it.
//!
//! A row says in which file and where its record begins; the record is believed only if it gives the very id of the row, so a file that
//! changed since, or a row that lies, shows nothing.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Dataset;
use crate::doc::{DocId, Document};
use crate::source::{Input, Offer, Record, Source};
use crate::sources::warc::Warc;

/// Sources whose records are web pages in archives.
const ARCHIVES: [&str; 3] = ["warc", "crawl", "cdx"];

/// Whether the documents of `source` were pages of an archive.
#[must_use]
pub fn has_original(source: &str) -> bool {
    ARCHIVES.contains(&source)
}

impl Dataset {
    /// The page that the document of `row` was made of: its markup or text as it came. `None` where no archive has it any more.
    #[must_use]
    pub fn original(&self, row: &Map<String, Value>) -> Option<Document> {
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        let (file, offset, id) = (text("source_file")?, row.get("source_offset")?.as_u64()?, text("id")?.parse::<DocId>().ok()?);
        if !has_original(text("source")?) {
            return None;
        }
        let candidates: [PathBuf; 2] = [PathBuf::from(file), self.workspace.root().join(file)];
        candidates.iter().find_map(|path| read(path, offset)).filter(|document| document.id == id).map(|document| *document)
    }
}

fn read(path: &Path, offset: u64) -> Option<Box<Document>> {
    let mut file = File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(offset)).ok()?;
    let input = Input {
        name: path.to_string_lossy().into(),
        bytes: Box::new(file),
        file: None,
        size: size.checked_sub(offset)?,
        reader_bytes_max: 64 << 20,
    };
    let source = Warc::default();
    let Record::Raw(record) = source.open(input).ok()?.next()? else { return None };
    match source.decode(record) {
        Offer::Document(document) => Some(document),
        Offer::Dropped(..) => None,
    }
}
