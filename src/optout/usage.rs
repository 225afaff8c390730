//! The protocols in which owners state reservations, and how each is read.

/// What a signal says about training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    Reserved,
    Allowed,
}

impl Says {
    /// As it stands in the column `optout.verdict`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Says::Reserved => "reserved",
            Says::Allowed => "allowed",
        }
    }
}

/// One statement and the protocol in which it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signal {
    pub(super) protocol: &'static str,
    pub(super) says: Says,
}

const TDMREP_HEADER: &str = "tdmrep-header";
const TDMREP_META: &str = "tdmrep-meta";

/// Signals in response headers, whose names are in lower case.
pub(super) fn in_headers(headers: &[(String, String)]) -> Vec<Signal> {
    let mut found = Vec::new();
    for (name, value) in headers {
        match name.as_str() {
            "tdm-reservation" => found.extend(tdm_reservation(value.as_bytes(), TDMREP_HEADER)),
            "x-robots-tag" => found.extend(robots(value.as_bytes(), "x-robots-tag")),
            _ => {}
        }
    }
    let usage: Vec<&str> = headers.iter().filter(|(name, _)| name == "content-usage").map(|(_, value)| value.as_str()).collect();
    found.extend(train_ai(&usage.join(", ")).map(|says| Signal { protocol: "content-usage", says }));
    found
}

/// The signal of a `<meta>`: robots directives for all robots or for one (`robots`, `googlebot`, `GPTBot`), or a TDM reservation.
pub(super) fn in_meta(name: &[u8], content: &[u8]) -> Option<Signal> {
    if name.eq_ignore_ascii_case(b"tdm-reservation") {
        return tdm_reservation(content, TDMREP_META);
    }
    let is_for_robots = name.windows(3).any(|part| part.eq_ignore_ascii_case(b"bot"));
    if is_for_robots || name.eq_ignore_ascii_case(b"x-robots-tag") { robots(content, "robots-meta") } else { None }
}

/// Within TDMRep a page outranks its header (W3C TDMRep ranks file, header and page in rising order); other protocols do not rank.
pub(super) fn settle(found: &mut Vec<Signal>) {
    if found.iter().any(|signal| signal.protocol == TDMREP_META) {
        found.retain(|signal| signal.protocol != TDMREP_HEADER);
    }
}

/// W3C TDM Reservation Protocol: `1` reserves, `0` does not, and any other value is as if it were not there.
fn tdm_reservation(value: &[u8], protocol: &'static str) -> Option<Signal> {
    match value.trim_ascii() {
        b"1" => Some(Signal { protocol, says: Says::Reserved }),
        b"0" => Some(Signal { protocol, says: Says::Allowed }),
        _ => None,
    }
}

/// Robots directives between commas, each perhaps behind the name of a robot; `noai` and `noimageai` as DeviantArt introduced them.
/// A reservation against one robot counts: it says what the owner wants.
fn robots(value: &[u8], protocol: &'static str) -> Option<Signal> {
    let reserves = value
        .split(|byte| matches!(byte, b',' | b':'))
        .map(<[u8]>::trim_ascii)
        .any(|directive| directive.eq_ignore_ascii_case(b"noai") || directive.eq_ignore_ascii_case(b"noimageai"));
    reserves.then_some(Signal { protocol, says: Says::Reserved })
}

/// `train-ai` of a Content-Usage field (draft-ietf-aipref-vocab, -attach): a dictionary of RFC 9651 in which the last `train-ai` counts;
/// `n` reserves, `y` allows, anything else says nothing, and so does a field that is no dictionary.
fn train_ai(field: &str) -> Option<Says> {
    let mut says = None;
    for member in members(field) {
        let member = member.trim_matches([' ', '\t']);
        let key = member.split(['=', ';']).next().unwrap_or_default();
        if !is_key(key) {
            return None;
        }
        if key == "train-ai" {
            let value = member[key.len()..].split(';').next().unwrap_or_default();
            says = match value {
                "=n" => Some(Says::Reserved),
                "=y" => Some(Says::Allowed),
                _ => None,
            };
        }
    }
    says
}

/// The members of a dictionary: cut at the commas outside strings and inner lists.
fn members(field: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_u32);
    field.split(move |sign: char| {
        let was_escaped = std::mem::take(&mut escaped);
        match sign {
            '\\' if quoted && !was_escaped => escaped = true,
            '"' if !was_escaped => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        sign == ',' && !quoted && depth == 0
    })
}

/// RFC 9651, 3.1.2.
fn is_key(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_lowercase() || first == '*')
        && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_usage_is_read_as_the_draft_says() {
        for (field, says) in [
            ("train-ai=n", Some(Says::Reserved)),
            ("train-ai=y, search=n", Some(Says::Allowed)),
            ("search=n,\ttrain-ai=n;until=2030", Some(Says::Reserved)),
            ("train-ai=y, train-ai, search=n", None),
            ("train-ai=n, train-ai=y", Some(Says::Allowed)),
            ("train-ai;allow=n, train-ai=y", Some(Says::Allowed)),
            ("a=\"x, train-ai=n\", b=(\"1\" \"2\")", None),
            ("a=\"\\\", \", train-ai=n", Some(Says::Reserved)),
            ("train-ai;has;parameters=\"?\"", None),
            ("Train-AI=n", None),
            ("train-ai=n,", None),
            ("train-ai=no", None),
            ("", None),
        ] {
            assert_eq!(train_ai(field), says, "{field}");
        }
    }

    #[test]
    fn the_examples_of_the_specifications_are_read_as_they_say() {
        let read = |name: &str| -> Option<serde_json::Value> {
            let path = format!("{}/../shared/data/crawl/{name}/vectors.json", env!("CARGO_MANIFEST_DIR"));
            serde_json::from_slice(&std::fs::read(path).ok()?).ok()
        };
        let (Some(tdmrep), Some(aipref)) = (read("tdmrep"), read("aipref")) else {
            eprintln!("SKIPPED: the_examples_of_the_specifications_are_read_as_they_say: no shared data");
            return;
        };
        for case in tdmrep["header"].as_array().unwrap() {
            let says = tdm_reservation(case[0].as_str().unwrap().as_bytes(), TDMREP_HEADER).map(|signal| signal.says);
            let expected = case[1].as_u64().map(|value| if value == 1 { Says::Reserved } else { Says::Allowed });
            assert_eq!(says, expected, "{case}");
        }
        for case in aipref["sf"].as_array().unwrap() {
            let expected = match case[1]["train-ai"].as_str().unwrap() {
                "disallow" => Some(Says::Reserved),
                "allow" => Some(Says::Allowed),
                _ => None,
            };
            assert_eq!(train_ai(case[0].as_str().unwrap()), expected, "{case}");
        }
    }
}
