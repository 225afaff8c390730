//! A small web on loopback, and a house with a recipe that crawls it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::{ends_with, files_below, said, tamis};

/// What a server was asked for: host, path and the condition, with how often.
pub type Asked = Arc<Mutex<BTreeMap<String, u64>>>;

/// A server on loopback that answers for several host names; it ends with the test's process.
pub struct Web {
    pub address: SocketAddr,
    asked: Asked,
}

pub type Answers = fn(host: &str, path: &str, condition: &str) -> Vec<u8>;

impl Web {
    pub fn open(at: &str, answers: Answers) -> Web {
        let listener = TcpListener::bind((at, 0)).expect("a free port on loopback");
        let web = Web { address: listener.local_addr().expect("an address"), asked: Asked::default() };
        let asked = web.asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let asked = asked.clone();
                std::thread::spawn(move || answer(stream, &asked, answers));
            }
        });
        web
    }

    pub fn asked(&self) -> BTreeMap<String, u64> {
        self.asked.lock().expect("no panic").clone()
    }

    pub fn forget(&self) {
        self.asked.lock().expect("no panic").clear();
    }
}

fn answer(mut stream: TcpStream, asked: &Asked, answers: Answers) {
    let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let Some(first) = lines.next() else { return };
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let fields: BTreeMap<String, String> =
        lines.filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()))).collect();
    let field = |name: &str| fields.get(name).map_or("", String::as_str).to_owned();
    assert!(field("user-agent").starts_with("tamisbot/") && field("user-agent").contains("(+mailto:"), "{fields:?}");
    let host = field("host").split(':').next().unwrap_or_default().to_owned();
    *asked.lock().expect("no panic").entry(format!("{host}{path}")).or_default() += 1;
    let _ = stream.write_all(&answers(&host, &path, &field("if-none-match")));
}

pub fn html(body: &str) -> Vec<u8> {
    let etag = body.bytes().map(u64::from).sum::<u64>();
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nETag: \"{etag}\"\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

/// A village of pages: each has words of its own and leads to the next ones.
pub fn village(host: &str, number: usize, links: &str) -> String {
    let lines = (0..5).map(|line| {
        format!(
            "<p>Na {}. lúke pri obci {host} stojí {}. včelí úľ a starý Matej hovorí, že v ňom býva kráľovná, ktorá pamätá ešte {}. povodeň \
             a všetky svadby, čo sa tu odvtedy konali.</p>",
            number * 7 + line,
            number * 31 + line,
            number * 3 + line
        )
    });
    format!(
        "<html lang=sk><head><title>{host} {number}</title></head><body><article>{}</article>{links}</body></html>",
        lines.collect::<String>()
    )
}

pub struct House {
    pub folder: tempfile::TempDir,
}

impl House {
    pub fn new(settings: &str) -> House {
        let house = House { folder: tempfile::tempdir().expect("a folder") };
        let recipe = format!(
            "dataset = \"web\"\n[source]\nkind = \"crawl\"\ncontact = \"mailto:crawl@example.eu\"\ndelay_ms_min = 0\ndelay_factor = 0\n{settings}\n\
             [[clean]]\nstage = \"extract\"\n[dedup]\nnear = false\n[[emit]]\nstage = \"tokenize\"\n"
        );
        std::fs::write(house.at("recipe.toml"), recipe).expect("room");
        house
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn run(&self, night: &str) -> Command {
        let mut command = tamis(["run"]);
        command
            .arg(self.at("recipe.toml"))
            .arg("--workspace")
            .arg(self.at("w"))
            .arg("--keys")
            .arg(self.at("keys"))
            .args(["--night", night]);
        command
    }

    pub fn archives(&self, night: &str) -> Vec<PathBuf> {
        let folder = self.at("w/archive").join(night);
        files_below(&folder).into_iter().filter(|path| path.to_string_lossy().ends_with(".warc.gz")).map(|path| folder.join(path)).collect()
    }

    /// Type and address of every record of a night.
    pub fn records(&self, night: &str) -> Vec<(String, String)> {
        let listed = ends_with(tamis(["warc", "ls"]).args(self.archives(night)), 0).stdout;
        let records = said(&listed).lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")).collect::<Vec<_>>();
        records
            .iter()
            .map(|record| (record["type"].as_str().unwrap_or("").to_owned(), record["uri"].as_str().unwrap_or("").to_owned()))
            .collect()
    }
}

pub fn addresses(hosts: &[(&str, SocketAddr)]) -> String {
    let hosts: Vec<String> = hosts.iter().map(|(name, address)| format!("\"{name}\" = \"{address}\"")).collect();
    format!("hosts = {{ {} }}", hosts.join(", "))
}
