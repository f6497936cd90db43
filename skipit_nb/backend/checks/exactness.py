"""Bits that must not change: under an empty skip set, and once a skip set has come off."""

from __future__ import annotations

import contextlib

import torch

from skipit_nb.backend.checks.state import changes, state_of
from skipit_nb.backend.checks.trial import Trial
from skipit_nb.results.checks import FAILED, PASSED, SelfCheck
from skipit_nb.skipset import SkipSet

NAMED = 3
"""Changes that a sentence names."""


def empty_set(trial: Trial) -> SelfCheck:
    """Whether skipping nothing gives the logits of the untouched model, to the bit."""
    live, inputs = trial.live, trial.batch()
    without = trial.logits(inputs)
    with live.skipping(SkipSet.none(num_layers=live.shape.num_layers)):
        under = trial.logits(inputs)
    largest = float((under - without).abs().max())
    is_same = torch.equal(under, without)
    sentence = (
        f"an empty skip set changes no bit of {len(under)} prompts' logits"
        if is_same
        else f"an empty skip set changes logits, by up to {largest:.2g}: what it installs is not nothing"
    )
    return SelfCheck("empty set", PASSED if is_same else FAILED, largest, "logits", sentence)


class _OnPurpose(Exception):  # noqa: N818 - nothing went wrong
    """Leaves a block in the way that an error does."""


def model_restored(trial: Trial) -> SelfCheck:
    """Whether the model is as before after the set was on it, left in peace and left by an error."""
    inputs = trial.batch()
    logits = trial.logits(inputs)  # on its first call transformers hooks a model up by itself
    before = state_of(trial.live)
    trial.tokens(inputs)
    with contextlib.suppress(_OnPurpose), trial.live.skipping(trial.skipset):
        trial.logits(inputs)
        raise _OnPurpose
    changed = changes(before, state_of(trial.live))
    if not torch.equal(logits, trial.logits(inputs)):
        changed.append("logits")
    named = ", ".join(changed[:NAMED]) + (" and more" if len(changed) > NAMED else "")
    sentence = (
        f"not as before: {named}; open the model again"
        if changed
        else "weights, hooks, forwards, modes, settings and logits are as before, also after an error"
    )
    return SelfCheck("model restored", FAILED if changed else PASSED, float(len(changed)), "changes", sentence)
