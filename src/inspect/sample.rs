//! Some documents of a data set, drawn by chance: each by a hash of the seed and its id, so the same seed gives the same ones, in the same
//! order, whatever shards they lie in.

use std::collections::{BTreeMap, BTreeSet};

use parquet::errors::ParquetError;
use regex::Regex;
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::row::json_of;
use super::{Dataset, InspectError};
use crate::locator::rows::{Documents, Row};
use crate::locator::{InBlock, LocateError};

/// Of what documents are drawn the same number each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Each language.
    Lang,
    /// Each host.
    Host,
}

/// Bounds of a signal: its name behind `quality.`, and the number.
pub type Bound = (String, f64);

/// What is drawn.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Documents, in all or of each language or host.
    pub documents: usize,
    /// The same seed draws the same documents.
    pub seed: u64,
    /// Only in this language.
    pub lang: Option<String>,
    /// Only of this host.
    pub host: Option<String>,
    /// Only where a signal is at least so large.
    pub at_least: Vec<Bound>,
    /// Only where a signal is at most so large.
    pub at_most: Vec<Bound>,
    /// Only where title or text match.
    pub grep: Option<Regex>,
    /// The same number of each language or host.
    pub by: Option<By>,
}

impl Wish {
    /// Columns that tell whether a document is meant.
    fn columns(&self) -> Vec<String> {
        let mut columns = vec!["id", "lang", "host"];
        if self.grep.is_some() {
            columns.extend(["title", "text"]);
        }
        if !(self.at_least.is_empty() && self.at_most.is_empty()) {
            columns.push("quality");
        }
        columns.into_iter().map(str::to_owned).collect()
    }

    fn is_met(&self, row: &Row<'_>) -> bool {
        let is = |wanted: &Option<String>, name: &str| wanted.as_deref().is_none_or(|wanted| row.text(name) == wanted);
        let signal = |name: &str| row.number_in("quality", name);
        is(&self.lang, "lang")
            && is(&self.host, "host")
            && self.at_least.iter().all(|(name, least)| signal(name).is_some_and(|value| value >= *least))
            && self.at_most.iter().all(|(name, most)| signal(name).is_some_and(|value| value <= *most))
            && self.grep.as_ref().is_none_or(|words| words.is_match(row.text("text")) || words.is_match(row.text("title")))
    }

    fn group<'a>(&self, row: &Row<'a>) -> &'a str {
        match self.by {
            None => "",
            Some(By::Lang) => row.text("lang"),
            Some(By::Host) => row.text("host"),
        }
    }
}

/// Where a drawn document lies: shard, row group, row.
type Drawn = (u64, usize, usize, usize);

impl Dataset {
    /// The documents that `wish` draws, in the order of their draw; with [`Wish::by`] group after group.
    ///
    /// # Errors
    /// When a shard cannot be read.
    pub fn sample(&self, wish: &Wish) -> Result<Vec<Map<String, Value>>, InspectError> {
        let mut drawn: BTreeMap<String, BTreeSet<Drawn>> = BTreeMap::new();
        for (shard, path) in self.shards.iter().enumerate() {
            // A shard is of one language, which its folder names.
            let in_folder = |lang: &String| path.parent().is_some_and(|folder| folder.ends_with(format!("lang={lang}")));
            if !wish.lang.as_ref().is_none_or(in_folder) {
                continue;
            }
            self.each(shard, &InBlock::Anywhere, None, &wish.columns(), |group, number, row| {
                if wish.is_met(row) {
                    let draw = xxh3_64_with_seed(row.text("id").as_bytes(), wish.seed);
                    let of_group = drawn.entry(wish.group(row).to_owned()).or_default();
                    of_group.insert((draw, shard, group, number));
                    if of_group.len() > wish.documents {
                        of_group.pop_last();
                    }
                }
            })?;
        }
        let mut rows = Vec::new();
        for (_, shard, group, number) in drawn.into_values().flatten() {
            let one = InBlock::Rows([number].into());
            self.each(shard, &one, Some(group), &[], |_, _, row| rows.push(json_of(row.batch(), row.number())))?;
        }
        Ok(rows)
    }

    /// Calls `each` with rows of a shard, in all row groups or one; without `columns` with all of them.
    fn each(
        &self,
        shard: usize,
        wanted: &InBlock,
        only: Option<usize>,
        columns: &[String],
        mut each: impl FnMut(usize, usize, &Row<'_>),
    ) -> Result<(), InspectError> {
        let path = &self.shards[shard];
        let mut read = || -> Result<(), ParquetError> {
            let documents = Documents::open(path)?;
            let all = documents.columns();
            let columns: Vec<&str> = if columns.is_empty() { all } else { columns.iter().map(String::as_str).collect() };
            for group in 0..documents.groups().len() {
                if only.is_none_or(|only| only == group) {
                    documents.for_each(group, wanted, &columns, |number, row| each(group, number, &row))?;
                }
            }
            Ok(())
        };
        read().map_err(|source| LocateError::Parquet { path: path.clone(), source })?;
        Ok(())
    }
}
