//! What a text is made of: words, lines, sentences, scripts, and the words that every text of a language has.
//!
//! Facts about text that several rooms need stand here, so that rooms need not know each other. Everything is a pure function.

pub mod address;
pub mod canonical;
pub mod host;
pub mod language;
pub mod licence;
pub mod lines;
pub mod script;
pub mod stopwords;
pub mod surt;
pub mod words;
