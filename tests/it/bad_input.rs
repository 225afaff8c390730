//! Bad input: each case ends with a clear sentence and the right exit code, and nothing is lost.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::run::summary;
use crate::{ends_with, files_below, said, tamis};

/// A folder with a recipe that reads JSON lines and drops next to nothing.
struct Desk {
    folder: tempfile::TempDir,
}

const RECIPE: &str = r#"
dataset = "d"
input = "INPUT"

[source]
kind = "KIND"

[[clean]]
stage = "extract"

[[clean]]
stage = "langid"
"#;

impl Desk {
    fn new() -> Desk {
        Desk { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        std::fs::write(self.path(name), bytes).expect("a file");
        self.path(name)
    }

    fn recipe(&self, kind: &str, input: &Path, more: &str) -> PathBuf {
        let text = RECIPE.replace("INPUT", &input.to_string_lossy()).replace("KIND", kind) + more;
        self.put("recipe.toml", text.as_bytes())
    }

    /// A recipe that keeps every JSON line.
    fn recipe_without_stages(&self, input: &Path, more: &str) -> PathBuf {
        let text = format!("dataset = \"d\"\ninput = \"{}\"\n[source]\nkind = \"jsonl\"\n{more}", input.display());
        self.put("recipe.toml", text.as_bytes())
    }

    /// Runs the recipe in a workspace of its own.
    #[track_caller]
    fn run(&self, kind: &str, input: &Path, code: i32) -> Output {
        let recipe = self.recipe(kind, input, "");
        ends_with(tamis(["run"]).arg(recipe).arg("--workspace").arg(self.path("w")), code)
    }

    fn quarantine(&self) -> String {
        let folder = self.path("w/_tamis/quarantine");
        files_below(&folder).iter().map(|file| std::fs::read_to_string(folder.join(file)).expect("a list")).collect()
    }
}

const GOOD: &str =
    "Kaupungin kirjasto avaa uuden lukusalin maanantaina, ja kaikki asukkaat ovat tervetulleita tutustumaan siihen koko viikon ajan.";

fn line(url: &str, text: &str) -> String {
    serde_json::json!({ "url": url, "text": text }).to_string() + "\n"
}

/// A WARC response record around an HTTP message.
fn record(url: &str, body: &[u8], headers: &str) -> Vec<u8> {
    let http = [format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{headers}\r\n").as_bytes(), body].concat();
    let head = format!(
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-01-01T00:00:00Z\r\nContent-Length: {}\r\n\r\n",
        http.len()
    );
    [head.as_bytes(), &http, b"\r\n\r\n"].concat()
}

fn page(text: &str) -> Vec<u8> {
    format!("<html><body><article><p>{text}</p></article></body></html>").into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

#[track_caller]
fn mistake(recipe: &str, words: &[&str]) {
    let desk = Desk::new();
    let input = desk.put("a.jsonl", line("https://a.example/", GOOD).as_bytes());
    let path = desk.put("recipe.toml", recipe.replace("INPUT", &input.to_string_lossy()).as_bytes());
    let output = ends_with(tamis(["run"]).arg(&path).arg("--workspace").arg(desk.path("w")), 2);
    let told = said(&output.stderr);
    for word in words.iter().chain(&["recipe.toml:"]) {
        assert!(told.contains(word), "no `{word}` in:\n{told}");
    }
    assert!(!desk.path("w").exists(), "nothing may be touched");
}

#[test]
fn mistakes_in_a_recipe_name_the_line_and_the_way_out() {
    let good = "dataset = \"d\"\ninput = \"INPUT\"\n[source]\nkind = \"jsonl\"\n";
    mistake(&format!("{good}[[clean]]\nstage = \"extract\"\nmin_txt_bytes = 3\n"), &["min_txt_bytes", "recipe.toml:7"]);
    mistake(&format!("{good}[[clean]]\nstage = \"extarct\"\n"), &["extarct", "tamis stages", "recipe.toml:6"]);
    mistake(&format!("{good}[output]\nrow_group_documents_max = \"many\"\n"), &["row_group_documents_max", "recipe.toml:6"]);
    mistake(
        &format!("{good}[output]\nshard_bytes_max = \"1 MiB\"\nrow_group_bytes_max = \"8 MiB\"\n"),
        &["row_group_bytes_max", "shard_bytes_max"],
    );
    mistake("dataset = \"d\ninput = 3", &["recipe.toml:1"]);
}

#[test]
fn a_missing_input_is_told_before_anything_is_touched() {
    let desk = Desk::new();
    let output = desk.run("warc", Path::new("/no/such/archive.warc.gz"), 2);
    assert!(said(&output.stderr).contains("/no/such/archive.warc.gz"), "{}", said(&output.stderr));
    assert!(!desk.path("w").exists());
}

#[test]
fn an_empty_file_and_garbage_named_gz_are_set_aside_and_the_rest_is_read() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("in")).expect("a folder");
    desk.put("in/empty.warc.gz", b"");
    desk.put("in/garbage.warc.gz", &[0x42; 5_000]);
    desk.put("in/good.warc.gz", &gzip(&record("https://a.example/", &page(GOOD), "")));
    desk.run("warc", &desk.path("in"), 1);
    assert_eq!(summary(&desk.path("w"), "d")["kept"], 1);
    let list = desk.quarantine();
    assert!(list.contains("garbage.warc.gz") && list.contains("empty.warc.gz"), "{list}");
}

#[test]
fn a_link_to_nowhere_among_the_inputs_is_set_aside() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("in")).expect("a folder");
    desk.put("in/a.warc.gz", &gzip(&record("https://a.example/", &page(GOOD), "")));
    std::os::unix::fs::symlink("/no/such/file", desk.path("in/b.warc.gz")).expect("a link");
    let recipe = desk.recipe("warc", &desk.path("in/*.warc.gz"), "");
    let output = tamis(["run"]).arg(recipe).arg("--workspace").arg(desk.path("w")).output().expect("it starts");
    assert!(matches!(output.status.code(), Some(1 | 2)), "{}", said(&output.stderr));
    assert!((desk.quarantine() + &said(&output.stderr)).contains("b.warc.gz"), "{}", said(&output.stderr));
}

#[test]
fn a_truncated_archive_gives_its_whole_records() {
    let desk = Desk::new();
    let whole = gzip(&record("https://a.example/1", &page(GOOD), ""));
    let cut = gzip(&record("https://a.example/2", &page(&GOOD.repeat(30)), ""));
    let input = desk.put("a.warc.gz", &[&whole[..], &cut[..cut.len() / 2]].concat());
    desk.run("warc", &input, 1);
    let summary = summary(&desk.path("w"), "d");
    assert!(summary["kept"].as_u64() >= Some(1) && summary["damages"] == 1, "{summary}");
}

#[test]
fn a_deep_page_bombs_and_a_record_that_claims_gigabytes_cost_no_more_than_themselves() {
    let desk = Desk::new();
    let deep = "<div>".repeat(60_000) + GOOD;
    let bomb = gzip(&vec![b'a'; 1 << 20]).repeat(300);
    let zstd_bomb = zstd::stream::encode_all(&vec![b'a'; 300 << 20][..], 1).expect("memory");
    let mut archive = Vec::new();
    archive.extend(gzip(&record("https://a.example/deep", deep.as_bytes(), "")));
    archive.extend(gzip(&record("https://a.example/bomb", &bomb, "Content-Encoding: gzip\r\n")));
    archive.extend(gzip(&record("https://a.example/zstd", &zstd_bomb, "Content-Encoding: zstd\r\n")));
    archive.extend(gzip(&record("https://a.example/bidi", &page(&format!("\u{202e}\0{GOOD}")), "")));
    archive.extend(gzip(&record("https://a.example/utf8", &[&page(GOOD)[..], b"\xff\xfe\xfa"].concat(), "")));
    archive.extend(gzip(b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://a.example/4g\r\nContent-Length: 4294967296\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"));
    archive.extend(gzip(&record(
        "https://a.example/last",
        &page("Die Bibliothek der Insel hat am Montag wieder geöffnet, und alle sind willkommen."),
        "",
    )));
    let input = desk.put("a.warc.gz", &archive);
    let output = desk.run("warc", &input, 1);
    let summary = summary(&desk.path("w"), "d");
    assert!(summary["read"].as_u64() >= Some(6), "{summary}\n{}", said(&output.stderr));
    assert!(summary["languages"]["de"] == 1, "the record behind the damage is read: {summary}");
}

/// The most memory that a running program has held so far, in bytes; `None` once it has ended.
fn peak_memory(child: &std::process::Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[test]
fn a_night_of_large_packed_texts_stays_under_the_memory_it_was_given() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("in")).expect("a folder");
    for file in 0..2 {
        let lines = (0..12).flat_map(|number| {
            let text = format!("{GOOD} Se oli numero {file}.{number}. ");
            gzip(line(&format!("https://a.example/{file}/{number}"), &text.repeat((6 << 20) / text.len())).as_bytes())
        });
        desk.put(&format!("in/{file}.jsonl.gz"), &lines.collect::<Vec<u8>>());
    }
    // Without the bounds, 144 MB of texts would meet in memory, and again when the shard is written.
    let recipe = desk.recipe_without_stages(&desk.path("in"), "[dedup]\nexact = false\nnear = false\n[limits]\ntask_bytes_max = 1\n");
    let mut child = tamis(["run", "--quiet", "--threads", "4", "--memory-max", "310MB", "--workspace"])
        .arg(desk.path("w"))
        .arg(&recipe)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let mut peak = 0;
    while child.try_wait().expect("it can be waited for").is_none() {
        peak = peak.max(peak_memory(&child).unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(child.wait().expect("it has ended").code(), Some(0));
    assert_eq!(summary(&desk.path("w"), "d")["kept"], 24);
    assert!((30_000_000..310_000_000).contains(&peak), "{peak} bytes");
}

#[test]
fn a_line_of_a_gigabyte_and_lines_that_are_no_json_fall_with_a_reason() {
    let desk = Desk::new();
    let path = desk.path("a.jsonl.gz");
    // Members joined end to end are one stream, and a member of one letter need not be packed a thousand times.
    let mut file = std::fs::File::create(&path).expect("a file");
    let mut put = |member: &[u8]| file.write_all(member).expect("disk");
    put(&gzip(line("https://a.example/1", GOOD).as_bytes()));
    put(&gzip(b"{\"text\": \""));
    put(&gzip(&vec![b'a'; 1 << 20]).repeat(1_024));
    put(&gzip(b"\"}\nno json\n{\"text\": \"\xff\xfe\"}\n"));
    put(&gzip(line("https://a.example/2", "Biblioteket på øen åbner igen på mandag, og alle er velkomne til at komme forbi.").as_bytes()));
    desk.run("jsonl", &path, 0);
    let summary = summary(&desk.path("w"), "d");
    assert_eq!(summary["dropped"]["read"]["line-too-long"], 1, "{summary}");
    assert!(summary["dropped"]["read"]["malformed-json"].as_u64() >= Some(1), "{summary}");
    assert_eq!(summary["languages"]["da"], 1, "{summary}");
}

#[test]
fn a_workspace_that_cannot_be_written_is_told_before_the_start() {
    let desk = Desk::new();
    let input = desk.put("a.jsonl", line("https://a.example/", GOOD).as_bytes());
    let recipe = desk.recipe("jsonl", &input, "");
    let file = desk.put("file", b"");
    let output = ends_with(tamis(["run"]).arg(&recipe).arg("--workspace").arg(&file), 2);
    assert!(said(&output.stderr).contains("not a folder"), "{}", said(&output.stderr));
    let output = ends_with(tamis(["run"]).arg(&recipe).args(["--workspace", "/proc/tamis"]), 2);
    assert!(said(&output.stderr).contains("/proc/tamis"), "{}", said(&output.stderr));
}

/// A small file system in memory, if this user may mount one.
pub(crate) struct Tmpfs(pub(crate) PathBuf);

impl Tmpfs {
    pub(crate) fn mount(folder: &Path, options: &str) -> Option<Tmpfs> {
        std::fs::create_dir_all(folder).expect("a folder");
        let done = std::process::Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder).output().ok()?;
        done.status.success().then(|| Tmpfs(folder.to_owned()))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_told_and_the_same_command_goes_on_once_there_is_room() {
    let desk = Desk::new();
    let Some(disk) = Tmpfs::mount(&desk.path("disk"), "size=200k") else {
        eprintln!("SKIPPED: this user may not mount a tmpfs");
        return;
    };
    // Text that does not pack well, so that the files outgrow the disk.
    let mut state = 1_u64;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:x} ", state >> 20)
    };
    let lines: String = (0..200)
        .map(|number| line(&format!("https://a.example/{number}"), &(GOOD.to_owned() + &(0..300).map(|_| word()).collect::<String>())))
        .collect();
    let input = desk.put("a.jsonl", lines.as_bytes());
    let recipe = desk.recipe_without_stages(&input, "");
    let workspace = disk.0.join("w");
    let output = ends_with(tamis(["run"]).arg(&recipe).arg("--workspace").arg(&workspace), 75);
    let told = said(&output.stderr);
    assert!(told.contains("full") || told.contains("No space left"), "{told}");
    assert!(files_below(&workspace.join("data")).is_empty(), "nothing half done is published");
    let grown = std::process::Command::new("mount").args(["-o", "remount,size=50m"]).arg(&disk.0).status().expect("mount starts");
    assert!(grown.success());
    ends_with(tamis(["run"]).arg(&recipe).arg("--workspace").arg(&workspace), 0);
    ends_with(tamis(["verify"]).arg(workspace.join("data/d")), 0);
}

#[test]
fn a_read_only_workspace_is_told_before_the_start() {
    let desk = Desk::new();
    let Some(disk) = Tmpfs::mount(&desk.path("disk"), "size=1m,ro") else {
        eprintln!("SKIPPED: this user may not mount a tmpfs");
        return;
    };
    let input = desk.put("a.jsonl", line("https://a.example/", GOOD).as_bytes());
    let recipe = desk.recipe("jsonl", &input, "");
    let output = ends_with(tamis(["run"]).arg(&recipe).arg("--workspace").arg(disk.0.join("w")), 2);
    assert!(said(&output.stderr).contains("read-only") || said(&output.stderr).contains("Read-only"), "{}", said(&output.stderr));
}
