//! The canonical form of a web address, so that one page has one name.
//!
//! Parsing is crate url's (WHATWG): lower case, default port, dot segments, host in ASCII. On top of it: RFC 3986 section 6.2.2 for
//! percent-encoding, and no fragment, user name, password, empty query or parameter that says only how a visitor came here. The order
//! of the query is kept: it may mean something.

use url::Url;

/// Parameters that advertisers, newsletters and shops add to links; `*` stands for any ending. Collected from the vendors' own names
/// for them: Google, Meta, Microsoft, Yandex, X, TikTok, LinkedIn, Pinterest, Mailchimp, HubSpot, Marketo, Omeda, Vero, Matomo, Piano.
const TRACKING: &[&str] = &[
    "utm_*",
    "gclid",
    "gclsrc",
    "dclid",
    "gbraid",
    "wbraid",
    "srsltid",
    "_ga",
    "_gl",
    "fbclid",
    "igsh",
    "igshid",
    "msclkid",
    "yclid",
    "ysclid",
    "_openstat",
    "twclid",
    "ttclid",
    "li_fat_id",
    "epik",
    "mc_cid",
    "mc_eid",
    "_hsenc",
    "_hsmi",
    "hsa_*",
    "mkt_tok",
    "oly_anon_id",
    "oly_enc_id",
    "vero_id",
    "mtm_*",
    "pk_campaign",
    "pk_kwd",
    "pk_source",
    "pk_medium",
    "pk_content",
    "piwik_*",
    "at_medium",
    "at_campaign",
    "at_custom*",
    "xtor",
];

/// Names under which the usual server software keeps a visitor's session in an address.
const SESSION: &[&str] = &["jsessionid", "phpsessid", "aspsessionid*", "cfid", "cftoken", "sessionid", "session_id"];

/// Which parts of an address are dropped beyond those that never matter.
#[derive(Debug)]
pub struct Rules {
    names: Vec<String>,
    drop_sessions: bool,
}

impl Rules {
    /// Rules that drop `extra` parameters too.
    #[must_use]
    pub fn new(drop_tracking: bool, drop_sessions: bool, extra: &[String]) -> Rules {
        let lists = [if drop_tracking { TRACKING } else { &[] }, if drop_sessions { SESSION } else { &[] }];
        let names = lists.concat().into_iter().map(str::to_owned).chain(extra.iter().map(|name| name.to_ascii_lowercase())).collect();
        Rules { names, drop_sessions }
    }

    /// The canonical form of `written`; `None` where it is no absolute http or https address.
    #[must_use]
    pub fn canonical(&self, written: &str) -> Option<Url> {
        let mut url = Url::parse(written.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
        url.set_fragment(None);
        if !url.username().is_empty() || url.password().is_some() {
            url.set_username("").and_then(|()| url.set_password(None)).ok()?;
        }
        if let Some(bare) = url.host_str().filter(|host| host.ends_with('.')).map(|host| host.trim_end_matches('.').to_owned()) {
            url.set_host(Some(&bare)).ok()?;
        }
        self.tidy_path(&mut url);
        if let Some(query) = url.query() {
            let tidy = self.tidy_query(query);
            url.set_query((!tidy.is_empty()).then_some(&tidy));
        }
        Some(url)
    }

    fn tidy_path(&self, url: &mut Url) {
        let mut path = url.path();
        if self.drop_sessions
            && let Some(at) = path.to_ascii_lowercase().find(";jsessionid=")
        {
            path = &path[..at];
        }
        let tidy = normal_percents(path);
        if tidy != url.path() {
            url.set_path(&tidy);
        }
    }

    fn tidy_query(&self, query: &str) -> String {
        let mut tidy = String::with_capacity(query.len());
        for parameter in query.split('&') {
            let name = parameter.split('=').next().unwrap_or_default().to_ascii_lowercase();
            if !self.names.iter().any(|known| matches(known, &name)) {
                if !tidy.is_empty() {
                    tidy.push('&');
                }
                tidy.push_str(&normal_percents(parameter));
            }
        }
        tidy
    }
}

fn matches(known: &str, name: &str) -> bool {
    known.strip_suffix('*').map_or(known == name, |stem| name.starts_with(stem))
}

/// The address that `written` leads to on a page at `base`. Browsers take any number of slashes before a host for two (WHATWG URL, special
/// authority ignore slashes state); crate url does so only in whole addresses.
#[must_use]
pub fn join(base: &Url, written: &str) -> Option<Url> {
    let written = written.trim_matches(|c: char| c <= ' ');
    let rest = written.trim_start_matches(['/', '\\']);
    let is_authority = written.len() - rest.len() > 2 && matches!(base.scheme(), "http" | "https");
    if is_authority { base.join(&format!("//{rest}")).ok() } else { base.join(written).ok() }
}

/// Percent-encoding in its one normal form: unreserved characters plain, hexadecimal digits upper case (RFC 3986, 6.2.2.1 and 6.2.2.2). A
/// digit that would make an escape of a lone `%` before it stays escaped: `%%36%31` is not `%61`.
fn normal_percents(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    let completes = |normal: &str, byte: u8| {
        let before = normal.as_bytes();
        byte.is_ascii_hexdigit() && (before.ends_with(b"%") || matches!(before, [.., b'%', digit] if digit.is_ascii_hexdigit()))
    };
    while let Some(at) = memchr::memchr(b'%', rest.as_bytes()) {
        normal.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some((code, byte)) = code.and_then(|code| Some((code, u8::from_str_radix(code, 16).ok()?))) else {
            normal.push('%');
            rest = &rest[at + 1..];
            continue;
        };
        if (byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)) && !completes(&normal, byte) {
            normal.push(char::from(byte));
        } else {
            normal.push('%');
            normal.push_str(&code.to_ascii_uppercase());
        }
        rest = &rest[at + 3..];
    }
    normal.push_str(rest);
    normal
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(written: &str) -> Option<String> {
        Rules::new(true, true, &["ref".to_owned()]).canonical(written).map(String::from)
    }

    #[test]
    fn one_page_has_one_name() {
        for (written, expected) in [
            ("HTTPS://WWW.Example.LV:443/Zi%c5%86as/./a/../b#top", "https://www.example.lv/Zi%C5%86as/b"),
            ("http://example.fr", "http://example.fr/"),
            ("http://example.fr./?", "http://example.fr/"),
            ("http://müller.example/straße?q=größe", "http://xn--mller-kva.example/stra%C3%9Fe?q=gr%C3%B6%C3%9Fe"),
            ("http://παράδειγμα.gr/%7Enikos/%2d%41", "http://xn--hxajbheg2az3al.gr/~nikos/-A"),
            ("https://jan:tajne@example.cz:8443/a", "https://example.cz:8443/a"),
            ("http://example.es/n?utm_source=x&id=7&UTM_Campaign=y&b=2&a=1", "http://example.es/n?id=7&b=2&a=1"),
            ("http://example.es/n?fbclid=x&gclid=y", "http://example.es/n"),
            ("http://example.es/n?ref=mastodon&p=1", "http://example.es/n?p=1"),
            ("http://example.dk/a;JSESSIONID=1F?PHPSESSID=ab&s=1", "http://example.dk/a?s=1"),
            ("http://example.pl/a%2Fb%zz%", "http://example.pl/a%2Fb%zz%"),
            ("  http:\\\\example.sk\\a\tb ", "http://example.sk/ab"),
            ("http://example.hu.../a", "http://example.hu/a"),
            ("http://example.hu/%%36%31?%6%31", "http://example.hu/%%361?%6%31"),
        ] {
            assert_eq!(canonical(written).as_deref(), Some(expected), "{written}");
        }
    }

    #[test]
    fn what_is_no_web_address_has_no_form() {
        for written in [
            "ftp://example.se/a",
            "urn:isbn:123",
            "example.se/a",
            "mailto:info@example.se",
            "http://",
            "http://../",
            "http://%2e/",
            "https://exa mple.se/",
            "dns:example.se",
            "data:,a",
        ] {
            assert_eq!(canonical(written), None, "{written}");
        }
    }

    #[test]
    fn slashes_before_a_host_are_two() {
        let base = Url::parse("https://example.bg/novini/").expect("an address");
        for (written, expected) in [
            ("///example.ro/a", "https://example.ro/a"),
            (" \\/\\/example.ro/a", "https://example.ro/a"),
            ("//example.ro/a", "https://example.ro/a"),
            ("/a///b", "https://example.bg/a///b"),
            ("a", "https://example.bg/novini/a"),
        ] {
            assert_eq!(join(&base, written).map(String::from).as_deref(), Some(expected), "{written}");
        }
        assert_eq!(join(&base, "///"), None);
    }

    proptest! {
        #[test]
        fn whatever_is_escaped_how_often_one_pass_is_enough(parts in proptest::collection::vec(0_usize..18, 0..14)) {
            const PARTS: [&str; 18] =
                ["%", "%2", "%25", "%36", "%31", "%2e", "%2F", "%7e", "6", "e", ".", "/", "//", "?", "&", "=", ";jsessionid=", "\u{e9}"];
            let written: String = parts.into_iter().map(|part| PARTS[part]).collect();
            let once = canonical(&format!("http://example.si/{written}"));
            prop_assert_eq!(once.as_deref().and_then(canonical), once);
        }
    }

    #[test]
    fn the_canonical_form_is_its_own_canonical_form() {
        let own = [
            "http://example.fi/%25%37%45?a=%2B%26&&b",
            "http://example.fi//a//..%2f%2E%2e/./b;jsessionid=1;x=2",
            "http://example.fi/?&utm_id=1&&",
        ];
        let shared = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/crawl/urlcanon/idempotence.json"));
        if shared.is_err() {
            eprintln!("SKIPPED: the addresses of urlcanon in the_canonical_form_is_its_own_canonical_form: no shared data");
        }
        let shared: Vec<String> = shared.map_or_else(|_| Vec::new(), |json| serde_json::from_slice(&json).unwrap());
        for written in own.iter().copied().chain(shared.iter().map(String::as_str)) {
            let once = canonical(written);
            assert_eq!(once.as_deref().and_then(canonical), once, "{written}");
        }
    }
}
