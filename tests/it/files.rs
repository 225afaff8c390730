//! What is generated stays current: the recipe's JSON Schema, the sample archives, the recipes themselves.

use std::io::BufRead;

use crate::{ends_with, example, files_below, root, said, tamis};

#[test]
fn the_schema_of_recipes_is_current() {
    let path = root().join("schemas/recipe.v1.json");
    let printed = said(&ends_with(&mut tamis(["stages", "--schema"]), 0).stdout);
    if std::env::var_os("TAMIS_WRITE_SCHEMAS").is_some() {
        std::fs::write(&path, &printed).expect("a file");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == printed, "schemas/recipe.v1.json is old; write it with: cargo run -- stages --schema > schemas/recipe.v1.json");
}

#[test]
fn every_recipe_in_pipelines_holds_its_examples_and_runs_as_it_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut recipes = files_below(&root().join("pipelines"));
    // Engine profiles are no recipes.
    recipes.retain(|recipe| !recipe.starts_with("engines"));
    assert!(recipes.len() >= 4, "{recipes:?}");
    for recipe in recipes {
        let path = root().join("pipelines").join(&recipe);
        ends_with(&mut tamis(["check".as_ref(), path.as_os_str()]), 0);
        let text = std::fs::read_to_string(&path).expect("a recipe");
        assert!(text.contains("[[example]]"), "{}: no example", recipe.display());
        let mut run = tamis(["run".as_ref(), path.as_os_str(), "--json".as_ref(), "--workspace".as_ref()]);
        run.arg(folder.path());
        // A crawl or harvest finds the sample sites where they are served, and does not let the test wait.
        let served = ["crawl", "oai-pmh"].iter().any(|kind| text.contains(&format!("kind = \"{kind}\""))).then(Served::start);
        if let Some(served) = &served {
            run.arg("--set").arg(format!("source.hosts={{ \"*.example\" = \"{}\" }}", served.address));
            run.args(
                ["contact=\"mailto:test@example.org\"", "delay_ms_min=0", "delay_factor=0", "faults_max=1"]
                    .iter()
                    .flat_map(|set| ["--set".to_owned(), format!("source.{set}")]),
            );
        }
        let told = ends_with(&mut run, 0);
        let summary: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
        assert!(summary["kept"].as_u64() > Some(0), "{}: {summary}", recipe.display());
    }
}

/// The sample sites on loopback, until the value is dropped.
struct Served {
    server: std::process::Child,
    address: String,
}

impl Served {
    fn start() -> Served {
        let mut command = example("serve_samples", &["0"]);
        let mut server = command.stdout(std::process::Stdio::piped()).spawn().expect("cargo starts");
        let mut line = String::new();
        std::io::BufReader::new(server.stdout.take().expect("a pipe")).read_line(&mut line).expect("it says where it is");
        let address = line.trim().rsplit(' ').next().expect("an address").to_owned();
        Served { server, address }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn the_sample_archives_are_what_their_sources_make() {
    let done = example("pack_samples", &["--check"]).output().expect("cargo starts");
    assert!(done.status.success(), "{}\n{}", said(&done.stdout), said(&done.stderr));
}
