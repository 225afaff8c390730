"""Reads a data set with four programs that are not ours, through a plain glob, and prints what each one counts as JSON.

Usage: count.py FOLDER, where FOLDER is WORKSPACE/data/NAME.
"""

import json
import os
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_CACHE"] = tempfile.mkdtemp()

import datasets
import duckdb
import polars
import pyarrow.dataset

folder = sys.argv[1]
glob = f"{folder}/**/*.parquet"

SQL = f"select lang, count(*), sum(token_count), sum(len(input_ids)), sum(length(text)) from read_parquet('{glob}') group by lang order by lang"
told = {"duckdb": [list(map(lambda v: v if isinstance(v, str) else int(v), row)) for row in duckdb.sql(SQL).fetchall()]}

frame = polars.read_parquet(glob, columns=["lang", "token_count", "input_ids", "text"])
told["polars"] = [
    [row["lang"], row["documents"], row["tokens"], row["ids"], row["characters"]]
    for row in frame.group_by("lang")
    .agg(
        polars.len().alias("documents"),
        polars.col("token_count").cast(polars.Int64).sum().alias("tokens"),
        polars.col("input_ids").list.len().cast(polars.Int64).sum().alias("ids"),
        polars.col("text").str.len_chars().cast(polars.Int64).sum().alias("characters"),
    )
    .sort("lang")
    .iter_rows(named=True)
]


def by_language(rows):
    sums = {}
    for row in rows:
        counts = sums.setdefault(row["lang"], [0, 0, 0, 0])
        for place, value in enumerate((1, row["token_count"], len(row["input_ids"]), len(row["text"]))):
            counts[place] += value
    return [[lang, *counts] for lang, counts in sorted(sums.items())]


columns = ["lang", "token_count", "input_ids", "text"]
# `lang` is a column and the folder's name (hive): both must say the same, so the partition's field is read too.
table = pyarrow.dataset.dataset(folder, format="parquet", partitioning="hive").to_table(columns=columns)
told["pyarrow"] = by_language(table.to_pylist())

rows = datasets.load_dataset("parquet", data_files=glob, split="train").select_columns(columns)
told["datasets"] = by_language(rows)

print(json.dumps(told))
