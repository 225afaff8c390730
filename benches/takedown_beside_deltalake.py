#!/usr/bin/env python3
"""Erasing documents from a data set: tamis beside Delta Lake (deltalake, delta-rs), the same rows, one after the other.

    cargo build --release
    PEERS/bin/python benches/takedown_beside_deltalake.py WORKSPACE [--documents 1] [--tamis target/release/tamis]

PEERS is a virtual environment with deltalake, pyarrow and duckdb. WORKSPACE is copied with hard links where nothing is changed in place, else
as files, into a folder that is removed in the end. Documents are taken evenly from all shards. Delta Lake: delete by URL, then vacuum with
no retention, then its folder is searched for the URLs, byte by byte and in unpacked columns, as ours is.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("workspace", type=Path)
parser.add_argument("--documents", type=int, default=1)
parser.add_argument("--tamis", default="target/release/tamis")
parser.add_argument("--without-deltalake", action="store_true")
args = parser.parse_args()


def cpu():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def timed(name, work):
    os.sync()
    begun, used = time.perf_counter(), cpu()
    answer = work()
    print(f"| {name} | {time.perf_counter() - begun:.2f} | {cpu() - used:.2f} |", flush=True)
    return answer


def size(folder, ending=""):
    return sum(path.stat().st_size for path in folder.rglob("*" + ending) if path.is_file())


def holds(folder, urls):
    """Files below `folder` in which one of a few URLs stands: in their bytes, or in a column."""
    found = set()
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        raw = path.read_bytes()
        if any(url.encode() in raw for url in urls):
            found.add(path.name)
        if path.suffix == ".parquet":
            for group in range(pq.ParquetFile(path).num_row_groups):
                column = pq.ParquetFile(path).read_row_group(group, columns=["url"])["url"]
                if not urls.isdisjoint(column.to_pylist()):
                    found.add(path.name)
    return sorted(found)


with tempfile.TemporaryDirectory(dir=args.workspace.parent) as folder:
    folder = Path(folder)
    ours, delta = folder / "w", folder / "delta"
    shutil.copytree(args.workspace, ours)
    shards = sorted((ours / "data").rglob("*.parquet"))
    rows = [pq.ParquetFile(path).metadata.num_rows for path in shards]
    every = max(1, sum(rows) // args.documents)
    urls = duckdb.sql(
        f"select url from (select url, row_number() over () as n from read_parquet('{ours}/data/**/*.parquet')) where n % {every} = {every // 2}"
    ).fetchall()
    urls = {url for (url,) in urls[: args.documents]}
    print(f"{sum(rows)} documents, {len(shards)} shards of {size(ours / 'data') / 1e6:.0f} MB in all, {len(urls)} to erase\n")
    print("| what | wall s | CPU s |\n|---|---|---|")
    asked = [word for url in sorted(urls) for word in ("--url", url)]
    plan = [args.tamis, "takedown", "plan", "--workspace", ours, "--reason", "bench", "--received", "2026-11-20", "--out", folder / "p.json"]
    run = lambda words: subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)
    run(plan + asked)  # the copy's inodes are new, so its lists of where documents lie are made once
    timed("tamis plan", lambda: run(plan + asked))
    told = timed("tamis apply", lambda: run([args.tamis, "takedown", "apply", folder / "p.json", "--workspace", ours, "--keys", folder / "keys", "--confirm-large", "--json"]))
    receipt = json.loads(told.stdout)
    touched = receipt["stores"]["published shards"]
    print(f"\n{touched['erased']} erased from {touched['files']} shards of {touched['bytes'] / 1e6:.0f} MB; encoded anew: {receipt.get('bytes_encoded', 0) / 1e6:.1f} MB")
    few = set(sorted(urls)[:3])
    print(f"still there afterwards: {holds(ours, few)}\n")
    if not args.without_deltalake:
        print("| what | wall s | CPU s |\n|---|---|---|")
        for number, path in enumerate(sorted(args.workspace.joinpath("data").rglob("*.parquet"))):
            write_deltalake(delta, pq.read_table(path, partitioning=None), mode="append")
        listed = ", ".join(f"'{url}'" for url in sorted(urls))
        timed("deltalake delete", lambda: DeltaTable(delta).delete(f"url in ({listed})"))
        timed("deltalake vacuum", lambda: DeltaTable(delta).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False))
        print(f"\nstill there afterwards: {holds(delta, few)}")
