#!/usr/bin/env python3
"""What an engine costs: many tasks of one short document, on this machine, on a real Slurm of three nodes and on a real Ray of two.

    RAY/bin/python benches/engines_overhead.py --tamis target/release/tamis [--tasks 2000] [--archive corpus.warc.gz]

RAY is an environment with `pip install ./engines/ray`; without Ray or Slurm that row is left out. With --archive, strong scaling too: the archive, cut
into 64 files, on one core and on two, locally and as leases of one core.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/slurm"))
import trials  # noqa: E402

RECIPE = """dataset = "small"
input = "{input}"
[source]
kind = "jsonl"
[[clean]]
stage = "langid"
[limits]
task_bytes_max = "1 B"
"""
TEXT = "The ferry leaves the harbour at seven, and the bakery opens an hour before, so nobody travels without bread. Number {}."


def run(args, words, **more):
    begun = time.monotonic()
    done = subprocess.run([args.tamis, *map(str, words)], cwd=ROOT, capture_output=True, text=True, **more)
    if done.returncode not in (0, 1):
        sys.exit(f"{words}: {done.returncode}\n{done.stderr}")
    return time.monotonic() - begun


class Slurm:
    def __init__(self, folder):
        self.folder = folder / "slurm"

    def __enter__(self):
        subprocess.run([ROOT / "tests/slurm/cluster", "up", self.folder, "3", "2"], check=True)
        return os.environ | {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def __exit__(self, *_):
        subprocess.run([ROOT / "tests/slurm/cluster", "down", self.folder], check=False)


class Ray:
    def __enter__(self):
        from ray.cluster_utils import Cluster
        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        self.cluster.add_node(num_cpus=1)
        return os.environ | {"RAY_ADDRESS": self.cluster.address, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def __exit__(self, *_):
        self.cluster.shutdown()


def engine(args, name, words, scratch, profile, environment):
    """Seconds from the command to the last published file."""
    place, file = scratch / name, scratch / f"{name}.toml"
    file.write_text(profile)
    begun = time.monotonic()
    run(args, [*words, "--workspace", place, "--engine", name.split("-")[0], "--profile", file, "--quiet"], env=environment)
    if name.startswith("slurm"):
        run(args, ["status", place, "--watch", "--every", "1", "--json"], env=environment)
    return time.monotonic() - begun, place


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tamis", required=True, type=lambda path: Path(path).resolve())
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--archive")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tamis-overhead-") as scratch:
        scratch = Path(scratch)
        (scratch / "in").mkdir()
        for number in range(args.tasks):
            (scratch / f"in/{number:05}.jsonl").write_text(json.dumps({"url": f"https://harbour.example/{number}", "text": TEXT.format(number)}) + "\n")
        recipe = scratch / "recipe.toml"
        recipe.write_text(RECIPE.format(input=f"{scratch}/in/*.jsonl"))
        measure(args, scratch, "small", ["run", recipe], f"{args.tasks} tasks of one document", args.tasks)
        if args.archive:
            pattern, files = trials.cut(args.archive, scratch / "archive", 64)
            words = ["run", ROOT / "pipelines/common-crawl.toml", "--set", f"input={pattern}", "--set", "limits.task_bytes_max=1 B"]
            measure(args, scratch, "scaling", words, f"strong scaling, {files} files", None)


def measure(args, scratch, name, words, title, tasks):
    scratch = scratch / name
    scratch.mkdir()
    print(f"\n{title}\n\n| engine | s | ms a task |\n|---|---|---|", flush=True)
    wanted = None

    def row(label, seconds, place):
        nonlocal wanted
        found = trials.digests(place)
        wanted = wanted or found
        each = f"{1000 * seconds / tasks:.1f}" if tasks else ""
        print(f"| {label} | {seconds:.1f} | {each} |{'' if found == wanted else ' DIFFERS'}", flush=True)

    for threads in (1, 2):
        place = scratch / f"local-{threads}"
        row(f"local, {threads} cores", run(args, [*words, "--workspace", place, "--threads", threads, "--quiet"]), place)
    if shutil.which("slurmctld"):
        for leases in (1, 2):
            with Slurm(scratch / f"s{leases}") as environment:
                profile = f'leases_max = {leases}\nmemory = "900 MiB"\ntime_minutes = 20\n'
                row(f"Slurm, {leases} leases of a core", *engine(args, f"slurm-{leases}", words, scratch, profile, environment))
    try:
        with Ray() as environment:
            for leases in (1, 2):
                row(f"Ray, {leases} leases of a core", *engine(args, f"ray-{leases}", words, scratch, f"leases_max = {leases}\n", environment))
    except ImportError:
        print("| Ray is not installed here | | |")


if __name__ == "__main__":
    main()
