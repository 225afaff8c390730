//! Digests as archives state them: `algorithm:value`, the value in base32 (usual), hex or base64, told apart by its length.
//!
//! SHA-1 and the SHA-2 family are checked; others (MD5 in some old tools) cannot be, and count as not stated.

use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha384, Sha512};

/// What became of a stated digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DigestState {
    /// It is right.
    Ok,
    /// It is wrong, or cannot be read.
    Bad,
    /// None is stated, or none that can be checked.
    None,
}

impl DigestState {
    /// Both together: bad if one is, ok if one is and none is bad.
    #[must_use]
    pub fn and(self, other: DigestState) -> DigestState {
        match (self, other) {
            (DigestState::Bad, _) | (_, DigestState::Bad) => DigestState::Bad,
            (DigestState::Ok, _) | (_, DigestState::Ok) => DigestState::Ok,
            (DigestState::None, DigestState::None) => DigestState::None,
        }
    }
}

enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

/// Checks bytes against a stated digest.
pub struct DigestCheck(Option<(Hasher, String)>);

impl DigestCheck {
    /// A check against `stated`, for example `sha1:G7HRM7BGOKSKMSXZAHMUQTTV53QOFSMK`.
    #[must_use]
    pub fn new(stated: Option<&str>) -> DigestCheck {
        DigestCheck(stated.and_then(|stated| {
            let (algorithm, value) = stated.split_once(':')?;
            let hasher = match algorithm.trim().to_ascii_lowercase().replace('-', "").as_str() {
                "sha1" => Hasher::Sha1(Sha1::new()),
                "sha256" => Hasher::Sha256(Sha256::new()),
                "sha384" => Hasher::Sha384(Sha384::new()),
                "sha512" => Hasher::Sha512(Sha512::new()),
                _ => return None,
            };
            Some((hasher, value.trim().to_owned()))
        }))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Some((Hasher::Sha1(hasher), _)) => hasher.update(bytes),
            Some((Hasher::Sha256(hasher), _)) => hasher.update(bytes),
            Some((Hasher::Sha384(hasher), _)) => hasher.update(bytes),
            Some((Hasher::Sha512(hasher), _)) => hasher.update(bytes),
            None => {}
        }
    }

    /// Compares.
    #[must_use]
    pub fn finish(self) -> DigestState {
        let (found, stated) = match self.0 {
            Some((Hasher::Sha1(hasher), stated)) => (hasher.finalize().to_vec(), stated),
            Some((Hasher::Sha256(hasher), stated)) => (hasher.finalize().to_vec(), stated),
            Some((Hasher::Sha384(hasher), stated)) => (hasher.finalize().to_vec(), stated),
            Some((Hasher::Sha512(hasher), stated)) => (hasher.finalize().to_vec(), stated),
            None => return DigestState::None,
        };
        if decode(&stated, found.len()).is_some_and(|stated| stated == found) { DigestState::Ok } else { DigestState::Bad }
    }
}

fn decode(stated: &str, bytes: usize) -> Option<Vec<u8>> {
    let bare = stated.trim_end_matches('=');
    let length = bare.len();
    if length == bytes * 2 {
        HEXLOWER.decode(bare.to_ascii_lowercase().as_bytes()).ok()
    } else if length == (bytes * 8).div_ceil(5) {
        BASE32_NOPAD.decode(bare.to_ascii_uppercase().as_bytes()).ok()
    } else {
        BASE64_NOPAD.decode(bare.as_bytes()).or_else(|_| BASE64URL_NOPAD.decode(bare.as_bytes())).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stated: &str, bytes: &[u8]) -> DigestState {
        let mut check = DigestCheck::new(Some(stated));
        check.update(bytes);
        check.finish()
    }

    #[test]
    fn digests_are_read_in_every_alphabet() {
        for stated in [
            "sha1:VL2MMHO4YXUKFWV63YHTWSBM3GXKSQ2N",
            "SHA-1:vl2mmho4yxukfwv63yhtwsbm3gxksq2n",
            "sha1:aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
            "sha1:qvTGHdzF6KLavt4PO0gs2a6pQ00=",
            "sha256:2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824",
        ] {
            assert_eq!(check(stated, b"hello"), DigestState::Ok, "{stated}");
            assert_eq!(check(stated, b"hallo"), DigestState::Bad, "{stated}");
        }
        assert_eq!(check("sha1:not a digest", b"hello"), DigestState::Bad);
        assert_eq!(check("md5:5d41402abc4b2a76b9719d911017c592", b"hello"), DigestState::None);
        assert_eq!(DigestCheck::new(None).finish(), DigestState::None);
    }
}
