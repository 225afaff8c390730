//! Patterns of paths: a prefix, with `*` for any bytes and `$` at the end for the end.

/// A pattern, cut at its stars.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pieces: Vec<Vec<u8>>,
    /// Whether the path must end where the pattern does.
    anchored: bool,
    /// Its length as written, by which rules are weighed.
    length: usize,
}

impl Pattern {
    pub(super) fn new(written: Vec<u8>) -> Pattern {
        let anchored = written.last() == Some(&b'$');
        let body = if anchored { &written[..written.len() - 1] } else { &written[..] };
        Pattern { pieces: body.split(|byte| *byte == b'*').map(<[u8]>::to_vec).collect(), anchored, length: written.len() }
    }

    /// Its length, if `path` matches. Taking the first place for each piece is right: whatever matches behind a later one does here too.
    pub(super) fn matched(&self, path: &[u8]) -> Option<usize> {
        let (first, rest) = self.pieces.split_first()?;
        let mut left = path.strip_prefix(first.as_slice())?;
        let Some((last, middle)) = rest.split_last() else {
            return (!self.anchored || left.is_empty()).then_some(self.length);
        };
        for piece in middle {
            left = &left[memchr::memmem::find(left, piece)? + piece.len()..];
        }
        let fits = if self.anchored { left.ends_with(last) } else { memchr::memmem::find(left, last).is_some() };
        fits.then_some(self.length)
    }
}

/// The value with percent-encoding in one form: bytes beyond ASCII encoded, hexadecimal digits in upper case.
pub(super) fn escaped(value: &[u8]) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut escaped = Vec::with_capacity(value.len());
    let mut at = 0;
    while at < value.len() {
        let byte = value[at];
        let code = value.get(at + 1..at + 3).filter(|code| byte == b'%' && code.iter().all(u8::is_ascii_hexdigit));
        if let Some(code) = code {
            escaped.push(b'%');
            escaped.extend(code.iter().map(u8::to_ascii_uppercase));
            at += 3;
            continue;
        }
        match byte {
            0x80.. => escaped.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]),
            _ => escaped.push(byte),
        }
        at += 1;
    }
    escaped
}
