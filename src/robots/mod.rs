//! robots.txt as RFC 9309 says it, and where the RFC leaves room, as Google's published matcher does it: site owners test against that one.
//!
//! Beyond the RFC that means: a missing colon and common misspellings are forgiven, a key may be followed by more letters, a line is read up to
//! 16,664 bytes, `*` may be followed by words in a user-agent line, and an allowed `/index.html` allows the folder. Parsing is one pass and a
//! decision is linear in the rules, whatever bytes come in.

mod line;
mod pattern;

use line::{Key, lines, parse_line};
use pattern::Pattern;

/// A robots.txt, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct Robots {
    groups: Vec<Group>,
    sitemaps: Vec<String>,
}

/// Agents, and the rules for them.
#[derive(Clone, Debug, Default)]
struct Group {
    /// Product tokens, in lower case.
    agents: Vec<Vec<u8>>,
    /// Whether it is for everybody.
    everybody: bool,
    rules: Vec<Rule>,
    /// Seconds between two requests.
    crawl_delay: Option<f64>,
}

#[derive(Clone, Debug)]
struct Rule {
    allow: bool,
    pattern: Pattern,
    /// An allowed index page allows its folder.
    folder: Option<Pattern>,
}

/// The longest rules that match, by what they say; `None` where none does.
#[derive(Clone, Copy, Debug, Default)]
struct Longest {
    allow: Option<usize>,
    disallow: Option<usize>,
}

impl Longest {
    fn take(&mut self, rule: &Rule, path: &[u8]) {
        let length = rule.pattern.matched(path).or_else(|| rule.folder.as_ref()?.matched(path));
        let side = if rule.allow { &mut self.allow } else { &mut self.disallow };
        *side = (*side).max(length);
    }

    /// Whether a rule with a pattern decides, and how: the longer wins, and of equal ones the one that allows.
    fn verdict(self) -> Option<bool> {
        let decided = self.allow.max(self.disallow).is_some_and(|length| length > 0);
        decided.then_some(self.disallow <= self.allow)
    }
}

impl Robots {
    /// Reads a robots.txt, whatever its bytes.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Robots {
        let mut robots = Robots::default();
        let mut group = Group::default();
        for line in lines(bytes) {
            let Some((key, value)) = parse_line(line) else { continue };
            match key {
                Key::UserAgent => {
                    if !group.rules.is_empty() {
                        robots.groups.push(std::mem::take(&mut group));
                    }
                    group.add_agent(value);
                }
                Key::Allow | Key::Disallow if group.has_agents() => group.rules.push(Rule::new(key == Key::Allow, value)),
                Key::CrawlDelay if group.has_agents() => group.crawl_delay = seconds(value).or(group.crawl_delay),
                Key::Sitemap => robots.sitemaps.push(String::from_utf8_lossy(value).into_owned()),
                Key::Allow | Key::Disallow | Key::CrawlDelay | Key::Other => {}
            }
        }
        // A group without rules counts too: whom it names may do everything.
        robots.groups.push(group);
        robots
    }

    /// Whether the crawler with the product token `agent` may fetch `url`, an absolute address or a path. Groups that name it are one
    /// group (RFC 9309, 2.2.1); where there is none, those for everybody count.
    #[must_use]
    pub fn allows(&self, agent: &[u8], url: &[u8]) -> bool {
        let (agent, path) = (agent.to_ascii_lowercase(), path_of(url));
        let (mut own, mut everybody, mut is_named) = (Longest::default(), Longest::default(), false);
        for group in &self.groups {
            let named = group.agents.contains(&agent);
            is_named |= named;
            if named || group.everybody {
                let longest = if named { &mut own } else { &mut everybody };
                group.rules.iter().for_each(|rule| longest.take(rule, &path));
            }
        }
        own.verdict().or_else(|| if is_named { None } else { everybody.verdict() }).unwrap_or(true)
    }
}

impl Robots {
    /// The pause in seconds that the file asks the crawler `agent` for: the longest of its groups, else of those for everybody.
    /// No standard has it, many files do.
    #[must_use]
    pub fn crawl_delay(&self, agent: &[u8]) -> Option<f64> {
        let agent = agent.to_ascii_lowercase();
        let is_named = self.groups.iter().any(|group| group.agents.contains(&agent));
        let counts = |group: &&Group| if is_named { group.agents.contains(&agent) } else { group.everybody };
        self.groups.iter().filter(counts).filter_map(|group| group.crawl_delay).reduce(f64::max)
    }

    /// The sitemaps that the file names, in its order.
    #[must_use]
    pub fn sitemaps(&self) -> &[String] {
        &self.sitemaps
    }
}

/// A number of seconds that is not negative.
fn seconds(value: &[u8]) -> Option<f64> {
    std::str::from_utf8(value).ok()?.parse::<f64>().ok().filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
}

impl Group {
    fn add_agent(&mut self, value: &[u8]) {
        if value.first() == Some(&b'*') && value.get(1).is_none_or(u8::is_ascii_whitespace) {
            self.everybody = true;
            return;
        }
        let token = value.iter().take_while(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'));
        self.agents.push(token.map(u8::to_ascii_lowercase).collect());
    }

    fn has_agents(&self) -> bool {
        self.everybody || !self.agents.is_empty()
    }
}

impl Rule {
    fn new(allow: bool, value: &[u8]) -> Rule {
        let escaped = pattern::escaped(value);
        let slash = escaped.iter().rposition(|byte| *byte == b'/').filter(|slash| allow && escaped[*slash..].starts_with(b"/index.htm"));
        let folder = slash.map(|slash| Pattern::new([&escaped[..=slash], b"$"].concat()));
        Rule { allow, pattern: Pattern::new(escaped), folder }
    }
}

/// Path and query of an address; a path stays what it is.
fn path_of(url: &[u8]) -> Vec<u8> {
    let start = if url.starts_with(b"//") { 2 } else { 0 };
    let begins = |from: usize| url[from..].iter().position(|byte| b"/?;".contains(byte)).map(|at| from + at);
    let scheme = memchr::memmem::find(&url[start..], b"://").map(|at| start + at);
    let host = match scheme.filter(|scheme| begins(start).is_none_or(|path| path >= *scheme)) {
        Some(scheme) => scheme + 3,
        None => start,
    };
    let fragment = url[start..].iter().position(|byte| *byte == b'#').map_or(url.len(), |at| start + at);
    match begins(host).filter(|path| *path < fragment) {
        None => b"/".to_vec(),
        Some(path) if url[path] == b'/' => url[path..fragment].to_vec(),
        Some(path) => [b"/", &url[path..fragment]].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn allows(robots: &str, agent: &str, url: &str) -> bool {
        Robots::parse(robots.as_bytes()).allows(agent.as_bytes(), url.as_bytes())
    }

    #[test]
    fn pauses_are_those_of_the_own_group_and_sitemaps_are_for_all() {
        let robots = Robots::parse(
            b"Sitemap: https://ostrov.example.cz/mapa.xml\nUser-agent: *\nCrawl-delay: 2.5\nDisallow:\n\nUser-agent: pomalubot\nCrawl-delay: 60\n\
              Disallow: /x\nUser-agent: divnybot\nCrawl-delay: -1\nDisallow: /",
        );
        let delay = |agent: &[u8]| robots.crawl_delay(agent);
        assert_eq!((delay(b"tamisbot"), delay(b"PomaluBot"), delay(b"divnybot")), (Some(2.5), Some(60.0), None));
        assert_eq!(robots.sitemaps(), ["https://ostrov.example.cz/mapa.xml"]);
    }

    #[test]
    fn the_longest_rule_wins_and_of_equal_ones_the_one_that_allows() {
        let robots = "User-agent: *\nDisallow: /arhiv\nAllow: /arhiv/javno\nDisallow: /arhiv/javno/*.pdf$\nAllow: /x\nDisallow: /x";
        for (path, allowed) in [
            ("/", true),
            ("/arhiv", false),
            ("/arhiv/javno/pismo", true),
            ("/arhiv/javno/pismo.pdf", false),
            ("/arhiv/javno/pismo.pdf?v=2", true),
            ("https://otok.example.hr/arhiv/a", false),
            ("https://otok.example.hr", true),
            ("/x/1", true),
        ] {
            assert_eq!(allows(robots, "TamisBot", path), allowed, "{path}");
        }
    }

    #[test]
    fn groups_that_name_a_crawler_are_one_and_shut_out_those_for_everybody() {
        let robots =
            "User-agent: tamisbot\nDisallow: /a\n\nUser-agent: *\nDisallow: /\n\nUser-agent: Other\nUser-agent: TAMISBOT/2.0\nDisallow: /b";
        for (path, allowed) in [("/a", false), ("/b", false), ("/c", true)] {
            assert_eq!(allows(robots, "TamisBot", path), allowed, "{path}");
        }
        assert!(!allows(robots, "AnotherBot", "/c") && !allows(robots, "Other", "/b") && allows(robots, "Other", "/a"));
        assert!(allows("User-agent: *\nDisallow: /\nUser-agent: TamisBot", "TamisBot", "/"), "named without a rule");
        assert!(allows("Disallow: /", "TamisBot", "/"), "a rule for nobody");
    }

    #[test]
    fn marks_line_ends_comments_and_slips_of_the_pen_are_forgiven() {
        for robots in [
            "\u{feff}User-agent: *\r\nDisallow: /tajne # samo za nas",
            "useragent *\rdissallow : /tajne\r",
            "USER-AGENT:* everybody\nDisallow /tajne",
            "User-agents: *\nSitemap: https://otok.example.hr/s.xml\nDisallow:/tajne",
        ] {
            assert!(!allows(robots, "TamisBot", "/tajne/1") && allows(robots, "TamisBot", "/javno"), "{robots:?}");
        }
        assert!(allows("User-agent: *\nDisallow: /\nAllow: /priče/index.html", "TamisBot", "/pri%C4%8De/"));
        assert!(!allows("User-agent: *\nDisallow: /pri%c4%8de", "TamisBot", "/pri%C4%8De/1"));
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..400), url in proptest::collection::vec(any::<u8>(), 0..60)) {
            let whole = [b"User-agent: *\nDisallow: /".as_slice(), &bytes].concat();
            let _ = Robots::parse(&whole).allows(b"TamisBot", &url);
            let _ = Robots::parse(&bytes).allows(&url, &bytes);
        }
    }
}
