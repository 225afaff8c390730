//! Addresses of objects: a scheme, a bucket or server, a path.

use object_store::path::Path;
use url::Url;

use super::RemoteError;

/// Schemes that are understood, and what kind of store has them.
const SCHEMES: [(&str, Kind); 6] =
    [("s3", Kind::S3), ("gs", Kind::Google), ("az", Kind::Azure), ("abfss", Kind::Azure), ("https", Kind::Web), ("http", Kind::Web)];

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    S3,
    Google,
    Azure,
    Web,
}

/// Where an object or a folder is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) kind: Kind,
    /// Scheme and bucket or server: `s3://bucket`.
    pub(super) root: String,
    /// The path in it as it was written, without the slash before it.
    pub(super) path: String,
}

/// Whether `name` is the address of something on another machine, understood or not.
#[must_use]
pub fn is_remote(name: &str) -> bool {
    name.split_once("://").is_some_and(|(scheme, _)| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

impl At {
    /// The place called `name`.
    pub(super) fn read(name: &str) -> Result<At, RemoteError> {
        let wrong = |why: &str| RemoteError::Address { name: name.to_owned(), why: why.to_owned() };
        let (scheme, rest) = name.split_once("://").ok_or_else(|| wrong("it is no address"))?;
        let known = SCHEMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(scheme));
        let Some((scheme, kind)) = known else {
            return Err(wrong("this version reads s3://, gs://, az://, https:// and http:// beside files"));
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.is_empty() {
            return Err(wrong("it names no bucket or server"));
        }
        if name.chars().any(char::is_control) || path.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(wrong("its path has a part that no object's path may have"));
        }
        if *kind == Kind::Web {
            let url = Url::parse(name).map_err(|error| wrong(&error.to_string()))?;
            if url.query().is_some() && !path.contains(['*', '[']) || !url.username().is_empty() || url.fragment().is_some() {
                return Err(wrong("addresses with `?`, `#` or a user are not read; fetch the file and read it from a disk"));
            }
        }
        Ok(At { kind: *kind, root: format!("{scheme}://{host}"), path: path.to_owned() })
    }

    /// Its whole name.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.root, self.path)
    }

    /// The same place with another path.
    pub(super) fn with(&self, path: impl Into<String>) -> At {
        At { path: path.into(), ..self.clone() }
    }

    /// The path as object_store has it.
    pub(super) fn object(&self) -> Result<Path, RemoteError> {
        let wrong = |error: object_store::path::Error| RemoteError::Address { name: self.name(), why: error.to_string() };
        match self.kind {
            Kind::Web => Path::from_url_path(&self.path).map_err(wrong),
            _ => Path::parse(&self.path).map_err(wrong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_root_and_a_path() {
        for (name, root, path) in [
            ("s3://commoncrawl/a/b.warc.gz", "s3://commoncrawl", "a/b.warc.gz"),
            ("https://dumps.example.eu:8443/lv/x.bz2", "https://dumps.example.eu:8443", "lv/x.bz2"),
            ("gs://b", "gs://b", ""),
        ] {
            let at = At::read(name).expect("an address");
            assert_eq!((at.root.as_str(), at.path.as_str()), (root, path));
        }
    }

    #[test]
    fn what_is_no_object_is_refused_in_words() {
        for (name, why) in [
            ("ftp://a/b", "this version reads s3://"),
            ("s3:///b", "names no bucket"),
            ("s3://a/../b", "no object's path may have"),
            ("https://a.eu/b?c=d", "are not read"),
            ("https://me@a.eu/b", "are not read"),
        ] {
            let told = At::read(name).and_then(|at| at.object()).expect_err(name).to_string();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn a_path_on_a_disk_is_not_remote() {
        for (name, is) in [("s3://a/b", true), ("ftp://a/b", true), ("a/b", false), ("/a:b//c", false), ("://x", false)] {
            assert_eq!(is_remote(name), is, "{name}");
        }
    }
}
