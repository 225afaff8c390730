//! Stage `clean` of a run that carries rows over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;

use super::known::Known;
use super::places::{Placed, PlacesSink, Where};
use super::rows::{FileList, Judging, Lot, Merged, Row, RowsError};
use super::{Flowing, WINDOW_ROWS};
use crate::dedup::index::{Index, Remembered};
use crate::dedup::signatures::{SignatureSink, Signed, occurrence, rank_of, text_bytes_of};
use crate::doc::Document;
use crate::engine::commit::Commit;
use crate::engine::flow::{DEADLINE, Fate, PANIC};
use crate::engine::plan::{StageName, TaskName};
use crate::engine::watch::{Step, Watch};
use crate::passes::again::{Earlier, SetAside, known, of_task, quarantined};
use crate::passes::books::Books;
use crate::passes::index::{index_now, runs_of};
use crate::passes::job::{Job, JobError};
use crate::sink::Sink;
use crate::sinks::documents::{DocumentsSink, ReadError, waiting_bytes};
use crate::sinks::rows::Columns;
use crate::sinks::stored::document_in;
use crate::sinks::taken::Stored;
use crate::source::Damage;
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
    /// What the earlier run had set aside and nobody has asked for yet, by occurrence.
    set_aside: BTreeMap<u64, ((String, u64), String)>,
}

/// Does task `index` in the folder `attempt`.
pub(in crate::passes) fn clean(job: &Job, index: u32, attempt: &Path, watch: &dyn Watch) -> Result<Commit, JobError> {
    let task = TaskName { stage: StageName::Clean, index };
    let (earlier, earlier_task) = of_task(&job.earlier, index as usize).ok_or(JobError::NoSuchTask { task })?;
    let commit = earlier.commit(StageName::Clean, earlier_task)?;
    let lists = lists((earlier, earlier_task), &commit)?;
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
        books: Books::open(attempt, task),
        set_aside: quarantined(earlier, &commit)?.into_iter().map(|entry| (occurrence(&entry.0.0, entry.0.1), entry)).collect(),
    };
    read(job, (earlier, earlier_task), (lists, Stored::new(paths, false)), &mut writing, watch)?;
    // What nobody asked for was no document; it is told in the order of the input.
    let damages: SetAside = std::mem::take(&mut writing.set_aside).into_values().collect();
    for ((file, offset), what) in damages {
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
    Ok(Commit::new(task, outputs, tally))
}

/// What the earlier run left of the task, its rejects of stage `clean` first, with all files numbered.
fn lists((earlier, task): (&Earlier, usize), commit: &Commit) -> Result<Vec<FileList>, JobError> {
    let mut next = 0;
    let mut list = |paths: Vec<PathBuf>, early| {
        // A takedown that erased all rows of a file has removed it.
        let files = paths.into_iter().filter(|path| path.exists()).map(|path| {
            next += 1;
            (next - 1, path)
        });
        FileList { files: files.collect(), early }
    };
    let mut lists = vec![list(earlier.early(commit), true)];
    lists.extend(earlier.late(task)?.into_iter().map(|paths| list(paths, false)));
    Ok(lists)
}

/// What the data set's index remembers of the documents that task number `task` of `earlier` had signed, and of those after them.
fn remembered(job: &Job, (earlier, task): (&Earlier, usize)) -> Result<Known, JobError> {
    let runs = runs_of(&index_now(earlier.manifests()?, &earlier.plan.dataset), job.place.workspace());
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

/// What rows are made of.
struct Reading<'a> {
    job: &'a Job,
    merged: Merged<'a>,
    remembered: Known,
    stored: Stored,
}

/// Reads all rows and settles them.
fn read(
    job: &Job,
    (earlier, task): (&Earlier, usize),
    (lists, stored): (Vec<FileList>, Stored),
    writing: &mut Writing,
    watch: &dyn Watch,
) -> Result<(), JobError> {
    let judging = Judging {
        steps: &job.clean,
        as_written: &|stage, reason| known(job, stage, reason),
        seed: job.recipe.dedup.seed,
        prefer: job.recipe.dedup.prefer.as_deref(),
        vocabulary: job.vocabulary_that_stays(earlier),
    };
    let names = earlier.plan.tasks[task].iter().map(|input| earlier.plan.inputs[*input as usize].name.clone());
    let inputs = names.enumerate().map(|(place, name)| (name, place)).collect();
    let merged = Merged::open(judging, lists, inputs, earlier.plan.tasks.len() > 1)?;
    let mut reading = Reading { job, merged, remembered: remembered(job, (earlier, task))?, stored };
    loop {
        let (mut window, mut flowing) = (Vec::new(), Flowing::default());
        while window.len() < WINDOW_ROWS && !flowing.is_full() {
            let Some(work) = reading.work(&mut flowing)? else { break };
            window.push(work);
        }
        if window.is_empty() {
            return Ok(());
        }
        if job.crew.stop.wished() {
            return Err(JobError::Stopped);
        }
        let mut fates = flowing.fates(&job.clean, &job.crew)?;
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

impl Reading<'_> {
    /// What is to be done with the next row; a document that goes on is put to `flowing`.
    fn work(&mut self, flowing: &mut Flowing) -> Result<Option<Work>, JobError> {
        let Some((row, early, columns)) = self.merged.next()? else { return Ok(None) };
        // All that was signed is asked for in order, whatever becomes of it.
        let signed = if early { None } else { self.remembered.take(row.id, row.occurrence)? };
        Ok(Some(match (&row.lot, columns, signed) {
            (Lot::Stays, _, Some(signed)) => Work::Stays(row, signed),
            (Lot::Falls(..), Some(columns), _) => Work::Falls(row, columns),
            (Lot::GoesOn { steps_done }, Some((batch, at)), _) => {
                flowing.add_again(self.document(&row, &batch, at)?, *steps_done);
                Work::GoesOn
            }
            // Nothing is remembered of it, so it is signed anew, for which its text is needed.
            (Lot::Stays | Lot::Falls(..) | Lot::GoesOn { .. }, _, _) => {
                let batch = self.stored.whole((row.at.file, row.at.group))?;
                flowing.add_again(self.document(&row, &batch, row.at.row as usize)?, self.job.clean.len() - 1);
                Work::GoesOn
            }
        }))
    }

    fn document(&self, row: &Row, batch: &RecordBatch, at: usize) -> Result<Document, ReadError> {
        document_in(batch, at).map_err(|source| ReadError::Columns { path: self.stored.path(row.at.file).to_owned(), source })
    }
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
            && let Some((place, what)) = self.set_aside.remove(&row.occurrence)
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
            occurrence: occurrence(&doc.source_file, doc.source_offset),
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
