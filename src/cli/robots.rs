//! `tamis robots decide`: what robots.txt files say to whom.

use std::collections::HashMap;
use std::io::{BufRead, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::exit::Exit;
use crate::robots::Robots;

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
}

/// Does what `args` say.
///
/// # Errors
/// When a line names no file that can be read, or has not three parts; it is told which.
pub fn robots(args: &RobotsArgs) -> anyhow::Result<Exit> {
    let RobotsVerb::Decide { folder } = &args.verb;
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
