//! Credentials of S3 that lie in a file: `~/.aws/credentials`, or where `AWS_SHARED_CREDENTIALS_FILE` says, the profile that `AWS_PROFILE` names.
//! All else the environment gives, and object_store reads it.

use std::path::PathBuf;

/// A key with its secret, and the token of a session where there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
}

/// The key that the file has.
pub(super) fn key() -> Option<Key> {
    let named = std::env::var_os("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from);
    let file = named.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".aws/credentials")))?;
    let profile = std::env::var("AWS_PROFILE").unwrap_or_else(|_| "default".to_owned());
    key_of(&std::fs::read_to_string(file).ok()?, &profile)
}

fn key_of(text: &str, profile: &str) -> Option<Key> {
    let (mut is_here, mut key) = (false, Key::default());
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            is_here = name.trim() == profile;
        } else if let Some((name, value)) = line.split_once('=').filter(|_| is_here) {
            let value = value.trim().to_owned();
            match name.trim() {
                "aws_access_key_id" => key.id = value,
                "aws_secret_access_key" => key.secret = value,
                "aws_session_token" => key.token = Some(value),
                _ => {}
            }
        }
    }
    (!key.id.is_empty() && !key.secret.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# keys\n[default]\naws_access_key_id = A\naws_secret_access_key=b=c\n\n[night]\naws_access_key_id=N\naws_secret_access_key = s\n\
                        aws_session_token = t\n[half]\naws_access_key_id=H\n";

    #[test]
    fn the_profile_that_is_named_gives_the_key() {
        let key = |id: &str, secret: &str, token: Option<&str>| {
            Some(Key { id: id.to_owned(), secret: secret.to_owned(), token: token.map(str::to_owned) })
        };
        assert_eq!(key_of(FILE, "default"), key("A", "b=c", None));
        assert_eq!(key_of(FILE, "night"), key("N", "s", Some("t")));
        assert_eq!((key_of(FILE, "half"), key_of(FILE, "none")), (None, None));
    }
}
