//! Stage `line-cleanup`: broken letters put right, and lines that only the page's own buttons say taken out.
//!
//! Both are counted, and nothing is judged: a document falls only where no line is left. Notices about cookies and privacy are the matter of
//! `c4-quality`, which knows their phrases; what repeats from page to page that of deduplication.

mod interface;
mod mojibake;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::ValueDeserializer;

use self::interface::Interface;
use crate::doc::Document;
use crate::stage::{BuildError, Field, Resources, Room, Stage, Verdict};

const NO_TEXT: &str = "no-text";
const REPAIRED: &str = "mojibake_repairs";
const REMOVED: &str = "interface_lines";

/// The row of this stage.
pub const ROOM: Room = Room {
    name: "line-cleanup",
    summary: "puts broken letters (mojibake) right and takes out lines that only buttons say: read more, share, print",
    reasons: &[NO_TEXT],
    signals: &[REPAIRED, REMOVED],
    needs: &[Field::Text],
    gives: &[],
    schema: || schemars::schema_for!(LineCleanup),
    build,
};

/// Settings of the stage.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LineCleanup {
    /// Whether UTF-8 that somebody read as windows-1252, -1250, -1251, -1253 or -1257 is put right, in text and title.
    pub mojibake: bool,
    /// Whether lines that are nothing but what a page's buttons say are taken out.
    pub interface: bool,
    /// More such lines, beside those that are known in 32 languages: whole lines that begin with a capital.
    pub interface_lines: Vec<String>,
}

impl Default for LineCleanup {
    fn default() -> LineCleanup {
        LineCleanup { mojibake: true, interface: true, interface_lines: Vec::new() }
    }
}

fn build(settings: ValueDeserializer<'_>, _: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    let settings = LineCleanup::deserialize(settings)?;
    if !settings.interface && !settings.interface_lines.is_empty() {
        return Err(BuildError::Contradiction("`interface_lines` names lines, but `interface = false` leaves all in".to_owned()));
    }
    let interface = settings.interface.then(|| Interface::with(&settings.interface_lines));
    Ok(Box::new(Cleanup { mojibake: settings.mojibake, interface }))
}

struct Cleanup {
    mojibake: bool,
    interface: Option<Interface>,
}

impl Stage for Cleanup {
    fn judge(&self, doc: &mut Document) -> Verdict {
        if self.mojibake {
            let mut repaired = mojibake::repair(&mut doc.text);
            if let Some(title) = &mut doc.title {
                repaired += mojibake::repair(title);
            }
            doc.quality.set(REPAIRED, repaired as f32);
        }
        if let Some(interface) = &self.interface {
            doc.quality.set(REMOVED, interface.take_out(&mut doc.text) as f32);
            if doc.text.is_empty() {
                return Verdict::drop(NO_TEXT);
            }
        }
        Verdict::Keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NoFiles;

    impl Resources for NoFiles {
        fn read(&self, _: &str) -> std::io::Result<Vec<u8>> {
            Err(std::io::ErrorKind::NotFound.into())
        }
    }

    fn judged(text: &str) -> (Verdict, Document) {
        let stage = build(ValueDeserializer::parse("{}").expect("a table"), &NoFiles).expect("settings");
        let mut doc = Document { text: text.to_owned(), title: Some("PÃ¤Ã¤kirjasto".to_owned()), ..Document::default() };
        (stage.judge(&mut doc), doc)
    }

    #[test]
    fn letters_are_put_right_and_buttons_go_and_both_are_counted() {
        let (verdict, doc) = judged("Jaa Facebookissa\nKÃ¤ynti kirjastossa pÃ¤Ã¤ttyi hyvin.\nLue lisää »\nKiitos.");
        assert_eq!(verdict, Verdict::Keep);
        assert_eq!(doc.text, "Käynti kirjastossa päättyi hyvin.\nKiitos.");
        assert_eq!(doc.title.as_deref(), Some("Pääkirjasto"));
        assert_eq!((doc.quality.get(REPAIRED), doc.quality.get(REMOVED)), (Some(5.0), Some(2.0)));
    }

    #[test]
    fn a_page_of_buttons_falls() {
        let (verdict, _) = judged("Read more\nShare");
        assert_eq!(verdict, Verdict::drop(NO_TEXT));
    }
}
