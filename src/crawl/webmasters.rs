//! The page for webmasters: who asks for their pages, how often, and how to be left alone. Made from the settings of the crawl itself, so
//! that it cannot promise what the crawler does not do.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::robots_file::HOLDS_MS;
use super::settings::{CrawlSettings, Scope};

const STYLE: &str = "
body { font: 16px/1.6 system-ui, sans-serif; color: #263238; max-width: 46rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } code, pre { background: #f0f2f1; border-radius: 4px; padding: .1rem .3rem; }
pre { padding: .8rem; overflow-x: auto; }
";

/// The page as HTML that needs nothing else.
#[must_use]
pub fn webmasters_page(settings: &CrawlSettings) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (settings.agent) ": for webmasters" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (who(settings))
                (how_often(settings))
                (how_to_stop_us(settings))
                h2 { "Whom to write to" }
                p { "Anything wrong, or pages that should be erased from what we hold: " (contact(settings)) "." }
            }
        }
    };
    page.into_string()
}

fn contact(settings: &CrawlSettings) -> Markup {
    let written = settings.contact.trim();
    let is_whole = ["https://", "http://", "mailto:"].iter().any(|scheme| written.starts_with(scheme));
    let address = if is_whole { written.to_owned() } else { format!("mailto:{written}") };
    html! { a href=(address) { (written.trim_start_matches("mailto:")) } }
}

fn who(settings: &CrawlSettings) -> Markup {
    html! {
        h1 { (settings.agent) }
        p {
            (settings.agent) " is a crawler that collects texts from public web pages into a corpus for training language models. "
            "It asks only with GET, keeps no cookies, fills in no forms and runs no scripts."
        }
        p { "It says who it is in every request:" }
        pre { "User-Agent: " (settings.user_agent()) }
    }
}

fn how_often(settings: &CrawlSettings) -> Markup {
    let pause = settings.delay_ms_min as f64 / 1e3;
    html! {
        h2 { "How often it comes" }
        ul {
            li { "One request at a time to a host, and to a network address, however many hosts it has." }
            li { "A pause of at least " (pause) " s between two requests to a host, and at least " (settings.delay_factor) " times as long as the last answer took." }
            li { "A " code { "Crawl-delay" } " is kept; where it is longer than " (settings.crawl_delay_s_max) " s, no page is asked for." }
            li { "At most " (settings.host_pages_max) " pages of a host and " (settings.domain_pages_max) " of a domain in one night." }
            @if settings.revisit {
                li {
                    "A page is asked for again after " (settings.revisit_hours_min) " hours at the earliest, and with " code { "If-None-Match" } " and "
                    code { "If-Modified-Since" } "; while it stays the same the time grows up to " (settings.revisit_hours_max) " hours."
                }
            } @else {
                li { "A page is not asked for again." }
            }
            li { "A host that answers with faults, 429 or 503 is given longer pauses, and after " (settings.faults_max) " faults in a row it is left alone for the night." }
            @if settings.scope != Scope::Any {
                li { "Only chosen sites are visited; links to others are not followed." }
            }
        }
    }
}

fn how_to_stop_us(settings: &CrawlSettings) -> Markup {
    html! {
        h2 { "How to keep it away" }
        p {
            code { "robots.txt" } " is obeyed (RFC 9309), and read anew at the latest after " (HOLDS_MS / 3_600_000)
            " hours. While it cannot be read, because the server fails, no page is asked for. This closes a whole site:"
        }
        pre { "User-agent: " (settings.agent) "\nDisallow: /" }
        @if !settings.training_agents.is_empty() {
            p {
                "What is closed to one of these tokens is not asked for either, because it says that training is not wanted: "
                @for (at, agent) in settings.training_agents.iter().enumerate() { @if at > 0 { ", " } code { (agent) } } "."
            }
        }
        p { "Pages that say one of these are not kept:" }
        pre { "<meta name=\"robots\" content=\"noai\">\nX-Robots-Tag: noai\n<meta name=\"tdm-reservation\" content=\"1\">\ntdm-reservation: 1" }
        p { "A file " code { "/.well-known/tdmrep.json" } " reserves a site, or parts of it (TDMRep); what it reserves is not asked for:" }
        pre { "[{ \"location\": \"/*\", \"tdm-reservation\": 1 }]" }
        p { "So does " code { "/ai.txt" } "." }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webmaster_finds_who_we_are_how_often_we_come_and_how_to_stop_us() {
        let settings = CrawlSettings { contact: "roboty@korpus.example.sk".to_owned(), host_pages_max: 321, ..CrawlSettings::default() };
        let page = webmasters_page(&settings);
        for promised in [
            "User-agent: tamisbot\nDisallow: /",
            &settings.user_agent(),
            "href=\"mailto:roboty@korpus.example.sk\"",
            "At most 321 pages of a host",
            "at least 5 s",
            "content=&quot;noai&quot;",
            "tdm-reservation",
            "GPTBot",
        ] {
            assert!(page.contains(promised), "{promised}");
        }
    }

    #[test]
    fn what_the_page_says_to_do_is_what_the_crawler_obeys() {
        use crate::optout::{Agents, Evidence, Site, SiteFile, Verdict, find};
        let reserves = |evidence: &Evidence<'_>| find(evidence, &Agents::default()).verdict == Verdict::Reserved;
        let url = "https://obec.example.sk/a";
        for html in ["<meta name=\"robots\" content=\"noai\">", "<meta name=\"tdm-reservation\" content=\"1\">"] {
            assert!(reserves(&Evidence { url, html: html.as_bytes(), ..Evidence::default() }), "{html}");
        }
        for (name, value) in [("x-robots-tag", "noai"), ("tdm-reservation", "1")] {
            let headers = [(name.to_owned(), value.to_owned())];
            assert!(reserves(&Evidence { url, status: Some(200), headers: &headers, ..Evidence::default() }), "{name}");
        }
        let mut site = Site::default();
        site.take(SiteFile::Tdmrep, b"[{ \"location\": \"/*\", \"tdm-reservation\": 1 }]", &Agents::default());
        assert_eq!(site.find(&Evidence { url, ..Evidence::default() }).verdict, Verdict::Reserved);
        let robots = crate::robots::Robots::parse(b"User-agent: tamisbot\nDisallow: /");
        assert!(!robots.allows(b"tamisbot", url.as_bytes()) && robots.allows(b"other", url.as_bytes()));
    }

    #[test]
    fn nothing_from_the_settings_becomes_markup() {
        let contact = "javascript:alert('<b>@')".to_owned();
        let page = webmasters_page(&CrawlSettings { contact, ..CrawlSettings::default() });
        assert!(!page.contains("<b>") && page.contains("href=\"mailto:javascript:"));
    }
}
