use super::*;
use crate::columns::from_batch;
use crate::doc::{DocId, Document, Lang};
use crate::sink::Sink;
use crate::sinks::shards::ShardSink;

fn doc(number: u32) -> Document {
    let words: String = (0..400).map(|word| format!("sana{} ", number.wrapping_mul(2_654_435_761).rotate_left(word) % 5_000)).collect();
    Document {
        id: DocId::of("splice", &number.to_le_bytes()),
        url: format!("https://saari{number}.example.fi/{number}"),
        host: format!("saari{number}.example.fi"),
        lang: Some(Lang::new("fi")),
        text: format!("Tarina {number}: {words}"),
        source: "warc",
        input_ids: (0..number % 700).map(|id| id * number).collect(),
        token_count: Some(number % 700),
        ..Document::default()
    }
}

fn shard(path: &Path, docs: u32) {
    let options = ShardOptions { group_documents_max: 500, ..ShardOptions::default() };
    let folder = path.parent().expect("a folder");
    let mut sink = Box::new(ShardSink::create(folder, "s.parquet", options).expect("a fresh folder"));
    (0..docs).for_each(|number| sink.write(doc(number)).expect("room"));
    sink.finish().expect("room");
}

fn read(path: &Path) -> Vec<String> {
    let source = Source::open(File::open(path).expect("it is there")).expect("it is Parquet");
    let roots: Vec<usize> = (0..source.arrow.schema().fields().len()).collect();
    let groups = 0..source.metadata().num_row_groups();
    let batches = groups.map(|group| source.read(group, &roots, None).expect("it is sound"));
    batches.flat_map(|batch| from_batch(&batch).expect("documents")).map(|doc| format!("{doc:?}")).collect()
}

/// The bytes of each page of a large column, group by group.
fn pages(path: &Path, column: &str) -> BTreeSet<Vec<u8>> {
    use parquet::file::reader::ChunkReader;
    let source = Source::open(File::open(path).expect("it is there")).expect("it is Parquet");
    let root = source.arrow.schema().index_of(column).expect("a column");
    let place = source.leaf_of(root).expect("one leaf");
    let locations = (0..source.metadata().num_row_groups()).flat_map(|group| &source.pages_of(group, place).expect("known").page_locations);
    locations.map(|page| source.file.get_bytes(page.offset as u64, page.compressed_page_size as usize).expect("inside").to_vec()).collect()
}

#[test]
fn what_is_left_is_as_it_was_and_only_pages_with_erased_rows_are_encoded_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let [path, out] = ["s.parquet", "out.parquet"].map(|name| folder.path().join(name));
    shard(&path, 1_700);
    let whole_group: BTreeSet<usize> = (0..500).collect();
    for rows in [
        Rows::from([(1, BTreeSet::from([7]))]),
        Rows::from([(0, BTreeSet::from([0, 1, 499])), (3, BTreeSet::from([199]))]),
        Rows::from([(1, whole_group), (2, (3..480).collect())]),
    ] {
        let spliced = splice(Kind::Shard, &path, &rows, 9, &out).expect("room");
        let erased: BTreeSet<usize> = rows.iter().flat_map(|(group, rows)| rows.iter().map(move |row| group * 500 + row)).collect();
        let expected: Vec<String> = (0..1_700).filter(|row| !erased.contains(row)).map(|row| format!("{:?}", doc(row as u32))).collect();
        let got = read(&out);
        let strip = |doc: &String| doc.replace("token_count: Some(0)", "token_count: None");
        assert_eq!(got.len(), expected.len());
        assert!(got.iter().map(strip).eq(expected.iter().map(strip)), "{:?}", got.first());
        assert_eq!(spliced.rows, expected.len() as u64);
        assert_eq!(spliced.tokens_erased, erased.iter().map(|row| *row as u64 % 700).sum::<u64>());
        for column in LARGE_COLUMNS {
            let (before, after) = (pages(&path, column), pages(&out, column));
            let copied = after.intersection(&before).count();
            assert!(copied + 2 * erased.len() + 2 >= after.len(), "{column}: {copied} of {}", after.len());
        }
        if erased.len() == 1 {
            assert!(spliced.bytes_encoded * 8 < spliced.bytes, "{} of {}", spliced.bytes_encoded, spliced.bytes);
        }
    }
}

#[test]
fn the_filters_of_a_spliced_group_know_nothing_of_what_was_erased() {
    let folder = tempfile::tempdir().expect("a folder");
    let [path, out] = ["s.parquet", "out.parquet"].map(|name| folder.path().join(name));
    shard(&path, 600);
    splice(Kind::Shard, &path, &Rows::from([(0, (100..400).collect())]), 1, &out).expect("room");
    let group = Source::open(File::open(&out).expect("it is there")).expect("it is Parquet").filters;
    let group = group.get_row_group(0).expect("a group");
    let place = |name: &str| group.metadata().columns().iter().position(|column| column.column_path().string() == name).expect("a column");
    let filter = group.get_column_bloom_filter(place("url")).expect("a filter");
    let known = |numbers: Range<u32>| numbers.filter(|number| filter.check(&doc(*number).url.as_str())).count();
    assert_eq!(known(0..100) + known(400..500), 200);
    assert!(known(100..400) < 15, "{}", known(100..400));
}

/// Zeros right before the footer of a file.
fn padding(path: &Path) -> usize {
    let bytes = std::fs::read(path).expect("it is there");
    let end = bytes.len() - 8;
    let footer = u32::from_le_bytes(bytes[end..end + 4].try_into().expect("four bytes")) as usize;
    bytes[..end - footer].iter().rev().take_while(|byte| **byte == 0).count()
}

fn key_values(path: &Path) -> Vec<(String, Option<String>)> {
    let source = Source::open(File::open(path).expect("it is there")).expect("it is Parquet");
    let pairs = source.metadata().file_metadata().key_value_metadata().expect("pairs").clone();
    pairs.into_iter().map(|pair| (pair.key, pair.value)).collect()
}

#[test]
fn a_shard_stays_as_long_as_it_was_and_says_what_it_said_whatever_is_taken_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let [path, out] = ["s.parquet", "out.parquet"].map(|name| folder.path().join(name));
    shard(&path, 1_100);
    let bytes = std::fs::metadata(&path).expect("it is there").len();
    let group = |rows: Range<usize>| rows.collect::<BTreeSet<usize>>();
    for rows in [
        Rows::from([(1, group(7..8))]),
        Rows::from([(0, group(3..90)), (2, group(99..100))]),
        Rows::from([(1, group(0..500))]),
        Rows::from([(0, group(0..500)), (1, group(0..500)), (2, group(0..100))]),
    ] {
        let spliced = splice(Kind::Shard, &path, &rows, 9, &out).expect("room");
        assert_eq!((spliced.bytes, std::fs::metadata(&out).expect("it is there").len()), (bytes, bytes));
        assert_eq!(spliced.sha256, crate::store::sha256_file(&out).expect("it is there"));
        assert!(padding(&out) > 0);
        let expected = key_values(&path).into_iter().map(|(key, value)| match key.as_str() {
            TAKEDOWN_SEQUENCE => (key, Some("9".to_owned())),
            _ => (key, value),
        });
        assert!(key_values(&out).into_iter().eq(expected));
        let raw = std::fs::read(&out).expect("it is there");
        for number in rows.iter().flat_map(|(group, rows)| rows.iter().map(move |row| (group * 500 + row) as u32)) {
            let doc = doc(number);
            let canaries = [doc.id.to_string(), doc.url, doc.text[..40].to_owned()];
            assert!(canaries.iter().all(|canary| memchr::memmem::find(&raw, canary.as_bytes()).is_none()), "{number}");
        }
    }
}

#[test]
fn single_rows_of_a_shard_with_padding_are_read_by_their_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    let [path, out] = ["s.parquet", "out.parquet"].map(|name| folder.path().join(name));
    shard(&path, 600);
    splice(Kind::Shard, &path, &Rows::from([(0, BTreeSet::from([100]))]), 1, &out).expect("room");
    let source = Source::open(File::open(&out).expect("it is there")).expect("it is Parquet");
    let root = source.arrow.schema().index_of("text").expect("a column");
    for (row, number) in [(0, 0), (99, 99), (100, 101), (498, 499)] {
        let batch = source.read(0, &[root], Some(std::slice::from_ref(&(row..row + 1)))).expect("it is sound");
        assert_eq!(batch.column(0).as_string::<i32>().value(0), doc(number).text);
    }
}

#[test]
fn the_padding_of_a_shard_is_not_copied_by_the_next_splice() {
    let folder = tempfile::tempdir().expect("a folder");
    let [path, first, second, both] = ["s.parquet", "1.parquet", "2.parquet", "both.parquet"].map(|name| folder.path().join(name));
    shard(&path, 1_100);
    let bytes = std::fs::metadata(&path).expect("it is there").len();
    let (some, others): (BTreeSet<usize>, BTreeSet<usize>) = ((0..50).collect(), (400..450).collect());
    splice(Kind::Shard, &path, &Rows::from([(0, some.clone())]), 1, &first).expect("room");
    splice(Kind::Shard, &first, &Rows::from([(1, others.clone())]), 2, &second).expect("room");
    splice(Kind::Shard, &path, &Rows::from([(0, some), (1, others)]), 2, &both).expect("room");
    assert_eq!(std::fs::metadata(&second).expect("it is there").len(), bytes);
    assert!(padding(&second) > padding(&first));
    assert!(groups_of(&second) == groups_of(&both), "two splices give what one does");
}

/// The bytes of all row groups.
fn groups_of(path: &Path) -> Vec<u8> {
    let source = Source::open(File::open(path).expect("it is there")).expect("it is Parquet");
    let columns = source.metadata().row_groups().iter().flat_map(|group| group.columns());
    let end = columns.map(|column| column.byte_range().0 + column.byte_range().1).max().expect("columns");
    std::fs::read(path).expect("it is there")[..end as usize].to_vec()
}

#[test]
fn dropped_documents_need_no_padding() {
    use crate::sinks::rejects::RejectsSink;
    let folder = tempfile::tempdir().expect("a folder");
    let [path, out] = ["r.parquet", "out.parquet"].map(|name| folder.path().join(name));
    let mut sink = RejectsSink::create(folder.path(), "r.parquet", None).expect("a fresh folder");
    (0..50).for_each(|number| sink.write(doc(number), "quality", "short", None, None).expect("room"));
    sink.finish().expect("room");
    let spliced = splice(Kind::Rejects, &path, &Rows::from([(0, (0..40).collect())]), 1, &out).expect("room");
    assert!(spliced.bytes < std::fs::metadata(&path).expect("it is there").len());
    assert_eq!(spliced.sha256, crate::store::sha256_file(&out).expect("it is there"));
}
