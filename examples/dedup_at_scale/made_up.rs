//! Signatures of documents that were never written, the same each time.

use std::error::Error;
use std::path::{Path, PathBuf};

use tamis::dedup::minhash::cut;
use tamis::dedup::settings::{Banding, DedupSettings};
use tamis::dedup::signatures::SignatureSink;
use tamis::doc::{DocId, Document, Lang, Signature};

/// Shares of the documents, in hundredths: a text of its own, an equal copy; the rest are changed copies.
const NEW: u64 = 66;
const EQUAL: u64 = 8;

/// Makes documents. The document with a number is always the same, so a copy of an old one needs no memory of it.
pub struct Author {
    settings: DedupSettings,
    banding: Banding,
    written: u64,
}

/// Numbers that look random, from a seed.
struct Dice(u64);

impl Dice {
    /// SplitMix64 (Steele, Lea, Flood, 2014).
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((self.roll() >> 32) * bound) >> 32
    }
}

impl Author {
    pub fn new(settings: &DedupSettings) -> Author {
        let banding = settings.near.banding().unwrap_or(Banding { bands: 0, rows: 0 });
        Author { settings: settings.clone(), banding, written: 0 }
    }

    /// Writes the signatures of the next `documents` to a file in `folder`.
    pub fn night(&mut self, folder: &Path, documents: u64) -> Result<PathBuf, Box<dyn Error>> {
        let path = folder.join("tonight.signatures");
        let mut sink = SignatureSink::create(&path, &self.settings)?;
        for _ in 0..documents {
            sink.write(&self.document(self.written))?;
            self.written += 1;
        }
        sink.finish()?;
        Ok(path)
    }

    fn document(&self, number: u64) -> Document {
        let mut dice = Dice(number << 20);
        let kind = dice.below(100);
        // A copy of a copy would need the whole chain, so only texts of their own are copied.
        let original = if kind < NEW || number == 0 { number } else { original_before(&mut dice, number) };
        let mut sketch = text_of(original, self.banding.values());
        let mut exact = u128::from(Dice(original).roll()) << 64 | u128::from(original);
        if kind >= NEW + EQUAL && original != number {
            let changed = 10 + dice.below(31);
            for value in &mut sketch {
                if dice.below(100) < changed {
                    *value = dice.roll();
                }
            }
            exact = u128::from(dice.roll()) << 64 | u128::from(number);
        }
        let signature = Signature { exact, sketch: cut(&sketch) };
        Document {
            id: DocId(u128::from(dice.roll()) << 64 | u128::from(number)),
            lang: Some(Lang::new(["de", "fr", "pl", "fi"][original as usize % 4])),
            source_offset: number,
            signature: Some(Box::new(signature)),
            ..Document::default()
        }
    }
}

/// A text of its own among those before `number`.
fn original_before(dice: &mut Dice, number: u64) -> u64 {
    loop {
        let candidate = dice.below(number.min(u64::from(u32::MAX)));
        if candidate == 0 || Dice(candidate << 20).below(100) < NEW {
            return candidate;
        }
    }
}

fn text_of(number: u64, values: usize) -> Vec<u64> {
    let mut dice = Dice(number << 20 | 1 << 10);
    (0..values).map(|_| dice.roll()).collect()
}
