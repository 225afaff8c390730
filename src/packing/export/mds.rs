//! MosaicML's streaming format (streaming/base/format/mds): number of samples and their places as 32-bit numbers, the columns as JSON, the
//! samples; beside the files an index. One column `tokens`, an array of fixed type and length, so that a sample is its ids and nothing else.

use serde_json::{Value, json};

use crate::packing::record::ExportRecord;

/// What the index says of a file.
pub(super) struct Shard {
    pub(super) basename: String,
    pub(super) bytes: u64,
    pub(super) samples: u64,
}

/// What stands in a file and in the index alike. The names are sorted here, so that no feature of `serde_json` shows in a file.
fn columns(record: &ExportRecord) -> Value {
    let (width, bytes) = (record.sequence_tokens, record.id_bytes);
    let dtype = if bytes == 4 { "int32" } else { "uint16" };
    json!({
        "column_encodings": [format!("ndarray:{dtype}:{width}")],
        "column_names": ["tokens"],
        "column_sizes": [u64::from(width) * u64::from(bytes)],
        "compression": null,
        "format": "mds",
        "hashes": [],
        "size_limit": null,
        "version": 2,
    })
}

/// What stands before the ids of `samples` samples.
pub(super) fn header(record: &ExportRecord, samples: u64) -> Vec<u8> {
    let columns = columns(record).to_string();
    let mut bytes = (samples as u32).to_le_bytes().to_vec();
    let first = header_bytes(record, samples);
    let sample_bytes = u64::from(record.sequence_tokens) * u64::from(record.id_bytes);
    (0..=samples).for_each(|sample| bytes.extend_from_slice(&((first + sample * sample_bytes) as u32).to_le_bytes()));
    bytes.extend_from_slice(columns.as_bytes());
    bytes
}

/// Bytes of [`header`].
pub(super) fn header_bytes(record: &ExportRecord, samples: u64) -> u64 {
    4 + 4 * (samples + 1) + columns(record).to_string().len() as u64
}

/// The index of a split.
pub(super) fn index(record: &ExportRecord, shards: &[Shard]) -> Vec<u8> {
    let of = |shard: &Shard| {
        let mut entry = columns(record);
        entry["raw_data"] = json!({"basename": shard.basename, "bytes": shard.bytes, "hashes": {}});
        entry["zip_data"] = Value::Null;
        entry["samples"] = shard.samples.into();
        entry
    };
    json!({"version": 2, "shards": shards.iter().map(of).collect::<Vec<_>>()}).to_string().into_bytes()
}
