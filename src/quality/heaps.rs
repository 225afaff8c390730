//! The documents that a model is made from: read once, each text once, parted into those to learn from, those to calibrate by, and those held out.
//!
//! A document's part is told by a hash of what the model reads in it, or of its site, so it is the same whatever order files are read in, and
//! a text that is there twice lies in one part. What is held out is kept as text, since the rules are asked about it too; of all others only
//! their features are kept.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use super::bad_and_good;
use super::train::Example;
use crate::stages::learned::features::read;
use crate::text::host::registrable_domain;
use crate::texts::{Text, Texts, TextsError};

/// Key of the hash by which documents are held out.
const SEED: u64 = 0x686f_6c64_206f_7574;
/// So much of a text is told in an error.
const TOLD_CHARS: usize = 60;

/// How documents are read and parted.
#[derive(Clone, Debug)]
pub struct Parting {
    /// The language of all documents; each one's own where this is left out.
    pub lang: Option<String>,
    /// Share of the documents that are held out; as many are set apart to calibrate by.
    pub hold_out: f64,
    /// Whether all documents of one site lie in the same part.
    pub sites_apart: bool,
    /// Whether texts that were called good and bad are left out; else they are an error.
    pub leaves_out_both: bool,
    /// Bytes of text that are looked at, of the good as of the bad.
    pub sample_bytes: u64,
    /// Buckets that features fall into.
    pub buckets: usize,
}

/// What is done with a document.
enum Part {
    Learn(Example),
    Calibrate(Example),
    HeldOut(String),
}

/// A document held out.
#[derive(Clone, Debug)]
pub struct HeldOut {
    /// What it says.
    pub text: String,
    /// Whether it was called good.
    pub good: bool,
}

/// The documents of a language, by part, in the order of their hashes.
#[derive(Debug, Default)]
pub struct Heaps {
    /// To learn from.
    pub learn: Vec<Example>,
    /// To calibrate by.
    pub calibrate: Vec<Example>,
    /// Held out.
    pub held_out: Vec<HeldOut>,
}

impl Heaps {
    /// Bad and good documents in all.
    #[must_use]
    pub fn documents(&self) -> [u64; 2] {
        let [learn, calibrate, held_out] = self.parts();
        [0, 1].map(|kind| learn[kind] + calibrate[kind] + held_out[kind])
    }

    /// Bad and good documents of each part: to learn from, to calibrate by, held out.
    #[must_use]
    pub fn parts(&self) -> [[u64; 2]; 3] {
        let of_examples = |examples: &[Example]| bad_and_good(examples.iter().map(|example| example.good));
        [of_examples(&self.learn), of_examples(&self.calibrate), bad_and_good(self.held_out.iter().map(|held| held.good))]
    }
}

/// What was read.
#[derive(Debug, Default)]
pub struct Read {
    /// The documents of each language, by tag.
    pub languages: BTreeMap<String, Heaps>,
    /// Documents left out since their text was there before.
    pub repeated: u64,
    /// Documents left out since they have no word.
    pub empty: u64,
    /// Texts left out since they were called good and bad.
    pub both: u64,
}

/// Why documents cannot be learned from.
#[derive(Debug, thiserror::Error)]
pub enum HeapsError {
    /// A file cannot be read.
    #[error(transparent)]
    Texts(#[from] TextsError),
    /// Nobody can tell good from bad where they are the same.
    #[error("{texts} {} called good and bad; take {} out of one of the heaps, or out of both with --leave-out-both. The first in language `{lang}` begins: {beginning}",
        if *texts == 1 { "text is" } else { "texts are" }, if *texts == 1 { "it" } else { "them" })]
    Both { texts: u64, lang: String, beginning: String },
}

/// A document that was read, with whether it is good.
type Known = BTreeMap<u128, (bool, Part)>;

/// Reads the documents of `good` and `bad`.
///
/// # Errors
/// See [`HeapsError`].
pub fn gather(good: &Texts, bad: &Texts, parting: &Parting) -> Result<Read, HeapsError> {
    let mut gathering = Gathering { parting, known: BTreeMap::new(), read: Read::default(), both: BTreeMap::new() };
    for (texts, is_good) in [(good, true), (bad, false)] {
        texts.for_each(parting.sample_bytes, |text| gathering.take(text, is_good))?;
    }
    gathering.finish()
}

fn heaps(known: Known) -> Heaps {
    let mut heaps = Heaps::default();
    for (good, part) in known.into_values() {
        match part {
            Part::Learn(example) => heaps.learn.push(example),
            Part::Calibrate(example) => heaps.calibrate.push(example),
            Part::HeldOut(text) => heaps.held_out.push(HeldOut { text, good }),
        }
    }
    heaps
}

struct Gathering<'p> {
    parting: &'p Parting,
    known: BTreeMap<String, Known>,
    read: Read,
    /// How texts begin that were called good and bad, by language and hash.
    both: BTreeMap<(String, u128), String>,
}

impl Gathering<'_> {
    fn take(&mut self, text: Text<'_>, good: bool) {
        let Some(id) = id_of(text.text) else {
            self.read.empty += 1;
            return;
        };
        let lang = self.parting.lang.as_deref().unwrap_or(text.lang);
        match self.known.get(lang).and_then(|known| known.get(&id)) {
            Some((before, _)) if *before == good => self.read.repeated += 1,
            Some(_) => self.note_both(lang, id, text.text),
            None => {
                let part = self.part(id, &text, good);
                self.known.entry(lang.to_owned()).or_default().insert(id, (good, part));
            }
        }
    }

    fn note_both(&mut self, lang: &str, id: u128, text: &str) {
        let beginning = || text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(TOLD_CHARS).collect();
        self.both.entry((lang.to_owned(), id)).or_insert_with(beginning);
    }

    fn finish(mut self) -> Result<Read, HeapsError> {
        let texts = self.both.len() as u64;
        if let (false, Some(((lang, _), beginning))) = (self.parting.leaves_out_both, self.both.first_key_value()) {
            return Err(HeapsError::Both { texts, lang: lang.clone(), beginning: beginning.clone() });
        }
        for (lang, id) in self.both.keys() {
            self.known.get_mut(lang).and_then(|known| known.remove(id));
        }
        self.read.both = texts;
        self.read.languages = self.known.into_iter().map(|(lang, known)| (lang, heaps(known))).collect();
        Ok(self.read)
    }

    fn part(&self, id: u128, text: &Text<'_>, good: bool) -> Part {
        let Parting { hold_out, sites_apart, buckets, .. } = self.parting;
        let key = match text.host {
            host if *sites_apart && !host.is_empty() => xxh3_64_with_seed(registrable_domain(host).as_bytes(), SEED),
            _ => xxh3_64_with_seed(&id.to_le_bytes(), SEED),
        };
        let place = key as f64 / u64::MAX as f64;
        match place {
            _ if place < *hold_out => Part::HeldOut(text.text.to_owned()),
            _ if place < 2.0 * hold_out => Part::Calibrate(Example::of(text.text, good, *buckets)),
            _ => Part::Learn(Example::of(text.text, good, *buckets)),
        }
    }
}

/// A hash of what a model reads in `text`, so that texts which differ by case, space or figures are the same; none where there is nothing.
fn id_of(text: &str) -> Option<u128> {
    let mut hasher = Xxh3::new();
    let mut is_empty = true;
    read(text, |hash| {
        hasher.update(&hash.to_le_bytes());
        is_empty = false;
    });
    (!is_empty).then(|| hasher.digest128())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parting() -> Parting {
        Parting { lang: None, hold_out: 0.2, sites_apart: false, leaves_out_both: false, sample_bytes: u64::MAX, buckets: 1 << 12 }
    }

    fn read_lines(good: &[String], bad: &[String], parting: &Parting) -> Result<Read, HeapsError> {
        let folder = tempfile::tempdir().expect("a folder");
        let texts = |name: &str, lines: &[String]| {
            let path = folder.path().join(name);
            std::fs::write(&path, lines.join("\n")).expect("room");
            Texts::open(&[path]).expect("it was just written")
        };
        gather(&texts("good.jsonl", good), &texts("bad.jsonl", bad), parting)
    }

    fn line(lang: &str, host: &str, text: &str) -> String {
        serde_json::json!({"lang": lang, "url": format!("https://{host}/"), "text": text}).to_string()
    }

    /// A word for a number, since figures are all alike.
    fn word(number: usize) -> String {
        number.to_string().bytes().map(|digit| char::from(digit + 49)).collect()
    }

    #[test]
    fn a_text_is_taken_once_and_its_part_does_not_depend_on_the_order() {
        let good: Vec<String> = (0..100).map(|n| line("lv", "a.lv", &format!("Zvejnieks {} brauc jūrā.", word(n)))).collect();
        let bad: Vec<String> = (0..100).map(|n| line("lv", "b.lv", &format!("Pērc tagad {}!", word(n)))).collect();
        let mut twice: Vec<String> = good.iter().chain(&good[..10]).cloned().collect();
        twice.push(line("lv", "a.lv", "ZVEJNIEKS  a BRAUC jūrā."));
        twice.push(line("lv", "a.lv", " "));
        twice.reverse();
        let (once, more) = (read_lines(&good, &bad, &parting()).expect("fine"), read_lines(&twice, &bad, &parting()).expect("fine"));
        assert_eq!((once.repeated, once.empty, more.repeated, more.empty), (0, 0, 11, 1));
        let (once, more) = (&once.languages["lv"], &more.languages["lv"]);
        assert_eq!(once.documents(), [100, 100]);
        let plain = |held: &HeldOut| held.text.to_lowercase().replace("  ", " ");
        let held = |heaps: &Heaps| heaps.held_out.iter().map(plain).collect::<Vec<_>>();
        assert!((20..60).contains(&held(once).len()) && (20..60).contains(&once.calibrate.len()));
        assert_eq!(held(more), held(once));
    }

    #[test]
    fn a_text_that_is_good_and_bad_is_refused_with_its_beginning() {
        let good = [line("lv", "a.lv", "Zvejnieks brauc jūrā."), line("lv", "a.lv", "Bērni iet uz skolu.")];
        let told = read_lines(&good, &[line("lv", "b.lv", "bērni iet uz skolu.")], &parting()).expect_err("both").to_string();
        assert!(told.starts_with("1 text is called good and bad; take it out") && told.ends_with("bērni iet uz skolu."), "{told}");
        let left = read_lines(&good, &[line("lv", "b.lv", "bērni iet uz skolu.")], &Parting { leaves_out_both: true, ..parting() })
            .expect("told to");
        assert_eq!((left.both, left.languages["lv"].documents()), (1, [0, 1]));
        let apart = read_lines(&good, &[line("lt", "b.lt", "bērni iet uz skolu.")], &parting()).expect("another language");
        assert_eq!(apart.languages.len(), 2);
    }

    #[test]
    fn pages_of_one_site_lie_in_one_part_if_that_is_asked() {
        let page =
            |site: usize, n: usize| line("lv", &format!("www{n}.vieta{site}.lv"), &format!("Zvejnieks {} {} brauc.", word(site), word(n)));
        let good: Vec<String> = (0..30).flat_map(|site| (0..5).map(move |n| page(site, n))).collect();
        let read = read_lines(&good, &[], &Parting { sites_apart: true, ..parting() }).expect("fine");
        let heaps = &read.languages["lv"];
        let parts = [heaps.learn.len(), heaps.calibrate.len(), heaps.held_out.len()];
        assert!(parts.iter().all(|count| count % 5 == 0 && *count > 0), "{parts:?}");
    }

    #[test]
    fn a_stated_language_goes_before_that_of_the_documents() {
        let lines = [line("und", "a.lv", "Zvejnieks brauc jūrā."), line("lt", "a.lv", "Bērni iet uz skolu.")];
        let read = read_lines(&lines, &[], &Parting { lang: Some("lv".to_owned()), ..parting() }).expect("fine");
        assert_eq!(read.languages.keys().collect::<Vec<_>>(), ["lv"]);
    }
}
