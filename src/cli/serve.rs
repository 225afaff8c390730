//! `tamis serve WORKSPACE`: the page for researchers, and the console of takedowns.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::exit::Exit;
use super::run::Keys;
use crate::engine::watch::Stop;
use crate::serve::{Pass, Server, Settings};
use crate::workspace::Workspace;

/// Arguments of `tamis serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The workspace
    #[arg(value_parser = super::away::place)]
    workspace: PathBuf,
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8765")]
    listen: SocketAddr,
    /// A handle for a person who may plan takedowns and approve those of others; give it once for each of them
    #[arg(long, value_name = "HANDLE")]
    officer: Vec<String>,
    /// That a proxy in front speaks TLS: then it may listen beyond this machine, and cookies are only sent over TLS
    #[arg(long)]
    behind_proxy: bool,
    /// Where plans of takedowns wait for approval, outside the workspace [default: pending/ in the folder of the keys]
    #[arg(long, value_name = "DIR")]
    pending: Option<PathBuf>,
    /// Answers /metrics for Prometheus to whoever can connect, without a token: numbers by data set, language and reason (docs/night.md lists them)
    #[arg(long)]
    metrics: bool,
    /// Writes one JSON object with the links to stdout
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    keys: Keys,
}

/// Serves until it is told to stop.
///
/// # Errors
/// When it cannot begin, in a sentence.
pub fn serve(args: &ServeArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let server = Server::bind(settings(args)?)?;
    let address = server.address()?;
    let link = |pass: &Pass| format!("http://{address}/enter?token={}", pass.token);
    if args.json {
        let links: serde_json::Map<_, _> = server.passes().iter().map(|pass| (pass.name.clone(), json!(link(pass)))).collect();
        println!("{}", json!({"listen": address.to_string(), "links": links}));
    } else {
        println!("tamis shows `{}` on http://{address}; each link is for one person, and ends with this server:", args.workspace.display());
        server.passes().iter().for_each(|pass| println!("  {:<16} {}", pass.name, link(pass)));
    }
    if args.officer.len() == 1 {
        eprintln!("note: with one officer nobody can approve a takedown; give --officer twice");
    }
    server.run(stop)?;
    eprintln!("the server has ended");
    Ok(Exit::Done)
}

fn settings(args: &ServeArgs) -> anyhow::Result<Settings> {
    let path = &args.workspace;
    anyhow::ensure!(path.join("_tamis").is_dir(), "`{}` is not a workspace; give the folder that holds data/ and _tamis/", path.display());
    anyhow::ensure!(
        args.listen.ip().is_loopback() || args.behind_proxy,
        "{} can be reached from other machines, and tokens would travel in the clear; listen on 127.0.0.1, or put a proxy with TLS in front and say \
         --behind-proxy",
        args.listen
    );
    let mut seen = BTreeSet::from(["reader"]);
    for name in &args.officer {
        let is_handle =
            !name.is_empty() && name.len() <= 40 && name.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_.".contains(sign));
        anyhow::ensure!(is_handle, "`{}` is no handle: at most 40 letters, digits, `-`, `_` and `.`", name.escape_debug());
        anyhow::ensure!(seen.insert(name), "the officer `{name}` is named twice, or called as readers are");
    }
    let (suppression_key, signing_key) = (args.keys.suppression(), args.keys.signing());
    let pending = args.pending.clone().unwrap_or_else(|| signing_key.with_file_name("pending"));
    for (what, place) in [("key", &suppression_key), ("key", &signing_key), ("folder of waiting plans", &pending)] {
        outside(path, what, place)?;
    }
    Ok(Settings {
        listen: args.listen,
        workspace: Workspace::open(path)?,
        officers: args.officer.clone(),
        suppression_key,
        signing_key,
        pending,
        behind_proxy: args.behind_proxy,
        metrics: args.metrics,
        now: jiff::Timestamp::now,
    })
}

/// Keys beside what they protect protect nothing, and nothing in the workspace may name what is to be erased.
fn outside(workspace: &Path, what: &str, place: &Path) -> anyhow::Result<()> {
    let is_inside = std::path::absolute(place)?.starts_with(std::path::absolute(workspace)?);
    anyhow::ensure!(
        !is_inside,
        "the {what} `{}` would lie in the workspace; name a place elsewhere with --keys or --pending",
        place.display()
    );
    Ok(())
}
