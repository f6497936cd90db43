"""Models and engines that are broken on purpose, each in one way."""

from __future__ import annotations

import contextlib

import torch
from transformers.cache_utils import DynamicLayer

from skipit_nb.backend.live import model as live_model

real = live_model.skipping


def on_leaving(monkeypatch, spoil):
    """An engine that does something to the model whenever a skip set comes off."""

    @contextlib.contextmanager
    def skipping(model, anatomy, skipset, **more):
        try:
            with real(model, anatomy, skipset, **more):
                yield
        finally:
            if not skipset.is_empty:
                spoil(model, anatomy)

    monkeypatch.setattr(live_model, "skipping", skipping)


def inside(monkeypatch, spoil):
    """An engine that does something more while a skip set is on; `spoil` gives what undoes it."""

    @contextlib.contextmanager
    def skipping(model, anatomy, skipset, **more):
        with real(model, anatomy, skipset, **more):
            undo = spoil(anatomy, skipset)
            try:
                yield
            finally:
                undo()

    monkeypatch.setattr(live_model, "skipping", skipping)


def leaves_a_hook_behind(monkeypatch, session):
    on_leaving(monkeypatch, lambda _, anatomy: anatomy.layers[0].register_forward_hook(lambda *_: None))


def leaves_a_forward_behind(monkeypatch, session):
    def spoil(_, anatomy):
        anatomy.layers[2].forward = type(anatomy.layers[2]).forward.__get__(anatomy.layers[2])

    on_leaving(monkeypatch, spoil)


def changes_one_weight(monkeypatch, session):
    def spoil(_, anatomy):
        with torch.no_grad():
            weight = anatomy.layers[3].mlp.up_proj.weight
            weight[1, 2] = weight[1, 2].nextafter(torch.tensor(9.0))

    on_leaving(monkeypatch, spoil)


def leaves_a_layer_in_training(monkeypatch, session):
    on_leaving(monkeypatch, lambda _, anatomy: anatomy.layers[4].train())


def installs_something_for_an_empty_set(monkeypatch, session):
    def spoil(anatomy, skipset):
        if not skipset.is_empty:
            return lambda: None
        return anatomy.final_norm.register_forward_hook(lambda _, __, out: out * (1 + 1e-6)).remove

    inside(monkeypatch, spoil)


def only_simulates_the_skip(monkeypatch, session):
    """Skipped layers do all their work, and what comes of it is thrown away."""

    def spoil(anatomy, skipset):
        for layer in anatomy.layers:
            if "forward" not in vars(layer):
                continue
            layer.forward = working_for_nothing(layer, layer.forward)
        return lambda: None

    inside(monkeypatch, spoil)


def working_for_nothing(layer, forward):
    def both(hidden, *args, **kwargs):
        alone = {name: value for name, value in kwargs.items() if name == "position_embeddings"}
        type(layer).forward(layer, hidden, attention_mask=None, **alone)
        return forward(hidden, *args, **kwargs)

    return both


def has_a_cache_that_lies(monkeypatch, session):
    """It forgets the values of every token but the newest."""
    honest = DynamicLayer.update

    def update(self, keys, values, *args, **kwargs):
        new = values.shape[2]
        keys, values = honest(self, keys, values, *args, **kwargs)
        values[:, :, :-new] = 0
        return keys, values

    monkeypatch.setattr(DynamicLayer, "update", update)


def looks_at_the_padding(monkeypatch, session):
    """Its decoder takes padding for text."""

    def open_all(_, args, kwargs):
        mask = kwargs.get("attention_mask")
        if isinstance(mask, torch.Tensor):
            kwargs["attention_mask"] = torch.ones_like(mask)
        return args, kwargs

    session._open.anatomy.decoder.register_forward_pre_hook(open_all, with_kwargs=True)


FAULTS = {
    leaves_a_hook_behind: "model restored",
    leaves_a_forward_behind: "model restored",
    changes_one_weight: "model restored",
    leaves_a_layer_in_training: "model restored",
    installs_something_for_an_empty_set: "empty set",
    only_simulates_the_skip: "FLOPs",
    has_a_cache_that_lies: "KV cache",
    looks_at_the_padding: "left padding",
}
"""Each fault and the one check that must see it."""
