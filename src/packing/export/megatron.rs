//! The index of Megatron-LM's indexed data set (megatron/core/datasets/indexed_dataset.py, `_IndexWriter`): magic, version 1, code of the
//! type, number of sequences, number of ends of documents, lengths (int32), places in bytes (int64), ends of documents (int64).

/// The code of int32 in `DType`.
pub(super) const INT32: u8 = 4;
/// The code of uint16.
pub(super) const UINT16: u8 = 8;

/// The index of sequences of `lengths`, each a document of its own.
pub(super) fn index(code: u8, id_bytes: u8, lengths: &[u32]) -> Vec<u8> {
    let mut bytes = b"MMIDIDX\x00\x00".to_vec();
    bytes.extend_from_slice(&1_u64.to_le_bytes());
    bytes.push(code);
    bytes.extend_from_slice(&(lengths.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&(lengths.len() as u64 + 1).to_le_bytes());
    lengths.iter().for_each(|length| bytes.extend_from_slice(&length.to_le_bytes()));
    let mut place = 0_u64;
    for length in lengths {
        bytes.extend_from_slice(&place.to_le_bytes());
        place += u64::from(*length) * u64::from(id_bytes);
    }
    (0..=lengths.len() as u64).for_each(|end| bytes.extend_from_slice(&end.to_le_bytes()));
    bytes
}
