"""The stages of a real `generate`: what is beside the language model, and the language model, pass by pass."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any, Protocol

from torch import nn
from transformers import PreTrainedModel

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.model import LiveModel

VISION, LANGUAGE = "vision", "language"


class Watcher(Protocol):
    """Hears where each stage begins and ends."""

    def begins(self, stage: str, step: int) -> None:
        """`stage` is "vision" or "language"; step 0 reads the prompt, step i makes new token i + 1."""

    def ends(self, stage: str, step: int) -> None:
        """The same stage is over; the decoder and then the head are both "language"."""


@contextlib.contextmanager
def watched(live: LiveModel, watcher: Watcher) -> Iterator[None]:
    """Tell `watcher` of every stage inside the block. Enter it inside `live.skipping`, whose work then counts too.

    Stages never overlap: one that begins inside another interrupts it, as vision towers inside a decoder do.
    """
    stages = _Stages(watcher, live.anatomy.decoder)
    with contextlib.ExitStack() as undo:
        for part, stage in _parts(live):
            # First in, last out: what a skip set does before and after a part is its cost.
            begin, end = partial(stages.enter, stage), partial(stages.leave, stage)
            undo.callback(part.register_forward_pre_hook(begin, prepend=True).remove)
            undo.callback(part.register_forward_hook(end, always_call=True).remove)
        yield


class _Stages:
    """Turns calls of modules into stages."""

    def __init__(self, watcher: Watcher, decoder: nn.Module) -> None:
        self._watcher, self._decoder = watcher, decoder
        self._open: list[str] = []
        self._step = -1

    def enter(self, stage: str, module: nn.Module, *_: Any) -> None:
        if self._open:
            self._watcher.ends(self._open[-1], max(self._step, 0))
        self._step += module is self._decoder
        self._open.append(stage)
        self._watcher.begins(stage, max(self._step, 0))

    def leave(self, stage: str, *_: Any) -> None:
        self._open.pop()
        self._watcher.ends(stage, max(self._step, 0))
        if self._open:
            self._watcher.begins(self._open[-1], max(self._step, 0))


def _parts(live: LiveModel) -> Iterator[tuple[nn.Module, str]]:
    yield live.anatomy.decoder, LANGUAGE
    yield live.anatomy.head, LANGUAGE
    for part in parts_beside(live.model, live.anatomy):
        yield part, VISION


def parts_beside(model: PreTrainedModel, anatomy: Anatomy) -> Iterator[nn.Module]:
    """The largest modules with weights that hold nothing of the language model: vision tower and projector."""
    embeddings = model.get_input_embeddings()
    yield from _largest_without({anatomy.decoder, anatomy.head, embeddings}, model)
    for child in anatomy.decoder.children():  # Phi-4 keeps its vision tower there
        is_own = isinstance(child, nn.ModuleList) or embeddings in set(child.modules())
        if not is_own and any(True for _ in child.children()):
            yield child


def _largest_without(language: set[nn.Module], module: nn.Module) -> Iterator[nn.Module]:
    for child in module.children():
        if child in language or not any(True for _ in child.parameters()):
            continue
        # A list of modules is never called itself.
        if isinstance(child, nn.ModuleList | nn.ModuleDict) or language & set(child.modules()):
            yield from _largest_without(language, child)
        else:
            yield child
