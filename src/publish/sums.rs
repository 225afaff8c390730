//! Checksums of all published files, in the form that `sha256sum --check` reads, and the same signed: whoever has the public key can tell that the
//! list is the publisher's.

use crate::ledger::manifest::FileEntry;
use crate::ledger::receipt::{Signer, is_signed_by};

/// The list, in the order of paths.
#[must_use]
pub fn list(files: &[(String, String)]) -> String {
    files.iter().map(|(path, sha256)| format!("{sha256}  {path}\n")).collect()
}

/// What [`list`] wants, of published files.
#[must_use]
pub fn of(files: &[FileEntry]) -> Vec<(String, String)> {
    files.iter().map(|file| (file.path.clone(), file.sha256.clone())).collect()
}

/// The signature as a file: the public key, and the signature over the list's bytes (Ed25519).
#[must_use]
pub fn signature(list: &str, signer: &Signer) -> String {
    format!("ed25519 {}\n{}\n", signer.public_key(), signer.sign(list.as_bytes()))
}

/// Whether `signature` is one of `list`.
#[must_use]
pub fn holds(list: &str, signature: &str) -> bool {
    let mut lines = signature.lines();
    let key = lines.next().and_then(|line| line.strip_prefix("ed25519 "));
    match (key, lines.next()) {
        (Some(key), Some(signature)) => is_signed_by(key, signature, list.as_bytes()),
        _ => false,
    }
}
