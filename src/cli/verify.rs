//! `tamis verify`: every published file against its hash, every row against the schema.

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use crate::ledger::verify::{Verified, VerifyError};
use crate::release::record::Release;
use crate::size::ByteSize;
use crate::workspace::{Workspace, WorkspaceError};

/// Arguments of `tamis verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Folder of the data set: WORKSPACE/data/NAME; or of a packed one, WORKSPACE/packed/NAME, which is checked with all its exports; or of a release,
    /// WORKSPACE/releases/NAME
    #[arg(value_parser = super::away::place)]
    dataset: PathBuf,
    /// Writes the findings as JSON to stdout
    #[arg(long)]
    json: bool,
}

/// Checks a data set. Exit 0 when it is sound, 1 when something is wrong, 2 when there is no such data set.
///
/// # Errors
/// When there is no such data set, or its manifests cannot be read.
pub fn verify(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let verified = if let Some((workspace, name)) = Workspace::of_packed(&args.dataset) {
        crate::packing::verify::verify(&workspace, &name)?
    } else if let Some((_, folder)) = Workspace::of_release(&args.dataset) {
        crate::release::verify::verify(&Release::read(&folder)?)?
    } else {
        documents(args)?
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&verified)?);
    } else {
        print!("{}", told(&verified));
    }
    Ok(if verified.is_sound() { Exit::Done } else { Exit::Quarantined })
}

fn documents(args: &VerifyArgs) -> anyhow::Result<Verified> {
    let (workspace, dataset) = Workspace::of_dataset(&args.dataset)?;
    crate::ledger::verify::verify(&workspace, &dataset).map_err(|error| match error {
        VerifyError::NoDataset { .. } => WorkspaceError::NoDataset { path: args.dataset.clone() }.into(),
        error => anyhow::Error::from(error),
    })
}

fn told(verified: &Verified) -> String {
    let mut lines = String::new();
    for problem in &verified.problems {
        lines += &format!("{}: {}: {}\n", problem.path, problem.kind, problem.what);
    }
    let Verified { dataset, files, rows, tokens, bytes, problems } = verified;
    let end = match problems.len() {
        0 => "sound".to_owned(),
        1 => "1 problem".to_owned(),
        many => format!("{many} problems"),
    };
    lines += &format!("{dataset}: {files} files, {}, {rows} rows, {tokens} token ids: {end}\n", ByteSize(*bytes));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::verify::Problem;

    #[test]
    fn a_problem_names_its_file_and_the_last_line_sums_up() {
        let path = "data/web/lang=mt/part-00000.parquet".to_owned();
        let problems = vec![Problem { path, kind: "missing", what: "the manifest names it, but it is not there".to_owned() }];
        let verified = Verified { dataset: "web".to_owned(), files: 1, rows: 0, tokens: 0, bytes: 2_000, problems };
        assert_eq!(
            told(&verified),
            "data/web/lang=mt/part-00000.parquet: missing: the manifest names it, but it is not there\n\
             web: 1 files, 2.0 kB, 0 rows, 0 token ids: 1 problem\n"
        );
    }

    #[test]
    fn a_folder_that_is_no_data_set_is_an_error_that_says_what_to_give() {
        let args = VerifyArgs { dataset: PathBuf::from("/nowhere/data/web"), json: false };
        let error = verify(&args).expect_err("it is not there").to_string();
        assert_eq!(error, "`/nowhere/data/web` is not a data set; give a folder such as WORKSPACE/data/NAME");
    }
}
