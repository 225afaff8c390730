//! What another data set has that goes before this one: such documents fall first, and take no part in what follows.
//!
//! So they leave no keys in tonight's run either. The index of the data set never learns of them, and a later night asks again: if the document
//! elsewhere was erased meanwhile, its copies come in.

use super::records::MemberRecord;
use super::{DecideError, Night, Numbers};
use super::{bands, exact};
use crate::dedup::clusters::{Fate, Member};
use crate::dedup::elsewhere::{Pair, Repeat, equal_texts, judge, shared_bands};
use crate::dedup::index::{Index, RunFiles};
use crate::dedup::sorter::Sorter;
use crate::doc::DocId;

/// Takes all documents that repeat one of the data sets `yields` out of the comparison, and says so to `members`.
pub(super) fn leave_out_yielding(
    night: &Night<'_>,
    yields: &[(String, Vec<RunFiles>)],
    numbers: &mut Numbers,
    members: &mut Sorter<MemberRecord>,
) -> Result<(), DecideError> {
    for ((dataset, runs), to) in yields.iter().zip(0..) {
        let other = Index::open_other(dataset, runs, night.fresh.scheme())?;
        leave_out(night, (&other, to), numbers, members)?;
    }
    Ok(())
}

fn leave_out(
    night: &Night<'_>,
    (other, to): (&Index, u8),
    numbers: &mut Numbers,
    members: &mut Sorter<MemberRecord>,
) -> Result<(), DecideError> {
    let mut pairs = Sorter::new(night.folder, "elsewhere", night.buffer_bytes / 2);
    pair_texts(night, other, numbers, &mut pairs)?;
    pair_bands(night, other, numbers, &mut pairs)?;
    let bounds = (night.settings.jaccard_min, night.buffer_bytes / 2);
    judge::<DecideError>(
        pairs.finish()?,
        other,
        bounds,
        |places| sketches(night, places),
        |repeats| {
            repeats.iter().for_each(|repeat| numbers.stands[repeat.asker as usize] = false);
            tell(night, repeats, to, members)
        },
    )
}

/// Finds who has a text of the other index. It falls whatever its bands say, so they are not looked for.
fn pair_texts(night: &Night<'_>, other: &Index, numbers: &mut Numbers, pairs: &mut Sorter<Pair>) -> Result<(), DecideError> {
    let mut texts = exact::keys(night, numbers)?;
    let pull = || Ok(texts.pull()?.map(|(key, place)| (key, u64::from(place))));
    equal_texts::<DecideError>(pull, other, night.settings.exact, |pair| {
        numbers.stands[pair.asker as usize] = false;
        Ok(pairs.push(pair)?)
    })
}

/// Finds who shares a band with a document of the other index.
fn pair_bands(night: &Night<'_>, other: &Index, numbers: &Numbers, pairs: &mut Sorter<Pair>) -> Result<(), DecideError> {
    let mut keys = bands::keys(night, numbers)?;
    let pull = || Ok(keys.pull()?.map(|(key, place)| (key, u64::from(place))));
    shared_bands::<DecideError>(pull, other, |pair| Ok(pairs.push(pair)?))
}

/// The sketches of some of tonight's documents, by their places in order, one after the other.
fn sketches(night: &Night<'_>, places: &[u64]) -> Result<Vec<u8>, DecideError> {
    let values = night.fresh.scheme().banding.map_or(0, crate::dedup::settings::Banding::values);
    let mut found = Vec::with_capacity(places.len() * values);
    let mut wanted = places.iter().map(|place| *place as u32).peekable();
    for piece in night.fresh.pieces() {
        let end = piece.first + piece.count;
        if values == 0 || wanted.peek().is_none_or(|place| *place >= end) {
            continue;
        }
        let sketches = piece.sketches()?;
        while let Some(place) = wanted.next_if(|place| *place < end) {
            found.extend_from_slice(&sketches[(place - piece.first) as usize * values..][..values]);
        }
    }
    Ok(found)
}

/// Says of documents, in order of their places, that they fall.
fn tell(night: &Night<'_>, repeats: &[Repeat], to: u8, members: &mut Sorter<MemberRecord>) -> Result<(), DecideError> {
    let mut repeats = repeats.iter().peekable();
    for piece in night.fresh.pieces() {
        let end = u64::from(piece.first + piece.count);
        if repeats.peek().is_none_or(|repeat| repeat.asker >= end) {
            continue;
        }
        let (ids, occurrences) = (piece.ids()?, piece.occurrences()?);
        while let Some(Repeat { asker, winner, jaccard }) = repeats.next_if(|repeat| repeat.asker < end).copied() {
            let place = asker as u32;
            let row = (place - piece.first) as usize;
            let (id, fate) = (DocId(ids[row]), Fate::Yields { to, jaccard });
            members.push(MemberRecord(Member { id, occurrence: occurrences[row], place, fate, winner, cluster: winner, size: 2 }))?;
        }
    }
    Ok(())
}
