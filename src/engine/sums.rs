//! Checksums that publishers give beside their files: `SHA256SUMS`, `MD5SUMS`, `lvwiki-20260601-sha1sums.txt`, `a.zip.sha256`. What they say is
//! frozen in the plan, and a file that is not what they say is set aside before anything of it is read.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// Longest list that is read.
const LIST_BYTES_MAX: u64 = 64 << 20;
/// Folders above a file in which lists may name it.
const FOLDERS_UP: usize = 4;
/// What lists of checksums have in their names.
const LISTS: [&str; 4] = ["sha512sums", "sha256sums", "sha1sums", "md5sums"];
/// Endings of files that hold the checksum of one other file.
const ENDINGS: [&str; 4] = ["sha512", "sha256", "sha1", "md5"];

/// What publishers say of files, folder by folder.
#[derive(Default)]
pub struct Sums {
    folders: BTreeMap<PathBuf, BTreeMap<String, String>>,
}

impl Sums {
    /// What is said of the file at `path`: the longest checksum, hex. Lists that cannot be read say nothing.
    pub fn of(&mut self, path: &Path) -> Option<String> {
        let mut found: Vec<String> = Vec::new();
        for folder in path.ancestors().skip(1).take(FOLDERS_UP) {
            let name = path.strip_prefix(folder).ok()?.to_str()?;
            let known = self.folders.entry(folder.to_owned()).or_insert_with(|| listed(folder));
            found.extend(known.get(name).cloned());
        }
        for ending in ENDINGS {
            let mut beside = path.as_os_str().to_owned();
            beside.push(".");
            beside.push(ending);
            if let Some(text) = text_of(Path::new(&beside)) {
                found.extend(text.split_whitespace().find(|word| is_sum(word)).map(str::to_ascii_lowercase));
            }
        }
        found.into_iter().max_by_key(String::len)
    }
}

/// All that the lists in `folder` say, by name relative to it.
fn listed(folder: &Path) -> BTreeMap<String, String> {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let names = std::fs::read_dir(here).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_list = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        LISTS.iter().any(|list| name.contains(list)) && !name.ends_with(".asc") && !name.ends_with(".sig") && !name.ends_with(".gpg")
    };
    let mut lists: Vec<PathBuf> = names.filter(is_list).collect();
    lists.sort();
    for (sum, name) in lists.iter().filter_map(|list| text_of(list)).flat_map(|text| lines(&text)) {
        let better = known.get(&name).is_none_or(|before| before.len() < sum.len());
        if better {
            known.insert(name, sum);
        }
    }
    known
}

fn text_of(path: &Path) -> Option<String> {
    let file = std::fs::File::open(path).ok().filter(|file| file.metadata().is_ok_and(|about| about.is_file()))?;
    let mut bytes = Vec::new();
    file.take(LIST_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The lines of a list that state a sum: sum and name.
fn lines(text: &str) -> Vec<(String, String)> {
    let plain = |(sum, name): (&str, &str)| (sum.to_ascii_lowercase(), name.trim_start_matches("./").to_owned());
    text.lines().filter_map(of_line).map(plain).collect()
}

/// A line as coreutils write it (`<sum>  <name>`, `<sum> *<name>`) or as BSD does (`SHA256 (<name>) = <sum>`).
fn of_line(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if let Some((sum, name)) = line.split_once(char::is_whitespace).filter(|(sum, _)| is_sum(sum)) {
        return Some((sum, name.trim_start().trim_start_matches('*')));
    }
    let (named, sum) = line.rsplit_once(") = ").filter(|(_, sum)| is_sum(sum))?;
    Some((sum, named.split_once(" (")?.1))
}

/// Whether a word is the hex of a sum that is known by its length.
fn is_sum(word: &str) -> bool {
    matches!(word.len(), 32 | 40 | 64 | 128) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reads the file at `path` and answers its sum where that is not `stated`.
///
/// # Errors
/// When it cannot be read.
pub fn other_than(path: &Path, stated: &str) -> io::Result<Option<String>> {
    let found = match stated.len() {
        32 => sum::<Md5>(path)?,
        40 => sum::<Sha1>(path)?,
        128 => sum::<Sha512>(path)?,
        _ => sum::<Sha256>(path)?,
    };
    Ok((found != stated).then_some(found))
}

fn sum<D: Digest>(path: &Path) -> io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let (mut digest, mut buffer) = (D::new(), vec![0; 256 << 10]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(HEXLOWER.encode(&digest.finalize())),
            Ok(length) => digest.update(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_sum_that_is_stated_for_a_file_is_found_in_every_form() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("sub")).expect("room");
        for (name, text) in [("a.txt", "labas"), ("sub/b.txt", "rytas"), ("c.txt", "vakaras"), ("d.txt", "naktis")] {
            std::fs::write(at(name), text).expect("room");
        }
        let (md5, sha1, sha256) = (sum::<Md5>(&at("a.txt")), sum::<Sha1>(&at("sub/b.txt")), sum::<Sha256>(&at("c.txt")));
        let (md5, sha1, sha256) = (md5.expect("a file"), sha1.expect("a file"), sha256.expect("a file"));
        assert_eq!((md5.len(), sha1.len(), sha256.len()), (32, 40, 64));
        std::fs::write(at("MD5SUMS"), format!("{md5}  a.txt\n{md5} *./c.txt\nno sum at all\n")).expect("room");
        std::fs::write(at("x-20260601-sha1sums.txt"), format!("SHA1 (sub/b.txt) = {}\n", sha1.to_uppercase())).expect("room");
        std::fs::write(at("c.txt.sha256"), format!("{sha256} c.txt")).expect("room");
        let mut sums = Sums::default();
        assert_eq!(sums.of(&at("a.txt")), Some(md5.clone()));
        assert_eq!(sums.of(&at("sub/b.txt")), Some(sha1));
        assert_eq!(sums.of(&at("c.txt")), Some(sha256));
        assert_eq!(sums.of(&at("d.txt")), None);
        assert_eq!(other_than(&at("a.txt"), &md5).expect("a file"), None);
        assert!(other_than(&at("d.txt"), &md5).expect("a file").is_some());
    }
}
