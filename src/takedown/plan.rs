//! What a takedown will do, written down for a person to read and bound by a hash: that is what is carried out, or nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::all_cores::{Progress, for_each_file};
use super::apply::TakedownError;
use super::effort::Effort;
use super::find::{Alike, Found, Hit, find, scan, texts};
use super::request::{Request, Targets};
use super::stores::Store;
use super::survey::{Failure, Held, Survey, of_one_file, relative, survey};
use crate::ledger::manifest::Manifests;
use crate::release::record::{Part, is_link_of_published, part_of};
use crate::store::{self, StoreError};
use crate::text::host::registrable_domain;
use crate::workspace::Workspace;

/// Version of the format.
pub const VERSION: u32 = 1;

/// Share of all documents above which a plan is large.
const LARGE_SHARE: f64 = 0.001;

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakedownPlan {
    /// Version of this format.
    pub version: u32,
    /// What was asked.
    pub requests: Vec<Request>,
    /// Why: `gdpr-17`, `gdpr-21`, `copyright`, `court-order`, ..
    pub reason: String,
    /// The day on which the request came, YYYY-MM-DD.
    pub received: String,
    /// Number of the request in the register, if it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
    /// The last day on which it is kept out, YYYY-MM-DD; for good where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// What is meant.
    pub targets: Targets,
    /// The files that will change.
    pub files: Vec<PlannedFile>,
    /// Files that could not be searched: what they hold stays until they are mended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// What it costs.
    pub effort: Effort,
    /// Published documents that go, by host.
    pub hosts: BTreeMap<String, u64>,
    /// Published documents that go, by language.
    pub languages: BTreeMap<String, u64>,
    /// Published documents that go.
    pub documents: u64,
    /// Published documents in the workspace.
    pub documents_of: u64,
    /// SHA-256 of the plan with this field empty.
    pub hash: String,
}

/// A file that will change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFile {
    /// Where it belongs.
    pub store: Store,
    /// Path below the workspace.
    pub path: String,
    /// SHA-256 when it was planned, hex.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
    /// Documents, records or lines that go.
    pub count: u64,
    /// What runs know an archive by; empty for other files.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub etag: String,
}

/// Why and when something was asked.
#[derive(Clone, Debug)]
pub struct Grounds {
    /// Why.
    pub reason: String,
    /// The day on which the request came, YYYY-MM-DD.
    pub received: String,
    /// Its number in the register.
    pub request: Option<u64>,
    /// The last day on which it is kept out, YYYY-MM-DD; for good where there is none.
    pub expires: Option<String>,
}

/// Finds what `requests` mean: documents that are named, and such as are like texts or have words, with all captures of their addresses.
///
/// # Errors
/// When a request names nothing, or a store cannot be read.
pub fn find_targets(
    workspace: &Workspace,
    requests: &[Request],
    near_duplicates: bool,
    progress: Progress<'_>,
) -> Result<Targets, TakedownError> {
    let (mut targets, mut alike) = (Targets::default(), Alike::default());
    for request in requests {
        targets.add(request)?;
        match request {
            Request::Containing(words) => alike.add_words(words),
            Request::Text(text) => alike.add_text(text),
            _ => {}
        }
    }
    let mut first = search_documents(workspace, &targets, &alike, progress)?;
    if near_duplicates {
        first.texts(&mut alike)?;
        first = search_documents(workspace, &targets, &alike, progress)?;
    }
    let asked = targets.clone();
    let hits: Vec<&Hit> = first.0.iter().flat_map(|(_, found)| &found.hits).collect();
    hits.iter().for_each(|hit| targets.add_document(hit.id, &hit.url));
    // Other captures of addresses that are new among the targets have ids of their own, by which the index knows them.
    if hits.iter().any(|hit| !asked.has_url(&hit.url)) {
        let again = search_documents(workspace, &targets, &Alike::default(), progress)?;
        again.0.iter().flat_map(|(_, found)| &found.hits).for_each(|hit| targets.add_document(hit.id, &hit.url));
    }
    Ok(targets)
}

/// Documents of shards and rejects, file by file.
struct Documents(Vec<(PathBuf, Found)>);

impl Documents {
    fn texts(&self, alike: &mut Alike) -> Result<(), TakedownError> {
        for (path, found) in &self.0 {
            texts(path, &found.rows)?.iter().for_each(|text| alike.add_text(text));
        }
        Ok(())
    }
}

/// The documents of shards and rejects that are meant. What cannot be searched is told by the survey that follows.
fn search_documents(workspace: &Workspace, targets: &Targets, alike: &Alike, progress: Progress<'_>) -> Result<Documents, TakedownError> {
    let mut files = [Store::Shards.files(workspace)?, Store::Rejects.files(workspace)?].concat();
    files.extend(released_shards(workspace)?);
    let found = for_each_file(&files, progress, |path| {
        let found = if alike.is_empty() { find(workspace, path, targets) } else { scan(path, targets, alike) };
        found.map_err(TakedownError::from).or_else(|error| of_one_file(error).map(|_| Found::default()))
    })?;
    Ok(Documents(files.into_iter().zip(found).filter(|(_, found)| !found.hits.is_empty()).collect()))
}

/// Shards of releases that are not those that are published.
///
/// # Errors
/// When a folder cannot be read.
pub fn released_shards(workspace: &Workspace) -> Result<Vec<PathBuf>, TakedownError> {
    let mut shards = Vec::new();
    for path in Store::Releases.files(workspace)? {
        if part_of(workspace, &path)? == Part::Shard && !is_link_of_published(workspace, &path) {
            shards.push(path);
        }
    }
    Ok(shards)
}

impl TakedownPlan {
    /// Plans to erase `targets`; changes nothing.
    ///
    /// # Errors
    /// When a store cannot be read.
    pub fn make(workspace: &Workspace, requests: Vec<Request>, targets: Targets, grounds: Grounds) -> Result<TakedownPlan, TakedownError> {
        let manifests = Manifests::read(workspace)?;
        let survey = survey(workspace, &targets)?;
        let count = |key: fn(&Hit) -> &str| {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            survey.published().for_each(|hit| *counts.entry(key(hit).to_owned()).or_default() += 1);
            counts
        };
        let mut plan = TakedownPlan {
            version: VERSION,
            requests,
            reason: grounds.reason,
            received: grounds.received,
            request: grounds.request,
            expires: grounds.expires,
            files: planned_files(workspace, &survey)?,
            failures: survey.failures.clone(),
            effort: Effort::of(workspace, &survey)?,
            hosts: count(|hit| &hit.host),
            languages: count(|hit| &hit.lang),
            documents: survey.published().count() as u64,
            documents_of: manifests.datasets().iter().flat_map(|dataset| manifests.current(dataset)).map(|(_, file)| file.rows).sum(),
            targets,
            hash: String::new(),
        };
        plan.hash = plan.hash_now();
        Ok(plan)
    }

    /// Reads a plan and sees that nobody changed it.
    ///
    /// # Errors
    /// When it is no plan, or was changed.
    pub fn load(path: &Path) -> Result<TakedownPlan, TakedownError> {
        let bytes = std::fs::read(path).map_err(|error| StoreError::io(path, error))?;
        let plan: TakedownPlan =
            serde_json::from_slice(&bytes).map_err(|source| TakedownError::NoPlan { path: path.to_owned(), why: source.to_string() })?;
        if plan.version != VERSION {
            let why = format!("it has version {}, not {VERSION}", plan.version);
            return Err(TakedownError::NoPlan { path: path.to_owned(), why });
        }
        if plan.hash_now() != plan.hash {
            return Err(TakedownError::Tampered { path: path.to_owned() });
        }
        Ok(plan)
    }

    /// The plan's file.
    ///
    /// # Panics
    /// Never: a plan holds nothing that JSON cannot write.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("strings, numbers and lists are JSON");
        json.push(b'\n');
        json
    }

    fn hash_now(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(TakedownPlan { hash: String::new(), ..self.clone() }.to_json()))
    }

    /// Whether a person should look twice: much of the data set, or a whole domain.
    #[must_use]
    pub fn is_large(&self) -> bool {
        let share = self.documents as f64 / (self.documents_of as f64).max(1.0);
        share > LARGE_SHARE || self.requests.iter().any(|request| matches!(request, Request::Domain(_)))
    }

    /// Published documents that go, by registrable domain.
    #[must_use]
    pub fn domains(&self) -> BTreeMap<&str, u64> {
        let mut domains: BTreeMap<&str, u64> = BTreeMap::new();
        self.hosts.iter().for_each(|(host, count)| *domains.entry(registrable_domain(host)).or_default() += count);
        domains
    }
}

/// The files of `survey` with their hashes: of a shard the one that was published, of another file the one that it has now.
///
/// # Errors
/// When one cannot be read.
pub fn planned_files(workspace: &Workspace, survey: &Survey) -> Result<Vec<PlannedFile>, TakedownError> {
    let manifests = Manifests::read(workspace)?;
    let published = manifests.all_current();
    let plan = |held: &Held| {
        let (store, path) = (held.store, &held.path);
        let bytes = std::fs::metadata(path).map_err(|error| StoreError::io(path, error))?.len();
        let etag = match store {
            Store::Archives => crate::engine::plan::etag(path).map_err(|error| StoreError::io(path, error))?,
            _ => String::new(),
        };
        let relative = relative(workspace, path);
        let sha256 = match published.get(relative.as_str()) {
            Some(file) => file.sha256.clone(),
            None => store::sha256_file(path)?,
        };
        Ok(PlannedFile { store, path: relative, sha256, bytes, count: held.holding.count(), etag })
    };
    survey.holdings.iter().map(plan).collect()
}
