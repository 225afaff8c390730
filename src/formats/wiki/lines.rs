//! The second pass: what the beginning of a line decides. Headings without anything below them vanish, as those of sections do that held
//! only references, so no list of their names in forty languages is needed.

/// Tables inside each other that are told apart.
const TABLES_MAX: usize = 16;
/// Attributes in front of a cell's text are no longer than this.
const ATTRIBUTES_BYTES_MAX: usize = 300;

#[derive(Default)]
struct Builder {
    out: String,
    /// The paragraph that is being collected.
    paragraph: String,
    /// Headings that wait for text below them, with their levels.
    headings: Vec<(usize, String)>,
    /// The cells of the open row of each open table.
    tables: Vec<Vec<String>>,
    keep_tables: bool,
    /// Tables beyond the limit, which are only counted.
    beyond: usize,
}

/// Makes paragraphs, headings, items and rows of the lines of `text`.
pub(super) fn build(text: &str, keep_tables: bool) -> String {
    let mut builder = Builder { keep_tables, ..Builder::default() };
    builder.out.reserve(text.len());
    for line in text.split('\n') {
        builder.line(line.trim());
    }
    while !builder.tables.is_empty() {
        builder.end_table();
    }
    builder.end_paragraph();
    builder.out.truncate(builder.out.trim_end().len());
    builder.out
}

impl Builder {
    fn line(&mut self, line: &str) {
        if line.starts_with("{|") {
            self.end_paragraph();
            if self.tables.len() < TABLES_MAX { self.tables.push(Vec::new()) } else { self.beyond += 1 }
        } else if self.tables.is_empty() {
            self.line_of_text(line);
        } else {
            self.line_of_table(line);
        }
    }

    fn line_of_text(&mut self, line: &str) {
        if line.is_empty() || line.starts_with("----") {
            return self.end_paragraph();
        }
        if let Some((level, heading)) = heading(line) {
            self.end_paragraph();
            self.headings.retain(|(above, _)| *above < level);
            let mut tidied = String::new();
            tidy(heading, &mut tidied);
            return self.headings.push((level, tidied));
        }
        let text = line.trim_start_matches(['*', '#', ':', ';']);
        let marks = line.len() - text.len();
        if marks == 0 {
            if !self.paragraph.is_empty() {
                self.paragraph.push(' ');
            }
            return self.paragraph.push_str(line);
        }
        self.end_paragraph();
        let text = text.trim();
        if !text.is_empty() {
            if matches!(line.as_bytes()[marks - 1], b'*' | b'#') {
                self.paragraph.push_str("- ");
            }
            self.paragraph.push_str(text);
            self.end_paragraph();
        }
    }

    fn line_of_table(&mut self, line: &str) {
        if line.starts_with("|}") {
            if self.beyond > 0 { self.beyond -= 1 } else { self.end_table() }
        } else if self.beyond > 0 {
        } else if line.starts_with("|-") {
            self.end_row();
        } else if let Some(caption) = line.strip_prefix("|+") {
            self.end_row();
            self.cell(without_attributes(caption));
            self.end_row();
        } else if let Some(cells) = line.strip_prefix('|') {
            cells.split("||").for_each(|cell| self.cell(without_attributes(cell)));
        } else if let Some(cells) = line.strip_prefix('!') {
            cells.split("!!").flat_map(|cells| cells.split("||")).for_each(|cell| self.cell(without_attributes(cell)));
        } else if let Some(cell) = self.tables.last_mut().and_then(|cells| cells.last_mut()) {
            cell.push(' ');
            cell.push_str(line.trim_start_matches(['*', '#', ':', ';']).trim());
        }
    }

    fn cell(&mut self, text: &str) {
        if let Some(cells) = self.tables.last_mut() {
            cells.push(text.trim().to_owned());
        }
    }

    fn end_row(&mut self) {
        let Some(cells) = self.tables.last_mut() else { return };
        let cells = std::mem::take(cells);
        if !self.keep_tables {
            return;
        }
        let mut row = String::new();
        for cell in cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()) {
            if !row.is_empty() {
                row.push_str(" | ");
            }
            row.push_str(cell);
        }
        self.end_paragraph();
        self.paragraph = row;
        self.end_paragraph();
    }

    fn end_table(&mut self) {
        self.end_row();
        self.tables.pop();
    }

    /// Writes the paragraph, if it says anything, below the headings that wait for it.
    fn end_paragraph(&mut self) {
        let mut tidied = String::with_capacity(self.paragraph.len());
        tidy(&self.paragraph, &mut tidied);
        self.paragraph.clear();
        if !tidied.chars().any(char::is_alphanumeric) {
            return;
        }
        for (_, heading) in self.headings.drain(..).filter(|(_, heading)| !heading.is_empty()) {
            self.out.push_str(&heading);
            self.out.push('\n');
        }
        self.out.push_str(&tidied);
        self.out.push('\n');
    }
}

/// The level of a heading and its words.
fn heading(line: &str) -> Option<(usize, &str)> {
    let signs = |text: &mut dyn Iterator<Item = u8>| text.take_while(|byte| *byte == b'=').count();
    let level = signs(&mut line.bytes()).min(signs(&mut line.bytes().rev())).min(6);
    let words = line.get(level..line.len().checked_sub(level)?).filter(|_| level > 0)?.trim();
    (!words.is_empty()).then_some((level, words))
}

/// A cell without the attributes in front of it: `style="x" | text`.
fn without_attributes(cell: &str) -> &str {
    match cell.split_once('|') {
        Some((attributes, text))
            if attributes.len() <= ATTRIBUTES_BYTES_MAX && (attributes.contains('=') || attributes.trim().is_empty()) =>
        {
            text
        }
        _ => cell,
    }
}

/// One space between words; without the empty brackets and the lone commas that vanished templates leave.
fn tidy(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let mut space = false;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let mut end = at + 1;
        match byte {
            b' ' | b'\t' | b'\r' => {
                space = true;
                at += 1;
                continue;
            }
            0xc2 if bytes[at + 1] == 0xa0 => {
                space = true;
                at += 2;
                continue;
            }
            b'(' => {
                let taken = behind_bracket(bytes, at);
                if bytes[at + taken - 1] == b')' {
                    at += taken;
                    continue;
                }
                push(out, &mut space, "(");
                at += taken;
                continue;
            }
            b')' => {
                out.truncate(out.trim_end_matches([',', ';', ' ']).len());
                space = false;
            }
            // A comma behind a template that is gone stands alone.
            b',' | b'.' if bytes.get(end).is_none_or(|byte| *byte == b' ') => space = false,
            _ => {
                end +=
                    bytes[end..].iter().take_while(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | 0xc2 | b'(' | b')' | b',' | b'.')).count()
            }
        }
        push(out, &mut space, &text[at..end]);
        at = end;
    }
}

fn push(out: &mut String, space: &mut bool, text: &str) {
    if std::mem::take(space) && !out.is_empty() {
        out.push(' ');
    }
    out.push_str(text);
}

/// How many bytes an opening bracket takes with what makes no sense behind it; with its partner, where nothing else is inside.
fn behind_bracket(bytes: &[u8], at: usize) -> usize {
    let lone = bytes[at + 1..].iter().take_while(|byte| matches!(byte, b' ' | b',' | b';')).count();
    1 + lone + usize::from(bytes.get(at + 1 + lone) == Some(&b')'))
}
