//! What runs inside the lines: links, emphasis, and inline elements that are not shown.
//!
//! Inline elements are not in the tree, as there are too many and they hold too little; what is of use of them is noted at the block. Their
//! class names were read for a while, and forests hardly asked for them.

use super::super::describe::is_hidden;
use super::super::entities;
use super::super::tokens::attributes;
use super::super::tree::Anchor;
use super::{Builder, HiddenInline};

/// The addresses of longer links are left out.
const ADDRESS_BYTES_MAX: usize = 2_000;

impl Builder {
    pub(super) fn start_link(&mut self, raw: &str) {
        self.end_link();
        let mut href = None;
        let mut rel = "";
        for (name, value) in attributes(raw) {
            match name {
                "href" | "HREF" => href = Some(value),
                "rel" | "REL" => rel = value,
                _ => {}
            }
        }
        if let Some(href) = href {
            self.page.stated.read_anchor(href, rel);
            self.link = Some(self.stack.len());
            if self.limits.links && leads_on(href) {
                self.anchor = Some((self.page.text.len(), entities::decode(href)));
            }
            self.block.links = self.block.links.saturating_add(1);
        }
    }

    pub(super) fn start_inline(&mut self, name: &str, raw: &str) {
        self.emphasis += u32::from(emphasises(name));
        if let Some(hidden) = &mut self.hidden {
            hidden.open += 1;
        } else if (raw.contains("hidden") || raw.contains("none")) && attributes(raw).any(|(name, value)| is_hidden(name, value)) {
            self.hidden = Some(HiddenInline { open: 1, height: self.stack.len() });
        }
    }

    pub(super) fn end_inline(&mut self, name: &str) {
        self.emphasis = self.emphasis.saturating_sub(u32::from(emphasises(name)));
        if let Some(hidden) = &mut self.hidden {
            hidden.open -= 1;
            if hidden.open == 0 {
                self.hidden = None;
            }
        }
    }

    pub(super) fn end_link(&mut self) {
        self.link = None;
        self.close_anchor();
    }

    /// Notes the open link up to here, and gives its address back.
    pub(super) fn close_anchor(&mut self) -> Option<String> {
        let (start, address) = self.anchor.take()?;
        let end = self.page.text.trim_end().len();
        if start < end {
            self.page.anchors.push(Anchor { start: start as u32, end: end as u32, address: address.clone() });
        }
        Some(address)
    }
}

fn emphasises(name: &str) -> bool {
    matches!(name, "b" | "strong" | "em" | "i" | "B" | "STRONG" | "EM" | "I")
}

/// Whether an address leads to a page and can stand in Markdown as it is.
fn leads_on(address: &str) -> bool {
    let plain = !address.bytes().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'(' | b')' | b'<' | b'>'));
    plain
        && address.len() <= ADDRESS_BYTES_MAX
        && !address.is_empty()
        && !address.starts_with('#')
        && !address.contains("script:")
        && !address.starts_with("data:")
}
