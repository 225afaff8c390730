//! The table of n-grams, used where it lies in the binary, and what it says of a text.
//!
//! Each feature has a row of 32 values of four bits in 16 bytes, so a look-up touches one cache line. A text's rows are summed, the sum
//! is divided by the square root of their number, and each language compares the result with a vector of its own. How the numbers came
//! about stands in docs/langid.md; `training/langid` in this repository builds the file.

use super::letters::{Alphabet, Family};
use super::ngrams::row_of;

/// Values a row.
pub(super) const DIMENSIONS: usize = 32;
const ROW_BYTES: usize = DIMENSIONS / 2;
/// So many rows of values up to 15 fit into a byte's sum.
const PENDING_MAX: u32 = 17;
/// The value that stands for nothing.
const ZERO: f32 = 8.0;
const MAGIC: &[u8] = b"TAMISLID";
const TAG_BYTES: usize = 8;
/// Classes of length by which scores are calibrated: the logarithm of the number of features, to the base 2.
const LENGTHS: usize = 12;

/// A language in a script.
pub(super) struct Class {
    /// BCP 47.
    pub(super) tag: &'static str,
    bias: f32,
    vector: [f32; DIMENSIONS],
}

/// The model as it is used.
pub(super) struct Model {
    pub(super) alphabet: Alphabet,
    families: [Vec<Class>; Family::ALL.len()],
    /// How the log-odds of the first language become a probability, by length: offset and slope.
    calibration: [(f32, f32); LENGTHS],
    rows: &'static [[u8; ROW_BYTES]],
}

/// Reads the parts of the file one after the other; whatever is missing at the end reads as zeros.
struct Cursor(&'static [u8]);

impl Cursor {
    fn take(&mut self, bytes: usize) -> &'static [u8] {
        let (taken, rest) = self.0.split_at(bytes.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn number(&mut self) -> u32 {
        self.take(4).try_into().map_or(0, u32::from_le_bytes)
    }

    fn float(&mut self) -> f32 {
        f32::from_bits(self.number())
    }

    fn class(&mut self) -> (usize, Class) {
        let tag = std::str::from_utf8(self.take(TAG_BYTES)).unwrap_or("").trim_end_matches('\0');
        let family = self.number() as usize;
        let bias = self.float();
        (family, Class { tag, bias, vector: std::array::from_fn(|_| self.float()) })
    }
}

impl Model {
    /// The model in the binary.
    pub(super) fn embedded() -> Model {
        Model::from_bytes(include_bytes!("model.bin"))
    }

    fn from_bytes(bytes: &'static [u8]) -> Model {
        let mut cursor = Cursor(bytes);
        assert_eq!(cursor.take(MAGIC.len()), MAGIC, "model.bin is another file");
        let classes = cursor.number();
        let calibration = std::array::from_fn(|_| (cursor.float(), cursor.float()));
        let mut families: [Vec<Class>; Family::ALL.len()] = Default::default();
        for _ in 0..classes {
            let (family, class) = cursor.class();
            families[family].push(class);
        }
        let (rows, _) = cursor.0.as_chunks();
        Model { alphabet: Alphabet::new(), families, calibration, rows }
    }

    /// The languages of a family.
    pub(super) fn classes(&self, family: Family) -> &[Class] {
        &self.families[family as usize]
    }

    /// How well each language of `family` fits the evidence; only differences count.
    pub(super) fn scores(&self, family: Family, evidence: &Evidence) -> Vec<f32> {
        let mean = evidence.vector();
        let fit = |class: &Class| class.bias + class.vector.iter().zip(&mean).map(|(a, b)| a * b).sum::<f32>();
        self.classes(family).iter().map(fit).collect()
    }

    /// Adds what the table says of a feature.
    #[inline]
    pub(super) fn add(&self, evidence: &mut Evidence, hash: u64) {
        if let Some(row) = self.rows.get(row_of(hash, self.rows.len() as u64)) {
            evidence.add(row);
        }
    }

    /// Offset and slope for evidence of so many features.
    pub(super) fn calibration(&self, features: u32) -> (f32, f32) {
        self.calibration[(features.max(1).ilog2() as usize).min(LENGTHS - 1)]
    }
}

/// Half of a row's values, one a byte, eight bytes a number.
type Lanes = [u64; 2];
/// The lower four bits of each byte.
const LOW: u64 = 0x0f0f_0f0f_0f0f_0f0f;

/// The rows of a text, summed.
#[derive(Clone)]
pub(super) struct Evidence {
    sums: [u32; DIMENSIONS],
    /// Sums of few rows, byte by byte: the lower values of each row, then the higher ones.
    pending: [Lanes; 2],
    pending_rows: u32,
    /// Features summed.
    pub(super) features: u32,
    /// Bytes of the letters read.
    pub(super) letter_bytes: u32,
}

impl Evidence {
    pub(super) const NONE: Evidence =
        Evidence { sums: [0; DIMENSIONS], pending: [[0; 2]; 2], pending_rows: 0, features: 0, letter_bytes: 0 };

    /// Adds a row, sixteen values at a time. Short on purpose: the next rows are fetched while this one is on its way.
    #[inline]
    fn add(&mut self, row: &[u8; ROW_BYTES]) {
        if self.pending_rows == PENDING_MAX {
            self.settle();
        }
        let (halves, _) = row.as_chunks::<8>();
        for (lane, half) in halves.iter().enumerate() {
            let values = u64::from_le_bytes(*half);
            self.pending[0][lane] += values & LOW;
            self.pending[1][lane] += values >> 4 & LOW;
        }
        self.pending_rows += 1;
    }

    /// Moves what is pending into the sums.
    fn settle(&mut self) {
        let bytes = self.pending.iter().flatten().flat_map(|lanes| lanes.to_le_bytes());
        for (sum, pending) in self.sums.iter_mut().zip(bytes) {
            *sum += u32::from(pending);
        }
        self.pending = [[0; 2]; 2];
        self.features += std::mem::take(&mut self.pending_rows);
    }

    /// Takes the evidence out.
    pub(super) fn take(&mut self) -> Evidence {
        self.settle();
        std::mem::replace(self, Evidence::NONE)
    }

    /// Adds evidence that was taken.
    pub(super) fn join(&mut self, other: &Evidence) {
        for (sum, more) in self.sums.iter_mut().zip(&other.sums) {
            *sum += more;
        }
        self.features += other.features;
        self.letter_bytes += other.letter_bytes;
    }

    fn vector(&self) -> [f32; DIMENSIONS] {
        let features = self.features.max(1) as f32;
        self.sums.map(|sum| (sum as f32 - ZERO * features) / features.sqrt())
    }
}
