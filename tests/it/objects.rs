//! A store of objects on the loopback address: as much of S3 as readers ask, a plain web server with pages of its folders, and faults.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What goes wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection ends before an answer.
    Lost,
    /// The answer is this status.
    Status(u16),
    /// Half of the bytes that were promised come.
    Cut,
    /// Bytes come of another place than was asked for.
    Elsewhere,
}

/// Which fault question number `n` (from 0) for a part of an object meets.
type Faults = Box<dyn Fn(usize) -> Option<Fault> + Send + Sync>;

#[derive(Default)]
struct Objects {
    /// By path: bytes, and the number of their state.
    files: BTreeMap<String, (Arc<Vec<u8>>, u32)>,
    /// Answers to everything, whatever is asked.
    refusal: Option<(u16, &'static str)>,
    asked: Vec<String>,
}

/// The server; it ends with the test.
pub(crate) struct Store {
    address: SocketAddr,
    objects: Arc<Mutex<Objects>>,
}

impl Store {
    pub(crate) fn start(faults: Faults) -> Store {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its own");
        let objects = Arc::new(Mutex::new(Objects::default()));
        let (shared, faults) = (Arc::clone(&objects), Arc::new((faults, Mutex::new(0))));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, faults) = (Arc::clone(&shared), Arc::clone(&faults));
                std::thread::spawn(move || serve(stream, &shared, &faults.0, &faults.1));
            }
        });
        Store { address, objects }
    }

    pub(crate) fn sound() -> Store {
        Store::start(Box::new(|_| None))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts an object, over one that is there.
    pub(crate) fn put(&self, path: &str, bytes: Vec<u8>) {
        let mut objects = self.objects.lock().expect("sound");
        let state = objects.files.get(path).map_or(1, |(_, state)| state + 1);
        objects.files.insert(path.to_owned(), (Arc::new(bytes), state));
    }

    pub(crate) fn refuse(&self, refusal: Option<(u16, &'static str)>) {
        self.objects.lock().expect("sound").refusal = refusal;
    }

    /// How many questions for objects there were.
    pub(crate) fn asked(&self, of: &str) -> usize {
        self.objects.lock().expect("sound").asked.iter().filter(|path| path.contains(of)).count()
    }
}

/// What a client asks.
pub(crate) struct Question {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Header fields, by name in small letters.
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// The next question of a connection; nothing at its end.
pub(crate) fn read(from: &mut BufReader<TcpStream>) -> Option<Question> {
    let mut line = String::new();
    from.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut fields = BTreeMap::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        fields.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; fields.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
    from.read_exact(&mut body).ok()?;
    Some(Question { method, path: unescaped(path), query: query.to_owned(), fields, body })
}

/// A path without escapes.
pub(crate) fn unescaped(path: &str) -> String {
    url::form_urlencoded::parse(path.replace('+', "%2B").as_bytes()).next().map_or(String::new(), |(path, _)| path.into_owned())
}

fn serve(stream: TcpStream, objects: &Mutex<Objects>, faults: &Faults, count: &Mutex<usize>) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time");
    let mut out = stream.try_clone().expect("the same");
    let mut from = BufReader::new(stream);
    while let Some(question) = read(&mut from) {
        if answer(&question, objects, faults, count, &mut out).is_none() {
            return;
        }
    }
}

fn answer(question: &Question, objects: &Mutex<Objects>, faults: &Faults, count: &Mutex<usize>, out: &mut TcpStream) -> Option<()> {
    let mut objects = objects.lock().expect("sound");
    objects.asked.push(format!("{} {}", question.method, question.path));
    if let Some((status, body)) = objects.refusal {
        return plain(out, status, "text/plain", body);
    }
    if question.query.contains("list-type=2") {
        return plain(out, 200, "application/xml", &listing(&objects, question));
    }
    let Some((bytes, state)) = objects.files.get(&question.path).cloned() else {
        return if question.path.ends_with('/') {
            plain(out, 200, "text/html", &page(&objects, &question.path))
        } else {
            plain(out, 404, "text/plain", "")
        };
    };
    drop(objects);
    let tag = format!("\"state-{state}\"");
    if question.fields.get("if-match").is_some_and(|wanted| *wanted != tag) {
        return plain(out, 412, "text/plain", "");
    }
    let size = bytes.len();
    let range = question.fields.get("range").and_then(|range| {
        let (begin, end) = range.strip_prefix("bytes=")?.split_once('-')?;
        Some((begin.parse::<usize>().ok()?, end.parse::<usize>().ok()?.min(size - 1)))
    });
    let fault = range.and_then(|_| {
        let mut count = count.lock().expect("sound");
        *count += 1;
        faults(*count - 1)
    });
    let (mut begin, mut end) = range.unwrap_or((0, size.saturating_sub(1)));
    match fault {
        Some(Fault::Lost) => return None,
        Some(Fault::Status(status)) => return plain(out, status, "text/plain", "again"),
        Some(Fault::Elsewhere) => (begin, end) = (begin.saturating_sub(1), end.saturating_sub(1)),
        _ => {}
    }
    let body = if size == 0 { &[][..] } else { &bytes[begin..=end] };
    let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
    let place = range.map_or(String::new(), |_| format!("Content-Range: bytes {begin}-{end}/{size}\r\n"));
    write!(
        out,
        "HTTP/1.1 {status}\r\nETag: {tag}\r\nLast-Modified: Thu, 26 Nov 2026 08:00:00 GMT\r\nAccept-Ranges: bytes\r\n{place}Content-Length: {}\r\n\r\n",
        body.len()
    )
    .ok()?;
    if question.method != "HEAD" {
        let sent = if fault == Some(Fault::Cut) { body.len() / 2 } else { body.len() };
        out.write_all(&body[..sent]).ok()?;
        return (sent == body.len()).then_some(());
    }
    Some(())
}

fn plain(out: &mut TcpStream, status: u16, kind: &str, body: &str) -> Option<()> {
    write!(out, "HTTP/1.1 {status} so\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok()
}

/// What S3 says of the objects below a prefix of a bucket, two at a time.
fn listing(objects: &Objects, question: &Question) -> String {
    let field = |wanted: &str| {
        url::form_urlencoded::parse(question.query.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let bucket = format!("{}/", question.path.trim_end_matches('/'));
    let prefix = format!("{bucket}{}", field("prefix").unwrap_or_default());
    let after = field("continuation-token").map_or(String::new(), |token| format!("{bucket}{token}"));
    let all: Vec<_> = objects.files.iter().filter(|(path, _)| path.starts_with(&prefix) && **path > after).collect();
    let shown = &all[..all.len().min(2)];
    let contents: String = shown
        .iter()
        .map(|(path, (bytes, state))| {
            format!(
                "<Contents><Key>{}</Key><LastModified>2026-11-26T08:00:00.000Z</LastModified><ETag>&quot;state-{state}&quot;</ETag><Size>{}</Size>\
                 <StorageClass>STANDARD</StorageClass></Contents>",
                &path[bucket.len()..],
                bytes.len()
            )
        })
        .collect();
    let more = match shown.last() {
        Some((path, _)) if shown.len() < all.len() => {
            format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{}</NextContinuationToken>", &path[bucket.len()..])
        }
        _ => "<IsTruncated>false</IsTruncated>".to_owned(),
    };
    format!(
        "<?xml version=\"1.0\"?><ListBucketResult><Name>b</Name><Prefix></Prefix><KeyCount>{}</KeyCount>{contents}{more}</ListBucketResult>",
        shown.len()
    )
}

/// The page of a folder of a web server.
fn page(objects: &Objects, folder: &str) -> String {
    let below = objects.files.keys().filter_map(|path| path.strip_prefix(folder)).filter(|name| !name.contains('/'));
    let links: String = below.map(|name| format!("<a href=\"{name}\">{name}</a>\n")).collect();
    format!("<html><h1>Index</h1><a href=\"?C=N\">Name</a> <a href=\"../\">up</a>\n{links}</html>")
}
