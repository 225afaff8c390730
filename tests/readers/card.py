"""Loads a data set through its card with Hugging Face `datasets`, and counts each configuration against DuckDB.

Usage: card.py FOLDER, where FOLDER holds README.md and data/NAME.
"""

import os
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_CACHE"] = tempfile.mkdtemp()

import datasets
import duckdb
import yaml

folder = sys.argv[1]
with open(f"{folder}/README.md", encoding="utf-8") as file:
    head = yaml.safe_load(file.read().split("---\n")[1])
assert head["pretty_name"] and head["language"] and head["size_categories"], head
counted = dict(duckdb.sql(f"select lang, count(*) from read_parquet('{folder}/data/*/**/*.parquet') group by lang").fetchall())
for config in head["configs"]:
    name = config["config_name"]
    loaded = datasets.load_dataset(folder, name, split="train")
    expected = sum(counted.values()) if name == "default" else counted[name]
    assert len(loaded) == expected, (name, len(loaded), expected)
print("all is well")
