//! Stage `licence`: gives each licence its SPDX name and keeps what has one of the named licences.
//!
//! A curated track is only as free as its least free document, so nothing passes here without a statement that is understood: no
//! licence and an unknown one fall for reasons of their own, and both stand among the rejects with what was stated.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::ValueDeserializer;

use crate::doc::Document;
use crate::stage::{BuildError, Resources, Room, Stage, Verdict};
use crate::text::licence::spdx;

const NONE: &str = "none";
const UNKNOWN: &str = "unknown";
const OTHER: &str = "other";

/// The row of this stage.
pub const ROOM: Room = Room {
    name: "licence",
    summary: "gives licences their SPDX names and admits only those that are named",
    reasons: &[NONE, UNKNOWN, OTHER],
    signals: &[],
    needs: &[],
    gives: &[],
    schema: || schemars::schema_for!(Licence),
    build,
};

/// Gives licences their SPDX names and admits only those that are named.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Licence {
    /// SPDX names of the licences that are admitted: `["CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0"]`. Empty admits every document, and only
    /// names are put right.
    pub admit: BTreeSet<String>,
}

fn build(settings: ValueDeserializer<'_>, _: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    let settings = Licence::deserialize(settings)?;
    if let Some(name) = settings.admit.iter().find(|name| spdx(name).as_ref() != Some(*name)) {
        let hint = spdx(name).map_or_else(|| "it is none that is known".to_owned(), |right| format!("write `{right}`"));
        return Err(BuildError::Contradiction(format!("`admit` names `{name}`, which is no SPDX name of a licence: {hint}")));
    }
    Ok(Box::new(settings))
}

impl Stage for Licence {
    fn judge(&self, doc: &mut Document) -> Verdict {
        let stated = doc.licence.as_deref().filter(|stated| !stated.trim().is_empty());
        let name = stated.and_then(spdx);
        let verdict = match (stated, &name) {
            _ if self.admit.is_empty() => Verdict::Keep,
            (None, _) => Verdict::drop(NONE),
            (_, None) => Verdict::drop(UNKNOWN),
            (_, Some(name)) if !self.admit.contains(name) => Verdict::drop(OTHER),
            _ => Verdict::Keep,
        };
        if name.is_some() {
            doc.licence = name;
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(admit: &[&str], licence: Option<&str>) -> (Verdict, Option<String>) {
        let stage = Licence { admit: admit.iter().map(|name| (*name).to_owned()).collect() };
        let mut doc = Document { licence: licence.map(str::to_owned), ..Document::default() };
        (stage.judge(&mut doc), doc.licence)
    }

    #[test]
    fn only_named_licences_are_admitted_and_get_their_names() {
        let admit = ["CC0-1.0", "CC-BY-4.0"];
        let by = Some("CC-BY-4.0".to_owned());
        assert_eq!(judge(&admit, Some("https://creativecommons.org/licenses/by/4.0/")), (Verdict::Keep, by));
        for (licence, reason) in [(None, NONE), (Some(" "), NONE), (Some("ask me"), UNKNOWN), (Some("CC BY-NC 4.0"), OTHER)] {
            assert_eq!(judge(&admit, licence).0, Verdict::drop(reason), "{licence:?}");
        }
        assert_eq!(judge(&[], Some("ask me")), (Verdict::Keep, Some("ask me".to_owned())));
    }

    #[test]
    fn a_recipe_that_names_no_licence_of_spdx_is_refused_with_the_right_name() {
        struct None;
        impl Resources for None {
            fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
                Err(std::io::Error::other(path.to_owned()))
            }
        }
        let error = |settings| build(ValueDeserializer::parse(settings).unwrap(), &None).err().unwrap().to_string();
        assert!(error(r#"{ admit = ["CC BY 4.0"] }"#).ends_with("write `CC-BY-4.0`"));
        assert!(error(r#"{ admit = ["mine"] }"#).ends_with("none that is known"));
    }
}
