//! Robots directives in `X-Robots-Tag` and `<meta>`: `noai` and `noimageai`, as DeviantArt introduced them.

/// Whether directives between commas, each perhaps behind the name of a robot, reserve. A reservation against one robot counts: it says
/// what the owner wants.
pub(super) fn reserve(value: &[u8]) -> bool {
    value
        .split(|byte| matches!(byte, b',' | b':'))
        .map(<[u8]>::trim_ascii)
        .any(|directive| directive.eq_ignore_ascii_case(b"noai") || directive.eq_ignore_ascii_case(b"noimageai"))
}

/// Whether a `<meta>` of this name is for all robots or for one (`robots`, `googlebot`, `GPTBot`).
pub(super) fn is_for_robots(name: &[u8]) -> bool {
    name.windows(3).any(|part| part.eq_ignore_ascii_case(b"bot")) || name.eq_ignore_ascii_case(b"x-robots-tag")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noai_is_a_directive_of_its_own() {
        for (value, reserves) in [
            ("noai", true),
            ("noindex, NoImageAI", true),
            ("GPTBot: noai", true),
            ("noaix, ai", false),
            ("unavailable_after: 25 Jun 2010 15:00:00 PST", false),
            ("", false),
        ] {
            assert_eq!(reserve(value.as_bytes()), reserves, "{value}");
        }
        assert!(is_for_robots(b"Robots") && is_for_robots(b"gptbot") && !is_for_robots(b"description"));
    }
}
