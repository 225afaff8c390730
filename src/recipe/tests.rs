//! Broken recipes and what is said of them; and what a sound recipe keeps.

use std::collections::BTreeMap;
use std::io;

use schemars::JsonSchema;
use serde::Deserialize;

use super::*;
use crate::doc::{Document, Lang};
use crate::source::{Input, Offer, RawRecord, Records, SourceError};
use crate::stage::{Field, Room, Verdict};

/// Takes the text out of `<p>`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Extract {}

impl Stage for Extract {
    fn judge(&self, doc: &mut Document) -> Verdict {
        doc.text = std::mem::take(&mut doc.html).replace("<p>", "").replace("</p>", "");
        if doc.text.is_empty() { Verdict::drop("no-text") } else { Verdict::Keep }
    }
}

/// Says that all is Finnish.
#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Langid {
    min_score: f32,
    keep: Vec<String>,
    languages: BTreeMap<String, Least>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Least {
    min_score: f32,
}

impl Default for Langid {
    fn default() -> Langid {
        Langid { min_score: 0.5, keep: Vec::new(), languages: BTreeMap::new() }
    }
}

impl Stage for Langid {
    fn judge(&self, doc: &mut Document) -> Verdict {
        doc.lang = Some(Lang::new("fi"));
        doc.lang_score = self.languages.get("fi").map(|least| least.min_score);
        if self.min_score > 0.9 { Verdict::broke("unsure", 0.9, self.min_score) } else { Verdict::Keep }
    }
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Tokenize {
    tokenizer: String,
    bos: bool,
}

impl Stage for Tokenize {
    fn judge(&self, doc: &mut Document) -> Verdict {
        doc.token_count = Some(doc.text.split(' ').count() as u32);
        Verdict::Keep
    }
}

fn build_tokenize(settings: toml::de::ValueDeserializer<'_>, resources: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    let settings = Tokenize::deserialize(settings)?;
    if settings.bos && settings.tokenizer.is_empty() {
        return Err(BuildError::Contradiction("`bos` is wanted, but `tokenizer` is not named".to_owned()));
    }
    if !settings.tokenizer.is_empty() {
        let path = settings.tokenizer.clone();
        resources.read(&path).map_err(|error| BuildError::Resource { setting: "tokenizer", path, why: error.to_string() })?;
    }
    Ok(Box::new(settings))
}

struct Archive;

impl Source for Archive {
    fn open(&self, _: Input) -> Result<Box<dyn Records>, SourceError> {
        unreachable!("these tests read no inputs")
    }

    fn decode(&self, _: RawRecord) -> Offer {
        unreachable!("these tests read no inputs")
    }
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ArchiveSettings {
    body_bytes_max: u64,
}

type Build = fn(toml::de::ValueDeserializer<'_>, &dyn Resources) -> Result<Box<dyn Stage>, BuildError>;

const fn room(
    name: &'static str,
    needs: &'static [Field],
    gives: &'static [Field],
    schema: fn() -> schemars::Schema,
    build: Build,
) -> Room {
    Room { name, summary: "", reasons: &["no-text", "unsure"], signals: &["lang_share"], needs, gives, schema, build }
}

const STAGES: &[&Room] = &[
    &room(
        "extract",
        &[Field::Html],
        &[Field::Text],
        || schemars::schema_for!(Extract),
        |settings, _| Ok(Box::new(Extract::deserialize(settings)?)),
    ),
    &room(
        "langid",
        &[Field::Text],
        &[Field::Lang],
        || schemars::schema_for!(Langid),
        |settings, _| Ok(Box::new(Langid::deserialize(settings)?)),
    ),
    &room("markup", &[Field::Html], &[], || schemars::schema_for!(Extract), |settings, _| Ok(Box::new(Extract::deserialize(settings)?))),
    &room(
        "sign",
        &[Field::Text],
        &[Field::Signature],
        || schemars::schema_for!(Extract),
        |settings, _| Ok(Box::new(Extract::deserialize(settings)?)),
    ),
    &room("tokenize", &[Field::Text], &[Field::Tokens], || schemars::schema_for!(Tokenize), build_tokenize),
];

const fn source(name: &'static str, gives: &'static [Field]) -> crate::source::Room {
    crate::source::Room {
        name,
        summary: "",
        endings: &[".warc.gz"],
        reasons: &[],
        signals: &[],
        gives,
        schema: || schemars::schema_for!(ArchiveSettings),
        build: |settings| {
            ArchiveSettings::deserialize(settings)?;
            Ok(Box::new(Archive))
        },
    }
}

const HOUSE: House = House { sources: &[&source("warc", &[Field::Html]), &source("wet", &[Field::Text])], stages: STAGES };

/// Files of these tests: one.
struct Shelf(&'static [u8]);

impl Resources for Shelf {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if path == "vocabulary.json" { Ok(self.0.to_vec()) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

fn sets(arguments: &[&str]) -> Vec<(String, String)> {
    arguments.iter().map(|argument| set_argument(argument).expect("key=value")).collect()
}

fn read(text: &str, arguments: &[&str]) -> Result<Recipe, RecipeErrors> {
    reader::read(text, "r.toml", &sets(arguments), &Shelf(b"{}"), &HOUSE, true)
}

const SOUND: &str = r#"
dataset = "suomi"
input = "archives"
[source]
kind = "warc"
[[clean]]
stage = "extract"
[[clean]]
stage = "langid"
min_score = 0.6
[[emit]]
stage = "tokenize"
"#;

/// The first line of every mistake.
fn mistakes(text: &str, arguments: &[&str]) -> Vec<String> {
    let Err(errors) = read(text, arguments) else { return Vec::new() };
    errors.mistakes.iter().map(|mistake| mistake.to_string().lines().next().unwrap_or_default().to_owned()).collect()
}

/// Checks the mistakes of the sound recipe with `from` replaced by `to`.
#[track_caller]
fn check(from: &str, to: &str, expected: &[&str]) {
    assert!(SOUND.contains(from), "{from}");
    assert_eq!(mistakes(&SOUND.replacen(from, to, 1), &[]), expected, "{to}");
}

#[test]
fn a_sound_recipe_has_no_mistakes_and_its_defaults() {
    let recipe = read(SOUND, &[]).expect("it is sound");
    assert_eq!((recipe.name.as_str(), recipe.dataset.as_str(), recipe.input[0].text.as_str()), ("r", "suomi", "archives"));
    assert_eq!((recipe.output, recipe.limits), (OutputSettings::default(), Limits::default()));
    assert_eq!(recipe.clean.iter().map(|placed| placed.room.name).collect::<Vec<_>>(), ["extract", "langid"]);
    assert_eq!(recipe.clean[1].settings, [("min_score".to_owned(), "0.6".to_owned())]);
    assert!(recipe.warnings.is_empty(), "{:?}", recipe.warnings);
}

#[test]
fn a_mistake_shows_its_line_with_a_mark_under_it() {
    let errors = read(&SOUND.replace("min_score", "min_scor"), &["clean.langid.keep=[3]"]).err().expect("two mistakes");
    assert_eq!(
        errors.to_string(),
        "r.toml:10:1: stage `langid` has no setting `min_scor`, did you mean `min_score`?
   |
10 | min_scor = 0.6
   | ^^^^^^^^

--set, column 20: `keep` of stage `langid` must be a text in quotes, and this is the whole number 3
 |
 | clean.langid.keep=[3]
 |                    ^"
    );
}

#[test]
fn unknown_names_are_told_with_the_nearest_known_one() {
    check(
        "dataset",
        "datset",
        &[
            "r.toml:1:1: the recipe needs `dataset`; add `dataset = \"my-data\"` at the top",
            "r.toml:2:1: the recipe has no setting `datset`, did you mean `dataset`?",
        ],
    );
    check(
        "\"langid\"",
        "\"lang-id\"",
        &["r.toml:9:9: there is no stage called `lang-id` (did you mean `langid`?); `tamis stages` lists them all"],
    );
    check("\"warc\"", "\"swift\"", &["r.toml:5:8: there is no source called `swift`; `tamis stages` lists them all"]);
    check(
        "min_score = 0.6",
        "languages.sv = { score = 1 }",
        &[
            "r.toml:10:16: `languages.sv` of stage `langid` needs `min_score`; add `min_score = ..`",
            "r.toml:10:18: `languages.sv` of stage `langid` has no setting `score`; it has `min_score`",
        ],
    );
    check(
        "kind = \"warc\"",
        "kind = \"warc\"\ndataset = \"x\"",
        &["r.toml:6:1: source `warc` has no setting `dataset`; it belongs at the top of the recipe, above the first line in brackets"],
    );
    check(
        "stage = \"extract\"",
        "stage = \"extract\"\nfast = true",
        &["r.toml:8:1: stage `extract` has no setting `fast`, and none at all; remove it"],
    );
}

#[test]
fn wrong_types_are_told_with_what_is_wanted() {
    check("0.6", "\"0.6\"", &["r.toml:10:13: `min_score` of stage `langid` must be a number, and this is the text \"0.6\""]);
    check("\"suomi\"", "3", &["r.toml:2:11: `dataset` of the recipe must be a text in quotes, and this is a number"]);
    check(
        "\"archives\"",
        "[1, \"\"]",
        &[
            "r.toml:3:10: `input` of the recipe must be a text in quotes, or a list of them, and this is a number",
            "r.toml:3:13: `input` of the recipe must name a file, folder or glob, and this is empty",
        ],
    );
    check("[[emit]]", "[emit]", &["r.toml:11:1: write `[[emit]]` here: stages run in order, so each stands in a table of its own"]);
    check("[source]", "[[source]]", &["r.toml:4:1: write `[source]` here: a recipe has one such table"]);
    check(
        "[[emit]]",
        "[output]\nexisting = \"apend\"\nshard_bytes_max = \"lots\"\nrow_group_bytes_max = true\n[[emit]]",
        &[
            "r.toml:12:12: `existing` of [output] cannot be `apend` (did you mean `append`?); it is one of `refuse`, `same-recipe`, `append`",
            "r.toml:13:19: `shard_bytes_max` of [output] is not right: `lots` is no size; write bytes as a number, or for example `256 MiB` or `1.5 GB`",
            "r.toml:14:23: `row_group_bytes_max` of [output] must be a size such as 1048576 or \"256 MiB\"",
        ],
    );
    check(
        "[[emit]]",
        "dedup = 3\n[[emit]]",
        &["r.toml:11:1: stage `langid` has no setting `dedup`; it belongs at the top of the recipe, above the first line in brackets"],
    );
}

#[test]
fn missing_parts_are_told_where_they_belong() {
    assert_eq!(
        mistakes("", &[]),
        [
            "r.toml:1:1: the recipe needs `dataset`; add `dataset = \"my-data\"` at the top",
            "r.toml:1:1: the recipe needs `input`; add `input = \"folder/*.warc.gz\"` at the top, or `--set input=..`",
            "r.toml:1:1: the recipe needs `[source]`; add it with a line `kind = ..`, one of `warc`, `wet`",
        ]
    );
    check("stage = \"tokenize\"", "", &["r.toml:11:1: [[emit]] needs `stage`; add a line `stage = \"..\"`: `tamis stages` lists them"]);
    check("kind = \"warc\"", "", &["r.toml:4:1: [source] needs `kind`; add a line `kind = \"..\"`: `warc`, `wet`"]);
    check("\"archives\"", "[]", &["r.toml:3:9: the recipe needs `input`; add at least one file, folder or glob to the list"]);
}

#[test]
fn all_syntax_errors_are_told() {
    assert_eq!(mistakes("dataset = suomi\ninput = \n[source\n", &[]).len(), 3);
    assert_eq!(mistakes("a = 1\na = 2", &[]), ["r.toml:2:1: this is not TOML: duplicate key"]);
}

#[test]
fn stages_in_an_order_that_cannot_work_are_told_what_to_move() {
    let two = "[[clean]]\nstage = \"extract\"\n[[clean]]\nstage = \"langid\"\nmin_score = 0.6\n";
    check(
        two,
        "[[clean]]\nstage = \"langid\"\n[[clean]]\nstage = \"extract\"\n",
        &["r.toml:7:9: stage `langid` needs plain text, and nothing before it gives that; move `extract` above it"],
    );
    check(
        two,
        "[[clean]]\nstage = \"extract\"\n[[clean]]\nstage = \"markup\"\n",
        &[
            "r.toml:9:9: stage `markup` needs markup, and nothing before it gives that; move `markup` above the stage that makes text of the markup, \
         or remove it if the source gives plain text",
        ],
    );
    check(
        two,
        "[[clean]]\nstage = \"markup\"\n",
        &[
            "r.toml:1:1: documents have no text at the end of [[clean]], so there is nothing to write; add the stage `extract`",
            "r.toml:9:9: stage `tokenize` needs plain text, and nothing before it gives that; add `extract` above it",
        ],
    );
    check(
        "\"langid\"\nmin_score = 0.6",
        "\"tokenize\"",
        &[
            "r.toml:9:9: stage `tokenize` belongs in [[emit]]: documents between the passes have no token ids, and duplicates would be tokenised for nothing",
        ],
    );
    check(
        "\"tokenize\"",
        "\"langid\"",
        &["r.toml:12:9: stage `langid` belongs in [[clean]]: shards are cut by language before [[emit]] begins"],
    );
    check(
        "\"tokenize\"",
        "\"extract\"",
        &["r.toml:12:9: stage `extract` belongs in [[clean]]: documents have no markup any more when [[emit]] begins"],
    );
    check(
        "\"langid\"\nmin_score = 0.6",
        "\"sign\"",
        &["r.toml:9:9: stage `sign` is run by the program itself at the end of [[clean]]; remove it here"],
    );
    check(
        "[[emit]]",
        "[[clean]]\nstage = \"langid\"\n[[emit]]",
        &[
            "r.toml:12:9: stage `langid` stands twice in [[clean]], so its counts could not be told apart; put all settings into one of them",
        ],
    );
    check(
        "\"warc\"",
        "\"wet\"",
        &[
            "r.toml:7:9: stage `extract` needs markup, and nothing before it gives that; move `extract` above the stage that makes text of the markup, \
         or remove it if the source gives plain text",
        ],
    );
}

#[test]
fn settings_that_contradict_each_other_are_told() {
    check(
        "[[emit]]",
        "[output]\nshard_bytes_max = \"1 MiB\"\n[[emit]]",
        &["r.toml:12:19: `row_group_bytes_max` (16 MiB) is larger than `shard_bytes_max` (1 MiB); a shard is made of whole row groups"],
    );
    check(
        "[[emit]]",
        "[output]\nrow_group_documents_max = 5000\ncompression_level = 0\n[limits]\ntask_bytes_max = 0\n[[emit]]",
        &[
            "r.toml:12:27: `row_group_documents_max` must be 1 to 4000",
            "r.toml:13:21: `compression_level` must be 1 to 22",
            "r.toml:15:18: `task_bytes_max` is 0, so nothing could be done; raise it",
        ],
    );
    check("\"tokenize\"", "\"tokenize\"\nbos = true", &["r.toml:13:1: stage `tokenize`: `bos` is wanted, but `tokenizer` is not named"]);
    check(
        "\"tokenize\"",
        "\"tokenize\"\ntokenizer = \"none.json\"",
        &["r.toml:13:13: stage `tokenize`: cannot use `none.json`, named by setting `tokenizer`: entity not found"],
    );
    check(
        "[[emit]]",
        "[dedup]\nnear = \"fine\"\njaccard_min = 2\n[[emit]]",
        &[
            "r.toml:12:8: `near` of [dedup] is not right: no preset called `fine`; there are \"fineweb\", \"wide\", \"strict\", \"loose\", \"loosest\", and `false` for none",
            "r.toml:13:15: `jaccard_min` of [dedup] is not right: 2 is not between 0 and 1",
        ],
    );
}

#[test]
fn no_data_set_goes_before_itself() {
    check(
        "[[emit]]",
        "[dedup]\nyield_to = [\"laws\", \"suomi\"]\n[[emit]]",
        &["r.toml:12:12: `yield_to` of [dedup] names `suomi`, the data set that this recipe writes; name others, or leave it out"],
    );
    check("[[emit]]", "[dedup]\nyield_to = [\"laws\", \"books\"]\n[[emit]]", &[]);
}

#[test]
fn the_signal_that_chooses_among_duplicates_must_be_given_by_a_stage_before() {
    let dedup = |prefer: &str| format!("[dedup]\nprefer = \"{prefer}\"\n[[emit]]");
    check("[[emit]]", &dedup("lang_share"), &[]);
    check(
        "[[emit]]",
        &dedup("lang_shar"),
        &[
            "r.toml:12:10: `prefer` of [dedup] is `lang_shar`, which is no signal of a stage before deduplication: did you mean `lang_share`?",
        ],
    );
}

#[test]
fn names_that_cannot_be_folders_and_credentials_are_refused() {
    for wrong in ["Suomi", "suo/mi", "..", "-a", "", "ä", &"a".repeat(65)] {
        let told = mistakes(&SOUND.replace("suomi", wrong), &[]);
        assert!(told.len() == 1 && told[0].contains("cannot name a data set"), "{wrong}: {told:?}");
    }
    check(
        "\"archives\"",
        "\"https://anna:secret@example.org/a.warc.gz\"",
        &["r.toml:3:9: this address holds a user name or password; recipes are published with the data, so keep credentials out of them"],
    );
}

#[test]
fn set_changes_any_setting_in_the_form_that_it_takes() {
    let recipe = read(
        SOUND,
        &[
            "input=more/*.warc.gz",
            "name=2026",
            "clean.langid.min_score=0",
            "clean.langid.keep=fi",
            "clean.langid.languages.sv.min_score=0.9",
            "dedup.near=false",
            "output.shard_bytes_max=64 MiB",
            "emit.tokenize.tokenizer=vocabulary.json",
            "source.body_bytes_max=7",
        ],
    )
    .expect("it is sound");
    assert_eq!((recipe.name.as_str(), recipe.input[0].text.as_str()), ("2026", "more/*.warc.gz"));
    assert_eq!(recipe.output.shard_bytes_max, crate::size::ByteSize::mib(64));
    assert_eq!(recipe.resources[0].0, "vocabulary.json");
    assert_eq!(
        recipe.effective_toml(),
        "dataset = \"suomi\"\n\n[source]\nkind = \"warc\"\nbody_bytes_max = 7\n\n[[clean]]\nstage = \"extract\"\n\n[[clean]]\nstage = \"langid\"\n\
         keep = [\"fi\"]\nlanguages = { sv = { min_score = 0.9 } }\nmin_score = 0\n\n[dedup]\nnear = false\n\n[[emit]]\nstage = \"tokenize\"\n\
         tokenizer = \"vocabulary.json\"\n\n[output]\nshard_bytes_max = \"64 MiB\"\n"
    );
    assert_eq!(read(SOUND, &["input=[\"a\", \"b\"]"]).expect("it is sound").input.len(), 2);
}

#[test]
fn a_set_that_leads_nowhere_says_what_there_is() {
    for (argument, told) in [
        ("inputs=x", "--set, column 1: --set cannot find `inputs`: did you mean `input`?"),
        ("langid.min_score=1", "--set, column 1: --set cannot find `langid.min_score`: did you mean `clean.langid.min_score`?"),
        (
            "clean.pii.x=1",
            "--set, column 1: --set cannot find `clean.pii.x`: the recipe has no stage `pii` in [[clean]]; it has `extract`, `langid`",
        ),
        (
            "clean.langid=1",
            "--set, column 1: --set cannot find `clean.langid`: name a stage and its setting, as in `clean.langid.min_score`",
        ),
        ("output=1", "--set, column 1: --set cannot find `output`: name a setting of it, as in `output.setting=value`"),
        ("clean.langid.min_scor=1", "--set, column 14: stage `langid` has no setting `min_scor`, did you mean `min_score`?"),
        ("clean.langid.min_score=high", "--set, column 24: `min_score` of stage `langid` must be a number, and this is the text \"high\""),
        (
            "output.existing=never",
            "--set, column 17: `existing` of [output] cannot be `never`; it is one of `refuse`, `same-recipe`, `append`",
        ),
    ] {
        assert_eq!(mistakes(SOUND, &[argument]), [told]);
    }
    assert!(set_argument("input").is_err() && set_argument("=x").is_err());
}

#[test]
fn the_canonical_text_builds_the_same_recipe_and_has_the_same_hash() {
    let noisy = format!("# a comment\nname = \"else\"\n{SOUND}\n[[example]]\nname = \"e\"\nhtml = \"<p>a\"\nexpect = \"keep\"\n");
    let (first, second) =
        (read(SOUND, &["output.compression_level=5"]).expect("sound"), read(&noisy, &["output.compression_level=5"]).expect("sound"));
    assert_eq!((first.effective_toml(), first.hash()), (second.effective_toml(), second.hash()));
    assert_eq!(first.hash().len(), 32);
    let again = reader::read(&first.effective_toml(), "plan", &[], &Shelf(b"{}"), &HOUSE, false).expect("it was sound before");
    assert_eq!((again.effective_toml(), again.hash(), again.name.as_str()), (first.effective_toml(), first.hash(), "suomi"));
    assert_ne!(read(SOUND, &[]).expect("sound").hash(), first.hash());
}

#[test]
fn the_hash_depends_on_the_files_that_stages_read() {
    let hash = |shelf| {
        let changed = sets(&["emit.tokenize.tokenizer=vocabulary.json"]);
        reader::read(SOUND, "r.toml", &changed, &Shelf(shelf), &HOUSE, true).expect("it is sound").hash()
    };
    assert_eq!(hash(b"{}"), hash(b"{}"));
    assert_ne!(hash(b"{}"), hash(b"[]"));
}

#[test]
fn examples_are_checked_and_run() {
    let example = |lines: &str| format!("{SOUND}\n[[example]]\nname = \"uutinen\"\n{lines}\n");
    for (lines, told) in [
        ("html = \"<p>a\"", "r.toml:14:1: [[example]] needs `expect`; add `expect = ..`"),
        ("expect = \"keep\"", "r.toml:14:1: example `uutinen` has neither `html` nor `text`; add one of them"),
        (
            "text = \"a\"\nexpect = \"keep\"",
            "r.toml:14:1: example `uutinen` has `text`, and the recipe takes text out of markup; write `html`",
        ),
        (
            "html = \"a\"\nexpect = \"extract/notext\"",
            "r.toml:17:10: example `uutinen`: stage `extract` never drops for `notext`; `tamis stages extract` lists its reasons; did you mean `no-text`?",
        ),
        (
            "html = \"a\"\nexpect = \"pii\"",
            "r.toml:17:10: example `uutinen`: it expects `pii`, and the recipe has no stage `pii`; write \"keep\", or stage and reason, as in \"extract/no-text\"",
        ),
    ] {
        assert_eq!(mistakes(&example(lines), &[]), [told]);
    }
    let wrong = |lines: &str, arguments: &[&str]| {
        let recipe = read(&example(lines), arguments).expect("it is sound");
        let steps = [recipe.clean_steps(), recipe.emit_steps()].concat();
        let (example, expectation) = &recipe.examples[0];
        run_example(example, expectation, &steps).wrong
    };
    assert!(
        wrong("html = \"<p>Hyvää huomenta</p>\"\nexpect = \"keep\"\nlang = \"fi\"\ncontains = \"huomenta\"\nlacks = \"<p>\"", &[])
            .is_empty()
    );
    assert!(wrong("html = \"\"\nexpect = \"extract\"", &[]).is_empty());
    assert_eq!(wrong("html = \"\"\nexpect = \"keep\"", &[]), ["expected keep, got extract/no-text"]);
    assert_eq!(
        wrong("html = \"<p>a\"\nexpect = \"keep\"", &["clean.langid.min_score=1"]),
        ["expected keep, got langid/unsure (0.9 against 1)"]
    );
    assert_eq!(
        wrong("html = \"<p>God morgon\"\nexpect = \"keep\"\nlang = \"sv\"\nlacks = \"morgon\"", &[]),
        ["expected language sv, got fi", "the text still has `morgon`",]
    );
}

#[test]
fn what_may_not_be_meant_is_a_warning() {
    let bare = "dataset = \"a\"\ninput = \"b\"\nsource.kind = \"wet\"\ndedup = { exact = false, near = false }\n";
    let told = read(bare, &[]).expect("it is sound").warnings;
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("`langid`") && told[1].contains("`tokenize`") && told[2].contains("copies stay"), "{told:?}");
}

#[test]
fn stages_can_be_named_as_arguments() {
    let chain = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        chain::build(&arguments, &Shelf(b"{}"), &HOUSE)
    };
    let stages = chain(&["extract", "langid:min_score=0,keep=fi", "tokenize:tokenizer=vocabulary.json,bos=false"]).expect("all are known");
    assert_eq!(stages[1].settings, [("keep".to_owned(), "[\"fi\"]".to_owned()), ("min_score".to_owned(), "0".to_owned())]);
    let errors = chain(&["exract", "langid:min_scor=0,fast"]).err().expect("three mistakes").to_string();
    assert_eq!(
        errors,
        "STAGE, column 1: there is no stage called `exract` (did you mean `extract`?); `tamis stages` lists them all
 |
 | exract
 | ^^^^^^

STAGE, column 8: stage `langid` has no setting `min_scor`, did you mean `min_score`?
 |
 | langid:min_scor=0,fast
 |        ^^^^^^^^

STAGE, column 19: stage `langid`: write settings as key=value with commas between them, not `fast`; `tamis stages langid` lists them
 |
 | langid:min_scor=0,fast
 |                   ^^^^"
    );
}
