//! The secret of the suppression list: 32 random bytes in a file of their own, outside the workspace, for its owner's eyes only.
//!
//! A copy of the workspace without this file tells nobody who was erased. A lost key cannot be made again, so a job that needs it and
//! does not find it stops: going on would let everything back in.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;

use super::Mac;
use crate::store::{self, StoreError};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// A key.
#[derive(Clone)]
pub struct Key {
    bytes: [u8; KEY_BYTES],
    /// The keyed state, so that the key is not hashed again for every question.
    keyed: Hmac<Sha256>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(secret)")
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is gone.
    #[error(
        "the workspace has a suppression list, but its key is not at `{path}`; restore the file from a backup or name another one with \
         --keys: without it nobody can see what must stay out, so nothing was done",
        path = path.display()
    )]
    Missing { path: PathBuf },
    /// Others may read it.
    #[error("`{path}` can be read by other users (mode {mode:o}); run `chmod 600` on it, and think of it as known if they may have", path = path.display())]
    Open { path: PathBuf, mode: u32 },
    /// It is no key.
    #[error("`{path}` is no key of tamis: it should hold 64 hex digits; restore it from a backup", path = path.display())]
    Malformed { path: PathBuf },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes for a new key ({0})")]
    NoRandomness(getrandom::Error),
    /// The file cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Key {
    /// The key of these bytes.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Key {
        Key { bytes, keyed: Hmac::new_from_slice(&bytes).expect("HMAC takes keys of any length") }
    }

    /// The key in the file `path`; `None` where there is none.
    ///
    /// # Errors
    /// When others may read it, or it is no key.
    pub fn load(path: &Path) -> Result<Option<Key>, KeyError> {
        Ok(secret(path)?.map(Key::from_bytes))
    }

    /// The key in the file `path`, which is made if it is not there.
    ///
    /// # Errors
    /// As [`Key::load`], or when it cannot be written.
    pub fn load_or_make(path: &Path) -> Result<Key, KeyError> {
        Ok(Key::from_bytes(secret_or_made(path)?))
    }

    /// The keyed hash of `what` in the sense of `label`.
    #[must_use]
    pub fn mac(&self, label: &str, what: &[u8]) -> Mac {
        let mut mac = self.keyed.clone();
        mac.update(label.as_bytes());
        mac.update(&[0]);
        mac.update(what);
        let whole = mac.finalize().into_bytes();
        std::array::from_fn(|at| whole[at])
    }

    /// The secret seed of sketches.
    #[must_use]
    pub fn seed(&self) -> u64 {
        let mac = self.mac("seed", &[]);
        u64::from_le_bytes(std::array::from_fn(|at| mac[at]))
    }

    /// What a list says of the key that it was made with.
    #[must_use]
    pub fn check(&self) -> String {
        HEXLOWER.encode(&self.mac("check", &[]))
    }

    /// The bytes, for who signs with them.
    #[must_use]
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }
}

fn secret(path: &Path) -> Result<Option<[u8; KEY_BYTES]>, KeyError> {
    let refused = |error| StoreError::io(path, error);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error).into()),
    };
    let mode = file.metadata().map_err(refused)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Open { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    let malformed = || KeyError::Malformed { path: path.to_owned() };
    file.by_ref().take(1_000).read_to_string(&mut text).map_err(|_| malformed())?;
    let bytes = HEXLOWER.decode(text.trim().as_bytes()).map_err(|_| malformed())?;
    bytes.try_into().map(Some).map_err(|_| malformed())
}

fn secret_or_made(path: &Path) -> Result<[u8; KEY_BYTES], KeyError> {
    if let Some(bytes) = secret(path)? {
        return Ok(bytes);
    }
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(KeyError::NoRandomness)?;
    if let Some(folder) = path.parent() {
        store::create_folder(folder)?;
    }
    let line = HEXLOWER.encode(&bytes) + "\n";
    match store::write_new_with(path, line.as_bytes(), Some(Permissions::from_mode(0o600))) {
        Ok(_) => Ok(bytes),
        // Another process was first; its key counts.
        Err(StoreError::Different { .. }) => secret(path)?.ok_or_else(|| KeyError::Missing { path: path.to_owned() }),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config/suppression.key");
        assert!(Key::load(&path).expect("none is fine").is_none());
        let key = Key::load_or_make(&path).expect("room");
        assert_eq!(Key::load_or_make(&path).expect("it is there").check(), key.check());
        assert_eq!(std::fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
        assert_ne!(Key::load_or_make(&folder.path().join("other")).expect("room").check(), key.check());
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("it is ours");
        assert!(matches!(Key::load(&path), Err(KeyError::Open { mode: 0o644, .. })));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        for wrong in ["", "zz", "00ff"] {
            std::fs::write(&path, wrong).expect("room");
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is ours");
            assert!(matches!(Key::load(&path), Err(KeyError::Malformed { .. })), "{wrong}");
        }
    }

    #[test]
    fn labels_keep_kinds_apart() {
        let key = Key::from_bytes([1; 32]);
        assert_ne!(key.mac("url", b"a"), key.mac("host", b"a"));
        assert_ne!(key.mac("url", b"a"), Key::from_bytes([2; 32]).mac("url", b"a"));
    }
}
