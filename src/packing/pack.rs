//! Makes a packed data set of the published shards of a data set.
//!
//! Two passes in bounded memory: token ids go to a temporary file while their places are noted; the notes are sorted by a keyed hash of the
//! document's id, which is the shuffle, and the ids are fetched in that order. The order depends on seed and ids alone, so neither threads
//! nor the order of shards show in it. A run that is killed leaves only staging, and the same command begins anew.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::PackError;
use super::benchmarks::{Benchmark, Benchmarks, LeftOut};
use super::fit::Fitter;
use super::record::{LEFT_OUT, Origin, PACK_RECORD, PackRecord, PackedFile, Settings, describe, read, write};
use super::sequence::{Sequence, SequenceWriter};
use super::split::{SPLITS, split_of};
use crate::dedup::sorter::{Sorter, Spill};
use crate::doc::DocId;
use crate::ledger::manifest::Manifests;
use crate::locator::InBlock;
use crate::locator::rows::{Documents, Row};
use crate::store;
use crate::suppression::sequence as takedown_sequence;
use crate::workspace::Workspace;

/// Memory for the sorting of one split.
const SORT_BYTES_MAX: usize = 64 << 20;
/// Bytes of a note: id, place in the file of ids, number of ids.
const NOTE_BYTES: usize = 16 + 8 + 4;

/// What became of a command to pack.
#[derive(Clone, Debug)]
pub enum Packed {
    /// It was made.
    Now(PackRecord),
    /// It was there already, of the same state with the same settings.
    Before(PackRecord),
}

/// Token ids of all documents on disk, with their shuffled order by split.
struct Spool {
    ids: Spill,
    notes: Spill,
    order: Vec<Sorter<(u128, u32)>>,
    benchmarks: Benchmarks,
    left_out: Vec<LeftOut>,
    count: u32,
    empty: u64,
}

impl Spool {
    fn create(folder: &Path, benchmarks: Benchmarks) -> Result<Spool, PackError> {
        let order = SPLITS.iter().map(|split| Sorter::new(folder, split, SORT_BYTES_MAX)).collect();
        let (ids, notes) = (Spill::create(folder.join("ids"))?, Spill::create(folder.join("notes"))?);
        Ok(Spool { ids, notes, order, benchmarks, left_out: Vec::new(), count: 0, empty: 0 })
    }

    fn take(&mut self, row: &Row<'_>, settings: &Settings) -> Result<(), PackError> {
        let list = row.batch().column_by_name("input_ids").and_then(|column| column.as_list_opt::<i32>());
        let values = list.map(|list| list.value(row.number()));
        let tokens = values.as_ref().and_then(|values| values.as_primitive_opt::<UInt32Type>()).map_or(&[][..], |ids| ids.values());
        if tokens.is_empty() {
            self.empty += 1;
            return Ok(());
        }
        let id = row.id();
        if let Some(left_out) = self.benchmarks.repeats(id, row.text("text")) {
            self.left_out.push(left_out);
            return Ok(());
        }
        let mut note = Vec::with_capacity(NOTE_BYTES);
        note.extend_from_slice(&id.0.to_le_bytes());
        note.extend_from_slice(&self.ids.bytes().to_le_bytes());
        note.extend_from_slice(&(tokens.len() as u32).to_le_bytes());
        self.notes.write(&note)?;
        self.ids.write(&tokens.iter().flat_map(|token| token.to_le_bytes()).collect::<Vec<u8>>())?;
        let cluster: DocId = row.text("cluster_id").parse().unwrap_or(id);
        let key = xxh3_128_with_seed(&id.0.to_le_bytes(), settings.seed);
        self.order[usize::from(split_of(settings, cluster.0))].push((key, self.count))?;
        self.count += 1;
        Ok(())
    }

    /// Document `number` with its tokens.
    fn document(&self, number: u32) -> Result<(DocId, Vec<u32>), PackError> {
        let mut note = [0; NOTE_BYTES];
        self.notes.read(&mut note, u64::from(number) * NOTE_BYTES as u64)?;
        let (id, rest) = note.split_at(16);
        let (place, length) = rest.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
        let mut bytes = vec![0; number(length) as usize * 4];
        self.ids.read(&mut bytes, number(place) as u64)?;
        Ok((DocId(number(id)), bytes.chunks_exact(4).map(|bytes| number(bytes) as u32).collect()))
    }
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
        let same = hashes(&known.benchmarks) == hashes(&benchmarks.all)
            && known.settings == *settings
            && known.origin.dataset == dataset
            && known.origin.manifest == origin.manifest;
        return if same { Ok(Packed::Before(known)) } else { Err(PackError::Taken { path: folder }) };
    }
    let staging = workspace.staging(&format!("pack-{name}"));
    store::remove_folder(&staging)?;
    store::create_folder(&staging)?;
    let mut spool = Spool::create(&staging, benchmarks)?;
    for (path, file) in manifests.current(dataset) {
        let path = workspace.root().join(path);
        if store::sha256_file(&path)? != file.sha256 {
            return Err(PackError::Corrupt { path });
        }
        name_tokenizer(&path, &mut origin)?;
        read_shard(&path, &mut spool, settings)?;
    }
    if spool.count == 0 {
        return Err(PackError::NoTokens { dataset: dataset.to_owned() });
    }
    let (documents, empty_documents) = (u64::from(spool.count), spool.empty);
    let benchmarks = spool.benchmarks.all.clone();
    write_left_out(&staging, &spool.left_out)?;
    let files = write_splits(&staging, spool, settings, &origin)?;
    let record = PackRecord { version: 1, origin, settings: settings.clone(), documents, empty_documents, benchmarks, files };
    write(&staging.join(PACK_RECORD), &record)?;
    store::create_folder(&workspace.packed())?;
    store::replace(&staging, &folder)?;
    Ok(Packed::Now(record))
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

fn read_shard(path: &Path, spool: &mut Spool, settings: &Settings) -> Result<(), PackError> {
    let documents = Documents::open(path).map_err(PackError::parquet(path))?;
    let columns: &[&str] = match spool.benchmarks.all.is_empty() {
        true => &["id", "cluster_id", "input_ids"],
        false => &["id", "cluster_id", "input_ids", "text"],
    };
    for group in 0..documents.groups().len() {
        let mut failed = Ok(());
        let each = |_, row: Row<'_>| {
            if failed.is_ok() {
                failed = spool.take(&row, settings);
            }
        };
        documents.for_each(group, &InBlock::Anywhere, columns, each).map_err(PackError::parquet(path))?;
        failed?;
    }
    Ok(())
}

fn write_left_out(folder: &Path, left_out: &[LeftOut]) -> Result<(), PackError> {
    if left_out.is_empty() {
        return Ok(());
    }
    let lines = left_out.iter().map(|line| serde_json::to_string(line).expect("strings and numbers are JSON") + "\n");
    Ok(store::write_over(&folder.join(LEFT_OUT), lines.collect::<String>().as_bytes())?)
}

fn write_splits(folder: &Path, mut spool: Spool, settings: &Settings, origin: &Origin) -> Result<Vec<PackedFile>, PackError> {
    spool.ids.flush()?;
    spool.notes.flush()?;
    let mut files = Vec::new();
    for (split, order) in SPLITS.iter().zip(std::mem::take(&mut spool.order)) {
        let mut sorted = order.finish()?;
        let mut shards = Shards { folder, split, settings, origin, open: None, files: Vec::new() };
        let (mut fitter, mut full) = (Fitter::new(settings), Vec::new());
        while let Some((_, number)) = sorted.pull()? {
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
