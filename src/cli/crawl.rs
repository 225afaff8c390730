//! The crawl of a run on the command line: what night it is, how it goes, and what it wrote.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::crawl::harvest::keep::is_harvested;
use crate::crawl::languages::LanguageOf;
use crate::crawl::night::{CrawlError, Crawled, Status, World, crawl};
use crate::crawl::settings::CrawlSettings;
use crate::doc::Document;
use crate::passes::JobError;
use crate::recipe::inputs::InputFile;
use crate::recipe::{Disk, chain};
use crate::size::{ByteSize, grouped};
use crate::stage::Verdict;
use crate::store::files_below;
use crate::suppression::Suppression;
use crate::workspace::Workspace;

/// Reasons that are shown while a night goes on; all are told at its end.
const REASONS_SHOWN: usize = 4;
/// Lines of a seed list that are shown.
const GARBAGE_SHOWN: usize = 20;

/// All archives of crawls, or of harvests, in the workspace at `root`, with their sizes.
///
/// # Errors
/// When the folder cannot be read.
pub fn archives(root: &Path, harvested: bool) -> anyhow::Result<Vec<InputFile>> {
    let is_wanted = |path: &PathBuf| path.to_string_lossy().ends_with(".warc.gz") && is_harvested(path) == harvested;
    let files = files_below(&root.join("archive"))?.into_iter().filter(is_wanted);
    files.map(|path| Ok(InputFile::local(path.clone(), std::fs::metadata(&path)?.len()))).collect()
}

/// Tells the language of a page as the stages `extract` and `langid` would. They are built only for a crawl that asks.
fn language_of(settings: &CrawlSettings) -> anyhow::Result<LanguageOf> {
    let names =
        if settings.languages.is_empty() { Vec::new() } else { vec!["extract".to_owned(), "langid:mixed=\"keep\",min_score=0".to_owned()] };
    let stages = chain(&names, &Disk)?;
    Ok(std::sync::Arc::new(move |url, html| {
        let mut doc = Document { url: url.to_owned(), html: html.to_owned(), ..Document::default() };
        let is_kept = stages.iter().all(|placed| placed.stage.judge(&mut doc) == Verdict::Keep);
        doc.lang.filter(|_| is_kept).map(|lang| lang.to_string())
    }))
}

/// How a night stands, in a line.
fn line(status: &Status, seconds: f64) -> String {
    let mut reasons: Vec<(&String, u64)> = status.refused.iter().map(|(why, count)| (why, *count)).collect();
    reasons.sort_by_key(|(_, count)| Reverse(*count));
    let told: Vec<String> = reasons.iter().take(REASONS_SHOWN).map(|(why, count)| format!("{} {why}", grouped(*count))).collect();
    let refused = if told.is_empty() { String::new() } else { format!(", refused: {}", told.join(", ")) };
    format!(
        "{} pages, {:.1} pages/s, {:.2} MB/s, {} hosts, {} in the queue, {} seen{refused}",
        grouped(status.pages),
        status.pages as f64 / seconds,
        status.bytes as f64 / seconds / 1e6,
        grouped(status.sites),
        grouped(status.queue),
        grouped(status.seen)
    )
}

/// Crawls the night, or says that it is over. Answers how it stands.
///
/// # Errors
/// What stands against it, in a sentence.
pub fn night(
    settings: &CrawlSettings,
    workspace: &Workspace,
    night: Option<jiff::civil::Date>,
    suppression: Option<&Suppression>,
    stop: &dyn Fn() -> bool,
    quiet: bool,
) -> anyhow::Result<Status> {
    let night = night.unwrap_or_else(|| jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date()).to_string();
    let begun = std::time::Instant::now();
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    bar.set_style(ProgressStyle::with_template("{spinner} crawl  {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let watch = |status: &Status| {
        let seconds = begun.elapsed().as_secs_f64().max(1e-3);
        bar.set_message(line(status, seconds));
    };
    let language_of = language_of(settings)?;
    let world = World { workspace, language_of, night: &night, suppression, stop, watch: &watch };
    let Crawled { status, was_over, garbage } = crawl(settings, &world).map_err(|error| match error {
        CrawlError::Stopped => anyhow::Error::from(JobError::Stopped),
        error => error.into(),
    })?;
    bar.finish_and_clear();
    if !quiet {
        garbage.iter().take(GARBAGE_SHOWN).for_each(|line| eprintln!("note: no address, passed over: {line}"));
        if garbage.len() > GARBAGE_SHOWN {
            eprintln!("note: {} more lines of the seed lists are no addresses", grouped((garbage.len() - GARBAGE_SHOWN) as u64));
        }
        if was_over {
            eprintln!("crawl {night}: the night is over, with {} pages; nobody was asked", grouped(status.pages));
            return Ok(status);
        }
        eprintln!("crawl {night}: {} pages, {} in {:.0} s", grouped(status.pages), ByteSize(status.bytes), begun.elapsed().as_secs_f64());
        status.refused.iter().for_each(|(why, count)| eprintln!("  {:<24}{:>10}", why, grouped(*count)));
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_hosts_queue_speed_and_what_is_refused_most() {
        let refused =
            [("robots", 1_200), ("budget", 3), ("dns", 7), ("tls", 1), ("not-public", 5)].map(|(why, count)| (why.to_owned(), count));
        let status = Status {
            sites: 12,
            queue: 34_567,
            seen: 40_000,
            pages: 5_000,
            bytes: 50_000_000,
            refused: refused.into(),
            ..Status::default()
        };
        let told = line(&status, 10.0).replace(&grouped(34_567), "34567").replace(&grouped(1_200), "1200");
        let expected = "12 hosts, 34567 in the queue, ";
        assert!(told.contains("500.0 pages/s, 5.00 MB/s, ") && told.contains(expected), "{told}");
        assert!(told.ends_with("refused: 1200 robots, 7 dns, 5 not-public, 3 budget"), "{told}");
        assert!(line(&Status::default(), 1.0).ends_with("0 seen"));
    }
}
