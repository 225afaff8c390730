//! Rows of the network in few bits: one step width a dimension, wide enough for the rows that texts really use.

use crate::langid::letters::Family;
use crate::random::Random;
use crate::sampler::{Rows, Sampler};
use crate::trainer::{DIMENSIONS, Network};

/// Samples from which the use of rows is told.
const SAMPLES: usize = 40_000;

/// The step width of each dimension, so that `levels` steps reach `reach` times the root mean square of the values in use.
pub fn widths(network: &Network, sampler: &Sampler, levels: f32, reach: f32) -> [f32; DIMENSIONS] {
    let mut random = Random(23);
    let mut rows = Rows { family: Family::Latin, rows: network.rows.len() as u64, found: Vec::new() };
    let (mut squares, mut count) = ([0.0f64; DIMENSIONS], 0.0f64);
    for _ in 0..SAMPLES {
        sampler.draw(&mut random, &mut rows);
        for row in &rows.found {
            count += 1.0;
            for (sum, value) in squares.iter_mut().zip(&network.rows[*row as usize]) {
                *sum += f64::from(value * value);
            }
        }
    }
    squares.map(|sum| (sum / count).sqrt() as f32 * reach / levels)
}

/// Rounds every row to whole steps between `-levels - 1` and `levels`.
pub fn round(network: &mut Network, widths: &[f32; DIMENSIONS], levels: f32) {
    for row in &mut network.rows {
        for (value, width) in row.iter_mut().zip(widths) {
            *value = (*value / width).round().clamp(-levels - 1.0, levels) * width;
        }
    }
}
