//! Spawning's `/ai.txt`: written like robots.txt, but about training only, so whoever a group names, its lines say what the owner wants.
//!
//! Rules name types of files (`*.txt`) or paths. Of types those of text count, for pages too: the files that Spawning's form writes list a
//! type for every kind of work. Of paths the longest that matches counts, and of equal ones the one that disallows.

use super::lines::lines;
use super::pattern::Pattern;
use super::protocols::AI_TXT;
use super::{Says, Signal, SiteFile};

/// Endings of files of text.
const TEXT_TYPES: &[&str] = &["txt", "html", "htm", "xhtml", "xml", "md", "pdf", "doc", "docx", "odt", "rtf", "tex", "epub", "wpd", "wps"];

/// An ai.txt, ready to be asked about pages.
#[derive(Clone, Debug, Default)]
pub(super) struct AiTxt {
    /// What it says of text; the line that disallows a type, if one does.
    text: Option<Signal>,
    paths: Vec<(Pattern, Signal)>,
}

impl AiTxt {
    pub(super) fn read(file: &[u8]) -> AiTxt {
        let mut read = AiTxt::default();
        // Servers that know no such file like to send a page instead.
        if file.trim_ascii_start().starts_with(b"<") {
            return read;
        }
        for line in lines(file).filter(|line| !line.value.is_empty()) {
            let says = match (line.is("disallow"), line.is("allow")) {
                (true, _) => Says::Reserved,
                (_, true) => Says::Allowed,
                _ => continue,
            };
            let signal = Signal::at_line(AI_TXT, says, line.text, SiteFile::Ai, line.number);
            match file_type(line.value) {
                None => read.paths.push((Pattern::new(line.value), signal)),
                Some(ending) if is_text(ending) => read.add_text(signal),
                Some(_) => {}
            }
        }
        read
    }

    /// What it says of the page at `path`, and of text as such.
    pub(super) fn signals(&self, path: &[u8]) -> impl Iterator<Item = Signal> {
        let matching = self.paths.iter().filter(|(pattern, _)| pattern.matches(path));
        let decisive = matching.max_by_key(|(pattern, signal)| (pattern.length, signal.says == Says::Reserved));
        decisive.map(|(_, signal)| signal.clone()).into_iter().chain(self.text.clone())
    }

    fn add_text(&mut self, signal: Signal) {
        let outweighs = |known: &Signal| known.says == Says::Allowed && signal.says == Says::Reserved;
        if self.text.as_ref().is_none_or(outweighs) {
            self.text = Some(signal);
        }
    }
}

/// The ending that `*.ending` names, with or without `/` in front and `$` behind.
fn file_type(value: &[u8]) -> Option<&[u8]> {
    let value = value.strip_prefix(b"/").unwrap_or(value);
    let ending = value.strip_suffix(b"$").unwrap_or(value).strip_prefix(b"*.")?;
    ending.iter().all(u8::is_ascii_alphanumeric).then_some(ending)
}

fn is_text(ending: &[u8]) -> bool {
    TEXT_TYPES.iter().any(|known| ending.eq_ignore_ascii_case(known.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optout::pattern::path_of;

    #[track_caller]
    fn check(file: &str, url: &str, expected: &[(Says, &str)]) {
        let found: Vec<Signal> = AiTxt::read(file.as_bytes()).signals(&path_of(url)).collect();
        let found: Vec<(Says, &str)> = found.iter().map(|signal| (signal.says, signal.quote.as_str())).collect();
        assert_eq!(found, expected, "{file} {url}");
    }

    #[test]
    fn types_of_text_and_paths_are_told_from_the_rest() {
        let page = "https://kirjat.example.fi/uutiset/p%C3%A4iv%C3%A4";
        check("User-Agent: *\nDisallow: *.jpg\nDisallow: *.TXT\nDisallow: *.pdf", page, &[(Says::Reserved, "Disallow: *.TXT")]);
        check("User-Agent: *\nAllow: *.txt\nDisallow: /*.html$ # sivut", page, &[(Says::Reserved, "Disallow: /*.html$")]);
        check("User-Agent: *\nDisallow: *", page, &[(Says::Reserved, "Disallow: *")]);
        check("User-Agent: *\nDisallow: /", page, &[(Says::Reserved, "Disallow: /")]);
        check("User-Agent: *\nDisallow: *.png\nAllow: *.txt", page, &[(Says::Allowed, "Allow: *.txt")]);
        check("Disallow: /\nAllow: /uutiset/päivä", page, &[(Says::Allowed, "Allow: /uutiset/päivä")]);
        check("Allow: /\nDisallow: /", page, &[(Says::Reserved, "Disallow: /")]);
        check("Disallow: /arkisto/\nDisallow: *.wav\nDisallow:", page, &[]);
    }

    #[test]
    fn files_of_another_kind_say_nothing() {
        for file in ["<!doctype html>\nDisallow: /", "# Tietoja sivustosta\nNimi: Kirjat\nTekoälylle: tervetuloa", ""] {
            check(file, "/", &[]);
        }
    }
}
