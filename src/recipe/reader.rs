//! The checks of a recipe, table by table.

use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::example::{Expectation, cannot_run};
use super::mistake::{Fault, Faults, RecipeErrors, listed};
use super::resources::Recorder;
use super::settings::{Example, Limits, OutputSettings, size_in_words};
use super::settle::settle;
use super::sheet::{Origin, Sheet};
use super::suggest::nearest;
use super::{House, Pattern, Placed, Recipe, TOP_LEVEL, canonical, order, sets, warnings};
use crate::dedup::settings::DedupSettings;
use crate::size::ByteSize;
use crate::source::Source;
use crate::sources::reading_of;
use crate::stage::{Field, Resources, Room};

/// Reads a whole recipe; `complete` says that inputs must be named.
pub(super) fn read(
    text: &str,
    origin: &str,
    sets: &[(String, String)],
    files: &dyn Resources,
    house: &House,
    complete: bool,
) -> Result<Recipe, RecipeErrors> {
    let mut sheet = Sheet::new(Origin::File(origin.to_owned()), text);
    sets.iter().for_each(|(path, value)| sheet.add(Origin::Argument("--set"), format!("{path}={value}")));
    let mut faults = Faults::default();
    let (root, errors) = DeTable::parse_recoverable(sheet.part(0).0);
    if !errors.is_empty() {
        let end = text.len()..text.len();
        errors.iter().for_each(|error| faults.note(error.span().unwrap_or(end.clone()), Fault::Syntax(error.message().to_owned())));
        return Err(RecipeErrors { mistakes: faults.into_mistakes(&sheet) });
    }
    let mut root = root.into_inner();
    for number in 1..=sets.len() {
        let (text, start) = sheet.part(number);
        sets::apply(&mut root, text, start, house, &mut faults);
    }
    let resources = Recorder::new(files);
    let reader = Reader { root: &root, sheet: &sheet, house, resources: &resources, complete };
    let recipe = reader.recipe(origin, &mut faults);
    let mistakes = faults.into_mistakes(&sheet);
    match recipe {
        Some(recipe) if mistakes.is_empty() => Ok(Recipe { resources: resources.into_hashes(), ..recipe }),
        _ => Err(RecipeErrors { mistakes }),
    }
}

struct Reader<'r, 'i> {
    root: &'r DeTable<'i>,
    sheet: &'r Sheet,
    house: &'r House,
    resources: &'r Recorder<'r>,
    complete: bool,
}

/// A source, unless its settings are wrong.
type BuiltSource = Option<Box<dyn Source>>;

/// A stage's table whose room is known.
struct Chosen<'r, 'i> {
    room: &'static Room,
    name_span: Range<usize>,
    table: &'r DeTable<'i>,
    span: Range<usize>,
}

impl<'r, 'i> Reader<'r, 'i> {
    fn recipe(&self, origin: &str, faults: &mut Faults) -> Option<Recipe> {
        self.unknown_keys(faults);
        let dataset = self.dataset(faults);
        let input = self.input(faults);
        let source = self.source(faults);
        let (clean, emit) = (self.chosen("clean", faults), self.chosen("emit", faults));
        let given = source.as_ref().map_or(&[][..], |(room, _)| room.gives);
        // Without a source nobody knows what documents have, so nothing is said about the order.
        let after_clean = match &source {
            Some(_) => order::check(given, &placed_rooms(&clean), &placed_rooms(&emit), faults),
            None => Vec::new(),
        };
        if source.is_some() && !after_clean.contains(&Field::Text) {
            faults.note(0..0, Fault::NoText);
        }
        let clean_names: Vec<&Room> = clean.iter().map(|chosen| chosen.room).collect();
        let emit_names: Vec<&Room> = emit.iter().map(|chosen| chosen.room).collect();
        let examples = self.examples(source.as_ref().map(|(room, _)| *room), &clean_names, &emit_names, faults);
        let dedup = self.table::<DedupSettings>("dedup", faults);
        if let Some(prefer) = dedup.as_ref().and_then(|dedup| dedup.prefer.as_deref()) {
            let of_source = source.as_ref().map_or(&[][..], |(room, _)| room.signals);
            self.check_prefer(prefer, of_source, &clean_names, faults);
        }
        if let (Some(dataset), Some(dedup)) = (&dataset, &dedup) {
            self.check_yield_to(dataset, &dedup.yield_to, faults);
        }
        let output = self.output(faults);
        let limits = self.limits(faults);
        let clean = self.build(clean, faults);
        let emit = self.build(emit, faults);
        let stem = std::path::Path::new(origin).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let (source_room, source) = source?;
        let (dataset, dedup) = (dataset?, dedup?);
        Some(Recipe {
            name: self.text("name", faults).or_else(|| stem.filter(|_| self.complete)).unwrap_or_else(|| dataset.clone()),
            warnings: warnings::of(
                &after_clean,
                clean.as_deref().unwrap_or_default(),
                emit.as_deref().unwrap_or_default(),
                &dedup,
                self.house,
            ),
            dataset,
            input,
            source_room,
            source_settings: self.root.get("source").and_then(|value| value.get_ref().as_table()).map(written).unwrap_or_default(),
            source: source?,
            clean: clean?,
            dedup,
            emit: emit?,
            output: output?,
            limits: limits?,
            examples,
            resources: Vec::new(),
            effective: canonical::document(self.root),
            tokenizer: None,
        })
    }

    fn unknown_keys(&self, faults: &mut Faults) {
        for key in self.root.keys() {
            let name = key.get_ref().as_ref();
            if !TOP_LEVEL.contains(&name) {
                let nearest = nearest(name, TOP_LEVEL).map(str::to_owned);
                let known = TOP_LEVEL.map(str::to_owned).to_vec();
                faults.note(key.span(), Fault::UnknownKey { owner: "the recipe".to_owned(), key: name.to_owned(), nearest, known });
            }
        }
    }

    /// Sees that the source or a stage before deduplication gives the signal by which duplicates are chosen.
    fn check_prefer(&self, prefer: &str, of_source: &[&str], clean: &[&Room], faults: &mut Faults) {
        let signals: Vec<&str> = of_source.iter().copied().chain(clean.iter().flat_map(|room| room.signals.iter().copied())).collect();
        if signals.contains(&prefer) {
            return;
        }
        let table = self.root.get("dedup").and_then(|table| table.get_ref().as_table());
        let span = table.and_then(|table| table.get("prefer")).map_or(0..0, toml::Spanned::span);
        let hint = match nearest(prefer, signals.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if signals.is_empty() => "no stage of [[clean]] gives one".to_owned(),
            None => format!("those of [[clean]] are {}", listed(&signals)),
        };
        let wish = format!("is `{prefer}`, which is no signal of a stage before deduplication: {hint}");
        faults.note(span, Fault::WrongValue { owner: "[dedup]".to_owned(), key: "prefer".to_owned(), wish });
    }

    /// Sees that no data set goes before itself.
    fn check_yield_to(&self, dataset: &str, yield_to: &[String], faults: &mut Faults) {
        if yield_to.iter().any(|other| other == dataset) {
            let table = self.root.get("dedup").and_then(|table| table.get_ref().as_table());
            let span = table.and_then(|table| table.get("yield_to")).map_or(0..0, toml::Spanned::span);
            let wish = format!("names `{dataset}`, the data set that this recipe writes; name others, or leave it out");
            faults.note(span, Fault::WrongValue { owner: "[dedup]".to_owned(), key: "yield_to".to_owned(), wish });
        }
    }

    /// A text at the top of the recipe, if it is there and a text.
    fn text(&self, key: &str, faults: &mut Faults) -> Option<String> {
        let value = self.root.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            other => {
                faults.note(value.span(), wrong_type("the recipe", key, "a text in quotes", other));
                None
            }
        }
    }

    fn dataset(&self, faults: &mut Faults) -> Option<String> {
        let Some(value) = self.root.get("dataset") else {
            faults.note(0..0, missing("the recipe", "dataset", "`dataset = \"my-data\"` at the top"));
            return None;
        };
        let name = self.text("dataset", faults)?;
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let ends_fit = name.bytes().next().is_some_and(fits) && name.bytes().last().is_some_and(fits);
        if ends_fit && name.len() <= 64 && name.bytes().all(|b| fits(b) || b == b'-') {
            return Some(name);
        }
        faults.note(value.span(), Fault::DatasetName { name });
        None
    }

    fn input(&self, faults: &mut Faults) -> Vec<Pattern> {
        let Some(value) = self.root.get("input") else {
            let source = self.root.get("source").and_then(|source| source.get_ref().as_table());
            let fetches = source.and_then(|source| reading_of(source.get("kind")?.get_ref().as_str()?)).is_some();
            if self.complete && !fetches {
                faults.note(0..0, missing("the recipe", "input", "`input = \"folder/*.warc.gz\"` at the top, or `--set input=..`"));
            }
            return Vec::new();
        };
        let items = match value.get_ref() {
            DeValue::Array(items) if items.is_empty() => {
                faults.note(value.span(), missing("the recipe", "input", "at least one file, folder or glob to the list"));
                return Vec::new();
            }
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        let mut patterns = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::String(text) if text.trim().is_empty() => {
                    let wish = "must name a file, folder or glob, and this is empty".to_owned();
                    faults.note(item.span(), Fault::WrongValue { owner: "the recipe".to_owned(), key: "input".to_owned(), wish });
                }
                DeValue::String(text) if has_credentials(text) => faults.note(item.span(), Fault::Credentials),
                DeValue::String(text) => patterns.push(Pattern { text: text.to_string(), place: self.sheet.place(&item.span()) }),
                other => faults.note(item.span(), wrong_type("the recipe", "input", "a text in quotes, or a list of them", other)),
            }
        }
        patterns
    }

    /// The source's room, and the source unless its settings are wrong.
    fn source(&self, faults: &mut Faults) -> Option<(&'static crate::source::Room, BuiltSource)> {
        let kinds = listed(self.house.sources.iter().map(|room| room.name));
        let Some(value) = self.root.get("source") else {
            faults.note(0..0, missing("the recipe", "[source]", &format!("it with a line `kind = ..`, one of {kinds}")));
            return None;
        };
        let table = self.one_table("source", value, faults)?;
        let name = room_name("[source]", "kind", &kinds, table, value.span(), faults)?;
        let Some(room) = self.house.source(name.get_ref()) else {
            let nearest = nearest(name.get_ref(), self.house.sources.iter().map(|room| room.name)).map(str::to_owned);
            faults.note(name.span(), Fault::UnknownRoom { kind: "source", name: name.into_inner(), nearest });
            return None;
        };
        let owner = format!("source `{}`", room.name);
        Some((room, settle(&owner, &without(table, "kind"), value.span(), faults, |settings| (room.build)(settings))))
    }

    /// The stages of a pass whose rooms are known.
    fn chosen(&self, pass: &'static str, faults: &mut Faults) -> Vec<Chosen<'r, 'i>> {
        let mut chosen = Vec::new();
        for (table, span) in self.tables(pass, "stages run in order, so each stands in a table of its own", faults) {
            let Some(name) = room_name(&format!("[[{pass}]]"), "stage", "`tamis stages` lists them", table, span.clone(), faults) else {
                continue;
            };
            match self.house.stage(name.get_ref()) {
                Some(room) => chosen.push(Chosen { room, name_span: name.span(), table, span }),
                None => {
                    let nearest = nearest(name.get_ref(), self.house.stages.iter().map(|room| room.name)).map(str::to_owned);
                    faults.note(name.span(), Fault::UnknownRoom { kind: "stage", name: name.into_inner(), nearest });
                }
            }
        }
        chosen
    }

    fn build(&self, chosen: Vec<Chosen<'r, 'i>>, faults: &mut Faults) -> Option<Vec<Placed>> {
        let mut placed = Some(Vec::new());
        for Chosen { room, table, span, .. } in chosen {
            let owner = format!("stage `{}`", room.name);
            let stage = settle(&owner, &without(table, "stage"), span, faults, |settings| (room.build)(settings, self.resources));
            match (stage, &mut placed) {
                (Some(stage), Some(placed)) => placed.push(Placed { room, settings: written(table), stage: Arc::from(stage) }),
                _ => placed = None,
            }
        }
        placed
    }

    /// A table of plain settings; the defaults where the recipe has none.
    fn table<T: DeserializeOwned + Default>(&self, name: &str, faults: &mut Faults) -> Option<T> {
        let Some(value) = self.root.get(name) else { return Some(T::default()) };
        let table = self.one_table(name, value, faults)?;
        settle(&format!("[{name}]"), table, value.span(), faults, |settings| Ok(T::deserialize(settings)?))
    }

    fn output(&self, faults: &mut Faults) -> Option<OutputSettings> {
        let output = self.table::<OutputSettings>("output", faults)?;
        let mut contradict = |key: &str, why: String| faults.note(self.setting_span("output", key), Fault::Contradiction(why));
        let (shard, group) = (output.shard_bytes_max, output.row_group_bytes_max);
        if !(1..=OutputSettings::ROW_GROUP_DOCUMENTS_MAX).contains(&output.row_group_documents_max) {
            contradict(
                "row_group_documents_max",
                format!("`row_group_documents_max` must be 1 to {}", OutputSettings::ROW_GROUP_DOCUMENTS_MAX),
            );
        }
        if !(ByteSize(1)..=OutputSettings::ROW_GROUP_BYTES_MAX).contains(&group) {
            contradict("row_group_bytes_max", "`row_group_bytes_max` must be 1 byte to 16 MiB".to_owned());
        } else if group > shard {
            let (group, shard) = (size_in_words(group), size_in_words(shard));
            let why =
                format!("`row_group_bytes_max` ({group}) is larger than `shard_bytes_max` ({shard}); a shard is made of whole row groups");
            contradict(if self.has("output", "row_group_bytes_max") { "row_group_bytes_max" } else { "shard_bytes_max" }, why);
        }
        if !(1..=22).contains(&output.compression_level) {
            contradict("compression_level", "`compression_level` must be 1 to 22".to_owned());
        }
        Some(output)
    }

    fn limits(&self, faults: &mut Faults) -> Option<Limits> {
        let limits = self.table::<Limits>("limits", faults)?;
        for (key, value) in [("document_cpu_ms_max", limits.document_cpu_ms_max), ("task_bytes_max", limits.task_bytes_max.0)] {
            if value == 0 {
                faults.note(
                    self.setting_span("limits", key),
                    Fault::Contradiction(format!("`{key}` is 0, so nothing could be done; raise it")),
                );
            }
        }
        Some(limits)
    }

    fn examples(
        &self,
        source: Option<&crate::source::Room>,
        clean: &[&Room],
        emit: &[&Room],
        faults: &mut Faults,
    ) -> Vec<(Example, Expectation)> {
        let mut examples = Vec::new();
        for (table, span) in self.tables("example", "a recipe can have many examples", faults) {
            let Some(example) = settle("[[example]]", table, span.clone(), faults, |settings| Ok(Example::deserialize(settings)?)) else {
                continue;
            };
            let expect_span = table.get("expect").map_or(span.clone(), Spanned::span);
            match Expectation::read(&example.expect, clean, emit) {
                Ok(expectation) => examples.push((example.clone(), expectation)),
                Err(why) => faults.note(expect_span, Fault::Example(format!("`{}`: {why}", example.name))),
            }
            if let Some(why) = source.and_then(|source| cannot_run(&example, source, clean)) {
                faults.note(span, Fault::Example(format!("`{}` {why}", example.name)));
            }
        }
        examples
    }

    /// The tables of a list of tables, each with its place.
    fn tables(&self, name: &str, why: &'static str, faults: &mut Faults) -> Vec<(&'r DeTable<'i>, Range<usize>)> {
        let Some(value) = self.root.get(name) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            faults.note(value.span(), Fault::WrongBrackets { wanted: format!("[[{name}]]"), why });
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::Table(table) => tables.push((table, item.span())),
                _ => faults.note(item.span(), Fault::WrongBrackets { wanted: format!("[[{name}]]"), why }),
            }
        }
        tables
    }

    fn one_table(&self, name: &str, value: &'r Spanned<DeValue<'i>>, faults: &mut Faults) -> Option<&'r DeTable<'i>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            DeValue::Array(_) => {
                faults.note(value.span(), Fault::WrongBrackets { wanted: format!("[{name}]"), why: "a recipe has one such table" });
                None
            }
            other => {
                faults.note(value.span(), wrong_type("the recipe", name, &format!("a table that begins with [{name}]"), other));
                None
            }
        }
    }

    fn has(&self, table: &str, key: &str) -> bool {
        self.root.get(table).is_some_and(|table| table.get_ref().get(key).is_some())
    }

    /// Where a setting stands, or its table, or the beginning.
    fn setting_span(&self, table: &str, key: &str) -> Range<usize> {
        self.root.get(table).map_or(0..0, |table| table.get_ref().get(key).map_or(table.span(), Spanned::span))
    }
}

fn placed_rooms<'c>(chosen: &'c [Chosen<'_, '_>]) -> Vec<(&'c Room, Range<usize>)> {
    chosen.iter().map(|chosen| (chosen.room, chosen.name_span.clone())).collect()
}

/// The room that a table names, with its place.
fn room_name(owner: &str, key: &str, kinds: &str, table: &DeTable<'_>, span: Range<usize>, faults: &mut Faults) -> Option<Spanned<String>> {
    match table.get(key) {
        None => faults.note(span, missing(owner, key, &format!("a line `{key} = \"..\"`: {kinds}"))),
        Some(value) => match value.get_ref() {
            DeValue::String(name) => return Some(Spanned::new(value.span(), name.to_string())),
            other => faults.note(value.span(), wrong_type(owner, key, "a text in quotes", other)),
        },
    }
    None
}

fn missing(owner: &str, key: &str, example: &str) -> Fault {
    Fault::Missing { owner: owner.to_owned(), key: key.to_owned(), example: example.to_owned() }
}

fn wrong_type(owner: &str, key: &str, wanted: &str, found: &DeValue<'_>) -> Fault {
    let found = match found.type_str() {
        "string" => "a text",
        "integer" | "float" => "a number",
        "boolean" => "true or false",
        "datetime" => "a date",
        "array" => "a list",
        _ => "a table",
    };
    Fault::WrongValue { owner: owner.to_owned(), key: key.to_owned(), wish: format!("must be {wanted}, and this is {found}") }
}

fn without<'i>(table: &DeTable<'i>, key: &str) -> DeTable<'i> {
    let mut rest = table.clone();
    rest.remove(key);
    rest
}

/// The settings of a stage or source as the recipe gives them, as canonical TOML.
pub(super) fn written(table: &DeTable<'_>) -> Vec<(String, String)> {
    let settings = canonical::settings(table).into_iter().filter(|(key, _)| !matches!(*key, "stage" | "kind"));
    settings.map(|(key, value)| (key.to_owned(), canonical::inline(value))).collect()
}

/// Whether an address names a user or a password: `https://user:secret@host/`.
fn has_credentials(address: &str) -> bool {
    address.split_once("://").is_some_and(|(_, rest)| rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@')))
}
