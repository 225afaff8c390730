//! Proof that a data set is what its manifests say: every file is there with its hash, nothing else is, and every row fits the schema.
//!
//! A file whose hash is wrong is named and not read any further: its rows prove nothing.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use serde::Serialize;

use super::manifest::{FileEntry, ManifestError, Manifests};
use crate::columns::DOCUMENT;
use crate::doc::DocId;
use crate::store::{self, StoreError};
use crate::workspace::Workspace;

/// Rows read at a time.
const ROWS_MAX: usize = 1_024;

/// What was checked, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The data set.
    pub dataset: String,
    /// Files that the manifests name.
    pub files: u64,
    /// Rows that were read.
    pub rows: u64,
    /// Token ids that were read.
    pub tokens: u64,
    /// Size of the files, as the manifests say.
    pub bytes: u64,
    /// What is wrong, in order of path.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The file, below the workspace.
    pub path: String,
    /// Short and stable: `missing`, `hash`, `stranger`, `unreadable`, `schema`, `rows`, `tokens`, `lang`, `id`, `half-published`.
    pub kind: &'static str,
    /// What it is, in words.
    pub what: String,
}

/// Why a data set cannot be verified at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The manifests cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A folder cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing was ever published under this name.
    #[error("no run has published a data set `{dataset}` in this workspace; look at the names in its folder `data`")]
    NoDataset { dataset: String },
}

/// Checks every file and row of `dataset`, and that `data/` holds nothing else. Changes nothing.
///
/// # Errors
/// When manifests or folders cannot be read, or there is no such data set. What is wrong with the data is no error but a [`Problem`].
pub fn verify(workspace: &Workspace, dataset: &str) -> Result<Verified, VerifyError> {
    let manifests = Manifests::read(workspace)?;
    if manifests.of_dataset(dataset).is_empty() {
        return Err(VerifyError::NoDataset { dataset: dataset.to_owned() });
    }
    let mut verified = Verified { dataset: dataset.to_owned(), ..Verified::default() };
    for number in manifests.unapplied() {
        let what = format!("manifest {number} was written but not finished; the next `tamis run` in this workspace finishes it");
        verified.problem("_tamis/manifest", "half-published", what);
    }
    manifests.current(dataset).into_values().for_each(|file| verified.shard(workspace.root(), file));
    manifests.index_of(dataset).into_iter().for_each(|file| verified.plain(workspace.root(), file));
    let mut found = Vec::new();
    files_below(&workspace.all_data(), "data", &mut found)?;
    let known = manifests.paths();
    for stranger in found.iter().filter(|path| !known.contains(path.as_str())) {
        verified.problem(stranger, "stranger", "no manifest names it, but readers would take it for data; move it elsewhere".to_owned());
    }
    verified.problems.sort();
    Ok(verified)
}

impl Verified {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// Adds what is wrong with the file at `path`.
    pub fn problem(&mut self, path: &str, kind: &'static str, what: String) {
        self.problems.push(Problem { path: path.to_owned(), kind, what });
    }

    /// Checks a file below `root` that holds no documents.
    pub fn plain(&mut self, root: &Path, entry: &FileEntry) {
        self.has_hash(root, entry);
    }

    /// Whether a file has the hash of its entry; else that is a problem. Counts it.
    fn has_hash(&mut self, root: &Path, entry: &FileEntry) -> bool {
        self.files += 1;
        self.bytes += entry.bytes;
        let (path, full) = (entry.path.as_str(), root.join(&entry.path));
        match store::sha256_file(&full) {
            Ok(sha256) if sha256 == entry.sha256 => return true,
            Ok(sha256) => self.problem(path, "hash", format!("its SHA-256 is {sha256}, the manifest says {}", entry.sha256)),
            Err(_) if !full.exists() => self.problem(path, "missing", "the manifest names it, but it is not there".to_owned()),
            Err(error) => self.problem(path, "unreadable", error.to_string()),
        }
        false
    }

    /// Checks a shard below `root`, with its rows.
    pub fn shard(&mut self, root: &Path, entry: &FileEntry) {
        if !self.has_hash(root, entry) {
            return;
        }
        let (path, full) = (entry.path.as_str(), root.join(&entry.path));
        let mut shard = Shard::new(path);
        if let Err(error) = shard.read(&full) {
            shard.problem("unreadable", error.to_string());
        }
        if shard.rows != entry.rows {
            shard.problem("rows", format!("it holds {} rows, the manifest says {}", shard.rows, entry.rows));
        }
        if shard.tokens != entry.tokens {
            shard.problem("tokens", format!("it holds {} token ids, the manifest says {}", shard.tokens, entry.tokens));
        }
        self.rows += shard.rows;
        self.tokens += shard.tokens;
        for (kind, what) in shard.problems {
            self.problem(path, kind, what);
        }
    }
}

/// All files below `folder`, as paths that begin with `name`; a link is a file.
fn files_below(folder: &Path, name: &str, found: &mut Vec<String>) -> Result<(), StoreError> {
    let refused = |error| StoreError::io(folder, error);
    for entry in std::fs::read_dir(folder).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().map_err(refused)?.is_dir() {
            files_below(&entry.path(), &name, found)?;
        } else {
            found.push(name);
        }
    }
    Ok(())
}

/// One shard while its rows are read. Of each kind of problem only the first row is told.
struct Shard<'a> {
    lang: &'a str,
    ids: HashSet<DocId>,
    rows: u64,
    tokens: u64,
    told: BTreeSet<&'static str>,
    problems: Vec<(&'static str, String)>,
}

impl<'a> Shard<'a> {
    fn new(path: &'a str) -> Shard<'a> {
        let lang = path.split('/').find_map(|part| part.strip_prefix("lang=")).unwrap_or("");
        Shard { lang, ids: HashSet::new(), rows: 0, tokens: 0, told: BTreeSet::new(), problems: Vec::new() }
    }

    fn problem(&mut self, kind: &'static str, what: String) {
        if self.told.insert(kind) {
            self.problems.push((kind, what));
        }
    }

    fn read(&mut self, path: &Path) -> Result<(), ParquetError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
        if let Some(what) = difference(builder.schema(), &DOCUMENT.arrow()) {
            self.rows = builder.metadata().file_metadata().num_rows().unsigned_abs();
            self.problem("schema", what);
            return Ok(());
        }
        for batch in builder.with_batch_size(ROWS_MAX).build()? {
            self.batch(&batch?);
        }
        Ok(())
    }

    /// The columns are those of the schema, so each has its type.
    fn batch(&mut self, batch: &RecordBatch) {
        let column = |name: &str| batch.column_by_name(name).map(AsRef::as_ref);
        let (Some(ids), Some(langs), Some(lists), Some(counts)) =
            (column("id"), column("lang"), column("input_ids"), column("token_count"))
        else {
            return;
        };
        let (ids, langs) = (ids.as_string::<i32>(), langs.as_string::<i32>());
        let (lists, counts) = (lists.as_list::<i32>(), counts.as_primitive::<UInt32Type>());
        for row in 0..batch.num_rows() {
            self.id(ids.value(row));
            if langs.value(row) != self.lang {
                self.problem("lang", format!("row {} is in `{}`, the folder says `{}`", self.rows, langs.value(row), self.lang));
            }
            let length = lists.value_length(row).unsigned_abs();
            let count = if counts.is_valid(row) { counts.value(row) } else { 0 };
            if count != length {
                self.problem("tokens", format!("row {} has {length} token ids, but token_count {count}", self.rows));
            }
            self.tokens += u64::from(length);
            self.rows += 1;
        }
    }

    fn id(&mut self, hex: &str) {
        let lower_hex = hex.len() == 32 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match hex.parse::<DocId>() {
            Ok(id) if lower_hex => {
                if !self.ids.insert(id) {
                    self.problem("id", format!("row {} has the id {hex} of an earlier row", self.rows));
                }
            }
            _ => self.problem("id", format!("row {} has the id `{hex}`, which is not 32 lower-case hex digits", self.rows)),
        }
    }
}

/// The first way in which the columns of a file are not those of the schema.
fn difference(found: &Schema, expected: &Schema) -> Option<String> {
    for (place, field) in expected.fields().iter().enumerate() {
        match found.fields().get(place) {
            None => return Some(format!("column `{}` is missing", field.name())),
            Some(there) if !same(there, field) => {
                return Some(format!("column {place} is {}, the schema says {}", words(there), words(field)));
            }
            Some(_) => {}
        }
    }
    let extra = found.fields().get(expected.fields().len())?;
    Some(format!("column `{}` is not in the schema", extra.name()))
}

fn same(found: &Field, expected: &Field) -> bool {
    let types = match (found.data_type(), expected.data_type()) {
        (DataType::Struct(found), DataType::Struct(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(found, expected)| same(found, expected))
        }
        (DataType::List(found), DataType::List(expected)) => same(found, expected),
        (found, expected) => found == expected,
    };
    types && found.name() == expected.name() && found.is_nullable() == expected.is_nullable()
}

fn words(field: &Field) -> String {
    format!("`{}` {}{}", field.name(), field.data_type(), if field.is_nullable() { " or null" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc::{Document, Lang};
    use crate::ledger::manifest::{NewCommit, StagedFile};
    use crate::sink::Sink;
    use crate::sinks::shards::{ShardOptions, ShardSink};

    struct Place {
        _folder: tempfile::TempDir,
        workspace: Workspace,
    }

    fn doc(number: u32) -> Document {
        let text = format!("Lá maith duit, a chara, uimhir {number}");
        Document {
            id: DocId::of("", text.as_bytes()),
            text,
            lang: Some(Lang::new("ga")),
            input_ids: vec![1, 2, number],
            token_count: Some(3),
            ..Document::default()
        }
    }

    /// A workspace with one published shard of `docs`, under the folder of language `lang`.
    fn published(lang: &str, docs: impl IntoIterator<Item = Document>) -> Place {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let workspace = Workspace::open(&folder.path().join("w")).expect("a free place");
        let staging = workspace.staging("p");
        store::create_folder(&staging).expect("room");
        let mut sink = Box::new(ShardSink::create(&staging, "s.parquet", ShardOptions::default()).expect("room"));
        for doc in docs {
            sink.write(doc).expect("room");
        }
        let output = sink.finish().expect("room").remove(0);
        let (rows, bytes, tokens) = (output.rows, output.bytes, output.tokens);
        let file = StagedFile { staged: staging.join("s.parquet"), lang: lang.to_owned(), sha256: output.sha256, rows, bytes, tokens };
        let [transaction, plan, recipe_hash, tokenizer, ledger] = ["p", "p", "r", "t", "l.json"].map(str::to_owned);
        let dataset = "web".to_owned();
        let (index, retired) = (Vec::new(), Vec::new());
        let commit = NewCommit {
            transaction,
            dataset,
            plan,
            recipe_hash,
            tokenizer,
            takedown_sequence: 0,
            ledger: Some(ledger),
            files: vec![file],
            replacements: Vec::new(),
            index,
            retired,
        };
        Manifests::open(&workspace).expect("it is new").commit(commit).expect("room");
        Place { _folder: folder, workspace }
    }

    impl Place {
        fn shard(&self, lang: &str) -> std::path::PathBuf {
            self.workspace.data("web").join(format!("lang={lang}/part-00000.parquet"))
        }

        fn problems(&self) -> Vec<(String, &'static str)> {
            let verified = verify(&self.workspace, "web").expect("it can be read");
            verified.problems.into_iter().map(|problem| (problem.path, problem.kind)).collect()
        }
    }

    #[test]
    fn a_sound_data_set_is_counted() {
        let place = published("ga", (0..5).map(doc));
        let verified = verify(&place.workspace, "web").expect("it can be read");
        assert!(verified.is_sound(), "{verified:?}");
        assert_eq!((verified.files, verified.rows, verified.tokens), (1, 5, 15));
        assert!(matches!(verify(&place.workspace, "none"), Err(VerifyError::NoDataset { .. })));
    }

    #[test]
    fn every_single_flipped_bit_is_reported_with_the_name_of_the_file() {
        let place = published("ga", (0..5).map(doc));
        let path = place.shard("ga");
        let bytes = std::fs::read(&path).expect("it is there");
        for position in (0..bytes.len()).step_by(97) {
            let mut flipped = bytes.clone();
            flipped[position] ^= 1 << (position % 8);
            std::fs::write(&path, &flipped).expect("room");
            assert_eq!(place.problems(), [("data/web/lang=ga/part-00000.parquet".to_owned(), "hash")], "byte {position}");
        }
    }

    #[test]
    fn missing_files_and_strangers_are_named() {
        let place = published("ga", (0..5).map(doc));
        std::fs::rename(place.shard("ga"), place.workspace.data("web").join("lang=ga/copy.tmp")).expect("room");
        let want = [("data/web/lang=ga/copy.tmp", "stranger"), ("data/web/lang=ga/part-00000.parquet", "missing")];
        assert_eq!(place.problems(), want.map(|(path, kind)| (path.to_owned(), kind)));
    }

    #[test]
    fn rows_that_do_not_fit_the_schema_are_named() {
        let check = |lang: &str, docs: Vec<Document>, want: &[&str]| {
            let kinds: Vec<_> = published(lang, docs).problems().into_iter().map(|(_, kind)| kind).collect();
            assert_eq!(kinds, want);
        };
        check("gd", vec![doc(0)], &["lang"]);
        check("ga", vec![doc(0), doc(1), doc(0)], &["id"]);
        check("ga", vec![Document { input_ids: vec![1], ..doc(0) }], &["tokens"]);
        check("ga", vec![Document { token_count: None, ..doc(0) }], &["tokens"]);
        check("ga", vec![Document { token_count: None, input_ids: Vec::new(), ..doc(0) }], &[]);
    }

    #[test]
    fn other_columns_are_told_in_words() {
        let schema = DOCUMENT.arrow();
        assert_eq!(difference(&schema, &schema), None);
        let fewer = Schema::new(schema.fields().iter().take(3).cloned().collect::<Vec<_>>());
        assert_eq!(difference(&fewer, &schema).expect("they differ"), "column `lang` is missing");
        assert_eq!(difference(&schema, &fewer).expect("they differ"), "column `lang` is not in the schema");
        let nullable = Schema::new(vec![Field::new("id", DataType::Utf8, true)]);
        assert_eq!(difference(&nullable, &schema).expect("they differ"), "column 0 is `id` Utf8 or null, the schema says `id` Utf8");
    }
}
