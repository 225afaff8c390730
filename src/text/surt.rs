//! The key of an address in an index of archives (SURT), as those who replay archives compute it from what a visitor types.
//!
//! An index is searched for the key, so what counts is not what is prettiest but what pywb asks for: labels of the host in reverse without
//! `www`, everything in lower case, escapes undone and made anew, parameters in order, no session and no slash at the end. The rules are those that
//! IIPC's urlcanon and its test vectors describe (`Canonicalizer.IA`); addresses come parsed by crate url.

use std::cmp::Ordering;

use url::{Host, Url};

/// How often escapes of escapes are undone: each time shortens the text, and nobody packs an address deeper.
const UNESCAPES_MAX: usize = 64;
/// Parameters that hold a session if a value of [`SESSION_BYTES`] letters and digits follows.
const SESSIONS: &[&str] = &["jsessionid=", "phpsessid=", "sid="];
/// Bytes of such a value.
const SESSION_BYTES: usize = 32;
/// Bytes of a session that ASP.NET puts in brackets between the folders of a path.
const FOLDER_SESSION_BYTES: usize = 24;

/// The key of `url`; of what is no address, the whole in lower case.
#[must_use]
pub fn surt(url: &str) -> String {
    let Ok(parsed) = Url::parse(url) else { return url.to_ascii_lowercase() };
    let Some(host) = parsed.host() else { return url.to_ascii_lowercase() };
    let host = match host {
        Host::Domain(name) => reversed(without_www(name.trim_matches('.'))),
        Host::Ipv4(address) => reversed(&address.to_string()),
        Host::Ipv6(address) => address.to_string(),
    };
    let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query = parsed.query().map(query).filter(|query| !query.is_empty()).map(|query| format!("?{query}")).unwrap_or_default();
    format!("{host}{port}){}{query}", path(parsed.path()))
}

fn reversed(name: &str) -> String {
    name.rsplit('.').collect::<Vec<_>>().join(",")
}

/// Without the label `www`, `www2`, ..
fn without_www(host: &str) -> &str {
    let rest = host.strip_prefix("www").map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    rest.and_then(|rest| rest.strip_prefix('.')).unwrap_or(host)
}

fn path(path: &str) -> String {
    let mut kept: Vec<&[u8]> = Vec::new();
    let plain = unescaped(path.as_bytes());
    let parts = plain.strip_prefix(b"/").unwrap_or(&plain);
    for part in parts.split(|byte| *byte == b'/') {
        match part {
            // Two dots that were escaped twice; above the first folder they stay.
            b".." if !kept.is_empty() => drop(kept.pop()),
            b"." => {}
            part => kept.push(part),
        }
    }
    // An empty part is a second slash, but for the last one, which ends a folder.
    let last = kept.pop().unwrap_or_default();
    let mut joined = b"/".to_vec();
    for part in kept.into_iter().filter(|part| !part.is_empty()) {
        joined.extend_from_slice(part);
        joined.push(b'/');
    }
    joined.extend_from_slice(last);
    let mut text = without_folder_session(escaped(&joined).to_ascii_lowercase());
    if text.len() > 1 && text.ends_with('/') {
        text.pop();
    }
    text
}

fn query(query: &str) -> String {
    let lower = escaped(&unescaped(query.as_bytes())).to_ascii_lowercase();
    let text = SESSIONS.iter().fold(lower, |text, name| without_session(text, name));
    if text.len() < 2 {
        return text;
    }
    let mut parameters: Vec<&str> = text.split('&').collect();
    parameters.sort_by(|a, b| by_name_and_value(a, b));
    parameters.join("&")
}

fn by_name_and_value(a: &str, b: &str) -> Ordering {
    let parts =
        |parameter: &'_ str| parameter.split_once('=').map_or((parameter.to_owned(), None), |(n, v)| (n.to_owned(), Some(v.to_owned())));
    parts(a).cmp(&parts(b))
}

/// Without the last `name` that a session follows, and the `&` behind it.
fn without_session(text: String, name: &str) -> String {
    let is_session = |at: usize| {
        let value = &text.as_bytes()[at + name.len()..];
        value.len() >= SESSION_BYTES
            && value[..SESSION_BYTES].iter().all(u8::is_ascii_alphanumeric)
            && value.get(SESSION_BYTES).is_none_or(|byte| *byte == b'&')
    };
    let Some((at, _)) = text.rmatch_indices(name).find(|(at, _)| is_session(*at)) else { return text };
    let behind = &text[at + name.len() + SESSION_BYTES..];
    format!("{}{}", &text[..at], behind.strip_prefix('&').unwrap_or(behind))
}

/// Without the last folder of sessions in front of a page of ASP.NET: `/(S(..))/seite.aspx` and `/(..)/seite.aspx`. Folders of both kinds go.
fn without_folder_session(mut path: String) -> String {
    for is_one in [is_named_session as fn(&str) -> bool, is_bare_session] {
        let starts: Vec<usize> = path.match_indices("/(").map(|(at, _)| at + 1).collect();
        let found = starts.into_iter().rev().find_map(|start| {
            let length = path[start..].find('/')?;
            let page = &path[start + length + 1..];
            let is_page = page.find(".aspx").is_some_and(|at| at > 0 && !page[..at].contains('?'));
            (is_page && is_one(&path[start..start + length])).then_some((start, length + 1))
        });
        if let Some((start, length)) = found {
            path.replace_range(start..start + length, "");
        }
    }
    path
}

fn is_bare_session(folder: &str) -> bool {
    let inside = folder.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    inside.is_some_and(|inside| inside.len() == FOLDER_SESSION_BYTES && inside.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// `(a(..)s(..))`: a letter and a session, once or more.
fn is_named_session(folder: &str) -> bool {
    let Some(inside) = folder.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { return false };
    let parts = inside.as_bytes().chunks(FOLDER_SESSION_BYTES + 3);
    let is_whole = |part: &[u8]| part.len() == FOLDER_SESSION_BYTES + 3 && part[0].is_ascii_alphabetic();
    !inside.is_empty() && parts.into_iter().all(|part| is_whole(part) && std::str::from_utf8(&part[1..]).is_ok_and(is_bare_session))
}

/// Undoes percent-encoding until nothing is left to undo.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..UNESCAPES_MAX {
        let once = unescaped_once(&text);
        if once.len() == text.len() {
            break;
        }
        text = once;
    }
    text
}

fn unescaped_once(text: &[u8]) -> Vec<u8> {
    let (mut plain, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some(at) = memchr::memchr(b'%', rest) {
        plain.extend_from_slice(&rest[..at]);
        let digit = |offset: usize| rest.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        if let (Some(high), Some(low)) = (digit(1), digit(2)) {
            plain.push((high * 16 + low) as u8);
            rest = &rest[at + 3..];
        } else {
            plain.push(b'%');
            rest = &rest[at + 1..];
        }
    }
    plain.extend_from_slice(rest);
    plain
}

/// Escapes what no address may hold plainly: controls, spaces, `#`, `%` and everything beyond ASCII.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_graphic() && !matches!(byte, b'#' | b'%') {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_by_domain_and_are_those_that_a_replay_asks_for() {
        let session = "0123456789abcdefghij0123456789ab";
        for (url, key) in [
            ("https://www.kyla.example.fi/A?b=C", "fi,example,kyla)/a?b=c"),
            ("http://www12.kyla.example.fi/", "fi,example,kyla)/"),
            ("http://www2kyla.fi/", "fi,www2kyla)/"),
            ("http://kyla.example.fi:8080/", "fi,example,kyla:8080)/"),
            ("http://127.0.0.1/x", "1,0,0,127)/x"),
            ("http://[2001:db8::1]:81/A/", "2001:db8::1:81)/a"),
            ("http://kyla.fi/kuvat/", "fi,kyla)/kuvat"),
            ("http://kyla.fi/a%2Fb//c/%252e%252e/", "fi,kyla)/a/b"),
            ("http://kyla.fi/%252e%252e/a", "fi,kyla)/../a"),
            ("http://kyla.fi/%C3%84%20%2525", "fi,kyla)/%c3%84%20%25"),
            ("http://kyla.fi/?B=2&a&a=&a=1", "fi,kyla)/?a&a=&a=1&b=2"),
            ("http://kyla.fi/?a-b=1&a=2", "fi,kyla)/?a=2&a-b=1"),
            ("http://kyla.fi/?", "fi,kyla)/"),
            ("http://kyla.fi/?u=http%3A%2F%2Fx.fi%2F%23y", "fi,kyla)/?u=http://x.fi/%23y"),
            (&format!("http://kyla.fi/?b=1&SID={session}&a=2"), "fi,kyla)/?a=2&b=1"),
            (&format!("http://kyla.fi/?SID={session}x"), &format!("fi,kyla)/?sid={session}x")),
            ("http://kyla.fi/(S(0123456789abcdefghij0123))/Sivu.aspx", "fi,kyla)/sivu.aspx"),
            ("http://kyla.fi/a/(0123456789abcdefghij0123)/sivu.aspx", "fi,kyla)/a/sivu.aspx"),
            ("http://kyla.fi/(S(0123))/sivu.aspx", "fi,kyla)/(s(0123))/sivu.aspx"),
            ("dns:kyla.fi", "dns:kyla.fi"),
        ] {
            assert_eq!(surt(url), key, "{url}");
        }
    }

    #[test]
    fn escapes_of_escapes_end_somewhere() {
        let deep = format!("http://kyla.fi/%{}41", "25".repeat(1_000));
        assert!(surt(&deep).len() < deep.len());
    }
}
