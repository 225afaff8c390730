//! Multinomial logistic regression over hashed features, through a narrow layer: each feature has a small vector, a text is the sum of
//! its vectors over the square root of their number, and each class has a vector that it is compared with (after Joulin et al. 2017).
//!
//! AdaGrad (Duchi et al. 2011) with one sum a row, one sample at a time, in one thread: the same samples give the same model.

use crate::arithmetic::softmax;
use crate::classes::Class;
use crate::langid::letters::Family;
use crate::random::Random;
use crate::sampler::{Rows, Sampler};

pub const DIMENSIONS: usize = 32;
type Vector = [f32; DIMENSIONS];

pub struct Network {
    pub rows: Vec<Vector>,
    row_steps: Vec<f32>,
    pub classes: Vec<Vector>,
    pub biases: Vec<f32>,
    class_steps: Vec<f32>,
    pub families: Vec<Family>,
}

const SMALL: f32 = 1e-3;
/// A sample that is judged right with this probability teaches nothing worth its time.
const SURE: f32 = 0.998;

impl Network {
    pub fn new(row_count: usize, classes: &[Class], random: &mut Random) -> Network {
        let rows = (0..row_count).map(|_| std::array::from_fn(|_| (random.unit() - 0.5) * 0.1)).collect();
        let class_vectors = classes.iter().map(|_| std::array::from_fn(|_| (random.unit() - 0.5) * 0.1)).collect();
        Network {
            rows,
            row_steps: vec![SMALL; row_count],
            classes: class_vectors,
            biases: vec![0.0; classes.len()],
            class_steps: vec![SMALL; classes.len()],
            families: classes.iter().map(|class| class.family).collect(),
        }
    }

    /// The vector of a text.
    pub fn hidden(&self, rows: &[u32]) -> Vector {
        let mut sum = [0.0; DIMENSIONS];
        for row in rows {
            for (total, value) in sum.iter_mut().zip(&self.rows[*row as usize]) {
                *total += value;
            }
        }
        let scale = 1.0 / (rows.len().max(1) as f32).sqrt();
        sum.map(|value| value * scale)
    }

    /// Scores of the classes `range`.
    pub fn scores(&self, hidden: &Vector, range: std::ops::Range<usize>) -> Vec<f32> {
        range.map(|class| self.biases[class] + self.classes[class].iter().zip(hidden).map(|(a, b)| a * b).sum::<f32>()).collect()
    }

    /// The classes of a family: they stand together.
    pub fn range(&self, family: Family) -> std::ops::Range<usize> {
        let first = self.families.iter().position(|known| *known == family).unwrap_or(0);
        first..first + self.families.iter().filter(|known| **known == family).count()
    }

    /// Teaches one sample. Answers the loss.
    fn learn(&mut self, rows: &[u32], class: usize, rate: f32, rows_frozen: bool) -> f32 {
        let hidden = self.hidden(rows);
        let range = self.range(self.families[class]);
        let mut errors = self.scores(&hidden, range.clone());
        softmax(&mut errors);
        let right = errors[class - range.start];
        if right > SURE {
            return 1.0 - right;
        }
        errors[class - range.start] -= 1.0;
        let mut slope = [0.0; DIMENSIONS];
        let length: f32 = hidden.iter().map(|value| value * value).sum::<f32>() / DIMENSIONS as f32;
        for (error, class) in errors.iter().zip(range) {
            if error.abs() < 1e-5 {
                continue;
            }
            for (total, value) in slope.iter_mut().zip(&self.classes[class]) {
                *total += error * value;
            }
            self.class_steps[class] += error * error * length;
            let step = rate * 0.5 * error / self.class_steps[class].sqrt();
            for (value, input) in self.classes[class].iter_mut().zip(&hidden) {
                *value -= step * input;
            }
            self.biases[class] -= step * 0.3;
        }
        if rows_frozen {
            return 1.0 - right;
        }
        let scale = 1.0 / (rows.len().max(1) as f32).sqrt();
        let slope = slope.map(|value| value * scale);
        let size = slope.iter().map(|value| value * value).sum::<f32>() / DIMENSIONS as f32;
        for row in rows {
            let steps = &mut self.row_steps[*row as usize];
            *steps += size;
            let step = rate / steps.sqrt();
            for (value, slope) in self.rows[*row as usize].iter_mut().zip(&slope) {
                *value -= step * slope;
            }
        }
        1.0 - right
    }
}

/// How a network is taught.
pub struct Lesson {
    pub samples: usize,
    /// The first step's size; it falls to nothing.
    pub rate: f32,
    pub seed: u64,
    /// Rows stay as they are, and only classes learn.
    pub rows_frozen: bool,
}

pub fn train(network: &mut Network, sampler: &Sampler, lesson: &Lesson) {
    let mut random = Random(lesson.seed);
    let mut rows = Rows { family: Family::Latin, rows: network.rows.len() as u64, found: Vec::new() };
    let (mut loss, every) = (0.0, lesson.samples / 10);
    for sample in 0..lesson.samples {
        let class = sampler.draw(&mut random, &mut rows);
        if rows.found.is_empty() {
            continue;
        }
        let now = lesson.rate * (1.0 - sample as f32 / lesson.samples as f32);
        loss += network.learn(&rows.found, class, now, lesson.rows_frozen);
        if (sample + 1) % every == 0 {
            eprintln!("{} samples, loss {:.4}", sample + 1, loss / every as f32);
            loss = 0.0;
        }
    }
}
