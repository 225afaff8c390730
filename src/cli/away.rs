//! Workspaces whose home is a store of objects: an address in the place of a folder is worked in as a copy on this machine.
//!
//! Every argument that names a workspace, or something in one, is read by [`place`]. An address is turned into the path of its copy there and
//! remembered; the verb knows folders only. What it needs is fetched before it begins, what it changed is brought home when it ends.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::exit::Exit;
use crate::home::{Home, HomeError};
use crate::remote::is_remote;
use crate::store;

/// Folders of a workspace that paths lead into; before the last of them is the workspace.
const INSIDE: [&str; 5] = ["/data/", "/packed/", "/releases/", "/archive/", "/_tamis/"];
/// Published files, which nobody needs who makes new ones.
const PUBLISHED: [&str; 3] = ["data/", "packed/", "releases/"];

/// A workspace that is away, and its copy here.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Away {
    address: String,
    folder: PathBuf,
}

/// The one that the command line names.
static NAMED: Mutex<Option<Away>> = Mutex::new(None);
/// Its home, while the verb is at work.
static HOME: Mutex<Option<Home>> = Mutex::new(None);

/// Reads an argument that names a workspace, or something in one: a path, or an address such as `s3://bucket/corpus/data/web`.
///
/// # Errors
/// When two workspaces that are away are named.
pub(crate) fn place(text: &str) -> Result<PathBuf, String> {
    if !is_remote(text) {
        return Ok(PathBuf::from(text));
    }
    let (address, inside) = split(text);
    let away = Away { address: address.to_owned(), folder: folder_of(address) };
    let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
    if named.as_ref().is_some_and(|other| *other != away) {
        return Err("one command works with one workspace that is away; fetch the other with rclone or the store's own program".to_owned());
    }
    let workspace = away.folder.join("workspace");
    let path = if inside.is_empty() { workspace } else { workspace.join(inside) };
    *named = Some(away);
    Ok(path)
}

/// The address of the workspace, and the path in it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim_end_matches('/');
    let cut = INSIDE.iter().filter_map(|folder| text.rfind(folder)).max();
    cut.map_or((text, ""), |cut| (&text[..cut], &text[cut + 1..]))
}

/// Where the copy of the workspace at `address` lies: below `TAMIS_SCRATCH`, or the user's cache.
fn folder_of(address: &str) -> PathBuf {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    let scratch = folder("TAMIS_SCRATCH").or_else(|| Some(cache()?.join("tamis/homes"))).unwrap_or_else(std::env::temp_dir);
    scratch.join(&store::sha256_bytes(address.as_bytes())[..16])
}

/// Does `verb`, called `name`, in the workspace that was named, wherever it is. One that makes shards needs none that are there.
///
/// # Errors
/// What the verb says, or what keeps the workspace from being fetched or brought home.
pub(super) fn at_home(name: &str, makes_shards: bool, verb: impl FnOnce() -> anyhow::Result<Exit>) -> anyhow::Result<Exit> {
    let named = NAMED.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(away) = named else { return verb() };
    let mut home = Home::open(&away.address, &away.folder)?;
    anyhow::ensure!(
        makes_shards || name == "night" || !home.is_new(),
        "there is no workspace at `{}`; `tamis run RECIPE --workspace {}` makes one",
        away.address,
        away.address
    );
    let fetched = home.fetch(|path| !makes_shards || !is_published(path))?;
    if fetched > 0 {
        eprintln!("fetched {fetched} files of {} to {}", away.address, home.folder().display());
    }
    *HOME.lock().unwrap_or_else(PoisonError::into_inner) = Some(home);
    let exit = verb();
    let Some(mut home) = HOME.lock().unwrap_or_else(PoisonError::into_inner).take() else { unreachable!("nobody else takes it") };
    let exit = exit?;
    if let Some(brought) = home.bring(name)? {
        let versions = if brought.versions > 0 { format!(", {} earlier versions removed", brought.versions) } else { String::new() };
        let (changed, removed) = (brought.changed, brought.removed);
        eprintln!("brought to {}: {changed} files new or changed, {removed} removed{versions} (state {})", away.address, brought.number);
    }
    if name == "takedown" {
        see_to_versions(&mut home, &away.address)?;
    }
    Ok(exit)
}

fn is_published(path: &str) -> bool {
    PUBLISHED.iter().any(|folder| path.starts_with(folder))
}

/// In the middle of the verb `name`, which makes shards beside other machines: brings home what it finished, and takes over what they finished. Nothing
/// where the workspace is not away.
///
/// # Errors
/// When the store refuses, or another machine erased something meanwhile.
pub(super) fn exchange(name: &str) -> Result<(), HomeError> {
    let mut home = HOME.lock().unwrap_or_else(PoisonError::into_inner);
    home.as_mut().map_or(Ok(()), |home| home.exchange(name, |path| !is_published(path)))
}

/// After a takedown: removes what the bucket kept of what was erased, and tells of what this machine cannot reach.
fn see_to_versions(home: &mut Home, address: &str) -> anyhow::Result<()> {
    let unfinished = home.unfinished()?;
    if unfinished > 0 {
        eprintln!(
            "note: another machine sent {unfinished} files to {address} and has not published them; look again when it has ended, or in a day"
        );
    }
    match home.forget_versions()? {
        Some(0) => {}
        Some(more) => eprintln!("{more} earlier versions removed that the bucket had kept"),
        None => {
            eprintln!(
                "note: the store of {address} does not tell whether it keeps earlier versions of objects; if it does, remove them there"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_from_the_last_folder_of_a_workspace_on() {
        for (text, address, inside) in [
            ("s3://b/corpus", "s3://b/corpus", ""),
            ("s3://b/corpus/", "s3://b/corpus", ""),
            ("s3://b/data/corpus/data/web", "s3://b/data/corpus", "data/web"),
            ("gs://b/w/_tamis/plans/1f.json", "gs://b/w", "_tamis/plans/1f.json"),
            ("s3://b/packed/one", "s3://b", "packed/one"),
        ] {
            assert_eq!(split(text), (address, inside));
        }
    }

    #[test]
    fn a_path_on_this_machine_stays_what_it_is() {
        assert_eq!(place("w/data/web"), Ok(PathBuf::from("w/data/web")));
    }
}
