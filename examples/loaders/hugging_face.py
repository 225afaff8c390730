"""Streams a packed data set with Hugging Face datasets: shared out by rank, and resumable by its state.

    python hugging_face.py WORKSPACE/packed/NAME [RANK WORLD]
"""
import sys

from datasets import load_dataset
from datasets.distributed import split_dataset_by_node


def packed(folder, split="train", rank=0, world=1):
    # With at least `world` shards each rank reads its own (--shard-sequences-max sets how many there are).
    streamed = load_dataset("parquet", data_files={split: f"{folder}/{split}/*.parquet"}, split=split, streaming=True)
    return split_dataset_by_node(streamed, rank=rank, world_size=world)


if __name__ == "__main__":
    place = [int(number) for number in sys.argv[2:4]] or [0, 1]
    data = packed(sys.argv[1], rank=place[0], world=place[1])
    rows = iter(data)
    next(rows)
    state = data.state_dict()  # save it with the model
    expected = [row["doc_ids"] for row in rows]
    data.load_state_dict(state)
    assert [row["doc_ids"] for row in data] == expected
    print(1 + len(expected))
