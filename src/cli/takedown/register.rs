//! The register of requests on the command line: enter, extend, refuse, list.

use clap::Args;
use jiff::civil::Date;

use super::{Here, printable, today};
use crate::cli::exit::Exit;
use crate::ledger::receipt::{Receipt, Receipts};
use crate::size::grouped;
use crate::takedown::deadline::days_left;
use crate::takedown::register::{Entry, Register, State};

#[derive(Debug, Args)]
pub(super) struct OpenArgs {
    /// The day on which the request came, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    received: Date,
    /// Why: gdpr-17, gdpr-21, copyright, court-order, or a word of your own
    #[arg(long, value_name = "WORD")]
    reason: String,
    /// A reference of your own, such as a file number; not a name
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
    #[command(flatten)]
    here: Here,
}

#[derive(Debug, Args)]
pub(super) struct EndArgs {
    /// Number of the request
    number: u64,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    here: Here,
}

pub(super) fn open(args: &OpenArgs) -> anyhow::Result<Exit> {
    let workspace = args.here.open()?;
    let mut register = Register::open(&workspace)?;
    let number = register.enter(args.received, args.reason.clone(), args.reference.clone(), today())?;
    println!("request {number}, due on {}", register.entry(number)?.due());
    Ok(Exit::Done)
}

pub(super) fn extend(args: &EndArgs) -> anyhow::Result<Exit> {
    let due = Register::open(&args.here.open()?)?.extend(args.number, args.reason.clone(), today())?;
    println!("request {} is due on {due} now", args.number);
    Ok(Exit::Done)
}

pub(super) fn refuse(args: &EndArgs) -> anyhow::Result<Exit> {
    let state = State::Refused { why: args.reason.clone(), on: today().to_string() };
    Register::open(&args.here.open()?)?.end(args.number, state)?;
    println!("request {} is closed: the person must be told why, and that they can complain to an authority", args.number);
    Ok(Exit::Done)
}

pub(super) fn list(here: &Here, today: Date) -> anyhow::Result<Exit> {
    let workspace = here.open()?;
    let (register, receipts) = (Register::open(&workspace)?, Receipts::open(&workspace)?);
    let overdue = |entry: &&Entry| entry.state == State::Open && days_left(entry.due(), today) < 0;
    let late = register.entries().iter().filter(overdue).count();
    if here.json {
        let requests: Vec<_> = register.entries().iter().map(|entry| told_as_json(entry, today)).collect::<Result<_, _>>()?;
        println!("{}", serde_json::json!({ "requests": requests, "overdue": late, "receipts": receipts.all() }));
    } else {
        register.entries().iter().for_each(|entry| println!("{}", told_of(entry, today)));
        receipts.all().iter().for_each(|receipt| println!("{}", told_of_receipt(receipt)));
    }
    if late > 0 {
        eprintln!("{late} requests are overdue");
    }
    Ok(if late == 0 { Exit::Done } else { Exit::Quarantined })
}

fn told_as_json(entry: &Entry, today: Date) -> serde_json::Result<serde_json::Value> {
    let mut json = serde_json::to_value(entry)?;
    json["due"] = entry.due().to_string().into();
    json["days_left"] = days_left(entry.due(), today).into();
    Ok(json)
}

fn told_of(entry: &Entry, today: Date) -> String {
    let Entry { number, received, reason, reference, .. } = entry;
    let state = match &entry.state {
        State::Open => match days_left(entry.due(), today) {
            days @ 0.. => format!("open, due on {} ({days} days left)", entry.due()),
            days => format!("OVERDUE since {} ({} days)", entry.due(), -days),
        },
        State::Done { receipt, on } => format!("done on {on}, receipt {receipt}"),
        State::Refused { on, .. } => format!("refused on {on}"),
    };
    let reference = reference.as_deref().map(|text| format!("  {}", printable(text))).unwrap_or_default();
    format!("request {number:>6}  received {received}  {state}  {}{reference}", printable(reason))
}

fn told_of_receipt(receipt: &Receipt) -> String {
    let Receipt { number, reason, received, finished, documents, .. } = receipt;
    format!("receipt {number:>6}  received {received}  done {finished}  {} documents  {}", grouped(*documents), printable(reason))
}
