//! All integration tests, in one binary: sentences about promises, told to the program as a user would.

mod archives;
mod bad_input;
mod bucket;
mod cluster;
mod crawl;
mod decide;
mod engines;
mod files;
mod harvest;
mod homes;
mod inspect;
mod mixture;
mod nights;
mod objects;
mod operator;
mod optout;
mod packing;
mod publishing;
mod quality;
mod readers;
mod release;
mod remote;
mod rooms;
mod run;
mod samples;
mod serve;
mod seven_nights;
mod takedown;
mod tidy;
mod tokenizer;
mod web;
mod yields;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The project's folder.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program with these words, started in the project's folder.
fn tamis<I: AsRef<std::ffi::OsStr>>(words: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tamis"));
    command.current_dir(root()).args(words).env("NO_COLOR", "1");
    command
}

/// Runs to the end and asks for an exit code; shows all that was said if it is another.
#[track_caller]
fn ends_with(command: &mut Command, code: i32) -> Output {
    let output = command.output().expect("the program starts");
    assert_eq!(output.status.code(), Some(code), "{command:?}\nstdout: {}\nstderr: {}", said(&output.stdout), said(&output.stderr));
    output
}

/// A program of `examples/`. It is built as anybody's cargo builds it: what cargo tells this test of its own package must not reach that cargo,
/// for build scripts (ring's) look at it, and all that depends on them would be built anew, DataFusion too.
fn example(name: &str, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root()).args(["run", "--quiet", "--locked", "--example", name, "--"]).args(words);
    for (name, _) in std::env::vars_os() {
        let told = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CFG_", "NEXTEST"].iter().any(|own| told.starts_with(own)) || told == "OUT_DIR" {
            command.env_remove(&name);
        }
    }
    command
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether Prometheus' own checker takes a page of metrics and has nothing to say against names, types and meanings; skipped loudly where it is not there.
#[track_caller]
#[expect(clippy::print_stdout, reason = "what was not checked is told loudly")]
fn promtool_takes(page: &str) {
    let program = std::env::var_os("TAMIS_PROMTOOL").unwrap_or_else(|| "promtool".into());
    let mut command = Command::new(program);
    command.args(["check", "metrics"]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let Ok(mut child) = command.stderr(std::process::Stdio::piped()).spawn() else {
        println!("SKIPPED in part: there is no promtool here (Debian's package prometheus); tests/run sets it up");
        return;
    };
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), page.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{:?}\n{}{}\n{page}", output.status, said(&output.stdout), said(&output.stderr));
}

/// Every file below `folder`, sorted, by path relative to it.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(place) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&place) else { continue };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path.strip_prefix(folder).expect("it lies below").to_owned());
            }
        }
    }
    files.sort();
    files
}

/// Copies a folder with all that is in it.
fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("room");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).expect("an entry");
        if path.is_dir() {
            copy_folder(&path, &to.join(name));
        } else {
            std::fs::copy(&path, to.join(name)).expect("room");
        }
    }
}
