//! Licences as people state them, and their names in SPDX: `CC BY-SA 4.0`, `https://creativecommons.org/licenses/by-sa/4.0/deed.lv` and
//! `cc-by-sa-4.0` are one. What is not surely one of the listed licences has no name; a guess here would be a promise to others.
//!
//! Names: spdx.org/licenses, and the addresses that Creative Commons and the national licences give themselves.

/// Licences without variants: the SPDX name, and how else they are stated, in lower case.
const NAMED: &[(&str, &[&str])] = &[
    ("CC0-1.0", &["cc0", "cc0 1.0", "cc0 1.0 universal", "creativecommons.org/publicdomain/zero/1.0"]),
    ("PDDL-1.0", &["opendatacommons.org/licenses/pddl/1-0", "opendatacommons.org/licenses/pddl/1.0"]),
    ("ODbL-1.0", &["opendatacommons.org/licenses/odbl/1-0", "opendatacommons.org/licenses/odbl/1.0"]),
    ("ODC-By-1.0", &["opendatacommons.org/licenses/by/1-0", "opendatacommons.org/licenses/by/1.0"]),
    ("OGL-UK-3.0", &["nationalarchives.gov.uk/doc/open-government-licence/version/3", "open government licence v3.0"]),
    ("OGL-UK-2.0", &["nationalarchives.gov.uk/doc/open-government-licence/version/2"]),
    ("etalab-2.0", &["licence ouverte 2.0", "etalab.gouv.fr/licence-ouverte-open-licence", "licence ouverte / open licence 2.0"]),
    ("DL-DE-BY-2.0", &["govdata.de/dl-de/by-2-0", "dl-de/by-2-0"]),
    ("DL-DE-ZERO-2.0", &["govdata.de/dl-de/zero-2-0", "dl-de/zero-2-0"]),
    ("NLOD-2.0", &["data.norge.no/nlod/no/2.0", "data.norge.no/nlod/en/2.0"]),
    ("EUPL-1.2", &["eupl 1.2"]),
    ("MIT", &["opensource.org/licenses/mit"]),
    ("Apache-2.0", &["apache.org/licenses/license-2.0", "apache license 2.0"]),
    ("GFDL-1.3-or-later", &["gnu.org/licenses/fdl-1.3", "gnu.org/copyleft/fdl.html"]),
];
/// The parts that a Creative Commons licence can have behind `CC-`, in their order.
const VARIANTS: &[&str] = &["by-nc-sa", "by-nc-nd", "by-sa", "by-nc", "by-nd", "by"];
const VERSIONS: &[&str] = &["4.0", "3.0", "2.5", "2.0", "1.0"];

/// The SPDX name of a licence as stated; `None` where it cannot be told.
#[must_use]
pub fn spdx(stated: &str) -> Option<String> {
    if stated.len() > 300 {
        return None;
    }
    let lower = stated.trim().to_lowercase();
    let place = lower.trim_start_matches("https://").trim_start_matches("http://").trim_start_matches("www.").trim_end_matches('/');
    let named = NAMED.iter().find(|(name, ways)| name.eq_ignore_ascii_case(place) || ways.contains(&place));
    if let Some((name, _)) = named {
        return Some((*name).to_owned());
    }
    creative_commons(place)
}

fn creative_commons(place: &str) -> Option<String> {
    let rest = match place.strip_prefix("creativecommons.org/licenses/") {
        Some(path) => path.replace('/', "-"),
        None => place
            .strip_prefix("creative commons ")
            .or_else(|| place.strip_prefix("cc"))?
            .trim_start_matches([' ', '-', '_'])
            .replace([' ', '_'], "-"),
    };
    let variant = VARIANTS.iter().find(|variant| rest.strip_prefix(**variant).is_some_and(|rest| rest.starts_with('-')))?;
    let behind = rest[variant.len()..].trim_start_matches('-');
    let version = VERSIONS.iter().find(|version| behind.strip_prefix(**version).is_some_and(is_end))?;
    let country = behind[version.len()..].trim_start_matches('-');
    // Ports to a country's law are licences of their own; pages about a licence in some language are not.
    let is_page = ["deed", "legalcode", "international", "unported"].iter().any(|page| country.starts_with(page));
    (country.is_empty() || is_page).then(|| format!("CC-{}-{version}", variant.to_uppercase()))
}

fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_licence_has_one_name_however_it_is_stated() {
        for stated in [
            "CC-BY-SA-4.0",
            "cc by-sa 4.0",
            "CC BY-SA 4.0 International",
            "https://creativecommons.org/licenses/by-sa/4.0/",
            "http://creativecommons.org/licenses/by-sa/4.0/deed.lv",
            "https://www.creativecommons.org/licenses/by-sa/4.0/legalcode",
        ] {
            assert_eq!(spdx(stated).as_deref(), Some("CC-BY-SA-4.0"), "{stated}");
        }
        for (stated, name) in [
            ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
            ("cc0-1.0", "CC0-1.0"),
            ("https://creativecommons.org/licenses/by-nc-nd/3.0/", "CC-BY-NC-ND-3.0"),
            ("https://www.govdata.de/dl-de/by-2-0", "DL-DE-BY-2.0"),
        ] {
            assert_eq!(spdx(stated).as_deref(), Some(name), "{stated}");
        }
    }

    #[test]
    fn what_is_not_sure_has_no_name() {
        for stated in [
            "",
            "All rights reserved",
            "CC",
            "CC BY",
            "cc-by-sa",
            "CC BY 4.01",
            "free",
            "https://creativecommons.org/licenses/by/3.0/at/",
            "not CC BY 4.0",
            "CC BY 4.0 or later",
            "https://evil.example/creativecommons.org/licenses/by/4.0/",
        ] {
            assert_eq!(spdx(stated), None, "{stated}");
        }
    }
}
