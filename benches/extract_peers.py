#!/usr/bin/env python3
"""Speed of main-content extraction beside its peers, in one run on the same pages: pages and MB of HTML a CPU second of whole processes.

    python3 -m venv peers && peers/bin/pip install trafilatura==2.3.1 resiliparse==2.0.1
    peers/bin/python benches/extract_peers.py [--tamis target/release/tamis] [--pages ../shared/data/extraction/pages.tar.xz] [--repeat 3]

Each contender is a filter of JSON lines, `{"id", "url", "html"}` in and `{"id", "text"}` out, one process on one thread, so reading, writing
and starting count for all alike. Contenders take turns; the fastest of the repeats counts, for a shared machine only ever makes slower.
"""
import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile

FILTERS = {
    "resiliparse": """
from resiliparse.extract.html2text import extract_plain_text
def extract(page): return extract_plain_text(page["html"], main_content=True, alt_texts=False)
""",
    "trafilatura": """
from trafilatura import extract as main_text
def extract(page): return main_text(page["html"], url=page["url"], include_comments=False) or ""
""",
}
LOOP = """
import json, sys
for line in sys.stdin.buffer:
    page = json.loads(line)
    try:
        text = extract(page)
    except Exception:
        text = ""
    sys.stdout.write(json.dumps({"id": page["id"], "text": text}, ensure_ascii=False) + "\\n")
"""


def cpu(command, source):
    """CPU seconds of a child that reads `source`."""
    with open(source, "rb") as stdin, open(os.devnull, "wb") as out:
        child = subprocess.Popen(command, stdin=stdin, stdout=out, env=dict(os.environ, PYTHONIOENCODING="utf-8:replace"))
        _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{command[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tamis", default="target/release/tamis")
    parser.add_argument("--pages", default="../shared/data/extraction/pages.tar.xz")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--without", action="append", default=[], choices=FILTERS, help="leave a peer out")
    args = parser.parse_args()
    commands = {"tamis": [args.tamis, "pipe", "extract"]}
    commands |= {name: [sys.executable, "-c", code + LOOP] for name, code in FILTERS.items() if name not in args.without}
    with tempfile.NamedTemporaryFile("wb", suffix=".jsonl") as source, tarfile.open(args.pages) as pages:
        number = size = 0
        for member in pages:
            html = pages.extractfile(member).read().decode("utf-8", "replace")
            source.write(json.dumps({"id": member.name, "url": "", "html": html}, ensure_ascii=False).encode() + b"\n")
            number, size = number + 1, size + len(html.encode())
        source.flush()
        best = dict.fromkeys(commands, float("inf"))
        for turn in range(args.repeat):
            for name, command in commands.items():
                # The slowest peer takes a minute of CPU; once is enough, its share of noise is small.
                if turn == 0 or name != "trafilatura":
                    best[name] = min(best[name], cpu(command, source.name))
    print(f"{number} pages, {size / 1e6:.1f} MB")
    print(f"{'':14}{'CPU s':>8}{'pages / CPU s':>15}{'MB / CPU s':>12}{'tamis is':>12}")
    for name, seconds in best.items():
        print(f"{name:14}{seconds:8.2f}{number / seconds:15.0f}{size / 1e6 / seconds:12.1f}{seconds / best['tamis']:11.1f}x")


if __name__ == "__main__":
    main()
