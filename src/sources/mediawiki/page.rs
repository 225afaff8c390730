//! One `<page>` of a dump, and what the dump's head says of its wiki. Dumps are written by one program in one form, so the elements are
//! found by their names; a general parser would spend its time on escapes that only the text needs undone.

use std::borrow::Cow;

use memchr::{memchr, memmem};

/// What the head of a dump says, as far as pages need it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Site {
    /// Language of the wiki.
    pub(super) lang: String,
    /// Address of a page without its title.
    pub(super) prefix: String,
    /// Names of the namespaces whose links show nothing where they stand, in lower case.
    pub(super) hidden: Vec<String>,
}

impl Site {
    /// Reads the head of a dump.
    pub(super) fn parse(head: &str) -> Site {
        let root = head.split_once("<mediawiki").map_or("", |(_, behind)| behind.split('>').next().unwrap_or(""));
        let base = unescaped(element(head, "base").unwrap_or(""));
        let mut hidden: Vec<String> = ["file", "image", "media", "category"].map(str::to_owned).to_vec();
        for key in ["-2", "6", "14"] {
            let named =
                head.split_once(&format!("<namespace key=\"{key}\"")).and_then(|(_, rest)| rest.split_once('>')?.1.split('<').next());
            hidden.extend(named.map(|name| unescaped(name).to_lowercase()).filter(|name| !name.is_empty() && !hidden.contains(name)));
        }
        Site {
            lang: attribute(root, "xml:lang").unwrap_or("").to_owned(),
            prefix: base.rsplit_once('/').map_or("", |(prefix, _)| prefix).to_owned(),
            hidden,
        }
    }

    /// As a line in front of each page, because a record is all that is decoded.
    pub(super) fn to_line(&self) -> String {
        let fields = [&self.lang, &self.prefix].into_iter().chain(&self.hidden);
        fields.map(|field| field.replace(['\t', '\n', '\r'], " ")).collect::<Vec<_>>().join("\t") + "\n"
    }

    pub(super) fn from_line(line: &str) -> Option<Site> {
        let mut fields = line.split('\t').map(str::to_owned);
        Some(Site { lang: fields.next()?, prefix: fields.next()?, hidden: fields.collect() })
    }

    /// The address of the page called `title`; empty where the dump does not say where it comes from.
    pub(super) fn address(&self, title: &str) -> String {
        if self.prefix.is_empty() {
            return String::new();
        }
        let mut address = self.prefix.clone() + "/";
        for byte in title.bytes() {
            match byte {
                b' ' => address.push('_'),
                b'%' | b'?' | b'#' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0..=31 | 127.. => {
                    address.push_str(&format!("%{byte:02X}"));
                }
                _ => address.push(char::from(byte)),
            }
        }
        address
    }
}

/// One page, its wikitext still escaped. Of several revisions it is the last.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) title: String,
    pub(super) namespace: i32,
    pub(super) id: &'a str,
    pub(super) is_redirect: bool,
    pub(super) revision: &'a str,
    pub(super) timestamp: &'a str,
    pub(super) model: &'a str,
    pub(super) sha1: &'a str,
    pub(super) wikitext: &'a str,
}

impl<'a> Page<'a> {
    /// Reads what stands from `<page>` to `</page>`.
    pub(super) fn parse(page: &'a str) -> Option<Page<'a>> {
        let begin = memmem::rfind(page.as_bytes(), b"<revision>")?;
        let (head, revision) = page.split_at(begin);
        // The text is the last long thing in a revision; what is short stands before and behind it.
        let text_at = memmem::find(revision.as_bytes(), b"<text")?;
        let (before, text) = revision.split_at(text_at);
        let open_end = memchr(b'>', text.as_bytes())?;
        let (wikitext, behind) = if text.as_bytes()[open_end - 1] == b'/' {
            ("", &text[open_end + 1..])
        } else {
            let end = memmem::rfind(text.as_bytes(), b"</text>").filter(|end| *end > open_end)?;
            (&text[open_end + 1..end], &text[end..])
        };
        let of_revision = |name| element(before, name).or_else(|| element(behind, name)).unwrap_or("");
        Some(Page {
            title: unescaped(element(head, "title")?).into_owned(),
            namespace: element(head, "ns").and_then(|number| number.parse().ok()).unwrap_or(0),
            id: element(head, "id").unwrap_or(""),
            is_redirect: head.contains("<redirect"),
            revision: of_revision("id"),
            timestamp: of_revision("timestamp"),
            model: of_revision("model"),
            sha1: of_revision("sha1"),
            wikitext,
        })
    }
}

/// The content of the first element called `name`.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let open = format!("<{name}>");
    let begin = memmem::find(xml.as_bytes(), open.as_bytes())? + open.len();
    let end = begin + memchr(b'<', &xml.as_bytes()[begin..])?;
    Some(xml[begin..end].trim())
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split_once(&format!("{name}=\""))?.1.split('"').next()
}

/// Text with the five escapes of XML and those by number undone.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr(b'&', text.as_bytes()) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    let (before, mut rest) = text.split_at(first);
    out.push_str(before);
    while let Some(place) = memchr(b'&', rest.as_bytes()) {
        out.push_str(&rest[..place]);
        rest = &rest[place..];
        let end = rest.bytes().take(10).position(|byte| byte == b';');
        let letter = end.and_then(|end| match &rest[1..end] {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            number => {
                let digits = number.strip_prefix('#')?;
                let code = digits.strip_prefix('x').map_or_else(|| digits.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())?;
                char::from_u32(code)
            }
        });
        let taken = letter.and(end).map_or(1, |end| end + 1);
        match letter {
            Some(letter) => out.push(letter),
            None => out.push('&'),
        }
        rest = &rest[taken..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}
