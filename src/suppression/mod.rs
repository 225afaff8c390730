//! What was erased and must not come back: a keyed list, and the gate that asks it.
//!
//! The list holds keyed hashes (HMAC-SHA-256) of addresses, hosts, ids and texts, and sketches made under a secret seed; who has the
//! list but not the key learns nothing from it, and cannot even ask it. The key lies outside the workspace ([`key`]). A document that
//! is refused loses all that could name it before anything is written, so not even the rejects tell what was offered.

pub mod key;
mod list;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

pub use key::{Key, KeyError};
pub use list::{Entry, ListError, Segment};

use crate::dedup::minhash::jaccard;
use crate::dedup::normalise::fold_white_space;
use crate::dedup::settings::{DedupSettings, Near};
use crate::dedup::sign::{Scheme, Signer};
use crate::doc::{DocId, Document};
use crate::source::Offer;
use crate::stage::{Stage, Verdict};
use crate::text::address::{Address, parents};
use crate::text::host::registrable_domain;
use crate::workspace::Workspace;

/// Reason of what was refused.
pub const SUPPRESSED: &str = "suppressed";
/// Name of the gate among the stages.
pub const GATE: &str = "takedown";

/// Bytes that are kept of a keyed hash: among 10^10 entries and as many questions two are equal by chance with probability 10^-18.
const MAC_BYTES: usize = 16;

/// A keyed hash.
pub type Mac = [u8; MAC_BYTES];

/// What an entry keeps out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One address, by its canonical form without scheme.
    Url,
    /// All addresses below one.
    UrlPrefix,
    /// A host.
    Host,
    /// A registrable domain with all its hosts.
    Domain,
    /// A document by its id.
    Id,
    /// A text but for white space.
    Text,
}

impl Kind {
    fn label(self) -> &'static str {
        match self {
            Kind::Url => "url",
            Kind::UrlPrefix => "url-prefix",
            Kind::Host => "host",
            Kind::Domain => "domain",
            Kind::Id => "id",
            Kind::Text => "text",
        }
    }
}

/// The list with its key, ready to be asked.
#[derive(Debug)]
pub struct Suppression {
    key: Key,
    signer: Signer,
    scheme: Scheme,
    jaccard_min: f32,
    /// Number of the last takedown in it.
    sequence: u64,
    /// Keyed hashes with the number of the takedown that brought them.
    entries: HashMap<Kind, HashMap<Mac, u64>>,
    bands: HashMap<u64, Vec<u32>>,
    sketches: Vec<Vec<u8>>,
}

impl Suppression {
    /// The list of `workspace`, if it has one. The key is needed only then.
    ///
    /// # Errors
    /// When the key is missing or another one, or the list is damaged.
    pub fn open(workspace: &Workspace, key: &Path) -> Result<Option<Suppression>, ListError> {
        if sequence(workspace)? == 0 {
            return Ok(None);
        }
        let key = Key::load(key)?.ok_or_else(|| KeyError::Missing { path: key.to_owned() })?;
        let segments = list::read_all(&workspace.suppression(), &key)?;
        Ok(Some(Suppression::of(key, &segments)))
    }

    /// A list of these segments.
    #[must_use]
    pub fn of(key: Key, segments: &[Segment]) -> Suppression {
        let settings = settings(&key);
        let (signer, scheme, jaccard_min) = (Signer::new(&settings), Scheme::of(&settings), settings.jaccard_min);
        let sequence = segments.last().map_or(0, |segment| segment.number);
        let mut suppression = Suppression {
            key,
            signer,
            scheme,
            jaccard_min,
            sequence,
            entries: HashMap::new(),
            bands: HashMap::new(),
            sketches: Vec::new(),
        };
        let released: HashSet<u64> = segments.iter().filter_map(|segment| segment.releases).collect();
        for segment in segments.iter().filter(|segment| !released.contains(&segment.number)) {
            for entry in &segment.entries {
                suppression.entries.entry(entry.kind).or_default().insert(entry.mac, segment.number);
            }
            for sketch in &segment.sketches {
                let number = suppression.sketches.len() as u32;
                suppression.sketches.push(sketch.clone());
                scheme.band_keys(sketch).for_each(|band| suppression.bands.entry(band).or_default().push(number));
            }
        }
        suppression
    }

    /// Number of the last takedown that it honours.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether nothing found at `url` may come in.
    #[must_use]
    pub fn refuses_url(&self, url: &str) -> bool {
        let Some(address) = Address::of(url) else { return false };
        self.has(Kind::Url, address.as_str())
            || self.has(Kind::Host, address.host())
            || self.has(Kind::Domain, registrable_domain(address.host()))
            || self.entries.contains_key(&Kind::UrlPrefix) && parents(address.as_str()).any(|prefix| self.has(Kind::UrlPrefix, prefix))
    }

    /// Whether a document that stands in a shard should not: by address, id or text.
    #[must_use]
    pub fn refuses(&self, id: DocId, url: &str, text: &str) -> bool {
        self.refuses_url(url) || self.refuses_text(id, text)
    }

    /// Whether a document with this id or text, or one like it, was erased.
    #[must_use]
    pub fn refuses_text(&self, id: DocId, text: &str) -> bool {
        if self.has(Kind::Id, &id.to_string()) {
            return true;
        }
        if self.sketches.is_empty() && !self.entries.contains_key(&Kind::Text) {
            return false;
        }
        let folded = fold_white_space(text);
        !folded.is_empty() && (self.mac_is_in(Kind::Text, &folded) || self.is_near(text))
    }

    fn is_near(&self, text: &str) -> bool {
        if self.sketches.is_empty() {
            return false;
        }
        let sketch = self.signer.sign(text).sketch;
        let mut candidates = self.scheme.band_keys(&sketch).filter_map(|band| self.bands.get(&band)).flatten();
        candidates.any(|number| jaccard(&self.sketches[*number as usize], &sketch) >= self.jaccard_min)
    }

    /// Number of the takedown that keeps out what `kind` says of `what`.
    #[must_use]
    pub fn takedown_of(&self, kind: Kind, what: &str) -> Option<u64> {
        self.entries.get(&kind)?.get(&self.key.mac(kind.label(), what.as_bytes())).copied()
    }

    fn has(&self, kind: Kind, what: &str) -> bool {
        self.mac_is_in(kind, what.as_bytes())
    }

    fn mac_is_in(&self, kind: Kind, what: &[u8]) -> bool {
        self.entries.get(&kind).is_some_and(|known| known.contains_key(&self.key.mac(kind.label(), what)))
    }

    /// What a source offers, or that it was refused.
    #[must_use]
    pub fn gate(&self, offer: Offer) -> Offer {
        let (Offer::Document(doc) | Offer::Dropped(doc, _)) = &offer;
        if !self.refuses_url(&doc.url) {
            return offer;
        }
        let (Offer::Document(mut doc) | Offer::Dropped(mut doc, _)) = offer;
        wipe(&mut doc);
        Offer::Dropped(doc, SUPPRESSED)
    }
}

/// Estimated Jaccard similarity from which a text counts as a copy of an erased one. Lower than where duplicates are looked for: what comes
/// back by mistake is worse than what stays out.
const JACCARD_MIN: f32 = 0.6;

/// How texts are signed for the list: under the secret seed, cut so that hardly a copy is missed (`"loosest"`).
fn settings(key: &Key) -> DedupSettings {
    DedupSettings { seed: key.seed(), near: Near::Loosest, jaccard_min: JACCARD_MIN, ..DedupSettings::default() }
}

/// Leaves of a document only where it was found in its archive.
fn wipe(doc: &mut Document) {
    let (source, source_file, source_offset) = (doc.source, doc.source_file.clone(), doc.source_offset);
    *doc = Document { source, source_file, source_offset, ..Document::default() };
}

/// The gate before anything is signed or written: no document with the id or the text of an erased one.
pub struct TextGate(pub std::sync::Arc<Suppression>);

impl Stage for TextGate {
    fn judge(&self, doc: &mut Document) -> Verdict {
        if self.0.refuses(doc.id, &doc.url, &doc.text) {
            wipe(doc);
            return Verdict::drop(SUPPRESSED);
        }
        Verdict::Keep
    }
}

/// Collects what a takedown keeps out.
#[derive(Debug)]
pub struct Collector<'a> {
    key: &'a Key,
    signer: Signer,
    entries: BTreeSet<(Kind, Mac)>,
    sketches: BTreeSet<Vec<u8>>,
}

impl<'a> Collector<'a> {
    /// Nothing yet, to be keyed with `key`.
    #[must_use]
    pub fn new(key: &'a Key) -> Collector<'a> {
        Collector { key, signer: Signer::new(&settings(key)), entries: BTreeSet::new(), sketches: BTreeSet::new() }
    }

    /// Keeps out what `kind` says of `what`: for [`Kind::Url`] and [`Kind::UrlPrefix`] an [`Address`], for [`Kind::Id`] the hex digits.
    pub fn add(&mut self, kind: Kind, what: &str) {
        self.entries.insert((kind, self.key.mac(kind.label(), what.as_bytes())));
    }

    /// Keeps out this text and all that are like it.
    pub fn add_text(&mut self, text: &str) {
        let folded = fold_white_space(text);
        if folded.is_empty() {
            return;
        }
        self.entries.insert((Kind::Text, self.key.mac(Kind::Text.label(), &folded)));
        let sketch = self.signer.sign(text).sketch;
        if !sketch.is_empty() {
            self.sketches.insert(sketch);
        }
    }

    /// The segment of takedown `number`, which holds until the day `expires`, or for good.
    #[must_use]
    pub fn segment(self, number: u64, reason: &str, expires: Option<String>) -> Segment {
        let entries = self.entries.into_iter().map(|(kind, mac)| Entry { kind, mac }).collect();
        let sketches = self.sketches.into_iter().collect();
        Segment { number, reason: reason.to_owned(), expires, releases: None, entries, sketches }
    }
}

/// Number of the last takedown whose list stands in `workspace`, without asking for the key.
///
/// # Errors
/// When the folder cannot be read.
pub fn sequence(workspace: &Workspace) -> Result<u64, ListError> {
    list::last_number(&workspace.suppression())
}

/// The key for a takedown in `workspace`. It is made only while there is no list: a list of two keys could not be asked any more.
///
/// # Errors
/// As [`Suppression::open`], or when a new key cannot be written.
pub fn list_key(workspace: &Workspace, path: &Path) -> Result<Key, ListError> {
    match Suppression::open(workspace, path)? {
        Some(list) => Ok(list.key),
        None => Ok(Key::load_or_make(path)?),
    }
}

/// Adds a segment to the list of `workspace`; the same one again changes nothing.
///
/// # Errors
/// When another one stands under its number, or it cannot be written.
pub fn append(workspace: &Workspace, key: &Key, segment: &Segment) -> Result<(), ListError> {
    list::write(&workspace.suppression(), key, segment)
}

/// Releases what holds no longer on the day `today` (YYYY-MM-DD), and answers the numbers of the takedowns. What a run keeps out depends
/// on the list alone, never on the clock, so nothing expires by itself.
///
/// # Errors
/// As [`Suppression::open`], or when the list cannot be written.
pub fn expire(workspace: &Workspace, key: &Path, today: &str) -> Result<Vec<u64>, ListError> {
    if sequence(workspace)? == 0 {
        return Ok(Vec::new());
    }
    let key = Key::load(key)?.ok_or_else(|| KeyError::Missing { path: key.to_owned() })?;
    let segments = list::read_all(&workspace.suppression(), &key)?;
    let released: HashSet<u64> = segments.iter().filter_map(|segment| segment.releases).collect();
    let is_over = |segment: &&Segment| segment.expires.as_deref().is_some_and(|last| last < today) && !released.contains(&segment.number);
    let over: Vec<u64> = segments.iter().filter(is_over).map(|segment| segment.number).collect();
    let next = segments.last().map_or(0, |segment| segment.number) + 1;
    for (number, releases) in (next..).zip(&over) {
        let none = Segment {
            number,
            reason: "expired".to_owned(),
            expires: None,
            releases: Some(*releases),
            entries: Vec::new(),
            sketches: Vec::new(),
        };
        append(workspace, &key, &none)?;
    }
    Ok(over)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Rannavalvur mäletab, kuidas vana tuletorn ehitati ja miks selle tuli igal sügisel kaks nädalat varem süüdati. Tema isa \
        kandis kive paadiga üle lahe, sest teed ei olnud, ja talvel veeti need hobustega üle jää. Kui torn valmis sai, tuli kogu küla vaatama, \
        ja pillimees mängis hommikuni. Praegu on tornis väike muuseum, kus saab näha laternaid, meremeeste kirju ja vanu kaarte.";

    fn list(fill: impl Fn(&mut Collector<'_>)) -> Suppression {
        let key = Key::from_bytes([7; 32]);
        let mut collector = Collector::new(&key);
        fill(&mut collector);
        let segment = collector.segment(3, "gdpr-17", None);
        Suppression::of(key.clone(), &[segment])
    }

    #[test]
    fn an_address_is_refused_however_it_is_spelt_and_its_neighbours_are_not() {
        let list =
            list(|collector| collector.add(Kind::Url, Address::of("https://rand.example.ee/lood/1?utm_source=x").expect("one").as_str()));
        for url in
            ["https://rand.example.ee/lood/1", "http://RAND.example.ee:80/lood/./1#algus", "https://rand.example.ee/lood/1?utm_source=post"]
        {
            assert!(list.refuses_url(url), "{url}");
        }
        for url in
            ["https://rand.example.ee/lood/12", "https://rand.example.ee/lood/1?lk=2", "https://example.ee/lood/1", "rand.example.ee", ""]
        {
            assert!(!list.refuses_url(url), "{url}");
        }
        assert_eq!(list.sequence(), 3);
    }

    #[test]
    fn a_prefix_ends_at_a_slash_and_a_domain_has_all_its_hosts() {
        let list = list(|collector| {
            collector.add(Kind::UrlPrefix, "rand.example.ee/lood");
            collector.add(Kind::Domain, "sadam.ee");
            collector.add(Kind::Host, "www.meri.ee");
        });
        for url in ["https://rand.example.ee/lood", "https://rand.example.ee/lood/2/a?b", "https://a.b.sadam.ee/", "http://www.meri.ee/x"] {
            assert!(list.refuses_url(url), "{url}");
        }
        for url in ["https://rand.example.ee/loodus", "https://xsadam.ee/", "https://meri.ee/", "https://ee/"] {
            assert!(!list.refuses_url(url), "{url}");
        }
    }

    #[test]
    fn a_text_is_known_again_with_some_words_changed_and_another_text_is_not() {
        let list = list(|collector| collector.add_text(TEXT));
        assert!(list.refuses_text(DocId(1), TEXT));
        assert!(list.refuses_text(DocId(1), &TEXT.replace(' ', "\n ")));
        assert!(list.refuses_text(DocId(1), &TEXT.replace("kaks nädalat", "kolm päeva")));
        assert!(
            !list.refuses_text(DocId(1), "Õhtul tõusis jälle tuul ja paadid jäid sadamasse, sest keegi ei julgenud enam merele minna.")
        );
        assert!(!list.refuses_text(DocId(1), " \n"));
    }

    /// A text of sixty made-up words; two numbers have hardly a shingle in common.
    fn made_up(number: u64, changed: usize) -> String {
        let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state >> 40
        };
        let words = (0..60).map(|_| next()).enumerate();
        words.map(|(place, word)| if place < changed { format!("muu{word} ") } else { format!("s{word} ") }).collect()
    }

    #[test]
    fn of_many_erased_texts_no_copy_comes_in_and_of_many_others_none_is_refused() {
        let list = list(|collector| (0..3_000).for_each(|number| collector.add_text(&made_up(number, 0))));
        let admitted = (0..3_000).filter(|number| !list.refuses_text(DocId(1), &made_up(*number, 0))).count();
        // Three changed words at the beginning leave 53 of 59 shingles: a Jaccard similarity of 0.9.
        let near = (0..1_000).filter(|number| !list.refuses_text(DocId(1), &made_up(*number, 3))).count();
        let innocent = (10_000..30_000).filter(|number| list.refuses_text(DocId(1), &made_up(*number, 0))).count();
        assert_eq!((admitted, near, innocent), (0, 0, 0));
    }

    #[test]
    fn what_expired_is_let_in_again_once_somebody_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let workspace = Workspace::open(&folder.path().join("w")).expect("a free place");
        let path = folder.path().join("key");
        let key = Key::load_or_make(&path).expect("room");
        for (number, host, expires) in
            [(1, "a.example.ee", Some("2027-01-31")), (2, "b.example.ee", None), (3, "c.example.ee", Some("2028-01-01"))]
        {
            let mut collector = Collector::new(&key);
            collector.add(Kind::Host, host);
            append(&workspace, &key, &collector.segment(number, "gdpr-17", expires.map(str::to_owned))).expect("room");
        }
        let refused = || {
            let list = Suppression::open(&workspace, &path).expect("it is sound").expect("there is one");
            ["a", "b", "c"].map(|host| list.refuses_url(&format!("https://{host}.example.ee/")))
        };
        assert!(expire(&workspace, &path, "2027-01-31").expect("room").is_empty());
        assert_eq!(refused(), [true; 3]);
        assert_eq!(expire(&workspace, &path, "2027-02-01").expect("room"), [1]);
        assert!(expire(&workspace, &path, "2027-02-01").expect("room").is_empty());
        assert_eq!((refused(), sequence(&workspace).expect("a folder")), ([false, true, true], 4));
    }

    #[test]
    fn what_is_refused_loses_its_name_and_its_words() {
        let list = std::sync::Arc::new(list(|collector| {
            collector.add_text(TEXT);
            collector.add(Kind::Host, "rand.example.ee");
        }));
        let doc =
            |url: &str, text: &str| Document { url: url.to_owned(), host: "h".to_owned(), text: text.to_owned(), ..Document::default() };
        let mut copy = doc("https://koopia.example.ee/", TEXT);
        assert_eq!(TextGate(list.clone()).judge(&mut copy), Verdict::drop(SUPPRESSED));
        assert_eq!((copy.url.as_str(), copy.host.as_str(), copy.text.as_str()), ("", "", ""));
        let Offer::Dropped(gone, reason) = list.gate(Offer::Dropped(Box::new(doc("http://rand.example.ee/a", "")), "redirect")) else {
            panic!("it is refused")
        };
        assert_eq!((gone.url.as_str(), reason), ("", SUPPRESSED));
        assert!(matches!(list.gate(Offer::Document(Box::new(doc("http://muu.example.ee/a", "")))), Offer::Document(_)));
    }
}
