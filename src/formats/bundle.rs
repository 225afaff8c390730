//! Documents that are zip packages: EPUB, OpenDocument text and DOCX. Only the members that hold text and metadata are unpacked, by name
//! and within [`Limits`]; a name that points out of the package finds nothing, because nothing is written and members are only looked up.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::marked::{self, Field, state};
use super::xml::{Rigour, Tag, Visit, walk};
use super::{Fault, Paper, styles};

/// How much a package may unpack to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// All members that are read, together.
    pub unpacked_bytes_max: u64,
    /// Members that the package may list.
    pub members_max: usize,
}

/// A package and what may still be unpacked of it.
struct Package<'b> {
    zip: ZipArchive<Cursor<&'b [u8]>>,
    bytes_left: u64,
}

impl<'b> Package<'b> {
    fn open(bytes: &'b [u8], limits: &Limits) -> Result<Package<'b>, Fault> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Fault::MalformedPackage)?;
        if zip.len() > limits.members_max {
            return Err(Fault::TooLarge);
        }
        Ok(Package { zip, bytes_left: limits.unpacked_bytes_max })
    }

    /// The member called `name` as text; `None` where there is none.
    fn member(&mut self, name: &str) -> Result<Option<String>, Fault> {
        let member = match self.zip.by_name(name) {
            Ok(member) => member,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(ZipError::UnsupportedArchive(why)) if why == ZipError::PASSWORD_REQUIRED => return Err(Fault::Encrypted),
            Err(_) => return Err(Fault::MalformedPackage),
        };
        let mut bytes = Vec::new();
        member.take(self.bytes_left + 1).read_to_end(&mut bytes).map_err(|_| Fault::MalformedPackage)?;
        self.bytes_left = self.bytes_left.checked_sub(bytes.len() as u64).ok_or(Fault::TooLarge)?;
        Ok(Some(super::decoded(bytes, true)))
    }

    fn needed(&mut self, name: &str) -> Result<String, Fault> {
        self.member(name)?.ok_or(Fault::MalformedPackage)
    }
}

/// Reads an e-book: the chapters in the order of its spine.
pub(super) fn epub(bytes: &[u8], limits: &Limits) -> Result<Paper, Fault> {
    let mut package = Package::open(bytes, limits)?;
    let mut container = Links::default();
    walk(&package.needed("META-INF/container.xml")?, Rigour::Xml, &mut container)?;
    let root = container.rootfile.ok_or(Fault::MalformedPackage)?;
    if package.member("META-INF/encryption.xml")?.is_some_and(|encryption| encryption.contains("EncryptedData") && !only_fonts(&encryption))
    {
        return Err(Fault::Encrypted);
    }
    let opf = package.needed(&root)?;
    let mut links = Links::default();
    walk(&opf, Rigour::Xml, &mut links)?;
    let mut paper = marked::read(&opf, &styles::METADATA)?;
    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut chapters = Vec::new();
    for item in &links.spine {
        let Some((_, href)) = links.manifest.iter().find(|(id, _)| id == item) else { continue };
        let Some(name) = within(folder, href) else { continue };
        let Some(chapter) = package.member(&name)? else { continue };
        let chapter = marked::read(&chapter, &styles::XHTML)?;
        paper.policies.extend(chapter.policies);
        paper.lang = paper.lang.or(chapter.lang);
        chapters.push(chapter.text);
    }
    chapters.retain(|chapter| !chapter.is_empty());
    Ok(Paper { text: chapters.join("\n"), ..paper })
}

/// Whether only fonts are scrambled, which many publishers do to books that are open otherwise.
fn only_fonts(encryption: &str) -> bool {
    encryption.split("CipherReference").skip(1).all(|reference| {
        let name = reference.split('"').nth(1).unwrap_or("").to_ascii_lowercase();
        [".ttf", ".otf", ".woff", ".woff2", ""]
            .iter()
            .any(|ending| if ending.is_empty() { name.is_empty() } else { name.ends_with(ending) })
    })
}

/// The name of a member that `href` means from `folder`; `None` for what lies outside.
fn within(folder: &str, href: &str) -> Option<String> {
    let href = href.split('#').next().unwrap_or("");
    let href = unquoted(href);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in href.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// `%20` and its like undone.
fn unquoted(href: &str) -> String {
    let mut bytes = Vec::with_capacity(href.len());
    let mut rest = href.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).filter(|_| *first == b'%').and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a container and a package document point to.
#[derive(Default)]
struct Links {
    rootfile: Option<String>,
    /// Id and address of each member.
    manifest: Vec<(String, String)>,
    spine: Vec<String>,
}

impl Visit for Links {
    fn open(&mut self, name: &str, tag: &Tag<'_>) {
        let value = |name| tag.attribute(name).map(std::borrow::Cow::into_owned);
        match name {
            "rootfile" => self.rootfile = self.rootfile.take().or_else(|| value("full-path")),
            "item" => self.manifest.extend(value("id").zip(value("href"))),
            // Members apart from the reading order are notes and answers.
            "itemref" if !tag.has("linear", "no") => self.spine.extend(value("idref")),
            _ => {}
        }
    }

    fn close(&mut self) {}

    fn text(&mut self, _: &str) {}
}

/// Reads an OpenDocument text.
pub(super) fn open_document(bytes: &[u8], limits: &Limits) -> Result<Paper, Fault> {
    let mut package = Package::open(bytes, limits)?;
    if package.member("META-INF/manifest.xml")?.is_some_and(|manifest| manifest.contains("encryption-data")) {
        return Err(Fault::Encrypted);
    }
    let content = package.needed("content.xml")?;
    let meta = package.member("meta.xml")?;
    described(marked::read(&content, &styles::OPEN_DOCUMENT)?, meta)
}

/// Reads a DOCX file.
pub(super) fn docx(bytes: &[u8], limits: &Limits) -> Result<Paper, Fault> {
    let mut package = Package::open(bytes, limits)?;
    let document = package.needed("word/document.xml")?;
    let meta = package.member("docProps/core.xml")?;
    described(marked::read(&document, &styles::WORD)?, meta)
}

/// `paper` with what its metadata say.
fn described(mut paper: Paper, meta: Option<String>) -> Result<Paper, Fault> {
    let Some(meta) = meta else { return Ok(paper) };
    let stated = marked::read(&meta, &styles::METADATA)?;
    for (field, value) in [
        (Field::Title, stated.title),
        (Field::Author, stated.author),
        (Field::Lang, stated.lang),
        (Field::Published, stated.published),
        (Field::Licence, stated.licence),
    ] {
        state(&mut paper, field, value.as_deref().unwrap_or(""));
    }
    paper.policies.extend(stated.policies);
    Ok(paper)
}
