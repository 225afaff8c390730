//! The data set as MLCommons Croissant 1.0 with the fields of its RAI vocabulary, in JSON-LD: every file with its hash, and the columns that
//! every shard has. Source: docs.mlcommons.org/croissant/docs/croissant-spec.html and croissant-rai-spec.html.

use serde_json::{Value, json};

use super::ai_act::title;
use super::counts::Counts;
use super::facts::Facts;
use crate::columns::DOCUMENT;
use crate::ledger::manifest::FileEntry;

/// The context of the specification, as its own example has it.
fn context() -> Value {
    json!({
        "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column", "conformsTo": "dct:conformsTo",
        "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/", "data": { "@id": "cr:data", "@type": "@json" },
        "dataType": { "@id": "cr:dataType", "@type": "@vocab" }, "dct": "http://purl.org/dc/terms/",
        "examples": { "@id": "cr:examples", "@type": "@json" }, "extract": "cr:extract", "field": "cr:field", "fileProperty": "cr:fileProperty",
        "fileObject": "cr:fileObject", "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset",
        "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
        "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace", "sc": "https://schema.org/",
        "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform"
    })
}

/// The Croissant type of a column's type; none for what is nested.
fn data_type(kind: &str) -> Option<&'static str> {
    match kind {
        "string" => Some("sc:Text"),
        "uint32" | "uint64" | "list<uint32>" => Some("sc:Integer"),
        "float32" => Some("sc:Float"),
        "timestamp[ms, UTC]" => Some("sc:DateTime"),
        _ => None,
    }
}

/// The description; `files` are the published ones, and lie below `root`, a path relative to the description or an address.
#[must_use]
pub fn describe(counts: &Counts, facts: &Facts, files: &[FileEntry], root: &str) -> Value {
    let objects = files.iter().map(|file| {
        let name = file.path.replace('/', "_");
        json!({
            "@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": format!("{root}{}", file.path), "sha256": file.sha256,
            "contentSize": format!("{} B", file.bytes), "encodingFormat": "application/x-parquet"
        })
    });
    let fields = DOCUMENT.columns.iter().filter_map(|column| Some((column, data_type(column.kind_name())?))).map(|(column, kind)| {
        let source = json!({ "fileSet": { "@id": "shards" }, "extract": { "column": column.name } });
        let mut field = json!({
            "@type": "cr:Field", "@id": format!("documents/{}", column.name), "name": column.name, "description": column.doc, "dataType": kind, "source": source
        });
        if column.kind_name().starts_with("list") {
            field["repeated"] = true.into();
        }
        field
    });
    let set = json!({
        "@type": "cr:FileSet", "@id": "shards", "name": "shards", "description": "all published shards", "encodingFormat": "application/x-parquet",
        "includes": format!("{root}data/{}/**/*.parquet", counts.dataset)
    });
    let mut page = json!({
        "@context": context(), "@type": "sc:Dataset", "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": counts.dataset, "alternateName": title(counts, facts),
        "description": format!("{} documents, {} tokens and {} bytes of text in {} languages. {}", counts.total.documents, counts.total.tokens, counts.total.text_bytes, counts.languages.len(), facts.description.trim()),
        "inLanguage": counts.languages.keys().collect::<Vec<_>>(),
        "distribution": objects.chain([set]).collect::<Vec<_>>(),
        "recordSet": [{ "@type": "cr:RecordSet", "@id": "documents", "name": "documents", "description": "a document a row", "key": { "@id": "documents/id" }, "field": fields.collect::<Vec<_>>() }],
        "rai:dataCollection": collection(counts), "rai:dataCollectionType": ["Web Scraping", "Secondary Data Analysis"],
        "rai:dataPreprocessingProtocol": "A recipe of stages, each of which keeps, changes or drops a document with a reason; the ledger of each run counts all of them.",
        "rai:personalSensitiveInformation": personal(counts),
    });
    for (name, value) in [
        ("version", facts.version.as_str()),
        ("datePublished", &facts.published),
        ("license", &facts.licence),
        ("url", &facts.url),
        ("citeAs", &facts.citation),
        ("rai:dataLimitations", &facts.limitations),
    ] {
        if !value.is_empty() {
            page[name] = value.into();
        }
    }
    if !facts.provider.name.is_empty() {
        page["creator"] = json!({ "@type": "sc:Organization", "name": facts.provider.name });
    }
    page["rai:dataCollectionTimeframe"] =
        [&counts.fetched.0, &counts.fetched.1].into_iter().filter(|day| !day.is_empty()).cloned().collect::<Vec<_>>().into();
    page
}

fn collection(counts: &Counts) -> String {
    let sources = counts.sources.iter().map(|source| {
        let name = if source.name.is_empty() { "a source that is not named" } else { source.name.as_str() };
        format!("{name} ({} documents)", source.amount.documents)
    });
    format!("Documents from {}.", sources.collect::<Vec<_>>().join(", "))
}

fn personal(counts: &Counts) -> Vec<String> {
    counts.pii.iter().map(|(kind, count)| format!("{kind}: {count} found")).collect()
}
