"""A skip set on any family, the slow and obvious way: all rows run, columns are closed, states are put back.

Written from the definition alone, for eager attention and without a cache: what it computes is what the engine has to
equal. It shares no code with the engine.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from skipit_nb import SkipSet


def vision_rows(model, input_ids: Tensor) -> Tensor:
    """Rows on image positions: [batch, seq] bool."""
    for config in (model.config, model.config.vision_config):
        for name in ("image_token_id", "image_patch_id"):
            if isinstance(getattr(config, name, None), int):
                return input_ids == getattr(config, name)
    raise AssertionError(type(model))


@contextlib.contextmanager
def reference(model, input_ids: Tensor, skipset: SkipSet) -> Iterator[None]:
    """Let every layer of `model` run all rows of uncached passes, and keep only what the set says."""
    prompt = vision_rows(model, input_ids)
    layers = model.get_decoder().layers
    put_back = []
    for index, layer in enumerate(layers):
        actions = {"vision": skipset.action(index, "vision"), "text": skipset.action(index, "text")}
        put_back += [(module, module.forward) for module in (layer, *layer.children())]
        if "attn" in actions.values():
            layer.self_attn.forward = lambda hidden_states, **_: (torch.zeros_like(hidden_states), None)
        if "mlp" in actions.values():
            layer.mlp.forward = torch.zeros_like
        layer.forward = _obvious(layer.forward, actions, prompt)
    try:
        yield
    finally:
        for module, forward in put_back:
            module.forward = forward


def _obvious(run, actions, prompt):
    def forward(hidden, *args, attention_mask=None, **kwargs):
        if set(actions.values()) == {"whole"}:
            return hidden
        batch, length = hidden.shape[:2]
        vision = functional.pad(prompt, (0, length - prompt.shape[1]))[:, -length:]
        vision = vision.repeat_interleave(batch // len(vision), dim=0)
        runs, seen = torch.zeros_like(vision), torch.zeros_like(vision)
        for modality, rows in (("vision", vision), ("text", ~vision)):
            runs |= rows & (actions[modality] not in ("frozen", "absent"))
            seen |= rows & (actions[modality] != "absent")
        if not seen.all():
            is_open = seen[:, None, None, :] | torch.eye(length, dtype=torch.bool)
            attention_mask = torch.where(is_open, attention_mask, torch.finfo(hidden.dtype).min)
        return torch.where(runs[..., None], run(hidden.clone(), *args, attention_mask=attention_mask, **kwargs), hidden)

    return forward
