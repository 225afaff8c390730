//! Texts in a temporary file, to be read again where two of them must be compared shingle by shingle.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;

use crate::dedup::sign::{Signer, exact_jaccard};
use crate::dedup::sorter::Spill;

/// How far an estimate may be from the truth before a pair is judged by it alone: four standard errors of 112 values.
const DOUBT: f32 = 0.2;

/// Shingles that are held for the next comparison: 64 MB.
const HELD_SHINGLES_MAX: usize = 8 << 20;

/// The texts of all documents, by number.
pub(super) struct Texts {
    spill: Spill,
    ends: Vec<u64>,
    sets: HashMap<u32, Vec<u64>>,
    order: VecDeque<u32>,
    held: usize,
}

impl Texts {
    pub(super) fn new() -> anyhow::Result<Texts> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("tamis-dedup-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let spill = Spill::create(std::env::temp_dir().join(name))?;
        Ok(Texts { spill, ends: Vec::new(), sets: HashMap::new(), order: VecDeque::new(), held: 0 })
    }

    /// Takes the text of the next document.
    pub(super) fn push(&mut self, text: &str) -> anyhow::Result<()> {
        self.spill.write(text.as_bytes())?;
        self.ends.push(self.spill.bytes());
        Ok(())
    }

    /// All texts are there.
    pub(super) fn ready(&mut self) -> anyhow::Result<()> {
        Ok(self.spill.flush()?)
    }

    /// Whether two documents have a Jaccard similarity of at least `jaccard_min`. Only a pair that is far from it by its estimate is
    /// not looked at again.
    pub(super) fn similar(&mut self, (a, b): (u32, u32), estimate: f32, jaccard_min: f32, signer: &Signer) -> anyhow::Result<bool> {
        if estimate < jaccard_min - DOUBT {
            return Ok(false);
        }
        self.hold(a, signer)?;
        self.hold(b, signer)?;
        let set = |number: u32| self.sets.get(&number).map_or(&[][..], Vec::as_slice);
        let similar = exact_jaccard(set(a), set(b)) >= jaccard_min;
        self.let_go(b);
        Ok(similar)
    }

    fn hold(&mut self, number: u32, signer: &Signer) -> anyhow::Result<()> {
        if self.sets.contains_key(&number) {
            return Ok(());
        }
        let start = if number == 0 { 0 } else { self.ends[number as usize - 1] };
        let mut bytes = vec![0; (self.ends[number as usize] - start) as usize];
        self.spill.read(&mut bytes, start)?;
        let text = String::from_utf8(bytes).context("the temporary file of texts changed")?;
        let set = signer.shingle_set(&text);
        self.held += set.len();
        self.sets.insert(number, set);
        self.order.push_back(number);
        Ok(())
    }

    /// Lets the sets go that were held longest, but never `last`.
    fn let_go(&mut self, last: u32) {
        while self.held > HELD_SHINGLES_MAX {
            let Some(oldest) = self.order.pop_front().filter(|oldest| *oldest != last) else { return };
            self.held -= self.sets.remove(&oldest).map_or(0, |set| set.len());
        }
    }
}
