"""Labels of blocks: which blocks of a page its gold text asks for, and how much each counts.

Where the gold is a whole text, the labels are the set of blocks that scores best against it: blocks whose word 4-grams are in the gold
come first, then each block is turned over as long as that makes the page's F-measure better. So the labels are what the scorer wants,
also for short blocks that have no 4-gram of their own. Where the gold is segments, only blocks with a segment are labelled at once.
"""
import collections
import re

WORD = re.compile(r"\w+")
TURNS = 3


def words(text):
    return [word.lower() for word in WORD.findall(text)]


def grams(tokens):
    return [tuple(tokens[i:i + 4]) for i in range(len(tokens) - 3)]


def squeeze(text):
    return re.sub(r"\s+", " ", text).strip()


class Marked:
    """`keep` has 1, 0 or None for each block; `best` is the F-measure of the labels themselves."""

    def __init__(self, keep, sizes, gold_size=0, best=0.0):
        self.keep, self.sizes, self.gold_size, self.best = keep, sizes, gold_size, best


def label(page, texts):
    tokens = [words(text) for text in texts]
    sizes = [len(row) for row in tokens]
    if page["gold"] in ("fulltext", "tool-expected"):
        gold = words(page["text"])
        keep, best = best_blocks(tokens, gold) if len(gold) >= 4 else ([0] * len(texts), float(not gold))
        return Marked(keep, sizes, len(gold), best)
    if page["gold"] == "snippets":
        return Marked([by_segments(page, squeeze(text)) for text in texts], sizes)
    return Marked([None] * len(texts), sizes)


def by_segments(page, text):
    wanted, unwanted = (any(squeeze(segment) in text for segment in page[kind]) for kind in ("with", "without"))
    return None if wanted == unwanted else int(wanted)


def best_blocks(tokens, gold):
    want = collections.Counter(grams(gold))
    size = len(gold) - 3
    keep = [int(len(row) >= 6 and 2 * sum(gram in want for gram in grams(row)) >= len(row) - 3) for row in tokens]
    have = collections.Counter(grams([token for row, kept in zip(tokens, keep) if kept for token in row]))
    total = have.total()
    same = sum(min(number, want[gram]) for gram, number in have.items() if gram in want)
    best = 2 * same / (total + size)
    for _ in range(TURNS):
        changed = False
        for at, row in enumerate(tokens):
            if not row:
                continue
            before, behind = kept_before(tokens, keep, at), kept_behind(tokens, keep, at)
            joined, apart = grams(before + row + behind), grams(before + behind)
            gone, come = (joined, apart) if keep[at] else (apart, joined)
            gain = exchange(have, want, gone, come)
            measure = 2 * (same + gain) / (total + len(come) - len(gone) + size)
            if measure > best + 1e-12:
                keep[at], best, same, total, changed = 1 - keep[at], measure, same + gain, total + len(come) - len(gone), True
            else:
                exchange(have, want, come, gone)
        if not changed:
            break
    return keep, best


def exchange(have, want, gone, come):
    """Takes `gone` out of the counts and `come` in; gives by how much the overlap with `want` grows."""
    gain = 0
    for gram in gone:
        gain -= have[gram] <= want.get(gram, 0)
        have[gram] -= 1
    for gram in come:
        gain += have[gram] < want.get(gram, 0)
        have[gram] += 1
    return gain


def kept_before(tokens, keep, at):
    found = []
    while at > 0 and len(found) < 3:
        at -= 1
        if keep[at]:
            found = tokens[at] + found
    return found[-3:]


def kept_behind(tokens, keep, at):
    found = []
    while at + 1 < len(tokens) and len(found) < 3:
        at += 1
        if keep[at]:
            found = found + tokens[at]
    return found[:3]


def rows(pages, marked, stage_words, judged, set_weight):
    """What is wanted of each block, and its weight: its share of the page's text, so that every page counts much the same."""
    wanted, weight = [], []
    for at, (page, mark) in enumerate(zip(pages, marked)):
        if page["gold"] == "snippets":
            one, two = by_judgement(mark, judged[at] if judged else None, set_weight[page["set"]])
        else:
            one = [keep or 0 for keep in mark.keep]
            scale = set_weight[page["set"]] * (0.2 if mark.best < 0.5 else 1.0)
            two = [scale * part(size, mark.gold_size, sum(mark.sizes)) for size in mark.sizes]
        wanted.append(one)
        weight.append([value if size else 0.0 for value, size in zip(two, mark.sizes)])
    return wanted, weight


SEGMENT_WEIGHT = 0.15


def part(size, content, all_words):
    return min((size + 1.5) / (max(content, 1) + 0.15 * all_words + 30), 1.0)


def by_judgement(mark, judged, scale):
    """Blocks with a segment as marked; the others, where there are judgements, as judged, and the less the less sure."""
    if judged is None:
        return [keep or 0 for keep in mark.keep], [SEGMENT_WEIGHT * (keep is not None) for keep in mark.keep]
    chosen = choose(judged, mark.sizes)
    wanted = [int(chose) if keep is None else keep for keep, chose in zip(mark.keep, chosen)]
    content = sum(size for size, want in zip(mark.sizes, wanted) if want)
    weight = []
    for keep, size, likely in zip(mark.keep, mark.sizes, judged):
        value = scale * part(size, content, sum(mark.sizes)) * abs(2 * likely - 1)
        weight.append(value if keep is None else max(value, SEGMENT_WEIGHT))
    return wanted, weight


def choose(judged, sizes, best_min=0.25, words_min=32):
    """The blocks that give the best F-measure to be expected, as `src/stages/extract/judge.rs` chooses them."""
    if sum(sizes) < words_min:
        return [True] * len(sizes)
    expected = sum(likely * (size + 0.5) for likely, size in zip(judged, sizes))
    kept = right = best = 0.0
    threshold = 2.0
    for likely, size in sorted(zip(judged, sizes), key=lambda pair: -pair[0]):
        kept += size + 0.5
        right += likely * (size + 0.5)
        measure = 2 * right / (kept + expected)
        if measure > best:
            best, threshold = measure, likely
    return [best >= best_min and likely >= threshold for likely in judged]
