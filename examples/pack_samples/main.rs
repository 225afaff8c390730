//! Packs the web archives in `data-samples/` from the page sources beside them, the same bytes each time.
//!
//! `cargo run --example pack_samples` writes the archives and `truth.jsonl`; with `-- --check` it writes nothing and ends with 1
//! where a file differs from what it would write. It uses nothing of tamis, so that a mistake of the reader cannot hide in the
//! writer: record ids are hashes, dates are counted from a fixed day, and nothing asks a clock.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool that is run by hand says what it did")]

mod archive;
mod page;
mod site;
mod truth;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::archive::{Archive, Packing};
use crate::site::{Page, Sites};
use crate::truth::Truth;

/// Archive in the page sources, file below `data-samples/`, day of its records, the same day as HTTP writes it, packing.
const ARCHIVES: &[(&str, &str, &str, &str, Packing)] = &[
    ("islands", "archives/islands-2026-02.warc.gz", "2026-02-28", "Sat, 28 Feb 2026", Packing::Gzip),
    ("harbours", "archives/harbours-2026-03.warc.gz", "2026-03-31", "Tue, 31 Mar 2026", Packing::Gzip),
    ("neighbours", "archives/neighbours-2026-04.warc.zst", "2026-04-30", "Thu, 30 Apr 2026", Packing::Zstd),
    ("cases", "archives/cases-2026-05.warc.gz", "2026-05-15", "Fri, 15 May 2026", Packing::Gzip),
    ("damaged/middle", "damaged/middle.warc.gz", "2026-05-16", "Sat, 16 May 2026", Packing::Gzip),
    ("damaged/truncated", "damaged/truncated.warc.gz", "2026-05-16", "Sat, 16 May 2026", Packing::Gzip),
];
const WET: (&str, &str, &str) = ("archives/texts-2026-03.warc.wet.gz", "2026-03-31", "Tue, 31 Mar 2026");
const CURATED: &str = "archives/curated-2026-01.jsonl.zst";
const TRUTH: &str = "truth.jsonl";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("data-samples");
    let files = pack(&Sites::read(&root));
    if std::env::args().any(|argument| argument == "--check") {
        return check(&root, &files);
    }
    for (name, bytes) in &files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().expect("every name is below the root")).expect("the folder can be made");
        std::fs::write(&path, bytes).expect("the file can be written");
        println!("{name}: {} bytes", bytes.len());
    }
    ExitCode::SUCCESS
}

/// Every file that is generated, by its name below `data-samples/`.
fn pack(sites: &Sites) -> BTreeMap<&'static str, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut truth = Truth::new(sites);
    let mut seen = BTreeMap::new();
    for &(key, file, day, http_day, packing) in ARCHIVES {
        let mut archive = Archive::new(file, day, http_day, packing);
        archive.warcinfo();
        for page in sites.pages.iter().filter(|page| page.get("archive") == Some(key)) {
            archive.visit(sites, page, key == "islands", &mut seen);
        }
        let mut bytes = archive.bytes;
        damage(key, &mut bytes, &archive.records);
        archive.records.iter().for_each(|record| truth.note(file, record));
        files.insert(file, bytes);
    }
    files.insert(WET.0, wet(sites, &mut truth));
    files.insert(CURATED, curated(sites, &mut truth));
    files.insert(TRUTH, truth.into_lines());
    files
}

/// Spoils the record whose role is `broken`: bytes in the middle of its member, or everything from there on.
fn damage(key: &str, bytes: &mut Vec<u8>, records: &[archive::Written]) {
    let Some(record) = records.iter().find(|record| record.page.as_ref().is_some_and(|page| page.get("role") == Some("broken"))) else {
        return;
    };
    let middle = record.offset + record.length / 2;
    if key == "damaged/truncated" {
        bytes.truncate(middle);
    } else {
        bytes[middle..middle + 24].iter_mut().for_each(|byte| *byte ^= 0xa5);
    }
}

/// The texts of one page a language, as Common Crawl's WET files hold them: boilerplate in, markup out.
fn wet(sites: &Sites, truth: &mut Truth) -> Vec<u8> {
    let mut archive = Archive::new(WET.0, WET.1, WET.2, Packing::Gzip);
    archive.warcinfo();
    for page in sites
        .pages
        .iter()
        .filter(|page| page.get("template") == Some("portal") && matches!(page.get("archive"), Some("islands" | "harbours")))
    {
        archive.conversion(sites, page);
    }
    archive.records.iter().for_each(|record| truth.note(WET.0, record));
    archive.bytes
}

/// The curated texts, a JSON object a line.
fn curated(sites: &Sites, truth: &mut Truth) -> Vec<u8> {
    let mut lines = Vec::new();
    for (number, page) in sites.curated.iter().enumerate() {
        let start = lines.len();
        let date = format!("{}T00:00:{number:02}Z", page.get("fetched").unwrap_or("2026-01-31"));
        let fields = [
            ("id", format!("inselbund-{number:03}")),
            ("url", page.url.clone()),
            ("title", page.get("title").unwrap_or_default().to_owned()),
            ("lang", page.lang().to_owned()),
            ("licence", "CC0-1.0".to_owned()),
            ("fetched_at", date),
            ("text", page.body.join("\n\n")),
        ];
        let mut line = truth::json_line(fields.into_iter().map(|(key, value)| (key, value.into())));
        if page.get("role") == Some("malformed") {
            line.truncate(line.len() / 2);
        }
        lines.extend_from_slice(line.as_bytes());
        lines.push(b'\n');
        truth.note(CURATED, &archive::Written::line(start, lines.len() - start, page));
    }
    zstd::encode_all(lines.as_slice(), archive::ZSTD_LEVEL).expect("packing in memory does not fail")
}

/// Compares what is there with what would be written.
fn check(root: &Path, files: &BTreeMap<&'static str, Vec<u8>>) -> ExitCode {
    let mut wrong: Vec<String> = files
        .iter()
        .filter(|(name, bytes)| std::fs::read(root.join(name)).ok().as_ref() != Some(bytes))
        .map(|(name, _)| format!("{name} differs"))
        .collect();
    for folder in ["archives", "damaged"] {
        let found = std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten().map(|entry| entry.path());
        let stray = found.filter(|path: &PathBuf| !files.keys().any(|name| root.join(name) == *path));
        wrong.extend(stray.map(|path| format!("{} is not packed from the sources", path.display())));
    }
    if wrong.is_empty() {
        println!("{} files are as packed", files.len());
        return ExitCode::SUCCESS;
    }
    wrong.sort();
    eprintln!("{}\nto renew them: cargo run --example pack_samples", wrong.join("\n"));
    ExitCode::FAILURE
}

/// The page that a copy repeats, which names its group.
fn origin(page: &Page) -> &str {
    page.get("copy-of").unwrap_or(&page.url)
}
