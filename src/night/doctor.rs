//! Whether a night could begin now, and what stands in its way. Each check is a sentence with its remedy; nothing is changed but a file that is
//! written and removed again to see whether one can.

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::record::{Record, State};
use super::settings::{NightSettings, Tell};
use crate::ledger::manifest::Manifests;
use crate::size::ByteSize;
use crate::store;
use crate::workspace::Workspace;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// All is well.
    Well,
    /// A night could begin, but somebody should look.
    Look,
    /// A night could not begin, or would fail.
    Bad,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at, in a word.
    pub what: &'static str,
    /// How it is.
    pub health: Health,
    /// What was found, and the way out.
    pub says: String,
}

impl Check {
    /// A check that found all well.
    pub fn well(what: &'static str, says: impl Into<String>) -> Check {
        Check { what, health: Health::Well, says: says.into() }
    }

    /// A check that found something to look at.
    pub fn look(what: &'static str, says: impl Into<String>) -> Check {
        Check { what, health: Health::Look, says: says.into() }
    }

    /// A check that found what stops a night.
    pub fn bad(what: &'static str, says: impl Into<String>) -> Check {
        Check { what, health: Health::Bad, says: says.into() }
    }
}

/// Room on the disk of `folder`.
#[must_use]
pub fn disk(folder: &Path, settings: &NightSettings) -> Check {
    match store::free_bytes(folder) {
        Err(error) => Check::bad("disk", error.to_string()),
        Ok(free) if free < settings.disk.begin_bytes_min.0 => {
            let wanted = settings.disk.begin_bytes_min;
            Check::bad("disk", format!("{} free, a night wants {wanted}; make room, or lower disk.begin_bytes_min", ByteSize(free)))
        }
        Ok(free) => Check::well("disk", format!("{} free", ByteSize(free))),
    }
}

/// The clock, held against what was written before: time that stands still or goes back makes nights overwrite each other's names.
#[must_use]
pub fn clock<'a>(now: Timestamp, records: impl Iterator<Item = &'a Record>) -> Check {
    let newest = records.flat_map(|record| [&record.began, &record.ended]).filter_map(|moment| moment.parse::<Timestamp>().ok()).max();
    match newest {
        Some(newest) if newest > now => Check::bad(
            "clock",
            format!(
                "it says {now}, but a night was recorded at {newest}; set the clock right (timedatectl), or wait until it is past that"
            ),
        ),
        _ => Check::well("clock", format!("{now}")),
    }
}

/// Whether this user can write where a night writes, and whether files can be moved into place there.
#[must_use]
pub fn permissions(workspace: &Workspace) -> Check {
    use std::os::unix::fs::MetadataExt;
    let folders =
        [workspace.all_data(), workspace.manifest(), workspace.ledger(), workspace.logs(), workspace.frontier(), workspace.all_rejects()];
    let mut devices = Vec::new();
    for folder in folders {
        let probe = folder.join(format!(".doctor-{}", std::process::id()));
        let tried = std::fs::write(&probe, b"").and_then(|()| std::fs::metadata(&probe)).and_then(|about| {
            devices.push(about.dev());
            std::fs::remove_file(&probe)
        });
        if let Err(error) = tried {
            return Check::bad(
                "permissions",
                format!("cannot write in `{}` ({error}); give it to the user that runs the night", folder.display()),
            );
        }
    }
    if devices.windows(2).any(|pair| pair[0] != pair[1]) {
        return Check::bad(
            "permissions",
            "data/ and _tamis/ lie on different disks, so shards cannot be moved into place in one step; put them on one",
        );
    }
    Check::well("permissions", "all folders can be written to, on one disk")
}

/// Whether all that manifests name is there and has its size. `tamis verify` looks at every bit.
#[must_use]
pub fn files(workspace: &Workspace) -> Vec<Check> {
    let manifests = match Manifests::read(workspace) {
        Ok(manifests) => manifests,
        Err(error) => return vec![Check::bad("manifests", error.to_string())],
    };
    let open = manifests.unapplied();
    let first = match open.is_empty() {
        true => Check::well("manifests", format!("{}, all published", manifests.last_number())),
        false => Check::look("manifests", format!("number {} was written and not wholly published; the next run finishes it", open[0])),
    };
    let is_wrong = |path: &str, bytes: u64| std::fs::metadata(workspace.root().join(path)).map_or(true, |about| about.len() != bytes);
    let count = |what: &'static str, wrong: Vec<&str>, all: usize| match wrong.first() {
        _ if !open.is_empty() => Check::look(what, "cannot be told before the last manifest is published"),
        None => Check::well(what, format!("{all} files are there, with their sizes")),
        Some(path) => Check::bad(
            what,
            format!(
                "`{path}` and {} others are missing or have another size; restore them from a backup, and run `tamis verify`",
                wrong.len() - 1
            ),
        ),
    };
    let shards = manifests.all_current();
    let wrong = shards.iter().filter(|(path, file)| is_wrong(path, file.bytes)).map(|(path, _)| *path).collect();
    let shards = count("shards", wrong, shards.len());
    let index: Vec<_> = manifests.datasets().into_iter().flat_map(|dataset| manifests.index_of(dataset)).collect();
    let wrong = index.iter().filter(|file| is_wrong(&file.path, file.bytes)).map(|file| file.path.as_str()).collect();
    let index = count("index", wrong, index.len());
    vec![first, shards, index]
}

/// The nights before: whether the last one is done.
#[must_use]
pub fn nights<'a>(newest: impl Iterator<Item = &'a Record>) -> Vec<Check> {
    let told = |record: &Record| {
        let says = format!("the last night of `{}`, {}, is {}", record.dataset, record.date, record.state.word());
        match record.state {
            State::Done => Check::well("nights", says),
            State::Running => Check::look("nights", format!("{says}: it goes on, or was killed; the next one finishes it")),
            State::Unfinished | State::Failed => Check::look("nights", format!("{says} ({}); the next one goes on", record.why)),
        }
    };
    newest.map(told).collect()
}

/// The key of the suppression list: there where it is needed, outside the workspace, and for no other eyes.
#[must_use]
pub fn key(path: &Path, root: &Path, needed: bool) -> Check {
    use std::os::unix::fs::PermissionsExt;
    let is_inside = std::path::absolute(path).and_then(|path| Ok(path.starts_with(std::path::absolute(root)?))).unwrap_or(false);
    if is_inside {
        return Check::bad("keys", format!("`{}` lies in the workspace that it protects; keep keys elsewhere (--keys)", path.display()));
    }
    match std::fs::metadata(path) {
        Ok(about) if about.permissions().mode() & 0o077 != 0 => {
            Check::bad("keys", format!("`{}` can be read by others; chmod 600 it", path.display()))
        }
        Ok(_) => Check::well("keys", format!("`{}` is there, for its owner alone", path.display())),
        Err(_) if needed => Check::bad(
            "keys",
            format!(
                "`{}` is not there, and without it nobody knows what must stay out; restore it, or name its folder with --keys",
                path.display()
            ),
        ),
        Err(_) => Check::well("keys", "none is needed before the first takedown"),
    }
}

/// The version, held against those that wrote the workspace.
#[must_use]
pub fn version<'a>(own: &str, writers: impl Iterator<Item = &'a str>) -> Check {
    let parts = |version: &str| version.split('.').map(|part| part.parse::<u64>().unwrap_or(0)).collect::<Vec<_>>();
    match writers.max_by_key(|version| parts(version)).filter(|newest| parts(newest) > parts(own)) {
        Some(newest) => Check::bad("version", format!("this is {own}, but {newest} wrote here; install that or a newer one")),
        None => Check::well("version", own),
    }
}

/// Whether those who are to be told can be. Nobody is asked.
#[must_use]
pub fn tell(settings: &Tell) -> Vec<Check> {
    let mut all = Vec::new();
    if settings.mail_to.is_empty() && settings.webhook.is_empty() {
        all.push(Check::look("tell", "nobody hears how a night went; set tell.mail_to or tell.webhook"));
    }
    let program = settings.mail_command.first().map_or("/usr/sbin/sendmail", String::as_str);
    if !settings.mail_to.is_empty() && program.contains('/') && !Path::new(program).exists() {
        all.push(Check::look("tell", format!("there is no `{program}` to send mail with; set tell.mail_command")));
    }
    let metrics = Path::new(&settings.metrics_file);
    if metrics.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        all.push(Check::look("tell", format!("there is no folder for `{}`; make it, or change tell.metrics_file", metrics.display())));
    }
    if all.is_empty() {
        all.push(Check::well("tell", "ways are set"));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    #[test]
    fn a_clock_that_was_set_back_and_an_older_version_are_seen() {
        let record = Record { ended: "2026-11-26T03:00:00Z".to_owned(), ..Record::default() };
        assert_eq!(clock(moment("2026-11-26T22:00:00Z"), [&record].into_iter()).health, Health::Well);
        let check = clock(moment("2026-11-20T22:00:00Z"), [&record].into_iter());
        assert!(check.health == Health::Bad && check.says.contains("2026-11-26"), "{check:?}");
        for (own, health) in [("0.9.0", Health::Bad), ("0.10.0", Health::Well), ("1.0.0", Health::Well)] {
            assert_eq!(version(own, ["0.2.0", "0.10.0"].into_iter()).health, health, "{own}");
        }
    }

    #[test]
    fn keys_are_for_one_owner_and_lie_elsewhere() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("suppression.key");
        assert_eq!(key(&path, Path::new("/w"), false).health, Health::Well);
        assert_eq!(key(&path, Path::new("/w"), true).health, Health::Bad);
        std::fs::write(&path, "k").expect("room");
        for (mode, health) in [(0o644, Health::Bad), (0o600, Health::Well)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("ours");
            assert_eq!(key(&path, Path::new("/w"), true).health, health, "{mode:o}");
        }
        assert_eq!(key(&path, folder.path(), true).health, Health::Bad);
    }

    #[test]
    fn a_full_disk_and_a_closed_door_stop_a_night() {
        let folder = tempfile::tempdir().expect("a folder");
        let workspace = Workspace::open(folder.path()).expect("room");
        let mut settings = NightSettings::default();
        settings.disk.begin_bytes_min = ByteSize(u64::MAX);
        assert_eq!(disk(folder.path(), &settings).health, Health::Bad);
        assert_eq!(permissions(&workspace).health, Health::Well);
        assert!(files(&workspace).iter().all(|check| check.health == Health::Well));
        std::fs::remove_dir_all(workspace.logs()).expect("ours");
        let check = permissions(&workspace);
        assert!(check.health == Health::Bad && check.says.contains("logs"), "{check:?}");
    }
}
