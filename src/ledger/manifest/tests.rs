//! Commits that are killed between any two steps, repeated, raced, and read back.

use super::*;

struct Place {
    _folder: tempfile::TempDir,
    workspace: Workspace,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let workspace = Workspace::open(&folder.path().join("w")).expect("a free place");
    Place { _folder: folder, workspace }
}

impl Place {
    fn staged(&self, transaction: &str, lang: &str, text: &str) -> StagedFile {
        let folder = self.workspace.staging(transaction);
        store::create_folder(&folder).expect("room");
        let staged = folder.join(format!("{lang}-{text}.parquet"));
        std::fs::write(&staged, text).expect("room");
        let sha256 = store::sha256_file(&staged).expect("it is there");
        StagedFile { staged, lang: lang.to_owned(), sha256, rows: 1, bytes: text.len() as u64, tokens: 2 }
    }

    fn commit(&self, transaction: &str, files: &[(&str, &str)]) -> NewCommit {
        let files = files.iter().map(|(lang, text)| self.staged(transaction, lang, text)).collect();
        let dataset = "web".to_owned();
        let [plan, recipe_hash, tokenizer, ledger] = ["p", "r", "t", "l.json"].map(str::to_owned);
        NewCommit {
            transaction: transaction.to_owned(),
            dataset,
            plan,
            recipe_hash,
            tokenizer,
            takedown_sequence: 3,
            ledger: Some(ledger),
            files,
            replacements: Vec::new(),
            index: Vec::new(),
            retired: Vec::new(),
        }
    }

    fn manifests(&self) -> Manifests {
        Manifests::open(&self.workspace).expect("it is whole")
    }

    fn published(&self) -> Vec<(String, String)> {
        let manifests = self.manifests();
        let text = |path: &str| std::fs::read_to_string(self.workspace.root().join(path)).expect("it is published");
        manifests.current("web").keys().map(|path| ((*path).to_owned(), text(path))).collect()
    }
}

const FILES: [(&str, &str); 3] = [("bg", "едно"), ("bg", "две"), ("sr-Latn", "tri")];

fn all_of_it() -> Vec<(String, String)> {
    let parts = [("bg/part-00000", "едно"), ("bg/part-00001", "две"), ("sr-Latn/part-00000", "tri")];
    parts.map(|(part, text)| (format!("data/web/lang={part}.parquet"), text.to_owned())).to_vec()
}

#[test]
fn a_commit_publishes_all_files_and_parts_are_numbered_on() {
    let place = place();
    assert_eq!(place.manifests().commit(place.commit("one", &FILES)).expect("room"), 1);
    assert_eq!(place.published(), all_of_it());
    assert_eq!(place.manifests().commit(place.commit("two", &[("bg", "три")])).expect("room"), 2);
    assert_eq!(place.published()[2], ("data/web/lang=bg/part-00002.parquet".to_owned(), "три".to_owned()));
    assert_eq!(place.manifests().of_dataset("web").len(), 2);
    assert!(place.manifests().of_dataset("other").is_empty());
}

#[test]
fn the_same_transaction_again_is_the_first_one() {
    let place = place();
    place.manifests().commit(place.commit("one", &FILES)).expect("room");
    place.manifests().commit(place.commit("two", &[("bg", "три")])).expect("room");
    assert_eq!(place.manifests().commit(place.commit("one", &FILES)).expect("nothing to do"), 1);
    assert_eq!(place.published().len(), 4);
    let other = place.manifests().commit(place.commit("one", &[("bg", "друго")])).expect_err("other files");
    assert!(other.to_string().starts_with("NONDETERMINISM: transaction one was committed as manifest 1"), "{other}");
}

#[test]
fn a_commit_killed_between_any_two_steps_is_finished_by_the_next_to_open() {
    for published_before_death in 0..=FILES.len() {
        let place = place();
        let mut manifests = place.manifests();
        let number = manifests.write(&place.commit("one", &FILES)).expect("room");
        let manifest = manifests.all[0].clone();
        let partly = Manifest { files: manifest.files[..published_before_death].to_vec(), ..manifest };
        manifests.publish(&partly).expect("room");
        assert_eq!(Manifests::read(&place.workspace).expect("it is whole").unapplied(), [number]);

        assert_eq!(place.published(), all_of_it(), "killed after {published_before_death} files");
        assert!(Manifests::read(&place.workspace).expect("it is whole").unapplied().is_empty());
        assert_eq!(place.manifests().commit(place.commit("one", &FILES)).expect("nothing to do"), 1);
    }
}

#[test]
fn a_commit_killed_before_its_manifest_changes_nothing() {
    let place = place();
    place.commit("one", &FILES);
    std::fs::write(place.workspace.manifest().join(".00000001.json.17-0.tmp"), "{half").expect("room");
    assert!(place.published().is_empty());
    assert_eq!(place.manifests().commit(place.commit("one", &FILES)).expect("room"), 1);
}

#[test]
fn who_loses_the_race_for_a_number_takes_the_next_one() {
    let place = place();
    let mut slow = place.manifests();
    place.manifests().commit(place.commit("quick", &[("bg", "бърз")])).expect("room");
    assert_eq!(slow.commit(place.commit("slow", &[("bg", "бавен")])).expect("room"), 2);
    let texts: Vec<_> = place.published().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["бърз", "бавен"]);
}

#[test]
fn many_commits_at_once_all_get_numbers_and_parts_of_their_own() {
    let place = place();
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d", "e", "f"] {
            let place = &place;
            scope.spawn(move || place.manifests().commit(place.commit(name, &[("bg", name)])).expect("room"));
        }
    });
    let mut texts: Vec<_> = place.published().into_iter().map(|(_, text)| text).collect();
    texts.sort();
    assert_eq!(texts, ["a", "b", "c", "d", "e", "f"]);
}

#[test]
fn a_staged_file_that_changed_while_it_waited_is_not_published() {
    let place = place();
    let commit = place.commit("one", &FILES);
    std::fs::write(&commit.files[1].staged, "двЕ").expect("room");
    let error = place.manifests().commit(commit).expect_err("it is not what was hashed");
    assert!(error.to_string().contains("bg-две.parquet` changed on disk while it waited"), "{error}");
    assert!(place.published().is_empty());
}

#[test]
fn a_published_file_that_vanished_before_it_was_safe_is_named() {
    let place = place();
    let mut manifests = place.manifests();
    manifests.write(&place.commit("one", &FILES)).expect("room");
    store::remove_folder(&place.workspace.staging("one")).expect("it is ours");
    let error = Manifests::open(&place.workspace).expect_err("the files are gone").to_string();
    assert!(error.starts_with("manifest 1 names `data/web/lang=bg/part-00000.parquet`, which is neither"), "{error}");
}

#[test]
fn a_damaged_or_missing_manifest_is_named() {
    let place = place();
    place.manifests().commit(place.commit("one", &FILES)).expect("room");
    place.manifests().commit(place.commit("two", &[("bg", "три")])).expect("room");
    let first = place.workspace.manifest().join("00000001.json");
    std::fs::write(&first, "{").expect("room");
    assert!(matches!(Manifests::read(&place.workspace), Err(ManifestError::Damaged { .. })));
    std::fs::remove_file(&first).expect("it is there");
    assert!(matches!(Manifests::read(&place.workspace), Err(ManifestError::Gap { number: 1, .. })));
}

#[test]
fn a_language_that_leads_out_of_the_folder_is_refused() {
    let place = place();
    let mut commit = place.commit("one", &[("bg", "едно")]);
    commit.files[0].lang = "../bg".to_owned();
    assert!(matches!(place.manifests().commit(commit), Err(ManifestError::Name { what: "language", .. })));
}
