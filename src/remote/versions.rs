//! Earlier versions that an S3 bucket keeps of its objects. Crate object_store knows none, so these three requests are made here, signed by its own
//! signer: whether a bucket keeps versions, which there are, and the removal of one.
//!
//! A bucket with versioning keeps what was replaced or removed, and so what was erased. The API: <https://docs.aws.amazon.com/AmazonS3/latest/API/>
//! (GetBucketVersioning, ListObjectVersions, DeleteObject).

use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AwsAuthorizer};
use object_store::client::{HttpClient, HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use quick_xml::Reader as XmlReader;
use quick_xml::events::Event;
use url::Url;

use super::RemoteError;
use super::at::At;
use super::stores::{options, patiently, s3_endpoint};

/// Removals that are under way side by side.
const REMOVED_AT_ONCE: usize = 16;
/// What Amazon calls its first region; other stores take any.
const REGION: &str = "us-east-1";

/// How one bucket is asked for versions.
pub(super) struct Versions {
    s3: Arc<AmazonS3>,
    client: HttpClient,
    bucket: Url,
    region: String,
}

/// A version of an object, or the mark of its removal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Version {
    key: String,
    id: String,
    is_latest: bool,
    /// The mark of a removal.
    is_mark: bool,
}

/// One page of the list of versions.
#[derive(Debug, Default, PartialEq, Eq)]
struct Page {
    versions: Vec<Version>,
    /// Where the next page begins: key and version.
    next: Option<(String, String)>,
}

impl Versions {
    pub(super) fn of(s3: &Arc<AmazonS3>, folder: &At) -> Result<Versions, RemoteError> {
        let wrong = |why: String| RemoteError::Settings { name: folder.name(), why };
        let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| std::env::var(name).ok());
        let region = region.filter(|region| !region.is_empty()).unwrap_or_else(|| REGION.to_owned());
        let bucket = folder.root.trim_start_matches("s3://");
        let is_hosted = std::env::var("AWS_VIRTUAL_HOSTED_STYLE_REQUEST").is_ok_and(|value| value == "true");
        let url = match (s3_endpoint(), is_hosted) {
            (endpoint, true) if !endpoint.is_empty() => endpoint,
            (endpoint, _) if !endpoint.is_empty() => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
            _ => format!("https://s3.{region}.amazonaws.com/{bucket}"),
        };
        let bucket = Url::parse(&url).map_err(|error| wrong(format!("`{url}`: {error}")))?;
        let client = ReqwestConnector::default().connect(&options(bucket.scheme() == "http")).map_err(|error| wrong(error.to_string()))?;
        Ok(Versions { s3: s3.clone(), client, bucket, region })
    }

    /// Whether the bucket keeps versions; nothing where the store does not tell.
    pub(super) async fn are_kept(&self, at: &At) -> Result<Option<bool>, RemoteError> {
        let url = self.url(&[("versioning", "")]);
        match patiently(|| self.ask(at, "GET", &url)).await {
            Ok(body) => Ok(Some(body.contains("<Status>Enabled<") || body.contains("<Status>Suspended<"))),
            Err(error) if error.is_passing() => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Removes all versions beside those of now: of the one object at `at`, or of all below it. Answers how many.
    pub(super) async fn forget(&self, at: &At, is_one: bool) -> Result<u64, RemoteError> {
        let (mut next, mut removed) = (None, 0);
        let prefix = if is_one || at.path.is_empty() { at.path.clone() } else { format!("{}/", at.path.trim_end_matches('/')) };
        loop {
            let url = self.list_url(&prefix, next.as_ref());
            let page = patiently(|| async { page_of(at, &self.ask(at, "GET", &url).await?) }).await?;
            let old: Vec<_> = page.versions.iter().filter(|version| (!is_one || version.key == at.path) && version.is_old()).collect();
            removed += old.len() as u64;
            let removals = old.into_iter().map(|version| self.remove(at, version));
            stream::iter(removals).buffer_unordered(REMOVED_AT_ONCE).try_collect::<Vec<()>>().await?;
            match page.next {
                Some(more) => next = Some(more),
                None => return Ok(removed),
            }
        }
    }

    async fn remove(&self, at: &At, version: &Version) -> Result<(), RemoteError> {
        let mut url = self.url(&[("versionId", &version.id)]);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(version.key.split('/'));
        }
        patiently(|| self.ask(at, "DELETE", &url)).await.map(|_| ())
    }

    fn url(&self, pairs: &[(&str, &str)]) -> Url {
        let mut url = self.bucket.clone();
        url.query_pairs_mut().extend_pairs(pairs);
        url
    }

    fn list_url(&self, prefix: &str, next: Option<&(String, String)>) -> Url {
        let mut pairs = vec![("versions", ""), ("prefix", prefix)];
        if let Some((key, version)) = next {
            pairs.push(("key-marker", key));
            pairs.push(("version-id-marker", version));
        }
        self.url(&pairs)
    }

    /// The body of an answer; an answer of 404 to a removal is as good as any.
    async fn ask(&self, at: &At, method: &str, url: &Url) -> Result<String, RemoteError> {
        let failed = |why: String| RemoteError::Unwritten { name: at.name(), why };
        let credential = self.s3.credentials().get_credential().await.map_err(|error| failed(error.to_string()))?;
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = method.parse().map_err(|_| failed(format!("`{method}` is no method")))?;
        *request.uri_mut() = url.as_str().parse().map_err(|_| failed(format!("`{url}` is no address")))?;
        AwsAuthorizer::new(&credential, "s3", &self.region).authorize(&mut request, None);
        let answer = self.client.execute(request).await.map_err(|error| failed(error.to_string()))?;
        let status = answer.status().as_u16();
        let body = answer.into_body().bytes().await.map_err(|error| failed(error.to_string()))?;
        match status {
            200..=299 => Ok(String::from_utf8_lossy(&body).into_owned()),
            404 if method == "DELETE" => Ok(String::new()),
            401 | 403 => Err(RemoteError::VersionsRefused { name: at.name(), status }),
            408 | 409 | 429 | 500.. => Err(failed(format!("the store answers {status} to a question for versions"))),
            _ => Err(RemoteError::VersionsRefused { name: at.name(), status }),
        }
    }
}

impl Version {
    /// Whether nobody who reads the bucket sees it: what was replaced, and marks of removal with nothing before them.
    fn is_old(&self) -> bool {
        !self.is_latest || self.is_mark
    }
}

/// Reads one page of the list of versions.
fn page_of(at: &At, xml: &str) -> Result<Page, RemoteError> {
    let wrong = |why: String| RemoteError::Unwritten { name: at.name(), why: format!("the list of versions is no XML: {why}") };
    let mut reader = XmlReader::from_str(xml);
    let (mut page, mut path) = (Page::default(), Vec::new());
    let (mut key, mut id, mut is_cut, mut text) = (String::new(), String::new(), false, String::new());
    loop {
        match reader.read_event().map_err(|error| wrong(error.to_string()))? {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                text.clear();
                if is_version(&path) {
                    page.versions.push(Version { is_mark: path[1] == "DeleteMarker", ..Version::default() });
                }
            }
            Event::Text(part) => text.push_str(&part),
            Event::GeneralRef(name) => text.push_str(&entity(&name)),
            Event::End(_) => {
                let name = path.pop().unwrap_or_default();
                let value = std::mem::take(&mut text);
                match (page.versions.last_mut().filter(|_| is_version(&path)), name.as_str()) {
                    (Some(version), "Key") => version.key = value,
                    (Some(version), "VersionId") => version.id = value,
                    (Some(version), "IsLatest") => version.is_latest = value == "true",
                    (None, "NextKeyMarker") => key = value,
                    (None, "NextVersionIdMarker") => id = value,
                    (None, "IsTruncated") => is_cut = value == "true",
                    _ => {}
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    page.next = is_cut.then_some((key, id));
    Ok(page)
}

fn is_version(path: &[String]) -> bool {
    path.len() == 2 && matches!(path[1].as_str(), "Version" | "DeleteMarker")
}

/// The character that an entity of XML stands for.
fn entity(name: &str) -> String {
    let number = name.strip_prefix('#').and_then(|number| match number.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => number.parse().ok(),
    });
    let known = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')];
    let named = known.iter().find(|(known, _)| *known == name).map(|(_, letter)| *letter);
    number.and_then(char::from_u32).or(named).map_or_else(|| format!("&{name};"), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = r#"<?xml version="1.0"?><ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><KeyMarker/>
<IsTruncated>true</IsTruncated><NextKeyMarker>w/b</NextKeyMarker><NextVersionIdMarker>v9</NextVersionIdMarker>
<Version><Key>w/a &amp; o</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest><Owner><ID>x</ID></Owner></Version>
<Version><Key>w/a &amp; o</Key><VersionId>v1</VersionId><IsLatest>false</IsLatest></Version>
<DeleteMarker><Key>w/b</Key><VersionId>v8</VersionId><IsLatest>true</IsLatest></DeleteMarker></ListVersionsResult>"#;

    #[test]
    fn what_was_replaced_and_marks_of_removal_are_old() {
        let page = page_of(&At::read("s3://b/w").expect("an address"), XML).expect("a page");
        let told: Vec<_> = page.versions.iter().map(|version| (version.key.as_str(), version.id.as_str(), version.is_old())).collect();
        assert_eq!(told, [("w/a & o", "v2", false), ("w/a & o", "v1", true), ("w/b", "v8", true)]);
        assert_eq!(page.next, Some(("w/b".to_owned(), "v9".to_owned())));
    }

    #[test]
    fn a_page_that_is_no_xml_is_asked_for_again() {
        let error = page_of(&At::read("s3://b/w").expect("an address"), "<ListVersionsResult><Version></Key>").expect_err("cut");
        assert!(error.is_passing(), "{error}");
    }
}
