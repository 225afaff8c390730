//! How fast one core makes documents of records: `cargo bench --bench sources`. The records are those of the samples, so figures for real
//! dumps differ with how much markup they have.

use std::sync::Arc;

use divan::counter::BytesCount;
use tamis::source::{Input, RawRecord, Record, Source};
use toml::de::ValueDeserializer;

fn main() {
    divan::main();
}

fn source(name: &str) -> Box<dyn Source> {
    let room = tamis::sources::ROOMS.iter().find(|room| room.name == name).expect("a listed source");
    (room.build)(ValueDeserializer::parse("{}").expect("a table")).expect("defaults build")
}

/// The raw records of a sample.
fn records(source: &dyn Source, file: &str) -> Vec<RawRecord> {
    let path = format!("{}/data-samples/{file}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).expect("a readable sample");
    let size = bytes.len() as u64;
    let input = Input { name: Arc::from(file), bytes: Box::new(std::io::Cursor::new(bytes)), file: None, size, reader_bytes_max: 64 << 20 };
    let mut records = source.open(input).expect("a sound sample");
    let raw = |record| if let Record::Raw(raw) = record { Some(raw) } else { None };
    std::iter::from_fn(|| records.next()).filter_map(raw).collect()
}

#[divan::bench(args = [
    ("mediawiki", "papers/encyclopaedia-lv.xml"),
    ("papers", "papers/debate-sl.xml"),
    ("papers", "papers/newspaper-cs.alto.xml"),
    ("papers", "papers/chronicle-hr.page.xml"),
    ("papers", "papers/regulation-et.fmx.xml"),
    ("papers", "libraries/papers-2026-06.zip"),
])]
fn decode(bencher: divan::Bencher<'_, '_>, (name, file): (&str, &str)) {
    let source = source(name);
    let records = records(&*source, file);
    let bytes: usize = records.iter().map(|record| record.bytes.len()).sum();
    let copies = || {
        let copy = |record: &RawRecord| RawRecord { file: record.file.clone(), offset: 0, bytes: record.bytes.clone(), truncated: false };
        records.iter().map(copy).collect::<Vec<_>>()
    };
    bencher
        .counter(BytesCount::new(bytes))
        .with_inputs(copies)
        .bench_values(|records| records.into_iter().map(|record| source.decode(record)).collect::<Vec<_>>());
}
