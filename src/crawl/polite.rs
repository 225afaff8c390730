//! When a host may be asked again: pure arithmetic on what it said and how long it took. Times are ms since 1970.

use std::time::Duration;

use super::settings::CrawlSettings;

/// The longest wait that a Retry-After is followed for; a host that asks for more is left alone for the night.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);
/// First wait after a fault or an overload; it doubles with each in a row.
const BACK_OFF: Duration = Duration::from_secs(30);
/// The longest such wait.
const BACK_OFF_MAX: Duration = Duration::from_secs(3600);

/// What a request came to, as politeness sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came<'a> {
    /// An answer.
    Answer {
        /// Status code.
        status: u16,
        /// ms that it took.
        took_ms: u64,
        /// The header `Retry-After`.
        retry_after: Option<&'a str>,
    },
    /// No answer.
    Fault,
}

/// Patience with one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Patience {
    /// Before then it is not asked.
    pub next_ms: u64,
    /// Faults and overloads in a row.
    pub faults: u32,
    /// Whether it is left alone for the rest of the night.
    pub parked: bool,
}

impl Patience {
    /// What is to be kept after something came at `now`, from a host that asked for pauses of `crawl_delay` seconds.
    #[must_use]
    pub fn after(self, came: &Came<'_>, crawl_delay: Option<f64>, now: u64, settings: &CrawlSettings) -> Patience {
        let pause = |took_ms: u64| {
            let asked = crawl_delay.map_or(0, |seconds| (seconds * 1e3) as u64);
            settings.delay_ms_min.max(took_ms.saturating_mul(u64::from(settings.delay_factor))).max(asked)
        };
        match came {
            Came::Answer { status: 429 | 503, took_ms, retry_after } => {
                let faults = self.faults + 1;
                let asked = retry_after.and_then(|value| wait_for(value, now));
                let wait = asked.unwrap_or_else(|| backed_off(faults)).max(Duration::from_millis(pause(*took_ms)));
                self.waiting(now, wait, faults, settings)
            }
            Came::Answer { status: 500..=599, took_ms, .. } => {
                let faults = self.faults + 1;
                self.waiting(now, backed_off(faults).max(Duration::from_millis(pause(*took_ms))), faults, settings)
            }
            Came::Answer { took_ms, .. } => Patience { next_ms: now + pause(*took_ms), faults: 0, parked: self.parked },
            Came::Fault => self.waiting(now, backed_off(self.faults + 1), self.faults + 1, settings),
        }
    }

    fn waiting(self, now: u64, wait: Duration, faults: u32, settings: &CrawlSettings) -> Patience {
        let parked = self.parked || faults >= settings.faults_max || wait > RETRY_AFTER_MAX;
        Patience { next_ms: now + wait.as_millis() as u64, faults, parked }
    }
}

fn backed_off(faults: u32) -> Duration {
    BACK_OFF.saturating_mul(1 << (faults.saturating_sub(1)).min(10)).min(BACK_OFF_MAX)
}

/// The wait that a `Retry-After` asks for: seconds, or a date (RFC 9110, 10.2.3).
#[must_use]
pub fn wait_for(value: &str, now: u64) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value.trim()).ok()?;
    let at = date.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis() as u64;
    Some(Duration::from_millis(at.saturating_sub(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000_000;

    fn wait(came: &Came<'_>, crawl_delay: Option<f64>) -> u64 {
        Patience::default().after(came, crawl_delay, NOW, &CrawlSettings::default()).next_ms - NOW
    }

    fn answer(status: u16, took_ms: u64, retry_after: Option<&str>) -> Came<'_> {
        Came::Answer { status, took_ms, retry_after }
    }

    #[test]
    fn the_pause_is_the_longest_of_what_settings_server_and_its_speed_ask_for() {
        assert_eq!(wait(&answer(200, 100, None), None), 5_000);
        assert_eq!(wait(&answer(404, 3_000, None), None), 15_000);
        assert_eq!(wait(&answer(200, 100, None), Some(12.5)), 12_500);
    }

    #[test]
    fn an_overloaded_server_is_given_the_time_that_it_asks_for_in_both_forms() {
        assert_eq!(wait(&answer(429, 10, Some("120")), None), 120_000);
        let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_millis(NOW + 300_000));
        assert_eq!(wait(&answer(503, 10, Some(&date)), None), 300_000);
        assert_eq!(wait(&answer(503, 10, Some("soon")), None), 30_000);
        assert_eq!(wait(&answer(429, 10, Some("0")), None), 5_000);
    }

    #[test]
    fn faults_back_off_and_end_in_a_parked_host_and_an_answer_forgives_them() {
        let settings = CrawlSettings::default();
        let mut patience = Patience::default();
        for (faults, seconds) in [(1, 30), (2, 60), (3, 120), (4, 240)] {
            patience = patience.after(&Came::Fault, None, NOW, &settings);
            assert_eq!((patience.faults, patience.next_ms - NOW, patience.parked), (faults, seconds * 1_000, false));
        }
        assert_eq!(patience.after(&answer(200, 1, None), None, NOW, &settings).faults, 0);
        assert!(patience.after(&answer(500, 1, None), None, NOW, &settings).parked);
        assert!(Patience::default().after(&answer(503, 1, Some("999999")), None, NOW, &settings).parked);
    }
}
