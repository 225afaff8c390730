//! What the documents of a data set are of: sources, licences, what owners say, top-level domains. Counted from the columns of the shards.

use std::collections::BTreeMap;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use serde::Serialize;

use super::{Dataset, InspectError};
use crate::locator::rows::{Documents, Row};
use crate::locator::{InBlock, LocateError};

/// Columns that are read for it.
const COLUMNS: &[&str] = &["source", "licence", "optout", "host", "token_count"];

/// Documents and their tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Documents.
    pub documents: u64,
    /// Token ids.
    pub tokens: u64,
}

/// Documents of each kind; what has no value is called `-`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Kinds {
    /// By kind of source.
    pub sources: BTreeMap<String, Count>,
    /// By licence, as it is stated.
    pub licences: BTreeMap<String, Count>,
    /// By what the owner says: verdict and protocol.
    pub optouts: BTreeMap<String, Count>,
    /// By the last part of the host's name, which for most is a country.
    pub domains: BTreeMap<String, Count>,
}

impl Kinds {
    fn add(&mut self, row: &Row<'_>) {
        let tokens = row.batch().column_by_name("token_count").and_then(|column| column.as_primitive_opt::<UInt32Type>());
        let tokens = tokens.filter(|column| column.is_valid(row.number())).map_or(0, |column| u64::from(column.value(row.number())));
        let optout = match (row.text_in("optout", "verdict"), row.text_in("optout", "protocol")) {
            ("", _) => String::new(),
            (verdict, "" | "none") => verdict.to_owned(),
            (verdict, protocol) => format!("{verdict} ({protocol})"),
        };
        let domain = row.text("host").rsplit('.').next().unwrap_or_default();
        let domain = if domain.bytes().all(|byte| byte.is_ascii_digit() || byte == b':' || byte == b']') { "" } else { domain };
        for (counts, name) in [
            (&mut self.sources, row.text("source")),
            (&mut self.licences, row.text("licence")),
            (&mut self.optouts, optout.as_str()),
            (&mut self.domains, domain),
        ] {
            let count = counts.entry(if name.is_empty() { "-" } else { name }.to_owned()).or_default();
            count.documents += 1;
            count.tokens += tokens;
        }
    }
}

impl Dataset {
    /// Counts all published documents by their kinds.
    ///
    /// # Errors
    /// When a shard cannot be read.
    pub fn kinds(&self) -> Result<Kinds, InspectError> {
        let mut kinds = Kinds::default();
        for path in &self.shards {
            let damaged = |source| LocateError::Parquet { path: path.clone(), source };
            let documents = Documents::open(path).map_err(damaged)?;
            for group in 0..documents.groups().len() {
                documents.for_each(group, &InBlock::Anywhere, COLUMNS, |_, row| kinds.add(&row)).map_err(damaged)?;
            }
        }
        Ok(kinds)
    }
}
