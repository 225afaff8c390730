//! Public IP addresses. Private, loopback and documentation ranges can belong to nobody, and numbers of sections look like addresses.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::border::{is_letter_before, is_letter_behind};

/// The public IPv4 address whose first dot is at `dot`.
pub fn ipv4_around(text: &[u8], dot: usize) -> Option<Range<usize>> {
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
pub fn ipv6_around(text: &[u8], colon: usize) -> Option<Range<usize>> {
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
