//! Finds the full text of a record: where its metadata lead, and from a page about it to the file that the page names, as repositories tell
//! search engines (`citation_pdf_url`) and machines (`rel="item"`, signposting.org).

use html5gum::{Token, Tokenizer};
use url::Url;

use super::list::body;
use super::visitor::{Unheard, Visitor};
use crate::archive::fields::text;
use crate::archive::http::Response;
use crate::crawl::fetch::Fetched;
use crate::crawl::writer::reservations;
use crate::formats::oai::Harvested;
use crate::formats::{Kind, kind_of};
use crate::text::canonical::{Rules, join};

/// Addresses of one record that are tried.
const ADDRESSES_MAX: usize = 3;
/// Files that one page names and that are tried.
const FILES_MAX: usize = 2;
/// How often one address is asked for.
const TRIES_MAX: u32 = 3;
/// Endings of files that are texts.
const FILES: [&str; 9] = [".pdf", ".xml", ".epub", ".odt", ".docx", ".txt", ".hocr", ".tei", ".zip"];
/// Media types of such files, in the order of what they give.
const TYPES: [&str; 5] =
    ["application/tei+xml", "application/xml", "application/epub+zip", "application/pdf", "application/vnd.oasis.opendocument.text"];

/// What became of a record.
pub(super) enum Text {
    /// Its full text, from there.
    Found(Url, Box<Fetched>),
    /// There is none for us, and why.
    None(&'static str),
    /// It could not be had tonight, and why.
    Failed(String),
    /// The night ends here.
    Ended(Unheard),
}

/// Looks for the text of `record`.
pub(super) async fn text_of(visitor: &mut Visitor<'_>, record: &Harvested, bytes_max: usize) -> Text {
    if record.all("rights").chain(record.all("accessRights")).any(is_closed) {
        return Text::None("closed-access");
    }
    let mut why = Text::None("no-full-text");
    for url in addresses(record) {
        match visitor.get(&url, true, TRIES_MAX).await {
            Ok((at, fetched)) => match read(&at, fetched, bytes_max) {
                Page::File(fetched) => return Text::Found(at, fetched),
                Page::Leads(files) => match first_of(visitor, files, bytes_max).await {
                    Text::None("no-full-text") => {}
                    other @ (Text::Found(..) | Text::Ended(_)) => return other,
                    other => why = other,
                },
                Page::Nothing(word) => why = Text::None(word),
            },
            Err(unheard) => match settle(unheard) {
                ended @ Text::Ended(_) => return ended,
                other => why = other,
            },
        }
    }
    why
}

async fn first_of(visitor: &mut Visitor<'_>, files: Vec<Url>, bytes_max: usize) -> Text {
    let mut why = Text::None("no-full-text");
    for url in files {
        match visitor.get(&url, true, TRIES_MAX).await {
            Ok((at, fetched)) => match read(&at, fetched, bytes_max) {
                Page::File(fetched) => return Text::Found(at, fetched),
                Page::Leads(_) => {}
                Page::Nothing(word) => why = Text::None(word),
            },
            Err(unheard) => match settle(unheard) {
                ended @ Text::Ended(_) => return ended,
                other => why = other,
            },
        }
    }
    why
}

fn settle(unheard: Unheard) -> Text {
    match unheard {
        Unheard::Refused(word) => Text::None(word),
        Unheard::Failed(word) => Text::Failed(word),
        Unheard::Over | Unheard::Stopped => Text::Ended(unheard),
    }
}

/// Rights of the vocabulary of OpenAIRE (info:eu-repo) by which a text is not free to read.
fn is_closed(rights: &str) -> bool {
    ["closedAccess", "embargoedAccess", "restrictedAccess"].iter().any(|word| rights.ends_with(&format!("info:eu-repo/semantics/{word}")))
}

/// Where the metadata lead: files first, then pages about the record, then whoever resolves its DOI. Relations are followed to the hosts of
/// its identifiers only, as others are other works.
fn addresses(record: &Harvested) -> Vec<Url> {
    let rules = Rules::new(false, true, &[]);
    let named: Vec<Url> = record.all("identifier").filter_map(|value| rules.canonical(&resolvable(value)?)).collect();
    let hosts: Vec<&str> = named.iter().filter_map(Url::host_str).collect();
    let related =
        ["relation", "hasFormat", "source"].into_iter().flat_map(|name| record.all(name)).filter_map(|value| rules.canonical(value));
    let mut all = named.clone();
    all.extend(related.filter(|url| url.host_str().is_some_and(|host| hosts.contains(&host))));
    let rank = |url: &Url| match url.host_str() {
        Some("doi.org" | "dx.doi.org" | "hdl.handle.net") => 2,
        _ => u8::from(!FILES.iter().any(|ending| url.path().to_ascii_lowercase().ends_with(ending))),
    };
    all.sort_by_key(rank);
    all.dedup();
    all.truncate(ADDRESSES_MAX);
    all
}

/// An identifier as an address, if it is one or has one.
fn resolvable(value: &str) -> Option<String> {
    if value.starts_with("http://") || value.starts_with("https://") {
        return Some(value.to_owned());
    }
    let doi = value.strip_prefix("doi:").or_else(|| value.strip_prefix("DOI:")).unwrap_or(value).trim();
    let is_doi = doi.starts_with("10.") && doi.contains('/') && !doi.contains(char::is_whitespace);
    is_doi.then(|| format!("https://doi.org/{doi}"))
}

/// What came.
enum Page {
    File(Box<Fetched>),
    Leads(Vec<Url>),
    Nothing(&'static str),
}

fn read(url: &Url, fetched: Fetched, bytes_max: usize) -> Page {
    let Some(response) = Response::parse(&fetched.response) else { return Page::Nothing("no-full-text") };
    if fetched.status != 200 {
        return Page::Nothing("no-full-text");
    }
    if fetched.truncated.is_some() {
        return Page::Nothing("too-long");
    }
    let headers: Vec<(String, String)> =
        response.fields.iter().map(|(name, value)| (text(name).to_ascii_lowercase(), text(&value))).collect();
    let Some(bytes) = body(&fetched, bytes_max) else { return Page::Nothing("too-long") };
    let is_html = headers.iter().any(|(name, value)| name == "content-type" && value.to_ascii_lowercase().contains("html"));
    let html: &[u8] = if is_html { &bytes } else { &[] };
    if !reservations(url.as_str(), &response, html).is_empty() {
        return Page::Nothing("reserved");
    }
    match kind_of(url.path(), &bytes) {
        Kind::Xhtml => Page::Leads(files(url, &headers, &bytes)),
        Kind::Unknown if is_html => Page::Leads(files(url, &headers, &bytes)),
        Kind::Unknown => Page::Nothing("no-full-text"),
        _ => Page::File(Box::new(fetched)),
    }
}

/// The files that a page about a record names, the best first.
fn files(url: &Url, headers: &[(String, String)], html: &[u8]) -> Vec<Url> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let rank = |kind: &str| TYPES.iter().position(|known| kind.trim().eq_ignore_ascii_case(known));
    for (_, value) in headers.iter().filter(|(name, _)| name == "link") {
        for link in value.replace(", <", ",<").split(",<").map(|link| link.trim().trim_start_matches('<')) {
            let Some((target, parameters)) = link.split_once('>') else { continue };
            let parameter = |name: &str| {
                parameters
                    .split(';')
                    .find_map(|one| one.trim().strip_prefix(name)?.strip_prefix('='))
                    .map(|value| value.trim_matches('"').to_owned())
            };
            if parameter("rel").as_deref() == Some("item")
                && let Some(rank) = parameter("type").as_deref().and_then(rank)
            {
                found.push((rank, target.to_owned()));
            }
        }
    }
    for token in Tokenizer::new(html).flatten() {
        let Token::StartTag(tag) = token else { continue };
        let attribute = |name: &[u8]| tag.attributes.get(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default();
        match &*tag.name.0 {
            b"meta" if attribute(b"name").eq_ignore_ascii_case("citation_xml_url") => found.push((1, attribute(b"content"))),
            b"meta" if attribute(b"name").eq_ignore_ascii_case("citation_pdf_url") => found.push((3, attribute(b"content"))),
            b"link" if ["item", "alternate"].contains(&attribute(b"rel").to_ascii_lowercase().as_str()) => {
                found.extend(rank(&attribute(b"type")).map(|rank| (rank, attribute(b"href"))));
            }
            _ => {}
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    let rules = Rules::new(false, true, &[]);
    let mut urls: Vec<Url> =
        found.iter().filter_map(|(_, href)| rules.canonical(join(url, href)?.as_str())).filter(|to| to != url).collect();
    urls.dedup();
    urls.truncate(FILES_MAX);
    urls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(fields: &[(&str, &str)]) -> Harvested {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Harvested { fields, ..Harvested::default() }
    }

    #[test]
    fn files_are_asked_for_before_pages_and_a_doi_last_and_other_works_not_at_all() {
        let record = record(&[
            ("identifier", "10.1000/182"),
            ("identifier", "https://repo.example.hr/12"),
            ("identifier", "ISSN 1234-5678"),
            ("relation", "https://repo.example.hr/12/tekst.PDF"),
            ("relation", "https://drugdje.example.hr/citirano.pdf"),
        ]);
        let found: Vec<String> = addresses(&record).into_iter().map(String::from).collect();
        assert_eq!(found, ["https://repo.example.hr/12/tekst.PDF", "https://repo.example.hr/12", "https://doi.org/10.1000/182"]);
    }

    #[test]
    fn a_page_about_a_record_names_its_files() {
        let url = Url::parse("https://repo.example.hr/12").expect("an address");
        let html = b"<head><meta name=citation_pdf_url content=/12/a.pdf><link rel=alternate type=application/epub+zip href=a.epub>\
            <link rel=alternate type=application/rss+xml href=/feed></head><a href=/13.pdf>other</a>";
        let headers = [(
            "link".to_owned(),
            "<https://repo.example.hr/12.tei>; rel=\"item\"; type=\"application/tei+xml\", <x>; rel=cite-as".to_owned(),
        )];
        let found = |headers: &[(String, String)]| files(&url, headers, html).into_iter().map(String::from).collect::<Vec<_>>();
        assert_eq!(found(&[]), ["https://repo.example.hr/a.epub", "https://repo.example.hr/12/a.pdf"]);
        assert_eq!(found(&headers), ["https://repo.example.hr/12.tei", "https://repo.example.hr/a.epub"]);
    }

    #[test]
    fn rights_that_close_a_text_are_known() {
        assert!(
            is_closed("info:eu-repo/semantics/embargoedAccess") && !is_closed("info:eu-repo/semantics/openAccess") && !is_closed("CC BY")
        );
    }
}
