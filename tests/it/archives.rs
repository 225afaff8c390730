//! Files of archives and libraries, as a user runs them: the recipes of the curated track on the samples, with texts that were read by a person.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value;

use crate::run::summary;
use crate::{ends_with, example, files_below, root, tamis};

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
    assert_eq!(documents.len(), 15);
    assert_eq!(dropped["read"]["reserved"], 1, "the book whose owner reserved it: {dropped}");
    assert!(document(&documents, "cs")["quality"].contains("ocr_confidence: 0.9"), "{}", document(&documents, "cs")["quality"]);
}

#[test]
fn every_paper_says_word_by_word_what_a_person_read_in_it() {
    let (documents, _) = published("pipelines/archives.toml", "archives");
    let truth = std::fs::read_to_string(root().join("data-samples/papers-truth.toml")).expect("the truth");
    let truth: toml::Table = truth.parse().expect("TOML");
    let papers = truth["paper"].as_array().expect("papers");
    assert_eq!(documents.len(), papers.len());
    for paper in papers {
        let of = |name: &str| paper.get(name).and_then(toml::Value::as_str).unwrap_or("null");
        let found = document(&documents, of("lang"));
        assert_eq!(found["text"], of("text").trim_end_matches('\n'), "{}", of("lang"));
        for column in ["title", "licence"] {
            assert_eq!(found[column], of(column), "{} {column}", of("lang"));
        }
        assert_eq!(found["url"], paper.get("url").and_then(toml::Value::as_str).unwrap_or(""), "{}", of("lang"));
        assert!(found["content_digest"].starts_with(of("digest")), "{}: {}", of("lang"), found["content_digest"]);
        assert!(found["source_file"].ends_with(of("file")), "{}: {}", of("lang"), found["source_file"]);
    }
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

/// The titles of all articles that the data sets of a workspace hold, and what was set aside there: file and words.
fn articles_and_quarantine(workspace: &Path) -> (BTreeSet<String>, Vec<(String, String)>) {
    let titles = crate::nights::rows_below(&workspace.join("data"), &["title"]).concat().into_iter().collect();
    let place = workspace.join("_tamis/quarantine");
    let lists = files_below(&place).into_iter().map(|file| std::fs::read_to_string(place.join(file)).expect("a list")).collect::<String>();
    let entry = |line: &str| {
        let entry: Value = serde_json::from_str(line).expect("JSON");
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        (text("file").rsplit('/').next().unwrap_or_default().to_owned(), text("what"))
    };
    let mut told: Vec<(String, String)> = lists.lines().map(entry).collect();
    told.sort();
    (titles, told)
}

#[test]
fn a_night_with_indexes_that_are_wrong_cut_or_no_index_at_all_reads_every_article_of_the_dumps() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |path: &str| folder.path().join(path);
    let dump = std::fs::read(root().join("data-samples/libraries/encyclopaedia-2026-06.xml.bz2")).expect("the sample");
    std::fs::create_dir(at("in")).expect("room");
    // The dump is newer than the index beside it: places between streams, in the middle of one, behind the end, pages that are no more.
    let old = "0:7:Klusā sala\n131:11:Klusā sala\n132:12:Vecā bāka\n77777777:90:Pazudusi lapa\n616:7:Klusā sala\n";
    let packed = |text: &str| {
        let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(9));
        packer.write_all(text.as_bytes()).expect("room");
        packer.finish().expect("room")
    };
    let (index, garbage): (Vec<u8>, Vec<u8>) = (packed(old), (0..5_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect());
    let cut = index[..index.len() / 2].to_vec();
    for (wiki, index) in [("lv", &index), ("lt", &garbage), ("et", &cut)] {
        std::fs::write(at(&format!("in/{wiki}wiki-20260601-pages-articles-multistream.xml.bz2")), &dump).expect("room");
        std::fs::write(at(&format!("in/{wiki}wiki-20260601-pages-articles-multistream-index.txt.bz2")), index).expect("room");
    }
    let settings = "[disk]\nbegin_bytes_min = \"1 B\"\nwork_bytes_min = \"1 B\"\n";
    std::fs::write(at("night.toml"), settings).expect("room");
    let night = |pattern: &str, workspace: &str, code: i32| -> Value {
        let mut command = tamis(["night", "pipelines/mediawiki.toml", "--date", "2026-06-02", "--json", "--quiet"]);
        command.arg("--workspace").arg(at(workspace)).arg("--keys").arg(at("keys")).arg("--settings").arg(at("night.toml"));
        command.arg("--set").arg(format!("input={}/{pattern}", at("in").display()));
        serde_json::from_slice(&ends_with(&mut command, code).stdout).expect("a record")
    };
    let alone = night("*.xml.bz2", "alone", 0);
    let (articles, told) = articles_and_quarantine(&at("alone"));
    assert_eq!(
        (articles.len() as u64, told.len()),
        (alone["tally"]["kept"].as_u64().expect("a number"), 0),
        "an index beside a dump is not asked"
    );
    let with_them = night("*", "all", 1);
    assert_eq!(
        (&with_them["state"], &with_them["tally"]["kept"], &with_them["tally"]["read"]),
        (&"done".into(), &alone["tally"]["kept"], &alone["tally"]["read"])
    );
    let (all, told) = articles_and_quarantine(&at("all"));
    assert_eq!(all, articles);
    let files: BTreeSet<&str> = told.iter().map(|(file, _)| file.as_str()).collect();
    let indexes = ["et", "lt", "lv"].map(|wiki| format!("{wiki}wiki-20260601-pages-articles-multistream-index.txt.bz2"));
    assert_eq!(files, indexes.iter().map(String::as_str).collect(), "{told:?}");
    for index in &indexes {
        let words: Vec<&str> = told.iter().filter(|(file, _)| file == index).map(|(_, what)| what.as_str()).collect();
        assert!(
            words.iter().any(|what| what.contains("the index of a multistream dump, which is not needed; name the dump alone")),
            "{index}: {words:?}"
        );
    }
}

#[test]
fn lines_that_state_their_language_in_a_field_that_the_recipe_names_are_filed_under_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines = [("srp", "Добро јутро, рибари су већ на мору."), ("LV", "Labrīt, zvejnieki jau ir jūrā."), ("latviski", "Labvakar!")];
    let lines = lines.map(|(lang, text)| format!("{{\"text\":\"{text}\",\"language\":\"{lang}\",\"lang\":\"en\"}}\n")).concat();
    std::fs::write(folder.path().join("in.jsonl"), lines).expect("room");
    std::fs::write(folder.path().join("r.toml"), "dataset = \"d\"\n[source]\nkind = \"jsonl\"\nlang_field = \"language\"\n").expect("room");
    let mut run =
        tamis(["run".as_ref(), folder.path().join("r.toml").as_os_str(), "--workspace".as_ref(), folder.path().join("w").as_os_str()]);
    ends_with(run.arg("--set").arg(format!("input={}/in.jsonl", folder.path().display())), 0);
    let filed = files_below(&folder.path().join("w/data/d"));
    let langs: Vec<_> = filed.iter().filter_map(|path| path.parent()).map(|path| path.to_string_lossy().into_owned()).collect();
    assert_eq!(langs, ["lang=lv", "lang=sr-Cyrl", "lang=und"]);
}
