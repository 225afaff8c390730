//! What a data set says of itself to the public: the summary that the AI Act asks for, a Croissant description, a dataset card, a datasheet with
//! charts, checksums under a signature, and a feed of the crawler's policy.
//!
//! Every number comes from [`counts`], which reads the published shards once, and from ledgers and receipts; what no machine can know stands in a file of
//! [`facts`] that the publisher writes, and stays an open field where it says nothing. Nothing is invented: a sentence that is not true of
//! every run of tamis is not among them.

pub mod ai_act;
pub mod card;
pub mod counts;
pub mod croissant;
pub mod datasheet;
pub mod facts;
pub mod feed;
pub mod page;
pub mod set;
pub mod sums;

/// The official languages of the European Union, by their tags: Regulation No 1 of 1958, as amended.
pub const EU_LANGUAGES: [&str; 24] = [
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr", "hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk",
    "sl", "sv",
];

/// Whether `tag` is an official language of the Union, in whatever script or region.
#[must_use]
pub fn is_of_the_union(tag: &str) -> bool {
    EU_LANGUAGES.contains(&tag.split('-').next().unwrap_or(""))
}
