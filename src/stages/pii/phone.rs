//! Phone numbers of every European country: international with a known country code, or national in pages of that country.
//!
//! Lengths are those of the national numbering plans that the ITU lists (E.164, "National Numbering Plans"). A national number is one only
//! where a word says so, or where it has the trunk prefix, separators and the length of a country that speaks the page's language.

use super::border::{is_border_after, is_border_before};
use super::shape::separator_bytes;

/// A country's plan: ISO code, country code, trunk prefix, fewest and most digits behind it.
struct Plan(&'static str, &'static str, &'static str, usize, usize);

const PLANS: &[Plan] = &[
    Plan("ad", "376", "", 6, 9),
    Plan("al", "355", "0", 8, 9),
    Plan("at", "43", "0", 6, 13),
    Plan("ba", "387", "0", 8, 9),
    Plan("be", "32", "0", 8, 9),
    Plan("bg", "359", "0", 7, 9),
    Plan("by", "375", "80", 9, 9),
    Plan("ch", "41", "0", 9, 9),
    Plan("cy", "357", "", 8, 8),
    Plan("cz", "420", "", 9, 9),
    Plan("de", "49", "0", 6, 11),
    Plan("dk", "45", "", 8, 8),
    Plan("ee", "372", "", 7, 8),
    Plan("es", "34", "", 9, 9),
    Plan("fi", "358", "0", 5, 11),
    Plan("fo", "298", "", 6, 6),
    Plan("fr", "33", "0", 9, 9),
    Plan("gb", "44", "0", 9, 10),
    Plan("gi", "350", "", 8, 8),
    Plan("gr", "30", "", 10, 10),
    Plan("hr", "385", "0", 8, 9),
    Plan("hu", "36", "06", 8, 9),
    Plan("ie", "353", "0", 7, 9),
    Plan("is", "354", "", 7, 7),
    Plan("it", "39", "", 8, 11),
    Plan("li", "423", "", 7, 7),
    Plan("lt", "370", "0", 8, 8),
    Plan("lu", "352", "", 5, 11),
    Plan("lv", "371", "", 8, 8),
    Plan("mc", "377", "", 8, 9),
    Plan("md", "373", "0", 8, 8),
    Plan("me", "382", "0", 8, 8),
    Plan("mk", "389", "0", 8, 8),
    Plan("mt", "356", "", 8, 8),
    Plan("nl", "31", "0", 9, 9),
    Plan("no", "47", "", 8, 8),
    Plan("pl", "48", "", 9, 9),
    Plan("pt", "351", "", 9, 9),
    Plan("ro", "40", "0", 9, 9),
    Plan("rs", "381", "0", 7, 9),
    Plan("ru", "7", "8", 10, 10),
    Plan("se", "46", "0", 7, 9),
    Plan("si", "386", "0", 8, 8),
    Plan("sk", "421", "0", 9, 9),
    Plan("sm", "378", "", 6, 10),
    Plan("tr", "90", "0", 10, 10),
    Plan("ua", "380", "0", 9, 9),
    Plan("xk", "383", "0", 8, 8),
];

/// E.164: the most digits of a number with its country code. Two more for `00`.
const DIGITS_MAX: usize = 17;

/// Brackets that open in a number, beside those of `(0)`: more are a list, whose entries would each be read to the end of the longest number.
pub const BRACKETS_MAX: usize = 3;

/// What was read of a number, up to each place where it may end. Nothing of it is allocated: rows of numbers have one at every second byte.
#[derive(Default)]
struct Dialled {
    signs: [u8; DIGITS_MAX],
    count: usize,
    /// Places where it may end: digits so far, bytes so far, separators so far.
    places: [(usize, usize, usize); DIGITS_MAX],
    ends: usize,
}

impl Dialled {
    fn digits(&self) -> &[u8] {
        &self.signs[..self.count]
    }

    fn ends(&self) -> &[(usize, usize, usize)] {
        &self.places[..self.ends]
    }

    fn push(&mut self, digit: u8) {
        self.signs[self.count] = digit;
        self.count += 1;
    }

    /// It may end at byte `at`.
    fn may_end(&mut self, at: usize, separators: usize) {
        self.places[self.ends] = (self.count, at, separators);
        self.ends += 1;
    }
}

/// How sure a number is: by its country code, by its form in a page of its country, or only if a word says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    International,
    National,
    /// As long as a number of a country of the page, but without trunk prefix or separators.
    Bare,
    /// As long as a number of any country.
    Anywhere,
}

/// The number that begins at `start` (a plus, a bracket or a digit): where it ends, its form, its country.
pub fn phone_at(text: &[u8], start: usize, countries: &[&str]) -> Option<(usize, Form, &'static str)> {
    if !is_border_before(text, start) {
        return None;
    }
    let is_plus = text[start] == b'+';
    // A home form begins with at least two digits, but in brackets: `1 2 3 4` is a row of a table.
    let begins_with_one = text[start].is_ascii_digit() && !text.get(start + 1).is_some_and(u8::is_ascii_digit);
    if begins_with_one {
        return None;
    }
    let dialled = dial(text, start + usize::from(is_plus));
    if dialled.count < 6 {
        return None;
    }
    // No end of it can be one of a country that there is none of.
    if is_plus && !PLANS.iter().any(|plan| dialled.digits().starts_with(plan.1.as_bytes())) {
        return None;
    }
    let plans_of_page: Vec<&Plan> = PLANS.iter().filter(|plan| !is_plus && countries.contains(&plan.0)).collect();
    for (count, end, separators) in dialled.ends().iter().rev().copied() {
        let digits = &dialled.digits()[..count];
        if let Some(country) = international(digits, is_plus) {
            return Some((end, Form::International, country));
        }
        if is_plus || count < 7 {
            continue;
        }
        let of_country = plans_of_page.iter().find(|plan| national(digits, plan));
        if let Some(plan) = of_country {
            let is_whole = dialled.ends().last().is_some_and(|last| last.1 == end);
            let is_sure = !plan.2.is_empty() && is_whole && matches!(count, 10..=12) && is_grouped(&text[start..end]);
            return Some((end, if is_sure { Form::National } else { Form::Bare }, plan.0));
        }
        if matches!(count, 7..=12) && (separators > 0 || count >= 8) && PLANS.iter().any(|plan| national(digits, plan)) {
            return Some((end, Form::Anywhere, ""));
        }
    }
    None
}

/// Whether a number may be told by its digits alone, without a word or plus, if this is the first: `00` and all trunk prefixes.
pub fn may_begin_alone(first: u8) -> bool {
    PLANS.iter().any(|plan| plan.2.as_bytes().first() == Some(&first))
}

fn dial(text: &[u8], start: usize) -> Dialled {
    let mut dialled = Dialled::default();
    let (mut at, mut gaps, mut separators, mut has_zero, mut brackets) = (start, 0, 0, false, 0);
    loop {
        // `(0)` is what one leaves out when one dials the country code.
        if !has_zero && text[at.min(text.len())..].starts_with(b"(0)") && dialled.count > 0 {
            (at, has_zero) = (at + 3, true);
            continue;
        }
        match text.get(at) {
            Some(digit) if digit.is_ascii_digit() => {
                if dialled.count == DIGITS_MAX {
                    break;
                }
                separators += usize::from(gaps > 0);
                dialled.push(*digit);
                (at, gaps) = (at + 1, 0);
                if !text.get(at).is_some_and(u8::is_ascii_digit) && is_border_after_digits(text, at) {
                    dialled.may_end(at, separators);
                }
            }
            Some(bracket @ (b'(' | b')')) if gaps < 3 && brackets < BRACKETS_MAX => {
                (at, gaps) = (at + 1, gaps + 1);
                brackets += usize::from(*bracket == b'(');
            }
            Some(_) if gaps < 3 && separator_bytes(text, at) > 0 => (at, gaps) = (at + separator_bytes(text, at), gaps + 1),
            _ => break,
        }
    }
    dialled
}

/// Whether a group of digits may be the last one: unlike other numbers a phone number may be followed by a slash and another one.
fn is_border_after_digits(text: &[u8], end: usize) -> bool {
    text.get(end) == Some(&b'/') || is_border_after(text, end)
}

/// Whether digits stand in two to five groups of two and more, as in a number that is dialled and in few tables and lists.
fn is_grouped(written: &[u8]) -> bool {
    let groups = written.split(|byte| !byte.is_ascii_digit()).map(<[u8]>::len).filter(|length| *length > 0);
    let (mut count, mut all_long) = (0, true);
    for length in groups {
        (count, all_long) = (count + 1, all_long && length >= 2);
    }
    all_long && matches!(count, 2..=5)
}

fn international(digits: &[u8], is_plus: bool) -> Option<&'static str> {
    let behind = if is_plus { digits } else { digits.strip_prefix(b"00")? };
    let plan = PLANS.iter().find(|plan| {
        let subscriber = behind.strip_prefix(plan.1.as_bytes());
        subscriber.is_some_and(|subscriber| {
            (plan.3..=plan.4).contains(&subscriber.len()) && (plan.0 == "it" || subscriber[0] != b'0' || plan.2 == "0")
        })
    })?;
    Some(plan.0)
}

fn national(digits: &[u8], plan: &Plan) -> bool {
    let Some(subscriber) = digits.strip_prefix(plan.2.as_bytes()) else { return false };
    let begins = plan.0 == "it" || !matches!(subscriber.first(), None | Some(b'0')) && (!plan.2.is_empty() || subscriber[0] != b'1');
    begins && subscriber.len() >= 6 && (plan.3..=plan.4).contains(&subscriber.len())
}
