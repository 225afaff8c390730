//! From a recipe's TOML to stages that are ready to work, with every mistake found before the first byte is read.
//!
//! Reading keeps the tree with its places until the end: serde sees one table at a time ([`settle`]), so one mistake hides no other.
//! - [`sheet`], [`mistake`], [`suggest`]: where a mistake is, what it is, and what was meant.
//! - [`sets`], [`shape`]: `--set`; [`mod@chain`]: stages as `tamis pipe` names them.
//! - [`reader`], [`order`], [`warnings`]: the checks; [`canonical`]: what a plan keeps of a recipe; [`schema`]: the recipe as JSON Schema.
//! - [`inputs`], [`resources`]: the only parts that touch the disk; [`example`]: the recipe's own tests.

mod canonical;
mod chain;
mod example;
pub mod inputs;
mod mistake;
mod order;
mod reader;
mod resources;
mod schema;
mod sets;
mod settings;
mod settle;
mod shape;
mod sheet;
mod suggest;
#[cfg(test)]
mod tests;
mod warnings;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

pub use chain::chain;
pub use example::{Expectation, Outcome, run_example};
pub use mistake::{Fault, Mistake, RecipeErrors};
pub use resources::{Disk, ResourceHash, Unchanged};
pub use schema::{bare_schema, json_schema};
pub use sets::set_argument;
pub use settings::{Example, Existing, Limits, OutputSettings, size_in_words};
pub use sheet::{Origin, Place};

use crate::crawl::harvest::settings::HarvestSettings;
use crate::crawl::settings::CrawlSettings;
use crate::dedup::settings::DedupSettings;
use crate::engine::flow::Step;
use crate::engine::plan::Plan;
use crate::sinks::shards::{ShardOptions, Tokenizer};
use crate::source::Source;
use crate::sources::papers::harvested;
use crate::sources::warc::crawled;
use crate::stage::{BuildError, Resources, Stage};
use crate::stages::tokenize;

/// The keys at the top of a recipe.
const TOP_LEVEL: [&str; 10] = ["name", "dataset", "input", "source", "clean", "dedup", "emit", "output", "limits", "example"];
/// A longer file is no recipe.
const RECIPE_BYTES_MAX: u64 = 1 << 20;

/// A recipe in which no mistake was found: rooms known, settings read, stages built.
pub struct Recipe {
    /// Name; by default the file's stem.
    pub name: String,
    /// Folder below `data/`.
    pub dataset: String,
    /// Files, folders and globs to read; empty in a recipe rebuilt from a plan.
    pub input: Vec<Pattern>,
    /// The kind of source.
    pub source_room: &'static crate::source::Room,
    /// The source's settings as canonical TOML.
    pub source_settings: Vec<(String, String)>,
    /// The source itself.
    pub source: Box<dyn Source>,
    /// Stages that judge documents before deduplication, in order.
    pub clean: Vec<Placed>,
    /// What counts as a duplicate.
    pub dedup: DedupSettings,
    /// Stages that work on what is left, in order.
    pub emit: Vec<Placed>,
    /// How shards are written.
    pub output: OutputSettings,
    /// Bounds of the work.
    pub limits: Limits,
    /// The recipe's own tests.
    pub examples: Vec<(Example, Expectation)>,
    /// What is allowed and yet may not be meant.
    pub warnings: Vec<String>,
    /// Files that were read to build the stages, sorted by path.
    pub resources: Vec<ResourceHash>,
    effective: String,
    tokenizer: Option<Tokenizer>,
}

/// A pattern of `input`, with its place.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// A file, folder or glob.
    pub text: String,
    place: Place,
}

/// A stage in its place in a recipe.
#[derive(Clone)]
pub struct Placed {
    /// The room that it is from.
    pub room: &'static crate::stage::Room,
    /// The settings that the recipe gives it, as canonical TOML.
    pub settings: Vec<(String, String)>,
    /// The stage itself.
    pub stage: Arc<dyn Stage>,
}

impl Placed {
    /// What a user should know of this stage although it works.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.stage.warning().map(|warning| format!("stage `{}`: {warning}", self.room.name))
    }

    fn step(&self) -> Step {
        Step { name: self.room.name, stage: self.stage.clone() }
    }
}

/// The rooms that a recipe can name.
#[derive(Clone, Copy)]
struct House {
    sources: &'static [&'static crate::source::Room],
    stages: &'static [&'static crate::stage::Room],
}

impl House {
    const ALL: House = House { sources: crate::sources::ROOMS, stages: crate::stages::ROOMS };

    fn source(&self, name: &str) -> Option<&'static crate::source::Room> {
        self.sources.iter().copied().find(|room| room.name == name)
    }

    fn stage(&self, name: &str) -> Option<&'static crate::stage::Room> {
        self.stages.iter().copied().find(|room| room.name == name)
    }
}

impl Recipe {
    /// Reads the recipe at `path`, changed by `sets` (path and value, see [`set_argument`]), with the files of this machine.
    ///
    /// # Errors
    /// Every mistake that was found.
    pub fn load(path: &Path, sets: &[(String, String)]) -> Result<Recipe, RecipeErrors> {
        let shown = path.display().to_string();
        let unreadable = |why: String| RecipeErrors::one(Fault::Unreadable { path: shown.clone(), why });
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
        file.take(RECIPE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
        if bytes.len() as u64 > RECIPE_BYTES_MAX {
            return Err(unreadable("it is larger than 1 MiB, so it is no recipe".to_owned()));
        }
        match std::str::from_utf8(&bytes) {
            Ok(text) => Recipe::parse(text, &shown, sets, &Disk),
            Err(error) => {
                let at = error.valid_up_to();
                let place = sheet::Sheet::new(Origin::File(shown), &String::from_utf8_lossy(&bytes)).place(&(at..at + 1));
                Err(RecipeErrors { mistakes: vec![Mistake { place: Some(place), fault: Fault::NotUtf8 }] })
            }
        }
    }

    /// Reads the recipe `text`, which comes from the file `origin`, changed by `sets`. Stages read what they need from `resources`.
    ///
    /// # Errors
    /// Every mistake that was found.
    pub fn parse(text: &str, origin: &str, sets: &[(String, String)], resources: &dyn Resources) -> Result<Recipe, RecipeErrors> {
        reader::read(text, origin, sets, resources, &House::ALL, true)?.with_tokenizer(resources)
    }

    /// Builds the recipe of `plan` anew. It has no inputs and no examples.
    ///
    /// # Errors
    /// When a file that stages read has changed, or when the plan's recipe does not fit this version.
    pub fn of_plan(plan: &Plan) -> Result<Recipe, RecipeErrors> {
        let resources = Unchanged(plan.resources.clone());
        let recipe = reader::read(&plan.recipe, "the plan's recipe", &[], &resources, &House::ALL, false)?.with_tokenizer(&resources)?;
        Ok(Recipe { name: plan.name.clone(), ..recipe })
    }

    /// Looks up what shards must say about the vocabulary.
    fn with_tokenizer(self, resources: &dyn Resources) -> Result<Recipe, RecipeErrors> {
        let Some(placed) = self.emit.iter().find(|placed| placed.room.name == tokenize::ROOM.name) else { return Ok(self) };
        let settings: Vec<String> = placed.settings.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let settings = format!("{{ {} }}", settings.join(", "));
        let info = toml::de::ValueDeserializer::parse(&settings)
            .map_err(BuildError::from)
            .and_then(|settings| tokenize::info(settings, resources))
            .map_err(|error| RecipeErrors::one(Fault::Refused { owner: "stage `tokenize`".to_owned(), why: error.to_string() }))?;
        let tokenizer = Tokenizer { name: info.name, hash: info.sha256, vocabulary_size: u64::from(info.vocabulary_size) };
        Ok(Recipe { tokenizer: Some(tokenizer), ..self })
    }

    /// What is to be crawled, if the recipe's source is a crawl.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn crawl(&self) -> Result<Option<CrawlSettings>, String> {
        let settings: Option<CrawlSettings> = self.settings_of(crawled::NAME)?;
        settings.iter().try_for_each(CrawlSettings::check)?;
        Ok(settings)
    }

    /// What is to be harvested, if the recipe's source is a harvest.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn harvest(&self) -> Result<Option<HarvestSettings>, String> {
        let settings: Option<HarvestSettings> = self.settings_of(harvested::NAME)?;
        settings.iter().try_for_each(HarvestSettings::check)?;
        Ok(settings)
    }

    /// The source's settings, if it is the one called `name`.
    fn settings_of<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, String> {
        if self.source_room.name != name {
            return Ok(None);
        }
        let settings: Vec<String> = self.source_settings.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        toml::from_str::<T>(&settings.join("\n")).map(Some).map_err(|error| error.message().to_owned())
    }

    /// How shards are written, and what they say about themselves.
    #[must_use]
    pub fn shard_options(&self, recipe_hash: &str) -> ShardOptions {
        ShardOptions {
            zstd_level: self.output.compression_level,
            group_documents_max: self.output.row_group_documents_max as usize,
            group_bytes_max: self.output.row_group_bytes_max,
            recipe_hash: recipe_hash.to_owned(),
            tokenizer: self.tokenizer.clone(),
            ..ShardOptions::default()
        }
    }

    /// Hash of the tokenizer's vocabulary; empty without tokenizer.
    #[must_use]
    pub fn tokenizer_hash(&self) -> &str {
        self.tokenizer.as_ref().map_or("", |tokenizer| &tokenizer.hash)
    }

    /// The recipe after `--set` as canonical TOML, without `name`, `input` and examples: equal recipes give equal bytes.
    #[must_use]
    pub fn effective_toml(&self) -> String {
        self.effective.clone()
    }

    /// The first 32 hex digits of the SHA-256 of [`Recipe::effective_toml`] and of the hashes of all files that stages read.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(&self.effective);
        for (path, sha256) in &self.resources {
            hasher.update(format!("\n{sha256} {path}"));
        }
        HEXLOWER.encode(&hasher.finalize()[..16])
    }

    /// The stages of `[[clean]]`, for the engine.
    #[must_use]
    pub fn clean_steps(&self) -> Vec<Step> {
        self.clean.iter().map(Placed::step).collect()
    }

    /// The stages of `[[emit]]`, for the engine.
    #[must_use]
    pub fn emit_steps(&self) -> Vec<Step> {
        self.emit.iter().map(Placed::step).collect()
    }
}
