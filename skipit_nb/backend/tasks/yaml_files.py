"""A task YAML as it stands: its keys, what it includes, and the functions it names, which run only if trusted."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from skipit_nb.errors import TaskDataError


@dataclass(frozen=True, slots=True)
class Named:
    """A function that a file names with ``!function``, such as ``utils.doc_to_text``."""

    name: str


def read(path: Path) -> dict[str, Any]:
    """The keys of a task file, those of files it includes below its own; nothing is run.

    Raises:
        TaskDataError: If it cannot be read, or is no table of keys.
    """
    return _read(path, seen=())


def function(named: Named, folder: Path, *, trust: bool) -> Any:
    """The function that a task file names, from a module beside it.

    Raises:
        TaskDataError: If the user has not said that the file's code may run, or there is no such function.
    """
    where = f"the function {named.name!r}"
    if not trust:
        raise TaskDataError(where, "it is code, and code runs only if you say so", "trust=True, once you have read it")
    *modules, last = named.name.split(".")
    path = folder.joinpath(*modules).with_suffix(".py")
    if not modules or not path.is_file():
        raise TaskDataError(where, f"there is no '{path}'", "a module beside the task file, as in utils.doc_to_text")
    found = getattr(_module(path), last, None)
    if not callable(found):
        raise TaskDataError(where, f"'{path}' has no function {last!r}", "one that it has")
    return found


def _read(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    import yaml

    if path in seen:
        raise TaskDataError(f"'{path}'", "it includes itself", "files that end somewhere")
    try:
        keys = yaml.load(path.read_text(encoding="utf-8"), Loader=_loader())  # noqa: S506  a safe loader, and one tag
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TaskDataError(f"'{path}'", " ".join(str(error).split()), "a task file in YAML") from error
    if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys):
        raise TaskDataError(f"'{path}'", "it is no table of keys", "a task file in YAML, such as 'task: mine'")
    included = keys.pop("include", [])
    below: dict[str, Any] = {}
    for name in [included] if isinstance(included, str) else included:
        below |= _read(path.parent / name, (*seen, path))
    return below | keys


def _loader() -> Any:
    """A safe loader that keeps the names of functions as names."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Builds plain values, and `Named`."""

    Loader.add_constructor("!function", lambda loader, node: Named(loader.construct_scalar(node)))
    return Loader


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"skipit_task_{path.parent.name}_{path.stem}", path)
    assert spec and spec.loader  # noqa: PT018, S101  a file that ends in .py has both
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise TaskDataError(f"'{path}'", f"it cannot be imported: {error!r}", "a module that runs here") from error
    return module
