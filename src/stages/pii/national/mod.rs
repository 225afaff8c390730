//! National identifiers of persons: for every country its written forms and its rule, in one table.
//!
//! A rule is a function on the digits and capitals; where it was published stands in its documentation. How much a match is worth without
//! context depends on what chance would let through: a date and a check digit together are worth more than a check digit alone.

mod east;
mod north;
mod south;
/// Checks that VAT numbers share with identifiers of persons.
pub mod south_checks {
    pub use super::south::{cyprus_check, nif_check};
}
mod west;

use super::shape::{Form, Run};

/// How likely a match is by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// Two check digits or a check letter beside a structure that chance does not meet.
    Strong,
    /// A day of birth and a check digit.
    Dated,
    /// A check digit alone: one number in ten has it.
    Plain,
    /// A form without check digit, or one whose digit is no longer kept: only with context.
    Shape,
}

/// One identifier of one country.
pub struct National {
    /// `pl-pesel`.
    pub name: &'static str,
    /// ISO 3166 codes of the countries that use it, in lower case.
    pub countries: &'static [&'static str],
    /// How it is written.
    pub forms: &'static [Form],
    /// What a number of that form is worth, if its rule holds.
    pub rule: fn(&[u8]) -> Option<Strength>,
}

const fn national(
    name: &'static str,
    countries: &'static [&'static str],
    forms: &'static [Form],
    rule: fn(&[u8]) -> Option<Strength>,
) -> National {
    National { name, countries, forms, rule }
}

/// The forms as the table writes them.
macro_rules! forms {
    ($($written:literal),+) => { &[$(Form::new($written)),+] };
}

/// Every identifier that is known.
pub const NATIONALS: &[National] = &[
    national("de-steuer-id", &["de"], forms!["99999999999", "99 999 999 999"], west::steuer_id),
    national("fr-nir", &["fr"], forms!["999999X99999999", "9999999999999 99", "9 99 99 9X 999 999 99", "999999X999999 99"], west::nir),
    national("be-rijksregisternummer", &["be"], forms!["99999999999", "99 99 99 999 99", "999999 999 99"], west::rijksregisternummer),
    national("nl-bsn", &["nl"], forms!["999999999", "999 999 999", "9999 99 999", "99 99 99 999"], west::bsn),
    national("lu-matricule", &["lu"], forms!["9999999999999", "9999 99 99 999 99", "99999999 99999"], west::matricule),
    national("at-svnr", &["at"], forms!["9999999999", "9999 999999", "9999 99 99 99"], west::svnr),
    national("ch-ahv", &["ch", "li"], forms!["9999999999999", "999 9999 9999 99"], west::ahv),
    national("ie-pps", &["ie"], forms!["9999999A", "9999999AA", "9999999 A", "9999999 AA"], west::pps),
    national("es-dni", &["es"], forms!["99999999A", "99999999 A", "99 999 999 A"], south::dni),
    national("es-nie", &["es"], forms!["A9999999A", "A 9999999 A", "A9999999 A"], south::nie),
    national("pt-nif", &["pt"], forms!["999999999", "999 999 999"], south::nif),
    national("it-codice-fiscale", &["it"], forms!["AAAAAAXXAXXAXXXA", "AAA AAA XXAXX AXXXA"], south::codice_fiscale),
    national("gr-amka", &["gr"], forms!["99999999999", "999999 99999"], south::amka),
    national("mt-id", &["mt"], forms!["9999999A", "999999A"], south::malta),
    national("cy-tic", &["cy"], forms!["99999999A"], south::cyprus_tax),
    national("cy-id", &["cy"], forms!["9999999"], south::cyprus_card),
    national("hr-oib", &["hr"], forms!["99999999999"], south::oib),
    national("si-emso", &["si"], forms!["9999999999999"], south::emso),
    national("jmbg", &["rs", "ba", "me", "mk", "hr"], forms!["9999999999999"], south::jmbg),
    national("se-personnummer", &["se"], forms!["999999 9999", "9999999999", "99999999 9999", "999999999999"], north::personnummer),
    national("fi-henkilotunnus", &["fi"], forms!["999999 999X", "999999A999X"], north::henkilotunnus),
    national("dk-cpr", &["dk"], forms!["999999 9999", "9999999999"], north::cpr),
    national("no-fodselsnummer", &["no"], forms!["99999999999", "999999 99999"], north::fodselsnummer),
    national("lt-asmens-kodas", &["lt"], forms!["99999999999"], north::isikukood),
    national("ee-isikukood", &["ee"], forms!["99999999999"], north::isikukood),
    national("lv-personas-kods", &["lv"], forms!["999999 99999", "99999999999"], north::personas_kods),
    national("pl-pesel", &["pl"], forms!["99999999999"], east::pesel),
    national("cz-rodne-cislo", &["cz"], forms!["999999 9999", "9999999999", "999999 999"], east::rodne_cislo),
    national("sk-rodne-cislo", &["sk"], forms!["999999 9999", "9999999999", "999999 999"], east::rodne_cislo),
    national("hu-szemelyi-szam", &["hu"], forms!["99999999999", "9 999999 9999"], east::szemelyi_szam),
    national("hu-taj", &["hu"], forms!["999999999", "999 999 999"], east::taj),
    national("ro-cnp", &["ro", "md"], forms!["9999999999999"], east::cnp),
    national("bg-egn", &["bg"], forms!["9999999999"], east::egn),
];

/// By where the first separators stand, a bit for each of [`NATIONALS`] that has such a form. All forms have more than the four signs.
const BY_FIRST_BREAKS: [u64; 16] = {
    let mut table = [0; 16];
    let mut which = 0;
    while which < NATIONALS.len() {
        let forms = NATIONALS[which].forms;
        let mut form = 0;
        while form < forms.len() {
            table[forms[form].first_breaks()] |= 1 << which;
            form += 1;
        }
        which += 1;
    }
    table
};

/// Those that have a form with separators where `run` has its first ones, in the order of the table.
pub fn nationals_like(run: &Run) -> impl Iterator<Item = &'static National> {
    let mut rest = BY_FIRST_BREAKS[run.first_breaks()];
    std::iter::from_fn(move || {
        let which = rest.trailing_zeros() as usize;
        rest &= rest.wrapping_sub(1);
        NATIONALS.get(which)
    })
}
