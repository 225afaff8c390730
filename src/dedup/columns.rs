//! A file of fixed-width columns in blocks, each piece with its checksum: what signatures and decisions are kept in.
//!
//! Parquet would gain nothing here: hashes neither compress nor want statistics, parquet-rs writes no page checksums, and its bytes may
//! change with its version. Here one column of one block is one read at a known place, so a single band of all documents can be read
//! alone, and writing holds no more than one block.
//!
//! ```text
//! "tamiscol" version:u32 | block: column after column, rows * width bytes each | .. | footer: JSON | length:u32 xxh3:u64 "tamisend"
//! ```
//! Numbers are little-endian. The footer lists columns, blocks and checksums (xxh3-64), and whatever the kind of file wants to say.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::xxh3_64;

use crate::sink::{Output, OutputKind, SinkError};

const HEAD: &[u8; 8] = b"tamiscol";
const TAIL: &[u8; 8] = b"tamisend";
const VERSION: u32 = 1;
const HEAD_BYTES: u64 = 12;
const TAIL_BYTES: u64 = 20;

/// Rows in a block, if the kind of file does not say otherwise: at some 300 bytes a signature 1.2 MB, and 32 KB of one band, long enough
/// to be read at the speed of the disk.
const BLOCK_ROWS: u32 = 4096;

/// Largest footer that is read; it takes some 20 bytes a column and block.
const FOOTER_BYTES_MAX: u64 = 1 << 30;

/// A column: its name and the bytes of one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Bytes of one value.
    pub width: u32,
}

impl Column {
    /// The column `name` of `width` bytes a value.
    #[must_use]
    pub fn new(name: &str, width: usize) -> Column {
        Column { name: name.to_owned(), width: width as u32 }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Block {
    rows: u32,
    checksums: Vec<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Footer<About> {
    about: About,
    columns: Vec<Column>,
    blocks: Vec<Block>,
}

/// Why a file of columns cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ColumnError {
    /// The system refused.
    #[error("cannot read `{path}`: {source}", path = path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// Something else lies there, or its end is missing.
    #[error("`{path}` is no whole file of this kind ({what}); remove it and run the task that makes it again", path = path.display())]
    NotWhole { path: PathBuf, what: &'static str },
    /// Written by another version of tamis.
    #[error("`{path}` has format version {found}, this program reads version {VERSION}; run the task that makes it again", path = path.display())]
    Version { path: PathBuf, found: u32 },
    /// Bytes have changed since they were written.
    #[error("`{path}` is damaged: column `{column}` of block {block} does not match its checksum; run the task that makes it again", path = path.display())]
    Damaged { path: PathBuf, column: String, block: usize },
}

/// Writes rows.
#[derive(Debug)]
pub struct ColumnWriter {
    path: PathBuf,
    file: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
    columns: Vec<Column>,
    values: Vec<Vec<u8>>,
    rows: u32,
    block_rows: u32,
    blocks: Vec<Block>,
}

impl ColumnWriter {
    /// Begins a new file at `path`, in place of an old one.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path, columns: Vec<Column>) -> Result<ColumnWriter, SinkError> {
        let refused = |error| SinkError::io(path, error);
        let file = BufWriter::with_capacity(1 << 16, File::create(path).map_err(refused)?);
        let values = columns.iter().map(|_| Vec::new()).collect();
        let mut writer = ColumnWriter {
            path: path.to_owned(),
            file,
            digest: Sha256::new(),
            bytes: 0,
            columns,
            values,
            rows: 0,
            block_rows: BLOCK_ROWS,
            blocks: Vec::new(),
        };
        writer.put(HEAD)?;
        writer.put(&VERSION.to_le_bytes())?;
        Ok(writer)
    }

    /// The same with other blocks: small ones where single rows are looked up, large ones where all are read in order.
    #[must_use]
    pub fn with_block_rows(self, block_rows: u32) -> ColumnWriter {
        ColumnWriter { block_rows, ..self }
    }

    /// Sets the value of the column number `column` in the row that is being written; every column once a row.
    pub fn set(&mut self, column: usize, value: &[u8]) {
        debug_assert_eq!(value.len(), self.columns[column].width as usize, "a value has the width of its column");
        self.values[column].extend_from_slice(value);
    }

    /// Ends the row.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn end_row(&mut self) -> Result<(), SinkError> {
        self.rows += 1;
        if self.rows == self.block_rows { self.end_block() } else { Ok(()) }
    }

    /// Writes block number `block` of a file with the same columns as it stands, after ending the block that is being written.
    ///
    /// # Errors
    /// When it cannot be read, does not match its checksums, or cannot be written.
    pub fn copy_block<About: DeserializeOwned, E>(&mut self, from: &ColumnFile<About>, file: &File, block: usize) -> Result<(), E>
    where
        E: From<ColumnError> + From<SinkError>,
    {
        self.end_block()?;
        let mut values = Vec::new();
        for column in 0..self.columns.len() {
            from.read_into(file, column, block, &mut values)?;
            self.put(&values)?;
        }
        let Block { rows, checksums } = &from.footer.blocks[block];
        self.blocks.push(Block { rows: *rows, checksums: checksums.clone() });
        Ok(())
    }

    /// Ends the file with what `about` says, flushes it to disk and describes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self, kind: OutputKind, about: &impl Serialize) -> Result<Output, SinkError> {
        self.end_block()?;
        let rows = self.blocks.iter().map(|block| u64::from(block.rows)).sum();
        let footer = Footer { about, columns: std::mem::take(&mut self.columns), blocks: std::mem::take(&mut self.blocks) };
        let footer = serde_json::to_vec(&footer).map_err(|error| self.refused(error.into()))?;
        self.put(&footer)?;
        self.put(&(footer.len() as u32).to_le_bytes())?;
        self.put(&xxh3_64(&footer).to_le_bytes())?;
        self.put(TAIL)?;
        let flushed = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        flushed.map_err(|source| self.refused(source))?;
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let sha256 = self.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Output { name, kind, bytes: self.bytes, rows, tokens: 0, sha256, groups: Vec::new() })
    }

    /// Ends the block that is being written, which may be shorter than others.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn end_block(&mut self) -> Result<(), SinkError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut values = std::mem::take(&mut self.values);
        let checksums = values.iter().map(|column| xxh3_64(column)).collect();
        for column in &mut values {
            self.put(column)?;
            column.clear();
        }
        self.values = values;
        self.blocks.push(Block { rows: std::mem::take(&mut self.rows), checksums });
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.file.write_all(bytes).map_err(|source| self.refused(source))?;
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn refused(&self, source: std::io::Error) -> SinkError {
        SinkError::io(&self.path, source)
    }
}

/// Reads columns, block by block. The file is opened for each reading, so that thousands of them can be in use.
#[derive(Debug)]
pub struct ColumnFile<About> {
    path: PathBuf,
    footer: Footer<About>,
    /// Where each block begins.
    starts: Vec<u64>,
    /// Rows of all blocks: they are asked for once a row, and an index has tens of thousands of blocks.
    rows: usize,
}

impl<About: DeserializeOwned> ColumnFile<About> {
    /// Opens the file at `path` and reads its footer.
    ///
    /// # Errors
    /// When it cannot be read, is of another kind or version, or its end is missing or damaged.
    pub fn open(path: &Path) -> Result<ColumnFile<About>, ColumnError> {
        let refused = |source| ColumnError::Io { path: path.to_owned(), source };
        let not_whole = |what| ColumnError::NotWhole { path: path.to_owned(), what };
        let file = File::open(path).map_err(refused)?;
        let size = file.metadata().map_err(refused)?.len();
        let end = size.checked_sub(TAIL_BYTES).filter(|end| *end >= HEAD_BYTES).ok_or_else(|| not_whole("it is too short"))?;
        let (mut head, mut tail) = ([0; HEAD_BYTES as usize], [0; TAIL_BYTES as usize]);
        file.read_exact_at(&mut head, 0).map_err(refused)?;
        file.read_exact_at(&mut tail, end).map_err(refused)?;
        if head[..8] != *HEAD {
            return Err(not_whole("its beginning is another one's"));
        }
        let found = u32_at(&head, 8);
        if found != VERSION {
            return Err(ColumnError::Version { path: path.to_owned(), found });
        }
        if tail[12..] != *TAIL {
            return Err(not_whole("its end is missing"));
        }
        let length = u64::from(u32_at(&tail, 0));
        let start = end.checked_sub(length).filter(|start| *start >= HEAD_BYTES && length <= FOOTER_BYTES_MAX);
        let start = start.ok_or_else(|| not_whole("its footer is longer than the file"))?;
        let mut footer = vec![0; length as usize];
        file.read_exact_at(&mut footer, start).map_err(refused)?;
        if xxh3_64(&footer).to_le_bytes() != tail[4..12] {
            return Err(not_whole("its footer is damaged"));
        }
        let footer: Footer<About> = serde_json::from_slice(&footer).map_err(|_| not_whole("its footer says other things"))?;
        let starts = block_starts(&footer.columns, &footer.blocks, start).ok_or_else(|| not_whole("its blocks do not fill it"))?;
        let rows = footer.blocks.iter().map(|block| block.rows as usize).sum();
        Ok(ColumnFile { path: path.to_owned(), footer, starts, rows })
    }

    /// What the kind of file says of itself.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.footer.about
    }

    /// Whether the columns are these.
    ///
    /// # Errors
    /// When they are others.
    pub fn expect_columns(&self, columns: &[Column]) -> Result<(), ColumnError> {
        let same = self.footer.columns == columns;
        if same { Ok(()) } else { Err(self.not_whole("it has other columns")) }
    }

    /// The error for a file that says `what` cannot be.
    #[must_use]
    pub fn not_whole(&self, what: &'static str) -> ColumnError {
        ColumnError::NotWhole { path: self.path.clone(), what }
    }

    /// Where the file lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Rows of each block.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.footer.blocks.iter().map(|block| block.rows as usize)
    }

    /// Rows of the file.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The values of column number `column` in block number `block`, one after the other.
    ///
    /// # Errors
    /// When they cannot be read or do not match their checksum.
    pub fn read(&self, column: usize, block: usize) -> Result<Vec<u8>, ColumnError> {
        let mut values = Vec::new();
        self.read_into(&self.open_again()?, column, block, &mut values)?;
        Ok(values)
    }

    /// The file itself, for many readings in a row.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open_again(&self) -> Result<File, ColumnError> {
        File::open(&self.path).map_err(|source| ColumnError::Io { path: self.path.clone(), source })
    }

    /// Like [`ColumnFile::read`], from the `file` that [`ColumnFile::open_again`] gave, in place of what `values` held.
    ///
    /// # Errors
    /// When they cannot be read or do not match their checksum.
    pub fn read_into(&self, file: &File, column: usize, block: usize, values: &mut Vec<u8>) -> Result<(), ColumnError> {
        let Block { rows, checksums } = &self.footer.blocks[block];
        let bytes = |column: &Column| u64::from(*rows) * u64::from(column.width);
        let start = self.starts[block] + self.footer.columns[..column].iter().map(bytes).sum::<u64>();
        values.resize(bytes(&self.footer.columns[column]) as usize, 0);
        file.read_exact_at(values, start).map_err(|source| ColumnError::Io { path: self.path.clone(), source })?;
        if xxh3_64(values) != checksums[column] {
            let column = self.footer.columns[column].name.clone();
            return Err(ColumnError::Damaged { path: self.path.clone(), column, block });
        }
        Ok(())
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

/// Where each block begins, if the blocks fill the file up to `end` and each has a checksum for each column.
fn block_starts(columns: &[Column], blocks: &[Block], end: u64) -> Option<Vec<u64>> {
    let row_bytes: u64 = columns.iter().map(|column| u64::from(column.width)).sum();
    let mut at = HEAD_BYTES;
    let mut starts = Vec::with_capacity(blocks.len());
    for block in blocks {
        starts.push(at);
        at = at.checked_add(row_bytes.checked_mul(u64::from(block.rows))?)?;
        if block.checksums.len() != columns.len() {
            return None;
        }
    }
    (at == end).then_some(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        vec![Column::new("number", 8), Column::new("letter", 1)]
    }

    fn write(path: &Path, rows: u64) -> Output {
        let mut writer = ColumnWriter::create(path, columns()).unwrap();
        for row in 0..rows {
            writer.set(0, &row.to_le_bytes());
            writer.set(1, &[row as u8]);
            writer.end_row().unwrap();
        }
        writer.finish(OutputKind::Signatures, &"ett").unwrap()
    }

    fn open(path: &Path) -> Result<ColumnFile<String>, ColumnError> {
        ColumnFile::open(path)
    }

    #[test]
    fn rows_read_back_column_by_column_over_several_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let output = write(&path, 9_000);
        assert_eq!((output.rows, output.bytes), (9_000, std::fs::metadata(&path).unwrap().len()));
        let file = open(&path).unwrap();
        assert_eq!((file.rows(), file.blocks().len(), file.about().as_str()), (9_000, 3, "ett"));
        assert_eq!(file.read(0, 2).unwrap()[..8], 8192_u64.to_le_bytes());
        assert_eq!(file.read(1, 1).unwrap()[..2], [0, 1]);
        file.expect_columns(&columns()).unwrap();
        assert!(file.expect_columns(&columns()[..1]).is_err());
    }

    #[test]
    fn the_same_rows_give_the_same_bytes_and_a_file_may_be_empty() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (write(&folder.path().join("a"), 5), write(&folder.path().join("b"), 5));
        assert_eq!(a.sha256, b.sha256);
        write(&folder.path().join("c"), 0);
        assert_eq!(open(&folder.path().join("c")).unwrap().rows(), 0);
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, 20);
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(matches!(open(&path), Err(ColumnError::NotWhole { .. })), "cut to {length}");
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, 20);
        let whole = std::fs::read(&path).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &flipped).unwrap();
            let read = open(&path).and_then(|file| file.read(0, 0).and_then(|_| file.read(1, 0)));
            assert!(read.is_err(), "bit {bit}");
        }
    }

    #[test]
    fn another_version_is_told_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, 1);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[8] = 7;
        std::fs::write(&path, bytes).unwrap();
        let message = open(&path).unwrap_err().to_string();
        assert!(message.contains("version 7") && message.contains("again"), "{message}");
    }
}
