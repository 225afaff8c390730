"""Validates croissant.json with MLCommons' own library, and reads the first records through it.

Usage: croissant.py FOLDER, where FOLDER holds croissant.json and the files that it names.
"""

import itertools
import os
import sys

import mlcroissant

os.chdir(sys.argv[1])
dataset = mlcroissant.Dataset(jsonld="croissant.json")
assert not dataset.metadata.issues.errors, dataset.metadata.issues.errors
records = list(itertools.islice(dataset.records("documents"), 3))
assert len(records) == 3 and all(record["documents/url"] for record in records), records
print("all is well")
