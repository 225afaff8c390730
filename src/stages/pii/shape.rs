//! The written form of a number: its digits and capitals without separators, and where separators stood.
//!
//! A number is read once into a [`Run`], with a bit for every place. A form such as `99 999 999 999` is made into the same bits, so that
//! a candidate is held against a form in three comparisons, and against all forms of all countries in less than 0.1 microseconds.

use super::border::{is_border_after, is_border_before};

/// The longest identifier has 34 signs (IBAN).
const SIGNS_MAX: usize = 40;
/// Of those that begin with a digit the longest has 19 (a card).
const SIGNS_FROM_DIGIT_MAX: usize = 20;

/// Digits and capitals from a place on, with single separators between them.
pub struct Run {
    /// Where it begins, in bytes.
    pub start: usize,
    signs: [u8; SIGNS_MAX],
    ends: [usize; SIGNS_MAX],
    count: usize,
    digits: u64,
    /// Bit n: a separator stands before sign n.
    breaks: u64,
    /// Bit n: no letter or digit touches sign n - 1 from behind, so that a number may end there.
    stops: u64,
}

/// How many bytes the separator at `at` has; 0 where there is none. Spaces of all widths, hyphens, dot, slash.
pub fn separator_bytes(bytes: &[u8], at: usize) -> usize {
    match &bytes[at..bytes.len().min(at + 3)] {
        [b' ' | b'-' | b'.' | b'/' | b'+', ..] => 1,
        [0xC2, 0xA0, ..] => 2,
        [0xE2, 0x80, 0x89 | 0xAF | 0x90 | 0x91 | 0x93] => 3,
        _ => 0,
    }
}

impl Run {
    /// The signs from `start` on.
    pub fn at(text: &[u8], start: usize) -> Run {
        let mut run = Run { start, signs: [0; SIGNS_MAX], ends: [0; SIGNS_MAX], count: 0, digits: 0, breaks: 0, stops: 0 };
        let begins_with_digit = text.get(start).is_some_and(u8::is_ascii_digit);
        let signs_max = if begins_with_digit { SIGNS_FROM_DIGIT_MAX } else { SIGNS_MAX };
        let mut at = start;
        while run.count < signs_max {
            let Some(byte @ (b'0'..=b'9' | b'A'..=b'Z')) = text.get(at).copied() else {
                let gap = if at < text.len() && run.breaks >> run.count & 1 == 0 { separator_bytes(text, at) } else { 0 };
                if gap == 0 || run.count == 0 {
                    break;
                }
                run.breaks |= 1 << run.count;
                at += gap;
                continue;
            };
            run.signs[run.count] = byte;
            run.digits |= u64::from(byte.is_ascii_digit()) << run.count;
            at += 1;
            run.count += 1;
            run.ends[run.count - 1] = at;
            run.stops |= u64::from(is_border_after(text, at)) << run.count;
        }
        run
    }

    /// The first `length` signs.
    pub fn signs(&self, length: usize) -> &[u8] {
        &self.signs[..length.min(self.count)]
    }

    /// Where the first `length` signs end, in bytes.
    pub fn end(&self, length: usize) -> usize {
        self.ends[length - 1]
    }

    /// Whether a number of `length` signs may end there.
    pub fn stops_at(&self, length: usize) -> bool {
        length <= self.count && self.stops >> length & 1 == 1
    }

    /// The places of separators among the first `length` signs.
    pub fn breaks(&self, length: usize) -> u64 {
        self.breaks & below(length)
    }

    /// Which of signs 1 to 4 have a separator before them, as a number below 16: what forms are told apart by first.
    pub fn first_breaks(&self) -> usize {
        (self.breaks >> 1 & 15) as usize
    }

    /// Whether the first `length` signs are digits from sign `from` on.
    pub fn all_digits(&self, from: usize, length: usize) -> bool {
        let wanted = below(length) & !below(from);
        length <= self.count && self.digits & wanted == wanted
    }

    /// Whether it begins in this form and may end behind it.
    pub fn fits(&self, form: &Form) -> bool {
        self.count >= form.length
            && self.breaks(form.length) == form.breaks
            && (self.digits & below(form.length) ^ form.digits) & !form.either == 0
            && self.stops_at(form.length)
    }
}

/// Bits 0 to `length` - 1.
fn below(length: usize) -> u64 {
    (1 << length) - 1
}

/// A written form: `9` a digit, `A` a capital, `X` either, a space any separator.
#[derive(Debug)]
pub struct Form {
    /// Signs without separators.
    pub length: usize,
    digits: u64,
    either: u64,
    breaks: u64,
}

impl Form {
    /// Whether sign `place` must be a digit.
    #[cfg(test)]
    pub fn is_digit(&self, place: usize) -> bool {
        (self.digits | self.either) >> place & 1 == 1
    }

    /// As [`Run::first_breaks`].
    pub const fn first_breaks(&self) -> usize {
        (self.breaks >> 1 & 15) as usize
    }

    /// The form as `written`.
    pub const fn new(written: &str) -> Form {
        let written = written.as_bytes();
        let mut form = Form { length: 0, digits: 0, either: 0, breaks: 0 };
        let mut at = 0;
        while at < written.len() {
            match written[at] {
                b' ' => form.breaks |= 1 << form.length,
                sign => {
                    if sign == b'9' {
                        form.digits |= 1 << form.length;
                    } else if sign == b'X' {
                        form.either |= 1 << form.length;
                    }
                    form.length += 1;
                }
            }
            at += 1;
        }
        form
    }
}

/// Whether a number may begin at `start`.
pub fn may_begin(text: &[u8], start: usize) -> bool {
    is_border_before(text, start)
}
