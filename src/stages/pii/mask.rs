//! What stands in place of a finding: always the same, or numbered by value within a document.

use super::kind::{Finding, Kind};

/// The masks of one document.
pub struct Masks<'a> {
    numbered: bool,
    email: &'a str,
    ip: &'a str,
    /// Values seen, by kind; the place in the list is the number.
    seen: Vec<(Kind, String)>,
}

impl<'a> Masks<'a> {
    /// Masks for a document.
    pub fn new(numbered: bool, email: &'a str, ip: &'a str) -> Masks<'a> {
        Masks { numbered, email, ip, seen: Vec::new() }
    }

    /// `text` with a mask in place of each finding.
    pub fn apply(&mut self, text: &str, findings: &[Finding]) -> String {
        let (mut masked, mut done) = (String::with_capacity(text.len()), 0);
        for finding in findings {
            masked.push_str(&text[done..finding.span.start]);
            masked.push_str(&self.mask(finding.kind, &text[finding.span.clone()]));
            done = finding.span.end;
        }
        masked.push_str(&text[done..]);
        masked
    }

    fn mask(&mut self, kind: Kind, value: &str) -> String {
        let number = if self.numbered { format!("-{}", self.number(kind, value)) } else { String::new() };
        match kind {
            Kind::Email => match self.email.split_once('@') {
                Some((local, domain)) => format!("{local}{number}@{domain}"),
                None => format!("{}{number}", self.email),
            },
            Kind::Ip => self.ip.to_owned(),
            _ => format!("[{}{number}]", kind.name().to_uppercase().replace('_', "-")),
        }
    }

    /// The number of a value among those of its kind, from 1. Separators make no other value.
    fn number(&mut self, kind: Kind, value: &str) -> usize {
        let plain: String = value.chars().filter(|sign| sign.is_alphanumeric() || *sign == '@').flat_map(char::to_lowercase).collect();
        let of_kind = self.seen.iter().filter(|(known, _)| *known == kind);
        match of_kind.clone().position(|(_, known)| *known == plain) {
            Some(place) => place + 1,
            None => {
                let number = of_kind.count() + 1;
                self.seen.push((kind, plain));
                number
            }
        }
    }

    /// Whether `found` is what a mask leaves: masking twice is masking once.
    pub fn is_mask(&self, found: &str) -> bool {
        if found == self.email || found == self.ip {
            return true;
        }
        let (Some((local, domain)), Some((mask_local, mask_domain))) = (found.split_once('@'), self.email.split_once('@')) else {
            return false;
        };
        let number = local.strip_prefix(mask_local).and_then(|rest| rest.strip_prefix('-'));
        domain == mask_domain && number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    }
}
