//! SQL over a data set, by DataFusion: tables `documents`, `rejects` and `ledger`, read only.
//!
//! `documents` are the shards that the last manifest names, so a question sees one published version. Bounds of row groups (`lang`) and Bloom
//! filters (`id`, `host`, `url`) spare reading what cannot match. Nothing is spilled to disk, where no takedown would look for it: a question
//! that needs more memory than it may have is ended instead.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::MemTable;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::{Dataset, InspectError};
use crate::columns::{DOCUMENT, rejects};
use crate::ledger::run::RunLedger;

/// A data set that can be asked in SQL.
pub struct Sql {
    runtime: tokio::runtime::Runtime,
    context: SessionContext,
}

/// What a question brought: the columns, and the rows in batches.
pub struct Answer {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The data set.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// Nothing can be asked at all.
    #[error("cannot begin to ask: {0}")]
    Begin(std::io::Error),
    /// What the engine says of the question.
    #[error("{why}\n{tables}")]
    Question { why: String, tables: String },
    /// It needs more memory than it may have.
    #[error("the question needs more than {limit} bytes of memory; ask for fewer rows or columns, or give more with --memory-max")]
    Memory { limit: usize },
}

impl Dataset {
    /// Gets ready to ask this data set with at most `memory_max` bytes; `ledgers` are those of its runs.
    ///
    /// # Errors
    /// When its files cannot be used.
    pub fn sql(&self, ledgers: &[RunLedger], memory_max: usize) -> Result<Sql, SqlError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(SqlError::Begin)?;
        let begun = runtime.block_on(self.context(ledgers, memory_max));
        let context = begun.map_err(|error| SqlError::Question { why: error.strip_backtrace(), tables: String::new() })?;
        Ok(Sql { runtime, context })
    }

    async fn context(&self, ledgers: &[RunLedger], memory_max: usize) -> Result<SessionContext, DataFusionError> {
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let environment = RuntimeEnvBuilder::new().with_memory_limit(memory_max, 1.0).with_disk_manager_builder(disk).build_arc()?;
        let config = SessionConfig::new()
            .with_information_schema(true)
            // The largest first means values: what is not known comes last, as in DuckDB and Polars.
            .set_str("datafusion.sql_parser.default_null_ordering", "nulls_last")
            .set_bool("datafusion.execution.parquet.schema_force_view_types", false)
            .set_bool("datafusion.execution.parquet.pushdown_filters", true);
        let context = SessionContext::new_with_config_rt(config, environment);
        files(&context, "documents", &self.shards, DOCUMENT.arrow()).await?;
        files(&context, "rejects", &self.rejects, rejects::schema()).await?;
        let ledger = counts(ledgers)?;
        context.register_table("ledger", Arc::new(MemTable::try_new(ledger.schema(), vec![vec![ledger]])?))?;
        Ok(context)
    }
}

/// Makes the Parquet files `paths` the table `name` with the columns of `schema`.
async fn files(context: &SessionContext, name: &str, paths: &[PathBuf], schema: SchemaRef) -> Result<(), DataFusionError> {
    let paths: Vec<&PathBuf> = paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "parquet")).collect();
    if paths.is_empty() {
        context.register_table(name, Arc::new(MemTable::try_new(schema, vec![Vec::new()])?))?;
        return Ok(());
    }
    let urls = paths.iter().map(|path| ListingTableUrl::parse(path.to_string_lossy())).collect::<Result<Vec<_>, _>>()?;
    let options = ListingOptions::new(Arc::new(ParquetFormat::new())).with_file_extension(".parquet");
    let config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options).with_schema(schema);
    context.register_table(name, Arc::new(ListingTable::try_new(config)?))?;
    Ok(())
}

/// What the runs counted: a row for what was read and kept, and one a reason.
fn counts(ledgers: &[RunLedger]) -> Result<RecordBatch, DataFusionError> {
    let (mut texts, mut documents) = ([const { Vec::new() }; 4], Vec::new());
    let mut row = |row: [&str; 4], count: u64| {
        texts.iter_mut().zip(row).for_each(|(column, text)| column.push(text.to_owned()));
        documents.push(count);
    };
    for ledger in ledgers {
        let (run, total) = (ledger.plan.as_str(), ledger.total());
        row([run, "read", "", ""], total.read);
        row([run, "kept", "", ""], total.kept);
        for (stage, reasons) in &total.dropped {
            reasons.iter().for_each(|(reason, count)| row([run, "dropped", stage, reason], *count));
        }
    }
    let names = ["run", "what", "stage", "reason"].map(|name| Field::new(name, DataType::Utf8, false));
    let fields: Vec<Field> = names.into_iter().chain([Field::new("documents", DataType::UInt64, false)]).collect();
    let texts = texts.map(|column| Arc::new(StringArray::from(column)) as ArrayRef);
    let columns = texts.into_iter().chain([Arc::new(UInt64Array::from(documents)) as ArrayRef]).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

impl Sql {
    /// Answers a question. It may read and nothing else.
    ///
    /// # Errors
    /// See [`SqlError`].
    pub fn ask(&self, question: &str) -> Result<Answer, SqlError> {
        let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let asked = async {
            let frame = self.context.sql_with_options(question, options).await?;
            let schema: SchemaRef = Arc::new(frame.schema().as_arrow().clone());
            Ok::<_, DataFusionError>(Answer { schema, batches: frame.collect().await? })
        };
        self.runtime.block_on(asked).map_err(|error| self.told(&error))
    }

    fn told(&self, error: &DataFusionError) -> SqlError {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => SqlError::Memory { limit: self.memory() },
            _ => SqlError::Question { why: error.strip_backtrace(), tables: self.runtime.block_on(self.tables()) },
        }
    }

    fn memory(&self) -> usize {
        match self.context.runtime_env().memory_pool.memory_limit() {
            datafusion::execution::memory_pool::MemoryLimit::Finite(limit) => limit,
            _ => 0,
        }
    }

    /// The tables with their columns, for somebody who asked for one that is not there.
    async fn tables(&self) -> String {
        let mut told = String::new();
        for name in ["documents", "rejects", "ledger"] {
            let Ok(table) = self.context.table_provider(name).await else { continue };
            let columns: Vec<String> = table.schema().fields().iter().map(|field| field.name().clone()).collect();
            told += &format!("table {name}: {}\n", columns.join(", "));
        }
        told.trim_end().to_owned()
    }
}
