"""Reads the exports of a packed data set with NumPy and the standard library, by the published descriptions of the formats, and compares all ids.

Arguments: the packed data set, the folder with the exports, each named as its format, the id of an erased document or nothing.
"""
import io
import json
import pathlib
import struct
import sys
import tarfile

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


def mds(folder):
    """The samples of streaming/base/format/mds/reader.py: places after the number of samples, columns of the index."""
    index = json.load(open(folder / "index.json"))
    assert index["version"] == 2
    for shard in index["shards"]:
        assert (shard["format"], shard["compression"], shard["column_names"]) == ("mds", None, ["tokens"])
        kind, dtype, width = shard["column_encodings"][0].split(":")
        assert kind == "ndarray" and shard["column_sizes"] == [int(width) * np.dtype(dtype).itemsize]
        data = (folder / shard["raw_data"]["basename"]).read_bytes()
        assert len(data) == shard["raw_data"]["bytes"]
        samples, = struct.unpack_from("<I", data)
        places = struct.unpack_from(f"<{samples + 1}I", data, 4)
        assert samples == shard["samples"] and places[-1] == len(data)
        json.loads(data[4 * (samples + 2):places[0]])
        yield shard["raw_data"]["basename"], [np.frombuffer(data[one:end], dtype) for one, end in zip(places, places[1:])]


def webdataset(folder):
    for path in sorted(folder.glob("shard-*.tar")):
        with tarfile.open(path) as archive:
            members = archive.getmembers()
            assert all(member.name.endswith(".input_ids.npy") for member in members)
            yield path.name, [np.load(io.BytesIO(archive.extractfile(member).read())) for member in members]


def jsonl(folder):
    for path in sorted(folder.glob("part-*.jsonl")):
        lines = [json.loads(line) for line in open(path)]
        assert all(sum(line["doc_lengths"]) == len(line["input_ids"]) for line in lines)
        yield path.name, [line["input_ids"] for line in lines]


def by_side_file(files, folder):
    """What the side files say of the rows of ids in `files`: pieces, and what is left in the place of erased ones."""
    found, erased = {}, []
    for name, rows in files:
        stem = name.rsplit(".", 1)[0]
        ids = [int(id) for row in rows for id in row]
        covered = np.zeros(len(ids), bool)
        for line in open(folder / f"{stem}.documents.ndjson"):
            line = json.loads(line)
            piece = slice(line["start"], line["start"] + line["tokens"])
            assert not covered[piece].any()
            covered[piece] = True
            if line["doc_id"] is None:
                erased += ids[piece]
            else:
                found[line["doc_id"], line["offset"]] = ids[piece]
        assert not any(id for id, known in zip(ids, covered) if not known), "what no document has is padding"
    return found, erased


packed, exports, gone = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
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
    assert not any(doc == gone for doc, _ in pieces)
    for read in (megatron, arrays):
        folder = exports / {"arrays": "numpy"}.get(read.__name__, read.__name__)
        sequences = read(folder / split)
        lengths = [json.loads(line)["tokens"] for line in open(folder / f"{split}.documents.ndjson")]
        assert lengths == list(map(len, sequences))
        found, erased = by_side_file([(f"{split}.ids", sequences)], folder)
        assert found == pieces and not any(erased) and (gone or not erased), (split, folder)
    for read in (mds, webdataset, jsonl):
        folder = exports / read.__name__ / split
        found, erased = by_side_file(read(folder), folder)
        assert found == pieces and not any(erased) and (gone or not erased), (split, folder)
    print(split, len(pieces))
