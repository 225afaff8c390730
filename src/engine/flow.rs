//! One stream of records through a source's decoder and a list of stages.
//!
//! Three parties work at once: a reader cuts records and packs them into batches, the cores of the pool decode and judge one batch,
//! the caller's thread takes the fates in the order of the records. Batches and [`Held`] bound the memory, and neither shows in the output.
//! A stage that panics or takes too long loses one document, not the night.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use rayon::ThreadPool;
use rayon::prelude::*;
use rustix::time::{ClockId, clock_gettime};

use super::held::{Held, bytes_of, bytes_of_fate};
use super::watch::Stop;
use crate::doc::Document;
use crate::source::{Again, Damage, Fell, Offer, RawRecord, Record};
use crate::stage::{Dropped, Stage, Verdict};

/// A stage in its place in a pass.
#[derive(Clone)]
pub struct Step {
    /// The room's name.
    pub name: &'static str,
    /// The stage with its settings.
    pub stage: Arc<dyn Stage>,
}

/// What became of one record in this pass.
pub enum Fate {
    /// It goes on.
    Kept(Box<Document>),
    /// It fell in `stage`; `read` names the source itself.
    Dropped { doc: Box<Document>, stage: &'static str, dropped: Dropped },
    /// A stage could not finish it: counted as dropped, and listed in the quarantine with `what` went wrong.
    Quarantined { doc: Box<Document>, stage: &'static str, reason: &'static str, what: String },
    /// A record that is no document.
    Other(&'static str),
    /// A part of the input that cannot be read.
    Damage(Damage),
}

/// The name under which the source's own drops are counted.
pub const READ: &str = "read";
/// Reason of a document on which a stage panicked.
pub const PANIC: &str = "panic";
/// Reason of a document that took too long.
pub const DEADLINE: &str = "deadline";

/// Bounds of one flow.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// A batch is closed when it holds so many bytes of records.
    pub batch_bytes_max: usize,
    /// .. or so many records.
    pub batch_records_max: usize,
    /// Batches that may wait between two parties.
    pub batches_waiting_max: usize,
    /// Bytes that decoded documents may hold, those of all flows of the crew together. A single document may be larger.
    pub held_bytes_max: usize,
    /// CPU time that one document may take in all stages together.
    pub document_cpu_ms_max: u64,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            batch_bytes_max: 4 << 20,
            batch_records_max: 512,
            batches_waiting_max: 2,
            held_bytes_max: 512 << 20,
            document_cpu_ms_max: 2_000,
        }
    }
}

/// Who works on a flow, and within which bounds.
pub struct Crew {
    /// The cores that decode and judge.
    pool: ThreadPool,
    held: Held,
    /// Limits of each flow.
    pub bounds: Bounds,
    /// Looked at between batches.
    pub stop: Stop,
}

impl Crew {
    /// A crew of `threads` cores.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub fn new(threads: usize, bounds: Bounds, stop: Stop) -> Result<Crew, NoThreads> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|number| format!("judge-{number}"));
        let pool = pool.build().map_err(|source| NoThreads { threads, source })?;
        Ok(Crew { pool, held: Held::new(bounds.held_bytes_max), bounds, stop })
    }
}

/// The system gives no more threads.
#[derive(Debug, thiserror::Error)]
#[error("cannot start {threads} threads ({source}); give fewer with --threads")]
pub struct NoThreads {
    threads: usize,
    source: rayon::ThreadPoolBuildError,
}

/// Cuts records; called on a thread of its own. The second part of the answer is the bytes of input taken so far.
pub type Cut<'a> = dyn FnMut() -> Option<(Record, u64)> + Send + 'a;

/// Makes a document of a record; called on any core.
pub type Decode<'a> = dyn Fn(RawRecord) -> Offer + Sync + 'a;

/// A batch on its way: what it holds, and the bytes of input taken when it was closed.
struct Batch<T> {
    items: Vec<T>,
    input_bytes: u64,
}

/// Why a flow ended early.
#[derive(Debug)]
pub enum Halt<E> {
    /// Somebody wished it.
    Stopped,
    /// The taker of fates failed.
    Failed(E),
}

/// Lets all records flow through. `take` gets the fates of each batch in record order, with the input bytes taken so far.
///
/// # Errors
/// [`Halt::Stopped`] when `stop` was wished, [`Halt::Failed`] with the first error of `take`.
pub fn flow<E: Send>(
    cut: &mut Cut<'_>,
    decode: &Decode<'_>,
    steps: &[Step],
    crew: &Crew,
    mut take: impl FnMut(Vec<Fate>, u64) -> Result<(), E>,
) -> Result<(), Halt<E>> {
    let Crew { pool, held, bounds, stop } = crew;
    let (records_in, records_out) = bounded(bounds.batches_waiting_max);
    let (fates_in, fates_out) = bounded(bounds.batches_waiting_max);
    let judges = Judges { decode, steps, held, document_cpu_ms_max: bounds.document_cpu_ms_max };
    std::thread::scope(|scope| {
        scope.spawn(move || read_ahead(cut, *bounds, stop, &records_in));
        scope.spawn(move || judge_batches(pool, &records_out, &fates_in, &judges));
        for batch in &fates_out {
            let bytes = batch.items.iter().map(bytes_of_fate).sum();
            take(batch.items, batch.input_bytes).map_err(Halt::Failed)?;
            held.release(bytes);
            if stop.wished() {
                break;
            }
        }
        drop(fates_out);
        if stop.wished() { Err(Halt::Stopped) } else { Ok(()) }
    })
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a stage whose panic will be caught: a panic hook stays quiet then.
#[must_use]
pub fn is_guarded() -> bool {
    GUARDED.get()
}

fn read_ahead(cut: &mut Cut<'_>, bounds: Bounds, stop: &Stop, out: &Sender<Batch<Record>>) {
    let mut batch = Batch { items: Vec::new(), input_bytes: 0 };
    let mut bytes = 0;
    while let Some((record, taken)) = cut() {
        bytes += size_of_record(&record);
        batch.items.push(record);
        batch.input_bytes = taken;
        if bytes < bounds.batch_bytes_max && batch.items.len() < bounds.batch_records_max {
            continue;
        }
        bytes = 0;
        let full = std::mem::replace(&mut batch, Batch { items: Vec::new(), input_bytes: taken });
        if stop.wished() || out.send(full).is_err() {
            return;
        }
    }
    // A closed channel means that the taker gave up; it knows why.
    let _ = out.send(batch);
}

fn size_of_record(record: &Record) -> usize {
    match record {
        Record::Raw(raw) => raw.bytes.len(),
        Record::Offer(Offer::Document(doc) | Offer::Dropped(doc, _)) => doc.html.len() + doc.text.len(),
        Record::Again(again) => again.doc.text.len(),
        Record::Other(_) | Record::Damage(_) => 0,
    }
}

/// What all cores need to judge a record.
struct Judges<'a> {
    decode: &'a Decode<'a>,
    steps: &'a [Step],
    held: &'a Held,
    document_cpu_ms_max: u64,
}

/// A record of a batch, judged or still to be.
enum Judged {
    Done(Fate),
    Later(Record),
}

/// Judges batch after batch. Of a batch whose documents do not fit into memory together, the first part goes on before the rest is judged.
fn judge_batches(pool: &ThreadPool, records: &Receiver<Batch<Record>>, fates: &Sender<Batch<Fate>>, judges: &Judges<'_>) {
    for batch in records {
        let mut items: Vec<Judged> = batch.items.into_iter().map(Judged::Later).collect();
        while !items.is_empty() {
            // The first one goes ahead whether there is room or not, so that each round brings the batch on.
            let judge = |(place, item)| match item {
                Judged::Later(record) => judges.judge(record, place == 0),
                done => done,
            };
            let mut judged: Vec<Judged> = pool.install(|| items.into_par_iter().enumerate().map(judge).collect());
            let done = judged.iter().position(|item| matches!(item, Judged::Later(_))).unwrap_or(judged.len());
            items = judged.split_off(done);
            let done = judged.into_iter().filter_map(|item| if let Judged::Done(fate) = item { Some(fate) } else { None }).collect();
            if fates.send(Batch { items: done, input_bytes: batch.input_bytes }).is_err() {
                return;
            }
        }
    }
}

impl Judges<'_> {
    /// Judges a record, or leaves it for later where there is no room for it and it is not `forced`.
    fn judge(&self, record: Record, forced: bool) -> Judged {
        let offer = match record {
            Record::Raw(raw) if self.held.is_full() && !forced => return Judged::Later(Record::Raw(raw)),
            Record::Raw(raw) => match decode_guarded(raw, self.decode) {
                Ok(offer) => offer,
                Err(fate) => return Judged::Done(*fate),
            },
            Record::Offer(offer) => offer,
            Record::Again(again) => return self.judge_again(again, forced),
            Record::Other(kind) => return Judged::Done(Fate::Other(kind)),
            Record::Damage(damage) => return Judged::Done(Fate::Damage(damage)),
        };
        let bytes = match &offer {
            Offer::Document(doc) | Offer::Dropped(doc, _) => bytes_of(doc),
        };
        if !self.held.begin_work(bytes, forced) {
            return Judged::Later(Record::Offer(offer));
        }
        let fate = match offer {
            Offer::Document(doc) => judge_document(doc, self.steps, self.document_cpu_ms_max),
            Offer::Dropped(doc, reason) => Fate::Dropped { doc, stage: READ, dropped: Dropped { reason, finding: None } },
        };
        self.held.end_work(bytes, bytes_of_fate(&fate));
        Judged::Done(fate)
    }

    /// Judges a document of an earlier run by what that run measured, and lets it go on where it had stopped.
    fn judge_again(&self, again: Box<Again>, forced: bool) -> Judged {
        let bytes = bytes_of(&again.doc);
        if !self.held.begin_work(bytes, forced) {
            return Judged::Later(Record::Again(again));
        }
        let fate = decide_again(*again, self.steps, self.document_cpu_ms_max);
        self.held.end_work(bytes, bytes_of_fate(&fate));
        Judged::Done(fate)
    }
}

/// What the stages say of a stored document by what was measured of it.
pub enum Anew {
    /// It falls in a stage.
    Falls(&'static str, Dropped),
    /// It goes on when so many steps are done.
    GoesOn(usize),
}

/// Asks the first `steps_done` of `steps` for their decisions anew, then the next one if it is `fell_in`, the stage that had dropped the document: where that
/// lets it pass, one step more is done.
#[must_use]
pub fn decide_anew(doc: &Document, steps: &[Step], steps_done: usize, fell_in: Option<&str>) -> Anew {
    let steps_done = steps_done.min(steps.len());
    for Step { name, stage } in &steps[..steps_done] {
        if let Some(Verdict::Drop(dropped)) = stage.decide(doc) {
            return Anew::Falls(name, dropped);
        }
    }
    match steps.get(steps_done).filter(|step| fell_in == Some(step.name)).map(|step| (step.name, step.stage.decide(doc))) {
        Some((name, Some(Verdict::Drop(dropped)))) => Anew::Falls(name, dropped),
        Some((_, Some(Verdict::Keep))) => Anew::GoesOn(steps_done + 1),
        _ => Anew::GoesOn(steps_done),
    }
}

fn decide_again(again: Again, steps: &[Step], document_cpu_ms_max: u64) -> Fate {
    let Again { doc, steps_done, fell } = again;
    let doc = Box::new(doc);
    let fell_in = fell.as_ref().filter(|fell| fell.set_aside.is_none()).map(|fell| fell.stage);
    match (decide_anew(&doc, steps, steps_done, fell_in), fell) {
        (Anew::Falls(stage, dropped), _) => Fate::Dropped { doc, stage, dropped },
        (Anew::GoesOn(next), Some(Fell { stage, dropped, set_aside })) if next <= steps_done => match set_aside {
            None => Fate::Dropped { doc, stage, dropped },
            Some(what) => Fate::Quarantined { doc, stage, reason: dropped.reason, what },
        },
        (Anew::GoesOn(next), _) => judge_document(doc, &steps[next..], document_cpu_ms_max),
    }
}

fn decode_guarded(raw: RawRecord, decode: &Decode<'_>) -> Result<Offer, Box<Fate>> {
    let (file, offset) = (raw.file.clone(), raw.offset);
    guarded(|| decode(raw)).map_err(|what| {
        let doc = Box::new(Document { source_file: file, source_offset: offset, ..Document::default() });
        Box::new(Fate::Quarantined { doc, stage: READ, reason: PANIC, what })
    })
}

fn judge_document(mut doc: Box<Document>, steps: &[Step], document_cpu_ms_max: u64) -> Fate {
    let begun = thread_cpu_ms();
    for Step { name, stage } in steps {
        match guarded(|| stage.judge(&mut doc)) {
            Ok(Verdict::Keep) => {}
            Ok(Verdict::Drop(dropped)) => return Fate::Dropped { doc, stage: name, dropped },
            Err(what) => return Fate::Quarantined { doc, stage: name, reason: PANIC, what },
        }
        let spent = thread_cpu_ms() - begun;
        if spent > document_cpu_ms_max {
            let what = format!("took {spent} ms of CPU, limits.document_cpu_ms_max is {document_cpu_ms_max}");
            return Fate::Quarantined { doc, stage: name, reason: DEADLINE, what };
        }
    }
    Fate::Kept(doc)
}

/// The answer of `work`, or the message of its panic.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    GUARDED.set(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    done.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        format!("internal error: {}", text.unwrap_or("no message"))
    })
}

/// CPU time of this thread so far.
fn thread_cpu_ms() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec.unsigned_abs() * 1_000 + now.tv_nsec.unsigned_abs() / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sieve;

    impl Stage for Sieve {
        fn judge(&self, doc: &mut Document) -> Verdict {
            match doc.text.as_str() {
                "boom" => panic!("a bug"),
                "slow" => {
                    let begun = thread_cpu_ms();
                    while thread_cpu_ms() - begun < 30 {}
                    Verdict::Keep
                }
                text if text.len() > 8 => Verdict::broke("too-long", text.len() as f32, 8.0),
                _ => Verdict::Keep,
            }
        }
    }

    fn crew(threads: usize, bounds: Bounds) -> Crew {
        Crew::new(threads, bounds, Stop::default()).expect("a pool of few threads")
    }

    fn fates(texts: &[&str], threads: usize) -> Vec<String> {
        fates_within(texts, threads, usize::MAX)
    }

    fn fates_within(texts: &[&str], threads: usize, held_bytes_max: usize) -> Vec<String> {
        let bounds = Bounds { batch_records_max: 3, held_bytes_max, document_cpu_ms_max: 15, ..Bounds::default() };
        let mut texts = texts.iter().enumerate();
        let mut cut = || {
            let (at, text) = texts.next()?;
            let doc = Box::new(Document { text: (*text).to_owned(), ..Document::default() });
            Some((Record::Offer(Offer::Document(doc)), at as u64))
        };
        let steps = [Step { name: "sieve", stage: Arc::new(Sieve) }];
        let mut told = Vec::new();
        let decode = |_| unreachable!("no raw records here");
        flow::<()>(&mut cut, &decode, &steps, &crew(threads, bounds), |fates, _| {
            told.extend(fates.into_iter().map(|fate| match fate {
                Fate::Kept(doc) => format!("kept {}", doc.text),
                Fate::Dropped { stage, dropped, .. } => format!("{stage}/{}", dropped.reason),
                Fate::Quarantined { reason, stage, .. } => format!("{stage}/{reason}"),
                Fate::Other(kind) => kind.to_owned(),
                Fate::Damage(damage) => damage.what,
            }));
            Ok(())
        })
        .expect("nothing stops it");
        told
    }

    #[test]
    fn fates_come_in_the_order_of_the_records_on_any_number_of_threads() {
        let texts = ["viens", "divi", "trīs", "četri", "pieci", "seši", "septiņi gari", "astoņi"];
        let want = fates(&texts, 1);
        assert_eq!(want[6], "sieve/too-long");
        assert_eq!(fates(&texts, 4), want);
    }

    #[test]
    fn a_batch_that_does_not_fit_into_memory_is_judged_in_parts_and_in_order() {
        let texts = ["viens", "divi", "boom", "trīs", "četri", "pieci", "seši", "septiņi gari", "astoņi"];
        for held_bytes_max in [0, 40, 100] {
            assert_eq!(fates_within(&texts, 2, held_bytes_max), fates(&texts, 1));
        }
    }

    #[test]
    fn a_panic_costs_one_document_and_not_its_neighbours() {
        assert_eq!(fates(&["before", "boom", "after"], 2), ["kept before", "sieve/panic", "kept after"]);
    }

    #[test]
    fn a_document_that_takes_too_long_is_quarantined() {
        assert_eq!(fates(&["slow", "fast"], 2), ["sieve/deadline", "kept fast"]);
    }

    #[test]
    fn a_wish_to_stop_ends_the_flow() {
        let crew = crew(1, Bounds::default());
        let mut cut = || Some((Record::Other("request"), 0));
        let decode = |_| unreachable!("no raw records here");
        let halted = flow::<()>(&mut cut, &decode, &[], &crew, |_, _| {
            crew.stop.wish();
            Ok(())
        });
        assert!(matches!(halted, Err(Halt::Stopped)));
    }
}
