//! What a web server lists as a folder: the links of its page that lead to files right below it, as Apache, nginx and dumps.wikimedia.org write
//! them. Links that lead up, elsewhere or sort the page are none.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

/// The files and folders that `page`, which lies at `folder`, lists: names below it, folders with a slash, each once and sorted.
pub(super) fn names(page: &str, folder: &Url) -> Vec<String> {
    static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"(?i)<a\s[^>]*?href\s*=\s*["']?([^"'\s>]+)"#).expect("a pattern"));
    let below = |link: &str| -> Option<String> {
        let url = folder.join(&link.replace("&amp;", "&")).ok()?;
        let is_here = url.origin() == folder.origin() && url.query().is_none();
        let name = url.path().strip_prefix(folder.path()).filter(|_| is_here)?;
        (!name.is_empty() && !name.trim_end_matches('/').contains('/')).then(|| name.to_owned())
    };
    let mut names: Vec<String> = LINK.captures_iter(page).filter_map(|link| below(&link[1])).collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_right_below_the_folder_are_its_files() {
        let page = r#"<a href="?C=N;O=D">Name</a> <a href="/">root</a> <A class=x HREF='../'>up</A> <a href=lvwiki-1.xml.bz2>a</a>
            <a href="https://dumps.example.eu/lv/b%20c.xml.gz">b</a> <a href="sub/">sub</a> <a href="sub/deep.xml">deep</a>
            <a href="https://elsewhere.example/lv/x.xml">x</a> <a href="lvwiki-1.xml.bz2">again</a>"#;
        let folder = Url::parse("https://dumps.example.eu/lv/").expect("an address");
        assert_eq!(names(page, &folder), ["b%20c.xml.gz", "lvwiki-1.xml.bz2", "sub/"]);
    }
}
