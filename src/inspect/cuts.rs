//! What of a page is in its text, and what was left out of it: the lines of the whole page in their order, each kept or cut, and between
//! them those lines of the text that the page does not have, as where a name was masked.
//!
//! It compares what is stored with what the archive has, and does not extract again: so it shows what all stages cut together, and what an
//! older version of them cut. Lines are alike if their letters and digits are, for marks of lists and tables are added. The comparison is
//! a histogram diff (that of git, by crate imara-diff), which stays near linear on pages that repeat a line thousands of times.

use imara_diff::{Algorithm, Diff, InternedInput};

use crate::doc::Document;
use crate::stages::extract::whole_text;

/// A line of a page or of its text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// What became of it.
    pub is: Is,
    /// The line itself.
    pub line: String,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Is {
    /// It stands on the page and in the text.
    Kept,
    /// It stands on the page only.
    Cut,
    /// It stands in the text only: a stage wrote it.
    Written,
}

/// The lines of `page`, as an archive has it, beside those of `text`, which was made of it. `None` where the page has too many elements to
/// be read.
#[must_use]
pub fn cuts(page: &Document, text: &str) -> Option<Vec<Line>> {
    let whole = if page.html.is_empty() { page.text.clone() } else { whole_text(&page.html)? };
    Some(beside(&whole, text))
}

fn beside(page: &str, text: &str) -> Vec<Line> {
    let (page, text) = (lines(page), lines(text));
    let mut input = InternedInput::default();
    input.update_before(page.iter().map(|line| letters(line)));
    input.update_after(text.iter().map(|line| letters(line)));
    let diff = Diff::compute(Algorithm::Histogram, &input);
    let mut found = Vec::with_capacity(page.len());
    let mut written = text.iter().enumerate().map(|(at, line)| (diff.is_added(at as u32), *line)).peekable();
    let mut take_written = |found: &mut Vec<Line>| {
        while let Some((_, line)) = written.next_if(|(is_added, _)| *is_added) {
            found.push(Line { is: Is::Written, line: line.to_owned() });
        }
        written.next().map(|(_, line)| line)
    };
    for (at, line) in page.iter().enumerate() {
        if diff.is_removed(at as u32) {
            found.push(Line { is: Is::Cut, line: (*line).to_owned() });
        } else if let Some(kept) = take_written(&mut found) {
            found.push(Line { is: Is::Kept, line: kept.to_owned() });
        }
    }
    take_written(&mut found);
    found
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.trim().is_empty()).collect()
}

/// What a line is told apart by.
fn letters(line: &str) -> String {
    let letters: String = line.chars().filter(|sign| sign.is_alphanumeric()).collect();
    if letters.is_empty() { line.trim().to_owned() } else { letters }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(page: &str, text: &str) -> Vec<(Is, String)> {
        let page = Document { html: page.to_owned(), ..Document::default() };
        cuts(&page, text).expect("a small page").into_iter().map(|line| (line.is, line.line)).collect()
    }

    fn line(is: Is, line: &str) -> (Is, String) {
        (is, line.to_owned())
    }

    #[test]
    fn lines_of_the_page_are_kept_or_cut_in_its_order() {
        let page = "<nav>Etusivu</nav><h1>Lukusali</h1><p>Sali avataan.</p><p>Etusivu</p><ul><li>kirja</ul><footer>Yhteystiedot</footer>";
        assert_eq!(
            told(page, "Lukusali\nSali avataan.\n- kirja"),
            [
                line(Is::Cut, "Etusivu"),
                line(Is::Kept, "Lukusali"),
                line(Is::Kept, "Sali avataan."),
                line(Is::Cut, "Etusivu"),
                line(Is::Kept, "- kirja"),
                line(Is::Cut, "Yhteystiedot"),
            ]
        );
    }

    #[test]
    fn what_a_stage_wrote_stands_where_the_page_has_something_else() {
        let told = told("<p>Kirjoita: aino@example.fi</p><p>Kiitos.</p>", "Kirjoita: <email>\nKiitos.\nLoppu");
        assert_eq!(
            told,
            [
                line(Is::Cut, "Kirjoita: aino@example.fi"),
                line(Is::Written, "Kirjoita: <email>"),
                line(Is::Kept, "Kiitos."),
                line(Is::Written, "Loppu"),
            ]
        );
    }

    #[test]
    fn every_line_of_the_text_is_told_once_and_in_order() {
        let text = "b\na\nb\nc";
        for page in ["", "<p>a<p>b<p>c<p>a", "<p>b<p>a<p>b<p>c", "<p>x"] {
            let told = told(page, text);
            let of_text: Vec<&str> = told.iter().filter(|(is, _)| *is != Is::Cut).map(|(_, line)| line.as_str()).collect();
            assert_eq!(of_text.join("\n"), text, "{page}");
        }
    }

    #[test]
    fn a_page_that_repeats_one_line_is_no_trouble() {
        let page = format!("<p>alku</p>{}<p>loppu</p>", "<p>sama</p>".repeat(60_000));
        let told = told(&page, &format!("alku\n{}loppu", "sama\n".repeat(30_000)));
        assert_eq!(told.iter().filter(|(is, _)| *is == Is::Cut).count(), 30_000);
    }
}
