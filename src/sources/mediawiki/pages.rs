//! Cuts a dump into pages, in bounded memory: from `<page>` to `</page>`, each with the dump's head in one line before it.
//!
//! `<page>` cannot stand inside of a page, as its text is escaped. So after damage the next page is found again.

use std::sync::Arc;

use memchr::memmem;

use super::page::Site;
use super::{NAME, PAGE_TOO_LONG};
use crate::archive::{Step, Unpacked};
use crate::doc::{DocId, Document};
use crate::source::{Damage, Offer, RawRecord, Record, Records};

const OPEN: &[u8] = b"<page>";
const CLOSE: &[u8] = b"</page>";
/// In the names that Wikimedia gives to indexes of multistream dumps.
const INDEX_NAME: &str = "-multistream-index";
/// The head of a dump names its namespaces, some thirty of them.
const HEAD_BYTES_MAX: usize = 1 << 20;

/// The pages of one dump.
pub(super) struct Pages {
    unpacked: Unpacked,
    file: Arc<str>,
    page_bytes_max: usize,
    /// Unpacked bytes not yet cut.
    held: Vec<u8>,
    /// How much of `held` was cut already; it is moved only when more bytes come, not for every page.
    start: usize,
    /// Where the rest of `held` begins in the unpacked dump.
    base: u64,
    /// How far the rest of `held` was searched already.
    searched: usize,
    /// The line in front of each page, once the head of the dump was read.
    head: Option<Vec<u8>>,
    within: bool,
    /// Whether the page is longer than the limit and only its end is searched.
    skipping: Option<u64>,
    ended: bool,
    pages: u64,
}

impl Pages {
    pub(super) fn new(unpacked: Unpacked, file: Arc<str>, page_bytes_max: usize) -> Pages {
        Pages {
            unpacked,
            file,
            page_bytes_max,
            held: Vec::new(),
            start: 0,
            base: 0,
            searched: 0,
            head: None,
            within: false,
            skipping: None,
            ended: false,
            pages: 0,
        }
    }

    fn rest(&self) -> &[u8] {
        &self.held[self.start..]
    }

    fn drop_front(&mut self, count: usize) {
        self.start += count;
        self.base += count as u64;
        self.searched = 0;
    }

    /// Searches on for `what` in what is held; where it begins.
    fn search(&mut self, what: &[u8]) -> Option<usize> {
        let found = memmem::find(&self.rest()[self.searched..], what).map(|place| self.searched + place);
        if found.is_none() {
            self.searched = self.rest().len().saturating_sub(what.len() - 1).max(self.searched);
        }
        found
    }

    /// Goes to the beginning of the next page, if it is at hand.
    fn enter_page(&mut self) -> bool {
        let found = self.search(OPEN);
        if let Some(begin) = found {
            self.keep_head(begin);
            self.drop_front(begin);
            self.within = true;
            return true;
        }
        if self.head.is_some() || self.rest().len() > HEAD_BYTES_MAX {
            self.keep_head(self.rest().len().min(HEAD_BYTES_MAX));
            self.drop_front(self.rest().len().saturating_sub(OPEN.len() - 1));
        }
        false
    }

    fn keep_head(&mut self, length: usize) {
        if self.head.is_none() {
            self.head = Some(Site::parse(&String::from_utf8_lossy(&self.rest()[..length])).to_line().into_bytes());
        }
    }

    /// The page that is at hand, if all of it is.
    fn take_page(&mut self) -> Option<Record> {
        let Some(end) = self.search(CLOSE).map(|place| place + CLOSE.len()) else {
            if self.rest().len() > self.page_bytes_max {
                self.skipping.get_or_insert(self.base);
                let tail = self.rest().len() - (CLOSE.len() - 1);
                self.drop_front(tail);
            }
            return None;
        };
        let begun = self.skipping.take().or((end > self.page_bytes_max).then_some(self.base));
        let record = match begun {
            Some(offset) => self.too_long(offset, end),
            None => {
                let head = self.head.as_deref().unwrap_or(b"\t\n");
                let bytes = [head, &self.rest()[..end]].concat();
                Record::Raw(RawRecord { file: Arc::clone(&self.file), offset: self.base, bytes, truncated: false })
            }
        };
        self.drop_front(end);
        self.within = false;
        self.pages += 1;
        Some(record)
    }

    fn too_long(&self, offset: u64, end: usize) -> Record {
        let id = DocId::of("", &self.rest()[..end]);
        let doc = Document { id, source: NAME, source_file: Arc::clone(&self.file), source_offset: offset, ..Document::default() };
        Record::Offer(Offer::Dropped(Box::new(doc), PAGE_TOO_LONG))
    }

    /// Forgets the page that is open: bytes of it are missing.
    fn lose(&mut self) {
        self.drop_front(self.rest().len());
        (self.within, self.skipping) = (false, None);
        self.base = self.unpacked.position();
    }

    /// Whether it is the index of a dump as far as it was read. Whether that is whole makes no difference: it is not needed.
    fn is_index(&self) -> bool {
        self.pages == 0 && !self.within && self.file.contains(INDEX_NAME)
    }

    /// What is wrong with a dump that ended: a page that did not end, or no page at all.
    fn at_end(&mut self) -> Option<Record> {
        if std::mem::replace(&mut self.ended, true) {
            return None;
        }
        let what = if self.within {
            "the dump ends inside of a page"
        } else if self.is_index() {
            "it is the index of a multistream dump, which is not needed; name the dump alone"
        } else if self.pages == 0 {
            "it holds no <page>, so it is no dump of a MediaWiki"
        } else {
            return None;
        };
        Some(Record::Damage(Damage { offset: self.base, what: what.to_owned(), fatal: true }))
    }
}

impl Records for Pages {
    fn next(&mut self) -> Option<Record> {
        loop {
            if self.within {
                if let Some(record) = self.take_page() {
                    return Some(record);
                }
            } else if self.enter_page() {
                continue;
            }
            match self.unpacked.step() {
                Step::Bytes => {
                    self.held.drain(..std::mem::take(&mut self.start));
                    self.held.extend_from_slice(self.unpacked.held());
                    self.unpacked.consume(usize::MAX);
                }
                Step::MemberEnd => {}
                Step::Broken(damage) => {
                    self.lose();
                    if self.is_index() {
                        continue;
                    }
                    // The damage itself was told, so a dump without pages is no second one.
                    self.pages += 1;
                    if let Some(damage) = damage {
                        return Some(Record::Damage(damage));
                    }
                }
                Step::End => return self.at_end(),
            }
        }
    }

    fn bytes_taken(&self) -> u64 {
        self.unpacked.taken()
    }
}
