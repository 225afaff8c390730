//! The index of a data set, for `tamis dedup --against`: it says how texts are signed, and flags that say otherwise are refused.

use std::num::NonZeroU32;
use std::path::Path;

use anyhow::Context;

use super::DedupArgs;
use crate::dedup::index::Index;
use crate::dedup::normalise::NORMALISATION;
use crate::dedup::settings::{DedupSettings, Near};
use crate::passes::index_runs;
use crate::workspace::Workspace;

/// Opens the index that `path` leads to, and tells the settings that it was made with.
pub(super) fn open(path: &Path, args: &DedupArgs) -> anyhow::Result<(Index, DedupSettings)> {
    let (workspace, dataset) = Workspace::of_index(path)?;
    let index = Index::open_any(&index_runs(&workspace, &dataset)?)?;
    let name = path.display();
    let (scheme, exact) = index.scheme().with_context(|| {
        format!("`{name}` has no index: its runs were made with dedup.remember=false, or none was finished; leave --against out")
    })?;
    let near = Near::with_banding(scheme.banding).filter(|_| scheme.normalisation == NORMALISATION);
    let (Some(near), Some(shingle_words)) = (near, NonZeroU32::new(scheme.shingle_words)) else {
        anyhow::bail!("the index of `{name}` ({scheme}) was made by another version of tamis; use that version");
    };
    let told = args.near.is_none_or(|given| given == near) && args.shingle_words.is_none_or(|given| given == shingle_words);
    anyhow::ensure!(told, "the index of `{name}` was made with {scheme}; leave --near and --shingle-words out");
    let given = args.settings();
    Ok((index, DedupSettings { near, shingle_words, exact, seed: scheme.seed, ..given }))
}
