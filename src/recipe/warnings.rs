//! What a recipe may say and yet may not mean.

use super::{House, Placed};
use crate::dedup::settings::{DedupSettings, Near};
use crate::stage::{Field, Room};

/// The warnings of a sound recipe. `after_clean` is what documents have at the end of clean.
pub(super) fn of(after_clean: &[Field], clean: &[Placed], emit: &[Placed], dedup: &DedupSettings, house: &House) -> Vec<String> {
    let mut warnings = Vec::new();
    if !after_clean.contains(&Field::Lang) {
        let stated = "no stage finds languages, so documents go to the one that their source states for them, as wikis, archives and columns that are named so do";
        warnings.push(format!("{stated}, and all others to lang=und; add `langid` to [[clean]]"));
    }
    if !emit.iter().any(|placed| placed.room.gives.contains(&Field::Tokens)) {
        warnings.push("no stage makes token ids, so shards hold text only; add `tokenize` to [[emit]]".to_owned());
    }
    if !dedup.exact && dedup.near == Near::Off {
        warnings.push("[dedup] is off, so copies stay in the data".to_owned());
    }
    let cleans = |fits: fn(&Room) -> bool| clean.iter().any(|placed| fits(placed.room));
    if house.stage("optout").is_some() && cleans(|room| room.gives.contains(&Field::Text)) && !cleans(|room| room.name == "optout") {
        warnings.push(
            "stage `optout` is missing, so pages whose owners reserved them are not dropped; add it before text is taken out".to_owned(),
        );
    }
    warnings.extend(clean.iter().chain(emit).filter_map(Placed::warning));
    warnings
}
