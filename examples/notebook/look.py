"""Looks into a data set of tamis with DuckDB, Polars and Hugging Face's datasets, all on the same folder: docs/notebook.md cell by cell.

    python look.py WORKSPACE/data/NAME
"""
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
# %% DuckDB: the language stands in the shards too, so the names of the folders need not be read.
import duckdb

documents = f"read_parquet('{folder}/lang=*/*.parquet', hive_partitioning = false)"
by_language = duckdb.sql(f"select lang, count(*) as n, sum(token_count) as tokens from {documents} group by lang order by n desc, lang")
print(by_language)

# %% Polars reads lazily: only the columns and shards that a question needs.
import polars as pl

lazy = pl.scan_parquet(folder / "lang=*" / "*.parquet", hive_partitioning=False)
few_letters = (
    lazy.filter(pl.col("quality").struct.field("alphabetic_word_fraction") < 0.85)
    .group_by("lang").len().sort("len", "lang", descending=[True, False]).collect()
)
print(few_letters)
polars_by_language = lazy.group_by("lang").len().collect()

# %% datasets streams, so nothing is copied to its cache: name the languages that are wanted.
import datasets

first = by_language.fetchall()[0][0]
stream = datasets.load_dataset("parquet", data_files=str(folder / f"lang={first}" / "*.parquet"), split="train", streaming=True)
for row in stream.select_columns(["id", "url", "text"]).take(3):
    print(row["id"], row["url"], row["text"][:60].replace("\n", " "))

# %% All three see the same documents.
counts = dict(duckdb.sql(f"select lang, count(*) from {documents} group by lang").fetchall())
assert counts == dict(polars_by_language.iter_rows())
assert counts[first] == sum(1 for _ in stream.select_columns(["id"]))
print(sum(counts.values()), "documents")
