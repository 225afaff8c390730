//! The host of an address as recorded, found without parsing the rest: stage `url` makes addresses canonical later.

/// The host in lower case, without user, port or the dot at its end; empty where there is none.
#[must_use]
pub fn host(url: &str) -> String {
    let Some((_, rest)) = url.split_once("://") else { return String::new() };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let end = match host.strip_prefix('[') {
        Some(address) => address.find(']').map_or(host.len(), |end| end + 2),
        None => host.find(':').unwrap_or(host.len()),
    };
    host[..end].trim_end_matches('.').to_lowercase()
}

/// The last label of a host name, such as `lv`; `None` for numbers.
#[must_use]
pub fn top_level(host: &str) -> Option<&str> {
    host.rsplit('.').next().filter(|label| label.starts_with(|c: char| c.is_ascii_alphabetic()) && host.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_bare_and_in_lower_case() {
        for (url, want) in [
            ("https://User:x@WWW.Example.LV:8443/a?b@c", "www.example.lv"),
            ("http://example.si.", "example.si"),
            ("http://[2001:DB8::1]:80/", "[2001:db8::1]"),
            ("http://[2001", "[2001"),
            ("dns:example.org", ""),
            ("", ""),
        ] {
            assert_eq!(host(url), want, "{url}");
        }
        assert_eq!(top_level("www.example.lv"), Some("lv"));
        assert_eq!(top_level("10.0.0.1"), None);
    }
}
