//! Stage `emit` of a run that carries rows over.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use arrow_array::RecordBatch;

use super::places::{Placed, Where};
use super::{Flowing, WINDOW_ROWS};
use crate::doc::{Cluster, Document};
use crate::engine::commit::ShardPlan;
use crate::engine::plan::StageName;
use crate::engine::watch::{Step, Watch};
use crate::passes::books::Books;
use crate::passes::emit::{self, DEDUP, duplicate_of};
use crate::passes::job::{Job, JobError};
use crate::passes::left::{AllLeft, Left};
use crate::sink::OutputKind;
use crate::sinks::documents::ReadError;
use crate::sinks::rejects::{Duplicate, has_column};
use crate::sinks::shards::ShardSink;
use crate::sinks::stored::document_in;
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

/// Writes the documents of one shard, whose stored rows are taken from `stored` files.
pub(in crate::passes) fn write(
    (job, left): (&Job, &mut AllLeft<'_>),
    stored: &mut Stored,
    shard: &ShardPlan,
    sink: &mut ShardSink,
    books: &mut Books,
    watch: &dyn Watch,
) -> Result<(), JobError> {
    sink.take_from(std::mem::take(stored));
    let mut emitting = Emitting { job, lang: &shard.lang, sink, books };
    for slice in &shard.slices {
        let left = left.by(slice.clean)?;
        let mut source = Source::open(&left, &shard.lang)?;
        for group in &slice.groups {
            for window in left.places()?.group(*group)?.chunks(WINDOW_ROWS) {
                emitting.window(window, &mut source, watch)?;
            }
        }
    }
    *stored = sink.end_rows()?;
    Ok(())
}

/// What a task of stage `clean` left for a shard.
struct Source<'a> {
    left: &'a Left,
    /// The numbers in the sink of the stored files that were met, by their numbers there.
    files: BTreeMap<u32, u32>,
    fresh: Option<Fresh>,
}

/// Documents of one language in a task's file of documents, read in order.
struct Fresh {
    documents: Box<dyn Iterator<Item = Result<Vec<Document>, ReadError>>>,
    batch: VecDeque<Document>,
    /// Number of the next document among those of its language.
    next: u32,
}

impl<'a> Source<'a> {
    fn open(left: &'a Left, lang: &str) -> Result<Source<'a>, JobError> {
        let groups = left.commit.output(OutputKind::Documents).map_or(&[][..], |output| &output.groups).iter().enumerate();
        let groups: Vec<usize> = groups.filter(|(_, group)| group.lang == lang).map(|(number, _)| number).collect();
        let fresh = match groups.is_empty() {
            true => None,
            false => Some(Fresh { documents: Box::new(left.documents(groups)?), batch: VecDeque::new(), next: 0 }),
        };
        Ok(Source { left, files: BTreeMap::new(), fresh })
    }

    /// Where a document lies, by the numbers that files below `root` have in `stored`.
    fn at(&mut self, at: RowAt, root: &Path, stored: &mut Stored) -> Result<RowAt, JobError> {
        if let Some(file) = self.files.get(&at.file) {
            return Ok(RowAt { file: *file, ..at });
        }
        let path = self.left.places()?.files().get(at.file as usize).ok_or_else(|| self.left.lost())?;
        let file = stored.number_of(root.join(path));
        self.files.insert(at.file, file);
        Ok(RowAt { file, ..at })
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
    sink: &'a mut ShardSink,
    books: &'a mut Books,
}

impl Emitting<'_> {
    /// Settles some documents of `source`.
    fn window(&mut self, window: &[Placed], source: &mut Source<'_>, watch: &dyn Watch) -> Result<(), JobError> {
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
    fn work(&mut self, placed: &Placed, source: &mut Source<'_>, flowing: &mut Flowing) -> Result<Work, JobError> {
        let at = match placed.at {
            Where::Stored(at) => source.at(at, self.job.place.workspace().root(), self.sink.stored())?,
            Where::Fresh(number) => {
                let doc = source.fresh.as_mut().map(|fresh| fresh.document(number)).transpose()?.flatten();
                flowing.add(doc.ok_or_else(|| source.left.lost())?);
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
        let stored = self.sink.stored();
        let batch = stored.whole((at.file, at.group))?;
        let refused = |source| ReadError::Columns { path: stored.path(at.file).to_owned(), source };
        flowing.add(document_in(&batch, at.row as usize).map_err(refused)?);
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
                    self.books.drop_row((batch, rows[&at.row]), DEDUP, dropped, duplicate)?;
                }
                Work::Flows => fates.pop_front().map_or(Ok(()), |fate| emit::settle(fate, &exclusions, self.sink, self.books))?,
            }
        }
        Ok(())
    }

    /// Copies the rows that fall, row group by row group, with the number in the copy of each.
    fn read_fallen(&mut self, works: &[Work]) -> Result<BTreeMap<(u32, u32), (RecordBatch, BTreeMap<u32, usize>)>, JobError> {
        let mut rows: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
        for at in works.iter().filter_map(|work| if let Work::Falls(at, ..) = work { Some(at) } else { None }) {
            rows.entry((at.file, at.group)).or_default().push(at.row);
        }
        let mut copies = BTreeMap::new();
        for (group, rows) in rows {
            let numbers = rows.iter().copied().zip(0..).collect();
            copies.insert(group, (self.sink.stored().copies(group, rows, &has_column)?, numbers));
        }
        Ok(copies)
    }

    fn stays(&mut self, placed: &Placed, at: RowAt, cluster: Option<Cluster>) -> Result<(), JobError> {
        let tokens = placed.tokens.unwrap_or(0);
        emit::count_kept(self.books, placed.class, self.lang, (tokens, u64::from(placed.text_bytes)));
        let kept = Kept { at, id: placed.id, text_bytes: placed.text_bytes as usize, tokens, cluster };
        Ok(self.sink.write_row(self.lang, kept)?)
    }
}
