//! Stage `clean`: inputs to clean documents grouped by language, their signatures, and rejects with reasons.

use std::path::Path;

use super::again;
use super::books::Books;
use super::carried;
use super::job::{Job, JobError};
use crate::dedup::paragraphs::ParagraphSink;
use crate::dedup::signatures::SignatureSink;
use crate::engine::commit::Commit;
use crate::engine::flow::{Fate, flow};
use crate::engine::inputs::{self, Opened, Unopened};
use crate::engine::plan::{PlannedInput, StageName, TaskName};
use crate::engine::watch::{Step, Watch};
use crate::sink::Sink;
use crate::sinks::documents::DocumentsSink;
use crate::source::{Damage, Record};
use crate::text::host::host_class;

/// What the task writes while it reads.
pub(super) struct Writing {
    documents: DocumentsSink,
    signatures: SignatureSink,
    paragraphs: Option<ParagraphSink>,
    pub(super) books: Books,
}

/// Does task `index` of stage `clean` in the folder `attempt`.
pub(super) fn clean(job: &Job, index: u32, attempt: &Path, watch: &dyn Watch) -> Result<Commit, JobError> {
    if job.plan.carries {
        return carried::clean(job, index, attempt, watch);
    }
    let task = TaskName { stage: StageName::Clean, index };
    let mut writing = Writing {
        documents: DocumentsSink::create(attempt, &format!("{task}.documents.parquet"))?,
        signatures: SignatureSink::create(&attempt.join(format!("{task}.signatures")), &job.recipe.dedup)?,
        paragraphs: paragraph_sink(job, &attempt.join(format!("{task}.paragraphs")))?,
        books: Books::open(attempt, task),
    };
    if job.plan.again.is_empty() {
        for number in &job.plan.tasks[index as usize] {
            read_input(job, &job.plan.inputs[*number as usize], attempt, &mut writing, watch)?;
        }
    } else {
        again::read_task(job, index, &mut writing, watch)?;
    }
    let (mut outputs, tally) = writing.books.close()?;
    outputs.extend(Box::new(writing.documents).finish()?);
    outputs.push(writing.signatures.finish()?);
    outputs.extend(writing.paragraphs.map(ParagraphSink::finish).transpose()?);
    Ok(Commit::new(task, outputs, tally))
}

/// Where paragraphs are written down, if recurring ones are to be cut.
fn paragraph_sink(job: &Job, path: &Path) -> Result<Option<ParagraphSink>, JobError> {
    let dedup = &job.recipe.dedup;
    Ok(dedup.paragraph_pages_min.map(|_| ParagraphSink::create(path, dedup.seed)).transpose()?)
}

fn read_input(job: &Job, planned: &PlannedInput, attempt: &Path, writing: &mut Writing, watch: &dyn Watch) -> Result<(), JobError> {
    let mut opened = match inputs::open(planned, job.recipe.source.as_ref(), attempt, job.reader_bytes_max) {
        Ok(opened) => opened,
        Err(Unopened::Changed) => return Err(JobError::InputChanged { name: planned.name.clone() }),
        Err(Unopened::Remote(error)) => return Err(JobError::remote(error)),
        Err(Unopened::Unreadable(error)) => {
            writing.books.damage(&planned.name, Damage { offset: 0, what: error.to_string(), fatal: true });
            watch.advanced(StageName::Clean, Step { bytes: planned.bytes, ..Step::default() });
            return Ok(());
        }
    };
    writing.books.tally.input_bytes += planned.bytes;
    let gate = |offer| match &job.suppression {
        Some(list) => list.gate(offer),
        None => offer,
    };
    let Opened { records, .. } = &mut opened;
    let mut cut = || {
        let record = match records.next()? {
            Record::Offer(offer) => Record::Offer(gate(offer)),
            other => other,
        };
        Some((record, records.bytes_taken()))
    };
    let mut told = 0;
    flow(&mut cut, &|raw| gate(job.recipe.source.decode(raw)), &job.clean, &job.crew, |fates, taken| {
        let (read, kept) = (writing.books.tally.read, writing.books.tally.kept);
        fates.into_iter().try_for_each(|fate| settle(fate, &planned.name, writing))?;
        let tally = &writing.books.tally;
        watch.advanced(StageName::Clean, Step { bytes: taken.saturating_sub(told), read: tally.read - read, kept: tally.kept - kept });
        told = taken.max(told);
        Ok(())
    })?;
    opened.is_whole().map_err(JobError::remote)?;
    watch.advanced(StageName::Clean, Step { bytes: planned.bytes.saturating_sub(told), ..Step::default() });
    Ok(())
}

/// Writes and counts one fate.
pub(super) fn settle(fate: Fate, file: &str, writing: &mut Writing) -> Result<(), JobError> {
    let Writing { documents, signatures, paragraphs, books } = writing;
    if let Fate::Kept(doc) | Fate::Dropped { doc, .. } | Fate::Quarantined { doc, .. } = &fate {
        books.tally.hosts.entry(host_class(&doc.host).to_owned()).or_default().read += 1;
    }
    match fate {
        Fate::Other(kind) => *books.tally.other_records.entry(kind.to_owned()).or_default() += 1,
        Fate::Damage(damage) => books.damage(file, damage),
        Fate::Dropped { doc, stage, dropped } => books.drop(*doc, stage, dropped, None)?,
        Fate::Quarantined { doc, stage, reason, what } => books.set_aside(*doc, stage, reason, what)?,
        Fate::Kept(doc) => {
            books.keep();
            signatures.write(&doc)?;
            if let Some(paragraphs) = paragraphs {
                paragraphs.write(&doc)?;
            }
            documents.write(*doc)?;
        }
    }
    Ok(())
}
