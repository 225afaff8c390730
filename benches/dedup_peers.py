#!/usr/bin/env python3
"""How fast texts are signed for near-duplicate search: tamis, datatrove and rensa on the same texts, one core each, one after the other.

    cargo build --release --example dedup_at_scale
    PEERS/bin/python benches/dedup_peers.py [DOCS.jsonl.xz] [--ours target/release/examples/dedup_at_scale] [--docs 1500]

PEERS is a virtual environment with datatrove and rensa, as ../shared/bench/README.md says. All make 14 bands of 8 rows or as many values
(tamis: its default, 112 values too) from word 5-shingles; the figures are MB of text a CPU second, cutting into words included.
"""

import argparse
import json
import logging
import lzma
import os
import subprocess
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("docs", nargs="?", default="../shared/data/corpus/corpus-20m.docs.jsonl.xz")
parser.add_argument("--ours", default="target/release/examples/dedup_at_scale")
parser.add_argument("--docs", dest="count", type=int, default=1500, help="texts that the slow ones are given")
args = parser.parse_args()
os.environ.update(RAYON_NUM_THREADS="1", OMP_NUM_THREADS="1")
logging.disable(logging.CRITICAL)

with lzma.open(args.docs, "rt", encoding="utf-8") as file:
    lines = file.read().splitlines()
texts = [json.loads(line)["text"] for line in lines][: args.count]
megabytes = sum(len(text.encode()) for text in texts) / 1e6


def timed(name, work):
    begun = time.process_time()
    work()
    print(f"| {name} | {megabytes / (time.process_time() - begun):.2f} |", flush=True)


def datatrove(folder):
    from datatrove.data import Document
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
    from datatrove.utils.hashing import HashConfig
    from loguru import logger

    logger.disable("datatrove")
    step = MinhashDedupSignature(output_folder=folder, config=MinhashConfig(hash_config=HashConfig(precision=64), num_buckets=14, hashes_per_bucket=8, n_grams=5))
    step.run(iter([Document(text="one two three four five six", id="warm-up")]), rank=1, world_size=2)
    documents = [Document(text=text, id=str(number)) for number, text in enumerate(texts)]
    timed("datatrove MinhashDedupSignature, 14 x 8", lambda: step.run(iter(documents), rank=0, world_size=2))


def rensa():
    from rensa import RMinHash

    def work():
        for text in texts:
            words = text.lower().split()
            signature = RMinHash(num_perm=112, seed=42)
            signature.update([" ".join(words[at:at + 5]) for at in range(max(1, len(words) - 4))])
            signature.digest()

    timed("rensa RMinHash, 112 values, str.split", work)


print("| signer | MB / CPU s |\n|---|---|")
with tempfile.TemporaryDirectory() as folder:
    plain = os.path.join(folder, "docs.jsonl")
    with open(plain, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    said = subprocess.run([args.ours, "sign", plain], check=True, capture_output=True, text=True).stdout
    print(f"| tamis, 16 x 7: {said.strip()} | |", flush=True)
    rensa()
    datatrove(os.path.join(folder, "signatures"))
