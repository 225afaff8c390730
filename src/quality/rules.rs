//! What the rooms of rules say of a document, with the limits that the house ships for its language: what a learned score is held against.

use toml::de::ValueDeserializer;

use crate::doc::{Document, Lang};
use crate::stage::{BuildError, Resources, Stage, Verdict};
use crate::stages::RULED;

/// The name for all rooms together.
pub const ALL: &str = "all";

/// Rooms of rules read no files.
struct NoFiles;

impl Resources for NoFiles {
    fn read(&self, _: &str) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// Every room of rules, ready to judge.
pub struct Rules(Vec<Box<dyn Stage>>);

impl Rules {
    /// The rooms with their defaults.
    ///
    /// # Errors
    /// When a room cannot be built, which a test rules out.
    pub fn of_the_house() -> Result<Rules, BuildError> {
        let build = |(room, _): &crate::stages::Ruled| (room.build)(ValueDeserializer::parse("{}")?, &NoFiles);
        Ok(Rules(RULED.iter().map(build).collect::<Result<_, _>>()?))
    }

    /// Names of the rooms, and last [`ALL`].
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        RULED.iter().map(|(room, _)| room.name).chain([ALL]).collect()
    }

    /// Whether each room keeps `text` of language `lang`, each asked alone, and last whether all do, one after the other.
    #[must_use]
    pub fn judge(&self, lang: &str, text: &str) -> Vec<bool> {
        let document = || Document { text: text.to_owned(), lang: Some(Lang::new(lang)), ..Document::default() };
        let keeps = |stage: &dyn Stage, doc: &mut Document| stage.judge(doc) == Verdict::Keep;
        let mut verdicts: Vec<bool> = self.0.iter().map(|stage| keeps(stage.as_ref(), &mut document())).collect();
        let mut through = document();
        verdicts.push(self.0.iter().all(|stage| keeps(stage.as_ref(), &mut through)));
        verdicts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_asked_alone_and_together() {
        let rules = Rules::of_the_house().expect("defaults build");
        let prose = "Der Fährmann wartete am Ufer auf die letzten Gäste des Tages. Es war kalt, und über dem Wasser lag ein dünner Nebel, der sich \
            nur langsam hob. Er dachte an seinen Bruder, der die Netze bringen wollte, doch der Weg aus dem Dorf war weit. Niemand kam, und als die \
            Sonne sank, band er das Boot los und ruderte allein über den See nach Hause.\nAm nächsten Morgen lag Schnee auf den Dächern.";
        let names = Rules::names();
        assert_eq!(rules.judge("de", prose), vec![true; names.len()], "{names:?}");
        let list = "Start\nImpressum\nStart\nImpressum\nStart\nImpressum\n".repeat(5);
        let verdicts = rules.judge("de", &list);
        assert!(names.last() == Some(&ALL) && verdicts.last() == Some(&false) && verdicts.len() == names.len(), "{verdicts:?}");
    }
}
