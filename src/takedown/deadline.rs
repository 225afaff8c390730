//! When a request must be answered: one month after it came, by the calendar (GDPR Art. 12(3)).
//!
//! A month ends on the day with the same number, or on the last day of a shorter month (Regulation 1182/71, Art. 3(2)(c)): what came on
//! 31 January is due on 28 or 29 February. It may be extended by two further months, for a reason that the person is told within the first.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

/// The day on which a request of `received` is due.
#[must_use]
pub fn due(received: Date, extended: bool) -> Date {
    let months: Span = if extended { 3.months() } else { 1.month() };
    received.saturating_add(months)
}

/// Days from `today` to `due`; negative when it is past.
#[must_use]
pub fn days_left(due: Date, today: Date) -> i32 {
    (due - today).get_days()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_month_ends_on_the_same_day_or_on_the_last_one() {
        for (received, extended, expected) in [
            (date(2026, 11, 20), false, date(2026, 12, 20)),
            (date(2026, 1, 31), false, date(2026, 2, 28)),
            (date(2028, 1, 31), false, date(2028, 2, 29)),
            (date(2026, 11, 30), true, date(2027, 2, 28)),
            (date(2026, 12, 31), false, date(2027, 1, 31)),
        ] {
            assert_eq!(due(received, extended), expected, "{received}");
        }
        assert_eq!(days_left(date(2026, 12, 20), date(2026, 11, 25)), 25);
        assert_eq!(days_left(date(2026, 12, 20), date(2026, 12, 22)), -2);
    }
}
