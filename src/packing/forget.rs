//! How packed shards and exports forget documents.
//!
//! In a packed shard the pieces of a document go, the others move up in their order, and what becomes free is padding at the end: only shards that
//! hold the document are written anew. In an export its ids become padding in their place, since every index and every reader's position stays true.
//! Records get the new hashes before the files are swapped, and each step gives the same bytes again, so a takedown that is killed goes on.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::PackError;
use super::benchmarks::LeftOut;
use super::export::blot::blot;
use super::export::{SideLine, is_ours};
use super::record::{ExportRecord, LEFT_OUT, PACK_RECORD, PackRecord, PackedFile, SIDE, describe, read, write};
use super::sequence::{SequenceWriter, for_each};
use crate::doc::DocId;
use crate::store;
use crate::workspace::Workspace;

/// How many pieces of these documents a packed shard or a side file has. An export that was killed counts as one: nobody knows what it holds.
///
/// # Errors
/// When it cannot be read.
pub fn hits(workspace: &Workspace, path: &Path, ids: &BTreeSet<DocId>) -> Result<u64, PackError> {
    let mut count = 0;
    if path.ends_with(LEFT_OUT) {
        return Ok(left_out(path)?.iter().filter(|line| ids.contains(&line.doc_id)).count() as u64);
    }
    if path.starts_with(workspace.exports()) {
        return Ok(1);
    }
    if !is_side(path) {
        for_each(path, |sequence| {
            count += sequence.pieces.iter().filter(|piece| ids.contains(&piece.id)).count() as u64;
            Ok(())
        })?;
        return Ok(count);
    }
    if !path.exists() {
        let (record, _) = export_of(workspace, path)?;
        return Err(PackError::Gone { path: path.to_owned(), record });
    }
    each_line(path, |line| {
        count += u64::from(line.doc_id.is_some_and(|id| ids.contains(&id)));
        Ok(())
    })?;
    Ok(count)
}

fn left_out(path: &Path) -> Result<Vec<LeftOut>, PackError> {
    let text = std::fs::read_to_string(path).map_err(PackError::io(path))?;
    let side = |line| move |_| PackError::Side { path: path.to_owned(), line };
    (1..).zip(text.lines()).map(|(number, line)| serde_json::from_str(line).map_err(side(number))).collect()
}

fn is_side(path: &Path) -> bool {
    path.to_string_lossy().ends_with(SIDE)
}

fn each_line(path: &Path, mut each: impl FnMut(SideLine) -> Result<(), PackError>) -> Result<(), PackError> {
    let file = File::open(path).map_err(PackError::io(path))?;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(PackError::io(path))?;
        let line = serde_json::from_str(&line).map_err(|_| PackError::Side { path: path.to_owned(), line: number + 1 })?;
        each(line)?;
    }
    Ok(())
}

/// The record of the export that a side file is of, with its path.
fn export_of(workspace: &Workspace, side: &Path) -> Result<(PathBuf, ExportRecord), PackError> {
    for path in store::files_below(&workspace.exports())? {
        let record: ExportRecord = read(&path)?;
        if side.starts_with(record.folder_in(workspace)) {
            return Ok((path, record));
        }
    }
    Err(PackError::NotPacked { path: side.to_owned() })
}

/// A takedown in packed data sets and exports.
pub struct Forget<'a> {
    /// The workspace.
    pub workspace: &'a Workspace,
    /// What goes.
    pub ids: &'a BTreeSet<DocId>,
    /// The takedown's number.
    pub number: u64,
}

impl Forget<'_> {
    /// Takes the documents out of a packed shard, or out of the export that has this side file.
    ///
    /// # Errors
    /// See [`PackError`].
    pub fn file(&self, path: &Path) -> Result<(), PackError> {
        if path.ends_with(LEFT_OUT) {
            let left = left_out(path)?.into_iter().filter(|line| !self.ids.contains(&line.doc_id));
            let lines = left.map(|line| serde_json::to_string(&line).expect("strings and numbers are JSON") + "\n");
            return Ok(store::write_over(path, lines.collect::<String>().as_bytes())?);
        }
        if path.starts_with(self.workspace.exports()) {
            let record: ExportRecord = read(path)?;
            let folder = record.folder_in(self.workspace);
            for file in store::files_below(&folder)?.iter().filter(|file| file.strip_prefix(&folder).is_ok_and(is_ours)) {
                store::remove_file(file)?;
            }
            return Ok(store::remove_file(path)?);
        }
        if is_side(path) { self.export(path) } else { self.shard(path) }
    }

    fn shard(&self, path: &Path) -> Result<(), PackError> {
        let none = || PackError::NotPacked { path: path.to_owned() };
        let below = path.strip_prefix(self.workspace.packed()).map_err(|_| none())?;
        let folder = self.workspace.packed().join(below.components().next().ok_or_else(none)?);
        let record_path = folder.join(PACK_RECORD);
        let mut record: PackRecord = read(&record_path)?;
        record.origin.takedown_sequence = record.origin.takedown_sequence.max(self.number);
        let staged = path.with_extension("parquet.new");
        let mut writer = SequenceWriter::create(&staged, &record.settings, &record.origin)?;
        for_each(path, |mut sequence| {
            sequence.pieces.retain(|piece| !self.ids.contains(&piece.id));
            writer.write(sequence)
        })?;
        let (sequences, tokens) = (writer.sequences, writer.tokens);
        writer.finish()?;
        renew(&mut record.files, &folder, (&staged, path), Some((sequences, tokens)))?;
        write(&record_path, &record)?;
        Ok(store::replace(&staged, path)?)
    }

    fn export(&self, side: &Path) -> Result<(), PackError> {
        let (record_path, mut record) = export_of(self.workspace, side)?;
        let folder = record.folder_in(self.workspace);
        let stem = side.to_string_lossy().trim_end_matches(SIDE).to_owned();
        let data = PathBuf::from(format!("{stem}.{}", record.format.ending()));
        let (new_data, new_side) = (appended(&data), appended(side));
        let (mut lines, mut ranges) = (Vec::new(), Vec::new());
        each_line(side, |mut line| {
            if line.doc_id.is_some_and(|id| self.ids.contains(&id)) {
                ranges.push((line.start, line.tokens));
                (line.doc_id, line.offset) = (None, 0);
            }
            lines.extend(serde_json::to_vec(&line).expect("numbers and strings are JSON"));
            lines.push(b'\n');
            Ok(())
        })?;
        let name = data.strip_prefix(&folder).unwrap_or(&data).to_string_lossy();
        let samples = record.files.iter().find(|file| file.path == name).map_or(0, |file| file.sequences);
        blot(&record, (&data, &new_data), samples, &ranges)?;
        store::write_over(&new_side, &lines)?;
        record.origin.takedown_sequence = record.origin.takedown_sequence.max(self.number);
        for swapped in [(new_data.as_path(), data.as_path()), (&new_side, side)] {
            renew(&mut record.files, &folder, swapped, None)?;
        }
        write(&record_path, &record)?;
        // The side file goes last: as long as it names a document, the same takedown comes back to it.
        store::replace(&new_data, &data)?;
        Ok(store::replace(&new_side, side)?)
    }
}

/// The name under which the next state of a file is written.
fn appended(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// Gives the entry of `path` the hash and the length of the file that takes its place, and these counts.
fn renew(files: &mut [PackedFile], folder: &Path, (staged, path): (&Path, &Path), counts: Option<(u64, u64)>) -> Result<(), PackError> {
    let below = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
    if let Some(entry) = files.iter_mut().find(|entry| entry.path == below) {
        let (sequences, tokens) = counts.unwrap_or((entry.sequences, entry.tokens));
        let name = staged.strip_prefix(folder).unwrap_or(staged).to_string_lossy();
        *entry = PackedFile { path: entry.path.clone(), ..describe(folder, &name, sequences, tokens)? };
    }
    Ok(())
}
