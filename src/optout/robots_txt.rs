//! What robots.txt says about training: whom it shuts out, and the lines that AIPREF, Cloudflare and RSL add to it.
//!
//! What may be fetched is decided by [`crate::robots`]. A crawler for training that is shut out by name counts as if we were, because an
//! owner cannot know the name of every crawler; so does a preference in its group, if it reserves. Where a file names our crawler, its
//! group counts instead of the one for everybody.

use url::Url;

use super::agents::{Agents, token};
use super::lines::{Line, lines, numbered};
use super::pattern::{Pattern, path_of};
use super::protocols::{CONTENT_SIGNAL, CONTENT_USAGE, ROBOTS_TXT, RSL};
use super::{Says, Signal, SiteFile, rsl, usage};
use crate::robots::Robots;

/// Licences of one file that are told.
const LICENCES_MAX: usize = 16;

/// A robots.txt, ready to be asked about pages.
#[derive(Clone, Debug, Default)]
pub(super) struct RobotsTxt {
    robots: Robots,
    groups: Vec<Group>,
    own: Vec<u8>,
    /// Crawlers for training that the file names.
    training: Vec<Vec<u8>>,
    licences: Vec<Signal>,
}

/// Agents, and the lines for them.
#[derive(Clone, Debug, Default)]
struct Group {
    agents: Vec<Vec<u8>>,
    everybody: bool,
    /// Whether it stands in front of the first `User-agent`: there rules about fetching are for nobody, preferences for everybody.
    is_bare: bool,
    has_rules: bool,
    rules: Vec<Rule>,
}

/// A line for some paths, and what it comes to where it decides; `None` for a preference that says nothing about training.
#[derive(Clone, Debug)]
struct Rule {
    protocol: &'static str,
    pattern: Pattern,
    signal: Option<Signal>,
}

impl RobotsTxt {
    pub(super) fn read(file: &[u8], agents: &Agents<'_>) -> RobotsTxt {
        let mut read =
            RobotsTxt { robots: Robots::parse(&without_preferences(file)), own: token(agents.own.as_bytes()), ..RobotsTxt::default() };
        let mut group = Group { everybody: true, is_bare: true, ..Group::default() };
        for line in lines(file) {
            if line.is("user-agent") {
                if group.has_rules || group.is_bare {
                    read.groups.push(std::mem::take(&mut group));
                }
                group.add_agent(line.value);
            } else if line.is("license") {
                let is_one = read.licences.len() < LICENCES_MAX && rsl::is_licence(line.value);
                read.licences.extend(is_one.then(|| signal_of(RSL, Says::Reserved, &line)));
            } else {
                group.add_rule(&line);
            }
        }
        read.groups.push(group);
        for agent in agents.training.iter().map(|agent| token(agent.as_bytes())) {
            if agent != read.own && !read.training.contains(&agent) && read.groups.iter().any(|group| group.agents.contains(&agent)) {
                read.training.push(agent);
            }
        }
        read
    }

    /// Every signal for the page at `url`, our own crawler's first.
    pub(super) fn signals(&self, url: &str) -> Vec<Signal> {
        let path = path_of(url);
        // Archives hold addresses as links wrote them; rules are matched against the encoded form.
        let encoded = Url::parse(url).map_or_else(|_| url.to_owned(), String::from);
        let mut found = self.said_to(&self.own, &encoded, &path);
        for agent in &self.training {
            found.extend(self.said_to(agent, &encoded, &path).into_iter().filter(|signal| signal.says == Says::Reserved));
        }
        found.extend(self.licences.iter().cloned());
        let mut once: Vec<Signal> = Vec::with_capacity(found.len());
        for signal in found {
            if !once.contains(&signal) {
                once.push(signal);
            }
        }
        once
    }

    /// Whether the page is closed to `agent`, or what is preferred if it is not: what may not be fetched has no preferences (AIPREF).
    fn said_to(&self, agent: &[u8], url: &str, path: &[u8]) -> Vec<Signal> {
        let groups = self.groups_of(agent);
        if !self.robots.allows(agent, url.as_bytes()) {
            return vec![closing_line(&groups, path)];
        }
        [CONTENT_USAGE, CONTENT_SIGNAL].into_iter().flat_map(|protocol| preferences(&groups, protocol, path)).collect()
    }

    /// The groups that name `agent`; where there are none, those for everybody.
    fn groups_of(&self, agent: &[u8]) -> Vec<&Group> {
        let named: Vec<&Group> = self.groups.iter().filter(|group| group.agents.iter().any(|known| known == agent)).collect();
        if named.is_empty() { self.groups.iter().filter(|group| group.everybody).collect() } else { named }
    }
}

impl Group {
    fn add_agent(&mut self, value: &[u8]) {
        if value.first() == Some(&b'*') && value.get(1).is_none_or(u8::is_ascii_whitespace) {
            self.everybody = true;
        } else {
            self.agents.push(token(value));
        }
    }

    fn add_rule(&mut self, line: &Line<'_>) {
        let rule = if line.is(CONTENT_USAGE) {
            Rule::preference(CONTENT_USAGE, line, usage::of_usage)
        } else if line.is(CONTENT_SIGNAL) {
            Rule::preference(CONTENT_SIGNAL, line, usage::of_signal)
        } else if line.is("disallow") && !self.is_bare {
            let signal = Some(signal_of(ROBOTS_TXT, Says::Reserved, line));
            Rule { protocol: ROBOTS_TXT, pattern: Pattern::new(line.value), signal }
        } else {
            self.has_rules |= line.is("allow");
            return;
        };
        self.has_rules = true;
        self.rules.push(rule);
    }
}

impl Rule {
    /// A line `[path] preference`; without path it is for all of them.
    fn preference(protocol: &'static str, line: &Line<'_>, says: fn(&str) -> Option<Says>) -> Rule {
        let (path, preference) = match line.value.iter().position(|byte| matches!(byte, b' ' | b'\t')) {
            Some(gap) if line.value.starts_with(b"/") => (&line.value[..gap], line.value[gap..].trim_ascii()),
            _ => (&b"/"[..], line.value),
        };
        let says = says(&String::from_utf8_lossy(preference));
        Rule { protocol, pattern: Pattern::new(path), signal: says.map(|says| signal_of(protocol, says, line)) }
    }
}

/// The file as [`Robots`] should see it. Preferences are rules of their group (AIPREF), so agents named behind them begin another one; to
/// a matcher that does not know them, an `Allow` without path is such a rule.
fn without_preferences(file: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(file.len());
    for (number, line) in numbered(file) {
        let is_preference = Line::parse(number, line).is_some_and(|line| line.is(CONTENT_USAGE) || line.is(CONTENT_SIGNAL));
        plain.extend_from_slice(if is_preference { b"Allow:" } else { line });
        plain.push(b'\n');
    }
    plain
}

/// The rules of `protocol` that match `path` with the longest pattern.
fn longest<'a>(groups: &'a [&'a Group], protocol: &'static str, path: &'a [u8]) -> impl Iterator<Item = &'a Rule> {
    let matching =
        move || groups.iter().flat_map(|group| &group.rules).filter(move |rule| rule.protocol == protocol && rule.pattern.matches(path));
    let length = matching().map(|rule| rule.pattern.length).max();
    matching().filter(move |rule| Some(rule.pattern.length) == length)
}

/// What the deciding lines of `protocol` prefer: of those that agree the first, however often a file repeats itself.
fn preferences(groups: &[&Group], protocol: &'static str, path: &[u8]) -> Vec<Signal> {
    let first = |says| longest(groups, protocol, path).filter_map(|rule| rule.signal.as_ref()).find(|signal| signal.says == says);
    [Says::Allowed, Says::Reserved].into_iter().filter_map(first).cloned().collect()
}

/// The line that closes a page which [`Robots`] says is closed. Where it forgave a slip of the pen that is not forgiven here, it may be
/// another line of the group, or none that could be quoted.
fn closing_line(groups: &[&Group], path: &[u8]) -> Signal {
    let any = || groups.iter().flat_map(|group| &group.rules).find(|rule| rule.protocol == ROBOTS_TXT);
    let rule = longest(groups, ROBOTS_TXT, path).next().or_else(any);
    rule.and_then(|rule| rule.signal.clone())
        .unwrap_or_else(|| Signal::new(ROBOTS_TXT, Says::Reserved, b"", SiteFile::Robots.path().to_owned()))
}

fn signal_of(protocol: &'static str, says: Says, line: &Line<'_>) -> Signal {
    Signal::at_line(protocol, says, line.text, SiteFile::Robots, line.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optout::tests::shared;

    fn said(robots: &str, own: &str, url: &str) -> Vec<(&'static str, Says, String, String)> {
        let agents = Agents { own, ..Agents::default() };
        let found = RobotsTxt::read(robots.as_bytes(), &agents).signals(url);
        found.into_iter().map(|signal| (signal.protocol, signal.says, signal.quote, signal.place)).collect()
    }

    #[track_caller]
    fn check(robots: &str, url: &str, expected: &[(&str, Says, &str, usize)]) {
        let found = said(robots, "TamisBot", url);
        let expected: Vec<_> = expected
            .iter()
            .map(|(protocol, says, quote, line)| (*protocol, *says, (*quote).to_owned(), format!("/robots.txt line {line}")))
            .collect();
        assert_eq!(found, expected, "{robots} {url}");
    }

    #[test]
    fn a_page_that_is_closed_to_everybody_or_to_us_is_reserved() {
        let robots = "User-agent: *\nDisallow: /osobní/ # jen členové\nAllow: /osobní/veřejné\n\nUser-agent: OtherBot\nDisallow: /";
        check(robots, "https://ostrov.example.cz/osobn%C3%AD/1", &[(ROBOTS_TXT, Says::Reserved, "Disallow: /osobní/", 2)]);
        check(robots, "https://ostrov.example.cz/osobn%C3%AD/ve%C5%99ejn%C3%A9", &[]);
        check(robots, "https://ostrov.example.cz/", &[]);
        let ours = "User-agent: *\nDisallow: /\nUser-agent: tamisbot/1\nDisallow: /a\nDisallow: /a/b";
        check(ours, "/a/b/c", &[(ROBOTS_TXT, Says::Reserved, "Disallow: /a/b", 5)]);
        check(ours, "/c", &[]);
    }

    #[test]
    fn a_page_that_is_closed_to_a_crawler_for_training_is_reserved() {
        for agent in super::super::agents::TRAINING {
            let robots = format!("User-agent: {agent}\nDisallow: /arkiv\n\nUser-agent: *\nDisallow:");
            check(&robots, "/arkiv/1", &[(ROBOTS_TXT, Says::Reserved, "Disallow: /arkiv", 2)]);
            check(&robots, "/", &[]);
        }
        let many = "User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /\nUser-agent: Google-Extended\nDisallow: /";
        check(many, "/", &[(ROBOTS_TXT, Says::Reserved, "Disallow: /", 3), (ROBOTS_TXT, Says::Reserved, "Disallow: /", 5)]);
        check("User-agent: GPTBot\nAllow: /\nUser-agent: TamisBot\nAllow: /\nUser-agent: *\nDisallow: /", "/", &[]);
    }

    #[test]
    fn a_line_that_only_the_matcher_forgives_still_reserves() {
        let found = said("useragent *\nDisalow: /", "TamisBot", "/a");
        assert_eq!(found, [(ROBOTS_TXT, Says::Reserved, String::new(), "/robots.txt".to_owned())]);
    }

    #[test]
    fn preferences_follow_groups_and_the_longest_path() {
        let robots =
            "Content-Signal: search=yes\nUser-agent: *\nContent-Signal: ai-train=no\nContent-Signal: /åpent/ ai-train=yes\nAllow: /";
        check(robots, "/nyheter", &[(CONTENT_SIGNAL, Says::Reserved, "Content-Signal: ai-train=no", 3)]);
        check(robots, "/%C3%A5pent/1", &[(CONTENT_SIGNAL, Says::Allowed, "Content-Signal: /åpent/ ai-train=yes", 4)]);
        let equal = "User-agent: *\nContent-Usage: train-ai=y\nContent-Usage: / genai=n";
        let both = [
            (CONTENT_USAGE, Says::Allowed, "Content-Usage: train-ai=y", 2),
            (CONTENT_USAGE, Says::Reserved, "Content-Usage: / genai=n", 3),
        ];
        check(equal, "/", &both);
        check("content-usage: train-ai=n", "/", &[(CONTENT_USAGE, Says::Reserved, "content-usage: train-ai=n", 1)]);
        let others = "User-agent: GPTBot\nContent-Usage: train-ai=n\nUser-agent: CCBot\nContent-Usage: train-ai=y\n\
                      User-agent: Googlebot\nContent-Usage: train-ai=n";
        check(others, "/", &[(CONTENT_USAGE, Says::Reserved, "Content-Usage: train-ai=n", 2)]);
    }

    #[test]
    fn a_group_of_preferences_alone_is_a_group() {
        let robots = "User-agent: *\nContent-Signal: search=yes\n\nUser-agent: OtherBot\nDisallow: /";
        check(robots, "/nyheter", &[]);
        check("User-agent: *\nSitemap: /s.xml\nUser-agent: OtherBot\nDisallow: /", "/", &[(ROBOTS_TXT, Says::Reserved, "Disallow: /", 4)]);
    }

    #[test]
    fn a_licence_on_offer_is_for_everybody_wherever_it_stands() {
        let robots = "User-agent: Googlebot\nLicense: https://otok.example.hr/dozvola.xml\nAllow: /\nLicense: CC0";
        check(robots, "/priče", &[(RSL, Says::Reserved, "License: https://otok.example.hr/dozvola.xml", 2)]);
    }

    #[test]
    fn the_examples_of_the_draft_are_read_as_it_says() {
        let Some(aipref) = shared("aipref") else { return };
        let robots = aipref["robots"]["txt"].as_str().unwrap();
        for case in aipref["robots"]["cases"].as_array().unwrap() {
            let found = said(robots, case[0].as_str().unwrap(), case[1].as_str().unwrap());
            let is_open = !found.iter().any(|(protocol, ..)| *protocol == ROBOTS_TXT);
            let usage = found.iter().find(|(protocol, ..)| *protocol == CONTENT_USAGE);
            assert_eq!(Some(is_open), case[2].as_bool(), "{case}");
            assert_eq!(usage.map(|(_, says, ..)| *says), case[3].as_str().and_then(usage::of_usage), "{case}");
            assert!(usage.is_none_or(|(.., quote, _)| quote.ends_with(case[3].as_str().unwrap())), "{case}");
        }
    }
}
