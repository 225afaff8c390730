//! Makes a packed data set of the published shards of a data set.
//!
//! Two passes in bounded memory: token ids go to a temporary file while their places are noted (`spool`); the notes are sorted by a keyed hash,
//! which is the shuffle, and the ids are fetched in that order. The order depends on seed and ids alone, so neither threads nor the order of
//! shards show in it. A run that is killed leaves only staging, and the same command begins anew.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;

use super::PackError;
use super::benchmarks::{Benchmark, Benchmarks, LeftOut};
use super::fit::Fitter;
use super::record::{LEFT_OUT, Origin, PACK_RECORD, PackRecord, PackedFile, Settings, describe, read, write};
use super::sequence::{Sequence, SequenceWriter};
use super::split::SPLITS;
use super::spool::Spool;
use super::yielded::{Yielded, Yields};
use crate::ledger::manifest::Manifests;
use crate::store;
use crate::suppression::sequence as takedown_sequence;
use crate::workspace::Workspace;

/// What became of a command to pack.
#[derive(Clone, Debug)]
pub enum Packed {
    /// It was made.
    Now(PackRecord),
    /// It was there already, of the same state with the same settings.
    Before(PackRecord),
}

/// Packs `dataset` as `WORKSPACE/packed/<name>`. The caller holds the lock of the workspace.
///
/// # Errors
/// See [`PackError`]; then nothing is published.
pub fn pack(workspace: &Workspace, dataset: &str, name: &str, settings: &Settings, against: &[PathBuf]) -> Result<Packed, PackError> {
    check(name, settings)?;
    let benchmarks = Benchmarks::read(against, settings.benchmark_words)?;
    let manifests = Manifests::open(workspace)?;
    let folder = workspace.packed().join(name);
    let mut origin = Origin {
        dataset: dataset.to_owned(),
        manifest: manifests.of_dataset(dataset).last().map_or(0, |manifest| manifest.number),
        takedown_sequence: takedown_sequence(workspace)?,
        ..Origin::default()
    };
    if folder.exists() {
        let known: PackRecord = read(&folder.join(PACK_RECORD))?;
        let hashes = |all: &[Benchmark]| all.iter().map(|benchmark| benchmark.sha256.clone()).collect::<Vec<_>>();
        let states = |all: &[Yielded]| all.iter().map(|other| (other.dataset.clone(), other.manifest)).collect::<Vec<_>>();
        let same = hashes(&known.benchmarks) == hashes(&benchmarks.all)
            && known.settings == *settings
            && known.origin.dataset == dataset
            && known.origin.manifest == origin.manifest
            && states(&known.yielded) == states(&Yields::named(&manifests, settings.mixture.as_ref()));
        return if same { Ok(Packed::Before(known)) } else { Err(PackError::Taken { path: folder }) };
    }
    let staging = Staging::create(workspace, name)?;
    let mut spool = Spool::create(&staging.folder, benchmarks, settings, false)?;
    spool.yields = Yields::find(&manifests, dataset, settings.mixture.as_ref(), &staging.folder)?;
    for (path, file) in manifests.current(dataset) {
        let path = workspace.root().join(path);
        if store::sha256_file(&path)? != file.sha256 {
            return Err(PackError::Corrupt { path });
        }
        name_tokenizer(&path, &mut origin)?;
        spool.read(&path, settings)?;
    }
    let files = write_splits(&staging.folder, &mut spool, settings, &origin)?;
    write_left_out(&staging.folder, &spool.left_out)?;
    let record = PackRecord { version: 1, files, ..told(&spool, origin, settings) };
    write(&staging.folder.join(PACK_RECORD), &record)?;
    store::create_folder(&workspace.packed())?;
    store::replace(&staging.folder, &folder)?;
    Ok(Packed::Now(record))
}

/// What [`pack`] would do with these settings: a record without files. Reads no token ids, and leaves nothing behind.
///
/// # Errors
/// See [`PackError`].
pub fn plan(workspace: &Workspace, dataset: &str, name: &str, settings: &Settings, against: &[PathBuf]) -> Result<PackRecord, PackError> {
    check(name, settings)?;
    let manifests = Manifests::open(workspace)?;
    let mut origin = Origin { dataset: dataset.to_owned(), ..Origin::default() };
    let staging = Staging::create(workspace, name)?;
    let mut spool = Spool::create(&staging.folder, Benchmarks::read(against, settings.benchmark_words)?, settings, true)?;
    spool.yields = Yields::find(&manifests, dataset, settings.mixture.as_ref(), &staging.folder)?;
    for path in manifests.current(dataset).into_keys() {
        let path = workspace.root().join(path);
        name_tokenizer(&path, &mut origin)?;
        spool.read(&path, settings)?;
    }
    if spool.count == 0 {
        return Err(nothing(&spool, dataset));
    }
    spool.order(&staging.folder, settings)?;
    Ok(told(&spool, origin, settings))
}

/// What the spool counted, as a record without files.
fn told(spool: &Spool, origin: Origin, settings: &Settings) -> PackRecord {
    let mut groups = spool.groups.clone();
    groups.sort_by(|one, other| (&one.lang, &one.source).cmp(&(&other.lang, &other.source)));
    PackRecord {
        version: 1,
        origin,
        settings: settings.clone(),
        documents: u64::from(spool.count),
        empty_documents: spool.empty,
        groups,
        benchmarks: spool.benchmarks.all.clone(),
        yielded: spool.yields.to.clone(),
        files: Vec::new(),
    }
}

/// The folder in which a packed data set is made; what was not published goes with it.
struct Staging {
    folder: PathBuf,
}

impl Staging {
    fn create(workspace: &Workspace, name: &str) -> Result<Staging, PackError> {
        let folder = workspace.staging(&format!("pack-{name}"));
        store::remove_folder(&folder)?;
        store::create_folder(&folder)?;
        Ok(Staging { folder })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next command of this name.
        let _ = store::remove_folder(&self.folder);
    }
}

fn check(name: &str, settings: &Settings) -> Result<(), PackError> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(fine) {
        return Err(PackError::Name { name: name.to_owned() });
    }
    let wrong = |setting, value: String, what| Err(PackError::Setting { setting, value, what });
    if !(1..=1 << 20).contains(&settings.sequence_tokens) {
        return wrong("--sequence-tokens", settings.sequence_tokens.to_string(), "give 1 to 1048576");
    }
    if settings.benchmark_words == 0 {
        return wrong("--benchmark-words", "0".to_owned(), "give 1 or more; 13 is usual");
    }
    if settings.shard_sequences_max == 0 {
        return wrong("--shard-sequences-max", "0".to_owned(), "give 1 or more");
    }
    let (validation, test) = (settings.validation, settings.test);
    if !(0.0..1.0).contains(&validation) || !(0.0..1.0).contains(&test) || validation + test >= 1.0 {
        return wrong("--validation and --test", format!("{validation} and {test}"), "give shares that leave something for training");
    }
    Ok(())
}

/// Notes the tokenizer that the footer of a shard names, and that all have the same.
fn name_tokenizer(path: &Path, origin: &mut Origin) -> Result<(), PackError> {
    let file = File::open(path).map_err(PackError::io(path))?;
    let reader = SerializedFileReader::new(file).map_err(PackError::parquet(path))?;
    let pairs = reader.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let value = |key: &str| pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone());
    let Some(hash) = value("tamis.tokenizer.hash") else { return Err(PackError::NoTokens { dataset: origin.dataset.clone() }) };
    if !origin.tokenizer_hash.is_empty() && origin.tokenizer_hash != hash {
        return Err(PackError::Mixed { dataset: origin.dataset.clone() });
    }
    origin.tokenizer_hash = hash;
    origin.tokenizer = value("tamis.tokenizer.name").unwrap_or_default();
    origin.vocabulary_size = value("tamis.tokenizer.vocabulary_size").and_then(|size| size.parse().ok()).unwrap_or(0);
    Ok(())
}

fn write_left_out(folder: &Path, left_out: &[LeftOut]) -> Result<(), PackError> {
    if left_out.is_empty() {
        return Ok(());
    }
    let lines = left_out.iter().map(|line| serde_json::to_string(line).expect("strings and numbers are JSON") + "\n");
    Ok(store::write_over(&folder.join(LEFT_OUT), lines.collect::<String>().as_bytes())?)
}

/// Why there is nothing to pack.
fn nothing(spool: &Spool, dataset: &str) -> PackError {
    let yielded = spool.yields.to.iter().any(|other| other.documents > 0);
    if spool.count == 0 && !yielded { PackError::NoTokens { dataset: dataset.to_owned() } } else { PackError::Nothing }
}

fn write_splits(folder: &Path, spool: &mut Spool, settings: &Settings, origin: &Origin) -> Result<Vec<PackedFile>, PackError> {
    let orders = spool.order(folder, settings)?;
    if orders.iter().all(|order| order.peek().is_none()) {
        return Err(nothing(spool, &origin.dataset));
    }
    let mut files = Vec::new();
    for (split, mut order) in SPLITS.iter().zip(orders) {
        let mut shards = Shards { folder, split, settings, origin, open: None, files: Vec::new() };
        let (mut fitter, mut full) = (Fitter::new(settings), Vec::new());
        while let Some((_, number)) = order.pull()? {
            let (id, tokens) = spool.document(number)?;
            fitter.add(id, &tokens, &mut full);
            full.drain(..).try_for_each(|sequence| shards.write(sequence))?;
        }
        fitter.finish().try_for_each(|sequence| shards.write(sequence))?;
        shards.close()?;
        files.extend(shards.files);
    }
    Ok(files)
}

/// The shards of one split in the making.
struct Shards<'a> {
    folder: &'a Path,
    split: &'a str,
    settings: &'a Settings,
    origin: &'a Origin,
    open: Option<SequenceWriter>,
    files: Vec<PackedFile>,
}

impl Shards<'_> {
    fn name(&self) -> String {
        format!("{}/part-{:05}.parquet", self.split, self.files.len())
    }

    fn write(&mut self, sequence: Sequence) -> Result<(), PackError> {
        let mut writer = match self.open.take() {
            Some(writer) => writer,
            None => {
                store::create_folder(&self.folder.join(self.split))?;
                SequenceWriter::create(&self.folder.join(self.name()), self.settings, self.origin)?
            }
        };
        writer.write(sequence)?;
        let is_full = writer.sequences >= self.settings.shard_sequences_max;
        self.open = Some(writer);
        if is_full { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> Result<(), PackError> {
        let Some(writer) = self.open.take() else { return Ok(()) };
        let (sequences, tokens) = (writer.sequences, writer.tokens);
        writer.finish()?;
        store::fsync_folder(&self.folder.join(self.split))?;
        self.files.push(describe(self.folder, &self.name(), sequences, tokens)?);
        Ok(())
    }
}
