//! Content codings of HTTP bodies (RFC 9110, 8.4): gzip with any number of members, deflate in both of its readings, br, zstd, and
//! stacks of them, each step capped so that no bomb unpacks further than the caller allows.
//!
//! The header is a hint: bodies are often stored unpacked under their old header, or packed without one. Gzip and zstd are told by
//! their magic; deflate and br have none, so a body that does not unpack and looks like text is taken as it is.

use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status};
use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer};

use super::gzip::{self, head_length};
use super::sniff;

/// The most codings on top of each other that are undone.
pub const CODINGS_MAX: usize = 4;

/// A body behind its codings.
#[derive(Debug, PartialEq, Eq)]
pub struct Body {
    /// Its bytes, at most as many as were asked for.
    pub bytes: Vec<u8>,
    /// Whether it goes on: it broke off, or the limit cut it.
    pub truncated: bool,
}

/// A body of which nothing can be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Undecodable;

/// Undoes the codings that `header` lists (`gzip, br`), the last first, up to `bytes_max` bytes each.
///
/// # Errors
/// Where a coding is unknown to us or broken, and the body is no text as it stands.
pub fn decode(bytes: Vec<u8>, header: &str, bytes_max: usize) -> Result<Body, Undecodable> {
    let mut body = Body { bytes, truncated: false };
    for name in header.rsplit(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).take(CODINGS_MAX) {
        let undone = match name.as_str() {
            "gzip" | "x-gzip" => gunzip(&body.bytes, bytes_max),
            "deflate" => inflate_either(&body.bytes, bytes_max),
            "br" => unbrotli(&body.bytes, bytes_max),
            "zstd" => unzstd(&body.bytes, bytes_max),
            _ => None,
        };
        body = undo(body, undone)?;
    }
    // Packed without a header, or twice under one: no page begins with these bytes.
    for _ in 0..CODINGS_MAX {
        let Some(undone) = gunzip(&body.bytes, bytes_max).filter(|undone| !undone.bytes.is_empty()) else { break };
        body = undo(body, Some(undone))?;
    }
    if body.bytes.len() > bytes_max {
        body.bytes.truncate(bytes_max);
        body.truncated = true;
    }
    Ok(body)
}

fn undo(body: Body, undone: Option<Body>) -> Result<Body, Undecodable> {
    match undone {
        Some(undone) if !undone.truncated => Ok(Body { truncated: body.truncated, ..undone }),
        _ if body.bytes.is_empty() || sniff::is_text(&body.bytes) => Ok(body),
        Some(undone) if !undone.bytes.is_empty() => Ok(undone),
        _ => Err(Undecodable),
    }
}

fn gunzip(packed: &[u8], bytes_max: usize) -> Option<Body> {
    let mut rest = packed;
    let mut body = Body { bytes: Vec::new(), truncated: false };
    let mut stream = Decompress::new(false);
    while let gzip::Head::Whole(length) = head_length(rest) {
        rest = &rest[length..];
        stream.reset(false);
        let (taken, whole) = inflate(&mut stream, rest, bytes_max, &mut body.bytes);
        rest = rest.get(taken + gzip::TRAILER_BYTES..).unwrap_or_default();
        if !whole {
            body.truncated = true;
            break;
        }
    }
    (rest.len() < packed.len()).then_some(body)
}

fn inflate_either(packed: &[u8], bytes_max: usize) -> Option<Body> {
    // RFC 9110 means zlib by the name deflate, some servers send it bare. A zlib head is a multiple of 31 (RFC 1950).
    let has_zlib_head = matches!(packed, [a, b, ..] if a & 15 == 8 && u16::from_be_bytes([*a, *b]) % 31 == 0);
    let orders = if has_zlib_head { [true, false] } else { [false, true] };
    let mut best: Option<Body> = None;
    for zlib in orders {
        let mut bytes = Vec::new();
        let (_, whole) = inflate(&mut Decompress::new(zlib), packed, bytes_max, &mut bytes);
        if best.as_ref().is_none_or(|best| whole || best.bytes.len() < bytes.len()) {
            best = Some(Body { bytes, truncated: !whole });
        }
        if whole {
            break;
        }
    }
    best
}

/// Inflates onto `out` up to `bytes_max` bytes; returns how many packed bytes were taken, and whether the stream ended whole.
fn inflate(stream: &mut Decompress, packed: &[u8], bytes_max: usize, out: &mut Vec<u8>) -> (usize, bool) {
    loop {
        let taken = stream.total_in() as usize;
        let room = (out.len() + packed.len() * 4).clamp(4 << 10, 1 << 20);
        out.reserve(room.min(bytes_max.saturating_sub(out.len())) + 1);
        let before = (taken, out.len());
        let status = stream.decompress_vec(&packed[taken..], out, FlushDecompress::None);
        let after = (stream.total_in() as usize, out.len());
        if out.len() > bytes_max {
            out.truncate(bytes_max);
            return (after.0, false);
        }
        match status {
            Ok(Status::StreamEnd) => return (after.0, true),
            Ok(_) if after != before => {}
            Ok(_) | Err(_) => return (after.0, false),
        }
    }
}

fn unbrotli(packed: &[u8], bytes_max: usize) -> Option<Body> {
    let mut bytes = Vec::new();
    // What came before an error stays in `bytes`.
    let read = brotli::Decompressor::new(packed, 4096).take(bytes_max as u64 + 1).read_to_end(&mut bytes);
    let truncated = read.is_err() || bytes.len() > bytes_max;
    bytes.truncate(bytes_max);
    Some(Body { bytes, truncated })
}

fn unzstd(packed: &[u8], bytes_max: usize) -> Option<Body> {
    if !super::zstd::is_frame(packed) {
        return None;
    }
    let mut context = DCtx::create();
    let mut input = InBuffer::around(packed);
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        let taken = input.pos();
        let mut output = OutBuffer::around(&mut piece[..]);
        let hint = context.decompress_stream(&mut output, &mut input);
        let given = output.pos();
        bytes.extend_from_slice(&piece[..given]);
        if bytes.len() > bytes_max {
            bytes.truncate(bytes_max);
            return Some(Body { bytes, truncated: true });
        }
        match hint {
            Ok(0) if input.pos() == packed.len() => return Some(Body { bytes, truncated: false }),
            Ok(_) if given > 0 || input.pos() > taken => {}
            Ok(_) | Err(_) => return Some(Body { bytes, truncated: true }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const PAGE: &str = "<html><p>Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv.</html>";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn deflate(bytes: &[u8], zlib: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() * 2 + 100);
        flate2::Compress::new(flate2::Compression::default(), zlib).compress_vec(bytes, &mut out, flate2::FlushCompress::Finish).unwrap();
        out
    }

    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        brotli::BrotliCompress(&mut &bytes[..], &mut out, &brotli::enc::BrotliEncoderParams::default()).unwrap();
        out
    }

    fn check(bytes: Vec<u8>, header: &str) {
        let body = decode(bytes, header, 1 << 20).unwrap_or_else(|_| panic!("{header}"));
        assert_eq!((String::from_utf8(body.bytes).as_deref(), body.truncated), (Ok(PAGE), false), "{header}");
    }

    #[test]
    fn every_coding_and_stack_is_undone() {
        let (head, tail) = PAGE.as_bytes().split_at(20);
        check(gzip(PAGE.as_bytes()), "gzip");
        check([gzip(head), gzip(tail)].concat(), "X-GZIP");
        check(deflate(PAGE.as_bytes(), true), "deflate");
        check(deflate(PAGE.as_bytes(), false), "deflate");
        check(brotli(PAGE.as_bytes()), "br");
        check(zstd::encode_all(PAGE.as_bytes(), 1).unwrap(), "zstd");
        check(brotli(&gzip(PAGE.as_bytes())), "gzip, br");
        check(gzip(&gzip(PAGE.as_bytes())), "gzip");
        check(gzip(PAGE.as_bytes()), "");
    }

    #[test]
    fn a_plain_body_under_a_coding_header_stays() {
        for header in ["gzip", "deflate", "br", "zstd", "identity", "compress", "utf-8", "gzip, br"] {
            check(PAGE.as_bytes().to_vec(), header);
        }
    }

    #[test]
    fn a_body_that_breaks_off_keeps_what_came_and_rubbish_is_undecodable() {
        let whole = gzip(PAGE.as_bytes());
        let body = decode(whole[..whole.len() - 20].to_vec(), "gzip", 1 << 20).unwrap();
        assert!(body.truncated && PAGE.as_bytes().starts_with(&body.bytes) && !body.bytes.is_empty());
        for header in ["gzip", "br", "compress"] {
            assert_eq!(decode(vec![0xff, 0, 3, 0xf7, 0xee, 0, 1, 2, 3, 4, 5, 6], header, 1 << 20), Err(Undecodable), "{header}");
        }
    }

    #[test]
    fn bombs_unpack_no_further_than_allowed() {
        let zeros = vec![b' '; 8 << 20];
        let twice = gzip(&gzip(&zeros));
        for (bytes, header) in [
            (gzip(&zeros), "gzip"),
            (twice, "gzip, gzip"),
            (deflate(&zeros, true), "deflate"),
            (brotli(&zeros), "br"),
            (zstd::encode_all(&zeros[..], 1).unwrap(), "zstd"),
        ] {
            let body = decode(bytes, header, 100_000).unwrap();
            assert_eq!((body.bytes.len(), body.truncated), (100_000, true), "{header}");
            assert!(body.bytes.capacity() < 2 << 20);
        }
    }
}
