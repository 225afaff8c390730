//! Writes a packed data set in the formats of trainers.
//!
//! Side files say for each piece of a document where it lies and whose it is, and the workspace keeps a record of the export with its place and
//! hashes: that is how takedowns reach it. When a document is erased, its tokens become padding ids and everything else stays where it was.
//! `flat` formats are one row of ids a split without padding; `samples` are files of whole sequences, all of one size; `lines` are JSON.

pub(super) mod blot;
mod flat;
mod lines;
mod mds;
mod megatron;
mod numpy;
mod samples;
mod tar;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::PackError;
use super::record::{ExportRecord, PACK_RECORD, PackRecord, PackedFile, SIDE, read, write};
use super::sequence::{Sequence, for_each};
use super::split::SPLITS;
use crate::doc::DocId;
use crate::store;
use crate::workspace::Workspace;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `<split>.bin`, `<split>.idx`: Megatron-LM's indexed data set.
    Megatron,
    /// `<split>.npy`, `<split>.lengths.npy`.
    Numpy,
    /// `<split>/index.json`, `<split>/shard.<n>.mds`: MosaicML's streaming data sets.
    Mds,
    /// `<split>/shard-<n>.tar`: WebDataset.
    Webdataset,
    /// `<split>/part-<n>.jsonl`.
    Jsonl,
}

impl Format {
    /// How the names of files with ids end.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Format::Megatron => "bin",
            Format::Numpy => "npy",
            Format::Mds => "mds",
            Format::Webdataset => "tar",
            Format::Jsonl => "jsonl",
        }
    }

    /// Whether its wide ids are signed.
    fn is_signed(self) -> bool {
        matches!(self, Format::Megatron | Format::Mds)
    }
}

/// The type of ids in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Dtype {
    /// 16 bits where the vocabulary fits, else 32.
    Auto,
    /// 16 bits, unsigned.
    Uint16,
    /// 32 bits: signed for Megatron and MDS, whose readers know no other, else unsigned.
    #[value(alias = "int32", alias = "uint32")]
    Wide,
}

/// One line of a side file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SideLine {
    /// Number of the first token in the file of ids; padding counts where the file has it.
    pub(super) start: u64,
    /// How many.
    pub(super) tokens: u32,
    /// Whose; none where it was erased.
    pub(super) doc_id: Option<DocId>,
    /// Which token of the document is the first.
    pub(super) offset: u32,
}

/// Whether a path below the folder of an export is one that an export can have made.
pub(super) fn is_ours(below: &Path) -> bool {
    let below = below.to_string_lossy();
    SPLITS.iter().any(|split| below.strip_prefix(split).is_some_and(|rest| rest.starts_with(['.', '/'])))
}

/// Takes the sequences of one split, in order, and makes files of them.
trait SplitWriter {
    fn write(&mut self, sequence: &Sequence) -> Result<(), PackError>;

    /// The finished files, in order of their names.
    fn finish(self: Box<Self>) -> Result<Vec<PackedFile>, PackError>;
}

/// Exports the packed data set `name` to `folder`, which is made. The caller holds the lock of the workspace.
///
/// # Errors
/// See [`PackError`].
pub fn export(workspace: &Workspace, name: &str, folder: &Path, format: Format, dtype: Dtype) -> Result<ExportRecord, PackError> {
    let packed = workspace.packed().join(name);
    let of: PackRecord = read(&packed.join(PACK_RECORD))?;
    let wide = match dtype {
        // Megatron-LM takes 16 bits below 65,500 tokens (`DType.optimal_dtype`).
        Dtype::Auto => of.origin.vocabulary_size == 0 || of.origin.vocabulary_size >= 65_500,
        Dtype::Uint16 => false,
        Dtype::Wide => true,
    };
    store::create_folder(folder)?;
    let full = folder.canonicalize().map_err(PackError::io(folder))?;
    let root = workspace.root().canonicalize().map_err(PackError::io(workspace.root()))?;
    let folder = full.strip_prefix(&root).unwrap_or(&full).to_owned();
    let path = workspace.exports().join(format!("{:032x}.json", xxhash_rust::xxh3::xxh3_128(folder.as_os_str().as_encoded_bytes())));
    let is_used = std::fs::read_dir(&full).map_err(PackError::io(&full))?.next().is_some();
    // What a killed export left is written anew; its record was there before its first byte.
    if is_used && !read::<ExportRecord>(&path).is_ok_and(|known| known.files.is_empty()) {
        return Err(PackError::NotEmpty { path: full });
    }
    let mut record = ExportRecord {
        version: 1,
        folder,
        format,
        packed: name.to_owned(),
        origin: of.origin.clone(),
        id_bytes: if wide { 4 } else { 2 },
        sequence_tokens: of.settings.sequence_tokens,
        pad_id: of.settings.pad_id,
        files: Vec::new(),
    };
    write(&path, &record)?;
    let mut files = Vec::new();
    for split in SPLITS {
        let shards: Vec<&PackedFile> = of.files.iter().filter(|file| file.path.starts_with(&format!("{split}/"))).collect();
        if shards.is_empty() {
            continue;
        }
        let sequences = shards.iter().map(|shard| shard.sequences).sum();
        let mut writer: Box<dyn SplitWriter> = match format {
            Format::Megatron | Format::Numpy => Box::new(flat::Flat::create(&record, &full, split)?),
            Format::Mds | Format::Webdataset => Box::new(samples::Samples::create(&record, &full, split, sequences)?),
            Format::Jsonl => Box::new(lines::Lines::create(&record, &full, split)?),
        };
        for shard in shards {
            for_each(&packed.join(&shard.path), |sequence| writer.write(&sequence))?;
        }
        files.extend(writer.finish()?);
    }
    store::fsync_folder(&full)?;
    record.files = files;
    write(&path, &record)?;
    Ok(record)
}

/// A file of ids in the making, and its side file.
struct Pair {
    ids: BufWriter<File>,
    side: BufWriter<File>,
    /// Names below the folder of the export.
    names: [String; 2],
    /// Tokens so far, without padding.
    tokens: u64,
}

impl Pair {
    /// `<stem>.<ending>` and its side file, below `folder`.
    fn create(folder: &Path, stem: &str, ending: &str) -> Result<Pair, PackError> {
        let names = [format!("{stem}.{ending}"), format!("{stem}{SIDE}")];
        let create = |name: &String| {
            let path = folder.join(name);
            File::create(&path).map(BufWriter::new).map_err(PackError::io(&path))
        };
        Ok(Pair { ids: create(&names[0])?, side: create(&names[1])?, names, tokens: 0 })
    }

    /// Bytes of the file of ids.
    fn put(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        self.ids.write_all(bytes).map_err(|source| PackError::io(Path::new(&self.names[0]))(source))
    }

    /// Notes the pieces of a sequence that begins at token `start` of the file.
    fn note(&mut self, mut start: u64, sequence: &Sequence) -> Result<(), PackError> {
        for piece in &sequence.pieces {
            let line = SideLine { start, tokens: piece.tokens.len() as u32, doc_id: Some(piece.id), offset: piece.offset };
            let mut json = serde_json::to_vec(&line).expect("numbers and strings are JSON");
            json.push(b'\n');
            self.side.write_all(&json).map_err(|source| PackError::io(Path::new(&self.names[1]))(source))?;
            start += piece.tokens.len() as u64;
            self.tokens += piece.tokens.len() as u64;
        }
        Ok(())
    }

    /// The files, complete but not yet flushed to the disk.
    fn close(self) -> Result<Closed, PackError> {
        let Pair { ids, side, names, tokens } = self;
        let done = |file: BufWriter<File>, name: &str| {
            file.into_inner().map_err(std::io::IntoInnerError::into_error).map_err(PackError::io(Path::new(name)))
        };
        Ok(Closed { ids: done(ids, &names[0])?, side: done(side, &names[1])?, names, tokens })
    }
}

/// A file of ids and its side file that only lack being flushed to the disk.
struct Closed {
    ids: File,
    side: File,
    names: [String; 2],
    tokens: u64,
}

impl Closed {
    fn sync(&self) -> Result<(), PackError> {
        let sync = |file: &File, name: &str| file.sync_all().map_err(PackError::io(Path::new(name)));
        sync(&self.ids, &self.names[0])?;
        sync(&self.side, &self.names[1])
    }
}

/// Appends an id in the bytes that the file has for it.
fn put_id(id: u32, record: &ExportRecord, bytes: &mut Vec<u8>) -> Result<(), PackError> {
    if record.id_bytes == 2 {
        let instead = if record.format.is_signed() { "int32" } else { "uint32" };
        let max = u32::from(u16::MAX);
        let short = u16::try_from(id).map_err(|_| PackError::TooLarge { id, dtype: "uint16", max, instead })?;
        bytes.extend_from_slice(&short.to_le_bytes());
        return Ok(());
    }
    if record.format.is_signed() && id > i32::MAX as u32 {
        let instead = "uint32, as numpy or webdataset: this format has no wider ids";
        return Err(PackError::TooLarge { id, dtype: "int32", max: i32::MAX as u32, instead });
    }
    bytes.extend_from_slice(&id.to_le_bytes());
    Ok(())
}
