"""A call of another type than its signature says is told so by name, and nothing has begun."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skipit_nb import Session, SkipitError, SkipSet
from skipit_nb.errors import SettingError
from skipit_nb.jobs import Tick
from skipit_nb.results import RedundancyProfile
from skipit_nb.signature import held, held_class


@held
def call(  # noqa: PLR0913 - one of each kind
    layers: int,
    margin: float | None = None,
    *,
    pid: bool = False,
    views: Sequence[str] = (),
    skipset: SkipSet | str | None = None,
    path: str | Path = "",
    rows: Mapping[str, int] | None = None,
    executor: Executor | None = None,
    many: Iterable[int] = (),
    then: Callable[[int], object] | None = None,
    progress: Tick | bool | None = None,
    image: Any = None,
    **knobs: float,
) -> dict[str, object]:
    """Give back what was taken."""
    return {**locals()}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"layers": "3"}, "layers is '3', but should be a whole number."),
        ({"layers": 3.0}, "layers is 3.0, but should be a whole number."),
        ({"layers": None}, "layers is None, but should be a whole number."),
        ({"layers": True}, "layers is True, but should be a whole number."),
        ({"margin": "0.1"}, "margin is '0.1', but should be a number or None."),
        ({"margin": False}, "margin is False, but should be a number or None."),
        ({"pid": 1}, "pid is 1, but should be True or False."),
        ({"views": "last"}, "views is 'last', but should be a list."),
        ({"views": None}, "views is None, but should be a list."),
        ({"many": 3}, "many is 3, but should be a list."),
        ({"skipset": 3}, "skipset is 3, but should be a SkipSet, text or None."),
        ({"path": 3}, "path is 3, but should be text or a path."),
        ({"rows": []}, r"rows is \[\], but should be a dict or None."),
        ({"executor": 2}, r"executor is 2, but should be a concurrent.futures.Executor \(.*\) or None."),
        ({"then": 2}, "then is 2, but should be a function or None."),
    ],
)
def test_another_type_is_named_with_what_is_asked_for(given: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        call(**{"layers": 3} | given)


def test_what_the_annotation_says_passes_as_it_is() -> None:
    given = {
        "layers": 3, "margin": 1, "pid": True, "views": ["last"], "skipset": SkipSet.none(), "path": Path("x"),
        "rows": {}, "executor": None, "many": {4}, "then": print, "progress": print, "image": object(),
    }  # fmt: skip
    assert call(**given, knob=0.5) == given | {"knobs": {"knob": 0.5}}


def test_numbers_of_numpy_become_pythons() -> None:
    taken = call(np.int64(3), np.float32(0.5))
    assert (type(taken["layers"]), type(taken["margin"])) == (int, float)
    assert type(call(3, np.int32(1))["margin"]) is int


def test_an_unknown_argument_is_told_with_those_there_are() -> None:
    with pytest.raises(
        TypeError, match=r"recommend\(\) got an unexpected keyword argument 'foo'. It takes profile, lev"
    ):
        Session.recommend(None, None, foo=1)  # type: ignore[arg-type,call-arg]
    with pytest.raises(TypeError, match=r"compare\(\) missing a required argument: 'task'"):
        Session.compare(None)  # type: ignore[call-arg,arg-type]


def test_every_public_method_of_a_class_is_held_inherited_ones_too_and_private_ones_are_not() -> None:
    class Base:
        def count(self, n: int) -> int:
            return n

    @held_class
    class Made(Base):
        @classmethod
        def made(cls, n: int) -> tuple[type, int]:
            return cls, n

        def _inner(self, n: int) -> int:
            return n

    made: Any = Made()
    assert (made.count(2), made.made(2), made._inner("2")) == (2, (Made, 2), "2")
    for refused in (made.count, made.made):
        with pytest.raises(SettingError, match="n is '2'"):
            refused("2")
    assert Base().count("2") == "2"  # type: ignore[arg-type,comparison-overlap]


NUMBERS: dict[str, tuple[str, ...]] = {
    "recommend": ("level", "max_distance", "epsilon", "max_tail", "max_var"),
    "search": ("limit", "speedup", "beam", "seed", "racing", "batch_size"),
    "race": ("limit", "margin", "level", "chunk", "seed"),
    "equal_cost": ("limit", "speedup", "controls", "seed"),
    "compare": ("limit", "margin", "batch_size", "seed"),
    "robustness": ("limit", "perturbations", "seed"),
    "information": ("limit", "ks", "permutations", "seed"),
    "functional": ("limit", "folds", "strength", "permutations", "seed"),
    "agreement": ("limit", "epsilon", "seed"),
    "lipschitz": ("limit", "iterations", "seed"),
    "bounds_report": ("limit", "k", "epsilon", "seed"),
    "sweep": ("limit", "batch_size", "finalists", "memory", "seed"),
}
"""Method → what each of its settings is named."""

OTHERS = {
    "limit": 100,
    "examples": "digits-vqa",
    "task": "digits-vqa",
    "skipsets": ["whole 3", "whole 4"],
    "b": "whole 3",
}


@pytest.fixture(scope="module")
def profile(session: Session) -> RedundancyProfile:
    return session.profile("digits-vqa", limit=4)


@pytest.mark.model
@pytest.mark.parametrize("value", ["x", object(), -1, [], True], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(("method", "name"), [(method, name) for method, names in NUMBERS.items() for name in names])
def test_a_setting_that_is_no_number_is_named(
    session: Session, profile: RedundancyProfile, method: str, name: str, value: object
) -> None:
    call = getattr(session, method)
    takes = inspect.signature(call).parameters
    given: dict[str, Any] = {key: one for key, one in (OTHERS | {"profile": profile}).items() if key in takes}
    given |= {"speedup": 1.1} if "speedup" in takes else {}
    with pytest.raises(SkipitError, match=rf"\b{name}\b"):
        call(**given | {name: value})


@pytest.mark.model
@pytest.mark.parametrize("knob", [{"layers": "2"}, {"layers": 2.5}, {"layers": None}, {"layers": True}])
def test_a_knob_of_a_method_is_held_too(session: Session, knob: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=r"layers is .*, but should be a whole number"):
        session.propose("shortgpt", "digits-vqa", limit=4, **knob)
    with pytest.raises(SettingError, match="max_kl is 'x', but should be a number"):
        session.propose("vtw", "digits-vqa", limit=4, max_kl="x")
