"""Bytes that an answer takes beside the weights, and weights that a skip set leaves unused."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from transformers import Cache

from skipit_nb.backend.evaluation.efficiency.device import Device
from skipit_nb.backend.evaluation.efficiency.stopwatch import generated
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.cost import Cost
from skipit_nb.skipset import SkipSet


def kv_bytes(live: LiveModel, skipset: SkipSet, inputs: Inputs) -> int:
    """Bytes of the prompt's KV cache, from the tensors that `generate` hands back. Hold the model's lock.

    A layer that keeps no keys still counts its tokens, by a zero each; those are in it and in no prediction.
    """
    with live.skipping(skipset), torch.inference_mode():
        out = live.model.generate(**inputs, max_new_tokens=1, do_sample=False, return_dict_in_generate=True)
    cache = getattr(out, "cache", None)  # its name from transformers 5.24 on
    return sum(tensor.nbytes for tensor in _tensors(out.past_key_values if cache is None else cache))


def _tensors(cache: Cache | None) -> Iterator[Tensor]:
    """Keys, values and states of every layer of a cache."""
    for layer in () if cache is None else cache.layers:
        yield from (value for value in vars(layer).values() if isinstance(value, Tensor) and value.dim() > 1)


def peak_bytes(live: LiveModel, skipset: SkipSet, inputs: Inputs, device: Device, *, new_tokens: int) -> int:
    """The most memory in use during one answer, above what was in use before it: the resident weights and inputs."""
    resident = device.begin_peak()
    with live.skipping(skipset), torch.inference_mode():
        generated(live, inputs, at_least=new_tokens, at_most=new_tokens)
    return device.peak() - resident


def weights(live: LiveModel) -> tuple[int, int]:
    """All weights of the model, and their bytes; a quantised one packs several into a byte."""
    tensors = list(live.model.parameters())
    return sum(tensor.numel() for tensor in tensors), sum(tensor.nbytes for tensor in tensors)


def unused_weights(full: Cost, under: Cost) -> int:
    """Weights of the layers' matrices that no token goes through, and that a pruned checkpoint would leave out."""
    return full.active_parameters - under.active_parameters
