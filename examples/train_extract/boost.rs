//! Trains forests of oblivious trees on byte features by Newton boosting of the logistic loss.
//!
//! Written here because it is short, fast on such data, and gives the same bytes on every machine: one thread, no version of a
//! library, its own numbers. Two things fit the data better than what libraries offer: each tree sees some of the *pages*, not of the
//! blocks, as blocks of one page are alike; and it sees few of the light rows, as a page has many menu entries that say the same.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::numbers::{Random, logistic, logit};
use crate::table::Table;

/// Bins of a feature.
const BINS: usize = 32;
/// A leaf's unit, in log-odds.
const UNIT: f64 = 1.0 / 2048.0;
/// No row counts for less than this in a leaf's hessian.
const CURVATURE_MIN: f32 = 1e-4;

/// How to train.
#[derive(Clone, Debug)]
pub struct Settings {
    trees: usize,
    depth: usize,
    /// Learning rate.
    rate: f32,
    /// Added to a leaf's hessian.
    ridge: f32,
    /// Share of features that each level of a tree may ask about.
    columns: f32,
    /// Share of pages that each tree sees.
    pages: f32,
    /// Each tree sees some of the rows of less weight, and they count as this much.
    weight_min: f32,
    seed: u64,
}

impl Settings {
    /// Reads `key=value` words; what is not named stays as it is here.
    pub fn read(words: &[String]) -> Result<Settings, Box<dyn std::error::Error>> {
        let mut settings = Settings { trees: 150, depth: 6, rate: 0.1, ridge: 0.3, columns: 0.25, pages: 0.6, weight_min: 0.02, seed: 1 };
        for word in words {
            match word.split_once('=').ok_or("a setting is key=value")? {
                ("trees", value) => settings.trees = value.parse()?,
                ("depth", value) => settings.depth = value.parse()?,
                ("rate", value) => settings.rate = value.parse()?,
                ("ridge", value) => settings.ridge = value.parse()?,
                ("columns", value) => settings.columns = value.parse()?,
                ("pages", value) => settings.pages = value.parse()?,
                ("weight_min", value) => settings.weight_min = value.parse()?,
                ("seed", value) => settings.seed = value.parse()?,
                (key, _) => return Err(format!("no setting is called `{key}`").into()),
            }
        }
        Ok(settings)
    }
}

/// A tree: at each level one question, whether the feature is above the number; a value for each pattern of answers.
struct Tree {
    questions: Vec<(usize, u8)>,
    leaves: Vec<f32>,
}

/// What was learned.
pub struct Forest {
    bias: f32,
    trees: Vec<Tree>,
}

/// The rows that are learned from, cut into bins.
struct Learned {
    /// For each feature the bin of each row.
    bins: Vec<Vec<u8>>,
    /// For each feature the last value of each bin but the last.
    borders: Vec<Vec<u8>>,
    wanted: Vec<f32>,
    weight: Vec<f32>,
    page: Vec<u32>,
}

/// Slope and curvature of the loss.
type Slope = (f32, f32);

/// Trains on the rows of `table` that have a weight.
pub fn train(table: &Table, settings: &Settings) -> Forest {
    let mut random = Random(settings.seed);
    let learned = Learned::of(table);
    let bias = learned.bias();
    let mut scores = vec![bias; learned.wanted.len()];
    let pages = learned.page.iter().max().map_or(0, |page| *page as usize + 1);
    let mut trees = Vec::with_capacity(settings.trees);
    for _ in 0..settings.trees {
        let taken: Vec<bool> = (0..pages).map(|_| random.is_in(settings.pages)).collect();
        let rows = learned.sample(&taken, settings.weight_min, &mut random);
        let tree = learned.tree(&rows, &scores, settings, &mut random);
        for (row, score) in scores.iter_mut().enumerate() {
            *score += tree.leaves[pattern(&tree.questions, |feature, border| learned.bins[feature][row] > border)];
        }
        let questions = tree.questions.iter().map(|(feature, bin)| (*feature, learned.borders[*feature][usize::from(*bin)])).collect();
        trees.push(Tree { questions, leaves: tree.leaves });
    }
    Forest { bias, trees }
}

/// The answers to `questions` as a number, the first in the lowest bit.
fn pattern(questions: &[(usize, u8)], mut is_above: impl FnMut(usize, u8) -> bool) -> usize {
    questions.iter().enumerate().fold(0, |pattern, (level, (feature, border))| pattern | usize::from(is_above(*feature, *border)) << level)
}

impl Learned {
    fn of(table: &Table) -> Learned {
        let rows: Vec<usize> = (0..table.rows).filter(|row| table.weight[*row] > 0.0).collect();
        let mut learned = Learned {
            bins: Vec::with_capacity(table.columns.len()),
            borders: Vec::with_capacity(table.columns.len()),
            wanted: rows.iter().map(|row| table.wanted[*row]).collect(),
            weight: rows.iter().map(|row| table.weight[*row]).collect(),
            page: rows.iter().map(|row| table.page[*row]).collect(),
        };
        for column in &table.columns {
            let values: Vec<u8> = rows.iter().map(|row| column[*row]).collect();
            let borders = borders(&values, &learned.weight);
            let bin_of: Vec<u8> = (0..=u8::MAX).map(|value| borders.partition_point(|border| *border < value) as u8).collect();
            learned.bins.push(values.iter().map(|value| bin_of[usize::from(*value)]).collect());
            learned.borders.push(borders);
        }
        learned
    }

    /// All heavy rows of the pages that are taken, and some of the light ones.
    fn sample(&self, taken: &[bool], weight_min: f32, random: &mut Random) -> Vec<u32> {
        let rows = self.weight.iter().zip(&self.page).zip(0..);
        rows.filter(|((weight, page), _)| taken[**page as usize] && random.is_in((*weight / weight_min).min(1.0)))
            .map(|(_, row)| row)
            .collect()
    }

    /// The log-odds of content over all rows.
    fn bias(&self) -> f32 {
        let rows = self.weight.iter().zip(&self.wanted);
        let (all, wanted) =
            rows.fold((0.0, 0.0), |(all, sum), (weight, wanted)| (all + f64::from(*weight), sum + f64::from(weight * wanted)));
        logit(wanted / all) as f32
    }

    fn tree(&self, rows: &[u32], scores: &[f32], settings: &Settings, random: &mut Random) -> Tree {
        let slopes: Vec<Slope> = rows.iter().map(|row| self.slope(*row as usize, scores, settings.weight_min)).collect();
        let mut patterns = vec![0_u16; rows.len()];
        let mut questions = Vec::with_capacity(settings.depth);
        for level in 0..settings.depth {
            let allowed: Vec<usize> =
                (0..self.bins.len()).filter(|feature| !self.borders[*feature].is_empty() && random.is_in(settings.columns)).collect();
            let mut best = (f64::MIN, 0, 0);
            for feature in allowed {
                let sums = self.sums(feature, rows, &slopes, &patterns, 1 << level);
                for (bin, gain) in gains(&sums, self.borders[feature].len(), settings.ridge).into_iter().enumerate() {
                    if gain > best.0 {
                        best = (gain, feature, bin as u8);
                    }
                }
            }
            for (pattern, row) in patterns.iter_mut().zip(rows) {
                *pattern |= u16::from(self.bins[best.1][*row as usize] > best.2) << level;
            }
            questions.push((best.1, best.2));
        }
        Tree { questions, leaves: leaves(&patterns, &slopes, settings) }
    }

    fn slope(&self, row: usize, scores: &[f32], weight_min: f32) -> Slope {
        let (weight, likely) = (self.weight[row].max(weight_min), logistic(scores[row]));
        (weight * (self.wanted[row] - likely), weight * (likely * (1.0 - likely)).max(CURVATURE_MIN))
    }

    /// Slopes summed by leaf and bin.
    fn sums(&self, feature: usize, rows: &[u32], slopes: &[Slope], patterns: &[u16], leaves: usize) -> Vec<Slope> {
        let bins = &self.bins[feature];
        let mut sums = vec![(0.0, 0.0); leaves * BINS];
        for ((row, slope), pattern) in rows.iter().zip(slopes).zip(patterns) {
            let cell = &mut sums[usize::from(*pattern) * BINS + usize::from(bins[*row as usize])];
            cell.0 += slope.0;
            cell.1 += slope.1;
        }
        sums
    }
}

/// What is gained by cutting all leaves behind each bin.
fn gains(sums: &[Slope], borders: usize, ridge: f32) -> Vec<f64> {
    let mut gains = vec![0.0; borders];
    for cells in sums.chunks_exact(BINS) {
        let all = cells.iter().fold((0.0, 0.0), |all, cell| (all.0 + cell.0, all.1 + cell.1));
        let mut left = (0.0_f32, 0.0_f32);
        for (gain, cell) in gains.iter_mut().zip(cells) {
            left = (left.0 + cell.0, left.1 + cell.1);
            let right = (all.0 - left.0, (all.1 - left.1).max(0.0));
            *gain += f64::from(left.0 * left.0 / (left.1 + ridge) + right.0 * right.0 / (right.1 + ridge));
        }
    }
    gains
}

/// The value of each leaf, in whole units.
fn leaves(patterns: &[u16], slopes: &[Slope], settings: &Settings) -> Vec<f32> {
    let mut sums = vec![(0.0, 0.0); 1 << settings.depth];
    for (pattern, slope) in patterns.iter().zip(slopes) {
        let sum: &mut (f64, f64) = &mut sums[usize::from(*pattern)];
        *sum = (sum.0 + f64::from(slope.0), sum.1 + f64::from(slope.1));
    }
    let value = |(slope, curvature): (f64, f64)| f64::from(settings.rate) * slope / (curvature + f64::from(settings.ridge));
    sums.into_iter().map(|sum| ((value(sum) / UNIT).round() * UNIT) as f32).collect()
}

/// The last values of all bins but the last: single values where there are few, else parts of equal weight.
fn borders(values: &[u8], weights: &[f32]) -> Vec<u8> {
    let mut mass = [0.0_f64; 256];
    for (value, weight) in values.iter().zip(weights) {
        mass[usize::from(*value)] += f64::from(*weight);
    }
    let known: Vec<u8> = (0..=u8::MAX).filter(|value| mass[usize::from(*value)] > 0.0).collect();
    let Some((_, inner)) = known.split_last() else { return Vec::new() };
    if known.len() <= BINS {
        return inner.to_vec();
    }
    let total: f64 = mass.iter().sum();
    let (mut sum, mut borders) = (0.0, Vec::new());
    for value in inner {
        sum += mass[usize::from(*value)];
        if sum >= total * (borders.len() + 1) as f64 / BINS as f64 && borders.len() < BINS - 1 {
            borders.push(*value);
        }
    }
    borders
}

impl Forest {
    /// How likely a row is content.
    pub fn predict(&self, table: &Table, row: usize) -> f32 {
        let above = |feature: usize, border: u8| table.columns[feature][row] > border;
        logistic(self.bias + self.trees.iter().map(|tree| tree.leaves[pattern(&tree.questions, above)]).sum::<f32>())
    }

    /// Writes the forest as the stage reads it, see `src/stages/extract/trees.rs`.
    pub fn write(&self, names: &[String], out: &mut impl Write) -> io::Result<()> {
        let used: BTreeSet<usize> = self.trees.iter().flat_map(|tree| tree.questions.iter().map(|(feature, _)| *feature)).collect();
        let used: Vec<usize> = used.into_iter().collect();
        let units = |value: f64| (value / UNIT).round() as i32;
        out.write_all(b"tamis trees 1\n")?;
        out.write_all(&(used.len() as u16).to_le_bytes())?;
        for feature in &used {
            out.write_all(&[names[*feature].len() as u8])?;
            out.write_all(names[*feature].as_bytes())?;
        }
        out.write_all(&units(f64::from(self.bias)).to_le_bytes())?;
        for step in 1..=255 {
            out.write_all(&units(logit((f64::from(step) - 0.5) / 255.0)).to_le_bytes())?;
        }
        out.write_all(&(self.trees.len() as u16).to_le_bytes())?;
        for tree in &self.trees {
            out.write_all(&[tree.questions.len() as u8])?;
            for (feature, border) in &tree.questions {
                out.write_all(&(used.partition_point(|known| known < feature) as u16).to_le_bytes())?;
                out.write_all(&[*border])?;
            }
            for leaf in &tree.leaves {
                out.write_all(&(units(f64::from(*leaf)).clamp(i16::MIN.into(), i16::MAX.into()) as i16).to_le_bytes())?;
            }
        }
        Ok(())
    }
}
