//! What a number is: every kind that fits it is weighed with the words around it, and the surest one wins.
//!
//! The weights are ours, set so that with the usual `confidence_min` of 0.5 a check digit alone is not enough (one number in ten has it), a
//! day of birth with a check digit is enough in a page of that country, and two check digits are enough anywhere but beside `order number`.

use std::cell::OnceCell;

use super::account::{card, iban, iban_form};
use super::context::{Context, Said, countries_of};
use super::dates::{birth_date, is_date_at};
use super::kind::{Finding, Kind};
use super::national::{National, Strength, nationals_like};
use super::phone::{BRACKETS_MAX, Form, may_begin_alone, phone_at};
use super::postal::address;
use super::shape::{Run, may_begin, separator_bytes};
use super::vat::vat;

/// Which kinds are looked for, and in what language.
pub struct Question<'a> {
    pub text: &'a str,
    /// Primary subtag of the page's language, where that is known.
    pub lang: Option<&'a str>,
    pub countries: &'static [&'static str],
    pub wanted: [bool; Kind::ALL.len()],
    pub confidence_min: f32,
}

impl<'a> Question<'a> {
    /// A question about `text`.
    pub fn new(text: &'a str, lang: Option<&'a str>, wanted: [bool; Kind::ALL.len()], confidence_min: f32) -> Question<'a> {
        let lang = lang.filter(|lang| !matches!(*lang, "und" | "mul" | ""));
        Question { text, lang, countries: lang.map_or(&[], countries_of), wanted, confidence_min }
    }

    /// Whether `kind` is looked for.
    pub fn wants(&self, kind: Kind) -> bool {
        self.wanted[kind as usize]
    }
}

/// Letters that may stand before the digits of a number in one word: six of a codice fiscale.
const LETTERS_MAX: usize = 6;

/// Letters and digits of the longest plate.
const PLATE_SIGNS_MAX: usize = 8;

/// How sure a phone number is that nothing speaks for but its length.
const WITHOUT_WORDS: f32 = 0.15;

/// A number under weighing.
struct Weighing<'q, 'a> {
    question: &'q Question<'a>,
    /// First digit, and where its word begins.
    place: usize,
    word: usize,
    context: OnceCell<Context>,
    best: Option<Finding>,
}

/// The finding that has its first digit at `place`, if there is one that is sure enough. `is_quiet`: no letter is near.
pub fn number_at(question: &Question<'_>, place: usize, is_quiet: bool) -> Option<Finding> {
    let bytes = question.text.as_bytes();
    let letters = bytes[..place].iter().rev().take(LETTERS_MAX + 1).take_while(|byte| byte.is_ascii_uppercase()).count();
    if letters > LETTERS_MAX {
        return None;
    }
    if is_short(question, place, letters, is_quiet) || is_quiet && is_in_row_of_digits(bytes, place) {
        return None;
    }
    let mut weighing = Weighing { question, place, word: place - letters, context: OnceCell::new(), best: None };
    if is_quiet {
        weighing.weigh_without_words();
    } else {
        weighing.weigh();
    }
    weighing.best.filter(|best| best.confidence >= question.confidence_min)
}

/// Where the account ends that has its first digit at `place` and is none, since its check digits are wrong: its groups are not looked at.
pub fn broken_account_end(text: &[u8], place: usize) -> Option<usize> {
    let start = place.checked_sub(2).filter(|start| text[*start..place].iter().all(u8::is_ascii_uppercase) && may_begin(text, *start))?;
    let run = Run::at(text, start);
    iban_form(&run).map(|length| run.end(length))
}

/// Fewest digits of a number without capitals, of all kinds but days and addresses: phone numbers and VAT numbers of Romania.
const DIGITS_MIN: usize = 6;

/// Whether a number has fewer digits than any kind and no capitals about it: a year, a price. Most are, and no kind but days and addresses,
/// which need words, is so short. Brackets are counted as a phone number may have them.
fn is_short(question: &Question<'_>, place: usize, letters: usize, is_quiet: bool) -> bool {
    let bytes = question.text.as_bytes();
    if letters > 0 || !is_quiet && (question.wants(Kind::Address) || question.wants(Kind::BirthDate)) {
        return false;
    }
    let (mut digits, mut brackets) = (0, 0);
    for byte in &bytes[place..bytes.len().min(place + 40)] {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'A'..=b'Z' => return false,
            // One more than are counted there, since a zero in brackets is not.
            b'(' if brackets > BRACKETS_MAX => break,
            b'(' => brackets += 1,
            b' ' | b'-' | b'.' | b'/' | b')' | b'+' | 0x80.. => {}
            _ => break,
        }
        if digits >= DIGITS_MIN {
            return false;
        }
    }
    word_before(bytes, place).is_none()
}

/// Whether two single digits with a separator and nothing else begin at `place`, as in `0 1 1 0`: no card and no identifier is written so, and
/// a phone number only behind a plus or bracket.
fn is_in_row_of_digits(text: &[u8], place: usize) -> bool {
    let is_opened = place > 0 && matches!(text[place - 1], b'+' | b'(');
    let single_behind = |at: usize| {
        let gap = separator_bytes(text, at);
        let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
        gap > 0 && is_digit(at + gap) && !is_digit(at + gap + 1)
    };
    !is_opened && place + 1 < text.len() && single_behind(place + 1)
}

impl Weighing<'_, '_> {
    fn context(&self) -> &Context {
        let end = self.question.text.as_bytes()[self.place..].iter().take(40).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        self.context.get_or_init(|| Context::around(self.question.text, self.word, self.place + end, self.question.lang))
    }

    fn weigh(&mut self) {
        let bytes = self.question.text.as_bytes();
        if may_begin(bytes, self.word) {
            let run = Run::at(bytes, self.word);
            self.weigh_account(&run);
            self.weigh_national(&run);
            self.weigh_vat(&run);
            self.weigh_plate(&run);
        }
        for start in words_before(bytes, self.word).into_iter().flatten().filter(|start| may_begin(bytes, *start)) {
            let run = Run::at(bytes, start);
            self.weigh_national(&run);
            self.weigh_vat(&run);
            self.weigh_plate(&run);
        }
        if self.word == self.place {
            self.weigh_phone();
            self.weigh_place_and_day();
        }
    }

    /// What [`Weighing::weigh`] can find where no word is near: neither VAT numbers and plates, which have letters or are named by a word, nor days
    /// and addresses, nor phone numbers without trunk prefix or country code.
    fn weigh_without_words(&mut self) {
        let bytes = self.question.text.as_bytes();
        let _ = self.context.set(Context::default());
        if may_begin(bytes, self.word) {
            let run = Run::at(bytes, self.word);
            self.weigh_account(&run);
            self.weigh_national(&run);
        }
        let is_plus = self.place > 0 && bytes[self.place - 1] == b'+';
        if is_plus || may_begin_alone(bytes[self.place]) || self.question.confidence_min <= WITHOUT_WORDS {
            self.weigh_phone();
        }
    }

    fn offer(&mut self, kind: Kind, which: &'static str, start: usize, end: usize, confidence: f32) {
        if self.question.wants(kind) && self.best.as_ref().is_none_or(|best| confidence > best.confidence) {
            self.best = Some(Finding { span: start..end, kind, which, confidence: confidence.clamp(0.0, 1.0) });
        }
    }

    fn weigh_account(&mut self, run: &Run) {
        if let Some(length) = iban(run) {
            self.offer(Kind::Iban, "", run.start, run.end(length), 0.97);
        }
        if let Some(length) = card(run) {
            let confidence = match self.context() {
                context if context.says(Said::Card) => 0.95,
                context if context.says_no_person() => 0.25,
                _ => 0.65,
            };
            self.offer(Kind::Card, "", run.start, run.end(length), confidence);
        }
    }

    fn weigh_national(&mut self, run: &Run) {
        for national in nationals_like(run) {
            for form in national.forms.iter().filter(|form| run.fits(form)) {
                if let Some(strength) = (national.rule)(run.signs(form.length)) {
                    let confidence = self.trust_in(national, strength);
                    self.offer(Kind::NationalId, national.name, run.start, run.end(form.length), confidence);
                }
            }
        }
    }

    fn trust_in(&self, national: &National, strength: Strength) -> f32 {
        let alone = match strength {
            Strength::Strong => 0.85,
            Strength::Dated => 0.42,
            Strength::Plain => 0.3,
            Strength::Shape => 0.1,
        };
        let is_of_page = self.question.countries.iter().any(|country| national.countries.contains(country));
        // The country that a language is named after comes before its neighbours, where both have the number.
        let is_first = self.question.countries.first().is_some_and(|country| national.countries.contains(country));
        let context = self.context();
        let words = context.speaks_for_id(national.countries);
        let against = if context.says_no_person() {
            0.45
        } else if context.says(Said::Phone) && words == 0.0 {
            0.2
        } else {
            0.0
        };
        alone + words + if is_of_page { 0.12 } else { 0.0 } + if is_first { 0.02 } else { 0.0 } - against
    }

    fn weigh_vat(&mut self, run: &Run) {
        if !self.question.wants(Kind::Vat) {
            return;
        }
        if let Some((length, country)) = vat(run, &[]) {
            let context = self.context();
            let confidence = if context.says(Said::Vat) {
                0.9
            } else if context.says_no_person() {
                0.35
            } else {
                0.7
            };
            self.offer(Kind::Vat, country, run.start, run.end(length), confidence);
        } else if run.all_digits(0, 6) || run.signs(1).first().is_some_and(u8::is_ascii_alphabetic) {
            let countries = self.question.countries;
            if countries.is_empty() {
                return;
            }
            if let Some((length, country)) = vat(run, countries).filter(|_| self.context().says(Said::Vat)) {
                self.offer(Kind::Vat, country, run.start, run.end(length), 0.6);
            }
        }
    }

    fn weigh_plate(&mut self, run: &Run) {
        if !self.question.wants(Kind::Plate) || run.all_digits(0, run.signs(PLATE_SIGNS_MAX).len()) {
            return;
        }
        let is_plate = |length: &usize| {
            let signs = run.signs(*length);
            let digits = signs.iter().filter(|byte| byte.is_ascii_digit()).count();
            signs.len() == *length && digits > 0 && digits < *length && run.stops_at(*length) && run.breaks(*length).count_ones() <= 3
        };
        let Some(length) = (4..=PLATE_SIGNS_MAX).rev().find(is_plate) else { return };
        if self.context().says(Said::Plate) {
            // A longer form wins over the same plate without its first letters.
            self.offer(Kind::Plate, "", run.start, run.end(length), 0.6 + length as f32 / 100.0);
        }
    }

    fn weigh_phone(&mut self) {
        let bytes = self.question.text.as_bytes();
        if !self.question.wants(Kind::Phone) {
            return;
        }
        let start = match self.place.checked_sub(1).map(|before| bytes[before]) {
            Some(b'+' | b'(') => self.place - 1,
            _ => self.place,
        };
        if is_date_at(bytes, self.place) {
            return;
        }
        let Some((end, form, country)) = phone_at(bytes, start, self.question.countries) else { return };
        let context = self.context();
        let is_said = context.says(Said::Phone);
        let (alone, said) = match form {
            Form::International => (0.75, 0.95),
            Form::National => (0.52, 0.85),
            Form::Bare => (WITHOUT_WORDS, 0.66),
            Form::Anywhere => (0.05, 0.56),
        };
        let is_other = [Said::Id, Said::Vat, Said::Bank]
            .iter()
            .any(|other| context.distance(*other).is_some_and(|far| context.distance(Said::Phone).is_none_or(|phone| far < phone)));
        let against = if context.says_no_person() || is_other { 0.3 } else { 0.0 };
        self.offer(Kind::Phone, country, start, end, if is_said { said } else { alone } - against);
    }

    fn weigh_place_and_day(&mut self) {
        let question = self.question;
        if question.wants(Kind::BirthDate)
            && let Some(end) = birth_date(question.text, self.place).filter(|_| self.context().says(Said::Birth))
        {
            self.offer(Kind::BirthDate, "", self.place, end, 0.7);
        }
        if question.wants(Kind::Address)
            && let Some((span, has_postcode)) = address(question.text, self.place)
        {
            let confidence = if has_postcode || self.context().says(Said::Address) { 0.6 } else { 0.4 };
            self.offer(Kind::Address, "", span.start, span.end, confidence);
        }
    }
}

/// Where the one or two words of one to three capitals begin that stand before `word`, with single separators: `B-MW 1234`, `DE 123456788`.
fn words_before(text: &[u8], word: usize) -> [Option<usize>; 2] {
    let one = word_before(text, word);
    // A single letter only if a hyphen joins it: an article is no part of a plate.
    let is_part = |first: &usize, second: usize| {
        text[second - 1] == b'-' || text[*first..second].iter().filter(|byte| byte.is_ascii_uppercase()).count() > 1
    };
    [one, one.and_then(|one| word_before(text, one).filter(|first| is_part(first, one)))]
}

fn word_before(text: &[u8], word: usize) -> Option<usize> {
    let gap = (1..=3).find(|gap| word >= *gap && separator_bytes(text, word - gap) == *gap)?;
    let end = word - gap;
    let letters = text[..end].iter().rev().take(4).take_while(|byte| byte.is_ascii_uppercase()).count();
    matches!(letters, 1..=3).then_some(end - letters)
}
