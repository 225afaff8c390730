//! Where a crawl begins: addresses of the recipe and of its files, each line judged for itself.

use std::collections::BTreeSet;
use std::path::Path;

use crate::text::canonical::Rules;

use super::settings::CrawlSettings;
use crate::store::StoreError;

/// Addresses to begin with, and lines that are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seeds {
    /// Canonical, in order, each once.
    pub urls: Vec<String>,
    /// `file:line: text` of what is no address.
    pub garbage: Vec<String>,
}

impl Seeds {
    /// The seeds of `settings`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(settings: &CrawlSettings) -> Result<Seeds, StoreError> {
        let (mut seeds, mut seen) = (Seeds::default(), BTreeSet::new());
        let rules = Rules::new(true, true, &[]);
        for (number, line) in (1..).zip(&settings.seeds) {
            seeds.take(line, &rules, &mut seen, || format!("seeds, {number}"));
        }
        for file in &settings.seed_files {
            let bytes = std::fs::read(file).map_err(|error| StoreError::io(Path::new(file), error))?;
            for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
                seeds.take(&String::from_utf8_lossy(line), &rules, &mut seen, || format!("{file}:{number}"));
            }
        }
        Ok(seeds)
    }

    fn take(&mut self, line: &str, rules: &Rules, seen: &mut BTreeSet<String>, place: impl Fn() -> String) {
        let line = line.trim().trim_start_matches('\u{feff}');
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        match rules.canonical(line) {
            Some(url) => self.urls.extend(seen.insert(url.to_string()).then(|| url.into())),
            None => self.garbage.push(format!("{}: {}", place(), line.chars().take(200).filter(|c| !c.is_control()).collect::<String>())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_that_is_no_address_is_told_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("seeds.txt").to_string_lossy().into_owned();
        std::fs::write(
            &file,
            b"\xef\xbb\xbfhttps://Obec.example.sk\r\n\n# pozn\xc3\xa1mka\nobec.example.sk\nftp://a.sk/\nhttps://obec.example.sk/\n\xff\xfe",
        )
        .expect("room");
        let settings = CrawlSettings {
            seeds: vec!["https://mesto.example.sk/?utm_source=x".to_owned()],
            seed_files: vec![file.clone()],
            ..CrawlSettings::default()
        };
        let seeds = Seeds::read(&settings).expect("it is there");
        assert_eq!(seeds.urls, ["https://mesto.example.sk/", "https://obec.example.sk/"]);
        assert_eq!(
            seeds.garbage.iter().map(|line| line.rsplit_once(": ").expect("a place").0.to_owned()).collect::<Vec<_>>(),
            [4, 5, 7].map(|line| format!("{file}:{line}"))
        );
    }
}
