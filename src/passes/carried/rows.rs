//! Stored rows in the order of the input, each with what becomes of it under the limits of this job.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::path::PathBuf;

use crate::dedup::signatures::{address_key, occurrence};
use crate::doc::{DocId, Document, Lang};
use crate::engine::flow::{Anew, DEADLINE, PANIC, Step, decide_anew};
use crate::sinks::documents::ReadError;
use crate::sinks::facts::{FACTS, Facts, StoredFacts};
use crate::sinks::rows::{Columns, RowReader, RowsFile, Wanted};
use crate::sinks::shards::TOKENIZER_HASH;
use crate::sinks::stored::LEFT_BEHIND;
use crate::sinks::taken::RowAt;
use crate::stage::{Dropped, Finding};
use crate::text::host::host_class;

/// Rows whose columns are held at a time: of rejects of stage `clean`, of which one file is open,
const EARLY_ROWS: usize = 128;
/// .. and of all other files, of which many are.
const LATE_ROWS: usize = 64;

/// What becomes of a stored row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lot {
    /// It went through stage `clean` and does so again.
    Stays,
    /// It falls in a stage.
    Falls(&'static str, Dropped),
    /// The stage that dropped it lets it pass: it goes on when so many steps are done.
    GoesOn { steps_done: usize },
}

/// A stored document.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Where its record lies in the input of the task: number of the file, then the place in it.
    key: (usize, u64),
    pub(super) at: RowAt,
    pub(super) id: DocId,
    /// Which capture it is.
    pub(super) occurrence: u64,
    pub(super) lang: Option<Lang>,
    pub(super) class: &'static str,
    /// See [`address_key`].
    pub(super) url: u64,
    /// Bytes of address and title.
    pub(super) name_bytes: usize,
    pub(super) fetched: i64,
    /// The value of the signal by which a winner is chosen.
    pub(super) preferred: Option<f32>,
    /// Token ids that it may take along.
    pub(super) tokens: Option<u32>,
    pub(super) lot: Lot,
}

/// How rows are judged.
pub(super) struct Judging<'a> {
    /// The stages whose decisions are asked again.
    pub(super) steps: &'a [Step],
    /// Stage and reason of a reject as the house writes them.
    pub(super) as_written: &'a dyn Fn(&str, &str) -> Option<(&'static str, &'static str)>,
    /// Key of the hashes of addresses.
    pub(super) seed: u64,
    /// The signal by which winners are chosen.
    pub(super) prefer: Option<&'a str>,
    /// Hash of the vocabulary whose ids stay; none where ids are made anew.
    pub(super) vocabulary: Option<&'a str>,
}

/// Why rows cannot be read.
#[derive(Debug)]
pub(super) enum RowsError {
    Read(ReadError),
    /// A reject with a reason that nobody gives.
    UnknownReason {
        stage: String,
        reason: String,
    },
}

impl From<ReadError> for RowsError {
    fn from(error: ReadError) -> RowsError {
        RowsError::Read(error)
    }
}

/// A list of files in the order of the input: numbers and paths, and whether they are the rejects of stage `clean`.
pub(super) struct FileList {
    pub(super) files: Vec<(u32, PathBuf)>,
    pub(super) early: bool,
}

/// Several lists of files as one.
pub(super) struct Merged<'a> {
    judging: Judging<'a>,
    chains: Vec<Chain>,
    /// The next row of each chain that has one.
    heads: BinaryHeap<Reverse<((usize, u64), usize)>>,
    /// Names of the task's input files with their numbers.
    inputs: BTreeMap<String, usize>,
    /// Whether there may be rows of other tasks, which are passed over.
    shared: bool,
}

struct Chain {
    files: std::vec::IntoIter<(u32, PathBuf)>,
    early: bool,
    open: Option<Open>,
}

/// A file of which rows are read.
struct Open {
    number: u32,
    /// None once all of it is read: of each language one is open.
    file: Option<RowsFile>,
    next_group: usize,
    rows: VecDeque<Row>,
    /// Reads the columns of those of them that do not stay.
    moving: Option<RowReader>,
}

impl<'a> Merged<'a> {
    /// The rows of `lists` that came from `inputs`.
    pub(super) fn open(
        judging: Judging<'a>,
        lists: Vec<FileList>,
        inputs: BTreeMap<String, usize>,
        shared: bool,
    ) -> Result<Merged<'a>, RowsError> {
        let chains = lists.into_iter().map(|list| Chain { files: list.files.into_iter(), early: list.early, open: None }).collect();
        let mut merged = Merged { judging, chains, heads: BinaryHeap::new(), inputs, shared };
        for number in 0..merged.chains.len() {
            merged.advance(number)?;
        }
        Ok(merged)
    }

    /// The next row, whether it is from the rejects of stage `clean`, and its columns unless it stays.
    pub(super) fn next(&mut self) -> Result<Option<(Row, bool, Option<Columns>)>, RowsError> {
        let Some(Reverse((_, number))) = self.heads.pop() else { return Ok(None) };
        let chain = &mut self.chains[number];
        let early = chain.early;
        let Some((row, columns)) = chain.open.as_mut().map(Open::pop).transpose()?.flatten() else { return Ok(None) };
        self.advance(number)?;
        Ok(Some((row, early, columns)))
    }

    /// Sees that the next row of chain `number` is among the heads.
    fn advance(&mut self, number: usize) -> Result<(), RowsError> {
        let chain = &mut self.chains[number];
        loop {
            match &mut chain.open {
                Some(open) => match open.rows.front() {
                    Some(row) => {
                        self.heads.push(Reverse((row.key, number)));
                        return Ok(());
                    }
                    None if open.file.is_none() => chain.open = None,
                    None => open.read_group(&self.judging, (&self.inputs, self.shared), chain.early)?,
                },
                None => match chain.files.next() {
                    Some((number, path)) => {
                        let file = Some(RowsFile::open(&path)?);
                        chain.open = Some(Open { number, file, next_group: 0, rows: VecDeque::new(), moving: None });
                    }
                    None => return Ok(()),
                },
            }
        }
    }
}

impl Open {
    /// Takes the first row.
    fn pop(&mut self) -> Result<Option<(Row, Option<Columns>)>, RowsError> {
        let Some(row) = self.rows.pop_front() else { return Ok(None) };
        let columns = match &mut self.moving {
            Some(moving) if row.lot != Lot::Stays => Some(moving.pull()?),
            _ => None,
        };
        if self.rows.is_empty() {
            self.moving = None;
        }
        Ok(Some((row, columns)))
    }

    /// Reads and judges the next row group, and closes the file behind the last one.
    fn read_group(&mut self, judging: &Judging<'_>, inputs: (&BTreeMap<String, usize>, bool), early: bool) -> Result<(), RowsError> {
        let Some(file) = self.file.take() else { return Ok(()) };
        if self.next_group < file.groups() {
            self.judge_group(&file, judging, inputs, early)?;
        }
        self.next_group += 1;
        self.file = Some(file).filter(|file| self.next_group < file.groups());
        Ok(())
    }

    fn judge_group(
        &mut self,
        file: &RowsFile,
        judging: &Judging<'_>,
        (inputs, is_shared): (&BTreeMap<String, usize>, bool),
        early: bool,
    ) -> Result<(), RowsError> {
        let group = self.next_group;
        if is_shared && file.texts(group, "source_file")?.iter().all(|name| !inputs.contains_key(name)) {
            return Ok(());
        }
        let rows = file.rows_in(group);
        let takes_ids = !early && judging.vocabulary.is_some_and(|wanted| file.says(TOKENIZER_HASH).unwrap_or("") == wanted);
        let mut first = 0;
        for batch in file.read(group, Wanted::All, &|name| FACTS.contains(&name), rows)? {
            let batch = batch.map_err(|error| file.refused(error.into()))?;
            let facts = Facts::of(&batch).map_err(|source| ReadError::Columns { path: file.path().to_owned(), source })?;
            for row in 0..batch.num_rows() {
                let at = RowAt { file: self.number, group: group as u32, row: first + row as u32 };
                if let Some(input) = inputs.get(facts.source_file(row)) {
                    let row = judging.row(&facts.row(row), *input, at, early)?;
                    self.rows.push_back(Row { tokens: row.tokens.filter(|_| takes_ids), ..row });
                }
            }
            first += batch.num_rows() as u32;
        }
        let moving: Vec<u32> = self.rows.iter().filter(|row| row.lot != Lot::Stays).map(|row| row.at.row).collect();
        if !moving.is_empty() {
            let wanted = if moving.len() == rows { Wanted::All } else { Wanted::Rows(&moving) };
            let rows_max = if early { EARLY_ROWS } else { LATE_ROWS };
            self.moving = Some(file.read_rows(group, (wanted, moving.len()), &|name| !LEFT_BEHIND.contains(&name), rows_max)?);
        }
        Ok(())
    }
}

impl Judging<'_> {
    /// The row of a document, judged. `early` says that it is from the rejects of stage `clean`.
    fn row(&self, known: &StoredFacts<'_>, input: usize, at: RowAt, early: bool) -> Result<Row, RowsError> {
        let lot = match known.fell.filter(|_| early) {
            None => match decide_anew(&known.judged, self.steps, self.steps.len(), None) {
                Anew::Falls(stage, dropped) => Lot::Falls(stage, dropped),
                Anew::GoesOn(_) => Lot::Stays,
            },
            Some(fell) => self.fell(&known.judged, fell)?,
        };
        Ok(Row {
            key: (input, known.source_offset),
            at,
            id: known.id,
            occurrence: occurrence(known.source_file, known.source_offset),
            lang: known.judged.lang.clone(),
            class: host_class(known.host),
            url: address_key(known.url, self.seed),
            name_bytes: known.url.len() + known.title_bytes,
            fetched: known.fetched_at.unwrap_or(i64::MIN),
            preferred: self.prefer.and_then(|name| known.judged.quality.get(name)),
            tokens: known.tokens,
            lot,
        })
    }

    /// What becomes of a document that fell.
    fn fell(&self, doc: &Document, (stage, reason, finding): (&str, &str, Option<Finding>)) -> Result<Lot, RowsError> {
        let unknown = || RowsError::UnknownReason { stage: stage.to_owned(), reason: reason.to_owned() };
        let (stage, reason) = (self.as_written)(stage, reason).ok_or_else(unknown)?;
        let steps_done = self.steps.iter().position(|step| step.name == stage).unwrap_or(0);
        let fell_in = (!matches!(reason, PANIC | DEADLINE)).then_some(stage);
        Ok(match decide_anew(doc, self.steps, steps_done, fell_in) {
            Anew::Falls(stage, dropped) => Lot::Falls(stage, dropped),
            Anew::GoesOn(next) if next > steps_done => Lot::GoesOn { steps_done: next },
            Anew::GoesOn(_) => Lot::Falls(stage, Dropped { reason, finding }),
        })
    }
}
