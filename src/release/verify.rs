//! Proof that a release is what its record says: every file with its hash, every row by the schema, nothing else beside them, and checksums that the publisher
//! signed. Changes nothing.

use std::collections::BTreeSet;

use super::ReleaseError;
use super::freeze::list_of;
use super::record::{FACTS, RECORD, Release, SIGNATURE, SUMS};
use crate::ledger::verify::Verified;
use crate::publish::sums;
use crate::store;

/// Checks a release.
///
/// # Errors
/// When its folder cannot be read. What is wrong with its files is no error but a [`crate::ledger::verify::Problem`].
pub fn verify(release: &Release) -> Result<Verified, ReleaseError> {
    let record = &release.record;
    let mut verified = Verified { dataset: record.name.clone(), ..Verified::default() };
    record.files.iter().for_each(|file| verified.shard(&release.folder, &file.entry()));
    record.reports.iter().for_each(|report| verified.plain(&release.folder, &report.entry()));
    let read = |name: &str| std::fs::read_to_string(release.folder.join(name)).unwrap_or_default();
    let list = read(SUMS);
    if record.reports.is_empty() {
        let what = format!(
            "takedown {} erased documents here; `tamis release {}` with the data set makes them anew",
            record.takedown_sequence, record.name
        );
        verified.problem("reports", "missing", what);
    } else if list != list_of(record) {
        verified.problem(SUMS, "hash", "it is not the list of these files; `tamis release` makes it anew".to_owned());
    } else if !sums::holds(&list, &read(SIGNATURE)) {
        verified.problem(SIGNATURE, "signature", "it is not one of the checksums".to_owned());
    }
    let files = record.files.iter().map(|file| file.path.as_str()).chain(record.reports.iter().map(|report| report.path.as_str()));
    let known: BTreeSet<&str> = files.chain([RECORD, SUMS, SIGNATURE, FACTS]).collect();
    for path in store::files_below(&release.folder)? {
        let name = release.name_of(&path);
        if !known.contains(name.as_str()) {
            verified.problem(&name, "stranger", "the record does not name it, but whoever gets the release would get it too".to_owned());
        }
    }
    verified.problems.sort();
    Ok(verified)
}
