//! Bytes a second through each room of the whole job, on one thread: the source's reading and decoding, every stage of
//! `pipelines/common-crawl.toml` on what reaches it, and the signature for deduplication.
//!
//!     cargo bench --bench rooms                                            on the sample archives
//!     TAMIS_BENCH_ARCHIVE=/archives/a.warc.gz cargo bench --bench rooms    on a real one
//!
//! Bytes are those of the markup before `extract` and of the text behind it, for reading those of the file as stored.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use divan::Bencher;
use divan::counter::BytesCount;
use tamis::doc::Document;
use tamis::recipe::Recipe;
use tamis::source::{Input, Offer, RawRecord, Record};
use tamis::stage::{Stage, Verdict};
use tamis::stages::learned::model::Scorer;
use tamis::stages::sign::sign_stage;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// One step of the job and the documents that reach it.
struct Step {
    name: &'static str,
    stage: Arc<dyn Stage>,
    before: Vec<Document>,
}

struct Job {
    recipe: Recipe,
    archives: Vec<(PathBuf, Vec<u8>)>,
    steps: Vec<Step>,
}

static JOB: LazyLock<Job> = LazyLock::new(|| {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let recipe = Recipe::load(&root.join("pipelines/common-crawl.toml"), &[]).expect("the recipe is right");
    let archives = match std::env::var_os("TAMIS_BENCH_ARCHIVE") {
        Some(archive) => vec![PathBuf::from(archive)],
        None => ["islands-2026-02", "harbours-2026-03"].map(|name| root.join(format!("data-samples/archives/{name}.warc.gz"))).to_vec(),
    };
    let archives: Vec<_> = archives.into_iter().map(|path| (path.clone(), std::fs::read(path).expect("a readable archive"))).collect();
    let mut docs: Vec<Document> =
        archives.iter().flat_map(|archive| records(&recipe, archive)).filter_map(|raw| decoded(&recipe, raw)).collect();
    let clean = recipe.clean_steps().into_iter().map(|step| (step.name, step.stage));
    let sign = std::iter::once(("sign", Arc::from(sign_stage(&recipe.dedup))));
    let emit = recipe.emit_steps().into_iter().map(|step| (step.name, step.stage));
    let mut steps = Vec::new();
    for (name, stage) in clean.chain(sign).chain(emit) {
        let before = docs.clone();
        docs.retain_mut(|doc| stage.judge(doc) == Verdict::Keep);
        steps.push(Step { name, stage, before });
    }
    Job { recipe, archives, steps }
});

fn records(recipe: &Recipe, (path, bytes): &(PathBuf, Vec<u8>)) -> Vec<RawRecord> {
    let input = Input {
        name: path.to_string_lossy().into(),
        bytes: Box::new(std::io::Cursor::new(bytes.clone())),
        file: None,
        size: bytes.len() as u64,
        reader_bytes_max: 64 << 20,
    };
    let mut reader = recipe.source.open(input).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    std::iter::from_fn(|| reader.next()).filter_map(|record| if let Record::Raw(raw) = record { Some(raw) } else { None }).collect()
}

fn decoded(recipe: &Recipe, raw: RawRecord) -> Option<Document> {
    match recipe.source.decode(raw) {
        Offer::Document(doc) => Some(*doc),
        Offer::Dropped(..) => None,
    }
}

fn names() -> Vec<&'static str> {
    JOB.steps.iter().map(|step| step.name).collect()
}

#[divan::bench]
fn read(bencher: Bencher) {
    let stored: usize = JOB.archives.iter().map(|(_, bytes)| bytes.len()).sum();
    bencher
        .counter(BytesCount::new(stored))
        .bench_local(|| JOB.archives.iter().map(|archive| records(&JOB.recipe, archive).len()).sum::<usize>());
}

#[divan::bench]
fn decode(bencher: Bencher) {
    let bytes: usize = JOB.archives.iter().flat_map(|archive| records(&JOB.recipe, archive)).map(|raw| raw.bytes.len()).sum();
    bencher
        .counter(BytesCount::new(bytes))
        .with_inputs(|| JOB.archives.iter().flat_map(|archive| records(&JOB.recipe, archive)).collect::<Vec<_>>())
        .bench_local_values(|raws| raws.into_iter().filter_map(|raw| decoded(&JOB.recipe, raw)).count());
}

#[divan::bench(args = names())]
fn stage(bencher: Bencher, name: &str) {
    let step = JOB.steps.iter().find(|step| step.name == name).expect("a step of the job");
    let bytes: usize = step.before.iter().map(|doc| if doc.html.is_empty() { doc.text.len() } else { doc.html.len() }).sum();
    bencher.counter(BytesCount::new(bytes)).with_inputs(|| step.before.clone()).bench_local_values(|mut docs| {
        docs.iter_mut().map(|doc| step.stage.judge(doc)).filter(|verdict| *verdict == Verdict::Keep).count()
    });
}

/// The score of stage `learned-quality`, which no recipe has on, on the texts that reach the rules. Speed does not depend on the weights.
#[divan::bench]
fn learned_quality(bencher: Bencher) {
    let step = JOB.steps.iter().find(|step| step.name == "gopher-quality").expect("a step of the job");
    let weights = (0_u32..1 << 20).map(|bucket| (bucket.wrapping_mul(2_654_435_761) >> 24) as u8 as i8).collect();
    let scorer = Scorer { offset: 0.0, slope: 0.1, weights };
    let bytes: usize = step.before.iter().map(|doc| doc.text.len()).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| step.before.iter().map(|doc| scorer.score(&doc.text)).sum::<f32>());
}

/// Rows that were once, or may be, slow for stage `pii`, which stops at digits: to be held against its line in `stage`, for ordinary text.
#[divan::bench(args = ["1 ", "(0)", "1", "12 ", "1234 ", "1 0 1 0 1 0\n", "1.", "+1 ", "A1 ", "@", "A", "1 2 3 4 seats\n"])]
fn pii_rows(bencher: Bencher, sign: &str) {
    let step = JOB.steps.iter().find(|step| step.name == "pii").expect("a step of the job");
    let doc = Document { text: sign.repeat(200_000 / sign.len()), ..Document::default() };
    bencher
        .counter(BytesCount::new(doc.text.len()))
        .with_inputs(|| doc.clone())
        .bench_local_values(|mut doc| step.stage.judge(&mut doc) == Verdict::Keep);
}
