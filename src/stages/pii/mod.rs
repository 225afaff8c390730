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
mod measured;

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(text: &str) -> (String, u32, u32) {
        let mut doc = Document { text: text.to_owned(), ..Document::default() };
        assert_eq!(Pii::default().judge(&mut doc), Verdict::Keep);
        (doc.text, doc.pii.get("email").unwrap(), doc.pii.get("ip").unwrap())
    }

    #[test]
    fn e_mail_addresses_are_masked_and_the_sentence_stays() {
        for (text, expected) in [
            ("Kirjoita osoitteeseen matti.meikalainen@posti.example.fi.", "Kirjoita osoitteeseen email@example.com."),
            ("Écrivez à <jean-luc+infos@mairie.example.fr>, merci", "Écrivez à <email@example.com>, merci"),
            ("Пишите на иван@пример.рф!", "Пишите на email@example.com!"),
            ("'γιώργος@παράδειγμα.ελ'", "'email@example.com'"),
            ("mailto:a@b.sk;c@d.sk", "mailto:email@example.com;email@example.com"),
            ("連絡先はtaro@example.jpです", "連絡先はemail@example.comです"),
        ] {
            assert_eq!(mask(text).0, expected);
        }
    }

    #[test]
    fn public_ip_addresses_are_masked() {
        for (text, expected) in [
            ("Iš 78.60.12.5 prisijungta", "Iš 192.0.2.1 prisijungta"),
            ("(185.12.64.3), 91.198.174.192.", "(192.0.2.1), 192.0.2.1."),
            ("Adresa 2a02:2f0c:8000::1:5 je", "Adresa 192.0.2.1 je"),
            ("http://185.12.64.9:80/", "http://192.0.2.1:80/"),
            ("gleich „185.12.64.4“", "gleich „192.0.2.1“"),
        ] {
            assert_eq!(mask(text).0, expected);
        }
    }

    #[test]
    fn what_only_looks_like_personal_data_is_left() {
        for text in [
            "@praha, meet @ 5, a@b, logo@2x.png, npm@8.1.2, x@.cz, user@-a.cz",
            "10.0.0.1, 127.0.0.1, 192.168.1.254, 172.16.4.1, 169.254.0.9, 100.64.0.1, 0.1.2.3, 224.0.0.1, 203.0.113.9",
            "2.6.3.1 Abschnitt 4.2.13.1. 108.0.0.01 999.1.1.1 1.2.3 v1.2.3.4 1.2.3.4.5 1.2.3.4x é1.2.3.4 3.14 12:30:45 00:1a:2b:3c:4d:5e",
            "std::vec a::b fe80::1 ::1 2001:db8::7 2024:10:11 Kl. 20:15",
            "Pris 1.299.000,50 kr. § 4.2.1 afsnit 3.",
            "",
        ] {
            assert_eq!(mask(text), (text.to_owned(), 0, 0));
        }
    }

    #[test]
    fn findings_are_counted_by_kind_in_text_and_title() {
        let mut doc =
            Document { text: "a@b.se c@d.se 185.12.64.3".to_owned(), title: Some("Skriv till e@f.se".to_owned()), ..Document::default() };
        assert_eq!(Pii::default().judge(&mut doc), Verdict::Keep);
        assert_eq!((doc.pii.get("email"), doc.pii.get("ip")), (Some(3), Some(1)));
        assert_eq!(doc.title.as_deref(), Some("Skriv till email@example.com"));
    }

    #[test]
    fn masking_twice_is_masking_once() {
        let once = mask("Scrie la ana.pop@firma.example.ro sau de la 86.120.5.5.").0;
        assert_eq!(mask(&once), (once, 0, 0));
    }

    #[test]
    fn a_list_of_addresses_falls_only_where_a_setting_says_so() {
        let stage = Pii { findings_max: Some(2), ..Pii::default() };
        let mut doc = Document { text: "a@b.hr, c@d.hr, e@f.hr".to_owned(), ..Document::default() };
        assert_eq!(stage.judge(&mut doc), Verdict::broke(TOO_MUCH, 3.0, 2.0));
        let mut doc = Document { text: "a@b.hr, c@d.hr".to_owned(), ..Document::default() };
        assert_eq!(stage.judge(&mut doc), Verdict::Keep);
    }

    #[test]
    fn a_kind_that_is_turned_off_is_neither_masked_nor_counted() {
        let stage = Pii { emails: false, ..Pii::default() };
        let mut doc = Document { text: "a@b.hr 185.12.64.3".to_owned(), ..Document::default() };
        assert_eq!(stage.judge(&mut doc), Verdict::Keep);
        assert_eq!((doc.text.as_str(), doc.pii.get("email"), doc.pii.get("ip")), ("a@b.hr 192.0.2.1", None, Some(1)));
    }

    #[test]
    fn long_runs_of_signs_take_no_long_time() {
        for text in [
            "@".repeat(1_000_000),
            "a@".repeat(500_000),
            "1.".repeat(500_000),
            "2001:".repeat(200_000),
            "a.".repeat(500_000) + "@" + &"a.".repeat(500_000),
        ] {
            mask(&text);
        }
    }
}
