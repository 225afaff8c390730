#!/usr/bin/env python3
"""Tokenizing: tamis beside tiktoken and Hugging Face's tokenizers, the same texts, one thread, CPU seconds.

    cargo build --release
    PEERS/bin/python benches/tokenize_peers.py TEXTS.jsonl RANKS_FOLDER TOKENIZER.json .. [--tamis target/release/tamis]

PEERS is a virtual environment with tiktoken and tokenizers. TEXTS are lines with "text". RANKS_FOLDER holds o200k_base.tiktoken. What tamis takes is
that of a whole process that reads and writes JSON, less the one that tokenizes a single letter; the peers encode in memory. Each is run three times.
"""

import argparse
import base64
import json
import os
import resource
import statistics
import subprocess
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tiktoken
from tokenizers import Tokenizer
from tiktoken_ext import openai_public

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("texts")
parser.add_argument("ranks")
parser.add_argument("tokenizers", nargs="*")
parser.add_argument("--tamis", default="target/release/tamis")
args = parser.parse_args()
texts = [json.loads(line)["text"] for line in open(args.texts, encoding="utf-8")]
megabytes = sum(len(text.encode()) for text in texts) / 1e6


def ours(tokenizer, lines):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([args.tamis, "pipe", f'tokenize:tokenizer="{tokenizer}",bos=false,eos=false'], input=lines, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def theirs(encode):
    begun = time.process_time()
    for text in texts:
        encode(text)
    return time.process_time() - begun


def row(name, seconds):
    print(f"| {name} | {megabytes / statistics.median(seconds):.1f} |", flush=True)


print(f"{len(texts)} texts, {megabytes:.1f} MB\n\n| what | MB a CPU second |\n|---|---|")
lines = "".join(json.dumps({"id": str(number), "text": text}) + "\n" for number, text in enumerate(texts)).encode()
one = b'{"id": "0", "text": "a"}\n'
ranks = os.path.join(args.ranks, "o200k_base.tiktoken")
pattern = openai_public.o200k_base.__code__.co_consts
pattern = next("|".join(const) for const in pattern if isinstance(const, tuple) and any("Lu" in str(part) for part in const))
merges = {base64.b64decode(line.split()[0]): int(line.split()[1]) for line in open(ranks, "rb") if line.strip()}
encoding = tiktoken.Encoding("o200k_base", pat_str=pattern, mergeable_ranks=merges, special_tokens={})
row("tiktoken, o200k_base", [theirs(encoding.encode_ordinary) for _ in range(3)])
row("tamis, o200k_base, JSON included", [ours("o200k_base", lines) - ours("o200k_base", one) for _ in range(3)])
for path in args.tokenizers:
    tokenizer = Tokenizer.from_file(path)
    row(f"tokenizers, {os.path.basename(path)}", [theirs(lambda text: tokenizer.encode(text, add_special_tokens=False)) for _ in range(3)])
    row(f"tamis, {os.path.basename(path)}, JSON included", [ours(path, lines) - ours(path, one) for _ in range(3)])
