#!/usr/bin/env python3
"""Quality signals and personal data, tamis and datatrove in turn on the same texts: MB of text in a CPU second, one core.

    PEERS/bin/python benches/filters_beside_datatrove.py ARCHIVE.warc.gz --tamis target/release/tamis --peer-folder ../shared/bench [--runs 3]

PEERS is a virtual environment with datatrove, as ../shared/bench/README.md installs it; of that folder the choice of a word splitter for each language is
used. The texts are what tamis extracts of the archive, with the language it finds. tamis is timed as a whole process, `tamis pipe` with the stages less
`tamis pipe` with a stage that does next to nothing, so that reading and writing JSON is in neither; every signal of every text is measured, whatever it
says. datatrove is timed inside its process, the filters alone, after its word splitters are loaded; each filter sees every text and stops at the first rule
that it breaks. Runs alternate; medians are printed. A difference below a tenth of what JSON takes is noise: then the rate at a tenth is told, as a least.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

RECIPE = """dataset = "texts"
input = "{archive}"
[source]
kind = "warc"
[[clean]]
stage = "extract"
[[clean]]
stage = "langid"
[dedup]
exact = false
near = false
"""
# C4's rules last: they change the text, and datatrove keeps the words of the last text only.
QUALITY = ["repetition", "gopher-quality", "fineweb-quality", "c4-quality"]
TAMIS = {"quality": [f"{stage}:rules=[]" for stage in QUALITY], "pii": ["pii"]} | {stage: [f"{stage}:rules=[]"] for stage in QUALITY}
NEXT_TO_NOTHING = ["url"]
COPIES = 20
NOISE = 0.1


def texts_of(args, scratch):
    """Text and language of each page, in order."""
    import pyarrow.parquet as parquet

    (scratch / "recipe.toml").write_text(RECIPE.format(archive=args.archive.resolve()))
    done = subprocess.run([args.tamis, "run", scratch / "recipe.toml", "--workspace", scratch / "w", "--quiet"], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    shards = sorted((scratch / "w/data").rglob("*.parquet"))
    rows = [row for shard in shards for row in parquet.read_table(shard, columns=["text", "lang"]).to_pylist()]
    return [row for row in rows if row["lang"] != "und"]


def cpu_of(command, lines):
    """CPU seconds of one process that reads `lines`."""
    with open(lines) as given:
        child = subprocess.Popen([str(word) for word in command], stdin=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{command}: {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


def peers(args, rows):
    """What datatrove does of each group, as functions of a document and its language."""
    sys.path.insert(0, str(args.peer_folder))
    from datatrove.data import Document
    from datatrove.pipeline.filters import C4QualityFilter
    from datatrove.pipeline.formatters import PIIFormatter
    from peer_datatrove import fineweb_quality, gopher_quality, repetition, words_of
    from datatrove.utils.word_tokenizers import load_word_tokenizer

    @lru_cache(None)
    def c4(language):
        return C4QualityFilter(language=words_of(language))

    formatter = PIIFormatter()
    makers = {"gopher-quality": gopher_quality, "c4-quality": c4, "fineweb-quality": fineweb_quality, "repetition": repetition}
    for language in sorted({row["lang"].split("-")[0] for row in rows}):
        load_word_tokenizer(words_of(language)).word_tokenize("warm up")

    def judge(stages):
        def work(row):
            # A document of its own each time: words are kept for the filters that follow on the same text, as in a job.
            doc = Document(text=row["text"], id="", metadata={})
            for stage in stages:
                makers[stage](row["lang"].split("-")[0]).filter(doc)
        return work

    return {"quality": judge(QUALITY), "pii": lambda row: formatter.format(row["text"])} | {stage: judge([stage]) for stage in QUALITY}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--tamis", required=True, type=lambda path: Path(path).resolve())
    parser.add_argument("--peer-folder", required=True, type=Path)
    parser.add_argument("--only", choices=sorted(TAMIS), help="one group")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tamis-filters-") as scratch:
        scratch = Path(scratch)
        rows = texts_of(args, scratch)
        size = sum(len(row["text"].encode()) for row in rows) / 1e6
        lines = scratch / "lines.jsonl"
        lines.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows) * COPIES)
        of_peer = peers(args, rows)
        times = {group: ([], [], []) for group in TAMIS if args.only in (None, group)}
        for _ in range(args.runs):
            for group in times:
                nothing = cpu_of([args.tamis, "pipe", *NEXT_TO_NOTHING], lines)
                times[group][0].append((cpu_of([args.tamis, "pipe", *TAMIS[group]], lines) - nothing) / COPIES)
                times[group][2].append(NOISE * nothing / COPIES)
                begun = time.process_time()
                for row in rows:
                    of_peer[group](row)
                times[group][1].append(time.process_time() - begun)
        print(f"{len(rows)} texts, {size:.1f} MB, {len({row['lang'] for row in rows})} languages; MB in a CPU second\n")
        print("| | tamis | datatrove | ratio |\n|---|---|---|---|")
        for group, columns in times.items():
            ours, theirs, least = map(statistics.median, columns)
            mark = "" if ours > least else "at least "
            ours, theirs = size / max(ours, least), size / theirs
            print(f"| {group} | {mark}{ours:.1f} | {theirs:.2f} | {mark}{ours / theirs:.0f} |")


if __name__ == "__main__":
    main()
