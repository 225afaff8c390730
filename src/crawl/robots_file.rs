//! What an attempt to fetch robots.txt means (RFC 9309, 2.3.1): rules, everything, or nothing.

use std::sync::Arc;

use crate::robots::Robots;

use super::fetch::Fault;

/// Bytes that are read of a robots.txt (RFC 9309, 2.5): 500 KiB.
pub const ROBOTS_BYTES_MAX: usize = 500 << 10;
/// Redirects that are followed (RFC 9309, 2.3.1.2).
pub const REDIRECTS_MAX: usize = 5;
/// How long an answer holds, in ms (RFC 9309, 2.4): 24 hours.
pub const HOLDS_MS: u64 = 24 * 3600 * 1000;
/// After how long a server that could not be reached is asked again, in ms.
pub const AGAIN_MS: u64 = 3600 * 1000;

/// What the last answer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is a file.
    File,
    /// There is none: nothing is forbidden.
    None,
    /// Nobody can tell: everything is forbidden until somebody can.
    Unreachable,
}

/// What `result`, the status after all redirects or a fault, means.
#[must_use]
pub fn answer(result: Result<u16, Fault>) -> Answer {
    match result {
        Ok(200..=299) => Answer::File,
        // A redirect that leads nowhere, or further than five, is as if there were no file.
        Ok(300..=399) => Answer::None,
        Ok(400..=428 | 430..=499) => Answer::None,
        Ok(_) | Err(_) => Answer::Unreachable,
    }
}

/// The rules of one site.
#[derive(Clone, Debug)]
pub enum Policy {
    /// Those of its file.
    Rules(Arc<Robots>),
    /// Everything is allowed.
    Everything,
    /// Nothing is.
    Nothing,
}

impl Policy {
    /// The policy after an answer, with the `body` of the file, or the `last` good one, which holds while the site cannot be reached.
    #[must_use]
    pub fn of(answer: Answer, body: &[u8], last: Option<&Policy>) -> Policy {
        match (answer, last) {
            (Answer::File, _) => Policy::Rules(Arc::new(Robots::parse(&body[..body.len().min(ROBOTS_BYTES_MAX)]))),
            (Answer::None, _) => Policy::Everything,
            (Answer::Unreachable, Some(Policy::Rules(rules))) => Policy::Rules(rules.clone()),
            (Answer::Unreachable, _) => Policy::Nothing,
        }
    }

    /// Whether `agent` may fetch `url`.
    #[must_use]
    pub fn allows(&self, agent: &str, url: &str) -> bool {
        match self {
            Policy::Rules(rules) => rules.allows(agent.as_bytes(), url.as_bytes()),
            Policy::Everything => true,
            Policy::Nothing => false,
        }
    }

    /// The pause in seconds that the file asks `agent` for.
    #[must_use]
    pub fn crawl_delay(&self, agent: &str) -> Option<f64> {
        match self {
            Policy::Rules(rules) => rules.crawl_delay(agent.as_bytes()),
            Policy::Everything | Policy::Nothing => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_and_fault_means_what_the_rfc_says() {
        for status in 200..=777 {
            let expected = match status {
                200..=299 => Answer::File,
                429 => Answer::Unreachable,
                300..=499 => Answer::None,
                _ => Answer::Unreachable,
            };
            assert_eq!(answer(Ok(status)), expected, "{status}");
        }
        for fault in [Fault::Dns, Fault::NotPublic, Fault::Connection, Fault::Tls, Fault::Timeout, Fault::LongHead, Fault::NotHttp] {
            assert_eq!(answer(Err(fault)), Answer::Unreachable, "{fault:?}");
        }
    }

    #[test]
    fn while_a_site_cannot_be_reached_its_last_rules_hold_and_without_any_nothing_is_allowed() {
        let known = Policy::of(Answer::File, b"User-agent: *\nDisallow: /privat/\n", None);
        let still = Policy::of(Answer::Unreachable, b"", Some(&known));
        assert!(still.allows("tamisbot", "https://obec.example.sk/") && !still.allows("tamisbot", "https://obec.example.sk/privat/x"));
        assert!(!Policy::of(Answer::Unreachable, b"", None).allows("tamisbot", "https://obec.example.sk/"));
        assert!(!Policy::of(Answer::Unreachable, b"", Some(&Policy::Everything)).allows("tamisbot", "https://obec.example.sk/"));
        assert!(Policy::of(Answer::None, b"", Some(&still)).allows("tamisbot", "https://obec.example.sk/privat/x"));
    }

    #[test]
    fn what_stands_behind_the_limit_is_not_read() {
        let long = [b"User-agent: *\n".to_vec(), b"# \n".repeat(ROBOTS_BYTES_MAX / 3 + 1), b"Disallow: /\n".to_vec()].concat();
        assert!(Policy::of(Answer::File, &long, None).allows("tamisbot", "https://obec.example.sk/"));
    }
}
