//! Puts the kept blocks together as text again: lines for paragraphs, list items, headings and code, cells of a row on one line.

use super::clean::{clean_into, nfc};
use super::tag::Tag;
use super::tree::{Block, Page};
use super::wanted::is_plain_cell;

/// The form of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A paragraph a line; list items begin with `- `, the cells of a table's row are parted by tabs.
    #[default]
    Text,
    /// Markdown: blank lines between paragraphs, headings, lists, quotes, tables and code marked as such.
    Markdown,
}

/// Where a block stands, as far as its rendering depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    /// The nearest row of a table, if its cells may share a line.
    row: Option<u32>,
    cell: u32,
    item: Option<u32>,
    /// Lists around it.
    lists: usize,
    numbered: bool,
    heading: u8,
    quoted: bool,
    code: Option<u32>,
}

/// The text of the blocks of `page` for which `keep` holds.
pub(super) fn render(page: &Page, keep: &[bool], format: Format) -> String {
    let mut out = String::with_capacity(page.text.len() / 2);
    let mut writer = Writer { page, format, out: &mut out, before: None, piece: String::new() };
    for (block, _) in page.blocks.iter().zip(keep).filter(|(_, keep)| **keep) {
        writer.block(block);
    }
    writer.close_code();
    nfc(out)
}

struct Writer<'a> {
    page: &'a Page,
    format: Format,
    out: &'a mut String,
    before: Option<Place>,
    piece: String,
}

impl Writer<'_> {
    fn block(&mut self, block: &Block) {
        self.piece.clear();
        self.clean(block);
        let text = std::mem::take(&mut self.piece);
        let trimmed = if block.verbatim { text.trim_matches('\n').trim_end() } else { text.trim() };
        if !trimmed.is_empty() {
            let place = self.place(block);
            match self.format {
                Format::Text => self.plain(trimmed, place),
                Format::Markdown => self.markdown(trimmed, place),
            }
            self.before = Some(place);
        }
        self.piece = text;
    }

    /// The block's text, with the addresses of its links if they were asked for.
    fn clean(&mut self, block: &Block) {
        let (mut from, end) = (block.start as usize, block.end as usize);
        let anchors = &self.page.anchors;
        let first = anchors.partition_point(|anchor| (anchor.start as usize) < from);
        for anchor in anchors[first..].iter().take_while(|anchor| (anchor.end as usize) <= end) {
            let label = &self.page.text[anchor.start as usize..anchor.end as usize];
            let words = label.trim();
            let begin = anchor.start as usize + label.len() - label.trim_start().len();
            clean_into(&self.page.text[from..begin], block.verbatim, &mut self.piece);
            self.piece.push('[');
            clean_into(words, block.verbatim, &mut self.piece);
            self.piece.push_str("](");
            clean_into(&anchor.address, false, &mut self.piece);
            self.piece.push(')');
            from = begin + words.len();
        }
        clean_into(&self.page.text[from..end.max(from)], block.verbatim, &mut self.piece);
    }

    fn place(&self, block: &Block) -> Place {
        let mut place = Place::default();
        let mut cell = None;
        for (at, node) in self.page.around(block) {
            match node.tag {
                Tag::Td | Tag::Th if cell.is_none() => {
                    cell = Some(at);
                    place.cell = at;
                    // A cell with several blocks is layout: its blocks keep their own lines.
                    let row = &self.page.nodes[node.parent as usize];
                    let plain = row.tag == Tag::Tr
                        && self.page.blocks[row.first_block as usize..row.end_block as usize]
                            .iter()
                            .all(|other| is_plain_cell(self.page, other));
                    place.row = plain.then_some(node.parent);
                }
                Tag::Li | Tag::Dd if place.item.is_none() => place.item = Some(at),
                Tag::Ul => place.lists += 1,
                Tag::Ol => {
                    place.numbered |= place.lists == 0;
                    place.lists += 1;
                }
                Tag::Blockquote => place.quoted = true,
                Tag::Pre => place.code = Some(at),
                tag => place.heading = place.heading.max(tag.heading().unwrap_or(0)),
            }
        }
        place
    }

    fn plain(&mut self, text: &str, place: Place) {
        let before = self.before;
        if before.is_some_and(|before| before.row.is_some() && before.row == place.row) {
            self.out.push(if before.map(|before| before.cell) == Some(place.cell) { ' ' } else { '\t' });
        } else {
            self.line();
            let opens_item = place.item.is_some() && before.and_then(|before| before.item) != place.item;
            if opens_item && place.lists > 0 {
                self.out.push_str("- ");
            }
        }
        self.out.push_str(text);
    }

    fn line(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn markdown(&mut self, text: &str, place: Place) {
        let before = self.before.unwrap_or_default();
        if self.before.is_some_and(|before| before.code.is_some() && before.code != place.code) {
            self.close_code();
        }
        let same_row = place.row.is_some() && before.row == place.row;
        if same_row {
            self.out.push_str(" | ");
            self.out.push_str(&text.replace('\n', " "));
            return;
        }
        let tight =
            (place.item.is_some() && before.item.is_some() && place.code.is_none()) || (place.row.is_some() && before.row.is_some());
        self.line();
        if self.before.is_some() && !tight && !(place.code.is_some() && place.code == before.code) {
            self.line();
        }
        if let Some(code) = place.code {
            if before.code != Some(code) {
                self.out.push_str("```\n");
            }
            self.out.push_str(text);
            return;
        }
        let mut prefix = String::new();
        if place.quoted {
            prefix.push_str("> ");
        }
        if let Some(item) = place.item {
            prefix.push_str(&"  ".repeat(place.lists.saturating_sub(1).min(8)));
            prefix.push_str(match (before.item == Some(item), place.numbered) {
                (true, _) => "  ",
                (false, true) => "1. ",
                (false, false) => "- ",
            });
        }
        if place.heading > 0 {
            prefix.push_str(&"#".repeat(place.heading.into()));
            prefix.push(' ');
        }
        self.out.push_str(&prefix);
        let joint = if place.heading > 0 {
            " ".to_owned()
        } else {
            format!("\n{}", if place.quoted { "> " } else { &"  "[..2 * usize::from(place.item.is_some())] })
        };
        self.out.push_str(&text.replace('\n', &joint));
    }

    fn close_code(&mut self) {
        if self.format == Format::Markdown && self.before.is_some_and(|before| before.code.is_some()) {
            self.out.push_str("\n```");
            self.before = Some(Place::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::builder::{Limits, build};
    use super::*;

    fn check(html: &str, format: Format, expected: &str) {
        let page = build(html, Limits { links: false, nodes_max: 1000, depth_max: 512 }).unwrap();
        assert_eq!(render(&page, &vec![true; page.blocks.len()], format), expected);
    }

    const TABLE: &str = "<table><tr><th>Miestas<th>Gyventojai<tr><td>Vilnius<td>600&nbsp;000</table><p>Taip.</p>";
    const LIST: &str = "<p>Reikia:</p><ul><li>miltų<li><p>pieno</p><p>arba vandens</p></ul>";

    #[test]
    fn cells_of_a_row_share_a_line() {
        check(TABLE, Format::Text, "Miestas\tGyventojai\nVilnius\t600 000\nTaip.");
        check(TABLE, Format::Markdown, "Miestas | Gyventojai\nVilnius | 600 000\n\nTaip.");
    }

    #[test]
    fn a_layout_table_keeps_its_paragraphs_apart() {
        check("<table><tr><td><p>Viens</p><p>Divi</p><td>Trīs</table>", Format::Text, "Viens\nDivi\nTrīs");
    }

    #[test]
    fn list_items_are_lines() {
        check(LIST, Format::Text, "Reikia:\n- miltų\n- pieno\narba vandens");
        check(LIST, Format::Markdown, "Reikia:\n\n- miltų\n- pieno\n  arba vandens");
        check("<ol><li>unu</ol>", Format::Markdown, "1. unu");
    }

    #[test]
    fn code_keeps_its_white_space() {
        check("<p>Kods:</p><pre>\nfn a() {\n    b();\n}\n</pre><p>x</p>", Format::Text, "Kods:\nfn a() {\n    b();\n}\nx");
        check("<pre>a\n  b</pre><p>x</p>", Format::Markdown, "```\na\n  b\n```\n\nx");
    }

    #[test]
    fn headings_and_quotes_are_marked_in_markdown_only() {
        let html = "<h2>Sodas</h2><blockquote>Lijo.<br>Labai.</blockquote>";
        check(html, Format::Text, "Sodas\nLijo.\nLabai.");
        check(html, Format::Markdown, "## Sodas\n\n> Lijo.\n> Labai.");
    }
}
