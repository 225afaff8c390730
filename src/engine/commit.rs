//! The commit record of a finished task: a pure function of plan and task, and the only thing that later tasks trust.

use serde::{Deserialize, Serialize};

use super::plan::TaskName;
use crate::ledger::tally::Tally;
use crate::sink::{Output, OutputKind};

/// What a finished task wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// The task.
    pub task: TaskName,
    /// Its files, sorted by name.
    pub outputs: Vec<Output>,
    /// What became of its documents.
    pub tally: Tally,
    /// The shards that stage `emit` will write; only stage `decide` fills it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layout: Vec<ShardPlan>,
    /// Files of the deduplication index that this task's own files stand in for; only stage `decide` fills it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<String>,
}

/// One shard to write: row groups of one language, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardPlan {
    /// BCP 47 tag.
    pub lang: String,
    /// Where its documents are.
    pub slices: Vec<Slice>,
}

/// Row groups of what one `clean` task left of documents: its file of places where it has one, else its file of documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// Number of the task.
    pub clean: u32,
    /// Numbers of row groups.
    pub groups: Vec<usize>,
}

impl Commit {
    /// The task's only output of a kind, if it wrote one.
    #[must_use]
    pub fn output(&self, kind: OutputKind) -> Option<&Output> {
        self.outputs.iter().find(|output| output.kind == kind)
    }
}

/// Packs the row groups of all `clean` tasks into shards of at most `shard_bytes_max` bytes of text, language by language in order of
/// tag, documents in order of input.
#[must_use]
pub fn lay_out(clean: &[Commit], shard_bytes_max: u64) -> Vec<ShardPlan> {
    let mut by_lang: std::collections::BTreeMap<&str, Vec<(u32, usize, u64)>> = std::collections::BTreeMap::new();
    for commit in clean {
        let documents = commit.output(OutputKind::Places).or_else(|| commit.output(OutputKind::Documents));
        let groups = documents.map_or(&[][..], |output| &output.groups);
        for (number, group) in groups.iter().enumerate() {
            by_lang.entry(&group.lang).or_default().push((commit.task.index, number, group.bytes));
        }
    }
    let mut shards = Vec::new();
    for (lang, groups) in by_lang {
        let mut room = 0;
        let mut open: Option<ShardPlan> = None;
        for (clean, group, bytes) in groups {
            if bytes > room {
                shards.extend(open.take());
                room = shard_bytes_max;
            }
            room = room.saturating_sub(bytes);
            let shard = open.get_or_insert_with(|| ShardPlan { lang: lang.to_owned(), slices: Vec::new() });
            match shard.slices.last_mut() {
                Some(slice) if slice.clean == clean => slice.groups.push(group),
                _ => shard.slices.push(Slice { clean, groups: vec![group] }),
            }
        }
        shards.extend(open);
    }
    shards
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::StageName;
    use crate::sink::RowGroup;

    fn commit(index: u32, groups: &[(&str, u64)]) -> Commit {
        let groups = groups.iter().map(|(lang, bytes)| RowGroup { lang: (*lang).to_owned(), rows: 1, bytes: *bytes }).collect();
        let output =
            Output { name: String::new(), kind: OutputKind::Documents, bytes: 0, rows: 0, tokens: 0, sha256: String::new(), groups };
        Commit {
            task: TaskName { stage: StageName::Clean, index },
            outputs: vec![output],
            tally: Tally::default(),
            layout: Vec::new(),
            retired: Vec::new(),
        }
    }

    #[test]
    fn shards_hold_one_language_up_to_their_size_in_order_of_input() {
        let shards = lay_out(&[commit(0, &[("fi", 6), ("et", 4), ("fi", 3)]), commit(1, &[("fi", 2)])], 10);
        let slice = |clean, groups: &[usize]| Slice { clean, groups: groups.to_vec() };
        assert_eq!(shards[0], ShardPlan { lang: "et".to_owned(), slices: vec![slice(0, &[1])] });
        assert_eq!(shards[1], ShardPlan { lang: "fi".to_owned(), slices: vec![slice(0, &[0, 2])] });
        assert_eq!(shards[2], ShardPlan { lang: "fi".to_owned(), slices: vec![slice(1, &[0])] });
    }

    #[test]
    fn a_row_group_larger_than_a_shard_is_a_shard_of_its_own() {
        assert_eq!(lay_out(&[commit(0, &[("mt", 50), ("mt", 50)])], 10).len(), 2);
    }
}
