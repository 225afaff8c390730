//! The samples' truth: what must become of each record, told by who planted it, holds after a run.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::Type;
use serde_json::Value;

use crate::run::QUICKSTART;
use crate::{ends_with, files_below, root, tamis};

/// A record by its archive and place.
type Place = (String, i64);

/// Texts of the columns `names` of every Parquet file below `folder`, by the record that the row is from.
fn rows(folder: &Path, names: [&str; 2]) -> BTreeMap<Place, [String; 2]> {
    let mut found = BTreeMap::new();
    for file in files_below(folder).into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "parquet")) {
        let reader = SerializedFileReader::new(File::open(folder.join(&file)).expect("a readable file")).expect("Parquet");
        let schema = reader.metadata().file_metadata().schema();
        let wanted = |field: &&std::sync::Arc<Type>| ["source_file", "source_offset", names[0], names[1]].contains(&field.name());
        let columns = schema.get_fields().iter().filter(wanted).cloned().collect();
        let columns = Type::group_type_builder(schema.name()).with_fields(columns).build().expect("a schema");
        for row in reader.get_row_iter(Some(columns)).expect("rows") {
            let row = row.expect("a row").into_columns();
            let cell = |name: &str| row.iter().find(|(column, _)| column == name).map(|(_, cell)| cell);
            let text = |name: &str| if let Some(Field::Str(text)) = cell(name) { text.clone() } else { String::new() };
            let offset = match cell("source_offset") {
                Some(Field::Long(offset)) => *offset,
                Some(Field::ULong(offset)) => i64::try_from(*offset).expect("a small archive"),
                other => panic!("{other:?} is no offset"),
            };
            let archive = text("source_file").rsplit('/').next().unwrap_or_default().to_owned();
            found.insert((archive, offset), names.map(text));
        }
    }
    found
}

#[test]
fn every_planted_record_ends_where_its_truth_says() {
    let folder = tempfile::tempdir().expect("a folder");
    ends_with(tamis(["run", QUICKSTART, "--quiet", "--workspace"]).arg(folder.path()), 0);
    let kept = rows(&folder.path().join("data"), ["lang", "url"]);
    let fell = rows(&folder.path().join("_tamis/rejects"), ["stage", "reason"]);
    let truth = std::fs::read_to_string(root().join("data-samples/truth.jsonl")).expect("a readable file");
    let (mut wrong, mut groups) = (Vec::new(), BTreeMap::<String, u32>::new());
    for line in truth.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")) {
        let archive = line["archive"].as_str().unwrap_or_default();
        if !archive.starts_with("archives/") || archive.contains(".wet.") || archive.contains(".jsonl") {
            continue;
        }
        let place = (archive.trim_start_matches("archives/").to_owned(), line["offset"].as_i64().expect("a number"));
        let (lang, cause) = (kept.get(&place).map(|row| &row[0]), fell.get(&place));
        let right = match line["fate"].as_str().unwrap_or_default() {
            "kept" => lang.is_some_and(|lang| *lang == line["lang"]),
            "dropped" => cause.is_some_and(|[stage, reason]| {
                let by: Vec<&Value> = line["by"].as_array().expect("stages").iter().collect();
                by.iter().any(|wanted| **wanted == *stage) && line["reason"].as_str().is_none_or(|wanted| wanted == reason)
            }),
            "one-of-group" => {
                *groups.entry(line["group"].to_string()).or_default() += u32::from(lang.is_some());
                !line["sure"].as_bool().unwrap_or(false) || lang.is_some() || cause.is_some_and(|[stage, _]| stage == "dedup")
            }
            _ => lang.is_none(),
        };
        if !right {
            wrong.push(format!("{}: {} wanted, kept as {lang:?}, fell by {cause:?}", line["url"], line["fate"]));
        }
    }
    assert!(kept.len() > 60 && !groups.is_empty());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(groups.values().all(|kept| *kept >= 1), "a group lost all its pages: {groups:?}");
}
