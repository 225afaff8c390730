//! How much a crawl for some languages takes from a host: as much of its budget as pages of these languages have in what was seen first.
//!
//! A corpus of a small language is spread over hosts that hold it beside others. So the first pages of a host are judged by what they are
//! written in, and the share of wanted ones is the share of the budget that the host gets; the domain of a country where a wanted
//! language is official speaks for a host until its pages do. What a page says of its translations (`hreflang`) decides which are followed.

use super::frontier::Host;
use super::settings::CrawlSettings;

/// Country domains of Europe with the languages that are official there, or in a region of it (CIA World Factbook's field "Languages";
/// regional ones as the European Charter for Regional or Minority Languages lists them).
const OFFICIAL: &[(&str, &[&str])] = &[
    ("ad", &["ca"]),
    ("al", &["sq"]),
    ("at", &["de"]),
    ("ba", &["bs", "hr", "sr"]),
    ("be", &["nl", "fr", "de"]),
    ("bg", &["bg"]),
    ("by", &["be", "ru"]),
    ("bzh", &["br"]),
    ("cat", &["ca"]),
    ("ch", &["de", "fr", "it", "rm"]),
    ("cy", &["el", "tr"]),
    ("cymru", &["cy"]),
    ("cz", &["cs"]),
    ("de", &["de", "nds", "hsb", "dsb", "fy"]),
    ("dk", &["da"]),
    ("ee", &["et"]),
    ("es", &["es", "ca", "eu", "gl"]),
    ("eus", &["eu"]),
    ("fi", &["fi", "sv", "se"]),
    ("fo", &["fo"]),
    ("fr", &["fr", "br", "oc", "eu", "co"]),
    ("gal", &["gl"]),
    ("gr", &["el"]),
    ("hr", &["hr"]),
    ("hu", &["hu"]),
    ("ie", &["en", "ga"]),
    ("is", &["is"]),
    ("it", &["it", "de", "sc", "fur"]),
    ("li", &["de"]),
    ("lt", &["lt"]),
    ("lu", &["lb", "fr", "de"]),
    ("lv", &["lv"]),
    ("mc", &["fr"]),
    ("md", &["ro"]),
    ("me", &["cnr", "sr"]),
    ("mk", &["mk", "sq"]),
    ("mt", &["mt", "en"]),
    ("nl", &["nl", "fy"]),
    ("no", &["nb", "nn", "se"]),
    ("pl", &["pl", "csb"]),
    ("pt", &["pt"]),
    ("ro", &["ro"]),
    ("rs", &["sr"]),
    ("ru", &["ru"]),
    ("scot", &["gd", "sco"]),
    ("se", &["sv", "se"]),
    ("si", &["sl"]),
    ("sk", &["sk"]),
    ("sm", &["it"]),
    ("tr", &["tr"]),
    ("ua", &["uk"]),
    ("uk", &["en", "cy", "gd"]),
    ("va", &["it"]),
    ("wales", &["cy", "en"]),
];

/// Tells the language of a page, given its address and its markup; a BCP 47 tag.
pub type LanguageOf = std::sync::Arc<dyn Fn(&str, &str) -> Option<String> + Send + Sync>;

/// Whether the language of `tag` is one of `wanted`: `sr-Latn` is `sr`, and `sr` is not `sr-Latn`.
#[must_use]
pub fn is_wanted(tag: &str, wanted: &[String]) -> bool {
    wanted.iter().any(|wanted| {
        let begins = tag.get(..wanted.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(wanted));
        begins && (tag.len() == wanted.len() || tag.as_bytes()[wanted.len()] == b'-')
    })
}

/// The most pages of `host`, whose name is `name`, in one night.
#[must_use]
pub fn budget(settings: &CrawlSettings, name: &str, host: &Host) -> u64 {
    let sample = settings.language_sample_pages;
    if settings.languages.is_empty() || host.judged < sample {
        return settings.host_pages_max;
    }
    // The domain speaks with half the weight of the sample.
    let prior = if is_home(name, &settings.languages) { sample / 2 } else { 0 };
    let share = (host.wanted + prior) as f64 / (host.judged + prior).max(1) as f64;
    let pages = if share < f64::from(settings.language_share_min) { 0.0 } else { share * settings.host_pages_max as f64 };
    (pages.round() as u64).clamp(sample.min(settings.host_pages_max), settings.host_pages_max)
}

/// Whether `host` lies in the domain of a country where a wanted language is official.
fn is_home(host: &str, wanted: &[String]) -> bool {
    let top = host.rsplit('.').next().unwrap_or_default();
    OFFICIAL.iter().filter(|(domain, _)| *domain == top).flat_map(|(_, official)| *official).any(|tag| is_wanted(tag, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget_of(name: &str, judged: u64, wanted: u64) -> u64 {
        let settings = CrawlSettings {
            languages: vec!["lv".to_owned(), "sr-Latn".to_owned()],
            host_pages_max: 1_000,
            language_sample_pages: 10,
            ..CrawlSettings::default()
        };
        budget(&settings, name, &Host { judged, wanted, ..Host::default() })
    }

    #[test]
    fn a_host_gets_as_much_of_its_budget_as_wanted_languages_have_in_its_first_pages() {
        for (name, judged, wanted, expected) in [
            ("zinas.example.com", 0, 0, 1_000),
            ("zinas.example.com", 9, 0, 1_000),
            ("zinas.example.com", 10, 10, 1_000),
            ("zinas.example.com", 10, 4, 400),
            ("zinas.example.com", 10, 0, 10),
            ("zinas.example.com", 100, 3, 10),
            ("zinas.example.lv", 10, 4, 600),
            ("zinas.example.lv", 10, 0, 333),
            ("zinas.example.lv", 1_000, 0, 10),
            ("uudised.example.ee", 10, 4, 400),
        ] {
            assert_eq!(budget_of(name, judged, wanted), expected, "{name} {wanted}/{judged}");
        }
        let everything = CrawlSettings::default();
        let english = Host { judged: 50, ..Host::default() };
        assert_eq!(budget(&everything, "news.example.com", &english), everything.host_pages_max);
    }

    #[test]
    fn a_tag_with_a_script_or_a_region_is_its_language_and_not_the_other_way_round() {
        let wanted = ["lv".to_owned(), "sr-Latn".to_owned()];
        for (tag, expected) in
            [("lv", true), ("LV-lv", true), ("lvs", false), ("sr", false), ("sr-latn-RS", true), ("sr-Cyrl", false), ("", false)]
        {
            assert_eq!(is_wanted(tag, &wanted), expected, "{tag}");
        }
    }
}
