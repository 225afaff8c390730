//! Paragraphs in the making: text comes in pieces, spaces between words are single, and a paragraph becomes a line when its block ends.

/// Signs that stand directly behind a word.
const CLOSING: [char; 9] = ['.', ',', ';', ':', '!', '?', ')', ']', '…'];

/// Collects text.
#[derive(Debug, Default)]
pub(super) struct Prose {
    out: String,
    line: String,
    /// Whether white space stands between what is there and what comes.
    space: bool,
    /// Whether white space stands in front of something that was left out.
    held_space: bool,
    /// Whether the next space is to be left out, as the word before asks.
    glued: bool,
    /// Whether the line holds only a number or mark that belongs to the paragraph that follows.
    label_only: bool,
    /// Open rows of tables; in them blocks do not end lines.
    rows: usize,
    /// Whether a cell ended in this row, with nothing behind it yet.
    cell_ended: bool,
}

impl Prose {
    /// Adds text as it stands in markup: any white space is one space.
    pub(super) fn text(&mut self, text: &str) {
        let mut rest = text;
        loop {
            let word = rest.trim_start_matches(is_space);
            if word.len() < rest.len() {
                self.space();
            }
            if word.is_empty() {
                return;
            }
            let end = word.find(is_space).unwrap_or(word.len());
            self.word(&word[..end]);
            rest = &word[end..];
        }
    }

    fn word(&mut self, word: &str) {
        self.space |= std::mem::take(&mut self.held_space) && !word.starts_with(CLOSING);
        if std::mem::take(&mut self.cell_ended) && !self.line.is_empty() {
            self.line.push_str(" |");
            self.space = true;
        }
        if std::mem::take(&mut self.space) && !self.line.is_empty() {
            self.line.push(' ');
        }
        // A soft hyphen only says where a word might be divided.
        word.split('\u{ad}').for_each(|part| self.line.push_str(part));
        self.label_only = false;
        self.glued = false;
    }

    /// A space, if none is there and none is unwanted.
    pub(super) fn space(&mut self) {
        self.space |= !self.glued;
    }

    /// What comes here is left out, such as the number of a note: white space in front of it was its own, unless a word follows.
    pub(super) fn leave_out(&mut self) {
        self.held_space |= std::mem::take(&mut self.space);
    }

    /// What comes next stands directly behind what is there.
    pub(super) fn glue(&mut self) {
        self.glued = true;
        (self.space, self.held_space) = (false, false);
    }

    /// Ends the paragraph.
    pub(super) fn end(&mut self) {
        if self.label_only || self.rows > 0 {
            return self.space();
        }
        if !self.line.is_empty() {
            self.out.push_str(&self.line);
            self.out.push('\n');
            self.line.clear();
        }
        self.glued = false;
        (self.space, self.held_space) = (false, false);
    }

    /// What the line holds is the number of the paragraph that follows.
    pub(super) fn end_label(&mut self) {
        self.label_only = !self.line.is_empty() && self.rows == 0;
        self.space();
    }

    pub(super) fn begin_row(&mut self) {
        self.label_only = false;
        self.end();
        self.rows += 1;
        self.cell_ended = false;
    }

    pub(super) fn end_cell(&mut self) {
        self.cell_ended = self.rows > 0;
    }

    pub(super) fn end_row(&mut self) {
        self.rows = self.rows.saturating_sub(1);
        self.cell_ended = false;
        self.end();
    }

    /// A place to come back to with [`Prose::since`].
    pub(super) fn mark(&self) -> (usize, usize) {
        (self.out.len(), self.line.len())
    }

    /// What was written since the mark, as one line.
    pub(super) fn since(&self, (out, line): (usize, usize)) -> String {
        let written = self.out.get(out..).unwrap_or("");
        let line = if written.is_empty() { self.line.get(line..).unwrap_or("") } else { self.line.as_str() };
        format!("{} {line}", written.replace('\n', " ")).trim().to_owned()
    }

    /// All paragraphs.
    pub(super) fn finish(mut self) -> String {
        self.rows = 0;
        self.label_only = false;
        self.end();
        self.out.truncate(self.out.trim_end().len());
        self.out
    }
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\n' | '\t' | '\r')
}
