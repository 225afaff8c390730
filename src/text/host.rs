//! What a host name tells: whose domain it is, and which part of the world and of society it belongs to.
//!
//! Classes are coarse on purpose: they show in the ledger where a corpus comes from without naming anybody.

use std::net::Ipv4Addr;

/// Top-level domains of the 27 member states of the EU, of their outermost regions, and of places and languages inside it.
const EU_COUNTRIES: &[&str] = &[
    "at",
    "be",
    "bg",
    "cy",
    "cz",
    "de",
    "dk",
    "ee",
    "es",
    "fi",
    "fr",
    "gr",
    "hr",
    "hu",
    "ie",
    "it",
    "lt",
    "lu",
    "lv",
    "mt",
    "nl",
    "pl",
    "pt",
    "ro",
    "se",
    "si",
    "sk",
    "ax",
    "gf",
    "gp",
    "mq",
    "re",
    "yt",
    "xn--90ae",
    "xn--qxam",
    "alsace",
    "amsterdam",
    "barcelona",
    "bayern",
    "berlin",
    "brussels",
    "bzh",
    "cat",
    "cologne",
    "corsica",
    "eus",
    "frl",
    "gal",
    "gent",
    "hamburg",
    "koeln",
    "madrid",
    "nrw",
    "paris",
    "ruhr",
    "saarland",
    "tirol",
    "vlaanderen",
    "wien",
];

/// The same for the rest of Europe, members of the Council of Europe or not.
const EUROPE_COUNTRIES: &[&str] = &[
    "ad",
    "al",
    "am",
    "az",
    "ba",
    "by",
    "ch",
    "fo",
    "gb",
    "ge",
    "gg",
    "gi",
    "gl",
    "im",
    "is",
    "je",
    "li",
    "mc",
    "md",
    "me",
    "mk",
    "no",
    "rs",
    "ru",
    "sj",
    "sm",
    "su",
    "tr",
    "ua",
    "uk",
    "va",
    "xn--90a3ac",
    "xn--90ais",
    "xn--d1alf",
    "xn--j1amh",
    "xn--node",
    "xn--p1ai",
    "xn--y9a3aq",
    "cymru",
    "london",
    "scot",
    "swiss",
    "wales",
    "zuerich",
    "istanbul",
    "ist",
];

/// `.eu` and its Cyrillic and Greek forms.
const EU: &[&str] = &["eu", "xn--e1a4c", "xn--qxa6a"];

/// Second levels that countries keep for their authorities: `gouv.fr`, `gob.es`, `gv.at`, `gov.pl`.
const GOVERNMENT: &[&str] = &["gov", "gouv", "gob", "gub", "govt", "gv", "mil"];

/// Second levels that countries keep for schools and universities: `ac.uk`, `edu.pl`.
const EDUCATION: &[&str] = &["edu", "ac", "sch"];

/// All classes of hosts.
pub const HOST_CLASSES: [&str; 9] =
    ["eu", "eu-country", "europe-country", "other-country", "government", "education", "generic", "address", "none"];

/// The class of `host` (lower case, ASCII, without port): `eu`, `eu-country`, `europe-country`, `other-country`, `government`,
/// `education`, `generic`, `address` for an IP address, `none` where there is no public name.
///
/// ```
/// assert_eq!(tamis::text::host::host_class("www.service-public.gouv.fr"), "government");
/// ```
#[must_use]
pub fn host_class(host: &str) -> &'static str {
    if host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok() {
        return "address";
    }
    let mut labels = host.trim_end_matches('.').rsplit('.');
    let top = labels.next().unwrap_or_default();
    let Some(second) = labels.next() else { return "none" };
    let is_country = top.len() == 2 && top != "eu";
    match top {
        "gov" | "mil" => "government",
        "edu" => "education",
        "eu" if second == "europa" => "government",
        _ if is_country && GOVERNMENT.contains(&second) => "government",
        _ if is_country && EDUCATION.contains(&second) && labels.next().is_some() => "education",
        _ if EU.contains(&top) => "eu",
        _ if EU_COUNTRIES.contains(&top) => "eu-country",
        _ if EUROPE_COUNTRIES.contains(&top) => "europe-country",
        _ if is_country => "other-country",
        _ => "generic",
    }
}

/// The part of `host` that somebody registered, by the Public Suffix List: `example.co.uk` of `www.example.co.uk`. A host that has
/// none (an address, a public suffix itself) is returned whole.
#[must_use]
pub fn registrable_domain(host: &str) -> &str {
    if host_class(host) == "address" { host } else { psl::domain_str(host).unwrap_or(host) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_belongs_to_one_class() {
        for (host, class) in [
            ("commission.europa.eu", "government"),
            ("www.kirjastus.eu", "eu"),
            ("www.lrt.lt", "eu-country"),
            ("ca.wikipedia.cat", "eu-country"),
            ("xn--80aaxitdbjk.xn--90ae", "eu-country"),
            ("www.nrk.no", "europe-country"),
            ("www.example.co.uk", "europe-country"),
            ("www.admin.gov.pl", "government"),
            ("www.bmf.gv.at", "government"),
            ("www.whitehouse.gov", "government"),
            ("www.ox.ac.uk", "education"),
            ("ac.uk", "europe-country"),
            ("mit.edu", "education"),
            ("example.com.br", "other-country"),
            ("fr.example.org", "generic"),
            ("192.0.2.7", "address"),
            ("[2001:db8::1]", "address"),
            ("localhost", "none"),
            ("", "none"),
        ] {
            assert_eq!(host_class(host), class, "{host}");
        }
    }

    #[test]
    fn a_registrable_domain_follows_the_public_suffix_list() {
        for (host, domain) in [
            ("www.news.example.co.uk", "example.co.uk"),
            ("blogg.example.no", "example.no"),
            ("example.gouv.fr", "example.gouv.fr"),
            ("co.uk", "co.uk"),
            ("192.0.2.7", "192.0.2.7"),
            ("", ""),
        ] {
            assert_eq!(registrable_domain(host), domain, "{host}");
        }
    }
}
