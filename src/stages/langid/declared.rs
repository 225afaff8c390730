//! The language that a page declares, as a hint.
//!
//! Pages declare languages into which nobody has translated them, most often English, which many programs write by themselves. So a
//! declaration shifts the odds and decides nothing: English a little, any other language by more, and a sure guess outweighs both.

/// Shift of the log-odds towards a declared language: as if the page were twenty times as likely in it.
const HINT: f32 = 3.0;
/// The same for English.
const HINT_ENGLISH: f32 = 0.5;

/// A declaration in the form of our labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Declared {
    /// Primary subtag, as we write it.
    primary: String,
    /// ISO 15924, where it is stated.
    script: Option<String>,
}

impl Declared {
    /// Reads a tag as pages write it: `de_AT`, `sr-latn-RS`, `iw`, `no`.
    pub(super) fn read(written: &str) -> Option<Declared> {
        let mut subtags = written.trim().split([',', ';', ' ']).next()?.split(['-', '_']);
        let primary = subtags.next()?.to_ascii_lowercase();
        if !(2..=3).contains(&primary.len()) || !primary.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return None;
        }
        let primary = match primary.as_str() {
            "iw" => "he",
            "in" => "id",
            "ji" => "yi",
            "mo" => "ro",
            "fil" => "tl",
            "und" | "mul" | "zxx" | "mis" | "xx" => return None,
            other => other,
        }
        .to_owned();
        let script = subtags.next().filter(|subtag| subtag.len() == 4 && subtag.bytes().all(|byte| byte.is_ascii_alphabetic()));
        Some(Declared {
            primary,
            script: script.map(|script| format!("{}{}", script[..1].to_ascii_uppercase(), script[1..].to_ascii_lowercase())),
        })
    }

    /// By how much the log-odds of the language `tag` grow.
    pub(super) fn shift(&self, tag: &str) -> f32 {
        let mut subtags = tag.split('-');
        let (primary, script) = (subtags.next().unwrap_or(""), subtags.next());
        let norwegian = self.primary == "no" && (primary == "nb" || primary == "nn");
        let scripts_agree = match (script, self.script.as_deref()) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        match primary == self.primary || norwegian {
            true if !scripts_agree => 0.0,
            true if primary == "en" => HINT_ENGLISH,
            true => HINT,
            false => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_pages_write_them() {
        for (written, tag, shift) in [
            ("de_AT", "de", HINT),
            ("DE", "de", HINT),
            ("sr-latn-RS", "sr-Latn", HINT),
            ("sr-Cyrl", "sr-Latn", 0.0),
            ("sr", "sr-Cyrl", HINT),
            ("no", "nn", HINT),
            ("no", "nb", HINT),
            ("iw", "he", HINT),
            ("en-GB, fr", "en", HINT_ENGLISH),
            ("fr", "de", 0.0),
        ] {
            assert_eq!(Declared::read(written).map(|declared| declared.shift(tag)), Some(shift), "{written} {tag}");
        }
        for written in ["", "---", "Deutsch", "x", "und", "äö"] {
            assert_eq!(Declared::read(written), None, "{written}");
        }
    }
}
