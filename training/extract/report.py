"""How good judgements of held-out pages are, measured as `eval/extract.py` measures the program.

The text is the kept blocks, a line each; the program adds marks of list items and tabs, which change no word.
"""
import collections
import re

import labels

META = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w:.-]+)", re.I)
# Groups of fewer pages are not shown.
PAGES_MIN = 5
MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def decode(raw):
    """Byte order mark, valid UTF-8, what the page declares, windows-1252."""
    for mark, name in MARKS:
        if raw.startswith(mark):
            return raw[len(mark):].decode(name, "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    declared = META.search(raw[:4096])
    name = declared.group(1).decode("ascii", "replace").lower() if declared else "windows-1252"
    try:
        return raw.decode({"iso-8859-1": "windows-1252", "latin1": "windows-1252"}.get(name, name), "replace")
    except LookupError:
        return raw.decode("windows-1252", "replace")


def multiset(tokens):
    """Word 4-grams; a text of fewer words is one gram."""
    return collections.Counter(labels.grams(tokens) or [tuple(tokens)]) if tokens else collections.Counter()


def f4(gold, text):
    want, have = multiset(labels.words(gold)), multiset(labels.words(text))
    same = (want & have).total()
    return 2 * same / (want.total() + have.total()) if same else float(not want and not have)


def segments(page, text):
    flat = labels.squeeze(text)
    hit = sum(labels.squeeze(segment) in flat for segment in page["with"])
    return hit, len(page["with"]) - hit, sum(labels.squeeze(segment) in flat for segment in page["without"])


def mean(values):
    return sum(values) / len(values) if values else 0.0


def kinds(page):
    """The groups that a page is counted in."""
    names = [page["set"]]
    if page["set"] in ("readability", "newspaper4k"):
        names.append("tools")
    if page.get("page_type"):
        names.append(f"wceb: {page['page_type']}")
    if page.get("lang") and page["set"] != "goose3":
        names.append(f"language {page['lang']}{', segments' if page['gold'] == 'snippets' else ''}")
    return names


def segments_f1(marks):
    hit, missed, wrong = (sum(column) for column in zip(*marks))
    return 2 * hit / max(1, 2 * hit + missed + wrong)


def measure(pages, texts):
    scores = collections.defaultdict(list)
    for page, text in zip(pages, texts):
        value = segments(page, text) if page["gold"] == "snippets" else f4(page["text"], text)
        for name in kinds(page):
            scores[name].append(value)
    figures = {}
    for name, values in sorted(scores.items()):
        if len(values) >= PAGES_MIN:
            figures[name] = segments_f1(values) if isinstance(values[0], tuple) else mean(values)
    figures["macro"] = mean([figures["wceb"], figures["zyte"], figures["trafilatura"]])
    return figures


def show(title, pages, table, judged):
    texts = []
    for blocks, row, words in zip(table.texts, judged, table.words):
        kept = labels.choose(row, words)
        texts.append("\n".join(text for text, keep in zip(blocks, kept) if keep))
    print(title)
    for name, value in measure(pages, texts).items():
        print(f"  {name:24}{value:.4f}")
