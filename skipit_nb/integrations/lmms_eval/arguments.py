"""Values as lmms-eval hands them over: `--model_args` cut at commas, and whatever looks like a number made one."""

from __future__ import annotations

from skipit_nb.errors import SettingError
from skipit_nb.skipset import SkipSet

_CLAUSE, _WORD = "/", ":"
"""Stand for `; ` and a space, so that a skip set needs no quotes in a shell."""


def skip_argument(value: object) -> SkipSet:
    """Read the skip set of `--model_args …,skip=VALUE`.

    The written form goes through whole if the shell quotes it: ``'skip=vision absent 2-; whole 1'``. Without quotes,
    ``:`` stands for a space and ``/`` for a semicolon: ``skip=vision:absent:2-/whole:1``. Layers alone are skipped
    whole: ``skip=12+13`` or ``skip=4-7``, and a single ``skip=12``, which lmms-eval makes an int.

    Args:
        value: A string, an int, a skip set, or None for the full model.

    Raises:
        SettingError: If lmms-eval has already made something else of it, such as 1213.0 of ``12_13``.
        SkipSetSyntaxError: If it is no skip set.
        SkipSetConflictError: If it contradicts itself.

    Example:
        >>> str(skip_argument("vision:absent:2-/whole:1")), str(skip_argument("12+13")), str(skip_argument(5))
        ('vision absent 2-; whole 1', 'whole 12-13', 'whole 5')
    """
    if value is None or value == "":
        return SkipSet.parse("none")
    if isinstance(value, SkipSet):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str):
        expected = "a skip set such as vision:absent:2- or 12+13; lmms-eval reads 12_13 and 1e5 as numbers"
        raise SettingError("skip", value, expected)
    text = str(value).replace(_CLAUSE, "; ").replace(_WORD, " ").strip()
    return SkipSet.parse(f"whole {text}" if text[:1].isdigit() else text)


def batch_argument(value: object) -> int:
    """Read `--batch_size`, which lmms-eval hands over as text.

    Raises:
        SettingError: If it is no whole number of at least 1, such as "auto": a batch's size changes answers in half
            precision, so it must not depend on the free memory of the day.
    """
    try:
        size = int(str(value))
    except ValueError:
        size = 0
    if size < 1:
        raise SettingError("batch_size", value, "a whole number of at least 1, the same for both arms")
    return size


def text_argument(name: str, value: object) -> str | None:
    """Read a name or a commit that lmms-eval may have made a number of.

    Raises:
        SettingError: If it made a float of it: what stood there cannot be known any more.
    """
    if value is None or (isinstance(value, str | int) and not isinstance(value, bool)):
        return None if value is None else str(value)
    raise SettingError(name, value, "text; lmms-eval reads some commits, such as 12e45678, as numbers: name a branch")
