#!/usr/bin/env python3
"""Readers that glob a data set while takedowns replace its shards: DuckDB, Polars, pyarrow and `datasets`, each in a loop of its own.

    cargo build --release
    READERS/bin/python benches/readers_during_takedowns.py WORKSPACE [--replacements 2000] [--tamis target/release/tamis]

WORKSPACE is copied. Each takedown erases one document from every shard that has more than one, and each shard is replaced in its place. A
reader's count is right if it lies between the rows at its end and the rows at its beginning, and no document is counted twice. A reader
whose process dies or hangs has one error more, and what it had counted until then stands in the table.
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
parser.add_argument("--readers", default="duckdb,polars,pyarrow,datasets")


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


def loop(reader, folder, left, stop, tally):
    import os

    os.environ["HF_HUB_OFFLINE"] = "1"
    import datasets

    datasets.disable_progress_bars()
    while not stop.is_set():
        before = left.value
        try:
            ids = list(ids_with(reader, folder))
        except BaseException as error:  # whatever a reader says is what is counted, a panic too
            tally.add("errors", f"{type(error).__name__}: {error}")
            continue
        tally.add("reads")
        # A takedown under way may have replaced shards already that are taken off `left` when it ends, so one more of them is allowed for.
        if len(ids) != len(set(ids)) or not left.value - stop.most <= len(ids) <= before:
            tally.add("wrong", f"{len(ids)} rows, {len(set(ids))} of them different, between {left.value} and {before}")


class Tally:
    """What a reader counted, where it outlives its process."""

    def __init__(self):
        self.counts = {name: multiprocessing.Value("q", 0) for name in ("reads", "wrong", "errors")}
        self.first = multiprocessing.Array("c", 400)

    def add(self, name, why=""):
        self.counts[name].value += 1
        if why and not self.first.value:
            self.first.value = why.replace("\n", " ").encode()[:399]

    def row(self, reader):
        counts = " | ".join(str(count.value) for count in self.counts.values())
        return f"| {reader} | {counts} | {self.first.value.decode(errors='replace')} |"


def end(process, tally):
    """Waits for a reader; one that died, or does not end, is an error."""
    process.join(60)
    if process.is_alive():
        process.kill()
        process.join()
        tally.add("errors", "hangs")
    elif process.exitcode:
        tally.add("errors", f"its process ended with {process.exitcode}")


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
        stop = Stop(multiprocessing.Event(), len(ids))
        tallies = {reader: Tally() for reader in args.readers.split(",")}
        loops = {reader: multiprocessing.Process(target=loop, args=(reader, data, left, stop, tally)) for reader, tally in tallies.items()}
        [process.start() for process in loops.values()]
        time.sleep(5)
        replaced, takedowns, begun = 0, 0, time.perf_counter()
        run = lambda *words: subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout
        try:
            while replaced < args.replacements and any(len(of_shard) > 1 for of_shard in ids.values()):
                asked = [word for of_shard in ids.values() if len(of_shard) > 1 for word in ("--id", of_shard.pop())]
                run(args.tamis, "takedown", "plan", "-w", folder / "w", "--reason", "bench", "--received", "2026-11-20", "--out", folder / "p", *asked)
                receipt = json.loads(run(args.tamis, "takedown", "apply", folder / "p", "-w", folder / "w", "--keys", folder / "k", "--confirm-large", "--json"))
                shards = receipt["stores"]["published shards"]
                left.value -= shards["erased"]
                replaced, takedowns = replaced + shards["files"], takedowns + 1
        finally:
            seconds = time.perf_counter() - begun
            time.sleep(3)
            stop.set()
            [end(process, tallies[reader]) for reader, process in loops.items()]
            print(f"{replaced} shards replaced by {takedowns} takedowns in {seconds:.0f} s\n\n| reader | reads | wrong | errors | the first of them |\n|---|---|---|---|---|")
            print("\n".join(tally.row(reader) for reader, tally in tallies.items()))


if __name__ == "__main__":
    # A forked child would wait for threads of the parent's DuckDB for ever.
    multiprocessing.set_start_method("spawn")
    main()
