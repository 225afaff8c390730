//! Groups of documents that share a band, from sorted keys.

use super::exact::run_file;
use super::{DecideError, Night, Numbers};
use crate::dedup::keys::{Cursor, KeyWriter};
use crate::dedup::meet::{Side, meet};
use crate::dedup::sorter::{Sorted, Sorter, Spill};
use crate::sink::Output;

/// Groups of numbers on disk: how many, then the numbers.
pub(super) struct Groups(pub(super) Spill);

impl Groups {
    /// Appends a group.
    pub(super) fn put(&mut self, group: &[u32]) -> Result<(), DecideError> {
        let mut bytes = Vec::with_capacity(4 + 4 * group.len());
        bytes.extend_from_slice(&(group.len() as u32).to_le_bytes());
        group.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        Ok(self.0.write(&bytes)?)
    }

    /// Calls `each` with every group.
    pub(super) fn for_each(&mut self, mut each: impl FnMut(&[u32]) -> Result<(), DecideError>) -> Result<(), DecideError> {
        self.0.flush()?;
        let (mut at, mut bytes, mut group) = (0, vec![0; 256 << 10], Vec::new());
        let (mut length, mut cursor) = (0, 0);
        let mut wanted = None;
        loop {
            if cursor == length {
                length = (self.0.bytes() - at).min(bytes.len() as u64) as usize;
                if length == 0 {
                    return Ok(());
                }
                self.0.read(&mut bytes[..length], at)?;
                at += length as u64;
                cursor = 0;
            }
            // All that is written is numbers of four bytes, so none is cut by the end of the buffer.
            let number = u32::from_le_bytes([bytes[cursor], bytes[cursor + 1], bytes[cursor + 2], bytes[cursor + 3]]);
            cursor += 4;
            match wanted {
                None => wanted = Some(number as usize),
                Some(_) => group.push(number),
            }
            if wanted == Some(group.len()) {
                each(&group)?;
                group.clear();
                wanted = None;
            }
        }
    }
}

/// Every group of documents that share a key and of which one is tonight's. Star edges to the first of each join the candidates.
pub(super) fn find_groups(night: &Night<'_>, numbers: &mut Numbers) -> Result<(Option<Output>, Groups), DecideError> {
    let keys = keys(night, numbers)?;
    let mut writer = match night.settings.remember {
        true => Some(KeyWriter::create::<u64>(&run_file(night.folder, |files| &files.bands), night.fresh.scheme())?),
        false => None,
    };
    let kept = night.index.runs.len() - night.merged;
    let sides = night.index.runs.iter().enumerate();
    let sides = sides.map(|(at, run)| Ok(Side { cursor: Cursor::new(&run.bands)?, base: run.base, merged: at >= kept }));
    let sides = sides.collect::<Result<_, DecideError>>()?;
    let mut groups = Groups(Spill::create(night.folder.join("groups.spill"))?);
    let mut group: Vec<u32> = Vec::new();
    meet(keys, sides, (night.fresh_base(), night.written_base()), writer.as_mut(), |records| {
        group.clear();
        group.extend(records.iter().map(|(_, global)| numbers.number(*global)));
        group[1..].iter().for_each(|number| numbers.candidates.join(group[0], *number));
        groups.put(&group)
    })?;
    Ok((writer.map(KeyWriter::finish).transpose()?, groups))
}

/// The keys of the bands of all documents that stand, in order.
pub(super) fn keys(night: &Night<'_>, numbers: &Numbers) -> Result<Sorted<(u64, u32)>, DecideError> {
    let scheme = night.fresh.scheme();
    let (bands, values) = scheme.banding.map_or((0, 0), |banding| (banding.bands, banding.values()));
    let standing = numbers.stands.iter().filter(|stands| **stands).count();
    let mut sorter = Sorter::new(night.folder, "bands", night.buffer_bytes).expecting(standing * bands);
    if bands == 0 {
        return Ok(sorter.finish()?);
    }
    for piece in night.fresh.pieces() {
        let (languages, sketched, sketches) = (piece.languages()?, piece.sketched()?, piece.sketches()?);
        let rows = (piece.first..).zip(languages).zip(sketched).zip(sketches.chunks_exact(values));
        for (((place, language), _), sketch) in rows.filter(|(((place, _), sketched), _)| *sketched && numbers.stands[*place as usize]) {
            scheme.band_keys(sketch).try_for_each(|key| sorter.push((key ^ language, place)))?;
        }
    }
    Ok(sorter.finish()?)
}
