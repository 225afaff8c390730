//! What a page states in JSON-LD: which kind of thing it is about, who wrote it and when.
//!
//! The data is searched, not parsed: much of it is broken on real pages, and of each name only the first value is wanted.

use memchr::memmem;

use super::tree::Stated;

/// How many kinds of page are told apart.
pub(super) const KINDS: u32 = 8;
/// So many bytes behind `"@type"` are read for its names.
const TYPES_BYTES_MAX: usize = 80;
/// An author's `name` stands at most so far behind.
const NAME_BYTES_MAX: usize = 600;
/// A longer value is none.
const VALUE_BYTES_MAX: usize = 400;

impl Stated {
    /// Reads a script of type `application/ld+json`.
    pub(super) fn read_linked_data(&mut self, json: &str) {
        for found in memmem::find_iter(json.as_bytes(), b"\"@type\"") {
            let names = head(&json[found + 7..], TYPES_BYTES_MAX);
            self.kinds |= names.split('"').take(6).fold(0, |all, name| all | kind_of(name));
        }
        if self.date.is_none() {
            self.date = value_of(json, "\"datePublished\"");
        }
        if self.author.is_none() {
            self.author = author_of(json);
        }
    }
}

/// The kind of page that a name of schema.org or Open Graph stands for, as a bit.
pub(super) fn kind_of(name: &str) -> u16 {
    match name {
        "article" | "Article" | "NewsArticle" | "BlogPosting" | "TechArticle" | "Report" | "ReportageNewsArticle" | "ScholarlyArticle" => 1,
        "product" | "og:product" | "Product" | "ProductGroup" | "Offer" | "AggregateOffer" => 1 << 1,
        "DiscussionForumPosting" | "QAPage" | "Question" | "Answer" | "Comment" => 1 << 2,
        "ItemList" | "CollectionPage" | "SearchResultsPage" | "OfferCatalog" => 1 << 3,
        "website" | "WebSite" | "Organization" | "LocalBusiness" | "Corporation" => 1 << 4,
        "FAQPage" | "HowTo" | "Recipe" | "Service" | "SoftwareApplication" => 1 << 5,
        "VideoObject" | "video.other" | "Event" | "JobPosting" | "Movie" | "Book" | "book" => 1 << 6,
        "BreadcrumbList" => 1 << 7,
        _ => 0,
    }
}

/// The author: a string, or the `name` of the first object.
fn author_of(json: &str) -> Option<String> {
    let value = value_at(json, "\"author\"")?.trim_start_matches(|c: char| c == '[' || c.is_ascii_whitespace());
    if value.starts_with('"') {
        return string(value);
    }
    let object = head(value.strip_prefix('{')?, NAME_BYTES_MAX);
    string(value_at(object, "\"name\"")?)
}

fn value_of(json: &str, name: &str) -> Option<String> {
    string(value_at(json, name)?)
}

/// All that follows the colon behind the first `name`.
fn value_at<'j>(json: &'j str, name: &str) -> Option<&'j str> {
    let at = memmem::find(json.as_bytes(), name.as_bytes())?;
    Some(json[at + name.len()..].trim_ascii_start().strip_prefix(':')?.trim_ascii_start())
}

/// The JSON string that `text` begins with.
fn string(text: &str) -> Option<String> {
    let inner = head(text.strip_prefix('"')?, VALUE_BYTES_MAX);
    let mut escaped = false;
    let end = inner.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    let value: String = serde_json::from_str(&text[..end + 2]).ok()?;
    (!value.trim().is_empty()).then_some(value)
}

/// At most `bytes` of `text`.
fn head(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes.min(text.len()))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Stated {
        let mut stated = Stated::default();
        stated.read_linked_data(json);
        stated
    }

    #[test]
    fn author_date_and_kind_are_found_in_whole_and_in_broken_data() {
        let stated = read(
            r#"{"@type": ["NewsArticle"], "author": [{"@type":"Person","name":"Ilze B\u0113rzi\u0146a"}], "datePublished":"2024-03-01T10:00""#,
        );
        assert_eq!(stated.author.as_deref(), Some("Ilze Bērziņa"));
        assert_eq!(stated.date.as_deref(), Some("2024-03-01T10:00"));
        assert_eq!(stated.kinds, 1);
        assert_eq!(read(r#"{"author":"Mare Tamm"}"#).author.as_deref(), Some("Mare Tamm"));
    }

    #[test]
    fn what_is_no_string_is_no_value() {
        assert_eq!(read(r#"{"author": 5, "datePublished": null}"#).author, None);
        assert_eq!(read(r#"{"author": "#).author, None);
        assert_eq!(read(r#"{"datePublished": "2024"#).date, None);
    }
}
