//! The protocols in which owners state reservations: one table, which the documentation is held against.

/// A way to say what may be done with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// As it stands in signals and in the column `optout.protocol`.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Where it is specified.
    pub specification: &'static str,
    /// Which edition we read.
    pub version: &'static str,
}

pub(super) const TDMREP_FILE: &str = "tdmrep-file";
pub(super) const TDMREP_HEADER: &str = "tdmrep-header";
pub(super) const TDMREP_META: &str = "tdmrep-meta";
pub(super) const CONTENT_USAGE: &str = "content-usage";
pub(super) const X_ROBOTS_TAG: &str = "x-robots-tag";
pub(super) const ROBOTS_META: &str = "robots-meta";
pub(super) const ROBOTS_TXT: &str = "robots-txt";
pub(super) const CONTENT_SIGNAL: &str = "content-signal";
pub(super) const RSL: &str = "rsl";
pub(super) const AI_TXT: &str = "ai-txt";
pub(super) const HTTP_STATUS: &str = "http-status";

const TDMREP: &str = "W3C TDM Reservation Protocol, www.w3.org/community/reports/tdmrep";
const TDMREP_VERSION: &str = "draft of 7 December 2025";
const NOAI: &str =
    "robots directives of DeviantArt, www.deviantart.com/team/journal/UPDATE-All-Deviations-Are-Opted-Out-of-AI-Datasets-934500371";

/// All that are read.
pub const PROTOCOLS: &[Protocol] = &[
    Protocol {
        name: ROBOTS_TXT,
        summary: "the path is disallowed to our crawler, to everybody, or to a crawler that gathers for training",
        specification: "RFC 9309; the list of crawlers stands in src/optout/agents.rs",
        version: super::agents::TRAINING_VERSION,
    },
    Protocol {
        name: CONTENT_USAGE,
        summary: "Content-Usage in a response header or in robots.txt: train-ai=n, or =n for a label of older drafts",
        specification: "IETF draft-ietf-aipref-attach and draft-ietf-aipref-vocab",
        version: "drafts of 19 August 2026; labels since vocab-00",
    },
    Protocol {
        name: CONTENT_SIGNAL,
        summary: "Content-Signal in robots.txt or in a response header: ai-train=no",
        specification: "Cloudflare, contentsignals.org",
        version: "September 2025",
    },
    Protocol {
        name: RSL,
        summary: "a licence on offer: License in robots.txt, Link header, <link> or <script> of type application/rsl+xml",
        specification: "Really Simple Licensing, rslstandard.org/rsl",
        version: "1.0",
    },
    Protocol {
        name: TDMREP_FILE,
        summary: "rules for paths in /.well-known/tdmrep.json: tdm-reservation 1",
        specification: TDMREP,
        version: TDMREP_VERSION,
    },
    Protocol { name: TDMREP_HEADER, summary: "response header tdm-reservation: 1", specification: TDMREP, version: TDMREP_VERSION },
    Protocol { name: TDMREP_META, summary: "<meta> tdm-reservation 1", specification: TDMREP, version: TDMREP_VERSION },
    Protocol {
        name: X_ROBOTS_TAG,
        summary: "response header X-Robots-Tag: noai or noimageai",
        specification: NOAI,
        version: "November 2022",
    },
    Protocol { name: ROBOTS_META, summary: "<meta> for robots: noai or noimageai", specification: NOAI, version: "November 2022" },
    Protocol {
        name: AI_TXT,
        summary: "/ai.txt disallows the path, everything, or types of text",
        specification: "Spawning, spawning.ai/ai-txt",
        version: "May 2023",
    },
    Protocol {
        name: HTTP_STATUS,
        summary: "the answer was 402 (payment required) or 451 (not available for legal reasons)",
        specification: "RFC 9110, 15.5.3, and RFC 7725",
        version: "2022 and 2016",
    },
];
