//! The bytes of one object from its beginning, in ranges that are asked for ahead of the reader.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};
use tokio::task::JoinHandle;

use super::at::At;
use super::stores::{Store, runtime};
use super::{About, RemoteError};

/// Bytes of one range.
const RANGE_BYTES: u64 = 4 << 20;
/// Ranges that are under way or wait, beside the one that is read.
const AHEAD: usize = 2;

/// What ended a reading before its time. Formats take an error of a reader for damage of the file; who opened it looks here, and a file that
/// could not be fetched is not counted as damaged.
#[derive(Clone, Debug, Default)]
pub struct Fault(Arc<Mutex<Option<RemoteError>>>);

impl Fault {
    /// The error, once.
    #[must_use]
    pub fn take(&self) -> Option<RemoteError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, error: RemoteError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Reads one object in the state that was planned.
pub struct Reader {
    store: Store,
    at: At,
    about: About,
    /// Where the next range begins.
    next: u64,
    waiting: VecDeque<JoinHandle<Result<Bytes, RemoteError>>>,
    now: Bytes,
    fault: Fault,
}

impl Reader {
    /// Begins to read the object `name`, which must be as `about` says.
    ///
    /// # Errors
    /// When the address or the settings of its store make no sense.
    pub fn open(name: &str, about: About) -> Result<Reader, RemoteError> {
        let at = At::read(name)?;
        let store = Store::of(&at)?;
        Ok(Reader { store, at, about, next: 0, waiting: VecDeque::new(), now: Bytes::new(), fault: Fault::default() })
    }

    /// Where an error of it will be found.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault.clone()
    }

    fn range(&mut self) -> Option<Range<u64>> {
        let begin = self.next;
        self.next = self.about.bytes.min(begin + RANGE_BYTES);
        (begin < self.next).then_some(begin..self.next)
    }

    /// Asks for ranges until enough are under way.
    fn ask_ahead(&mut self) {
        while self.waiting.len() <= AHEAD
            && let Some(range) = self.range()
        {
            let (store, at, tag) = (self.store.clone(), self.at.clone(), self.about.tag.clone());
            self.waiting.push_back(runtime().spawn(async move { store.part(&at, range, Some(&tag)).await }));
        }
    }
}

impl Read for Reader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.now.is_empty() {
            self.ask_ahead();
            let Some(first) = self.waiting.pop_front() else { return Ok(0) };
            let lost = |error: tokio::task::JoinError| RemoteError::Failed { name: self.at.name(), why: error.to_string() };
            match runtime().block_on(first).unwrap_or_else(|error| Err(lost(error))) {
                Ok(bytes) => self.now = bytes,
                Err(error) => {
                    let words = error.to_string();
                    self.fault.set(error);
                    // What follows a hole must not be taken for what stands there.
                    self.next = self.about.bytes;
                    self.waiting.drain(..).for_each(|range| range.abort());
                    return Err(io::Error::other(words));
                }
            }
        }
        let count = out.len().min(self.now.len());
        self.now.copy_to_slice(&mut out[..count]);
        Ok(count)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.waiting.iter().for_each(JoinHandle::abort);
    }
}
