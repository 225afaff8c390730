//! The crawler's policy as an Atom feed (RFC 4287), so that webmasters hear when it changes: an entry for each version of a file of entries that the operator
//! keeps. The last entry is what holds now.

use serde::Deserialize;

/// The file: a feed and its entries.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Title of the feed.
    pub title: String,
    /// The page that the feed is about; names it for good.
    pub url: String,
    /// Who answers for it.
    pub author: String,
    /// What changed when.
    pub change: Vec<Change>,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The day, YYYY-MM-DD.
    pub date: String,
    /// What changed, in a line.
    pub title: String,
    /// The same in full.
    pub text: String,
}

impl Policy {
    /// Reads the file's text.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn parse(text: &str) -> Result<Policy, String> {
        let mut policy: Policy = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        for change in &policy.change {
            change.date.parse::<jiff::civil::Date>().map_err(|_| format!("`{}` is no day; write it as YYYY-MM-DD", change.date))?;
        }
        if policy.change.is_empty() || url::Url::parse(&policy.url).is_err() {
            return Err("a feed has an address and at least one [[change]]".to_owned());
        }
        policy.change.sort_by(|a, b| b.date.cmp(&a.date));
        Ok(policy)
    }

    /// The feed, the newest change first.
    #[must_use]
    pub fn atom(&self) -> String {
        let updated = format!("{}T00:00:00Z", self.change[0].date);
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n  <id>{url}</id>\n  <title>{}</title>\n  <updated>{updated}</updated>\n  \
             <link href=\"{url}\"/>\n  <author><name>{}</name></author>\n",
            escaped(&self.title),
            escaped(&self.author),
            url = escaped(&self.url)
        );
        for (number, change) in self.change.iter().rev().enumerate().collect::<Vec<_>>().into_iter().rev() {
            text += &format!(
                "  <entry>\n    <id>{}#change-{}</id>\n    <title>{}</title>\n    <updated>{}T00:00:00Z</updated>\n    <content type=\"text\">{}</content>\n  </entry>\n",
                escaped(&self.url),
                number + 1,
                escaped(&change.title),
                change.date,
                escaped(&change.text)
            );
        }
        text + "</feed>\n"
    }
}

fn escaped(text: &str) -> String {
    let safe: String = text.chars().filter(|sign| !sign.is_control() || *sign == '\n').collect();
    safe.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_newest_first_and_keep_their_names_when_more_come() {
        let one = "title = \"Bot & <policy>\"\nurl = \"https://example.eu/bot\"\nauthor = \"A\"\n[[change]]\ndate = \"2026-01-01\"\ntitle = \"begins\"\ntext = \"a < b\"\n";
        let two = format!("{one}[[change]]\ndate = \"2026-02-01\"\ntitle = \"slower\"\ntext = \"x\"\n");
        let atom = Policy::parse(&two).expect("sound").atom();
        let place = |text: &str| atom.find(text).unwrap_or_else(|| panic!("{text} in {atom}"));
        assert!(place("bot#change-2") < place("bot#change-1") && place("<updated>2026-02-01T00:00:00Z") < place("slower"));
        assert!(atom.contains("Bot &amp; &lt;policy&gt;") && atom.contains("a &lt; b"));
        assert!(Policy::parse(one).expect("sound").atom().contains("bot#change-1"));
        assert!(Policy::parse(&two.replace("2026-02-01", "soon")).expect_err("no day").contains("YYYY-MM-DD"));
    }
}
