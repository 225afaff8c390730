//! The files that a recipe reads: patterns and folders become one sorted list, the same on every machine with the same files.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::{Fault, Mistake, Recipe, RecipeErrors};
use crate::remote::{self, RemoteError, is_remote};

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Its path as the recipe's pattern found it.
    pub path: PathBuf,
    /// Size as stored.
    pub bytes: u64,
    /// What its store tells this state of it by; none for a file on a disk.
    pub tag: Option<String>,
}

impl InputFile {
    /// A file on a disk.
    #[must_use]
    pub fn local(path: PathBuf, bytes: u64) -> InputFile {
        InputFile { path, bytes, tag: None }
    }
}

/// The files that `recipe` reads, sorted by the bytes of their paths, each once.
///
/// # Errors
/// Every pattern without files, with its place.
pub fn find(recipe: &Recipe) -> Result<Vec<InputFile>, RecipeErrors> {
    let (mut found, mut mistakes) = (Vec::new(), Vec::new());
    for pattern in &recipe.input {
        match matching(&pattern.text, recipe.source_room.endings) {
            Ok(files) => found.extend(files),
            Err(why) => mistakes.push(Mistake { place: Some(pattern.place.clone()), fault: Fault::NoInput(why) }),
        }
    }
    if mistakes.is_empty() { Ok(in_order(found)) } else { Err(RecipeErrors { mistakes }) }
}

/// What a pattern has where a night's date belongs.
pub const DATE: &str = "{date}";

/// The files that `recipe` reads on the night `date`: as [`find`], with the date in the place of [`DATE`]. A pattern with a date may have no files,
/// because not every night brings archives.
///
/// # Errors
/// As [`find`], for patterns without a date.
pub fn find_of_night(recipe: &mut Recipe, date: &str) -> Result<Vec<InputFile>, RecipeErrors> {
    let endings = recipe.source_room.endings;
    recipe.input.retain_mut(|pattern| {
        let is_dated = pattern.text.contains(DATE);
        pattern.text = pattern.text.replace(DATE, date);
        !is_dated || !is_absent(&pattern.text, endings)
    });
    find(recipe)
}

/// Whether `pattern` names nothing; where a store cannot be asked, nobody knows.
fn is_absent(pattern: &str, endings: &[&str]) -> bool {
    match is_remote(pattern) {
        true => matches!(remote::find(pattern, endings), Err(RemoteError::NotThere { .. } | RemoteError::Nothing { .. })),
        false => matching(pattern, endings).is_err(),
    }
}

/// The files that `pattern` (a file, a folder, a glob or an address on another machine) names, each with its size. In folders, at any depth, files with one of the
/// `endings` are taken; files that are named or matched are taken whatever their ending.
///
/// # Errors
/// A sentence that names the pattern and says what to change.
fn matching(pattern: &str, endings: &[&str]) -> Result<Vec<InputFile>, String> {
    if is_remote(pattern) {
        let found = remote::find(pattern, endings).map_err(|error| error.to_string())?;
        let file = |found: remote::Found| InputFile { path: found.name.into(), bytes: found.about.bytes, tag: Some(found.about.tag) };
        return Ok(found.into_iter().map(file).collect());
    }
    let path = Path::new(pattern);
    let mut found = Vec::new();
    if path.exists() {
        take(path, endings, &mut found).map_err(|error| format!("cannot look into `{pattern}`: {error}"))?;
        if found.is_empty() {
            return Err(format!(
                "the folder `{pattern}` holds no file that ends in {}; name the files with a glob if they end otherwise",
                endings.join(" or ")
            ));
        }
        return Ok(found);
    }
    if !pattern.contains(['*', '?', '[']) {
        return Err(format!("there is no file or folder `{pattern}`{}", nearest_folder(path)));
    }
    let paths =
        glob::glob(pattern).map_err(|error| format!("`{pattern}` is no valid glob: {} at character {}", error.msg, error.pos + 1))?;
    for path in paths {
        let path = path.map_err(|error| format!("cannot look into `{}`: {}", error.path().display(), error.error()))?;
        take(&path, endings, &mut found).map_err(|error| format!("cannot look into `{}`: {error}", path.display()))?;
    }
    if found.is_empty() { Err(format!("no file matches `{pattern}`")) } else { Ok(found) }
}

/// All finds in the order of their paths' bytes; a file that several patterns or links name is read once, under its first path.
fn in_order(found: Vec<InputFile>) -> Vec<InputFile> {
    let sorted: BTreeMap<Vec<u8>, InputFile> =
        found.into_iter().map(|file| (file.path.as_os_str().as_encoded_bytes().to_vec(), file)).collect();
    let mut seen = BTreeSet::new();
    sorted.into_values().filter(|file| seen.insert(file.path.canonicalize().unwrap_or_else(|_| file.path.clone()))).collect()
}

fn take(path: &Path, endings: &[&str], found: &mut Vec<InputFile>) -> io::Result<()> {
    let about = std::fs::metadata(path)?;
    if !about.is_dir() {
        if path.to_str().is_none() {
            return Err(io::Error::other("its name is not valid UTF-8; rename it"));
        }
        found.push(InputFile::local(path.to_owned(), about.len()));
        return Ok(());
    }
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            // A link to a folder is not followed: it could lead back here.
            if path.symlink_metadata()?.is_dir() {
                folders.push(path);
            } else if path.to_str().is_some_and(|name| endings.iter().any(|ending| name.ends_with(ending))) {
                let about = std::fs::metadata(&path)?;
                if about.is_file() {
                    found.push(InputFile::local(path, about.len()));
                }
            }
        }
    }
    Ok(())
}

/// Where a wrong path goes wrong: the deepest folder that exists.
fn nearest_folder(path: &Path) -> String {
    match path.ancestors().skip(1).find(|folder| folder.is_dir()) {
        Some(folder) => format!("; `{}` exists, look there", folder.display()),
        None => "; paths begin where the program was started".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(patterns: &[&str]) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        for pattern in patterns {
            found.extend(matching(pattern, &[".warc.gz", ".warc"])?);
        }
        Ok(in_order(found)
            .into_iter()
            .map(|file| format!("{}:{}", file.path.file_name().expect("a name").to_string_lossy(), file.bytes))
            .collect())
    }

    #[test]
    fn folders_globs_and_files_become_one_sorted_list_without_repeats() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        std::fs::create_dir(root.join("b")).expect("a folder");
        for (name, text) in [("z.warc.gz", "1"), ("b/ö.warc", "22"), ("a.warc", "333"), ("notes.txt", "4444"), ("[odd].warc", "55555")] {
            std::fs::write(root.join(name), text).expect("a file");
        }
        std::os::unix::fs::symlink(root.join("a.warc"), root.join("again.warc")).expect("a link");
        let at = |name: &str| root.join(name).to_string_lossy().into_owned();
        let all = ["[odd].warc:5", "a.warc:3", "ö.warc:2", "z.warc.gz:1"].map(str::to_owned).to_vec();
        assert_eq!(names(&[&at("")]), Ok(all));
        assert_eq!(
            names(&[&at("*.txt"), &at("b"), &at("b/*"), &at("./a.warc")]),
            Ok(["a.warc:3", "ö.warc:2", "notes.txt:4"].map(str::to_owned).to_vec())
        );
        assert_eq!(names(&[&at("[odd].warc")]), Ok(vec!["[odd].warc:5".to_owned()]));
    }

    #[test]
    fn a_pattern_without_files_says_what_is_wrong() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let wrong = |pattern: &str| names(&[pattern]).expect_err("it is wrong");
        assert!(wrong(&at("x.warc")).contains("exists, look there"));
        assert!(wrong(&at("*.warc")).starts_with("no file matches"));
        assert!(wrong(&at("")).contains("holds no file that ends in .warc.gz or .warc"));
        assert!(wrong(&at("a**b/[")).contains("no valid glob"));
        assert!(wrong("ftp://host/a.warc.gz").contains("this version reads s3://"));
    }
}
