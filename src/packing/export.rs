//! Writes a packed data set in the formats of trainers: Megatron-LM's `.bin` and `.idx`, and NumPy arrays.
//!
//! Padding stays out: each piece of a document is a sequence, one after the other. A side file says for each piece where it lies and which
//! document it is of, and the workspace keeps a record of the export with its place and hashes: that is how takedowns reach it. When a document
//! is erased, its tokens become padding ids and everything else stays where it was.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::record::{ExportRecord, PACK_RECORD, PackRecord, PackedFile, SIDE, describe, read, write};
use super::sequence::{Piece, for_each};
use super::split::SPLITS;
use super::{PackError, megatron, numpy};
use crate::doc::DocId;
use crate::store;
use crate::workspace::Workspace;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `<split>.bin`, `<split>.idx`.
    Megatron,
    /// `<split>.npy`, `<split>.lengths.npy`.
    Numpy,
}

/// The type of ids in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Dtype {
    /// 16 bits where the vocabulary fits, else 32.
    Auto,
    /// 16 bits, unsigned.
    Uint16,
    /// 32 bits: signed for Megatron, which knows no other, unsigned for NumPy.
    #[value(alias = "int32", alias = "uint32")]
    Wide,
}

/// One line of a side file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SideLine {
    /// Number of the first token in the file of ids.
    pub(super) start: u64,
    /// How many.
    pub(super) tokens: u32,
    /// Whose; none where it was erased.
    pub(super) doc_id: Option<DocId>,
    /// Which token of the document is the first.
    pub(super) offset: u32,
}

/// The names of all files that an export can have for a split.
pub(super) fn file_names(split: &str) -> [String; 5] {
    [".bin", ".idx", ".npy", ".lengths.npy", SIDE].map(|ending| format!("{split}{ending}"))
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
    let folder = folder.canonicalize().map_err(PackError::io(folder))?;
    let path = workspace.exports().join(format!("{:032x}.json", xxhash_rust::xxh3::xxh3_128(folder.as_os_str().as_encoded_bytes())));
    let is_used = std::fs::read_dir(&folder).map_err(PackError::io(&folder))?.next().is_some();
    // What a killed export left is written anew; its record was there before its first byte.
    if is_used && !read::<ExportRecord>(&path).is_ok_and(|known| known.files.is_empty()) {
        return Err(PackError::NotEmpty { path: folder });
    }
    let mut record = ExportRecord {
        version: 1,
        folder: folder.clone(),
        format: if format == Format::Megatron { "megatron" } else { "numpy" }.to_owned(),
        packed: name.to_owned(),
        origin: of.origin.clone(),
        id_bytes: if wide { 4 } else { 2 },
        header_bytes: if format == Format::Numpy { numpy::HEADER_BYTES } else { 0 },
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
        let mut writer = Split::create(&record, split, format)?;
        for shard in shards {
            for_each(&packed.join(&shard.path), |sequence| sequence.pieces.iter().try_for_each(|piece| writer.write(piece)))?;
        }
        files.extend(writer.finish()?);
    }
    store::fsync_folder(&folder)?;
    record.files = files;
    write(&path, &record)?;
    Ok(record)
}

/// The files of one split in the making.
struct Split<'a> {
    record: &'a ExportRecord,
    name: &'a str,
    format: Format,
    ids: BufWriter<File>,
    side: BufWriter<File>,
    lengths: Vec<u32>,
    tokens: u64,
}

impl<'a> Split<'a> {
    fn create(record: &'a ExportRecord, name: &'a str, format: Format) -> Result<Split<'a>, PackError> {
        let create = |name: String| {
            let path = record.folder.join(name);
            File::create(&path).map(BufWriter::new).map_err(PackError::io(&path))
        };
        let ending = if format == Format::Megatron { "bin" } else { "npy" };
        let (ids, side) = (create(format!("{name}.{ending}"))?, create(format!("{name}{SIDE}"))?);
        let mut split = Split { record, name, format, ids, side, lengths: Vec::new(), tokens: 0 };
        split.put(&vec![0; record.header_bytes as usize])?;
        Ok(split)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        self.ids.write_all(bytes).map_err(PackError::io(&self.record.folder))
    }

    fn write(&mut self, piece: &Piece) -> Result<(), PackError> {
        let line = SideLine { start: self.tokens, tokens: piece.tokens.len() as u32, doc_id: Some(piece.id), offset: piece.offset };
        let mut bytes = Vec::with_capacity(piece.tokens.len() * usize::from(self.record.id_bytes));
        for id in &piece.tokens {
            put_id(*id, self.record.id_bytes, self.format, &mut bytes)?;
        }
        self.put(&bytes)?;
        self.tokens += piece.tokens.len() as u64;
        self.lengths.push(line.tokens);
        let mut json = serde_json::to_vec(&line).expect("numbers and strings are JSON");
        json.push(b'\n');
        self.side.write_all(&json).map_err(PackError::io(&self.record.folder))
    }

    fn finish(self) -> Result<Vec<PackedFile>, PackError> {
        let Split { record, name, format, ids, side, lengths, tokens } = self;
        let folder = &record.folder;
        let done = |file: BufWriter<File>| file.into_inner().map_err(std::io::IntoInnerError::into_error).map_err(PackError::io(folder));
        let (ids, side) = (done(ids)?, done(side)?);
        let wide = record.id_bytes == 4;
        let (data, index) = match format {
            Format::Megatron => {
                let code = if wide { megatron::INT32 } else { megatron::UINT16 };
                store::write_over(&folder.join(format!("{name}.idx")), &megatron::index(code, record.id_bytes, &lengths))?;
                (format!("{name}.bin"), format!("{name}.idx"))
            }
            Format::Numpy => {
                let header = numpy::header(if wide { "<u4" } else { "<u2" }, tokens);
                ids.write_all_at(&header, 0).map_err(PackError::io(folder))?;
                let mut bytes = numpy::header("<u4", lengths.len() as u64);
                lengths.iter().for_each(|length| bytes.extend_from_slice(&length.to_le_bytes()));
                store::write_over(&folder.join(format!("{name}.lengths.npy")), &bytes)?;
                (format!("{name}.npy"), format!("{name}.lengths.npy"))
            }
        };
        ids.sync_all().and_then(|()| side.sync_all()).map_err(PackError::io(folder))?;
        let pieces = lengths.len() as u64;
        [data, index, format!("{name}{SIDE}")].iter().map(|path| describe(folder, path, pieces, tokens)).collect()
    }
}

/// Appends an id in the bytes that the file has for it.
fn put_id(id: u32, id_bytes: u8, format: Format, bytes: &mut Vec<u8>) -> Result<(), PackError> {
    if id_bytes == 2 {
        let instead = if format == Format::Megatron { "int32" } else { "uint32" };
        let max = u32::from(u16::MAX);
        let short = u16::try_from(id).map_err(|_| PackError::TooLarge { id, dtype: "uint16", max, instead })?;
        bytes.extend_from_slice(&short.to_le_bytes());
        return Ok(());
    }
    if format == Format::Megatron && id > i32::MAX as u32 {
        return Err(PackError::TooLarge {
            id,
            dtype: "int32",
            max: i32::MAX as u32,
            instead: "uint32, as numpy: Megatron-LM has no wider ids",
        });
    }
    bytes.extend_from_slice(&id.to_le_bytes());
    Ok(())
}
