//! PDF with a text layer. The syntax is read by hayro-syntax, which bounds its own nesting; what shows text is interpreted here, because
//! the libraries that do both (measured in docs/sources.md) end the whole program on a form that draws itself.
//!
//! Text is taken in the order in which it is drawn, which is the reading order of nearly all programs that write PDF and keeps columns
//! apart; where a line or a paragraph ends, the positions tell. Pages without text layer give none.

mod font;
mod lines;
mod show;

use std::io::Read;

use flate2::read::ZlibDecoder;
use hayro_syntax::{LoadPdfError, Pdf};
use memchr::memmem;

use super::{Fault, Limits, Paper, marked, styles};

/// Reads a PDF.
pub(super) fn read(bytes: Vec<u8>, limits: &Limits) -> Result<Paper, Fault> {
    if unpacks_beyond(&bytes, limits.unpacked_bytes_max) {
        return Err(Fault::TooLarge);
    }
    let mut paper = xmp(&bytes);
    let pdf = Pdf::new(bytes).map_err(|error| match error {
        LoadPdfError::Decryption(_) => Fault::Encrypted,
        LoadPdfError::Invalid => Fault::MalformedPdf,
    })?;
    let metadata = pdf.metadata();
    paper.title = paper.title.or_else(|| stated(metadata.title.as_deref()));
    paper.author = paper.author.or_else(|| stated(metadata.author.as_deref()));
    let mut budget = show::OPERATORS_MAX;
    let pages = pdf.pages().iter().map(|page| lines::of(show::runs(page, &mut budget))).collect();
    Ok(Paper { text: lines::text(pages), ..paper })
}

/// A text of the document information: UTF-16 with its mark, else nearly Latin-1.
fn stated(bytes: Option<&[u8]>) -> Option<String> {
    let bytes = bytes?;
    let encoding = if bytes.starts_with(b"\xfe\xff") { encoding_rs::UTF_16BE } else { encoding_rs::WINDOWS_1252 };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(_) => encoding.decode(bytes).0.into_owned(),
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty() && !text.contains('\0'))
}

/// What the XMP packet says, which stands unpacked in the file so that others than PDF readers find it.
fn xmp(bytes: &[u8]) -> Paper {
    let packet = memmem::rfind(bytes, b"<x:xmpmeta").and_then(|begin| {
        let end = memmem::find(&bytes[begin..], b"</x:xmpmeta>")?;
        std::str::from_utf8(&bytes[begin..begin + end + b"</x:xmpmeta>".len()]).ok()
    });
    packet.and_then(|packet| marked::read(packet, &styles::METADATA).ok()).unwrap_or_default()
}

/// Whether the streams unpack to more than `bytes_max` together. The library unpacks without a limit, so each stream that looks packed is
/// unpacked once before, into nothing.
fn unpacks_beyond(bytes: &[u8], bytes_max: u64) -> bool {
    let mut left = bytes_max;
    for at in memmem::find_iter(bytes, b"stream") {
        let mut packed = &bytes[at + b"stream".len()..];
        packed = packed.strip_prefix(b"\r\n").or_else(|| packed.strip_prefix(b"\n")).unwrap_or(packed);
        let is_zlib = packed.first_chunk::<2>().is_some_and(|head| head[0] & 0x0f == 8 && u16::from_be_bytes(*head).is_multiple_of(31));
        if !is_zlib {
            continue;
        }
        let mut unpacked = ZlibDecoder::new(packed).take(left + 1);
        let count = std::io::copy(&mut unpacked, &mut std::io::sink());
        // A broken stream has given what it has; how much does not show, but no more than is left was unpacked.
        let count = count.unwrap_or_else(|_| left + 1 - unpacked.limit());
        match left.checked_sub(count) {
            Some(rest) => left = rest,
            None => return true,
        }
    }
    // Two packings on top of each other multiply; nobody packs text so.
    memmem::find(bytes, b"FlateDecode/FlateDecode").is_some() || memmem::find(bytes, b"/FlateDecode /FlateDecode").is_some()
}

#[cfg(test)]
mod tests;
