//! Dates of captures: WARC's W3C-DTF (`2026-05-01T01:19:10Z`, in WARC 1.1 also shorter or finer) and ARC's fourteen digits.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Milliseconds since 1970, UTC, or `None` where the text is no date.
#[must_use]
pub fn milliseconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && text.len() >= 8 {
        return from_digits(text.get(..text.len().min(14))?);
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_millisecond());
    }
    let civil = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.trim_end_matches(['Z', 'z']).to_owned(),
    };
    in_utc(civil.parse::<DateTime>().ok()?)
}

fn from_digits(digits: &str) -> Option<i64> {
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<i8>().ok());
    let year = digits.get(..4)?.parse().ok()?;
    in_utc(DateTime::new(year, part(4, 6)?, part(6, 8)?, part(8, 10)?, part(10, 12)?, part(12, 14)?, 0).ok()?)
}

fn in_utc(civil: DateTime) -> Option<i64> {
    TimeZone::UTC.to_timestamp(civil).ok().map(|moment| moment.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_dates_are_read_and_nonsense_is_none() {
        let first_of_may = Some(1_777_598_350_000);
        assert_eq!(milliseconds("2026-05-01T01:19:10Z"), first_of_may);
        assert_eq!(milliseconds("2026-05-01t01:19:10z"), first_of_may);
        assert_eq!(milliseconds("2026-05-01T03:19:10+02:00"), first_of_may);
        assert_eq!(milliseconds("20260501011910"), first_of_may);
        assert_eq!(milliseconds("2026-05-01T01:19:10.5Z"), Some(1_777_598_350_500));
        assert_eq!(milliseconds("2026-05-01"), Some(1_777_593_600_000));
        assert_eq!(milliseconds("2026-05"), Some(1_777_593_600_000));
        for nonsense in ["", "blue monday", "2008-10-294T05:21:46-0700", "20261399", "99999999999999"] {
            assert_eq!(milliseconds(nonsense), None, "{nonsense}");
        }
    }
}
