"""Comparisons whose truth is known: many runs of differences -1, 0 or 1, questions of one image flipping together."""

import sys

import numpy as np


def differences(rng, repeats, images, size, worse, better, fragile=1.0):
    """[repeat, question] b - a, mean better - worse exactly; only a share `fragile` of the images flips anything.

    The smaller that share, the more do questions about one image go together: 1 is independence.
    """
    picked = rng.random((repeats, images, 2, 1)) < fragile
    losses, gains = (np.where(picked[:, :, side], p / fragile, 0.0) for side, p in enumerate((worse, better)))
    drawn = rng.random((repeats, images, size))
    found = (drawn > 1 - gains).astype(float) - (drawn < losses)
    return found.reshape(repeats, images * size)


def clusters(images, size):
    return np.repeat(np.arange(images), size)


def scores(d):
    """Scores under A and under B with these differences."""
    return (d < 0).astype(float), (d > 0).astype(float)


def rate(hits):
    return float(np.mean(hits))


def tell(text):
    """Say what was measured; `pytest -s` shows it."""
    sys.stdout.write(text + "\n")
