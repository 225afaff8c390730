//! Proof that a packed data set is what its record says, and its exports what theirs say: every file with its hash, nothing else beside them,
//! every sequence of the right length with ids of the vocabulary. Changes nothing.

use std::collections::BTreeSet;
use std::path::Path;

use super::PackError;
use super::record::{ExportRecord, LEFT_OUT, PACK_RECORD, PackRecord, PackedFile, read};
use super::sequence::for_each;
use crate::ledger::verify::{Problem, Verified};
use crate::store;
use crate::workspace::Workspace;

/// Checks the packed data set `name` and all its exports.
///
/// # Errors
/// When its record or the folders cannot be read. What is wrong with the files is no error but a [`Problem`].
pub fn verify(workspace: &Workspace, name: &str) -> Result<Verified, PackError> {
    let folder = workspace.packed().join(name);
    let known: PackRecord = read(&folder.join(PACK_RECORD))?;
    let mut verified = Verified { dataset: name.to_owned(), ..Verified::default() };
    for file in &known.files {
        if has_hash(&mut verified, &folder, file) {
            let wrong = wrong_rows(&known, file, &folder.join(&file.path), &mut verified);
            wrong.into_iter().for_each(|what| problem(&mut verified, &folder.join(&file.path), "rows", what));
        }
    }
    let names: BTreeSet<&str> = known.files.iter().map(|file| file.path.as_str()).chain([PACK_RECORD, LEFT_OUT]).collect();
    for path in store::files_below(&folder)? {
        let below = path.strip_prefix(&folder).unwrap_or(&path).to_string_lossy().into_owned();
        if !names.contains(below.as_str()) {
            problem(&mut verified, &path, "stranger", "the record does not name it, but readers would take it for data".to_owned());
        }
    }
    for path in store::files_below(&workspace.exports())? {
        let export: ExportRecord = read(&path)?;
        if export.packed == name {
            check_export(&mut verified, workspace, &path, &export);
        }
    }
    verified.problems.sort();
    Ok(verified)
}

fn problem(verified: &mut Verified, path: &Path, kind: &'static str, what: String) {
    verified.problems.push(Problem { path: path.to_string_lossy().into_owned(), kind, what });
}

/// Whether a file has the hash of its entry; counts it.
fn has_hash(verified: &mut Verified, folder: &Path, file: &PackedFile) -> bool {
    let path = folder.join(&file.path);
    verified.files += 1;
    verified.bytes += file.bytes;
    match store::sha256_file(&path) {
        Ok(sha256) if sha256 == file.sha256 => return true,
        Ok(sha256) => problem(verified, &path, "hash", format!("its SHA-256 is {sha256}, the record says {}", file.sha256)),
        Err(_) if !path.exists() => problem(verified, &path, "missing", "the record names it, but it is not there".to_owned()),
        Err(error) => problem(verified, &path, "unreadable", error.to_string()),
    }
    false
}

/// What is wrong with the sequences of a shard.
fn wrong_rows(known: &PackRecord, file: &PackedFile, path: &Path, verified: &mut Verified) -> Option<String> {
    let (width, vocabulary) = (known.settings.sequence_tokens as usize, known.origin.vocabulary_size);
    let (mut sequences, mut tokens, mut wrong) = (0_u64, 0_u64, None);
    let read = for_each(path, |sequence| {
        let mut ids = sequence.pieces.iter().flat_map(|piece| &piece.tokens);
        if sequence.tokens() > width {
            wrong = Some(format!("sequence {sequences} has {} tokens, more than {width}", sequence.tokens()));
        } else if let Some(id) = ids.find(|id| vocabulary > 0 && u64::from(**id) >= vocabulary) {
            wrong = Some(format!("sequence {sequences} has the id {id}, but the vocabulary has {vocabulary}"));
        }
        sequences += 1;
        tokens += sequence.tokens() as u64;
        Ok(())
    });
    verified.rows += sequences;
    verified.tokens += tokens;
    match read {
        Err(error) => Some(error.to_string()),
        Ok(()) if (sequences, tokens) != (file.sequences, file.tokens) => {
            Some(format!("it has {sequences} sequences with {tokens} tokens, the record says {} and {}", file.sequences, file.tokens))
        }
        Ok(()) => wrong,
    }
}

fn check_export(verified: &mut Verified, workspace: &Workspace, path: &Path, export: &ExportRecord) {
    let folder = export.folder_in(workspace);
    if export.files.is_empty() {
        return problem(verified, path, "half-exported", "this export was not finished; make it again, or remove it".to_owned());
    }
    for file in &export.files {
        has_hash(verified, &folder, file);
    }
}
