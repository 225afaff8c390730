//! The command line: one file a verb, and the only place that prints.

mod away;
mod calibrate;
mod check;
mod crawl;
mod decide;
mod dedup;
mod doctor;
mod engines;
pub mod exit;
mod export;
mod harvest;
mod inspect;
mod manual;
mod night;
mod optout;
mod pack;
mod pipe;
mod plan;
pub mod progress;
mod quality;
mod release;
mod report;
mod robots;
mod run;
mod serve;
mod stages;
mod status;
mod table;
mod takedown;
mod tokenizer;
mod traced;
mod verify;
mod warc;
mod work;

use clap::{Parser, Subcommand};

use self::exit::Exit;
use crate::engine::watch::Stop;

/// A sieve for Europe's web text: from web archives to token shards, with a reason for every removal.
#[derive(Debug, Parser)]
#[command(name = "tamis", version, max_term_width = 100, propagate_version = true)]
#[command(after_help = "Begin with: tamis run pipelines/quickstart.toml\n\
Exit codes: 0 done; 1 done, but some input was set aside or something is not right; 2 not started, nothing was touched; \
75 try again; 130 stopped by the user, the same command goes on.")]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Runs a recipe, or goes on where it stopped
    Run(run::RunArgs),
    /// Judges the documents of earlier runs by other limits, without reading and measuring them again
    Decide(decide::DecideArgs),
    /// Proposes limits by language from a sample of measured documents
    Calibrate(calibrate::CalibrateArgs),
    /// Does a night: crawls, takes new archives, publishes once, tells how it went; goes on where an earlier one stopped
    Night(night::NightArgs),
    /// Looks whether a night could begin: disk, clock, permissions, keys, index, versions
    Doctor(doctor::DoctorArgs),
    /// Says what is wrong with a recipe, shows the plan, and runs the recipe's examples
    Check(check::CheckArgs),
    /// Lists sources and stages, or explains one with all its settings
    Stages(stages::StagesArgs),
    /// Runs stages as a Unix filter: JSON lines in, JSON lines out
    Pipe(pipe::PipeArgs),
    /// Finds duplicates among JSON lines
    Dedup(dedup::DedupArgs),
    /// Says what robots.txt files allow to whom
    Robots(robots::RobotsArgs),
    /// Says whose pages are reserved from training, and in which words
    Optout(optout::OptoutArgs),
    /// Asks repositories for what is new (OAI-PMH), and plans to erase what they have deleted
    Harvest(harvest::HarvestArgs),
    /// Lists, checks and prints records of web archives
    Warc(warc::WarcArgs),
    /// Looks into a data set
    Inspect(inspect::InspectArgs),
    /// Shows a workspace as web pages: overview, search, documents, and the console of takedowns
    Serve(serve::ServeArgs),
    /// Checks every file of a data set against its hash, and every row against the schema
    Verify(verify::VerifyArgs),
    /// Erases documents from every store, proves it, and keeps them out
    Takedown(takedown::TakedownArgs),
    /// After a backup was restored: looks for what was erased before, and plans to erase it again
    RestoreCheck(takedown::restore::RestoreArgs),
    /// Makes a vocabulary from a corpus, and says how well vocabularies fit its languages
    Tokenizer(tokenizer::TokenizerArgs),
    /// Makes a learned quality score from good and bad texts, and says how well it does beside the rules
    Quality(quality::QualityArgs),
    /// Says of a data set what the law and its readers ask: AI Act summary, Croissant, card, datasheet, checksums
    Report(report::ReportArgs),
    /// Freezes a version of a data set under a name, with its reports, checksums and signature; or lists what was frozen
    Release(release::ReleaseArgs),
    /// Packs a data set into shuffled sequences of token ids, split for training and testing
    Pack(pack::PackArgs),
    /// Writes a packed data set in the format of a trainer
    Export(export::ExportArgs),
    /// Freezes the work of a recipe into a plan
    Plan(plan::PlanArgs),
    /// Does one task of a plan
    Task(plan::TaskArgs),
    /// Does tasks of a plan beside other workers, until none is left to take
    Work(work::WorkArgs),
    /// Says how far the plans of a workspace have come, and who is at them
    Status(status::StatusArgs),
    /// Lists the tasks of a plan that are not done yet
    Pending(plan::Planned),
    /// Publishes a plan whose tasks are all done
    Seal(plan::Planned),
    /// Prints the completions for a shell
    Completions(manual::CompletionsArgs),
    /// Writes the manual pages
    Manual(manual::ManualArgs),
}

/// Does what the command line says.
///
/// # Errors
/// What could not be done, in a sentence.
pub fn run(cli: Cli, stop: Stop) -> anyhow::Result<Exit> {
    let (name, makes_shards) = cli.verb.kind();
    away::at_home(name, makes_shards, || dispatch(cli.verb, stop))
}

impl Verb {
    /// What a workspace's home is told of the verb, and whether it makes shards and needs none that are there.
    fn kind(&self) -> (&'static str, bool) {
        match self {
            Verb::Run(_) => ("run", true),
            Verb::Plan(_) => ("plan", true),
            Verb::Task(_) => ("task", true),
            Verb::Work(_) => ("work", true),
            Verb::Status(_) => ("status", true),
            Verb::Pending(_) => ("pending", true),
            Verb::Seal(_) => ("seal", true),
            Verb::Takedown(_) => ("takedown", false),
            Verb::Night(_) => ("night", false),
            Verb::Decide(_) => ("decide", false),
            Verb::Pack(_) => ("pack", false),
            Verb::Export(_) => ("export", false),
            Verb::Release(_) => ("release", false),
            _ => ("other", false),
        }
    }
}

fn dispatch(verb: Verb, stop: Stop) -> anyhow::Result<Exit> {
    match verb {
        Verb::Run(args) => run::run(&args, stop),
        Verb::Decide(args) => decide::decide(&args, stop),
        Verb::Calibrate(args) => calibrate::calibrate(&args),
        Verb::Night(args) => night::night(&args, stop),
        Verb::Doctor(args) => doctor::doctor(&args),
        Verb::Check(args) => check::check(&args),
        Verb::Stages(args) => stages::stages(&args),
        Verb::Pipe(args) => pipe::pipe(&args),
        Verb::Dedup(args) => dedup::dedup(args),
        Verb::Robots(args) => robots::robots(&args),
        Verb::Optout(args) => optout::optout(&args),
        Verb::Harvest(args) => harvest::harvest(&args, &stop),
        Verb::Warc(args) => warc::warc(&args),
        Verb::Inspect(args) => inspect::inspect(&args),
        Verb::Serve(args) => serve::serve(&args, &stop),
        Verb::Verify(args) => verify::verify(&args),
        Verb::Takedown(args) => takedown::takedown(args),
        Verb::RestoreCheck(args) => takedown::restore::restore_check(&args),
        Verb::Tokenizer(args) => tokenizer::tokenizer(&args),
        Verb::Quality(args) => quality::quality(&args),
        Verb::Report(args) => report::report(&args),
        Verb::Release(args) => release::release(&args),
        Verb::Pack(args) => pack::pack(&args),
        Verb::Export(args) => export::export(&args),
        Verb::Plan(args) => plan::plan(&args),
        Verb::Task(args) => plan::task(&args, stop),
        Verb::Work(args) => work::work(&args, stop),
        Verb::Status(args) => status::status(&args, &stop),
        Verb::Pending(args) => plan::pending(&args),
        Verb::Seal(args) => plan::seal(&args),
        Verb::Completions(args) => manual::completions(&args),
        Verb::Manual(args) => manual::manual(&args),
    }
}
