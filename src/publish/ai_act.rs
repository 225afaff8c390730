//! The public summary of training content that Article 53(1)(d) of the AI Act (Regulation (EU) 2024/1689) asks of providers of general-purpose models,
//! in the sections of the Commission's template (published on 24 July 2025, adopted as C(2025) 8311).
//!
//! A data set is no model: what only the provider of the model knows is an open field. Everything else is counted. The words beside the
//! numbers say what every run of tamis does, and nothing that depends on a recipe.

use std::collections::BTreeMap;

use super::counts::{Amount, Counts, OfSource, top_domains};
use super::facts::{Facts, Kind};
use super::is_of_the_union;
use super::page::{Page, Section};
use crate::optout::PROTOCOLS;
use crate::size::{ByteSize, grouped};

/// What was counted beside the shards: of ledgers, nights and receipts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Documents that were dropped because their owners reserve them, by reason.
    pub optouts: BTreeMap<String, u64>,
    /// What the crawler did not ask for or keep because it is reserved, or robots.txt forbids it, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Documents that lists of blocked domains and words in addresses kept out, by reason.
    pub blocked: BTreeMap<String, u64>,
    /// Published documents that takedowns erased, by the reason of the request.
    pub takedowns: BTreeMap<String, u64>,
}

impl Removed {
    /// Takes the reasons of a tally that belong here.
    pub fn add_dropped(&mut self, dropped: &BTreeMap<String, BTreeMap<String, u64>>) {
        for (stage, reasons) in dropped {
            let into = match stage.as_str() {
                "optout" => &mut self.optouts,
                "url" => &mut self.blocked,
                _ => continue,
            };
            reasons.iter().for_each(|(reason, count)| *into.entry(reason.clone()).or_default() += count);
        }
    }
}

/// The template's classes of size for text: below a billion tokens, up to ten trillion, above.
fn size_range(tokens: u64) -> &'static str {
    match tokens {
        0..1_000_000_000 => "Less than 1 billion tokens",
        1_000_000_000..=10_000_000_000_000 => "1 billion to 10 trillion tokens",
        _ => "More than 10 trillion tokens",
    }
}

fn yes_no(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "Yes",
        Some(false) => "No",
        None => "",
    }
}

fn period(days: &(String, String)) -> String {
    if days.0.is_empty() { String::new() } else { format!("{} to {} ({} to {})", month(&days.0), month(&days.1), days.0, days.1) }
}

/// A day as the template wants it: MM/YYYY.
fn month(day: &str) -> String {
    match day.split('-').collect::<Vec<_>>()[..] {
        [year, month, _] => format!("{month}/{year}"),
        _ => String::new(),
    }
}

fn amount(of: &Amount) -> String {
    format!("{} documents, {}, {} tokens", grouped(of.documents), ByteSize(of.text_bytes), grouped(of.tokens))
}

fn counted(map: &BTreeMap<String, u64>) -> Vec<Vec<String>> {
    map.iter().map(|(name, count)| vec![name.clone(), grouped(*count)]).collect()
}

/// Fills the template.
#[must_use]
pub fn page(counts: &Counts, removed: &Removed, facts: &Facts) -> Page {
    let mut sections = general(counts, facts);
    sections.extend(sources(counts, facts));
    sections.push(crawled(counts, facts));
    sections.push(domains(counts, facts));
    sections.extend(rest(counts, facts));
    sections.extend(reservations(counts, removed, facts));
    sections.push(illegal(removed, facts));
    sections.push(
        Section::new("3.3. Other information (optional)")
            .field("Other relevant information about data processing", facts.processing.as_str()),
    );
    let about = format!(
        "Public summary of training content, Article 53(1)(d) of Regulation (EU) 2024/1689, by the Commission's template (C(2025) 5235 of 24 July 2025, adopted as C(2025) 8311 on 5 December 2025). Counted from manifest {} of the \
         data set {} by tamis {}; it speaks of this data set alone.",
        counts.manifest,
        counts.dataset,
        env!("CARGO_PKG_VERSION")
    );
    Page { title: format!("Summary of training content: {}", title(counts, facts)), about, sections }
}

/// The data set's title.
#[must_use]
pub fn title(counts: &Counts, facts: &Facts) -> String {
    if facts.title.is_empty() { counts.dataset.clone() } else { facts.title.clone() }
}

fn general(counts: &Counts, facts: &Facts) -> Vec<Section> {
    let languages: Vec<Vec<String>> = counts
        .languages
        .iter()
        .map(|(tag, of)| {
            let mark = if is_of_the_union(tag) { "yes" } else { "" };
            vec![tag.clone(), mark.to_owned(), grouped(of.documents), of.text_bytes.to_string(), of.tokens.to_string()]
        })
        .collect();
    let official = counts
        .languages
        .keys()
        .filter(|tag| is_of_the_union(tag))
        .map(|tag| tag.split('-').next().unwrap_or(""))
        .collect::<std::collections::BTreeSet<_>>();
    vec![
        Section::new("Summary")
            .field("Version of the Summary", facts.summary_version.as_str())
            .field("Last update", facts.published.as_str()),
        Section::new("1.1. Provider identification")
            .field("Provider name and contact details", format!("{} {}", facts.provider.name, facts.provider.contact).trim())
            .field("Authorised representative name and contact details", facts.provider.representative.as_str()),
        Section::new("1.2. Model identification")
            .field("Versioned model name(s)", facts.model.names.join(", "))
            .field("Model dependencies", facts.model.dependencies.join(", "))
            .field("Date of placement of the model on the Union market", facts.model.placed_on_market.as_str()),
        Section::new("1.3. Modalities, overall training data size and other characteristics")
            .field("Modality", "Text")
            .field("Training data size", format!("{} ({} tokens as stored)", size_range(counts.total.tokens), grouped(counts.total.tokens)))
            .field(
                "Size in other units",
                format!("{} documents, {} bytes of text (UTF-8)", grouped(counts.total.documents), counts.total.text_bytes),
            )
            .field("Types of content", facts.description.as_str())
            .field("Latest date of data acquisition/collection for model training", month(&counts.fetched.1))
            .field("The model is trained on new data after this date", yes_no(facts.model.training_goes_on))
            .field("Official languages of the Union in it", format!("{} of 24", official.len()))
            .field("Other relevant characteristics of the overall training data", facts.other_characteristics.as_str())
            .field("Additional comments (optional)", facts.comments.as_str()),
        Section::new("1.3. Description of the linguistic characteristics of the overall training data")
            .table(&["language", "official in the Union", "documents", "bytes of text", "tokens"], languages),
    ]
}

fn listed(title: &str, question: &str, sources: &[&OfSource]) -> Section {
    let rows = sources.iter().map(|source| {
        vec![
            source.name.clone(),
            source.url.clone(),
            source.description.clone(),
            grouped(source.amount.documents),
            source.amount.text_bytes.to_string(),
            source.amount.tokens.to_string(),
        ]
    });
    let answer = if sources.is_empty() { "No" } else { "Yes" };
    let section = Section::new(title).field(question, answer);
    let section = if sources.is_empty() { section } else { section.field("Modality(ies) of the content covered", "Text") };
    section.table(&["name", "address", "content", "documents", "bytes of text", "tokens"], rows.collect())
}

fn sources(counts: &Counts, _facts: &Facts) -> Vec<Section> {
    let of = |kind| counts.sources.iter().filter(|source| source.kind == kind).collect::<Vec<_>>();
    vec![
        listed("2.1. Publicly available datasets", "Have you used publicly available datasets to train the model?", &of(Kind::Public)),
        listed(
            "2.2.1. Datasets commercially licensed by rightsholders or their representatives",
            "Have you concluded transactional commercial licensing agreement(s) with rightsholder(s) or with their representatives?",
            &of(Kind::Licensed),
        ),
        listed(
            "2.2.2. Private datasets obtained from other third parties",
            "Have you obtained private datasets from third parties that are not licensed as described in Section 2.2.1?",
            &of(Kind::Private),
        ),
    ]
}

fn crawled(counts: &Counts, facts: &Facts) -> Section {
    let ours: Vec<&OfSource> = counts.sources.iter().filter(|source| source.kind == Kind::Crawled).collect();
    let section = Section::new("2.3. Data crawled and scraped from online sources");
    if ours.is_empty() {
        return section.field("Were crawlers used by the provider or on its behalf?", "No");
    }
    let sum = ours.iter().fold(Amount::default(), |sum, source| Amount {
        documents: sum.documents + source.amount.documents,
        tokens: sum.tokens + source.amount.tokens,
        text_bytes: sum.text_bytes + source.amount.text_bytes,
    });
    let behaviour = "Reads robots.txt (RFC 9309) before anything else, and asks for nothing that it disallows or that cannot be known; one connection a host, with a pause of at \
                     least 5 seconds by default, longer where the host is slow or asks for it; never logs in, pays, fills in forms, runs scripts or gets round captchas; asks for \
                     nothing that a protocol of section 3.1 reserves for the whole site, and keeps no page that reserves itself; names itself and an address to write to in each request.";
    section
        .field("Were crawlers used by the provider or on its behalf?", "Yes")
        .field("Crawler name(s)/identifier(s)", format!("{} {}", facts.crawler.agent, facts.crawler.url).trim())
        .field("Purposes of the crawler(s)", facts.crawler.purpose.as_str())
        .field("General description of crawler behaviour", behaviour)
        .field("Period of data collection", period(&counts.crawled))
        .field("Comprehensive description of the type of content and online sources crawled", facts.crawler.content.as_str())
        .field("Type of modality covered", "Text")
        .field("Size", amount(&sum))
}

fn domains(counts: &Counts, facts: &Facts) -> Section {
    let top = top_domains(&counts.crawled_domains, facts.sme);
    let which = if facts.sme { "top 5 % or 1,000, the fewer" } else { "top 10 %" };
    let rows = top.iter().map(|(name, of)| vec![name.clone(), of.text_bytes.to_string(), of.documents.to_string()]).collect();
    Section::new("2.3. Summary of the most relevant domain names crawled")
        .field("Second-level domains crawled", grouped(counts.crawled_domains.len() as u64))
        .field("Listed below", format!("{} ({which} by size of content)", grouped(top.len() as u64)))
        .table(&["domain", "bytes of text", "documents"], rows)
}

fn rest(counts: &Counts, facts: &Facts) -> Vec<Section> {
    let of = |kind| counts.sources.iter().filter(|source| source.kind == kind).collect::<Vec<_>>();
    let unnamed: u64 = counts
        .sources
        .iter()
        .filter(|source| source.kind == Kind::Other && source.name.is_empty())
        .map(|source| source.amount.documents)
        .sum();
    let question = "Have data sources other than those described in Sections 2.1 to 2.5 been used to train the model?";
    let mut other = listed("2.6. Other sources of data", question, &of(Kind::Other));
    if unnamed > 0 {
        other = other.field("Documents whose source nobody named ([[source]] of the facts)", grouped(unnamed));
    }
    vec![users(&of(Kind::User), facts), synthetic(&of(Kind::Synthetic), facts), other]
}

/// A data set without data of users has none of either kind; which of the two is in another one only its publisher knows.
fn users(sources: &[&OfSource], facts: &Facts) -> Section {
    let answer = |said: Option<bool>| if sources.is_empty() && said.is_none() { "No" } else { yes_no(said) };
    let prompts = "Was data from user interactions with the AI model (e.g. user input and prompts) used to train the model?";
    let services = "Was data collected from user interactions with the provider's other services or products used to train the model?";
    let section = listed("2.4. User data", "Data of users are in this data set", sources)
        .field(prompts, answer(facts.model.prompts_used))
        .field(services, answer(facts.model.services_used))
        .field("Data of users that the model saw beside this data set", facts.model.other_data.as_str());
    match sources.is_empty() {
        true => section,
        false => section.field("Services or products that were used to collect the user data", facts.model.services.as_str()),
    }
}

fn synthetic(sources: &[&OfSource], facts: &Facts) -> Section {
    let question = "Was synthetic AI-generated data created by the provider or on their behalf to train the model?";
    let section = listed("2.5. Synthetic data", question, sources);
    if sources.is_empty() {
        return section;
    }
    section
        .field("General-purpose AI model(s) used to generate it, if available on the market", facts.model.synthetic_by.join(", "))
        .field("Information about other AI models used to generate it", facts.model.synthetic_by_others.as_str())
}

fn reservations(counts: &Counts, removed: &Removed, facts: &Facts) -> Vec<Section> {
    let sum = |map: &BTreeMap<String, u64>| map.values().sum::<u64>();
    let protocols = PROTOCOLS.iter().map(|protocol| {
        let of = |map: &BTreeMap<String, u64>| {
            map.iter().filter(|(reason, _)| reason.contains(protocol.name)).map(|(_, count)| count).sum::<u64>()
        };
        vec![protocol.name.to_owned(), protocol.specification.to_owned(), protocol.version.to_owned(), of(&removed.optouts).to_string()]
    });
    let published = counts.optouts.iter().map(|(said, count)| vec![said.clone(), count.to_string()]).collect();
    let dropped = counted(&removed.optouts).into_iter().map(|row| [vec!["dropped".to_owned()], row].concat());
    let refused = counted(&removed.refused).into_iter().map(|row| [vec!["not crawled".to_owned()], row].concat());
    vec![
        Section::new("3.1. Respect of reservation of rights from text and data mining exception or limitation")
            .field("Are you a Signatory to the Code of Practice for general-purpose AI models with its commitments on reservations of rights?", yes_no(facts.code_of_practice))
            .field("Measures implemented before and during data collection", "before an address is asked for, when a page has come, and again when archives are read; `tamis optout recheck` looks again later")
            .field("Documents dropped because they are reserved", sum(&removed.optouts).to_string())
            .field("Addresses and pages that the crawler left out because they are reserved or disallowed", sum(&removed.refused).to_string())
            .table(&["protocol", "specification", "version", "documents dropped"], protocols.collect()),
        Section::new("3.1. What was left out, by reason").table(&["where", "reason", "count"], dropped.chain(refused).collect()),
        Section::new("3.1. What owners of published documents say").table(&["verdict and protocol", "documents"], published),
    ]
}

fn illegal(removed: &Removed, facts: &Facts) -> Section {
    let blocked = counted(&removed.blocked).into_iter().map(|row| [vec!["address".to_owned()], row].concat());
    let takedowns = counted(&removed.takedowns).into_iter().map(|row| [vec!["takedown".to_owned()], row].concat());
    Section::new("3.2. Removal of illegal content")
        .field("General description of measures taken", "Lists of blocked domains and rules for addresses before a page is read; takedowns on request erase from every store, keep out copies, and end with a signed receipt.")
        .field("Further measures", facts.illegal_content.as_str())
        .field("Published documents erased by takedowns", removed.takedowns.values().sum::<u64>().to_string())
        .table(&["by", "reason", "documents"], blocked.chain(takedowns).collect())
}

#[cfg(test)]
mod tests {
    use super::super::page::OPEN;
    use super::*;

    fn of(documents: u64, tokens: u64, text_bytes: u64) -> Amount {
        Amount { documents, tokens, text_bytes }
    }

    fn value<'p>(page: &'p Page, section: &str, field: &str) -> &'p str {
        let section = page.sections.iter().filter(|known| known.title.starts_with(section)).flat_map(|section| &section.fields);
        section.into_iter().find(|known| known.name.starts_with(field)).map_or("", |field| &field.value)
    }

    #[test]
    fn the_template_is_filled_from_counts_and_stays_open_where_nobody_knows() {
        let languages =
            [("fi", of(6, 60, 600)), ("sr-Latn", of(1, 10, 100)), ("de-AT", of(1, 9, 90))].map(|(tag, of)| (tag.to_owned(), of)).into();
        let source =
            |kind, name: &str, amount| OfSource { kind, name: name.to_owned(), url: String::new(), description: String::new(), amount };
        let counts = Counts {
            dataset: "web".to_owned(),
            total: of(8, 79, 790),
            languages,
            crawled_domains: (0..20).map(|n| (format!("d{n}.fi"), of(1, 1, n))).collect(),
            sources: vec![
                source(Kind::Public, "Old Books", of(2, 20, 200)),
                source(Kind::Crawled, "tamisbot", of(5, 50, 500)),
                source(Kind::Other, "", of(1, 9, 90)),
            ],
            crawled: ("2026-11-01".to_owned(), "2026-11-26".to_owned()),
            ..Counts::default()
        };
        let mut removed = Removed::default();
        let reasons = |pairs: &[(&str, u64)]| pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<BTreeMap<_, _>>();
        removed.add_dropped(
            &[("optout".to_owned(), reasons(&[("tdmrep-header", 4), ("robots-txt", 3)])), ("langid".to_owned(), reasons(&[("unsure", 9)]))]
                .into(),
        );
        removed.takedowns = reasons(&[("gdpr-17", 2)]);
        let page = page(&counts, &removed, &Facts::default());
        assert_eq!(value(&page, "1.1.", "Provider"), OPEN);
        assert_eq!(value(&page, "1.3", "Training data size"), "Less than 1 billion tokens (79 tokens as stored)");
        assert_eq!(value(&page, "1.3", "Official languages"), "2 of 24");
        assert_eq!((value(&page, "2.1.", "Have you used"), value(&page, "2.2.1.", "Have you concluded")), ("Yes", "No"));
        assert_eq!(value(&page, "2.3.", "Period"), "11/2026 to 11/2026 (2026-11-01 to 2026-11-26)");
        assert_eq!(value(&page, "2.3. Summary", "Listed"), "2 (top 10 % by size of content)");
        assert_eq!(value(&page, "2.6", "Documents whose"), "1");
        assert_eq!((value(&page, "2.4", "Was data from"), value(&page, "2.5", "Was synthetic")), ("No", "No"));
        assert_eq!(value(&page, "3.1", "Documents dropped"), "7");
        assert_eq!(value(&page, "3.2", "Published"), "2");
        let protocols = page
            .sections
            .iter()
            .find(|section| section.title.starts_with("3.1. Res"))
            .and_then(|section| section.table.as_ref())
            .expect("a table");
        assert!(protocols.rows.iter().any(|row| row[0] == "tdmrep-header" && row[3] == "4") && protocols.rows.len() == PROTOCOLS.len());
        assert_eq!(
            (size_range(999_999_999), size_range(1_000_000_000), size_range(10_000_000_000_001)),
            ("Less than 1 billion tokens", "1 billion to 10 trillion tokens", "More than 10 trillion tokens")
        );
    }
}
