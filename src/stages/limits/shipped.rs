//! The limits by language that the house ships, from `shipped.tsv`: what each is, what was published, and where it comes from.
//!
//! One file for all rooms, a limit a line, so that it can be read, argued with and sorted. docs/quality.md says how the numbers were found.

use std::collections::BTreeMap;

/// Setting and tag to limit, of one room.
#[derive(Clone, Debug, Default)]
pub struct Shipped(BTreeMap<(String, String), f64>);

impl Shipped {
    /// The limits of `room`.
    #[must_use]
    pub fn of(room: &str) -> Shipped {
        Shipped::parse(include_str!("shipped.tsv"), room)
    }

    /// The lines of `table` that begin with `room`: room, setting, language, limit, and what is for people.
    pub(super) fn parse(table: &str, room: &str) -> Shipped {
        Shipped(table.lines().filter_map(|line| limit_in(line, room)).collect())
    }

    /// The limit `setting` of language `tag` itself.
    #[must_use]
    pub fn limit(&self, setting: &str, tag: &str) -> Option<f64> {
        self.0.get(&(setting.to_owned(), tag.to_owned())).copied()
    }

    /// The languages that have a limit of their own; some more than once.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|(_, tag)| tag.as_str())
    }
}

fn limit_in(line: &str, room: &str) -> Option<((String, String), f64)> {
    let mut fields = line.split('\t');
    let of_room = fields.next()? == room;
    let (setting, tag, limit) = (fields.next()?, fields.next()?, fields.next()?.parse().ok()?);
    of_room.then(|| ((setting.to_owned(), tag.to_owned()), limit))
}

#[cfg(test)]
mod tests {
    use crate::stages::RULED;
    use crate::stages::limits::Side;

    #[test]
    fn every_line_names_a_limit_of_a_room_says_where_it_comes_from_and_loosens_the_limit_for_all() {
        let mut lines = include_str!("shipped.tsv").lines();
        assert_eq!(lines.next(), Some("room\tsetting\tlanguage\tlimit\tpublished\torigin"));
        let mut seen = std::collections::BTreeSet::new();
        for line in lines {
            let fields: Vec<&str> = line.split('\t').collect();
            let [room, setting, tag, limit, published, origin] = fields[..] else { panic!("{line}") };
            assert!(seen.insert((room, setting, tag)), "twice: {line}");
            let (_, limits) = RULED.iter().find(|(ruled, _)| ruled.name == room).unwrap_or_else(|| panic!("no room of rules: {line}"));
            let limits = limits();
            let place = limits.rules().iter().position(|rule| rule.setting == setting).unwrap_or_else(|| panic!("no such limit: {line}"));
            let (own, base) = limits.limit(place, tag);
            assert!((f64::from(own) - limit.parse::<f64>().expect(line)).abs() < 1e-6, "{line}");
            assert!(published.parse::<f64>().is_ok() && origin.len() > 8, "{line}");
            match limits.rules()[place].side {
                Side::Above => assert!(own > base, "{line}"),
                Side::Below => assert!(own < base, "{line}"),
            }
        }
    }
}
