//! How much a plan will read and write, and how long that will take.
//!
//! What a byte costs is measured where the plan is made ([`Rates::measured`]), for machines and disks differ by more than the estimate may;
//! what takedowns of this workspace took, beside what was planned for them, corrects the rest.

use std::fs::File;
use std::io::Write;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::apply::TakedownError;
use super::stores::{Holding, Store};
use super::survey::{Held, Survey};
use crate::ledger::manifest::Manifests;
use crate::ledger::receipt::Receipts;
use crate::release::record::is_link_of_published;
use crate::sinks::splice;
use crate::store::StoreError;
use crate::workspace::Workspace;

/// ms for keys, list, manifest, receipt and the searches, where nothing is large.
const MS_FIXED: f64 = 60.0;
/// What hashing a byte with SHA-256 and writing one took, in ns, on the machine of the other numbers.
const USUAL: Rates = Rates { hash: 0.55, write: 0.9 };
/// How much more a byte of a long file takes to write than one of a short file: its pages are new to the system's cache.
const LONGER: f64 = 2.2;
/// ns to read a byte that lies in memory, on that machine.
const READ: f64 = 0.2;
/// ns for a byte that is unpacked and packed again, with all that a touched row group costs, on that machine: 1,000 documents in 10
/// shards, 186 MB.
const ENCODE: f64 = 45.0;
/// Files of the deduplication index that are written at a time.
const INDEX_AT_ONCE: f64 = 2.0;
/// Bytes that are hashed to see how fast that is; twice as many are written.
const PROBE_BYTES: usize = 4 << 20;
/// Takedowns before that correct the estimate.
const BEFORE: usize = 5;

/// What a byte costs on this machine, in ns.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rates {
    hash: f64,
    write: f64,
}

impl Rates {
    /// What it costs here and now: some MiB are hashed, and written into the workspace's staging and flushed. What cannot be measured is the usual.
    fn measured(workspace: &Workspace) -> Rates {
        let bytes = vec![0x5a; PROBE_BYTES];
        let ns_a_byte = |clock: Instant, bytes: usize| clock.elapsed().as_nanos() as f64 / bytes as f64;
        let clock = Instant::now();
        std::hint::black_box(Sha256::digest(&bytes));
        let hash = ns_a_byte(clock, PROBE_BYTES);
        let path = workspace.staging(&format!("probe-{}", std::process::id()));
        let written = File::create(&path).and_then(|mut file| {
            let clock = Instant::now();
            file.write_all(&bytes)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            Ok(ns_a_byte(clock, 2 * PROBE_BYTES))
        });
        // Nothing of it lasts; a file that could not be made cannot be removed either.
        let _ = std::fs::remove_file(&path);
        Rates { hash, write: written.unwrap_or(USUAL.write) }
    }

    /// ms for `effort`.
    fn ms(self, effort: &Effort) -> f64 {
        let slower = self.hash / USUAL.hash;
        let write = LONGER * self.write;
        let copied = effort.copied as f64 * (2.0 * self.hash + READ * slower + write);
        let encoded = effort.encoded as f64 * ENCODE * slower;
        let index = effort.index as f64 * (self.hash + READ * slower + write) / INDEX_AT_ONCE;
        MS_FIXED + (copied + encoded + index) / 1e6
    }
}

/// What a plan costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effort {
    /// Bytes that are read and written as they are.
    pub copied: u64,
    /// Bytes of them that are encoded anew.
    pub encoded: u64,
    /// Bytes of the deduplication index.
    pub index: u64,
    /// ms that it would take by the rates.
    pub rated_ms: u64,
    /// ms that it will take here, about.
    pub ms: u64,
}

impl Effort {
    /// The effort to erase what `survey` found.
    ///
    /// # Errors
    /// When a file cannot be looked at.
    pub fn of(workspace: &Workspace, survey: &Survey) -> Result<Effort, TakedownError> {
        let mut effort = Effort::default();
        for Held { store, path, holding } in &survey.holdings {
            match (store, holding) {
                // It gets the file that is made for the published one.
                (Store::Releases, _) if is_link_of_published(workspace, path) => {}
                (Store::Shards | Store::Rejects | Store::Releases, Holding::Rows(found)) => {
                    let of_file = splice::effort(path, &found.rows)?;
                    effort.copied += of_file.copied;
                    effort.encoded += of_file.encoded;
                }
                (_, Holding::Whole) => {}
                _ => effort.copied += std::fs::metadata(path).map_err(|error| StoreError::io(path, error))?.len(),
            }
        }
        let manifests = Manifests::read(workspace)?;
        if survey.published().next().is_some() {
            let index = manifests.datasets().into_iter().flat_map(|dataset| manifests.index_of(dataset));
            effort.index = index.map(|file| file.bytes).sum();
        }
        let ms = Rates::measured(workspace).ms(&effort);
        effort.rated_ms = ms.round() as u64;
        effort.ms = (ms * correction(&Receipts::open(workspace)?)).round() as u64;
        Ok(effort)
    }
}

/// The middle ratio of what the last takedowns took to what was planned for them.
fn correction(receipts: &Receipts) -> f64 {
    let planned = receipts.all().iter().rev().filter(|receipt| receipt.rated_ms > 0).take(BEFORE);
    let mut ratios: Vec<f64> = planned.map(|receipt| receipt.took_ms as f64 / receipt.rated_ms as f64).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(1.0).clamp(0.1, 10.0)
}
