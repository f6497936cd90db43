"""Answers that must be the same: asked twice, with and without a KV cache, in a padded batch and alone."""

from __future__ import annotations

import math

import torch

from skipit_nb.backend.checks.trial import NEW_TOKENS, Trial, rows_that_differ
from skipit_nb.backend.evaluation.efficiency.device import Device
from skipit_nb.backend.evaluation.efficiency.timing import time_arms
from skipit_nb.results.checks import FAILED, NOT_APPLICABLE, PASSED, SelfCheck
from skipit_nb.results.efficiency import EfficiencyRow

TIMED = 5
"""Prompts of the timing of A against A."""
CLOSE = 0.02
"""A ratio of times this close to 1 is 1, however narrow its interval."""


def same_twice(trial: Trial) -> SelfCheck:
    """Whether the same prompts in the same batch get the same tokens twice."""
    inputs = trial.batch()
    flips = rows_that_differ(trial.tokens(inputs), trial.tokens(inputs))
    sentence = f"{flips} of {len(trial.examples)} prompts get other tokens when they are asked again"
    return SelfCheck("A/A answers", FAILED if flips else PASSED, float(flips), "flips", sentence)


def same_time_twice(trial: Trial, device: Device) -> SelfCheck:
    """Whether the skip set is as fast as itself."""
    arms, prompts = (trial.skipset, trial.skipset), trial.examples[:TIMED]
    rows = time_arms(trial.live, arms, prompts, device, max_new_tokens=1, tick=lambda *_: None)
    return judged_time(next(row for row in rows if row.name == "time to first token"))


def judged_time(row: EfficiencyRow) -> SelfCheck:
    """Judge a ratio of times that is truly 1: failed if it is twice as far from 1 as its 95 % interval reaches.

    So an honest machine fails once in two hundred tries rather than once in twenty.
    """
    ratio, high = row.ratio or math.nan, row.high or math.inf
    allowed = max(2 * math.log(high / ratio), math.log1p(CLOSE))
    is_one = abs(math.log(ratio)) <= allowed
    found = f"the same skip set timed against itself: {ratio:.3f} times as long [{row.low:.3f}, {high:.3f}]"
    sentence = found if is_one else f"{found}; something else takes the machine's time, so no ratio can be trusted"
    return SelfCheck("A/A times", PASSED if is_one else FAILED, ratio, "A / A", sentence)


def same_without_cache(trial: Trial) -> SelfCheck:
    """Whether greedy tokens under the set are the same with a KV cache and without."""
    inputs = trial.batch()
    flips = rows_that_differ(trial.tokens(inputs), trial.tokens(inputs, use_cache=False))
    return _judged_rows(trial, "KV cache", flips, "get other tokens with a KV cache than without")


def same_alone(trial: Trial) -> SelfCheck:
    """Whether a left-padded batch gets the tokens that its prompts get one by one."""
    inputs = trial.batch()
    if bool(inputs["attention_mask"].all()):
        sentence = "these prompts are all of one length, so that none is padded"
        return SelfCheck("left padding", NOT_APPLICABLE, None, "flips", sentence)
    alone = torch.cat([trial.tokens(trial.alone(example)) for example in trial.examples])
    flips = rows_that_differ(trial.tokens(inputs), alone)
    return _judged_rows(trial, "left padding", flips, "get other tokens in a left-padded batch than alone")


def _judged_rows(trial: Trial, name: str, flips: int, what: str) -> SelfCheck:
    """In float32 nothing may flip; in half precision rounding depends on shapes, and what flips is only told."""
    of = len(trial.examples)
    sentence = f"{flips} of {of} prompts {what} ({NEW_TOKENS} tokens)"
    if trial.is_exact:
        return SelfCheck(name, FAILED if flips else PASSED, float(flips), "flips", sentence)
    dtype = str(trial.live.model.dtype).removeprefix("torch.")
    return SelfCheck(
        name, NOT_APPLICABLE, float(flips), "flips", f"{sentence}: in {dtype} rounding may do that; try float32"
    )
