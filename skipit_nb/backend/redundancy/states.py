"""Pooled states: one vector per boundary, question and view, small enough to keep for a whole task.

A decoder in eval mode is deterministic, so the *full* state of one boundary tells everything about the next, and
information or risk measured on it says nothing. Every measure that follows therefore names its view.

Shapes:
    boundary  num_layers + 1: before layer 0, …, after the last layer, before the final norm
    view      `VIEWS`: mean of the vision tokens, mean of the text tokens (the first left out), last prompt token
    sample    questions
    d_model   width of the residual stream
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.redundancy.geometric import token_kinds
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import ConstantAnswerError, NoExamplesError, NotFiniteError, SettingError
from skipit_nb.jobs import Tick

VIEWS = ("vision", "text", "last")
"""Mean of the vision tokens; mean of the text tokens but the first; the last token of the prompt."""


def refuse_views(views: Sequence[str]) -> None:
    """Refuse views that no question has; to be called before a model runs for them.

    Raises:
        SettingError: If one is unknown, or there is none.
    """
    if not views or not set(views) <= set(VIEWS):
        raise SettingError("views", views, f"a tuple of some of {VIEWS}")


States = NDArray[np.float32]
"""[boundary, sample, d_model] of one view."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known of the questions before any state is."""

    answers: NDArray[np.int64]
    """[sample] the right answer's number in `words`."""
    words: tuple[str, ...]
    """The answers that occurred, sorted."""
    clusters: NDArray[np.int64]
    """[sample] number of the image; questions about one image belong together."""


@dataclass(frozen=True, slots=True)
class PooledStates:
    """The states of a model over questions, pooled; and the answers that they should tell."""

    states: dict[str, States]
    """For each view that occurred in every question: [boundary, sample, d_model] float32."""
    answers: NDArray[np.int64]
    """[sample] the right answer's number in `words`."""
    words: tuple[str, ...]
    """The answers that occurred, sorted."""
    clusters: NDArray[np.int64]
    """[sample] number of the image; questions about one image belong together."""

    def of(self, view: str) -> States:
        """The states of one view.

        Raises:
            SettingError: If it is no view, or some question has none of its tokens.
        """
        if view not in self.states:
            raise SettingError("view", view, f"one that every question has: {', '.join(self.states)}")
        return self.states[view]


def labelled(examples: Sequence[Example]) -> Labels:
    """The answers and images of questions, as numbers.

    Raises:
        NoExamplesError: If there are no examples.
        ConstantAnswerError: If all answers are the same, so that nothing can be known about them.
    """
    if not examples:
        raise NoExamplesError("a measurement")
    words, answers = np.unique([example.answer for example in examples], return_inverse=True)
    if len(words) == 1:
        raise ConstantAnswerError(str(words[0]), len(examples))
    _, clusters = np.unique([example.cluster for example in examples], return_inverse=True)
    return Labels(answers, tuple(map(str, words)), clusters)


def pooled_states(live: LiveModel, examples: Sequence[Example], *, batch_size: int, tick: Tick) -> PooledStates:
    """Run the model over `examples` and keep every view at every boundary. The lock is taken per batch.

    Raises:
        NoExamplesError: If there are no examples.
        ConstantAnswerError: If all answers are the same, so that nothing can be known about them.
        NotFiniteError: If a layer gives NaN or infinity; the error names it.
    """
    labels = labelled(examples)
    found: list[Tensor] = []
    has_view: list[Tensor] = []
    for start in range(0, len(examples), batch_size):
        tick(start, len(examples))
        batch = examples[start : start + batch_size]
        inputs = live.inputs([example.image for example in batch], [example.question for example in batch])
        with live.lock, torch.inference_mode(), recording(live.anatomy, inputs) as states:
            live.model(**inputs, use_cache=False, logits_to_keep=1)
        found.append(_finite(torch.stack(states)).cpu())
        has_view.append(shares(live.anatomy, inputs).any(2).cpu())
    tick(len(examples), len(examples))
    everything, present = torch.cat(found, dim=2).numpy(), torch.cat(has_view, dim=1).all(1)
    states_of = {view: everything[:, i] for i, view in enumerate(VIEWS) if present[i]}
    return PooledStates(states_of, labels.answers, labels.words, labels.clusters)


def shares(anatomy: Anatomy, inputs: Inputs) -> Tensor:
    """How much every position counts in every view: [view, batch, seq], 1 in all where the view has tokens."""
    vision, text, first = token_kinds(inputs, anatomy)
    is_token = vision | text | first
    last = is_token & (is_token.flip(1).cumsum(1).flip(1) == 1)
    picked = torch.stack([vision, text, last]).float()
    return picked / picked.sum(2, keepdim=True).clamp_min(1)


@contextlib.contextmanager
def recording(anatomy: Anatomy, inputs: Inputs) -> Iterator[list[Tensor]]:
    """Collect [view, batch, d_model] at every boundary of the forward pass inside the block, in float32."""
    share, found = shares(anatomy, inputs), list[Tensor]()

    def hook(_: nn.Module, args: tuple[Tensor, ...], out: Tensor | tuple[Tensor, ...]) -> None:
        states = (out[0] if isinstance(out, tuple) else out) if found else args[0]
        found.append(pooled(states, share))
        if len(found) == 1:
            hook(_, args, out)

    with contextlib.ExitStack() as undo:
        for layer in anatomy.layers:
            undo.callback(layer.register_forward_hook(hook).remove)
        yield found


def pooled(states: Tensor, share: Tensor) -> Tensor:
    """[view, batch, d_model] means of [batch, seq, d_model]; positions that do not count may hold anything."""
    counts = (share > 0).any(0)
    clean = states.float().masked_fill(~counts[..., None].to(states.device), 0.0)
    return torch.einsum("vbs,bsd->vbd", share.to(states.device), clean)


def _finite(states: Tensor) -> Tensor:
    """[boundary, view, batch, d_model] as they are.

    Raises:
        NotFiniteError: If one of them is not a number, naming the first layer that gave it.
    """
    bad = ~states.isfinite().all(dim=3)
    if bad.any():
        boundary = int(bad.any(dim=(1, 2)).nonzero()[0])
        raise NotFiniteError(boundary - 1, int(bad[boundary].any(0).sum()))
    return states


def unit(states: NDArray[Any]) -> NDArray[np.float64]:
    """Directions: states of length 1, in the last axis; a zero state stays zero."""
    wide = np.asarray(states, dtype=np.float64)
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    return wide / np.where(length > 0, length, 1.0)
