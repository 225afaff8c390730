//! Features of the whole page, the same for all its blocks: what kind of page it is decides what its content is.

use super::super::hints::Hints;
use super::super::linked::KINDS;
use super::super::tag::Tag;
use super::columns::{Columns, count, ratio, share};
use super::sums::Counted;

/// Bits of [`super::super::tree::Stated::kinds`] in words.
const KIND_NAMES: [&str; KINDS as usize] = ["article", "product", "discussion", "list", "site", "help", "event", "trail"];

pub(super) fn push(columns: &mut Columns, counted: &Counted<'_>, url: &str) {
    let page = counted.page;
    let all = counted.all();
    let mut same = |name, value| columns.push_same(("page", name), value);
    same("words", count(all.words));
    same("blocks", count(all.blocks));
    same("prose", share(all.prose, all.words));
    same("link density", share(all.link_words, all.words));
    same("words a block", ratio(all.words, all.blocks));
    same("stops", share(all.stops * 4, all.words));
    same("longest", count(counted.measures.iter().map(|measure| measure.words).max().unwrap_or(0)));
    let nodes =
        |is: fn(Tag) -> bool| count(page.nodes.iter().filter(|node| node.end_block > node.first_block && is(node.tag)).count() as u32);
    same("articles", nodes(|tag| tag == Tag::Article));
    same("first headings", nodes(|tag| tag == Tag::H1));
    same("headings", nodes(|tag| tag.heading().is_some()));
    same("paragraphs", nodes(|tag| tag == Tag::P));
    same("items", nodes(|tag| tag == Tag::Li));
    same("cells", nodes(Tag::is_cell));
    same("code", nodes(|tag| tag == Tag::Pre));
    let hinted = |hint: Hints| {
        let sum = page.nodes.iter().filter(|node| node.own.has(hint)).count();
        count(sum as u32)
    };
    same("comments", hinted(Hints::COMMENT));
    same("posts", hinted(Hints::POST));
    same("products", hinted(Hints::PRODUCT));
    same("cards", hinted(Hints::CARD));
    same("people", hinted(Hints::PERSON));
    same("entries", hinted(Hints::ENTRY));
    let path = path_of(url);
    let path_hints = Hints::of_names(path).and(page.body);
    same("says post", u8::from(path_hints.has(Hints::POST)));
    same("says product", u8::from(path_hints.has(Hints::PRODUCT)));
    same("says entry", u8::from(path_hints.has(Hints::ENTRY)));
    same("says topic", u8::from(path_hints.has(Hints::TOPIC)));
    same("path parts", count(path.split('/').filter(|part| !part.is_empty()).count() as u32));
    same("path hyphens", count(path.bytes().filter(|byte| matches!(byte, b'-' | b'_')).count() as u32));
    same("path digits", count(path.bytes().filter(u8::is_ascii_digit).count() as u32));
    let kinds = page.stated.kinds | page.stated.kinds >> KINDS;
    for (bit, name) in KIND_NAMES.into_iter().enumerate() {
        columns.push_same(("page is", name), u8::from(kinds >> bit & 1 == 1));
    }
}

/// The path and query of an address.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("", |slash| &rest[slash..])
}
