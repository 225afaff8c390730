use std::io::Write;

use super::*;
use crate::doc::{Document, Lang};
use crate::sink::Sink;
use crate::sinks::shards::{ShardOptions, ShardSink};
use crate::sinks::splice;

fn doc(number: u32) -> Document {
    Document {
        id: DocId::of("locator", &number.to_le_bytes()),
        url: format!("https://kylä{}.example.fi/sivu/{number}", number / 100),
        lang: Some(Lang::new("fi")),
        text: format!("Kylän {number}. tarina"),
        source: "warc",
        ..Document::default()
    }
}

struct House {
    _folder: tempfile::TempDir,
    workspace: Workspace,
}

impl House {
    fn new() -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let workspace = Workspace::open(&folder.path().join("w")).expect("a free place");
        House { _folder: folder, workspace }
    }

    fn shard(&self, name: &str, numbers: std::ops::Range<u32>) -> PathBuf {
        let options = ShardOptions { group_documents_max: 300, ..ShardOptions::default() };
        let mut sink = Box::new(ShardSink::create(&self.workspace.all_data(), name, options).expect("a fresh name"));
        numbers.for_each(|number| sink.write(doc(number)).expect("room"));
        sink.finish().expect("room");
        self.workspace.all_data().join(name)
    }

    fn ask(&self, path: &Path, keys: &[Key]) -> Vec<(usize, InBlock)> {
        places(&self.workspace, Kind::Documents, path, keys).expect("a sound file").1.into_iter().collect()
    }
}

fn rows(rows: &[usize]) -> InBlock {
    InBlock::Rows(rows.iter().copied().collect())
}

fn address(number: u32) -> Key {
    Key::of_address(Address::of(&doc(number).url).expect("one").as_str())
}

#[test]
fn a_document_is_found_by_id_and_address_and_a_host_in_its_row_groups() {
    let house = House::new();
    let path = house.shard("a.parquet", 0..1_000);
    assert_eq!(house.ask(&path, &[Key::of_id(doc(5).id)]), [(0, rows(&[5]))]);
    assert_eq!(house.ask(&path, &[address(999), address(301)]), [(1, rows(&[1])), (3, rows(&[99]))]);
    let host = Address::of(&doc(250).url).expect("one").host().to_owned();
    assert_eq!(house.ask(&path, &[Key::of_host(&host), address(999)]), [(0, InBlock::Anywhere), (3, rows(&[99]))]);
    let domain = Key::of_domain(registrable_domain(&host));
    assert_eq!(house.ask(&path, &[domain]), [0, 1, 2, 3].map(|group| (group, InBlock::Anywhere)));
    assert!(house.ask(&path, &[Key::of_id(doc(1_000).id), Key::of_host("kyla.example.fi")]).is_empty());
    let all: Vec<Key> = (0..1_000).map(address).collect();
    let found = house.ask(&path, &all);
    assert_eq!(
        found.iter().map(|(_, rows)| if let InBlock::Rows(rows) = rows { rows.len() } else { 0 }).collect::<Vec<_>>(),
        [300, 300, 300, 100]
    );
}

#[test]
fn a_list_of_another_state_of_the_file_and_a_damaged_one_are_made_anew() {
    let house = House::new();
    let path = house.shard("a.parquet", 0..700);
    let key = Key::of_id(doc(650).id);
    assert_eq!(house.ask(&path, &[key]), [(2, rows(&[50]))]);
    let list = list_path(&house.workspace, &path);
    let sound = std::fs::read(&list).expect("it was written");
    for at in [3, 20, 70, sound.len() / 2, sound.len() - 3] {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&list, &bytes).expect("room");
        assert_eq!(house.ask(&path, &[key, address(0)]), [(0, rows(&[0])), (2, rows(&[50]))], "byte {at}");
    }
    std::fs::write(&list, &sound[..sound.len() / 3]).expect("room");
    assert_eq!(house.ask(&path, &[key]), [(2, rows(&[50]))]);
    std::fs::remove_file(&path).expect("it is ours");
    house.shard("a.parquet", 100..700);
    assert_eq!(house.ask(&path, &[key]), [(1, rows(&[250]))]);
}

#[test]
fn after_a_splice_the_list_says_what_a_new_one_would() {
    let house = House::new();
    let path = house.shard("a.parquet", 0..1_000);
    let before = of(&house.workspace, Kind::Documents, &path).expect("a sound file");
    for erased in [
        splice::Rows::from([(1, BTreeSet::from([0, 17]))]),
        splice::Rows::from([(1, (0..100).collect())]),
        splice::Rows::from([(0, (0..300).collect()), (2, BTreeSet::from([299]))]),
    ] {
        let out = house.workspace.root().join("out");
        let spliced = splice::splice(splice::Kind::Shard, &path, &erased, 1, &out).expect("room");
        let copy = house.workspace.all_data().join("b.parquet");
        std::fs::rename(&out, &copy).expect("room");
        assert_eq!(spliced.rows, 1_000 - erased.values().map(BTreeSet::len).sum::<usize>() as u64);
        let numbers = erased.iter().flat_map(|(group, rows)| rows.iter().map(move |row| (group * 300 + row) as u32));
        let urls: Vec<String> = numbers.map(|number| doc(number).url).collect();
        before.take_out(&house.workspace, &copy, &erased, urls.iter().map(String::as_str)).expect("room");
        let carried = present(&house.workspace, &copy).expect("it is there").expect("it is up to date").entries();
        std::fs::remove_file(list_path(&house.workspace, &copy)).expect("it is ours");
        let anew = of(&house.workspace, Kind::Documents, &copy).expect("a sound file").entries();
        assert!(carried.is_some() && carried == anew);
    }
}

#[test]
fn an_archive_is_cut_into_blocks_of_whole_members_and_one_is_read_without_the_others() {
    let house = House::new();
    let path = house.workspace.root().join("a.warc.gz");
    let mut bytes = Vec::new();
    for number in 0..400 {
        let noise: String =
            (0..4_000_u32).map(|at| char::from(b'a' + (at.wrapping_mul(number * 2 + 7).rotate_left(at % 31) % 26) as u8)).collect();
        let record = format!(
            "WARC/1.1\r\nWARC-Type: resource\r\nWARC-Target-URI: https://arkisto.example.fi/{number}\r\nContent-Length: {}\r\n\r\n{noise}\r\n\r\n",
            noise.len()
        );
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(record.as_bytes()).expect("room");
        bytes.extend(packed.finish().expect("room"));
    }
    std::fs::write(&path, &bytes).expect("room");
    let key = Key::of_address("arkisto.example.fi/333");
    let (locator, found) = places(&house.workspace, Kind::Archive, &path, &[key]).expect("a sound file");
    assert!(locator.blocks().len() > 3 && found.len() == 1, "{} blocks", locator.blocks().len());
    let block = locator.blocks()[*found.keys().next().expect("one")];
    let records = parts(&path, &block).expect("a sound file");
    assert!(records.len() < 400 && records.iter().all(|part| !part.shared && part.start < part.end));
    assert!(records.iter().any(|part| part.url.as_deref() == Some("https://arkisto.example.fi/333")));
    let all: usize = locator.blocks().iter().map(|block| parts(&path, block).expect("a sound file").len()).sum();
    assert_eq!(all, 400);
}

#[test]
fn lists_of_files_that_are_gone_or_changed_are_swept_away() {
    let house = House::new();
    let paths = ["a.parquet", "b.parquet", "c.parquet"].map(|name| house.shard(name, 0..10));
    paths.iter().for_each(|path| drop(of(&house.workspace, Kind::Documents, path).expect("a sound file")));
    std::fs::remove_file(&paths[0]).expect("it is ours");
    std::fs::remove_file(&paths[1]).expect("it is ours");
    house.shard("b.parquet", 0..9);
    sweep(&house.workspace, &paths).expect("room");
    let left: Vec<bool> = paths.iter().map(|path| list_path(&house.workspace, path).exists()).collect();
    assert_eq!(left, [false, false, true]);
}
