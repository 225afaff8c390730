#!/usr/bin/env python3
"""Precision and recall of peers on tests/pii/set.jsonl, the set on which tamis is measured by its own test.

    python3 -m venv V && V/bin/pip install datatrove presidio-analyzer scrubadub && V/bin/python benches/pii_peers.py

datatrove is asked with its PIIFormatter (what it replaces counts as found), presidio-analyzer with all of its pattern recognisers for all
countries, without a language model (names and places are not in the set) nor the words that it would raise scores with, once with its default score
limit (none) and once with 0.5, and without fetching its list of suffixes (which holds no .example: its mail figure is too low for that), scrubadub with its default detectors.
A finding is right if it covers the value and at most three characters more on each side, whatever the peer calls it, so that no name of a kind
counts against a peer. A peer that is not installed is left out.
"""

import collections
import json
from pathlib import Path

SET = Path(__file__).resolve().parent.parent / "tests/pii/set.jsonl"


def datatrove():
    from datatrove.pipeline.formatters import PIIFormatter

    mask = "\x00"
    formatter = PIIFormatter(email_replacement=mask, ip_replacement=mask)

    def spans(text):
        masked, found, at = formatter.format(text), [], 0
        pieces = masked.split(mask)
        for piece, following in zip(pieces, pieces[1:]):
            start = at + len(piece)
            end = text.index(following, start + 1) if following else len(text)
            found.append((start, end))
            at = end
        return found

    return spans


def presidio(score_min=0.0):
    import tldextract.tldextract
    from presidio_analyzer import PatternRecognizer, predefined_recognizers

    makers = [getattr(predefined_recognizers, name) for name in predefined_recognizers.__all__]
    recognisers = []
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    for maker in makers:
        try:
            made = maker()
        except Exception:  # needs a language model or a service
            continue
        if isinstance(made, PatternRecognizer) or maker.__name__ == "PhoneRecognizer":
            recognisers.append(made)

    def spans(text):
        results = []
        for recogniser in recognisers:
            results += [result for result in recogniser.analyze(text, recogniser.supported_entities, None) or [] if result.score >= score_min]
        return [(result.start, result.end) for result in results]

    return spans


def presidio_sure():
    return presidio(0.5)


def scrubadub():
    import scrubadub as peer

    scrubber = peer.Scrubber(locale="en_GB")
    return lambda text: [(filth.beg, filth.end) for filth in scrubber.iter_filth(text)]


def score(spans):
    counts = collections.defaultdict(collections.Counter)
    total = collections.Counter()
    for line in map(json.loads, SET.read_text(encoding="utf-8").splitlines()):
        text, found = line["text"], sorted(set(spans(line["text"])))
        places = [(text.index(one["value"]), one) for one in line["findings"]]
        fits = lambda span, start, value: span[0] <= start <= span[0] + 3 and span[1] - 3 <= start + len(value) <= span[1]
        for start, one in places:
            counts[one["kind"]]["expected"] += 1
            counts[one["kind"]]["right"] += any(fits(span, start, one["value"]) for span in found)
        total["found"] += len(found)
        total["right"] += sum(any(fits(span, start, one["value"]) for start, one in places) for span in found)
    return counts, total


def main():
    for make in (datatrove, presidio, presidio_sure, scrubadub):
        try:
            spans = make()
        except ImportError as error:
            print(f"{make.__name__}: left out, {error}")
            continue
        counts, total = score(spans)
        precision = total["right"] / max(total["found"], 1)
        print(f"\n{make.__name__}: {total['found']} findings, precision {precision:.3f}")
        for kind, count in sorted(counts.items()):
            print(f"  {kind:12} recall {count['right'] / count['expected']:.3f} of {count['expected']}")


main()
