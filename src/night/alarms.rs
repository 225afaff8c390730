//! What a person must see in the morning: tonight's counts against the median of the nights before, with where to look.
//!
//! Shares and not counts are compared where a busy night has more of everything. What was always rare raises nothing: a threshold in
//! documents stands before each factor.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::record::{Record, State};
use super::settings::Alarm;
use crate::ledger::tally::Tally;

/// An alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raised {
    /// Which rule: a word that stays the same.
    pub rule: String,
    /// What it is about: a language, a reason; empty for the whole night.
    pub about: String,
    /// The value of tonight.
    pub tonight: f64,
    /// What it is compared with.
    pub before: f64,
    /// The same in words.
    pub says: String,
    /// Where to look.
    pub look: String,
}

/// All rules, for the documentation and the metrics.
pub const RULES: &[(&str, &str)] = &[
    ("not-done", "The night is not done: stopped by time, disk or an error."),
    ("list-left", "The list of a repository was not read to its end, and not for the set limit."),
    ("deleted-waits", "Repositories have deleted what is still here."),
    ("nothing-read", "No document was read, though earlier nights read some."),
    ("nothing-fetched", "The crawl kept no page, though earlier nights kept some."),
    ("crawl-fell", "The crawl kept less than the set share of its median."),
    ("language-fell", "A language has less than the set share of its median."),
    ("reason-grew", "The share of a drop reason grew by more than the set factor."),
    ("optouts-grew", "The share of pages that owners reserve grew by more than the set factor."),
    ("set-aside", "More documents or parts of inputs were set aside than the set share."),
];

fn raised(rule: &str, about: &str, (tonight, before): (f64, f64), says: String, look: &str) -> Raised {
    Raised { rule: rule.to_owned(), about: about.to_owned(), tonight, before, says, look: look.to_owned() }
}

/// What must be seen of `night`, compared with `before`: done nights, newest first.
#[must_use]
pub fn alarms(night: &Record, before: &[&Record], limits: &Alarm) -> Vec<Raised> {
    let mut all = Vec::new();
    if night.state != State::Done {
        let says = format!("the night is {} ({})", night.state.word(), night.why);
        all.push(raised("not-done", &night.why, (0.0, 0.0), says, look_at_why(&night.why)));
    }
    harvest(night, &mut all);
    let before: Vec<&Record> = before.iter().copied().take(limits.nights).collect();
    if before.is_empty() {
        return all;
    }
    crawl(night, &before, limits, &mut all);
    // A night that is not done has counted a part only; what fell in it says nothing.
    if night.state == State::Done {
        documents(night, &before, limits, &mut all);
    }
    let read = night.tally.read.max(1) as f64;
    let set_aside = night.tally.quarantined + night.tally.damages;
    if set_aside as f64 / read > limits.set_aside_max && set_aside > 0 {
        let share = set_aside as f64 / read;
        let says = format!("{set_aside} documents or parts of inputs were set aside");
        all.push(raised(
            "set-aside",
            "",
            (share, limits.set_aside_max),
            says,
            "_tamis/quarantine/ lists each with its file and what went wrong",
        ));
    }
    all
}

fn look_at_why(why: &str) -> &'static str {
    match why {
        "time" => "the next night goes on; if it happens each night, give it more time (minutes_max) or less to do",
        "disk" => "make room, or let [keep] remove more; the next night goes on",
        "stopped" => "somebody or the system stopped it; the same command goes on",
        _ => "the last lines of the night's log in _tamis/logs/, and `tamis doctor`",
    }
}

fn harvest(night: &Record, all: &mut Vec<Raised>) {
    let Some(counts) = &night.harvest else { return };
    if counts.lists_left > 0 {
        let says = format!("{} lists of repositories were not read to their end", counts.lists_left);
        let look = "`tamis harvest` with the same recipe and date goes on with them, and says why each was left";
        all.push(raised("list-left", "", (counts.lists_left as f64, 0.0), says, look));
    }
    if counts.deleted_waiting > 0 {
        let says = format!("{} addresses that their repositories have deleted are still here", counts.deleted_waiting);
        let look = "`tamis harvest --takedown-plan FILE` plans to erase them; review it, then `tamis takedown apply`";
        all.push(raised("deleted-waits", "", (counts.deleted_waiting as f64, 0.0), says, look));
    }
}

fn crawl(night: &Record, before: &[&Record], limits: &Alarm, all: &mut Vec<Raised>) {
    let Some(counts) = &night.crawl else { return };
    let usual = median(before.iter().filter_map(|record| Some(record.crawl.as_ref()?.pages as f64)).collect());
    let pages = counts.pages as f64;
    let look = "whether the sites and the network are up: tamis_crawl_answers_total by class, and what the crawl refused most";
    if pages == 0.0 && usual >= 1.0 {
        all.push(raised("nothing-fetched", "", (pages, usual), format!("the crawl kept no page; usual are {usual:.0}"), look));
    } else if usual >= limits.documents_min as f64 && pages < usual * limits.fall_to {
        all.push(raised("crawl-fell", "", (pages, usual), format!("the crawl kept {pages:.0} pages; usual are {usual:.0}"), look));
    }
    let asked = |record: &Record| {
        let crawl = record.crawl.as_ref()?;
        let reserved: u64 = crawl.refused.iter().filter(|(why, _)| why.starts_with("reserved")).map(|(_, count)| count).sum();
        Some((reserved as f64, reserved as f64 / (crawl.pages + reserved).max(1) as f64))
    };
    let (reserved, share) = asked(night).unwrap_or_default();
    let usual = median(before.iter().filter_map(|record| asked(record).map(|(_, share)| share)).collect());
    optouts("crawl", reserved, (share, usual), limits, all);
}

fn optouts(about: &str, count: f64, (share, usual): (f64, f64), limits: &Alarm, all: &mut Vec<Raised>) {
    if count >= limits.documents_min as f64 && share > usual * limits.optout_grows {
        let says = format!("{:.1} % are reserved by their owners; usual are {:.1} %", share * 100.0, usual * 100.0);
        let look = "`tamis optout explain` on tonight's archives; `tamis optout recheck` for what earlier nights published";
        all.push(raised("optouts-grew", about, (share, usual), says, look));
    }
}

fn documents(night: &Record, before: &[&Record], limits: &Alarm, all: &mut Vec<Raised>) {
    let tally = &night.tally;
    let usual = median(before.iter().map(|record| record.tally.read as f64).collect());
    if tally.read == 0 {
        if usual >= 1.0 {
            let says = format!("no document was read; usual are {usual:.0}");
            all.push(raised("nothing-read", "", (0.0, usual), says, "whether new archives came, and what the crawl says"));
        }
        return;
    }
    // Nights without any input are no measure of what a night brings.
    let before: Vec<&Tally> = before.iter().map(|record| &record.tally).filter(|tally| tally.read > 0).collect();
    let langs: BTreeSet<&String> = before.iter().flat_map(|tally| tally.languages.keys()).collect();
    for lang in langs {
        let of = |tally: &Tally| tally.languages.get(lang).map_or(0, |share| share.documents) as f64;
        let (tonight, usual) = (of(tally), median(before.iter().map(|tally| of(tally)).collect()));
        if usual >= limits.documents_min as f64 && tonight < usual * limits.fall_to {
            let says = format!("{tonight:.0} documents in `{lang}`; usual are {usual:.0}");
            let look = "the night's report by reason, and `tamis inspect DATASET sql` over rejects of that language";
            all.push(raised("language-fell", lang, (tonight, usual), says, look));
        }
    }
    for (stage, reasons) in &tally.dropped {
        for (reason, count) in reasons {
            let share = |tally: &Tally| {
                let count = tally.dropped.get(stage).and_then(|reasons| reasons.get(reason)).copied().unwrap_or(0);
                count as f64 / tally.read.max(1) as f64
            };
            let (tonight, usual) = (share(tally), median(before.iter().map(|tally| share(tally)).collect()));
            if stage == "optout" {
                optouts(&format!("{stage}/{reason}"), *count as f64, (tonight, usual), limits, all);
            } else if *count >= limits.documents_min && tonight > usual * limits.reason_grows {
                let says = format!("`{stage}/{reason}` dropped {:.1} %; usual are {:.1} %", tonight * 100.0, usual * 100.0);
                let look = "some of them: `tamis inspect DATASET sql \"select url, finding from rejects where reason = '..'\"`; has a big site changed its pages?";
                all.push(raised("reason-grew", &format!("{stage}/{reason}"), (tonight, usual), says, look));
            }
        }
    }
}

/// The middle of `values`; of an even number the mean of the two in the middle; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tally::Share;
    use crate::night::record::{CrawlCounts, HarvestCounts};

    fn night(read: u64, langs: &[(&str, u64)], dropped: &[(&str, &str, u64)]) -> Record {
        let mut tally = Tally { read, ..Tally::default() };
        for (lang, documents) in langs {
            tally.languages.insert((*lang).to_owned(), Share { documents: *documents, ..Share::default() });
        }
        for (stage, reason, count) in dropped {
            tally.dropped.entry((*stage).to_owned()).or_default().insert((*reason).to_owned(), *count);
        }
        Record { state: State::Done, tally, ..Record::default() }
    }

    #[track_caller]
    fn check(tonight: &Record, before: &[Record], expected: &[(&str, &str)]) {
        let found = alarms(tonight, &before.iter().collect::<Vec<_>>(), &Alarm::default());
        let found: Vec<_> = found.iter().map(|alarm| (alarm.rule.as_str(), alarm.about.as_str())).collect();
        assert_eq!(found, expected);
        assert!(found.iter().all(|(rule, _)| RULES.iter().any(|(known, _)| known == rule)));
    }

    #[test]
    fn a_night_like_the_others_raises_nothing_and_the_first_one_neither() {
        let usual = || night(1_000, &[("fi", 400), ("mt", 30)], &[("extract", "no-text", 100)]);
        check(&usual(), &[usual(), usual(), usual()], &[]);
        check(&night(1_000, &[("fi", 210)], &[("extract", "no-text", 290)]), &[usual(), usual()], &[]);
        check(&night(1_000, &[], &[("extract", "no-text", 1_000)]), &[], &[]);
    }

    #[test]
    fn a_language_that_falls_and_a_reason_that_grows_are_named() {
        let usual = || night(1_000, &[("fi", 400), ("sv", 60)], &[("extract", "no-text", 100)]);
        let before = [usual(), night(10, &[("fi", 1)], &[]), usual()];
        check(&night(1_000, &[("fi", 199), ("sv", 60)], &[]), &before, &[("language-fell", "fi")]);
        check(
            &night(1_000, &[("fi", 400), ("sv", 29)], &[("extract", "no-text", 301)]),
            &before,
            &[("language-fell", "sv"), ("reason-grew", "extract/no-text")],
        );
        check(&night(2_000, &[("fi", 400), ("sv", 60)], &[("langid", "unsure", 49)]), &before, &[]);
        check(&night(2_000, &[("fi", 400), ("sv", 60)], &[("langid", "unsure", 50)]), &before, &[("reason-grew", "langid/unsure")]);
    }

    #[test]
    fn silence_optouts_and_an_end_before_its_time_are_told() {
        let usual = || Record {
            crawl: Some(CrawlCounts { pages: 800, ..CrawlCounts::default() }),
            ..night(800, &[], &[("optout", "reserved", 40)])
        };
        let down = Record { crawl: Some(CrawlCounts::default()), ..night(0, &[], &[]) };
        check(&down, &[usual(), usual()], &[("nothing-fetched", ""), ("nothing-read", "")]);
        let refused = [("reserved-robots".to_owned(), 200)].into();
        let jumped = Record {
            crawl: Some(CrawlCounts { pages: 700, refused, ..CrawlCounts::default() }),
            ..night(800, &[], &[("optout", "reserved", 90)])
        };
        check(&jumped, &[usual(), usual()], &[("optouts-grew", "crawl"), ("optouts-grew", "optout/reserved")]);
        let left = HarvestCounts { lists_left: 1, deleted_waiting: 2, ..HarvestCounts::default() };
        let harvested = |counts| Record { harvest: Some(counts), ..night(800, &[], &[]) };
        check(&harvested(left), &[], &[("list-left", ""), ("deleted-waits", "")]);
        check(&harvested(HarvestCounts { records: 9, ..HarvestCounts::default() }), &[usual()], &[]);
        let late = Record { state: State::Unfinished, why: "time".to_owned(), ..night(10, &[], &[]) };
        check(&late, &[usual()], &[("not-done", "time")]);
        let mut broken = night(1_000, &[], &[]);
        broken.tally.damages = 11;
        check(&broken, &[usual()], &[("set-aside", "")]);
    }
}
