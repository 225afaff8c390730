//! Some documents of a data set, drawn by chance: each by a hash of the seed and its id, so the same seed gives the same ones, in the same
//! order, whatever shards they lie in.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use parquet::errors::ParquetError;
use regex::Regex;
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::personal::kinds;
use super::row::json_of;
use super::search::lang_of;
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
    /// Only where personal data of this kind was found; of any kind if it is empty.
    pub personal: Option<String>,
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
        columns.extend(self.personal.as_ref().map(|_| "pii"));
        columns.into_iter().map(str::to_owned).collect()
    }

    fn is_met(&self, row: &Row<'_>) -> bool {
        let is = |wanted: &Option<String>, name: &str| wanted.as_deref().is_none_or(|wanted| row.text(name) == wanted);
        let signal = |name: &str| row.number_in("quality", name);
        is(&self.lang, "lang")
            && is(&self.host, "host")
            && self.at_least.iter().all(|(name, least)| signal(name).is_some_and(|value| value >= *least))
            && self.at_most.iter().all(|(name, most)| signal(name).is_some_and(|value| value <= *most))
            && self.personal.as_ref().is_none_or(|kind| has_personal(row, kind))
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

/// Whether personal data of `kind`, or of any kind if that is empty, was found in a row.
fn has_personal(row: &Row<'_>, kind: &str) -> bool {
    let has = |kind: &str| row.number_in("pii", kind).is_some_and(|count| count > 0.0);
    if kind.is_empty() { kinds().into_iter().any(has) } else { has(kind) }
}

/// Where a drawn document lies, behind its draw: shard, row group, row.
type Place = (u64, usize, usize, usize);

/// Shards that are held open at a time.
const OPEN_MAX: usize = 256;

/// Shards that were opened, by their number.
struct Shards<'a> {
    dataset: &'a Dataset,
    open: BTreeMap<usize, Documents>,
}

impl Shards<'_> {
    fn open(&mut self, shard: usize) -> Result<&Documents, InspectError> {
        if self.open.len() >= OPEN_MAX && !self.open.contains_key(&shard) {
            self.open.clear();
        }
        Ok(match self.open.entry(shard) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => {
                let documents = Documents::open(&self.dataset.shards[shard]).map_err(|source| self.dataset.refused(shard, source))?;
                place.insert(documents)
            }
        })
    }
}

/// What was drawn.
#[derive(Clone, Debug, Default)]
pub struct Draw {
    /// The documents with all columns, in the order of their draw; with [`Wish::by`] group after group.
    pub rows: Vec<Map<String, Value>>,
    /// Row groups that were drawn from, and how many there are: fewer where the time was up.
    pub groups: (usize, usize),
}

impl Dataset {
    /// The documents that `wish` draws of all there are.
    ///
    /// # Errors
    /// When a shard cannot be read.
    pub fn sample(&self, wish: &Wish) -> Result<Vec<Map<String, Value>>, InspectError> {
        Ok(self.draw(wish, &mut || true)?.rows)
    }

    /// The documents that `wish` draws. `go_on` is asked before each row group but the first; as these come in an order of chance, a draw
    /// that was cut short is one by chance of the row groups that it saw.
    ///
    /// # Errors
    /// When a shard cannot be read.
    pub fn draw(&self, wish: &Wish, go_on: &mut dyn FnMut() -> bool) -> Result<Draw, InspectError> {
        let mut shards = Shards { dataset: self, open: BTreeMap::new() };
        let mut groups = self.groups_of(wish.lang.as_deref(), &mut shards)?;
        groups.sort_by_cached_key(|(shard, group)| xxh3_64_with_seed(format!("{shard}.{group}").as_bytes(), wish.seed));
        let columns = wish.columns();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let mut drawn: BTreeMap<String, BTreeSet<Place>> = BTreeMap::new();
        let mut seen = 0;
        for (shard, group) in &groups {
            if seen > 0 && !go_on() {
                break;
            }
            seen += 1;
            let mut take = |number: usize, row: Row<'_>| {
                if wish.is_met(&row) {
                    let draw = xxh3_64_with_seed(row.text("id").as_bytes(), wish.seed);
                    let of_group = drawn.entry(wish.group(&row).to_owned()).or_default();
                    of_group.insert((draw, *shard, *group, number));
                    if of_group.len() > wish.documents {
                        of_group.pop_last();
                    }
                }
            };
            let read = shards.open(*shard)?.for_each(*group, &InBlock::Anywhere, &columns, &mut take);
            read.map_err(|source| self.refused(*shard, source))?;
        }
        let mut rows = Vec::new();
        for (_, shard, group, number) in drawn.into_values().flatten() {
            let (documents, one) = (shards.open(shard)?, InBlock::Rows([number].into()));
            let read = documents.for_each(group, &one, &documents.columns(), |_, row| rows.push(json_of(row.batch(), row.number())));
            read.map_err(|source| self.refused(shard, source))?;
        }
        Ok(Draw { rows, groups: (seen, groups.len()) })
    }

    /// The row groups of all shards that hold documents in `lang`: numbers of shard and group.
    fn groups_of(&self, lang: Option<&str>, shards: &mut Shards<'_>) -> Result<Vec<(usize, usize)>, InspectError> {
        let mut groups = Vec::new();
        for (shard, _) in self.shards.iter().enumerate().filter(|(_, path)| lang.is_none_or(|lang| lang_of(path) == lang)) {
            groups.extend((0..shards.open(shard)?.groups().len()).map(|group| (shard, group)));
        }
        Ok(groups)
    }

    fn refused(&self, shard: usize, source: ParquetError) -> LocateError {
        LocateError::Parquet { path: self.shards[shard].clone(), source }
    }
}
