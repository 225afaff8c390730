"""Reads a packed data set of tamis in order, with pyarrow: shared out by rank, and resumable at any sequence.

Every rank reads each of its row groups once. `skip` is how many sequences this rank has had: save it with the model.
"""
import json
import pathlib

import numpy as np
import pyarrow.parquet as pq

try:
    from torch.utils.data import IterableDataset
except ImportError:  # without PyTorch it is a plain iterable
    IterableDataset = object


class Packed(IterableDataset):
    def __init__(self, folder, split="train", rank=0, world=1, skip=0):
        self.folder = pathlib.Path(folder)
        self.record = json.loads((self.folder / "pack.json").read_text())
        self.files = [file for file in self.record["files"] if file["path"].startswith(f"{split}/")]
        self.rank, self.world, self.skip = rank, world, skip

    def __len__(self):
        sequences = sum(file["sequences"] for file in self.files)
        return max(0, (sequences - self.rank + self.world - 1) // self.world - self.skip)

    def __iter__(self):
        first = self.rank + self.skip * self.world  # number of this rank's next sequence in the whole split
        at = 0
        for file in self.files:
            if at + file["sequences"] <= first:
                at += file["sequences"]
                continue
            shard = pq.ParquetFile(self.folder / file["path"])
            for group in range(shard.num_row_groups):
                rows = shard.metadata.row_group(group).num_rows
                if at + rows > first:
                    table = shard.read_row_group(group, columns=["input_ids", "tokens", "doc_lengths"])
                    while first < at + rows:
                        yield self.sequence(table, first - at)
                        first += self.world
                at += rows

    @staticmethod
    def sequence(table, row):
        ids = table["input_ids"][row].values.to_numpy().astype(np.int64)
        # Where no document is, nothing is to be learnt: PyTorch's cross entropy passes over -100.
        labels = ids.copy()
        labels[table["tokens"][row].as_py():] = -100
        ends = np.cumsum(table["doc_lengths"][row].values.to_numpy())
        return {"input_ids": ids, "labels": labels, "cu_seqlens": np.concatenate([[0], ends]).astype(np.int32)}
