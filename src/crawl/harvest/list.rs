//! The conversation with one repository: what is new on its list since the last time.
//!
//! Nothing that a repository says of order, size or time is believed. What was taken is known by identifier and state, so a list can be asked
//! for again from its beginning whenever it goes wrong, and its date of beginning moves on only when its end was reached. Dates are the
//! repository's own, as its clock decides what it shows, but never later than ours.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::HarvestError;
use super::memory::{Standing, key_of, state_of};
use super::settings::HarvestSettings;
use super::visitor::{Unheard, Visitor};
use crate::archive::coding;
use crate::archive::http::Response;
use crate::crawl::fetch::Fetched;
use crate::crawl::night::now_ms;
use crate::crawl::writer::joined;
use crate::formats::oai::{self, Answer, Harvested, Identify};

/// How often a record whose text cannot be had is tried, on as many nights.
pub(super) const TRIES_MAX: u32 = 5;
/// How often an answer that is none is asked for again.
const MALFORMED_MAX: u32 = 3;

/// How often in a row a list is begun anew without bringing anything.
const VAIN_MAX: u32 = 5;

/// What a list brought.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Records that are new or changed, each once, in the order in which they came first.
    pub(super) new: Vec<Harvested>,
    /// Deleted records, with their state; and whether they were ever taken.
    pub(super) deleted: Vec<(u128, u64, bool)>,
    /// Records that were known in this state, each time that they came.
    pub(super) unchanged: u64,
    pub(super) pages: u64,
    /// The repository's time when the list began.
    pub(super) began_ms: u64,
    pub(super) granularity: String,
    pub(super) end: End,
}

/// How a list ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    /// At its end.
    #[default]
    Whole,
    /// At the most that one night takes; with this it goes on.
    Limit(String),
    /// Before its end, and why: it is asked for anew.
    Broken(String),
    /// Somebody wished it.
    Stopped,
}

/// What is known of a record: its state, and how often its text could not be had.
type Known<'k> = &'k dyn Fn(u128) -> Result<Option<(u64, u32)>, HarvestError>;

/// Lists what is new in the repository at `base`.
pub(super) async fn list(
    visitor: &mut Visitor<'_>,
    known: Known<'_>,
    base: &Url,
    settings: &HarvestSettings,
    standing: &Standing,
) -> Result<Listed, HarvestError> {
    let mut listing = Listing { visitor, known, base, settings, listed: Listed::default(), at: BTreeMap::new(), gone: BTreeMap::new() };
    let end = match listing.identify().await {
        Ok(identify) => listing.walk(&identify, standing).await?,
        Err(end) => end,
    };
    let Listing { mut listed, at, gone, .. } = listing;
    // What came as deleted later is not fetched.
    let places: BTreeSet<usize> = at.into_values().collect();
    let all = std::mem::take(&mut listed.new).into_iter().enumerate();
    listed.new = all.filter(|(place, _)| places.contains(place)).map(|(_, record)| record).collect();
    listed.deleted = gone.into_iter().map(|(key, (_, state, was_taken))| (key, state, was_taken)).collect();
    Ok(Listed { end, ..listed })
}

struct Listing<'l, 'w> {
    visitor: &'l mut Visitor<'w>,
    known: Known<'l>,
    base: &'l Url,
    settings: &'l HarvestSettings,
    listed: Listed,
    /// Where each new record stands in the list.
    at: BTreeMap<u128, usize>,
    /// Deleted records: date, state, and whether they were taken before.
    gone: BTreeMap<u128, (String, u64, bool)>,
}

/// What a list is asked with.
struct Way {
    token: String,
    from: String,
    /// Pages since it was begun.
    pages: u64,
    /// New records when it was begun.
    known: usize,
    /// Beginnings in a row that brought nothing new.
    vain: u32,
    seen: BTreeSet<u64>,
}

impl Listing<'_, '_> {
    async fn identify(&mut self) -> Result<Identify, End> {
        let answer = self.ask(&[("verb", "Identify")]).await?;
        match answer.errors.first() {
            Some((code, words)) => Err(End::Broken(format!("{code}: {words}"))),
            None => Ok(answer.identify),
        }
    }

    async fn walk(&mut self, identify: &Identify, standing: &Standing) -> Result<End, HarvestError> {
        self.listed.granularity.clone_from(&identify.granularity);
        self.listed.began_ms = standing.began_ms;
        let from =
            if standing.from.is_empty() || before(&standing.from, &identify.earliest) { String::new() } else { standing.from.clone() };
        let mut way = Way { token: standing.token.clone(), from, pages: 0, known: 0, vain: 0, seen: BTreeSet::new() };
        loop {
            let answer = match self.page(&way).await {
                Ok(answer) => answer,
                Err(end) => return Ok(end),
            };
            if answer.has_error("noRecordsMatch") {
                self.begun(&way, &answer);
                return Ok(End::Whole);
            }
            if answer.has_error("badResumptionToken") && !way.token.is_empty() {
                // It expired. New beginnings must bring something now and then, or the list never ends.
                let known = self.listed.new.len();
                let vain = if known > way.known { 0 } else { way.vain + 1 };
                if vain > VAIN_MAX {
                    return Ok(End::Broken("its resumption tokens expire before they can be used".to_owned()));
                }
                way = Way { token: String::new(), known, vain, seen: BTreeSet::new(), pages: 0, from: way.from };
                continue;
            }
            if answer.has_error("badArgument") && !way.from.is_empty() && way.token.is_empty() {
                // Some take days only, whatever they say; some take no date at all.
                way.from = if way.from.len() > 10 { way.from[..10].to_owned() } else { String::new() };
                continue;
            }
            if let Some((code, words)) = answer.errors.first() {
                return Ok(End::Broken(format!("{code}: {words}")));
            }
            self.begun(&way, &answer);
            way.pages += 1;
            self.listed.pages += 1;
            self.take(answer.records)?;
            let Some(token) = answer.token else { return Ok(End::Whole) };
            if !way.seen.insert(xxh3_64(token.as_bytes())) {
                return Ok(End::Broken("its list leads back to where it was".to_owned()));
            }
            if self.listed.new.len() >= self.settings.records_max {
                return Ok(End::Limit(token));
            }
            way.token = token;
        }
    }

    /// Notes the time at which a list begins.
    fn begun(&mut self, way: &Way, answer: &Answer) {
        if way.token.is_empty() && way.pages == 0 {
            let now = now_ms();
            let said = answer.response_date.parse::<Timestamp>().ok().and_then(|at| u64::try_from(at.as_millisecond()).ok());
            self.listed.began_ms = said.unwrap_or(now).min(now);
        }
    }

    async fn page(&mut self, way: &Way) -> Result<Answer, End> {
        if !way.token.is_empty() {
            return self.ask(&[("verb", "ListRecords"), ("resumptionToken", &way.token)]).await;
        }
        let prefix = self.settings.metadata_prefix.clone();
        let set = self.settings.set.clone();
        let asked = [("verb", "ListRecords"), ("metadataPrefix", prefix.as_str()), ("set", &set), ("from", &way.from)];
        self.ask(&asked.into_iter().filter(|(_, value)| !value.is_empty()).collect::<Vec<_>>()).await
    }

    async fn ask(&mut self, asked: &[(&str, &str)]) -> Result<Answer, End> {
        let mut url = self.base.clone();
        url.query_pairs_mut().extend_pairs(asked);
        let mut why = "what it answers is no OAI-PMH".to_owned();
        for _ in 0..MALFORMED_MAX {
            match self.visitor.get(&url, false, self.settings.faults_max.max(1)).await {
                Ok((_, fetched)) => {
                    let status = fetched.status;
                    match body(&fetched, self.settings.body_bytes_max.as_usize()).and_then(|body| oai::read(body).ok()) {
                        Some(answer) => return Ok(answer),
                        None if status >= 400 => why = format!("http-{status}"),
                        None => {}
                    }
                }
                Err(Unheard::Stopped) => return Err(End::Stopped),
                Err(Unheard::Over) => return Err(End::Broken("the night is over".to_owned())),
                Err(Unheard::Refused(word)) => return Err(End::Broken(word.to_owned())),
                Err(Unheard::Failed(word)) => return Err(End::Broken(word)),
            }
        }
        Err(End::Broken(why))
    }

    fn take(&mut self, records: Vec<Harvested>) -> Result<(), HarvestError> {
        for record in records.into_iter().filter(|record| !record.identifier.is_empty()) {
            let (key, state) = (key_of(self.base.as_str(), &record.identifier), state_of(&record));
            let known = (self.known)(key)?;
            if known.is_some_and(|(before, tries)| before == state && (tries == 0 || tries >= TRIES_MAX)) {
                self.listed.unchanged += 1;
            } else if record.is_deleted {
                let is_older = self.at.get(&key).is_some_and(|at| self.listed.new[*at].datestamp > record.datestamp);
                if !is_older {
                    self.at.remove(&key);
                    self.gone.insert(key, (record.datestamp, state, known.is_some()));
                }
            } else if self.gone.get(&key).is_some_and(|(date, ..)| *date > record.datestamp) {
                self.listed.unchanged += 1;
            } else {
                self.gone.remove(&key);
                self.put(key, record);
            }
        }
        Ok(())
    }

    fn put(&mut self, key: u128, record: Harvested) {
        match self.at.get(&key) {
            Some(at) if self.listed.new[*at].datestamp > record.datestamp => self.listed.unchanged += 1,
            Some(at) => self.listed.new[*at] = record,
            None => {
                self.at.insert(key, self.listed.new.len());
                self.listed.new.push(record);
            }
        }
    }
}

/// The payload of an answer, its chunks joined and its coding undone.
pub(super) fn body(fetched: &Fetched, bytes_max: usize) -> Option<Vec<u8>> {
    let (response, at) = joined(fetched.response.clone());
    let coding = Response::parse(&response)?.fields.text("content-encoding").unwrap_or_default();
    let body = coding::decode(response[at..].to_vec(), &coding, bytes_max).ok()?;
    (!body.truncated).then_some(body.bytes)
}

/// Whether a date lies before another; days and seconds can be compared, as the shorter form is the beginning of the longer one.
fn before(date: &str, other: &str) -> bool {
    let length = date.len().min(other.len());
    date.get(..length) < other.get(..length)
}

/// The date to ask from next time: `overlap_hours` before the list began, in the form that the repository takes.
pub(super) fn next_from(began_ms: u64, overlap_hours: u64, granularity: &str) -> String {
    let at = began_ms.saturating_sub(overlap_hours.saturating_mul(3_600_000));
    let at = Timestamp::from_millisecond(i64::try_from(at).unwrap_or(0)).unwrap_or_default();
    let form = if granularity.contains("hh") { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%d" };
    at.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_list_begins_before_the_last_one_did_in_the_repositorys_own_form() {
        let at = "2026-11-26T01:00:00Z".parse::<Timestamp>().expect("a time").as_millisecond() as u64;
        assert_eq!(next_from(at, 48, "YYYY-MM-DD"), "2026-11-24");
        assert_eq!(next_from(at, 1, "YYYY-MM-DDThh:mm:ssZ"), "2026-11-26T00:00:00Z");
        assert_eq!(next_from(0, 1, ""), "1970-01-01");
    }

    #[test]
    fn dates_of_both_forms_are_compared() {
        assert!(before("2026-01-01", "2026-01-02T00:00:00Z") && !before("2026-01-02T05:00:00Z", "2026-01-02"));
    }
}
