//! Which objects a pattern names: one object, all below a path, those that a glob matches, or those that a list names.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use glob::{MatchOptions, Pattern};
use url::Url;

use super::at::{At, Kind};
use super::stores::{Store, about_of, folder_page, patiently, runtime, told};
use super::{About, RemoteError, index_page};
use crate::archive::unpacked::Unpacked;

/// An object that a pattern named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its whole name.
    pub name: String,
    /// Its state.
    pub about: About,
}

/// Questions that are under way side by side.
const ASKED_AT_ONCE: usize = 32;
/// Longest list of paths, packed and unpacked.
const LIST_BYTES_MAX: u64 = 256 << 20;
/// Longest page of a web server's folder.
const PAGE_BYTES_MAX: u64 = 32 << 20;
/// Endings of files that list paths, as Common Crawl publishes them: `warc.paths.gz`.
const LISTS: [&str; 2] = [".paths", ".paths.gz"];

/// The objects that `pattern` names; below a path that ends with `/`, at any depth, those with one of the `endings`. A file `*.paths` or
/// `*.paths.gz` lists one path a line, from the root of its own bucket or server on, or whole addresses.
///
/// # Errors
/// When nothing is named, or the store does not say.
pub fn find(pattern: &str, endings: &[&str]) -> Result<Vec<Found>, RemoteError> {
    let at = At::read(pattern)?;
    runtime().block_on(async {
        if LISTS.iter().any(|ending| at.path.ends_with(ending)) && !is_glob(&at.path) {
            return listed(&at).await;
        }
        let ends = |name: &str| endings.iter().any(|ending| name.ends_with(ending));
        if is_glob(&at.path) {
            let wanted = Pattern::new(&at.path)
                .map_err(|error| RemoteError::Address { name: pattern.to_owned(), why: format!("it is no valid glob: {}", error.msg) })?;
            let options = MatchOptions { require_literal_separator: true, ..MatchOptions::default() };
            return below(&at.with(before_glob(&at.path)), pattern, &|path| wanted.matches_with(path, options)).await;
        }
        if at.path.is_empty() || at.path.ends_with('/') {
            return below(&at, pattern, &ends).await;
        }
        Ok(vec![Found { name: at.name(), about: Store::of(&at)?.about(&at).await? }])
    })
}

fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// The folder in which all matches of a glob lie.
fn before_glob(path: &str) -> &str {
    let literal = path.find(['*', '?', '[']).map_or(path, |at| &path[..at]);
    literal.rfind('/').map_or("", |slash| &literal[..=slash])
}

/// All objects below `folder` whose path is `wanted`, sorted by name.
async fn below(folder: &At, pattern: &str, wanted: &(dyn Fn(&str) -> bool + Sync)) -> Result<Vec<Found>, RemoteError> {
    let mut found = match folder.kind {
        Kind::Web => below_page(folder, wanted).await?,
        _ => below_prefix(folder, wanted).await?,
    };
    if found.is_empty() {
        return Err(RemoteError::Nothing { pattern: pattern.to_owned(), what: "is a file that this source reads".to_owned() });
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

async fn below_prefix(folder: &At, wanted: &(dyn Fn(&str) -> bool + Sync)) -> Result<Vec<Found>, RemoteError> {
    let prefix = folder.with(folder.path.trim_end_matches('/')).object()?;
    let store = Store::of(folder)?;
    patiently(|| {
        let objects = store.objects.list(Some(&prefix)).map_err(|error| told(folder, &error));
        let objects = objects.try_filter(|meta| std::future::ready(meta.size > 0 && wanted(meta.location.as_ref())));
        objects
            .map_ok(|meta| Found { name: folder.with(meta.location.as_ref()).name(), about: about_of(&meta) })
            .try_collect::<Vec<Found>>()
    })
    .await
}

/// The files that a server's page of a folder lists; folders in it are not gone into.
async fn below_page(folder: &At, wanted: &(dyn Fn(&str) -> bool + Sync)) -> Result<Vec<Found>, RemoteError> {
    let wrong = |why: String| RemoteError::Address { name: folder.name(), why };
    let url = Url::parse(&folder.name()).map_err(|error| wrong(error.to_string()))?;
    let page = folder_page(folder, PAGE_BYTES_MAX).await?;
    let names = index_page::names(&String::from_utf8_lossy(&page), &url);
    let paths = names.into_iter().map(|name| format!("{}{name}", folder.path)).filter(|path| wanted(path));
    asked(paths.map(|path| Ok(folder.with(path))).collect()).await
}

/// The objects that the list at `at` names.
async fn listed(at: &At) -> Result<Vec<Found>, RemoteError> {
    let packed = Store::of(at)?.whole(at, LIST_BYTES_MAX).await?;
    let text = unpack(at, packed.to_vec())?;
    asked(lines(at, &text).collect()).await
}

fn unpack(at: &At, packed: Vec<u8>) -> Result<String, RemoteError> {
    let wrong = |why: String| RemoteError::Address { name: at.name(), why };
    let mut text = String::new();
    let mut unpacked = Unpacked::open(Box::new(std::io::Cursor::new(packed)), &at.path).map_err(|error| wrong(error.to_string()))?;
    std::io::Read::read_to_string(&mut std::io::Read::take(&mut unpacked, LIST_BYTES_MAX), &mut text)
        .map_err(|error| wrong(format!("it is no list of paths: {error}")))?;
    Ok(text)
}

/// The places that the lines of a list name.
fn lines<'a>(list: &'a At, text: &'a str) -> impl Iterator<Item = Result<At, RemoteError>> + 'a {
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim())).filter(|(_, line)| !line.is_empty());
    lines.map(move |(line, what)| {
        let wrong = || RemoteError::List { list: list.name(), line, what: what.chars().take(200).collect() };
        let name = if super::is_remote(what) { what.to_owned() } else { list.with(what.trim_start_matches('/')).name() };
        At::read(&name).and_then(|at| at.object().map(|_| at)).map_err(|_| wrong())
    })
}

async fn asked(places: Vec<Result<At, RemoteError>>) -> Result<Vec<Found>, RemoteError> {
    let names: Vec<String> = places.iter().flatten().map(At::name).collect();
    let abouts = about_all(places.into_iter()).await.into_iter().collect::<Result<Vec<About>, _>>()?;
    Ok(names.into_iter().zip(abouts).map(|(name, about)| Found { name, about }).collect())
}

/// What the stores say of these places, in their order.
pub(super) async fn about_all(places: impl Iterator<Item = Result<At, RemoteError>>) -> Vec<Result<About, RemoteError>> {
    let asked = places.map(|at| async move {
        let at = at?;
        Store::of(&at)?.about(&at).await
    });
    stream::iter(asked).buffered(ASKED_AT_ONCE).collect().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_is_looked_for_below_its_literal_folder() {
        for (path, folder) in [("a/b/*.gz", "a/b/"), ("a/b*/c.gz", "a/"), ("*.gz", ""), ("a/[bc]/d", "a/")] {
            assert_eq!(before_glob(path), folder);
        }
    }

    #[test]
    fn lines_of_a_list_are_paths_from_its_root_on_or_whole_addresses() {
        let list = At::read("https://data.example.eu/crawl/warc.paths.gz").expect("an address");
        let names: Vec<String> =
            lines(&list, "crawl/a.warc.gz\n\n  /b.warc.gz \r\ns3://other/c.warc.gz\n").map(|at| at.expect("a place").name()).collect();
        assert_eq!(names, ["https://data.example.eu/crawl/a.warc.gz", "https://data.example.eu/b.warc.gz", "s3://other/c.warc.gz"]);
        for (text, line) in [("a\n../b", 2), ("ftp://x/y", 1), ("a/./b", 1)] {
            let told = lines(&list, text).find_map(Result::err).expect("a mistake").to_string();
            assert!(told.contains(&format!("line {line} of the list")), "{told}");
        }
    }
}
