//! A file of places: documents between two passes that were left where an earlier run stored them.
//!
//! It has blocks where a file of documents has row groups, and cuts them at the same documents, so that the shards are laid out alike.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::dedup::columns::{Column, ColumnError, ColumnFile, ColumnWriter};
use crate::doc::DocId;
use crate::sink::{Output, OutputKind, RowGroup, SinkError};
use crate::sinks::documents::Waiting;
use crate::sinks::taken::RowAt;
use crate::text::host::HOST_CLASSES;

const ID: usize = 0;
const OCCURRENCE: usize = 1;
const FILE: usize = 2;
const GROUP: usize = 3;
const ROW: usize = 4;
const TEXT_BYTES: usize = 5;
const TOKENS: usize = 6;
const CLASS: usize = 7;

/// Stands for none.
const NONE: u32 = u32::MAX;

fn columns() -> Vec<Column> {
    let columns = [("id", 16), ("occurrence", 8), ("file", 4), ("group", 4), ("row", 4), ("text-bytes", 4), ("tokens", 4), ("class", 1)];
    columns.into_iter().map(|(name, width)| Column::new(name, width)).collect()
}

/// A document between two passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) id: DocId,
    /// Which capture it is.
    pub(super) occurrence: u64,
    /// Where it is.
    pub(super) at: Where,
    /// Bytes of its text.
    pub(super) text_bytes: u32,
    /// Its token ids, where they are stored with it and are those that would be made again.
    pub(super) tokens: Option<u32>,
    /// The class of its host.
    pub(super) class: &'static str,
}

/// Where a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// In a stored file; its number is one of [`PlacesFile::files`].
    Stored(RowAt),
    /// In the task's file of documents: the document of its language with this number.
    Fresh(u32),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    /// The stored files, below the workspace.
    files: Vec<PathBuf>,
}

/// Writes places.
pub(super) struct PlacesSink {
    writer: ColumnWriter,
    files: Vec<PathBuf>,
    /// Those of them in which documents lie, by their numbers, with their numbers in the file of places.
    used: BTreeMap<u32, u32>,
    waiting: Waiting<Placed>,
    groups: Vec<RowGroup>,
}

impl PlacesSink {
    /// Begins a file at `path` for documents of the stored `files`, which are named as they lie below the workspace; those in which none lies are left out.
    pub(super) fn create(path: &Path, files: Vec<PathBuf>) -> Result<PlacesSink, SinkError> {
        let writer = ColumnWriter::create(path, columns())?.with_block_rows(u32::MAX);
        Ok(PlacesSink { writer, files, used: BTreeMap::new(), waiting: Waiting::default(), groups: Vec::new() })
    }

    /// Takes the next document, which has `bytes` of text, address and title.
    pub(super) fn add(&mut self, lang: &str, bytes: usize, placed: Placed) -> Result<(), SinkError> {
        match self.waiting.add(lang, bytes, placed) {
            Some(group) => self.group(group),
            None => Ok(()),
        }
    }

    fn group(&mut self, (lang, documents): (String, Vec<Placed>)) -> Result<(), SinkError> {
        let bytes = documents.iter().map(|placed| u64::from(placed.text_bytes)).sum();
        self.groups.push(RowGroup { lang, rows: documents.len() as u64, bytes });
        for placed in documents {
            let (file, group, row) = match placed.at {
                Where::Stored(RowAt { file, group, row }) => {
                    let next = self.used.len() as u32;
                    (*self.used.entry(file).or_insert(next), group, row)
                }
                Where::Fresh(number) => (NONE, NONE, number),
            };
            let class = HOST_CLASSES.iter().position(|class| *class == placed.class).unwrap_or(HOST_CLASSES.len());
            self.writer.set(ID, &placed.id.0.to_le_bytes());
            self.writer.set(OCCURRENCE, &placed.occurrence.to_le_bytes());
            self.writer.set(FILE, &file.to_le_bytes());
            self.writer.set(GROUP, &group.to_le_bytes());
            self.writer.set(ROW, &row.to_le_bytes());
            self.writer.set(TEXT_BYTES, &placed.text_bytes.to_le_bytes());
            self.writer.set(TOKENS, &placed.tokens.unwrap_or(NONE).to_le_bytes());
            self.writer.set(CLASS, &[class as u8]);
            self.writer.end_row()?;
        }
        self.writer.end_block()
    }

    /// Ends the file, flushes it to disk and describes it.
    pub(super) fn finish(mut self) -> Result<Output, SinkError> {
        while let Some(group) = self.waiting.rest() {
            self.group(group)?;
        }
        let mut files = vec![PathBuf::new(); self.used.len()];
        for (file, number) in self.used {
            files[number as usize] = self.files.get(file as usize).cloned().unwrap_or_default();
        }
        Ok(Output { groups: self.groups, ..self.writer.finish(OutputKind::Places, &About { files })? })
    }
}

/// An open file of places.
pub(in crate::passes) struct PlacesFile(ColumnFile<About>);

impl PlacesFile {
    /// Opens the file at `path`.
    pub(in crate::passes) fn open(path: &Path) -> Result<PlacesFile, ColumnError> {
        let file = ColumnFile::<About>::open(path)?;
        file.expect_columns(&columns())?;
        Ok(PlacesFile(file))
    }

    /// The stored files, below the workspace.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.0.about().files
    }

    /// The documents of group number `group`, in order.
    pub(super) fn group(&self, group: usize) -> Result<Vec<Placed>, ColumnError> {
        if group >= self.0.blocks().len() {
            return Err(self.0.not_whole("it lacks a group"));
        }
        let numbers = |column: usize| -> Result<Vec<u32>, ColumnError> {
            Ok(self.0.read(column, group)?.as_chunks().0.iter().map(|number| u32::from_le_bytes(*number)).collect())
        };
        let (ids, occurrences, classes) = (self.0.read(ID, group)?, self.0.read(OCCURRENCE, group)?, self.0.read(CLASS, group)?);
        let (files, groups, rows) = (numbers(FILE)?, numbers(GROUP)?, numbers(ROW)?);
        let (text_bytes, tokens) = (numbers(TEXT_BYTES)?, numbers(TOKENS)?);
        let placed = |place: usize| Placed {
            id: DocId(u128::from_le_bytes(ids.as_chunks().0[place])),
            occurrence: u64::from_le_bytes(occurrences.as_chunks().0[place]),
            at: match files[place] {
                NONE => Where::Fresh(rows[place]),
                file => Where::Stored(RowAt { file, group: groups[place], row: rows[place] }),
            },
            text_bytes: text_bytes[place],
            tokens: Some(tokens[place]).filter(|tokens| *tokens != NONE),
            class: HOST_CLASSES.get(usize::from(classes[place])).copied().unwrap_or("none"),
        };
        Ok((0..files.len()).map(placed).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_back_group_by_group_in_the_order_in_which_they_came() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("places");
        let files = vec!["data/web/lang=et/part-1.parquet".into(), "data/web/lang=fi/part-1.parquet".into()];
        let mut sink = PlacesSink::create(&path, files).expect("a fresh folder");
        let placed = |file: u32, number: u32| Placed {
            id: DocId(u128::from(number) << 70),
            occurrence: u64::from(number),
            at: if number == 2 { Where::Fresh(7) } else { Where::Stored(RowAt { file, group: 1, row: number }) },
            text_bytes: 10 * number,
            tokens: (number != 3).then_some(number),
            class: "eu-country",
        };
        for (number, lang) in [(1, "fi"), (2, "et"), (3, "fi")] {
            sink.add(lang, 100, placed(1, number)).expect("room on disk");
        }
        let output = sink.finish().expect("room on disk");
        let groups: Vec<(&str, u64, u64)> = output.groups.iter().map(|group| (group.lang.as_str(), group.rows, group.bytes)).collect();
        assert_eq!((groups, output.kind), (vec![("et", 1, 20), ("fi", 2, 40)], OutputKind::Places));
        let file = PlacesFile::open(&path).expect("it was just written");
        assert_eq!(file.files(), [PathBuf::from("data/web/lang=fi/part-1.parquet")], "none lies in the other one");
        assert_eq!(file.group(0).expect("whole"), [placed(0, 2)]);
        assert_eq!(file.group(1).expect("whole"), [placed(0, 1), placed(0, 3)]);
        assert!(file.group(2).is_err());
    }
}
