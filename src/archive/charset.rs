//! From bytes to text. Valid UTF-8 wins over every declaration, because text in another encoding hardly ever is valid UTF-8 by
//! chance while wrong headers are common; then the header, then the page's own declaration, then chardetng's guess.
//!
//! Guessing is slow (measured 36 MB/s against GB/s for UTF-8), so it is asked only where nothing credible is declared, or where two
//! declarations contradict each other, and only about a window of the page.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

use super::{prescan, sniff};

/// How much of a page the guess is made from, beginning at the first byte above ASCII.
const GUESS_BYTES: usize = 32 << 10;
/// How many sound characters of several bytes must stand against one broken for the text to count as damaged UTF-8.
const SOUND_PER_BROKEN: usize = 10;

/// What is said about a page's encoding outside of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// The label in the HTTP header.
    pub http: Option<&'a str>,
    /// The last label of the host name, which the guess takes as a hint on the language.
    pub tld: Option<&'a str>,
    /// Whether the page is markup, so that its own declarations count.
    pub markup: bool,
}

/// Decodes `bytes`; zero bytes become spaces. Returns the text and the encoding it was in.
#[must_use]
pub fn decode(bytes: Vec<u8>, hints: Hints<'_>) -> (String, &'static Encoding) {
    let (text, encoding) = decode_bytes(bytes, hints);
    (without_zeros(text), encoding)
}

fn decode_bytes(mut bytes: Vec<u8>, hints: Hints<'_>) -> (String, &'static Encoding) {
    match Encoding::for_bom(&bytes) {
        Some((encoding, length)) if encoding == UTF_8 => drop(bytes.drain(..length)),
        Some((wide, length)) => return (transcode(wide, &bytes[length..]).0, wide),
        None => {}
    }
    if bytes.iter().take(64).any(|byte| *byte == 0)
        && let Some(little) = sniff::is_utf16(&bytes)
    {
        let wide = if little { UTF_16LE } else { UTF_16BE };
        return (transcode(wide, &bytes).0, wide);
    }
    let http = hints.http.and_then(|label| prescan::for_label(label.as_bytes()));
    let bytes = match String::from_utf8(bytes) {
        Ok(text) if http == Some(ISO_2022_JP) && text.contains('\u{1b}') => text.into_bytes(),
        Ok(text) => return (text, UTF_8),
        Err(error) => match cut_last_character(error) {
            Ok(text) => return (text, UTF_8),
            Err(bytes) => bytes,
        },
    };
    let meta = hints.markup.then(|| prescan::declared(&bytes)).flatten();
    decode_legacy(&bytes, http, meta, hints.tld)
}

/// A text that was cut within its last character is whole but for that.
fn cut_last_character(error: std::string::FromUtf8Error) -> Result<String, Vec<u8>> {
    let cut = error.utf8_error().error_len().is_none();
    let valid = error.utf8_error().valid_up_to();
    let mut bytes = error.into_bytes();
    if cut && !bytes[..valid].is_ascii() {
        bytes.truncate(valid);
        return String::from_utf8(bytes).map_err(std::string::FromUtf8Error::into_bytes);
    }
    Err(bytes)
}

fn decode_legacy(
    bytes: &[u8],
    http: Option<&'static Encoding>,
    meta: Option<&'static Encoding>,
    tld: Option<&str>,
) -> (String, &'static Encoding) {
    if is_damaged_utf8(bytes) {
        return (transcode(UTF_8, bytes).0, UTF_8);
    }
    let guess = || guess(bytes, tld);
    let declared = match (http.filter(|known| *known != UTF_8), meta.filter(|known| *known != UTF_8)) {
        (Some(http), Some(meta)) if http != meta => Some(if guess() == meta { meta } else { http }),
        (http, meta) => http.or(meta),
    };
    if let Some(declared) = declared {
        let (text, sound) = transcode(declared, bytes);
        if sound {
            return (text, declared);
        }
    }
    let guessed = guess();
    let (text, sound) = transcode(guessed, bytes);
    match declared {
        Some(declared) if !sound => (transcode(declared, bytes).0, declared),
        _ => (text, guessed),
    }
}

/// The text, and whether all of it was sound.
fn transcode(encoding: &'static Encoding, bytes: &[u8]) -> (String, bool) {
    let (text, broken) = encoding.decode_without_bom_handling(bytes);
    (text.into_owned(), !broken)
}

fn guess(bytes: &[u8], tld: Option<&str>) -> &'static Encoding {
    let begin = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
    let window = &bytes[begin.saturating_sub(64)..bytes.len().min(begin + GUESS_BYTES)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(window, true);
    // chardetng takes a single label in lower case, and panics otherwise.
    let tld = tld.filter(|tld| tld.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
    detector.guess(tld.map(str::as_bytes), Utf8Detection::Deny)
}

fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let (mut sound, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        sound += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    sound >= broken * SOUND_PER_BROKEN
}

fn without_zeros(text: String) -> String {
    if memchr::memchr(0, text.as_bytes()).is_none() { text } else { text.replace('\0', " ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CZECH: &str = "<p>Příliš žluťoučký kůň úpěl ďábelské ódy. Všichni lidé rodí se svobodní.</p>";

    fn encoded(text: &str, label: &str) -> Vec<u8> {
        Encoding::for_label(label.as_bytes()).unwrap().encode(text).0.into_owned()
    }

    fn check(bytes: Vec<u8>, http: Option<&str>, want: &str) {
        let (text, encoding) = decode(bytes, Hints { http, tld: Some("cz"), markup: true });
        assert_eq!(text, want, "{}", encoding.name());
    }

    #[test]
    fn valid_utf8_wins_over_wrong_declarations() {
        check(CZECH.as_bytes().to_vec(), Some("iso-8859-1"), CZECH);
        let page = format!("<meta charset=iso-8859-2>{CZECH}");
        check(page.as_bytes().to_vec(), None, &page);
        check([b"\xef\xbb\xbf", CZECH.as_bytes()].concat(), Some("koi8-r"), CZECH);
    }

    #[test]
    fn a_true_declaration_wins_over_a_guess_and_a_false_utf8_one_gives_way() {
        check(encoded(CZECH, "iso-8859-2"), Some("ISO-8859-2"), CZECH);
        let page = format!("<meta charset=windows-1250>{CZECH}");
        check(encoded(&page, "windows-1250"), None, &page);
        check(encoded(&page, "windows-1250"), Some("utf-8"), &page);
        check(encoded(CZECH, "windows-1250"), Some("utf-8"), CZECH);
        check(encoded(&page, "windows-1250"), Some("iso-8859-1"), &page);
    }

    #[test]
    fn utf16_is_read_with_and_without_a_mark() {
        for little in [true, false] {
            let wide: Vec<u8> =
                CZECH.encode_utf16().flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect();
            check(wide.clone(), None, CZECH);
            let mark: &[u8] = if little { b"\xff\xfe" } else { b"\xfe\xff" };
            check([mark, &wide].concat(), Some("utf-8"), CZECH);
        }
    }

    #[test]
    fn damaged_utf8_stays_utf8_and_zeros_become_spaces() {
        let mut bytes = CZECH.as_bytes().to_vec();
        bytes.extend_from_slice(b"\xff\0!");
        check(bytes, None, &format!("{CZECH}\u{fffd} !"));
        let cut = CZECH.as_bytes()[..CZECH.find("íliš").unwrap() + 1].to_vec();
        check(cut, None, "<p>Př");
    }
}
