//! What can be found, and a finding.

use std::ops::Range;

/// A kind of personal data. The names are those of the column `pii`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Email,
    Ip,
    Phone,
    Iban,
    Card,
    NationalId,
    Vat,
    Plate,
    Address,
    BirthDate,
}

impl Kind {
    /// All kinds, in the order of the column.
    pub const ALL: [Kind; 10] = [
        Kind::Email,
        Kind::Ip,
        Kind::Phone,
        Kind::Iban,
        Kind::Card,
        Kind::NationalId,
        Kind::Vat,
        Kind::Plate,
        Kind::Address,
        Kind::BirthDate,
    ];

    /// Its name in columns and reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Email => "email",
            Kind::Ip => "ip",
            Kind::Phone => "phone",
            Kind::Iban => "iban",
            Kind::Card => "card",
            Kind::NationalId => "national_id",
            Kind::Vat => "vat",
            Kind::Plate => "plate",
            Kind::Address => "address",
            Kind::BirthDate => "birth_date",
        }
    }
}

/// One place of a text that is somebody's.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
    /// Which one of its kind, where there are several: `pl-pesel`, or the country of a phone or VAT number; else empty.
    pub which: &'static str,
    /// How sure that is, 0 to 1. An order of likelihood, not a measured probability.
    pub confidence: f32,
}
