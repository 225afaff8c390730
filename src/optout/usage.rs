//! What values of `Content-Usage` (IETF AIPREF) and `Content-Signal` (Cloudflare) say about training.

use super::Says;

/// Labels of older drafts (vocab-00 to -04) that take in the training of language models. In those drafts a narrower label could lift a
/// wider one; here one `n` is enough. Labels for use alone (`search`, `ai-use`, `ai-output`, `inference`) say nothing about training.
const OLDER_LABELS: &[&str] = &["tdm", "ai", "genai", "all", "train-genai", "bots"];

/// A Content-Usage field (draft-ietf-aipref-vocab, -attach): a dictionary of RFC 9651 in which the last of equal keys counts. `train-ai`
/// reserves by `n` and allows by `y`, older labels only reserve; anything else says nothing, and so does a field that is no dictionary.
pub(super) fn of_usage(field: &str) -> Option<Says> {
    let mut train_ai = None;
    let mut older = [None; OLDER_LABELS.len()];
    for member in members(field) {
        let member = member.trim_matches([' ', '\t']);
        let key = member.split(['=', ';']).next().unwrap_or_default();
        if !is_key(key) {
            return None;
        }
        let says = match member[key.len()..].split(';').next().unwrap_or_default() {
            "=n" => Some(Says::Reserved),
            "=y" => Some(Says::Allowed),
            _ => None,
        };
        if key == "train-ai" {
            train_ai = says;
        } else if let Some(label) = OLDER_LABELS.iter().position(|label| *label == key) {
            older[label] = says;
        }
    }
    if older.contains(&Some(Says::Reserved)) { Some(Says::Reserved) } else { train_ai }
}

/// A Content-Signal value: `search=yes, ai-train=no`, in any case. Only `ai-train` is about training; one `no` is enough.
pub(super) fn of_signal(value: &str) -> Option<Says> {
    let mut says = None;
    for part in value.split([',', ';']) {
        let Some((key, value)) = part.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else { continue };
        if !key.eq_ignore_ascii_case("ai-train") {
            continue;
        }
        if value.eq_ignore_ascii_case("no") {
            return Some(Says::Reserved);
        }
        if value.eq_ignore_ascii_case("yes") {
            says = Some(Says::Allowed);
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
    use crate::optout::tests::shared;

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
            assert_eq!(of_usage(field), says, "{field}");
        }
    }

    #[test]
    fn labels_of_older_drafts_reserve_and_never_allow() {
        for label in OLDER_LABELS {
            assert_eq!(of_usage(&format!("search=y, {label}=n")), Some(Says::Reserved), "{label}");
            assert_eq!(of_usage(&format!("{label}=n, train-ai=y")), Some(Says::Reserved), "{label}");
            assert_eq!(of_usage(&format!("{label}=y")), None, "{label}");
        }
        assert_eq!(of_usage("search=n, ai-use=n, ai-output=n, inference=n"), None);
    }

    #[test]
    fn content_signals_are_read_in_any_case() {
        for (value, says) in [
            ("search=yes, ai-train=no", Some(Says::Reserved)),
            ("search=yes,AI-Train = NO,use=reference", Some(Says::Reserved)),
            ("ai-train=yes", Some(Says::Allowed)),
            ("ai-train=yes, ai-train=no", Some(Says::Reserved)),
            ("search=no, ai-input=no", None),
            ("ai-train=maybe", None),
            ("ai-train", None),
            ("", None),
        ] {
            assert_eq!(of_signal(value), says, "{value}");
        }
    }

    #[test]
    fn the_examples_of_the_drafts_are_read_as_they_say() {
        let Some(aipref) = shared("aipref") else { return };
        for case in aipref["sf"].as_array().unwrap() {
            let expected = match case[1]["train-ai"].as_str().unwrap() {
                "disallow" => Some(Says::Reserved),
                "allow" => Some(Says::Allowed),
                _ => None,
            };
            assert_eq!(of_usage(case[0].as_str().unwrap()), expected, "{case}");
        }
    }
}
