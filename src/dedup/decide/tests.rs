//! Decisions from disk against the plain ones in memory, over nights, memories and orders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::*;
use crate::dedup::against::find_clusters_against;
use crate::dedup::clusters::Fate;
use crate::dedup::erase::{Erased, Orphans, erase};
use crate::dedup::exclusions::Exclusions;
use crate::dedup::index::Index;
use crate::dedup::memory::{SignedText, estimated};
use crate::dedup::minhash::{cut, jaccard};
use crate::dedup::overlap::{Overlap, repeated};
use crate::dedup::settings::{Banding, Near};
use crate::dedup::sign::Scheme;
use crate::dedup::signatures::{SignatureSink, language_hash, rank};
use crate::doc::{DocId, Document, Lang, Signature};

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.roll() >> 33) % bound
    }
}

/// Documents in families of all sizes and similarities, some equal, some empty, in two languages.
fn documents(settings: &DedupSettings, count: usize, seed: u64) -> Vec<Document> {
    let mut dice = Dice(seed);
    let scheme = Scheme::of(settings);
    let mut families: Vec<(Vec<u64>, u128)> = Vec::new();
    let mut docs = Vec::with_capacity(count);
    for number in 0..count {
        let values = scheme.banding.map_or(0, Banding::values);
        if families.is_empty() || dice.below(3) == 0 {
            families.push(((0..values).map(|_| dice.roll()).collect(), u128::from(dice.roll()) << 64 | u128::from(dice.roll())));
        }
        let parent = dice.below(families.len() as u64) as usize;
        let (mut sketch, mut exact) = families[parent].clone();
        let changed = [0, 0, 10, 20, 25, 30, 40][dice.below(7) as usize];
        for value in &mut sketch {
            if dice.below(100) < changed {
                *value = dice.roll();
            }
        }
        if changed > 0 {
            exact = u128::from(dice.roll()) << 64 | u128::from(dice.roll());
            families.push((sketch.clone(), exact));
        }
        let empty = dice.below(40) == 0;
        let signature = match empty {
            true => Signature { exact: 0, sketch: Vec::new() },
            false => Signature { exact, sketch: cut(&sketch) },
        };
        docs.push(Document {
            id: DocId(u128::from(dice.roll()) << 64 | number as u128),
            lang: Some(Lang::new(if dice.below(5) == 0 { "nn" } else { "nb" })),
            text: "x".repeat(dice.below(50) as usize),
            source_offset: number as u64,
            signature: Some(Box::new(signature)),
            ..Document::default()
        });
    }
    docs
}

/// A data set that is deduplicated night by night.
struct Nights {
    folder: tempfile::TempDir,
    settings: DedupSettings,
    memory_bytes_max: u64,
    runs: Vec<RunFiles>,
    yields: Vec<(String, Vec<RunFiles>)>,
    nights: usize,
    last: Option<Decided>,
}

impl Nights {
    fn new(settings: &DedupSettings, memory_bytes_max: u64) -> Nights {
        let folder = tempfile::tempdir().unwrap();
        Nights { folder, settings: settings.clone(), memory_bytes_max, runs: Vec::new(), yields: Vec::new(), nights: 0, last: None }
    }

    fn out_dir(&self) -> PathBuf {
        self.folder.path().join(format!("{:02}", self.nights))
    }

    fn sign(&self, docs: &[Document], files: usize) -> Vec<PathBuf> {
        let pieces = docs.chunks(docs.len().div_ceil(files).max(1)).zip(0..);
        let paths = pieces.map(|(docs, number)| {
            let path = self.out_dir().join(format!("{number}.signatures"));
            let mut sink = SignatureSink::create(&path, &self.settings).unwrap();
            docs.iter().for_each(|doc| sink.write(doc).unwrap());
            sink.finish().unwrap();
            path
        });
        paths.collect()
    }

    fn night(&mut self, docs: &[Document]) -> Exclusions {
        self.nights += 1;
        std::fs::create_dir(self.out_dir()).unwrap();
        let (signatures, out_dir) = (self.sign(docs, 3), self.out_dir());
        let (settings, memory_bytes_max) = (&self.settings, self.memory_bytes_max);
        let decided = decide(&Work {
            settings,
            signatures: &signatures,
            index: &self.runs,
            yields: &self.yields,
            out_dir: &out_dir,
            memory_bytes_max,
        })
        .unwrap();
        if self.settings.remember {
            self.runs.truncate(self.runs.len() - decided.merged_runs);
            self.runs.push(RunFiles::of(&out_dir, RUN_STEM));
        }
        self.last = Some(decided);
        Exclusions::load(&out_dir.join(EXCLUSIONS_FILE)).unwrap()
    }

    /// Which documents of all nights share a cluster, as the index knows.
    fn partition(&self) -> BTreeSet<BTreeSet<DocId>> {
        let index = Index::open(&self.settings, &self.runs).unwrap();
        let mut clusters: BTreeMap<u64, BTreeSet<DocId>> = BTreeMap::new();
        let all: Vec<u64> = (0..index.len()).collect();
        index
            .look_up::<ColumnError>(&all, |_, row| {
                clusters.entry(index.cluster_now(row.cluster)).or_default().insert(row.id);
                Ok(())
            })
            .unwrap();
        clusters.into_values().collect()
    }
}

fn kept(docs: &[Document], exclusions: &Exclusions) -> BTreeSet<DocId> {
    let stays = |doc: &&Document| {
        let decision = exclusions.get(doc.id, crate::dedup::signatures::occurrence(&doc.source_file, doc.source_offset));
        decision.is_none_or(|decision| decision.fate == Fate::Winner)
    };
    docs.iter().filter(stays).map(|doc| doc.id).collect()
}

fn all_settings() -> Vec<DedupSettings> {
    let of = |near, exact| DedupSettings { near, exact, ..DedupSettings::default() };
    vec![of(Near::Wide, true), of(Near::Loose, true), of(Near::Strict, true), of(Near::Off, true), of(Near::Wide, false)]
}

#[test]
fn decisions_from_disk_are_those_made_in_memory() {
    for settings in all_settings() {
        let docs = documents(&settings, 3_000, 7);
        let texts: Vec<SignedText> = docs
            .iter()
            .map(|doc| SignedText {
                id: doc.id,
                occurrence: crate::dedup::signatures::occurrence(&doc.source_file, doc.source_offset),
                rank: rank(doc, None),
                lang: language_hash(doc.lang.as_ref().unwrap()),
                signature: doc.signature.as_deref().unwrap().clone(),
            })
            .collect();
        let (plain, _) = find_clusters_against::<IndexError>(&settings, &texts, &Index::none(), estimated(&settings, &texts)).unwrap();
        let exclusions = Nights::new(&settings, 1 << 30).night(&docs);
        assert_eq!(exclusions.len(), plain.len(), "{settings:?}");
        for member in plain {
            let decision = exclusions.get(member.id, member.occurrence).unwrap();
            assert_eq!((decision.fate, decision.winner, decision.cluster.id), (member.fate, member.winner, member.cluster));
            assert_eq!(decision.cluster.size, member.size);
        }
    }
}

#[test]
fn memory_never_shows_in_what_is_written() {
    let settings = DedupSettings::default();
    let docs = documents(&settings, 30_000, 3);
    let outputs = |memory| {
        let mut nights = Nights::new(&settings, memory);
        nights.night(&docs[..20_000]);
        nights.night(&docs[20_000..]);
        nights.last.unwrap().outputs
    };
    let roomy = outputs(1 << 30);
    assert_eq!(roomy.len(), 4);
    assert_eq!(outputs(0), roomy);
}

#[test]
fn five_nights_one_by_one_find_the_clusters_of_one_run_over_all() {
    for settings in all_settings() {
        let docs = documents(&settings, 5_000, 11);
        let mut whole = Nights::new(&settings, 1 << 30);
        let once = kept(&docs, &whole.night(&docs));
        let mut nights = Nights::new(&settings, 0);
        let mut survivors = BTreeSet::new();
        for night in docs.chunks(1_000) {
            survivors.extend(kept(night, &nights.night(night)));
        }
        assert!(nights.runs.len() < 5, "runs were merged on the way");
        let clusters = whole.partition();
        assert_eq!(nights.partition(), clusters, "{settings:?}");
        let surviving = |kept: &BTreeSet<DocId>| clusters.iter().filter(|cluster| !cluster.is_disjoint(kept)).count();
        assert_eq!((surviving(&once), surviving(&survivors)), (clusters.len(), clusters.len()), "every cluster survives in both");
        assert_eq!(once.len(), clusters.len());
    }
}

#[test]
fn the_same_night_again_finds_nothing_new() {
    let settings = DedupSettings::default();
    let docs: Vec<Document> = documents(&settings, 500, 5).into_iter().filter(|doc| doc.signature.as_ref().unwrap().exact != 0).collect();
    let mut nights = Nights::new(&settings, 1 << 30);
    nights.night(&docs);
    let again: Vec<Document> = docs.iter().map(|doc| Document { source_offset: doc.source_offset + 9_000, ..doc.clone() }).collect();
    let exclusions = nights.night(&again);
    assert!(kept(&again, &exclusions).is_empty());
    assert_eq!(exclusions.len(), docs.len());
}

#[test]
fn a_document_of_an_earlier_night_stays_even_if_a_better_one_comes() {
    let settings = DedupSettings::default();
    let mut docs = documents(&settings, 1, 9);
    docs[0].text = "kort".to_owned();
    let longer = Document { id: DocId(1), text: "mycket längre".to_owned(), source_offset: 5, ..docs[0].clone() };
    let mut nights = Nights::new(&settings, 1 << 30);
    nights.night(&docs);
    let exclusions = nights.night(std::slice::from_ref(&longer));
    let decision = exclusions.get(DocId(1), crate::dedup::signatures::occurrence("", 5)).unwrap();
    assert_eq!((decision.fate, decision.winner), (Fate::Exact, docs[0].id));
}

#[test]
fn empty_texts_are_never_each_others_duplicates() {
    let settings = DedupSettings::default();
    let empty = || Some(Box::new(Signature { exact: 0, sketch: Vec::new() }));
    let docs: Vec<Document> =
        (0..9).map(|n| Document { id: DocId(n), source_offset: n as u64, signature: empty(), ..Document::default() }).collect();
    let mut nights = Nights::new(&settings, 1 << 30);
    assert!(nights.night(&docs).is_empty());
    assert!(nights.night(&docs).is_empty());
}

#[test]
fn of_captures_of_one_address_only_the_newest_is_looked_at_if_that_is_wanted() {
    let settings = DedupSettings { newest_of_url: true, ..DedupSettings::default() };
    let mut docs = documents(&settings, 4, 21);
    for (doc, (url, fetched)) in
        docs.iter_mut().zip([("https://a.example/", 3), ("https://a.example/", 9), ("", 1), ("https://a.example/", 5)])
    {
        doc.url = url.to_owned();
        doc.fetched_at = Some(fetched);
        doc.signature.as_mut().unwrap().exact = (fetched as u128 + 1) << 90;
        doc.signature.as_mut().unwrap().sketch.clear();
    }
    let mut nights = Nights::new(&settings, 1 << 30);
    let exclusions = nights.night(&docs);
    assert_eq!(kept(&docs, &exclusions), BTreeSet::from([docs[1].id, docs[2].id]));
    assert_eq!(nights.last.unwrap().counts.older_captures, 2);
}

#[test]
fn an_index_of_other_settings_or_with_damage_is_refused_in_words() {
    let settings = DedupSettings::default();
    let docs = documents(&settings, 300, 2);
    let mut nights = Nights::new(&settings, 1 << 30);
    nights.night(&docs);
    for other in [DedupSettings { near: Near::Fineweb, ..settings.clone() }, DedupSettings { exact: false, ..settings.clone() }] {
        let told = Index::open(&other, &nights.runs).unwrap_err().to_string();
        assert!(told.contains("other settings") && told.contains("dedup.remember=false"), "{told}");
    }
    // Known documents ask for rows, new ones for bands.
    let signatures = nights.sign(&[docs, documents(&settings, 300, 4)].concat(), 1);
    let out_dir = nights.folder.path().join("x");
    std::fs::create_dir(&out_dir).unwrap();
    let work =
        Work { settings: &settings, signatures: &signatures, index: &nights.runs, yields: &[], out_dir: &out_dir, memory_bytes_max: 0 };
    decide(&work).unwrap();
    let files = &nights.runs[0];
    for path in [&files.exact, &files.bands, &files.documents] {
        let whole = std::fs::read(path).unwrap();
        for (at, cut) in [(40, false), (whole.len() / 2, false), (0, true)] {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            bytes.truncate(if cut { whole.len() / 3 } else { whole.len() });
            std::fs::write(path, &bytes).unwrap();
            let told = decide(&work).unwrap_err().to_string();
            assert!(told.contains(&path.display().to_string()) && (told.contains("damaged") || told.contains("no whole file")), "{told}");
        }
        std::fs::write(path, whole).unwrap();
    }
}

/// Whether `bytes` stand anywhere in a file of the runs.
fn found_in(runs: &[RunFiles], bytes: &[u8]) -> bool {
    let files = runs.iter().flat_map(|run| [&run.exact, &run.bands, &run.documents]);
    files.map(|path| std::fs::read(path).unwrap()).any(|file| file.windows(bytes.len()).any(|window| window == bytes))
}

impl Nights {
    fn erase(&mut self, ids: &[DocId], orphans: Orphans) -> Erased {
        let out_dir = self.folder.path().join("erased");
        std::fs::create_dir(&out_dir).unwrap();
        let erased = erase(&self.runs, &ids.iter().copied().collect(), orphans, &out_dir).unwrap();
        for (run, output) in &erased.files {
            let files = &self.runs[*run];
            let old = [&files.bands, &files.documents, &files.exact]
                .into_iter()
                .find(|path| path.extension() == std::path::Path::new(&output.name).extension());
            std::fs::rename(out_dir.join(&output.name), old.unwrap()).unwrap();
        }
        std::fs::remove_dir(&out_dir).unwrap();
        erased
    }
}

#[test]
fn an_erased_document_is_nowhere_in_the_index_and_the_rest_is_found_as_before() {
    let settings = DedupSettings::default();
    let docs = documents(&settings, 2_000, 31);
    let mut nights = Nights::new(&settings, 1 << 30);
    docs.chunks(500).for_each(|night| drop(nights.night(night)));
    let before = nights.partition();
    let alone = before.iter().find(|cluster| cluster.len() == 1).and_then(BTreeSet::first).copied().unwrap();
    let many = before.iter().find(|cluster| cluster.len() > 3).unwrap().clone();
    let gone = [alone, *many.first().unwrap()];
    assert!(found_in(&nights.runs, &alone.0.to_le_bytes()));
    let erased = nights.erase(&gone, Orphans::Offer);
    assert_eq!(erased.documents, 2);
    for id in gone {
        let doc = docs.iter().find(|doc| doc.id == id).unwrap();
        let signature = doc.signature.as_deref().unwrap();
        assert!(!found_in(&nights.runs, &id.0.to_le_bytes()));
        assert!(signature.sketch.is_empty() || !found_in(&nights.runs, &signature.sketch) || id != alone);
    }
    let left: BTreeSet<BTreeSet<DocId>> = before
        .iter()
        .map(|cluster| cluster.iter().filter(|id| !gone.contains(id)).copied().collect())
        .filter(|cluster: &BTreeSet<DocId>| !cluster.is_empty())
        .collect();
    let now: BTreeSet<BTreeSet<DocId>> = nights
        .partition()
        .into_iter()
        .map(|cluster| cluster.into_iter().filter(|id| id.0 != 0).collect())
        .filter(|cluster: &BTreeSet<DocId>| !cluster.is_empty())
        .collect();
    assert_eq!(now, left);
    assert!(nights.erase(&gone, Orphans::Offer).files.is_empty(), "a second time there is nothing left to erase");
}

#[test]
fn copies_of_an_erased_document_come_in_again_unless_others_hold_its_text() {
    let settings = DedupSettings::default();
    let base = documents(&settings, 1, 77).remove(0);
    let copy = |id: u128, length: usize| Document { id: DocId(id), source_offset: id as u64, text: "x".repeat(length), ..base.clone() };
    let near = |id: u128| {
        let mut doc = copy(id, 3);
        doc.signature.as_mut().unwrap().exact = id << 96;
        doc
    };
    for orphans in [Orphans::Offer, Orphans::Block] {
        let mut nights = Nights::new(&settings, 1 << 30);
        nights.night(&[copy(1, 9)]);
        nights.night(&[copy(2, 5), copy(3, 7)]);
        let erased = nights.erase(&[DocId(1)], orphans);
        assert_eq!(erased.heirs, [(DocId(1), (orphans == Orphans::Offer).then_some(DocId(3)))], "the longest of the rest");
        let decision = nights.night(&[near(4)]).get(DocId(4), crate::dedup::signatures::occurrence("", 4)).unwrap();
        let named = if orphans == Orphans::Offer { DocId(3) } else { DocId(2) };
        assert_eq!(decision.winner, named, "the keys of the erased one went to its copy");
        nights.erase(&[DocId(2), DocId(3), DocId(4)], orphans);
        assert!(nights.night(&[near(5)]).is_empty(), "nobody is left to be like");
    }
}

/// Which of `docs` repeat one of `others`, found by holding every two against each other.
fn repeating(settings: &DedupSettings, docs: &[Document], others: &[Document]) -> BTreeSet<DocId> {
    let scheme = Scheme::of(settings);
    let signature = |doc: &Document| doc.signature.as_deref().unwrap().clone();
    let repeats = |doc: &&Document| {
        let ours = signature(doc);
        others.iter().any(|other| {
            let theirs = signature(other);
            let share_band = scheme.band_keys(&ours.sketch).zip(scheme.band_keys(&theirs.sketch)).any(|(a, b)| a == b);
            let is_near = doc.lang == other.lang && share_band && jaccard(&ours.sketch, &theirs.sketch) >= settings.jaccard_min;
            is_near || settings.exact && ours.exact != 0 && ours.exact == theirs.exact
        })
    };
    docs.iter().filter(repeats).map(|doc| doc.id).collect()
}

#[test]
fn what_a_data_set_that_goes_before_has_falls_and_the_rest_is_judged_as_if_it_had_never_been() {
    for settings in all_settings() {
        let all = documents(&settings, 1_800, 41);
        let (curated, web) = all.split_at(600);
        let mut archives = Nights::new(&settings, 1 << 30);
        curated.chunks(250).for_each(|night| drop(archives.night(night)));
        let expected = repeating(&settings, web, curated);
        assert!(expected.len() > 100, "{settings:?}: only {} repeat", expected.len());
        let rest: Vec<Document> = web.iter().filter(|doc| !expected.contains(&doc.id)).cloned().collect();
        let mut alone = Nights::new(&settings, 1 << 30);
        let alone_kept: Vec<BTreeSet<DocId>> = rest.chunks(10_000).map(|night| kept(night, &alone.night(night))).collect();
        let held = |memory| {
            let mut nights = Nights::new(&settings, memory);
            nights.yields = vec![("archives".to_owned(), archives.runs.clone())];
            let exclusions = nights.night(web);
            (kept(web, &exclusions), nights)
        };
        let (kept_web, nights) = held(1 << 30);
        assert_eq!(kept_web, alone_kept[0], "{settings:?}");
        assert_eq!(nights.last.as_ref().unwrap().counts.yielded, expected.len() as u64);
        assert_eq!(held(0).1.last.unwrap().outputs, nights.last.unwrap().outputs, "memory never shows");
    }
}

#[test]
fn a_document_that_fell_to_another_data_set_is_named_after_it_and_comes_in_once_that_one_has_forgotten() {
    let settings = DedupSettings { yield_to: vec!["laws".to_owned(), "books".to_owned()], ..DedupSettings::default() };
    let base = documents(&settings, 1, 77).remove(0);
    let copy = |id: u128| Document { id: DocId(id), source_offset: id as u64, text: "x".repeat(id as usize), ..base.clone() };
    let mut near = copy(5);
    near.signature.as_mut().unwrap().exact = 5 << 96;
    let mut books = Nights::new(&settings, 1 << 30);
    books.night(&[copy(1), copy(2)]);
    let mut web = Nights::new(&settings, 1 << 30);
    web.yields = vec![("laws".to_owned(), Vec::new()), ("books".to_owned(), books.runs.clone())];
    let exclusions = web.night(&[copy(4), near.clone()]);
    let decision = |id: u64| exclusions.get(DocId(id.into()), crate::dedup::signatures::occurrence("", id)).unwrap();
    assert_eq!((decision(4).fate, decision(4).winner), (Fate::Yields { to: 1, jaccard: None }, DocId(2)), "the longest stands for both");
    assert_eq!((decision(5).fate, decision(5).winner), (Fate::Yields { to: 1, jaccard: Some(1.0) }, DocId(2)));
    assert_eq!(exclusions.elsewhere(&decision(5)), Some("books"));
    books.erase(&[DocId(1), DocId(2)], Orphans::Offer);
    let again = [copy(6)];
    assert_eq!(kept(&again, &web.night(&again)), BTreeSet::from([DocId(6)]), "neither index holds it against the copy");
}

#[test]
fn a_data_set_that_was_signed_otherwise_is_named_with_the_setting() {
    let settings = DedupSettings::default();
    let docs = documents(&settings, 20, 3);
    let seven = std::num::NonZeroU32::new(7).unwrap();
    for (other, told) in [
        (DedupSettings { seed: 7, ..settings.clone() }, "dedup.seed is 7 there and 499850766707 here"),
        (DedupSettings { shingle_words: seven, ..settings.clone() }, "dedup.shingle_words is 7 there and 5 here"),
        (DedupSettings { near: Near::Strict, ..settings.clone() }, "dedup.near is 20 bands of 13 rows there and 16 bands of 7 rows here"),
        (DedupSettings { near: Near::Off, ..settings.clone() }, "dedup.near is off there"),
    ] {
        let mut laws = Nights::new(&other, 1 << 30);
        laws.night(&documents(&other, 20, 3));
        let scheme = crate::dedup::sign::Scheme::of(&settings);
        let error = Index::open_other("laws", &laws.runs, scheme).unwrap_err().to_string();
        assert!(error.contains(told) && error.contains("take `laws` from yield_to"), "{error}");
    }
    let mut same = Nights::new(&DedupSettings { jaccard_min: 0.9, exact: false, ..settings.clone() }, 1 << 30);
    same.night(&docs);
    assert!(Index::open_other("laws", &same.runs, crate::dedup::sign::Scheme::of(&settings)).is_ok(), "what only judges may differ");
}

#[test]
fn of_two_data_sets_that_were_published_apart_the_same_documents_repeat_as_if_one_had_yielded() {
    for settings in all_settings() {
        let all = documents(&settings, 1_800, 43);
        let (curated, web) = all.split_at(600);
        let published = |docs: &[Document], night: usize| {
            let mut nights = Nights::new(&settings, 1 << 30);
            docs.chunks(night).for_each(|docs| drop(nights.night(docs)));
            nights
        };
        let (archives, pages) = (published(curated, 250), published(web, 500));
        let (own, other) = (Index::open_any(&pages.runs).unwrap(), Index::open_any(&archives.runs).unwrap());
        let found = |buffer_bytes| {
            let overlap = Overlap { jaccard_min: settings.jaccard_min, folder: pages.folder.path(), buffer_bytes };
            repeated(&own, &other, overlap).unwrap()
        };
        assert_eq!(found(1 << 20), repeating(&settings, web, curated), "{settings:?}");
        assert_eq!(found(0), found(1 << 20), "memory never shows");
    }
}
