//! What the trees look at: a byte for each block and feature.
//!
//! A block is described by its own text, by the elements around it, by the blocks before and behind, by what is alike it, by what it talks
//! about, and by the page as a whole. A second forest that saw the first one's judgement of the neighbourhood was tried (stacking) and did
//! not hold on sites that training had not seen: these columns know the neighbourhood already.

mod alike;
mod around;
pub(super) mod columns;
mod near;
mod own;
pub(super) mod sums;
mod topic;
mod whole;

pub(super) use self::columns::Columns;
pub(super) use self::sums::Counted;

/// So many columns at most; a table is made in one piece of memory.
const COLUMNS: usize = 256;

/// The table of a page.
pub(super) fn features(counted: &Counted<'_>, url: &str) -> Columns {
    let mut columns = Columns::new(counted.measures.len(), COLUMNS);
    let own = own::push(&mut columns, counted);
    around::push(&mut columns, counted);
    near::push(&mut columns, counted, &own);
    alike::push(&mut columns, counted);
    topic::push(&mut columns, counted);
    whole::push(&mut columns, counted, url);
    columns
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::builder::{Limits, build};
    use super::*;

    /// The values of one feature for each block.
    fn values(html: &str, name: &str) -> Vec<u8> {
        let page = build(html, Limits { links: false, nodes_max: 1000, depth_max: 512 }).expect("a small page");
        let columns = features(&Counted::of(&page), "https://www.example.lt/naujienos/upe-ir-miestas");
        let place = columns.names().position(|known| known == name).expect("a feature");
        columns.at(place)[..columns.rows()].to_vec()
    }

    const RIVER: &str = "Nemunas yra ilgiausia Lietuvos upė, ir prie jos kranto stovi keletas senų miestų.";

    #[test]
    fn names_are_unique_and_the_table_is_as_wide_as_it_was_made() {
        let page = build("<p>Upė</p>", Limits { links: false, nodes_max: 10, depth_max: 8 }).expect("a small page");
        let names: Vec<String> = features(&Counted::of(&page), "").names().collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.len() <= COLUMNS, "{}", names.len());
    }

    #[test]
    fn an_element_is_known_by_its_height_above_the_block() {
        let html = format!("<nav><a href=/>Pradžia</a></nav><main><div><p>{RIVER}</p></div></main>");
        assert_eq!(values(&html, "near.nav element"), [1, 0]);
        assert_eq!(values(&html, "near.main element"), [0, 3]);
    }

    #[test]
    fn a_teaser_talks_of_other_things_than_the_page() {
        let html =
            format!("<title>Nemunas</title><p>{RIVER}</p><p>{RIVER} Upė teka.</p><p>Krepšinio rinktinė pralaimėjo varžybas Paryžiuje</p>");
        let topics = values(&html, "topic.in prose");
        assert!(topics[0] > 200 && topics[2] == 0, "{topics:?}");
        assert!(values(&html, "topic.in titles")[0] > 0);
    }

    #[test]
    fn parts_of_a_list_know_how_many_they_are() {
        let card = format!("<div class='card'><h3>Upė</h3><p>{RIVER}</p></div>");
        assert_eq!(values(&format!("<p>Sveiki</p><div>{card}{card}{card}</div>"), "alike.members"), [0, 3, 3, 3, 3, 3, 3]);
    }

    #[test]
    fn a_page_without_blocks_has_no_rows() {
        assert!(values("<img src=a>", "own.words").is_empty());
    }
}
