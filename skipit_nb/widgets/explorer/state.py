"""What the user has chosen in the explorer: one frozen value, and what each of its fields takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from skipit_nb.errors import LayerIndexError, LimitError, SettingError, UnknownTaskError
from skipit_nb.results import BAND_TOKENS, RedundancyProfile
from skipit_nb.results.profile import epsilon_index
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet

LIMIT = 64
EPSILON = 0.02

CHOICES = {
    "over": ("question", "task", "all tasks"),
    "scale": ("log", "linear"),
    "shows": ("distance", "length"),
    "colors": ("this layer", "all layers"),
    "band_tokens": BAND_TOKENS,
}
"""Fields that take one of a few words."""

WHOLE_NUMBERS = ("limit", "seed", "layer", "question")


@dataclass(frozen=True, slots=True)
class Pinned(Stored):
    """A profile that is kept beside whatever is shown: another question, another task, or another model."""

    profile: RedundancyProfile
    label: str
    """What it is, in a few words."""
    call: str
    """The line of Python that measures it, from `session` or `other`; "" if only the profile is known."""


@dataclass(frozen=True, slots=True)
class ExplorerState(Stored):
    """What the user has chosen in the explorer."""

    task: str
    limit: int
    """Questions to measure, at least: whole images."""
    seed: int
    """Of the sampling of questions."""
    epsilon: float
    """Threshold of the tail probability P[d > ε], in 1 - cos, above 0 and at most 2."""
    layer: int
    """The layer whose distances lie over the image."""
    question: int
    """The question shown: its place in the sample, from 0."""
    scale: str
    """Axis of distances and lengths: "log" or "linear"."""
    colors: str
    """The patches' colours span the values of "this layer", or of "all layers" from 0."""
    skipset: SkipSet
    """Layers to shade; it does not change what is measured."""
    over: str = "task"
    """What the plots are of: the one "question", the "task", or "all tasks" with `limit` questions each."""
    shows: str = "distance"
    """What lies over the image and under the words: each token's "distance", or the "length" of its state."""
    band: tuple[int, ...] = ()
    """First and last layer of the band chosen in the map; empty for none."""
    band_tokens: str = "vision"
    """Whose turns the map of bands shows: one of `BAND_TOKENS`."""
    pinned: Pinned | None = None
    """What is shown beside."""


def checked(state: ExplorerState, *, tasks: Sequence[str] | None, num_layers: int) -> ExplorerState:
    """Give the state as it is kept.

    Args:
        state: What was asked for.
        tasks: Tasks there are; None where no question can be asked.
        num_layers: Of the model.

    Raises:
        UnknownTaskError: If there is no such task.
        LimitError: If the limit is below 1.
        LayerIndexError: If the model does not have the layer.
        SettingError: If another field is out of range.
    """
    if tasks is not None and state.task not in tasks:
        raise UnknownTaskError(state.task, tuple(tasks))
    _check_numbers(state, num_layers)
    for name, words in CHOICES.items():
        if getattr(state, name) not in words:
            raise SettingError(name, getattr(state, name), f"one of {', '.join(words)}")
    if state.pinned is not None and not isinstance(state.pinned, Pinned):
        raise SettingError("pinned", state.pinned, "what explorer.pin() keeps, or None")
    return dataclasses.replace(
        state,
        epsilon=float(state.epsilon),
        skipset=SkipSet.of(state.skipset, num_layers=num_layers),
        band=_band(state.band, num_layers),
    )


def _check_numbers(state: ExplorerState, num_layers: int) -> None:
    for name in WHOLE_NUMBERS:
        if isinstance(value := getattr(state, name), bool) or not isinstance(value, int):
            raise SettingError(name, value, "a whole number")
    if state.limit < 1:
        raise LimitError(state.limit)
    if not 0 <= state.layer < num_layers:
        raise LayerIndexError(state.layer, num_layers)
    if state.question < 0:
        raise SettingError("question", state.question, "the place of a question in the sample, from 0")
    if isinstance(state.epsilon, bool) or not isinstance(state.epsilon, int | float):
        raise SettingError("epsilon", state.epsilon, "a number")
    epsilon_index(state.epsilon)


def _band(band: object, num_layers: int) -> tuple[int, ...]:
    given = tuple(band) if isinstance(band, Sequence) else (band,)
    if not given:
        return ()
    if len(given) != 2 or not all(type(x) is int for x in given) or not 0 <= given[0] <= given[1] < num_layers:  # noqa: PLR2004
        raise SettingError("band", band, f"its first and last layer, from 0 to {num_layers - 1}, or ()")
    return given
