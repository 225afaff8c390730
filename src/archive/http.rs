//! The head of an HTTP response as archives hold it, in front of its body.

use super::fields::{Fields, first_line, length_to_empty_line};
use super::head::HEAD_BYTES_MAX;

/// A response's head.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// Status code.
    pub status: u16,
    /// Header fields.
    pub fields: Fields<'a>,
    /// Where the body begins in the block.
    pub body: usize,
}

impl<'a> Response<'a> {
    /// Reads the head that `block` begins with. A head whose empty line is missing at the end of the block has an empty body.
    /// `None` where the block begins with no status line, or its head has more than [`HEAD_BYTES_MAX`].
    #[must_use]
    pub fn parse(block: &'a [u8]) -> Option<Response<'a>> {
        let start = block.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let line = first_line(&block[start..]);
        let status = status(line)?;
        let rest = &block[start + line.len()..];
        let window = &rest[..rest.len().min(HEAD_BYTES_MAX)];
        let head = match length_to_empty_line(window) {
            Some(length) => length,
            None if window.len() == rest.len() => rest.len(),
            None => return None,
        };
        Some(Response { status, fields: Fields::new(&rest[..head]), body: start + line.len() + head })
    }
}

/// The status code, where `block` begins with a status line.
#[must_use]
pub fn status_code(block: &[u8]) -> Option<u16> {
    status(first_line(block))
}

fn status(line: &[u8]) -> Option<u16> {
    let mut words = line.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
    let protocol = words.next()?;
    let is_http = protocol.len() <= 16 && protocol.get(..4)?.eq_ignore_ascii_case(b"HTTP") && matches!(protocol.get(4), None | Some(b'/'));
    let digits = words.next().filter(|word| is_http && word.len() == 3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// How many bytes of `block` the head of an HTTP message takes, request or response; `None` while its empty line is not there.
#[must_use]
pub fn message_head_length(block: &[u8]) -> Option<usize> {
    length_to_empty_line(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_all_ages_are_read() {
        for (block, status, body) in [
            (&b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nlabas"[..], 200, &b"labas"[..]),
            (b"HTTP/1.0 200\nServer: x\n\nlabas", 200, b"labas"),
            (b"\r\nhttp/2 404 \r\n\r\nlabas", 404, b"labas"),
            (b"HTTP/1.1 301 Moved\r\nLocation: /a", 301, b""),
        ] {
            let response = Response::parse(block).unwrap();
            assert_eq!((response.status, &block[response.body..]), (status, body));
        }
        for block in [&b"<html>"[..], b"HTTP/1.1 OK\r\n\r\n", b"HTTPS 200\r\n\r\n", b"", b"\n"] {
            assert!(Response::parse(block).is_none());
        }
    }
}
