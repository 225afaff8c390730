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
    /// The shards that stage `emit` will write, task by task; only stage `decide` fills it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layout: Vec<Vec<ShardPlan>>,
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

/// Shards are written by one task as long as their texts together are no larger, and no larger than the input of a task may be. A task takes 4 ms beside
/// its work (docs/engines.md), as much as the writing of 100 kB of text, and small languages have no more; a task of this size is some seconds of work.
const TASK_TEXT_BYTES_MAX: u64 = 4 << 20;

impl Commit {
    /// The record of `task`, which wrote `outputs` and counted `tally`.
    #[must_use]
    pub fn new(task: TaskName, mut outputs: Vec<Output>, tally: Tally) -> Commit {
        outputs.sort_by(|a, b| a.name.cmp(&b.name));
        Commit { task, outputs, tally, layout: Vec::new(), retired: Vec::new() }
    }

    /// The shards that the task wrote, with their languages.
    pub fn shards(&self) -> impl Iterator<Item = (&str, &Output)> {
        let shards = self.outputs.iter().filter(|output| output.kind == OutputKind::Shard);
        shards.filter_map(|output| output.groups.first().map(|group| (group.lang.as_str(), output)))
    }

    /// The task's only output of a kind, if it wrote one.
    #[must_use]
    pub fn output(&self, kind: OutputKind) -> Option<&Output> {
        self.outputs.iter().find(|output| output.kind == kind)
    }
}

/// Packs the row groups of all `clean` tasks into shards of at most `shard_bytes_max` bytes of text, language by language in order of
/// tag, documents in order of input; and the shards into tasks, of which no input is larger than `task_bytes_max` unless it is one shard.
#[must_use]
pub fn lay_out(clean: &[Commit], shard_bytes_max: u64, task_bytes_max: u64) -> Vec<Vec<ShardPlan>> {
    let task_bytes_max = task_bytes_max.min(TASK_TEXT_BYTES_MAX);
    let (mut tasks, mut room) = (Vec::<Vec<ShardPlan>>::new(), 0);
    for (shard, bytes) in shards_of(clean, shard_bytes_max) {
        match tasks.last_mut().filter(|_| bytes <= room) {
            Some(task) => task.push(shard),
            None => {
                tasks.push(vec![shard]);
                room = task_bytes_max;
            }
        }
        room = room.saturating_sub(bytes);
    }
    tasks
}

/// The shards with their bytes of text.
fn shards_of(clean: &[Commit], shard_bytes_max: u64) -> Vec<(ShardPlan, u64)> {
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
        let mut open: Option<(ShardPlan, u64)> = None;
        for (clean, group, bytes) in groups {
            if bytes > room {
                shards.extend(open.take());
                room = shard_bytes_max;
            }
            room = room.saturating_sub(bytes);
            let (shard, shard_bytes) = open.get_or_insert_with(|| (ShardPlan { lang: lang.to_owned(), slices: Vec::new() }, 0));
            *shard_bytes += bytes;
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
        Commit::new(TaskName { stage: StageName::Clean, index }, vec![output], Tally::default())
    }

    #[test]
    fn shards_hold_one_language_up_to_their_size_in_order_of_input() {
        let shards = lay_out(&[commit(0, &[("fi", 6), ("et", 4), ("fi", 3)]), commit(1, &[("fi", 2)])], 10, 10).concat();
        let slice = |clean, groups: &[usize]| Slice { clean, groups: groups.to_vec() };
        assert_eq!(shards[0], ShardPlan { lang: "et".to_owned(), slices: vec![slice(0, &[1])] });
        assert_eq!(shards[1], ShardPlan { lang: "fi".to_owned(), slices: vec![slice(0, &[0, 2])] });
        assert_eq!(shards[2], ShardPlan { lang: "fi".to_owned(), slices: vec![slice(1, &[0])] });
    }

    #[test]
    fn a_row_group_larger_than_a_shard_is_a_shard_of_its_own() {
        assert_eq!(lay_out(&[commit(0, &[("mt", 50), ("mt", 50)])], 10, 10).concat().len(), 2);
    }

    #[test]
    fn small_shards_share_a_task_and_large_ones_have_their_own() {
        let (small, large) = (TASK_TEXT_BYTES_MAX / 2, 3 * TASK_TEXT_BYTES_MAX);
        let clean = [commit(0, &[("bg", small), ("cs", small), ("da", small), ("de", large), ("et", 1), ("fi", small)])];
        let langs = |task_bytes_max| -> Vec<String> {
            let tasks = lay_out(&clean, large, task_bytes_max);
            tasks.iter().map(|task| task.iter().map(|shard| shard.lang.as_str()).collect::<Vec<_>>().join(" ")).collect()
        };
        assert_eq!(langs(4 << 30), ["bg cs", "da", "de", "et fi"]);
        assert_eq!(langs(small), ["bg", "cs", "da", "de", "et", "fi"], "a task's input may not be larger");
    }
}
