//! `tamis robots`: what robots.txt files say to whom, and what a crawl says to those who write them.

use std::collections::HashMap;
use std::io::{BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};

use super::exit::Exit;
use super::run::key_value;
use crate::crawl::webmasters::webmasters_page;
use crate::recipe::Recipe;
use crate::robots::Robots;
use crate::store::write_over;

/// Longest line that is read.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Arguments of `tamis robots`.
#[derive(Debug, Args)]
pub struct RobotsArgs {
    #[command(subcommand)]
    verb: RobotsVerb,
}

#[derive(Debug, Subcommand)]
enum RobotsVerb {
    /// Reads lines `file<TAB>agent<TAB>url` and writes `allow` or `deny` for each
    Decide {
        /// Folder with the robots.txt files
        folder: PathBuf,
    },
    /// Writes the page for webmasters of a recipe that crawls: who asks, how often, and how to be left alone
    ///
    /// It is one HTML file that needs nothing else. Put it where the recipe's `contact` leads.
    Page(PageArgs),
}

#[derive(Debug, Args)]
struct PageArgs {
    /// The recipe: a TOML file
    recipe: PathBuf,
    /// File to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Overrides a setting of the recipe
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    sets: Vec<(String, String)>,
}

/// Does what `args` say.
///
/// # Errors
/// When a line of the questions names no file that can be read, or has not three parts; it is told which. When the recipe is wrong or does
/// not crawl, or its page cannot be written.
pub fn robots(args: &RobotsArgs) -> anyhow::Result<Exit> {
    match &args.verb {
        RobotsVerb::Decide { folder } => decide(folder),
        RobotsVerb::Page(args) => page(args),
    }
}

fn page(args: &PageArgs) -> anyhow::Result<Exit> {
    let recipe = Recipe::load(&args.recipe, &args.sets)?;
    let settings = recipe.crawl().map_err(|why| anyhow::anyhow!("source `crawl`: {why}"))?;
    let Some(settings) = settings else {
        anyhow::bail!("`{}` does not crawl: its source is not `crawl`, so there are no webmasters to tell anything", args.recipe.display());
    };
    write_over(&args.out, webmasters_page(&settings).as_bytes())?;
    Ok(Exit::Done)
}

fn decide(folder: &Path) -> anyhow::Result<Exit> {
    let mut input = std::io::stdin().lock();
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let mut known: HashMap<Vec<u8>, Robots> = HashMap::new();
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        if std::io::Read::take(&mut input, LINE_BYTES_MAX).read_until(b'\n', &mut line).context("cannot read the questions")? == 0 {
            break;
        }
        let question = line.strip_suffix(b"\n").unwrap_or(&line);
        let mut parts = question.splitn(3, |byte| *byte == b'\t');
        let (Some(file), Some(agent), Some(url)) = (parts.next(), parts.next(), parts.next()) else {
            anyhow::bail!("line {number} of the questions is not `file<TAB>agent<TAB>url`");
        };
        if !known.contains_key(file) {
            let path = folder.join(String::from_utf8_lossy(file).as_ref());
            let bytes =
                std::fs::read(&path).with_context(|| format!("line {number} of the questions: cannot read `{}`", path.display()))?;
            known.insert(file.to_owned(), Robots::parse(&bytes));
        }
        let allowed = known.get(file).is_none_or(|robots| robots.allows(agent, url));
        out.write_all(if allowed { b"allow\n" } else { b"deny\n" }).context("cannot write the answers")?;
    }
    out.flush().context("cannot write the answers")?;
    Ok(Exit::Done)
}
