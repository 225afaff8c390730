//! A crawl asks for what it may, once, keeps it in archives that others read, and goes on after any end.

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use crate::web::{House, Web, addresses, html, village};
use crate::{ends_with, files_below, promtool_takes, said, tamis};

pub fn small_web(host: &str, path: &str, condition: &str) -> Vec<u8> {
    let page = |number: usize, links: &str| {
        let whole = html(&village(host, number, links));
        let etag = said(&whole).split("ETag: ").nth(1).and_then(|rest| rest.split("\r\n").next()).expect("an etag").to_owned();
        if condition == etag { b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec() } else { whole }
    };
    match (host, path) {
        ("obec.example.sk", "/robots.txt") => b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nUser-agent: *\nDisallow: /tajne/\n\nUser-agent: GPTBot\nDisallow: /vyhradene/\n".to_vec(),
        ("obec.example.sk", "/") => page(1, "<a href=/dva>2</a><a href=/tajne/x>x</a><a href=/stary>s</a><a href=http://mesto.example.sk/>m</a><a href=/vyhradene/y>y</a>"),
        ("obec.example.sk", "/dva") => page(2, "<a href=/>1</a><a href=/tri>3</a><a href=/chyba>4</a><a href=/znamka>z</a><a href=http://inde.example.sk/>i</a>"),
        ("obec.example.sk", "/znamka") => html(&village(host, 9, "").replace("<title>", "<meta name=robots content=noai><title>")),
        ("mesto.example.sk", "/.well-known/tdmrep.json") => b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[{\"location\": \"/archiv/*\", \"tdm-reservation\": 1}]".to_vec(),
        ("obec.example.sk", "/tri") => page(3, ""),
        ("obec.example.sk", "/stary") => b"HTTP/1.1 301 Moved\r\nLocation: /novy\r\nContent-Length: 0\r\n\r\n".to_vec(),
        ("obec.example.sk", "/novy") => [
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
            format!("{:x}\r\n", village(host, 4, "").len()).into_bytes(),
            village(host, 4, "").into_bytes(),
            b"\r\n0\r\n\r\n".to_vec(),
        ]
        .concat(),
        ("mesto.example.sk", "/robots.txt") => b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec(),
        ("mesto.example.sk", "/") => page(5, "<a href=/dalej>d</a><a href=/archiv/1>a</a>"),
        ("mesto.example.sk", "/dalej") => page(6, ""),
        ("rozbite.example.sk", "/robots.txt") => b"HTTP/1.1 500 Oops\r\n\r\n".to_vec(),
        _ => b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<p>nie je</p>".to_vec(),
    }
}

fn rows(place: &Path) -> usize {
    files_below(place)
        .iter()
        .map(|path| {
            let reader = parquet::file::reader::SerializedFileReader::try_from(place.join(path).as_path()).expect("Parquet");
            reader.into_iter().count()
        })
        .sum()
}

#[test]
fn a_night_asks_once_for_what_it_may_and_the_next_one_only_for_what_changed() {
    let web = Web::open("127.0.11.1", small_web);
    let town = Web::open("127.0.11.2", small_web);
    let hosts = [("obec.example.sk", web.address), ("mesto.example.sk", town.address)];
    let seeds = "seeds = [\"http://obec.example.sk/\", \"http://mesto.example.sk\", \"nie je adresa\"]";
    let house = House::new(&format!("{seeds}\n{}", addresses(&hosts)));
    let told = said(&ends_with(&mut house.run("2026-11-26"), 0).stderr);
    assert!(told.contains("no address, passed over: seeds, 3: nie je adresa"), "{told}");
    let expected = ["/", "/.well-known/tdmrep.json", "/ai.txt", "/chyba", "/dva", "/novy", "/robots.txt", "/stary", "/tri", "/znamka"]
        .map(|path| (format!("obec.example.sk{path}"), 1));
    assert_eq!(web.asked().into_iter().collect::<Vec<_>>(), expected, "the forbidden, the reserved and the foreign are not asked for");
    assert_eq!(
        town.asked().keys().collect::<Vec<_>>(),
        [
            "mesto.example.sk/",
            "mesto.example.sk/.well-known/tdmrep.json",
            "mesto.example.sk/ai.txt",
            "mesto.example.sk/dalej",
            "mesto.example.sk/robots.txt"
        ],
        "what its tdmrep.json reserves is not asked for"
    );
    assert_eq!(rows(&house.at("w/data")), 6);
    ends_with(tamis(["warc", "check"]).args(house.archives("2026-11-26")), 0);
    let kept = house.records("2026-11-26");
    let of = |url: &str| kept.iter().filter(|(_, known)| known == url).map(|(kind, _)| kind.as_str()).collect::<Vec<_>>();
    assert_eq!(of("http://obec.example.sk/znamka"), ["metadata"], "of a reserved page the evidence alone is kept");
    assert_eq!(of("http://obec.example.sk/robots.txt"), ["request", "response", "metadata"]);
    assert!(told.contains("reserved-robots") && told.contains("reserved-tdmrep"), "{told}");
    let index = said(&std::fs::read(house.at("w/archive/2026-11-26/tamis-2026-11-26-00000.cdxj")).expect("an index"));
    assert!(index.contains("sk,example,obec)/dva ") && index.lines().is_sorted(), "{index}");
    // The same night again asks nobody; another one asks with what it knows, and keeps only that nothing changed.
    for web in [&web, &town] {
        web.forget();
    }
    let told = said(&ends_with(&mut house.run("2026-11-26"), 0).stderr);
    assert!(told.contains("nothing to do") && web.asked().is_empty(), "{told}");
    let recipe = std::fs::read_to_string(house.at("recipe.toml"))
        .expect("ours")
        .replace("delay_factor = 0", "delay_factor = 0\nrevisit_hours_min = 1");
    std::fs::write(house.at("recipe.toml"), recipe).expect("room");
    ends_with(&mut house.run("2026-11-27"), 0);
    assert!(web.asked().is_empty(), "nothing is due yet: {:?}", web.asked());
    assert_eq!(rows(&house.at("w/data")), 6);
}

#[test]
fn a_site_whose_rules_cannot_be_had_is_not_asked_for_pages() {
    let broken = Web::open("127.0.11.3", small_web);
    let house = House::new(&format!(
        "faults_max = 1\nseeds = [\"http://rozbite.example.sk/\"]\n{}",
        addresses(&[("rozbite.example.sk", broken.address)])
    ));
    let told = said(&ends_with(&mut house.run("2026-11-26"), 0).stderr);
    assert_eq!(broken.asked().keys().collect::<Vec<_>>(), ["rozbite.example.sk/robots.txt"]);
    assert!(told.contains("robots-unreachable:500") && told.contains("parked:faults"), "{told}");
}

/// A web in which the name of a host says what its robots.txt is answered with; every other page is there.
fn web_of_answers(host: &str, path: &str, _: &str) -> Vec<u8> {
    let word = host.split('.').next().unwrap_or_default();
    let rules = "User-agent: *\nDisallow: /zakazane\n";
    if let Some(hop) = path.strip_prefix("/hop").and_then(|hop| hop.parse::<usize>().ok()) {
        return match hop {
            0 => format!("HTTP/1.1 200 OK\r\n\r\n{rules}").into_bytes(),
            hop => format!("HTTP/1.1 301 Moved\r\nLocation: /hop{}\r\n\r\n", hop - 1).into_bytes(),
        };
    }
    match (path, word) {
        ("/robots.txt", "zavrene") => Vec::new(),
        ("/robots.txt", "smeti") => b"\x16\x03\x01 to nie je HTTP".to_vec(),
        ("/robots.txt", "useknute") => b"HTTP/1.1 200 OK\r\nContent-Le".to_vec(),
        ("/robots.txt", "kratke") => format!("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{rules}").into_bytes(),
        ("/robots.txt", "dnu") => b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/robots.txt\r\n\r\n".to_vec(),
        ("/robots.txt", "pomale") => {
            std::thread::sleep(std::time::Duration::from_secs(3));
            format!("HTTP/1.1 200 OK\r\n\r\n{rules}").into_bytes()
        }
        ("/robots.txt", word) => match word.split_at(1) {
            ("h", hops) => {
                format!("HTTP/1.1 302 Found\r\nLocation: /hop{}\r\n\r\n", hops.parse::<usize>().expect("a number") - 1).into_bytes()
            }
            (_, status) => format!("HTTP/1.1 {status} Slovo\r\nContent-Type: text/plain\r\n\r\n{rules}").into_bytes(),
        },
        ("/", _) => html("<p>strana</p><a href=/zakazane>z</a>"),
        ("/zakazane", _) => html("<p>zakazana</p>"),
        _ => b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec(),
    }
}

#[test]
fn what_a_site_allows_follows_from_how_its_robots_txt_is_answered() {
    // An address is asked one thing at a time, so the hosts stand on many.
    let webs: Vec<Web> = (1..=40).map(|number| Web::open(&format!("127.0.16.{number}"), web_of_answers)).collect();
    // What is expected: the pages that are asked for.
    let (both, one, none) = (&["/", "/zakazane"][..], &["/"][..], &[][..]);
    let mut table: Vec<(String, &[&str])> = (200..=777)
        .map(|status| {
            (
                format!("s{status}"),
                match status {
                    // No answer with 204 has a body.
                    204 => both,
                    200..=299 => one,
                    429 => none,
                    300..=499 => both,
                    _ => none,
                },
            )
        })
        .collect();
    table.extend((1..=7).map(|hops| (format!("h{hops}"), if hops <= 5 { one } else { both })));
    table.extend(["zavrene", "smeti", "useknute", "dnu", "pomale"].map(|word| (word.to_owned(), none)));
    table.push(("kratke".to_owned(), one));
    let name = |number: usize, word: &str| format!("{word}.w{}.example.sk", number % webs.len());
    let seeds: Vec<String> = table.iter().enumerate().map(|(number, (word, _))| format!("\"http://{}/\"", name(number, word))).collect();
    let names: Vec<String> = (0..webs.len()).map(|number| format!("*.w{number}.example.sk")).collect();
    let hosts: Vec<(&str, SocketAddr)> = names.iter().map(String::as_str).zip(webs.iter().map(|web| web.address)).collect();
    let settings = format!("faults_max = 1\nfetch_s_max = 1\nsitemaps = false\nseeds = [{}]\n{}", seeds.join(", "), addresses(&hosts));
    ends_with(&mut House::new(&settings).run("2026-11-26"), 0);
    let asked: std::collections::BTreeSet<String> = webs.iter().flat_map(|web| web.asked().into_keys()).collect();
    let mut wrong = Vec::new();
    for (number, (word, expected)) in table.iter().enumerate() {
        let host = name(number, word);
        let pages: Vec<&str> = ["/", "/zakazane"].into_iter().filter(|path| asked.contains(&format!("{host}{path}"))).collect();
        if pages != *expected {
            wrong.push(format!("{word}: {pages:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A host in one language with many pages; which one, its name says.
fn web_of_a_language(host: &str, path: &str, _: &str) -> Vec<u8> {
    if path == "/robots.txt" {
        return b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec();
    }
    let Some(number) = path.strip_prefix("/p").and_then(|number| number.parse::<usize>().ok()).filter(|number| *number < 60) else {
        return b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec();
    };
    let links = format!("<a href=/p{}>d</a><a href=/p{}>e</a><a hreflang=en href=/p{}>English</a>", number + 1, number + 2, number + 3);
    if host.starts_with("spravy") {
        return html(&village(host, number, &links));
    }
    let lines = (0..5).map(|line| {
        format!(
            "<p>On the {}. meadow near the village there stands the {}. beehive, and old Matthew says that the queen who lives in it remembers \
             the {}. flood and all the weddings that have been held here since.</p>",
            number * 7 + line,
            number * 31 + line,
            number * 3 + line
        )
    });
    html(&format!(
        "<html lang=sk><head><title>{host} {number}</title></head><body><article>{}</article>{links}</body></html>",
        lines.collect::<String>()
    ))
}

#[test]
fn a_crawl_for_a_language_spends_its_budget_where_that_is_written_whatever_pages_claim() {
    let webs = ["127.0.11.7", "127.0.11.8"].map(|at| Web::open(at, web_of_a_language));
    let hosts = [("spravy.example.com", webs[0].address), ("news.example.com", webs[1].address)];
    let house = House::new(&format!(
        "languages = [\"sk\"]\ndepth_max = 99\nhost_pages_max = 40\nlanguage_sample_pages = 6\nseeds = [\"http://spravy.example.com/p0\", \
         \"http://news.example.com/p0\"]\n{}",
        addresses(&hosts)
    ));
    let told = said(&ends_with(&mut house.run("2026-11-26"), 0).stderr);
    let pages = |web: &Web| web.asked().keys().filter(|asked| asked.contains("/p")).count();
    assert_eq!((pages(&webs[0]), pages(&webs[1])), (40, 6), "{told}");
    assert!(told.contains("parked:languages"), "{told}");
    // The next night knows the host, looks at half a sample anew, and does not take it for one of the language.
    webs.iter().for_each(Web::forget);
    let told = said(&ends_with(&mut house.run("2026-11-27"), 0).stderr);
    assert_eq!((pages(&webs[0]), pages(&webs[1])), (22, 6), "{told} {:?}", webs[0].asked());
}

fn web_with_a_linked_map(host: &str, path: &str, _: &str) -> Vec<u8> {
    match (host, path) {
        ("odkaz.example.sk", "/") => html("<p>rozcestnik</p><a href=http://mapa.example.sk/mapa.xml>m</a>"),
        ("mapa.example.sk", "/robots.txt") => {
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nSitemap: http://mapa.example.sk/mapa.xml\n".to_vec()
        }
        ("mapa.example.sk", "/mapa.xml") => {
            b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<urlset><url><loc>http://mapa.example.sk/skryta</loc></url></urlset>"
                .to_vec()
        }
        ("mapa.example.sk", "/skryta") => html("<p>skryta strana</p>"),
        _ => b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec(),
    }
}

#[test]
fn a_sitemap_that_a_link_led_to_first_is_read_as_a_sitemap_and_asked_for_once() {
    let (leads, named) = (Web::open("127.0.11.20", web_with_a_linked_map), Web::open("127.0.11.21", web_with_a_linked_map));
    let hosts = [("odkaz.example.sk", leads.address), ("mapa.example.sk", named.address)];
    let settings = format!("seeds = [\"http://odkaz.example.sk/\"]\nscope = \"any\"\n{}", addresses(&hosts));
    ends_with(&mut House::new(&settings).run("2026-11-26"), 0);
    let asked = named.asked();
    assert_eq!((asked.get("mapa.example.sk/mapa.xml"), asked.get("mapa.example.sk/skryta")), (Some(&1), Some(&1)), "{asked:?}");
}

#[test]
fn the_counts_of_a_night_are_left_for_those_who_watch_and_name_nobody() {
    let web = Web::open("127.0.11.22", small_web);
    let hosts = [("obec.example.sk", web.address), ("rozbite.example.sk", web.address)];
    let seeds = "seeds = [\"http://obec.example.sk/\", \"http://rozbite.example.sk/\"]\nfaults_max = 1";
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("crawl.prom");
    let house = House::new(&format!("{seeds}\nmetrics_file = {file:?}\n{}", addresses(&hosts)));
    ends_with(&mut house.run("2026-11-26"), 0);
    let text = std::fs::read_to_string(&file).expect("it was written");
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("tamis_crawl_{name} ")));
        line.unwrap_or_else(|| panic!("{name} in {text}")).parse::<f64>().expect("a number")
    };
    let answers: f64 = ["2xx", "3xx", "4xx", "5xx"].map(|class| value(&format!("answers_total{{class=\"{class}\"}}"))).iter().sum();
    assert_eq!(answers, web.asked().values().sum::<u64>() as f64);
    assert_eq!((value("over"), value("answers_total{class=\"5xx\"}"), value("answers_total{class=\"3xx\"}")), (1.0, 1.0, 1.0));
    assert_eq!((value("refused_total{reason=\"robots\"}"), value("refused_total{reason=\"reserved\"}")), (1.0, 1.0));
    assert_eq!((value("queue"), value("sites")), (1.0, 2.0), "the page of the broken site waits for another night");
    assert!(value("bytes_total") > 1_000.0 && value("pages_total") == 6.0, "{text}");
    assert!(!text.contains("example"), "{text}");
    promtool_takes(&text);
    assert_eq!(files_below(folder.path()).len(), 1, "nothing is left beside it");
    // A place that cannot be written to is told before anybody is asked.
    web.forget();
    let house = House::new(&format!("{seeds}\nmetrics_file = \"/proc/nowhere/crawl.prom\"\n{}", addresses(&hosts)));
    assert!(!house.run("2026-11-26").output().expect("it starts").status.success());
    assert!(web.asked().is_empty());
}

/// Many pages on several hosts, each with links to others and into traps.
fn large_web(host: &str, path: &str, _: &str) -> Vec<u8> {
    if path == "/robots.txt" {
        return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nUser-agent: tamisbot\nDisallow: /zakazane\nSitemap: /mapa.xml\n"
            .to_vec();
    }
    if path == "/mapa.xml" {
        let list: String = (40..45).map(|number| format!("<url><loc>/p{number}</loc></url>")).collect();
        return format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<urlset>{list}</urlset>").into_bytes();
    }
    let Some(number) = path.strip_prefix("/p").and_then(|number| number.parse::<usize>().ok()).filter(|number| *number < 45) else {
        return b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec();
    };
    let links = [2 * number + 1, 2 * number + 2].map(|next| if next < 40 { format!("<a href=/p{next}>d</a>") } else { String::new() });
    html(&village(host, number, &format!("{}<a href=/zakazane/{number}>z</a><a href=/p{number}?utm_source=x>s</a>", links.concat())))
}

fn mapped_web(host: &str, path: &str, _: &str) -> Vec<u8> {
    let packed = |text: &str| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(text.as_bytes()).expect("memory");
        [b"HTTP/1.1 200 OK\r\nContent-Type: application/gzip\r\n\r\n".to_vec(), packer.finish().expect("memory")].concat()
    };
    match path {
        "/robots.txt" => b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nSitemap: /index.xml\nSitemap: http://cudzia.example.cz/mapa.xml\nUser-agent: *\nDisallow: /tajne/\nSitemap: /tajne/mapa.xml\n".to_vec(),
        "/index.xml" => b"HTTP/1.1 301 Moved\r\nLocation: /mapa.xml.gz\r\n\r\n".to_vec(),
        "/mapa.xml.gz" => packed("<sitemapindex><sitemap><loc>/zoznam.txt.gz</loc></sitemap></sitemapindex>"),
        "/zoznam.txt.gz" => {
            packed(&["skryta", "obraz.jpg", "tajne/x", "a/a/a/a/a"].map(|page| format!("http://{host}/{page}")).join("\n"))
        }
        "/" => html(&village(host, 1, "")),
        "/skryta" => html(&village(host, 2, "<a href=/dalsia>d</a>")),
        _ => b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec(),
    }
}

#[test]
fn a_page_that_only_the_sitemap_names_is_fetched_unless_nobody_wants_sitemaps() {
    let web = Web::open("127.0.11.5", mapped_web);
    let settings = format!("seeds = [\"http://mapa.example.sk/\"]\n{}", addresses(&[("mapa.example.sk", web.address)]));
    for (wanted, expected) in [
        (true, &["/", "/dalsia", "/index.xml", "/mapa.xml.gz", "/robots.txt", "/skryta", "/zoznam.txt.gz"][..]),
        (false, &["/", "/robots.txt"]),
    ] {
        web.forget();
        let house = House::new(&format!("sitemaps = {wanted}\n{settings}"));
        ends_with(&mut house.run("2026-11-26"), 0);
        let asked = web.asked();
        let asked: Vec<&str> = asked.keys().filter_map(|asked| asked.strip_prefix("mapa.example.sk")).collect();
        let pages: Vec<&str> = asked.into_iter().filter(|path| !["/ai.txt", "/.well-known/tdmrep.json"].contains(path)).collect();
        assert_eq!(pages, expected);
        assert_eq!(rows(&house.at("w/data")), if wanted { 2 } else { 1 });
    }
}

#[test]
fn a_crawl_that_is_killed_after_any_step_ends_with_the_same_pages() {
    let webs = ["127.0.12.1", "127.0.12.2", "127.0.12.3"].map(|at| Web::open(at, large_web));
    let names = ["jedna.example.sk", "dve.example.sk", "tri.example.sk"];
    let hosts: Vec<(&str, SocketAddr)> = names.into_iter().zip(webs.iter().map(|web| web.address)).collect();
    let seeds = names.map(|name| format!("\"http://{name}/p0\"")).join(", ");
    let house = House::new(&format!("seeds = [{seeds}]\n{}", addresses(&hosts)));
    let mut kills = 0;
    for step in 1.. {
        let status = house.run("2026-11-26").env("TAMIS_KILL_AT", (step * 3).to_string()).status().expect("it starts");
        if status.signal() != Some(9) {
            assert_eq!(status.code(), Some(0), "after {kills} kills");
            break;
        }
        kills += 1;
        assert!(kills < 200, "it does not get further");
    }
    assert!(kills > 5, "{kills}");
    let mut pages: Vec<String> = house
        .records("2026-11-26")
        .into_iter()
        .filter(|(kind, url)| kind == "response" && url.contains("/p"))
        .map(|(_, url)| url)
        .collect();
    pages.sort();
    let count = pages.len();
    pages.dedup();
    assert_eq!((count, pages.len()), (135, 135), "each page is kept once, those too that only the sitemap names");
    for web in &webs {
        assert!(web.asked().keys().all(|asked| !asked.contains("zakazane")), "{:?}", web.asked());
    }
    ends_with(tamis(["warc", "check"]).args(house.archives("2026-11-26")), 0);
    assert_eq!(rows(&house.at("w/data")), 135);
}

#[test]
fn nobody_is_led_into_the_own_network() {
    let canary = Web::open("127.0.0.1", |_, _, _| html("<p>canary</p>"));
    let port = canary.address.port();
    let odd = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "127.000.000.001",
        "127.0.0.1.",
        "127.0.0.1%2e",
        "2130706433",
        "02130706433",
        "0x7f000001",
        "0X7F000001",
        "0x07f000001",
        "017700000001",
        "0017700000001",
        "0x7f.1",
        "0x7f.0.1",
        "0x7f.0x0.0x0.0x1",
        "0x7F.0x00.0x00.0x01",
        "0177.1",
        "0177.0.1",
        "0177.0.0.1",
        "0177.00.00.01",
        "0x7f.0.0.01",
        "127.0x0.0.1",
        "127.0.01",
        "127.0.0x1",
        "127.0x1",
        "127.01",
        "0x7f.0x1",
        "0177.0x1",
        "%31%32%37.0.0.1",
        "127%2e0%2e0%2e1",
        "127%2E1",
        "%30x7f.1",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "127．0．0．1",
        "１２７.０.０.１",
        "１２７。１",
        "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
        "127.0.0.1\u{ad}",
        "0",
        "00",
        "0x0",
        "0.0",
        "0.0.0.0",
        "000.0.0.0",
        "127.255.255.254",
        "127.16777215",
        "localhost",
        "LOCALHOST.",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::FFFF:127.0.0.1]",
        "[0:0:0:0:0:ffff:7f00:0001]",
        "[::]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
    ];
    let seeds: Vec<String> = odd.iter().map(|host| format!("\"http://{host}:{port}/\"")).collect();
    let leads: Web = Web::open("127.0.13.1", |_, path, _| match path {
        "/robots.txt" => b"HTTP/1.1 404 No\r\n\r\n".to_vec(),
        _ => b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n".to_vec(),
    });
    let settings = format!(
        "scope = \"any\"\nfaults_max = 1\nseeds = [{}, \"http://vedie.example.sk/\"]\n{}",
        seeds.join(", "),
        addresses(&[("vedie.example.sk", leads.address)])
    );
    assert!(odd.len() >= 47 + 10);
    ends_with(&mut House::new(&settings).run("2026-11-26"), 0);
    assert!(canary.asked().is_empty(), "{:?}", canary.asked());
    assert!(leads.asked().contains_key("vedie.example.sk/"));
}

#[test]
fn the_page_for_webmasters_is_written_for_a_recipe_that_crawls_and_for_no_other() {
    let house = House::new("seeds = [\"http://obec.example.sk/\"]\nagent = \"korpusbot\"");
    let page = |recipe: &Path| {
        let mut command = tamis(["robots", "page"]);
        command.arg(recipe).arg("--out").arg(house.at("bot.html"));
        command
    };
    ends_with(&mut page(&house.at("recipe.toml")), 0);
    let written = std::fs::read_to_string(house.at("bot.html")).expect("a page");
    assert!(written.contains("User-agent: korpusbot\nDisallow: /") && written.contains("crawl@example.eu"), "{written}");
    let told = said(&ends_with(&mut page(Path::new(crate::run::QUICKSTART)), 2).stderr);
    assert!(told.contains("does not crawl"), "{told}");
}

#[test]
fn a_crawl_that_nobody_answers_for_does_not_start() {
    let house = House::new("seeds = [\"http://obec.example.sk/\"]");
    let recipe = std::fs::read_to_string(house.at("recipe.toml")).expect("ours").replace("contact = \"mailto:crawl@example.eu\"\n", "");
    std::fs::write(house.at("recipe.toml"), recipe).expect("room");
    let told = said(&ends_with(&mut house.run("2026-11-26"), 2).stderr);
    assert!(told.contains("`contact`") && told.contains("does not start"), "{told}");
}

#[test]
fn what_was_erased_is_not_asked_for_and_does_not_enter_the_frontier() {
    let web = Web::open("127.0.14.1", small_web);
    let house = House::new(&format!("seeds = [\"http://obec.example.sk/\"]\n{}", addresses(&[("obec.example.sk", web.address)])));
    tamis::workspace::Workspace::open(&house.at("w")).expect("a free place");
    let mut plan = tamis(["takedown", "plan", "--url", "http://obec.example.sk/dva", "--reason", "gdpr-17", "--received", "2026-11-20"]);
    ends_with(plan.arg("--workspace").arg(house.at("w")).arg("--out").arg(house.at("plan.json")), 0);
    let mut apply = tamis(["takedown", "apply", "--confirm-large"]);
    ends_with(apply.arg(house.at("plan.json")).arg("--workspace").arg(house.at("w")).arg("--keys").arg(house.at("keys")), 0);
    ends_with(&mut house.run("2026-11-26"), 0);
    let asked = web.asked();
    assert!(asked.contains_key("obec.example.sk/novy") && !asked.contains_key("obec.example.sk/dva"), "{asked:?}");
    let frontier = std::fs::read(house.at("w/_tamis/frontier/frontier.redb")).expect("a file");
    assert!(memchr::memmem::find(&frontier, b"obec.example.sk/dva").is_none());
}
