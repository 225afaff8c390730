//! A search page by page: in the order of shards and rows, from a place on, until a page is full or the time is up.
//!
//! Nothing is sorted and nothing is counted to the end, so a page costs what its rows cost, however large the data set is. Language and
//! host choose row groups before anything of them is read; words have to be looked for in the texts, so a caller with little patience
//! gets what was found so far and the place from which to go on.

use std::path::Path;

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::{Dataset, InspectError};
use crate::locator::rows::{Documents, Row};
use crate::locator::{InBlock, Key, Kind, LocateError, places};

/// Columns that a page of results shows.
const SHOWN: &[&str] = &["id", "url", "host", "lang", "title", "text", "token_count", "cluster_size", "fetched_at"];

/// What is searched for.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Only in this language.
    pub lang: Option<String>,
    /// Only of this host.
    pub host: Option<String>,
    /// Each of them stands in title or text, in whatever case.
    words: Vec<Regex>,
}

/// A row of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Number of the shard.
    pub shard: usize,
    /// Row group.
    pub group: usize,
    /// Row in it.
    pub row: usize,
}

/// A page of results.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The documents, with the columns that a page shows.
    pub rows: Vec<Map<String, Value>>,
    /// Where the next page begins; none at the end of the data set.
    pub next: Option<Place>,
    /// Whether the time was up before the page was full.
    pub is_cut: bool,
}

impl Question {
    /// A question for documents in which each of `words` stands.
    #[must_use]
    pub fn new(lang: Option<String>, host: Option<String>, words: &str) -> Question {
        let pattern = |word: &str| RegexBuilder::new(&regex::escape(word)).case_insensitive(true).build().ok();
        Question { lang, host, words: words.split_whitespace().filter_map(pattern).collect() }
    }

    /// The first place in `text` where one of the words stands, in bytes.
    #[must_use]
    pub fn first_in(&self, text: &str) -> Option<std::ops::Range<usize>> {
        self.words.iter().filter_map(|word| word.find(text)).map(|found| found.range()).min_by_key(|range| range.start)
    }

    fn columns(&self) -> Vec<&'static str> {
        let mut columns = vec!["id"];
        columns.extend(self.host.as_ref().map(|_| "host"));
        if !self.words.is_empty() {
            columns.extend(["title", "text"]);
        }
        columns
    }

    fn is_met(&self, row: &Row<'_>) -> bool {
        self.host.as_deref().is_none_or(|host| row.text("host") == host)
            && self.words.iter().all(|word| word.is_match(row.text("text")) || word.is_match(row.text("title")))
    }

    /// Whether any row of a group answers it.
    fn takes_all(&self) -> bool {
        self.host.is_none() && self.words.is_empty()
    }
}

/// What one row group gave.
struct OfGroup {
    rows: Vec<Map<String, Value>>,
    /// The row behind the last one that was taken, where more answer.
    next: Option<usize>,
}

impl Dataset {
    /// At most `rows_max` documents that answer `question`, from `from` on. `go_on` is asked before each row group.
    ///
    /// # Errors
    /// When a shard cannot be read.
    pub fn search(&self, question: &Question, from: Place, rows_max: usize, go_on: &mut dyn FnMut() -> bool) -> Result<Page, InspectError> {
        let mut page = Page::default();
        for (shard, path) in self.shards.iter().enumerate().skip(from.shard) {
            if question.lang.as_ref().is_some_and(|lang| lang_of(path) != lang) {
                continue;
            }
            let from = if shard == from.shard { from } else { Place { shard, group: 0, row: 0 } };
            self.search_shard(question, from, rows_max, &mut page, go_on)?;
            if page.next.is_some() {
                break;
            }
        }
        Ok(page)
    }

    /// Fills `page` from one shard; `page.next` tells where it ended before the shard did.
    fn search_shard(
        &self,
        question: &Question,
        from: Place,
        rows_max: usize,
        page: &mut Page,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<(), InspectError> {
        let path = &self.shards[from.shard];
        let of_host = match &question.host {
            Some(host) => Some(places(&self.workspace, Kind::Documents, path, &[Key::of_host(host)])?.1),
            None => None,
        };
        let refused = |source| LocateError::Parquet { path: path.clone(), source };
        let documents = Documents::open(path).map_err(refused)?;
        for group in from.group..documents.groups().len() {
            if of_host.as_ref().is_some_and(|places| !places.contains_key(&group)) {
                continue;
            }
            let first = if group == from.group { from.row } else { 0 };
            let here = Place { group, row: first, ..from };
            if page.rows.len() == rows_max {
                page.next = Some(here);
                return Ok(());
            }
            if !go_on() {
                (page.next, page.is_cut) = (Some(here), true);
                return Ok(());
            }
            let room = rows_max - page.rows.len();
            let found = search_group(&documents, group, first, question, room).map_err(refused)?;
            page.rows.extend(found.rows);
            if let Some(row) = found.next {
                page.next = Some(Place { row, ..here });
                return Ok(());
            }
        }
        Ok(())
    }
}

fn search_group(
    documents: &Documents,
    group: usize,
    first: usize,
    question: &Question,
    room: usize,
) -> Result<OfGroup, parquet::errors::ParquetError> {
    let count = documents.groups().get(group).copied().unwrap_or(0);
    let mut answers: Vec<usize> = Vec::new();
    if question.takes_all() {
        answers = (first..count).take(room + 1).collect();
    } else {
        documents.for_each(group, &InBlock::Anywhere, &question.columns(), |number, row| {
            if number >= first && answers.len() <= room && question.is_met(&row) {
                answers.push(number);
            }
        })?;
    }
    let next = if answers.len() > room { answers.pop() } else { None };
    let mut rows = Vec::new();
    if !answers.is_empty() {
        let wanted = InBlock::Rows(answers.into_iter().collect());
        documents.for_each(group, &wanted, SHOWN, |_, row| rows.push(super::row::json_of(row.batch(), row.number())))?;
    }
    Ok(OfGroup { rows, next })
}

/// The language of a shard, which its folder names.
#[must_use]
pub fn lang_of(shard: &Path) -> &str {
    let folder = shard.parent().and_then(Path::file_name).and_then(std::ffi::OsStr::to_str);
    folder.and_then(|name| name.strip_prefix("lang=")).unwrap_or("und")
}
