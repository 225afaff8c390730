//! Stage `emit`: one large shard a task, or several small ones. Reads their row groups, leaves out what `decide` excluded, tokenises, writes Parquet.

use std::path::Path;
use std::sync::Arc;

use super::books::Books;
use super::carried;
use super::job::{Job, JobError};
use super::left::AllLeft;
use crate::dedup::clusters::Fate as Decided;
use crate::dedup::exclusions::{Decision, Exclusions};
use crate::dedup::paragraphs::Recurring;
use crate::dedup::signatures::occurrence;
use crate::doc::{Document, Lang};
use crate::engine::commit::{Commit, ShardPlan};
use crate::engine::flow::{Fate, flow};
use crate::engine::plan::{StageName, TaskName};
use crate::engine::watch::{Step, Watch};
use crate::sink::Sink;
use crate::sinks::rejects::Duplicate;
use crate::sinks::shards::ShardSink;
use crate::sinks::taken::Stored;
use crate::source::{Offer, Record};
use crate::stage::{Stage, Verdict};
use crate::text::host::host_class;

/// The name under which duplicates are counted.
pub(super) const DEDUP: &str = "dedup";

/// Leaves out duplicates, marks the winners with their clusters, and cuts recurring paragraphs.
pub(super) struct Exclude {
    pub(super) exclusions: Arc<Exclusions>,
    pub(super) recurring: Arc<Recurring>,
}

impl Stage for Exclude {
    fn judge(&self, doc: &mut Document) -> Verdict {
        let (text_bytes, decided) = (doc.text.len(), self.exclusions.judge(doc));
        if decided != Verdict::Keep {
            return decided;
        }
        let verdict = self.recurring.judge(doc);
        if doc.text.len() != text_bytes {
            // What was cut is shorter, and ids that it brought along are not its own any more.
            (doc.token_count, doc.input_ids) = (None, Vec::new());
        }
        verdict
    }
}

/// Of which document `doc` is a duplicate, if it is one.
fn duplicate(exclusions: &Exclusions, doc: &Document) -> Option<Duplicate> {
    duplicate_of(exclusions, &exclusions.get(doc.id, occurrence(&doc.source_file, doc.source_offset))?)
}

/// Of which document one is a duplicate of which this was decided; none for the one that stays.
pub(super) fn duplicate_of(exclusions: &Exclusions, decision: &Decision) -> Option<Duplicate> {
    let jaccard = match decision.fate {
        Decided::Winner => return None,
        Decided::Older => None,
        Decided::Exact | Decided::Yields { jaccard: None, .. } => Some(1.0),
        Decided::Near(jaccard) | Decided::Yields { jaccard: Some(jaccard), .. } => Some(jaccard),
    };
    Some(Duplicate { of: decision.winner, elsewhere: exclusions.elsewhere(decision).map(str::to_owned), jaccard })
}

/// The name of the file of shard number `number` of `task`; by name they stand in the order of their numbers.
pub(super) fn shard_name(task: TaskName, number: usize) -> String {
    format!("{task}-{number:05}.shard.parquet")
}

/// Whether a task that writes these shards gets its documents language by language, and so not in the order of the input.
pub(super) fn is_mixed(shards: &[ShardPlan]) -> bool {
    shards.iter().any(|shard| shard.lang != shards[0].lang)
}

/// Does task `index` of stage `emit`, which is to write `shards`, in the folder `attempt`.
pub(super) fn emit(job: &Job, index: u32, shards: &[ShardPlan], attempt: &Path, watch: &dyn Watch) -> Result<Commit, JobError> {
    let task = TaskName { stage: StageName::Emit, index };
    let books = Books::open(attempt, task);
    let mut books = if is_mixed(shards) { books.ordered_by(Arc::new(job.plan.input_order())) } else { books };
    let (mut outputs, mut left, mut stored) = (Vec::new(), AllLeft::of(job), Stored::new(Vec::new(), job.writes_alike()));
    for (number, shard) in shards.iter().enumerate() {
        let (mut sink, kept) = (ShardSink::create(attempt, &shard_name(task, number), job.shard_options())?, books.tally.kept);
        match job.plan.carries {
            true => carried::write((job, &mut left), &mut stored, shard, &mut sink, &mut books, watch)?,
            false => write((job, &mut left), shard, &mut sink, &mut books, watch)?,
        }
        if books.tally.kept > kept {
            outputs.extend(Box::new(sink).finish()?);
        }
    }
    let (more, tally) = books.close()?;
    outputs.extend(more);
    Ok(Commit::new(task, outputs, tally))
}

/// Lets the documents of one shard flow.
fn write(
    (job, left): (&Job, &mut AllLeft<'_>),
    shard: &ShardPlan,
    sink: &mut ShardSink,
    books: &mut Books,
    watch: &dyn Watch,
) -> Result<(), JobError> {
    let (exclusions, recurring) = (job.exclusions()?, job.recurring()?);
    let mut failed = None;
    {
        let mut documents = shard.slices.iter().flat_map(|slice| match left.documents(slice) {
            Ok(batches) => Box::new(batches.map(|batch| batch.map_err(JobError::from))) as Box<dyn Iterator<Item = _> + Send>,
            Err(error) => Box::new(std::iter::once(Err::<Vec<Document>, _>(error))),
        });
        let mut batch = Vec::new().into_iter();
        let mut cut = || {
            loop {
                if let Some(doc) = batch.next() {
                    return Some((Record::Offer(Offer::Document(Box::new(doc))), 0));
                }
                match documents.next()? {
                    Ok(docs) => batch = docs.into_iter(),
                    Err(error) => {
                        failed = Some(error);
                        return None;
                    }
                }
            }
        };
        let nothing_raw = |_| unreachable!("documents between two passes are never raw records");
        flow(&mut cut, &nothing_raw, &job.emit_steps(&exclusions, &recurring), &job.crew, |fates, _| {
            let (read, kept) = (books.tally.read, books.tally.kept);
            fates.into_iter().try_for_each(|fate| settle(fate, &exclusions, sink, books))?;
            watch.advanced(StageName::Emit, Step { bytes: 0, read: books.tally.read - read, kept: books.tally.kept - kept });
            Ok(())
        })?;
    }
    failed.map_or(Ok(()), Err)
}

/// Writes and counts one fate.
pub(super) fn settle(fate: Fate, exclusions: &Exclusions, sink: &mut ShardSink, books: &mut Books) -> Result<(), JobError> {
    match fate {
        Fate::Other(_) | Fate::Damage(_) => {}
        Fate::Dropped { doc, stage, dropped } => {
            let duplicate = duplicate(exclusions, &doc);
            books.drop(*doc, stage, dropped, duplicate)?;
        }
        Fate::Quarantined { doc, stage, reason, what } => books.set_aside(*doc, stage, reason, what)?,
        Fate::Kept(doc) => {
            let lang = doc.lang.as_ref().map_or("und", Lang::as_str);
            count_kept(books, host_class(&doc.host), lang, (doc.token_count.unwrap_or(0), doc.text.len() as u64));
            sink.write(*doc)?;
        }
    }
    Ok(())
}

/// Counts a document in language `lang` on a host of class `class` that has so many token ids and bytes of text, and is kept.
pub(super) fn count_kept(books: &mut Books, class: &str, lang: &str, (tokens, text_bytes): (u32, u64)) {
    books.keep();
    books.tally.hosts.entry(class.to_owned()).or_default().kept += 1;
    let share = books.tally.languages.entry(lang.to_owned()).or_default();
    share.documents += 1;
    share.tokens += u64::from(tokens);
    share.text_bytes += text_bytes;
}
