//! Seal: when all tasks are committed, the ledger is written, then one manifest publishes all shards at once.

use super::history::{History, Left};
use super::index::{check_unchanged, published_name};
use super::job::{Job, JobError};
use crate::engine::commit::Commit;
use crate::engine::plan::{StageName, TaskName};
use crate::ledger::manifest::{Manifests, NewCommit, StagedFile, StagedIndexFile};
use crate::ledger::receipt::Receipts;
use crate::ledger::run::{LedgerShard, RunLedger};
use crate::ledger::tally::Tally;
use crate::locator;
use crate::sink::{Output, OutputKind};
use crate::store;
use crate::suppression::sequence;
use crate::workspace::Workspace;

/// A published run.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// What was counted.
    pub ledger: RunLedger,
    /// Number of the manifest.
    pub manifest: u64,
}

/// Sees that no takedown was done after the state that the workspace is in: a backup that knows nothing of it brings back what was erased.
fn check_not_restored(workspace: &Workspace) -> Result<(), JobError> {
    let newest = Receipts::open(workspace)?.all().iter().map(|receipt| (receipt.manifest, receipt.number)).max();
    let present = Manifests::open(workspace)?.last_number();
    match newest.filter(|(manifest, _)| *manifest > present) {
        Some((_, receipt)) => Err(JobError::Restored { receipt }),
        None => Ok(()),
    }
}

impl Job {
    /// Publishes the job's shards. Does nothing twice.
    ///
    /// # Errors
    /// [`JobError::NotYet`] while tasks are open.
    pub fn seal(&self) -> Result<Sealed, JobError> {
        let workspace = self.place.workspace();
        let clean = self.clean_commits()?;
        let emit = (0..)
            .zip(self.layout()?)
            .map(|(index, _)| self.commit(TaskName { stage: StageName::Emit, index }))
            .collect::<Result<Vec<Commit>, JobError>>()?;
        let ledger = self.ledger(&clean, &emit)?;
        let mut json = serde_json::to_vec_pretty(&ledger).expect("strings, numbers and lists are JSON");
        json.push(b'\n');
        let ledger_name = format!("{}.json", self.place.plan());
        store::write_new(&workspace.ledger().join(&ledger_name), &json)?;
        let files = emit
            .iter()
            .flat_map(Commit::shards)
            .map(|(lang, output)| StagedFile {
                staged: self.place.of(OutputKind::Shard, &output.name),
                lang: lang.to_owned(),
                sha256: output.sha256.clone(),
                rows: output.rows,
                bytes: output.bytes,
                tokens: output.tokens,
            })
            .collect();
        let decided = self.decide_commit()?;
        check_unchanged(self)?;
        self.check_not_overtaken()?;
        if sequence(workspace)? != self.plan.takedowns {
            return Err(JobError::TakedownSince);
        }
        check_not_restored(workspace)?;
        let options = self.shard_options();
        let manifest = Manifests::open(workspace)?.commit(NewCommit {
            transaction: self.place.plan().to_owned(),
            dataset: self.plan.dataset.clone(),
            plan: self.place.plan().to_owned(),
            recipe_hash: self.plan.recipe_hash.clone(),
            tokenizer: options.tokenizer_hash().to_owned(),
            takedown_sequence: options.takedown_sequence,
            ledger: Some(ledger_name),
            files,
            replacements: Vec::new(),
            index: self.staged_index(decided),
            retired: decided.retired.clone(),
        })?;
        self.locate()?;
        store::remove_folder(&workspace.staging(self.place.plan()))?;
        store::remove_folder(&workspace.attempts(self.place.plan()))?;
        Ok(Sealed { ledger, manifest })
    }

    /// Sees that no other run read the plan's inputs into the data set since the plan was made: two plans may be at work in one workspace.
    fn check_not_overtaken(&self) -> Result<(), JobError> {
        let history = History::open(self.place.workspace(), &self.plan.dataset)?;
        if history.ledger_of(self.place.plan())?.is_some() {
            return Ok(());
        }
        match history.new_of(&self.plan, &self.recipe)? {
            Left::New(left) if left.inputs == self.plan.inputs => Ok(()),
            Left::New(_) | Left::NothingNew(_) => Err(JobError::Overtaken { dataset: self.plan.dataset.clone() }),
        }
    }

    /// Notes where the run's documents lie, so that none has to be searched for.
    fn locate(&self) -> Result<(), JobError> {
        let workspace = self.place.workspace();
        let manifests = Manifests::read(workspace)?;
        let published = manifests.of_dataset(&self.plan.dataset).into_iter().filter(|manifest| manifest.plan == self.place.plan());
        let shards = published.flat_map(|manifest| manifest.files).map(|file| workspace.root().join(file.path));
        let rejects = store::files_below(&workspace.rejects(self.place.plan()))?;
        for path in shards.chain(rejects).filter(|path| path.exists()) {
            locator::of(workspace, locator::Kind::Documents, &path)?;
        }
        Ok(())
    }

    fn staged_index(&self, decided: &Commit) -> Vec<StagedIndexFile> {
        let outputs = decided.outputs.iter().filter(|output| output.kind == OutputKind::Index);
        outputs
            .map(|output| StagedIndexFile {
                staged: self.place.of(OutputKind::Index, &output.name),
                name: published_name(self.place.plan(), &output.name),
                sha256: output.sha256.clone(),
                rows: output.rows,
                bytes: output.bytes,
                is_fresh: false,
            })
            .collect()
    }

    fn ledger(&self, clean: &[Commit], emit: &[Commit]) -> Result<RunLedger, JobError> {
        let sum = |commits: &[Commit]| {
            commits.iter().fold(Tally::default(), |mut sum, commit| {
                sum.add(&commit.tally);
                sum
            })
        };
        let outputs = clean.iter().chain(emit).flat_map(|commit| &commit.outputs);
        let set_aside = outputs.filter(|output| output.kind == OutputKind::Quarantine);
        let ledger = RunLedger {
            version: 1,
            plan: self.place.plan().to_owned(),
            name: self.plan.name.clone(),
            dataset: self.plan.dataset.clone(),
            recipe_hash: self.plan.recipe_hash.clone(),
            tamis: self.plan.tamis.clone(),
            input_files: self.plan.inputs.len() as u64,
            clean: sum(clean),
            emit: sum(emit),
            shards: emit.iter().flat_map(Commit::shards).map(|(lang, output)| shard(lang, output)).collect(),
            quarantine: set_aside.map(|output| output.name.clone()).collect(),
        };
        let total = ledger.total();
        if total.balanced() && ledger.clean.balanced() && ledger.emit.balanced() && ledger.clean.kept == ledger.emit.read {
            return Ok(ledger);
        }
        Err(JobError::Unbalanced { plan: ledger.plan, read: total.read, kept: total.kept, dropped: total.dropped_total() })
    }
}

fn shard(lang: &str, output: &Output) -> LedgerShard {
    LedgerShard { lang: lang.to_owned(), rows: output.rows, bytes: output.bytes, tokens: output.tokens }
}
