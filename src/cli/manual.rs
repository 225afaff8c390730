//! `tamis completions` and `tamis manual`: what a shell and `man` want to know of the command line, made from the command line itself.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use super::exit::Exit;

/// Arguments of `tamis completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Arguments of `tamis manual`.
#[derive(Debug, Args)]
pub struct ManualArgs {
    /// The folder for tamis.1, tamis-run.1 and so on; made if it is not there
    folder: PathBuf,
}

/// Prints the completions.
///
/// # Errors
/// When nobody takes them.
pub fn completions(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    let mut bytes = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tamis", &mut bytes);
    print!("{}", String::from_utf8_lossy(&bytes));
    Ok(Exit::Done)
}

/// Writes a page for the program and one for each verb.
///
/// # Errors
/// When a page cannot be written.
pub fn manual(args: &ManualArgs) -> anyhow::Result<Exit> {
    std::fs::create_dir_all(&args.folder).with_context(|| format!("cannot make the folder `{}`", args.folder.display()))?;
    let mut program = Cli::command();
    program.build();
    pages(args, &program, "tamis")?;
    Ok(Exit::Done)
}

fn pages(args: &ManualArgs, command: &Command, name: &str) -> anyhow::Result<()> {
    let path = args.folder.join(format!("{name}.1"));
    let mut page = Vec::new();
    // clap keeps names for good, so that each page may have one of its own; they are few.
    let named: &'static str = Box::leak(name.to_owned().into_boxed_str());
    clap_mangen::Man::new(command.clone().name(named)).render(&mut page)?;
    std::fs::write(&path, page).with_context(|| format!("cannot write `{}`", path.display()))?;
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help");
    verbs.into_iter().try_for_each(|verb| pages(args, verb, &format!("{name}-{}", verb.get_name())))
}
