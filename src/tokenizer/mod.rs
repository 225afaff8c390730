//! Vocabularies from a corpus: [`train`] makes one of its pieces, [`report`] says how well some fit its languages.

pub mod report;
pub mod train;
