//! What `tamis inspect` says of a document is what stands in shards and rejects, and what was erased is said to be gone.

use std::path::{Path, PathBuf};
use std::process::Command;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::run::QUICKSTART;
use crate::takedown::{member, page};
use crate::{ends_with, said, tamis};

struct House {
    folder: tempfile::TempDir,
}

impl House {
    fn new() -> House {
        let house = House { folder: tempfile::tempdir().expect("a folder") };
        let mut run = tamis(["run", QUICKSTART]);
        run.current_dir(env!("CARGO_MANIFEST_DIR")).arg("--workspace").arg(house.at("w")).arg("--keys").arg(house.at("keys"));
        ends_with(&mut run, 0);
        house
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn dataset(&self) -> PathBuf {
        let data = std::fs::read_dir(self.at("w/data")).expect("a folder").next().expect("a data set").expect("a folder");
        data.path()
    }

    fn ask(&self, words: &[&str]) -> Command {
        let mut command = tamis(["inspect"]);
        command.arg(self.dataset()).args(words);
        command
    }

    fn rows(&self, words: &[&str]) -> Vec<Value> {
        let told = said(&ends_with(self.ask(words).arg("--json"), 0).stdout);
        told.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

/// The columns of text and whole numbers of all Parquet files below a folder.
pub(crate) fn stored(place: &Path) -> Vec<Value> {
    let files = crate::files_below(place).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "parquet"));
    let mut rows = Vec::new();
    for path in files {
        let file = std::fs::File::open(place.join(path)).expect("ours");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|builder| builder.build()).expect("Parquet");
        for batch in reader {
            let batch = batch.expect("whole");
            let value = |column: &ArrayRef, row: usize| {
                let text = column.as_string_opt::<i32>().map(|column| Value::from(column.value(row)));
                let number = || column.as_primitive_opt::<UInt32Type>().map(|column| Value::from(column.value(row)));
                text.or_else(number).filter(|_| column.is_valid(row)).unwrap_or(Value::Null)
            };
            let schema = batch.schema();
            for row in 0..batch.num_rows() {
                let columns = schema.fields().iter().zip(batch.columns());
                rows.push(columns.map(|(field, column)| (field.name().clone(), value(column, row))).collect());
            }
        }
    }
    rows
}

#[test]
fn every_document_that_was_read_is_explained_as_it_is_stored() {
    let house = House::new();
    let published = stored(&house.at("w/data"));
    for row in published.iter().take(12) {
        let (id, url) = (row["id"].as_str().expect("an id"), row["url"].as_str().expect("an address"));
        let shown = &house.rows(&["show", id])[0];
        for name in ["id", "url", "host", "lang", "title", "text", "token_count"] {
            assert_eq!(shown[name], row[name], "{name} of {url}");
        }
        let told = &house.rows(&["explain", url])[0];
        assert_eq!((told["kept"].as_bool(), told["id"].as_str()), (Some(true), Some(id)), "{told}");
    }
    let kept: Vec<&str> = published.iter().filter_map(|row| row["url"].as_str()).collect();
    let dropped = stored(&house.at("w/_tamis/rejects"));
    let once = dropped.iter().filter(|row| !kept.contains(&row["url"].as_str().expect("an address")));
    let once: Vec<&Value> = once.filter(|row| dropped.iter().filter(|other| other["url"] == row["url"]).count() == 1).collect();
    assert!(once.len() > 10, "{}", once.len());
    for row in once.into_iter().take(12) {
        let told = &house.rows(&["explain", row["url"].as_str().expect("an address")])[0];
        assert_eq!((&told["kept"], &told["stage"], &told["reason"]), (&Value::Bool(false), &row["stage"], &row["reason"]));
    }
}

#[test]
fn a_sample_is_the_same_for_the_same_seed_and_holds_to_what_is_asked() {
    let house = House::new();
    let ids = |words: &[&str]| house.rows(words).iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>();
    let (one, two) = (ids(&["sample", "--n", "5", "--seed", "1"]), ids(&["sample", "--n", "5", "--seed", "2"]));
    assert_eq!((one.len(), two.len()), (5, 5));
    assert!(one != two && one == ids(&["sample", "--n", "5", "--seed", "1"]));
    let rows = house.rows(&["sample", "--n", "100", "--lang", "fi"]);
    assert!(!rows.is_empty() && rows.iter().all(|row| row["lang"] == "fi"));
    let host = rows[0]["host"].as_str().expect("a host").to_owned();
    assert!(house.rows(&["sample", "--n", "100", "--host", &host]).iter().all(|row| row["host"] == host.as_str()));
    let of_each = house.rows(&["sample", "--n", "1", "--by", "lang"]);
    let mut langs: Vec<&str> = of_each.iter().filter_map(|row| row["lang"].as_str()).collect();
    langs.dedup();
    assert!(langs.len() == of_each.len() && langs.len() > 10, "{langs:?}");
    let long = house.rows(&["sample", "--n", "100", "--min", "quality.words=100"]);
    assert!(long.iter().all(|row| row["quality"]["words"].as_f64() >= Some(100.0)));
    let found = house.rows(&["sample", "--n", "100", "--grep", "(?i)saari|sauna"]);
    assert!(found.iter().all(|row| row["text"].as_str().is_some_and(|text| text.to_lowercase().contains("sa"))));
    for (words, told) in [(["--min", "quality.wrds=1"], "no signal quality.wrds"), (["--grep", "(("], "no regular expression")] {
        let said = said(&ends_with(house.ask(&["sample"]).args(words), 2).stderr);
        assert!(said.contains(told), "{said}");
    }
}

#[test]
fn what_is_not_there_is_told_apart_from_what_was_erased() {
    let house = House::new();
    ends_with(&mut house.ask(&["show", &"0".repeat(32)]), 1);
    let told = said(&ends_with(&mut house.ask(&["explain", "https://nikde.example.cz/nic"]), 1).stderr);
    assert!(told.contains("not in this data set"), "{told}");
    let told = said(&ends_with(&mut house.ask(&["show", "what"]), 2).stderr);
    assert!(told.contains("neither an id (32 hex digits) nor an address"), "{told}");
    let row = house.rows(&["sample", "--n", "1"]).remove(0);
    let (id, url) = (row["id"].as_str().expect("an id"), row["url"].as_str().expect("an address"));
    let mut plan = tamis(["takedown", "plan", "--url", url, "--reason", "gdpr-17", "--received", "2026-11-20"]);
    ends_with(plan.arg("--workspace").arg(house.at("w")).arg("--out").arg(house.at("plan.json")), 0);
    let mut apply = tamis(["takedown", "apply", "--confirm-large"]);
    ends_with(apply.arg(house.at("plan.json")).arg("--workspace").arg(house.at("w")).arg("--keys").arg(house.at("keys")), 0);
    for name in [id, url] {
        let told = said(&ends_with(house.ask(&["show", name]).arg("--keys").arg(house.at("keys")), 1).stderr);
        assert!(told.contains("is gone: takedown 1 erased it"), "{told}");
    }
    let told = said(&ends_with(house.ask(&["explain", id, "--json"]).arg("--keys").arg(house.at("keys")), 0).stdout);
    assert!(told.contains(r#""stage":"takedown""#) && !told.contains(url), "{told}");
}

#[test]
fn words_of_strangers_move_no_cursor() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let text =
        "Zlý text \u{1b}[2J\u{1b}]0;titul\u{7} s \u{202e}obrátenými\u{202c} slovami a ešte niečo, čo je dosť dlhé na to, aby to ostalo.";
    let line = serde_json::json!({"url": "https://zly.example.sk/a\u{1b}[31m", "title": "\u{9b}31m", "text": text, "lang": "sk"});
    std::fs::write(at("in.jsonl"), format!("{line}\n")).expect("room");
    let recipe = format!(
        "dataset = \"d\"\ninput = \"{}\"\n[source]\nkind = \"jsonl\"\n[dedup]\nnear = false\n[[emit]]\nstage = \"tokenize\"\n",
        at("in.jsonl").display()
    );
    std::fs::write(at("r.toml"), recipe).expect("room");
    ends_with(tamis(["run"]).arg(at("r.toml")).arg("--workspace").arg(at("w")), 0);
    let mut sample = tamis(["inspect"]);
    let told = said(&ends_with(sample.arg(at("w/data/d")).args(["sample"]), 0).stdout);
    let id = told.split(' ').next().expect("an id").to_owned();
    let mut show = tamis(["inspect"]);
    let shown = said(&ends_with(show.arg(at("w/data/d")).args(["show", &id]), 0).stdout);
    for told in [told, shown] {
        assert!(told.contains("Zlý text") && !told.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}']), "{told:?}");
    }
}

#[test]
#[cfg(feature = "sql")]
fn questions_in_sql_are_answered_from_what_is_stored() {
    let house = House::new();
    let published = stored(&house.at("w/data"));
    let fi = published.iter().filter(|row| row["lang"] == "fi").count();
    let tokens: u64 = published.iter().filter(|row| row["lang"] == "fi").filter_map(|row| row["token_count"].as_u64()).sum();
    let query = "select count(*) as n, sum(token_count) as tokens, max(length(text)) as longest, min(fetched_at) as first from documents where lang = 'fi'";
    let row = &house.rows(&["sql", query])[0];
    assert_eq!((row["n"].as_u64(), row["tokens"].as_u64()), (Some(fi as u64), Some(tokens)), "{row}");
    assert!(row["longest"].as_u64() > Some(100) && row["first"].as_str().is_some_and(|at| at.starts_with("20")), "{row}");
    let id = published[3]["id"].as_str().expect("an id");
    assert_eq!(house.rows(&["sql", &format!("select url from documents where id = '{id}'")])[0]["url"], published[3]["url"]);
    let largest = &house.rows(&["sql", "select cluster_size from documents order by cluster_size desc limit 1"])[0];
    assert!(largest["cluster_size"].as_u64() > Some(1), "what is not known comes last: {largest}");
    let dropped = stored(&house.at("w/_tamis/rejects")).len();
    assert_eq!(house.rows(&["sql", "select count(*) as n from rejects"])[0]["n"].as_u64(), Some(dropped as u64));
    let counted = &house.rows(&["sql", "select sum(documents) as n from ledger where what = 'dropped'"])[0];
    assert_eq!(counted["n"].as_u64(), Some(dropped as u64));
    let csv = said(&ends_with(&mut house.ask(&["sql", "select 'a,\"b' as x, null as y", "--format", "csv"]), 0).stdout);
    assert_eq!(csv, "x,y\n\"a,\"\"b\",\n");
    ends_with(house.ask(&["sql", "select id, lang from documents", "--format", "parquet", "--output"]).arg(house.at("out/x.parquet")), 2);
    std::fs::create_dir(house.at("out")).expect("room");
    ends_with(house.ask(&["sql", "select id, lang from documents", "--format", "parquet", "--output"]).arg(house.at("out/x.parquet")), 0);
    assert_eq!(stored(&house.at("out")).len(), published.len());
}

#[test]
#[cfg(feature = "sql")]
fn a_question_that_is_wrong_or_would_change_something_is_refused_with_what_there_is() {
    let house = House::new();
    for (query, told) in [
        ("select lnag from documents", "table documents: id, url, host, lang"),
        ("select * from document", "table rejects: id, url"),
        ("selct 1", "Expected"),
        ("drop table documents", "not supported"),
        ("copy documents to 'x.csv'", "not supported"),
        ("create external table x stored as csv location '/etc/passwd'", "not supported"),
        ("set datafusion.execution.target_partitions = 1", "not supported"),
    ] {
        let said = said(&ends_with(&mut house.ask(&["sql", query]), 2).stderr);
        assert!(said.contains(told), "{query}: {said}");
    }
    let mut small =
        house.ask(&["sql", "select a.text, b.text from documents a, documents b order by a.text || b.text", "--memory-max", "2 MiB"]);
    assert!(said(&ends_with(&mut small, 2).stderr).contains("--memory-max"));
    let mut shell = house.ask(&["sql", "--json"]);
    shell.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut running = shell.spawn().expect("it starts");
    let mut input = running.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut input, b"select 1 as a;\nselect count(*) as n\nfrom ledger where what = 'read';\n").expect("it listens");
    drop(input);
    let told = said(&running.wait_with_output().expect("it ends").stdout);
    assert_eq!(told, "{\"a\":1}\n{\"n\":1}\n");
}

#[test]
fn two_nights_are_told_apart_and_labels_are_kept_until_a_document_is_erased() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |path: &str| folder.path().join(path);
    let recipe = "dataset = \"d\"\n[source]\nkind = \"jsonl\"\n[dedup]\nnear = false\n[[emit]]\nstage = \"tokenize\"\n";
    std::fs::write(at("r.toml"), recipe).expect("room");
    std::fs::create_dir(at("in")).expect("room");
    let text = |word: &str, number: u64| format!("{word} {}", ["Lotse", "Hafen", "Möwe", "Kutter", "Netz", "Tau"][number as usize]);
    for (night, texts) in
        [("1", vec![text("Der", 0), text("Der", 1), text("Der", 2)]), ("2", vec![text("Der", 0), text("Ein", 4), String::new()])]
    {
        let lines = texts.iter().enumerate().map(|(number, text)| {
            serde_json::json!({"url": format!("https://n{night}.example.de/{number}"), "text": text}).to_string() + "\n"
        });
        std::fs::write(at("in").join(night).with_extension("jsonl"), lines.collect::<String>()).expect("room");
        let mut run = tamis(["run"]);
        run.arg(at("r.toml")).arg("--workspace").arg(at("w")).arg("--keys").arg(at("keys"));
        ends_with(run.arg("--set").arg(format!("input={}/*.jsonl", at("in").display())), 0);
    }
    let ask = |words: &[&str]| {
        let mut command = tamis(["inspect"]);
        command.arg(at("w/data/d")).args(words);
        command
    };
    let told: Value = serde_json::from_slice(&ends_with(&mut ask(&["diff", "--json"]), 0).stdout).expect("JSON");
    assert_eq!((&told["read"], &told["kept"]), (&serde_json::json!([3, 3]), &serde_json::json!([3, 1])), "{told}");
    assert_eq!(told["dropped"]["dedup/exact-duplicate"], serde_json::json!([0, 1]), "{told}");
    assert_eq!(told["languages"]["und"]["documents"], serde_json::json!([3, 1]));
    let turned: Value = serde_json::from_slice(&ends_with(&mut ask(&["diff", "2", "1", "--json"]), 0).stdout).expect("JSON");
    assert_eq!(turned["kept"], serde_json::json!([1, 3]));
    let table = said(&ends_with(&mut ask(&["diff"]), 0).stdout);
    assert!(table.contains("dropped: dedup/exact-duplicate") && table.contains("-66.7 %"), "{table}");
    assert!(said(&ends_with(&mut ask(&["diff", "7"]), 2).stderr).contains("give 1 to 2"));

    ends_with(&mut ask(&["labels", "add", "bad", "https://n1.example.de/0", "https://n1.example.de/1", "--reason", "too short"]), 0);
    ends_with(&mut ask(&["labels", "add", "good", "https://n1.example.de/1"]), 0);
    let mut answers = ask(&["labels", "ask", "--n", "9"]);
    std::fs::write(at("answers"), "what?\ng a true sentence\ns\n").expect("room");
    ends_with(answers.stdin(std::fs::File::open(at("answers")).expect("ours")), 0);
    let list = || -> Vec<Value> {
        let told = said(&ends_with(&mut ask(&["labels", "list", "--json"]), 0).stdout);
        told.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let labels = list();
    let of = |number: u64| labels.iter().find(|row| row["url"] == format!("https://n1.example.de/{number}")).expect("a label");
    assert_eq!((labels.len(), &of(0)["label"], &of(0)["reason"], &of(1)["label"]), (3, &"bad".into(), &"too short".into(), &"good".into()));
    ends_with(ask(&["labels", "export", "--output"]).arg(at("labels.jsonl")), 0);
    let exported = std::fs::read_to_string(at("labels.jsonl")).expect("ours");
    assert!(exported.lines().count() == 3 && exported.contains("a true sentence") && exported.contains("Der Lotse"), "{exported}");

    let mut plan = tamis(["takedown", "plan", "--reason", "gdpr-17", "--received", "2026-11-20", "--url", "https://n1.example.de/0"]);
    ends_with(plan.arg("--workspace").arg(at("w")).arg("--out").arg(at("plan.json")), 0);
    let mut apply = tamis(["takedown", "apply", "--confirm-large"]);
    ends_with(apply.arg(at("plan.json")).arg("--workspace").arg(at("w")).arg("--keys").arg(at("keys")), 0);
    let stored = std::fs::read_to_string(at("w/_tamis/labels/d.jsonl")).expect("a list");
    assert!(stored.lines().count() == 2 && !stored.contains(of(0)["id"].as_str().expect("an id")), "{stored}");
}

#[test]
fn a_summary_counts_by_source_licence_owner_and_domain_what_the_shards_hold() {
    let house = House::new();
    let told = &house.rows(&["summary", "--kinds"])[0];
    let published = stored(&house.at("w/data"));
    let sum = |kind: &str| {
        told["kinds"][kind].as_object().expect("counts").values().map(|count| count["documents"].as_u64().unwrap_or(0)).sum::<u64>()
    };
    for kind in ["sources", "licences", "optouts", "domains"] {
        assert_eq!(sum(kind), published.len() as u64, "{kind}: {told}");
    }
    let german = published.iter().filter(|row| row["host"].as_str().is_some_and(|host| host.ends_with(".example"))).count();
    assert_eq!(told["kinds"]["domains"]["example"]["documents"], german);
    let table = said(&ends_with(&mut house.ask(&["summary", "--kinds"]), 0).stdout);
    assert!(table.contains("owners say") && table.contains("licence"), "{table}");
}

#[test]
fn an_address_that_was_asked_for_goes_before_others_of_the_same_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |path: &str| folder.path().join(path);
    std::fs::write(at("r.toml"), "dataset = \"d\"\n[source]\nkind = \"jsonl\"\n[dedup]\nnear = false\n").expect("room");
    let line = |url: &str| serde_json::json!({"url": url, "text": "Der Lotse geht von Bord."}).to_string() + "\n";
    std::fs::write(at("in.jsonl"), line("http://dorf.example/a") + &line("https://dorf.example/a")).expect("room");
    let mut run = tamis(["run"]);
    run.arg(at("r.toml")).arg("--workspace").arg(at("w")).arg("--keys").arg(at("keys"));
    ends_with(run.arg("--set").arg(format!("input={}", at("in.jsonl").display())), 0);
    let kept = |url: &str| {
        let output = ends_with(tamis(["inspect"]).arg(at("w/data/d")).args(["explain", url, "--json"]), 0);
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")["kept"].as_bool().expect("a verdict")
    };
    let both = [kept("http://dorf.example/a"), kept("https://dorf.example/a")];
    assert!(both == [true, false] || both == [false, true], "one was kept, the other repeats it: {both:?}");
}

/// The quickstart's archives have menus and footers around their texts, and some of their pages fell.
#[test]
fn a_page_is_shown_with_what_was_left_out_and_a_way_with_what_was_measured() {
    let house = House::new();
    let published = stored(&house.at("w/data"));
    let mut cut = 0;
    for row in published.iter().take(12) {
        let shown = &house.rows(&["show", "--page", row["id"].as_str().expect("an id")])[0];
        let lines = shown["page"].as_array().expect("lines");
        let of_text: Vec<&str> = lines.iter().filter(|line| line["is"] != "cut").filter_map(|line| line["line"].as_str()).collect();
        let text: Vec<&str> = row["text"].as_str().expect("a text").lines().filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(of_text, text);
        cut += lines.iter().filter(|line| line["is"] == "cut").count();
    }
    assert!(cut > 12, "menus were left out: {cut}");
    let id = published[0]["id"].as_str().expect("an id");
    let told = said(&ends_with(&mut house.ask(&["show", "--page", id]), 0).stdout);
    assert!(told.lines().any(|line| line.starts_with("- ")) && !told.contains('\u{1b}'), "marked without colours in a pipe: {told}");

    let way = &house.rows(&["explain", id])[0]["trail"];
    let stages: Vec<&str> = way.as_array().expect("a way").iter().filter_map(|step| step["stage"].as_str()).collect();
    assert_eq!((stages.first(), stages.last()), (Some(&"read"), Some(&"tokenize")));
    let step = |stage: &str| way.as_array().expect("a way").iter().find(|step| step["stage"] == stage).expect("a stage");
    assert!(
        step("langid")["measured"]["lang_score"].is_number() && step("gopher-quality")["measured"]["quality.words"].is_number(),
        "{way}"
    );
    assert_eq!(step("tokenize")["measured"]["token_count"], published[0]["token_count"]);
    let dropped = stored(&house.at("w/_tamis/rejects"));
    let fell = dropped.iter().find(|row| row["stage"] == "gopher-quality" || row["stage"] == "c4-quality").expect("a bad page");
    let told = said(&ends_with(&mut house.ask(&["explain", fell["id"].as_str().expect("an id")]), 0).stdout);
    let line = told.lines().find(|line| line.contains("dropped here")).expect("where it fell");
    assert!(
        line.starts_with(fell["stage"].as_str().expect("a stage")) && line.contains(fell["reason"].as_str().expect("a reason")),
        "{told}"
    );
    assert!(told.lines().any(|line| line.contains("not reached")), "{told}");
}

#[test]
fn a_page_that_is_gone_from_its_archive_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let show = |recipe: &str, input: &str, words: &[&str]| {
        let w = format!("w-{input}");
        std::fs::write(at("r.toml"), recipe).expect("room");
        let mut run = tamis(["run"]);
        run.arg(at("r.toml")).arg("--workspace").arg(at(&w)).arg("--keys").arg(at("keys"));
        ends_with(run.arg("--set").arg(format!("input={}", at(input).display())), 0);
        let id = stored(&at(&w).join("data"))[0]["id"].as_str().expect("an id").to_owned();
        if input.ends_with("gz") {
            std::fs::remove_file(at(input)).expect("ours");
        }
        let mut show = tamis(["inspect"]);
        said(&ends_with(show.arg(at(&w).join("data/d")).args(["show", &id]).args(words), 2).stderr)
    };
    std::fs::write(at("in.jsonl"), "{\"url\": \"https://dorf.example/a\", \"text\": \"Der Lotse geht von Bord.\"}\n").expect("room");
    let told = show("dataset = \"d\"\n[source]\nkind = \"jsonl\"\n[dedup]\nnear = false\n", "in.jsonl", &["--page"]);
    assert!(told.contains("documents of source `jsonl` have no page in an archive"), "{told}");
    std::fs::write(at("a.warc.gz"), member("response", "https://dorf.example/a", "200 OK", &page(1, "Oma"))).expect("room");
    let recipe = "dataset = \"d\"\n[source]\nkind = \"warc\"\n[[clean]]\nstage = \"extract\"\n[dedup]\nnear = false\n";
    assert!(show(recipe, "a.warc.gz", &["--page"]).contains("does not hold the page any more"));
}

#[test]
fn personal_data_is_counted_as_it_is_stored_and_reviewed_without_showing_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let recipe = "dataset = \"d\"\n[source]\nkind = \"jsonl\"\n[[clean]]\nstage = \"langid\"\n[[clean]]\nstage = \"pii\"\nmode = \"annotate\"\n[dedup]\nnear = false\n";
    std::fs::write(at("r.toml"), recipe).expect("room");
    let line = |host: &str, text: &str| serde_json::json!({"url": format!("https://{host}/a"), "text": text}).to_string() + "\n";
    let lines = line(
        "yksi.example.fi",
        "Kirjasto on auki joka päivä. Kirjoita osoitteeseen aino.saari@kirjasto-saari.fi tai soita +358 40 123 4567.",
    ) + &line(
        "kaksi.example.fi",
        "Satamassa oli eilen hiljaista, ja lautta tuli vasta illalla, kun aurinko laski. Kirjoita: vaino@satama-saari.fi, olavi@satama-saari.fi.",
    ) + &line(
        "kolme.example.fi",
        "Metsässä oli tänään paljon mustikoita, ja kaikki lapset tulivat kotiin sinisinä ja iloisina.",
    );
    std::fs::write(at("in.jsonl"), lines).expect("room");
    let mut run = tamis(["run"]);
    run.arg(at("r.toml")).arg("--workspace").arg(at("w")).arg("--keys").arg(at("keys"));
    ends_with(run.arg("--set").arg(format!("input={}", at("in.jsonl").display())), 0);
    let ask = |words: &[&str]| {
        let mut pii = tamis(["inspect"]);
        pii.arg(at("w/data/d")).arg("pii").args(words);
        said(&ends_with(&mut pii, 0).stdout)
    };
    let told: Value = serde_json::from_str(&ask(&["--json"])).expect("JSON");
    assert_eq!((&told["documents"], &told["findings"]["email"], &told["with"]["email"]), (&3.into(), &3.into(), &2.into()), "{told}");
    assert_eq!((&told["languages"]["fi"]["phone"], &told["hosts"]["kaksi.example.fi"]["email"]), (&1.into(), &2.into()), "{told}");
    let table = ask(&[]);
    assert!(table.contains("66.67 %") && table.contains("yksi.example.fi"), "{table}");
    let review = ask(&["--review", "9"]);
    assert!(
        review.contains("Kirjoita osoitteeseen email@example.com tai soita [PHONE]") && review.matches("example.fi").count() == 2,
        "{review}"
    );
    assert!(!review.contains("aino") && !review.contains("olavi") && !review.contains("4567"), "{review}");
    assert_eq!(ask(&["--review", "9", "--kind", "phone", "--json"]).lines().count(), 1);
}
