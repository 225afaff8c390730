//! Nights one after the other: what was seen before stays out, whatever happens on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;

use parquet::record::RowAccessor;
use sha2::{Digest, Sha256};
use tamis::dedup::erase::Orphans;
use tamis::doc::DocId;
use tamis::passes::erase_from_index;
use tamis::workspace::Workspace;

use crate::run::summary;
use crate::{copy_folder, ends_with, files_below, said, tamis};

const RECIPE: &str = "dataset = \"d\"\n[source]\nkind = \"jsonl\"\n[limits]\ntask_bytes_max = \"4 kB\"\n";

/// Words of a harbour town, of which texts are made that nobody wrote.
const WORDS: &str = "satama aamu kalastaja verkko laituri tuuli meri lokki majakka poika vene silta tori kahvi leipä kello ranta saari lumi \
    jää kevät syksy lamppu ikkuna ovi katu talo piha koira kissa hevonen kirja kirje posti juna asema silmä käsi sydän laulu";

/// A text of sixty words; texts of different numbers have hardly a shingle in common.
pub fn text(number: u64) -> String {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        words[(state >> 40) as usize % words.len()]
    };
    (0..60).map(|_| next()).collect::<Vec<_>>().join(" ")
}

/// The same with another end, so that nine tenths of the shingles stay.
pub fn rewritten(number: u64, end: &str) -> String {
    let text = text(number);
    format!("{} {end}", text.rsplit_once(' ').map_or("", |(rest, _)| rest))
}

/// The text columns `names` of all Parquet files below `folder`.
pub fn rows_below(folder: &std::path::Path, names: &[&str]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for file in files_below(folder) {
        let reader = parquet::file::reader::SerializedFileReader::try_from(folder.join(file).as_path()).expect("Parquet");
        for row in reader {
            let row = row.expect("a row");
            let at = |name: &str| row.get_column_iter().position(|(found, _)| found == name).expect("a column");
            rows.push(names.iter().map(|name| row.get_string(at(name)).cloned().unwrap_or_default()).collect());
        }
    }
    rows
}

struct Town {
    folder: tempfile::TempDir,
}

impl Town {
    fn new() -> Town {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("in")).expect("room");
        std::fs::write(folder.path().join("recipe.toml"), RECIPE).expect("room");
        Town { folder }
    }

    fn workspace(&self) -> PathBuf {
        self.folder.path().join("w")
    }

    /// Lays the pages of a night beside those of earlier ones.
    fn put(&self, night: usize, texts: &[String]) {
        for (part, texts) in texts.chunks(8).enumerate() {
            let lines = texts.iter().enumerate().map(|(place, text)| {
                serde_json::json!({ "url": format!("https://n{night}.example/{part}/{place}"), "text": text }).to_string() + "\n"
            });
            std::fs::write(self.folder.path().join(format!("in/{night}-{part}.jsonl")), lines.collect::<String>()).expect("room");
        }
    }

    fn run(&self) -> Command {
        let mut command = tamis(["run"]);
        command.arg(self.folder.path().join("recipe.toml")).arg("--workspace").arg(self.workspace());
        command.arg("--set").arg(format!("input={}/in/*.jsonl", self.folder.path().display()));
        command
    }

    /// SHA-256 of every file of data and index.
    fn fingerprint(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let places = ["data", "_tamis/index"].map(|place| self.workspace().join(place));
        let files = places.iter().flat_map(|place| files_below(place).into_iter().map(|file| place.join(file)));
        files
            .map(|path| {
                let name = path.strip_prefix(self.workspace()).expect("inside").to_owned();
                (name, Sha256::digest(std::fs::read(path).expect("a file")).to_vec())
            })
            .collect()
    }

    /// The text columns `names` of all Parquet files below `place`.
    fn rows(&self, place: &str, names: &[&str]) -> Vec<Vec<String>> {
        rows_below(&self.workspace().join(place), names)
    }

    fn kept(&self) -> BTreeSet<String> {
        self.rows("data", &["text"]).into_iter().map(|row| row[0].clone()).collect()
    }

    fn index_files(&self) -> Vec<PathBuf> {
        let place = self.workspace().join("_tamis/index/d");
        files_below(&place).into_iter().map(|file| place.join(file)).collect()
    }
}

/// Five nights: each brings its own pages and copies of pages of nights before.
fn five_nights() -> Vec<Vec<String>> {
    (0..5_u64)
        .map(|night| {
            let own = (0..10).map(|page| text(100 * night + page));
            let equal = (0..3).filter(|_| night > 0).map(|page| text(100 * (night - 1) + page));
            let near = (0..3).filter(|_| night > 1).map(|page| rewritten(100 * (night - 2) + page + 4, "lopuksi"));
            own.chain(equal).chain(near).collect()
        })
        .collect()
}

#[test]
fn what_an_earlier_night_published_stays_out_with_the_name_of_whom_it_repeats() {
    let town = Town::new();
    town.put(1, &[text(1), text(2)]);
    ends_with(&mut town.run(), 0);
    let first = town.rows("data", &["id", "text"]);
    town.put(2, &[rewritten(1, "uudelleen"), text(2), text(3)]);
    ends_with(&mut town.run(), 0);
    assert_eq!(town.kept(), BTreeSet::from([text(1), text(2), text(3)]));
    let rejects = town.rows("_tamis/rejects", &["reason", "text", "duplicate_of"]);
    let of = |text: &str| first.iter().find(|row| row[1] == text).expect("it was kept")[0].clone();
    let row = |reason: &str, text: String, of: String| vec![reason.to_owned(), text, of];
    let mut expected = vec![row("near-duplicate", rewritten(1, "uudelleen"), of(&text(1))), row("exact-duplicate", text(2), of(&text(2)))];
    expected.sort();
    let mut rejects = rejects;
    rejects.sort();
    assert_eq!(rejects, expected);
    ends_with(&mut tamis(["verify".as_ref(), town.workspace().join("data/d").as_os_str()]), 0);
    town.put(3, &[text(2)]);
    ends_with(town.run().args(["--set", "dedup.remember=false", "--set", "output.existing=append"]), 0);
    assert_eq!(summary(&town.workspace(), "d")["kept"], 6, "another recipe without memory reads all and lets the old texts in again");
}

#[test]
fn five_nights_in_five_runs_keep_what_one_run_over_all_keeps() {
    let (once, nightly) = (Town::new(), Town::new());
    for (night, texts) in five_nights().iter().enumerate() {
        once.put(night, texts);
        nightly.put(night, texts);
        ends_with(nightly.run().args(["--threads", if night % 2 == 0 { "1" } else { "3" }]), 0);
    }
    ends_with(&mut once.run(), 0);
    assert_eq!(nightly.kept().len(), 50);
    // Of a text and its rewritten copy one run keeps the longer, five runs keep the first.
    let clusters = |town: &Town| -> BTreeSet<String> {
        town.kept().iter().map(|text| text.rsplit_once(' ').map_or("", |(rest, _)| rest).to_owned()).collect()
    };
    assert_eq!(clusters(&nightly), clusters(&once));
    assert!(nightly.index_files().len() < 15, "runs of the index were merged on the way");
}

#[test]
fn a_night_that_is_killed_after_any_step_leaves_the_index_of_one_that_was_let_be() {
    let (whole, killed) = (Town::new(), Town::new());
    // Inputs lie in other folders, so plans have other names; what they say is the same.
    let said_by = |town: &Town| -> BTreeSet<Vec<String>> { town.rows("data", &["url", "text", "lang"]).into_iter().collect() };
    for (night, texts) in five_nights().iter().enumerate() {
        for town in [&whole, &killed] {
            town.put(night, texts);
        }
        ends_with(whole.run().args(["--threads", "1", "--memory-max", "320MB"]), 0);
        // The n-th try dies after its n-th lasting change, of those that are left to do; three or more in a row see the same night.
        let mut deaths = 0;
        for step in 1.. {
            let output = killed.run().env("TAMIS_KILL_AT", step.to_string()).output().expect("it starts");
            if output.status.code() == Some(0) {
                break;
            }
            assert_eq!(output.status.signal(), Some(9), "{}", said(&output.stderr));
            deaths += 1;
        }
        assert!(deaths > 8, "night {night} had {deaths} steps only");
        assert_eq!(said_by(&killed), said_by(&whole));
        assert_eq!(killed.index_files().len(), whole.index_files().len());
        ends_with(&mut tamis(["verify".as_ref(), killed.workspace().join("data/d").as_os_str()]), 0);
    }
    let before = killed.fingerprint();
    ends_with(&mut killed.run(), 0);
    assert_eq!(killed.fingerprint(), before, "there was nothing left to do");
}

#[test]
fn every_single_step_of_a_night_may_be_its_last() {
    let town = Town::new();
    let nights = five_nights();
    for (night, texts) in nights.iter().take(3).enumerate() {
        town.put(night, texts);
        ends_with(&mut town.run(), 0);
    }
    town.put(3, &nights[3]);
    let (kept, mut steps) = (town.folder.path().join("before"), 0);
    copy_folder(&town.workspace(), &kept);
    ends_with(&mut town.run(), 0);
    let whole = town.fingerprint();
    for step in 1.. {
        std::fs::remove_dir_all(town.workspace()).expect("it is ours");
        copy_folder(&kept, &town.workspace());
        let output = town.run().env("TAMIS_KILL_AT", step.to_string()).output().expect("it starts");
        if output.status.code() == Some(0) {
            break;
        }
        assert_eq!(output.status.signal(), Some(9), "{}", said(&output.stderr));
        ends_with(&mut town.run(), 0);
        assert_eq!(town.fingerprint(), whole, "killed after step {step}");
        steps = step;
    }
    assert!(steps > 50, "a night has more than {steps} steps");
}

/// What `tamis dedup` with these words says of three pages: one that an earlier night has, one rewritten, one new.
fn asked(words: &[&str], town: &Town, code: i32) -> (Vec<serde_json::Value>, String) {
    let pages = [text(1), rewritten(2, "jälleen"), text(9), rewritten(9, "jälleen"), text(8)];
    let line = |(place, text): (usize, &String)| serde_json::json!({ "id": place, "text": text }).to_string() + "\n";
    let file = town.folder.path().join("asked.jsonl");
    std::fs::write(&file, pages.iter().enumerate().map(line).collect::<String>()).expect("room");
    let output = ends_with(tamis(["dedup"]).arg(&file).args(words), code);
    let answers = said(&output.stdout);
    (answers.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(), said(&output.stderr))
}

#[test]
fn a_file_held_against_an_index_learns_what_it_repeats() {
    let town = Town::new();
    town.put(1, &[text(1), text(3)]);
    ends_with(&mut town.run(), 0);
    town.put(2, &[text(2), rewritten(1, "uudelleen")]);
    ends_with(&mut town.run(), 0);
    let rows = town.rows("data", &["id", "text"]);
    let id = |text: &str| rows.iter().find(|row| row[1] == text).expect("it was kept")[0].clone();
    for place in ["data/d", "_tamis/index/d"] {
        let (answers, _) = asked(&["--against", &town.workspace().join(place).to_string_lossy()], &town, 0);
        let of =
            |answer: &serde_json::Value| (answer["winner"].clone(), answer["cluster"].clone(), answer["size"].as_u64().expect("a number"));
        assert_eq!(of(&answers[0]), (id(&text(1)).into(), id(&text(1)).into(), 3), "the page and its copy of the second night were met");
        assert_eq!(of(&answers[1]), (id(&text(2)).into(), id(&text(2)).into(), 2));
        assert_eq!((of(&answers[2]), of(&answers[3])), ((3.into(), 2.into(), 2), (3.into(), 2.into(), 2)));
        assert_eq!(of(&answers[4]), (4.into(), 4.into(), 1));
    }
    let against = town.workspace().join("data/d").to_string_lossy().into_owned();
    let (_, told) = asked(&["--against", &against, "--near", "strict"], &town, 2);
    assert!(told.contains("16 bands of 7 rows") && told.contains("leave --near"), "{told}");
    let (_, told) = asked(&["--against", &town.folder.path().to_string_lossy()], &town, 2);
    assert!(told.contains("is not a data set"), "{told}");
}

#[test]
fn threads_and_memory_do_not_show_in_the_index() {
    let town = Town::new();
    five_nights().iter().enumerate().for_each(|(night, texts)| town.put(night, texts));
    ends_with(town.run().args(["--threads", "1"]), 0);
    let one = town.fingerprint();
    std::fs::remove_dir_all(town.workspace()).expect("it is ours");
    ends_with(town.run().args(["--threads", "4", "--memory-max", "310MB"]), 0);
    assert_eq!(town.fingerprint(), one);
    assert!(one.keys().any(|path| path.extension().is_some_and(|ending| ending == "bands")));
}

#[test]
fn a_flipped_bit_in_the_index_is_reported_and_nothing_is_published() {
    let town = Town::new();
    town.put(1, &[text(1), text(2)]);
    ends_with(&mut town.run(), 0);
    town.put(2, &[rewritten(1, "taas"), text(2)]);
    let published = summary(&town.workspace(), "d")["kept"].clone();
    for path in town.index_files() {
        let whole = std::fs::read(&path).expect("a file");
        let mut bytes = whole.clone();
        bytes[20] ^= 1;
        std::fs::write(&path, bytes).expect("room");
        let told = said(&ends_with(&mut tamis(["verify".as_ref(), town.workspace().join("data/d").as_os_str()]), 1).stdout);
        assert!(told.contains("hash"), "{told}");
        let told = said(&ends_with(&mut town.run(), 2).stderr);
        assert!(told.contains("damaged") && told.contains(&*path.file_name().expect("a name").to_string_lossy()), "{told}");
        assert_eq!(summary(&town.workspace(), "d")["kept"], published);
        std::fs::write(&path, &whole[..whole.len() / 2]).expect("room");
        let told = said(&ends_with(&mut town.run(), 2).stderr);
        assert!(told.contains("no whole file"), "{told}");
        std::fs::write(&path, whole).expect("room");
    }
    ends_with(&mut town.run(), 0);
    assert_eq!(town.kept(), BTreeSet::from([text(1), text(2)]));
}

#[test]
fn an_index_of_other_settings_is_refused_with_the_way_out() {
    let town = Town::new();
    town.put(1, &[text(1)]);
    ends_with(&mut town.run(), 0);
    town.put(2, &[text(2)]);
    let told = said(&ends_with(town.run().args(["--set", "dedup.near=strict", "--set", "output.existing=append"]), 2).stderr);
    assert!(told.contains("20 bands of 13 rows") && told.contains("dedup.remember=false"), "{told}");
}

#[test]
fn an_erased_document_is_gone_from_the_index_and_its_text_may_come_again() {
    let town = Town::new();
    town.put(1, &[text(1), text(2)]);
    ends_with(&mut town.run(), 0);
    let row = town.rows("data", &["id", "text"]).into_iter().find(|row| row[1] == text(1)).expect("it was kept");
    let id: DocId = row[0].parse().expect("an id");
    let workspace = Workspace::open(&town.workspace()).expect("ours");
    let erase = || erase_from_index(&workspace, "d", "takedown-1", 1, &BTreeSet::from([id]), Orphans::Offer).expect("a sound index");
    assert_eq!(erase().documents, 1);
    assert_eq!(erase().documents, 0, "the same transaction again does nothing");
    for path in town.index_files() {
        let bytes = std::fs::read(&path).expect("a file");
        assert!(!bytes.windows(16).any(|window| window == id.0.to_le_bytes()), "{}", path.display());
    }
    ends_with(&mut tamis(["verify".as_ref(), town.workspace().join("data/d").as_os_str()]), 0);
    town.put(2, &[rewritten(1, "vielä"), rewritten(2, "vielä")]);
    ends_with(&mut town.run(), 0);
    assert!(town.kept().contains(&rewritten(1, "vielä")) && !town.kept().contains(&rewritten(2, "vielä")));
}

#[test]
fn ten_megabytes_of_one_word_and_empty_pages_are_no_trouble() {
    let town = Town::new();
    let long = "kala ".repeat(2_000_000);
    town.put(1, &[long.clone(), String::new(), " \u{a0} ".to_owned(), "—".to_owned(), text(4)]);
    // The program under test is not optimised.
    let patient = ["--set", "limits.document_cpu_ms_max=60000"];
    ends_with(town.run().args(patient), 0);
    town.put(2, &[format!("{long}!"), String::new(), "– –".to_owned()]);
    ends_with(town.run().args(patient), 0);
    assert_eq!(town.kept().iter().filter(|text| text.len() > 1_000_000).count(), 1);
    assert!(town.kept().contains("– –") && town.kept().contains("—"));
}

#[test]
fn a_plan_decides_only_against_the_index_that_it_was_made_for() {
    let town = Town::new();
    town.put(1, &[text(1)]);
    let plan = |town: &Town| -> PathBuf {
        let mut planning = tamis(["plan"]);
        planning.arg(town.folder.path().join("recipe.toml")).arg("--workspace").arg(town.workspace());
        planning.arg("--set").arg(format!("input={}/in/*.jsonl", town.folder.path().display()));
        PathBuf::from(said(&ends_with(&mut planning, 0).stdout).trim())
    };
    let first = plan(&town);
    town.put(2, &[text(2)]);
    ends_with(&mut town.run(), 0);
    ends_with(tamis(["task", "--plan"]).arg(&first).args(["--stage", "clean", "--task", "0"]), 0);
    let told = said(&ends_with(tamis(["task", "--plan"]).arg(&first).args(["--stage", "decide", "--task", "0"]), 2).stderr);
    assert!(told.contains("plan anew"), "{told}");
}

#[test]
fn paragraphs_that_recur_on_a_host_are_cut_if_the_recipe_says_so() {
    let town = Town::new();
    town.put(1, &(0..9).map(|page| format!("{}\nTilaa uutiskirje", text(page))).collect::<Vec<_>>());
    ends_with(town.run().args(["--set", "dedup.paragraph_pages_min=5"]), 0);
    assert_eq!(town.kept(), (0..9).map(text).collect());
}
