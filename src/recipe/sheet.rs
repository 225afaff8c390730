//! The texts that a recipe is read from (its file, then each `--set`), laid end to end, so that one range of bytes names a place in any
//! of them and a mistake can show the line it stands on.

use std::ops::Range;

use serde::Serialize;

/// A line longer than this is shown in part.
const QUOTED_CHARS_MAX: usize = 120;
/// Characters that are shown before the mistake where a line is cut.
const LEAD_CHARS: usize = 40;

/// All texts of one recipe.
pub(super) struct Sheet {
    parts: Vec<Part>,
}

struct Part {
    origin: Origin,
    text: String,
    start: usize,
}

/// Where a text comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A file, by its path.
    File(String),
    /// An argument of the command line, by the name of the option.
    Argument(&'static str),
}

/// A place in a recipe, with what a message needs to show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The text that holds it.
    pub origin: Origin,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The line, or the part of it around the place, with control characters masked.
    pub quoted: String,
    /// Characters of `quoted` before the place.
    pub caret_column: usize,
    /// Characters of the place on this line, at least 1.
    pub caret_chars: usize,
}

impl Sheet {
    /// A sheet with one text.
    pub(super) fn new(origin: Origin, text: &str) -> Sheet {
        Sheet { parts: vec![Part { origin, text: text.to_owned(), start: 0 }] }
    }

    /// Adds a text behind the others.
    pub(super) fn add(&mut self, origin: Origin, text: String) {
        let start = self.parts.last().map_or(0, |part| part.start + part.text.len() + 1);
        self.parts.push(Part { origin, text, start });
    }

    /// Text `number` and the place where it begins.
    pub(super) fn part(&self, number: usize) -> (&str, usize) {
        let part = &self.parts[number];
        (&part.text, part.start)
    }

    /// The place of the bytes `span`.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        let number = self.parts.partition_point(|part| part.start <= span.start).saturating_sub(1);
        let part = &self.parts[number];
        let begin = floor_char(&part.text, span.start - part.start);
        let end = floor_char(&part.text, span.end.saturating_sub(part.start)).max(begin);
        let line_begin = part.text[..begin].rfind('\n').map_or(0, |at| at + 1);
        let line_end = part.text[begin..].find('\n').map_or(part.text.len(), |at| begin + at);
        let before = part.text[line_begin..begin].chars().count();
        let marked = part.text[begin..end.min(line_end)].trim_end().chars().count();
        let skipped = if before + marked > QUOTED_CHARS_MAX { before.saturating_sub(LEAD_CHARS) } else { 0 };
        let line = part.text[line_begin..line_end].trim_end();
        let quoted: String = line.chars().skip(skipped).take(QUOTED_CHARS_MAX).map(masked).collect();
        Place {
            origin: part.origin.clone(),
            line: part.text[..begin].matches('\n').count() + 1,
            column: before + 1,
            caret_column: before - skipped,
            caret_chars: marked.min(quoted.chars().count().saturating_sub(before - skipped)).max(1),
            quoted,
        }
    }
}

fn floor_char(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

/// What is shown for a character: nothing that moves the cursor, colours the terminal or turns the direction of writing.
fn masked(c: char) -> char {
    match c {
        '\t' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(text: &str) -> Sheet {
        Sheet::new(Origin::File("a.toml".to_owned()), text)
    }

    #[test]
    fn a_place_is_counted_in_characters_from_one() {
        let text = "name = \"a\"\nž = \"jūra\" # x\n";
        let at = text.find("\"jūra\"").expect("it is there");
        let place = sheet(text).place(&(at..at + "\"jūra\"".len()));
        assert_eq!((place.line, place.column, place.caret_chars), (2, 5, 6));
        assert_eq!(place.quoted, "ž = \"jūra\" # x");
    }

    #[test]
    fn a_later_text_has_its_own_lines() {
        let mut sheet = sheet("a = 1\nb = 2");
        sheet.add(Origin::Argument("--set"), "limits.x=3".to_owned());
        let (text, start) = sheet.part(1);
        assert_eq!(text, "limits.x=3");
        let place = sheet.place(&(start + 7..start + 8));
        assert_eq!((place.origin, place.line, place.column, place.quoted), (Origin::Argument("--set"), 1, 8, "limits.x=3".to_owned()));
    }

    #[test]
    fn a_long_line_is_shown_in_part_and_terminal_codes_are_masked() {
        let text = format!("a = [{}\"\u{1b}[31m\"]", "1, ".repeat(200));
        let place = sheet(&text).place(&(605..611));
        assert_eq!((place.column, place.caret_column, place.caret_chars), (606, 40, 6));
        assert!(place.quoted.contains("\"\u{fffd}[31m"), "{}", place.quoted);
    }

    #[test]
    fn the_end_of_a_text_is_a_place() {
        let place = sheet("a = ").place(&(4..4));
        assert_eq!((place.line, place.column, place.caret_chars), (1, 5, 1));
        assert_eq!(sheet("").place(&(0..0)).line, 1);
    }
}
