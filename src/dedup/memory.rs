//! Signatures held in memory, for a set of texts that needs no files: some 500 bytes each with the default banding.

use std::convert::Infallible;

use crate::doc::{DocId, Signature};

use super::clusters::{Row, Signatures};

/// Signed texts, each with its row.
#[derive(Debug, Default)]
pub struct SignedTexts {
    rows: Vec<Row>,
    signatures: Vec<Signature>,
}

impl SignedTexts {
    /// Adds a text: its id and occurrence, rank, number of its language, and signature.
    pub fn push(&mut self, (id, occurrence): (DocId, u64), rank: u64, lang: u16, signature: Signature) {
        let place = self.rows.len() as u32;
        let sketched = !signature.bands.is_empty();
        self.rows.push(Row { id, occurrence, rank, exact: signature.exact, lang, sketched, place });
        self.signatures.push(signature);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Signatures for SignedTexts {
    type Error = Infallible;

    fn rows(&self) -> Result<Vec<Row>, Infallible> {
        Ok(self.rows.clone())
    }

    fn bands(&self) -> usize {
        self.signatures.iter().map(|signature| signature.bands.len()).max().unwrap_or(0)
    }

    fn band(&self, band: usize) -> Result<Vec<u64>, Infallible> {
        Ok(self.signatures.iter().map(|signature| signature.bands.get(band).copied().unwrap_or_default()).collect())
    }

    fn sketches(&self, places: &[u32]) -> Result<Vec<u16>, Infallible> {
        Ok(places.iter().flat_map(|place| &self.signatures[*place as usize].sketch).copied().collect())
    }
}
