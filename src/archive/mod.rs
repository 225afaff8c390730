//! Web archives as bytes: files as stored, their packing, records, HTTP responses and what they carry.
//!
//! Everything here streams in bounded memory and takes no byte on trust: a length is a claim, a checksum decides, and damage is
//! a value ([`crate::source::Damage`]) after which reading goes on at the next member, frame or record. The crates at hand lose
//! records without a word (measured in `shared/crates.md`), so the readers are our own.

pub mod address;
mod bzip2;
pub mod charset;
pub mod chunked;
pub mod coding;
pub mod date;
pub mod digest;
pub mod fields;
mod gzip;
pub mod head;
pub mod http;
mod prescan;
pub mod raws;
pub mod records;
pub mod sniff;
mod stored;
pub mod unpacked;
pub mod verify;
mod zstd;

pub use records::{Cutter, Ending, Found};
pub use unpacked::{Step, Unpacked, decompress};
