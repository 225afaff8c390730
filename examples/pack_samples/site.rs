//! Reads the page sources in `data-samples/sites`: a file a language, labels first, then pages that begin with `=== URL`.
//!
//! The form is a list of `key: value` lines, an empty line, and paragraphs, so that a native speaker can correct a text without
//! meeting any markup. Keys that repeat (`comment`, `header`) keep their order.

use std::collections::BTreeMap;
use std::path::Path;

/// `key: value` lines in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(Vec<(String, String)>);

impl Keys {
    /// The first value of `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// All values of `key`.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn read(text: &str) -> Keys {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        Keys(
            lines
                .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("`{line}` is no `key: value`")))
                .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
                .collect(),
        )
    }

    fn default(&mut self, key: &str, value: &str) {
        if self.get(key).is_none() {
            self.0.push((key.to_owned(), value.to_owned()));
        }
    }
}

/// One page, or another thing that a crawler met.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Where it was met.
    pub(crate) url: String,
    /// Its paragraphs.
    pub(crate) body: Vec<String>,
    keys: Keys,
}

impl Page {
    /// The first value of `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.keys.get(key)
    }

    /// All values of `key`.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.keys.all(key)
    }

    /// The language in which it is written; empty where there is no text.
    pub(crate) fn lang(&self) -> &str {
        self.get("lang").unwrap_or_default()
    }

    /// The host of its address.
    pub(crate) fn host(&self) -> &str {
        self.url.split('/').nth(2).unwrap_or_default()
    }

    fn read(text: &str) -> Page {
        let (url, rest) = text.split_once('\n').unwrap_or((text, ""));
        let (keys, body) = rest.split_once("\n\n").unwrap_or((rest, ""));
        let keys = Keys::read(keys);
        let paragraphs: Vec<String> = body
            .split("\n\n")
            .flat_map(|part| if part.starts_with("- ") { part.lines().collect() } else { vec![part] })
            .map(|part| part.trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect();
        let times = keys.get("repeat").map_or(1, |times| times.parse().expect("`repeat` is a number"));
        Page { url: url.trim().to_owned(), body: vec![paragraphs; times].concat(), keys }
    }

    /// This page with the text of `origin`, and its keys where this page states none.
    fn copied_from(&self, origin: &Page) -> Page {
        let mut page = self.clone();
        page.body.clone_from(&origin.body);
        for (old, new) in self.all("edit").filter_map(|edit| edit.split_once(" => ")) {
            assert!(page.body.iter().any(|paragraph| paragraph.contains(old)), "`{old}` is not in {}", origin.url);
            page.body.iter_mut().for_each(|paragraph| *paragraph = paragraph.replace(old, new));
        }
        for key in ["lang", "title", "template", "date"] {
            origin.get(key).into_iter().for_each(|value| page.keys.default(key, value));
        }
        page.keys.default("canonical", &origin.url);
        page
    }
}

/// Everything below `data-samples` that archives are packed from.
#[derive(Debug)]
pub(crate) struct Sites {
    /// Pages in the order of files and lines.
    pub(crate) pages: Vec<Page>,
    /// Curated texts.
    pub(crate) curated: Vec<Page>,
    /// The labels of the templates, by language.
    pub(crate) labels: BTreeMap<String, Keys>,
    /// The templates, by name.
    pub(crate) templates: BTreeMap<String, String>,
}

impl Sites {
    /// Reads all sources. Panics where one is not well formed: this is a tool for those who write them.
    pub(crate) fn read(root: &Path) -> Sites {
        let mut sites =
            Sites { pages: Vec::new(), curated: Vec::new(), labels: BTreeMap::new(), templates: texts(&root.join("templates")) };
        for (name, text) in texts(&root.join("sites")) {
            let mut parts = text.split("\n=== ");
            let labels = Keys::read(parts.next().unwrap_or_default());
            let mut pages: Vec<Page> = parts.map(Page::read).collect();
            if name != "cases" && name != "curated" {
                pages.iter_mut().for_each(|page| page.keys.default("lang", &name));
            }
            pages.iter_mut().for_each(|page| page.keys.default("archive", labels.get("archive").unwrap_or(&name)));
            if name == "curated" { &mut sites.curated } else { &mut sites.pages }.append(&mut pages);
            sites.labels.insert(name, labels);
        }
        resolve_copies(&mut sites.pages);
        resolve_copies(&mut sites.curated);
        sites
    }
}

fn resolve_copies(pages: &mut [Page]) {
    for place in 0..pages.len() {
        let Some(url) = pages[place].get("copy-of") else { continue };
        let origin = pages.iter().find(|page| page.url == url).unwrap_or_else(|| panic!("no page `{url}` to copy"));
        pages[place] = pages[place].copied_from(origin);
    }
}

/// The text files of a folder by name without ending; a map, so in one order on every file system.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|why| panic!("cannot list {}: {why}", folder.display()));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), std::fs::read_to_string(&path).expect("UTF-8")))
        .collect()
}
