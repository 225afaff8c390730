//! Features of a block by itself: its text, its place, its innermost elements.

use super::super::measure::Measure;
use super::super::tag::Tag;
use super::super::tree::Page;
use super::columns::{Column, Columns, count, ratio, share};
use super::sums::Counted;

/// The columns that are also asked of the neighbours.
pub(super) struct Own {
    pub(super) words: Column,
    pub(super) link_density: Column,
    pub(super) kind: Column,
    pub(super) ending: Column,
}

pub(super) fn push(columns: &mut Columns, counted: &Counted<'_>) -> Own {
    let page = counted.page;
    let own = Own {
        words: of_measure(columns, counted, "words", |m| count(m.words)),
        link_density: of_measure(columns, counted, "link density", |m| share(m.link_words, m.words)),
        kind: columns.push(("own", "kind"), page.blocks.iter().map(|block| kind(page.nodes[block.node as usize].tag))),
        ending: of_measure(columns, counted, "ending", |m| m.ending),
    };
    of_measure(columns, counted, "bytes a word", |m| ratio(m.bytes, m.words));
    of_measure(columns, counted, "stops", |m| count(m.stops));
    of_measure(columns, counted, "words a stop", |m| count(m.words / (m.stops + 1)));
    of_measure(columns, counted, "commas", |m| count(m.commas));
    of_measure(columns, counted, "digits", |m| share(m.digits, m.bytes));
    of_measure(columns, counted, "capitals", |m| share(m.capitals, m.words));
    of_measure(columns, counted, "separators", |m| count(m.separators));
    of_measure(columns, counted, "currencies", |m| count(m.currencies));
    of_measure(columns, counted, "colons", |m| count(m.colons));
    of_measure(columns, counted, "questions", |m| count(m.questions));
    of_measure(columns, counted, "brackets", |m| count(m.brackets));
    of_measure(columns, counted, "lines", |m| count(m.lines));
    of_measure(columns, counted, "beginning", |m| m.beginning);
    of_measure(columns, counted, "copyright", |m| u8::from(m.copyright) + 2 * u8::from(m.at_sign));
    let blocks = || page.blocks.iter();
    columns.push(("own", "links"), blocks().map(|block| count(block.links.into())));
    columns.push(("own", "pictures"), blocks().map(|block| count(block.pictures.into())));
    columns.push(("own", "depth"), blocks().map(|block| count(page.nodes[block.node as usize].depth.into())));
    columns.push(("own", "verbatim"), blocks().map(|block| u8::from(block.verbatim)));
    columns.push(("own", "emphasis"), blocks().map(|block| share(block.emphasis_bytes, block.end - block.start)));
    columns.push(("own", "in title"), blocks().zip(&counted.measures).map(|(block, measure)| in_title(page, page.text_of(block), measure)));
    places(columns, counted);
    own
}

fn of_measure(columns: &mut Columns, counted: &Counted<'_>, name: &'static str, value: impl Fn(&Measure) -> u8) -> Column {
    columns.push(("own", name), counted.measures.iter().map(value))
}

/// Where in the page the block stands.
fn places(columns: &mut Columns, counted: &Counted<'_>) {
    let all = counted.all();
    let rows = counted.measures.len();
    let before = |row: usize| counted.between(0, row);
    columns.push(("place", "row"), (0..rows).map(|row| share(row as u32, all.blocks)));
    columns.push(("place", "rows before"), (0..rows).map(|row| count(row as u32)));
    columns.push(("place", "rows after"), (0..rows).map(|row| count(all.blocks - row as u32 - 1)));
    columns.push(("place", "prose before"), (0..rows).map(|row| share(before(row).prose, all.prose)));
    columns.push(("place", "words before"), (0..rows).map(|row| share(before(row).words, all.words)));
    columns.push(("place", "word density before"), (0..rows).map(|row| ratio(before(row).words, row as u32)));
}

/// Kinds of elements, ordered so that like stands beside like.
pub(super) fn kind(tag: Tag) -> u8 {
    match tag {
        Tag::Button => 0,
        Tag::Label => 1,
        Tag::Summary => 2,
        Tag::Nav | Tag::Footer | Tag::Aside | Tag::Dialog => 3,
        Tag::Header | Tag::Form | Tag::Custom => 4,
        Tag::Figcaption | Tag::Figure | Tag::Caption => 5,
        Tag::Address => 6,
        Tag::Body | Tag::Div | Tag::Section => 7,
        Tag::Ul | Tag::Ol => 8,
        Tag::Li => 9,
        Tag::Td => 10,
        Tag::Th => 11,
        Tag::Dt => 12,
        Tag::Dd => 13,
        Tag::Details => 14,
        Tag::Article | Tag::Main => 15,
        Tag::Pre => 16,
        Tag::P => 17,
        Tag::Blockquote => 18,
        Tag::H6 => 20,
        Tag::H5 => 21,
        Tag::H4 => 22,
        Tag::H3 => 23,
        Tag::H2 => 24,
        Tag::H1 => 25,
        _ => 7,
    }
}

/// How much of the page's title a short block is, in 255ths.
fn in_title(page: &Page, text: &str, measure: &Measure) -> u8 {
    if measure.words < 1 || measure.words > 40 || text.len() < 4 {
        return 0;
    }
    let titles = [page.stated.title.as_deref(), page.stated.social_title.as_deref()];
    titles
        .into_iter()
        .flatten()
        .filter(|title| title.contains(text))
        .map(|title| share(text.len() as u32, title.len() as u32))
        .max()
        .unwrap_or(0)
}
