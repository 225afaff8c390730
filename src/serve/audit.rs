//! Who did what, a JSON line each, in `_tamis/audit/<month>.jsonl`.
//!
//! Neither a document nor a question nor a person is named: ids, names of officers and what was asked stand as the beginning of their
//! SHA-256. Who knows a name can find its lines; nobody can read names out of them, and a takedown has nothing to erase here.

use std::fs::{OpenOptions, create_dir_all};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;

use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::visit::Visit;

/// Bytes of a hash that a line shows.
const SHOWN: usize = 8;

/// The log.
pub(super) struct Audit {
    folder: PathBuf,
    now: fn() -> jiff::Timestamp,
    /// Lines are whole: one writer at a time.
    writing: Mutex<()>,
}

fn hashed(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text.as_bytes())[..SHOWN])
}

impl Audit {
    pub(super) fn new(folder: PathBuf, now: fn() -> jiff::Timestamp) -> Audit {
        Audit { folder, now, writing: Mutex::new(()) }
    }

    /// Notes that `visit` did `what` to `whom`, which is written as its hash.
    pub(super) fn note(&self, visit: &Visit, what: &str, whom: &str) -> std::io::Result<()> {
        self.note_of(visit.role_word(), &visit.visitor.name, what, whom)
    }

    /// Notes the same of somebody by role and name.
    pub(super) fn note_of(&self, role: &str, name: &str, what: &str, whom: &str) -> std::io::Result<()> {
        let now = (self.now)();
        let whom = if whom.is_empty() { String::new() } else { hashed(whom) };
        let line =
            json!({"at": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "role": role, "who": hashed(name), "what": what, "whom": whom});
        let _one = self.writing.lock();
        create_dir_all(&self.folder)?;
        let path = self.folder.join(format!("{}.jsonl", now.strftime("%Y-%m")));
        OpenOptions::new().create(true).append(true).open(path)?.write_all(format!("{line}\n").as_bytes())
    }
}
