//! Stage `clean` of a run that carries rows over.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use super::known::Known;
use super::places::{Placed, PlacesSink, Where};
use super::rows::{Files, Judging, Lot, Merged, Row, RowsError};
use super::{WINDOW_BYTES, WINDOW_ROWS};
use crate::dedup::index::{Index, Remembered};
use crate::dedup::signatures::{SignatureSink, Signed, rank_of, text_bytes_of};
use crate::doc::Document;
use crate::engine::commit::Commit;
use crate::engine::flow::{DEADLINE, Fate, PANIC, flow};
use crate::engine::plan::{StageName, TaskName};
use crate::engine::watch::{Step, Watch};
use crate::ledger::manifest::Manifests;
use crate::passes::again::{Earlier, SetAside, known, of_task, quarantined};
use crate::passes::books::Books;
use crate::passes::index::{index_now, runs_of};
use crate::passes::job::{Job, JobError};
use crate::sink::{OutputKind, Sink};
use crate::sinks::documents::{DocumentsSink, ReadError, waiting_bytes};
use crate::sinks::rows::Columns;
use crate::sinks::stored::{LEFT_BEHIND, document_in};
use crate::sinks::taken::Stored;
use crate::source::{Again, Damage, Record};
use crate::text::host::host_class;

impl From<RowsError> for JobError {
    fn from(error: RowsError) -> JobError {
        match error {
            RowsError::Read(error) => JobError::Read(error),
            RowsError::UnknownReason { stage, reason } => JobError::UnknownReason { stage, reason },
        }
    }
}

/// A row on its way, as it is settled in its turn.
enum Work {
    Stays(Row, Remembered),
    Falls(Row, Columns),
    /// A document, whose fate comes in its turn.
    GoesOn,
}

/// What the task writes.
struct Writing {
    attempt: PathBuf,
    task: TaskName,
    places: PlacesSink,
    /// Made when the first document comes.
    fresh: Option<DocumentsSink>,
    /// Documents in it, by language.
    fresh_of: BTreeMap<String, u32>,
    signatures: SignatureSink,
    books: Books,
    /// What the earlier run had set aside and nobody has asked for yet.
    set_aside: SetAside,
}

/// Does task `index` in the folder `attempt`.
pub(in crate::passes) fn clean(job: &Job, index: u32, attempt: &Path, watch: &dyn Watch) -> Result<Commit, JobError> {
    let task = TaskName { stage: StageName::Clean, index };
    let (earlier, earlier_task) = of_task(&job.earlier, index as usize).ok_or(JobError::NoSuchTask { task })?;
    let commit = earlier.commit(StageName::Clean, earlier_task)?;
    let lists = lists(earlier, &commit)?;
    let paths: Vec<PathBuf> = lists.iter().flat_map(|list| list.files.iter().map(|(_, path)| path.clone())).collect();
    let root = job.place.workspace().root();
    let names = paths.iter().map(|path| path.strip_prefix(root).unwrap_or(path).to_owned()).collect();
    let mut writing = Writing {
        attempt: attempt.to_owned(),
        task,
        places: PlacesSink::create(&attempt.join(format!("{task}.places")), names)?,
        fresh: None,
        fresh_of: BTreeMap::new(),
        signatures: SignatureSink::create(&attempt.join(format!("{task}.signatures")), &job.recipe.dedup)?,
        books: Books::open(attempt, task)?,
        set_aside: quarantined(earlier, &commit)?,
    };
    read(job, (earlier, earlier_task), lists, &mut Stored::new(paths, false), &mut writing, watch)?;
    for ((file, offset), what) in std::mem::take(&mut writing.set_aside) {
        writing.books.damage(&file, Damage { offset, what, fatal: false });
    }
    writing.books.tally.other_records = commit.tally.other_records;
    writing.books.tally.input_bytes = commit.tally.input_bytes;
    let (mut outputs, tally) = writing.books.close()?;
    outputs.push(writing.places.finish()?);
    outputs.push(writing.signatures.finish()?);
    if let Some(fresh) = writing.fresh {
        outputs.extend(Box::new(fresh).finish()?);
    }
    outputs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Commit { task, outputs, tally, layout: Vec::new(), retired: Vec::new() })
}

/// What the earlier run left of the task, its rejects of stage `clean` first, with all files numbered.
fn lists(earlier: &Earlier, commit: &Commit) -> Result<Vec<Files>, JobError> {
    let early = commit.outputs.iter().filter(|output| output.kind == OutputKind::Rejects && output.rows > 0);
    let early: Vec<PathBuf> = early.map(|output| earlier.place.of(OutputKind::Rejects, &output.name)).collect();
    let mut next = 0;
    let mut list = |paths: Vec<PathBuf>, early| {
        // A takedown that erased all rows of a file has removed it.
        let files = paths.into_iter().filter(|path| path.exists()).map(|path| {
            next += 1;
            (next - 1, path)
        });
        Files { files: files.collect(), early }
    };
    let mut lists = vec![list(early, true)];
    lists.extend(earlier.late()?.into_iter().map(|paths| list(paths, false)));
    Ok(lists)
}

/// What the data set's index remembers of the documents that task number `task` of `earlier` had signed, and of those after them.
fn remembered(job: &Job, (earlier, task): (&Earlier, usize)) -> Result<Known, JobError> {
    let manifests = Manifests::read(job.place.workspace())?;
    let runs = runs_of(&index_now(&manifests, &earlier.plan.dataset), job.place.workspace());
    let index = Index::open_any(&runs).map_err(crate::dedup::decide::DecideError::Index)?;
    let signed = |run: &Earlier, tasks: usize| {
        (0..tasks).map(|task| Ok(run.commit(StageName::Clean, task)?.tally.kept)).sum::<Result<u64, JobError>>()
    };
    let mut first = signed(earlier, task)?;
    for run in job.earlier.iter().take_while(|run| run.place.plan() != earlier.place.plan()) {
        first += signed(run, run.plan.tasks.len())?;
    }
    Ok(Known::from(index, first)?)
}

/// Reads all rows and settles them.
fn read(
    job: &Job,
    (earlier, task): (&Earlier, usize),
    lists: Vec<Files>,
    stored: &mut Stored,
    writing: &mut Writing,
    watch: &dyn Watch,
) -> Result<(), JobError> {
    let mut remembered = remembered(job, (earlier, task))?;
    let judging = Judging {
        steps: &job.clean,
        known: &|stage, reason| known(job, stage, reason),
        seed: job.recipe.dedup.seed,
        prefer: job.recipe.dedup.prefer.as_deref(),
        vocabulary: job.vocabulary_that_stays(earlier),
    };
    let names = earlier.plan.tasks[task].iter().map(|input| earlier.plan.inputs[*input as usize].name.clone());
    let inputs = names.enumerate().map(|(place, name)| (name, place)).collect();
    let mut merged = Merged::open(judging, lists, inputs, earlier.plan.tasks.len() > 1)?;
    loop {
        let (mut window, mut docs, mut bytes) = (Vec::new(), Vec::new(), 0);
        while window.len() < WINDOW_ROWS && bytes < WINDOW_BYTES {
            let Some((row, early, columns)) = merged.next()? else { break };
            // All that was signed is asked for in order, whatever becomes of it.
            let signed = if early { None } else { remembered.take(row.id, row.occurrence)? };
            let work = match (&row.lot, columns, signed) {
                (Lot::Stays, _, Some(signed)) => Work::Stays(row, signed),
                (Lot::Falls(..), Some(columns), _) => Work::Falls(row, columns),
                (Lot::GoesOn { steps_done }, Some((batch, at)), _) => {
                    docs.push(Again { doc: document(stored, &row, &batch, at)?, steps_done: *steps_done, fell: None });
                    Work::GoesOn
                }
                // Nothing is remembered of it, so it is signed anew, for which its text is needed.
                (Lot::Stays | Lot::Falls(..) | Lot::GoesOn { .. }, _, _) => {
                    let takes = |name: &str| !LEFT_BEHIND.contains(&name);
                    let (batch, rows) = stored.rows((row.at.file, row.at.group), &[row.at.row], &takes)?;
                    docs.push(Again {
                        doc: document(stored, &row, &batch, rows[0] as usize)?,
                        steps_done: job.clean.len() - 1,
                        fell: None,
                    });
                    Work::GoesOn
                }
            };
            bytes += if matches!(work, Work::GoesOn) { docs.last().map_or(0, |again| again.doc.text.len()) } else { 0 };
            window.push(work);
        }
        if window.is_empty() {
            return Ok(());
        }
        if job.crew.stop.wished() {
            return Err(JobError::Stopped);
        }
        let mut fates = fates(job, docs)?;
        let (read, kept) = (writing.books.tally.read, writing.books.tally.kept);
        for work in window {
            match work {
                Work::Stays(row, signed) => writing.stays(&row, &signed)?,
                Work::Falls(row, columns) => writing.falls(&row, &columns)?,
                Work::GoesOn => fates.pop_front().map_or(Ok(()), |fate| writing.goes_on(fate))?,
            }
        }
        let tally = &writing.books.tally;
        watch.advanced(StageName::Clean, Step { bytes: 0, read: tally.read - read, kept: tally.kept - kept });
    }
}

fn document(stored: &Stored, row: &Row, batch: &arrow_array::RecordBatch, at: usize) -> Result<Document, ReadError> {
    document_in(batch, at).map_err(|source| ReadError::Columns { path: stored.path(row.at.file).to_owned(), source })
}

/// What becomes of documents, in their order.
fn fates(job: &Job, docs: Vec<Again>) -> Result<VecDeque<Fate>, JobError> {
    let mut fates = VecDeque::with_capacity(docs.len());
    if docs.is_empty() {
        return Ok(fates);
    }
    let mut docs = docs.into_iter();
    let mut cut = || docs.next().map(|again| (Record::Again(Box::new(again)), 0));
    let nothing_raw = |_| unreachable!("no archive is read here");
    flow(&mut cut, &nothing_raw, &job.clean, &job.crew, |done, _| {
        fates.extend(done);
        Ok::<(), JobError>(())
    })?;
    Ok(fates)
}

impl Writing {
    fn read_from(&mut self, class: &str) {
        self.books.tally.hosts.entry(class.to_owned()).or_default().read += 1;
    }

    fn stays(&mut self, row: &Row, signed: &Remembered) -> Result<(), JobError> {
        self.read_from(row.class);
        self.books.keep();
        let text_bytes = text_bytes_of(signed.rank);
        // A text without words has no sketch, and one of zeros is kept for it.
        let sketch = if signed.sketch.iter().all(|value| *value == 0) { &[][..] } else { &signed.sketch };
        self.signatures.put(&Signed {
            id: row.id,
            occurrence: row.occurrence,
            lang: row.lang.as_ref(),
            rank: rank_of(text_bytes, row.preferred),
            exact: signed.exact,
            sketch,
            url: row.url,
            fetched: row.fetched,
        })?;
        let placed =
            Placed { id: row.id, occurrence: row.occurrence, at: Where::Stored(row.at), text_bytes, tokens: row.tokens, class: row.class };
        let lang = row.lang.as_ref().map_or("und", |lang| lang.as_str());
        Ok(self.places.add(lang, text_bytes as usize + row.name_bytes, placed)?)
    }

    fn falls(&mut self, row: &Row, (batch, at): &Columns) -> Result<(), JobError> {
        let Lot::Falls(stage, dropped) = row.lot else { return Ok(()) };
        self.read_from(row.class);
        if matches!(dropped.reason, PANIC | DEADLINE)
            && let Some((place, what)) = take_set_aside(&mut self.set_aside, batch, *at)
        {
            return Ok(self.books.set_aside_row((batch, *at), (&place.0, place.1), (stage, dropped.reason), what)?);
        }
        Ok(self.books.drop_row((batch, *at), stage, dropped, None)?)
    }

    fn goes_on(&mut self, fate: Fate) -> Result<(), JobError> {
        if let Fate::Kept(doc) | Fate::Dropped { doc, .. } | Fate::Quarantined { doc, .. } = &fate {
            self.read_from(host_class(&doc.host));
        }
        match fate {
            Fate::Dropped { doc, stage, dropped } => self.books.drop(*doc, stage, dropped, None)?,
            Fate::Quarantined { doc, stage, reason, what } => self.books.set_aside(*doc, stage, reason, what)?,
            Fate::Kept(doc) => self.keeps(*doc)?,
            Fate::Other(_) | Fate::Damage(_) => {}
        }
        Ok(())
    }

    fn keeps(&mut self, doc: Document) -> Result<(), JobError> {
        self.books.keep();
        self.signatures.write(&doc)?;
        let lang = doc.lang.as_ref().map_or("und", |lang| lang.as_str()).to_owned();
        let number = self.fresh_of.entry(lang.clone()).or_default();
        let placed = Placed {
            id: doc.id,
            occurrence: crate::dedup::signatures::occurrence(&doc.source_file, doc.source_offset),
            at: Where::Fresh(*number),
            text_bytes: u32::try_from(doc.text.len()).unwrap_or(u32::MAX),
            tokens: None,
            class: host_class(&doc.host),
        };
        *number += 1;
        self.places.add(&lang, waiting_bytes(&doc), placed)?;
        let fresh = match self.fresh.take() {
            Some(fresh) => fresh,
            None => DocumentsSink::create(&self.attempt, &format!("{}.documents.parquet", self.task))?,
        };
        Ok(self.fresh.insert(fresh).write(doc)?)
    }
}

/// What went wrong with the document in a row that was set aside.
fn take_set_aside(set_aside: &mut SetAside, batch: &arrow_array::RecordBatch, at: usize) -> Option<((String, u64), String)> {
    use arrow_array::cast::AsArray;
    let file = batch.column_by_name("source_file")?.as_string_opt::<i32>()?.value(at);
    let offset = batch.column_by_name("source_offset")?.as_primitive_opt::<arrow_array::types::UInt64Type>()?.value(at);
    set_aside.remove_entry(&(file.to_owned(), offset))
}
