"""Trains a tiny bigram model with NumPy on a packed data set, and shows that the loss falls.

    python train.py WORKSPACE/packed/NAME [STEPS]

It is here to show what a trainer needs: ids, labels without padding, boundaries of documents. The model is two small matrices.
"""
import sys

import numpy as np

from packed import Packed


def pairs(item, seen):
    """Each token and the next of the same document, by their numbers among the tokens that were seen."""
    ids, ends = item["input_ids"], item["cu_seqlens"]
    for begin, end in zip(ends[:-1], ends[1:]):
        numbers = [seen.setdefault(int(token), len(seen)) for token in ids[begin:end]]
        yield from zip(numbers[:-1], numbers[1:])


def main(folder, steps=200, width=16, rate=0.1):
    seen = {}
    batches = [batch for item in Packed(folder) if (batch := list(pairs(item, seen)))]
    chance = np.random.default_rng(1)
    enter = chance.normal(0, 0.1, (len(seen), width))
    leave = chance.normal(0, 0.1, (width, len(seen)))
    squares_enter, squares_leave = np.zeros_like(enter), np.zeros_like(leave)
    losses = []
    for step in range(steps):
        here, there = np.array(batches[step % len(batches)]).T
        state = enter[here]
        scores = state @ leave
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        chances /= chances.sum(axis=1, keepdims=True)
        rows = np.arange(len(there))
        losses.append(-np.log(chances[rows, there] + 1e-12).mean())
        # The gradient of the cross entropy, with a step of its own for each weight (Adagrad), so that it is stable on any text.
        chances[rows, there] -= 1
        chances /= len(there)
        of_enter = np.zeros_like(enter)
        np.add.at(of_enter, here, chances @ leave.T)
        of_leave = state.T @ chances
        for weights, slope, squares in ((enter, of_enter, squares_enter), (leave, of_leave, squares_leave)):
            squares += slope**2
            weights -= rate * slope / np.sqrt(squares + 1e-10)
    first, last = np.mean(losses[:10]), np.mean(losses[-10:])
    print(f"loss {first:.3f} -> {last:.3f}")
    return first, last


if __name__ == "__main__":
    first, last = main(sys.argv[1], *map(int, sys.argv[2:3]))
    sys.exit(0 if last < first else 1)
