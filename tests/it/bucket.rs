//! A store of objects that is written to, on the loopback address: as much of S3 as a workspace's home asks, with conditions that it honours or not,
//! and with faults.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::objects::{Question, read, unescaped};

/// What goes wrong with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection ends, and nothing was done.
    Before,
    /// It is done, and the connection ends before the answer.
    After,
    /// Nothing was done, and there is no answer, although the connection stays.
    SilentBefore,
    /// It is done, and there is no answer, although the connection stays.
    SilentAfter,
    /// Nothing was done, and the answer is this status.
    Status(u16),
}

/// Which fault question number `n` (from 0) meets.
type Faults = Box<dyn Fn(usize) -> Option<Fault> + Send + Sync>;

type Objects = BTreeMap<String, (Vec<u8>, SystemTime)>;

struct Inside {
    objects: Mutex<Objects>,
    asked: Mutex<usize>,
    honours_conditions: bool,
    faults: Faults,
}

/// The server; it ends with the test.
#[derive(Clone)]
pub(crate) struct Server {
    url: String,
    inside: Arc<Inside>,
}

impl Server {
    pub(crate) fn start(honours_conditions: bool, faults: Faults) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its own"));
        let inside = Arc::new(Inside { objects: Mutex::default(), asked: Mutex::new(0), honours_conditions, faults });
        let shared = Arc::clone(&inside);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Server { url, inside }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What stands there, by `bucket/key`.
    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.inside.objects.lock().expect("sound").iter().map(|(path, (bytes, _))| (path.clone(), bytes.clone())).collect()
    }

    /// Puts an object there, past all conditions and faults.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        self.inside.objects.lock().expect("sound").insert(path.to_owned(), (bytes.to_vec(), SystemTime::now()));
    }
}

fn serve(stream: TcpStream, inside: &Inside) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time");
    stream.set_nodelay(true).expect("a socket");
    let mut out = stream.try_clone().expect("the same");
    let mut from = BufReader::new(stream);
    while let Some(question) = read(&mut from) {
        let number = {
            let mut asked = inside.asked.lock().expect("sound");
            *asked += 1;
            *asked - 1
        };
        let fault = (inside.faults)(number);
        let (status, fields, body) = match fault {
            Some(Fault::Before) => return,
            Some(Fault::SilentBefore) => return until_it_hangs_up(&mut from),
            Some(Fault::Status(status)) => (status, String::new(), Vec::new()),
            _ => answer(&question, inside),
        };
        match fault {
            Some(Fault::After) => return,
            Some(Fault::SilentAfter) => return until_it_hangs_up(&mut from),
            _ => {}
        }
        let head = format!("HTTP/1.1 {status} so\r\n{fields}Content-Length: {}\r\n\r\n", body.len());
        let sent: &[u8] = if question.method == "HEAD" { &[] } else { &body };
        if out.write_all(&[head.as_bytes(), sent].concat()).is_err() {
            return;
        }
    }
}

/// Says nothing until the other side has enough of it.
fn until_it_hangs_up(from: &mut BufReader<TcpStream>) {
    let _ = std::io::copy(from, &mut std::io::sink());
}

/// Status, header fields and body.
fn answer(question: &Question, inside: &Inside) -> (u16, String, Vec<u8>) {
    let mut objects = inside.objects.lock().expect("sound");
    let path = question.path.trim_matches('/').to_owned();
    let none = (404, String::new(), Vec::new());
    match question.method.as_str() {
        "GET" if question.query.contains("list-type=2") => (200, String::new(), listing(&objects, question).into_bytes()),
        "GET" if question.query.contains("versioning") => (200, String::new(), b"<VersioningConfiguration/>".to_vec()),
        "GET" | "HEAD" => match objects.get(&path) {
            Some((bytes, _)) => part(question, bytes),
            None => none,
        },
        "PUT" => {
            if inside.honours_conditions && question.fields.contains_key("if-none-match") && objects.contains_key(&path) {
                return (412, String::new(), Vec::new());
            }
            let (bytes, body) = match question.fields.get("x-amz-copy-source") {
                Some(source) => match objects.get(unescaped(source).trim_start_matches('/')) {
                    Some((bytes, _)) => (bytes.clone(), b"<CopyObjectResult/>".to_vec()),
                    None => return none,
                },
                None => (question.body.clone(), Vec::new()),
            };
            let tag = format!("ETag: \"{}\"\r\n", tag(&bytes));
            objects.insert(path, (bytes, SystemTime::now()));
            (200, tag, body)
        }
        "DELETE" => {
            objects.remove(&path);
            (204, String::new(), Vec::new())
        }
        // The removal of several at once.
        "POST" if question.query.contains("delete") => {
            let body = String::from_utf8_lossy(&question.body).into_owned();
            let keys = body.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
            let done: String = keys
                .map(|key| {
                    objects.remove(&format!("{path}/{key}"));
                    format!("<Deleted><Key>{key}</Key></Deleted>")
                })
                .collect();
            (200, String::new(), format!("<DeleteResult>{done}</DeleteResult>").into_bytes())
        }
        _ => (400, String::new(), Vec::new()),
    }
}

fn tag(bytes: &[u8]) -> String {
    tamis::store::sha256_bytes(bytes)[..32].to_owned()
}

fn part(question: &Question, bytes: &[u8]) -> (u16, String, Vec<u8>) {
    let fields = format!("ETag: \"{}\"\r\nLast-Modified: Thu, 26 Nov 2026 08:00:00 GMT\r\n", tag(bytes));
    if question.fields.get("if-match").is_some_and(|wanted| *wanted != format!("\"{}\"", tag(bytes))) {
        return (412, String::new(), Vec::new());
    }
    let range = question.fields.get("range").and_then(|range| {
        let (begin, end) = range.strip_prefix("bytes=")?.split_once('-')?;
        Some((begin.parse::<usize>().ok()?, end.parse::<usize>().ok()?.min(bytes.len().checked_sub(1)?)))
    });
    match range {
        Some((begin, end)) => (206, format!("{fields}Content-Range: bytes {begin}-{end}/{}\r\n", bytes.len()), bytes[begin..=end].to_vec()),
        None => (200, fields, bytes.to_vec()),
    }
}

fn listing(objects: &Objects, question: &Question) -> String {
    let prefix =
        url::form_urlencoded::parse(question.query.as_bytes()).find(|(name, _)| name == "prefix").map(|(_, value)| value.into_owned());
    let bucket = format!("{}/", question.path.trim_matches('/'));
    let wanted = format!("{bucket}{}", prefix.unwrap_or_default());
    let contents: String = objects
        .range(wanted.clone()..)
        .take_while(|(path, _)| path.starts_with(&wanted))
        .map(|(path, (bytes, written))| {
            let since = written.duration_since(UNIX_EPOCH).expect("after 1970");
            let when = jiff::Timestamp::from_millisecond(i64::try_from(since.as_millis()).expect("small")).expect("a time");
            format!(
                "<Contents><Key>{}</Key><LastModified>{when}</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</Size>\
                 <StorageClass>STANDARD</StorageClass></Contents>",
                &path[bucket.len()..],
                tag(bytes),
                bytes.len()
            )
        })
        .collect();
    format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>")
}
