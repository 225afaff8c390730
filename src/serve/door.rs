//! Who may come in: one token for readers, one for each officer, and the sessions that they begin.
//!
//! A token is shown once, on start, and buys a session; the cookie holds a secret of its own, so a token does not travel with every
//! question. Tokens and secrets are compared by their SHA-256, whose bytes tell nothing about what was nearly right.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::bucket::Bucket;

/// Sessions that are held; the one that was idle longest makes room.
const SESSIONS_MAX: usize = 1_000;
/// A session that is not used for so long is over.
const IDLE_MAX: Duration = Duration::from_secs(12 * 3600);

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Look.
    Reader,
    /// Look, plan takedowns, and approve those of others.
    Officer,
}

/// Who may come in with which token.
#[derive(Clone, Debug)]
pub struct Pass {
    /// `reader`, or an officer's name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The token, hex.
    pub token: String,
}

/// Somebody who came in.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    pub(super) name: String,
    pub(super) role: Role,
    /// What every form that changes something has to say.
    pub(super) csrf: String,
}

type Hash = [u8; 32];

struct Session {
    pass: usize,
    csrf: String,
    used: Instant,
    bucket: Bucket,
}

/// The door.
pub(super) struct Door {
    passes: Vec<(Hash, String, Role)>,
    sessions: Mutex<BTreeMap<Hash, Session>>,
    /// Questions of people without a session, all together.
    strangers: Mutex<Bucket>,
}

/// What the door says to a cookie.
pub(super) enum Answer {
    /// Nobody has it.
    Unknown,
    /// They ask too often.
    TooMany,
    /// They are known.
    Known(Visitor),
}

fn hash(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// 256 random bits, hex.
pub(super) fn secret() -> Result<String, std::io::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(HEXLOWER.encode(&bytes))
}

impl Door {
    /// A door for readers and these officers, and the tokens that open it.
    pub(super) fn new(officers: &[String]) -> Result<(Door, Vec<Pass>), std::io::Error> {
        let named = officers.iter().map(|name| (name.clone(), Role::Officer));
        let mut passes = Vec::new();
        for (name, role) in std::iter::once(("reader".to_owned(), Role::Reader)).chain(named) {
            passes.push(Pass { name, role, token: secret()? });
        }
        let hashed = passes.iter().map(|pass| (hash(&pass.token), pass.name.clone(), pass.role)).collect();
        let strangers = Mutex::new(Bucket::new(Instant::now()));
        Ok((Door { passes: hashed, sessions: Mutex::default(), strangers }, passes))
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, BTreeMap<Hash, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session for whoever has `token`; answers its cookie and the visitor's name.
    pub(super) fn enter(&self, token: &str) -> Result<Option<(String, String)>, std::io::Error> {
        let hashed = hash(token.trim());
        let Some(pass) = self.passes.iter().position(|(known, ..)| *known == hashed) else { return Ok(None) };
        let (cookie, csrf, now) = (secret()?, secret()?, Instant::now());
        let mut sessions = self.sessions();
        sessions.retain(|_, session| now.saturating_duration_since(session.used) < IDLE_MAX);
        if sessions.len() >= SESSIONS_MAX
            && let Some(oldest) = sessions.iter().min_by_key(|(_, session)| session.used).map(|(key, _)| *key)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(hash(&cookie), Session { pass, csrf, used: now, bucket: Bucket::new(now) });
        Ok(Some((cookie, self.passes[pass].1.clone())))
    }

    /// Ends the session of `cookie`.
    pub(super) fn leave(&self, cookie: &str) {
        self.sessions().remove(&hash(cookie));
    }

    /// Whether somebody who is not known may ask once more.
    pub(super) fn stranger_may_ask(&self) -> bool {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now())
    }

    /// Who has `cookie`, and whether they may ask once more.
    pub(super) fn ask(&self, cookie: Option<&str>) -> Answer {
        let now = Instant::now();
        let mut sessions = self.sessions();
        let session = cookie.and_then(|cookie| sessions.get_mut(&hash(cookie)));
        match session.filter(|session| now.saturating_duration_since(session.used) < IDLE_MAX) {
            Some(session) => {
                if !session.bucket.take(now) {
                    return Answer::TooMany;
                }
                session.used = now;
                let (_, name, role) = &self.passes[session.pass];
                Answer::Known(Visitor { name: name.clone(), role: *role, csrf: session.csrf.clone() })
            }
            None if self.stranger_may_ask() => Answer::Unknown,
            None => Answer::TooMany,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_token_opens_and_only_its_cookie_is_known() {
        let (door, passes) = Door::new(&["anna".to_owned()]).expect("randomness");
        assert!(door.enter("").expect("no error").is_none() && door.enter(&"0".repeat(64)).expect("no error").is_none());
        let (cookie, name) = door.enter(&passes[1].token).expect("randomness").expect("her token");
        assert_eq!(name, "anna");
        let Answer::Known(visitor) = door.ask(Some(&cookie)) else { panic!("known") };
        assert_eq!((visitor.role, visitor.name.as_str()), (Role::Officer, "anna"));
        assert!(matches!(door.ask(Some(&passes[1].token)), Answer::Unknown), "a token is no cookie");
        door.leave(&cookie);
        assert!(matches!(door.ask(Some(&cookie)), Answer::Unknown));
    }

    #[test]
    fn sessions_are_bounded() {
        let (door, passes) = Door::new(&[]).expect("randomness");
        let first = door.enter(&passes[0].token).expect("randomness").expect("a reader").0;
        (0..SESSIONS_MAX).for_each(|_| drop(door.enter(&passes[0].token)));
        assert_eq!(door.sessions().len(), SESSIONS_MAX);
        assert!(matches!(door.ask(Some(&first)), Answer::Unknown), "the oldest made room");
    }
}
