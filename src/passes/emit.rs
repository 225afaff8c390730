//! Stage `emit`: one shard a task. Reads its row groups, leaves out what `decide` excluded, tokenises, writes Parquet.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::books::Books;
use super::carried;
use super::job::{Job, JobError};
use crate::dedup::clusters::Fate as Decided;
use crate::dedup::exclusions::{Decision, Exclusions};
use crate::dedup::paragraphs::Recurring;
use crate::dedup::signatures::occurrence;
use crate::doc::{Document, Lang};
use crate::engine::commit::{Commit, ShardPlan};
use crate::engine::flow::{Fate, flow};
use crate::engine::plan::{StageName, TaskName};
use crate::engine::watch::{Step, Watch};
use crate::sink::{OutputKind, Sink};
use crate::sinks::documents::read_groups;
use crate::sinks::rejects::Duplicate;
use crate::sinks::shards::ShardSink;
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

/// Does task `index` of stage `emit` in the folder `attempt`.
pub(super) fn emit(job: &Job, index: u32, shard: &ShardPlan, attempt: &Path, watch: &dyn Watch) -> Result<Commit, JobError> {
    if job.plan.carries {
        return carried::emit(job, index, shard, attempt, watch);
    }
    let task = TaskName { stage: StageName::Emit, index };
    let (exclusions, recurring) = (job.exclusions()?, job.recurring()?);
    let mut sink = ShardSink::create(attempt, &format!("{task}.shard.parquet"), job.shard_options())?;
    let mut books = Books::open(attempt, task)?;
    let mut failed = None;
    {
        let mut documents = slices(job, shard)?.into_iter().flat_map(|(path, groups)| match read_groups(&path, groups) {
            Ok(batches) => Box::new(batches) as Box<dyn Iterator<Item = _> + Send>,
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
            fates.into_iter().try_for_each(|fate| settle(fate, &exclusions, &mut sink, &mut books))?;
            watch.advanced(StageName::Emit, Step { bytes: 0, read: books.tally.read - read, kept: books.tally.kept - kept });
            Ok(())
        })?;
    }
    if let Some(error) = failed {
        return Err(error.into());
    }
    let (mut outputs, tally) = books.close()?;
    if tally.kept > 0 {
        outputs.extend(Box::new(sink).finish()?);
    }
    outputs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Commit { task, outputs, tally, layout: Vec::new(), retired: Vec::new() })
}

fn slices(job: &Job, shard: &ShardPlan) -> Result<Vec<(PathBuf, Vec<usize>)>, JobError> {
    shard
        .slices
        .iter()
        .map(|slice| {
            let task = TaskName { stage: StageName::Clean, index: slice.clean };
            let commit = job.commit(task)?;
            let output = commit.output(OutputKind::Documents).ok_or(JobError::MissingOutput { task })?;
            Ok((job.place.of(OutputKind::Documents, &output.name), slice.groups.clone()))
        })
        .collect()
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
