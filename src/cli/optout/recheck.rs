//! `tamis optout recheck`: what the owners of published documents say today. New reservations become a takedown plan; what each host said is kept as evidence.
//!
//! The files of the sites decide, as asked for now or as they stand in a snapshot archive; pages are not asked for again. A host that cannot be had is told
//! and keeps its documents: silence is no reservation. History lies among the logs, line by line, where a takedown of the host finds it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use sha2::{Digest, Sha256};

use super::live::{settings_of, what};
use super::{Captured, SITES_BYTES_MAX};
use crate::archive::{Ending, Found, address};
use crate::cli::exit::Exit;
use crate::cli::warc::open;
use crate::crawl::look::look_at_sites;
use crate::crawl::settings::CrawlSettings;
use crate::ledger::manifest::Manifests;
use crate::optout::{Agents, Evidence, Site, SiteFile, Verdict};
use crate::size::grouped;
use crate::store;
use crate::takedown::find::ids_of;
use crate::takedown::plan::{Grounds, TakedownPlan, find_targets};
use crate::takedown::request::Request;
use crate::workspace::Workspace;

#[derive(Debug, Args)]
pub(super) struct RecheckArgs {
    /// The data set: WORKSPACE/data/NAME
    #[arg(value_parser = crate::cli::away::place)]
    dataset: PathBuf,
    /// Where the takedown plan is written if something is reserved now, outside the workspace
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Archives that hold the files of sites; instead of asking the sites
    #[arg(long, value_name = "FILE")]
    snapshot: Vec<PathBuf>,
    /// A page, or an e-mail address, at which those who are asked reach you
    #[arg(long, value_name = "URL|MAIL")]
    contact: Option<String>,
    /// Product token of the crawler whose rules in robots.txt count as ours
    #[arg(long, value_name = "TOKEN", default_value = Agents::default().own)]
    agent: String,
    /// Asks this host at this network address, whatever its name resolves to
    #[arg(long, value_name = "HOST=IP:PORT")]
    resolve: Vec<String>,
    /// Pause between two requests to a host, in ms
    #[arg(long, value_name = "MS", default_value_t = 5_000)]
    delay_ms: u64,
    /// Writes the counts as JSON to stdout
    #[arg(long)]
    json: bool,
}

/// What is known of a host today.
#[derive(Default)]
struct Host {
    /// Where it is asked: scheme, host and port.
    site: String,
    says: Site,
    /// Its files: name, and status with hash, or why there is none.
    files: Vec<(&'static str, String)>,
    documents: u64,
    reserved: u64,
    /// Protocol and words of the signal that decided last.
    words: String,
}

pub(super) fn recheck(args: &RecheckArgs) -> Result<Exit> {
    let (workspace, dataset) = Workspace::of_dataset(&args.dataset)?;
    let out = std::path::absolute(&args.out)?;
    anyhow::ensure!(
        !out.starts_with(std::path::absolute(workspace.root())?),
        "`{}` lies in the workspace; write the plan elsewhere",
        out.display()
    );
    let shards = shards(&workspace, &dataset)?;
    let mut hosts = hosts_of(&shards)?;
    if args.snapshot.is_empty() {
        let settings = settings_of(args.contact.as_deref(), &args.agent, &args.resolve)?;
        ask(&mut hosts, &CrawlSettings { delay_ms_min: args.delay_ms, ..settings })?;
    } else {
        read(&mut hosts, args)?;
    }
    let reserved = judge(&shards, &mut hosts)?;
    keep(&workspace, &hosts, if args.snapshot.is_empty() { "live" } else { "snapshot" })?;
    let silent = hosts.values().filter(|host| host.files.is_empty()).count();
    let told = serde_json::json!({
        "hosts": hosts.len(), "hosts_without_answer": silent, "documents": hosts.values().map(|host| host.documents).sum::<u64>(), "reserved": reserved.len(),
    });
    if args.json {
        println!("{told}");
    } else {
        println!(
            "{} hosts, {} of them without an answer; {} of {} documents are reserved now",
            grouped(hosts.len() as u64),
            grouped(silent as u64),
            grouped(reserved.len() as u64),
            told["documents"]
        );
    }
    if reserved.is_empty() {
        return Ok(Exit::Done);
    }
    let targets = find_targets(&workspace, &reserved, false, &crate::takedown::all_cores::unseen)?;
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let grounds = Grounds { reason: "optout-recheck".to_owned(), received: today, request: None, expires: None };
    let plan = TakedownPlan::make(&workspace, reserved, targets, grounds)?;
    store::write_over(&out, &plan.to_json())?;
    eprintln!(
        "note: the plan is {}; read it, then: tamis takedown apply {} --workspace {}",
        out.display(),
        out.display(),
        workspace.root().display()
    );
    Ok(Exit::Quarantined)
}

fn shards(workspace: &Workspace, dataset: &str) -> Result<Vec<PathBuf>> {
    let manifests = Manifests::read(workspace)?;
    Ok(manifests.current(dataset).into_iter().filter(|(_, file)| file.rows > 0).map(|(path, _)| workspace.root().join(path)).collect())
}

/// The hosts of the data set, each with where it is asked: by https if a document came that way.
fn hosts_of(shards: &[PathBuf]) -> Result<BTreeMap<String, Host>> {
    let mut hosts: BTreeMap<String, Host> = BTreeMap::new();
    for path in shards {
        ids_of(path, |_, url, _| {
            if let Some(site) = crate::crawl::frontier::site_of(url) {
                let host = hosts.entry(address::host(url)).or_default();
                host.documents += 1;
                if host.site.is_empty() || site.starts_with("https:") {
                    host.site = site;
                }
            }
            false
        })?;
    }
    Ok(hosts)
}

/// Asks all hosts for their files.
fn ask(hosts: &mut BTreeMap<String, Host>, settings: &CrawlSettings) -> Result<()> {
    let sites: Vec<String> = hosts.values().map(|host| host.site.clone()).collect();
    let agents = Agents { own: &settings.agent, ..Agents::default() };
    let mut came = look_at_sites(settings, &sites, &|done| {
        if done % 1_000 == 0 {
            eprintln!("{} of {} hosts", grouped(done as u64), grouped(sites.len() as u64));
        }
    })?;
    for (name, host) in hosts {
        for (file, came) in came.remove(&host.site).unwrap_or_default() {
            match came {
                Ok((status, body)) => host.take(file, status, &body, &agents),
                Err(fault) => eprintln!("note: {}{}: {}", name, file.path(), what(fault)),
            }
        }
    }
    Ok(())
}

impl Host {
    fn take(&mut self, file: SiteFile, status: u16, body: &[u8], agents: &Agents<'_>) {
        if status == 200 {
            self.says.take(file, body, agents);
        }
        self.files.push((file.path(), format!("{status} sha256:{}", data_encoding::HEXLOWER.encode(&Sha256::digest(body)))));
    }
}

/// Reads the files of hosts out of archives.
fn read(hosts: &mut BTreeMap<String, Host>, args: &RecheckArgs) -> Result<()> {
    let agents = Agents { own: &args.agent, ..Agents::default() };
    let mut bytes = 0;
    for archive in &args.snapshot {
        let mut cutter = open(archive, 0).with_context(|| format!("cannot read {}", archive.display()))?;
        while let Some(found) = cutter.next() {
            if let Found::Damage(damage) = found {
                eprintln!("note: {}: byte {}: {}", archive.display(), damage.offset, damage.what);
                continue;
            }
            let response = Captured::read(&mut cutter);
            if let Ending::Broken(damage) = cutter.end() {
                eprintln!("note: {}: byte {}: {}", archive.display(), damage.offset, damage.what);
                continue;
            }
            let Some(response) = response else { continue };
            let (Some(file), Some(status)) = (SiteFile::at(&response.url), response.status) else { continue };
            bytes += response.body.len();
            anyhow::ensure!(
                bytes <= SITES_BYTES_MAX,
                "the archives hold more than {SITES_BYTES_MAX} bytes of files of sites; give fewer at a time"
            );
            if let Some(host) = hosts.get_mut(&address::host(&response.url)) {
                host.take(file, status, &response.body, &agents);
            }
        }
    }
    Ok(())
}

/// The documents that are reserved now, as requests.
fn judge(shards: &[PathBuf], hosts: &mut BTreeMap<String, Host>) -> Result<Vec<Request>> {
    let mut reserved = std::collections::BTreeSet::new();
    for path in shards {
        ids_of(path, |_, url, _| {
            let Some(host) = hosts.get_mut(&address::host(url)) else { return false };
            let finding = host.says.find(&Evidence { url, ..Evidence::default() });
            if finding.verdict == Verdict::Reserved {
                host.reserved += 1;
                host.words = finding.decisive().map_or_else(String::new, |signal| format!("{}: {}", signal.protocol, signal.quote));
                reserved.insert(Request::Url(url.to_owned()));
            }
            false
        })?;
    }
    Ok(reserved.into_iter().collect())
}

/// Keeps what each host said: a line a host, in a file a day.
fn keep(workspace: &Workspace, hosts: &BTreeMap<String, Host>, how: &str) -> Result<()> {
    let now = jiff::Timestamp::now();
    let folder = workspace.optout_history();
    store::create_folder(&folder)?;
    let mut lines = String::new();
    for (name, host) in hosts {
        let verdict = match (host.files.is_empty(), host.reserved, host.documents) {
            (true, ..) => "no-answer",
            (_, 0, _) => "not-reserved",
            (_, reserved, documents) if reserved == documents => "reserved",
            _ => "reserved-in-part",
        };
        let line = serde_json::json!({
            "at": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "how": how, "host": name, "verdict": verdict, "documents": host.documents,
            "reserved": host.reserved, "words": host.words, "files": host.files,
        });
        lines += &format!("{line}\n");
    }
    let path = folder.join(format!("{}.jsonl", now.strftime("%Y-%m-%d")));
    let mut before = std::fs::read(&path).unwrap_or_default();
    before.extend_from_slice(lines.as_bytes());
    Ok(store::write_over(&path, &before)?)
}
