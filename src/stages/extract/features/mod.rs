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
