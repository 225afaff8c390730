//! The stores behind addresses, one for each bucket or server, made once; and what their errors mean.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::multipart::MultipartStore;
use object_store::{ClientOptions, Error, GetOptions, GetRange, ObjectMeta, ObjectStore, RetryConfig};
use tokio::runtime::{Builder, Runtime};

use super::at::{At, Kind};
use super::credentials::{Key, key};
use super::{ATTEMPTS_MAX, About, RemoteError, pause};

/// Threads that wait for answers; what comes is worked on elsewhere.
const THREADS: usize = 2;
/// How long one answer may take, all its bytes in, where `TAMIS_STORE_ANSWER_S` does not say otherwise.
const ANSWER_S_MAX: u64 = 120;
/// How long a connection may take to come about.
const CONNECT_S_MAX: u64 = 10;

/// The runtime that object_store's connections live on.
pub(super) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(THREADS).thread_name("remote").enable_all().build();
        runtime.expect("two threads more; without them the program cannot go on")
    })
}

/// A store and what is asked of it.
#[derive(Clone)]
pub(super) struct Store {
    pub(super) objects: Arc<dyn ObjectStore>,
    /// The same store, where objects can be written in parts.
    pub(super) parts: Option<Arc<dyn MultipartStore>>,
    /// The same store, where it is S3.
    pub(super) s3: Option<Arc<AmazonS3>>,
}

impl Store {
    /// The store of `at`.
    pub(super) fn of(at: &At) -> Result<Store, RemoteError> {
        static STORES: Mutex<BTreeMap<String, Store>> = Mutex::new(BTreeMap::new());
        let mut known = STORES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = known.get(&at.root) {
            return Ok(store.clone());
        }
        let made = match at.kind {
            Kind::S3 => s3(at),
            Kind::Google => google(at),
            Kind::Azure => azure(at),
            Kind::Web => web(at),
        };
        let store = made.map_err(|error| RemoteError::Settings { name: at.name(), why: error.to_string() })?;
        known.insert(at.root.clone(), store.clone());
        Ok(store)
    }

    /// What the store says of an object.
    pub(super) async fn about(&self, at: &At) -> Result<About, RemoteError> {
        patiently(|| async {
            let options = GetOptions { head: true, ..GetOptions::default() };
            let got = self.objects.get_opts(&at.object()?, options).await.map_err(|error| told(at, &error))?;
            Ok(about_of(&got.meta))
        })
        .await
    }

    /// The bytes `range` of an object, in the state `tag` or in any. What breaks off is asked for again.
    pub(super) async fn part(&self, at: &At, range: std::ops::Range<u64>, tag: Option<&str>) -> Result<Bytes, RemoteError> {
        patiently(|| self.part_once(at, range.clone(), tag)).await
    }

    async fn part_once(&self, at: &At, range: std::ops::Range<u64>, tag: Option<&str>) -> Result<Bytes, RemoteError> {
        // A weak ETag never meets the condition of If-Match; it is compared below, as all are.
        let if_match = tag.filter(|tag| tag.starts_with('"')).map(str::to_owned);
        let wanted = range.end - range.start;
        let options = GetOptions { range: Some(GetRange::Bounded(range)), if_match, ..GetOptions::default() };
        let got = self.objects.get_opts(&at.object()?, options).await.map_err(|error| told(at, &error))?;
        if tag.is_some_and(|tag| about_of(&got.meta).tag != tag) {
            return Err(RemoteError::Changed { name: at.name() });
        }
        let bytes = got.bytes().await.map_err(|error| told(at, &error))?;
        if bytes.len() as u64 != wanted {
            return Err(RemoteError::Failed { name: at.name(), why: format!("{} bytes came of {wanted}", bytes.len()) });
        }
        Ok(bytes)
    }

    /// A small object as a whole, whatever its state.
    pub(super) async fn whole(&self, at: &At, bytes_max: u64) -> Result<Bytes, RemoteError> {
        patiently(|| async {
            let got = self.objects.get_opts(&at.object()?, GetOptions::default()).await.map_err(|error| told(at, &error))?;
            if got.meta.size > bytes_max {
                return Err(RemoteError::Address { name: at.name(), why: format!("it has more than {bytes_max} bytes") });
            }
            got.bytes().await.map_err(|error| told(at, &error))
        })
        .await
    }
}

/// What is kept of what a store says.
pub(super) fn about_of(meta: &ObjectMeta) -> About {
    let changed = || format!("{} bytes of {}", meta.size, meta.last_modified.to_rfc3339());
    About { bytes: meta.size, tag: meta.e_tag.clone().unwrap_or_else(changed) }
}

fn answer_s_max() -> u64 {
    let told = std::env::var("TAMIS_STORE_ANSWER_S").ok().and_then(|text| text.parse().ok());
    told.filter(|seconds| *seconds > 0).unwrap_or(ANSWER_S_MAX)
}

pub(super) fn options(is_plain: bool) -> ClientOptions {
    ClientOptions::new()
        .with_timeout(Duration::from_secs(answer_s_max()))
        .with_connect_timeout(Duration::from_secs(CONNECT_S_MAX))
        .with_allow_http(is_plain)
        .with_user_agent(concat!("tamis/", env!("CARGO_PKG_VERSION")).parse().expect("letters"))
}

/// Asks until there is an answer that will not change, with pauses that grow.
pub(super) async fn patiently<T, A: Future<Output = Result<T, RemoteError>>>(ask: impl Fn() -> A) -> Result<T, RemoteError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match ask().await {
            Err(error) if error.is_passing() && attempt < ATTEMPTS_MAX => tokio::time::sleep(pause(attempt)).await,
            done => return done,
        }
    }
}

/// object_store's own retries are off: where a body breaks off it asks for the rest, and takes what comes without a look at its
/// `Content-Range` (0.13.2), so a server that answers with another place would be believed. A whole range asked for anew is checked.
fn retries() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}

fn is_set(names: &[&str]) -> bool {
    names.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Whether this machine is rented from `vendor`, so that it has a role that gives credentials: the question for them hangs on all others.
fn is_machine_of(vendor: &str) -> bool {
    std::fs::read_to_string("/sys/class/dmi/id/sys_vendor").is_ok_and(|found| found.trim() == vendor)
}

/// S3 and what speaks like it. Without credentials, and on a machine that has no role to give any, questions go unsigned, which public buckets answer.
fn s3(at: &At) -> object_store::Result<Store> {
    let mut builder = AmazonS3Builder::from_env()
        .with_url(at.root.clone())
        .with_client_options(options(s3_endpoint().starts_with("http://")))
        .with_retry(retries());
    let given = ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_METADATA_ENDPOINT"];
    let of_container = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    if !is_set(&given) && !is_set(&of_container) {
        builder = match key() {
            None if is_machine_of("Amazon EC2") => builder,
            None => builder.with_skip_signature(true),
            Some(Key { id, secret, token }) => {
                let builder = builder.with_access_key_id(id).with_secret_access_key(secret);
                token.into_iter().fold(builder, AmazonS3Builder::with_token)
            }
        };
    }
    let s3 = Arc::new(builder.build()?);
    Ok(Store { objects: s3.clone(), parts: Some(s3.clone()), s3: Some(s3) })
}

/// Whether the user says that a store may be spoken to without TLS, as those are that stand in for it on one machine.
fn allows_http(name: &str) -> bool {
    std::env::var(name).is_ok_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
}

/// Where S3 is, if it is not Amazon's; empty else.
pub(super) fn s3_endpoint() -> String {
    std::env::var("AWS_ENDPOINT_URL").or_else(|_| std::env::var("AWS_ENDPOINT")).unwrap_or_default()
}

fn google(at: &At) -> object_store::Result<Store> {
    let builder = GoogleCloudStorageBuilder::from_env().with_url(at.root.clone());
    let builder = builder.with_client_options(options(allows_http("GOOGLE_ALLOW_HTTP"))).with_retry(retries());
    let given = ["GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH", "GOOGLE_SERVICE_ACCOUNT_KEY", "GOOGLE_APPLICATION_CREDENTIALS"];
    let is_public = !is_set(&given) && !is_machine_of("Google");
    let google = Arc::new(if is_public { builder.with_skip_signature(true) } else { builder }.build()?);
    Ok(Store { objects: google.clone(), parts: Some(google), s3: None })
}

fn azure(at: &At) -> object_store::Result<Store> {
    let builder = MicrosoftAzureBuilder::from_env().with_url(at.root.clone());
    let options = options(allows_http("AZURE_ALLOW_HTTP"));
    let azure = Arc::new(builder.with_client_options(options).with_retry(retries()).build()?);
    Ok(Store { objects: azure.clone(), parts: Some(azure), s3: None })
}

fn web(at: &At) -> object_store::Result<Store> {
    let builder = HttpBuilder::new().with_url(at.root.clone());
    let web = builder.with_client_options(options(at.root.starts_with("http://"))).with_retry(retries()).build()?;
    Ok(Store { objects: Arc::new(web), parts: None, s3: None })
}

/// The page of a folder of a web server. It has an address of its own, with the slash at its end that paths of objects never have.
pub(super) async fn folder_page(at: &At, bytes_max: u64) -> Result<Bytes, RemoteError> {
    let store = web(&At { root: at.name(), ..at.clone() });
    let store = store.map_err(|error| RemoteError::Settings { name: at.name(), why: error.to_string() })?;
    store.whole(&at.with(""), bytes_max).await.map_err(|error| match error {
        RemoteError::NotThere { .. } => RemoteError::NotThere { name: at.name() },
        other => other,
    })
}

/// What an error of a store means for a reader.
pub(super) fn told(at: &At, error: &Error) -> RemoteError {
    let name = at.name();
    match error {
        Error::NotFound { source, .. } if source.to_string().contains("NoSuchBucket") => RemoteError::NoBucket { name },
        Error::NotFound { .. } => RemoteError::NotThere { name },
        Error::PermissionDenied { .. } => RemoteError::Refused { name, how: "403".to_owned() },
        Error::Unauthenticated { .. } => RemoteError::Refused { name, how: "401".to_owned() },
        Error::Precondition { .. } | Error::NotModified { .. } => RemoteError::Changed { name },
        Error::NotSupported { .. } | Error::NotImplemented { .. } => RemoteError::NoRanges { name },
        // What lists objects tells all refusals alike, by the words of the answer.
        other => match deepest(other) {
            why if why.contains("NoSuchBucket") => RemoteError::NoBucket { name },
            why if why.contains("404 Not Found") => RemoteError::NotThere { name },
            why if why.contains("403 Forbidden") => RemoteError::Refused { name, how: "403".to_owned() },
            why => RemoteError::Failed { name, why },
        },
    }
}

/// What stands at the bottom of an error: the words of the system or of the server.
fn deepest(error: &Error) -> String {
    let (mut at, mut words): (&dyn std::error::Error, String) = (error, error.to_string());
    while let Some(source) = at.source() {
        (at, words) = (source, source.to_string());
    }
    words.lines().next().unwrap_or_default().chars().take(300).collect()
}
