//! What a frontier of many addresses costs: memory, disk and time, with links as a crawl finds them.
//!
//!     cargo run --release --example frontier_at_scale -- FOLDER [ADDRESSES] [HOSTS]
//!
//! ADDRESSES (5,000,000) of HOSTS (100,000) are queued in batches as the night makes them: 256 pages leave the queue with their outcomes, and
//! what they lead to comes in. Hosts differ in size as on the web: the share of the one at rank r falls with r. FOLDER is left as it is; asked
//! again with 0 addresses, it tells what a process holds that only opens it.

#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use tamis::crawl::frontier::{Changes, Frontier, Page, Waiting, file_in};

/// Pages of one batch, as in a night.
const BATCH: usize = 256;
/// New addresses that a page leads to, on average.
const LINKS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(arguments.first().ok_or("say an empty folder")?);
    let number = |at: usize, default: u64| arguments.get(at).map_or(Ok(default), |text| text.parse::<u64>());
    let (addresses, hosts) = (number(1, 5_000_000)?, number(2, 100_000)?);
    let before = resident_bytes();
    let mut frontier = Frontier::open(folder)?;
    println!("| addresses | resident | on disk | addresses/s since the last line |\n|---|---|---|---|");
    let (mut made, mut waiting) = (0, std::collections::VecDeque::new());
    let (mut begun, mut told) = (Instant::now(), 0);
    while made < addresses {
        let new: Vec<(String, Waiting)> = (made..addresses.min(made + (BATCH * LINKS) as u64)).map(|at| address(at, hosts)).collect();
        made += new.len() as u64;
        let fetched: Vec<(String, u64, String)> = waiting.drain(..BATCH.min(waiting.len())).collect();
        let done = fetched.iter().map(|(site, place, _)| (site.clone(), *place)).collect();
        let pages = fetched.into_iter().map(|(_, _, url)| page(url)).collect();
        let urls: Vec<String> = new.iter().map(|(_, waiting)| waiting.url.clone()).collect();
        let places = frontier.change(&Changes { done, pages, new, ..Changes::default() })?;
        // What waits is known to the frontier; the next batches are held here so that filling does not measure reading.
        waiting.extend(places.into_iter().zip(urls).take(2 * BATCH).map(|((site, place), url)| (site, place, url)));
        waiting.truncate(1 << 16);
        if made - told >= addresses / 5 || made == addresses {
            let rate = (made - told) as f64 / begun.elapsed().as_secs_f64();
            println!("| {made} | {} MiB | {} MiB | {rate:.0} |", mib(resident_bytes() - before), mib(disk_bytes(folder)?));
            (told, begun) = (made, Instant::now());
        }
    }
    drop(frontier);
    let begun = Instant::now();
    let frontier = Frontier::open(folder)?;
    let (seconds, held) = (begun.elapsed().as_secs_f64(), mib(resident_bytes()));
    println!("\nopened again in {seconds:.1} s: {} addresses seen, {} wait, {held} MiB resident", frontier.seen(), frontier.queued());
    let begun = Instant::now();
    let sites = frontier.waiting_hosts()?;
    println!("{} sites wait, counted in {:.1} s", sites.len(), begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    let asked: Vec<&(String, u64)> = sites.iter().step_by((sites.len() / 10_000).max(1)).collect();
    for (site, _) in &asked {
        frontier.waiting(site, None, 64)?;
    }
    println!("the first 64 addresses of a site: {:.0} us", begun.elapsed().as_secs_f64() * 1e6 / asked.len() as f64);
    let begun = Instant::now();
    let due = frontier.due(u64::MAX)?.len();
    println!("{due} pages that are due, found in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// The address with this number: its host's rank is spread evenly in logarithms, so the first hosts have most of the pages.
fn address(at: u64, hosts: u64) -> (String, Waiting) {
    let spread = (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1_u64 << 53) as f64;
    let rank = (hosts as f64).powf(spread) as u64;
    let site = format!("https://www.h{rank}.example.eu");
    let url = format!("{site}/novinky/2026/11/{at}-prvni-snih-na-horach-a-v-udolich");
    (site, Waiting { url, depth: 3, hops: 0, sitemap: false })
}

fn page(url: String) -> Page {
    Page {
        url,
        depth: 3,
        at_ms: 1_790_000_000_000,
        status: 200,
        digest: "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ".to_owned(),
        captured_ms: 1_790_000_000_000,
        etag: "\"5f3a-60c1d2e3f4a5b\"".to_owned(),
        last_modified: "Thu, 26 Nov 2026 06:00:00 GMT".to_owned(),
        interval_hours: 20,
        sitemap: false,
    }
}

fn disk_bytes(folder: &Path) -> std::io::Result<u64> {
    file_in(folder).map_or(Ok(0), |path| Ok(std::fs::metadata(path)?.len()))
}

/// Bytes that the process holds in memory, as Linux counts them.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_ascii_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) << 10
}

fn mib(bytes: u64) -> u64 {
    bytes >> 20
}
