//! `tamis night`: what a timer calls. Crawls, takes what is new, publishes it as one commit, removes what is old, and tells how it went.
//!
//! All work is that of `tamis run`; here stands what makes it a night: a date that is done once, a budget, a record, and the end that is told whatever
//! happened. A plan that an earlier night left open is finished first, as a commit of its own, so that no work is done twice.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use jiff::civil::Date;

use super::crawl;
use super::exit::{Exit, exit_of};
use super::harvest;
use super::progress::Progress;
use super::run::{Machine, Place, run_stages, save_plan, write_report};
use super::traced::{Listener, Tracing, word};
use crate::crawl::harvest::mend;
use crate::engine::plan::Plan;
use crate::engine::watch::{Stop, Watch};
use crate::night::alarms::alarms;
use crate::night::budget::Budget;
use crate::night::metrics;
use crate::night::record::{CrawlCounts, Record, Records, State};
use crate::night::retention::retain;
use crate::night::settings::NightSettings;
use crate::night::{tell, trace, webhook};
use crate::passes::{History, Job, Left, make_plan};
use crate::recipe::{Recipe, inputs};
use crate::sources::papers::harvested;
use crate::sources::warc::crawled;
use crate::store;
use crate::suppression::Suppression;
use crate::workspace::Workspace;

/// Arguments of `tamis night`.
#[derive(Debug, Args)]
pub struct NightArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    machine: Machine,
    /// How this machine does its nights: a TOML file; packaging/night.toml explains each setting
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Which night; give an earlier one to make up for it [default: today, UTC]
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,
    /// Writes the record of the night as JSON to stdout instead of its summary
    #[arg(long)]
    json: bool,
    /// Shows no progress
    #[arg(long, short)]
    quiet: bool,
}

/// The settings in `file`, or those that hold without.
///
/// # Errors
/// When the file cannot be used.
pub(super) fn settings_of(file: Option<&Path>) -> anyhow::Result<NightSettings> {
    Ok(file.map(NightSettings::load).transpose()?.unwrap_or_default())
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn today() -> Date {
    jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date()
}

/// Does the night.
///
/// # Errors
/// What `main` turns into a sentence and an exit code.
pub fn night(args: &NightArgs, stop: Stop) -> anyhow::Result<Exit> {
    let settings = settings_of(args.settings.as_deref())?;
    args.machine.means()?;
    let recipe = Recipe::load(&args.place.recipe, &args.place.sets)?;
    recipe.crawl().map_err(|why| anyhow::anyhow!("source `crawl`: {why}"))?;
    recipe.harvest().map_err(|why| anyhow::anyhow!("source `oai-pmh`: {why}"))?;
    let workspace = Workspace::open(&args.place.workspace)?;
    let _lock = workspace.lock()?;
    let records = Records::open(&workspace, &recipe.dataset)?;
    let date = which(args.date, today(), &records)?.to_string();
    if let Some(done) = records.of(&date).filter(|record| record.state == State::Done) {
        eprintln!("nothing to do: the night {date} is done; its summary follows");
        return show(args, done);
    }
    let budget = Budget::begin(settings.minutes_max, workspace.root().to_owned(), settings.disk.work_bytes_min.0);
    let record = begun(records.of(&date), &recipe, &date);
    let log = workspace.logs().join(format!("{date}-{}.jsonl", recipe.dataset));
    let tracing = Tracing::begin(&settings.tell.otlp_endpoint, &record);
    let mut night = Night { args, settings, workspace, records, record, budget, stop, log, before: 0.0, tracing };
    night.before = night.record.seconds;
    night.note("begins")?;
    let worked = night.work(recipe);
    night.end(worked)
}

/// Which night it is.
fn which(asked: Option<Date>, today: Date, records: &Records) -> anyhow::Result<Date> {
    let newest = records.newest().and_then(|record| record.date.parse::<Date>().ok());
    match (asked, newest) {
        (Some(asked), _) if asked > today => anyhow::bail!("the night {asked} is yet to come; today is {today}"),
        (None, Some(newest)) if newest > today => anyhow::bail!(
            "the clock says {today}, but the night {newest} was begun before; set the clock right (`tamis doctor` tells more), or name the night with --date"
        ),
        (asked, _) => Ok(asked.unwrap_or(today)),
    }
}

/// The record of a night that begins, or goes on.
fn begun(before: Option<&Record>, recipe: &Recipe, date: &str) -> Record {
    let mut record = before.cloned().unwrap_or_else(|| Record { began: now(), ..Record::default() });
    record.version = 1;
    (record.dataset, record.date) = (recipe.dataset.clone(), date.to_owned());
    (record.state, record.why) = (State::Running, String::new());
    record.tries += 1;
    record.tamis = env!("CARGO_PKG_VERSION").to_owned();
    record.recipe_hash = recipe.hash();
    record.alarms.clear();
    record.told.clear();
    record
}

fn show(args: &NightArgs, record: &Record) -> anyhow::Result<Exit> {
    if args.json {
        println!("{}", serde_json::to_string(record)?);
    } else {
        print!("{}", tell::summary(record));
    }
    let set_aside = record.tally.damages + record.tally.quarantined;
    Ok(match record.state {
        State::Done if set_aside == 0 => Exit::Done,
        State::Done => Exit::Quarantined,
        _ => Exit::TryAgain,
    })
}

struct Night<'a> {
    args: &'a NightArgs,
    settings: NightSettings,
    workspace: Workspace,
    records: Records,
    record: Record,
    budget: Budget,
    stop: Stop,
    log: PathBuf,
    /// Seconds of earlier tries.
    before: f64,
    /// What OpenTelemetry is told, if it is.
    tracing: Option<Tracing>,
}

impl Night<'_> {
    /// Writes the record, and a line in the log.
    fn note(&mut self, event: &str) -> anyhow::Result<()> {
        let record = &self.record;
        let line = serde_json::json!({
            "at": now(), "event": event, "dataset": record.dataset, "night": record.date, "state": record.state, "why": record.why,
            "plans": record.plans, "read": record.tally.read, "kept": record.tally.kept, "alarms": record.alarms,
        });
        tell::log(&self.log, &line)?;
        Ok(self.records.note(&self.record)?)
    }

    /// Does a part of the night that is told of as one span.
    fn part(&mut self, name: &str, act: impl FnOnce(&mut Self) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let open = self.tracing.as_ref().map(|tracing| tracing.open(name));
        let done = act(self);
        if let (Some(tracing), Some(open)) = (&self.tracing, open) {
            tracing.trace.close(open, Vec::new(), done.as_ref().err().map(word));
        }
        done
    }

    /// Whether there is room to begin; makes some first where retention may.
    fn make_room(&mut self) -> anyhow::Result<()> {
        let wanted = self.settings.disk.begin_bytes_min;
        if store::free_bytes(self.workspace.root())? < wanted.0 {
            self.retain()?;
        }
        let free = store::free_bytes(self.workspace.root())?;
        if free < wanted.0 {
            return Err(std::io::Error::from(std::io::ErrorKind::StorageFull)).with_context(|| {
                format!("{} are free, and a night begins with {wanted} (disk.begin_bytes_min)", crate::size::ByteSize(free))
            });
        }
        Ok(())
    }

    fn work(&mut self, mut recipe: Recipe) -> anyhow::Result<()> {
        self.make_room()?;
        let suppression = Suppression::open(&self.workspace, &self.args.place.keys.suppression())?;
        let takedowns = suppression.as_ref().map_or(0, Suppression::sequence);
        self.go_on(&recipe, takedowns)?;
        self.part("crawl", |night| night.crawl(&recipe, suppression.as_ref()))?;
        self.part("harvest", |night| night.harvest(&recipe, suppression.as_ref()))?;
        let files = match recipe.source_room.name {
            crawled::NAME => crawl::archives(&self.args.place.workspace, false)?,
            harvested::NAME => crawl::archives(&self.args.place.workspace, true)?,
            _ => inputs::find_of_night(&mut recipe, &self.record.date)?,
        };
        if files.is_empty() {
            return Ok(());
        }
        let mut plan = make_plan(&recipe, &files);
        plan.takedowns = takedowns;
        let history = History::open(&self.workspace, &recipe.dataset)?;
        if history.ledger_of(&plan.id())?.is_some() {
            return Ok(());
        }
        match history.left_of(&plan, &recipe)? {
            Left::New(plan) if !plan.inputs.is_empty() => self.run(*plan, recipe, suppression),
            _ => Ok(()),
        }
    }

    /// Finishes what earlier nights, or an earlier try, left open.
    fn go_on(&mut self, recipe: &Recipe, takedowns: u64) -> anyhow::Result<()> {
        let plans: Vec<String> = self.records.all().rev().flat_map(|record| record.plans.iter().rev().cloned()).collect();
        for id in plans {
            let history = History::open(&self.workspace, &recipe.dataset)?;
            if history.ledger_of(&id)?.is_some() {
                continue;
            }
            match history.open_plan(&id, recipe, takedowns) {
                Some(plan) => {
                    let recipe = Recipe::of_plan(&plan)?;
                    let suppression = Suppression::open(&self.workspace, &self.args.place.keys.suppression())?;
                    self.run(plan, recipe, suppression)?;
                }
                // The world has changed since: its inputs are read by tonight's plan, and what was begun is thrown away.
                None => [self.workspace.attempts(&id), self.workspace.staging(&id), self.workspace.commits(&id)]
                    .iter()
                    .try_for_each(|folder| store::remove_folder(folder))?,
            }
        }
        Ok(())
    }

    /// The crawl of tonight; and of a night that was killed, whose archives are brought in order by its own crawl.
    fn crawl(&mut self, recipe: &Recipe, suppression: Option<&Suppression>) -> anyhow::Result<()> {
        let Some(mut crawls) = recipe.crawl().map_err(anyhow::Error::msg)? else { return Ok(()) };
        crawls.minutes_max = self.budget.crawl_minutes(crawls.minutes_max);
        let tonight: Date = self.record.date.parse().context("a record has a date")?;
        let killed = self.records.all().filter(|record| record.state != State::Done && record.date < self.record.date);
        let killed: Vec<Date> = killed.filter(|record| record.crawl.is_none()).filter_map(|record| record.date.parse().ok()).collect();
        let halt = || self.stop.wished() || !self.budget.may_take();
        for date in killed.into_iter().filter(|date| self.workspace.archive().join(date.to_string()).is_dir()) {
            crawl::night(&crawls, &self.workspace, Some(date), suppression, &halt, self.args.quiet)?;
        }
        let status = crawl::night(&crawls, &self.workspace, Some(tonight), suppression, &halt, self.args.quiet)?;
        let earlier = self.record.crawl.take().filter(|earlier| earlier.pages >= status.pages);
        let counts = CrawlCounts { pages: status.pages, bytes: status.bytes, requests: status.requests, refused: status.refused };
        self.record.crawl = Some(earlier.unwrap_or(counts));
        self.note("crawled")
    }

    /// The harvest of tonight. What its time or the disk cuts short the next night goes on with; repositories whose night is over are not asked.
    fn harvest(&mut self, recipe: &Recipe, suppression: Option<&Suppression>) -> anyhow::Result<()> {
        let Some(mut settings) = recipe.harvest().map_err(anyhow::Error::msg)? else { return Ok(()) };
        settings.minutes_max = self.budget.crawl_minutes(settings.minutes_max);
        let tonight: Date = self.record.date.parse().context("a record has a date")?;
        let killed = self.records.all().filter(|record| record.state != State::Done && record.date < self.record.date);
        killed.filter(|record| record.harvest.is_none()).try_for_each(|record| mend(&self.workspace, &record.date))?;
        let (stop, budget) = (&self.stop, &self.budget);
        let halt = || stop.wished() || !budget.may_take();
        let came = harvest::night(&settings, &self.workspace, Some(tonight), suppression, &halt, self.args.quiet)?;
        // A second try finds some repositories done: what they brought stands in the record.
        let mut counts = self.record.harvest.take().unwrap_or_default();
        for one in &came.brought {
            (counts.records, counts.texts) = (counts.records + one.records, counts.texts + one.texts);
            counts.requests += one.requests;
        }
        (counts.lists_left, counts.deleted_waiting) = (came.left(), came.waiting);
        self.record.harvest = Some(counts);
        self.note("harvested")
    }

    fn run(&mut self, plan: Plan, recipe: Recipe, suppression: Option<Suppression>) -> anyhow::Result<()> {
        let id = plan.id();
        save_plan(&self.workspace, &plan)?;
        if !self.record.plans.contains(&id) {
            self.record.plans.push(id.clone());
        }
        self.note("plans")?;
        store::remove_folder(&self.workspace.attempts(&id))?;
        let progress = Progress::new(self.args.quiet);
        let stop = Stop(std::sync::Arc::clone(&self.stop.0));
        let job = Job::new(&self.workspace, plan, recipe, suppression, &self.args.machine.means()?, stop)?;
        let budget = &self.budget;
        let listener = self.tracing.as_ref().map(|tracing| Listener::new(&progress, tracing));
        let watch: &dyn Watch = listener.as_ref().map_or(&progress, |listener| listener);
        let worked = budget.measured(|| run_stages(&job, watch, &|| budget.may_take()).map_err(anyhow::Error::from));
        let sealed = worked.and_then(|()| Ok(job.seal()?));
        if let Some(listener) = listener {
            listener.end(&id, sealed.as_ref().err().map(word));
        }
        let sealed = sealed?;
        self.record.manifest = sealed.manifest;
        write_report(&self.workspace, &sealed.ledger, &progress)?;
        self.note("published")
    }

    fn retain(&mut self) -> anyhow::Result<()> {
        let mut read = std::collections::BTreeSet::new();
        // Archives belong to the workspace and not to a data set: each must have been read by one of them.
        for dataset in crate::ledger::manifest::Manifests::read(&self.workspace)?.datasets() {
            let inputs = History::open(&self.workspace, dataset)?.read_inputs()?;
            read.extend(inputs.into_iter().filter_map(|path| path.canonicalize().ok()));
        }
        let removed = retain(&self.workspace, &self.settings.keep, today(), jiff::Timestamp::now(), &read)?;
        for (kind, (files, bytes)) in removed.0 {
            let entry = self.record.removed.0.entry(kind).or_default();
            (entry.0, entry.1) = (entry.0 + files, entry.1 + bytes);
        }
        Ok(())
    }

    /// Counts what was published, whoever sealed it.
    fn count(&mut self) -> anyhow::Result<()> {
        let history = History::open(&self.workspace, &self.record.dataset)?;
        (self.record.published, self.record.tally) = (Vec::new(), Default::default());
        for id in &self.record.plans {
            if let Some(ledger) = history.ledger_of(id)? {
                self.record.published.push(id.clone());
                self.record.tally.add(&ledger.total());
            }
        }
        Ok(())
    }

    /// The end of the night, whatever happened: record, retention, alarms, and everybody is told.
    fn end(mut self, worked: anyhow::Result<()>) -> anyhow::Result<Exit> {
        let (state, why) = match (&worked, self.budget.ended()) {
            (Ok(()), _) => (State::Done, ""),
            (Err(_), Some(ended)) => (State::Unfinished, ended.word()),
            (Err(error), None) => match exit_of(error) {
                Exit::Stopped => (State::Unfinished, "stopped"),
                Exit::TryAgain => (State::Unfinished, "disk"),
                _ => (State::Failed, "error"),
            },
        };
        (self.record.state, self.record.why) = (state, why.to_owned());
        self.try_to("count", Night::count);
        if state == State::Done {
            self.try_to("remove what is old", |night| night.part("retention", Night::retain));
        }
        self.record.ended = now();
        self.record.seconds = self.before + self.budget.elapsed().as_secs_f64();
        self.record.free_bytes = store::free_bytes(self.workspace.root()).unwrap_or(0);
        let before: Vec<&Record> = self.records.done_before(&self.record.date).collect();
        self.record.alarms = alarms(&self.record, &before, &self.settings.alarm);
        self.tell();
        self.try_to("note the end", |night| night.note("ends"));
        match worked {
            Err(error) if self.budget.ended().is_none() => {
                eprint!("{}", tell::summary(&self.record));
                Err(error)
            }
            _ => show(self.args, &self.record),
        }
    }

    /// Does something at the end that must not keep the rest from happening.
    fn try_to(&mut self, what: &str, act: impl FnOnce(&mut Self) -> anyhow::Result<()>) {
        if let Err(error) = act(self) {
            eprintln!("note: cannot {what}: {error:#}");
        }
    }

    fn tell(&mut self) {
        let way = &self.settings.tell;
        let mut told = Vec::new();
        if let Some(tracing) = &self.tracing {
            tracing.end(&self.record);
            let address = trace::address(&way.otlp_endpoint);
            // One that fails is enough to know that the collector does not take them.
            let failed = tracing.trace.requests().iter().find_map(|body| webhook::post(&address, &way.otlp_ca_file, body));
            told.push(("otlp", failed));
        }
        if tell::is_worth_telling(way, &self.record) {
            if !way.webhook.is_empty() {
                let body = serde_json::json!({ "text": tell::summary(&self.record), "night": self.record }).to_string();
                told.push(("webhook", webhook::post(&way.webhook, &way.webhook_ca_file, &body)));
            }
            if !way.mail_to.is_empty() {
                told.push(("mail", tell::mail(way, &self.record)));
            }
        }
        for (way, failed) in told {
            if let Some(why) = &failed {
                eprintln!("note: {way} could not be told how the night went: {why}");
            }
            self.record.told.insert(way.to_owned(), failed);
        }
        if !self.settings.tell.metrics_file.is_empty() {
            let last =
                if self.record.state == State::Done { Some(&self.record) } else { self.records.done_before(&self.record.date).next() };
            let text = metrics::text(&[(&self.record, last)]);
            if let Err(error) = store::write_over(Path::new(&self.settings.tell.metrics_file), text.as_bytes()) {
                eprintln!("note: the metrics of the night could not be written: {error}");
                self.record.told.insert("metrics".to_owned(), Some(error.to_string()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_is_today_or_one_that_was_missed_and_never_one_before_the_last_by_a_wrong_clock() {
        let folder = tempfile::tempdir().expect("a folder");
        let workspace = Workspace::open(folder.path()).expect("room");
        let mut records = Records::open(&workspace, "web").expect("none yet");
        let day = |text: &str| text.parse::<Date>().expect("a day");
        assert_eq!(which(None, day("2026-11-26"), &records).expect("the first"), day("2026-11-26"));
        records.note(&Record { date: "2026-11-25".to_owned(), ..Record::default() }).expect("room");
        assert_eq!(which(Some(day("2026-11-20")), day("2026-11-26"), &records).expect("missed"), day("2026-11-20"));
        let told = which(None, day("2026-11-20"), &records).expect_err("the clock was set back").to_string();
        assert!(told.contains("2026-11-25") && told.contains("tamis doctor"), "{told}");
        assert!(which(Some(day("2026-11-27")), day("2026-11-26"), &records).is_err());
    }
}
