#!/usr/bin/env python3
"""The whole job, tamis and datatrove in turn on the same archive, as whole processes: CPU seconds, peak memory, documents read and kept.

    benches/beside_datatrove.py ARCHIVE.warc.gz --peers PEERS/bin/python --tokenizer tokenizer.json [--runs 3] [--threads 2]

PEERS is a virtual environment with datatrove, as ../shared/bench/README.md installs it; `--peer-script` names the script that runs the
same job with it. tamis runs `pipelines/common-crawl.toml` with the same tokenizer file. Runs alternate (tamis, datatrove, tamis, ..), the
medians and the ratio of documents per CPU second are printed. The peer's start (imports, word splitters) is in its seconds, and is told apart
because a longer job would pay it once.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def measured(command, log):
    """CPU seconds (user and system, with children), wall seconds and peak MB of one process."""
    begun = time.monotonic()
    with open(log, "wb") as out:
        child = subprocess.Popen([str(part) for part in command], stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"`{command[0]}` ended with {os.waitstatus_to_exitcode(status)}")
    return {"cpu": usage.ru_utime + usage.ru_stime, "wall": time.monotonic() - begun, "peak_mb": usage.ru_maxrss / 1e3}


def tamis(args, scratch):
    """One run of tamis in a new workspace."""
    tokenizer = ["--set", f"emit.tokenize.tokenizer={args.tokenizer}"] if args.tokenizer else []
    command = [args.tamis, "run", ROOT / "pipelines/common-crawl.toml", "--workspace", scratch / "w", "--set", f"input={args.archive}"]
    figures = measured([*command, *tokenizer, "--threads", args.threads, "--json", "--quiet"], scratch / "log")
    told = json.loads((scratch / "log").read_text())
    return figures | {"read": told["read"], "kept": told["kept"]}


def datatrove(args, scratch):
    """One run of the peer. Its own table says what it read and kept, and how long it took to start."""
    tokenizer = ["--tokenizer", args.tokenizer] if args.tokenizer else []
    figures = measured([args.peers, args.peer_script, args.archive, scratch / "out", *tokenizer], scratch / "log")
    log = (scratch / "log").read_text()
    total = re.search(r"^total\s+(\d+)\s+(\d+)", log, re.M)
    peak = re.search(r"peak memory of all processes together: (\d+) MB", log)
    start = re.search(r"^start\s+([\d.]+)", log, re.M)
    figures |= {"read": int(total.group(1)), "kept": int(total.group(2)), "peak_mb": float(peak.group(1)), "start": float(start.group(1))}
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--peers", required=True, help="the Python of the environment with datatrove")
    parser.add_argument("--peer-script", type=Path, default=ROOT.parent / "shared/bench/peer_datatrove.py")
    parser.add_argument("--tokenizer", type=Path, help="a tokenizer.json for both; without it tamis uses its default and the peer writes no tokens")
    parser.add_argument("--tamis", type=Path, default=TARGET / "release/tamis")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    runs = {"tamis": [], "datatrove": []}
    for _ in range(args.runs):
        for name, run in (("tamis", tamis), ("datatrove", datatrove)):
            with tempfile.TemporaryDirectory() as scratch:
                runs[name].append(run(args, Path(scratch)))
            print(name, json.dumps(runs[name][-1]), flush=True)
    print(f"\n{'median of ' + str(args.runs):14}{'read':>8}{'kept':>8}{'CPU s':>9}{'wall s':>9}{'peak MB':>9}{'read / CPU s':>14}")
    rate = {}
    for name, rows in runs.items():
        middle = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        rate[name] = middle["read"] / middle["cpu"]
        print(f"{name:14}{middle['read']:8.0f}{middle['kept']:8.0f}{middle['cpu']:9.2f}{middle['wall']:9.2f}{middle['peak_mb']:9.0f}{rate[name]:14.1f}")
    start = statistics.median(row["start"] for row in runs["datatrove"])
    pairs = [(ours["read"] / ours["cpu"]) / (theirs["read"] / theirs["cpu"]) for ours, theirs in zip(runs["tamis"], runs["datatrove"])]
    bare = [(ours["read"] / ours["cpu"]) / (theirs["read"] / (theirs["cpu"] - theirs["start"])) for ours, theirs in zip(runs["tamis"], runs["datatrove"])]
    print(f"documents per CPU second: tamis is {statistics.median(pairs):.1f} times datatrove (pairs: {', '.join(f'{p:.1f}' for p in pairs)});"
          f" {statistics.median(bare):.1f} times without the {start:.1f} s of its start")


if __name__ == "__main__":
    main()
