//! Files of archives and libraries, as a user runs them: the recipes of the curated track on the samples, with texts that were read by a person.

use std::collections::BTreeMap;
use std::fs::File;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value;

use crate::run::summary;
use crate::{ends_with, example, files_below, tamis};

/// A row as texts by column.
type Row = BTreeMap<String, String>;

/// The documents that a run of `recipe` publishes, and how many fell for each reason.
fn published(recipe: &str, dataset: &str) -> (Vec<Row>, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    ends_with(tamis(["run", recipe, "--workspace"]).arg(folder.path()), 0);
    let data = folder.path().join("data");
    let mut rows = Vec::new();
    for file in files_below(&data) {
        let reader = SerializedFileReader::new(File::open(data.join(&file)).expect("a readable file")).expect("Parquet");
        for row in reader.get_row_iter(None).expect("rows") {
            let text = |cell: Field| if let Field::Str(text) = cell { text } else { cell.to_string() };
            rows.push(row.expect("a row").into_columns().into_iter().map(|(name, cell)| (name, text(cell))).collect());
        }
    }
    (rows, summary(folder.path(), dataset)["dropped"].clone())
}

fn document<'d>(documents: &'d [Row], lang: &str) -> &'d Row {
    documents.iter().find(|document| document["lang"] == lang).unwrap_or_else(|| panic!("no document in {lang}: {documents:?}"))
}

#[test]
fn the_papers_of_a_library_arrive_with_text_language_and_licence() {
    let (documents, dropped) = published("pipelines/archives.toml", "archives");
    for (lang, licence, text) in [
        ("sl", "CC-BY-4.0", "Nemir|!PREDSEDNICA MARTA OBALNIK:\nSpoštovane poslanke in poslanci, začenjamo današnjo sejo."),
        ("cs", "CC0-1.0", "Nový maják nad přístavem\nVčera večer se poprvé rozsvítil nový maják, na který město čekalo celých sedm let."),
        ("hr", "CC0-1.0", "nijedan brod nije mogao iz luke. Župnik je zapisao"),
        ("fi", "CC0-1.0", "Saaren koululle haetaan opettajaa, joka osaa myös"),
        ("nl", "CC0-1.0", "Artikel 1 Begrippen\n1. Een veerboot is een schip"),
        ("et", "CC0-1.0", "Artikkel 1\n1. „Praam“ on laev, mis viib inimesi ja sõidukeid ühelt saarelt teisele.\n2. Iga praam"),
        ("pt", "CC0-1.0", "Naquela manhã havia um degrau a mais.\nCapítulo dois\nContou outra vez"),
        (
            "sk",
            "CC0-1.0",
            "Stará búda pri jazere sa opraví, nie zbúra.\nloďka | 480 eur\nstrecha | 1 200 eur\nZápis overil tajomník spolku.",
        ),
        ("hu", "CC0-1.0", "hogy az új komp a templom előtt köt ki"),
        (
            "da",
            "CC0-1.0",
            "men den nye boring i nord gav vand nok til både gårdene og sommerhusene.\nUdvalget foreslår, at regnvandet fra skolens tag samles",
        ),
        ("el", "CC0-1.0", "Ο φύλακας της λίμνης"),
    ] {
        let found = document(&documents, lang);
        let wanted = text.split_once("|!").map_or(text, |(unwanted, wanted)| {
            assert!(!found["text"].contains(unwanted), "{lang}: {found:?}");
            wanted
        });
        assert!(found["text"].contains(wanted), "{lang}: {found:?}");
        assert_eq!(found["licence"], licence, "{lang}");
        assert_eq!(found["source"], "papers");
    }
    assert_eq!(documents.len(), 11);
    assert_eq!(dropped["read"]["reserved"], 1, "the book whose owner reserved it: {dropped}");
    assert!(document(&documents, "cs")["quality"].contains("ocr_confidence: 0.9"), "{}", document(&documents, "cs")["quality"]);
}

#[test]
fn an_encyclopaedia_arrives_as_articles_with_revision_and_licence() {
    let (documents, dropped) = published("pipelines/mediawiki.toml", "encyclopaedias");
    let island = documents.iter().find(|document| document["title"] == "Klusā sala").expect("the article");
    assert_eq!(
        island["text"],
        "Klusā sala (Stille Insel) ir neliela sala Vēju līcī, kurā dzīvo ap 340 cilvēku. Uz salas ir bāka, skola un viens veikals.\nVēsture\n\
         Salā cilvēki apmetās pirms aptuveni sešsimt gadiem, kad zvejnieki te meklēja patvērumu no vētras.\n- Pirmā baznīca uzcelta no koka.\n\
         - Tagadējā baznīca ir no akmens.\nIedzīvotāji\nGads | Iedzīvotāji\n1900 | 512\n2020 | 343"
    );
    assert_eq!(island["content_digest"], "mediawiki:11:4711:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_eq!((island["licence"].as_str(), island["lang"].as_str()), ("CC-BY-SA-4.0", "lv"));
    assert_eq!((&dropped["read"]["redirect"], &dropped["read"]["other-namespace"]), (&Value::from(1), &Value::from(1)));
}

#[test]
fn the_packed_papers_are_those_beside_them() {
    ends_with(&mut example("pack_papers", &["--check"]), 0);
}
