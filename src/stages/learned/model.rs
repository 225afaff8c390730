//! The file of a learned score, and how a text is scored by it.
//!
//! A head in JSON says what the model was learned from and how it did on texts that it had not seen; behind it lie, a language after the
//! other, slope and offset and a byte for each bucket; the SHA-256 of all that closes the file. A text's score is a logistic curve of the
//! mean of its features' weights, so that a long page is no surer than a page. Sums are whole numbers and the curve is made of
//! additions, multiplications and divisions, so every machine gives the same score.

use sha2::{Digest, Sha256};

use super::features::{bucket_of, read};
use super::head::{Head, OfLanguage};

/// What every format of the file begins with.
const KIND: &[u8] = b"tamis quality ";
/// The format that is written, and the only one that is read.
const MAGIC: &[u8] = b"tamis quality 1\n";
const SUM_BYTES: usize = 32;
/// The most that a language may take.
const LANGUAGE_BYTES_MAX: usize = 5_000_000;
/// As many features that weigh nothing are thought into every text, so that one of few words does not get an extreme score. Between 16
/// and 256 it made no difference to the order of pages (docs/quality.md).
const DOUBT: f64 = 64.0;

/// Why a model cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Another kind of file.
    #[error("it is no model of a learned score; `tamis quality train` makes one")]
    NoModel,
    /// Another version of the program made it.
    #[error("it has format {0}, and this version of tamis reads format 1; train it again")]
    OtherFormat(String),
    /// Some bytes are others.
    #[error("it is damaged: its bytes do not have the checksum that closes the file; copy it again, or train it again")]
    Damaged,
    /// Its parts do not fit one another.
    #[error("its head does not fit what follows ({0}); train it again")]
    Malformed(String),
}

/// The score of one language.
#[derive(Clone, Debug, PartialEq)]
pub struct Scorer {
    /// The score of a text without features, as log-odds.
    pub offset: f32,
    /// Log-odds a unit of the mean weight.
    pub slope: f32,
    /// A weight a bucket.
    pub weights: Vec<i8>,
}

/// The model of one or more languages.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What each language was learned from.
    pub head: Head,
    scorers: Vec<Scorer>,
}

/// What `count` of `all` features of a text weigh in its score.
#[must_use]
pub fn share_of(count: usize, all: usize) -> f64 {
    count as f64 / (all as f64 + DOUBT)
}

/// The probability with log-odds `odds`. Written out, since the systems' own exponential functions round differently.
#[must_use]
pub fn probability(odds: f64) -> f64 {
    let odds = odds.clamp(-40.0, 40.0);
    let doublings = (odds * std::f64::consts::LOG2_E).round();
    let rest = odds - doublings * std::f64::consts::LN_2;
    let series = (1..=13).rev().fold(1.0, |sum, n| 1.0 + sum * rest / f64::from(n));
    let power = f64::from_bits(((1_023 + doublings as i64) as u64) << 52);
    let times = series * power;
    times / (1.0 + times)
}

impl Scorer {
    /// How likely `text` is one of the good ones, 0 to 1, if there are as many good as bad.
    #[must_use]
    pub fn score(&self, text: &str) -> f32 {
        let (mut sum, mut all) = (0_i64, 0);
        read(text, |hash| {
            sum += i64::from(self.weights[bucket_of(hash, self.weights.len())]);
            all += 1;
        });
        let mean = sum as f64 * share_of(1, all);
        probability(mean * f64::from(self.slope) + f64::from(self.offset)) as f32
    }
}

impl Model {
    /// The model of `languages`, which are put in order.
    #[must_use]
    pub fn of(mut languages: Vec<(OfLanguage, Scorer)>) -> Model {
        languages.sort_by(|(a, _), (b, _)| a.lang.cmp(&b.lang));
        let (languages, scorers) = languages.into_iter().unzip();
        Model { head: Head { languages }, scorers }
    }

    /// The languages with their scorers.
    #[must_use]
    pub fn into_languages(self) -> Vec<(OfLanguage, Scorer)> {
        self.head.languages.into_iter().zip(self.scorers).collect()
    }

    /// The scorer of language `tag`: its own, else that of the tag without its last part.
    #[must_use]
    pub fn scorer(&self, tag: &str) -> Option<&Scorer> {
        let of = |tag: &str| self.head.languages.iter().position(|known| known.lang == tag);
        let parents = std::iter::successors(Some(tag), |tag| tag.rsplit_once('-').map(|(parent, _)| parent));
        parents.into_iter().find_map(of).map(|place| &self.scorers[place])
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// When the head cannot be written as JSON.
    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let head = serde_json::to_vec(&self.head)?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend((head.len() as u32).to_le_bytes());
        bytes.extend(head);
        for scorer in &self.scorers {
            bytes.extend(scorer.slope.to_le_bytes());
            bytes.extend(scorer.offset.to_le_bytes());
            bytes.extend(scorer.weights.iter().map(|weight| weight.cast_unsigned()));
        }
        let sum = Sha256::digest(&bytes);
        bytes.extend(sum);
        Ok(bytes)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// See [`ModelError`].
    pub fn read(bytes: &[u8]) -> Result<Model, ModelError> {
        let after = bytes.strip_prefix(KIND).ok_or(ModelError::NoModel)?;
        if !bytes.starts_with(MAGIC) {
            let format = after.split(|byte| *byte == b'\n').next().unwrap_or_default();
            return Err(ModelError::OtherFormat(String::from_utf8_lossy(&format[..format.len().min(20)]).into_owned()));
        }
        let (body, sum) = bytes.split_at(bytes.len().saturating_sub(SUM_BYTES));
        if Sha256::digest(body)[..] != *sum {
            return Err(ModelError::Damaged);
        }
        let mut rest = Rest(body.get(MAGIC.len()..).ok_or(ModelError::Damaged)?);
        let length = u32::from_le_bytes(rest.array()?);
        let head: Head = serde_json::from_slice(rest.take(length as usize)?).map_err(|error| ModelError::Malformed(error.to_string()))?;
        let scorers = head.languages.iter().map(|language| rest.scorer(language)).collect::<Result<Vec<_>, _>>()?;
        if rest.0.is_empty() { Ok(Model { head, scorers }) } else { Err(malformed("bytes are left over")) }
    }
}

fn malformed(what: &str) -> ModelError {
    ModelError::Malformed(what.to_owned())
}

/// What is not read yet.
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8], ModelError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(|| malformed("bytes are missing"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ModelError> {
        self.take(N)?.try_into().map_err(|_| malformed("bytes are missing"))
    }

    fn scorer(&mut self, language: &OfLanguage) -> Result<Scorer, ModelError> {
        let buckets = language.buckets as usize;
        if buckets == 0 || buckets > LANGUAGE_BYTES_MAX {
            return Err(malformed("a language has no buckets, or more than 5 MB of them"));
        }
        let (slope, offset) = (f32::from_le_bytes(self.array()?), f32::from_le_bytes(self.array()?));
        let weights = self.take(buckets)?.iter().map(|byte| byte.cast_signed()).collect();
        if slope.is_finite() && offset.is_finite() { Ok(Scorer { offset, slope, weights }) } else { Err(malformed("a number is none")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(tags: &[&str]) -> Model {
        let weights = |tag: &str| (0..1_024).map(|bucket: i32| (bucket * tag.len() as i32 % 200 - 100) as i8).collect();
        let scorer = |tag: &str| Scorer { offset: 0.25, slope: 0.5, weights: weights(tag) };
        let about = |tag: &str| OfLanguage { lang: tag.to_owned(), buckets: 1_024, ..OfLanguage::default() };
        Model::of(tags.iter().map(|tag| (about(tag), scorer(tag))).collect())
    }

    #[test]
    fn a_model_reads_back_as_it_was_and_its_languages_lie_in_order() {
        let model = model(&["sr-Latn", "bg", "fi"]);
        let bytes = model.to_bytes().expect("a head");
        let read = Model::read(&bytes).expect("it was just written");
        assert_eq!(read, model);
        assert_eq!(read.to_bytes().expect("a head"), bytes);
        assert_eq!(read.head.languages.iter().map(|language| language.lang.as_str()).collect::<Vec<_>>(), ["bg", "fi", "sr-Latn"]);
    }

    #[test]
    fn a_language_goes_by_its_own_scorer_or_that_of_its_parent_tag() {
        let model = model(&["sr", "sr-Latn", "de"]);
        let of = |tag: &str| model.scorer(tag).map(|scorer| scorer.weights[1]);
        assert_eq!(of("sr-Latn-RS"), of("sr-Latn"));
        assert_eq!(of("sr-Cyrl"), of("sr"));
        assert_ne!(of("sr"), of("sr-Latn"));
        assert_eq!((of("de-AT"), of("fi"), of("und")), (of("de"), None, None));
    }

    #[test]
    fn any_changed_bit_and_any_missing_byte_is_told() {
        let bytes = model(&["de"]).to_bytes().expect("a head");
        for place in (0..bytes.len()).step_by(7).chain(bytes.len() - 32..bytes.len()) {
            let mut other = bytes.clone();
            other[place] ^= 1 << (place % 8);
            assert!(Model::read(&other).is_err(), "byte {place}");
        }
        for length in (0..bytes.len()).step_by(11) {
            assert!(Model::read(&bytes[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn files_of_other_kinds_and_formats_say_what_to_do() {
        assert_eq!(Model::read(b"{\"model\": {}}"), Err(ModelError::NoModel));
        assert_eq!(Model::read(b"tamis quality 2\n..."), Err(ModelError::OtherFormat("2".to_owned())));
        let mut wrong = MAGIC.to_vec();
        wrong.extend(2_u32.to_le_bytes());
        wrong.extend(b"{}");
        wrong.extend(Sha256::digest(&wrong));
        assert!(Model::read(&wrong).expect_err("no languages").to_string().contains("train it again"));
    }

    #[test]
    fn a_probability_is_that_of_the_books_and_stays_between_none_and_one() {
        for odds in [-39.0, -3.0, -0.1, 0.0, 0.7, 2.0, 17.5] {
            let book = 1.0 / (1.0 + f64::exp(-odds));
            assert!((probability(odds) - book).abs() < 1e-12 * book, "{odds}");
        }
        assert_eq!((probability(0.0), probability(f64::INFINITY) <= 1.0, probability(-1e9) > 0.0), (0.5, true, true));
    }

    #[test]
    fn a_text_repeated_is_no_better_than_itself_by_much_and_an_empty_one_is_in_doubt() {
        let text = "Der Fährmann wartet am Ufer auf die letzten Gäste des Tages. ".repeat(20);
        let model = model(&["de"]);
        let scorer = model.scorer("de").expect("it is there");
        let (once, often) = (scorer.score(&text), scorer.score(&text.repeat(50)));
        assert!((once - often).abs() < 0.2, "{once} {often}");
        assert!((f64::from(scorer.score("")) - probability(0.25)).abs() < 1e-7);
    }
}
