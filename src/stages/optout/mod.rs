//! Reads what the owner of a page says about its use for training, and drops what is reserved.
//!
//! The reading itself is [`crate::optout`]'s, the same for archives and live pages; a document carries its response's headers and its
//! markup, so those are the evidence here. It runs before `extract`, which takes the markup away.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::ValueDeserializer;

use crate::doc::{Document, OptOut};
use crate::optout::{Evidence, Finding, Site};
use crate::stage::{BuildError, Field, Resources, Room, Stage, Verdict};

const RESERVED: &str = "reserved";

/// The row of this stage.
pub const ROOM: Room = Room {
    name: "optout",
    summary: "drops what its owner has reserved from training",
    reasons: &[RESERVED],
    signals: &[],
    needs: &[Field::Html],
    gives: &[],
    schema: || schemars::schema_for!(Reservation),
    build,
};

/// Reads what the owner of a page says about its use for training (`noai`, TDMRep, Content-Usage) and drops what is reserved.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Reservation {
    /// Drop what is reserved. Without it documents are only marked.
    pub drop: bool,
    /// How far into a page `<meta>` is looked for, in bytes; the end of its head ends the search sooner.
    pub head_bytes_max: usize,
}

impl Default for Reservation {
    fn default() -> Reservation {
        Reservation { drop: true, head_bytes_max: 1 << 20 }
    }
}

fn build(settings: ValueDeserializer<'_>, _: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    Ok(Box::new(Reservation::deserialize(settings)?))
}

impl Reservation {
    /// What the document's own headers and head say; files of its site are not known here.
    fn find(&self, doc: &Document) -> Finding {
        let head = &doc.html.as_bytes()[..doc.html.len().min(self.head_bytes_max)];
        Site::default().find(&Evidence {
            url: &doc.url,
            status: doc.http_status,
            headers: &doc.policy_headers,
            html: head,
            ..Evidence::default()
        })
    }
}

impl Stage for Reservation {
    fn judge(&self, doc: &mut Document) -> Verdict {
        // What an input says already stands: a reservation is never taken back by a signal that is missing here.
        if doc.optout.as_ref().is_none_or(|known| known.verdict != RESERVED) {
            let found = self.find(doc);
            let (verdict, protocol) = (found.verdict.as_str(), found.decisive().map_or("none", |signal| signal.protocol));
            doc.optout = Some(OptOut { verdict: verdict.to_owned(), protocol: protocol.to_owned(), checked_at: doc.fetched_at });
        }
        let is_reserved = doc.optout.as_ref().is_some_and(|optout| optout.verdict == RESERVED);
        if self.drop && is_reserved { Verdict::drop(RESERVED) } else { Verdict::Keep }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(headers: &[(&str, &str)], html: &str) -> (bool, String, String) {
        let policy_headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut doc = Document { html: html.to_owned(), policy_headers, fetched_at: Some(7), ..Document::default() };
        let kept = match Reservation::default().judge(&mut doc) {
            Verdict::Keep => true,
            Verdict::Drop(dropped) => {
                assert_eq!(dropped.reason, RESERVED);
                false
            }
        };
        let optout = doc.optout.unwrap();
        assert_eq!(optout.checked_at, Some(7));
        assert_eq!(kept, optout.verdict != RESERVED);
        (kept, optout.verdict, optout.protocol)
    }

    fn check(headers: &[(&str, &str)], html: &str, verdict: &str, protocol: &str) {
        let (_, found, by) = judge(headers, html);
        assert_eq!((found.as_str(), by.as_str()), (verdict, protocol), "{headers:?} {html}");
    }

    #[test]
    fn a_header_can_reserve() {
        check(&[("x-robots-tag", "noindex, NoAI")], "", "reserved", "x-robots-tag");
        check(&[("x-robots-tag", "GPTBot: noimageai")], "", "reserved", "x-robots-tag");
        check(&[("x-robots-tag", "noindex"), ("x-robots-tag", "noai")], "", "reserved", "x-robots-tag");
        check(&[("tdm-reservation", " 1 ")], "", "reserved", "tdmrep-header");
        check(&[("content-usage", "search=y, train-ai=n")], "", "reserved", "content-usage");
    }

    #[test]
    fn the_markup_can_reserve_in_any_case_order_and_quoting() {
        for html in [
            "<!doctype html><html lang=lv><head><meta name=robots content=noai><title>Ziņas</title>",
            "<HEAD>\n<META  CONTENT = 'index, NOAI'\n NAME = \"Robots\" />",
            "<meta charset=utf-8><meta property=x><meta name='gptbot' content='noimageai , nofollow'>",
            "<script>if (a<b) document.write('</head>')</script><style>a>b{}</style><meta name=robots content=\"noai\">",
        ] {
            check(&[], html, "reserved", "robots-meta");
        }
        check(&[], "<head><meta content=\"1\" name=\"TDM-Reservation\">", "reserved", "tdmrep-meta");
    }

    #[test]
    fn what_is_no_signal_says_nothing() {
        for html in [
            "",
            "<head><meta name=robots content='noindex, nofollow'></head><body>noai",
            "<head><!-- <meta name=robots content=noai> --><title>Κείμενο</title></head>",
            "<head><script>var s = '<meta name=robots content=noai>'</script></head>",
            "<head></head><body><meta name=robots content=noai>",
            "<meta name=description content='noai'>",
            "<meta name=robots content='noaix'>",
            "<meta name=tdm-reservation content=yes>",
            "<meta name=robots content='noai",
            "<metadata name=robots content=noai>",
        ] {
            check(
                &[
                    ("tdm-reservation", "true"),
                    ("content-usage", "Train-AI=n"),
                    ("x-robots-tag", "unavailable_after: 25 Jun 2010 15:00:00 PST"),
                ],
                html,
                "unknown",
                "none",
            );
        }
    }

    #[test]
    fn an_explicit_permission_is_told_apart_from_silence() {
        check(&[("tdm-reservation", "0")], "", "allowed", "tdmrep-header");
        check(&[("content-usage", "train-ai=y")], "", "allowed", "content-usage");
        check(&[], "<meta name=tdm-reservation content=0>", "allowed", "tdmrep-meta");
    }

    #[test]
    fn one_reservation_outweighs_permissions_of_other_protocols() {
        check(&[("content-usage", "train-ai=y"), ("x-robots-tag", "noai")], "", "reserved", "x-robots-tag");
    }

    #[test]
    fn in_tdmrep_the_page_outranks_its_header() {
        check(&[("tdm-reservation", "1")], "<meta name=tdm-reservation content=0>", "allowed", "tdmrep-meta");
        check(&[("tdm-reservation", "0")], "<meta name=tdm-reservation content=1>", "reserved", "tdmrep-meta");
        check(&[("tdm-reservation", "1")], "<meta name=tdm-reservation content=maybe>", "reserved", "tdmrep-header");
    }

    #[test]
    fn a_reservation_that_the_input_states_is_never_taken_back() {
        let known = OptOut { verdict: "reserved".to_owned(), protocol: "tdmrep-file".to_owned(), checked_at: Some(1) };
        let mut doc =
            Document { optout: Some(known.clone()), html: "<meta name=tdm-reservation content=0>".to_owned(), ..Document::default() };
        assert_eq!(Reservation::default().judge(&mut doc), Verdict::drop(RESERVED));
        assert_eq!(doc.optout, Some(known));
    }

    #[test]
    fn marking_without_dropping_is_possible() {
        let mut doc = Document { html: "<meta name=robots content=noai>".to_owned(), ..Document::default() };
        assert_eq!(Reservation { drop: false, ..Reservation::default() }.judge(&mut doc), Verdict::Keep);
        assert_eq!(doc.optout.map(|optout| optout.verdict).as_deref(), Some("reserved"));
    }

    #[test]
    fn the_search_ends_at_its_limit_even_inside_a_character() {
        let stage = Reservation { head_bytes_max: 9, ..Reservation::default() };
        let mut doc = Document { html: "<title>ž</title><meta name=robots content=noai>".to_owned(), ..Document::default() };
        assert_eq!(stage.judge(&mut doc), Verdict::Keep);
    }
}
