//! Tells whoever wants to hear how a night went: a mail, a webhook, a line in the log. What cannot be told is noted, and never ends a night.
//!
//! Mail goes through a program that takes it on its standard input, as every Unix has one (sendmail, msmtp, postfix): a queue, TLS and
//! passwords are its business, and a mail server that is down has the mail wait there. A mail library would make all that ours.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::record::{Record, State};
use super::settings::Tell;
use crate::size::{ByteSize, grouped};
use crate::store::StoreError;

/// How long the program that takes the mail may take.
const MAIL_MAX: Duration = Duration::from_secs(60);
/// What it may say that is repeated.
const SAID_MAX: usize = 300;
/// The program that every mail server of a Unix brings.
const SENDMAIL: [&str; 3] = ["/usr/sbin/sendmail", "-t", "-i"];

/// How a night went, in a line.
#[must_use]
pub fn subject(record: &Record) -> String {
    let alarms = match record.alarms.len() {
        0 => String::new(),
        1 => ", 1 alarm".to_owned(),
        count => format!(", {count} alarms"),
    };
    format!("tamis {} {}: {}{alarms}", record.dataset, record.date, record.state.word())
}

/// How a night went, for a person.
#[must_use]
pub fn summary(record: &Record) -> String {
    let tally = &record.tally;
    let mut text = format!("{}\n\n", subject(record));
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<10}{value}");
    };
    if let Some(crawl) = &record.crawl {
        line("crawl", format!("{} pages, {}", grouped(crawl.pages), ByteSize(crawl.bytes)));
    }
    if let Some(harvest) = &record.harvest {
        line("harvest", format!("{} new records with {} texts", grouped(harvest.records), grouped(harvest.texts)));
    }
    line("read", format!("{} documents in {}", grouped(tally.read), ByteSize(tally.input_bytes)));
    line("kept", format!("{} documents, {} tokens, {} languages", grouped(tally.kept), grouped(tally.tokens()), tally.languages.len()));
    let mut reasons: Vec<(String, u64)> = tally
        .dropped
        .iter()
        .flat_map(|(stage, all)| all.iter().map(move |(reason, count)| (format!("{stage}/{reason}"), *count)))
        .collect();
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (reason, count) in reasons.iter().take(8) {
        line("dropped", format!("{:>12} {reason}", grouped(*count)));
    }
    line("set aside", grouped(tally.quarantined + tally.damages));
    line("time", format!("{:.0} s in {} tries", record.seconds, record.tries));
    line("disk", format!("{} free, {} removed by retention", ByteSize(record.free_bytes), ByteSize(record.removed.bytes())));
    for alarm in &record.alarms {
        let _ = write!(text, "\nALARM {}\n      look at: {}\n", alarm.says, alarm.look);
    }
    for (way, failed) in &record.told {
        if let Some(why) = failed {
            let _ = write!(text, "\nnote: {way} could not be told: {why}\n");
        }
    }
    text
}

/// Whether anybody has to be told of this night.
#[must_use]
pub fn is_worth_telling(settings: &Tell, record: &Record) -> bool {
    settings.always || !record.alarms.is_empty() || record.state != State::Done
}

/// Sends the mail. Answers why it could not, if so.
#[must_use]
pub fn mail(settings: &Tell, record: &Record) -> Option<String> {
    let command: Vec<&str> = match settings.mail_command.is_empty() {
        true => SENDMAIL.to_vec(),
        false => settings.mail_command.iter().map(String::as_str).collect(),
    };
    let letter = format!(
        "From: {}\nTo: {}\nSubject: {}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\nAuto-Submitted: auto-generated\n\n{}",
        settings.mail_from,
        settings.mail_to,
        subject(record),
        summary(record)
    );
    run(&command, letter.as_bytes(), MAIL_MAX).err()
}

/// Runs a program with `input`, for at most `most`.
fn run(command: &[&str], input: &[u8], most: Duration) -> Result<(), String> {
    let (program, arguments) = command.split_first().ok_or("no program is named")?;
    let started = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| format!("`{program}` does not start: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that reads nothing says by its end what it thought of it. A letter fits into the pipe, so this waits for nobody.
        let _ = stdin.write_all(input);
    }
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < most => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("`{program}` was ended after {} s", most.as_secs()));
            }
            Err(error) => return Err(format!("`{program}`: {error}")),
        }
    };
    if status.success() {
        return Ok(());
    }
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        let _ = std::io::Read::take(stderr, SAID_MAX as u64).read_to_string_lossy(&mut said);
    }
    Err(format!("`{program}` ended with {status}: {}", said.trim()))
}

/// Reads whatever bytes come as text.
trait ReadLossy {
    fn read_to_string_lossy(self, into: &mut String) -> std::io::Result<()>;
}

impl<R: std::io::Read> ReadLossy for R {
    fn read_to_string_lossy(mut self, into: &mut String) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        into.push_str(&String::from_utf8_lossy(&bytes).replace(char::is_control, " "));
        Ok(())
    }
}

/// Adds a line of JSON to the log at `path`.
///
/// # Errors
/// What the system says.
pub fn log(path: &Path, event: &serde_json::Value) -> Result<(), StoreError> {
    let write = || {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(format!("{event}\n").as_bytes())
    };
    write().map_err(|error| StoreError::io(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_reaches_the_program_whole_and_failures_are_sentences() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("mail").to_string_lossy().into_owned();
        let settings = |command: &[&str]| Tell {
            mail_to: "op@example.eu".to_owned(),
            mail_from: "tamis@example.eu".to_owned(),
            mail_command: command.iter().map(|word| (*word).to_owned()).collect(),
            ..Tell::default()
        };
        let record = Record { dataset: "web".to_owned(), date: "2026-11-26".to_owned(), state: State::Done, ..Record::default() };
        assert_eq!(mail(&settings(&["sh", "-c", "cat > \"$0\"", &file]), &record), None);
        let letter = std::fs::read_to_string(&file).expect("it came");
        assert!(letter.starts_with("From: tamis@example.eu\nTo: op@example.eu\nSubject: tamis web 2026-11-26: done\n"), "{letter}");
        assert!(letter.contains("\n\ntamis web 2026-11-26: done\n\nread "), "{letter}");
        let why = mail(&settings(&["sh", "-c", "echo connection refused >&2; exit 75"]), &record).expect("it fails");
        assert!(why.contains("75") && why.contains("connection refused"), "{why}");
        assert!(mail(&settings(&["/no/such/program"]), &record).expect("it fails").contains("does not start"));
        assert!(run(&["sleep", "5"], b"", Duration::from_millis(50)).expect_err("it hangs").contains("was ended after"));
    }
}
