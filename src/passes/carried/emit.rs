//! Stage `emit` of a run that carries rows over: one shard a task.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;

use super::places::{Placed, PlacesFile, Where};
use super::{Flowing, WINDOW_ROWS};
use crate::doc::{Cluster, Document};
use crate::engine::commit::{Commit, ShardPlan, Slice};
use crate::engine::plan::{StageName, TaskName};
use crate::engine::watch::{Step, Watch};
use crate::passes::books::Books;
use crate::passes::emit::{self, DEDUP, duplicate_of};
use crate::passes::job::{Job, JobError};
use crate::sink::{OutputKind, Sink};
use crate::sinks::documents::{ReadError, read_groups};
use crate::sinks::rejects::{Duplicate, has_column};
use crate::sinks::shards::ShardSink;
use crate::sinks::stored::{LEFT_BEHIND, document_in};
use crate::sinks::taken::{Kept, RowAt, Stored};
use crate::stage::{Dropped, Verdict};

/// A document on its way, as it is settled in its turn.
enum Work {
    /// It goes into the shard as it is stored.
    Stays(Placed, RowAt, Option<Cluster>),
    /// It falls, and its row is copied.
    Falls(RowAt, Dropped, Option<Duplicate>),
    /// A document, whose fate comes in its turn.
    Flows,
}

/// Does task `index` in the folder `attempt`.
pub(in crate::passes) fn emit(job: &Job, index: u32, shard: &ShardPlan, attempt: &Path, watch: &dyn Watch) -> Result<Commit, JobError> {
    let task = TaskName { stage: StageName::Emit, index };
    let (mut files, mut sources) = (Files::default(), Vec::with_capacity(shard.slices.len()));
    for slice in &shard.slices {
        sources.push(Source::open(job, slice, &shard.lang, &mut files)?);
    }
    let mut sink = ShardSink::create(attempt, &format!("{task}.shard.parquet"), job.shard_options())?;
    sink = sink.taking(Stored::new(files.paths.clone(), job.writes_alike()));
    let stored = Stored::new(files.paths, false);
    let mut emitting = Emitting { job, lang: &shard.lang, stored, sink, books: Books::open(attempt, task)? };
    for source in &mut sources {
        for group in source.groups.clone() {
            for window in source.places.group(group)?.chunks(WINDOW_ROWS) {
                emitting.window(window, source, watch)?;
            }
        }
    }
    let (mut outputs, tally) = emitting.books.close()?;
    if tally.kept > 0 {
        outputs.extend(Box::new(emitting.sink).finish()?);
    }
    outputs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Commit { task, outputs, tally, layout: Vec::new(), retired: Vec::new() })
}

/// The stored files of all sources, each once.
#[derive(Default)]
struct Files {
    paths: Vec<PathBuf>,
    numbers: BTreeMap<PathBuf, u32>,
}

impl Files {
    fn number(&mut self, path: PathBuf) -> u32 {
        *self.numbers.entry(path).or_insert_with_key(|path| {
            self.paths.push(path.clone());
            self.paths.len() as u32 - 1
        })
    }
}

/// What one task of stage `clean` left for the shard.
struct Source {
    task: TaskName,
    places: PlacesFile,
    /// The numbers among all files of those that it names.
    files: Vec<u32>,
    groups: Vec<usize>,
    fresh: Option<Fresh>,
}

/// Documents of one language in a task's file of documents, read in order.
struct Fresh {
    documents: Box<dyn Iterator<Item = Result<Vec<Document>, ReadError>>>,
    batch: VecDeque<Document>,
    /// Number of the next document among those of its language.
    next: u32,
}

impl Source {
    fn open(job: &Job, slice: &Slice, lang: &str, files: &mut Files) -> Result<Source, JobError> {
        let task = TaskName { stage: StageName::Clean, index: slice.clean };
        let commit = job.commit(task)?;
        let output = commit.output(OutputKind::Places).ok_or(JobError::MissingOutput { task })?;
        let places = PlacesFile::open(&job.place.of(OutputKind::Places, &output.name))?;
        let fresh = match commit.output(OutputKind::Documents) {
            None => None,
            Some(output) => {
                let groups = output.groups.iter().enumerate().filter(|(_, group)| group.lang == lang).map(|(number, _)| number).collect();
                let documents = read_groups(&job.place.of(OutputKind::Documents, &output.name), groups)?;
                Some(Fresh { documents: Box::new(documents), batch: VecDeque::new(), next: 0 })
            }
        };
        let root = job.place.workspace().root();
        let files = places.files().iter().map(|path| files.number(root.join(path))).collect();
        Ok(Source { task, places, files, groups: slice.groups.clone(), fresh })
    }

    /// Where a document lies, by the numbers of all files.
    fn at(&self, at: RowAt) -> Option<RowAt> {
        Some(RowAt { file: *self.files.get(at.file as usize)?, ..at })
    }
}

impl Fresh {
    /// The document of the language with this number; numbers come in ascending order.
    fn document(&mut self, number: u32) -> Result<Option<Document>, ReadError> {
        loop {
            while let Some(doc) = self.batch.pop_front() {
                self.next += 1;
                if self.next == number + 1 {
                    return Ok(Some(doc));
                }
            }
            match self.documents.next() {
                Some(batch) => self.batch = batch?.into(),
                None => return Ok(None),
            }
        }
    }
}

/// A shard in the making.
struct Emitting<'a> {
    job: &'a Job,
    lang: &'a str,
    stored: Stored,
    sink: ShardSink,
    books: Books,
}

impl Emitting<'_> {
    /// Settles some documents of `source`.
    fn window(&mut self, window: &[Placed], source: &mut Source, watch: &dyn Watch) -> Result<(), JobError> {
        if self.job.crew.stop.wished() {
            return Err(JobError::Stopped);
        }
        let (read, kept) = (self.books.tally.read, self.books.tally.kept);
        let mut rest = window;
        while !rest.is_empty() {
            let (mut works, mut flowing) = (Vec::new(), Flowing::default());
            while !flowing.is_full()
                && let Some((placed, after)) = rest.split_first()
            {
                rest = after;
                works.push(self.work(placed, source, &mut flowing)?);
            }
            self.settle(works, flowing)?;
        }
        let tally = &self.books.tally;
        watch.advanced(StageName::Emit, Step { bytes: 0, read: tally.read - read, kept: tally.kept - kept });
        Ok(())
    }

    /// What is to be done with a document; one that has to flow is put to `flowing`.
    fn work(&mut self, placed: &Placed, source: &mut Source, flowing: &mut Flowing) -> Result<Work, JobError> {
        let lost = || JobError::MissingOutput { task: source.task };
        let at = match placed.at {
            Where::Stored(at) => source.at(at).ok_or_else(lost)?,
            Where::Fresh(number) => {
                let doc = source.fresh.as_mut().map(|fresh| fresh.document(number)).transpose()?.flatten();
                flowing.add(doc.ok_or(JobError::MissingOutput { task: source.task })?);
                return Ok(Work::Flows);
            }
        };
        let exclusions = self.job.exclusions()?;
        let decision = exclusions.get(placed.id, placed.occurrence);
        if let Some(Verdict::Drop(dropped)) = decision.map(|decision| exclusions.verdict(&decision)) {
            return Ok(Work::Falls(at, dropped, decision.and_then(|decision| duplicate_of(&exclusions, &decision))));
        }
        if placed.tokens.is_some() {
            return Ok(Work::Stays(*placed, at, decision.map(|decision| decision.cluster)));
        }
        let (batch, rows) = self.stored.rows((at.file, at.group), &[at.row], &|name| !LEFT_BEHIND.contains(&name))?;
        let refused = |source| ReadError::Columns { path: self.stored.path(at.file).to_owned(), source };
        flowing.add(document_in(&batch, rows[0] as usize).map_err(refused)?);
        Ok(Work::Flows)
    }

    fn settle(&mut self, works: Vec<Work>, flowing: Flowing) -> Result<(), JobError> {
        let fallen = self.read_fallen(&works)?;
        let exclusions = self.job.exclusions()?;
        let mut fates = flowing.fates(&self.job.emit_steps(&exclusions, &self.job.recurring()?), &self.job.crew)?;
        for work in works {
            match work {
                Work::Stays(placed, at, cluster) => self.stays(&placed, at, cluster)?,
                Work::Falls(at, dropped, duplicate) => {
                    let (batch, rows) = &fallen[&(at.file, at.group)];
                    self.books.drop_row((batch, rows[&at.row] as usize), DEDUP, dropped, duplicate)?;
                }
                Work::Flows => fates.pop_front().map_or(Ok(()), |fate| emit::settle(fate, &exclusions, &mut self.sink, &mut self.books))?,
            }
        }
        Ok(())
    }

    /// Reads the rows that fall, row group by row group.
    fn read_fallen(&mut self, works: &[Work]) -> Result<BTreeMap<(u32, u32), (RecordBatch, BTreeMap<u32, u32>)>, JobError> {
        let mut rows: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
        for at in works.iter().filter_map(|work| if let Work::Falls(at, ..) = work { Some(at) } else { None }) {
            rows.entry((at.file, at.group)).or_default().push(at.row);
        }
        let mut read = BTreeMap::new();
        for (group, mut rows) in rows {
            rows.sort_unstable();
            let (batch, places) = self.stored.rows(group, &rows, &has_column)?;
            read.insert(group, (batch, rows.into_iter().zip(places).collect()));
        }
        Ok(read)
    }

    fn stays(&mut self, placed: &Placed, at: RowAt, cluster: Option<Cluster>) -> Result<(), JobError> {
        let tokens = placed.tokens.unwrap_or(0);
        emit::count_kept(&mut self.books, placed.class, self.lang, (tokens, u64::from(placed.text_bytes)));
        let kept = Kept { at, id: placed.id, text_bytes: placed.text_bytes as usize, tokens, cluster };
        Ok(self.sink.write_row(self.lang, kept)?)
    }
}
