//! A folder of a store that is written to: whole objects, new names of which one writer wins, copies inside the store, and removal for good.
//!
//! Every question is asked again while its answer may change, so each must be harmless when it is asked twice: an object is put over itself, a new
//! name that is taken is read and compared, what is gone is gone. The store decides nothing else.

use std::fs::File;
use std::io::Read;
use std::path::Path as FilePath;

use bytes::Bytes;
use futures_util::stream::TryStreamExt;
use object_store::path::Path;
use object_store::{CopyOptions, Error, ObjectMeta, ObjectStoreExt, PutMode, PutPayload};

use super::at::{At, Kind};
use super::stores::{Store, patiently, runtime, told};
use super::versions::Versions;
use super::{About, Reader, RemoteError};

/// Files of more bytes are sent in parts.
const WHOLE_BYTES_MAX: u64 = 16 << 20;
/// Parts that one object may have; S3 takes 10,000.
const PARTS_MAX: u64 = 9_000;
/// The largest object that S3 copies in one request.
const COPY_BYTES_MAX: u64 = 5 << 30;

/// What a write of a new name found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// The name is ours: it was free, or an earlier try whose answer was lost wrote it.
    Ours,
    /// Another writer has it: these bytes.
    Theirs(Bytes),
}

/// An object as a listing tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key below the folder.
    pub key: String,
    /// Size in bytes.
    pub bytes: u64,
    /// When it was written, in milliseconds of the store's clock since 1970.
    pub modified_ms: i64,
}

/// A folder of a store.
pub struct Bucket {
    folder: At,
    store: Store,
    versions: Option<Versions>,
}

impl Bucket {
    /// The folder at `address`: `s3://bucket/path`, `gs://..`, `az://..`. Nothing is asked yet.
    ///
    /// # Errors
    /// When the address makes no sense, or nobody can write there.
    pub fn open(address: &str) -> Result<Bucket, RemoteError> {
        let folder = At::read(address.trim_end_matches('/'))?;
        if folder.kind == Kind::Web {
            let why = "a plain web server takes no files; a workspace lies in a folder, or at s3://, gs:// or az://".to_owned();
            return Err(RemoteError::Address { name: address.to_owned(), why });
        }
        folder.object()?;
        let store = Store::of(&folder)?;
        let versions = store.s3.as_ref().map(|s3| Versions::of(s3, &folder)).transpose()?;
        Ok(Bucket { folder, store, versions })
    }

    /// Its address.
    #[must_use]
    pub fn name(&self) -> String {
        self.folder.name()
    }

    fn at(&self, key: &str) -> At {
        let path = [self.folder.path.as_str(), key].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        self.folder.with(path)
    }

    /// Puts `bytes` at `key`, over what stands there.
    ///
    /// # Errors
    /// When the store does not take it.
    pub fn put(&self, key: &str, bytes: &Bytes) -> Result<(), RemoteError> {
        runtime().block_on(self.put_at(&self.at(key), bytes, PutMode::Overwrite))
    }

    async fn put_at(&self, at: &At, bytes: &Bytes, mode: PutMode) -> Result<(), RemoteError> {
        patiently(|| async {
            let payload = PutPayload::from(bytes.clone());
            let put = self.store.objects.put_opts(&at.object()?, payload, mode.clone().into()).await;
            put.map(|_| ()).map_err(|error| unwritten(at, &error))
        })
        .await
    }

    /// Puts the file at `path` there, in parts if it is large.
    ///
    /// # Errors
    /// When the file cannot be read or the store does not take it.
    pub fn put_file(&self, key: &str, path: &FilePath) -> Result<(), RemoteError> {
        let at = self.at(key);
        let unread = |error: std::io::Error| RemoteError::Unread { path: path.to_owned(), why: error.to_string() };
        let mut file = File::open(path).map_err(unread)?;
        let bytes = file.metadata().map_err(unread)?.len();
        let mut parts = std::iter::from_fn(|| {
            let mut part = Vec::new();
            let read = Read::by_ref(&mut file).take(part_bytes(bytes)).read_to_end(&mut part);
            read.map(|count| (count > 0).then(|| Bytes::from(part))).map_err(unread).transpose()
        });
        self.put_parts(&at, bytes, &mut parts)
    }

    /// Writes `bytes` bytes that come in parts of [`part_bytes`].
    fn put_parts(&self, at: &At, bytes: u64, parts: &mut dyn Iterator<Item = Result<Bytes, RemoteError>>) -> Result<(), RemoteError> {
        let Some(store) = self.store.parts.as_ref().filter(|_| bytes > WHOLE_BYTES_MAX) else {
            let mut whole = Vec::new();
            for part in parts {
                whole.extend_from_slice(&part?);
            }
            return runtime().block_on(self.put_at(at, &whole.into(), PutMode::Overwrite));
        };
        let path = at.object()?;
        let refused = |error: Error| unwritten(at, &error);
        let id = runtime().block_on(patiently(|| async { store.create_multipart(&path).await.map_err(refused) }))?;
        let mut written = Vec::new();
        for (number, part) in parts.enumerate() {
            let part = part?;
            let sent = patiently(|| async { store.put_part(&path, &id, number, PutPayload::from(part.clone())).await.map_err(refused) });
            written.push(runtime().block_on(sent)?);
        }
        runtime().block_on(patiently(|| async {
            match store.complete_multipart(&path, &id, written.clone()).await {
                Ok(_) => Ok(()),
                // An earlier try whose answer was lost has completed it: then the object has the size that was sent.
                Err(error) => match self.store.about(at).await {
                    Ok(about) if about.bytes == bytes && is_gone(&error) => Ok(()),
                    _ => Err(refused(error)),
                },
            }
        }))
    }

    /// Puts `bytes` at `key` unless something stands there. Whether the store honours that condition is [`Bucket::honours_conditions`]'s question.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn create(&self, key: &str, bytes: &Bytes) -> Result<Created, RemoteError> {
        let at = self.at(key);
        runtime().block_on(patiently(|| async {
            let payload = PutPayload::from(bytes.clone());
            match self.store.objects.put_opts(&at.object()?, payload, PutMode::Create.into()).await {
                Ok(_) => Ok(Created::Ours),
                // S3 answers 409 while somebody else writes it, who may yet fail: that decides nothing.
                Err(Error::AlreadyExists { source, .. }) if self.store.s3.is_some() && !is_condition(source.as_ref()) => {
                    Err(RemoteError::Unwritten { name: at.name(), why: "another writer was at it".to_owned() })
                }
                Err(Error::AlreadyExists { .. }) => match self.read_at(&at).await? {
                    Some(there) if there == *bytes => Ok(Created::Ours),
                    Some(there) => Ok(Created::Theirs(there)),
                    None => Err(RemoteError::Unwritten { name: at.name(), why: "another writer was at it, and left nothing".to_owned() }),
                },
                Err(error) => Err(unwritten(&at, &error)),
            }
        }))
    }

    /// Whether the store keeps its word that a new name is given once. It is tried out with an object of this name, which is removed.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn honours_conditions(&self, key: &str) -> Result<bool, RemoteError> {
        let [first, second] = [Bytes::from_static(b"first"), Bytes::from_static(b"second")];
        self.put(key, &first)?;
        let honours = self.create(key, &second).map(|created| created == Created::Theirs(first));
        self.remove(key)?;
        honours
    }

    /// The whole object at `key`, if there is one.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn read(&self, key: &str) -> Result<Option<Bytes>, RemoteError> {
        let at = self.at(key);
        runtime().block_on(patiently(|| self.read_at(&at)))
    }

    async fn read_at(&self, at: &At) -> Result<Option<Bytes>, RemoteError> {
        match self.store.objects.get(&at.object()?).await {
            Ok(got) => got.bytes().await.map(Some).map_err(|error| told(at, &error)),
            Err(error) => match told(at, &error) {
                RemoteError::NotThere { .. } => Ok(None),
                other => Err(other),
            },
        }
    }

    /// A reader of the object at `key` in its state of now; nothing if it is not there.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn reader(&self, key: &str) -> Result<Option<Reader>, RemoteError> {
        let at = self.at(key);
        let about = match runtime().block_on(self.store.about(&at)) {
            Ok(about) => about,
            Err(RemoteError::NotThere { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        Reader::open(&at.name(), about).map(Some)
    }

    /// All objects below `key`, sorted by key.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn list(&self, key: &str) -> Result<Vec<Listed>, RemoteError> {
        let at = self.at(key.trim_end_matches('/'));
        let prefix = at.object()?;
        let root = Path::parse(&self.folder.path).map_err(|error| RemoteError::Address { name: self.name(), why: error.to_string() })?;
        let below = |meta: ObjectMeta| {
            let key = meta.location.prefix_match(&root)?.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/");
            Some(Listed { key, bytes: meta.size, modified_ms: meta.last_modified.timestamp_millis() })
        };
        let listed = patiently(|| {
            let objects = self.store.objects.list(Some(&prefix)).map_err(|error| told(&at, &error));
            objects.try_filter_map(|meta| std::future::ready(Ok(below(meta)))).try_collect::<Vec<_>>()
        });
        let mut listed = runtime().block_on(listed)?;
        listed.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(listed)
    }

    /// Copies an object over another, inside the store where it can. Answers whether `from` was there.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn copy(&self, from: &str, to: &str) -> Result<bool, RemoteError> {
        let (from_at, to_at) = (self.at(from), self.at(to));
        let about = match runtime().block_on(self.store.about(&from_at)) {
            Ok(about) => about,
            Err(RemoteError::NotThere { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        if about.bytes > COPY_BYTES_MAX {
            return self.copy_through(&from_at, &to_at, about).map(|()| true);
        }
        runtime().block_on(patiently(|| async {
            let copied = self.store.objects.copy_opts(&from_at.object()?, &to_at.object()?, CopyOptions::default()).await;
            match copied {
                Ok(()) => Ok(true),
                Err(error) if is_gone(&error) => Ok(false),
                Err(error) => Err(unwritten(&to_at, &error)),
            }
        }))
    }

    /// Copies an object by reading it and writing it.
    fn copy_through(&self, from: &At, to: &At, about: About) -> Result<(), RemoteError> {
        let bytes = about.bytes;
        let mut reader = Reader::open(&from.name(), about)?;
        let fault = reader.fault();
        let mut parts = std::iter::from_fn(|| {
            let mut part = Vec::new();
            let read = Read::by_ref(&mut reader).take(part_bytes(bytes)).read_to_end(&mut part);
            let lost =
                |error: std::io::Error| fault.take().unwrap_or_else(|| RemoteError::Failed { name: from.name(), why: error.to_string() });
            read.map(|count| (count > 0).then(|| Bytes::from(part))).map_err(lost).transpose()
        });
        self.put_parts(to, bytes, &mut parts)
    }

    /// Removes the object at `key`; fine if it is not there. A bucket that keeps versions keeps it as one.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn remove(&self, key: &str) -> Result<(), RemoteError> {
        let at = self.at(key);
        let removed = patiently(|| async {
            match self.store.objects.delete(&at.object()?).await {
                Ok(()) => Ok(()),
                Err(error) if is_gone(&error) => Ok(()),
                Err(error) => Err(unwritten(&at, &error)),
            }
        });
        runtime().block_on(removed)
    }

    /// Removes every version that the bucket keeps of the object at `key` beside the one of now.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn forget_versions(&self, key: &str) -> Result<u64, RemoteError> {
        self.forget_versions_at(&self.at(key), true)
    }

    /// Removes every version beside those of now of all objects below `key`. Answers how many.
    ///
    /// # Errors
    /// When the store does not answer, or nobody may look. Of Google's and Azure's stores nobody can, here.
    pub fn forget_versions_below(&self, key: &str) -> Result<u64, RemoteError> {
        self.forget_versions_at(&self.at(key), false)
    }

    fn forget_versions_at(&self, at: &At, is_one: bool) -> Result<u64, RemoteError> {
        let Some(versions) = &self.versions else { return Err(RemoteError::VersionsRefused { name: at.name(), status: 501 }) };
        runtime().block_on(versions.forget(at, is_one))
    }

    /// Whether the store says that it keeps earlier versions of objects; nothing where it does not say.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn keeps_versions(&self) -> Result<Option<bool>, RemoteError> {
        let Some(versions) = &self.versions else { return Ok(None) };
        runtime().block_on(versions.are_kept(&self.folder))
    }
}

/// Bytes of one part of an object of `bytes` bytes: 8 MiB, or as many as keep the parts few enough.
fn part_bytes(bytes: u64) -> u64 {
    (8 << 20).max(bytes.div_ceil(PARTS_MAX))
}

/// Whether the store says that the condition of a request does not hold (412, or 304 as some have it).
fn is_condition(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(Error::Precondition { .. } | Error::NotModified { .. }))
}

fn is_gone(error: &Error) -> bool {
    matches!(error, Error::NotFound { source, .. } if !source.to_string().contains("NoSuchBucket"))
}

/// What an error of a store means for a writer.
fn unwritten(at: &At, error: &Error) -> RemoteError {
    match told(at, error) {
        RemoteError::Failed { name, why } => RemoteError::Unwritten { name, why },
        RemoteError::Refused { name, how } => RemoteError::WriteRefused { name, how },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_few_enough_for_the_largest_object() {
        assert_eq!(part_bytes(20 << 20), 8 << 20);
        for bytes in [1_u64 << 30, 5 << 40] {
            assert!(bytes.div_ceil(part_bytes(bytes)) <= PARTS_MAX);
        }
    }

    #[test]
    fn nobody_writes_to_a_plain_web_server() {
        let told = Bucket::open("https://example.eu/w").err().expect("no place to write to").to_string();
        assert!(told.contains("takes no files"), "{told}");
    }
}
