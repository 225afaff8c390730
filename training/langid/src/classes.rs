//! The languages of the model, by script, each with its share of the training.
//!
//! The share is the prior of a European web crawl, coarsely: a short text that could be Croatian or Bosnian, Danish or Nynorsk, Dutch or
//! Zeelandic is more likely the larger one. Languages of other continents are there to say "not one of ours".

use crate::langid::letters::Family;

/// A language in a script.
pub struct Class {
    pub tag: &'static str,
    pub family: Family,
    pub share: f32,
}

const LATIN: &[(f32, &str)] = &[
    (2.2, "hr"),
    (1.3, "en"),
    (1.0, "cs da de es et fi fr ga hu it lt lv mt nl pl pt ro sk sl sv"),
    (0.7, "ca eu gl is nb nn sq tr cy"),
    (0.3, "sr"),
    (0.35, "af eo la oc ast br gd fo lb fy"),
    (0.12, "bs"),
    (0.2, "an co fur sc li rm se hsb dsb csb szl gsw lij vec nds ltg wa sco ia io kab"),
    (0.2, "az uz tk ku ht ha ig mg jv su ceb id ms vi tl sw so zu xh st tn ts sn yo lg mi"),
];
const CYRILLIC: &[(f32, &str)] = &[(1.0, "bg"), (0.8, "mk sr uk be ru"), (0.25, "rue kk mn ky tg tt ba cv os uz az")];
const ARABIC: &[(f32, &str)] = &[(1.0, "ar fa"), (0.5, "ur ps sd ug ckb")];
const HEBREW: &[(f32, &str)] = &[(1.0, "he"), (0.5, "yi")];
const DEVANAGARI: &[(f32, &str)] = &[(1.0, "hi"), (0.5, "mr ne sa")];

/// All classes in the order of the model's file.
pub fn classes() -> Vec<Class> {
    let families = [
        (Family::Latin, LATIN),
        (Family::Cyrillic, CYRILLIC),
        (Family::Arabic, ARABIC),
        (Family::Hebrew, HEBREW),
        (Family::Devanagari, DEVANAGARI),
    ];
    let mut classes = Vec::new();
    for (family, groups) in families {
        for (share, tags) in groups {
            classes.extend(tags.split(' ').map(|tag| Class { tag, family, share: *share }));
        }
    }
    classes
}

/// The class of a tag without its script, in a family.
pub fn position(classes: &[Class], tag: &str, family: Family) -> Option<usize> {
    let primary = tag.split('-').next()?;
    classes.iter().position(|class| class.tag == primary && class.family == family)
}

/// The tag of a class with its script, where the language is written in two.
pub fn full_tag(class: &Class) -> String {
    let script = match (class.tag, class.family) {
        ("sr", Family::Latin) => "-Latn",
        ("sr" | "az" | "uz", Family::Cyrillic) => "-Cyrl",
        _ => "",
    };
    format!("{}{script}", class.tag)
}
