//! The counts of a night as a file that Prometheus' node exporter (its textfile collector) or any other reader of that format takes up.
//!
//! A file and no server: a crawl that nobody can connect to is one thing less to guard. It holds numbers and reasons, and no name of a
//! host or page, so a takedown has nothing to look for in it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::night::Status;
use super::settings::CrawlSettings;
use crate::store::{self, StoreError};

/// How often the file is written anew.
const WRITE_EVERY: Duration = Duration::from_secs(10);

/// Where the counts of a night are written, if anywhere.
pub(super) struct Metrics {
    path: Option<PathBuf>,
    night: String,
    begun: Instant,
    written: Instant,
}

impl Metrics {
    /// Begins them with a file that says that the night has begun.
    ///
    /// # Errors
    /// When it cannot be written: then the setting is wrong, and nobody was asked for anything yet.
    pub(super) fn begin(settings: &CrawlSettings, night: &str, status: &Status) -> Result<Metrics, StoreError> {
        let path = Some(PathBuf::from(&settings.metrics_file)).filter(|path| !path.as_os_str().is_empty());
        let now = Instant::now();
        let metrics = Metrics { path, night: night.to_owned(), begun: now, written: now };
        metrics.write(status, false)?;
        Ok(metrics)
    }

    /// Writes the file anew if that is due. A disk that has no room for it now may have some in ten seconds, and a night does not end for its
    /// counts, so what fails here is tried again.
    pub(super) fn keep_up(&mut self, status: &Status) {
        if self.written.elapsed() >= WRITE_EVERY {
            self.written = Instant::now();
            let _ = self.write(status, false);
        }
    }

    /// Writes the file as it stays after this run of the night: whole, or stopped.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn end(&self, status: &Status, is_over: bool) -> Result<(), StoreError> {
        self.write(status, is_over)
    }

    fn write(&self, status: &Status, is_over: bool) -> Result<(), StoreError> {
        let Some(path) = &self.path else { return Ok(()) };
        store::write_over(path, text(status, &self.night, self.begun.elapsed().as_secs_f64(), is_over).as_bytes())
    }
}

/// The counts in Prometheus' text format 0.0.4, after `seconds` of a night.
fn text(status: &Status, night: &str, seconds: f64, is_over: bool) -> String {
    let mut page = Page::default();
    page.one("info", "gauge", "The night, and the version that crawls it.");
    let _ = writeln!(page.0, "tamis_crawl_info{{night=\"{}\",version=\"{}\"}} 1", escaped(night), env!("CARGO_PKG_VERSION"));
    page.number("over", "gauge", "Whether the night is over: 1, or 0 while it goes on or was stopped.", f64::from(u8::from(is_over)));
    page.number("run_seconds", "gauge", "Seconds since this run of the night began.", seconds);
    page.number("pages_total", "counter", "Answers that are kept.", status.pages as f64);
    page.number(
        "pages_per_second",
        "gauge",
        "Answers that are kept a second, over this run of the night.",
        status.pages as f64 / seconds.max(1e-3),
    );
    page.number("bytes_total", "counter", "Bytes of answers, as they came.", status.bytes as f64);
    page.number("page_requests_total", "counter", "Pages that were asked for, whatever came.", status.requests as f64);
    let answers = status.answers.iter().map(|(class, count)| (class.as_str(), *count));
    page.series(
        "answers_total",
        "Answers to requests for pages and files of sites, by class of status; faults by what went wrong.",
        "class",
        answers,
    );
    let refused = status.refused.iter().map(|(reason, count)| (reason.as_str(), *count));
    page.series("refused_total", "What was not asked for or not kept, by reason.", "reason", refused);
    page.number("queue", "gauge", "Addresses that wait.", status.queue as f64);
    page.number("sites_waiting", "gauge", "Sites of which addresses are held ready.", status.sites as f64);
    page.number("sites", "gauge", "Sites that were met tonight.", status.met as f64);
    page.number("seen", "gauge", "Addresses that were ever seen.", status.seen as f64);
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn one(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP tamis_crawl_{name} {help}\n# TYPE tamis_crawl_{name} {kind}");
    }

    fn number(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.one(name, kind, help);
        let _ = writeln!(self.0, "tamis_crawl_{name} {value}");
    }

    fn series<'a>(&mut self, name: &str, help: &str, label: &str, values: impl Iterator<Item = (&'a str, u64)>) {
        self.one(name, "counter", help);
        for (value, count) in values {
            let _ = writeln!(self.0, "tamis_crawl_{name}{{{label}=\"{}\"}} {count}", escaped(value));
        }
    }
}

/// A label's value as the format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_has_its_line_with_help_and_type_before_it() {
        let refused = [("robots".to_owned(), 3), ("odd\"\\\n".to_owned(), 1)].into();
        let answers = [("2xx".to_owned(), 40), ("timeout".to_owned(), 2)].into();
        let status = Status { sites: 2, met: 5, seen: 90, queue: 33, pages: 38, bytes: 12_000, requests: 41, answers, refused };
        let text = text(&status, "2026-11-26", 19.0, false);
        for line in [
            "tamis_crawl_info{night=\"2026-11-26\",",
            "tamis_crawl_over 0\n",
            "tamis_crawl_pages_total 38\n",
            "tamis_crawl_pages_per_second 2\n",
            "tamis_crawl_bytes_total 12000\n",
            "tamis_crawl_page_requests_total 41\n",
            "tamis_crawl_answers_total{class=\"2xx\"} 40\n",
            "tamis_crawl_answers_total{class=\"timeout\"} 2\n",
            "tamis_crawl_refused_total{reason=\"odd\\\"\\\\\\n\"} 1\n",
            "tamis_crawl_refused_total{reason=\"robots\"} 3\n",
            "tamis_crawl_queue 33\n",
            "tamis_crawl_sites_waiting 2\n",
            "tamis_crawl_sites 5\n",
            "tamis_crawl_seen 90\n",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        let mut named = "";
        for line in text.lines() {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                named = kind.split(' ').next().expect("a name");
            } else if !line.starts_with('#') {
                assert!(line.starts_with(named), "{line} stands below {named}");
            }
        }
    }
}
