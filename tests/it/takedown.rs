//! What was erased is nowhere and stays away, whatever happens on the way; what was not asked for stays as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tamis::takedown::stores::Store;
use tamis::workspace::Workspace;

use crate::run::summary;
use crate::{copy_folder, ends_with, files_below, said, tamis};

const RECIPE: &str = "dataset = \"d\"\n[source]\nkind = \"warc\"\n[[clean]]\nstage = \"url\"\n[[clean]]\nstage = \"extract\"\n\
    [[emit]]\nstage = \"tokenize\"\n[output]\nrow_group_documents_max = 4\n";
/// A word that stands in address, title and text of what must go, and nowhere else.
const CANARY: &str = "zqkanarienvogel";
const URL: &str = "https://zqkanarienvogel.example.eu/leben/zqkanarienvogel.html";

/// A page of its own words.
pub(crate) fn page(number: usize, name: &str) -> String {
    let animals = ["Storch", "Kranich", "Reiher", "Habicht", "Sperling", "Kuckuck", "Eisvogel", "Zaunkönig", "Kiebitz", "Uhu"];
    let lines = (0..6).map(|line| {
        let animal = animals[(number + line) % animals.len()];
        format!(
            "<p>Am {}. Tag sah {name} den {animal} auf dem Dach Nummer {}, und niemand im Dorf wollte glauben, dass er wiederkommt, bevor \
             die Wiesen am Fluss wieder trocken sind und die {number}. Brücke steht.</p>",
            number * 7 + line,
            number * 31 + line
        )
    });
    format!(
        "<html><head><title>{name} erzählt</title></head><body><article><h1>{name}</h1>{}</article></body></html>",
        lines.collect::<String>()
    )
}

pub(crate) fn member(kind: &str, url: &str, status: &str, body: &str) -> Vec<u8> {
    let http = format!("HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}");
    let record = format!(
        "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-05-02T03:04:05Z\r\nWARC-Record-ID: <urn:uuid:{kind}>\r\n\
         Content-Type: application/http\r\nContent-Length: {}\r\n\r\n{http}\r\n\r\n",
        http.len()
    );
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(record.as_bytes()).expect("room");
    packed.finish().expect("room")
}

/// The canary's page with its request and a later revisit, and a page of its host that was not there.
fn canary() -> Vec<u8> {
    [
        member("request", URL, "200 OK", ""),
        member("response", URL, "200 OK", &page(3, CANARY)),
        member("revisit", URL, "200 OK", ""),
        member("response", &format!("{URL}?page=2"), "404 Not Found", &format!("<p>{CANARY}</p>")),
    ]
    .concat()
}

fn innocent(numbers: std::ops::Range<usize>) -> Vec<u8> {
    numbers.flat_map(|number| member("response", &format!("https://dorf.example.eu/{number}"), "200 OK", &page(number, "Oma"))).collect()
}

struct House {
    folder: tempfile::TempDir,
}

impl House {
    /// A workspace with a published night from an archive of its own, and the canary in every store.
    fn new() -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let house = House { folder };
        std::fs::write(house.at("recipe.toml"), RECIPE).expect("room");
        std::fs::create_dir_all(house.at("w/archive/night")).expect("room");
        let bytes = [innocent(10..16), canary(), innocent(20..26)].concat();
        std::fs::write(house.at("w/archive/night/a.warc.gz"), bytes).expect("room");
        ends_with(&mut house.run("w/archive/night/*.warc.gz"), 0);
        house
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn workspace(&self) -> Workspace {
        Workspace::open(&self.at("w")).expect("ours")
    }

    fn run(&self, input: &str) -> Command {
        let mut command = tamis(["run"]);
        command.arg(self.at("recipe.toml")).arg("--workspace").arg(self.at("w")).arg("--keys").arg(self.at("keys"));
        command.arg("--set").arg(format!("input={}", self.at(input).display()));
        command
    }

    fn plan(&self, words: &[&str]) -> Command {
        let mut command = tamis(["takedown", "plan", "--reason", "gdpr-17", "--received", "2026-11-20"]);
        command.args(words).arg("--workspace").arg(self.at("w")).arg("--out").arg(self.at("plan.json"));
        command
    }

    fn apply(&self) -> Command {
        let mut command = tamis(["takedown", "apply", "--confirm-large"]);
        command.arg(self.at("plan.json")).arg("--workspace").arg(self.at("w")).arg("--keys").arg(self.at("keys"));
        command
    }

    /// Plants the canary in the stores that a run leaves empty, and says in which ones it stands now.
    fn plant(&self) -> BTreeSet<Store> {
        let files = [
            ("w/_tamis/quarantine/x/clean-00000.jsonl", format!("{{\"what\":\"{URL} broke\"}}\n{{\"what\":\"other\"}}\n")),
            ("w/_tamis/staging/x/clean-00000.documents.parquet", CANARY.to_owned()),
            ("w/_tamis/ledger/x.html", format!("<td>{URL}</td>")),
            ("w/_tamis/logs/night.log", format!("fetched {URL}\nfetched https://dorf.example.eu/1\n")),
            ("w/archive/night/a.cdxj", format!("eu,example,{CANARY})/leben/{CANARY}.html 2026 {{}}\neu,example,dorf)/10 2026 {{}}\n")),
        ];
        for (path, text) in files {
            std::fs::create_dir_all(self.at(path).parent().expect("a folder")).expect("room");
            std::fs::write(self.at(path), text).expect("room");
        }
        let waiting = |url: &str| tamis::crawl::frontier::Waiting { url: url.to_owned(), depth: 0, hops: 0, sitemap: false };
        let site = |url: &str| tamis::crawl::frontier::site_of(url).expect("a site");
        let new = [URL, "https://dorf.example.eu/1"].map(|url| (site(url), waiting(url))).to_vec();
        let hosts = new.iter().map(|(site, _)| (site.clone(), tamis::crawl::frontier::Host::default())).collect();
        let mut frontier = tamis::crawl::frontier::Frontier::open(&self.workspace().frontier()).expect("a free place");
        frontier.change(&tamis::crawl::frontier::Changes { new, hosts, ..Default::default() }).expect("room");
        drop(frontier);
        let mut pack = tamis(["pack", "--out", "p", "--sequence-tokens", "300", "--shard-sequences-max", "3"]);
        ends_with(pack.arg(self.at("w/data/d")), 0);
        for format in ["megatron", "numpy"] {
            let mut export = tamis(["export", format]);
            ends_with(export.arg(self.at("w/packed/p")).arg("--out").arg(self.at("w/for").join(format)), 0);
        }
        let mut release = tamis(["release", "r"]);
        ends_with(release.arg(self.at("w/data/d")).arg("--keys").arg(self.at("keys")), 0);
        let id = self.id_of_canary();
        for document in [URL, "https://dorf.example.eu/20"] {
            let mut label = tamis(["inspect"]);
            ends_with(label.arg(self.at("w/data/d")).args(["labels", "add", "bad", document]), 0);
        }
        let holds = |store: &Store| {
            let files = store.files(&self.workspace()).expect("they can be listed");
            match store {
                Store::Locator => return self.locator_knows(id),
                Store::Packed | Store::Exports => return self.pieces(*store, id) > 0,
                Store::Labels => {
                    return files.iter().any(|path| std::fs::read_to_string(path).expect("a list").contains(&id.to_string()));
                }
                _ => {}
            }
            files
                .iter()
                .any(|path| hits(path) > 0 || std::fs::read(path).expect("a file").windows(16).any(|window| window == id.0.to_le_bytes()))
        };
        Store::ALL.into_iter().filter(holds).collect()
    }

    /// Whether a list of where documents lie has the key of `id`, which is its lower half.
    fn locator_knows(&self, id: tamis::doc::DocId) -> bool {
        let key = (id.0 as u64).to_le_bytes();
        let files = Store::Locator.files(&self.workspace()).expect("they can be listed");
        files.iter().any(|path| std::fs::read(path).expect("a file").windows(8).any(|window| window == key))
    }

    /// How many pieces of `id` packed data sets or exports have.
    fn pieces(&self, store: Store, id: tamis::doc::DocId) -> u64 {
        let files = store.files(&self.workspace()).expect("they can be listed");
        let ids = BTreeSet::from([id]);
        files.iter().map(|path| tamis::packing::hits(&self.workspace(), path, &ids).expect("a sound file")).sum()
    }

    /// Lengths of all shards.
    fn shard_bytes(&self) -> Vec<u64> {
        let paths = tamis::store::files_below(&self.at("w/data")).expect("a folder").into_iter();
        let shards = paths.filter(|path| path.extension().is_some_and(|ending| ending == "parquet"));
        shards.map(|path| std::fs::metadata(path).expect("a file").len()).collect()
    }

    /// Rows of the deduplication index that the first receipt counts.
    fn index_documents_of_receipt(&self) -> u64 {
        let receipt = std::fs::read(self.at("w/_tamis/receipts/00000001.json")).expect("it was written");
        let receipt: serde_json::Value = serde_json::from_slice(&receipt).expect("receipts are JSON");
        receipt["stores"][Store::Index.name()]["erased"].as_u64().expect("a number")
    }

    fn id_of_canary(&self) -> tamis::doc::DocId {
        let row = self.rows("w/data").into_iter().find(|row| row.contains(CANARY)).expect("it was published");
        row.split(['"', '\u{1}']).find_map(|part| part.parse().ok().filter(|_| part.len() == 32)).expect("an id")
    }

    /// Rows of all Parquet files below `place`, as text.
    fn rows(&self, place: &str) -> Vec<String> {
        let place = self.at(place);
        files_below(&place).iter().flat_map(|path| rows_of(&place.join(path))).collect()
    }

    fn hits(&self) -> Vec<String> {
        let hit = |path: &PathBuf| hits(&self.at("w").join(path)) > 0 || path.to_string_lossy().contains(CANARY);
        files_below(&self.at("w")).iter().filter(|path| hit(path)).map(|path| path.display().to_string()).collect()
    }
}

pub fn rows_of(path: &Path) -> Vec<String> {
    let Ok(reader) = parquet::file::reader::SerializedFileReader::try_from(path) else { return Vec::new() };
    reader
        .into_iter()
        .map(|row| {
            let row = row.expect("a row");
            row.get_column_iter().map(|(name, value)| format!("{name}\u{1}{value}\u{1}")).collect()
        })
        .collect()
}

/// How often the canary stands in a file.
fn hits(path: &Path) -> usize {
    hits_of(path, CANARY)
}

/// How often a word stands in a file, as it is, unpacked, or in its columns.
pub fn hits_of(path: &Path, word: &str) -> usize {
    let raw = std::fs::read(path).expect("a file");
    let mut unpacked = Vec::new();
    if raw.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(&raw[..]).read_to_end(&mut unpacked).expect("it is whole");
    }
    let columns = if raw.starts_with(b"PAR1") { rows_of(path).concat().into_bytes() } else { Vec::new() };
    [raw, unpacked, columns].iter().map(|bytes| memchr::memmem::find_iter(bytes, word).count()).sum()
}

#[test]
fn a_canary_in_every_store_is_nowhere_afterwards_and_all_else_is_as_it_was() {
    let house = House::new();
    assert_eq!(house.plant(), Store::ALL.into_iter().collect(), "every store on the list has a canary");
    let before: Vec<String> = house.rows("w/data").into_iter().filter(|row| !row.contains(CANARY)).collect();
    let id = house.id_of_canary();
    let archive = std::fs::read(house.at("w/archive/night/a.warc.gz")).expect("a file");
    let shard_bytes = house.shard_bytes();
    let told = said(&ends_with(&mut house.plan(&["--url", URL, "--url-prefix", URL]), 0).stdout);
    assert!(told.contains("1 of 13 published documents") && told.contains("--confirm-large"), "{told}");
    assert_eq!(house.rows("w/data").len(), 13, "a plan changes nothing");
    ends_with(&mut house.apply(), 0);
    assert_eq!(house.hits(), Vec::<String>::new());
    assert!(!house.locator_knows(id));
    assert_eq!((house.pieces(Store::Packed, id), house.pieces(Store::Exports, id)), (0, 0));
    assert_eq!(house.rows("w/data"), before);
    assert_eq!(house.shard_bytes(), shard_bytes, "readers may know how long a shard was");
    let now = std::fs::read(house.at("w/archive/night/a.warc.gz")).expect("a file");
    assert_eq!(now.len(), archive.len());
    assert!(now.ends_with(&innocent(20..26)), "other records stay where they were");
    for text in ["w/_tamis/quarantine/x/clean-00000.jsonl", "w/_tamis/logs/night.log", "w/archive/night/a.cdxj", "w/_tamis/labels/d.jsonl"]
    {
        assert_eq!(std::fs::read_to_string(house.at(text)).expect("a file").lines().count(), 1, "{text}");
    }
    let summary = summary(&house.at("w"), "d");
    assert_eq!(
        (&summary["kept"], &summary["languages"]["und"], &summary["dropped"]["takedown"]["erased"]),
        (&12.into(), &12.into(), &1.into())
    );
    ends_with(tamis(["verify"]).arg(house.at("w/data/d")), 0);
    ends_with(tamis(["takedown", "receipt", "verify", "--workspace"]).arg(house.at("w")), 0);
    let told = said(&ends_with(&mut house.apply(), 0).stderr);
    assert!(told.contains("was applied on") && told.contains("receipt 1"), "{told}");
}

#[test]
fn what_was_erased_is_refused_from_then_on_and_what_is_new_comes_in() {
    let house = House::new();
    ends_with(&mut house.plan(&["--host", "zqkanarienvogel.example.eu"]), 0);
    ends_with(&mut house.apply(), 0);
    let copy = member("response", "https://kopie.example.eu/", "200 OK", &page(3, CANARY));
    std::fs::write(house.at("again.warc.gz"), [canary(), copy, innocent(30..33)].concat()).expect("room");
    ends_with(&mut house.run("again.warc.gz"), 0);
    assert_eq!(house.hits(), Vec::<String>::new());
    assert_eq!(house.rows("w/data").len(), 15);
    let reasons = house.rows("w/_tamis/rejects").into_iter().filter(|row| row.contains("suppressed")).count();
    assert_eq!(reasons, 4, "page, revisit, missing page and copy fell with a reason, and without a name");
    // Another recipe, whose filter would drop the copy, is not let to write it among its rejects either.
    let strict = RECIPE.replace("\"d\"", "\"strict\"").replace("[[emit]]", "[[clean]]\nstage = \"langid\"\nkeep = [\"fi\"]\n[[emit]]");
    std::fs::write(house.at("strict.toml"), strict).expect("room");
    let mut run = tamis(["run"]);
    run.arg(house.at("strict.toml")).arg("--workspace").arg(house.at("w")).arg("--keys").arg(house.at("keys"));
    ends_with(run.arg("--set").arg(format!("input={}", house.at("again.warc.gz").display())), 0);
    assert_eq!(house.hits(), Vec::<String>::new());
    // The archive with tombstones is no new input.
    let told = said(&ends_with(&mut house.run("w/archive/night/*.warc.gz"), 0).stderr);
    assert!(told.contains("nothing to do"), "{told}");
    std::fs::remove_dir_all(house.at("keys")).expect("it is ours");
    let told = said(&ends_with(&mut house.run("again.warc.gz"), 2).stderr);
    assert!(told.contains("its key is not at"), "{told}");
}

#[test]
fn a_takedown_that_is_killed_after_any_step_is_finished_by_the_same_command() {
    let house = House::new();
    house.plant();
    ends_with(&mut house.plan(&["--url", URL, "--url-prefix", URL]), 0);
    let id = house.id_of_canary();
    let kept = house.at("before");
    copy_folder(&house.at("w"), &kept);
    let mut steps = 0;
    for step in 1.. {
        std::fs::remove_dir_all(house.at("w")).expect("it is ours");
        copy_folder(&kept, &house.at("w"));
        let output = house.apply().env("TAMIS_KILL_AT", step.to_string()).output().expect("it starts");
        if output.status.code() == Some(0) {
            break;
        }
        assert_eq!(output.status.signal(), Some(9), "{}", said(&output.stderr));
        ends_with(&mut house.apply(), 0);
        assert_eq!(house.hits(), Vec::<String>::new(), "killed after step {step}");
        assert_eq!(house.rows("w/data").len(), 12, "killed after step {step}");
        assert_eq!(house.index_documents_of_receipt(), 1, "killed after step {step}");
        assert_eq!((house.pieces(Store::Packed, id), house.pieces(Store::Exports, id)), (0, 0), "killed after step {step}");
        steps = step;
    }
    assert!(steps > 20, "a takedown has more than {steps} steps");
    ends_with(tamis(["verify"]).arg(house.at("w/data/d")), 0);
    ends_with(tamis(["takedown", "receipt", "verify", "--workspace"]).arg(house.at("w")), 0);
}

/// Runs in a name space of its own, where it may mount: the workspace on a disk of memory with `$4` KiB of room, the takedown on it, room
/// again, the same takedown; the workspace comes back to its old place. Prints the two exit codes.
const ON_A_FULL_DISK: &str = r#"
set -e
mount -t tmpfs -o size=32m none "$1"
cp -a "$2" "$1/w"
dd if=/dev/zero of="$1/filler" bs=4k 2>/dev/null || true
truncate -s -"$4"K "$1/filler"
first=0; "$3" takedown apply --confirm-large "$5" --workspace "$1/w" --keys "$6" >/dev/null 2>"$2.said" || first=$?
rm "$1/filler"
second=0; "$3" takedown apply --confirm-large "$5" --workspace "$1/w" --keys "$6" >/dev/null 2>&1 || second=$?
rm -r "$2"
cp -a "$1/w" "$2"
echo "$first $second"
"#;

#[test]
fn a_disk_that_is_full_anywhere_on_the_way_ends_with_75_and_the_same_command_goes_on_when_there_is_room() {
    let namespace = ["--user", "--map-root-user", "--mount"];
    if !Command::new("unshare").args(namespace).arg("true").status().is_ok_and(|status| status.success()) {
        println!("SKIPPED: this machine gives no name space to mount a small disk in (unshare --user --mount)");
        return;
    }
    let house = House::new();
    house.plant();
    // Exports are known by where they lie, and here the workspace moves.
    ["w/for", "w/_tamis/exports"].iter().for_each(|place| std::fs::remove_dir_all(house.at(place)).expect("it is ours"));
    ends_with(&mut house.plan(&["--url", URL, "--url-prefix", URL]), 0);
    let kept = house.at("before");
    copy_folder(&house.at("w"), &kept);
    std::fs::create_dir(house.at("disk")).expect("room");
    let mut ended = BTreeMap::new();
    for free_kib in [0, 8, 24, 48, 96, 192, 20_000] {
        std::fs::remove_dir_all(house.at("w")).expect("it is ours");
        copy_folder(&kept, &house.at("w"));
        let mut script = Command::new("unshare");
        script.args(namespace).args(["sh", "-c", ON_A_FULL_DISK, "sh"]).arg(house.at("disk")).arg(house.at("w"));
        script.arg(env!("CARGO_BIN_EXE_tamis")).arg(free_kib.to_string()).arg(house.at("plan.json")).arg(house.at("keys"));
        let output = script.output().expect("it starts");
        let codes = said(&output.stdout);
        let (first, second) = codes.trim().split_once(' ').unwrap_or_else(|| panic!("{}", said(&output.stderr)));
        let told = std::fs::read_to_string(house.at("w.said")).expect("it was written");
        assert!(first == "0" || first == "75" && told.contains("no space left"), "{free_kib} KiB: {first}, {told}");
        assert_eq!(second, "0", "{free_kib} KiB");
        assert_eq!(house.hits(), Vec::<String>::new(), "with {free_kib} KiB of room");
        assert_eq!(house.rows("w/data").len(), 12, "with {free_kib} KiB of room");
        *ended.entry(first.to_owned()).or_insert(0) += 1;
    }
    assert!(ended.get("75") >= Some(&3) && ended.contains_key("0"), "{ended:?}");
    ends_with(tamis(["verify"]).arg(house.at("w/data/d")), 0);
}

#[test]
fn a_plan_is_carried_out_as_it_was_reviewed_or_not_at_all() {
    let house = House::new();
    ends_with(&mut house.plan(&["--url", URL]), 0);
    let plan = std::fs::read_to_string(house.at("plan.json")).expect("a plan");
    std::fs::write(house.at("plan.json"), plan.replace("gdpr-17", "gdpr-21")).expect("room");
    assert!(said(&ends_with(&mut house.apply(), 2).stderr).contains("was changed after it was made"));
    std::fs::write(house.at("plan.json"), &plan).expect("room");
    let careless = tamis(["takedown", "apply"]).arg(house.at("plan.json")).arg("-w").arg(house.at("w")).output().expect("it starts");
    assert!(careless.status.code() == Some(2) && said(&careless.stderr).contains("--confirm-large"), "{}", said(&careless.stderr));
    std::fs::create_dir_all(house.at("w/archive/later")).expect("room");
    std::fs::write(house.at("w/archive/later/b.warc.gz"), canary()).expect("room");
    let told = said(&ends_with(&mut house.apply(), 2).stderr);
    assert!(told.contains("b.warc.gz` holds more of it now") && told.contains("plan again"), "{told}");
    assert_eq!(house.rows("w/data").len(), 13);
    let other = House::new();
    ends_with(&mut other.plan(&["--host", "dorf.example.eu"]), 0);
    std::fs::copy(other.at("plan.json"), house.at("plan.json")).expect("room");
    std::fs::remove_file(house.at("w/archive/later/b.warc.gz")).expect("it is ours");
    std::fs::write(house.at("w/archive/night/a.warc.gz"), innocent(10..12)).expect("room");
    assert!(said(&ends_with(&mut house.apply(), 2).stderr).contains("is not the one that was planned for"));
    for (words, told) in
        [(&["--url", "keine"][..], "with its scheme"), (&["--domain", "www.dorf.example.eu"][..], "--host"), (&[][..], "nothing is asked")]
    {
        let output = house.plan(words).output().expect("it starts");
        assert!(output.status.code() == Some(2) && said(&output.stderr).contains(told), "{}", said(&output.stderr));
    }
}

#[test]
fn a_takedown_that_died_before_it_changed_anything_stands_in_nobodys_way() {
    let house = House::new();
    ends_with(&mut house.plan(&["--url", URL]), 0);
    // Each try makes two more changes and dies: the keys first, then the note.
    while !house.at("w/_tamis/receipts/begun.json").exists() {
        assert_eq!(house.apply().env("TAMIS_KILL_AT", "2").output().expect("it starts").status.signal(), Some(9));
    }
    assert_eq!(files_below(&house.at("w/_tamis/suppression")).len(), 0, "it died before its list was written");
    ends_with(&mut house.plan(&["--url", "https://dorf.example.eu/20"]), 0);
    ends_with(&mut house.apply(), 0);
    assert_eq!(house.rows("w/data").len(), 12);
}

#[test]
fn documents_are_found_by_words_and_by_likeness() {
    let house = House::new();
    ends_with(&mut house.plan(&["--containing", "ZQKANARIENVOGEL"]), 0);
    let documents = |house: &House| -> BTreeMap<String, u64> {
        let plan: serde_json::Value = serde_json::from_slice(&std::fs::read(house.at("plan.json")).expect("a plan")).expect("JSON");
        serde_json::from_value(plan["hosts"].clone()).expect("counts")
    };
    assert_eq!(documents(&house), BTreeMap::from([("zqkanarienvogel.example.eu".to_owned(), 1)]));
    let row = house.rows("w/data").into_iter().find(|row| row.contains("dorf.example.eu/20")).expect("it was published");
    let text = row.split('\u{1}').collect::<Vec<_>>().chunks(2).find(|pair| pair[0] == "text").expect("a text")[1].replace("\"", "");
    std::fs::write(house.at("text.txt"), text.replacen("Oma", "Tante", 1)).expect("room");
    let file = house.at("text.txt").display().to_string();
    ends_with(&mut house.plan(&["--text", &file]), 0);
    assert_eq!(documents(&house), BTreeMap::from([("dorf.example.eu".to_owned(), 1)]));
}

#[test]
fn the_register_watches_due_dates_and_a_takedown_closes_its_request() {
    let house = House::new();
    let ask = |words: &[&str]| {
        let mut command = tamis(["takedown"]);
        command.args(words).arg("--workspace").arg(house.at("w"));
        command
    };
    let told = said(&ends_with(&mut ask(&["open", "--received", "2020-01-31", "--reason", "gdpr-17", "--reference", "7/20"]), 0).stdout);
    assert_eq!(told, "request 1, due on 2020-02-29\n");
    let told = said(&ends_with(&mut ask(&["list"]), 1).stdout);
    assert!(told.contains("OVERDUE since 2020-02-29") && told.contains("7/20"), "{told}");
    assert!(said(&ends_with(&mut ask(&["extend", "1", "--reason", "many"]), 2).stderr).contains("Art. 12(3)"));
    let out = house.at("plan.json").display().to_string();
    ends_with(&mut ask(&["plan", "--url", URL, "--request", "1", "--out", &out]), 0);
    ends_with(&mut house.apply(), 0);
    let told = said(&ends_with(&mut ask(&["list"]), 0).stdout);
    assert!(told.contains("receipt 1") && told.contains("received 2020-01-31"), "{told}");
    assert!(said(&ends_with(&mut ask(&["refuse", "1", "--reason", "none"]), 2).stderr).contains("not open any more"));
}

#[test]
fn a_restored_backup_publishes_nothing_before_it_was_checked() {
    let house = House::new();
    copy_folder(&house.at("w"), &house.at("backup"));
    ends_with(&mut house.plan(&["--url", URL, "--url-prefix", URL]), 0);
    ends_with(&mut house.apply(), 0);
    let check = || {
        let mut command = tamis(["restore-check", "--out"]);
        command.arg(house.at("plan.json")).arg("--workspace").arg(house.at("w")).arg("--keys").arg(house.at("keys"));
        command
    };
    assert!(said(&ends_with(&mut check(), 0).stdout).contains("nothing that was erased is back"));
    // The backup comes back, with the receipts and the list of today.
    for kept in ["receipts", "suppression"] {
        std::fs::remove_dir_all(house.at("backup/_tamis").join(kept)).expect("it is ours");
        copy_folder(&house.at("w/_tamis").join(kept), &house.at("backup/_tamis").join(kept));
    }
    std::fs::remove_dir_all(house.at("w")).expect("it is ours");
    copy_folder(&house.at("backup"), &house.at("w"));
    std::fs::write(house.at("new.warc.gz"), innocent(40..42)).expect("room");
    let told = said(&ends_with(&mut house.run("new.warc.gz"), 2).stderr);
    assert!(told.contains("restored from a backup that is older than receipt 1"), "{told}");
    assert!(said(&ends_with(&mut check(), 1).stdout).contains("1 published documents that were erased before are back"));
    ends_with(&mut house.apply(), 0);
    assert_eq!(house.hits(), Vec::<String>::new());
    assert!(said(&ends_with(&mut check(), 0).stdout).contains("nothing that was erased is back"));
    ends_with(&mut house.run("new.warc.gz"), 0);
    assert_eq!(house.rows("w/data").len(), 14);
}

#[test]
fn a_takedown_without_the_keys_of_the_one_before_is_refused_and_changes_nothing() {
    let house = House::new();
    ends_with(&mut house.plan(&["--url", URL]), 0);
    ends_with(&mut house.apply(), 0);
    ends_with(&mut house.plan(&["--url", "https://dorf.example.eu/20"]), 0);
    copy_folder(&house.at("keys"), &house.at("safe"));
    for (key, told) in [("suppression.key", "its key is not at"), ("signing.key", "the key that signed them is not at")] {
        std::fs::remove_file(house.at("keys").join(key)).expect("it is ours");
        assert!(said(&ends_with(&mut house.apply(), 2).stderr).contains(told));
        assert!(!house.at("keys").join(key).exists(), "no new key is made");
        std::fs::copy(house.at("safe").join(key), house.at("keys").join(key)).expect("room");
    }
    assert_eq!(house.rows("w/data").len(), 12);
    ends_with(&mut house.apply(), 0);
    assert_eq!(house.rows("w/data").len(), 11);
    ends_with(tamis(["takedown", "receipt", "verify", "--workspace"]).arg(house.at("w")), 0);
}

#[test]
fn a_damaged_or_missing_shard_is_told_by_its_hash_while_all_else_is_erased_and_the_same_command_goes_on() {
    let house = House::new();
    let shard = files_below(&house.at("w/data")).remove(0);
    let shard = house.at("w/data").join(shard);
    let sound = std::fs::read(&shard).expect("a shard");
    // Missing when it is planned: the plan tells, the rest is done, and there is no receipt before the shard is back.
    std::fs::remove_file(&shard).expect("ours");
    let told = ends_with(&mut house.plan(&["--url", URL, "--url-prefix", URL]), 1);
    assert!(said(&told.stderr).contains("part-00000.parquet") && said(&told.stderr).contains("SHA-256"), "{}", said(&told.stderr));
    let told = said(&ends_with(&mut house.apply(), 1).stderr);
    assert!(told.contains("there is no receipt yet") && told.contains("part-00000.parquet"), "{told}");
    assert!(house.hits().is_empty(), "{:?}", house.hits());
    std::fs::write(&shard, &sound).expect("room");
    ends_with(&mut house.apply(), 0);
    assert!(house.hits().is_empty(), "{:?}", house.hits());
    ends_with(tamis(["takedown", "receipt", "verify", "--workspace"]).arg(house.at("w")), 0);
    ends_with(tamis(["verify"]).arg(house.at("w/data/d")), 0);
}

#[test]
fn a_shard_with_a_flipped_bit_is_not_spliced_but_told() {
    let house = House::new();
    let shard = house.at("w/data").join(files_below(&house.at("w/data")).remove(0));
    ends_with(&mut house.plan(&["--url", URL, "--url-prefix", URL]), 0);
    let mut bytes = std::fs::read(&shard).expect("a shard");
    bytes[60] ^= 1;
    let times = std::fs::metadata(&shard).and_then(|file| file.modified()).expect("a time");
    std::fs::write(&shard, &bytes).expect("room");
    std::fs::File::options().append(true).open(&shard).and_then(|file| file.set_modified(times)).expect("ours");
    let told = said(&ends_with(&mut house.apply(), 1).stderr);
    assert!(told.contains("is damaged: its SHA-256 is") && told.contains("restore"), "{told}");
    bytes[60] ^= 1;
    std::fs::write(&shard, &bytes).expect("room");
    ends_with(&mut house.apply(), 0);
    assert!(house.hits().is_empty(), "{:?}", house.hits());
}

#[test]
fn an_archive_that_leaves_no_room_stops_nothing_else() {
    let house = House::new();
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(&canary()[..]).read_to_end(&mut plain).expect("it is whole");
    let whole = zstd::encode_all(&plain[..], 3).expect("room");
    std::fs::write(house.at("w/archive/night/b.warc.zst"), whole).expect("room");
    ends_with(&mut house.plan(&["--url", URL, "--url-prefix", URL]), 1);
    let told = said(&ends_with(&mut house.apply(), 1).stderr);
    assert!(told.contains("b.warc.zst") && told.contains("warcio recompress"), "{told}");
    let left = |house: &House| {
        let files = files_below(&house.at("w")).into_iter().map(|path| path.display().to_string());
        files.filter(|path| !path.ends_with(".zst") && hits(&house.at("w").join(path)) > 0).collect::<Vec<_>>()
    };
    assert!(left(&house).is_empty(), "{:?}", left(&house));
    std::fs::remove_file(house.at("w/archive/night/b.warc.zst")).expect("ours");
    ends_with(&mut house.apply(), 0);
    assert!(house.hits().is_empty());
}

#[test]
fn a_mirror_that_applies_the_feed_has_the_publishers_bytes_and_the_feed_names_nobody() {
    let house = House::new();
    let id = house.id_of_canary();
    copy_folder(&house.at("w/data"), &house.at("mirror"));
    copy_folder(&house.at("w/data/d"), &house.at("of-one"));
    ends_with(&mut house.plan(&["--url", URL, "--url-prefix", URL]), 0);
    ends_with(&mut house.apply(), 0);
    let publish = |house: &House| {
        let mut command = tamis(["takedown", "feed", "publish"]);
        command.arg("--workspace").arg(house.at("w")).arg("--keys").arg(house.at("keys"));
        ends_with(&mut command, 0).stdout
    };
    let feed = publish(&house);
    assert!(!said(&feed).contains(CANARY) && !said(&feed).contains(&id.to_string()), "{}", said(&feed));
    std::fs::write(house.at("feed"), &feed).expect("room");
    let apply = |mirror: &str, code| {
        let mut command = tamis(["takedown", "feed", "apply"]);
        command.arg(house.at("feed")).arg(house.at(mirror));
        let said_all = ends_with(&mut command, code);
        said(&said_all.stdout) + &said(&said_all.stderr)
    };
    for mirror in ["mirror", "of-one"] {
        assert!(apply(mirror, 0).contains("1 shards erased from"));
        assert!(apply(mirror, 0).contains("1 were so already"), "a second time changes nothing");
    }
    for path in files_below(&house.at("w/data")) {
        let [ours, theirs] = ["w/data", "mirror"].map(|place| std::fs::read(house.at(place).join(&path)).expect("a shard"));
        assert_eq!(ours, theirs, "{}", path.display());
    }
    std::fs::write(house.at("feed"), said(&feed).replacen("\"rows\":1", "\"rows\":2", 1)).expect("room");
    assert!(apply("mirror", 2).contains("changed after it was signed"));
}

#[test]
fn what_was_kept_out_for_a_time_comes_in_again_after_it() {
    let house = House::new();
    ends_with(&mut house.plan(&["--url", URL, "--expires", "2026-11-21"]), 0);
    ends_with(&mut house.apply(), 0);
    std::fs::write(house.at("again.warc.gz"), canary()).expect("room");
    ends_with(&mut house.run("again.warc.gz"), 0);
    assert_eq!(house.rows("w/data").iter().filter(|row| row.contains(CANARY)).count(), 0);
    let mut expire = tamis(["takedown", "expire", "--workspace"]);
    expire.arg(house.at("w")).arg("--keys").arg(house.at("keys"));
    assert!(said(&ends_with(&mut expire, 0).stdout).contains("what takedown 1 kept out may come in again"));
    std::fs::write(house.at("new.warc.gz"), [canary(), innocent(40..41)].concat()).expect("room");
    ends_with(&mut house.run("new.warc.gz"), 0);
    assert_eq!(house.rows("w/data").iter().filter(|row| row.contains(CANARY)).count(), 1);
    // The next takedown has the next number but one, and its receipt follows the one before.
    ends_with(&mut house.plan(&["--url", URL, "--url-prefix", URL]), 0);
    ends_with(&mut house.apply(), 0);
    let told = said(&ends_with(tamis(["takedown", "receipt", "verify", "--workspace"]).arg(house.at("w")), 0).stdout);
    assert!(told.contains("2 receipts: all hold"), "{told}");
}

#[test]
fn what_was_erased_before_is_told_with_its_receipt() {
    let house = House::new();
    let id = house.id_of_canary().to_string();
    ends_with(&mut house.plan(&["--id", &id]), 0);
    ends_with(&mut house.apply(), 0);
    for asked in [["--id", &id], ["--url", URL]] {
        let mut again = house.plan(&asked);
        again.arg("--keys").arg(house.at("keys"));
        let told = said(&ends_with(&mut again, 0).stderr);
        assert!(told.contains("was erased on") && told.contains("receipt 1"), "{told}");
    }
    let told = said(&ends_with(&mut house.plan(&["--id", "00000000000000000000000000000001"]), 0).stderr);
    assert!(told.contains("nothing of it is in this workspace") && !told.contains("was erased on"), "{told}");
}

#[test]
fn a_document_is_found_by_the_digest_of_its_payload() {
    let house = House::new();
    let row = house.rows("w/data").into_iter().find(|row| row.contains(CANARY)).expect("it was published");
    let digest = row.split('\u{1}').skip_while(|part| *part != "content_digest").nth(1).expect("a digest").trim_matches('"').to_owned();
    let told = said(&ends_with(&mut house.plan(&["--content-hash", &digest]), 0).stdout);
    assert!(told.contains("1 of 13 published documents"), "{told}");
    let told = said(&ends_with(&mut house.plan(&["--content-hash", &digest, "--scan"]), 0).stdout);
    assert!(told.contains("1 of 13 published documents"), "{told}");
}
