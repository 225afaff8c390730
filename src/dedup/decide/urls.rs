//! Several captures of one address in a run: only the newest takes part in what follows.
//!
//! Captures of different nights are not held against each other by their address: what is published stays, and a page that says new
//! things under its old address is new text.

use super::records::{Capture, MemberRecord};
use super::{DecideError, Night, Numbers};
use crate::dedup::clusters::{Fate, Member};
use crate::dedup::sorter::Sorter;

/// Takes all but the newest capture of each address out of the comparison, and says so to `members`.
pub(super) fn leave_out_older(night: &Night<'_>, numbers: &mut Numbers, members: &mut Sorter<MemberRecord>) -> Result<(), DecideError> {
    let mut sorter = Sorter::new(night.folder, "captures", night.buffer_bytes);
    for piece in night.fresh.pieces() {
        let (urls, fetched, ids, occurrences) = (piece.urls()?, piece.fetched()?, piece.ids()?, piece.occurrences()?);
        for (row, place) in (0..).zip(piece.first..piece.first + piece.count).filter(|(row, _)| urls[*row] != 0) {
            let before = !(fetched[row] as u64 ^ 1 << 63);
            sorter.push(Capture { url: urls[row], before, id: crate::doc::DocId(ids[row]), occurrence: occurrences[row], place })?;
        }
    }
    let mut captures = sorter.finish()?;
    let mut newest: Option<Capture> = None;
    while let Some(capture) = captures.pull()? {
        match newest.filter(|newest| newest.url == capture.url) {
            None => newest = Some(capture),
            Some(newest) => {
                numbers.stands[capture.place as usize] = false;
                let Capture { id, occurrence, place, .. } = capture;
                members.push(MemberRecord(Member {
                    id,
                    occurrence,
                    place,
                    fate: Fate::Older,
                    winner: newest.id,
                    cluster: newest.id,
                    size: 1,
                }))?;
            }
        }
    }
    Ok(())
}
