//! Whatever wikitext an encyclopaedia holds: it is read to the end, the same twice, and no line of the text is empty.
//!
//! Begin from real pages, a file a page: `cargo +nightly fuzz run wikitext -- -max_len=65536 -max_total_time=3600 -timeout=2`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tamis::formats::wiki::{Rules, Templates, text};

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, page)) = bytes.split_first() else { return };
    let wikitext = String::from_utf8_lossy(page);
    let hidden = ["file", "image", "category", "datei", "kategorie"].map(str::to_owned);
    let templates = Templates::default();
    let rules = Rules { hidden: &hidden, templates: &templates, tables: choice & 1 == 0 };
    let once = text(&wikitext, &rules);
    assert_eq!(once, text(&wikitext, &rules));
    assert!(once.split('\n').all(|line| !line.is_empty()) || once.is_empty());
});
