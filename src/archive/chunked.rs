//! Chunked transfer coding (RFC 9112, 7.1), in place.
//!
//! Many archives keep the header `Transfer-Encoding: chunked` although they store the body joined, so the header is a hint and the
//! first chunk decides.

/// The longest line in front of a chunk: a size, and extensions that nobody uses.
const LINE_BYTES_MAX: usize = 1024;

/// Joins the chunks of `body`. A body that begins with no chunk stays as it is; one that breaks off keeps what came before.
/// Returns whether all was there.
pub fn join(body: &mut Vec<u8>) -> bool {
    let (mut read, mut written) = (0, 0);
    loop {
        let Some((size, line)) = size_line(&body[read..]) else {
            // Before any chunk this is a body that was joined already, or no body at all.
            return if read == 0 { true } else { finish(body, written, read == body.len()) };
        };
        let begin = read + line;
        let available = body.len() - begin;
        if size == 0 {
            return finish(body, written, true);
        }
        let behind = body.get(begin.saturating_add(size)..).unwrap_or_default();
        let line_end = line_end(behind);
        if read == 0 && size <= available && line_end == 0 && !behind.is_empty() {
            return true;
        }
        if size > available {
            if read == 0 && !plausible(size, available) {
                return true;
            }
            body.copy_within(begin.., written);
            return finish(body, written + available, false);
        }
        body.copy_within(begin..begin + size, written);
        written += size;
        read = begin + size + line_end;
    }
}

fn finish(body: &mut Vec<u8>, length: usize, whole: bool) -> bool {
    body.truncate(length);
    whole
}

/// Whether a first chunk of `size` may have been cut down to `available` bytes: servers send chunks of at most some MiB.
fn plausible(size: usize, available: usize) -> bool {
    available > 0 && size <= 64 << 20
}

fn line_end(bytes: &[u8]) -> usize {
    match bytes {
        [b'\r', b'\n', ..] => 2,
        [b'\n', ..] => 1,
        _ => 0,
    }
}

/// The size that `bytes` begin with, and the length of its line.
fn size_line(bytes: &[u8]) -> Option<(usize, usize)> {
    let window = &bytes[..bytes.len().min(LINE_BYTES_MAX)];
    let end = memchr::memchr(b'\n', window)?;
    let line = window[..end].split(|byte| *byte == b';').next()?.trim_ascii();
    if line.is_empty() || line.len() > 15 || !line.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let size = usize::from_str_radix(std::str::from_utf8(line).ok()?, 16).ok()?;
    Some((size, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, joined: &str, whole: bool) {
        let mut bytes = body.as_bytes().to_vec();
        let was_whole = join(&mut bytes);
        assert_eq!((String::from_utf8(bytes).unwrap().as_str(), was_whole), (joined, whole), "{body:?}");
    }

    #[test]
    fn chunks_are_joined() {
        check("4\r\nWiki\r\n5;x=y\r\npedia\r\n0\r\n\r\n", "Wikipedia", true);
        check("4\nWiki\n0\n\n", "Wiki", true);
        check("0\r\n\r\n", "", true);
    }

    #[test]
    fn a_body_that_was_joined_already_stays() {
        check("<html>Sveiki</html>", "<html>Sveiki</html>", true);
        check("2024\n<p>Sveiki, pasaule! ", "<p>Sveiki, pasaule! ", false);
        check("3\r\nabcdef", "3\r\nabcdef", true);
        check("", "", true);
    }

    #[test]
    fn a_body_that_breaks_off_keeps_what_came() {
        check("4\r\nWiki\r\n5\r\nped", "Wikiped", false);
        check("4\r\nWiki\r\nzz\r\npedia", "Wiki", false);
        check("4\r\nWiki\r\n", "Wiki", true);
    }
}
