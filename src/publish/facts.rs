//! What a publisher says of a data set and no machine can know: a TOML file. All of it may be missing; then the reports have open fields.

use std::path::Path;

use serde::Deserialize;

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// The data set's title; its name if not given.
    pub title: String,
    /// What it is, in some sentences.
    pub description: String,
    /// Version, as in 1.0.0.
    pub version: String,
    /// The day of publication, YYYY-MM-DD.
    pub published: String,
    /// Licence of the data set: an SPDX name or an address.
    pub licence: String,
    /// Where it can be had.
    pub url: String,
    /// How it wants to be cited.
    pub citation: String,
    /// Who answers for it.
    pub provider: Provider,
    /// The model that is trained on it.
    pub model: Model,
    /// What is known of the crawler.
    pub crawler: Crawler,
    /// Where inputs came from, by the beginning of their paths.
    #[serde(rename = "source")]
    pub sources: Vec<SourceFact>,
    /// Whether the provider is a small or medium-sized enterprise (Recommendation 2003/361/EC).
    pub sme: bool,
    /// Whether the provider signed the Code of Practice with its copyright chapter.
    pub code_of_practice: Option<bool>,
    /// Further measures against illegal content.
    pub illegal_content: String,
    /// Known limits and biases.
    pub limitations: String,
    /// Anything else.
    pub comments: String,
    /// Version of the AI Act summary, with where earlier ones are.
    pub summary_version: String,
    /// What else is particular to the data: regions, groups of people.
    pub other_characteristics: String,
    /// What else is to be said of how data were processed.
    pub processing: String,
}

/// Who answers for it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Provider {
    /// Name.
    pub name: String,
    /// How to reach it.
    pub contact: String,
    /// The authorised representative in the Union, for providers outside of it.
    pub representative: String,
}

/// The model.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// Its names, with versions.
    pub names: Vec<String>,
    /// Models that it was made from.
    pub dependencies: Vec<String>,
    /// When it was placed on the market of the Union, YYYY-MM-DD.
    pub placed_on_market: String,
    /// Whether training goes on with new data.
    pub training_goes_on: Option<bool>,
    /// Other data that it saw: of users, synthetic, other.
    pub other_data: String,
    /// Whether what users said to a model is in it.
    pub prompts_used: Option<bool>,
    /// Whether data of users of other services of the provider are in it.
    pub services_used: Option<bool>,
    /// Which services.
    pub services: String,
    /// Models on the market that made synthetic data.
    pub synthetic_by: Vec<String>,
    /// Other models that did.
    pub synthetic_by_others: String,
}

/// The crawler.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Crawler {
    /// Its name, as robots.txt files know it.
    pub agent: String,
    /// The page at which webmasters read about it.
    pub url: String,
    /// What it is for.
    pub purpose: String,
    /// What kinds of sites it was sent to.
    pub content: String,
}

impl Default for Crawler {
    fn default() -> Crawler {
        let none = String::new;
        Crawler { agent: "tamisbot".to_owned(), url: none(), purpose: none(), content: none() }
    }
}

/// Where some inputs came from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFact {
    /// The beginning of the paths of its files, as the column `source_file` has them.
    pub prefix: String,
    /// What kind of source.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Where it can be had.
    #[serde(default)]
    pub url: String,
    /// What is in it.
    #[serde(default)]
    pub description: String,
}

/// Kinds of sources, as the Commission's template parts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A data set that anybody can have (2.1).
    Public,
    /// Licensed by rightsholders or those who act for them (2.2.1).
    Licensed,
    /// Had from somebody else, not public (2.2.2).
    Private,
    /// Crawled by the provider, or for it (2.3).
    Crawled,
    /// Of users (2.4).
    User,
    /// Made by machines (2.5).
    Synthetic,
    /// Anything else, and whatever nobody said (2.6).
    Other,
}

impl Facts {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn load(path: &Path) -> Result<Facts, String> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read the publisher's facts `{shown}`: {error}"))?;
        Facts::parse(&text).map_err(|why| format!("the publisher's facts `{shown}`: {why}"))
    }

    /// Reads TOML.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn parse(text: &str) -> Result<Facts, String> {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
    }
}
