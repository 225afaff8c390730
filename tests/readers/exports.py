"""Reads the exports of a packed data set with NumPy alone, Megatron's by the published description of its format, and compares all ids.

Arguments: the packed data set, the Megatron export, the NumPy export, the id of an erased document or nothing.
"""
import json
import pathlib
import struct
import sys

import numpy as np
import pyarrow.parquet as pq

DTYPES = {1: np.uint8, 2: np.int8, 3: np.int16, 4: np.int32, 5: np.int64, 6: np.float64, 7: np.float32, 8: np.uint16}


def megatron(stem):
    """The sequences of megatron/core/datasets/indexed_dataset.py."""
    with open(f"{stem}.idx", "rb") as index:
        assert index.read(9) == b"MMIDIDX\x00\x00"
        assert struct.unpack("<Q", index.read(8)) == (1,)
        dtype = DTYPES[struct.unpack("<B", index.read(1))[0]]
        sequences, documents = struct.unpack("<QQ", index.read(16))
        rest = index.read()
    lengths = np.frombuffer(rest, np.int32, sequences)
    places = np.frombuffer(rest, np.int64, sequences, lengths.nbytes)
    ends = np.frombuffer(rest, np.int64, documents, lengths.nbytes + places.nbytes)
    assert lengths.nbytes + places.nbytes + ends.nbytes == len(rest)
    assert list(ends) == list(range(sequences + 1))
    ids = np.memmap(f"{stem}.bin", dtype, "r")
    assert ids.nbytes == places[-1] + lengths[-1] * ids.itemsize
    return [ids[place // ids.itemsize:][:length].tolist() for place, length in zip(places, lengths)]


def arrays(stem):
    ids = np.load(f"{stem}.npy", mmap_mode="r")
    ends = np.cumsum(np.load(f"{stem}.lengths.npy"))
    return [part.tolist() for part in np.split(ids, ends[:-1])]


packed, *exports = map(pathlib.Path, sys.argv[1:4])
erased = sys.argv[4]
for split in sorted(path.name for path in packed.iterdir() if path.is_dir()):
    pieces = {}
    for shard in sorted((packed / split).iterdir()):
        for row in pq.read_table(shard).to_pylist():
            at = 0
            assert len(row["input_ids"]) == 100 == len(row["position_ids"])
            for doc, length, offset in zip(row["doc_ids"], row["doc_lengths"], row["doc_offsets"]):
                pieces[doc, offset] = row["input_ids"][at:at + length]
                assert row["position_ids"][at:at + length] == list(range(length))
                at += length
            assert at == row["tokens"]
            assert not any(row["input_ids"][at:])
    for read, folder in zip((megatron, arrays), exports):
        sequences = read(folder / split)
        lines = [json.loads(line) for line in open(folder / f"{split}.documents.jsonl")]
        assert len(lines) == len(sequences)
        found = {}
        for line, sequence in zip(lines, sequences):
            assert line["tokens"] == len(sequence)
            if line["doc_id"] is None:
                assert erased and not any(sequence)
            else:
                assert line["doc_id"] != erased
                found[line["doc_id"], line["offset"]] = sequence
        assert found == pieces, (split, folder)
    print(split, len(pieces))
