//! Deduplication in memory, for a set of texts that needs no files: some 400 bytes each with the default banding.
//!
//! It is also the plain statement of what [`super::decide`] computes from disk: a test holds the two together.

use std::collections::BTreeMap;

use crate::doc::{DocId, Signature};

use super::clusters::{Fate, Member, beats, join_group};
use super::forest::Forest;
use super::minhash::jaccard;
use super::settings::DedupSettings;
use super::sign::{NOTHING_TO_COMPARE, Scheme};

/// A text without its words.
#[derive(Debug)]
pub struct SignedText {
    /// Its id.
    pub id: DocId,
    /// Which capture it is.
    pub occurrence: u64,
    /// The greater stays.
    pub rank: u64,
    /// A number for its language; only texts of one language are near-duplicates.
    pub lang: u64,
    /// What was signed.
    pub signature: Signature,
}

/// Which texts hang together. `similar` judges two texts, by their numbers, that share a band; [`estimated`] does it by their sketches.
///
/// # Errors
/// What `similar` says.
pub(super) fn join_all<E>(
    settings: &DedupSettings,
    texts: &[SignedText],
    mut similar: impl FnMut(u32, u32) -> Result<bool, E>,
) -> Result<Forest, E> {
    let count = texts.len() as u32;
    let mut forest = Forest::of(count);
    if settings.exact {
        let exact = texts.iter().zip(0..).filter(|(text, _)| text.signature.exact != NOTHING_TO_COMPARE);
        for group in groups(exact.map(|(text, number)| ((text.signature.exact, 0), number)).collect()) {
            group.windows(2).for_each(|pair| forest.join(pair[0], pair[1]));
        }
    }
    let standing = standing(settings, texts);
    let scheme = Scheme::of(settings);
    let keys: Vec<Vec<u64>> = standing.iter().map(|number| scheme.band_keys(&texts[*number as usize].signature.sketch).collect()).collect();
    for band in 0..scheme.banding.map_or(0, |banding| banding.bands) {
        let key = |(number, keys): (&u32, &Vec<u64>)| Some(((u128::from(*keys.get(band)?), texts[*number as usize].lang), *number));
        for group in groups(standing.iter().zip(&keys).filter_map(key).collect()) {
            join_group(&group, count, &mut forest, &mut similar)?;
        }
    }
    Ok(forest)
}

/// The texts to compare: of equal ones in one language the first stands for all.
pub(super) fn standing(settings: &DedupSettings, texts: &[SignedText]) -> Vec<u32> {
    let mut stands = vec![true; texts.len()];
    if settings.exact {
        let keys = texts.iter().zip(0..).map(|(text, number)| ((text.signature.exact, text.lang), number));
        for group in groups(keys.collect()) {
            group[1..].iter().for_each(|number| stands[*number as usize] = false);
        }
    }
    (0..texts.len() as u32).filter(|number| stands[*number as usize]).collect()
}

/// Whether the sketches of two texts are as similar as `settings` want.
pub fn estimated<E>(settings: &DedupSettings, texts: &[SignedText]) -> impl FnMut(u32, u32) -> Result<bool, E> {
    let jaccard_min = settings.jaccard_min;
    move |a, b| Ok(between(texts, a, b) >= jaccard_min)
}

/// The estimated similarity of two texts, by their numbers.
#[must_use]
pub fn between(texts: &[SignedText], a: u32, b: u32) -> f32 {
    jaccard(&texts[a as usize].signature.sketch, &texts[b as usize].signature.sketch)
}

/// The numbers that have a key in common, in order.
fn groups(mut keys: Vec<((u128, u64), u32)>) -> Vec<Vec<u32>> {
    keys.sort_unstable();
    let shared = keys.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1);
    shared.map(|group| group.iter().map(|(_, number)| *number).collect()).collect()
}

/// Every member of every cluster of at least two, in the order of `texts`.
pub(super) fn members(texts: &[SignedText], forest: &mut Forest) -> Vec<Member> {
    let mut clusters: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for number in 0..texts.len() as u32 {
        clusters.entry(forest.root(number)).or_default().push(number);
    }
    let key = |number: &u32| (texts[*number as usize].id, texts[*number as usize].occurrence);
    let mut members = Vec::new();
    for cluster in clusters.into_values().filter(|cluster| cluster.len() > 1) {
        let rank = |number: &u32| (texts[*number as usize].rank, key(number));
        let winner = cluster.iter().copied().reduce(|best, next| if beats(rank(&next), rank(&best)) { next } else { best });
        let (Some(winner), Some(name)) = (winner, cluster.iter().map(|number| key(number).0).min()) else { continue };
        for number in &cluster {
            let text = &texts[*number as usize];
            let (exact, wins) = (text.signature.exact, &texts[winner as usize]);
            let fate = match *number == winner {
                true => Fate::Winner,
                false if exact == wins.signature.exact && exact != NOTHING_TO_COMPARE => Fate::Exact,
                false => Fate::Near(between(texts, *number, winner)),
            };
            members.push(Member {
                id: text.id,
                occurrence: text.occurrence,
                place: *number,
                fate,
                winner: wins.id,
                cluster: name,
                size: cluster.len() as u32,
            });
        }
    }
    members.sort_unstable_by_key(|member| member.place);
    members
}
