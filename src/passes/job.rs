//! A job at hand: a plan, the recipe rebuilt from it, the workspace, and the means of this machine.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::again::{Earlier, UnlessTokenized, tokenizing};
use super::emit::{DEDUP, Exclude};
use super::{clean, decide, emit};
use crate::dedup::columns::ColumnError;
use crate::dedup::exclusions::Exclusions;
use crate::dedup::paragraphs::Recurring;
use crate::engine::attempt::{CommitError, Place};
use crate::engine::commit::{Commit, ShardPlan};
use crate::engine::flow::{Bounds, Crew, Halt, NoThreads, Step};
use crate::engine::plan::{PLAN_VERSION, Plan, PlanError, PlannedInput, StageName, TaskName, etag, pack};
use crate::engine::scratch::Scratch;
use crate::engine::sums::Sums;
use crate::engine::watch::{Stop, Watch};
use crate::recipe::Recipe;
use crate::recipe::inputs::InputFile;
use crate::remote::RemoteError;
use crate::sink::{OutputKind, SinkError};
use crate::sinks::shards::ShardOptions;
use crate::size::ByteSize;
use crate::stage::Field;
use crate::store::StoreError;
use crate::suppression::{GATE, Suppression, TextGate, sequence};
use crate::workspace::Workspace;

/// What this machine gives to a job. Nothing of it shows in what the job writes.
#[derive(Clone, Debug)]
pub struct Means {
    /// Cores to use.
    pub threads: usize,
    /// Memory to stay under.
    pub memory_max: ByteSize,
    /// A folder on a disk of this machine's own, where tasks are tried; in the workspace where there is none.
    pub scratch: Option<Arc<Scratch>>,
}

/// What the program itself takes: code, vocabulary, tables. Measured 150 MB with o200k_base.
const BASE_BYTES: u64 = 192 << 20;
/// What a task takes beside the documents on their way: 48 MiB of documents waiting to be grouped by language, or a row group with its ids, and
/// the Parquet writer's copies.
const FLOW_BYTES: u64 = 80 << 20;
/// What it takes beside that where documents bring token ids along: a token is 3.7 bytes of text, and an id four bytes.
const IDS_BYTES: u64 = 56 << 20;
/// What a task should have for documents on their way.
const HELD_BYTES_WISHED: u64 = 64 << 20;
/// Batches of records as read that one flow may hold: one being read, two waiting, one being judged.
const BATCHES: u64 = 4;

impl Means {
    /// The least memory with which a job can work.
    pub const MEMORY_MIN: ByteSize = ByteSize(BASE_BYTES + FLOW_BYTES + (16 << 20));

    /// What deciding may take: all that the program itself does not.
    fn decide_bytes(&self) -> u64 {
        self.memory_max.0.saturating_sub(BASE_BYTES)
    }

    /// How many tasks may run side by side, the bounds of each one's flow, and what each one's reader may hold beside a record.
    fn bounds(&self, document_cpu_ms_max: u64, flow_bytes: u64) -> (usize, Bounds, usize) {
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let free = self.memory_max.0.saturating_sub(BASE_BYTES);
        let flows = self.threads.min(size(free / (flow_bytes + HELD_BYTES_WISHED))).max(1);
        let room = free.saturating_sub(flows as u64 * flow_bytes);
        // One half for documents on their way; of the other, each flow has its part for records as read and for its reader.
        let reading = room / (2 * flows as u64);
        let batch = (reading / 4 * 3 / BATCHES).clamp(256 << 10, 4 << 20);
        let bounds = Bounds { batch_bytes_max: size(batch), held_bytes_max: size(room / 2), document_cpu_ms_max, ..Bounds::default() };
        (flows, bounds, size(reading.saturating_sub(BATCHES * batch)))
    }
}

/// A plan with all that is needed to do its tasks.
pub struct Job {
    /// The frozen work.
    pub plan: Plan,
    /// Where it is done.
    pub place: Place,
    pub(super) recipe: Recipe,
    pub(super) clean: Vec<Step>,
    pub(super) crew: Crew,
    pub(super) decide_bytes: u64,
    pub(super) reader_bytes_max: usize,
    pub(super) suppression: Option<Arc<Suppression>>,
    pub(super) earlier: Vec<Earlier>,
    flows: usize,
    decided: OnceLock<Commit>,
    exclusions: OnceLock<Arc<Exclusions>>,
    recurring: OnceLock<Arc<Recurring>>,
}

/// Why a task or a job could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Somebody wished it; the same command goes on.
    #[error("stopped; the same command goes on where this one ended")]
    Stopped,
    /// Publishing failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Writing failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A commit record is damaged.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The manifest could not be written or read.
    #[error(transparent)]
    Manifest(#[from] crate::ledger::manifest::ManifestError),
    /// The plan of an earlier run could not be read.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The rejects of an earlier run have a reason that no stage of the recipe gives.
    #[error("the rejects of the earlier run hold `{stage}/{reason}`, which this version does not know; run the recipe in full")]
    UnknownReason { stage: String, reason: String },
    /// An intermediate file could not be read.
    #[error(transparent)]
    Read(#[from] crate::sinks::documents::ReadError),
    /// Where documents lie could not be noted.
    #[error(transparent)]
    Locate(#[from] crate::locator::LocateError),
    /// Deduplication failed.
    #[error(transparent)]
    Decide(#[from] crate::dedup::decide::DecideError),
    /// Documents could not be taken out of the index.
    #[error(transparent)]
    Erase(#[from] crate::dedup::erase::EraseError),
    /// The exclusions could not be read.
    #[error(transparent)]
    Exclusions(#[from] ColumnError),
    /// The deduplication index is not what it was when the plan was made.
    #[error("the index of earlier runs changed since the plan was made; run the recipe again to plan anew")]
    IndexChanged,
    /// The index of another data set is not what it was when the plan was made.
    #[error("the data set `{dataset}` of dedup.yield_to changed since the plan was made; run the recipe again to plan anew")]
    YieldChanged { dataset: String },
    /// Another run of the data set was published since the plan was made.
    #[error(
        "another run of the data set `{dataset}` was published since the plan was made, and read inputs of it; run the recipe again to plan anew"
    )]
    Overtaken { dataset: String },
    /// What earlier runs did cannot be read, or says that this one may not be added.
    #[error(transparent)]
    History(#[from] super::HistoryError),
    /// Something was erased since the plan was made.
    #[error("a takedown was applied since the plan was made; run the recipe again to plan anew")]
    TakedownSince,
    /// The workspace is older than its receipts.
    #[error(
        "this workspace was restored from a backup that is older than receipt {receipt}; run `tamis restore-check` and apply what it \
         plans before anything is published"
    )]
    Restored { receipt: u64 },
    /// The receipts cannot be read.
    #[error(transparent)]
    Receipt(#[from] crate::ledger::receipt::ReceiptError),
    /// The suppression list cannot be used.
    #[error(transparent)]
    Suppression(#[from] crate::suppression::ListError),
    /// An input is not what it was when the plan was made.
    #[error("the input `{name}` changed since the plan was made; run the recipe again to plan anew, or put the old file back")]
    InputChanged { name: String },
    /// An input on another machine cannot be had.
    #[error(transparent)]
    Remote(RemoteError),
    /// A task was asked for before the tasks that it builds on.
    #[error("task {task} is not done yet, and this task builds on it; do stage `{}` first", task.stage)]
    NotYet { task: TaskName },
    /// A task was asked for that the plan does not have.
    #[error("the plan has no task {task}; `tamis pending` lists the open ones")]
    NoSuchTask { task: TaskName },
    /// A commit record lacks a file that its task must have written.
    #[error("the commit record of task {task} lacks a file that it must name; remove the record and run the same command again")]
    MissingOutput { task: TaskName },
    /// The system gives no more threads.
    #[error(transparent)]
    Threads(#[from] NoThreads),
    /// Counts that do not add up: a bug, so nothing is published.
    #[error(
        "internal error: the counts of plan {plan} do not add up (read {read}, kept {kept}, dropped {dropped}); nothing was published, please report this"
    )]
    Unbalanced { plan: String, read: u64, kept: u64, dropped: u64 },
}

impl JobError {
    /// An input on another machine cannot be had; one that changed is told as any that did.
    pub(super) fn remote(error: RemoteError) -> JobError {
        match error {
            RemoteError::Changed { name } => JobError::InputChanged { name },
            other => JobError::Remote(other),
        }
    }
}

impl From<Halt<JobError>> for JobError {
    fn from(halt: Halt<JobError>) -> JobError {
        match halt {
            Halt::Stopped => JobError::Stopped,
            Halt::Failed(error) => error,
        }
    }
}

/// Freezes the work of `recipe` on `inputs`.
#[must_use]
pub fn make_plan(recipe: &Recipe, inputs: &[InputFile]) -> Plan {
    let mut sums = Sums::default();
    let inputs: Vec<PlannedInput> = inputs
        .iter()
        .map(|InputFile { path, bytes, tag }| PlannedInput {
            name: path.to_string_lossy().into_owned(),
            bytes: *bytes,
            etag: tag.clone().unwrap_or_else(|| etag(path).unwrap_or_default()),
            sum: if tag.is_none() { sums.of(path) } else { None },
        })
        .collect();
    Plan {
        version: PLAN_VERSION,
        tamis: env!("CARGO_PKG_VERSION").to_owned(),
        name: recipe.name.clone(),
        dataset: recipe.dataset.clone(),
        recipe: recipe.effective_toml(),
        recipe_hash: recipe.hash(),
        resources: recipe.resources.clone(),
        tasks: pack(&inputs, recipe.limits.task_bytes_max.0),
        inputs,
        index: Vec::new(),
        yields: Vec::new(),
        takedowns: 0,
        again: Vec::new(),
        carries: false,
    }
}

impl Job {
    /// Gets ready to do tasks of `plan`, whose `recipe` was rebuilt from it. `suppression` is what must stay out of the workspace.
    ///
    /// # Errors
    /// When the threads cannot be started, or the plan was made before the last takedown.
    pub fn new(
        workspace: &Workspace,
        plan: Plan,
        recipe: Recipe,
        suppression: Option<Suppression>,
        means: &Means,
        stop: Stop,
    ) -> Result<Job, JobError> {
        let suppression = suppression.map(Arc::new);
        if plan.takedowns != suppression.as_ref().map_or(0, |list| list.sequence()) {
            return Err(JobError::TakedownSince);
        }
        // Ids are the same whether they are brought along or made again, so memory may decide.
        let brings_ids = !plan.again.is_empty() && means.memory_max.0 >= Means::MEMORY_MIN.0 + IDS_BYTES;
        let flow_bytes = if brings_ids { FLOW_BYTES + IDS_BYTES } else { FLOW_BYTES };
        let (flows, bounds, reader_bytes_max) = means.bounds(recipe.limits.document_cpu_ms_max, flow_bytes);
        let crew = Crew::new(means.threads, bounds, stop)?;
        let mut clean = recipe.clean_steps();
        if let Some(list) = &suppression {
            let gate = Step { name: GATE, stage: Arc::new(TextGate(list.clone())) };
            // As soon as there is a text, so that no filter writes it among the rejects; and again when all have changed it.
            let text_there = recipe.clean.iter().rposition(|placed| placed.room.gives.contains(&Field::Text)).map_or(0, |place| place + 1);
            clean.insert(text_there, gate.clone());
            clean.push(gate);
        }
        clean.push(Step { name: "sign", stage: Arc::from(crate::stages::sign::sign_stage(&recipe.dedup)) });
        let place = Place::new(workspace, &plan).with_scratch(means.scratch.clone());
        let options = recipe.shard_options(&plan.recipe_hash);
        let ids_of = if brings_ids { options.tokenizer_hash() } else { "" };
        let open = |id: &String| Earlier::open(workspace, id, &plan, ids_of);
        let earlier = plan.again.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Job {
            plan,
            place,
            clean,
            recipe,
            crew,
            decide_bytes: means.decide_bytes(),
            reader_bytes_max,
            suppression,
            earlier,
            flows,
            decided: OnceLock::new(),
            exclusions: OnceLock::new(),
            recurring: OnceLock::new(),
        })
    }

    /// How many tasks may run side by side on this machine.
    #[must_use]
    pub fn flows(&self) -> usize {
        self.flows
    }

    /// Bytes of input that some tasks of stage `clean` read.
    #[must_use]
    pub fn input_bytes(&self, tasks: &[u32]) -> u64 {
        let inputs = tasks.iter().flat_map(|task| &self.plan.tasks[*task as usize]);
        inputs.map(|input| self.plan.inputs[*input as usize].bytes).sum()
    }

    /// The wish to stop, shared with whoever has it.
    #[must_use]
    pub fn stop(&self) -> &Stop {
        &self.crew.stop
    }

    /// Does one task, or nothing if it is done.
    ///
    /// # Errors
    /// See [`JobError`]; what a task wrote before an error is thrown away.
    pub fn task(&self, task: TaskName, watch: &dyn Watch) -> Result<Commit, JobError> {
        let no_such_task = || JobError::NoSuchTask { task };
        match task.stage {
            StageName::Clean if (task.index as usize) < self.plan.tasks.len() => {
                self.once(task, |attempt| clean::clean(self, task.index, attempt, watch))
            }
            StageName::Decide if task.index == 0 => self.once(task, |attempt| decide::decide(self, attempt)),
            StageName::Emit => {
                let layout = self.layout()?;
                let shards = layout.get(task.index as usize).ok_or_else(no_such_task)?;
                self.once(task, |attempt| emit::emit(self, task.index, shards, attempt, watch))
            }
            StageName::Clean | StageName::Decide => Err(no_such_task()),
        }
    }

    /// Does a task unless it is done, and publishes it unless something was erased meanwhile: workers on other machines hold no lock.
    fn once(&self, task: TaskName, work: impl FnOnce(&Path) -> Result<Commit, JobError>) -> Result<Commit, JobError> {
        self.place.once(task, |attempt| {
            let commit = work(attempt)?;
            if sequence(self.place.workspace())? == self.plan.takedowns { Ok(commit) } else { Err(JobError::TakedownSince) }
        })
    }

    /// How many tasks `stage` has.
    ///
    /// # Errors
    /// [`JobError::NotYet`] for stage `emit` before `decide` is done.
    pub fn tasks(&self, stage: StageName) -> Result<u32, JobError> {
        let tasks = match stage {
            StageName::Clean => self.plan.tasks.len(),
            StageName::Decide => 1,
            StageName::Emit => self.layout()?.len(),
        };
        Ok(u32::try_from(tasks).unwrap_or(u32::MAX))
    }

    /// The tasks of `stage` that have no commit yet.
    ///
    /// # Errors
    /// [`JobError::NotYet`] for stage `emit` before `decide` is done.
    pub fn pending(&self, stage: StageName) -> Result<Vec<u32>, JobError> {
        let done: BTreeSet<u32> = self.place.known_done(stage)?.into_iter().collect();
        let mut open = Vec::new();
        for index in (0..self.tasks(stage)?).filter(|index| !done.contains(index)) {
            if !self.place.is_done(TaskName { stage, index })? {
                open.push(index);
            }
        }
        Ok(open)
    }

    /// The commit of a task that must be done.
    pub(super) fn commit(&self, task: TaskName) -> Result<Commit, JobError> {
        self.place.commit(task)?.ok_or(JobError::NotYet { task })
    }

    /// The commits of all tasks of stage `clean`.
    pub(super) fn clean_commits(&self) -> Result<Vec<Commit>, JobError> {
        (0..).zip(&self.plan.tasks).map(|(index, _)| self.commit(TaskName { stage: StageName::Clean, index })).collect()
    }

    /// The commit of stage `decide`, read once: it names all shards, and each task of `emit` asks for its own.
    pub(super) fn decide_commit(&self) -> Result<&Commit, JobError> {
        if let Some(decided) = self.decided.get() {
            return Ok(decided);
        }
        let decided = self.commit(TaskName { stage: StageName::Decide, index: 0 })?;
        Ok(self.decided.get_or_init(|| decided))
    }

    /// The shards to write, task by task, known once `decide` is done.
    pub(super) fn layout(&self) -> Result<&[Vec<ShardPlan>], JobError> {
        Ok(&self.decide_commit()?.layout)
    }

    /// What `decide` excluded, read once.
    pub(super) fn exclusions(&self) -> Result<Arc<Exclusions>, JobError> {
        if let Some(exclusions) = self.exclusions.get() {
            return Ok(exclusions.clone());
        }
        let commit = self.decide_commit()?;
        let output = commit.output(OutputKind::Exclusions).ok_or(JobError::MissingOutput { task: commit.task })?;
        let exclusions = Exclusions::load(&self.place.of(OutputKind::Exclusions, &output.name))?;
        Ok(self.exclusions.get_or_init(|| Arc::new(exclusions)).clone())
    }

    /// The paragraphs that `decide` found to recur, read once; none where they are not looked for.
    pub(super) fn recurring(&self) -> Result<Arc<Recurring>, JobError> {
        if let Some(recurring) = self.recurring.get() {
            return Ok(recurring.clone());
        }
        let commit = self.decide_commit()?;
        let recurring = match commit.output(OutputKind::RecurringParagraphs) {
            Some(output) => Recurring::load(&self.place.of(OutputKind::RecurringParagraphs, &output.name))?,
            None => Recurring::default(),
        };
        Ok(self.recurring.get_or_init(|| Arc::new(recurring)).clone())
    }

    /// The stages of `emit`: exclude first, then what the recipe says.
    pub(super) fn emit_steps(&self, exclusions: &Arc<Exclusions>, recurring: &Arc<Recurring>) -> Vec<Step> {
        let exclude = Exclude { exclusions: exclusions.clone(), recurring: recurring.clone() };
        let mut steps = vec![Step { name: DEDUP, stage: Arc::new(exclude) }];
        steps.extend(self.recipe.emit_steps());
        if !self.earlier.is_empty() {
            for step in steps.iter_mut().filter(|step| step.name == crate::stages::tokenize::ROOM.name) {
                step.stage = Arc::new(UnlessTokenized(step.stage.clone()));
            }
        }
        steps
    }

    /// Hash of the vocabulary (empty for none) whose ids documents of `earlier` take along, where they need no work but that of `clean`.
    pub(super) fn vocabulary_that_stays(&self, earlier: &Earlier) -> Option<&str> {
        let only_tokens = self.recipe.emit.iter().all(|placed| placed.room.name == crate::stages::tokenize::ROOM.name);
        let same = only_tokens && tokenizing(&earlier.plan) == tokenizing(&self.plan);
        same.then(|| self.recipe.tokenizer_hash())
    }

    /// Whether the earlier runs wrote row groups of the same documents as this one does, but for what a decision changes.
    pub(super) fn writes_alike(&self) -> bool {
        let packing = |plan: &Plan| plan.recipe.parse::<toml::Table>().ok().map(|recipe| recipe.get("output").cloned());
        self.earlier.iter().all(|earlier| packing(&earlier.plan).is_some() && packing(&earlier.plan) == packing(&self.plan))
    }

    /// What every shard of this job says about itself.
    pub(super) fn shard_options(&self) -> ShardOptions {
        ShardOptions { takedown_sequence: self.plan.takedowns, ..self.recipe.shard_options(&self.plan.recipe_hash) }
    }
}
