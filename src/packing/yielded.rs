//! Documents that repeat another data set which goes before this one: both were published, and only the other one's shall be trained on.
//!
//! A night never takes back what an earlier one published, so edited texts that came after their copies on the web win here. What repeats what is
//! told by the two deduplication indexes, without any text.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::PackError;
use super::mixture::Mixture;
use crate::dedup::index::{Index, RunFiles};
use crate::dedup::overlap::{Overlap, repeated};
use crate::doc::DocId;
use crate::ledger::manifest::Manifests;

/// Memory for finding what repeats.
const BUFFER_BYTES: usize = 128 << 20;

/// A data set that goes before the packed one, as the record names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Yielded {
    /// The data set.
    pub dataset: String,
    /// Number of its newest manifest.
    pub manifest: u64,
    /// Documents that repeat it and were left out.
    pub documents: u64,
}

/// The documents that are left out, each with the place of the data set that it repeats.
#[derive(Debug, Default)]
pub(super) struct Yields {
    ids: BTreeMap<DocId, usize>,
    pub(super) to: Vec<Yielded>,
}

impl Yields {
    /// The data sets that `mixture` names in their present states, without looking for anything.
    pub(super) fn named(manifests: &Manifests, mixture: Option<&Mixture>) -> Vec<Yielded> {
        let newest = |dataset: &str| manifests.of_dataset(dataset).last().map_or(0, |manifest| manifest.number);
        let names = mixture.map_or(&[][..], |mixture| &mixture.yield_to);
        names.iter().map(|dataset| Yielded { dataset: dataset.clone(), manifest: newest(dataset), documents: 0 }).collect()
    }

    /// Finds which documents of `dataset` repeat one of the data sets that `mixture` names. Temporary files lie in `folder`.
    pub(super) fn find(manifests: &Manifests, dataset: &str, mixture: Option<&Mixture>, folder: &Path) -> Result<Yields, PackError> {
        let mut yields = Yields { ids: BTreeMap::new(), to: Yields::named(manifests, mixture) };
        let Some(mixture) = mixture.filter(|mixture| !mixture.yield_to.is_empty()) else { return Ok(yields) };
        let own = Index::open_any(&runs(manifests, dataset)?)?;
        let Some((scheme, _)) = own.scheme() else { return Ok(yields) };
        for (place, other) in mixture.yield_to.iter().enumerate() {
            if other == dataset {
                return Err(PackError::YieldsToItself { dataset: dataset.to_owned() });
            }
            let other = Index::open_other(other, &runs(manifests, other)?, scheme)?;
            let overlap = Overlap { jaccard_min: mixture.jaccard_min, folder, buffer_bytes: BUFFER_BYTES };
            for id in repeated(&own, &other, overlap)? {
                yields.ids.entry(id).or_insert(place);
            }
        }
        Ok(yields)
    }

    /// Counts the document if it is left out.
    pub(super) fn takes(&mut self, id: DocId) -> bool {
        let Some(place) = self.ids.get(&id) else { return false };
        self.to[*place].documents += 1;
        true
    }
}

/// The index of a data set as it is now.
fn runs(manifests: &Manifests, dataset: &str) -> Result<Vec<RunFiles>, PackError> {
    let paths: Vec<_> = manifests.index_of(dataset).into_iter().map(|file| manifests.workspace().root().join(&file.path)).collect();
    match RunFiles::all(&paths) {
        runs if runs.is_empty() => Err(PackError::NoIndex { dataset: dataset.to_owned() }),
        runs => Ok(runs),
    }
}
