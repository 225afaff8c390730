//! One page's one name: an address in canonical form without its scheme, as takedowns compare it.
//!
//! `http` and `https`, other spellings of host and path, tracking parameters and session ids lead to the same page, so whoever asks for
//! its removal means all of them.

use std::sync::OnceLock;

use super::canonical::Rules;

/// An address in canonical form, without scheme: `host/path?query`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(String);

impl Address {
    /// The name of the page at `url`; `None` where it is no absolute http or https address.
    #[must_use]
    pub fn of(url: &str) -> Option<Address> {
        static RULES: OnceLock<Rules> = OnceLock::new();
        let url = RULES.get_or_init(|| Rules::new(true, true, &[])).canonical(url)?;
        url.as_str().split_once("://").map(|(_, rest)| Address(rest.to_owned()))
    }

    /// The whole.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its host, without port.
    #[must_use]
    pub fn host(&self) -> &str {
        host_of(&self.0)
    }

    /// Whether it is `prefix` or lies below it. A prefix ends where a part of the path ends.
    #[must_use]
    pub fn is_below(&self, prefix: &str) -> bool {
        let prefix = prefix.trim_end_matches('/');
        self.0.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    }
}

/// The host, without port, of an address without scheme or of its beginning.
#[must_use]
pub fn host_of(address: &str) -> &str {
    let authority = address.split(['/', '?']).next().unwrap_or_default();
    match authority.rfind(':').filter(|colon| *colon > authority.rfind(']').unwrap_or(0)) {
        Some(colon) => &authority[..colon],
        None => authority,
    }
}

/// All prefixes that `address` lies below: itself, and what stands before each slash and before the query.
pub fn parents(address: &str) -> impl Iterator<Item = &str> {
    address.match_indices(['/', '?']).map(|(at, _)| &address[..at]).chain([address.trim_end_matches('/')])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_page_have_one_name() {
        for url in ["https://Ostrov.example.CZ/zprávy?utm_source=a", "http://ostrov.example.cz:80/zpr%c3%a1vy#dnes"] {
            assert_eq!(Address::of(url).expect("an address").as_str(), "ostrov.example.cz/zpr%C3%A1vy", "{url}");
        }
        assert_eq!(Address::of("https://ostrov.example.cz:8443/a").expect("an address").host(), "ostrov.example.cz");
        assert_eq!(Address::of("http://[2001:db8::1]/a").expect("an address").host(), "[2001:db8::1]");
        assert_eq!(Address::of("ostrov.example.cz"), None);
    }

    #[test]
    fn a_prefix_ends_where_a_part_ends() {
        let address = Address::of("https://ostrov.example.cz/a/b?c").expect("an address");
        for prefix in ["ostrov.example.cz", "ostrov.example.cz/", "ostrov.example.cz/a", "ostrov.example.cz/a/b"] {
            assert!(address.is_below(prefix), "{prefix}");
            assert!(parents(address.as_str()).any(|parent| parent == prefix.trim_end_matches('/')), "{prefix}");
        }
        assert!(!address.is_below("ostrov.example.cz/a/bc") && !address.is_below("ostrov.example"));
    }
}
