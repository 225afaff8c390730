//! How much a plan will read and write, and how long that will take.
//!
//! Rates are those of one machine ([`MS_FIXED`] and so on); what takedowns of this workspace took, beside what was planned for them,
//! corrects them for another one.

use serde::{Deserialize, Serialize};

use super::apply::TakedownError;
use super::stores::{Holding, Store};
use super::survey::{Held, Survey};
use crate::ledger::manifest::Manifests;
use crate::ledger::receipt::Receipts;
use crate::sinks::splice;
use crate::store::StoreError;
use crate::workspace::Workspace;

/// ms for keys, list, manifest, receipt and the searches, where nothing is large.
const MS_FIXED: f64 = 60.0;
/// Bytes a ms of a shard or archive that is hashed, copied, hashed again and flushed.
const COPIED_PER_MS: f64 = 280_000.0;
/// Bytes a ms that are unpacked and packed again, with all that a touched row group costs: 1 000 documents in 24 shards, 113 MB, 5 s.
const ENCODED_PER_MS: f64 = 22_000.0;
/// Bytes a ms of the deduplication index.
const INDEX_PER_MS: f64 = 400_000.0;
/// Takedowns before that correct the estimate.
const BEFORE: usize = 5;

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
    /// ms that it would take on the machine of the rates.
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
                (Store::Shards | Store::Rejects, Holding::Rows(found)) => {
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
        let ms =
            MS_FIXED + effort.copied as f64 / COPIED_PER_MS + effort.encoded as f64 / ENCODED_PER_MS + effort.index as f64 / INDEX_PER_MS;
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
