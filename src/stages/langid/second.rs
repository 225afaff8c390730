//! A second opinion: whatlang, a model made by others from other texts, by trigrams.
//!
//! Two models that err in different ways are rarely wrong together; HPLT keeps only documents on which two agree (Arefyev et al. 2024).
//! Where whatlang does not know the language that we found, it has no opinion.

use whatlang::Detector;

/// The languages of whatlang 0.18 as BCP 47 tags.
pub(super) const WHATLANG: &[(whatlang::Lang, &str)] = &[
    (whatlang::Lang::Afr, "af"),
    (whatlang::Lang::Aka, "ak"),
    (whatlang::Lang::Amh, "am"),
    (whatlang::Lang::Ara, "ar"),
    (whatlang::Lang::Aze, "az"),
    (whatlang::Lang::Bel, "be"),
    (whatlang::Lang::Ben, "bn"),
    (whatlang::Lang::Bul, "bg"),
    (whatlang::Lang::Cat, "ca"),
    (whatlang::Lang::Ces, "cs"),
    (whatlang::Lang::Cmn, "zh"),
    (whatlang::Lang::Cym, "cy"),
    (whatlang::Lang::Dan, "da"),
    (whatlang::Lang::Deu, "de"),
    (whatlang::Lang::Ell, "el"),
    (whatlang::Lang::Eng, "en"),
    (whatlang::Lang::Epo, "eo"),
    (whatlang::Lang::Est, "et"),
    (whatlang::Lang::Fin, "fi"),
    (whatlang::Lang::Fra, "fr"),
    (whatlang::Lang::Guj, "gu"),
    (whatlang::Lang::Heb, "he"),
    (whatlang::Lang::Hin, "hi"),
    (whatlang::Lang::Hrv, "hr"),
    (whatlang::Lang::Hun, "hu"),
    (whatlang::Lang::Hye, "hy"),
    (whatlang::Lang::Ind, "id"),
    (whatlang::Lang::Ita, "it"),
    (whatlang::Lang::Jav, "jv"),
    (whatlang::Lang::Jpn, "ja"),
    (whatlang::Lang::Kan, "kn"),
    (whatlang::Lang::Kat, "ka"),
    (whatlang::Lang::Khm, "km"),
    (whatlang::Lang::Kor, "ko"),
    (whatlang::Lang::Lat, "la"),
    (whatlang::Lang::Lav, "lv"),
    (whatlang::Lang::Lit, "lt"),
    (whatlang::Lang::Mal, "ml"),
    (whatlang::Lang::Mar, "mr"),
    (whatlang::Lang::Mkd, "mk"),
    (whatlang::Lang::Mya, "my"),
    (whatlang::Lang::Nep, "ne"),
    (whatlang::Lang::Nld, "nl"),
    (whatlang::Lang::Nob, "nb"),
    (whatlang::Lang::Ori, "or"),
    (whatlang::Lang::Pan, "pa"),
    (whatlang::Lang::Pes, "fa"),
    (whatlang::Lang::Pol, "pl"),
    (whatlang::Lang::Por, "pt"),
    (whatlang::Lang::Ron, "ro"),
    (whatlang::Lang::Rus, "ru"),
    (whatlang::Lang::Sin, "si"),
    (whatlang::Lang::Slk, "sk"),
    (whatlang::Lang::Slv, "sl"),
    (whatlang::Lang::Sna, "sn"),
    (whatlang::Lang::Spa, "es"),
    (whatlang::Lang::Srp, "sr-Cyrl"),
    (whatlang::Lang::Swe, "sv"),
    (whatlang::Lang::Tam, "ta"),
    (whatlang::Lang::Tel, "te"),
    (whatlang::Lang::Tgl, "tl"),
    (whatlang::Lang::Tha, "th"),
    (whatlang::Lang::Tuk, "tk"),
    (whatlang::Lang::Tur, "tr"),
    (whatlang::Lang::Ukr, "uk"),
    (whatlang::Lang::Urd, "ur"),
    (whatlang::Lang::Uzb, "uz"),
    (whatlang::Lang::Vie, "vi"),
    (whatlang::Lang::Yid, "yi"),
    (whatlang::Lang::Zul, "zu"),
];

/// Whether whatlang knows the language `tag` and finds another one in `sample`.
pub(super) fn disagrees(tag: &str, sample: &str) -> bool {
    let primary = tag.split('-').next().unwrap_or("");
    // whatlang knows Serbian in Cyrillic only.
    if tag == "sr-Latn" || !WHATLANG.iter().any(|(_, known)| *known == primary) {
        return false;
    }
    let found = Detector::new().detect_lang(sample);
    WHATLANG.iter().find(|(lang, _)| Some(*lang) == found).is_some_and(|(_, other)| *other != primary)
}
