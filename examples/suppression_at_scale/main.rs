//! What the suppression list keeps out, and what it costs, measured on the documents of a data set.
//!
//!     cargo run --release --example suppression_at_scale -- FOLDER_OF_SHARDS [ERASED]
//!
//! The first ERASED documents (10,000) are put on a list. They are offered again, as they are and with every fortieth word changed; then all
//! other documents, of which none may be refused that is not like an erased one.

#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use tamis::doc::DocId;
use tamis::locator::InBlock;
use tamis::locator::rows::Documents;
use tamis::store::files_below;
use tamis::suppression::{Collector, Key, Kind, Suppression};
use tamis::text::address::Address;

/// Texts that are offered with changes.
const CHANGED: usize = 1_000;
/// Of so many words one is changed.
const EVERY: usize = 40;
/// Addresses that the cost of a question is measured with.
const QUESTIONS: usize = 2_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.first().ok_or("say the folder of the shards")?;
    let erased_wanted: usize = arguments.get(1).map_or(Ok(10_000), |count| count.parse())?;
    let key = Key::from_bytes([7; 32]);
    let (mut erased, mut innocent): (Vec<(DocId, String, String)>, u64) = (Vec::new(), 0);
    let mut refused = 0;
    let mut list: Option<Suppression> = None;
    let (mut bytes, begun) = (0, Instant::now());
    for path in files_below(Path::new(folder))? {
        let documents = Documents::open(&path)?;
        for group in 0..documents.groups().len() {
            documents.for_each(group, &InBlock::Anywhere, &["id", "url", "text"], |_, row| {
                let (id, url, text) = (row.id(), row.text("url"), row.text("text"));
                if erased.len() < erased_wanted {
                    erased.push((id, url.to_owned(), text.to_owned()));
                    return;
                }
                let list = list.get_or_insert_with(|| list_of(&key, &erased));
                innocent += 1;
                bytes += text.len();
                refused += u64::from(list.refuses(id, url, text));
            })?;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let list = list.unwrap_or_else(|| list_of(&key, &erased));
    let nobody = DocId(1);
    let copies = erased.iter().filter(|(_, _, text)| !list.refuses_text(nobody, text)).count();
    let changed = |text: &str| {
        text.split(' ').enumerate().map(|(at, word)| if at % EVERY == EVERY - 1 { "andra" } else { word }).collect::<Vec<_>>().join(" ")
    };
    let near = erased.iter().take(CHANGED).filter(|(_, _, text)| !list.refuses_text(nobody, &changed(text))).count();
    println!("| what | offered | admitted | refused |\n|---|---|---|---|");
    println!("| erased texts under new addresses | {} | {copies} | {} |", erased.len(), erased.len() - copies);
    println!("| with one word in {EVERY} changed | {} | {near} | {} |", CHANGED.min(erased.len()), CHANGED.min(erased.len()) - near);
    println!("| all other documents | {innocent} | {} | {refused} |", innocent - refused);
    println!("\nothers: {:.0} MB in {seconds:.1} s with reading, {:.1} MB/s", bytes as f64 / 1e6, bytes as f64 / 1e6 / seconds);
    let addresses: Vec<String> = (0..1_000).map(|number| format!("host{number}.example.eu/page/{number}")).collect();
    let begun = Instant::now();
    let found = (0..QUESTIONS).filter(|at| list.takedown_of(Kind::Url, &addresses[at % addresses.len()]).is_some()).count();
    println!("one question to the list: {:.0} ns ({found} found)", begun.elapsed().as_secs_f64() * 1e9 / QUESTIONS as f64);
    Ok(())
}

fn list_of(key: &Key, erased: &[(DocId, String, String)]) -> Suppression {
    let mut collector = Collector::new(key);
    for (id, url, text) in erased {
        collector.add(Kind::Id, &id.to_string());
        Address::of(url).iter().for_each(|address| collector.add(Kind::Url, address.as_str()));
        collector.add_text(text);
    }
    Suppression::of(key.clone(), &[collector.segment(1, "bench", None)])
}
