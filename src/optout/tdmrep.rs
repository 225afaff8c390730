//! W3C's TDM Reservation Protocol: the values of header and `<meta>`, and the rules of `/.well-known/tdmrep.json`.
//!
//! Of the rules the first that matches the path counts, as the report says. The file is read rule by rule, so that one mistake (a comma
//! too many is the usual one) does not take the others away.

use serde_json::Value;

use super::pattern::Pattern;
use super::protocols::TDMREP_FILE;
use super::{Says, Signal, SiteFile};

/// Bytes of the file that are read.
const FILE_BYTES_MAX: usize = 4 << 20;

/// `1` reserves, `0` does not, and any other value is as if it were not there.
pub(super) fn says(value: &[u8]) -> Option<Says> {
    match value.trim_ascii() {
        b"1" => Some(Says::Reserved),
        b"0" => Some(Says::Allowed),
        _ => None,
    }
}

/// The rules of a tdmrep.json.
#[derive(Clone, Debug, Default)]
pub(super) struct Tdmrep {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    location: Pattern,
    signal: Signal,
}

impl Tdmrep {
    pub(super) fn read(file: &[u8]) -> Tdmrep {
        let file = &file[..file.len().min(FILE_BYTES_MAX)];
        Tdmrep { rules: objects(file).filter_map(|(line, object)| Rule::read(line, object)).collect() }
    }

    pub(super) fn signal(&self, path: &[u8]) -> Option<Signal> {
        self.rules.iter().find(|rule| rule.location.matches(path)).map(|rule| rule.signal.clone())
    }
}

impl Rule {
    /// `None` where location or reservation is missing, or the reservation is neither 0 nor 1.
    fn read(line: usize, object: &[u8]) -> Option<Rule> {
        let rule: Value = serde_json::from_slice(object).ok()?;
        let says = match rule.get("tdm-reservation")? {
            Value::Number(number) => says(number.to_string().as_bytes())?,
            // Quoted by mistake, but the wish is clear.
            Value::String(text) => says(text.as_bytes())?,
            _ => return None,
        };
        let location = Pattern::new(rule.get("location")?.as_str()?.as_bytes());
        Some(Rule { location, signal: Signal::at_line(TDMREP_FILE, says, object, SiteFile::Tdmrep, line) })
    }
}

/// The outermost objects of a JSON text, each with the number of its first line.
fn objects(json: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let (mut at, mut line) = (0, 1);
    std::iter::from_fn(move || {
        let (mut start, mut depth) = ((0, 0), 0_u32);
        let (mut quoted, mut escaped) = (false, false);
        while let Some(byte) = json.get(at) {
            at += 1;
            let was_escaped = std::mem::take(&mut escaped);
            match byte {
                b'\n' => line += 1,
                b'\\' if quoted => escaped = !was_escaped,
                b'"' if !was_escaped => quoted = !quoted,
                b'{' if !quoted => {
                    if depth == 0 {
                        start = (at - 1, line);
                    }
                    depth += 1;
                }
                b'}' if !quoted && depth > 0 => {
                    depth -= 1;
                    if depth == 0 {
                        return Some((start.1, &json[start.0..at]));
                    }
                }
                _ => {}
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optout::pattern::path_of;
    use crate::optout::tests::shared;

    fn said(file: &str, url: &str) -> Option<Says> {
        Tdmrep::read(file.as_bytes()).signal(&path_of(url)).map(|signal| signal.says)
    }

    #[test]
    fn the_first_rule_that_matches_counts_and_says_where_it_stands() {
        let file = "\u{feff}[\n {\"location\": \"/κείμενα/ανοιχτά/\", \"tdm-reservation\": 0},\n {\"location\": \"/κείμενα/\",\n  \
                    \"tdm-reservation\": 1, \"tdm-policy\": \"https://nisi.example.gr/{άδεια}\"},\n]";
        let rules = Tdmrep::read(file.as_bytes());
        let signal = rules.signal(&path_of("https://nisi.example.gr/κείμενα/1")).unwrap();
        assert_eq!((signal.says, signal.place.as_str()), (Says::Reserved, "/.well-known/tdmrep.json line 3"));
        assert!(signal.quote.starts_with("{\"location\": \"/κείμενα/\"") && signal.quote.ends_with("{άδεια}\"}"));
        assert_eq!(said(file, "https://nisi.example.gr/κείμενα/ανοιχτά/2"), Some(Says::Allowed));
        assert_eq!(said(file, "https://nisi.example.gr/"), None);
    }

    #[test]
    fn rules_that_cannot_be_read_are_as_if_they_were_not_there() {
        for rule in [
            r#"{"location": "/", "tdm-reservation": true}"#,
            r#"{"location": "/", "tdm-reservation": 2}"#,
            r#"{"location": "/", "tdm-reservation": 1.5}"#,
            r#"{"location": 7, "tdm-reservation": 1}"#,
            r#"{"tdm-reservation": 1}"#,
            r#"{"location": "/"}"#,
            r#"{"location": "/", "tdm-reservation": 1"#,
            r#"{"rules": [{"location": "/", "tdm-reservation": 1}]}"#,
            "<html>Stránka nenalezena</html>",
            "",
        ] {
            assert_eq!(said(rule, "/a"), None, "{rule}");
            let then = format!("[{rule}, {{\"location\": \"/\", \"tdm-reservation\": \"1\"}}]");
            let is_open = rule.starts_with('{') && !rule.ends_with('}');
            assert_eq!(said(&then, "/a"), (!is_open).then_some(Says::Reserved), "{then}");
        }
    }

    #[test]
    fn the_examples_of_the_report_are_read_as_it_says() {
        let Some(tdmrep) = shared("tdmrep") else { return };
        let meant = |value: &Value| value.as_u64().map(|value| if value == 1 { Says::Reserved } else { Says::Allowed });
        for case in tdmrep["header"].as_array().unwrap() {
            assert_eq!(says(case[0].as_str().unwrap().as_bytes()), meant(&case[1]), "{case}");
        }
        let file = serde_json::to_string_pretty(&tdmrep["file"]).unwrap();
        for case in tdmrep["file_cases"].as_array().unwrap() {
            assert_eq!(said(&file, case[0].as_str().unwrap()), meant(&case[1]), "{case}");
        }
        for case in tdmrep["escapes"].as_array().unwrap() {
            let file = serde_json::json!([{ "location": case[0], "tdm-reservation": 1 }]).to_string();
            assert_eq!(said(&file, case[1].as_str().unwrap()).is_some(), case[2].as_bool().unwrap(), "{case}");
        }
    }
}
