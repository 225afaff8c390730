//! A report as data: headings, fields, lists and tables, written as Markdown, HTML or JSON. What is written in one form is in all three.

use maud::{DOCTYPE, PreEscaped, html};
use serde::Serialize;

use crate::report::STYLE;

/// What stands where nobody said anything.
pub const OPEN: &str = "[to be filled in]";

/// A report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Page {
    /// Title.
    pub title: String,
    /// What it is, and what it rests on.
    pub about: String,
    /// Its sections.
    pub sections: Vec<Section>,
}

/// A section.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Section {
    /// Number and title, as in `1.1 Provider`.
    pub title: String,
    /// Fields in order.
    pub fields: Vec<Field>,
    /// A table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<Table>,
    /// A chart as SVG; not in JSON and Markdown, where the table says the same.
    #[serde(skip)]
    pub chart: String,
}

/// A field.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Field {
    /// What is asked.
    pub name: String,
    /// What is answered; [`OPEN`] where it is not.
    pub value: String,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Table {
    /// Heads of its columns.
    pub heads: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
}

impl Section {
    /// A section without anything.
    #[must_use]
    pub fn new(title: &str) -> Section {
        Section { title: title.to_owned(), ..Section::default() }
    }

    /// With a field; an empty value is an open one.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<String>) -> Section {
        let value = Some(value.into()).filter(|value: &String| !value.trim().is_empty()).unwrap_or_else(|| OPEN.to_owned());
        self.fields.push(Field { name: name.to_owned(), value });
        self
    }

    /// With a table, unless it has no rows.
    #[must_use]
    pub fn table(mut self, heads: &[&str], rows: Vec<Vec<String>>) -> Section {
        let heads = heads.iter().map(|head| (*head).to_owned()).collect();
        self.table = Some(Table { heads, rows }).filter(|table| !table.rows.is_empty());
        self
    }

    /// With a chart.
    #[must_use]
    pub fn chart(mut self, svg: String) -> Section {
        self.chart = svg;
        self
    }
}

impl Page {
    /// Fields that are still open.
    #[must_use]
    pub fn open_fields(&self) -> Vec<&str> {
        let fields = self.sections.iter().flat_map(|section| &section.fields);
        fields.filter(|field| field.value == OPEN).map(|field| field.name.as_str()).collect()
    }

    /// As Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n{}\n", inline(&self.title), inline(&self.about));
        for section in &self.sections {
            text += &format!("\n## {}\n\n", inline(&section.title));
            for field in &section.fields {
                text += &format!("- **{}**: {}\n", inline(&field.name), inline(&field.value));
            }
            if let Some(table) = &section.table {
                let row = |cells: &[String]| {
                    format!("| {} |\n", cells.iter().map(|cell| inline(cell).replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
                };
                text += &format!("\n{}|{}\n", row(&table.heads), "---|".repeat(table.heads.len()));
                table.rows.iter().for_each(|cells| text += &row(cells));
            }
        }
        text
    }

    /// As an HTML page that needs nothing beside it.
    #[must_use]
    pub fn html(&self) -> String {
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body { main {
                    h1 { (self.title) }
                    p.note { (self.about) }
                    @for section in &self.sections {
                        section {
                            h2 { (section.title) }
                            @if !section.fields.is_empty() {
                                table { tbody { @for field in &section.fields { tr { th { (field.name) } td { (field.value) } } } } }
                            }
                            (PreEscaped(&section.chart))
                            @if let Some(table) = &section.table {
                                table {
                                    thead { tr { @for (at, head) in table.heads.iter().enumerate() { th.n[at > 0] { (head) } } } }
                                    tbody { @for row in &table.rows { tr { @for (at, cell) in row.iter().enumerate() { td.n[at > 0] { (cell) } } } } }
                                }
                            }
                        }
                    }
                } }
            }
        };
        markup.into_string()
    }
}

/// Text for one line of Markdown: without line ends, and with nothing that a reader would take for markup.
fn inline(text: &str) -> String {
    let safe = |sign: char| match sign {
        sign if sign.is_control() => " ".to_owned(),
        '<' => "&lt;".to_owned(),
        '&' => "&amp;".to_owned(),
        '[' | ']' | '*' | '`' | '_' => format!("\\{sign}"),
        sign => sign.to_string(),
    };
    text.chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_say_the_same_and_nobody_can_slip_in_markup() {
        let section = Section::new("1 <b>").field("name", "a|b\n# c").field("open", " ").table(&["x"], vec![vec!["<script>|".to_owned()]]);
        let page = Page { title: "t".to_owned(), about: String::new(), sections: vec![section] };
        assert_eq!(page.open_fields(), ["open"]);
        let (markdown, html) = (page.markdown(), page.html());
        assert!(
            markdown.contains("- **name**: a|b # c\n- **open**: \\[to be filled in\\]\n\n| x |\n|---|\n| &lt;script>\\| |\n"),
            "{markdown}"
        );
        assert!(!html.contains("<script>") && html.contains("&lt;script&gt;|"), "{html}");
    }
}
