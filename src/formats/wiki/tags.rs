//! Tags in wikitext. Searches for `>` and for closing tags remember what they found, so that text full of beginnings without an end is
//! still read in linear time.

use memchr::memmem;

/// Elements whose content is no prose: sources, formulas, galleries, programs, maps.
const DROPPED: &[&str] = &[
    "ref",
    "references",
    "math",
    "chem",
    "ce",
    "gallery",
    "timeline",
    "score",
    "syntaxhighlight",
    "source",
    "graph",
    "imagemap",
    "templatedata",
    "templatestyles",
    "mapframe",
    "maplink",
    "inputbox",
    "hiero",
    "categorytree",
    "style",
    "script",
    "includeonly",
    "indicator",
];
/// Elements whose content is taken letter by letter.
const LITERAL: &[&str] = &["nowiki", "pre"];
/// Elements that end a line.
const BLOCKS: &[&str] = &[
    "br",
    "p",
    "div",
    "blockquote",
    "li",
    "ul",
    "ol",
    "dl",
    "dd",
    "dt",
    "table",
    "tr",
    "td",
    "th",
    "caption",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "center",
    "poem",
];
/// No name of a tag is longer.
const NAME_BYTES_MAX: usize = 16;

/// What stands at a `<`.
pub(super) enum Tag<'a> {
    /// No tag: the sign itself.
    None,
    /// To be left out, up to the byte named.
    Gap(usize),
    /// To be left out; a line ends here.
    Break(usize),
    /// Text that is not to be read as wikitext.
    Literal(&'a str, usize),
}

/// A search that goes forward only, with the place where it last found something.
#[derive(Clone, Copy)]
enum Next {
    Unknown,
    At(usize, usize),
    Nowhere,
}

/// Reads the tags of one text, from left to right.
pub(super) struct Tags<'a> {
    source: &'a str,
    bracket: Next,
    comment: Next,
    closers: [Next; DROPPED.len() + LITERAL.len()],
}

impl<'a> Tags<'a> {
    pub(super) fn new(source: &'a str) -> Tags<'a> {
        Tags { source, bracket: Next::Unknown, comment: Next::Unknown, closers: [Next::Unknown; DROPPED.len() + LITERAL.len()] }
    }

    /// What stands at byte `at`, which is `<`.
    pub(super) fn at(&mut self, at: usize) -> Tag<'a> {
        let (source, bytes) = (self.source, self.source.as_bytes());
        if bytes[at..].starts_with(b"<!--") {
            let found =
                ahead(&mut self.comment, at + 4, |from| memmem::find(&bytes[from..], b"-->").map(|place| (from + place, from + place + 3)));
            return Tag::Gap(found.map_or(source.len(), |(_, end)| end));
        }
        let begin = at + 1 + usize::from(bytes.get(at + 1) == Some(&b'/'));
        let name = bytes[begin..].iter().take(NAME_BYTES_MAX + 1).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        if name == 0 || name > NAME_BYTES_MAX || !bytes[begin].is_ascii_alphabetic() {
            return Tag::None;
        }
        let found = ahead(&mut self.bracket, begin + name, |from| {
            memchr::memchr(b'>', &bytes[from..]).map(|place| (from + place, from + place + 1))
        });
        let Some((bracket, end)) = found else { return Tag::None };
        let name = &source[begin..begin + name];
        let same = |known: &&str| known.eq_ignore_ascii_case(name);
        if begin == at + 1 && bytes[bracket - 1] != b'/' {
            if let Some(place) = DROPPED.iter().position(same) {
                return Tag::Gap(self.closer(place, DROPPED[place], end).map_or(end, |(_, end)| end));
            }
            if let Some(place) = LITERAL.iter().position(same)
                && let Some((inner_end, behind)) = self.closer(DROPPED.len() + place, LITERAL[place], end)
            {
                return Tag::Literal(&source[end..inner_end], behind);
            }
        }
        if BLOCKS.iter().any(same) { Tag::Break(end) } else { Tag::Gap(end) }
    }

    /// Where the closing tag of `name` begins and ends, behind byte `from`.
    fn closer(&mut self, place: usize, name: &str, from: usize) -> Option<(usize, usize)> {
        let bytes = self.source.as_bytes();
        ahead(&mut self.closers[place], from, |mut from| {
            loop {
                let begin = from + memmem::find(&bytes[from..], b"</")?;
                from = begin + 2;
                let behind = from + name.len();
                let is_it = bytes.get(from..behind).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
                    && bytes.get(behind).is_none_or(|byte| !byte.is_ascii_alphanumeric());
                if is_it {
                    let end = behind + bytes[behind..].iter().take(80).position(|byte| *byte == b'>').map_or(0, |place| place + 1);
                    return Some((begin, end));
                }
            }
        })
    }
}

/// The first find at `from` or behind it: the one that is known, if it still lies ahead, or that of a new search.
fn ahead(known: &mut Next, from: usize, search: impl FnOnce(usize) -> Option<(usize, usize)>) -> Option<(usize, usize)> {
    match *known {
        Next::At(begin, end) if begin >= from => return Some((begin, end)),
        Next::Nowhere => return None,
        _ => {}
    }
    let found = search(from);
    *known = found.map_or(Next::Nowhere, |(begin, end)| Next::At(begin, end));
    found
}
