//! A dataset card as the Hugging Face hub reads it: YAML for machines, then the same numbers for people. Files are named by language, so that
//! `load_dataset` offers each as a configuration.

use super::ai_act::title;
use super::counts::Counts;
use super::facts::Facts;
use super::is_of_the_union;
use crate::size::{ByteSize, grouped};

/// The hub's classes of size, by documents.
fn size_category(documents: u64) -> &'static str {
    const CLASSES: [(u64, &str); 10] = [
        (1_000, "n<1K"),
        (10_000, "1K<n<10K"),
        (100_000, "10K<n<100K"),
        (1_000_000, "100K<n<1M"),
        (10_000_000, "1M<n<10M"),
        (100_000_000, "10M<n<100M"),
        (1_000_000_000, "100M<n<1B"),
        (10_000_000_000, "1B<n<10B"),
        (100_000_000_000, "10B<n<100B"),
        (1_000_000_000_000, "100B<n<1T"),
    ];
    CLASSES.iter().find(|(below, _)| documents < *below).map_or("n>1T", |(_, name)| name)
}

/// A text as YAML takes it between double quotes, which is as JSON writes it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The card; files lie in `data`, a path relative to it.
#[must_use]
pub fn markdown(counts: &Counts, facts: &Facts, data: &str) -> String {
    let tags: std::collections::BTreeSet<&str> = counts.languages.keys().map(|tag| tag.split('-').next().unwrap_or(tag)).collect();
    let mut text = "---\n".to_owned();
    text += &format!("pretty_name: {}\n", quoted(&title(counts, facts)));
    text += "language:\n";
    tags.iter().for_each(|tag| text += &format!("- {}\n", quoted(tag)));
    if !facts.licence.is_empty() {
        // The hub knows names; an address is a licence of one's own.
        let is_name = !facts.licence.contains("://");
        text += &if is_name {
            format!("license: {}\n", quoted(&facts.licence.to_lowercase()))
        } else {
            format!("license: other\nlicense_name: own\nlicense_link: {}\n", quoted(&facts.licence))
        };
    }
    text += &format!("size_categories:\n- {}\n", size_category(counts.total.documents));
    text += "task_categories:\n- text-generation\nconfigs:\n";
    text +=
        &format!("- config_name: default\n  data_files:\n  - split: train\n    path: {}\n", quoted(&format!("{data}/lang=*/*.parquet")));
    for tag in counts.languages.keys() {
        text += &format!(
            "- config_name: {}\n  data_files:\n  - split: train\n    path: {}\n",
            quoted(tag),
            quoted(&format!("{data}/lang={tag}/*.parquet"))
        );
    }
    text += "---\n\n";
    text += &body(counts, facts);
    text
}

fn body(counts: &Counts, facts: &Facts) -> String {
    let mut text = format!("# {}\n\n", line(&title(counts, facts)));
    if !facts.description.is_empty() {
        text += &format!("{}\n\n", facts.description.trim());
    }
    text += &format!(
        "{} documents, {} tokens, {} of text in {} languages from {} domains; {} in {} Parquet files. Fetched {} to {}. Made by tamis {}.\n\n",
        grouped(counts.total.documents),
        grouped(counts.total.tokens),
        ByteSize(counts.total.text_bytes),
        counts.languages.len(),
        grouped(counts.domains),
        ByteSize(counts.file_bytes),
        counts.files,
        if counts.fetched.0.is_empty() { "at times that are not known" } else { &counts.fetched.0 },
        if counts.fetched.1.is_empty() { "them" } else { &counts.fetched.1 },
        env!("CARGO_PKG_VERSION")
    )
    .replace("Fetched at times that are not known to them. ", "");
    text += "## Languages\n\n| language | official in the Union | documents | bytes of text | tokens |\n|---|---|---|---|---|\n";
    for (tag, of) in &counts.languages {
        let mark = if is_of_the_union(tag) { "yes" } else { "" };
        text += &format!("| {tag} | {mark} | {} | {} | {} |\n", of.documents, of.text_bytes, of.tokens);
    }
    text += "\n## Columns\n\n| column | type | means |\n|---|---|---|\n";
    for column in &crate::columns::DOCUMENT.columns {
        text += &format!("| `{}` | {} | {} |\n", column.name, column.kind_name(), line(&column.doc));
    }
    text += "\n## Personal data\n\n";
    if counts.pii.is_empty() {
        text += "None was found, or nobody looked.\n";
    }
    for (kind, count) in &counts.pii {
        text += &format!("- {kind}: {count} found\n");
    }
    if !facts.limitations.is_empty() {
        text += &format!("\n## Limits\n\n{}\n", facts.limitations.trim());
    }
    text += "\n## Rights\n\nPages that their owners reserve from text and data mining are left out. ";
    text += &match facts.provider.contact.is_empty() {
        true => "Whoever publishes this copy takes requests to erase.\n".to_owned(),
        false => format!("To have something erased, write to {}.\n", line(&facts.provider.contact)),
    };
    if !facts.citation.is_empty() {
        text += &format!("\n## Citation\n\n```\n{}\n```\n", facts.citation.trim().replace("```", "` ` `"));
    }
    text
}

/// One line, in a cell of a table.
fn line(text: &str) -> String {
    text.replace(char::is_control, " ").replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::super::counts::Amount;
    use super::*;

    #[test]
    fn the_head_is_yaml_that_says_languages_licence_and_files() {
        let languages =
            [("fi", 2_000), ("sr-Latn", 1)].map(|(tag, documents)| (tag.to_owned(), Amount { documents, ..Amount::default() })).into();
        let counts =
            Counts { dataset: "d".to_owned(), languages, total: Amount { documents: 2_001, ..Amount::default() }, ..Counts::default() };
        let facts = Facts { title: "A \"title\"\n: x".to_owned(), licence: "CC-BY-4.0".to_owned(), ..Facts::default() };
        let card = markdown(&counts, &facts, "data/d");
        for expected in [
            "---\npretty_name: \"A \\\"title\\\"\\n: x\"\nlanguage:\n- \"fi\"\n- \"sr\"\nlicense: \"cc-by-4.0\"\n",
            "size_categories:\n- 1K<n<10K\n",
            "- config_name: \"sr-Latn\"\n  data_files:\n  - split: train\n    path: \"data/d/lang=sr-Latn/*.parquet\"\n",
            "| fi | yes | 2000 | 0 | 0 |\n",
            "| `input_ids` |",
        ] {
            assert!(card.contains(expected), "{expected} in\n{card}");
        }
        assert_eq!((size_category(0), size_category(1_000_000), size_category(u64::MAX)), ("n<1K", "1M<n<10M", "n>1T"));
    }
}
