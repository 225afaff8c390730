//! Features of the blocks before and behind: boilerplate comes in runs, and so does content (boilerpipe's features of the previous and
//! next block, Kohlschütter and others 2010).

use super::columns::{Columns, count, ratio, share};
use super::own::Own;
use super::sums::{Counted, Sum};

const OFFSETS: [(isize, &str); 6] = [(-3, "-3"), (-2, "-2"), (-1, "-1"), (1, "+1"), (2, "+2"), (3, "+3")];
const WINDOWS: [(usize, &str, &str); 3] = [(4, "4 before", "4 behind"), (10, "10 before", "10 behind"), (30, "30 before", "30 behind")];

pub(super) fn push(columns: &mut Columns, counted: &Counted<'_>, own: &Own) {
    for (offset, name) in OFFSETS {
        columns.push_shifted(("words at", name), own.words, offset);
        columns.push_shifted(("link density at", name), own.link_density, offset);
        columns.push_shifted(("kind at", name), own.kind, offset);
        if offset.abs() == 1 {
            columns.push_shifted(("ending at", name), own.ending, offset);
        }
    }
    let rows = counted.measures.len();
    for (size, before, behind) in WINDOWS {
        let sums: Vec<Sum> = (0..rows).map(|row| counted.between(row.saturating_sub(size), row)).collect();
        window(columns, before, &sums);
        let sums: Vec<Sum> = (0..rows).map(|row| counted.between(row + 1, row + 1 + size)).collect();
        window(columns, behind, &sums);
    }
    relations(columns, counted);
    of_sections(columns, counted);
}

fn window(columns: &mut Columns, name: &'static str, sums: &[Sum]) {
    columns.push(("window words", name), sums.iter().map(|sum| count(sum.words)));
    columns.push(("window link density", name), sums.iter().map(|sum| share(sum.link_words, sum.words)));
    columns.push(("window prose", name), sums.iter().map(|sum| share(sum.prose, sum.words)));
}

/// How the elements of neighbouring blocks are related.
fn relations(columns: &mut Columns, counted: &Counted<'_>) {
    let page = counted.page;
    let rows = page.blocks.len();
    let relation = |row: usize, other: Option<usize>| {
        let Some(other) = other.filter(|other| *other < rows) else { return 0 };
        let (one, two) = (&page.nodes[page.blocks[row].node as usize], &page.nodes[page.blocks[other].node as usize]);
        match () {
            () if page.blocks[row].node == page.blocks[other].node => 4,
            () if one.parent == two.parent && one.names == two.names => 3,
            () if one.parent == two.parent => 2,
            () if page.nodes[one.parent as usize].parent == page.nodes[two.parent as usize].parent => 1,
            () => 0,
        }
    };
    columns.push(("relation", "before"), (0..rows).map(|row| relation(row, row.checked_sub(1))));
    columns.push(("relation", "behind"), (0..rows).map(|row| relation(row, Some(row + 1))));
    columns.push(("prose", "rows since"), since(rows, |row| counted.measures[row].is_prose()).into_iter());
    let mut until = since(rows, |row| counted.measures[rows - 1 - row].is_prose());
    until.reverse();
    columns.push(("prose", "rows until"), until.into_iter());
}

/// How many rows ago there was one for which `is` holds, itself left out.
pub(super) fn since(rows: usize, is: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut last = None;
    (0..rows)
        .map(|row| {
            let found = last.map_or(255, |last: usize| count((row - last) as u32));
            if is(row) {
                last = Some(row);
            }
            found
        })
        .collect()
}

/// For each block the part of the page under the nearest heading before: where that begins and ends.
pub(super) fn sections(counted: &Counted<'_>) -> Vec<(usize, usize)> {
    let rows = counted.page.blocks.len();
    let mut sections = vec![(0, rows); rows];
    for row in 1..rows {
        sections[row].0 = if level(counted, row) > 0 { row } else { sections[row - 1].0 };
    }
    for row in (0..rows.saturating_sub(1)).rev() {
        sections[row].1 = if level(counted, row + 1) > 0 { row + 1 } else { sections[row + 1].1 };
    }
    sections
}

/// The level of a heading, 0 of anything else.
fn level(counted: &Counted<'_>, row: usize) -> u8 {
    counted.page.nodes[counted.page.blocks[row].node as usize].tag.heading().unwrap_or(0)
}

fn of_sections(columns: &mut Columns, counted: &Counted<'_>) {
    let rows = counted.page.blocks.len();
    let sections = sections(counted);
    let first = (0..rows).find(|row| level(counted, *row) == 1).unwrap_or(0);
    columns.push(("section", "heading"), sections.iter().map(|(begin, _)| level(counted, *begin)));
    columns.push(("section", "rows since"), sections.iter().zip(0..).map(|((begin, _), row)| count((row - begin) as u32)));
    columns.push(("section", "rows until"), sections.iter().zip(0..).map(|((_, end), row)| count((end - row) as u32)));
    let sums: Vec<Sum> = sections.iter().map(|(begin, end)| counted.between(*begin, *end)).collect();
    columns.push(("section", "words"), sums.iter().map(|sum| count(sum.words)));
    columns.push(("section", "link density"), sums.iter().map(|sum| share(sum.link_words, sum.words)));
    columns.push(("section", "words a block"), sums.iter().map(|sum| ratio(sum.words, sum.blocks)));
    columns.push(("section", "rows since first"), (0..rows).map(|row| if row < first { 0 } else { count(1 + (row - first) as u32) }));
}
