//! One request, one answer, as it was sent: HTTP/1.1 over TCP or TLS, one connection a request.
//!
//! An archive keeps the bytes that came, so they are read here and not behind a library that joins, unpacks and renames: heads
//! are read by the archive's own reader ([`crate::archive`]), which has to read what others archived anyway. HTTP/2 would gain nothing: a
//! polite crawler asks a host for one page at a time. Certificates are verified; addresses are asked of the [`super::guard`]; proxies
//! of the environment are not used.

mod chunks;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod who;

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

use chunks::{ChunkEnd, Chunks};

pub use chunks::join;

use super::guard::is_public;
use super::settings::CrawlSettings;
use crate::archive::fields::{Fields, text};
use crate::archive::head::HEAD_BYTES_MAX;
use crate::archive::http::{Response, message_head_length};

/// Longest wait for a connection.
const CONNECT_MAX: Duration = Duration::from_secs(15);
/// Bytes that are read at a time.
const READ_BYTES: usize = 64 << 10;
/// Informational answers before the real one.
const INTERIM_MAX: usize = 8;

/// An answer.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The request as it was sent.
    pub request: Vec<u8>,
    /// The answer as it came: head and body, with its framing.
    pub response: Vec<u8>,
    /// Status code.
    pub status: u16,
    /// Where the body begins.
    pub body: usize,
    /// Why the body is not whole, as `WARC-Truncated` names it: `length`, `time`, `disconnect`.
    pub truncated: Option<&'static str>,
    /// Who answered.
    pub address: IpAddr,
    /// ms from the first byte sent to the last one read.
    pub took_ms: u64,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The name has no address.
    Dns,
    /// The address is not one of the public internet.
    NotPublic,
    /// Nobody listens there, or the connection broke before the first byte.
    Connection,
    /// The certificate is not valid, or TLS failed.
    Tls,
    /// It took too long before there was a head.
    Timeout,
    /// The head is longer than allowed.
    LongHead,
    /// What came is no HTTP answer: no status line, or nothing at all.
    NotHttp,
    /// The answer contradicts itself about its length.
    Contradiction,
}

impl Fault {
    /// The word in counts and logs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Fault::Dns => "dns",
            Fault::NotPublic => "not-public",
            Fault::Connection => "connection",
            Fault::Tls => "tls",
            Fault::Timeout => "timeout",
            Fault::LongHead => "long-head",
            Fault::NotHttp => "not-http",
            Fault::Contradiction => "contradiction",
        }
    }
}

/// What a name's addresses are, at the moment of the question.
type Addresses = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;

/// How names are resolved: a host name and a port to addresses.
type Names = Box<dyn Fn(String, u16) -> Addresses + Send + Sync>;

/// The system's resolver.
fn system_names() -> Names {
    Box::new(|name, port| Box::pin(async move { Ok(tokio::net::lookup_host((name, port)).await?.collect()) }))
}

/// What asks.
pub struct Client {
    settings: Arc<CrawlSettings>,
    user_agent: String,
    names: Names,
    tls: TlsConnector,
}

/// How the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Empty,
    Chunked,
    Length(usize),
    Close,
}

impl Client {
    /// A client for these settings.
    #[must_use]
    pub fn new(settings: Arc<CrawlSettings>) -> Client {
        Client::with(settings, system_names(), RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    /// A client that resolves names by `names` and trusts `roots`.
    fn with(settings: Arc<CrawlSettings>, names: Names, roots: RootCertStore) -> Client {
        let mut tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let user_agent = settings.user_agent();
        Client { settings, user_agent, names, tls: TlsConnector::from(Arc::new(tls)) }
    }

    /// Where `url` is to be asked, after the guard. A name with one refused address among its addresses is refused as a whole.
    ///
    /// # Errors
    /// [`Fault::Dns`] and [`Fault::NotPublic`].
    pub async fn resolve(&self, url: &Url) -> Result<SocketAddr, Fault> {
        let port = url.port_or_known_default().ok_or(Fault::Dns)?;
        if let Some(known) = url.host_str().and_then(|host| self.settings.address_of(host)) {
            return Ok(known);
        }
        let addresses: Vec<SocketAddr> = match url.host().ok_or(Fault::Dns)? {
            Host::Ipv4(address) => vec![SocketAddr::new(address.into(), port)],
            Host::Ipv6(address) => vec![SocketAddr::new(address.into(), port)],
            Host::Domain(name) => {
                let found = timeout(CONNECT_MAX, (self.names)(name.to_owned(), port)).await.map_err(|_| Fault::Dns)?;
                found.map_err(|_| Fault::Dns)?
            }
        };
        if addresses.iter().any(|address| !is_public(address.ip())) {
            return Err(Fault::NotPublic);
        }
        addresses.first().copied().ok_or(Fault::Dns)
    }

    /// Asks `address`, which [`Client::resolve`] gave, for `url`.
    ///
    /// # Errors
    /// See [`Fault`]. An answer that breaks off after its head is no fault: it is marked as truncated.
    pub async fn get(&self, url: &Url, address: SocketAddr, conditions: &[(&str, &str)]) -> Result<Fetched, Fault> {
        let request = self.request(url, conditions);
        let connecting = timeout(CONNECT_MAX, TcpStream::connect(address)).await;
        let stream = connecting.map_err(|_| Fault::Timeout)?.map_err(|_| Fault::Connection)?;
        let began = Instant::now();
        let (response, truncated) = if url.scheme() == "https" {
            let name = ServerName::try_from(url.host_str().unwrap_or_default().to_owned()).map_err(|_| Fault::Tls)?;
            let shaking = timeout(CONNECT_MAX, self.tls.connect(name, stream)).await;
            self.exchange(shaking.map_err(|_| Fault::Timeout)?.map_err(|_| Fault::Tls)?, &request).await?
        } else {
            self.exchange(stream, &request).await?
        };
        let parsed = Response::parse(&response).ok_or(Fault::NotHttp)?;
        let (status, body) = (parsed.status, parsed.body);
        Ok(Fetched { request, status, body, response, truncated, address: address.ip(), took_ms: began.elapsed().as_millis() as u64 })
    }

    fn request(&self, url: &Url, conditions: &[(&str, &str)]) -> Vec<u8> {
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let mut request = format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {}\r\nAccept: text/html,application/xhtml+xml,*/*;q=0.5\r\n\
             Accept-Encoding: gzip, br\r\nConnection: close\r\n",
            self.user_agent
        );
        for (name, value) in conditions.iter().filter(|(_, value)| !value.contains(['\r', '\n'])) {
            request += &format!("{name}: {value}\r\n");
        }
        (request + "\r\n").into_bytes()
    }

    /// Sends the request and reads the answer up to its end or a limit.
    async fn exchange(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        request: &[u8],
    ) -> Result<(Vec<u8>, Option<&'static str>), Fault> {
        let idle = Duration::from_secs(self.settings.idle_s_max.max(1));
        let end = Instant::now() + Duration::from_secs(self.settings.fetch_s_max);
        timeout(idle, stream.write_all(request)).await.map_err(|_| Fault::Timeout)?.map_err(|_| Fault::Connection)?;
        let mut reading = Reading { bytes: Vec::new(), idle, end };
        let framing = reading.head(&mut stream, self.settings.head_bytes_max.as_usize().min(HEAD_BYTES_MAX)).await?;
        let truncated = reading.body(&mut stream, framing, self.settings.body_bytes_max.as_usize()).await;
        Ok((reading.bytes, truncated))
    }
}

/// An answer that is being read.
struct Reading {
    bytes: Vec<u8>,
    idle: Duration,
    end: Instant,
}

/// What one reading brought.
enum Step {
    Bytes,
    End,
    Broken,
    Late,
}

impl Reading {
    async fn step(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Step {
        let left = self.end.saturating_duration_since(Instant::now()).min(self.idle);
        self.bytes.reserve(READ_BYTES);
        match timeout(left, stream.read_buf(&mut self.bytes)).await {
            Err(_) => Step::Late,
            Ok(Ok(0)) => Step::End,
            Ok(Ok(_)) => Step::Bytes,
            // Many servers end TLS without saying so: what came counts, and its framing tells whether it is whole.
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => Step::End,
            Ok(Err(_)) => Step::Broken,
        }
    }

    /// Reads the head of the real answer; informational ones before it are passed over.
    async fn head(&mut self, stream: &mut (impl AsyncRead + Unpin), bytes_max: usize) -> Result<Framing, Fault> {
        for _ in 0..=INTERIM_MAX {
            let length = self.one_head(stream, bytes_max).await?;
            let response = Response::parse(&self.bytes[..length]).ok_or(Fault::NotHttp)?;
            if !(100..200).contains(&response.status) || response.status == 101 {
                return framing(response.status, response.fields);
            }
            self.bytes.drain(..length);
        }
        Err(Fault::NotHttp)
    }

    async fn one_head(&mut self, stream: &mut (impl AsyncRead + Unpin), bytes_max: usize) -> Result<usize, Fault> {
        loop {
            if self.bytes.len() >= 5 && !self.bytes.trim_ascii_start().get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"HTTP")) {
                return Err(Fault::NotHttp);
            }
            match message_head_length(&self.bytes) {
                Some(length) if length <= bytes_max => return Ok(length),
                None if self.bytes.len() <= bytes_max => {}
                _ => return Err(Fault::LongHead),
            }
            match self.step(stream).await {
                Step::Bytes => {}
                Step::Late => return Err(Fault::Timeout),
                Step::End if self.bytes.is_empty() => return Err(Fault::NotHttp),
                Step::End | Step::Broken => return Err(Fault::Connection),
            }
        }
    }

    /// Reads the body, and says why it is not whole.
    async fn body(&mut self, stream: &mut (impl AsyncRead + Unpin), framing: Framing, bytes_max: usize) -> Option<&'static str> {
        let head = message_head_length(&self.bytes).unwrap_or(self.bytes.len());
        let mut chunks = Chunks { at: head };
        loop {
            let have = self.bytes.len() - head;
            match framing {
                Framing::Empty => {
                    self.bytes.truncate(head);
                    return None;
                }
                Framing::Length(length) if have >= length && length <= bytes_max => {
                    self.bytes.truncate(head + length);
                    return None;
                }
                Framing::Chunked => match chunks.advance(&self.bytes) {
                    ChunkEnd::At(end) if end - head <= bytes_max => {
                        self.bytes.truncate(end);
                        return None;
                    }
                    ChunkEnd::Malformed => return Some("disconnect"),
                    ChunkEnd::At(_) | ChunkEnd::NotYet => {}
                },
                Framing::Length(_) | Framing::Close => {}
            }
            if have > bytes_max {
                self.bytes.truncate(head + bytes_max);
                return Some("length");
            }
            match self.step(stream).await {
                Step::Bytes => {}
                Step::Late => return Some("time"),
                Step::End if framing == Framing::Close => return None,
                Step::End | Step::Broken => return Some("disconnect"),
            }
        }
    }
}

/// All values of the field called `name`.
fn all(fields: Fields<'_>, name: &str) -> Vec<String> {
    fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| text(&value)).collect()
}

/// Whether an answer comes in chunks.
pub(super) fn is_chunked(fields: Fields<'_>) -> bool {
    all(fields, "transfer-encoding").iter().any(|value| value.to_ascii_lowercase().contains("chunked"))
}

/// How the body of an answer ends (RFC 9112, 6.3): chunked wins over a length, and two lengths that differ are an attack or a fault.
fn framing(status: u16, fields: Fields<'_>) -> Result<Framing, Fault> {
    if status == 204 || status == 304 {
        return Ok(Framing::Empty);
    }
    if is_chunked(fields) {
        return Ok(Framing::Chunked);
    }
    let lengths: Vec<usize> =
        all(fields, "content-length").iter().flat_map(|value| value.split(',')).filter_map(|value| value.trim().parse().ok()).collect();
    match lengths.split_first() {
        None => Ok(Framing::Close),
        Some((length, others)) if others.iter().all(|other| other == length) => Ok(Framing::Length(*length)),
        Some(_) => Err(Fault::Contradiction),
    }
}
