#!/usr/bin/env python3
"""Runs a plan on a real Ray of two nodes on this machine, also with a killed worker and a killed node, and compares with a plain local run.

    pip install ./engines/ray && engines/ray/trial.py --tamis TARGET/release/tamis --archive 'A/*.warc.gz'

Prints a line a trial; exit code 1 if a file differs.
"""
import argparse
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ray
from ray.cluster_utils import Cluster

ROOT = Path(__file__).resolve().parent.parent.parent


def digests(workspace):
    root = workspace / "data"
    return {str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(root.rglob("*")) if file.is_file()}


def command(args, workspace, *more):
    return [args.tamis, "run", args.recipe, "--workspace", workspace, "--set", f"input={args.archive}", "--set", f"limits.task_bytes_max={args.task_bytes}",
            "--quiet", *more]


def processes(words):
    """Ids of processes whose command line holds all these words."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                line = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if all(word in line for word in words) and int(place.name) != os.getpid():
                found.append(int(place.name))
    return found


def parent(process):
    return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])


def wait_for(words):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if found := processes(words):
            return found
        time.sleep(0.02)
    sys.exit(f"no process of {words} came up")


def nothing(_cluster, _nodes, _workspace):
    return "undisturbed"


def worker_killed(_cluster, _nodes, workspace):
    tamis = wait_for(["work", str(workspace), "--until clean"])[0]
    worker = parent(tamis)
    time.sleep(0.3)
    os.kill(worker, signal.SIGKILL)
    return f"Ray's worker {worker} killed with its lease"


def node_killed(cluster, nodes, workspace):
    wait_for(["work", str(workspace), "--until clean"])
    time.sleep(0.3)
    cluster.remove_node(nodes.pop(), allow_graceful=False)
    nodes.append(cluster.add_node(num_cpus=2))
    return "a node killed, another joined"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tamis", required=True, type=lambda path: Path(path).resolve())
    parser.add_argument("--archive", required=True)
    parser.add_argument("--recipe", default="pipelines/common-crawl.toml")
    parser.add_argument("--task-bytes", default="1 B")
    args = parser.parse_args()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    nodes = [cluster.add_node(num_cpus=2)]
    environment = os.environ | {"RAY_ADDRESS": cluster.address, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    bad = 0
    with tempfile.TemporaryDirectory(prefix="tamis-ray-") as scratch:
        scratch = Path(scratch)
        profile = scratch / "profile.toml"
        profile.write_text("cpus = 1\nsteal_after_s = 4\n")
        begun = time.monotonic()
        subprocess.run(command(args, scratch / "local"), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        local_s, wanted = time.monotonic() - begun, digests(scratch / "local")
        for act in [nothing, worker_killed, node_killed]:
            workspace = scratch / act.__name__
            begun = time.monotonic()
            running = subprocess.Popen(command(args, workspace, "--engine", "ray", "--profile", profile), cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
            what = act(cluster, nodes, workspace)
            code = running.wait()
            took, found = time.monotonic() - begun, digests(workspace)
            differing = [file for file in wanted.keys() | found.keys() if wanted.get(file) != found.get(file)]
            bad += bool(differing) or code != 0
            print(f"{'same' if not differing else 'DIFFERS'}  {what}: exit code {code}, {len(wanted)} shards, {len(differing)} differ; local {local_s:.0f} s, Ray {took:.0f} s",
                  flush=True)
    ray.shutdown()
    cluster.shutdown()
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
