//! Really Simple Licensing: a licence on offer. Its terms are not fetched: whoever offers one reserves what is not licensed.

/// The addresses of licences in one value of a `Link` header (RFC 8288).
pub(super) fn in_link_header(value: &str) -> impl Iterator<Item = &str> {
    links(value).filter_map(|link| {
        let (target, parameters) = link.trim_start().strip_prefix('<')?.split_once('>')?;
        let (mut rel, mut kind) = ("", "");
        for parameter in unquoted(parameters, ';') {
            let Some((name, value)) = parameter.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            match name.trim() {
                name if rel.is_empty() && name.eq_ignore_ascii_case("rel") => rel = value,
                name if kind.is_empty() && name.eq_ignore_ascii_case("type") => kind = value,
                _ => {}
            }
        }
        offers(rel.as_bytes(), kind.as_bytes()).then_some(target)
    })
}

/// Whether a link with this relation and type leads to a licence of RSL.
pub(super) fn offers(rel: &[u8], kind: &[u8]) -> bool {
    is_licence_type(kind) && rel.split(u8::is_ascii_whitespace).any(|relation| relation.eq_ignore_ascii_case(b"license"))
}

/// Whether a type is the one of licences: a script of it holds one.
pub(super) fn is_licence_type(kind: &[u8]) -> bool {
    let essence = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    essence.eq_ignore_ascii_case(b"application/rsl+xml")
}

/// Whether the value of a `License` line in robots.txt names a licence: RSL asks for a whole address.
pub(super) fn is_licence(value: &[u8]) -> bool {
    [&b"http://"[..], b"https://"].iter().any(|scheme| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// The links of a value: cut at the commas outside of `<..>` and of quotes.
fn links(value: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut inside) = (false, false);
    value.split(move |sign: char| {
        match sign {
            '"' if !inside => quoted = !quoted,
            '<' if !quoted => inside = true,
            '>' if !quoted => inside = false,
            _ => {}
        }
        sign == ',' && !quoted && !inside
    })
}

/// Cut at `separator` outside of quotes.
fn unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |sign: char| {
        quoted ^= sign == '"';
        sign == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_of_the_right_relation_and_type_offer_a_licence() {
        for (value, found) in [
            (r#"<https://otok.example.hr/l.xml>; rel="license"; type="application/rsl+xml""#, Some("https://otok.example.hr/l.xml")),
            (r#"</a,b>; rel=preload, </l.xml>;type=application/rsl+xml ;REL="up License""#, Some("/l.xml")),
            (r#"</l>; title="a, b; rel=x"; rel=license; type="application/rsl+xml; v=1""#, Some("/l")),
            (r#"<https://creativecommons.org/licenses/by/4.0/>; rel="license""#, None),
            (r#"</l.xml>; rel="alternate"; type="application/rsl+xml""#, None),
            (r#"</l.xml; rel="license"; type="application/rsl+xml""#, None),
            ("", None),
        ] {
            assert_eq!(in_link_header(value).next(), found, "{value}");
        }
        assert!(is_licence(b"HTTPS://otok.example.hr/dozvola.xml") && !is_licence(b"CC-BY-4.0") && !is_licence(b""));
    }
}
