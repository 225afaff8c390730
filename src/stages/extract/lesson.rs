//! What the training program sees of a page: exactly what the stage sees, so that the two cannot drift.

use super::builder::{Limits, build};
use super::features::{Counted, features};

/// A page as the trees see it.
#[derive(Debug)]
pub struct Lesson {
    /// Names of the features.
    pub names: Vec<String>,
    /// For each feature a byte a block.
    pub columns: Vec<Vec<u8>>,
    /// The text of each block.
    pub texts: Vec<String>,
    /// How many words the stage counts in each block.
    pub words: Vec<u32>,
}

/// The page `html` found at `url`; `None` if it has more elements than the stage takes.
#[must_use]
pub fn lesson(html: &str, url: &str) -> Option<Lesson> {
    let page = build(html, Limits { links: false, nodes_max: 500_000, depth_max: 512 }).ok()?;
    let counted = Counted::of(&page);
    let table = features(&counted, url);
    let names: Vec<String> = table.names().collect();
    let columns = (0..names.len()).map(|place| table.at(place)[..table.rows()].to_vec()).collect();
    let texts = page.blocks.iter().map(|block| page.text_of(block).to_owned()).collect();
    Some(Lesson { names, columns, texts, words: counted.measures.iter().map(|measure| measure.words).collect() })
}
