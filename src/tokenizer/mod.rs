//! Vocabularies from a corpus: [`train`] makes one of its pieces, [`report`] says how well some fit its languages. [`texts`] reads the corpus.

pub mod report;
pub mod texts;
pub mod train;
