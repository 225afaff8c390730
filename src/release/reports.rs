//! The reports inside a release: each a pure function of its shards, of what the workspace knows of its runs, and of what the publisher says.

use super::ReleaseError;
use crate::publish::facts::Facts;
use crate::publish::set::{Set, Version};
use crate::publish::{ai_act, card, croissant, datasheet};
use crate::workspace::Workspace;

/// All reports of `version`, by name, in order.
pub(super) fn make(workspace: &Workspace, version: Version, facts: Facts) -> Result<Vec<(&'static str, String)>, ReleaseError> {
    let set = Set::open(workspace, version, facts)?;
    let (counts, facts) = (&set.counts, &set.facts);
    let summary = ai_act::page(counts, &set.removed, facts);
    let (read, dropped) = set.dropped();
    let sheet = datasheet::page(counts, facts, read, &dropped);
    Ok(vec![
        ("README.md", card::markdown(counts, facts, &format!("data/{}", set.version.dataset))),
        ("ai-act.html", summary.html()),
        ("ai-act.json", pretty(&summary)),
        ("ai-act.md", summary.markdown()),
        ("croissant.json", pretty(&croissant::describe(counts, facts, &set.version.files, ""))),
        ("datasheet.html", sheet.html()),
        ("datasheet.md", sheet.markdown()),
    ])
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("strings, numbers and lists are JSON") + "\n"
}
