//! `tamis pipe`: any chain of stages as a Unix filter, JSON lines in, JSON lines out, in the same order.
//!
//! Lines are judged one by one on one thread: a filter is run many times side by side by whoever has many cores, and its answers come as
//! soon as the input pauses. What a stage marks takes the place of a field of the same name; all other fields pass through.

use std::any::Any;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::exit::Exit;
use crate::doc::{DocId, Document, Lang, Marks};
use crate::recipe::{Disk, Placed, chain};
use crate::stage::{Dropped, Verdict};

/// A longer line is refused without being held in memory.
const LINE_BYTES_MAX: u64 = 256 << 20;
/// Input and output are moved in pieces of this size.
const BUFFER_BYTES: usize = 256 << 10;
/// So much of a line that is no document is kept among the rejects.
const RAW_BYTES_MAX: usize = 4 << 10;
/// So many bad lines are told one by one.
const TOLD_MAX: u64 = 10;

/// Arguments of `tamis pipe`.
#[derive(Debug, Args)]
#[command(after_long_help = LONG_HELP)]
pub struct PipeArgs {
    /// Stages in order, each with its settings: langid:min_score=0.5,keep=["fi","sv"]
    #[arg(required = true, value_name = "STAGE[:KEY=VALUE,..]")]
    stages: Vec<String>,
    /// File for dropped documents, JSON lines with `stage` and `reason`
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

const LONG_HELP: &str = "\
Input: a JSON object a line with `html` or `text`, and if you like `id`, `url`, `title`, `lang`, `declared_lang` and `headers` (an object: \
names in lower case). Other fields pass through.
Output: the same object without `html` once a stage has taken the text out, with what the stages marked: `host`, `lang`, `script`, \
`lang_score`, `lang_second`, `lang_parts`, `title`, `author`, `published`, `canonical`, `text`, `input_ids`, `token_count`, `quality`, `pii`, `pii_spans`, \
`licence`, `optout`.
Rejects: the same object with `stage`, `reason`, and where there are such numbers `value` and `limit`.

Values are TOML, or else texts without quotes. A comma ends a value, except in quotes or brackets that begin it: \
'tokenize:tokenizer=\"/data/a,b.json\",bos=false'. `tamis stages NAME` lists the settings of a stage.

Exit code 1 says that some lines were no documents; they are told on stderr and go to the rejects.";

/// Runs the filter on standard input and output.
///
/// # Errors
/// When a stage cannot be built, or a file cannot be read or written. Output that nobody reads any more is no error.
pub fn pipe(args: &PipeArgs) -> anyhow::Result<Exit> {
    let stages = chain(&args.stages, &Disk)?;
    stages.iter().filter_map(Placed::warning).for_each(|warning| eprintln!("note: {warning}"));
    let rejects: Box<dyn Write> = match &args.rejects {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("cannot write the rejects `{}`", path.display()))?;
            Box::new(BufWriter::with_capacity(BUFFER_BYTES, file))
        }
        None => Box::new(io::sink()),
    };
    let out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    let mut filter = Filter { stages, out, rejects, told: io::stderr(), bad_lines: 0 };
    match filter.run(io::stdin().lock()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(error) => Err(error).context("cannot pass on the documents"),
        Ok(0) => Ok(Exit::Done),
        Ok(bad_lines) => {
            let lines = if bad_lines == 1 { "1 line".to_owned() } else { format!("{bad_lines} lines") };
            eprintln!("{lines} could not be judged{}", if args.rejects.is_some() { "; see the rejects" } else { "" });
            Ok(Exit::Quarantined)
        }
    }
}

struct Filter<O, R, T> {
    stages: Vec<Placed>,
    out: O,
    rejects: R,
    told: T,
    bad_lines: u64,
}

impl<O: Write, R: Write, T: Write> Filter<O, R, T> {
    /// Passes every line of `input` through. Answers how many could not be judged.
    fn run(&mut self, input: impl Read) -> io::Result<u64> {
        let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
        let (mut line, mut answer, mut offset) = (Vec::new(), Vec::new(), 0);
        for number in 1_u64.. {
            // Whoever waits for answers gets them before we wait for more questions.
            if !input.buffer().contains(&b'\n') {
                self.out.flush()?;
            }
            line.clear();
            let taken = (&mut input).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? as u64;
            if taken == 0 {
                break;
            }
            if taken == LINE_BYTES_MAX && !line.ends_with(b"\n") {
                self.refuse(number, &line, "malformed-line", "it is longer than 256 MiB")?;
                input.skip_until(b'\n')?;
            } else if !line.trim_ascii().is_empty() {
                self.judge(number, offset, &line, &mut answer)?;
            }
            offset += taken;
        }
        self.out.flush()?;
        self.rejects.flush()?;
        Ok(self.bad_lines)
    }

    fn judge(&mut self, number: u64, offset: u64, line: &[u8], answer: &mut Vec<u8>) -> io::Result<()> {
        let fields = match serde_json::from_slice::<Fields>(line) {
            Ok(fields) => fields,
            Err(why) => return self.refuse(number, line, "malformed-line", &why.to_string().replace(" at line 1 column ", ", at column ")),
        };
        let (mut doc, rest) = fields.into_document(offset);
        let had_markup = !doc.html.is_empty();
        let mut stage = "";
        let verdict = catch_unwind(AssertUnwindSafe(|| {
            for placed in &self.stages {
                stage = placed.room.name;
                if let Verdict::Drop(dropped) = placed.stage.judge(&mut doc) {
                    return Some(dropped);
                }
            }
            None
        }));
        answer.clear();
        match verdict {
            Ok(None) => {
                write_answer(answer, &doc, &rest, had_markup, None)?;
                self.out.write_all(answer)
            }
            Ok(Some(dropped)) => {
                write_answer(answer, &doc, &rest, had_markup, Some((stage, dropped)))?;
                self.rejects.write_all(answer)
            }
            Err(panic) => self.refuse(number, line, "panic", &format!("internal error in stage `{stage}`: {}", message_of(&*panic))),
        }
    }

    /// Tells of a line that could not be judged, and keeps its beginning among the rejects.
    fn refuse(&mut self, number: u64, line: &[u8], reason: &str, why: &str) -> io::Result<()> {
        self.bad_lines += 1;
        if self.bad_lines <= TOLD_MAX {
            writeln!(self.told, "line {number}: {why}")?;
        }
        let raw = String::from_utf8_lossy(&line[..line.len().min(RAW_BYTES_MAX)]);
        let reject = serde_json::json!({ "stage": "read", "reason": reason, "line": number, "what": why, "raw": raw.trim_end() });
        writeln!(self.rejects, "{reject}")
    }
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// One line of input: fields that stages know, and all others in their order.
#[derive(Default)]
struct Fields {
    id: Option<Value>,
    url: Option<String>,
    html: Option<String>,
    text: Option<String>,
    title: Option<String>,
    lang: Option<String>,
    lang_score: Option<f32>,
    declared_lang: Option<String>,
    headers: Option<std::collections::BTreeMap<String, String>>,
    rest: Vec<(String, Value)>,
}

/// What passes through beside a document.
struct Passing {
    id: Option<Value>,
    had_text: bool,
    rest: Vec<(String, Value)>,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object with `html` or `text`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "id" => fields.id = Some(map.next_value()?),
                "url" => fields.url = map.next_value()?,
                "html" => fields.html = map.next_value()?,
                "text" => fields.text = map.next_value()?,
                "title" => fields.title = map.next_value()?,
                "lang" => fields.lang = map.next_value()?,
                "lang_score" => fields.lang_score = map.next_value()?,
                "declared_lang" => fields.declared_lang = map.next_value()?,
                "headers" => fields.headers = map.next_value()?,
                _ => fields.rest.push((key, map.next_value()?)),
            }
        }
        Ok(fields)
    }
}

impl Fields {
    fn into_document(self, offset: u64) -> (Document, Passing) {
        let Fields { id, url, html, text, title, lang, lang_score, declared_lang, headers, mut rest } = self;
        let url = url.unwrap_or_default();
        let had_text = text.is_some();
        let (html, text) = (html.unwrap_or_default(), text.unwrap_or_default());
        if let Some(headers) = &headers {
            let object: Map<String, Value> = headers.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
            rest.push(("headers".to_owned(), Value::Object(object)));
        }
        let (tag, other) = match lang {
            Some(lang) if is_tag(&lang) => (Some(Lang(lang)), None),
            other => (None, other),
        };
        if let Some(name) = &other {
            rest.push(("lang".to_owned(), Value::from(name.as_str())));
        }
        let doc = Document {
            id: DocId::of(&url, if html.is_empty() { text.as_bytes() } else { html.as_bytes() }),
            url,
            html,
            text,
            title,
            declared_lang: declared_lang.or(other),
            lang: tag,
            lang_score,
            source: "pipe",
            source_offset: offset,
            policy_headers: headers.into_iter().flatten().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(),
            ..Document::default()
        };
        (doc, Passing { id, had_text, rest })
    }
}

/// Whether a text has the form of a BCP 47 tag (RFC 5646, section 2.1, without the old irregular ones).
fn is_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let primary = parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase()));
    primary && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Writes one JSON object with a line end.
fn write_answer(out: &mut Vec<u8>, doc: &Document, passing: &Passing, had_markup: bool, fell: Option<(&str, Dropped)>) -> io::Result<()> {
    let mut object = Object { out, written: Vec::new() };
    object.put_some("id", passing.id.as_ref())?;
    object.put_some("url", Some(&doc.url).filter(|url| !url.is_empty()))?;
    object.put_some("host", Some(&doc.host).filter(|host| !host.is_empty()))?;
    object.put_some("lang", doc.lang.as_ref())?;
    object.put_some("script", doc.script)?;
    object.put_some("lang_score", doc.lang_score)?;
    object.put_some("lang_second", doc.lang_second.as_ref())?;
    object.put_some("lang_parts", Some(&doc.lang_parts).filter(|parts| !parts.is_empty()))?;
    object.put_some("declared_lang", doc.declared_lang.as_ref())?;
    object.put_some("title", doc.title.as_ref())?;
    object.put_some("author", doc.author.as_ref())?;
    object.put_some("published", doc.published.as_ref())?;
    object.put_some("canonical", doc.canonical.as_ref())?;
    object.put_some("html", Some(&doc.html).filter(|html| !html.is_empty()))?;
    let has_text = passing.had_text || !doc.text.is_empty() || (had_markup && doc.html.is_empty());
    object.put_some("text", Some(&doc.text).filter(|_| has_text))?;
    object.put_some("input_ids", doc.token_count.map(|_| &doc.input_ids))?;
    object.put_some("token_count", doc.token_count)?;
    object.put_marks("quality", &doc.quality, &passing.rest)?;
    object.put_marks("pii", &doc.pii, &passing.rest)?;
    object.put_some("pii_spans", Some(&doc.pii_spans).filter(|spans| !spans.is_empty()))?;
    object.put_some("licence", doc.licence.as_ref())?;
    object.put_some("optout", doc.optout.as_ref())?;
    if let Some((stage, dropped)) = fell {
        object.put_some("stage", Some(stage))?;
        object.put_some("reason", Some(dropped.reason))?;
        object.put_some("value", dropped.finding.map(|finding| finding.value))?;
        object.put_some("limit", dropped.finding.map(|finding| finding.limit))?;
    }
    for (key, value) in &passing.rest {
        object.pass(key, value)?;
    }
    object.end();
    Ok(())
}

/// A JSON object while it is written.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    written: Vec<&'static str>,
}

impl Object<'_> {
    fn begin(&mut self) {
        self.out.push(if self.out.is_empty() { b'{' } else { b',' });
    }

    fn put_some<V: Serialize>(&mut self, key: &'static str, value: Option<V>) -> io::Result<()> {
        let Some(value) = value else { return Ok(()) };
        self.begin();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.written.push(key);
        Ok(serde_json::to_writer(&mut *self.out, &value)?)
    }

    /// Writes marks together with those that came with the line.
    fn put_marks<M: Copy + Serialize>(&mut self, key: &'static str, marks: &Marks<M>, rest: &[(String, Value)]) -> io::Result<()> {
        if marks.is_empty() {
            return Ok(());
        }
        let earlier = rest.iter().find(|(known, _)| known == key).and_then(|(_, value)| value.as_object());
        let kept = earlier.into_iter().flatten().filter(|(name, _)| marks.get(name).is_none());
        self.put_some(key, Some(Merged { kept: kept.collect(), marks }))
    }

    /// Passes a field through unless it was written already.
    fn pass(&mut self, key: &str, value: &Value) -> io::Result<()> {
        if self.written.contains(&key) {
            return Ok(());
        }
        self.begin();
        serde_json::to_writer(&mut *self.out, key)?;
        self.out.push(b':');
        Ok(serde_json::to_writer(&mut *self.out, value)?)
    }

    fn end(self) {
        self.out.extend_from_slice(if self.out.is_empty() { b"{}\n" } else { b"}\n" });
    }
}

/// Marks behind those that stay from before.
struct Merged<'m, M> {
    kept: Vec<(&'m String, &'m Value)>,
    marks: &'m Marks<M>,
}

impl<M: Copy + Serialize> Serialize for Merged<'_, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.kept {
            map.serialize_entry(name, value)?;
        }
        for (name, value) in self.marks.iter() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::stage::{BuildError, Room, Stage};

    /// Takes text out of markup, marks it, drops what is short, and has a bug.
    struct Sieve;

    impl Stage for Sieve {
        fn judge(&self, doc: &mut Document) -> Verdict {
            if !doc.html.is_empty() {
                doc.text = std::mem::take(&mut doc.html).replace("<p>", "");
            }
            assert!(doc.text != "boom", "a bug");
            doc.quality.set("letters", doc.text.len() as f32 + 0.1);
            if doc.text.len() < 3 { Verdict::broke("too-short", doc.text.len() as f32, 3.0) } else { Verdict::Keep }
        }
    }

    const ROOM: Room = Room {
        name: "sieve",
        summary: "",
        reasons: &["too-short"],
        signals: &["letters"],
        needs: &[],
        gives: &[],
        schema: || schemars::json_schema!({}),
        build: |_, _| Err(BuildError::Contradiction("it is made by hand here".to_owned())),
    };

    fn pass(input: &str) -> (String, String, String, u64) {
        let stages = vec![Placed { room: &ROOM, settings: Vec::new(), stage: Arc::new(Sieve) }];
        let mut filter = Filter { stages, out: Vec::new(), rejects: Vec::new(), told: Vec::new(), bad_lines: 0 };
        let bad_lines = filter.run(input.as_bytes()).expect("memory can be written");
        let text = |bytes| String::from_utf8(bytes).expect("JSON is UTF-8");
        (text(filter.out), text(filter.rejects), text(filter.told), bad_lines)
    }

    #[test]
    fn fields_pass_through_in_a_stable_order_and_markup_is_gone_once_it_was_read() {
        let line = r#"{"zebra": [1, {"a": null}], "html": "<p>jūra", "id": 7, "url": "https://www.example.lv/", "lang": "lv", "quality": {"old": 1, "letters": 2}}"#;
        assert_eq!(
            pass(line).0,
            "{\"id\":7,\"url\":\"https://www.example.lv/\",\"lang\":\"lv\",\"text\":\"jūra\",\"quality\":{\"old\":1,\"letters\":5.1},\"zebra\":[1,{\"a\":null}]}\n"
        );
    }

    #[test]
    fn a_language_that_is_no_tag_is_what_the_page_declares() {
        assert_eq!(
            pass(r#"{"text": "labdien", "lang": "Latvian", "title": null}"#).0,
            "{\"declared_lang\":\"Latvian\",\"text\":\"labdien\",\"quality\":{\"letters\":7.1},\"lang\":\"Latvian\"}\n"
        );
        for (text, tag) in [
            ("sr-Latn", true),
            ("nb", true),
            ("gsw", true),
            ("", false),
            ("EN", false),
            ("en_GB", false),
            ("german", false),
            ("de-", false),
        ] {
            assert_eq!(is_tag(text), tag, "{text}");
        }
    }

    #[test]
    fn a_dropped_document_goes_to_the_rejects_with_reason_value_and_limit() {
        let (out, rejects, told, bad_lines) = pass("{\"id\":\"a\",\"text\":\"ja\",\"stage\":\"old\"}\n\n{\"id\":\"b\",\"text\":\"nein\"}");
        assert_eq!(out, "{\"id\":\"b\",\"text\":\"nein\",\"quality\":{\"letters\":4.1}}\n");
        assert_eq!(
            rejects,
            "{\"id\":\"a\",\"text\":\"ja\",\"quality\":{\"letters\":2.1},\"stage\":\"sieve\",\"reason\":\"too-short\",\"value\":2.0,\"limit\":3.0}\n"
        );
        assert_eq!((told.as_str(), bad_lines), ("", 0));
    }

    #[test]
    fn a_line_that_cannot_be_judged_costs_no_other_line() {
        let (out, rejects, told, bad_lines) = pass("{\"text\": 5}\nnot json\n[]\n{\"text\":\"boom\"}\n{\"text\":\"fine\"}\n");
        assert_eq!(out, "{\"text\":\"fine\",\"quality\":{\"letters\":4.1}}\n");
        assert_eq!(bad_lines, 4);
        assert!(told.starts_with("line 1: invalid type: integer `5`, expected a string, at column"), "{told}");
        assert!(told.contains("line 4: internal error in stage `sieve`: a bug"), "{told}");
        let reasons: Vec<Value> =
            rejects.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["reason"].clone()).collect();
        assert_eq!(reasons, ["malformed-line", "malformed-line", "malformed-line", "panic"]);
    }
}
