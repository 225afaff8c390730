//! One pass over the tokens that builds the flat tree.
//!
//! The stack of open elements follows the tree construction of the HTML standard (13.2.6) where it shapes text: implied end tags of
//! `p`, `li`, `dt`, `dd`, `tr`, `td`, `th`, scopes at table cells, links that end where a new one begins. There are no formatting
//! elements to reconstruct and no foster parenting, so each token costs constant time beside a search of the stack, which is at
//! most `depth_max` high; what is nested deeper stays text of the element at that depth.

mod inline;

use super::describe::{describe, shows_template};
use super::entities;
use super::hints::Hints;
use super::tag::Tag;
use super::tokens::{Token, Tokens};
use super::tree::{Block, Node, Page};

/// Sizes that bound the work on one page, and whether the addresses of its links are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) links: bool,
    pub(super) nodes_max: usize,
    pub(super) depth_max: usize,
}

/// The page has more elements or blocks than `nodes_max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooManyNodes(pub(super) usize);

/// A page with less text may have all of it for readers without scripts.
const TEXT_BYTES_MIN: usize = 1 << 10;

/// Reads a page. What stands in `noscript` is for readers that run no scripts, as we are, but nearly always a notice or a second copy of a
/// picture; so it is read only where it holds most of the text, as on forums that write whole threads there.
pub(super) fn build(html: &str, limits: Limits) -> Result<Page, TooManyNodes> {
    let (page, unread) = read(html, limits, false)?;
    if page.text.len() < TEXT_BYTES_MIN && unread >= TEXT_BYTES_MIN {
        let (whole, _) = read(html, limits, true)?;
        if whole.text.len() > page.text.len() * 2 {
            return Ok(whole);
        }
    }
    Ok(page)
}

/// Reads a page with or without `noscript`; also says how many bytes of markup stood in it unread.
fn read(html: &str, limits: Limits, noscript: bool) -> Result<(Page, usize), TooManyNodes> {
    let mut builder = Builder::new(limits, html.len());
    builder.noscript = noscript;
    let mut tokens = Tokens::new(html);
    loop {
        while let Some(token) = tokens.next() {
            match token {
                Token::Text(text) => builder.text(text),
                Token::Start { tag, name, attributes } => builder.start(tag, name, attributes, &mut tokens),
                Token::End { tag, name } => builder.end(tag, name),
            }
            let size = builder.page.nodes.len().max(builder.page.blocks.len());
            if size > limits.nodes_max {
                return Err(TooManyNodes(size));
            }
        }
        match builder.skipped.take() {
            Some(skipped) => {
                builder.unskippable.push(skipped.tag);
                tokens.rewind(skipped.from);
            }
            None => break,
        }
    }
    let unread = builder.unread;
    Ok((builder.finish(), unread))
}

/// An element whose content is passed over.
struct Skipped {
    tag: Tag,
    /// How many of its kind are open inside each other.
    open: u32,
    /// Position after its start tag.
    from: usize,
    /// Whether HTML may stand in it (`foreignObject`), so that a block does not end it.
    holds_html: bool,
}

/// An inline element that is not shown.
struct HiddenInline {
    /// Inline elements open inside, itself too.
    open: u32,
    /// Height of the stack where it began.
    height: usize,
}

struct Builder {
    limits: Limits,
    /// Whether `noscript` is read.
    noscript: bool,
    /// Bytes in `noscript` that were not read.
    unread: usize,
    page: Page,
    stack: Vec<u32>,
    /// Open elements on the stack, by tag.
    open: [u16; 64],
    /// Elements open beyond `depth_max`.
    beyond: usize,
    skipped: Option<Skipped>,
    /// Kinds that were never closed when they were passed over; they are read like others.
    unskippable: Vec<Tag>,
    hidden: Option<HiddenInline>,
    /// Height of the stack where the open link began.
    link: Option<usize>,
    /// Where in the text the open link began, and its address, if that is wanted.
    anchor: Option<(usize, String)>,
    /// Open elements that emphasise.
    emphasis: u32,
    block: Block,
    space: bool,
    preformatted: u32,
}

impl Builder {
    fn new(limits: Limits, bytes: usize) -> Builder {
        let root = Node { tag: Tag::Body, depth: 0, own: Hints::default(), names: 0, parent: 0, first_block: 0, end_block: 0 };
        let page = Page { text: String::with_capacity(bytes / 8), nodes: vec![root], ..Page::default() };
        Builder {
            limits,
            noscript: false,
            unread: 0,
            page,
            stack: vec![0],
            open: [0; 64],
            beyond: 0,
            skipped: None,
            unskippable: Vec::new(),
            hidden: None,
            link: None,
            anchor: None,
            emphasis: 0,
            block: Block::default(),
            space: false,
            preformatted: 0,
        }
    }

    fn finish(mut self) -> Page {
        self.pop_to(0);
        self.page
    }

    fn text(&mut self, text: &str) {
        if self.skipped.is_some() || self.hidden.is_some() {
            return;
        }
        let before = self.page.text.len();
        if self.preformatted > 0 {
            self.block.verbatim = true;
            entities::decode_into(text, &mut self.page.text);
        } else if memchr::memchr(b'&', text.as_bytes()).is_some() {
            let mut decoded = String::with_capacity(text.len());
            entities::decode_into(text, &mut decoded);
            self.collapse(&decoded);
        } else {
            self.collapse(text);
        }
        if self.link.is_some() {
            self.block.link_bytes += (self.page.text.len() - before) as u32;
        }
        if self.emphasis > 0 {
            self.block.emphasis_bytes += (self.page.text.len() - before) as u32;
        }
    }

    /// Appends `text` with each run of white space as one space.
    fn collapse(&mut self, text: &str) {
        let mut rest = text;
        loop {
            let words = rest.trim_ascii_start();
            self.space |= words.len() < rest.len();
            if words.is_empty() {
                return;
            }
            let end = words.bytes().position(|byte| byte.is_ascii_whitespace()).unwrap_or(words.len());
            if self.space && !self.is_empty() && !self.page.text.ends_with('\n') {
                self.page.text.push(' ');
            }
            self.space = false;
            self.page.text.push_str(&words[..end]);
            rest = &words[end..];
        }
    }

    /// Whether the current block has no text yet.
    fn is_empty(&self) -> bool {
        self.page.text.len() == self.block.start as usize
    }

    /// Ends the current block, if it has text.
    fn flush(&mut self) {
        let anchor = self.close_anchor();
        let text = &self.page.text[self.block.start as usize..];
        let kept = text.trim_end().len();
        if kept > 0 {
            let top = self.top();
            let mut block = std::mem::take(&mut self.block);
            block.end = block.start + kept as u32;
            block.link_bytes = block.link_bytes.min(kept as u32);
            block.node = top;
            self.page.blocks.push(block);
        }
        // A picture stands for the text behind it: its caption, the title of its card.
        let pictures = if kept > 0 { 0 } else { self.block.pictures };
        self.block = Block { start: self.page.text.len() as u32, pictures, ..Block::default() };
        self.space = false;
        self.anchor = anchor.map(|address| (self.page.text.len(), address));
    }

    fn top(&self) -> u32 {
        self.stack.last().copied().unwrap_or(0)
    }

    fn top_tag(&self) -> Tag {
        self.page.nodes[self.top() as usize].tag
    }

    /// Closes elements until the stack is `height` high.
    fn pop_to(&mut self, height: usize) {
        self.flush();
        for node in self.stack.drain(height..) {
            let blocks = self.page.blocks.len() as u32;
            let node = &mut self.page.nodes[node as usize];
            node.end_block = blocks;
            self.open[node.tag as usize] = self.open[node.tag as usize].saturating_sub(1);
            self.preformatted -= u32::from(node.tag == Tag::Pre);
        }
        if self.link.is_some_and(|begun| begun > height) {
            self.end_link();
        }
        if self.hidden.as_ref().is_some_and(|hidden| hidden.height > height) {
            self.hidden = None;
        }
        self.emphasis = 0;
    }

    fn start(&mut self, tag: Tag, name: &str, raw: &str, tokens: &mut Tokens<'_>) {
        if let Some(skipped) = &mut self.skipped {
            skipped.open += u32::from(tag == skipped.tag && !raw.ends_with('/'));
            skipped.holds_html |= name.eq_ignore_ascii_case("foreignObject");
            let foreign = skipped.tag == Tag::Svg && !skipped.holds_html;
            if !(foreign && tag.is_block() && tag != Tag::Custom) {
                return self.pass_raw(tag, name, tokens);
            }
            self.skipped = None;
        }
        match tag {
            Tag::Html => self.page.stated.read_html(raw),
            Tag::Body => self.page.body = self.page.body.and(describe(tag, name, raw).0),
            Tag::Meta => self.page.stated.read_meta(raw),
            Tag::Link => self.page.stated.read_link(raw),
            Tag::Title => self.title(tokens),
            Tag::Raw => self.raw(name, raw, tokens),
            Tag::Template if shows_template(raw) => {}
            Tag::Template | Tag::Svg | Tag::Select | Tag::Media => self.skip(tag, raw, tokens.offset()),
            Tag::Br => self.line_break(),
            Tag::Hr => self.flush(),
            Tag::A => self.start_link(raw),
            Tag::Gap => self.gap(name),
            Tag::Inline => self.start_inline(name, raw),
            Tag::Head | Tag::Void => {}
            _ => self.start_block(tag, name, raw),
        }
    }

    /// An element that holds raw text: a script may hold what the page states, nothing else is of use.
    fn raw(&mut self, name: &str, raw: &str, tokens: &mut Tokens<'_>) {
        let noscript = name.eq_ignore_ascii_case("noscript");
        if noscript && self.noscript {
            return;
        }
        match tokens.raw_text(name) {
            None => tokens.finish(),
            Some(text) if noscript => self.unread += text.len(),
            Some(text) if raw.contains("ld+json") => self.page.stated.read_linked_data(text),
            Some(_) => {}
        }
    }

    /// A picture or a field.
    fn gap(&mut self, name: &str) {
        self.space = true;
        let pictures = u16::from(!name.eq_ignore_ascii_case("input"));
        self.block.pictures = self.block.pictures.saturating_add(pictures);
    }

    /// Passes over the content of an element that holds raw text.
    fn pass_raw(&mut self, tag: Tag, name: &str, tokens: &mut Tokens<'_>) {
        if tag == Tag::Raw && tokens.raw_text(name).is_none() {
            tokens.finish();
        }
    }

    fn skip(&mut self, tag: Tag, raw: &str, from: usize) {
        self.space = true;
        let empty = tag == Tag::Svg && raw.ends_with('/');
        if !empty && !self.unskippable.contains(&tag) {
            self.skipped = Some(Skipped { tag, open: 1, from, holds_html: false });
        }
    }

    fn title(&mut self, tokens: &mut Tokens<'_>) {
        if self.page.stated.title.is_some() {
            return;
        }
        let text = match tokens.raw_text("title") {
            Some(text) => text,
            None => match Iterator::next(tokens) {
                Some(Token::Text(text)) => text,
                _ => "",
            },
        };
        self.page.stated.title = Some(entities::decode(text));
    }

    /// One break is a new line; two in a row begin a new block.
    fn line_break(&mut self) {
        if self.is_empty() {
            return;
        }
        if self.preformatted == 0 && self.page.text.ends_with('\n') {
            self.flush();
        } else {
            self.page.text.push('\n');
            self.space = false;
        }
    }

    fn start_block(&mut self, tag: Tag, name: &str, raw: &str) {
        self.flush();
        if tag.ends_paragraph() && self.top_tag() == Tag::P {
            self.pop_to(self.stack.len() - 1);
        }
        self.imply_ends(tag);
        if self.stack.len() > self.limits.depth_max {
            self.beyond += 1;
            return;
        }
        let (own, names) = describe(tag, name, raw);
        let parent = self.top();
        let depth = self.stack.len() as u16;
        let blocks = self.page.blocks.len() as u32;
        self.stack.push(self.page.nodes.len() as u32);
        self.page.nodes.push(Node { tag, depth, own, names, parent, first_block: blocks, end_block: blocks });
        self.open[tag as usize] += 1;
        self.preformatted += u32::from(tag == Tag::Pre);
    }

    /// Ends what the start of `tag` ends without an end tag.
    fn imply_ends(&mut self, tag: Tag) {
        let (ends, stops): (fn(Tag) -> bool, fn(Tag) -> bool) = match tag {
            Tag::Li => (|open| open == Tag::Li, |open| !matches!(open, Tag::Div | Tag::P | Tag::Address)),
            Tag::Dt | Tag::Dd => (|open| matches!(open, Tag::Dt | Tag::Dd), |open| !matches!(open, Tag::Div | Tag::P | Tag::Address)),
            Tag::Td | Tag::Th => (Tag::is_cell, |open| matches!(open, Tag::Table | Tag::Tr)),
            Tag::Tr => (|open| open == Tag::Tr, |open| open == Tag::Table),
            Tag::TableSection => (|open| open == Tag::TableSection || open == Tag::Tr, |open| open == Tag::Table),
            _ if tag.heading().is_some() => (|open| open.heading().is_some(), |_| true),
            _ => return,
        };
        let mut ended = None;
        for (height, node) in self.stack.iter().enumerate().rev() {
            let open = self.page.nodes[*node as usize].tag;
            if ends(open) {
                ended = Some(height);
                if tag != Tag::TableSection {
                    break;
                }
            } else if stops(open) {
                break;
            }
        }
        if let Some(height) = ended.filter(|height| *height > 0) {
            self.pop_to(height);
        }
    }

    fn end(&mut self, tag: Tag, name: &str) {
        if let Some(skipped) = &mut self.skipped {
            skipped.open -= u32::from(tag == skipped.tag);
            if skipped.open == 0 {
                self.skipped = None;
            }
            return;
        }
        match tag {
            Tag::A => self.end_link(),
            Tag::Br => self.line_break(),
            Tag::Inline => self.end_inline(name),
            _ if tag.is_block() => self.end_block(tag),
            _ => {}
        }
    }

    fn end_block(&mut self, tag: Tag) {
        self.flush();
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let heading = tag.heading().is_some();
        if !heading && self.open[tag as usize] == 0 {
            return;
        }
        let of_table = matches!(tag, Tag::Table | Tag::TableSection | Tag::Tr | Tag::Td | Tag::Th | Tag::Caption);
        for height in (1..self.stack.len()).rev() {
            let open = self.page.nodes[self.stack[height] as usize].tag;
            if open == tag || (heading && open.heading().is_some()) {
                return self.pop_to(height);
            }
            if open == Tag::Table || (open.bounds_scope() && !of_table) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(html: &str) -> Vec<String> {
        let page = build(html, Limits { links: false, nodes_max: 1000, depth_max: 512 }).expect("a small page");
        page.blocks.iter().map(|block| page.text_of(block).to_owned()).collect()
    }

    #[test]
    fn words_of_neighbouring_blocks_are_never_glued_and_inline_ones_never_torn() {
        assert_eq!(blocks("<p>Viens<p>divi<div>trīs</div>četri"), ["Viens", "divi", "trīs", "četri"]);
        assert_eq!(blocks("<p>H<sub>2</sub>O un <b>treknr</b>ak<wbr>sts</p>"), ["H2O un treknraksts"]);
        assert_eq!(blocks("<p>a<br>b<br><br>c<img>d</p>"), ["a\nb", "c d"]);
    }

    #[test]
    fn end_tags_may_be_left_out() {
        assert_eq!(blocks("<ul><li>vienas<li>du<ul><li>trys</ul><li>keturi</ul>"), ["vienas", "du", "trys", "keturi"]);
        let page =
            build("<table><tr><td>a<td>b<tr><th>c</table>", Limits { links: false, nodes_max: 100, depth_max: 512 }).expect("a small page");
        let depths: Vec<u16> = page.nodes.iter().map(|node| node.depth).collect();
        assert_eq!(depths, [0, 1, 2, 3, 3, 2, 3]);
    }

    #[test]
    fn what_is_never_shown_is_not_text() {
        assert_eq!(
            blocks("a<script>if (1<2) '</p>'</script><style>p{}</style><template><p>x</template><svg><title>t</title></svg>b"),
            ["a b"]
        );
        assert_eq!(blocks("<p>ein <span style='color:red; DISPLAY : none'>un<b>sicht</b>bar</span> Wort</p>"), ["ein Wort"]);
    }

    #[test]
    fn a_page_for_readers_without_scripts_is_read_where_there_is_no_other() {
        let thread = "<p>Kā jūs kopjat savu dārzu rudenī?</p>".repeat(40);
        assert_eq!(blocks(&format!("<div id=app></div><noscript>{thread}</noscript>")).len(), 40);
        assert_eq!(blocks(&format!("<noscript><p>Ieslēdziet JavaScript</noscript>{thread}")).len(), 40);
    }

    #[test]
    fn an_unclosed_element_that_is_passed_over_does_not_swallow_the_page() {
        assert_eq!(blocks("<p>a</p><template><p>b</p>"), ["a", "b"]);
        assert_eq!(blocks("<p>a</p><svg><path/><p>b</p>"), ["a", "b"]);
    }

    #[test]
    fn links_end_with_the_element_around_them() {
        let page =
            build("<div><a href=x>link</div><p>text</p>", Limits { links: false, nodes_max: 100, depth_max: 512 }).expect("a small page");
        assert_eq!(page.blocks.iter().map(|block| block.link_bytes).collect::<Vec<_>>(), [4, 0]);
    }

    #[test]
    fn depth_is_bounded_and_text_below_it_stays() {
        let html = format!("{}dziļi{}", "<div>".repeat(60_000), "</div>".repeat(60_000));
        let page = build(&html, Limits { links: false, nodes_max: 100_000, depth_max: 512 }).expect("a small page");
        assert_eq!(page.nodes.len(), 513);
        assert_eq!(page.text_of(&page.blocks[0]), "dziļi");
    }

    #[test]
    fn too_many_elements_are_an_error() {
        assert!(build(&"<p>".repeat(200), Limits { links: false, nodes_max: 100, depth_max: 512 }).is_err());
    }
}
