//! Posts the summary of a night to an address of the operator's. Certificates are verified; a failure is a sentence and nothing else.
//!
//! The crawler's client asks as a crawler does, for what strangers publish; this one speaks to a server that the settings name, so the
//! guard against private addresses does not hold here, and a certificate authority of one's own may be given.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::Url;

/// Longest time for all of it.
const POST_MAX: Duration = Duration::from_secs(30);
/// Bytes of the answer that are read: the status line is all that counts.
const ANSWER_BYTES_MAX: u64 = 4_096;

/// Posts `body` as JSON to `address`; certificates are judged by those in `ca_file`, or by the public ones. Answers why it could not be posted, if so.
#[must_use]
pub fn post(address: &str, ca_file: &str, body: &str) -> Option<String> {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Some(format!("cannot begin to use the network: {error}")),
    };
    let posting = async {
        match tokio::time::timeout(POST_MAX, post_to(address, ca_file, body)).await {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(why),
            Err(_) => Some(format!("no answer within {} s", POST_MAX.as_secs())),
        }
    };
    runtime.block_on(posting)
}

async fn post_to(address: &str, ca_file: &str, body: &str) -> Result<(), String> {
    let url = Url::parse(address).map_err(|error| error.to_string())?;
    let host = url.host_str().ok_or("the address names no host")?.to_owned();
    let port = url.port_or_known_default().ok_or("the address names no port")?;
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let named = if url.port().is_some() { format!("{host}:{port}") } else { host.clone() };
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: {named}\r\nUser-Agent: tamis/{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        env!("CARGO_PKG_VERSION"),
        body.len()
    );
    let bare = host.trim_matches(['[', ']']).to_owned();
    let stream = TcpStream::connect((bare.as_str(), port)).await.map_err(|error| format!("cannot connect to {named}: {error}"))?;
    let status = if url.scheme() == "https" {
        let name = ServerName::try_from(bare).map_err(|error| error.to_string())?;
        let connecting = TlsConnector::from(Arc::new(tls(ca_file)?)).connect(name, stream);
        exchange(connecting.await.map_err(|error| format!("no safe connection to {named}: {error}"))?, &request).await?
    } else {
        exchange(stream, &request).await?
    };
    if (200..300).contains(&status) { Ok(()) } else { Err(format!("{named} answered {status}")) }
}

fn tls(ca_file: &str) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    if ca_file.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    } else {
        let unreadable =
            |error: &dyn std::fmt::Display| format!("cannot use the certificates in `{}`: {error}", Path::new(ca_file).display());
        for certificate in CertificateDer::pem_file_iter(ca_file).map_err(|error| unreadable(&error))? {
            roots.add(certificate.map_err(|error| unreadable(&error))?).map_err(|error| unreadable(&error))?;
        }
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

/// Sends the request, and reads the status of the answer.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> Result<u16, String> {
    stream.write_all(request.as_bytes()).await.map_err(|error| format!("it could not be sent: {error}"))?;
    let mut answer = Vec::new();
    // A server may close without a farewell; what came before it counts.
    let read = stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await;
    let line = String::from_utf8_lossy(&answer);
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
    status.ok_or_else(|| read.map_or_else(|error| format!("no answer: {error}"), |_| "what came is no HTTP answer".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use tokio_rustls::rustls::pki_types::PrivateKeyDer;
    use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

    use super::*;

    /// A server for one request on loopback; answers its address, and what it was sent.
    fn serve(answer: &'static str, tls: Option<ServerConfig>) -> (u16, std::thread::JoinHandle<String>) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let served = std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("somebody comes");
            let mut heard = vec![0; 4_096];
            let mut both: Box<dyn ReadWrite> = match tls {
                Some(config) => Box::new(StreamOwned::new(ServerConnection::new(Arc::new(config)).expect("sound"), stream)),
                None => Box::new(stream),
            };
            let Ok(length) = both.read(&mut heard) else { return String::new() };
            let _ = both.write_all(answer.as_bytes());
            let _ = both.flush();
            String::from_utf8_lossy(&heard[..length]).into_owned()
        });
        (port, served)
    }

    trait ReadWrite: Read + Write {}
    impl<T: Read + Write> ReadWrite for T {}

    #[test]
    fn the_summary_arrives_as_json_and_an_error_of_the_server_is_told() {
        let (port, served) = serve("HTTP/1.1 204 No Content\r\n\r\n", None);
        assert_eq!(post(&format!("http://127.0.0.1:{port}/hook?x=1"), "", "{\"a\":1}"), None);
        let heard = served.join().expect("no panic");
        assert!(heard.starts_with("POST /hook?x=1 HTTP/1.1\r\n") && heard.ends_with("\r\n\r\n{\"a\":1}"), "{heard}");
        let (port, _) = serve("HTTP/1.1 500 Oops\r\n\r\n", None);
        assert!(post(&format!("http://127.0.0.1:{port}/"), "", "{}").expect("it fails").ends_with("answered 500"));
        let (port, _) = serve("SSH-2.0\r\n", None);
        assert!(post(&format!("http://127.0.0.1:{port}/"), "", "{}").expect("it fails").contains("no HTTP answer"));
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        assert!(post(&format!("http://{free}/"), "", "{}").expect("it fails").contains("cannot connect"));
    }

    /// A certificate for `localhost` that is valid from 2020 to `until`, for a server; and the same as PEM.
    fn certificate(until: i32) -> (ServerConfig, String) {
        let mut parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        (parameters.not_before, parameters.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(until, 1, 1));
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = parameters.self_signed(&key).expect("sound");
        let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], private).expect("sound");
        (config, certificate.pem())
    }

    #[test]
    fn an_expired_certificate_is_refused_and_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ca.pem");
        for (until, is_fine) in [(2021, false), (2096, true)] {
            let (config, pem) = certificate(until);
            std::fs::write(&file, pem).expect("room");
            let (port, _) = serve("HTTP/1.1 200 OK\r\n\r\n", Some(config));
            let failed = post(&format!("https://localhost:{port}/"), &file.to_string_lossy(), "{}");
            assert_eq!(failed.is_none(), is_fine, "{failed:?}");
            if let Some(why) = failed {
                assert!(why.contains("xpired"), "{why}");
            }
        }
        let (config, _) = certificate(2096);
        let (port, _) = serve("HTTP/1.1 200 OK\r\n\r\n", Some(config));
        let why = post(&format!("https://localhost:{port}/"), "", "{}").expect("nobody vouches for it");
        assert!(why.contains("no safe connection"), "{why}");
    }
}
