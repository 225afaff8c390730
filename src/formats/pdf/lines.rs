//! From pieces of text with their places to lines, and from lines to paragraphs without running heads and page numbers.

use std::collections::HashMap;

use super::super::ocr;
use super::show::Run;

/// A gap of this part of the font's size is a space between words; the space of common fonts is a quarter.
const SPACE: f64 = 0.15;
/// Pieces whose base lines are nearer than this part of the size stand in one line.
const SAME_LINE: f64 = 0.4;
/// Lines farther apart than this many sizes are of different paragraphs, unless all lines of the page are.
const PARAGRAPH: f64 = 1.25;
/// A line that stands on so many pages at the same place is no text.
const REPEATED_MIN: usize = 3;

/// A line of a page.
pub(super) struct Line {
    x: f64,
    y: f64,
    x_end: f64,
    size: f64,
    text: String,
}

/// The lines of one page.
pub(super) fn of(runs: Vec<Run>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for run in runs {
        let size = run.size.max(0.1);
        match lines.last_mut() {
            Some(line) if (line.y - run.y).abs() < SAME_LINE * size && run.x > line.x_end - size => {
                if run.x - line.x_end > SPACE * size && !line.text.ends_with(' ') && !run.text.starts_with(' ') {
                    line.text.push(' ');
                }
                line.text.push_str(&run.text);
                line.x_end = run.x_end;
            }
            _ => lines.push(Line { x: run.x, y: run.y, x_end: run.x_end, size, text: run.text }),
        }
    }
    for line in &mut lines {
        line.text = line.text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    lines.retain(|line| !line.text.is_empty());
    lines
}

/// The text of all pages.
pub(super) fn text(mut pages: Vec<Vec<Line>>) -> String {
    drop_repeated(&mut pages);
    let mut paragraphs: Vec<Vec<String>> = Vec::new();
    for page in pages {
        let usual = usual_distance(&page);
        let mut before: Option<Line> = None;
        for line in page {
            let goes_on = match &before {
                Some(before) => is_next(before, &line, usual),
                // A paragraph goes on behind the page's end if its sentence does.
                None => {
                    paragraphs
                        .last()
                        .and_then(|lines| lines.last())
                        .is_some_and(|last| !last.ends_with(['.', '!', '?', ':', '»', '”', '"']))
                        && line.text.starts_with(char::is_lowercase)
                }
            };
            match paragraphs.last_mut().filter(|_| goes_on) {
                Some(paragraph) => paragraph.push(line.text.clone()),
                None => paragraphs.push(vec![line.text.clone()]),
            }
            before = Some(line);
        }
    }
    let joined = |lines: Vec<String>| ocr::joined(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    paragraphs.into_iter().map(joined).collect::<Vec<_>>().join("\n")
}

/// Whether `line` is the next one of the paragraph that `before` is in.
fn is_next(before: &Line, line: &Line, usual: f64) -> bool {
    let distance = before.y - line.y;
    let is_indented = line.x > before.x + line.size && line.x < before.x + 4.0 * line.size;
    let same_size = (before.size - line.size).abs() < 0.1 * line.size;
    distance > 0.0 && distance <= usual * PARAGRAPH && same_size && !is_indented
}

/// The distance between lines that is most common on a page, in steps of half a point.
fn usual_distance(page: &[Line]) -> f64 {
    let mut counts: HashMap<i64, usize> = HashMap::new();
    for pair in page.windows(2) {
        let distance = pair[0].y - pair[1].y;
        if distance > 0.0 && distance < 4.0 * pair[1].size {
            *counts.entry((distance * 2.0).round() as i64).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(distance, count)| (*count, -distance));
    most.map_or(0.0, |(distance, _)| distance as f64 / 2.0 + 0.25)
}

/// Drops first and last lines that stand on several pages at the same height, numbers counted as equal.
fn drop_repeated(pages: &mut [Vec<Line>]) {
    let key = |line: &Line| {
        (
            line.y.round() as i64,
            line.text
                .chars()
                .map(|sign| if sign.is_numeric() { '#' } else { sign })
                .collect::<String>()
                .replace("##", "#")
                .replace("##", "#"),
        )
    };
    let mut counts: HashMap<(i64, String), usize> = HashMap::new();
    let edges = |page: &[Line]| page.first().into_iter().chain(page.last().filter(|_| page.len() > 1)).map(key).collect::<Vec<_>>();
    for edge in pages.iter().flat_map(|page| edges(page)) {
        *counts.entry(edge).or_default() += 1;
    }
    for page in pages.iter_mut().filter(|page| !page.is_empty()) {
        let is_repeated = |line: &Line| counts.get(&key(line)).is_some_and(|count| *count >= REPEATED_MIN);
        if page.last().is_some_and(is_repeated) {
            page.pop();
        }
        if page.first().is_some_and(is_repeated) {
            page.remove(0);
        }
    }
}
