"""The samples of lm-eval: `--log_samples` writes `samples_TASK_DATE.jsonl`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from skipit_nb.errors import LogError
from skipit_nb.integrations.logs.lines import read_lines, score_of
from skipit_nb.integrations.logs.log import Document, Log

HARNESS = "lm-eval"


def is_it(row: Mapping[str, Any]) -> bool:
    """Whether a line is one of lm-eval's."""
    return {"doc_id", "filter", "metrics"} <= set(row)


def read(path: Path) -> Log:
    """Read a samples file. If answers went through several filters, a score is called `metric,filter`, as in results.

    Raises:
        LogError: If it is damaged, or a document stands in it twice under one filter.
    """
    rows = read_lines(path)
    filters = {str(row["filter"]) for row in rows}
    return Log.of(path, HARNESS, _joined((_document(row, several=len(filters) > 1) for row in rows), path))


def _document(row: Mapping[str, Any], *, several: bool) -> Document:
    ending = f",{row['filter']}" if several else ""
    scores = {f"{name}{ending}": score_of(row.get(name)) for name in row["metrics"]}
    # Not doc_hash: of a document with an image it hashes where the image lay in memory, another place in every run.
    return Document(
        key=str(row["doc_id"]),
        scores={name: score for name, score in scores.items() if score is not None},
        identity=str(row.get("target")),
        row=row,
    )


def _joined(documents: Iterable[Document], path: Path) -> list[Document]:
    """One document for its lines under several filters."""
    found: dict[str, Document] = {}
    for document in documents:
        before = found.get(document.key)
        if before and set(before.scores) & set(document.scores):
            why = f"document {document.key} stands in it twice"
            raise LogError(path, why, "each document once a filter; give each run its own folder")
        joined = {**(before.scores if before else {}), **document.scores}
        found[document.key] = replace(document, scores=joined)
    return list(found.values())
