//! Masks e-mail addresses and public IP addresses.
//!
//! What is masked follows datatrove's `PIIFormatter`, which FineWeb used: both kinds, and of IP addresses only those that can belong to
//! somebody (private, loopback and documentation ranges are left). Numbers of sections are left too. Unlike there the replacement is always the same, so that a text
//! masked twice is a text masked once. No regular expression: `@`, `.` and `:` are searched, and only their surroundings are looked at.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use memchr::memchr3_iter;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::ValueDeserializer;

use crate::doc::Document;
use crate::stage::{BuildError, Field, Resources, Room, Stage, Verdict};

const TOO_MUCH: &str = "too-much-personal-data";

/// The row of this stage.
pub const ROOM: Room = Room {
    name: "pii",
    summary: "masks e-mail and public IP addresses",
    reasons: &[TOO_MUCH],
    signals: &[],
    needs: &[Field::Text],
    gives: &[],
    schema: || schemars::schema_for!(Pii),
    build,
};

/// Masks e-mail and public IP addresses in text and title, and counts them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pii {
    /// Mask e-mail addresses.
    pub emails: bool,
    /// Mask public IP addresses, version 4 and 6.
    pub ips: bool,
    /// What stands in place of an e-mail address; the default is of a domain that RFC 2606 reserves for examples.
    pub email_mask: String,
    /// What stands in place of an IP address; the default is of a range that RFC 5737 reserves for examples.
    pub ip_mask: String,
    /// Drop documents with more findings than this; without it none is dropped.
    pub findings_max: Option<u32>,
}

impl Default for Pii {
    fn default() -> Pii {
        Pii { emails: true, ips: true, email_mask: "email@example.com".to_owned(), ip_mask: "192.0.2.1".to_owned(), findings_max: None }
    }
}

fn build(settings: ValueDeserializer<'_>, _: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    Ok(Box::new(Pii::deserialize(settings)?))
}

impl Stage for Pii {
    fn judge(&self, doc: &mut Document) -> Verdict {
        let (mut emails, mut ips) = self.mask(&mut doc.text);
        if let Some(title) = &mut doc.title {
            let (more_emails, more_ips) = self.mask(title);
            emails += more_emails;
            ips += more_ips;
        }
        if self.emails {
            doc.pii.set("email", emails);
        }
        if self.ips {
            doc.pii.set("ip", ips);
        }
        match self.findings_max {
            Some(limit) if emails + ips > limit => Verdict::broke(TOO_MUCH, (emails + ips) as f32, limit as f32),
            _ => Verdict::Keep,
        }
    }
}

impl Pii {
    /// Masks `text` in place; how many e-mail and IP addresses there were.
    fn mask(&self, text: &mut String) -> (u32, u32) {
        let (mut emails, mut ips) = (0, 0);
        let mut masked = String::new();
        let mut done = 0;
        for place in memchr3_iter(b'@', b'.', b':', text.as_bytes()) {
            if place < done {
                continue;
            }
            let (found, mask, count) = match text.as_bytes()[place] {
                b'@' if self.emails => (email_around(text, place), &self.email_mask, &mut emails),
                b'.' if self.ips => (ipv4_around(text.as_bytes(), place), &self.ip_mask, &mut ips),
                b':' if self.ips => (ipv6_around(text.as_bytes(), place), &self.ip_mask, &mut ips),
                _ => continue,
            };
            let Some(span) = found.filter(|span| span.start >= done && text[span.clone()] != **mask) else { continue };
            masked.push_str(&text[done..span.start]);
            masked.push_str(mask);
            done = span.end;
            *count += 1;
        }
        if done > 0 {
            masked.push_str(&text[done..]);
            *text = masked;
        }
        (emails, ips)
    }
}

/// RFC 5321, 4.5.3.1: octets of a local part and of a domain.
const LOCAL_BYTES_MAX: usize = 64;
const DOMAIN_BYTES_MAX: usize = 255;

/// Endings of file names that look like domains: `logo@2x.png`.
const FILE_ENDINGS: &[&str] = &["png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "css", "js", "html", "htm"];

/// The e-mail address whose `@` is at `at`. Letters of Latin, Greek and Cyrillic count (RFC 6531); those of scripts that are written
/// without spaces do not, since they are the sentence around.
fn email_around(text: &str, at: usize) -> Option<Range<usize>> {
    let start = at - local_part(&text[..at])?;
    let domain = domain(&text[at + 1..])?;
    Some(start..at + 1 + domain)
}

fn is_letter_or_digit(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || (!letter.is_ascii() && matches!(u32::from(letter), 0..0x530 | 0x1E00..0x2000) && letter.is_alphanumeric())
}

/// Length of the local part at the end of `before`.
fn local_part(before: &str) -> Option<usize> {
    let mut length = 0;
    for letter in before.chars().rev() {
        if !is_letter_or_digit(letter) && !matches!(letter, '.' | '_' | '%' | '+' | '-' | '\'') {
            break;
        }
        length += letter.len_utf8();
        if length > LOCAL_BYTES_MAX {
            return None;
        }
    }
    let local = &before[before.len() - length..];
    let trimmed = local.trim_start_matches(['.', '\'', '-', '%', '+']);
    (!trimmed.is_empty() && !trimmed.ends_with('.')).then_some(trimmed.len())
}

/// Length of the domain at the beginning of `after`: labels between dots, the last one of letters.
fn domain(after: &str) -> Option<usize> {
    let length =
        after.char_indices().find(|(at, letter)| *at > DOMAIN_BYTES_MAX || !(is_letter_or_digit(*letter) || matches!(letter, '.' | '-')));
    let domain = after[..length.map_or(after.len(), |(at, _)| at)].trim_end_matches(['.', '-']);
    let (above, top) = domain.rsplit_once('.')?;
    let labels_hold = above.split('.').all(|label| !label.is_empty() && !label.starts_with('-'));
    let is_top = top.starts_with("xn--") || (top.chars().count() >= 2 && top.chars().all(char::is_alphabetic));
    (labels_hold && is_top && !FILE_ENDINGS.contains(&top.to_ascii_lowercase().as_str())).then_some(domain.len())
}

/// The public IPv4 address whose first dot is at `dot`.
fn ipv4_around(text: &[u8], dot: usize) -> Option<Range<usize>> {
    let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    if !is_digit(dot.checked_sub(1)?) || !is_digit(dot + 1) {
        return None;
    }
    let is_part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let start = dot - text[..dot].iter().rev().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    // 15 characters are the longest address; two more tell a longer run of numbers apart.
    let run = text[start..].iter().take(17).take_while(|byte| is_part(byte)).count();
    let end = start + run - usize::from(text[start + run - 1] == b'.');
    let address: Ipv4Addr = std::str::from_utf8(&text[start..end]).ok()?.parse().ok()?;
    (is_public_v4(address) && !is_heading_number(address) && is_border(text, start, end)).then_some(start..end)
}

/// The public IPv6 address whose first colon is at `colon`.
fn ipv6_around(text: &[u8], colon: usize) -> Option<Range<usize>> {
    let start = colon - text[..colon].iter().rev().take(5).take_while(|byte| byte.is_ascii_hexdigit()).count();
    // Public addresses begin with 2 or 3 (2000::/3, the only range that IANA gives out).
    if colon - start != 4 || !matches!(text[start], b'2' | b'3') {
        return None;
    }
    let run = text[start..].iter().take(40).take_while(|byte| byte.is_ascii_hexdigit() || **byte == b':').count();
    let end = start + run - usize::from(text[start + run - 1] == b':' && text[start + run - 2] != b':');
    let address: Ipv6Addr = std::str::from_utf8(&text[start..end]).ok()?.parse().ok()?;
    let is_documentation = address.segments()[..2] == [0x2001, 0x0DB8] || address.segments()[0] == 0x3FFF;
    (!is_documentation && is_border(text, start, end)).then_some(start..end)
}

/// Whether no letter, digit or further part of a number stands on either side: `v1.2.3.4` and `1.2.3.4.5` are version numbers.
fn is_border(text: &[u8], start: usize, end: usize) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80 || *byte == b'_';
    let before_holds = start == 0 || !(is_word(&text[start - 1]) && is_letter_before(text, start)) && text[start - 1] != b'.';
    let after_holds = text.get(end).is_none_or(|byte| !(is_word(byte) && is_letter_behind(text, end)))
        && !(text.get(end) == Some(&b'.') && text.get(end + 1).is_some_and(u8::is_ascii_digit));
    before_holds && after_holds
}

/// Whether the character that ends at `end` is a letter or digit of any script.
fn is_letter_before(text: &[u8], end: usize) -> bool {
    let start = (end.saturating_sub(4)..end).rev().find(|at| text[*at] & 0xC0 != 0x80).unwrap_or(end - 1);
    is_letter(&text[start..end])
}

/// Whether the character that begins at `start` is a letter or digit of any script.
fn is_letter_behind(text: &[u8], start: usize) -> bool {
    let end = (start + 1..text.len().min(start + 4)).find(|at| text[*at] & 0xC0 != 0x80).unwrap_or(text.len().min(start + 4));
    is_letter(&text[start..end])
}

fn is_letter(utf8: &[u8]) -> bool {
    std::str::from_utf8(utf8).is_ok_and(|text| text.chars().all(|letter| letter.is_alphanumeric() || letter == '_'))
}

/// Whether four numbers are more likely the number of a section: all below 32. In 5,156 real pages 460 of 511 public addresses were
/// of that kind (`2.6.3.1`), and of true addresses one in 4,096 is.
fn is_heading_number(address: Ipv4Addr) -> bool {
    address.octets().iter().all(|part| *part < 32)
}

/// Whether an address can be somebody's: not in IANA's registry of special-purpose addresses, nor multicast.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b))
        || (a, b, c) == (192, 0, 0);
    !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(text: &str) -> (String, u32, u32) {
        let mut doc = Document { text: text.to_owned(), ..Document::default() };
        assert_eq!(Pii::default().judge(&mut doc), Verdict::Keep);
        (doc.text, doc.pii.get("email").unwrap(), doc.pii.get("ip").unwrap())
    }

    #[test]
    fn e_mail_addresses_are_masked_and_the_sentence_stays() {
        for (text, expected) in [
            ("Kirjoita osoitteeseen matti.meikalainen@posti.example.fi.", "Kirjoita osoitteeseen email@example.com."),
            ("Écrivez à <jean-luc+infos@mairie.example.fr>, merci", "Écrivez à <email@example.com>, merci"),
            ("Пишите на иван@пример.рф!", "Пишите на email@example.com!"),
            ("'γιώργος@παράδειγμα.ελ'", "'email@example.com'"),
            ("mailto:a@b.sk;c@d.sk", "mailto:email@example.com;email@example.com"),
            ("連絡先はtaro@example.jpです", "連絡先はemail@example.comです"),
        ] {
            assert_eq!(mask(text).0, expected);
        }
    }

    #[test]
    fn public_ip_addresses_are_masked() {
        for (text, expected) in [
            ("Iš 78.60.12.5 prisijungta", "Iš 192.0.2.1 prisijungta"),
            ("(185.12.64.3), 91.198.174.192.", "(192.0.2.1), 192.0.2.1."),
            ("Adresa 2a02:2f0c:8000::1:5 je", "Adresa 192.0.2.1 je"),
            ("http://185.12.64.9:80/", "http://192.0.2.1:80/"),
            ("gleich „185.12.64.4“", "gleich „192.0.2.1“"),
        ] {
            assert_eq!(mask(text).0, expected);
        }
    }

    #[test]
    fn what_only_looks_like_personal_data_is_left() {
        for text in [
            "@praha, meet @ 5, a@b, logo@2x.png, npm@8.1.2, x@.cz, user@-a.cz",
            "10.0.0.1, 127.0.0.1, 192.168.1.254, 172.16.4.1, 169.254.0.9, 100.64.0.1, 0.1.2.3, 224.0.0.1, 203.0.113.9",
            "2.6.3.1 Abschnitt 4.2.13.1. 108.0.0.01 999.1.1.1 1.2.3 v1.2.3.4 1.2.3.4.5 1.2.3.4x é1.2.3.4 3.14 12:30:45 00:1a:2b:3c:4d:5e",
            "std::vec a::b fe80::1 ::1 2001:db8::7 2024:10:11 Kl. 20:15",
            "Pris 1.299.000,50 kr. § 4.2.1 afsnit 3.",
            "",
        ] {
            assert_eq!(mask(text), (text.to_owned(), 0, 0));
        }
    }

    #[test]
    fn findings_are_counted_by_kind_in_text_and_title() {
        let mut doc =
            Document { text: "a@b.se c@d.se 185.12.64.3".to_owned(), title: Some("Skriv till e@f.se".to_owned()), ..Document::default() };
        assert_eq!(Pii::default().judge(&mut doc), Verdict::Keep);
        assert_eq!((doc.pii.get("email"), doc.pii.get("ip")), (Some(3), Some(1)));
        assert_eq!(doc.title.as_deref(), Some("Skriv till email@example.com"));
    }

    #[test]
    fn masking_twice_is_masking_once() {
        let once = mask("Scrie la ana.pop@firma.example.ro sau de la 86.120.5.5.").0;
        assert_eq!(mask(&once), (once, 0, 0));
    }

    #[test]
    fn a_list_of_addresses_falls_only_where_a_setting_says_so() {
        let stage = Pii { findings_max: Some(2), ..Pii::default() };
        let mut doc = Document { text: "a@b.hr, c@d.hr, e@f.hr".to_owned(), ..Document::default() };
        assert_eq!(stage.judge(&mut doc), Verdict::broke(TOO_MUCH, 3.0, 2.0));
        let mut doc = Document { text: "a@b.hr, c@d.hr".to_owned(), ..Document::default() };
        assert_eq!(stage.judge(&mut doc), Verdict::Keep);
    }

    #[test]
    fn a_kind_that_is_turned_off_is_neither_masked_nor_counted() {
        let stage = Pii { emails: false, ..Pii::default() };
        let mut doc = Document { text: "a@b.hr 185.12.64.3".to_owned(), ..Document::default() };
        assert_eq!(stage.judge(&mut doc), Verdict::Keep);
        assert_eq!((doc.text.as_str(), doc.pii.get("email"), doc.pii.get("ip")), ("a@b.hr 192.0.2.1", None, Some(1)));
    }

    #[test]
    fn long_runs_of_signs_take_no_long_time() {
        for text in [
            "@".repeat(1_000_000),
            "a@".repeat(500_000),
            "1.".repeat(500_000),
            "2001:".repeat(200_000),
            "a.".repeat(500_000) + "@" + &"a.".repeat(500_000),
        ] {
            mask(&text);
        }
    }
}
