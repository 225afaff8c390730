#!/usr/bin/env python3
"""Trains the forest of stage `extract` on the development pages, and says how good they are on pages they have not seen.

    cargo build --release --example train_extract
    training/extract/train.py [--data ../shared/data/extraction] [--work target/training]

Steps: (1) the stage's own eyes (`train_extract lessons`) cut every page into blocks with features; (2) each block is labelled by the
gold text of its page; (3) a forest is trained, five times on four fifths of the sites and once on all; (4) blocks of pages whose gold is
only segments are labelled by the judgements of (3) that have not seen their site, and (3) is done again with them. Python's standard
library is enough, no thread and no clock is asked: a second run writes the same bytes.
"""
import argparse
import array
import gzip
import hashlib
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import labels
import report

ROOT = Path(__file__).resolve().parents[2]
FOLDS = 5
# Settings that did best on held-out sites; see docs/extraction.md.
SETTINGS = ["trees=300", "rate=0.08", "ridge=0.15"]
# The labels that (4) needs are good enough with fewer trees.
BARE = ["trees=100"]
# A page of the smallest set with human gold counts for more, as the three sets count alike.
SET_WEIGHT = {"wceb": 1.0, "zyte": 2.5, "trafilatura": 0.5, "readability": 0.5, "newspaper4k": 0.5, "goose3": 0.0}


def site(page):
    """The registered domain, near enough: pages of one site are held out together. Sets that renamed their pages have one page a site."""
    host = re.sub(r"^\w+:+/*", "", page["url"]).split("/")[0].lower()
    if "." not in host or host.endswith("example.eu"):
        return page["id"]
    parts = host.split(".")
    known = ("co", "com", "org", "ac", "gov", "net", "edu")
    return ".".join(parts[-3:] if len(parts) > 2 and parts[-2] in known else parts[-2:])


def fold(page):
    return int(hashlib.md5(site(page).encode()).hexdigest(), 16) % FOLDS


class Table:
    """Blocks of all pages, page after page, as `train_extract lessons` wrote them."""

    def __init__(self, folder, pages):
        self.folder, self.pages, self.texts, self.words = folder, pages, [], []
        with open(folder / "blocks.jsonl", encoding="utf-8") as lines:
            for page, line in zip(pages, lines, strict=True):
                row = json.loads(line)
                assert row["id"] == page["id"]
                self.texts.append(row["texts"])
                self.words.append(row["words"])


def lessons(tool, folder, inputs, pages):
    with open(inputs, "rb") as stdin:
        subprocess.run([tool, "lessons", folder], stdin=stdin, check=True)
    return Table(folder, pages)


def boost(tool, table, name, wanted, weight, settings):
    """Trains; gives for each page the judgements of its blocks by a forest that has not seen its site."""
    job = table.folder / name
    columns = {"wanted": wanted, "weight": weight, "page": [[at] * len(row) for at, row in enumerate(wanted)],
               "fold": [[fold(page)] * len(row) for page, row in zip(table.pages, wanted)]}
    for kind, rows in columns.items():
        with open(f"{job}.{kind}", "wb") as out:
            array.array("f", (value for row in rows for value in row)).tofile(out)
    subprocess.run([tool, "boost", table.folder, job, *settings], check=True)
    held = array.array("f")
    held.frombytes(Path(f"{job}.held").read_bytes())
    judged, at = [], 0
    for row in wanted:
        judged.append(list(held[at:at + len(row)]))
        at += len(row)
    return judged


def inputs_of(data, work, pages):
    """The pages as the stage reads them, decoded as the scorer does it."""
    path = work / "pages.jsonl"
    with tarfile.open(data / "pages.tar.xz") as archive:
        html = {member.name.removesuffix(".html"): report.decode(archive.extractfile(member).read()) for member in archive}
    with open(path, "w", encoding="utf-8", errors="replace") as out:
        for page in pages:
            out.write(json.dumps({"id": page["id"], "url": page["url"], "html": html[page["id"]]}, ensure_ascii=False) + "\n")
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data/extraction")
    parser.add_argument("--work", type=Path, default=ROOT / "target/training")
    parser.add_argument("--tool", type=Path, default=ROOT / "target/release/examples/train_extract")
    parser.add_argument("--out", type=Path, default=ROOT / "src/stages/extract")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    with gzip.open(args.data / "gold.jsonl.gz", "rt", encoding="utf-8") as lines:
        pages = [json.loads(line) for line in lines]
    inputs = inputs_of(args.data, args.work, pages)

    table = lessons(args.tool, args.work, inputs, pages)
    marked = [labels.label(page, texts) for page, texts in zip(pages, table.texts)]
    wanted, weight = labels.rows(pages, marked, table.words, None, SET_WEIGHT)
    judged = boost(args.tool, table, "bare", wanted, weight, BARE)
    report.show("held-out sites, of pages with segments only the segments learned", pages, table, judged)
    wanted, weight = labels.rows(pages, marked, table.words, judged, SET_WEIGHT)
    judged = boost(args.tool, table, "blocks", wanted, weight, SETTINGS)
    report.show("held-out sites", pages, table, judged)
    trees = (args.work / "blocks.trees").read_bytes()
    (args.out / "blocks.trees").write_bytes(trees)
    print(f"blocks.trees {len(trees)} bytes, sha256 {hashlib.sha256(trees).hexdigest()}")


if __name__ == "__main__":
    sys.exit(main())
