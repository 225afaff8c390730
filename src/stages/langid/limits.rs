//! The least score of each language, from `thresholds.tsv`, which says how each was found.

/// Tag and least score.
pub(super) struct Limits(Vec<(&'static str, f32)>);

/// For languages that the table does not know: those that their script names.
const OTHERWISE: f32 = 0.4;

impl Limits {
    /// The table in the binary.
    pub(super) fn embedded() -> Limits {
        Limits(include_str!("thresholds.tsv").lines().skip(1).filter_map(row).collect())
    }

    /// The least score that a label `tag` needs.
    pub(super) fn of(&self, tag: &str) -> f32 {
        self.0.iter().find(|(known, _)| *known == tag).map_or(OTHERWISE, |(_, limit)| *limit)
    }
}

fn row(line: &'static str) -> Option<(&'static str, f32)> {
    let mut fields = line.split('\t');
    Some((fields.next()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_holds_a_tag_and_a_score() {
        let limits = Limits::embedded();
        assert_eq!(limits.0.len() + 1, include_str!("thresholds.tsv").lines().count());
        assert!(limits.0.iter().all(|(tag, limit)| !tag.is_empty() && (0.0..=1.0).contains(limit)));
    }

    #[test]
    fn every_language_of_the_list_can_be_stated_by_a_source() {
        for tag in include_str!("thresholds.tsv").lines().skip(1).filter_map(|line| line.split('\t').next()) {
            assert_eq!(crate::text::language::stated(tag, "abc"), Some(tag));
        }
    }
}
