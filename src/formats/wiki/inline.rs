//! The first pass: what can stand anywhere in a line. Text that is still open (a template, a link) is collected in a frame of its own,
//! and when the frame closes, what it shows goes to the frame around it. What never closes is text after all.
//!
//! A letter is copied once for each frame around it, so [`DEPTH_MAX`] keeps the work linear.

use super::Rules;
use super::tags::{Tag, Tags};
use crate::formats::entities;

/// Templates and links inside each other; deeper ones are not told apart.
const DEPTH_MAX: usize = 24;
/// The longest magic word (`__NOTOC__`), in bytes between its underscores.
const MAGIC_WORD_BYTES_MAX: usize = 40;

/// Two braces are a template, three a parameter, and four are more than three.
const BRACES_TOLD_APART: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Page,
    Template,
    Parameter,
    Link,
    External,
}

/// An open construct: what it holds so far, and where its bars stand in that.
struct Frame {
    kind: Kind,
    out: String,
    bars: Vec<usize>,
}

impl Frame {
    fn new(kind: Kind) -> Frame {
        Frame { kind, out: String::new(), bars: Vec::new() }
    }

    /// The pieces between its bars.
    fn parts(&self) -> Vec<&str> {
        let mut parts = Vec::with_capacity(self.bars.len() + 1);
        let mut begin = 0;
        for bar in &self.bars {
            parts.push(&self.out[begin..*bar]);
            begin = bar + 1;
        }
        parts.push(&self.out[begin..]);
        parts
    }
}

/// Bytes at which something may begin or end.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let signs = b"<{}[]|'&_-\n";
    let mut at = 0;
    while at < signs.len() {
        special[signs[at] as usize] = true;
        at += 1;
    }
    special
};

struct Flattener<'a> {
    source: &'a str,
    at: usize,
    frames: Vec<Frame>,
    tags: Tags<'a>,
    rules: &'a Rules<'a>,
    /// Open `-{` of language variants.
    variants: usize,
}

/// Resolves links, templates, tags and emphasis; lines stay lines.
pub(super) fn flatten(source: &str, rules: &Rules<'_>) -> String {
    let mut page = Frame::new(Kind::Page);
    page.out.reserve(source.len() / 2);
    let mut flattener = Flattener { source, at: 0, frames: vec![page], tags: Tags::new(source), rules, variants: 0 };
    flattener.run();
    while flattener.frames.len() > 1 {
        flattener.spill();
    }
    flattener.frames.pop().map(|page| page.out).unwrap_or_default()
}

impl Flattener<'_> {
    fn run(&mut self) {
        let bytes = self.source.as_bytes();
        while self.at < bytes.len() {
            let plain = bytes[self.at..].iter().position(|byte| SPECIAL[usize::from(*byte)]).unwrap_or(bytes.len() - self.at);
            if plain > 0 {
                let text = &self.source[self.at..self.at + plain];
                self.out().push_str(text);
                self.at += plain;
                continue;
            }
            match bytes[self.at] {
                b'<' => self.tag(),
                b'{' => self.open_braces(),
                b'}' => self.close_braces(),
                b'[' => self.open_bracket(),
                b']' => self.close_bracket(),
                b'|' => self.bar(),
                b'\'' => self.quotes(),
                b'&' => self.entity(),
                b'_' => self.magic_word(),
                b'-' => self.dash(),
                _ => self.line_end(),
            }
        }
    }

    fn top(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("the page's own frame is never popped here")
    }

    fn out(&mut self) -> &mut String {
        &mut self.top().out
    }

    fn kind(&self) -> Kind {
        self.frames.last().map_or(Kind::Page, |frame| frame.kind)
    }

    /// Takes `count` bytes as they are.
    fn literal(&mut self, count: usize) {
        let text = &self.source[self.at..self.at + count];
        self.out().push_str(text);
        self.at += count;
    }

    /// How often the byte here is repeated, counted up to `most`: who does not take the whole run must not count it again and again.
    fn run_length(&self, most: usize) -> usize {
        let bytes = &self.source.as_bytes()[self.at..];
        bytes.iter().take(most).take_while(|byte| **byte == bytes[0]).count()
    }

    fn open(&mut self, kind: Kind, width: usize) {
        self.at += width;
        if self.frames.len() <= DEPTH_MAX {
            self.frames.push(Frame::new(kind));
        }
    }

    /// Makes the top frame text of the one around it.
    fn spill(&mut self) {
        if self.frames.len() > 1
            && let Some(frame) = self.frames.pop()
        {
            self.out().push_str(&frame.out);
        }
    }

    fn tag(&mut self) {
        match self.tags.at(self.at) {
            Tag::None => self.literal(1),
            Tag::Gap(end) => self.at = end,
            Tag::Break(end) => {
                // Two ends of lines are the end of a paragraph; inside of a frame a line goes on.
                let mark = if self.kind() == Kind::Page { "\n\n" } else { " " };
                self.out().push_str(mark);
                self.at = end;
            }
            Tag::Literal(text, end) => {
                self.out().push_str(text);
                self.at = end;
            }
        }
    }

    fn open_braces(&mut self) {
        match self.run_length(BRACES_TOLD_APART) {
            1 => self.literal(1),
            3 => self.open(Kind::Parameter, 3),
            _ => self.open(Kind::Template, 2),
        }
    }

    fn close_braces(&mut self) {
        let run = self.run_length(BRACES_TOLD_APART);
        let next_is_dash = self.source.as_bytes().get(self.at + 1) == Some(&b'-');
        if run == 1 && next_is_dash && self.variants > 0 {
            self.variants -= 1;
            self.at += 2;
            return;
        }
        let inner = self.frames.iter().rposition(|frame| matches!(frame.kind, Kind::Template | Kind::Parameter));
        let Some(inner) = inner.filter(|_| run >= 2) else { return self.literal(1) };
        let kind = self.frames[inner].kind;
        // `|}` ends a table inside of a template; then the template ends.
        if kind == Kind::Template && run == 3 && self.source[..self.at].ends_with("\n|") {
            return self.literal(1);
        }
        if kind == Kind::Parameter && run == 2 {
            return self.literal(2);
        }
        while self.frames.len() > inner + 1 {
            self.spill();
        }
        self.at += if kind == Kind::Parameter { 3 } else { 2 };
        let Some(frame) = self.frames.pop() else { return };
        let parts = frame.parts();
        let rules = self.rules;
        let out = self.out();
        if kind == Kind::Template {
            rules.templates.expand(&parts, out);
        } else {
            // The default of a parameter is what the page shows where nobody gives it a value.
            out.push_str(parts.get(1).unwrap_or(&""));
        }
    }

    fn open_bracket(&mut self) {
        let rest = &self.source[self.at..];
        if rest.starts_with("[[") {
            return self.open(Kind::Link, 2);
        }
        let address = ["http://", "https://", "//", "mailto:", "ftp://"].iter().any(|scheme| rest[1..].starts_with(scheme));
        if address { self.open(Kind::External, 1) } else { self.literal(1) }
    }

    fn close_bracket(&mut self) {
        let double = self.source[self.at..].starts_with("]]");
        match self.kind() {
            Kind::External => {
                self.at += 1;
                let Some(frame) = self.frames.pop() else { return };
                if let Some((_, label)) = frame.out.split_once(' ') {
                    self.out().push_str(label);
                }
            }
            Kind::Link if double => {
                self.at += 2;
                let Some(frame) = self.frames.pop() else { return };
                let shown = shown(&frame, self.rules.hidden);
                self.out().push_str(shown);
            }
            _ => self.literal(1 + usize::from(double)),
        }
    }

    fn bar(&mut self) {
        if matches!(self.kind(), Kind::Template | Kind::Parameter | Kind::Link) {
            let place = self.out().len();
            self.top().bars.push(place);
        }
        self.literal(1);
    }

    /// Two quotes are italic, three bold, five both; what is more is text.
    fn quotes(&mut self) {
        let run = self.run_length(usize::MAX);
        let shown = match run {
            1 => 1,
            4 => 1,
            6.. => run - 5,
            _ => 0,
        };
        self.at += run - shown;
        self.literal(shown);
    }

    fn entity(&mut self) {
        let rest = &self.source[self.at..];
        if rest.starts_with("&shy;") {
            self.at += "&shy;".len();
            return;
        }
        let taken = entities::take(rest, self.out());
        if taken == 0 {
            self.literal(1);
        }
        self.at += taken;
    }

    fn magic_word(&mut self) {
        let rest = &self.source[self.at..];
        let word = rest.strip_prefix("__").map(|rest| {
            rest.char_indices()
                .take(MAGIC_WORD_BYTES_MAX)
                .take_while(|(_, letter)| letter.is_uppercase())
                .map(|(at, letter)| at + letter.len_utf8())
                .last()
        });
        match word {
            Some(Some(length)) if rest[2 + length..].starts_with("__") => self.at += length + 4,
            _ => {
                let run = self.run_length(usize::MAX);
                self.literal(run);
            }
        }
    }

    fn dash(&mut self) {
        let rest = &self.source[self.at..];
        if rest.starts_with("-{") && !rest.starts_with("-{{") {
            self.variants += 1;
            self.at += 2;
        } else {
            self.literal(1);
        }
    }

    /// No external link goes on behind its line, no other link behind its paragraph.
    fn line_end(&mut self) {
        let paragraph_ends = self.source[self.at..].starts_with("\n\n");
        while self.kind() == Kind::External || (paragraph_ends && self.kind() == Kind::Link) {
            self.spill();
        }
        self.literal(1);
    }
}

/// What a link shows: its label, else its target; nothing for files, categories and other languages.
fn shown<'a>(frame: &'a Frame, hidden: &[String]) -> &'a str {
    let whole = frame.out.as_str();
    let (target, label) = match frame.bars.first() {
        Some(bar) => (&whole[..*bar], Some(&whole[bar + 1..])),
        None => (whole, None),
    };
    let target = target.trim();
    let (target, escaped) = match target.strip_prefix(':') {
        Some(target) => (target, true),
        None => (target, false),
    };
    if !escaped && target.split_once(':').is_some_and(|(space, _)| is_hidden(space.trim(), hidden)) {
        return "";
    }
    match label {
        Some(label) if !label.trim().is_empty() => label,
        Some(_) => target.split(" (").next().unwrap_or(target),
        None => target.trim_start_matches('#'),
    }
}

/// Whether links into this namespace show nothing: a listed one, or the code of another language's edition.
fn is_hidden(space: &str, hidden: &[String]) -> bool {
    let is_code = space == "simple"
        || (space.len() <= 12
            && space.split('-').enumerate().all(|(place, part)| {
                part.bytes().all(|byte| byte.is_ascii_lowercase())
                    && if place == 0 { matches!(part.len(), 2 | 3) } else { !part.is_empty() }
            }));
    is_code || hidden.contains(&space.to_lowercase())
}
