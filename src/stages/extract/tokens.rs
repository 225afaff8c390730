//! Cuts markup into text, start tags and end tags without copying.
//!
//! It follows the tokenizer of the HTML standard (13.2.5) where that decides what is text, and is kinder where a browser would
//! lose the rest of the page: a quote that never closes ends at the next `>`. Its speed comes from jumping (`memchr`) between
//! `<`, quotes and `>`; attributes are cut only for those who ask. html5gum, a state machine over every byte, was the
//! alternative (161 MB/s alone on real pages, where this stage as a whole has to pass 100).

use memchr::{memchr, memchr3, memmem};

use super::tag::Tag;

/// One piece of markup.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// Text with its character references still in it.
    Text(&'a str),
    /// A start tag; `attributes` is all between its name and its end.
    Start { tag: Tag, name: &'a str, attributes: &'a str },
    /// An end tag.
    End { tag: Tag, name: &'a str },
}

/// A position in markup.
pub(super) struct Tokens<'a> {
    html: &'a str,
    at: usize,
    /// Set once a tag was found that ends nowhere if its quotes are believed; from then on quotes are plain characters, so that no
    /// second tag looks through the rest of the page in vain.
    quotes_lie: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a str) -> Tokens<'a> {
        Tokens { html, at: 0, quotes_lie: false }
    }

    /// Where the next token begins.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// Goes back to a position that [`Tokens::offset`] gave.
    pub(super) fn rewind(&mut self, offset: usize) {
        self.at = offset;
    }

    /// The raw text up to the end tag called `name`, which is passed over too. `None`, and nothing is passed over, if there is no such tag.
    pub(super) fn raw_text(&mut self, name: &str) -> Option<&'a str> {
        let rest = &self.html[self.at..];
        for found in memmem::find_iter(rest.as_bytes(), b"</") {
            let after = found + 2;
            let Some(candidate) = rest.as_bytes().get(after..after + name.len()) else { break };
            let ends =
                rest.as_bytes().get(after + name.len()).is_none_or(|byte| matches!(byte, b'>' | b'/' | b' ' | b'\t' | b'\n' | b'\r' | 12));
            if ends && candidate.eq_ignore_ascii_case(name.as_bytes()) {
                let tail = after + name.len();
                self.at += memchr(b'>', &rest.as_bytes()[tail..]).map_or(rest.len(), |end| tail + end + 1);
                return Some(&rest[..found]);
            }
        }
        None
    }

    /// Passes over all that is left.
    pub(super) fn finish(&mut self) {
        self.at = self.html.len();
    }

    /// One past the `>` of a tag whose name ends at `start`; the end of the page if there is none.
    fn end_of_tag(&mut self, bytes: &[u8], start: usize) -> usize {
        if !self.quotes_lie {
            if let Some(end) = end_beyond_quotes(bytes, start) {
                return end;
            }
            self.quotes_lie = true;
        }
        memchr(b'>', &bytes[start..]).map_or(bytes.len(), |end| start + end + 1)
    }

    /// The token that opens with the `<` at the position, or `None` if it is only a character.
    fn markup(&mut self) -> Option<Option<Token<'a>>> {
        let rest = &self.html[self.at..];
        let bytes = rest.as_bytes();
        match bytes.get(1)? {
            b'!' => {
                self.at += end_of_declaration(bytes);
                Some(None)
            }
            b'?' => {
                self.at += memchr(b'>', bytes).map_or(bytes.len(), |end| end + 1);
                Some(None)
            }
            b'/' => {
                let name = name_at(rest, 2);
                if !name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) {
                    self.at += memchr(b'>', bytes).map_or(bytes.len(), |end| end + 1);
                    return Some(None);
                }
                self.at += self.end_of_tag(bytes, 2 + name.len());
                Some(Some(Token::End { tag: Tag::of(name.as_bytes()), name }))
            }
            byte if byte.is_ascii_alphabetic() => {
                let name = name_at(rest, 1);
                let end = self.end_of_tag(bytes, 1 + name.len());
                self.at += end;
                let attributes = rest[1 + name.len()..end].strip_suffix('>').unwrap_or("");
                Some(Some(Token::Start { tag: Tag::of(name.as_bytes()), name, attributes }))
            }
            _ => None,
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = &self.html[self.at..];
            if rest.is_empty() {
                return None;
            }
            let mut text = memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
            if text == 0 {
                match self.markup() {
                    Some(Some(token)) => return Some(token),
                    Some(None) => continue,
                    None => text = 1 + memchr(b'<', &rest.as_bytes()[1..]).unwrap_or(rest.len() - 1),
                }
            }
            self.at += text;
            return Some(Token::Text(&rest[..text]));
        }
    }
}

/// The name of a tag that begins at `start`.
fn name_at(rest: &str, start: usize) -> &str {
    let tail = &rest[start..];
    let end = tail.bytes().position(|byte| matches!(byte, b'>' | b'/' | b'<') || byte.is_ascii_whitespace()).unwrap_or(tail.len());
    &tail[..end]
}

/// One past the first `>` that is in no quoted value. A quote opens a value only after `=`.
fn end_beyond_quotes(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let found = at + memchr3(b'>', b'"', b'\'', &bytes[at..])?;
        if bytes[found] == b'>' {
            return Some(found + 1);
        }
        let opens = bytes[at..found].iter().rev().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'=');
        at = found + 1;
        if opens {
            at += memchr(bytes[found], &bytes[at..])? + 1;
        }
    }
}

/// One past the end of a comment, doctype or other thing that begins with `<!`.
fn end_of_declaration(bytes: &[u8]) -> usize {
    let Some(comment) = bytes.strip_prefix(b"<!--") else {
        return memchr(b'>', bytes).map_or(bytes.len(), |end| end + 1);
    };
    if comment.starts_with(b">") {
        return 5;
    }
    if comment.starts_with(b"->") {
        return 6;
    }
    let mut at = 0;
    while let Some(found) = memmem::find(&comment[at..], b"--") {
        match &comment[at + found + 2..] {
            [b'>', ..] => return 4 + at + found + 3,
            [b'!', b'>', ..] => return 4 + at + found + 4,
            _ => at += found + 1,
        }
    }
    bytes.len()
}

/// The attributes of a start tag, name and value as written, with character references.
pub(super) fn attributes(raw: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let tail = &rest.as_bytes()[first..];
        let end = first + tail.iter().position(|byte| matches!(byte, b'=' | b'/') || byte.is_ascii_whitespace()).unwrap_or(tail.len());
        let name = &rest[..end];
        let after = rest[end..].trim_ascii_start();
        let Some(value) = after.strip_prefix('=') else {
            rest = &rest[end..];
            return Some((name, ""));
        };
        let value = value.trim_ascii_start();
        let quoted = value.as_bytes().first().filter(|byte| matches!(byte, b'"' | b'\''));
        let (value, left) = match quoted {
            Some(quote) => match memchr(*quote, &value.as_bytes()[1..]) {
                Some(length) => (&value[1..=length], &value[length + 2..]),
                None => (&value[1..], ""),
            },
            None => value.split_at(value.bytes().position(|byte| byte.is_ascii_whitespace()).unwrap_or(value.len())),
        };
        rest = left;
        Some((name, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(html: &str) -> Vec<&str> {
        Tokens::new(html).filter_map(|token| if let Token::Text(text) = token { Some(text) } else { None }).collect()
    }

    #[test]
    fn text_and_tags_are_told_apart() {
        let tokens: Vec<Token<'_>> = Tokens::new("<p class=a>Sveiki</p>").collect();
        assert_eq!(tokens[0], Token::Start { tag: Tag::P, name: "p", attributes: " class=a" });
        assert_eq!(tokens[1], Token::Text("Sveiki"));
        assert_eq!(tokens[2], Token::End { tag: Tag::P, name: "p" });
    }

    #[test]
    fn a_greater_sign_inside_a_quoted_value_does_not_end_the_tag() {
        assert_eq!(texts(r#"<a title="a > b" href='x>y'>tekst</a>"#), ["tekst"]);
        assert_eq!(texts("<p title=it's>tekst</p>"), ["tekst"]);
    }

    #[test]
    fn a_quote_that_never_closes_costs_one_tag_only() {
        assert_eq!(texts("<a href=\"x>Labas</a> rytas"), ["Labas", " rytas"]);
    }

    #[test]
    fn comments_end_where_the_standard_says() {
        assert_eq!(
            texts("a<!-- b > c -->d<!-->e<!--->f<!-- g --!>h<!doctype html>i<?php x ?>j</ k>l"),
            ["a", "d", "e", "f", "h", "i", "j", "l"]
        );
    }

    #[test]
    fn a_lone_less_sign_is_text() {
        assert_eq!(texts("1 < 2 <3").concat(), "1 < 2 <3");
        assert_eq!(texts("a <").concat(), "a <");
    }

    #[test]
    fn raw_text_ends_at_its_own_end_tag_in_any_case() {
        let mut tokens = Tokens::new("if (a</b/.test()) x</scripts></SCRIPT >tail");
        assert_eq!(tokens.raw_text("script"), Some("if (a</b/.test()) x</scripts>"));
        assert_eq!(tokens.next(), Some(Token::Text("tail")));
        assert_eq!(tokens.raw_text("script"), None);
    }

    #[test]
    fn attributes_come_with_and_without_quotes_and_values() {
        let found: Vec<_> = attributes(r#" id=x class = "a b" hidden data-x='1"2' / lang="#).collect();
        assert_eq!(found, [("id", "x"), ("class", "a b"), ("hidden", ""), ("data-x", "1\"2"), ("lang", "")]);
    }
}
