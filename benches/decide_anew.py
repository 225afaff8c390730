#!/usr/bin/env python3
"""What `tamis decide` takes of a full run, by turns, on one thread; and whether it writes the same shards.

    python3 benches/decide_anew.py ../shared/data/corpus/corpus-20m.warc.gz --tamis target/release/tamis [--rounds 3] [--limits SETTING=VALUE ..]

Each round runs pipelines/common-crawl.toml on the archive, then decides with each changed limit, in a folder of its own. Median CPU seconds
of the process, wall time, and their share of the run. With --check the recipe is run in full with each changed limit too, and the shards are compared.
"""
import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECIPE = "pipelines/common-crawl.toml"
LIMITS = ["clean.gopher-quality.languages.fi.words_min=60", "clean.gopher-quality.words_min=60", "clean.gopher-quality.words_min=40"]


def run(args, verb, workspace, sets, *more):
    os.sync()
    words = [verb, RECIPE, "--workspace", workspace, "--quiet", "--threads", "1", *more]
    for setting in [f"input={args.archive.resolve()}", *sets]:
        words += ["--set", setting]
    begun = time.monotonic()
    process = subprocess.Popen([args.tamis.resolve(), *map(str, words)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit(f"{words}: {said.decode()}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - begun


def shards(workspace, dataset):
    folder = workspace / "data" / dataset
    return {path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.parquet")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--tamis", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limits", nargs="+", default=LIMITS)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        full, decided = [], {limit: [] for limit in args.limits}
        for number in range(args.rounds):
            # What is deleted just before makes files dearer to make, so all folders stay until the end.
            workspace = Path(folder) / str(number)
            full.append(run(args, "run", workspace, ["dataset=measured"]))
            for place, limit in enumerate(args.limits):
                decided[limit].append(run(args, "decide", workspace, [f"dataset=changed-{place}", limit], "--from", "measured"))
        median = [statistics.median(times) for times in zip(*full)]
        print(f"{'full run':60} {median[0]:6.2f} CPU s {median[1]:6.2f} s")
        for limit, times in decided.items():
            cpu, wall = [statistics.median(times) for times in zip(*times)]
            print(f"{limit:60} {cpu:6.2f} CPU s {wall:6.2f} s, {cpu / median[0]:.3f} and {wall / median[1]:.3f} of it")
        for place, limit in enumerate(args.limits if args.check else []):
            whole = Path(folder) / f"whole-{place}"
            run(args, "run", whole, [f"dataset=changed-{place}", limit])
            found, want = shards(Path(folder) / "0", f"changed-{place}"), shards(whole, f"changed-{place}")
            print(f"{limit}: {len(want)} shards, " + ("the same bytes" if found == want else "OTHER BYTES"))
            if found != want:
                sys.exit(1)


if __name__ == "__main__":
    main()
