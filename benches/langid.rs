//! Speed of stage `langid` and of whatlang on the same texts, in CPU seconds of this thread, and how long the model takes to load.
//!
//! `cargo bench --bench langid [-- FILE]` reads lines whose last field is a text (`../shared/data/langid/ud-documents.tsv.gz`, unless a
//! file is given). `training/langid/peers.py` measures lingua and CLD2 on the same file.

#![expect(clippy::print_stdout, reason = "a bench says what it measured")]

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use rustix::time::{ClockId, clock_gettime};
use tamis::doc::Document;
use tamis::stage::{Resources, Stage};
use tamis::stages::ROOMS;

struct NoFiles;

impl Resources for NoFiles {
    fn read(&self, _: &str) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

fn stage(settings: &str) -> Box<dyn Stage> {
    let room = ROOMS.iter().find(|room| room.name == "langid").expect("the room is listed");
    (room.build)(toml::de::ValueDeserializer::parse(settings).expect("a table"), &NoFiles).expect("settings that hold")
}

fn texts(path: &str) -> Vec<String> {
    let file = File::open(path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
    let reader: Box<dyn Read> = if path.ends_with(".gz") { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) };
    let lines = BufReader::new(reader).lines().map(|line| line.expect("UTF-8"));
    lines.map(|line| line.rsplit('\t').next().unwrap_or("").to_owned()).collect()
}

fn cpu_seconds(work: impl FnOnce()) -> f64 {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    let begin = now();
    work();
    now() - begin
}

/// Judges all texts; the best of three rounds counts, as other programs disturb.
fn measure(name: &str, texts: &[String], judge: impl Fn(&mut Document)) {
    let mut documents: Vec<Document> = texts.iter().map(|text| Document { text: text.clone(), ..Document::default() }).collect();
    let best = (0..3).map(|_| cpu_seconds(|| documents.iter_mut().for_each(&judge))).fold(f64::MAX, f64::min);
    let bytes: usize = texts.iter().map(String::len).sum();
    println!("{name:<58} {:8.1} MB/s   {:8.1} texts/ms", bytes as f64 / 1e6 / best, texts.len() as f64 / 1e3 / best);
}

fn main() {
    let given = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let texts = texts(given.as_deref().unwrap_or("../shared/data/langid/ud-documents.tsv.gz"));
    let pages: Vec<String> = texts.chunks(20).map(|chunk| chunk.join("\n")).collect();
    println!("the stage is built in {:.2} ms of CPU", 1e3 * cpu_seconds(|| drop(stage("{}"))));
    let whole = stage("{ min_score = 0, sample_bytes_max = 1000000000 }");
    let sampled = stage("{ min_score = 0 }");
    let run = |stage: &dyn Stage, doc: &mut Document| {
        let _ = std::hint::black_box(stage.judge(doc));
    };
    measure("langid, texts as they are", &texts, |doc| run(&*whole, doc));
    measure("langid, 20 texts joined, every byte read", &pages, |doc| run(&*whole, doc));
    measure("langid, 20 texts joined, 16 kB of each read (the default)", &pages, |doc| run(&*sampled, doc));
    let detector = whatlang::Detector::new();
    measure("whatlang 0.18, texts as they are", &texts, |doc| {
        let _ = std::hint::black_box(detector.detect(&doc.text));
    });
}
