//! Five-letter pieces of words from lingua's models, as often as its training texts had them.
//!
//! A model maps each n-gram to the logarithm of its frequency over that of its beginning. Multiplied along the beginnings, that is the
//! frequency of the n-gram itself.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::classes::{Class, position};
use crate::inputs::{Material, family_of};
use crate::langid::letters::Alphabet;

const VERSION: &str = "1.3.0";
const FRAGMENT_LETTERS: usize = 5;

/// Crates by language: `lingua-NAME-language-model`.
const NAMES: &[(&str, &str)] = &[
    ("afrikaans", "af"),
    ("albanian", "sq"),
    ("arabic", "ar"),
    ("azerbaijani", "az"),
    ("basque", "eu"),
    ("belarusian", "be"),
    ("bokmal", "nb"),
    ("bosnian", "bs"),
    ("bulgarian", "bg"),
    ("catalan", "ca"),
    ("croatian", "hr"),
    ("czech", "cs"),
    ("danish", "da"),
    ("dutch", "nl"),
    ("english", "en"),
    ("esperanto", "eo"),
    ("estonian", "et"),
    ("finnish", "fi"),
    ("french", "fr"),
    ("ganda", "lg"),
    ("german", "de"),
    ("hebrew", "he"),
    ("hindi", "hi"),
    ("hungarian", "hu"),
    ("icelandic", "is"),
    ("indonesian", "id"),
    ("irish", "ga"),
    ("italian", "it"),
    ("kazakh", "kk"),
    ("latin", "la"),
    ("latvian", "lv"),
    ("lithuanian", "lt"),
    ("macedonian", "mk"),
    ("malay", "ms"),
    ("maori", "mi"),
    ("marathi", "mr"),
    ("mongolian", "mn"),
    ("nynorsk", "nn"),
    ("persian", "fa"),
    ("polish", "pl"),
    ("portuguese", "pt"),
    ("romanian", "ro"),
    ("russian", "ru"),
    ("serbian", "sr"),
    ("shona", "sn"),
    ("slovak", "sk"),
    ("slovene", "sl"),
    ("somali", "so"),
    ("sotho", "st"),
    ("spanish", "es"),
    ("swahili", "sw"),
    ("swedish", "sv"),
    ("tagalog", "tl"),
    ("tsonga", "ts"),
    ("tswana", "tn"),
    ("turkish", "tr"),
    ("ukrainian", "uk"),
    ("urdu", "ur"),
    ("vietnamese", "vi"),
    ("welsh", "cy"),
    ("xhosa", "xh"),
    ("yoruba", "yo"),
    ("zulu", "zu"),
];

/// Adds the pieces of every language to its class. `folder` holds the unpacked crates.
pub fn add_fragments(folder: &Path, classes: &[Class], alphabet: &Alphabet, materials: &mut [Material]) -> anyhow::Result<()> {
    for (name, lang) in NAMES {
        let path: PathBuf = folder.join(format!("lingua-{name}-language-model-{VERSION}/models/ngrams.fst"));
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let map = fst::Map::new(bytes)?;
        for (fragment, weight) in fragments(&map)? {
            if let Some(class) = family_of(&fragment, alphabet).and_then(|family| position(classes, lang, family)) {
                let material = &mut materials[class];
                let sum = material.fragment_weights.last().copied().unwrap_or(0.0) + weight;
                material.fragments.push(fragment);
                material.fragment_weights.push(sum);
            }
        }
    }
    Ok(())
}

/// N-grams in their order with their frequencies in millionths. A beginning always comes before what it begins.
fn fragments(map: &fst::Map<Vec<u8>>) -> anyhow::Result<Vec<(Box<str>, f64)>> {
    use fst::Streamer;
    let mut found = Vec::new();
    let mut beginnings: Vec<(String, f64)> = Vec::new();
    let mut stream = map.stream();
    while let Some((key, value)) = stream.next() {
        let text = std::str::from_utf8(key)?.to_owned();
        beginnings.retain(|(beginning, _)| text.starts_with(beginning.as_str()));
        let logarithm = f64::from_bits(value) + beginnings.last().map_or(0.0, |(_, before)| *before);
        let letters = text.chars().count();
        if letters == FRAGMENT_LETTERS {
            found.push((text.into_boxed_str(), crate::arithmetic::exp(logarithm) * 1e6));
        } else {
            beginnings.push((text, logarithm));
        }
    }
    Ok(found)
}
