//! Writes the documents of tonight's run: those of the runs that it takes up, then tonight's with their clusters.

use super::exact::run_file;
use super::judge::Judged;
use super::{DecideError, Night};
use crate::dedup::columns::ColumnFile;
use crate::dedup::index::{Columns, DocumentsAbout, DocumentsWriter, Remembered};
use crate::doc::DocId;
use crate::sink::Output;

/// Writes a row for each document.
pub(super) fn write_documents(night: &Night<'_>, judged: Judged) -> Result<Output, DecideError> {
    let kept = night.index.runs.len() - night.merged;
    let taken_up = &night.index.runs[kept..];
    let mut joins: Vec<(u64, u64)> = taken_up.iter().flat_map(|run| run.documents.about().joins.iter().copied()).collect();
    joins.extend(judged.joins);
    let about = DocumentsAbout { scheme: night.fresh.scheme(), exact: night.settings.exact, joins };
    let mut writer = DocumentsWriter::create(&run_file(night.folder, |files| &files.documents), about)?;
    for run in taken_up {
        copy(&run.documents, &mut writer)?;
    }
    let mut labels = judged.labels.finish()?;
    let values = night.fresh.scheme().banding.map_or(0, crate::dedup::settings::Banding::values);
    for piece in night.fresh.pieces() {
        let (ids, occurrences, ranks) = (piece.ids()?, piece.occurrences()?, piece.ranks()?);
        let (exacts, sketches) = (piece.exacts()?, piece.sketches()?);
        for (row, place) in (0..).zip(piece.first..piece.first + piece.count) {
            let id = DocId(ids[row]);
            let (mut winner, mut cluster) = (id, night.fresh_base() + u64::from(place));
            if let Some(label) = labels.peek().filter(|label| label.place == place) {
                (winner, cluster) = (label.winner, label.cluster);
                labels.pull()?;
            }
            let sketch = sketches[row * values..(row + 1) * values].to_vec();
            let (occurrence, rank, exact) = (occurrences[row], ranks[row], exacts[row]);
            writer.write(&Remembered { id, occurrence, rank, exact, winner, cluster, sketch })?;
        }
    }
    Ok(writer.finish()?)
}

fn copy(documents: &ColumnFile<DocumentsAbout>, writer: &mut DocumentsWriter) -> Result<(), DecideError> {
    for block in 0..documents.blocks().len() {
        let columns = Columns::read(documents, block)?;
        for row in 0..columns.rows() {
            writer.write(&columns.row(row))?;
        }
    }
    Ok(())
}
