"""The loaders of examples/loaders give every sequence to one rank, and go on where they stopped. Argument: a packed data set."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples/loaders"))

import pyarrow.parquet as pq
from hugging_face import packed
from packed import Packed
from train import main

folder = pathlib.Path(sys.argv[1])
ids = [row for shard in sorted((folder / "train").iterdir()) for row in pq.read_table(shard)["input_ids"].to_pylist()]
for world in (1, 3):
    ranks = [[item["input_ids"].tolist() for item in Packed(folder, rank=rank, world=world)] for rank in range(world)]
    assert [ranks[at % world][at // world] for at in range(len(ids))] == ids
    for rank in range(world):
        assert len(Packed(folder, rank=rank, world=world)) == len(ranks[rank])
        assert [item["input_ids"].tolist() for item in Packed(folder, rank=rank, world=world, skip=2)] == ranks[rank][2:]
streamed = [[row["input_ids"] for row in packed(folder, rank=rank, world=2)] for rank in range(2)]
assert sorted(streamed[0] + streamed[1]) == sorted(ids) and all(streamed)
data = packed(folder)
rows = iter(data)
next(rows)
state = data.state_dict()
left = [row["input_ids"] for row in rows]
data.load_state_dict(state)
assert [row["input_ids"] for row in data] == left == ids[1:]
first, last = main(folder)
assert last < 0.9 * first, (first, last)
