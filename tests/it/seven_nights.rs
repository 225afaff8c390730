//! Seven nights of a crawl on a changing site with new archives: one is killed, one has a full disk, one finds the site down. In the end the data set is what
//! the recipe defines, nothing doubled and nothing lost, each night told its story, and the reports agree with SQL.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use parquet::record::RowAccessor;
use serde_json::Value;

use crate::web::{House, Web, addresses, html, village};
use crate::{ends_with, files_below, root, said, tamis};

/// Whether the site is down.
static DOWN: AtomicUsize = AtomicUsize::new(0);
/// Whether the site reserves the pages of the fourth night.
static RESERVES: AtomicUsize = AtomicUsize::new(0);

const PAGES: usize = 5;

fn site(host: &str, path: &str, _: &str) -> Vec<u8> {
    if DOWN.load(Ordering::SeqCst) == 1 {
        return b"HTTP/1.1 503 Down\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n".to_vec();
    }
    let mut parts = path.trim_start_matches("/n").split('/').map(str::parse::<usize>);
    match (path, parts.next(), parts.next()) {
        ("/.well-known/tdmrep.json", ..) if host == "obec.example.sk" && RESERVES.load(Ordering::SeqCst) == 1 => {
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[{\"location\": \"/n4/*\", \"tdm-reservation\": 1}]".to_vec()
        }
        ("/robots.txt", ..) => b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nUser-agent: *\nDisallow: /tajne/\n".to_vec(),
        // Each night's last page repeats the first of the night before, and the one before it is reserved.
        (_, Some(Ok(night)), Some(Ok(page))) if page == PAGES => html(&village(host, (night - 1).max(1) * 100 + 1, "")),
        (_, Some(Ok(night)), Some(Ok(0))) => {
            html(&village(host, night * 100, "").replace("<title>", "<meta name=robots content=noai><title>"))
        }
        (_, Some(Ok(night)), Some(Ok(page))) if page < PAGES => html(&village(host, night * 100 + page, "")),
        _ => b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<p>nie je</p>".to_vec(),
    }
}

/// A disk of memory below the workspace, whose size can be changed; none where this user may not mount one.
struct Disk(PathBuf);

impl Disk {
    fn mount(folder: &Path) -> Option<Disk> {
        std::fs::create_dir_all(folder).expect("room");
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", "size=200m", "tmpfs"]).arg(folder).output().ok()?;
        done.status.success().then(|| Disk(folder.to_owned()))
    }

    fn resize(&self, bytes: u64) {
        let done = Command::new("mount").args(["-o", &format!("remount,size={bytes}")]).arg(&self.0).status().expect("mount starts");
        assert!(done.success());
    }

    /// Leaves some room beside what is there.
    fn leave(&self, bytes: u64) {
        let output = Command::new("df").args(["--output=used", "-B1"]).arg(&self.0).output().expect("df starts");
        let used: u64 = said(&output.stdout).lines().nth(1).and_then(|line| line.trim().parse().ok()).expect("a number");
        self.resize(used + bytes);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

struct Week {
    house: House,
    mail: PathBuf,
    address: std::net::SocketAddr,
}

impl Week {
    fn new() -> Week {
        let web = Web::open("127.0.12.1", site);
        let settings = format!("faults_max = 1\nseed_files = [\"SEEDS\"]\n{}", addresses(&[("obec.example.sk", web.address)]));
        let house = House::new(&settings);
        let recipe =
            std::fs::read_to_string(house.at("recipe.toml")).expect("ours").replace("SEEDS", &house.at("seeds.txt").to_string_lossy());
        std::fs::write(house.at("recipe.toml"), recipe).expect("room");
        let mail = house.at("mail");
        let settings = format!(
            "[disk]\nbegin_bytes_min = \"1 B\"\nwork_bytes_min = \"1 B\"\n[alarm]\ndocuments_min = 3\n[tell]\nalways = true\nmail_to = \"op@example.eu\"\n\
             mail_from = \"t@example.eu\"\nmail_command = [\"sh\", \"-c\", \"cat >> $0\", \"{}\"]\nmetrics_file = \"{}\"\n",
            mail.display(),
            house.at("night.prom").display()
        );
        std::fs::write(house.at("night.toml"), settings).expect("room");
        Week { house, mail, address: web.address }
    }

    /// The pages of a night come to the list of addresses, and perhaps an archive to the others.
    fn brings(&self, night: usize, archive: Option<&str>) {
        let mut seeds = std::fs::read_to_string(self.house.at("seeds.txt")).unwrap_or_default();
        (0..=PAGES).for_each(|page| writeln!(seeds, "http://obec.example.sk/n{night}/{page}").expect("a text"));
        std::fs::write(self.house.at("seeds.txt"), seeds).expect("room");
        if let Some(archive) = archive {
            let folder = self.house.at("w/archive").join(format!("had-{night}"));
            std::fs::create_dir_all(&folder).expect("room");
            std::fs::copy(root().join("data-samples/archives").join(archive), folder.join(archive)).expect("room");
        }
    }

    fn night(&self, night: usize) -> Command {
        let mut command = tamis(["night"]);
        command.arg(self.house.at("recipe.toml")).arg("--workspace").arg(self.house.at("w")).arg("--keys").arg(self.house.at("keys"));
        command.arg("--settings").arg(self.house.at("night.toml")).args(["--date", &date(night), "--json", "--quiet"]);
        command
    }

    fn done(&self, night: usize) -> Value {
        let output = self.night(night).output().expect("it starts");
        assert!(matches!(output.status.code(), Some(0 | 1)), "night {night}: {:?} {}", output.status, said(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("a record")
    }

    fn mails(&self) -> String {
        std::fs::read_to_string(&self.mail).unwrap_or_default()
    }

    fn sql(&self, question: &str) -> Value {
        let mut command = tamis(["inspect"]);
        let output = ends_with(command.arg(self.house.at("w/data/web")).args(["sql", question, "--json"]), 0);
        serde_json::from_str(said(&output.stdout).lines().next().unwrap_or("null")).expect("JSON")
    }
}

fn date(night: usize) -> String {
    format!("2026-11-{:02}", night)
}

fn rules(record: &Value) -> BTreeSet<String> {
    record["alarms"].as_array().expect("a list").iter().map(|alarm| alarm["rule"].as_str().unwrap_or("").to_owned()).collect()
}

/// The texts of all shards below `place`, sorted.
fn texts(place: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for file in files_below(place) {
        let reader = parquet::file::reader::SerializedFileReader::try_from(place.join(file).as_path()).expect("Parquet");
        for row in reader {
            let row = row.expect("a row");
            let at = row.get_column_iter().position(|(name, _)| name == "text").expect("a column");
            texts.push(row.get_string(at).cloned().unwrap_or_default());
        }
    }
    texts.sort();
    texts
}

/// What one run over all archives publishes, by the same recipe.
fn once(week: &Week) -> Vec<String> {
    let recipe = "dataset = \"once\"\n[source]\nkind = \"warc\"\n[[clean]]\nstage = \"extract\"\n[dedup]\nnear = false\n[[emit]]\nstage = \"tokenize\"\n";
    std::fs::write(week.house.at("once.toml"), recipe).expect("room");
    let mut command = tamis(["run", "--quiet", "--json"]);
    command.arg(week.house.at("once.toml")).arg("--workspace").arg(week.house.at("once"));
    let output =
        command.arg("--set").arg(format!("input={}/**/*.warc.gz", week.house.at("w/archive").display())).output().expect("it starts");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", said(&output.stderr));
    // The files of sites are no documents to a crawl; to a recipe over any archives they are texts like others.
    texts(&week.house.at("once/data")).into_iter().filter(|text| !text.starts_with("User-agent:")).collect()
}

#[test]
fn seven_nights_with_their_mishaps_publish_what_the_recipe_defines_once() {
    let week = Week::new();
    let disk = Disk::mount(&week.house.at("w"));
    week.brings(1, None);
    let first = week.done(1);
    let refused = first["crawl"]["refused"].as_object().expect("counts");
    let reserved: u64 = refused.iter().filter(|(why, _)| why.starts_with("reserved")).filter_map(|(_, count)| count.as_u64()).sum();
    assert_eq!((&first["state"], reserved), (&"done".into(), 1), "{first}");
    week.brings(2, Some("harbours-2026-03.warc.gz"));
    let second = week.done(2);
    assert!(second["tally"]["kept"].as_u64() > first["tally"]["kept"].as_u64(), "{second}");

    // The third night is killed where its plan is half done, and nobody starts it again.
    week.brings(3, None);
    let killed = week.night(3).env("TAMIS_KILL_AT", "26").output().expect("it starts");
    assert_eq!(killed.status.signal(), Some(9), "{}", said(&killed.stderr));
    week.brings(4, None);
    let fourth = week.done(4);
    assert!(fourth["tally"]["kept"].as_u64() >= Some(2 * PAGES as u64 - 3), "the fourth night brings the pages of the third too: {fourth}");

    // The fifth finds no room; with room again the same night is done.
    week.brings(5, Some("islands-2026-02.warc.gz"));
    if let Some(disk) = &disk {
        disk.leave(30_000);
        let output = ends_with(&mut week.night(5), 75);
        let told = said(&output.stderr);
        assert!(told.contains("no space") || told.contains("No space"), "{told}");
        disk.resize(200 << 20);
    } else {
        println!("SKIPPED in part: this user may not mount a small disk");
    }
    assert_eq!(week.done(5)["state"], "done");

    // On the sixth the site is down.
    DOWN.store(1, Ordering::SeqCst);
    week.brings(6, None);
    let sixth = week.done(6);
    assert!(
        sixth["state"] == "done" && rules(&sixth).is_superset(&["nothing-fetched", "nothing-read"].map(str::to_owned).into()),
        "{sixth}"
    );
    DOWN.store(0, Ordering::SeqCst);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    week.brings(7, None);
    let seventh = week.done(7);
    assert!(
        seventh["tally"]["kept"].as_u64() >= Some(2 * PAGES as u64 - 4),
        "the seventh night brings the pages of the sixth too: {seventh}"
    );

    let published = texts(&week.house.at("w/data"));
    assert_eq!(published.iter().collect::<BTreeSet<_>>().len(), published.len(), "nothing is doubled");
    assert_eq!(published, once(&week), "nothing is lost");
    ends_with(tamis(["verify"]).arg(week.house.at("w/data/web")), 0);
    let mails = week.mails();
    for line in
        ["tamis web 2026-11-01: done\n", "tamis web 2026-11-06: done, ", "ALARM the crawl kept no page", "tamis web 2026-11-07: done"]
    {
        assert!(mails.contains(line), "{line} in\n{mails}");
    }
    if disk.is_some() {
        assert!(mails.contains("tamis web 2026-11-05: unfinished, 1 alarm"), "{mails}");
    }
    let metrics = std::fs::read_to_string(week.house.at("night.prom")).expect("metrics");
    assert!(metrics.contains("night=\"2026-11-07\",state=\"done\""), "{metrics}");

    takedown(&week);
    assert_eq!(texts(&week.house.at("w/data")).len(), published.len() - 1);
    let reserved = recheck(&week);
    assert_eq!(texts(&week.house.at("w/data")).len() as u64, published.len() as u64 - 1 - reserved);
    reports(&week, 1 + reserved);
}

/// Owners are asked again: one reserves a folder by now. What it reserves is erased, and another night does not bring it back. Answers how much that was.
fn recheck(week: &Week) -> u64 {
    RESERVES.store(1, Ordering::SeqCst);
    let data = week.house.at("w/data");
    let rows: Vec<String> = files_below(&data).iter().flat_map(|path| crate::takedown::rows_of(&data.join(path))).collect();
    let of_host = |row: &String| row.split('\u{1}').skip_while(|part| *part != "host").nth(1).map(|host| host.trim_matches('"').to_owned());
    let hosts: BTreeSet<String> = rows.iter().filter_map(of_host).collect();
    assert!(hosts.contains("obec.example.sk") && hosts.len() > 2, "{hosts:?}");
    let plan = week.house.at("recheck.json");
    let mut command = tamis(["optout", "recheck", "--json", "--contact", "mailto:crawl@example.eu", "--delay-ms", "0"]);
    for host in &hosts {
        command.arg("--resolve").arg(format!("{host}={}", week.address));
    }
    let told = ends_with(command.arg(week.house.at("w/data/web")).arg("--out").arg(&plan), 1);
    let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    let in_folder = rows.iter().filter(|row| row.contains("http://obec.example.sk/n4/")).count();
    // The hosts of the archives speak TLS, and nobody does here: without an answer they keep their documents.
    assert_eq!((&told["reserved"], &told["hosts_without_answer"]), (&in_folder.into(), &(hosts.len() - 1).into()), "{told}");
    let mut command = tamis(["takedown", "apply", "--confirm-large"]);
    ends_with(command.arg(&plan).arg("--workspace").arg(week.house.at("w")).arg("--keys").arg(week.house.at("keys")), 0);
    assert_eq!(week.done(9)["tally"]["kept"], 0);
    assert!(in_folder > 1, "{in_folder}");
    in_folder as u64
}

/// One page is erased, and stays away.
fn takedown(week: &Week) {
    let plan = week.house.at("plan.json");
    let mut command =
        tamis(["takedown", "plan", "--url", "http://obec.example.sk/n2/2", "--reason", "gdpr-17", "--received", "2026-11-08", "--out"]);
    ends_with(command.arg(&plan).arg("--workspace").arg(week.house.at("w")).arg("--keys").arg(week.house.at("keys")), 0);
    let mut command = tamis(["takedown", "apply", "--confirm-large"]);
    ends_with(command.arg(&plan).arg("--workspace").arg(week.house.at("w")).arg("--keys").arg(week.house.at("keys")), 0);
    let eighth = week.done(8);
    assert_eq!(eighth["tally"]["kept"], 0, "{eighth}");
}

/// The reports count what SQL counts.
fn reports(week: &Week, erased: u64) {
    let mut command = tamis(["report", "ai-act", "--format", "json"]);
    let output = ends_with(command.arg(week.house.at("w/data/web")), 0);
    let page: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let value = |section: &str, name: &str| {
        let sections = page["sections"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|known| known["title"].as_str().is_some_and(|title| title.starts_with(section)));
        let fields = sections.flat_map(|section| section["fields"].as_array().into_iter().flatten()).collect::<Vec<_>>();
        let field = fields.into_iter().find(|field| field["name"].as_str().is_some_and(|known| known.starts_with(name)));
        field.map(|field| field["value"].as_str().unwrap_or("").to_owned()).unwrap_or_default()
    };
    assert_eq!(value("3.2", "Published documents erased"), erased.to_string());
    if cfg!(feature = "sql") {
        let counted = week.sql("select count(*) as documents, sum(octet_length(text)) as bytes from documents");
        let expected = format!("{} documents, {} bytes of text (UTF-8)", counted["documents"], counted["bytes"]);
        assert_eq!(value("1.3", "Size in other units").replace(['\u{a0}', '\u{202f}', ',', ' '], ""), expected.replace([' ', ','], ""));
        let reserved = week.sql("select count(distinct host) as hosts from documents");
        assert!(reserved["hosts"].as_u64() > Some(1));
    }
}
