"""A call held to its signature: an argument of another type is told in a sentence, before anything has begun."""

from __future__ import annotations

import inspect
from abc import ABCMeta
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from functools import cache, wraps
from numbers import Integral, Real
from pathlib import Path
from types import FunctionType, NoneType, UnionType
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from skipit_nb.errors import SettingError

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)

WORDS = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    Mapping: "a dict",
    Iterable: "a list",
    Callable: "a function",
    Executor: "a concurrent.futures.Executor (of a Dask client, client.get_executor())",
    NoneType: "None",
}
"""What is asked for, by its type; of another class its name."""


def held_class(cls: C) -> C:
    """The class with every public method, its own or inherited, held to its signature."""
    for name in dir(cls):
        method = inspect.getattr_static(cls, name)
        if name.startswith("_"):
            continue
        if isinstance(method, FunctionType):
            setattr(cls, name, held(method))
        elif isinstance(method, classmethod):
            setattr(cls, name, classmethod(held(method.__func__)))
    return cls


def held(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which refuses an argument that is not of the annotated type.

    A number of numpy is taken for Python's, so that results can be stored; True and False are no numbers, a text is no
    list. What a list or a dict holds is not looked at, nor is any type that has no class, such as a protocol.

    Raises:
        SettingError: When called so; it names the argument.
        TypeError: When an argument is unknown or missing; it names what there is.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError as problem:  # too many, too few, unknown
            known = ", ".join(name for name in signature.parameters if name not in ("self", "cls"))
            raise TypeError(f"{function.__name__}() {problem}. It takes {known}.") from None
        wanted = _wanted(function)
        for name, value in given.arguments.items():
            if name in wanted:
                given.arguments[name] = _taken(name, value, wanted[name])
        return function(*given.args, **given.kwargs)

    return call


@cache
def _wanted(function: Callable[..., Any]) -> dict[str, tuple[type, ...]]:
    """The classes that each argument may be of; arguments of which that cannot be said are left out."""
    kinds = inspect.signature(function).parameters
    gathered = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    found = {
        name: _classes(hint)
        for name, hint in get_type_hints(function).items()
        if name in kinds and kinds[name].kind not in gathered
    }
    return {name: classes for name, classes in found.items() if classes}


def _classes(hint: Any) -> tuple[type, ...]:
    """The classes of a hint, without their parameters; none if some part of it is no class that can be checked."""
    members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    classes = [get_origin(member) or member for member in members]
    # Protocols, and tensors, have metaclasses of their own.
    is_checked = all(type(one) in (type, ABCMeta) and one is not object for one in classes)
    return tuple(classes) if is_checked else ()


def _taken(name: str, value: Any, wanted: tuple[type, ...]) -> Any:
    """The value, with Python's number for one of numpy.

    Raises:
        SettingError: If it is of none of the classes.
    """
    if not isinstance(value, bool):
        if isinstance(value, Integral) and (int in wanted or float in wanted):
            return int(value)
        if isinstance(value, Real) and not isinstance(value, Integral) and float in wanted:
            return float(value)
        is_letters = isinstance(value, str) and str not in wanted  # which a text is a list of, and nobody means
        if isinstance(value, wanted) and not is_letters:
            return value
    elif bool in wanted:
        return value
    raise SettingError(name, value, _listed([_words(one) for one in wanted]))


def _words(one: type) -> str:
    if one in WORDS:
        return WORDS[one]
    if issubclass(one, Mapping | Sequence):
        return WORDS[Mapping if issubclass(one, Mapping) else Iterable]
    return f"{'an' if one.__name__[0] in 'AEIOU' else 'a'} {one.__name__}"


def _listed(words: list[str]) -> str:
    unique = list(dict.fromkeys(words))
    return " or ".join(filter(None, (", ".join(unique[:-1]), unique[-1])))
