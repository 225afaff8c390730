#!/usr/bin/env python3
"""Readers that glob a data set while takedowns replace its shards: DuckDB, Polars, pyarrow and `datasets`, each in a loop of its own.

    cargo build --release
    READERS/bin/python benches/readers_during_takedowns.py WORKSPACE [--replacements 2000] [--tamis target/release/tamis]

WORKSPACE is copied. Each takedown erases one document from every shard that has more than one, and each shard is replaced in its place. A
reader's count is right if it lies between the rows at its end and the rows at its beginning, and no document is counted twice.
"""

import argparse
import json
import multiprocessing
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("workspace", type=Path)
parser.add_argument("--replacements", type=int, default=2000)
parser.add_argument("--tamis", default="target/release/tamis")


def ids_with(reader, folder):
    glob = f"{folder}/**/*.parquet"
    if reader == "duckdb":
        import duckdb

        return [row[0] for row in duckdb.sql(f"select id from read_parquet('{glob}')").fetchall()]
    if reader == "polars":
        import polars

        return polars.scan_parquet(glob).select("id").collect()["id"].to_list()
    if reader == "pyarrow":
        import pyarrow.dataset

        return pyarrow.dataset.dataset(folder, format="parquet").to_table(columns=["id"])["id"].to_pylist()
    import datasets

    with tempfile.TemporaryDirectory() as cache:
        return datasets.load_dataset("parquet", data_files=glob, split="train", cache_dir=cache, columns=["id"])["id"]


def loop(reader, folder, left, stop, results):
    import os

    os.environ["HF_HUB_OFFLINE"] = "1"
    import datasets

    datasets.disable_progress_bars()
    reads, wrong, errors, first = 0, 0, 0, ""
    while not stop.is_set():
        before = left.value
        try:
            ids = list(ids_with(reader, folder))
        except BaseException as error:  # whatever a reader says, panics included, is what is counted
            errors, first = errors + 1, first or f"{type(error).__name__}: {error}"[:200]
            continue
        reads += 1
        # A takedown under way may have replaced shards already that are taken off `left` when it ends, so one more of them is allowed for.
        if len(ids) != len(set(ids)) or not left.value - stop.most <= len(ids) <= before:
            wrong, first = wrong + 1, first or f"{len(ids)} rows, between {left.value} and {before}"
    results.put((reader, reads, wrong, errors, first))


class Stop:
    def __init__(self, event, most):
        self.is_set, self.set, self.most = event.is_set, event.set, most


def main():
    args = parser.parse_args()
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        shutil.copytree(args.workspace, folder / "w")
        data = folder / "w" / "data"
        ids = {}
        for path, id in duckdb.sql(f"select filename, id from read_parquet('{data}/**/*.parquet', filename = true)").fetchall():
            ids.setdefault(path, []).append(id)
        left = multiprocessing.Value("q", sum(map(len, ids.values())))
        stop, results = Stop(multiprocessing.Event(), len(ids)), multiprocessing.Queue()
        readers = ["duckdb", "polars", "pyarrow", "datasets"]
        loops = [multiprocessing.Process(target=loop, args=(reader, data, left, stop, results)) for reader in readers]
        [process.start() for process in loops]
        time.sleep(5)
        replaced, takedowns, begun = 0, 0, time.perf_counter()
        run = lambda *words: subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout
        while replaced < args.replacements and any(len(of_shard) > 1 for of_shard in ids.values()):
            asked = [word for of_shard in ids.values() if len(of_shard) > 1 for word in ("--id", of_shard.pop())]
            run(args.tamis, "takedown", "plan", "-w", folder / "w", "--reason", "bench", "--received", "2026-11-20", "--out", folder / "p", *asked)
            receipt = json.loads(run(args.tamis, "takedown", "apply", folder / "p", "-w", folder / "w", "--keys", folder / "k", "--confirm-large", "--json"))
            shards = receipt["stores"]["published shards"]
            left.value -= shards["erased"]
            replaced, takedowns = replaced + shards["files"], takedowns + 1
        seconds = time.perf_counter() - begun
        time.sleep(3)
        stop.set()
        print(f"{replaced} shards replaced by {takedowns} takedowns in {seconds:.0f} s\n\n| reader | reads | wrong | errors |\n|---|---|---|---|")
        for reader, reads, wrong, errors, first in sorted(results.get() for _ in loops):
            print(f"| {reader} | {reads} | {wrong} | {errors} | {first}")
        [process.join() for process in loops]


if __name__ == "__main__":
    main()
