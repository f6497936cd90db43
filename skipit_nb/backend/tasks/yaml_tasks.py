"""Tasks written for lmms-eval: the part of its YAML that asks local data and scores by a known rule.

Of `output_type` both words are taken: a `multiple_choice` is answered by the likeliest of its options, as there, but by
the sum over an option's tokens (lmms-eval takes their mean, which is `acc_per_token` here).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skipit_nb.backend.tasks import own
from skipit_nb.backend.tasks.hub.tables import package
from skipit_nb.backend.tasks.pictures import opened
from skipit_nb.backend.tasks.task import GENERATE_UNTIL, OUTPUT_TYPES, Task
from skipit_nb.backend.tasks.yaml_files import Named, function, read
from skipit_nb.errors import TaskDataError

Keys = Mapping[str, Any]

_DOC_TO = ("doc_to_text", "doc_to_visual", "doc_to_target", "doc_to_choice", "process_results")
_KNOWN = {
    *_DOC_TO, "task", "dataset_path", "dataset_kwargs", "data_files", "test_split", "validation_split", "output_type",
    "generation_kwargs", "metric_list", "lmms_eval_specific_kwargs", "cluster_key", "score_key", "num_fewshot",
}  # fmt: skip
_SAYS_NOTHING = {
    "dataset_name", "group", "group_alias", "metadata", "tag", "task_alias", "training_split", "version",
}  # fmt: skip
_TOKENS = 16
_UNTIL = ("\n\n",)
"""What ends an answer where a task file does not say."""


def from_yaml(path: Path, *, trust: bool) -> Task:
    """Make a task of a task file; see `Task.from_yaml`."""
    keys = read(path)
    _check(keys, path)
    name = str(keys.get("task") or path.stem).replace("/", "-")
    split = str(keys.get("test_split") or keys.get("validation_split") or "test")
    reading = own.Reading(**_reading(keys, path, trust=trust))
    return own.task_of(_rows(keys, path, split), name, reading, version=f"task file {path.name}", split=split)


def _check(keys: Keys, path: Path) -> None:
    """Refuse what would change the task if it were ignored."""
    unknown = sorted(set(keys) - _KNOWN - _SAYS_NOTHING)
    if unknown:
        raise _refusal(path, unknown[0], keys[unknown[0]], f"left out; known are {', '.join(sorted(_KNOWN))}")
    if keys.get("output_type", GENERATE_UNTIL) not in OUTPUT_TYPES:
        raise _refusal(path, "output_type", keys["output_type"], " or ".join(OUTPUT_TYPES))
    if keys.get("num_fewshot"):
        raise _refusal(path, "num_fewshot", keys["num_fewshot"], "0: questions are asked alone")
    given = keys.get("generation_kwargs") or {}
    if given.get("do_sample") or given.get("temperature"):
        raise _refusal(path, "generation_kwargs", given, "greedy: do_sample false and temperature 0")


def _refusal(path: Path, key: str, value: Any, expected: str) -> TaskDataError:
    return TaskDataError(f"'{path}'", f"{key} is {value!r}", f"{key} to be {expected}")


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _rows(keys: Keys, path: Path, split: str) -> list[dict[str, Any]]:
    """The rows of the split's local files."""
    kind = keys.get("dataset_path")
    if kind not in _READERS:
        wanted = f"{', '.join(_READERS)}, with data_files beside the task file; load_task reads benchmarks of the hub"
        raise _refusal(path, "dataset_path", kind, wanted)
    given = (keys.get("dataset_kwargs") or {}).get("data_files", keys.get("data_files"))
    if isinstance(given, Mapping):
        given = given.get(split)
    patterns = [given] if isinstance(given, str) else given
    if not patterns:
        raise _refusal(path, "data_files", given, f"the files of split {split!r}")
    rows = []
    for pattern in patterns:
        files = sorted(path.parent.glob(pattern)) if not Path(pattern).is_absolute() else [Path(pattern)]
        if not files or not all(file.is_file() for file in files):
            raise _refusal(path, "data_files", pattern, "files that are there")
        rows += [row for file in files for row in _read_file(kind, file)]
    return rows


def _read_file(kind: str, file: Path) -> list[dict[str, Any]]:
    try:
        return _READERS[kind](file)
    except (OSError, ValueError) as error:
        raise TaskDataError(f"'{file}'", str(error), f"a {kind} file") from error


def _parquet(file: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = package("pyarrow.parquet").read_table(file).to_pylist()
    return rows


def _json(file: Path) -> list[dict[str, Any]]:
    import json

    text = file.read_text(encoding="utf-8")
    found = (
        json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in text.splitlines() if line]
    )
    if not all(isinstance(row, dict) for row in found):
        raise ValueError("its lines are not objects")
    return list(found)


def _csv(file: Path) -> list[dict[str, Any]]:
    import csv

    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


_READERS = {"parquet": _parquet, "json": _json, "csv": _csv}


# ── how a row becomes a question ─────────────────────────────────────────────────────────────────────────────────────


def _reading(keys: Keys, path: Path, *, trust: bool) -> dict[str, Any]:
    """The arguments of `own.Reading` that a task file stands for."""
    kwargs = (keys.get("lmms_eval_specific_kwargs") or {}).get("default") or {}
    reading = {name: keys[name] for name in (*_DOC_TO, "cluster_key", "score_key") if keys.get(name) is not None}
    for name, value in reading.items():
        if isinstance(value, Named):
            reading[name] = Called(function(value, path.parent, trust=trust), kwargs)
    reading.setdefault("doc_to_visual", None)
    reading["output_type"] = keys.get("output_type", GENERATE_UNTIL)
    given = keys.get("generation_kwargs") or {}
    reading["max_new_tokens"] = int(given.get("max_new_tokens", _TOKENS))
    reading["until"] = given["until"] if given.get("until") is not None else _UNTIL
    return reading | _scoring(keys, path)


def _scoring(keys: Keys, path: Path) -> dict[str, Any]:
    metrics = keys.get("metric_list") or []
    names = [entry.get("metric") for entry in metrics]
    if keys.get("process_results") is not None:
        return {} if keys.get("score_key") or not names else {"score_key": names[0]}
    if keys.get("output_type") == "multiple_choice":
        return {"scorer": "choice"}
    if not metrics:
        return {"scorer": "exact_match"}
    if names != ["exact_match"]:
        raise _refusal(path, "metric_list", names, "exact_match alone, or a process_results that scores")
    flags = [name for name in ("ignore_case", "ignore_punctuation") if metrics[0].get(name)]
    return {"scorer": ", ".join(["exact_match", *flags])}


@dataclass(frozen=True, slots=True)
class Called:
    """A function of a task file, called as lmms-eval would: images opened, with its own words if it asks for them."""

    function: Any
    kwargs: Mapping[str, Any]

    def __call__(self, row: Mapping[str, Any], *rest: Any) -> Any:
        """Call it on a row, and for `process_results` on the answers."""
        doc = {name: opened(value, name) if _is_image(value) else value for name, value in row.items()}
        asks = len(inspect.signature(self.function).parameters) > 1 + len(rest)
        return self.function(doc, *rest, dict(self.kwargs)) if asks else self.function(doc, *rest)


def _is_image(value: Any) -> bool:
    return isinstance(value, Mapping) and {"bytes", "path"} >= set(value) and bool(value)
