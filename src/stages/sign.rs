//! Stage `sign`: gives each document its signature for deduplication.
//!
//! The engine puts it at the end of the clean pass when a recipe has a table `[dedup]`; its settings are that table.

use serde::Deserialize;

use crate::dedup::settings::DedupSettings;
use crate::dedup::sign::Signer;
use crate::doc::Document;
use crate::stage::{Field, Room, Stage, Verdict};

/// The room.
pub const ROOM: Room = Room {
    name: "sign",
    summary: "signs the text for deduplication: exact hash, band keys, MinHash sketch (added by the table [dedup])",
    reasons: &[],
    signals: &[],
    needs: &[Field::Text],
    gives: &[Field::Signature],
    schema: || schemars::schema_for!(DedupSettings),
    build: |settings, _| Ok(sign_stage(&DedupSettings::deserialize(settings)?)),
};

/// The stage that signs by `settings`.
#[must_use]
pub fn sign_stage(settings: &DedupSettings) -> Box<dyn Stage> {
    Box::new(Sign(Signer::new(settings)))
}

struct Sign(Signer);

impl Stage for Sign {
    fn judge(&self, doc: &mut Document) -> Verdict {
        doc.signature = Some(Box::new(self.0.sign(&doc.text)));
        Verdict::Keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl crate::stage::Resources for Nothing {
        fn read(&self, _: &str) -> std::io::Result<Vec<u8>> {
            Err(std::io::ErrorKind::NotFound.into())
        }
    }

    #[test]
    fn every_document_is_kept_and_signed() {
        let stage = (ROOM.build)(toml::de::ValueDeserializer::parse("{ near = \"strict\" }").unwrap(), &Nothing).unwrap();
        for (text, values) in [("Il faro è acceso da cento anni e nessuno sa chi lo accese", 20 * 13), ("", 0)] {
            let mut doc = Document { text: text.to_owned(), ..Document::default() };
            assert_eq!(stage.judge(&mut doc), Verdict::Keep);
            assert_eq!(doc.signature.unwrap().sketch.len(), values);
        }
    }
}
