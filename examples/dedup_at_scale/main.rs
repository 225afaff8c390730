//! Deduplication at scale, measured: how fast texts are signed, and what a night costs when an archive lies behind it.
//!
//!     cargo run --release --example dedup_at_scale -- sign docs.jsonl
//!     cargo run --release --example dedup_at_scale -- nights FOLDER [DOCUMENTS_A_NIGHT [NIGHTS [MEMORY_MB]]]
//!     cargo run --release --example dedup_at_scale -- yields FOLDER [DOCUMENTS [MEMORY_MB]]
//!
//! `yields` decides a night by itself, and again where it yields to a data set of as many documents, some of which it copies.
//! `nights` makes signatures of documents that were never written: a third are new, the others copies of documents of any night before,
//! some equal, most with a tenth to two fifths of their shingles changed. FOLDER must not exist; it is removed in the end.

#![expect(clippy::print_stdout, reason = "it prints a table")]

mod made_up;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};
use tamis::dedup::decide::{RUN_STEM, Work, decide};
use tamis::dedup::index::RunFiles;
use tamis::dedup::settings::DedupSettings;
use tamis::dedup::sign::Signer;

use made_up::Author;

/// Seconds of CPU for which texts are signed again and again.
const SIGN_SECONDS: f64 = 3.0;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["sign", path] => sign(Path::new(path)),
        ["nights", folder, numbers @ ..] => {
            let number = |at: usize, default: u64| numbers.get(at).map_or(Ok(default), |number| number.parse());
            nights(Path::new(folder), number(0, 4_000_000)?, number(1, 5)?, number(2, 1_000)?)
        }
        ["yields", folder, numbers @ ..] => {
            let number = |at: usize, default: u64| numbers.get(at).map_or(Ok(default), |number| number.parse());
            yields(Path::new(folder), number(0, 4_000_000)?, number(1, 1_000)?)
        }
        _ => {
            Err("say `sign FILE.jsonl` or `nights FOLDER [DOCUMENTS [NIGHTS [MEMORY_MB]]]` or `yields FOLDER [DOCUMENTS [MEMORY_MB]]`"
                .into())
        }
    }
}

/// Seconds of CPU that this process has taken.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The most memory that this process has held since the last call, in MB.
fn peak_mb() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kb: u64 = line.trim().trim_end_matches(" kB").parse()?;
    std::fs::write("/proc/self/clear_refs", "5")?;
    Ok(kb / 1000)
}

fn sign(path: &Path) -> Result<(), Box<dyn Error>> {
    let lines = std::fs::read_to_string(path)?;
    let texts = lines.lines().map(|line| {
        let document: serde_json::Value = serde_json::from_str(line)?;
        Ok(document["text"].as_str().unwrap_or("").to_owned())
    });
    let texts: Vec<String> = texts.collect::<Result<_, serde_json::Error>>()?;
    let bytes: usize = texts.iter().map(String::len).sum();
    let signer = Signer::new(&DedupSettings::default());
    let (begun, mut rounds, mut equal) = (cpu_seconds(), 0, 0_u64);
    while cpu_seconds() - begun < SIGN_SECONDS {
        rounds += 1;
        for text in &texts {
            equal ^= signer.sign(text).exact as u64;
        }
    }
    let rate = (bytes * rounds) as f64 / 1e6 / (cpu_seconds() - begun);
    println!("{} texts, {:.1} MB, {rate:.1} MB a second and core ({equal:x})", texts.len(), bytes as f64 / 1e6);
    Ok(())
}

fn nights(folder: &Path, documents: u64, nights: u64, memory_mb: u64) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    let settings = DedupSettings::default();
    let mut author = Author::new(&settings);
    let mut runs: Vec<RunFiles> = Vec::new();
    println!("| night | documents | before it | CPU s | wall s | band records / CPU s | peak MB | runs merged | index GB | dropped |");
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for night in 0..nights {
        let out_dir = folder.join(format!("{night}"));
        std::fs::create_dir(&out_dir)?;
        let signatures = author.night(&out_dir, documents)?;
        peak_mb()?;
        let (cpu, wall) = (cpu_seconds(), Instant::now());
        let work = Work {
            yields: &[],
            settings: &settings,
            signatures: std::slice::from_ref(&signatures),
            index: &runs,
            out_dir: &out_dir,
            memory_bytes_max: memory_mb * 1_000_000,
        };
        let decided = decide(&work)?;
        let (cpu, wall) = (cpu_seconds() - cpu, wall.elapsed().as_secs_f64());
        for run in runs.drain(runs.len() - decided.merged_runs..) {
            files_of(&run).into_iter().try_for_each(std::fs::remove_file)?;
        }
        std::fs::remove_file(signatures)?;
        runs.push(RunFiles::of(&out_dir, RUN_STEM));
        let bands = settings.near.banding().map_or(0, |banding| banding.bands) as f64;
        let index_bytes: u64 = runs.iter().flat_map(files_of).map(|path| path.metadata().map_or(0, |data| data.len())).sum();
        println!(
            "| {} | {documents} | {} | {cpu:.1} | {wall:.1} | {:.1} M | {} | {} | {:.2} | {} |",
            night + 1,
            night * documents,
            documents as f64 * bands / cpu / 1e6,
            peak_mb()?,
            decided.merged_runs,
            index_bytes as f64 / 1e9,
            decided.counts.exact_duplicates + decided.counts.near_duplicates,
        );
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

fn yields(folder: &Path, documents: u64, memory_mb: u64) -> Result<(), Box<dyn Error>> {
    let settings = DedupSettings { yield_to: vec!["other".to_owned()], ..DedupSettings::default() };
    let mut author = Author::new(&settings);
    let mut others: Vec<(String, Vec<RunFiles>)> = Vec::new();
    println!("| what | CPU s | peak MB | yielded | other duplicates |");
    println!("|---|---|---|---|---|");
    let signatures = ["other", "night"].map(|name| -> Result<PathBuf, Box<dyn Error>> {
        std::fs::create_dir_all(folder.join(name))?;
        author.night(&folder.join(name), documents)
    });
    let [other, night] = signatures;
    let (other, night) = (other?, night?);
    for (what, signatures) in [("the other data set", &other), ("the night alone", &night), ("the night, yielding", &night)] {
        let out_dir = folder.join(what);
        std::fs::create_dir(&out_dir)?;
        peak_mb()?;
        let cpu = cpu_seconds();
        let yields = if what.ends_with("yielding") { others.as_slice() } else { &[] };
        let memory_bytes_max = memory_mb * 1_000_000;
        let signatures = std::slice::from_ref(signatures);
        let counts = decide(&Work { settings: &settings, signatures, index: &[], yields, out_dir: &out_dir, memory_bytes_max })?.counts;
        let duplicates = counts.exact_duplicates + counts.near_duplicates;
        println!("| {what} | {:.1} | {} | {} | {duplicates} |", cpu_seconds() - cpu, peak_mb()?, counts.yielded);
        if others.is_empty() {
            others.push(("other".to_owned(), vec![RunFiles::of(&out_dir, RUN_STEM)]));
        }
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

fn files_of(run: &RunFiles) -> [&PathBuf; 3] {
    [&run.exact, &run.bands, &run.documents]
}
