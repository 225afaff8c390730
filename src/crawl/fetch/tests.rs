//! What servers send that mean ill, or do not know better.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use serde_json::Value;
use url::Url;

use super::{Client, Fault, Fetched};
use crate::archive::coding;
use crate::archive::http::Response;
use crate::crawl::settings::CrawlSettings;
use crate::crawl::writer::{joined, redirect};
use crate::size::ByteSize;
use crate::text::canonical::Rules;

/// Bytes of a body, unpacked, that are looked at here.
const UNPACKED_BYTES_MAX: usize = 8 << 20;

/// Cases of the laboratory that we see otherwise, and why.
const OTHERWISE: &[(&str, &str)] = &[
    ("gzip cut", "the answer is as long as it says, so nothing was cut on the way: the archive has all that the server has, and says so"),
    ("gzip bomb, 64 MB", "the archive keeps the 62 KB as they came, which is whole; whoever unpacks them is capped"),
];

/// A server that answers once, and reads the request before if it is one.
fn serve(answer: impl FnOnce(&mut TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 14, 1), 0)).expect("a free port on loopback");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody asks");
        let (mut request, mut piece) = (Vec::new(), [0; 1_024]);
        let is_asking = |request: &[u8]| !request.ends_with(b"\r\n\r\n") && !request.starts_with(&[0x16]);
        while is_asking(&request) {
            match stream.read(&mut piece) {
                Ok(length) if length > 0 => request.extend_from_slice(&piece[..length]),
                _ => return,
            }
        }
        answer(&mut stream);
    });
    address
}

fn settings() -> CrawlSettings {
    CrawlSettings { contact: "mailto:crawl@example.eu".to_owned(), idle_s_max: 5, ..CrawlSettings::default() }
}

fn get(settings: CrawlSettings, scheme: &str, answer: impl FnOnce(&mut TcpStream) + Send + 'static) -> Result<Fetched, Fault> {
    let address = serve(answer);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let url = Url::parse(&format!("{scheme}://ostrov.example.cz/")).expect("an address");
    runtime.block_on(Client::new(Arc::new(settings)).get(&url, address, &[]))
}

fn get_bytes(settings: CrawlSettings, bytes: &'static [u8]) -> Result<Fetched, Fault> {
    get(settings, "http", move |stream| {
        let _ = stream.write_all(bytes);
    })
}

fn bytes_of(value: &Value) -> Vec<u8> {
    BASE64.decode(value.as_str().unwrap_or_default().as_bytes()).expect("base64")
}

/// The body as it is read from an archive of ours.
fn body_of(fetched: &Fetched) -> Vec<u8> {
    let (response, body) = joined(fetched.response.clone());
    let parsed = Response::parse(&response).expect("an answer");
    let coding = parsed.fields.text("content-encoding").unwrap_or_default();
    let body = coding::decode(response[body..].to_vec(), &coding, UNPACKED_BYTES_MAX).expect("a body");
    assert!(body.bytes.len() <= UNPACKED_BYTES_MAX && body.bytes.capacity() <= 64 << 20);
    body.bytes
}

/// How `fetched` differs from what is wanted.
fn differences(fetched: &Fetched, want: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |what: &str, is: String, should: String| {
        if is != should {
            found.push(format!("{what} is {is}, not {should}"));
        }
    };
    if !want["body_b64"].is_null() {
        check("body", String::from_utf8_lossy(&body_of(fetched)).into(), String::from_utf8_lossy(&bytes_of(&want["body_b64"])).into());
    }
    if want["status"].is_null() || want["body_b64"].is_string() {
        check("truncated", fetched.truncated.unwrap_or("none").to_owned(), want["truncated"].as_str().unwrap_or("none").to_owned());
    }
    if let Some(status) = want["status"].as_u64() {
        check("status", fetched.status.to_string(), status.to_string());
    }
    if let Some(location) = want["location"].as_str() {
        let base = Url::parse("http://ostrov.example.cz/").expect("an address");
        let (response, _) = joined(fetched.response.clone());
        let told = Response::parse(&response).and_then(|response| response.fields.text("location")).unwrap_or_default();
        let should = base.join(location).expect("an address").to_string();
        check("location", redirect(&base, &told, &Rules::new(true, true, &[])).concat(), should);
    }
    found
}

#[test]
fn hostile_answers_are_taken_as_far_as_they_can_be_read_and_never_for_more_than_they_are() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/crawl/http-lab/cases.jsonl.gz");
    let Ok(file) = std::fs::File::open(path) else {
        eprintln!("SKIPPED: hostile_answers_are_taken_as_far_as_they_can_be_read: no shared data");
        return;
    };
    let cases = std::io::read_to_string(flate2::read::GzDecoder::new(file)).expect("gzip");
    let mut wrong = Vec::new();
    for case in cases.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")) {
        let (name, bytes, want) = (case["name"].as_str().expect("a name"), bytes_of(&case["response_b64"]), &case["want"]);
        let came = get(settings(), "http", move |stream| {
            let _ = stream.write_all(&bytes);
        });
        let may_be_refused = want["refused"] == true || !want["refused_or"].is_null();
        let or = if want["refused_or"].is_null() { want } else { &want["refused_or"] };
        let differs = match &came {
            Err(_) if may_be_refused => Vec::new(),
            Err(fault) => vec![format!("{fault:?}")],
            Ok(_) if want["refused"] == true => vec!["not refused".to_owned()],
            Ok(fetched) => differences(fetched, or),
        };
        if differs.is_empty() == OTHERWISE.iter().any(|(known, _)| *known == name) {
            wrong.push(format!("{name}: {}", differs.join("; ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_head_without_end_is_left_at_its_limit() {
    let endless = |stream: &mut TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-Vlna: dalsia a dalsia a dalsia\r\n").is_ok() {}
    };
    assert_eq!(get(settings(), "http", endless).err(), Some(Fault::LongHead));
    let short = CrawlSettings { head_bytes_max: ByteSize(40), ..settings() };
    assert_eq!(get_bytes(short.clone(), b"HTTP/1.1 200 OK\r\nServer: vcelin od Mateja\r\n\r\nx").err(), Some(Fault::LongHead));
    assert!(get_bytes(short, b"HTTP/1.1 200 OK\r\nServer: vcelin\r\n\r\nx").is_ok());
}

#[test]
fn a_server_that_drips_is_left_when_its_time_is_over() {
    let drip = |before: &'static str| {
        let hurried = CrawlSettings { fetch_s_max: 1, ..settings() };
        get(hurried, "http", move |stream| {
            let dripping = |stream: &mut TcpStream| stream.write_all(b"a").is_ok();
            let _ = stream.write_all(before.as_bytes());
            while dripping(stream) {
                std::thread::sleep(Duration::from_millis(300));
            }
        })
    };
    assert_eq!(drip("HTTP/1.1 200 OK\r\nX-Pomaly: ").err(), Some(Fault::Timeout));
    let fetched = drip("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").expect("a head");
    assert_eq!(fetched.truncated, Some("time"));
    assert!((1..8).contains(&(fetched.response.len() - fetched.body)));
}

#[test]
fn chunks_without_their_last_one_are_kept_and_said_to_be_cut() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (chunks, cut) in [
        ("5\r\nDobry\r\n0\r\n\r\n", None),
        ("5\r\nDobry\r\n", Some("disconnect")),
        ("5\r\nDobry\r\n0\r\n", Some("disconnect")),
        ("5\r\nDobry\r\n0", Some("disconnect")),
        ("9\r\nDobry", Some("disconnect")),
        ("5\r\nDobry\r\nden", Some("disconnect")),
    ] {
        let bytes: &'static [u8] = format!("{head}{chunks}").leak().as_bytes();
        let fetched = get_bytes(settings(), bytes).expect("an answer");
        assert_eq!((fetched.truncated, body_of(&fetched)), (cut, b"Dobry".to_vec()), "{chunks:?}");
    }
}

#[test]
fn a_body_is_cut_at_its_limit_and_only_then_said_to_be() {
    for (answer, cut) in [
        (&b"HTTP/1.1 200 OK\r\n\r\nDobry den"[..], None),
        (b"HTTP/1.1 200 OK\r\n\r\nDobry den!", Some("length")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nDobry den, a este nieco", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nDobry den!", Some("length")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nDobry den, a este nieco", Some("length")),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nD\r\n0\r\n\r\n", Some("length")),
    ] {
        let fetched = get_bytes(CrawlSettings { body_bytes_max: ByteSize(9), ..settings() }, answer).expect("an answer");
        let length = fetched.response.len() - fetched.body;
        assert_eq!((fetched.truncated, length), (cut, 9), "{}", String::from_utf8_lossy(answer));
    }
}

#[test]
fn what_speaks_no_http_is_told_apart_from_what_speaks_no_tls() {
    for bytes in [&b"<html>Dobry den"[..], b"", b"SSH-2.0-OpenSSH_9.9\r\n", b"HTTP/1.1 200: OK\r\n\r\n"] {
        assert_eq!(get_bytes(settings(), bytes).err(), Some(Fault::NotHttp), "{}", String::from_utf8_lossy(bytes));
    }
    let plain = |stream: &mut TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\nplain HTTP was sent to a plain port");
    };
    assert_eq!(get(settings(), "https", plain).err(), Some(Fault::Tls));
    let twice = b"HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\nDobry";
    assert_eq!(get_bytes(settings(), twice).err(), Some(Fault::Contradiction));
}
