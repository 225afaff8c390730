//! Character references as they stand in wikitext and XHTML. The named ones are those that editors write; the others of HTML hardly occur.

/// The longest reference that is looked for, in bytes between `&` and `;`.
const NAME_BYTES_MAX: usize = 10;

const NAMED: &[(&str, &str)] = &[
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", "\u{a0}"),
    ("ndash", "–"),
    ("mdash", "—"),
    ("hellip", "…"),
    ("middot", "·"),
    ("bull", "•"),
    ("thinsp", "\u{2009}"),
    ("ensp", "\u{2002}"),
    ("emsp", "\u{2003}"),
    ("shy", "\u{ad}"),
    ("zwj", "\u{200d}"),
    ("zwnj", "\u{200c}"),
    ("lrm", ""),
    ("rlm", ""),
    ("times", "×"),
    ("minus", "−"),
    ("plusmn", "±"),
    ("deg", "°"),
    ("sup2", "²"),
    ("sup3", "³"),
    ("frac12", "½"),
    ("frac14", "¼"),
    ("frac34", "¾"),
    ("prime", "′"),
    ("Prime", "″"),
    ("euro", "€"),
    ("pound", "£"),
    ("sect", "§"),
    ("copy", "©"),
    ("reg", "®"),
    ("laquo", "«"),
    ("raquo", "»"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("sbquo", "‚"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("bdquo", "„"),
    ("rarr", "→"),
    ("larr", "←"),
    ("harr", "↔"),
    ("asymp", "≈"),
    ("le", "≤"),
    ("ge", "≥"),
    ("ne", "≠"),
    ("infin", "∞"),
    ("micro", "µ"),
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("lambda", "λ"),
    ("mu", "μ"),
    ("pi", "π"),
    ("sigma", "σ"),
    ("omega", "ω"),
    ("Omega", "Ω"),
    ("auml", "ä"),
    ("ouml", "ö"),
    ("uuml", "ü"),
    ("Auml", "Ä"),
    ("Ouml", "Ö"),
    ("Uuml", "Ü"),
    ("szlig", "ß"),
    ("aring", "å"),
    ("Aring", "Å"),
    ("aelig", "æ"),
    ("AElig", "Æ"),
    ("oslash", "ø"),
    ("Oslash", "Ø"),
    ("eacute", "é"),
    ("Eacute", "É"),
    ("egrave", "è"),
    ("ecirc", "ê"),
    ("aacute", "á"),
    ("agrave", "à"),
    ("acirc", "â"),
    ("atilde", "ã"),
    ("ccedil", "ç"),
    ("iacute", "í"),
    ("ntilde", "ñ"),
    ("oacute", "ó"),
    ("ocirc", "ô"),
    ("uacute", "ú"),
];

/// Writes what the reference at the beginning of `rest` (which starts with `&`) means, and says how many bytes it takes; 0 for none.
pub(super) fn take(rest: &str, out: &mut String) -> usize {
    let bytes = &rest.as_bytes()[1..rest.len().min(NAME_BYTES_MAX + 2)];
    let Some(end) = bytes.iter().position(|byte| *byte == b';') else { return 0 };
    let name = &rest[1..=end];
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        match code.ok().and_then(char::from_u32) {
            Some(letter) if letter == '\n' || !letter.is_control() => out.push(letter),
            _ => return 0,
        }
    } else {
        let Some((_, text)) = NAMED.iter().find(|(known, _)| *known == name) else { return 0 };
        out.push_str(text);
    }
    end + 2
}
