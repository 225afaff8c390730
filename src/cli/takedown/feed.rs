//! `tamis takedown feed`: tells mirrors what to erase, and erases it in a mirror.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};

use super::Here;
use crate::cli::exit::Exit;
use crate::cli::run::Keys;
use crate::ledger::receipt::Receipts;
use crate::size::grouped;
use crate::takedown::feed::{Outcome, Tombstones, apply, read};

#[derive(Debug, Subcommand)]
pub(super) enum FeedVerb {
    /// Writes what mirrors must erase to stdout, a signed line a takedown; it names nobody
    Publish(PublishArgs),
    /// Erases in a mirror what a feed says
    Apply(ApplyArgs),
}

#[derive(Debug, Args)]
pub(super) struct PublishArgs {
    /// Only takedowns after this one
    #[arg(long, value_name = "N", default_value_t = 0)]
    since: u64,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    here: Here,
}

#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// The feed
    feed: PathBuf,
    /// The copy of a workspace's data/, or of one data set in it
    mirror: PathBuf,
    /// The publisher's public key, as its receipts have it; a feed of anybody else is refused
    #[arg(long, value_name = "HEX")]
    public_key: Option<String>,
    /// Writes JSON to stdout
    #[arg(long)]
    json: bool,
}

pub(super) fn feed(verb: &FeedVerb) -> anyhow::Result<Exit> {
    match verb {
        FeedVerb::Publish(args) => publish(args),
        FeedVerb::Apply(args) => apply_all(args),
    }
}

fn publish(args: &PublishArgs) -> anyhow::Result<Exit> {
    let workspace = args.here.open()?;
    let receipts = Receipts::open(&workspace)?;
    if receipts.all().is_empty() {
        eprintln!("nothing was erased yet, so there is nothing to tell");
        return Ok(Exit::Done);
    }
    let signer = receipts.signer(&args.keys.signing())?;
    for told in read(&workspace, args.since, &signer)? {
        println!("{}", serde_json::to_string(&told)?);
    }
    Ok(Exit::Done)
}

/// The copy of the shard `path` (`data/<data set>/..`) in `mirror`, which is a copy of `data/` or of one data set.
fn place(mirror: &Path, path: &str) -> PathBuf {
    let below_data = path.strip_prefix("data/").unwrap_or(path);
    let of_all = mirror.join(below_data);
    match below_data.split_once('/') {
        Some((_, in_dataset)) if !of_all.exists() => mirror.join(in_dataset),
        _ => of_all,
    }
}

fn apply_all(args: &ApplyArgs) -> anyhow::Result<Exit> {
    let feed = std::fs::read_to_string(&args.feed).with_context(|| format!("cannot read the feed `{}`", args.feed.display()))?;
    anyhow::ensure!(args.mirror.is_dir(), "the mirror `{}` is not a folder", args.mirror.display());
    // All of it is checked before anything is erased.
    let told: Vec<Tombstones> = (1..)
        .zip(feed.lines().filter(|line| !line.trim().is_empty()))
        .map(|(number, line)| {
            Tombstones::parse(line, args.public_key.as_deref())
                .map_err(|why| anyhow::anyhow!("line {number} of `{}` is refused: {why}; nothing was changed", args.feed.display()))
        })
        .collect::<anyhow::Result<_>>()?;
    let mut counts = [0_u64; 5];
    for tombstones in &told {
        for shard in &tombstones.shards {
            let path = place(&args.mirror, &shard.path);
            let outcome = apply(tombstones, shard, &path)?;
            counts[outcome as usize] += 1;
            match outcome {
                Outcome::Differs => eprintln!("`{}` is clean now, but is another file than the publisher's", path.display()),
                Outcome::Unknown => eprintln!("`{}` is another file than the publisher's, and holds nothing of it", path.display()),
                Outcome::Same | Outcome::Already | Outcome::Absent => {}
            }
        }
    }
    let [same, already, absent, differs, unknown] = counts;
    if args.json {
        println!(
            "{}",
            serde_json::json!({ "erased": same + differs, "already": already, "absent": absent, "other_bytes": differs, "unknown": unknown })
        );
    } else {
        println!(
            "{} takedowns: {} shards erased from, {} were so already, {} are not in this mirror",
            grouped(told.len() as u64),
            grouped(same + differs),
            grouped(already),
            grouped(absent)
        );
    }
    Ok(if differs + unknown == 0 { Exit::Done } else { Exit::Quarantined })
}
