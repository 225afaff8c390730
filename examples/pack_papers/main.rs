//! Packs `data-samples/papers/` as archives and libraries give such files away: a zip with all of them, in which folders named `*.epub`,
//! `*.odt` and `*.docx` become packages, a container of 7z, and the encyclopaedia as a multistream dump of bzip2.
//!
//! `cargo run --example pack_papers` writes these files to `data-samples/libraries/`, the same bytes each time; with `-- --check` it writes
//! nothing and ends with 1 where a file differs. It uses nothing of tamis, so a mistake of the reader cannot hide in the writer.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool that is run by hand says what it did")]

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const PAPERS: &str = "libraries/papers-2026-06.zip";
const SHELF: &str = "libraries/papers-shelf-2026-06.7z";
const DUMP: &str = "libraries/encyclopaedia-2026-06.xml.bz2";
const ENCYCLOPAEDIA: &str = "encyclopaedia-lv.xml";
/// The folder that becomes a container of its own.
const OF_SHELF: &str = "shelf.7z";
/// The one text that is not in UTF-8.
const GREEK: &str = "tale-el.txt";
/// The one that becomes a PDF.
const REPORT: &str = "report-da.txt";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("data-samples");
    let papers_folder = root.join("papers");
    let files = [
        (PAPERS, papers(&papers_folder)),
        (SHELF, seven_zipped(&papers_folder.join(OF_SHELF))),
        (DUMP, dump(&papers_folder.join(ENCYCLOPAEDIA))),
    ];
    let check = std::env::args().any(|argument| argument == "--check");
    let mut code = ExitCode::SUCCESS;
    for (name, bytes) in files {
        let path = root.join(name);
        if !check {
            std::fs::write(&path, &bytes).expect("the file can be written");
            println!("{name}: {} bytes", bytes.len());
        } else if std::fs::read(&path).ok().as_ref() != Some(&bytes) {
            eprintln!("{name} differs; run `cargo run --example pack_papers`");
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// All files but the encyclopaedia and the shelf, in the order of their names. An issue of a weekly lies in a folder, as it is given away.
fn papers(folder: &Path) -> Vec<u8> {
    let mut members = Vec::new();
    for path in sorted(folder) {
        let name = path.file_name().expect("it is in a folder").to_string_lossy().into_owned();
        let bytes = match name.as_str() {
            ENCYCLOPAEDIA | OF_SHELF => continue,
            _ if path.is_dir() && path.extension().is_none() => {
                members.extend(below(&path).into_iter().map(|(member, bytes)| (format!("{name}/{member}"), bytes)));
                continue;
            }
            GREEK => encoding_rs::ISO_8859_7.encode(&std::fs::read_to_string(&path).expect("UTF-8")).0.into_owned(),
            REPORT => {
                members.push(("report-da.pdf".to_owned(), pdf(&std::fs::read_to_string(&path).expect("UTF-8"))));
                continue;
            }
            _ if path.is_dir() => package(&path),
            _ => std::fs::read(&path).expect("a readable file"),
        };
        members.push((name, bytes));
    }
    zipped(&members)
}

/// A folder as a package: `mimetype` first and stored, as EPUB and OpenDocument ask.
fn package(folder: &Path) -> Vec<u8> {
    let mut members = below(folder);
    members.sort_by_key(|(name, _)| (name != "mimetype", name.clone()));
    zipped(&members)
}

/// A folder as a container of 7z, packed with LZMA2.
fn seven_zipped(folder: &Path) -> Vec<u8> {
    let mut writer = sevenz_rust2::ArchiveWriter::new(Cursor::new(Vec::new())).expect("room");
    for (name, bytes) in below(folder) {
        writer.push_archive_entry(sevenz_rust2::ArchiveEntry::new_file(&name), Some(bytes.as_slice())).expect("room");
    }
    writer.finish().expect("room").into_inner()
}

/// All files below a folder, by name.
fn below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut members = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for path in sorted(&next) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).expect("it is below").to_string_lossy().into_owned();
            members.push((name, std::fs::read(&path).expect("a readable file")));
        }
    }
    members.sort();
    members
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn zipped(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let method = if name == "mimetype" { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        // Level 1 is the one whose code path does not depend on the processor.
        let level = (method == CompressionMethod::Deflated).then_some(1);
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .compression_level(level)
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(0o644);
        zip.start_file(name.as_str(), options).expect("a name that is not taken");
        zip.write_all(bytes).expect("room");
    }
    zip.finish().expect("room").into_inner()
}

/// A PDF with a page for every two paragraphs, in a font that every reader has; lines stay as they are.
fn pdf(text: &str) -> Vec<u8> {
    let paragraphs: Vec<&str> = text.trim().split("\n\n").collect();
    let pages: Vec<&[&str]> = paragraphs.chunks(2).collect();
    let kids: Vec<String> = (0..pages.len()).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
    let mut objects = vec![
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        format!("<</Type/Pages/Kids[{}]/Count {}>>", kids.join(" "), pages.len()).into_bytes(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_vec(),
    ];
    for (number, page) in pages.iter().enumerate() {
        let own = 5 + 2 * number;
        let resources = "/Resources<</Font<</F 3 0 R>>>>";
        objects.push(format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {own} 0 R{resources}>>").into_bytes());
        let mut content = "BT /F 11 Tf 14 TL 60 780 Td".to_owned();
        for paragraph in *page {
            paragraph.lines().for_each(|line| content += &format!(" ({}) Tj T*", line.replace(['(', ')', '\\'], "")));
            content += " 0 -12 Td";
        }
        let content = encoding_rs::WINDOWS_1252.encode(&(content + " ET")).0.into_owned();
        objects.push([format!("<</Length {}>>\nstream\n", content.len()).as_bytes(), &content, b"\nendstream"].concat());
    }
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend([format!("{} 0 obj\n", number + 1).as_bytes(), object, b"\nendobj\n"].concat());
    }
    let table = file.len();
    let rows: String = places.iter().map(|place| format!("{place:010} 00000 n \n")).collect();
    let size = objects.len() + 1;
    let end = format!("xref\n0 {size}\n0000000000 65535 f \n{rows}trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n");
    file.extend_from_slice(end.as_bytes());
    file
}

/// A stream for the head, one for every two pages, and one for the end.
fn dump(path: &Path) -> Vec<u8> {
    let text = std::fs::read_to_string(path).expect("UTF-8");
    let mut pieces: Vec<&str> = text.split_inclusive("</page>\n").collect();
    let (head, first) = pieces[0].split_at(pieces[0].find("  <page>").expect("a page"));
    pieces[0] = first;
    let end = pieces.pop().expect("what is behind the last page");
    let streams = std::iter::once(head.to_owned()).chain(pieces.chunks(2).map(|pages| pages.concat())).chain([end.to_owned()]);
    streams.flat_map(|text| bzip2(text.as_bytes())).collect()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(9));
    packer.write_all(bytes).expect("room");
    packer.finish().expect("room")
}
