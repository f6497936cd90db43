"""lmms-eval: our skipped model as `--model skipit`, our comparison in its files, an offline task for it.

lmms-eval finds `manifest` by the entry point group `lmms_eval.models`. It is never a dependency: only `SkipIt` and
`SkipItSimple`, which lmms-eval itself asks for, import it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skipit_nb.errors import MissingPackageError
from skipit_nb.integrations.lmms_eval.task_files import write_task
from skipit_nb.integrations.lmms_eval.writing import write

__all__ = ["TASKS", "manifest", "write", "write_task"]

TASKS = Path(__file__).with_name("tasks")
"""The folder for lmms-eval's `--include_path`; `python -m skipit_nb.integrations.lmms_eval` prints it."""

_ADAPTERS = ("SkipIt", "SkipItSimple")


def manifest() -> Any:
    """Tell lmms-eval what `--model skipit` is: the chat form, and with `--force_simple` the one that ranks options."""
    from lmms_eval.models.registry_v2 import ModelManifest

    chat, simple = (f"{__name__}.{name}" for name in _ADAPTERS)
    return ModelManifest(model_id="skipit", chat_class_path=chat, simple_class_path=simple)


def __getattr__(name: str) -> Any:
    """The adapters, which need lmms-eval, on first use."""
    if name not in _ADAPTERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from skipit_nb.integrations.lmms_eval import adapter
    except ModuleNotFoundError as error:
        mend = "pip install --no-deps lmms-eval, in an environment of its own; docs/harnesses.md has the rest"
        raise MissingPackageError(error.name or "lmms-eval", name, mend) from error
    return getattr(adapter, name)
