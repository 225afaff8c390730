//! One published shard: the documents of one language as zstd Parquet that every reader takes.
//!
//! The footer keeps nothing that can name a person: smallest and largest values only where the schema allows them, of pages only
//! where they lie. Looking up one id, URL or host goes by Bloom filters, which hold hashes (a filter on `url` is a filter on the URL's hash).

use std::collections::BTreeMap;
use std::path::Path;

use arrow_array::RecordBatch;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::mixture::{Mixture, with_columns};
use super::taken::{CHANGED, Kept, Stored, changed, check_ids, unchanged};
use super::{ParquetFile, plain_properties, refused, with_encodings};
use crate::columns::{DOCUMENT, to_batch};
use crate::doc::{Cluster, DocId, Document, Lang};
use crate::sink::{Output, OutputKind, RowGroup, Sink, SinkError};
use crate::size::ByteSize;

/// How often a Bloom filter may say "perhaps" of what is not there: 1 in 100 costs 9.6 bits a value (Bloom 1970).
const BLOOM_FALSE_POSITIVES: f64 = 0.01;

/// The columns that hold most of a shard's bytes.
pub(super) const LARGE_COLUMNS: [&str; 2] = ["text", "input_ids"];

/// Bytes of a page of a large column, before it is packed. A takedown writes a page anew for each document that it erases; shards of real
/// pages with 1 MiB are 1.5 % smaller.
const LARGE_PAGE_BYTES: usize = 128 << 10;

/// The footer's key for the number of the last takedown that a shard honours.
pub(super) const TAKEDOWN_SEQUENCE: &str = "tamis.takedown_sequence";

/// The footer's key for the hash of the vocabulary.
pub const TOKENIZER_HASH: &str = "tamis.tokenizer.hash";

/// How a shard is written, and what its footer says about the run.
#[derive(Clone, Debug)]
pub struct ShardOptions {
    /// Level of zstd, 1 to 22.
    pub zstd_level: i32,
    /// Documents in one row group.
    pub group_documents_max: usize,
    /// Text and token ids in one row group, unpacked, unless one document alone is larger.
    pub group_bytes_max: ByteSize,
    /// Version of the program.
    pub tamis_version: String,
    /// Hash of the recipe.
    pub recipe_hash: String,
    /// The tokenizer, where the recipe has one.
    pub tokenizer: Option<Tokenizer>,
    /// Number of the last takedown that the shard honours.
    pub takedown_sequence: u64,
}

/// A tokenizer as footers and manifests name it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokenizer {
    /// `o200k_base`, or the path of the file as the recipe names it.
    pub name: String,
    /// Hash of the vocabulary, hex.
    pub hash: String,
    /// Number of different token ids.
    pub vocabulary_size: u64,
}

impl Default for ShardOptions {
    fn default() -> ShardOptions {
        ShardOptions {
            zstd_level: 3,
            group_documents_max: 4_000,
            group_bytes_max: ByteSize::mib(16),
            tamis_version: env!("CARGO_PKG_VERSION").to_owned(),
            recipe_hash: String::new(),
            tokenizer: None,
            takedown_sequence: 0,
        }
    }
}

impl ShardOptions {
    /// Hash of the tokenizer's vocabulary; empty without tokenizer.
    #[must_use]
    pub fn tokenizer_hash(&self) -> &str {
        self.tokenizer.as_ref().map_or("", |tokenizer| &tokenizer.hash)
    }

    fn key_values(&self) -> Vec<KeyValue> {
        let mut pairs = vec![
            ("tamis.schema", DOCUMENT.title.clone()),
            ("tamis.version", self.tamis_version.clone()),
            ("tamis.recipe_hash", self.recipe_hash.clone()),
            (TAKEDOWN_SEQUENCE, self.takedown_sequence.to_string()),
        ];
        if let Some(tokenizer) = &self.tokenizer {
            pairs.push(("tamis.tokenizer.name", tokenizer.name.clone()));
            pairs.push((TOKENIZER_HASH, tokenizer.hash.clone()));
            pairs.push(("tamis.tokenizer.vocabulary_size", tokenizer.vocabulary_size.to_string()));
        }
        pairs.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect()
    }

    /// Properties of a shard whose footer says `key_values`.
    pub(super) fn properties(&self, key_values: Option<Vec<KeyValue>>) -> WriterProperties {
        let mut properties = with_encodings(plain_properties(self.zstd_level), &DOCUMENT).set_key_value_metadata(key_values);
        properties = properties.set_offset_index_disabled(false);
        for (path, column) in DOCUMENT.leaves() {
            let path = ColumnPath::new(path);
            if LARGE_COLUMNS.contains(&column.name.as_str()) {
                properties = properties.set_column_data_page_size_limit(path.clone(), LARGE_PAGE_BYTES);
            }
            if column.statistics {
                properties = properties.set_column_statistics_enabled(path.clone(), EnabledStatistics::Chunk);
            }
            if column.bloom {
                properties = properties
                    .set_column_bloom_filter_fpp(path.clone(), BLOOM_FALSE_POSITIVES)
                    .set_column_bloom_filter_max_ndv(path, self.group_documents_max as u64);
            }
        }
        properties.build()
    }
}

/// Writes one shard; its first document says of which language.
pub struct ShardSink {
    file: ParquetFile,
    lang: Option<String>,
    options: ShardOptions,
    items: Vec<Item>,
    bytes: usize,
    stored: Stored,
}

/// What a row is made of.
enum Item {
    Document(Box<Document>),
    Row(Kept),
}

impl Item {
    fn cluster(&self) -> Option<Cluster> {
        match self {
            Item::Document(doc) => doc.cluster,
            Item::Row(kept) => kept.cluster,
        }
    }

    fn text_bytes(&self) -> u64 {
        match self {
            Item::Document(doc) => doc.text.len() as u64,
            Item::Row(kept) => kept.text_bytes as u64,
        }
    }

    fn tokens(&self) -> u64 {
        match self {
            Item::Document(doc) => u64::from(doc.token_count.unwrap_or(0)),
            Item::Row(kept) => u64::from(kept.tokens),
        }
    }
}

impl ShardSink {
    /// Begins the shard `name` in `folder`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(folder: &Path, name: &str, options: ShardOptions) -> Result<ShardSink, SinkError> {
        let file = ParquetFile::create(folder, name, OutputKind::Shard, DOCUMENT.arrow(), options.properties(Some(options.key_values())))?;
        Ok(ShardSink { file, lang: None, options, items: Vec::new(), bytes: 0, stored: Stored::default() })
    }

    /// Takes rows of `stored` files from here on; see [`ShardSink::write_row`].
    pub fn take_from(&mut self, stored: Stored) {
        self.stored = stored;
    }

    /// The stored files whose rows it takes.
    pub fn stored(&mut self) -> &mut Stored {
        &mut self.stored
    }

    /// Writes all rows that it has taken, and gives the stored files back, closed.
    ///
    /// # Errors
    /// When the shard cannot be written, or the stored files do not hold the documents.
    pub fn end_rows(&mut self) -> Result<Stored, SinkError> {
        self.flush()?;
        self.stored.close();
        Ok(std::mem::take(&mut self.stored))
    }

    /// Takes a document of an earlier shard, in language `lang`, without reading it before it must be. The shard has the bytes that it would have if
    /// the document had been read and written.
    ///
    /// # Errors
    /// When the shard cannot be written, or the stored files do not hold the document.
    pub fn write_row(&mut self, lang: &str, kept: Kept) -> Result<(), SinkError> {
        self.check_lang(lang, kept.id)?;
        self.add(kept.text_bytes + 4 * kept.tokens as usize, Item::Row(kept))
    }

    fn add(&mut self, bytes: usize, item: Item) -> Result<(), SinkError> {
        if self.items.len() >= self.options.group_documents_max || self.bytes + bytes > self.options.group_bytes_max.as_usize() {
            self.flush()?;
        }
        self.items.push(item);
        self.bytes += bytes;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        let items = std::mem::take(&mut self.items);
        self.bytes = 0;
        let (Some(lang), false) = (self.lang.clone(), items.is_empty()) else { return Ok(()) };
        let rows: Vec<Kept> = items.iter().filter_map(|item| if let Item::Row(kept) = item { Some(*kept) } else { None }).collect();
        if rows.is_empty() {
            let docs: Vec<Document> =
                items.into_iter().filter_map(|item| if let Item::Document(doc) = item { Some(*doc) } else { None }).collect();
            return self.file.documents(&lang, &docs, Some(&self.options.recipe_hash));
        }
        let stored = &mut self.stored;
        let group = RowGroup { lang, rows: items.len() as u64, bytes: items.iter().map(Item::text_bytes).sum() };
        let tokens = items.iter().map(Item::tokens).sum();
        let whole = if rows.len() == items.len() { stored.whole_group(&rows) } else { Ok(None) };
        let written = match whole {
            Ok(Some(whole)) => self.file.copy_group(stored, whole, &rows, &self.options.recipe_hash),
            Ok(None) => mixed(items, &rows, stored, &self.options.recipe_hash).and_then(|batch| self.file.encode(&batch)),
            Err(error) => Err(ParquetError::External(Box::new(error))),
        };
        written.map_err(|error| refused(&self.file.path, error))?;
        self.file.output.rows += group.rows;
        self.file.count(group, tokens);
        Ok(())
    }

    fn check_lang(&mut self, lang: &str, id: DocId) -> Result<(), SinkError> {
        let first = self.lang.get_or_insert_with(|| lang.to_owned());
        if lang == first {
            return Ok(());
        }
        let wrong = format!("document {id} is in `{lang}`, the shard holds `{first}`");
        Err(refused(&self.file.path, ParquetError::General(wrong)))
    }
}

/// The columns of `items`, in their order: of documents as they are, of stored rows as they are read.
fn mixed(items: Vec<Item>, rows: &[Kept], stored: &mut Stored, recipe_hash: &str) -> Result<RecordBatch, ParquetError> {
    let clusters: Vec<Option<Cluster>> = items.iter().map(Item::cluster).collect();
    let unchanged = unchanged();
    let read = read_rows(rows, stored)?;
    let (mut mixture, mut docs) = (Mixture::default(), Vec::new());
    for item in items {
        match item {
            Item::Document(doc) => {
                docs.push(*doc);
                mixture.add_document();
            }
            Item::Row(Kept { at, .. }) => {
                let (batch, numbers) = &read[&(at.file, at.group)];
                mixture.add_row(batch, numbers[&at.row] as usize, &unchanged)?;
            }
        }
    }
    let docs = to_batch(&docs, None).map_err(|error| ParquetError::External(Box::new(error)))?;
    let found = mixture.into_batch(&with_columns(&docs, &unchanged)?)?;
    let changed = changed(clusters.iter().copied(), recipe_hash);
    let column = |name: &str| match CHANGED.iter().position(|changed| *changed == name) {
        Some(number) => changed[number].clone(),
        None => found.column_by_name(name).cloned().unwrap_or_else(|| changed[0].clone()),
    };
    let columns = DOCUMENT.arrow().fields().iter().map(|field| column(field.name())).collect();
    Ok(RecordBatch::try_new(DOCUMENT.arrow(), columns)?)
}

/// A batch with rows of one row group, and where each of them is in it.
type Read = (RecordBatch, BTreeMap<u32, u32>);

/// Reads `rows`, row group by row group.
fn read_rows(rows: &[Kept], stored: &mut Stored) -> Result<BTreeMap<(u32, u32), Read>, ParquetError> {
    let mut wanted: BTreeMap<(u32, u32), BTreeMap<u32, DocId>> = BTreeMap::new();
    for kept in rows {
        wanted.entry((kept.at.file, kept.at.group)).or_default().insert(kept.at.row, kept.id);
    }
    let mut read = BTreeMap::new();
    for (group, rows) in wanted {
        let numbers: Vec<u32> = rows.keys().copied().collect();
        let found = stored.rows(group, &numbers);
        let (batch, places) = found.map_err(|error| ParquetError::External(Box::new(error)))?;
        check_ids(&batch, places.iter().copied().zip(rows.into_values()))?;
        read.insert(group, (batch, numbers.into_iter().zip(places).collect()));
    }
    Ok(read)
}

impl Sink for ShardSink {
    fn write(&mut self, doc: Document) -> Result<(), SinkError> {
        self.check_lang(doc.lang.as_ref().map_or("und", Lang::as_str), doc.id)?;
        self.add(doc.text.len() + 4 * doc.input_ids.len(), Item::Document(Box::new(doc)))
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<Output>, SinkError> {
        self.flush()?;
        Ok(vec![self.file.finish()?])
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use parquet::file::reader::FileReader;
    use parquet::file::serialized_reader::SerializedFileReader;

    use super::*;
    use crate::doc::DocId;

    const CANARY: &str = "Kanarienvogel-Žibutė-7531";

    fn doc(number: u32) -> Document {
        Document {
            id: DocId::of(CANARY, &number.to_le_bytes()),
            url: format!("https://{CANARY}.example.de/{number}"),
            host: format!("{CANARY}.example.de"),
            lang: Some(Lang::new("de")),
            title: Some(format!("{CANARY} Titel")),
            text: format!("{CANARY} sagt guten Morgen, zum {number}. Mal."),
            content_digest: format!("sha1:{CANARY}"),
            source_file: format!("crawl/{CANARY}.warc.gz").into(),
            source: "warc",
            input_ids: vec![1, number],
            token_count: Some(2),
            ..Document::default()
        }
    }

    fn shard(folder: &Path, name: &str, options: ShardOptions, docs: impl IntoIterator<Item = Document>) -> Output {
        let mut sink = Box::new(ShardSink::create(folder, name, options).expect("a fresh folder"));
        for doc in docs {
            sink.write(doc).expect("room on disk");
        }
        sink.finish().expect("room on disk").remove(0)
    }

    fn contains(haystack: &[u8], needle: &[u8]) -> bool {
        haystack.windows(needle.len()).any(|window| window == needle)
    }

    #[test]
    fn no_byte_of_a_url_host_title_or_text_is_in_the_footer() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for docs in [1, 9] {
            shard(folder.path(), "s.parquet", ShardOptions::default(), (0..docs).map(doc));
            let path = folder.path().join("s.parquet");
            let bytes = std::fs::read(&path).expect("it is there");
            let end = bytes.len() - 8;
            let footer_length = u32::from_le_bytes(bytes[end..end + 4].try_into().expect("four bytes")) as usize;
            let reader = SerializedFileReader::new(File::open(&path).expect("it is there")).expect("it is Parquet");
            let columns: Vec<_> = reader.metadata().row_groups().iter().flat_map(|group| group.columns().to_vec()).collect();
            let pages_end = columns.iter().map(|column| column.byte_range().0 + column.byte_range().1).max().expect("columns");
            let behind_pages = &bytes[pages_end as usize..];
            assert!(behind_pages.len() >= footer_length);
            for start in ["Kanarien", "https://", "crawl/", "sha1:"] {
                assert!(!contains(behind_pages, start.as_bytes()), "`{start}` is in the footer or the Bloom filters");
            }
            assert!(columns.iter().all(|column| column.column_index_offset().is_none()));
        }
    }

    #[test]
    fn a_shard_can_be_pruned_by_language_and_looked_up_by_id_url_and_host() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        shard(folder.path(), "s.parquet", ShardOptions::default(), (0..9).map(doc));
        let file = File::open(folder.path().join("s.parquet")).expect("it is there");
        let builder = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet");
        let group = builder.metadata().row_group(0).clone();
        let place = |name: &str| group.columns().iter().position(|column| column.column_path().string() == name).expect("a column");
        let lang = group.column(place("lang")).statistics().expect("statistics").min_bytes_opt().expect("a smallest value");
        assert_eq!(lang, b"de");
        let (known, unknown) = (doc(3), DocId::of("elsewhere", b""));
        for (column, value) in [("id", known.id.to_string()), ("url", known.url), ("host", known.host)] {
            let filter = builder.get_row_group_column_bloom_filter(0, place(column)).expect("readable").expect("a filter");
            assert!(filter.check(&value.as_str()), "{column}");
            assert!(!filter.check(&unknown.to_string().as_str()), "{column}");
        }
    }

    #[test]
    fn row_groups_end_at_their_limits_and_the_same_documents_give_the_same_bytes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let by_count = ShardOptions { group_documents_max: 4, ..ShardOptions::default() };
        let output = shard(folder.path(), "a.parquet", by_count.clone(), (0..9).map(doc));
        assert_eq!(output.groups.iter().map(|group| group.rows).collect::<Vec<_>>(), [4, 4, 1]);
        assert_eq!((output.rows, output.tokens), (9, 18));
        assert_eq!(shard(folder.path(), "b.parquet", by_count, (0..9).map(doc)).sha256, output.sha256);
        let by_bytes = ShardOptions { group_bytes_max: ByteSize(150), ..ShardOptions::default() };
        let output = shard(folder.path(), "c.parquet", by_bytes, (0..4).map(doc));
        assert_eq!(output.groups.iter().map(|group| group.rows).collect::<Vec<_>>(), [2, 2]);
    }

    #[test]
    fn the_footer_names_tokenizer_recipe_version_and_takedown() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let tokenizer = Some(Tokenizer { name: "o200k_base".to_owned(), hash: "ab12".to_owned(), vocabulary_size: 200_019 });
        let options = ShardOptions { tokenizer, takedown_sequence: 7, recipe_hash: "5f3a".to_owned(), ..ShardOptions::default() };
        shard(folder.path(), "s.parquet", options, [doc(0)]);
        let reader = SerializedFileReader::new(File::open(folder.path().join("s.parquet")).expect("it is there")).expect("it is Parquet");
        let pairs = reader.metadata().file_metadata().key_value_metadata().expect("pairs").clone();
        let value = |key: &str| pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone()).unwrap_or_default();
        assert_eq!(value("tamis.tokenizer.name"), "o200k_base");
        assert_eq!(value("tamis.tokenizer.vocabulary_size"), "200019");
        assert_eq!(value("tamis.takedown_sequence"), "7");
        assert_eq!(value("tamis.schema"), "document.v1");
        assert_eq!(value("tamis.recipe_hash"), "5f3a");
        assert_eq!(value("tamis.version"), env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn a_document_in_another_language_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut sink = ShardSink::create(folder.path(), "s.parquet", ShardOptions::default()).expect("a fresh folder");
        sink.write(doc(0)).expect("the first says the language");
        let dutch = Document { lang: Some(Lang::new("nl")), ..doc(1) };
        let error = sink.write(dutch).expect_err("it is not German");
        let why = std::error::Error::source(&error).map(ToString::to_string);
        assert!(why.is_some_and(|why| why.contains("is in `nl`, the shard holds `de`")), "{error}");
    }
}
