//! Readers that are not ours see what we published.

use serde_json::Value;

use crate::run::{QUICKSTART, summary};
use crate::{ends_with, root, said, tamis};

#[test]
fn duckdb_polars_pyarrow_and_datasets_count_the_same_through_a_plain_glob() {
    let Some(python) = std::env::var_os("TAMIS_READERS_PYTHON") else {
        eprintln!("SKIPPED: TAMIS_READERS_PYTHON names no Python with the readers; tests/run sets it up");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    ends_with(tamis(["run", QUICKSTART, "--workspace"]).arg(folder.path()), 0);
    let data = folder.path().join("data/quickstart");
    let mut reading = std::process::Command::new(python);
    let output = ends_with(reading.arg(root().join("tests/readers/count.py")).arg(&data), 0);
    let told: Value = serde_json::from_slice(said(&output.stdout).lines().last().expect("a line").as_bytes()).expect("JSON");
    let ours = summary(folder.path(), "quickstart");
    for reader in ["duckdb", "polars", "pyarrow", "datasets"] {
        assert_eq!(told[reader], told["duckdb"], "{reader} and duckdb differ");
        let rows = told[reader].as_array().expect("rows");
        assert_eq!(rows.len(), ours["languages"].as_object().expect("counts").len(), "{reader}");
        let documents: u64 = rows.iter().filter_map(|row| row[1].as_u64()).sum();
        let tokens: u64 = rows.iter().filter_map(|row| row[2].as_u64()).sum();
        let ids: u64 = rows.iter().filter_map(|row| row[3].as_u64()).sum();
        assert_eq!(Some(documents), ours["kept"].as_u64(), "{reader}");
        assert_eq!(Some(tokens), ours["tokens"].as_u64(), "{reader}");
        assert_eq!(ids, tokens, "{reader}");
    }
}
