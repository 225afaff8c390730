//! The members of a cluster: the documents that fell as repeats of one that stayed.

use serde_json::{Map, Value};

use super::row::json_of;
use super::{Dataset, InspectError};
use crate::doc::DocId;
use crate::locator::rows::Documents;
use crate::locator::{InBlock, LocateError};

/// Columns that a list of members shows.
const SHOWN: &[&str] = &["id", "url", "title", "reason", "jaccard", "duplicate_of"];

/// What is known of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// Documents that fell in favour of the winner, as the rejects have them.
    pub rows: Vec<Map<String, Value>>,
    /// Whether there may be more of them.
    pub is_cut: bool,
}

impl Dataset {
    /// At most `rows_max` documents that fell as repeats of `winner`, those of the last run first. `go_on` is asked before each row group.
    ///
    /// # Errors
    /// When a file of rejects cannot be read.
    pub fn members(&self, winner: DocId, rows_max: usize, go_on: &mut dyn FnMut() -> bool) -> Result<Members, InspectError> {
        let (winner, mut members) = (winner.to_string(), Members::default());
        for path in &self.rejects {
            let refused = |source| LocateError::Parquet { path: path.clone(), source };
            let documents = Documents::open(path).map_err(refused)?;
            for group in 0..documents.groups().len() {
                if members.rows.len() >= rows_max || !go_on() {
                    members.is_cut = true;
                    return Ok(members);
                }
                let mut found = Vec::new();
                documents
                    .for_each(group, &InBlock::Anywhere, &["duplicate_of"], |number, row| {
                        if row.text("duplicate_of") == winner {
                            found.push(number);
                        }
                    })
                    .map_err(refused)?;
                found.truncate(rows_max - members.rows.len());
                let wanted = InBlock::Rows(found.into_iter().collect());
                if wanted != InBlock::Rows(std::collections::BTreeSet::new()) {
                    let each = |_: usize, row: crate::locator::rows::Row<'_>| members.rows.push(json_of(row.batch(), row.number()));
                    documents.for_each(group, &wanted, SHOWN, each).map_err(refused)?;
                }
            }
        }
        Ok(members)
    }
}
