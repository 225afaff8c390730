//! What the frontier has of an address, and how it forgets it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use redb::{Database, ReadOnlyDatabase, ReadableDatabase, ReadableTable};

use super::{ARCHIVES, FILE, FILES, FrontierError, HOSTS, NOTES, PAGES, Page, QUEUE, SEEN, Waiting, of_json, site_of};

/// Whether there is a frontier in `folder`, and its file.
#[must_use]
pub fn file_in(folder: &Path) -> Option<PathBuf> {
    Some(folder.join(FILE)).filter(|path| path.is_file())
}

/// How many addresses `is_meant` takes among those of the frontier in `folder` that wait and those that were fetched. Changes nothing, unless
/// a killed crawl left the file to be mended.
///
/// # Errors
/// When it cannot be read.
pub fn count(folder: &Path, is_meant: &dyn Fn(&str) -> bool) -> Result<u64, FrontierError> {
    let path = folder.join(FILE);
    let refused = |error: redb::Error| FrontierError { path: path.clone(), why: error.to_string() };
    let read = |db: &dyn ReadableDatabase| -> Result<u64, redb::Error> {
        let (mut count, read) = (0, db.begin_read()?);
        for row in read.open_table(QUEUE)?.iter()? {
            count += u64::from(of_json::<Waiting>(row?.1.value()).is_some_and(|waiting| is_meant(&waiting.url)));
        }
        for row in read.open_table(PAGES)?.iter()? {
            count += u64::from(of_json::<Page>(row?.1.value()).is_some_and(|page| is_meant(&page.url)));
        }
        Ok(count)
    };
    match ReadOnlyDatabase::open(&path) {
        Ok(db) => read(&db).map_err(refused),
        Err(_) => {
            let db = Database::create(&path).map_err(|error| refused(error.into()))?;
            read(&db).map_err(refused)
        }
    }
}

/// Writes the frontier in `folder` anew without the addresses that are meant, and without hosts of which nothing else is known; free pages
/// of the old file may hold anything, so it is not changed but replaced. Answers how many addresses went. That they were seen stays, as
/// numbers that are no names.
///
/// # Errors
/// When it cannot be read or written.
pub fn forget(folder: &Path, is_meant: &dyn Fn(&str) -> bool) -> Result<u64, FrontierError> {
    let (path, new) = (folder.join(FILE), folder.join("frontier.new"));
    let refused = |why: String| FrontierError { path: path.clone(), why };
    let copy = || -> Result<u64, redb::Error> {
        let (from, to) = (Database::create(&path)?, Database::create(&new)?);
        let change = to.begin_write()?;
        let erased = copy_without(&from.begin_read()?, &change, is_meant)?;
        change.commit()?;
        Ok(erased)
    };
    crate::store::remove_file(&new).map_err(|error| refused(error.to_string()))?;
    let erased = copy().map_err(|error| refused(error.to_string()))?;
    crate::store::replace(&new, &path).map_err(|error| refused(error.to_string()))?;
    Ok(erased)
}

fn copy_without(from: &redb::ReadTransaction, to: &redb::WriteTransaction, is_meant: &dyn Fn(&str) -> bool) -> Result<u64, redb::Error> {
    let (mut erased, mut left) = (0, BTreeSet::new());
    let mut queue = to.open_table(QUEUE)?;
    for row in from.open_table(QUEUE)?.iter()? {
        let (key, value) = row?;
        if of_json::<Waiting>(value.value()).is_some_and(|waiting| is_meant(&waiting.url)) {
            erased += 1;
        } else {
            left.insert(key.value().0.to_owned());
            queue.insert(key.value(), value.value())?;
        }
    }
    let mut pages = to.open_table(PAGES)?;
    for row in from.open_table(PAGES)?.iter()? {
        let (key, value) = row?;
        let page = of_json::<Page>(value.value());
        if page.as_ref().is_some_and(|page| is_meant(&page.url)) {
            erased += 1;
        } else {
            left.extend(page.and_then(|page| site_of(&page.url)));
            pages.insert(key.value(), value.value())?;
        }
    }
    for table in [HOSTS, FILES] {
        let mut of_sites = to.open_table(table)?;
        for row in from.open_table(table)?.iter()? {
            let (key, value) = row?;
            if left.contains(key.value()) && !is_meant(&format!("{}/", key.value())) {
                of_sites.insert(key.value(), value.value())?;
            }
        }
    }
    let (mut seen, mut archives, mut notes) = (to.open_table(SEEN)?, to.open_table(ARCHIVES)?, to.open_table(NOTES)?);
    for row in from.open_table(SEEN)?.iter()? {
        seen.insert(row?.0.value(), ())?;
    }
    for row in from.open_table(ARCHIVES)?.iter()? {
        let (key, value) = row?;
        archives.insert(key.value(), value.value())?;
    }
    for row in from.open_table(NOTES)?.iter()? {
        let (key, value) = row?;
        notes.insert(key.value(), value.value())?;
    }
    Ok(erased)
}

#[cfg(test)]
mod tests {
    use super::super::{Changes, Frontier, Host};
    use super::*;

    fn waiting(url: &str) -> Waiting {
        Waiting { url: url.to_owned(), depth: 0, hops: 0, sitemap: false }
    }

    #[test]
    fn what_is_forgotten_is_in_no_byte_of_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut frontier = Frontier::open(folder.path()).expect("a free place");
        let site = "https://leyndarmal-x.example.is".to_owned();
        let urls: Vec<String> = (0..500).map(|number| format!("https://lundi.example.is/{number}")).collect();
        let mut new: Vec<(String, Waiting)> = urls.iter().map(|url| ("https://lundi.example.is".to_owned(), waiting(url))).collect();
        new.push((site.clone(), waiting("https://leyndarmal-x.example.is/")));
        let hosts = vec![(site, Host::default()), ("https://lundi.example.is".to_owned(), Host::default())];
        frontier.change(&Changes { new, hosts, ..Changes::default() }).expect("room");
        let page = Page { url: "https://leyndarmal-x.example.is/b".to_owned(), ..Page::default() };
        frontier.change(&Changes { pages: vec![page], ..Changes::default() }).expect("room");
        let is_meant = |url: &str| url.contains("leyndarmal-x");
        drop(frontier);
        assert_eq!(count(folder.path(), &is_meant).expect("readable"), 2);
        assert_eq!(forget(folder.path(), &is_meant).expect("room"), 2);
        let bytes = std::fs::read(folder.path().join(FILE)).expect("a file");
        assert!(memchr::memmem::find(&bytes, b"leyndarmal-x").is_none());
        assert_eq!(count(folder.path(), &is_meant).expect("readable"), 0);
        let frontier = Frontier::open(folder.path()).expect("it is there");
        assert_eq!(frontier.waiting_hosts().expect("readable"), [("https://lundi.example.is".to_owned(), 500)]);
        assert!(frontier.host("https://lundi.example.is").expect("readable").is_some());
        assert!(frontier.has_seen("https://leyndarmal-x.example.is/"), "it is not asked for again");
    }
}
