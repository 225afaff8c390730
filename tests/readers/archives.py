"""Reads web archives with two programs that are not ours, and prints what each one finds as JSON: where each record begins, type, address.

Usage: archives.py FILE .. [--at OFFSET ..]: with --at it also opens the first file at each offset alone, as whoever holds an index does.
"""

import io
import json
import sys

from fastwarc.warc import ArchiveIterator as Fast
from warcio.archiveiterator import ArchiveIterator as Warcio

split = sys.argv.index("--at") if "--at" in sys.argv else len(sys.argv)
files, offsets = sys.argv[1:split], [int(word) for word in sys.argv[split + 1 :]]
told = {"warcio": [], "fastwarc": [], "at": []}
for path in files:
    with open(path, "rb") as file:
        records = Warcio(file, check_digests=True)
        for record in records:
            body = record.raw_stream.read()
            assert record.digest_checker is None or record.digest_checker.passed is not False, record.digest_checker.problems
            kind, url = record.rec_type, record.rec_headers.get_header("WARC-Target-URI")
            records.read_to_end(record)
            told["warcio"].append([records.get_record_offset(), kind, url])
    for record in Fast(open(path, "rb"), parse_http=False):
        record.reader.read()
        told["fastwarc"].append([record.stream_pos, str(record.record_type), record.headers.get("WARC-Target-URI")])
for offset in offsets:
    with open(files[0], "rb") as file:
        file.seek(offset)
        record = next(iter(Warcio(io.BufferedReader(file))))
        told["at"].append([offset, record.rec_type, record.rec_headers.get_header("WARC-Target-URI")])
print(json.dumps(told))
