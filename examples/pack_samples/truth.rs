//! Writes `truth.jsonl`: a line a record, with what it is and what must become of it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::archive::Written;
use crate::origin;
use crate::site::{Page, Sites};

/// The lines so far.
pub(crate) struct Truth {
    lines: Vec<u8>,
    /// Pages of which there are copies.
    copied: BTreeSet<String>,
}

impl Truth {
    /// No lines yet.
    pub(crate) fn new(sites: &Sites) -> Truth {
        let copied = sites.pages.iter().chain(&sites.curated).filter_map(|page| page.get("copy-of")).map(str::to_owned).collect();
        Truth { lines: Vec::new(), copied }
    }

    /// Notes `record` of `archive`.
    pub(crate) fn note(&mut self, archive: &str, record: &Written) {
        let mut fields: Vec<(&str, Value)> = vec![
            ("url", record.url.clone().into()),
            ("archive", archive.into()),
            ("offset", record.offset.into()),
            ("length", record.length.into()),
            ("record", record.kind.into()),
        ];
        match &record.page {
            Some(page) => self.judge(page, record.kind, &mut fields),
            None => fields.extend([("role", record.kind.into()), ("fate", "not-a-document".into())]),
        }
        self.lines.extend_from_slice(json_line(fields).as_bytes());
        self.lines.push(b'\n');
    }

    /// All lines.
    pub(crate) fn into_lines(self) -> Vec<u8> {
        self.lines
    }

    fn judge(&self, page: &Page, kind: &str, fields: &mut Vec<(&str, Value)>) {
        let role = page.get("role").unwrap_or("page");
        let is_copied = kind != "conversion" && self.copied.contains(origin(page));
        let fate = match page.get("by") {
            _ if role == "broken" => "damaged",
            Some(_) => "dropped",
            None if is_copied => "one-of-group",
            None => "kept",
        };
        fields.extend([
            ("role", role.into()),
            ("lang", page.lang().into()),
            ("words", page.body.iter().map(|paragraph| paragraph.split_whitespace().count()).sum::<usize>().into()),
            ("fate", fate.into()),
        ]);
        if let Some(by) = page.get("by") {
            fields.push(("by", by.split('|').collect::<Vec<_>>().into()));
        }
        page.get("reason").into_iter().for_each(|reason| fields.push(("reason", reason.into())));
        if is_copied {
            fields.push(("group", origin(page).into()));
        }
        fields.push(("sure", (page.get("sure") != Some("no")).into()));
        page.get("why").into_iter().for_each(|why| fields.push(("why", why.to_owned().into())));
    }
}

/// One JSON object, its fields in the order given.
pub(crate) fn json_line<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> String {
    let fields: Vec<String> = fields.into_iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
    format!("{{{}}}", fields.join(", "))
}
