//! The register of requests: when each came, when it is due, and how it ended. It holds no personal data but what its keeper writes.

use std::path::PathBuf;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::deadline::due;
use crate::store::{self, StoreError};
use crate::workspace::Workspace;

/// How a request stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    /// It waits.
    Open,
    /// It was carried out.
    Done {
        /// Number of the receipt.
        receipt: u64,
        /// The day.
        on: String,
    },
    /// It was refused, for a reason that the person was told.
    Refused {
        /// Why.
        why: String,
        /// The day.
        on: String,
    },
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1.
    pub number: u64,
    /// The day on which it came.
    pub received: Date,
    /// Why it was made: `gdpr-17`, ..
    pub reason: String,
    /// The keeper's own reference, such as a file number. No name belongs here.
    pub reference: Option<String>,
    /// Why it takes two months more, if the person was told so in time.
    pub extended: Option<String>,
    /// How it stands.
    #[serde(flatten)]
    pub state: State,
}

impl Entry {
    /// The last day to answer it.
    #[must_use]
    pub fn due(&self) -> Date {
        due(self.received, self.extended.is_some())
    }
}

/// Why the register says no.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The system refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of it is damaged.
    #[error("`{path}` is no entry of the register of requests: {source}; restore it from a backup", path = path.display())]
    Damaged { path: PathBuf, source: serde_json::Error },
    /// There is none.
    #[error("there is no request {number}; `tamis takedown list` shows them all")]
    Unknown { number: u64 },
    /// It ended.
    #[error("request {number} is not open any more; `tamis takedown list` says how it ended")]
    NotOpen { number: u64 },
    /// It was extended before.
    #[error("request {number} was extended already; two months more is all that the law gives")]
    ExtendedBefore { number: u64 },
    /// It is too late to extend.
    #[error("request {number} was due on {due}: an extension must be told to the person before that day ends (GDPR Art. 12(3))")]
    TooLate { number: u64, due: Date },
    /// A date in the future.
    #[error("a request cannot have come on {received}, which is after today, {today}")]
    Future { received: Date, today: Date },
}

/// The register of a workspace.
#[derive(Debug)]
pub struct Register {
    folder: PathBuf,
    entries: Vec<Entry>,
}

impl Register {
    /// Reads it.
    ///
    /// # Errors
    /// When an entry cannot be read.
    pub fn open(workspace: &Workspace) -> Result<Register, RegisterError> {
        let folder = workspace.receipts().join("register");
        let mut entries = Vec::new();
        for number in 1.. {
            let path = folder.join(format!("{number:08}.json"));
            let bytes = match std::fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => break,
                Err(error) => return Err(StoreError::io(&path, error).into()),
            };
            entries.push(serde_json::from_slice(&bytes).map_err(|source| RegisterError::Damaged { path, source })?);
        }
        Ok(Register { folder, entries })
    }

    /// All requests, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Enters a request that came on `received`. Answers its number.
    ///
    /// # Errors
    /// When it lies in the future, or cannot be written.
    pub fn enter(&mut self, received: Date, reason: String, reference: Option<String>, today: Date) -> Result<u64, RegisterError> {
        if received > today {
            return Err(RegisterError::Future { received, today });
        }
        let number = self.entries.len() as u64 + 1;
        let entry = Entry { number, received, reason, reference, extended: None, state: State::Open };
        store::create_folder(&self.folder)?;
        self.write(&entry)?;
        self.entries.push(entry);
        Ok(number)
    }

    /// Gives a request two months more.
    ///
    /// # Errors
    /// When it is not open, was extended before, or its first month is over.
    pub fn extend(&mut self, number: u64, why: String, today: Date) -> Result<Date, RegisterError> {
        let mut entry = self.open_entry(number)?.clone();
        if entry.extended.is_some() {
            return Err(RegisterError::ExtendedBefore { number });
        }
        if today > entry.due() {
            return Err(RegisterError::TooLate { number, due: entry.due() });
        }
        entry.extended = Some(why);
        self.change(entry.clone())?;
        Ok(entry.due())
    }

    /// Ends a request.
    ///
    /// # Errors
    /// When it is not open. Ending it in the same way again changes nothing.
    pub fn end(&mut self, number: u64, state: State) -> Result<(), RegisterError> {
        let entry = self.entry(number)?;
        if entry.state == state {
            return Ok(());
        }
        let entry = Entry { state, ..self.open_entry(number)?.clone() };
        self.change(entry)
    }

    /// The request with this number.
    ///
    /// # Errors
    /// When there is none.
    pub fn entry(&self, number: u64) -> Result<&Entry, RegisterError> {
        self.entries.iter().find(|entry| entry.number == number).ok_or(RegisterError::Unknown { number })
    }

    fn open_entry(&self, number: u64) -> Result<&Entry, RegisterError> {
        Some(self.entry(number)?).filter(|entry| entry.state == State::Open).ok_or(RegisterError::NotOpen { number })
    }

    fn change(&mut self, entry: Entry) -> Result<(), RegisterError> {
        self.write(&entry)?;
        let place = self.entries.iter_mut().find(|known| known.number == entry.number);
        place.into_iter().for_each(|known| *known = entry.clone());
        Ok(())
    }

    fn write(&self, entry: &Entry) -> Result<(), RegisterError> {
        let mut json = serde_json::to_vec_pretty(entry).expect("strings and numbers are JSON");
        json.push(b'\n');
        Ok(store::write_over(&self.folder.join(format!("{:08}.json", entry.number)), &json)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_request_is_due_in_a_month_and_may_be_extended_once_in_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let workspace = Workspace::open(folder.path()).expect("a free place");
        let mut register = Register::open(&workspace).expect("it is empty");
        let today = date(2026, 2, 10);
        assert!(matches!(register.enter(date(2026, 2, 11), "gdpr-17".to_owned(), None, today), Err(RegisterError::Future { .. })));
        let number = register.enter(date(2026, 1, 31), "gdpr-17".to_owned(), Some("7/26".to_owned()), today).expect("room");
        assert_eq!(register.entry(number).expect("it is there").due(), date(2026, 2, 28));
        assert!(matches!(register.extend(number, "many".to_owned(), date(2026, 3, 1)), Err(RegisterError::TooLate { .. })));
        assert_eq!(register.extend(number, "many".to_owned(), date(2026, 2, 28)).expect("in time"), date(2026, 4, 30));
        assert!(matches!(register.extend(number, "more".to_owned(), date(2026, 2, 28)), Err(RegisterError::ExtendedBefore { .. })));
        let done = State::Done { receipt: 1, on: "2026-03-01".to_owned() };
        register.end(number, done.clone()).expect("room");
        register.end(number, done.clone()).expect("it is so already");
        assert!(matches!(register.end(number, State::Open), Err(RegisterError::NotOpen { .. })));
        let again = Register::open(&workspace).expect("it is whole");
        assert_eq!((again.entries().len(), &again.entries()[0].state), (1, &done));
        assert!(matches!(again.entry(2), Err(RegisterError::Unknown { number: 2 })));
    }
}
