//! Finds personal data, and masks it, notes its places, or drops what holds it.
//!
//! E-mail and public IP addresses follow datatrove's `PIIFormatter`, which FineWeb used; beyond it stand what Europeans really have: phone
//! numbers, bank accounts, cards, VAT numbers and the national identifiers of persons with their check digits. No regular expression: one walk
//! ([`find`]) stops at digits, `@` and `:`, and only there anything is checked. A replacement is always the same, so that a text masked
//! twice is a text masked once. docs/pii.md tells what is found, how sure, and what is not.

mod account;
mod border;
mod check;
mod context;
mod dates;
mod email;
mod find;
mod ip;
mod kind;
mod mask;
mod national;
mod number;
mod phone;
mod postal;
mod quiet;
mod shape;
mod vat;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::ValueDeserializer;

use self::kind::{Finding, Kind};
use self::mask::Masks;
use self::number::Question;
use crate::doc::{Document, PiiSpan};
use crate::stage::{BuildError, Field, Resources, Room, Stage, Verdict};

const TOO_MUCH: &str = "too-much-personal-data";
const PERSONAL_DATA: &str = "personal-data";

/// The row of this stage.
pub const ROOM: Room = Room {
    name: "pii",
    summary: "masks personal data: addresses, phone and account numbers, national identifiers",
    reasons: &[TOO_MUCH, PERSONAL_DATA],
    signals: &[],
    needs: &[Field::Text],
    gives: &[],
    schema: || schemars::schema_for!(Pii),
    build,
};

/// What is done with what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Masks it in text and title.
    Mask,
    /// Leaves text and title as they are and notes kind, place and confidence of each finding in the text (`tamis pipe` writes them).
    Annotate,
    /// Drops the document.
    Drop,
}

/// Finds personal data in text and title, masks it and counts it by kind.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a switch a kind is what users look for")]
pub struct Pii {
    /// What is done with what is found: `mask`, `annotate` or `drop`.
    pub mode: Mode,
    /// E-mail addresses.
    pub emails: bool,
    /// Public IP addresses, version 4 and 6.
    pub ips: bool,
    /// Phone numbers of European countries, international or as written at home.
    pub phones: bool,
    /// Bank accounts (IBAN).
    pub ibans: bool,
    /// Payment cards.
    pub cards: bool,
    /// National identifiers of persons.
    pub national_ids: bool,
    /// VAT numbers.
    pub vat_numbers: bool,
    /// Licence plates, only beside a word that calls them so.
    pub plates: bool,
    /// Postal addresses; off, since most are of offices and shops.
    pub addresses: bool,
    /// Days of birth, only beside a word that calls them so; off, since most are of people in public life.
    pub birth_dates: bool,
    /// Findings less sure than this are left, 0 to 1. A check digit without context has 0.3, one in a context that names it 0.7.
    pub confidence_min: f32,
    /// Number the masks within a document, the same value with the same number: `[PHONE-1]`.
    pub numbered: bool,
    /// What stands in place of an e-mail address; the default is of a domain that RFC 2606 reserves for examples.
    pub email_mask: String,
    /// What stands in place of an IP address; the default is of a range that RFC 5737 reserves for examples.
    pub ip_mask: String,
    /// Drop documents with more findings than this; without it none is dropped.
    pub findings_max: Option<u32>,
}

impl Default for Pii {
    fn default() -> Pii {
        Pii {
            mode: Mode::Mask,
            emails: true,
            ips: true,
            phones: true,
            ibans: true,
            cards: true,
            national_ids: true,
            vat_numbers: true,
            plates: true,
            addresses: false,
            birth_dates: false,
            confidence_min: 0.5,
            numbered: false,
            email_mask: "email@example.com".to_owned(),
            ip_mask: "192.0.2.1".to_owned(),
            findings_max: None,
        }
    }
}

fn build(settings: ValueDeserializer<'_>, _: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    let pii = Pii::deserialize(settings)?;
    if !(0.0..=1.0).contains(&pii.confidence_min) {
        return Err(BuildError::Contradiction(format!("`confidence_min` is between 0 and 1, not {}", pii.confidence_min)));
    }
    Ok(Box::new(pii))
}

impl Stage for Pii {
    fn judge(&self, doc: &mut Document) -> Verdict {
        let lang = doc.lang.as_ref().map(|lang| lang.primary().to_owned());
        let mut masks = Masks::new(self.numbered, &self.email_mask, &self.ip_mask);
        let mut counts = [0u32; Kind::ALL.len()];
        for (is_text, place) in [(true, Some(&mut doc.text)), (false, doc.title.as_mut())] {
            let Some(text) = place else { continue };
            let findings = self.find(text, lang.as_deref(), &masks);
            findings.iter().for_each(|finding| counts[finding.kind as usize] += 1);
            if self.mode == Mode::Mask && !findings.is_empty() {
                *text = masks.apply(text, &findings);
            } else if self.mode == Mode::Annotate && is_text {
                doc.pii_spans = findings.into_iter().map(span).collect();
            }
        }
        let wanted = self.wanted();
        Kind::ALL.iter().filter(|kind| wanted[**kind as usize]).for_each(|kind| doc.pii.set(kind.name(), counts[*kind as usize]));
        self.verdict(counts.iter().sum())
    }

    fn resumes(&self) -> bool {
        true
    }
}

fn span(finding: Finding) -> PiiSpan {
    let Finding { span, kind, which, confidence } = finding;
    PiiSpan { start: span.start, end: span.end, kind: kind.name(), which, confidence }
}

impl Pii {
    /// Which kinds are looked for, in the order of [`Kind::ALL`].
    fn wanted(&self) -> [bool; Kind::ALL.len()] {
        [
            self.emails,
            self.ips,
            self.phones,
            self.ibans,
            self.cards,
            self.national_ids,
            self.vat_numbers,
            self.plates,
            self.addresses,
            self.birth_dates,
        ]
    }

    /// What is in `text`, without what a mask of ours left there.
    fn find(&self, text: &str, lang: Option<&str>, masks: &Masks<'_>) -> Vec<Finding> {
        let question = Question::new(text, lang, self.wanted(), self.confidence_min);
        let mut findings = find::find(&question);
        findings.retain(|finding| !masks.is_mask(&text[finding.span.clone()]));
        findings
    }

    fn verdict(&self, findings: u32) -> Verdict {
        match self.findings_max {
            Some(limit) if findings > limit => Verdict::broke(TOO_MUCH, findings as f32, limit as f32),
            _ if self.mode == Mode::Drop && findings > 0 => Verdict::broke(PERSONAL_DATA, findings as f32, 0.0),
            _ => Verdict::Keep,
        }
    }
}

#[cfg(test)]
mod tests;
