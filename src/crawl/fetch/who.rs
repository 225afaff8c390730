//! Who is talked to: names that change their addresses between two questions, and servers that cannot prove who they are.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use url::Url;

use super::{Client, Fault, Names, system_names};
use crate::crawl::settings::CrawlSettings;

const HOST: &str = "ostrov.example.cz";

fn settings() -> Arc<CrawlSettings> {
    Arc::new(CrawlSettings { contact: "mailto:crawl@example.eu".to_owned(), ..CrawlSettings::default() })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// A resolver that gives one list of addresses after the other, the last one for ever, and counts the questions.
fn names(lists: &[&[&str]], asked: &Arc<AtomicUsize>) -> Names {
    let lists: Vec<Vec<SocketAddr>> =
        lists.iter().map(|list| list.iter().map(|ip| SocketAddr::new(ip.parse().expect("an address"), 80)).collect()).collect();
    let asked = asked.clone();
    Box::new(move |_, _| {
        let list = lists[asked.fetch_add(1, Ordering::Relaxed).min(lists.len() - 1)].clone();
        Box::pin(async move { Ok::<_, io::Error>(list) })
    })
}

#[test]
fn a_name_that_turns_to_an_inner_address_between_two_questions_is_refused_and_none_is_asked_between_judgement_and_connection() {
    let asked = Arc::new(AtomicUsize::new(0));
    let turning = names(&[&["93.184.216.34"], &["127.0.0.1"], &["93.184.216.34", "10.0.0.1"], &["::ffff:169.254.169.254"], &[]], &asked);
    let client = Client::with(settings(), turning, RootCertStore::empty());
    let url = Url::parse(&format!("http://{HOST}/")).expect("an address");
    let expected: [Result<&str, Fault>; 5] =
        [Ok("93.184.216.34:80"), Err(Fault::NotPublic), Err(Fault::NotPublic), Err(Fault::NotPublic), Err(Fault::Dns)];
    for (question, expected) in expected.into_iter().enumerate() {
        let found = block_on(client.resolve(&url)).map(|address| address.to_string());
        assert_eq!(found, expected.map(str::to_owned), "question {question}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 5);
    // What is connected to is the address that was judged: the name is not asked for again.
    block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 14, 2), 0)).await.expect("a free port on loopback");
        let address = listener.local_addr().expect("an address");
        let serving = async {
            let (mut stream, _) = listener.accept().await.expect("somebody asks");
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.expect("somebody reads");
        };
        let (fetched, ()) = tokio::join!(client.get(&url, address, &[]), serving);
        assert_eq!(fetched.map(|fetched| fetched.status), Ok(204));
    });
    assert_eq!(asked.load(Ordering::Relaxed), 5);
}

/// An authority that signs certificates.
struct Authority {
    key: KeyPair,
    params: CertificateParams,
    certificate: CertificateDer<'static>,
}

/// A certificate and its key.
type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

impl Authority {
    fn new() -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate").der().clone();
        Authority { key, params, certificate }
    }

    fn sign(&self, name: &str, change: impl Fn(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        change(&mut params);
        let certificate = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).expect("a certificate");
        (certificate.der().clone(), PrivateKeyDer::Pkcs8(key.serialize_der().into()))
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("it is one");
        roots
    }
}

/// What `client` gets from a server that proves itself with `identity`.
fn status_over_tls(client: &Client, (certificate, key): Identity) -> Result<u16, Fault> {
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).expect("a key that fits");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 14, 3), 0)).await.expect("a free port on loopback");
        let address = listener.local_addr().expect("an address");
        let serving = async {
            let (stream, _) = listener.accept().await.expect("somebody asks");
            // Whoever does not trust us ends the handshake.
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut request = [0; 1_024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlabas").await;
            let _ = stream.shutdown().await;
        };
        let url = Url::parse(&format!("https://{HOST}/")).expect("an address");
        let (fetched, ()) = tokio::join!(client.get(&url, address, &[]), serving);
        fetched.map(|fetched| fetched.status)
    })
}

#[test]
fn a_server_is_heard_only_with_a_valid_certificate_for_its_name() {
    let (ours, foreign) = (Authority::new(), Authority::new());
    let client = Client::with(settings(), system_names(), ours.roots());
    let as_it_is = |_: &mut CertificateParams| {};
    assert_eq!(status_over_tls(&client, ours.sign(HOST, as_it_is)), Ok(200));
    let expired = |params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let future = |params: &mut CertificateParams| params.not_before = rcgen::date_time_ymd(2999, 1, 1);
    for (what, identity) in [
        ("of another name", ours.sign("jinde.example.cz", as_it_is)),
        ("expired", ours.sign(HOST, expired)),
        ("not valid yet", ours.sign(HOST, future)),
        ("of an authority that nobody trusts", foreign.sign(HOST, as_it_is)),
    ] {
        assert_eq!(status_over_tls(&client, identity), Err(Fault::Tls), "{what}");
    }
    let public = Client::new(settings());
    assert_eq!(status_over_tls(&public, ours.sign(HOST, as_it_is)), Err(Fault::Tls), "only public authorities are trusted");
}
