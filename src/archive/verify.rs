//! Checks a record's stated digests while its block streams by: the block's own, and the payload's, which is the HTTP body as
//! stored, before any decoding (WARC 1.1, 5.8 and 5.9).

use super::digest::{DigestCheck, DigestState};
use super::head::{HEAD_BYTES_MAX, Head, Kind};
use super::http::message_head_length;

/// A check of one record.
pub struct RecordCheck {
    block: DigestCheck,
    payload: DigestCheck,
    /// The beginning of an HTTP message whose head has not ended yet.
    message: Option<Vec<u8>>,
}

/// What came out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The digest over the whole block.
    pub block: DigestState,
    /// The digest over the payload.
    pub payload: DigestState,
}

impl RecordCheck {
    /// A check of the record with this head.
    #[must_use]
    pub fn new(head: &Head<'_>) -> RecordCheck {
        // A revisit states the digest of a payload that lies elsewhere, a segment that of the joined record.
        let elsewhere = head.kind() == Kind::Revisit || head.kind() == Kind::Continuation || head.field("warc-segment-number").is_some();
        let stated = |name: &str| head.field(name);
        let is_message = head.may_hold_http() && matches!(head.kind(), Kind::Response | Kind::Request);
        RecordCheck {
            block: DigestCheck::new(stated("warc-block-digest").as_deref()),
            payload: DigestCheck::new(stated("warc-payload-digest").filter(|_| !elsewhere).as_deref()),
            message: is_message.then(Vec::new),
        }
    }

    /// Takes the next bytes of the block.
    pub fn update(&mut self, bytes: &[u8]) {
        self.block.update(bytes);
        let Some(message) = &mut self.message else {
            return self.payload.update(bytes);
        };
        message.extend_from_slice(bytes);
        let begin = match message_head_length(message) {
            Some(length) => length,
            None if message.len() > HEAD_BYTES_MAX => 0,
            None => return,
        };
        self.payload.update(&message[begin..]);
        self.message = None;
    }

    /// Compares; a record that is not `whole` cannot be right.
    #[must_use]
    pub fn finish(self, whole: bool) -> Checked {
        let seen = |state: DigestState| if whole || state == DigestState::None { state } else { DigestState::Bad };
        Checked { block: seen(self.block.finish()), payload: seen(self.payload.finish()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, fields: &str, block: &[u8], whole: bool) -> (DigestState, DigestState) {
        let head = format!("WARC/1.0\r\nWARC-Type: {kind}\r\n{fields}\r\n\r\n");
        let mut check = RecordCheck::new(&Head::parse(head.as_bytes()).unwrap());
        block.chunks(3).for_each(|piece| check.update(piece));
        let checked = check.finish(whole);
        (checked.block, checked.payload)
    }

    #[test]
    fn the_payload_is_the_body_as_stored() {
        use DigestState::{Bad, None, Ok};
        let payload = "WARC-Payload-Digest: sha1:aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d";
        let http = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nhello";
        assert_eq!(check("response", payload, http, true), (None, Ok));
        assert_eq!(check("response", payload, http, false), (None, Bad));
        assert_eq!(check("response", payload, b"HTTP/1.1 200 OK\r\n\r\nhallo", true), (None, Bad));
        assert_eq!(check("resource", payload, b"hello", true), (None, Ok));
        assert_eq!(check("revisit", payload, b"", true), (None, None));
        assert_eq!(check("continuation", payload, b"llo", true), (None, None));
        let block = "WARC-Block-Digest: sha1:aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d";
        assert_eq!(check("metadata", block, b"hello", true), (Ok, None));
    }
}
