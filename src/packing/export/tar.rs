//! WebDataset: tar files (POSIX.1-1988 ustar) with a NumPy array a sequence, named `<number>.input_ids.npy`.

use super::numpy;
use crate::packing::record::ExportRecord;

/// Bytes of a block.
const BLOCK: usize = 512;
/// What an archive ends with.
pub(super) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// Bytes of a member before its first id.
pub(super) const LEAD_BYTES: u64 = BLOCK as u64 + numpy::HEADER_BYTES;

/// Bytes of a whole member with so many bytes of ids.
pub(super) fn member_bytes(id_bytes: u64) -> u64 {
    BLOCK as u64 + (numpy::HEADER_BYTES + id_bytes).next_multiple_of(BLOCK as u64)
}

/// The array of a sequence.
pub(super) fn array(record: &ExportRecord, ids: &[u8]) -> Vec<u8> {
    let mut bytes = numpy::header(if record.id_bytes == 4 { "<u4" } else { "<u2" }, u64::from(record.sequence_tokens));
    bytes.extend_from_slice(ids);
    bytes
}

/// A member: header, content, zeros up to the end of the block. Owner, time and the like are always the same.
pub(super) fn member(name: &str, content: &[u8]) -> Vec<u8> {
    let mut block = [0; BLOCK];
    let mut put = |place: usize, text: &str| block[place..place + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{:011o}", content.len()));
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut bytes = block.to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}
