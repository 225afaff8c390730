//! The night as a file for Prometheus' node exporter, written when it ends. The list of its metrics is the one in the documentation; the
//! crawl has a file of its own while it goes on ([`crate::crawl`]). Numbers, languages and reasons; no name of a host, page or person.

use std::fmt::Write as _;

use super::record::{Record, State};

/// Name, type and meaning of every metric.
pub const METRICS: &[(&str, &str, &str)] = &[
    ("tamis_night_info", "gauge", "The night that was last begun, with its state and the version."),
    ("tamis_night_done", "gauge", "1 if it is done, else 0."),
    ("tamis_night_ended_timestamp_seconds", "gauge", "When it ended."),
    ("tamis_night_last_done_timestamp_seconds", "gauge", "When the last night that is done ended."),
    ("tamis_night_seconds", "gauge", "How long it took, all tries together."),
    ("tamis_night_tries", "gauge", "How often it was begun."),
    ("tamis_night_input_bytes", "gauge", "Bytes of input that it read."),
    ("tamis_night_documents_read", "gauge", "Documents that it read."),
    ("tamis_night_documents_kept", "gauge", "Documents that it published."),
    ("tamis_night_documents_dropped", "gauge", "Documents that fell, by stage and reason."),
    ("tamis_night_language_documents", "gauge", "Documents that it published, by language."),
    ("tamis_night_language_tokens", "gauge", "Token ids that it published, by language."),
    ("tamis_night_set_aside", "gauge", "Documents and parts of inputs that were set aside."),
    ("tamis_night_pages", "gauge", "Pages that its crawl kept."),
    ("tamis_night_refused", "gauge", "What its crawl did not ask for or keep, by reason."),
    ("tamis_night_records", "gauge", "New records that its harvest kept."),
    ("tamis_night_lists_left", "gauge", "Lists of repositories that its harvest did not read to their end."),
    ("tamis_night_removed_bytes", "gauge", "Bytes that retention removed."),
    ("tamis_night_free_bytes", "gauge", "Room on the disk of the workspace at its end."),
    ("tamis_night_alarms", "gauge", "Alarms, by rule."),
    ("tamis_night_told", "gauge", "1 where it could be told, 0 where not, by way."),
];

/// A label's value as the format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Seconds since 1970 of a moment as records have it; 0 where there is none.
fn seconds_of(moment: &str) -> f64 {
    moment.parse::<jiff::Timestamp>().map_or(0.0, |moment| moment.as_second() as f64)
}

/// The lines of one metric: labels, and the value.
pub type Lines = Vec<(Vec<(&'static str, String)>, f64)>;

/// A page in Prometheus' text format 0.0.4.
#[derive(Default)]
pub struct Page(String);

impl Page {
    /// Adds a metric by name, type and meaning; one without lines is left out.
    pub fn series(&mut self, (name, kind, help): (&str, &str, &str), lines: &Lines) {
        if lines.is_empty() {
            return;
        }
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in lines {
            let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }

    /// The page.
    #[must_use]
    pub fn text(self) -> String {
        self.0
    }
}

/// The counts of nights, each of a data set of its own, with the last night of that data set that is done.
#[must_use]
pub fn text(nights: &[(&Record, Option<&Record>)]) -> String {
    let mut page = Page::default();
    for (name, kind, help) in METRICS {
        let mut all = Lines::new();
        for (record, last_done) in nights {
            let of_night = lines(name, record, *last_done).into_iter();
            all.extend(of_night.map(|(labels, value)| ([vec![("dataset", record.dataset.clone())], labels].concat(), value)));
        }
        page.series((name, kind, help), &all);
    }
    page.text()
}

fn lines(name: &str, record: &Record, last_done: Option<&Record>) -> Lines {
    let one = |value: f64| vec![(Vec::new(), value)];
    let tally = &record.tally;
    let by_language = |count: fn(&crate::ledger::tally::Share) -> u64| {
        tally.languages.iter().map(|(lang, share)| (vec![("lang", lang.clone())], count(share) as f64)).collect()
    };
    match name {
        "tamis_night_info" => {
            let labels = vec![
                ("night", record.date.clone()),
                ("state", record.state.word().to_owned()),
                ("why", record.why.clone()),
                ("version", record.tamis.clone()),
            ];
            vec![(labels, 1.0)]
        }
        "tamis_night_done" => one(f64::from(u8::from(record.state == State::Done))),
        "tamis_night_ended_timestamp_seconds" => one(seconds_of(&record.ended)),
        "tamis_night_last_done_timestamp_seconds" => last_done.map_or_else(Vec::new, |done| one(seconds_of(&done.ended))),
        "tamis_night_seconds" => one(record.seconds),
        "tamis_night_tries" => one(f64::from(record.tries)),
        "tamis_night_input_bytes" => one(tally.input_bytes as f64),
        "tamis_night_documents_read" => one(tally.read as f64),
        "tamis_night_documents_kept" => one(tally.kept as f64),
        "tamis_night_documents_dropped" => {
            let reasons =
                tally.dropped.iter().flat_map(|(stage, reasons)| reasons.iter().map(move |(reason, count)| (stage, reason, count)));
            reasons.map(|(stage, reason, count)| (vec![("stage", stage.clone()), ("reason", reason.clone())], *count as f64)).collect()
        }
        "tamis_night_language_documents" => by_language(|share| share.documents),
        "tamis_night_language_tokens" => by_language(|share| share.tokens),
        "tamis_night_set_aside" => one((tally.quarantined + tally.damages) as f64),
        "tamis_night_pages" => record.crawl.as_ref().map_or_else(Vec::new, |crawl| one(crawl.pages as f64)),
        "tamis_night_refused" => {
            let refused = record.crawl.iter().flat_map(|crawl| &crawl.refused);
            refused.map(|(reason, count)| (vec![("reason", reason.clone())], *count as f64)).collect()
        }
        "tamis_night_records" => record.harvest.as_ref().map_or_else(Vec::new, |harvest| one(harvest.records as f64)),
        "tamis_night_lists_left" => record.harvest.as_ref().map_or_else(Vec::new, |harvest| one(harvest.lists_left as f64)),
        "tamis_night_removed_bytes" => one(record.removed.bytes() as f64),
        "tamis_night_free_bytes" => one(record.free_bytes as f64),
        "tamis_night_alarms" => {
            let of = |rule: &str| record.alarms.iter().filter(|alarm| alarm.rule == rule).count() as f64;
            super::alarms::RULES.iter().map(|(rule, _)| (vec![("rule", (*rule).to_owned())], of(rule))).collect()
        }
        "tamis_night_told" => {
            record.told.iter().map(|(way, failed)| (vec![("way", way.clone())], f64::from(u8::from(failed.is_none())))).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tally::{Share, Tally};
    use crate::night::record::{CrawlCounts, HarvestCounts};

    fn record() -> Record {
        let mut tally = Tally { read: 10, kept: 7, input_bytes: 4_000, damages: 1, ..Tally::default() };
        tally.drop_one("extract", "no-\"text\"");
        tally.languages.insert("mt".to_owned(), Share { documents: 7, tokens: 900, text_bytes: 3_000 });
        let crawl = CrawlCounts { pages: 12, refused: [("robots".to_owned(), 3)].into(), ..CrawlCounts::default() };
        let told = [("mail".to_owned(), Some("refused".to_owned())), ("webhook".to_owned(), None)].into();
        Record {
            dataset: "web".to_owned(),
            date: "2026-11-26".to_owned(),
            state: State::Done,
            ended: "2026-11-26T03:00:00Z".to_owned(),
            tamis: "0.1.0".to_owned(),
            crawl: Some(crawl),
            harvest: Some(HarvestCounts { records: 4, lists_left: 1, ..HarvestCounts::default() }),
            tally,
            told,
            ..Record::default()
        }
    }

    #[test]
    fn every_metric_of_the_list_is_written_and_no_other() {
        let night = record();
        let text = text(&[(&night, Some(&night))]);
        for (name, kind, _) in METRICS {
            assert!(text.contains(&format!("# TYPE {name} {kind}\n{name}{{dataset=\"web\"")), "{name} in\n{text}");
        }
        for line in [
            "tamis_night_documents_dropped{dataset=\"web\",stage=\"extract\",reason=\"no-\\\"text\\\"\"} 1\n",
            "tamis_night_language_tokens{dataset=\"web\",lang=\"mt\"} 900\n",
            "tamis_night_ended_timestamp_seconds{dataset=\"web\"} 1795662000\n",
            "tamis_night_told{dataset=\"web\",way=\"mail\"} 0\n",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }

    #[test]
    fn the_documentation_and_the_dashboard_know_the_metrics_that_there_are() {
        let read = |path: &str| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).expect("it is in the house");
        let (docs, dashboard) = (read("docs/night.md"), read("packaging/grafana.json"));
        for (name, _, help) in METRICS {
            assert!(
                docs.contains(&format!("`{name}`")) && docs.contains(help),
                "docs/night.md says nothing, or something else, of {name}: {help}"
            );
        }
        let asked = regex::Regex::new(r"tamis_night_[a-z_]+").expect("a pattern");
        for name in asked.find_iter(&dashboard).chain(asked.find_iter(&docs)) {
            assert!(METRICS.iter().any(|(known, ..)| *known == name.as_str()), "there is no metric {}", name.as_str());
        }
        for (rule, says) in super::super::alarms::RULES {
            assert!(docs.contains(&format!("`{rule}`")) && docs.contains(says), "docs/night.md says nothing of {rule}");
        }
    }
}
