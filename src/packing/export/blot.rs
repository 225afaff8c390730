//! Puts padding ids in the place of the tokens of erased documents in a file of ids, so that every index and every reader's position stays true.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::lines::Line;
use super::{Format, flat, mds, tar};
use crate::packing::PackError;
use crate::packing::record::ExportRecord;

/// Tokens in a file of ids: number of the first, and how many.
pub(in crate::packing) type Range = (u64, u32);

/// Writes the file `from` of `samples` sequences as `to`, with padding in `ranges`, which are in order.
pub(in crate::packing) fn blot(record: &ExportRecord, (from, to): (&Path, &Path), samples: u64, ranges: &[Range]) -> Result<(), PackError> {
    if record.format == Format::Jsonl {
        return blot_lines(record, (from, to), ranges);
    }
    std::fs::copy(from, to).map_err(PackError::io(from))?;
    let file = File::options().write(true).open(to).map_err(PackError::io(to))?;
    let pad = &record.pad_id.to_le_bytes()[..usize::from(record.id_bytes)];
    for (start, tokens) in ranges {
        file.write_all_at(&pad.repeat(*tokens as usize), place(record, samples, *start)).map_err(PackError::io(to))?;
    }
    file.sync_all().map_err(PackError::io(to))
}

/// The byte of token `start` in a file of `samples` sequences.
fn place(record: &ExportRecord, samples: u64, start: u64) -> u64 {
    let (width, id_bytes) = (u64::from(record.sequence_tokens).max(1), u64::from(record.id_bytes));
    let (sample, within) = (start / width, start % width * id_bytes);
    match record.format {
        Format::Mds => mds::header_bytes(record, samples) + start * id_bytes,
        Format::Webdataset => sample * tar::member_bytes(width * id_bytes) + tar::LEAD_BYTES + within,
        Format::Megatron | Format::Numpy | Format::Jsonl => flat::header_bytes(record.format) + start * id_bytes,
    }
}

fn blot_lines(record: &ExportRecord, (from, to): (&Path, &Path), ranges: &[Range]) -> Result<(), PackError> {
    let source = File::open(from).map_err(PackError::io(from))?;
    let mut target = BufWriter::new(File::create(to).map_err(PackError::io(to))?);
    let (mut first, mut ranges) = (0_u64, ranges.iter().peekable());
    for (number, text) in BufReader::new(source).lines().enumerate() {
        let damaged = |_| PackError::Side { path: from.to_owned(), line: number + 1 };
        let text = text.map_err(PackError::io(from))?;
        let mut line: Line = serde_json::from_str(&text).map_err(damaged)?;
        let end = first + line.input_ids.len() as u64;
        while let Some((start, tokens)) = ranges.next_if(|(start, _)| *start < end) {
            let within = (start - first) as usize;
            line.input_ids.iter_mut().skip(within).take(*tokens as usize).for_each(|id| *id = record.pad_id);
        }
        target.write_all(&line.bytes()).map_err(PackError::io(to))?;
        first = end;
    }
    let target = target.into_inner().map_err(std::io::IntoInnerError::into_error).map_err(PackError::io(to))?;
    target.sync_all().map_err(PackError::io(to))
}
