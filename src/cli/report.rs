//! `tamis report`: what a data set says of itself to the public. Counts in, one document out, to stdout or a file.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};

use super::exit::Exit;
use super::run::Keys;
use crate::ledger::receipt::Receipts;
use crate::publish::counts::files;
use crate::publish::facts::Facts;
use crate::publish::feed::Policy;
use crate::publish::page::Page;
use crate::publish::set::{Set, Version};
use crate::publish::{ai_act, card, croissant, datasheet, sums};
use crate::store;
use crate::workspace::Workspace;

/// Arguments of `tamis report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(subcommand)]
    verb: ReportVerb,
}

#[derive(Debug, Subcommand)]
enum ReportVerb {
    /// The summary of training content of Article 53(1)(d) of the AI Act, by the Commission's template
    AiAct {
        #[command(flatten)]
        of: Of,
        /// The form
        #[arg(long, value_enum, default_value_t = Form::Html)]
        format: Form,
    },
    /// MLCommons Croissant 1.0 with RAI fields, as JSON-LD
    Croissant {
        #[command(flatten)]
        of: Of,
        /// Where the files lie, seen from the description: a folder, or an address that ends in a slash
        #[arg(long, value_name = "ROOT", default_value = "")]
        root: String,
    },
    /// A dataset card for the Hugging Face hub: README.md
    Card {
        #[command(flatten)]
        of: Of,
        /// Where the files lie, seen from the card [default: data/DATASET]
        #[arg(long, value_name = "FOLDER")]
        data: Option<String>,
    },
    /// A datasheet with charts
    Datasheet {
        #[command(flatten)]
        of: Of,
        /// The form
        #[arg(long, value_enum, default_value_t = Form::Html)]
        format: Form,
    },
    /// Checksums of all files, as `sha256sum --check` reads them; with --out signed too, in a file beside it that ends in .sig
    Sums {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        keys: Keys,
    },
    /// Whether a list of checksums is the one that was signed
    SumsCheck {
        /// The list; its signature lies beside it
        list: PathBuf,
    },
    /// The crawler's policy as an Atom feed, from a file of its changes
    Feed {
        /// The file: title, url, author, and a table `change` with date, title and text for each
        policy: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Of {
    /// The data set: WORKSPACE/data/NAME
    #[arg(value_parser = super::away::place)]
    dataset: PathBuf,
    /// What no machine can know: a TOML file; docs/publishing.md lists what may stand in it
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// Writes to a file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A page that needs nothing beside it
    Html,
    /// Markdown
    Markdown,
    /// JSON
    Json,
}

/// Writes what is asked for.
///
/// # Errors
/// What stands against it, in a sentence.
pub fn report(args: &ReportArgs) -> anyhow::Result<Exit> {
    match &args.verb {
        ReportVerb::AiAct { of, format } => {
            let set = of.set()?;
            let page = ai_act::page(&set.counts, &set.removed, &set.facts);
            of.write(&form(&page, *format)?)?;
            let open = page.open_fields();
            if !open.is_empty() {
                eprintln!("note: {} fields are to be filled in, by --facts or by hand: {}", open.len(), open.join("; "));
            }
        }
        ReportVerb::Croissant { of, root } => {
            let set = of.set()?;
            let page = croissant::describe(&set.counts, &set.facts, &set.version.files, root);
            of.write(&(serde_json::to_string_pretty(&page)? + "\n"))?;
        }
        ReportVerb::Card { of, data } => {
            let set = of.set()?;
            let data = data.clone().unwrap_or_else(|| format!("data/{}", set.version.dataset));
            of.write(&card::markdown(&set.counts, &set.facts, &data))?;
        }
        ReportVerb::Datasheet { of, format } => {
            let set = of.set()?;
            let (read, dropped) = set.dropped();
            of.write(&form(&datasheet::page(&set.counts, &set.facts, read, &dropped), *format)?)?;
        }
        ReportVerb::Sums { of, keys } => write_sums(of, keys)?,
        ReportVerb::SumsCheck { list } => return check_sums(list),
        ReportVerb::Feed { policy } => {
            let text = std::fs::read_to_string(policy).with_context(|| format!("cannot read the policy `{}`", policy.display()))?;
            print!("{}", Policy::parse(&text).map_err(|why| anyhow::anyhow!("the policy `{}`: {why}", policy.display()))?.atom());
        }
    }
    Ok(Exit::Done)
}

fn form(page: &Page, form: Form) -> anyhow::Result<String> {
    Ok(match form {
        Form::Html => page.html(),
        Form::Markdown => page.markdown(),
        Form::Json => serde_json::to_string_pretty(page)? + "\n",
    })
}

impl Of {
    fn set(&self) -> anyhow::Result<Set> {
        let (workspace, dataset) = Workspace::of_dataset(&self.dataset)?;
        let facts = self.facts.as_deref().map(Facts::load).transpose().map_err(anyhow::Error::msg)?.unwrap_or_default();
        Ok(Set::open(&workspace, Version::published(&workspace, &dataset)?, facts)?)
    }

    fn write(&self, text: &str) -> anyhow::Result<()> {
        match &self.out {
            Some(path) => Ok(store::write_over(path, text.as_bytes())?),
            None => {
                print!("{text}");
                Ok(())
            }
        }
    }
}

fn signature_beside(list: &Path) -> PathBuf {
    let mut name = list.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

fn write_sums(of: &Of, keys: &Keys) -> anyhow::Result<()> {
    let (workspace, dataset) = Workspace::of_dataset(&of.dataset)?;
    let list = sums::list(&sums::of(&files(&workspace, &dataset)?));
    of.write(&list)?;
    if let Some(out) = &of.out {
        let signer = Receipts::open(&workspace)?.signer(&keys.signing())?;
        store::write_over(&signature_beside(out), sums::signature(&list, &signer).as_bytes())?;
    }
    Ok(())
}

fn check_sums(list: &Path) -> anyhow::Result<Exit> {
    let read = |path: &Path| std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()));
    let signature = read(&signature_beside(list))?;
    let holds = sums::holds(&read(list)?, &signature);
    let key = signature.lines().next().unwrap_or_default().trim_start_matches("ed25519 ").to_owned();
    println!(
        "{}",
        if holds {
            format!("signed by {key}; now check the files: sha256sum --check {}", list.display())
        } else {
            "the signature is not one of this list".to_owned()
        }
    );
    Ok(if holds { Exit::Done } else { Exit::Quarantined })
}
