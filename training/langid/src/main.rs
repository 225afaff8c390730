//! Builds the model of stage `langid`: five networks to judge lines that they were not taught, from which the calibration and the
//! thresholds are found, then one that is taught everything. The same inputs give the same bytes.
//!
//!     cargo run --release -- GATHERED CRATES EVALUATION OUT [--threads 2] [--samples 4000000] [--fold 0]
//!
//! GATHERED is what `gather.py` left, CRATES the folder of the unpacked `lingua-*-language-model` crates (cargo's `registry/src/*` after
//! `cargo fetch`), EVALUATION the folder of the evaluation data. With `--fold` only that part's figures are printed.

mod arithmetic;
mod calibrate;
mod classes;
mod evaluate;
mod inputs;
mod judged;
mod lingua;
mod pack;
mod quantise;
mod random;
mod sampler;
mod thresholds;
mod trainer;

#[path = "../../../src/text"]
mod text {
    #[expect(dead_code, reason = "the model needs the scripts of letters only")]
    pub mod script;
}
#[path = "../../../src/stages/langid"]
mod langid {
    #[expect(dead_code, reason = "the model needs no names of scripts")]
    pub mod letters;
    pub mod ngrams;
}

use std::path::Path;

use anyhow::Context;

use classes::Class;
use inputs::{FOLDS, Line, Material};
use sampler::{Sampler, Shelf};
use trainer::{DIMENSIONS, Lesson, Network};

/// Rows of the table: 8 MiB in 4 bits a value.
const ROWS: usize = 1 << 19;
const RATE: f32 = 0.2;
/// The classes are taught a little more once the rows are rounded.
const TUNING: Lesson = Lesson { samples: 300_000, rate: 0.1, seed: 13, rows_frozen: true };
/// Steps of 4 bits reach so many times the root mean square.
const REACH: f32 = 3.0;
/// Classes with at least this share count for the calibration: those of Europe that are not rare.
const CALIBRATION_SHARE_MIN: f32 = 0.3;

/// A value behind `--name`.
fn option(args: &[String], name: &str) -> anyhow::Result<Option<usize>> {
    let Some(place) = args.iter().position(|arg| arg == name) else { return Ok(None) };
    let value = args.get(place + 1).with_context(|| format!("{name} needs a number"))?;
    Ok(Some(value.parse().with_context(|| format!("{name} needs a number, not {value}"))?))
}

/// Everything that networks are taught from.
struct School {
    classes: Vec<Class>,
    materials: Vec<Material>,
    lines: Vec<Line>,
    samples: usize,
}

impl School {
    /// A network that was taught everything but `fold`, its rows rounded, and the width of a step in each dimension.
    fn teach(&self, fold: Option<u64>) -> (Network, [f32; DIMENSIONS]) {
        let alphabet = langid::letters::Alphabet::new();
        let mut shelves: Vec<Shelf> = self.materials.iter().map(|material| Shelf { material, lines: Vec::new() }).collect();
        for line in self.lines.iter().filter(|line| line.trainable && Some(line.fold) != fold) {
            let family = inputs::family_of(&line.text, &alphabet);
            if let Some(class) = family.and_then(|family| classes::position(&self.classes, &line.lang, family)) {
                shelves[class].lines.push(line.text.clone());
            }
        }
        let sampler = Sampler::new(shelves, &self.classes);
        let mut network = Network::new(ROWS, &self.classes, &mut random::Random(7));
        trainer::train(&mut network, &sampler, &Lesson { samples: self.samples, rate: RATE, seed: 11, rows_frozen: false });
        let widths = quantise::widths(&network, &sampler, pack::LEVELS, REACH);
        quantise::round(&mut network, &widths, pack::LEVELS);
        trainer::train(&mut network, &sampler, &TUNING);
        (network, widths)
    }

    /// The curves of calibration from lines that were not taught.
    fn curves(&self, judged: &[judged::Judged]) -> [(f32, f32); calibrate::LENGTHS] {
        let is_common =
            |one: &judged::Judged| self.classes.iter().any(|class| class.tag == one.gold() && class.share >= CALIBRATION_SHARE_MIN);
        calibrate::curves(judged, is_common)
    }
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, gathered, crates, evaluation, out, ..] = &args[..] else { anyhow::bail!("GATHERED CRATES EVALUATION OUT") };
    let threads = option(&args, "--threads")?.unwrap_or(2);
    let classes = classes::classes();
    let alphabet = langid::letters::Alphabet::new();
    let mut materials = inputs::gathered(Path::new(gathered), &classes, &alphabet)?;
    lingua::add_fragments(Path::new(crates), &classes, &alphabet, &mut materials)?;
    let lines = inputs::evaluation(Path::new(evaluation))?;
    let school = School { classes, materials, lines, samples: option(&args, "--samples")?.unwrap_or(4_000_000) };
    if let Some(fold) = option(&args, "--fold")? {
        let (network, _) = school.teach(Some(fold as u64));
        let judged = judged::judge(&network, &school.classes, &school.lines, Some(fold as u64));
        evaluate::report(&judged, &school.classes);
        evaluate::report_calibration(&judged, &school.curves(&judged));
        return Ok(());
    }
    build(&school, threads, Path::new(out))
}

/// Networks for all folds and, as the last one, for everything, `threads` at a time. Each is taught by one thread, so their number changes
/// nothing.
fn networks(school: &School, threads: usize) -> Vec<(Network, [f32; DIMENSIONS])> {
    let folds: Vec<Option<u64>> = (0..FOLDS).map(Some).chain([None]).collect();
    let mut taught = Vec::new();
    for together in folds.chunks(threads.max(1)) {
        std::thread::scope(|scope| {
            let running: Vec<_> = together.iter().map(|fold| scope.spawn(move || school.teach(*fold))).collect();
            taught.extend(running.into_iter().map(|thread| thread.join().expect("a network is taught without a panic")));
        });
    }
    taught
}

fn build(school: &School, threads: usize, out: &Path) -> anyhow::Result<()> {
    let taught = networks(school, threads);
    let classes = &school.classes;
    let mut judged = Vec::new();
    for (fold, (network, _)) in (0..FOLDS).zip(&taught) {
        judged.extend(judged::judge(network, classes, &school.lines, Some(fold)));
    }
    println!("lines that the judging network was not taught:");
    evaluate::report(&judged, classes);
    let curves = school.curves(&judged);
    evaluate::report_calibration(&judged, &curves);
    println!("calibration: {curves:?}");
    let (network, widths) = taught.last().context("there is a last network")?;
    println!("all lines, taught ones too:");
    evaluate::report(&judged::judge(network, classes, &school.lines, None), classes);
    std::fs::write(out.join("model.bin"), pack::pack(network, widths, classes, &curves))?;
    std::fs::write(out.join("thresholds.tsv"), thresholds::table(&judged, &curves, classes))?;
    Ok(())
}
