//! `tamis takedown`: plan, apply, list, and check receipts.

mod feed;
mod register;
pub mod restore;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;

use crate::cli::exit::Exit;
use crate::cli::run::Keys;
use crate::doc::DocId;
use crate::ledger::receipt::{Receipt, Receipts};
use crate::locator;
use crate::size::{ByteSize, grouped};
use crate::store;
use crate::suppression::{self, Kind, Suppression};
use crate::takedown::apply::{Applied, Means, apply};
use crate::takedown::effort::Effort;
use crate::takedown::plan::{Grounds, TakedownPlan, find_targets};
use crate::takedown::register::{Register, State};
use crate::takedown::request::Request;
use crate::takedown::stores::Store;
use crate::takedown::survey::Failure;
use crate::workspace::Workspace;

/// Hosts that are shown.
const HOSTS_SHOWN: usize = 20;

/// Arguments of `tamis takedown`.
#[derive(Debug, Args)]
pub struct TakedownArgs {
    #[command(subcommand)]
    verb: TakedownVerb,
}

#[derive(Debug, Subcommand)]
enum TakedownVerb {
    /// Shows what a request would erase and writes it down as a plan; changes nothing
    Plan(Box<PlanArgs>),
    /// Erases exactly what a plan says; killed and called again it goes on
    Apply(ApplyArgs),
    /// Enters a request into the register, so that its due date is watched
    Open(register::OpenArgs),
    /// Gives a request two months more; the person must be told why within the first
    Extend(register::EndArgs),
    /// Ends a request without a takedown
    Refuse(register::EndArgs),
    /// Lists requests with their due dates, and what was erased; exit code 1 while one is overdue
    List(Here),
    /// The older name of `tamis restore-check`
    #[command(hide = true)]
    RestoreCheck(restore::RestoreArgs),
    /// Lets in again what was kept out up to a day that has passed; run it every day
    Expire(ExpireArgs),
    /// Tells mirrors what to erase, and erases it in a mirror
    #[command(subcommand)]
    Feed(feed::FeedVerb),
    /// Checks or shows receipts
    #[command(subcommand)]
    Receipt(ReceiptVerb),
}

#[derive(Debug, Subcommand)]
enum ReceiptVerb {
    /// Checks signatures and chain of all receipts; needs no key and no network
    Verify(Here),
    /// Prints one receipt as JSON
    Show {
        /// Its number
        number: u64,
        #[command(flatten)]
        here: Here,
    },
}

/// A workspace and how to tell about it.
#[derive(Debug, Args)]
struct Here {
    /// The workspace
    #[arg(long, short = 'w', value_name = "DIR", default_value = "workspace", value_parser = crate::cli::away::place)]
    workspace: PathBuf,
    /// Writes JSON to stdout
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct PlanArgs {
    /// An address, however it is spelt; all its captures go
    #[arg(long, value_name = "URL")]
    url: Vec<String>,
    /// An address with all below it
    #[arg(long, value_name = "URL")]
    url_prefix: Vec<String>,
    /// A host, such as www.example.eu
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// A registrable domain with all its hosts
    #[arg(long, value_name = "NAME")]
    domain: Vec<String>,
    /// A document by its id, with all captures of its address
    #[arg(long, value_name = "ID")]
    id: Vec<DocId>,
    /// A document by the digest of its payload, as the column content_digest has it, such as sha1:3I42..
    #[arg(long, value_name = "DIGEST")]
    content_hash: Vec<String>,
    /// A name, e-mail address or telephone number: every document that has it; look at the list before you apply
    #[arg(long, value_name = "WORDS")]
    containing: Vec<String>,
    /// A file with a text: that text and all documents like it
    #[arg(long, value_name = "FILE")]
    text: Vec<PathBuf>,
    /// Documents like those that are named go too
    #[arg(long)]
    near_duplicates: bool,
    /// Why: gdpr-17, gdpr-21, copyright, court-order, or a word of your own
    #[arg(long, value_name = "WORD", required_unless_present = "request")]
    reason: Option<String>,
    /// The day on which the request came, YYYY-MM-DD
    #[arg(long, value_name = "DATE", required_unless_present = "request")]
    received: Option<Date>,
    /// Number of the request in the register, which has reason and date
    #[arg(long, value_name = "N", conflicts_with_all = ["reason", "received"])]
    request: Option<u64>,
    /// The last day on which it is kept out; for good if not given
    #[arg(long, value_name = "DATE")]
    expires: Option<Date>,
    #[command(flatten)]
    keys: Keys,
    /// Reads everything anew instead of asking the lists of where documents lie
    #[arg(long)]
    scan: bool,
    /// Where the plan is written, outside the workspace: it names what shall go
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    here: Here,
}

#[derive(Debug, Args)]
struct ApplyArgs {
    /// The plan
    plan: PathBuf,
    /// That a plan of more than 0.1 % of all documents, or of a whole domain, is meant
    #[arg(long)]
    confirm_large: bool,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    here: Here,
}

#[derive(Debug, Args)]
struct ExpireArgs {
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    here: Here,
}

/// Does what `args` say.
///
/// # Errors
/// What stands against it, in a sentence.
pub fn takedown(args: TakedownArgs) -> anyhow::Result<Exit> {
    match args.verb {
        TakedownVerb::Plan(args) => plan(&args),
        TakedownVerb::Apply(args) => carry_out(&args),
        TakedownVerb::Open(args) => register::open(&args),
        TakedownVerb::Extend(args) => register::extend(&args),
        TakedownVerb::Refuse(args) => register::refuse(&args),
        TakedownVerb::List(here) => register::list(&here, today()),
        TakedownVerb::RestoreCheck(args) => restore::restore_check(&args),
        TakedownVerb::Expire(args) => expire(&args),
        TakedownVerb::Feed(verb) => feed::feed(&verb),
        TakedownVerb::Receipt(ReceiptVerb::Verify(here)) => verify(&here),
        TakedownVerb::Receipt(ReceiptVerb::Show { number, here }) => show(number, &here),
    }
}

impl Here {
    /// The workspace, which must be there.
    fn open(&self) -> anyhow::Result<Workspace> {
        let path = &self.workspace;
        anyhow::ensure!(path.join("_tamis").is_dir(), "`{}` is not a workspace; name one with --workspace", path.display());
        Ok(Workspace::open(path)?)
    }
}

impl PlanArgs {
    fn grounds(&self, workspace: &Workspace) -> anyhow::Result<Grounds> {
        let registered = self.request.map(|number| Register::open(workspace)?.entry(number).cloned()).transpose()?;
        let reason = self.reason.clone().or_else(|| registered.as_ref().map(|entry| entry.reason.clone())).unwrap_or_default();
        let received = self.received.or_else(|| registered.as_ref().map(|entry| entry.received)).unwrap_or_default();
        let expires = self.expires.map(|date| date.to_string());
        Ok(Grounds { reason, received: received.to_string(), request: self.request, expires })
    }

    fn requests(&self) -> anyhow::Result<Vec<Request>> {
        let mut requests: Vec<Request> = self.id.iter().map(|id| Request::Id(*id)).collect();
        let of = |values: &[String], make: fn(String) -> Request| values.iter().cloned().map(make).collect::<Vec<_>>();
        requests.extend(of(&self.url, Request::Url));
        requests.extend(of(&self.url_prefix, Request::UrlPrefix));
        requests.extend(of(&self.host, Request::Host));
        requests.extend(of(&self.domain, Request::Domain));
        requests.extend(of(&self.content_hash, Request::ContentHash));
        requests.extend(of(&self.containing, Request::Containing));
        for path in &self.text {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the text `{}`", path.display()))?;
            requests.push(Request::Text(text));
        }
        anyhow::ensure!(!requests.is_empty(), "nothing is asked for; name it with --url, --host, --domain, --id, --containing or --text");
        Ok(requests)
    }
}

/// The path of a plan that is to be written.
pub(super) fn outside_of(workspace: &Path, out: &Path) -> anyhow::Result<PathBuf> {
    let out = std::path::absolute(out)?;
    let inside = out.starts_with(std::path::absolute(workspace)?);
    anyhow::ensure!(
        !inside,
        "`{}` lies in the workspace, where nothing may name what is to be erased; write the plan elsewhere",
        out.display()
    );
    Ok(out)
}

fn plan(args: &PlanArgs) -> anyhow::Result<Exit> {
    let workspace = args.here.open()?;
    let out = outside_of(&args.here.workspace, &args.out)?;
    let requests = args.requests()?;
    if args.scan {
        locator::sweep(&workspace, &[])?;
    }
    let targets = find_targets(&workspace, &requests, args.near_duplicates, &bar())?;
    let plan = TakedownPlan::make(&workspace, requests, targets, args.grounds(&workspace)?)?;
    store::write_over(&out, &plan.to_json())?;
    if args.here.json {
        println!("{}", serde_json::to_string(&plan)?);
    } else {
        print!("{}", told(&plan, &out));
    }
    plan.failures.iter().for_each(|failure| eprintln!("{}", told_failure(failure)));
    if plan.files.is_empty() {
        for told in erased_before(&workspace, &plan, &args.keys.suppression())? {
            eprintln!("note: {told}");
        }
        eprintln!("note: nothing of it is in this workspace now; applying the plan keeps it out from here on");
    }
    Ok(if plan.failures.is_empty() { Exit::Done } else { Exit::Quarantined })
}

/// What of `plan` was erased before, and when. Without the list's key nobody can tell.
fn erased_before(workspace: &Workspace, plan: &TakedownPlan, key: &Path) -> anyhow::Result<Vec<String>> {
    let Ok(Some(list)) = Suppression::open(workspace, key) else { return Ok(Vec::new()) };
    let receipts = Receipts::open(workspace)?;
    let targets = &plan.targets;
    let ids: Vec<String> = targets.ids.iter().map(DocId::to_string).collect();
    let named = ids.iter().map(|id| (Kind::Id, id)).chain(targets.addresses.iter().map(|address| (Kind::Url, address)));
    let hosts = targets.hosts.iter().map(|host| (Kind::Host, host)).chain(targets.domains.iter().map(|domain| (Kind::Domain, domain)));
    let told = named.chain(hosts).filter_map(|(kind, name)| {
        let number = list.takedown_of(kind, name)?;
        let receipt = receipts.all().iter().find(|receipt| receipt.number == number)?;
        Some(format!("`{}` was erased on {}, receipt {number}", printable(name), receipt.finished))
    });
    Ok(told.collect())
}

/// A bar that shows how much is read, on a terminal.
pub(super) fn bar() -> impl Fn(u64, u64) + Sync {
    let style = ProgressStyle::with_template("searching {bar:30} {bytes} of {total_bytes}, {eta} left");
    let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    move |done, of| {
        bar.set_length(of);
        bar.set_position(done);
        if done >= of {
            bar.finish_and_clear();
        }
    }
}

/// A plan in words.
pub(super) fn told(plan: &TakedownPlan, out: &Path) -> String {
    let mut lines = format!(
        "{} of {} published documents would be erased, from {} files:\n",
        grouped(plan.documents),
        grouped(plan.documents_of),
        grouped(plan.files.len() as u64)
    );
    for store in Store::ALL {
        let files: Vec<_> = plan.files.iter().filter(|file| file.store == store).collect();
        if !files.is_empty() {
            let (count, bytes) = (files.iter().map(|file| file.count).sum(), files.iter().map(|file| file.bytes).sum());
            lines +=
                &format!("  {:<22}{:>8} in {} files, {}\n", store.name(), grouped(count), grouped(files.len() as u64), ByteSize(bytes));
        }
    }
    if plan.is_large() {
        let shown = |counts: Vec<(&str, u64)>| {
            let mut counts = counts;
            counts.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), (*name).to_owned()));
            counts
                .iter()
                .take(HOSTS_SHOWN)
                .map(|(name, count)| format!("    {:<40}{:>8}\n", printable(name), grouped(*count)))
                .collect::<String>()
        };
        lines += "  by domain\n";
        lines += &shown(plan.domains().into_iter().collect());
        lines += "  by language\n";
        lines += &shown(plan.languages.iter().map(|(name, count)| (name.as_str(), *count)).collect());
        lines += "  This is a large plan: apply it with --confirm-large.\n";
    }
    let Effort { copied, encoded, index, ms, .. } = plan.effort;
    lines += &format!("copied   {}, encoded anew {}, deduplication index {}\n", ByteSize(copied), ByteSize(encoded), ByteSize(index));
    lines += &format!("time     some {:.1} s\n", ms as f64 / 1e3);
    lines += &format!("plan     {}\n", out.display());
    lines
}

/// Text of the web, without what could steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn carry_out(args: &ApplyArgs) -> anyhow::Result<Exit> {
    let plan = TakedownPlan::load(&args.plan)?;
    let workspace = args.here.open()?;
    let _lock = workspace.lock()?;
    let means = Means {
        suppression_key: args.keys.suppression(),
        signing_key: args.keys.signing(),
        now: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    outside(&workspace, &means)?;
    let receipt = match apply(&workspace, &plan, args.confirm_large, &means)? {
        Applied::Now(receipt) => receipt,
        Applied::Partly(failures) => return Ok(partly(&failures, args.here.json)),
        Applied::Before(receipt) => {
            eprintln!("nothing to do: this plan was applied on {}, receipt {}", receipt.finished, receipt.number);
            receipt
        }
    };
    if let Some(number) = plan.request {
        let on = receipt.finished.get(..10).unwrap_or_default().to_owned();
        Register::open(&workspace)?.end(number, State::Done { receipt: receipt.number, on })?;
    }
    if args.here.json {
        println!("{}", serde_json::to_string(&receipt)?);
    } else {
        println!("{}", summary(&receipt));
    }
    Ok(Exit::Done)
}

/// Says what could not be done. There is no receipt: the takedown is still open.
fn partly(failures: &[Failure], json: bool) -> Exit {
    if json {
        println!("{}", serde_json::json!({ "failures": failures }));
    }
    failures.iter().for_each(|failure| eprintln!("{}", told_failure(failure)));
    eprintln!(
        "everything else is erased, but there is no receipt yet: restore or remove {}, and run the same command again",
        if failures.len() == 1 { "that file" } else { "those files" }
    );
    Exit::Quarantined
}

fn told_failure(failure: &Failure) -> String {
    let hash = if failure.sha256.is_empty() { "no SHA-256 known".to_owned() } else { format!("SHA-256 {}", failure.sha256) };
    format!("cannot erase from `{}` ({}, {hash}): {}", failure.path, failure.store.name(), failure.why)
}

/// Keys beside what they protect protect nothing.
fn outside(workspace: &Workspace, means: &Means) -> anyhow::Result<()> {
    let root = std::path::absolute(workspace.root())?;
    for key in [&means.suppression_key, &means.signing_key] {
        let inside = std::path::absolute(key)?.starts_with(&root);
        anyhow::ensure!(
            !inside,
            "the key `{}` would lie in the workspace that it protects; name a folder elsewhere with --keys",
            key.display()
        );
    }
    Ok(())
}

fn summary(receipt: &Receipt) -> String {
    let erased: u64 = receipt.stores.values().map(|count| count.erased).sum();
    format!(
        "receipt {}: {} published documents erased ({} entries in {} stores), nothing of it left in {} files",
        receipt.number,
        grouped(receipt.documents),
        grouped(erased),
        receipt.stores.len(),
        grouped(receipt.files_searched)
    )
}

fn today() -> Date {
    jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date()
}

fn expire(args: &ExpireArgs) -> anyhow::Result<Exit> {
    let workspace = args.here.open()?;
    let _lock = workspace.lock()?;
    let over = suppression::expire(&workspace, &args.keys.suppression(), &today().to_string())?;
    if args.here.json {
        println!("{}", serde_json::json!({ "expired": over }));
    } else if over.is_empty() {
        println!("nothing has expired");
    }
    over.iter().filter(|_| !args.here.json).for_each(|number| println!("what takedown {number} kept out may come in again"));
    Ok(Exit::Done)
}

fn verify(here: &Here) -> anyhow::Result<Exit> {
    let receipts = Receipts::open(&here.open()?)?;
    let faults = receipts.faults();
    if here.json {
        println!("{}", serde_json::json!({ "receipts": receipts.all().len(), "faults": faults }));
    } else {
        faults.iter().for_each(|fault| println!("{fault}"));
        println!("{} receipts: {}", receipts.all().len(), if faults.is_empty() { "all hold" } else { "not all hold" });
    }
    Ok(if faults.is_empty() { Exit::Done } else { Exit::Quarantined })
}

fn show(number: u64, here: &Here) -> anyhow::Result<Exit> {
    let receipts = Receipts::open(&here.open()?)?;
    let Some(receipt) = receipts.all().iter().find(|receipt| receipt.number == number) else {
        eprintln!("there is no receipt {number}; the last one is {}", receipts.last_number());
        return Ok(Exit::Quarantined);
    };
    println!("{}", serde_json::to_string_pretty(receipt)?);
    Ok(Exit::Done)
}
