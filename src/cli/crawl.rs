//! The crawl of a run on the command line: what night it is, how it goes, and what it wrote.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::crawl::languages::LanguageOf;
use crate::crawl::night::{CrawlError, Crawled, Status, World, crawl};
use crate::crawl::settings::CrawlSettings;
use crate::doc::Document;
use crate::engine::watch::Stop;
use crate::passes::JobError;
use crate::recipe::{Disk, chain};
use crate::size::{ByteSize, grouped};
use crate::stage::Verdict;
use crate::store::files_below;
use crate::suppression::Suppression;
use crate::workspace::Workspace;

/// Lines of a seed list that are shown.
const GARBAGE_SHOWN: usize = 20;

/// All archives of crawls in the workspace at `root`, with their sizes.
///
/// # Errors
/// When the folder cannot be read.
pub fn archives(root: &Path) -> anyhow::Result<Vec<(PathBuf, u64)>> {
    let files = files_below(&root.join("archive"))?.into_iter().filter(|path| path.to_string_lossy().ends_with(".warc.gz"));
    files.map(|path| Ok((path.clone(), std::fs::metadata(&path)?.len()))).collect()
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

/// Crawls the night, or says that it is over.
///
/// # Errors
/// What stands against it, in a sentence.
pub fn night(
    settings: &CrawlSettings,
    workspace: &Workspace,
    night: Option<jiff::civil::Date>,
    suppression: Option<&Suppression>,
    stop: &Stop,
    quiet: bool,
) -> anyhow::Result<()> {
    let night = night.unwrap_or_else(|| jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date()).to_string();
    let begun = std::time::Instant::now();
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    bar.set_style(ProgressStyle::with_template("{spinner} crawl  {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let watch = |status: &Status| {
        let seconds = begun.elapsed().as_secs_f64().max(1e-3);
        bar.set_message(format!(
            "{} pages, {:.1} pages/s, {} a second, {} sites waiting, {} addresses seen, {} not fetched",
            grouped(status.pages),
            status.pages as f64 / seconds,
            ByteSize((status.bytes as f64 / seconds) as u64),
            grouped(status.sites),
            grouped(status.seen),
            grouped(status.refused.values().sum())
        ));
    };
    let wished = || stop.wished();
    let language_of = language_of(settings)?;
    let world = World { workspace, language_of, night: &night, suppression, stop: &wished, watch: &watch };
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
            return Ok(());
        }
        eprintln!("crawl {night}: {} pages, {} in {:.0} s", grouped(status.pages), ByteSize(status.bytes), begun.elapsed().as_secs_f64());
        status.refused.iter().for_each(|(why, count)| eprintln!("  {:<24}{:>10}", why, grouped(*count)));
    }
    Ok(())
}
