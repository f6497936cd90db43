"""Joules of an answer, from the card's own counter: many answers in a row, since the counter moves slowly."""

from __future__ import annotations

import time
from statistics import fmean

import torch

from skipit_nb.backend.evaluation.efficiency.device import Device
from skipit_nb.backend.evaluation.efficiency.stopwatch import generated
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.skipset import SkipSet

SECONDS = 1.0
"""Of each stretch: the counter is renewed some ten to fifty times a second."""


def joules_of_arms(
    live: LiveModel,
    arms: tuple[SkipSet, SkipSet],
    inputs: Inputs,
    device: Device,
    *,
    new_tokens: int,
    seconds: float = SECONDS,
) -> tuple[float, float]:
    """Joules of one answer under A and B, in stretches A B B A; what an idle card takes meanwhile is in it.

    Hold the model's lock.
    """
    found: dict[str, list[float]] = {"a": [], "b": []}
    for arm in "abba":
        with live.skipping(arms["ab".index(arm)]), torch.inference_mode():
            found[arm].append(_joules(live, inputs, device, new_tokens, seconds))
    return fmean(found["a"]), fmean(found["b"])


def _joules(live: LiveModel, inputs: Inputs, device: Device, new_tokens: int, seconds: float) -> float:
    device.synchronise()
    before, start, answers = device.joules(), time.perf_counter(), 0
    while answers == 0 or time.perf_counter() - start < seconds:
        generated(live, inputs, at_least=new_tokens, at_most=new_tokens)
        device.synchronise()
        answers += 1
    return (device.joules() - before) / answers
