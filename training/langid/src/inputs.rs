//! Reads the gathered tables, the models of lingua, and the lines of the evaluation data with their folds.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context;

use crate::classes::{Class, position};
use crate::langid::letters::Family;
use crate::langid::letters::{Alphabet, Kind};

/// Treebanks whose licence forbids commercial use or is unclear: they are measured with and never trained on.
const NOT_FOR_TRAINING: &[&str] = &[
    "Bulgarian-BTB",
    "Estonian-EWT",
    "Greek-GDT",
    "Hungarian-Szeged",
    "Italian-ISDT",
    "Polish-PDB",
    "Basque-BDT",
    "Ukrainian-IU",
    "Occitan-TTB",
];

/// Number of parts into which the evaluation data is cut for cross-validation.
pub const FOLDS: u64 = 5;

/// A line of the evaluation data.
pub struct Line {
    pub set: &'static str,
    pub lang: String,
    pub text: String,
    pub fold: u64,
    pub trainable: bool,
}

/// What one class can be taught from.
#[derive(Default)]
pub struct Material {
    pub texts: Vec<String>,
    pub words: Vec<String>,
    /// Running sums of the words' weights.
    pub word_weights: Vec<f64>,
    pub fragments: Vec<Box<str>>,
    pub fragment_weights: Vec<f64>,
}

fn lines_of(path: &Path) -> anyhow::Result<Vec<String>> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let reader: Box<dyn Read> = if path.extension().is_some_and(|ending| ending == "gz") {
        Box::new(flate2::read::MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    BufReader::new(reader).lines().map(|line| Ok(line?)).collect()
}

/// The family that most letters of `text` belong to; `None` where most are of other scripts.
pub fn family_of(text: &str, alphabet: &Alphabet) -> Option<Family> {
    let (mut counts, mut others) = ([0; Family::ALL.len()], 0);
    for character in text.chars() {
        match alphabet.kind(character) {
            Kind::Letter(family, _) => counts[family as usize] += 1,
            Kind::OtherLetter => others += 1,
            Kind::NoLetter => {}
        }
    }
    let most = (0..counts.len()).rev().max_by_key(|family| counts[*family])?;
    (counts[most] > others).then(|| Family::ALL[most])
}

/// The share of a text's characters that a class is taught with.
pub fn gathered(folder: &Path, classes: &[Class], alphabet: &Alphabet) -> anyhow::Result<Vec<Material>> {
    let mut materials: Vec<Material> = classes.iter().map(|_| Material::default()).collect();
    for line in lines_of(&folder.join("texts.tsv"))? {
        let mut fields = line.splitn(3, '\t');
        if let (Some(lang), Some(_), Some(text)) = (fields.next(), fields.next(), fields.next())
            && let Some(family) = family_of(text, alphabet)
            && let Some(class) = position(classes, lang, family)
        {
            materials[class].texts.push(text.to_owned());
        }
    }
    for line in lines_of(&folder.join("words.tsv"))? {
        let mut fields = line.splitn(3, '\t');
        if let (Some(lang), Some(weight), Some(word)) = (fields.next(), fields.next(), fields.next())
            && let Some(family) = family_of(word, alphabet)
            && let Some(class) = position(classes, lang, family)
        {
            let material = &mut materials[class];
            let sum = material.word_weights.last().copied().unwrap_or(0.0) + weight.parse::<f64>()?;
            material.words.push(word.to_owned());
            material.word_weights.push(sum);
        }
    }
    Ok(materials)
}

fn hash_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn fold_of(text: &str) -> u64 {
    (hash_of(text) >> 20) % FOLDS
}

/// The lines that the scorer reads. What is contained in another line is in the same fold: sentences of documents, words of sentences.
pub fn evaluation(folder: &Path) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    let documents = lines_of(&folder.join("ud-documents.tsv.gz"))?;
    let mut texts_by_bank: HashMap<String, Vec<(String, u64)>> = HashMap::new();
    for line in &documents {
        let fields: Vec<&str> = line.splitn(5, '\t').collect();
        let fold = fold_of(fields[4]);
        texts_by_bank.entry(fields[1].to_owned()).or_default().push((fields[4].to_owned(), fold));
        lines.push(Line { set: "ud documents", lang: fields[0].to_owned(), text: fields[4].to_owned(), fold, trainable: false });
    }
    for line in lines_of(&folder.join("ud-sentences.tsv.gz"))? {
        let fields: Vec<&str> = line.splitn(5, '\t').collect();
        let text = fields[4];
        let within = texts_by_bank.get(fields[1]).and_then(|texts| texts.iter().find(|(document, _)| document.contains(text)));
        let fold = within.map_or_else(|| fold_of(text), |(_, fold)| *fold);
        let scored = text.chars().count() >= 20 && text.split_whitespace().count() >= 3;
        let set = if scored { "ud sentences" } else { "ud scraps" };
        lines.push(Line {
            set,
            lang: fields[0].to_owned(),
            text: text.to_owned(),
            fold,
            trainable: !NOT_FOR_TRAINING.contains(&fields[1]),
        });
    }
    let mut sentences: HashMap<String, Vec<(String, u64)>> = HashMap::new();
    let lingua = lines_of(&folder.join("lingua.tsv.gz"))?;
    for kind in ["sentences", "word-pairs", "single-words"] {
        for line in &lingua {
            let fields: Vec<&str> = line.splitn(4, '\t').collect();
            if fields[1] != kind {
                continue;
            }
            let text = fields[3];
            let small = text.to_lowercase();
            let fold = if kind == "sentences" {
                let fold = fold_of(text);
                sentences.entry(fields[0].to_owned()).or_default().push((small, fold));
                fold
            } else {
                let within = sentences.get(fields[0]).and_then(|known| known.iter().find(|(sentence, _)| sentence.contains(&small)));
                within.map_or_else(|| fold_of(text), |(_, fold)| *fold)
            };
            let set = match kind {
                "sentences" => "lingua sentences",
                "word-pairs" => "lingua word-pairs",
                _ => "lingua single-words",
            };
            lines.push(Line { set, lang: fields[0].to_owned(), text: text.to_owned(), fold, trainable: true });
        }
    }
    for line in lines_of(&folder.join("udhr.tsv.gz"))? {
        let fields: Vec<&str> = line.splitn(6, '\t').collect();
        if !fields[0].bytes().all(|byte| byte.is_ascii_digit()) {
            let text = fields[5];
            lines.push(Line {
                set: "udhr paragraphs",
                lang: fields[3].to_owned(),
                text: text.to_owned(),
                fold: fold_of(text),
                trainable: true,
            });
        }
    }
    Ok(lines)
}
