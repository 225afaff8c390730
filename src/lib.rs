//! tamis is a sieve for text: it reads web archives, keeps what is clean, legal and new, and writes token shards ready to train a
//! language model, the same bytes each time, with a reason for every document that falls.
//!
//! A tour of the house, in the direction of the river:
//!
//! 1. [`recipe`] reads the TOML file and checks it; [`engine::plan`] freezes the work.
//! 2. [`sources`] cut inputs into records and decode them into [`doc::Document`]s; [`archive`] knows WARC and HTTP.
//! 3. [`stages`] judge one document each; every removal is a [`stage::Verdict`] with a reason. [`optout`] reads what
//!    owners say about training, and [`robots`] what they open to whom.
//! 4. [`dedup`] signs documents, decides which are duplicates, and excludes them.
//! 5. [`sinks`] write Parquet with the columns of [`columns`]; [`store`] and [`workspace`] know files, [`ledger`] what became of what.
//! 6. [`passes`] make the main job of these rooms; [`engine`] walks documents through them on all cores.
//!    [`cluster`] gives the same work to schedulers of many machines.
//! 7. [`locator`] knows where each document lies; [`suppression`] keeps out what was erased; [`takedown`] erases documents from every store and proves it.
//!    [`texts`] reads a corpus for [`tokenizer`], which makes vocabularies, and [`quality`], which makes learned scores.
//! 8. [`packing`] makes sequences for trainers of published shards, and exports them.
//! 9. [`night`] is what a nightly operator needs beside a run; [`publish`] says of a data set what the law and its readers ask,
//!    and [`release`] freezes it with all that.
//! 10. [`inspect`] looks into what there is, [`report`] draws what happened, [`serve`] shows both in a browser; [`cli`] is the only place that prints.
//!
//! The three doors are [`source`], [`stage`] and [`sink`].

pub mod archive;
pub mod calibration;
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what the command line is for")]
pub mod cli;
pub mod cluster;
pub mod columns;
pub mod crawl;
pub mod dedup;
pub mod doc;
pub mod engine;
pub mod formats;
pub mod home;
pub mod inspect;
pub mod ledger;
pub mod locator;
pub mod night;
pub mod optout;
pub mod packing;
pub mod passes;
pub mod publish;
pub mod quality;
pub mod recipe;
pub mod release;
pub mod remote;
pub mod report;
pub mod robots;
pub mod serve;
pub mod sink;
pub mod sinks;
pub mod size;
pub mod source;
pub mod sources;
pub mod stage;
pub mod stages;
pub mod store;
pub mod suppression;
pub mod takedown;
pub mod text;
pub mod texts;
pub mod tokenizer;
pub mod workspace;
