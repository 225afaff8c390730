//! The chunks of a body (RFC 9112, 7.1) as they come from a server.
//!
//! An archive's reader has to guess whether a body still has its chunks ([`crate::archive::chunked`]); whoever heard the server knows it,
//! so nothing is guessed here, and a body that begins with no size is no body.

/// The longest line in front of a chunk: a size, and extensions that nobody uses.
const LINE_BYTES_MAX: usize = 1_024;

/// How far the chunks of a body have been walked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunks {
    /// Where the next size line begins.
    pub(super) at: usize,
}

/// Where the walk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChunkEnd {
    /// The body goes on behind what is there.
    NotYet,
    /// It ends here, with its trailers.
    At(usize),
    /// These are no chunks.
    Malformed,
}

/// A size line.
enum Size {
    /// The size, and the length of the line.
    Is(usize, usize),
    NotYet,
    Malformed,
}

fn size(bytes: &[u8]) -> Size {
    let Some(end) = memchr::memchr(b'\n', &bytes[..bytes.len().min(LINE_BYTES_MAX)]) else {
        return if bytes.len() < LINE_BYTES_MAX { Size::NotYet } else { Size::Malformed };
    };
    let digits = bytes[..end].split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    // A sign is no digit, though `from_str_radix` takes it.
    let size = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'));
    size.and_then(|digits| usize::from_str_radix(digits, 16).ok()).map_or(Size::Malformed, |size| Size::Is(size, end + 1))
}

impl Chunks {
    /// Walks on as far as `bytes` go.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> ChunkEnd {
        loop {
            let (size, line) = match size(bytes.get(self.at..).unwrap_or_default()) {
                Size::Is(size, line) => (size, line),
                Size::NotYet => return ChunkEnd::NotYet,
                Size::Malformed => return ChunkEnd::Malformed,
            };
            let behind = self.at + line;
            if size == 0 {
                // Trailers end with an empty line.
                let trailers = crate::archive::http::message_head_length(&bytes[behind..]);
                return trailers.map_or(ChunkEnd::NotYet, |length| ChunkEnd::At(behind + length));
            }
            let Some(after) = behind.checked_add(size) else { return ChunkEnd::Malformed };
            match bytes.get(after..) {
                Some([b'\r', b'\n', ..]) => self.at = after + 2,
                Some([b'\n', ..]) => self.at = after + 1,
                Some([b'\r'] | []) | None => return ChunkEnd::NotYet,
                Some(_) => return ChunkEnd::Malformed,
            }
        }
    }
}

/// What the chunks in `body` hold, joined, as far as they are chunks; of one that breaks off, what came.
#[must_use]
pub fn join(body: &[u8]) -> Vec<u8> {
    let (mut joined, mut rest) = (Vec::with_capacity(body.len()), body);
    while let Size::Is(size, line) = size(rest) {
        let content = &rest[line..];
        joined.extend_from_slice(&content[..size.min(content.len())]);
        rest = match content.get(size..) {
            Some([b'\r', b'\n', next @ ..] | [b'\n', next @ ..]) if size > 0 => next,
            _ => break,
        };
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(body: &str, joined: &str, end: ChunkEnd) {
        assert_eq!(String::from_utf8_lossy(&join(body.as_bytes())), joined, "{body:?}");
        assert_eq!(Chunks { at: 0 }.advance(body.as_bytes()), end, "{body:?}");
    }

    #[test]
    fn chunks_are_joined_and_their_end_is_found() {
        check("4\r\nLaba\r\n5;x=y\r\n dien\r\n1 \r\na\r\n0\r\n\r\nmore", "Laba diena", ChunkEnd::At(35));
        check("00A\nLaba diena\n0\nTrailer: x\n\n", "Laba diena", ChunkEnd::At(29));
        check("0\r\n\r\n", "", ChunkEnd::At(5));
    }

    #[test]
    fn what_breaks_off_is_kept_and_what_is_no_chunk_is_not() {
        check("", "", ChunkEnd::NotYet);
        check("4\r\nLaba\r\n6\r\n die", "Laba die", ChunkEnd::NotYet);
        check("4\r\nLaba\r\n0\r\n", "Laba", ChunkEnd::NotYet);
        check("4\r\nLabas rytas", "Laba", ChunkEnd::Malformed);
        for body in ["zz\r\nLaba", "<p>Laba\n", "+4\r\nLaba\r\n", "-1\r\n", "ffffffffffffffffff\r\nLaba", "4x\r\nLaba\r\n", ";\r\n"] {
            check(body, "", ChunkEnd::Malformed);
        }
        check(&"1".repeat(2_000), "", ChunkEnd::Malformed);
        check("ffffffffffffffff\r\nLaba", "Laba", ChunkEnd::Malformed);
    }

    proptest! {
        #[test]
        fn chunks_read_alike_however_they_arrive(parts in proptest::collection::vec("[ačėįų]{1,30}", 0..6), cut in 0_usize..400) {
            let mut body: String = parts.iter().map(|part| format!("{:x}\r\n{part}\r\n", part.len())).collect();
            body += "0\r\n\r\n";
            let mut chunks = Chunks { at: 0 };
            let first = chunks.advance(&body.as_bytes()[..cut.min(body.len())]);
            prop_assert!(first == ChunkEnd::NotYet || cut >= body.len());
            prop_assert_eq!(chunks.advance(body.as_bytes()), ChunkEnd::At(body.len()));
            prop_assert_eq!(join(body.as_bytes()), parts.concat().into_bytes());
        }
    }
}
