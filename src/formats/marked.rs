//! Reads any XML in which text stands in reading order: what an element means stands in a table, one for each format ([`super::styles`]).

use super::prose::Prose;
use super::xml::{Rigour, Tag, Visit, walk};
use super::{Fault, Paper};

/// What an element is to the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Part of a line.
    Inline,
    /// A paragraph, heading or item.
    Block,
    /// Holds paragraphs and is a turn of a speaker, whose parts are paragraphs too.
    Turn,
    /// The title of the document, which is text as well.
    Title,
    /// The same where it is a part of a line.
    InlineTitle,
    /// The number in front of a paragraph.
    Label,
    /// Left out with all that is in it.
    Dropped,
    /// A row of a table.
    Row,
    /// A cell of a row.
    Cell,
    /// White space.
    Space,
    /// The end of a line.
    Break,
    /// A word of a text that was cut into words; `true` where none comes between it and the next.
    Word(bool),
    /// A sign that its attribute names.
    Sign(char),
    /// What is said about the document and is no part of its text.
    Head,
    /// In the head: a statement that [`Paper`] has a field for.
    Stated(Field),
    /// The same in the midst of the text, of which it is no part.
    Aside(Field),
}

/// A field of [`Paper`] that the text of an element fills, if it is still empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Title,
    Author,
    Lang,
    Published,
    Licence,
    Url,
    Celex,
    /// A statement on text and data mining, by the name of the header that says the same.
    Policy(&'static str),
}

/// A format.
pub(super) struct Style {
    /// What the element is; `parent` is what it stands in.
    pub(super) role: fn(name: &str, tag: &Tag<'_>, parent: Role) -> Role,
    /// What the element's attributes say about the document.
    pub(super) state: fn(name: &str, tag: &Tag<'_>, paper: &mut Paper),
    pub(super) rigour: Rigour,
}

/// Fills `field` with `value`, unless it is filled already.
pub(super) fn state(paper: &mut Paper, field: Field, value: &str) {
    let place = match field {
        Field::Title => &mut paper.title,
        Field::Author => &mut paper.author,
        Field::Lang => &mut paper.lang,
        Field::Published => &mut paper.published,
        Field::Licence => &mut paper.licence,
        Field::Url => &mut paper.url,
        Field::Celex => &mut paper.celex,
        Field::Policy(name) => return paper.policies.push((name.to_owned(), value.trim().to_owned())),
    };
    let says_nothing = value.trim().is_empty() || field == Field::Title && is_file_name(value);
    if place.is_none() && !says_nothing {
        *place = Some(value.split_whitespace().collect::<Vec<_>>().join(" "));
    }
}

/// Whether a title is the name of a file, as the head of the Official Journal's pages has it.
fn is_file_name(title: &str) -> bool {
    let title = title.trim().to_ascii_lowercase();
    !title.contains(char::is_whitespace) && [".xml", ".html", ".htm", ".xhtml"].iter().any(|ending| title.ends_with(ending))
}

struct Reading<'s> {
    style: &'s Style,
    prose: Prose,
    paper: Paper,
    /// What each open element is.
    roles: Vec<Role>,
    /// The text of the statement that is open.
    stated: String,
    title_mark: Option<(usize, usize)>,
}

/// Reads a document.
pub(super) fn read(xml: &str, style: &Style) -> Result<Paper, Fault> {
    let mut reading =
        Reading { style, prose: Prose::default(), paper: Paper::default(), roles: Vec::new(), stated: String::new(), title_mark: None };
    walk(xml, style.rigour, &mut reading)?;
    Ok(Paper { text: reading.prose.finish(), ..reading.paper })
}

impl Reading<'_> {
    /// What was read since the title began is the title.
    fn state_title(&mut self) {
        if let Some(mark) = self.title_mark.take() {
            state(&mut self.paper, Field::Title, &self.prose.since(mark));
        }
    }
}

impl Visit for Reading<'_> {
    fn open(&mut self, name: &str, tag: &Tag<'_>) {
        let parent = self.roles.last().copied().unwrap_or(Role::Inline);
        (self.style.state)(name, tag, &mut self.paper);
        let role = match (parent, (self.style.role)(name, tag, parent)) {
            (Role::Dropped | Role::Stated(_), _) => parent,
            (Role::Head, Role::Dropped) => Role::Dropped,
            (Role::Head, Role::Stated(field)) => Role::Stated(field),
            (Role::Head, _) => Role::Head,
            (_, Role::Stated(_)) => Role::Inline,
            (_, Role::Aside(field)) => Role::Stated(field),
            (_, role) => role,
        };
        self.roles.push(role);
        match role {
            Role::Stated(_) if parent != role => self.stated.clear(),
            Role::Block | Role::Turn => self.prose.end(),
            Role::Title => {
                self.prose.end();
                self.title_mark = Some(self.prose.mark());
            }
            Role::InlineTitle => self.title_mark = Some(self.prose.mark()),
            Role::Label => self.prose.end(),
            Role::Row => self.prose.begin_row(),
            Role::Space => self.prose.space(),
            Role::Break => self.prose.end(),
            Role::Word(_) => self.prose.space(),
            Role::Dropped if parent != Role::Dropped => self.prose.leave_out(),
            Role::Sign(sign) => self.prose.text(sign.encode_utf8(&mut [0; 4])),
            _ => {}
        }
    }

    fn close(&mut self) {
        let Some(role) = self.roles.pop() else { return };
        match role {
            Role::Stated(field) if self.roles.last() != Some(&role) => state(&mut self.paper, field, &std::mem::take(&mut self.stated)),
            Role::Block | Role::Turn => self.prose.end(),
            Role::Title => {
                self.prose.end();
                self.state_title();
            }
            Role::InlineTitle => self.state_title(),
            Role::Label => self.prose.end_label(),
            Role::Row => self.prose.end_row(),
            Role::Cell => self.prose.end_cell(),
            Role::Word(true) => self.prose.glue(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        match self.roles.last() {
            Some(Role::Dropped | Role::Head) | None => {}
            Some(Role::Stated(_)) => self.stated.push_str(text),
            _ => self.prose.text(text),
        }
    }
}
