//! All numbers of the reports, counted from the published shards: each is read once, by columns.
//!
//! The size of a text is its bytes in UTF-8. Domains are registrable ones (`example.co.uk`), which the template calls second-level; of each
//! there is one entry in memory, some 100 bytes.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampMillisecondType, UInt32Type};
use arrow_array::{Array, RecordBatch, StringArray, StructArray};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Serialize;

use super::facts::{Facts, Kind};
use super::set::Version;
use crate::ledger::manifest::{FileEntry, ManifestError, Manifests};
use crate::store::StoreError;
use crate::text::host::registrable_domain;
use crate::workspace::Workspace;

/// The columns that are read.
const COLUMNS: [&str; 10] = ["host", "lang", "text", "token_count", "source_file", "fetched_at", "licence", "optout", "pii", "source"];
/// Documents that are looked at together.
const BATCH: usize = 2_048;

/// How much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Amount {
    /// Documents.
    pub documents: u64,
    /// Token ids.
    pub tokens: u64,
    /// Bytes of text.
    pub text_bytes: u64,
}

impl Amount {
    fn add(&mut self, tokens: u64, text_bytes: u64) {
        self.documents += 1;
        self.tokens += tokens;
        self.text_bytes += text_bytes;
    }
}

/// One source, as the facts or its place tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfSource {
    /// Kind.
    pub kind: Kind,
    /// Name; empty for what nobody named.
    pub name: String,
    /// Where it can be had.
    pub url: String,
    /// What is in it.
    pub description: String,
    /// How much of it.
    pub amount: Amount,
}

/// Everything that is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The data set.
    pub dataset: String,
    /// Number of the manifest that was read.
    pub manifest: u64,
    /// Files.
    pub files: u64,
    /// Bytes of the files.
    pub file_bytes: u64,
    /// All documents.
    pub total: Amount,
    /// By language.
    pub languages: BTreeMap<String, Amount>,
    /// By registrable domain; all that was crawled by us.
    #[serde(skip)]
    pub crawled_domains: BTreeMap<String, Amount>,
    /// Number of registrable domains of all documents.
    pub domains: u64,
    /// By source.
    pub sources: Vec<OfSource>,
    /// Documents by stated licence.
    pub licences: BTreeMap<String, u64>,
    /// Documents by what their owners say: verdict and protocol.
    pub optouts: BTreeMap<String, u64>,
    /// Personal data that was found, by kind.
    pub pii: BTreeMap<String, u64>,
    /// The first and the last day on which anything was fetched, YYYY-MM-DD; empty if unknown.
    pub fetched: (String, String),
    /// The same of what was crawled by us.
    pub crawled: (String, String),
}

/// Why nothing can be counted.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    /// The manifests.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A shard.
    #[error("cannot read the shard `{path}`: {why}; `tamis verify` tells more", path = path.display())]
    Shard { path: PathBuf, why: String },
}

/// The published files of a data set, in order.
///
/// # Errors
/// When manifests cannot be read.
pub fn files(workspace: &Workspace, dataset: &str) -> Result<Vec<FileEntry>, CountError> {
    let manifests = Manifests::read(workspace)?;
    Ok(manifests.current(dataset).into_values().filter(|file| file.rows > 0).cloned().collect())
}

/// Counts `version`.
///
/// # Errors
/// When a shard cannot be read.
pub fn count(workspace: &Workspace, version: &Version, facts: &Facts) -> Result<Counts, CountError> {
    let archive = workspace.archive();
    let mut counting = Counting::new(facts, &archive);
    for file in &version.files {
        let path = version.root.join(&file.path);
        shard(&path, &mut counting).map_err(|why| CountError::Shard { path, why })?;
    }
    let (files, file_bytes) = (version.files.len() as u64, version.files.iter().map(|file| file.bytes).sum());
    Ok(counting.end(Counts { dataset: version.dataset.clone(), manifest: version.manifest, files, file_bytes, ..Counts::default() }))
}

fn shard(path: &Path, counting: &mut Counting<'_>) -> Result<(), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
    let schema = builder.parquet_schema();
    let wanted = (0..schema.num_columns()).filter(|leaf| COLUMNS.contains(&schema.column(*leaf).path().parts()[0].as_str()));
    let mask = ProjectionMask::leaves(schema, wanted.collect::<Vec<_>>());
    let batches = builder.with_projection(mask).with_batch_size(BATCH).build().map_err(|error| error.to_string())?;
    for batch in batches {
        counting.batch(&batch.map_err(|error| error.to_string())?)?;
    }
    Ok(())
}

struct Counting<'a> {
    facts: &'a Facts,
    archive: PathBuf,
    total: Amount,
    languages: BTreeMap<String, Amount>,
    domains: BTreeMap<String, Amount>,
    all_domains: std::collections::BTreeSet<String>,
    /// As many as there are facts, then what was crawled here, then what nobody named.
    sources: Vec<Amount>,
    /// To which source a file belongs.
    known: BTreeMap<String, usize>,
    licences: BTreeMap<String, u64>,
    optouts: BTreeMap<String, u64>,
    pii: BTreeMap<String, u64>,
    fetched: Option<(i64, i64)>,
    crawled: Option<(i64, i64)>,
}

fn widen(range: &mut Option<(i64, i64)>, at: i64) {
    *range = Some(range.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
}

fn days(range: Option<(i64, i64)>) -> (String, String) {
    let day = |at| jiff::Timestamp::from_millisecond(at).map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d").to_string());
    range.map_or_else(Default::default, |(first, last)| (day(first), day(last)))
}

impl<'a> Counting<'a> {
    fn new(facts: &'a Facts, archive: &Path) -> Counting<'a> {
        Counting {
            facts,
            archive: std::path::absolute(archive).unwrap_or_else(|_| archive.to_owned()),
            total: Amount::default(),
            languages: BTreeMap::new(),
            domains: BTreeMap::new(),
            all_domains: std::collections::BTreeSet::new(),
            sources: vec![Amount::default(); facts.sources.len() + 2],
            known: BTreeMap::new(),
            licences: BTreeMap::new(),
            optouts: BTreeMap::new(),
            pii: BTreeMap::new(),
            fetched: None,
            crawled: None,
        }
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<(), String> {
        let text = |name: &str| -> Result<&StringArray, String> {
            batch
                .column_by_name(name)
                .and_then(|column| column.as_string_opt::<i32>())
                .ok_or_else(|| format!("there is no column `{name}` of texts"))
        };
        let (hosts, langs, texts, files, licences) = (text("host")?, text("lang")?, text("text")?, text("source_file")?, text("licence")?);
        let tokens = batch.column_by_name("token_count").and_then(|column| column.as_primitive_opt::<UInt32Type>());
        let fetched = batch.column_by_name("fetched_at").and_then(|column| column.as_primitive_opt::<TimestampMillisecondType>());
        let optouts = batch.column_by_name("optout").and_then(|column| column.as_struct_opt());
        for row in 0..batch.num_rows() {
            let tokens = tokens.filter(|tokens| tokens.is_valid(row)).map_or(0, |tokens| u64::from(tokens.value(row)));
            let bytes = texts.value(row).len() as u64;
            let source = self.source_of(files.value(row));
            let is_crawled = self.is_crawled(source);
            let domain = registrable_domain(hosts.value(row));
            self.total.add(tokens, bytes);
            entry(&mut self.languages, langs.value(row)).add(tokens, bytes);
            self.sources[source].add(tokens, bytes);
            if !domain.is_empty() && !self.all_domains.contains(domain) {
                self.all_domains.insert(domain.to_owned());
            }
            if is_crawled && !domain.is_empty() {
                entry(&mut self.domains, domain).add(tokens, bytes);
            }
            if let Some(fetched) = fetched.filter(|fetched| fetched.is_valid(row)) {
                widen(&mut self.fetched, fetched.value(row));
                if is_crawled {
                    widen(&mut self.crawled, fetched.value(row));
                }
            }
            if licences.is_valid(row) {
                *entry(&mut self.licences, licences.value(row)) += 1;
            }
            *entry(&mut self.optouts, &said(optouts, row)) += 1;
        }
        self.pii(batch.column_by_name("pii").and_then(|column| column.as_struct_opt()));
        Ok(())
    }

    fn pii(&mut self, pii: Option<&StructArray>) {
        let Some(pii) = pii else { return };
        for (field, column) in pii.fields().iter().zip(pii.columns()) {
            let found: u64 = column.as_primitive_opt::<UInt32Type>().map_or(0, |column| column.iter().flatten().map(u64::from).sum());
            if found > 0 {
                *entry(&mut self.pii, field.name()) += found;
            }
        }
    }

    fn source_of(&mut self, file: &str) -> usize {
        if let Some(known) = self.known.get(file) {
            return *known;
        }
        let named = self.facts.sources.iter().position(|source| file.starts_with(&source.prefix));
        let is_ours = || std::path::absolute(file).is_ok_and(|path| path.starts_with(&self.archive));
        let source = named.unwrap_or_else(|| self.facts.sources.len() + usize::from(!is_ours()));
        self.known.insert(file.to_owned(), source);
        source
    }

    fn is_crawled(&self, source: usize) -> bool {
        self.facts.sources.get(source).map_or(source == self.facts.sources.len(), |fact| fact.kind == Kind::Crawled)
    }

    fn end(self, counts: Counts) -> Counts {
        let none = String::new;
        let ours = (Kind::Crawled, self.facts.crawler.agent.clone(), self.facts.crawler.url.clone(), none());
        let unnamed = (Kind::Other, none(), none(), none());
        let named = self.facts.sources.iter().map(|fact| (fact.kind, fact.name.clone(), fact.url.clone(), fact.description.clone()));
        let sources = named.chain([ours, unnamed]).zip(self.sources).filter(|(_, amount)| amount.documents > 0);
        Counts {
            total: self.total,
            languages: self.languages,
            crawled_domains: self.domains,
            domains: self.all_domains.len() as u64,
            sources: sources.map(|((kind, name, url, description), amount)| OfSource { kind, name, url, description, amount }).collect(),
            licences: self.licences,
            optouts: self.optouts,
            pii: self.pii,
            fetched: days(self.fetched),
            crawled: days(self.crawled),
            ..counts
        }
    }
}

fn entry<'m, V: Default>(map: &'m mut BTreeMap<String, V>, key: &str) -> &'m mut V {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), V::default());
    }
    map.get_mut(key).expect("it was put there just now")
}

/// What an owner says: verdict and protocol.
fn said(optouts: Option<&StructArray>, row: usize) -> String {
    let Some(optouts) = optouts.filter(|optouts| optouts.is_valid(row)) else { return "not looked at".to_owned() };
    let of =
        |name: &str| optouts.column_by_name(name).and_then(|column| column.as_string_opt::<i32>()).map_or("", |column| column.value(row));
    format!("{} {}", of("verdict"), of("protocol")).trim_end().to_owned()
}

/// The domains that the template asks for: the top tenth by size of content; for small and medium-sized enterprises the top twentieth or 1,000, whichever is fewer.
/// At least one, if there are any.
#[must_use]
pub fn top_domains(domains: &BTreeMap<String, Amount>, sme: bool) -> Vec<(String, Amount)> {
    let mut all: Vec<(String, Amount)> = domains.iter().map(|(name, amount)| (name.clone(), *amount)).collect();
    all.sort_by(|a, b| b.1.text_bytes.cmp(&a.1.text_bytes).then_with(|| a.0.cmp(&b.0)));
    let wanted = if sme { all.len().div_ceil(20).min(1_000) } else { all.len().div_ceil(10) };
    all.truncate(wanted);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_tenth_is_by_size_of_content_and_small_enterprises_name_fewer() {
        let domains = |count: u64| {
            (0..count).map(|n| (format!("d{n:05}.eu"), Amount { documents: 1, tokens: 0, text_bytes: n })).collect::<BTreeMap<_, _>>()
        };
        for (count, sme, wanted) in
            [(0, false, 0), (1, true, 1), (100, false, 10), (101, false, 11), (100, true, 5), (30_000, true, 1_000), (30_000, false, 3_000)]
        {
            let top = top_domains(&domains(count), sme);
            assert_eq!(top.len(), wanted, "{count} {sme}");
            assert!(top.first().is_none_or(|(name, _)| *name == format!("d{:05}.eu", count - 1)));
        }
    }
}
