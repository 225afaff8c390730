//! Whatever bytes a server sends: stage `extract` ends, says the same twice, gives clean text no longer than its input.
//!
//! The first byte picks the settings, the rest is the page. Begin from real pages:
//! `mkdir -p fuzz/corpus/extract && tar xf ../shared/data/extraction/pages.tar.xz -C fuzz/corpus/extract`, then
//! `cargo +nightly fuzz run extract -- -max_len=65536 -max_total_time=3600 -timeout=2`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tamis::doc::Document;
use tamis::stage::{Stage, Verdict};
use tamis::stages::extract::{Extract, Favour, Format};

fn settings(choice: u8) -> Extract {
    let format = if choice & 1 == 0 { Format::Text } else { Format::Markdown };
    Extract {
        format,
        links: choice & 1 == 1 && choice & 2 == 2,
        tables: choice & 4 == 0,
        comments: choice & 8 == 8,
        favour: [Favour::Balanced, Favour::Precision, Favour::Recall, Favour::Balanced][usize::from(choice >> 4 & 3)],
        ..Extract::default()
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, page)) = bytes.split_first() else { return };
    let stage = settings(*choice);
    let html = String::from_utf8_lossy(page).into_owned();
    let mut doc = Document { url: "https://www.example.eu/a/b?c=d".to_owned(), html: html.clone(), ..Document::default() };
    let mut again = doc.clone();
    let verdict = stage.judge(&mut doc);
    assert_eq!(stage.judge(&mut again), verdict);
    assert_eq!(doc.text, again.text);
    assert!(doc.text.len() <= html.len());
    if verdict == Verdict::Keep {
        assert!(!doc.text.trim().is_empty());
        assert!(!doc.text.contains(['\0', '\u{ad}', '\u{200b}', '\u{feff}', '\u{202e}']));
    }
});
