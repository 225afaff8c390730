//! One walk over a text that stops at anchors only: digits, `@` and `:`. Validators look at what is around an anchor, within fixed bounds,
//! so the walk is linear whatever the text is.

use super::email::email_around;
use super::ip::{ipv4_around, ipv6_around};
use super::kind::{Finding, Kind};
use super::number::{Question, broken_account_end, number_at};
use super::quiet::Quiet;

/// What begins or holds something to look at.
const ANCHORS: [bool; 256] = {
    let mut anchors = [false; 256];
    let mut digit = b'0';
    while digit <= b'9' {
        anchors[digit as usize] = true;
        digit += 1;
    }
    anchors[b'@' as usize] = true;
    anchors[b':' as usize] = true;
    anchors
};

/// All findings in the order of the text; none overlaps another.
pub fn find(question: &Question<'_>) -> Vec<Finding> {
    let bytes = question.text.as_bytes();
    let (mut findings, mut at, mut done, mut quiet) = (Vec::new(), 0, 0, Quiet::default());
    while let Some(place) = bytes[at..].iter().position(|byte| ANCHORS[*byte as usize]).map(|next| at + next) {
        let found = at_anchor(question, place, &mut quiet).filter(|found| found.span.start >= done);
        at = match found {
            Some(found) => {
                done = found.span.end;
                findings.push(found);
                done
            }
            None if bytes[place].is_ascii_digit() => broken_account_end(bytes, place).unwrap_or(place + word_rest(&bytes[place..])),
            None => place + 1,
        };
    }
    findings
}

/// How many digits and letters follow: one number is looked at once.
fn word_rest(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count()
}

fn at_anchor(question: &Question<'_>, place: usize, quiet: &mut Quiet) -> Option<Finding> {
    let bytes = question.text.as_bytes();
    let sure = |span, kind| Finding { span, kind, which: "", confidence: 0.95 };
    match bytes[place] {
        b'@' if question.wants(Kind::Email) => email_around(question.text, place).map(|span| sure(span, Kind::Email)),
        b':' if question.wants(Kind::Ip) => ipv6_around(bytes, place).map(|span| sure(span, Kind::Ip)),
        b'0'..=b'9' => {
            let digits = bytes[place..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
            let is_dotted = question.wants(Kind::Ip) && digits < 4 && bytes.get(place + digits) == Some(&b'.');
            let address = if is_dotted { ipv4_around(bytes, place + digits) } else { None };
            address.map(|span| sure(span, Kind::Ip)).or_else(|| number_at(question, place, quiet.is_around(bytes, place)))
        }
        _ => None,
    }
}
