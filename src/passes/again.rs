//! Stage `clean` of a run that decides anew: the documents and rejects of sealed runs in the order in which they were read, judged by
//! what was measured then.
//!
//! A document that fell under the old limits and would not under the new ones goes on in the stage after the one that had dropped it, so
//! that the outcome is that of a full run. One that stays takes its token ids along where the vocabulary stays. What this rests on is
//! checked by [`redecidable`](super::redecidable) before a plan is made.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::books::Quarantined;
use super::clean::{Writing, settle};
use super::emit;
use super::job::{Job, JobError};
use crate::doc::Document;
use crate::engine::attempt::Place;
use crate::engine::commit::{Commit, ShardPlan};
use crate::engine::flow::{DEADLINE, PANIC, READ, flow};
use crate::engine::plan::{Plan, StageName, TaskName};
use crate::engine::watch::{Step, Watch};
use crate::ledger::manifest::Manifests;
use crate::sink::OutputKind;
use crate::sinks::documents::ReadError;
use crate::sinks::stored::{Stored, StoredFile};
use crate::source::{Again, Damage, Fell, Offer, RawRecord, Record};
use crate::stage::{Dropped, Stage, Verdict};
use crate::suppression::SUPPRESSED;
use crate::workspace::Workspace;
use crate::{stages, store};

/// A sealed run that is decided anew.
pub(super) struct Earlier {
    pub(super) plan: Plan,
    pub(super) place: Place,
    /// The vocabulary whose token ids are what `[[emit]]` would make again.
    ids_of: Option<String>,
    manifests: OnceLock<Manifests>,
}

impl Earlier {
    /// The run of plan `id`, that the plan `now` decides anew with `tokenizer`.
    pub(super) fn open(workspace: &Workspace, id: &str, now: &Plan, tokenizer: &str) -> Result<Earlier, JobError> {
        let plan = Plan::load(&workspace.plans().join(format!("{id}.json")))?;
        let stays = !tokenizer.is_empty() && tokenizing(&plan) == tokenizing(now);
        Ok(Earlier { place: Place::new(workspace, &plan), plan, ids_of: stays.then(|| tokenizer.to_owned()), manifests: OnceLock::new() })
    }

    pub(super) fn commit(&self, stage: StageName, index: usize) -> Result<Commit, JobError> {
        let task = TaskName { stage, index: u32::try_from(index).unwrap_or(u32::MAX) };
        self.place.commit(task)?.ok_or(JobError::NotYet { task })
    }

    /// What the workspace has published, read once: each task asks where the run's shards are.
    pub(super) fn manifests(&self) -> Result<&Manifests, JobError> {
        if let Some(manifests) = self.manifests.get() {
            return Ok(manifests);
        }
        let manifests = Manifests::read(self.place.workspace())?;
        Ok(self.manifests.get_or_init(|| manifests))
    }

    /// What fell in a task of stage `clean`.
    pub(super) fn early(&self, commit: &Commit) -> Vec<PathBuf> {
        commit.output(OutputKind::Rejects).map(|output| self.place.of(OutputKind::Rejects, &output.name)).into_iter().collect()
    }

    /// What the run published of the documents of its task `task` of stage `clean`, and what of them fell late, each list of files in the order of
    /// the input: shards of one language, their rejects, rejects of several languages. Other tasks may have documents in these files as well.
    pub(super) fn late(&self, task: usize) -> Result<Vec<Vec<PathBuf>>, JobError> {
        let published = self.published()?;
        let (mut shards, mut rejects) = (BTreeMap::<String, Vec<PathBuf>>::new(), BTreeMap::<String, Vec<PathBuf>>::new());
        let mut mixed = Vec::new();
        for (index, planned) in (0..).zip(self.commit(StageName::Decide, 0)?.layout) {
            let of_task = |shard: &ShardPlan| shard.slices.iter().any(|slice| slice.clean as usize == task);
            if !planned.iter().any(of_task) {
                continue;
            }
            let by = TaskName { stage: StageName::Emit, index };
            let commit = self.commit(by.stage, index as usize)?;
            if let Some(output) = commit.output(OutputKind::Rejects) {
                let path = self.place.of(OutputKind::Rejects, &output.name);
                match emit::is_mixed(&planned) {
                    true => mixed.push(vec![path]),
                    false => rejects.entry(planned[0].lang.clone()).or_default().push(path),
                }
            }
            for (number, shard) in planned.into_iter().enumerate().filter(|(_, shard)| of_task(shard)) {
                let name = emit::shard_name(by, number);
                if commit.outputs.iter().any(|output| output.name == name) {
                    let path = published.get(&name).ok_or(JobError::MissingOutput { task: by })?;
                    shards.entry(shard.lang).or_default().push(path.clone());
                }
            }
        }
        Ok(shards.into_values().chain(rejects.into_values()).chain(mixed).collect())
    }

    /// Where the shards of the run were published, by the names that its tasks gave them.
    fn published(&self) -> Result<BTreeMap<String, PathBuf>, JobError> {
        let of_run =
            self.manifests()?.of_dataset(&self.plan.dataset).into_iter().filter(|manifest| manifest.transaction == self.place.plan());
        let published = of_run.flat_map(|manifest| manifest.files).map(|file| {
            let staged = file.staged.rsplit('/').next().unwrap_or_default().to_owned();
            (staged, self.place.workspace().root().join(file.path))
        });
        Ok(published.collect())
    }
}

/// The settings by which `plan` makes token ids; the hash of the vocabulary is not among them.
pub(super) fn tokenizing(plan: &Plan) -> Option<toml::Value> {
    let recipe: toml::Table = plan.recipe.parse().ok()?;
    let emit = recipe.get("emit")?.as_array()?;
    emit.iter().find(|stage| stage.get("stage").and_then(toml::Value::as_str) == Some(stages::tokenize::ROOM.name)).cloned()
}

/// A stage of `[[emit]]` that makes token ids; documents that brought theirs along pass.
pub(super) struct UnlessTokenized(pub(super) Arc<dyn Stage>);

impl Stage for UnlessTokenized {
    fn judge(&self, doc: &mut Document) -> Verdict {
        if doc.token_count.is_some() { Verdict::Keep } else { self.0.judge(doc) }
    }
}

/// Reads what the runs left of task `index`, in place of its inputs.
pub(super) fn read_task(job: &Job, index: u32, writing: &mut Writing, watch: &dyn Watch) -> Result<(), JobError> {
    let (earlier, task) =
        of_task(&job.earlier, index as usize).ok_or(JobError::NoSuchTask { task: TaskName { stage: StageName::Clean, index } })?;
    let commit = earlier.commit(StageName::Clean, task)?;
    let mut set_aside = quarantined(earlier, &commit)?;
    let mut merged = Merged::open(earlier, task, &commit)?;
    let mut failed = None;
    let mut cut = || match merged.next() {
        Ok(stored) => stored.and_then(|(stored, early)| match again(job, stored, early, &mut set_aside) {
            Ok(again) => Some((Record::Again(Box::new(again)), 0)),
            Err(error) => {
                failed = Some(error);
                None
            }
        }),
        Err(error) => {
            failed = Some(error.into());
            None
        }
    };
    let nothing_raw = |raw: RawRecord| -> Offer { unreachable!("no archive is read here, and yet byte {} of one", raw.offset) };
    flow(&mut cut, &nothing_raw, &job.clean, &job.crew, |fates, _| {
        let (read, kept) = (writing.books.tally.read, writing.books.tally.kept);
        fates.into_iter().try_for_each(|fate| settle(fate, "", writing))?;
        let tally = &writing.books.tally;
        watch.advanced(StageName::Clean, Step { bytes: 0, read: tally.read - read, kept: tally.kept - kept });
        Ok(())
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    for ((file, offset), what) in set_aside {
        writing.books.damage(&file, Damage { offset, what, fatal: false });
    }
    writing.books.tally.other_records = commit.tally.other_records;
    writing.books.tally.input_bytes = commit.tally.input_bytes;
    Ok(())
}

/// The run that has task `index`, of those of all runs, and its number there.
pub(super) fn of_task(runs: &[Earlier], mut index: usize) -> Option<(&Earlier, usize)> {
    for run in runs {
        if index < run.plan.tasks.len() {
            return Some((run, index));
        }
        index -= run.plan.tasks.len();
    }
    None
}

/// What the task had set aside: file and offset, and what went wrong.
pub(super) type SetAside = BTreeMap<(String, u64), String>;

pub(super) fn quarantined(earlier: &Earlier, commit: &Commit) -> Result<SetAside, JobError> {
    let Some(output) = commit.output(OutputKind::Quarantine) else { return Ok(SetAside::new()) };
    let path = earlier.place.of(OutputKind::Quarantine, &output.name);
    let text = std::fs::read_to_string(&path).map_err(|source| store::StoreError::io(&path, source))?;
    let entries = text.lines().map(serde_json::from_str::<Quarantined>).collect::<Result<Vec<_>, _>>();
    let entries = entries.map_err(|source| store::StoreError::io(&path, source.into()))?;
    Ok(entries.into_iter().map(|entry| ((entry.file, entry.offset), entry.what)).collect())
}

/// The document with its place in the stages of this job. `early` says that it is from the rejects of stage `clean`.
fn again(job: &Job, stored: Stored, early: bool, set_aside: &mut SetAside) -> Result<Again, JobError> {
    let Stored { doc, fell } = stored;
    let Some(fell) = fell.filter(|_| early) else {
        // What went through `clean` is signed again, and meets the gate of what was erased before that.
        let steps_done = job.clean.len() - 1 - usize::from(job.suppression.is_some());
        return Ok(Again { doc, steps_done, fell: None });
    };
    let (stage, reason) = known(job, &fell.stage, &fell.reason)
        .ok_or_else(|| JobError::UnknownReason { stage: fell.stage.clone(), reason: fell.reason.clone() })?;
    let steps_done = job.clean.iter().position(|step| step.name == stage).unwrap_or(0);
    let what = match reason {
        PANIC | DEADLINE => set_aside.remove(&(doc.source_file.to_string(), doc.source_offset)),
        _ => None,
    };
    let fell = Fell { stage, dropped: Dropped { reason, finding: fell.finding }, set_aside: what };
    Ok(Again { doc, steps_done, fell: Some(fell) })
}

/// Stage and reason as the house writes them.
pub(super) fn known(job: &Job, stage: &str, reason: &str) -> Option<(&'static str, &'static str)> {
    let stage = job.clean.iter().map(|step| step.name).chain([READ]).find(|name| *name == stage)?;
    let of_room = stages::room(stage).map_or(job.recipe.source_room.reasons, |room| room.reasons);
    let reason = of_room.iter().copied().chain([PANIC, DEADLINE, SUPPRESSED]).find(|known| *known == reason)?;
    Some((stage, reason))
}

/// Place of a document in the input of its task: number of the file, then where it begins there.
type Key = (usize, u64);

/// Several lists of files, each in the order of the input, as one.
struct Merged {
    chains: Vec<Chain>,
    /// The next document of each chain that has one.
    heads: BinaryHeap<Reverse<(Key, usize)>>,
    inputs: BTreeMap<String, usize>,
    /// Nothing where the run had one task, which read all that there is.
    wanted: Option<BTreeSet<String>>,
    ids_of: Option<String>,
}

struct Chain {
    files: std::vec::IntoIter<PathBuf>,
    open: Option<StoredFile>,
    batch: VecDeque<Stored>,
    /// Whether these are the rejects of stage `clean`.
    early: bool,
}

impl Merged {
    fn open(earlier: &Earlier, task: usize, commit: &Commit) -> Result<Merged, JobError> {
        let names = earlier.plan.tasks[task].iter().map(|input| earlier.plan.inputs[*input as usize].name.clone());
        let inputs: BTreeMap<String, usize> = names.enumerate().map(|(place, name)| (name, place)).collect();
        let early = earlier.early(commit);
        let chain = |files: Vec<PathBuf>, early| {
            // A takedown that erased all rows of a file has removed it.
            let files: Vec<PathBuf> = files.into_iter().filter(|path| path.exists()).collect();
            Chain { files: files.into_iter(), open: None, batch: VecDeque::new(), early }
        };
        let mut chains = vec![chain(early, true)];
        chains.extend(earlier.late(task)?.into_iter().map(|files| chain(files, false)));
        let wanted = (earlier.plan.tasks.len() > 1).then(|| inputs.keys().cloned().collect());
        let mut merged = Merged { chains, heads: BinaryHeap::new(), inputs, wanted, ids_of: earlier.ids_of.clone() };
        for number in 0..merged.chains.len() {
            merged.advance(number)?;
        }
        Ok(merged)
    }

    /// Sees that the next document of chain `number` is among the heads.
    fn advance(&mut self, number: usize) -> Result<(), ReadError> {
        let chain = &mut self.chains[number];
        while chain.batch.is_empty() {
            match &mut chain.open {
                Some(file) => match file.next(self.wanted.as_ref())? {
                    stored if stored.is_empty() => chain.open = None,
                    stored => chain.batch = stored.into(),
                },
                None => match chain.files.next() {
                    Some(path) => chain.open = Some(StoredFile::open(&path, self.ids_of.as_deref())?),
                    None => return Ok(()),
                },
            }
        }
        if let Some(Stored { doc, .. }) = chain.batch.front() {
            let input = self.inputs.get(&*doc.source_file).copied().unwrap_or(usize::MAX);
            self.heads.push(Reverse(((input, doc.source_offset), number)));
        }
        Ok(())
    }

    /// The next document, and whether it is from the rejects of stage `clean`.
    fn next(&mut self) -> Result<Option<(Stored, bool)>, ReadError> {
        let Some(Reverse((_, number))) = self.heads.pop() else { return Ok(None) };
        let early = self.chains[number].early;
        let Some(stored) = self.chains[number].batch.pop_front() else { return Ok(None) };
        self.advance(number)?;
        Ok(Some((stored, early)))
    }
}
