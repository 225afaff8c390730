//! Lines of a robots.txt: where they end, and what they say.

/// Bytes of a line that are read; the rest says nothing. Eight times the longest address of old browsers, 2,083.
const LINE_BYTES_MAX: usize = 2_083 * 8;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    UserAgent,
    Allow,
    Disallow,
    CrawlDelay,
    Sitemap,
    Other,
}

/// How each key is written, misspellings that are common on the web included.
const WRITTEN: &[(Key, &[&str])] = &[
    (Key::UserAgent, &["user-agent", "useragent", "user agent"]),
    (Key::Allow, &["allow"]),
    (Key::Disallow, &["disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"]),
    (Key::CrawlDelay, &["crawl-delay", "crawldelay", "crawl delay"]),
    (Key::Sitemap, &["sitemap", "site-map"]),
];

/// The lines of a file, without a byte order mark or the first bytes of one.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mark = [0xef, 0xbb, 0xbf].iter().zip(bytes).take_while(|(mark, byte)| mark == byte).count();
    // An empty line between CR and LF says nothing, so each of them may end one.
    bytes[mark..].split(|byte| matches!(byte, b'\n' | b'\r')).map(|line| &line[..line.len().min(LINE_BYTES_MAX - 1)])
}

/// Key and value; `None` for what says nothing.
pub(super) fn parse_line(line: &[u8]) -> Option<(Key, &[u8])> {
    let end = line.iter().position(|byte| matches!(byte, b'#' | 0)).unwrap_or(line.len());
    let line = trimmed(&line[..end]);
    let colon = line.iter().position(|byte| *byte == b':');
    let separator = colon.or_else(|| two_words(line))?;
    let (key, value) = (trimmed(&line[..separator]), trimmed(&line[separator + 1..]));
    if key.is_empty() {
        return None;
    }
    let is = |written: &&str| key.get(..written.len()).is_some_and(|start| start.eq_ignore_ascii_case(written.as_bytes()));
    let known = WRITTEN.iter().find(|(_, forms)| forms.iter().any(is));
    Some((known.map_or(Key::Other, |(key, _)| *key), value))
}

/// Where a line of exactly two words, whose writer forgot the colon, has its gap.
fn two_words(line: &[u8]) -> Option<usize> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let gap = line.iter().position(blank)?;
    let value = line[gap..].iter().position(|byte| !blank(byte)).map(|at| gap + at)?;
    (!line[value..].iter().any(blank)).then_some(gap)
}

/// Without white space at both ends, as C's `isspace` has it.
fn trimmed(text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let start = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}
