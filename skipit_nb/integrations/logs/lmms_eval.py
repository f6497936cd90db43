"""The samples of lmms-eval: `--log_samples` writes `DATE_samples_TASK.jsonl`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from skipit_nb.integrations.logs.lines import read_lines, score_of
from skipit_nb.integrations.logs.log import Document, Log

HARNESS = "lmms-eval"
_NO_SCORES = {
    "arguments", "bypass", "doc", "doc_hash", "doc_id", "filtered_resps", "input", "input_media", "resps", "target",
    "token_counts",
}  # fmt: skip


def is_it(row: Mapping[str, Any]) -> bool:
    """Whether a line is one of lmms-eval's."""
    return "doc_id" in row and "target" in row and "filter" not in row


def read(path: Path) -> Log:
    """Read a samples file.

    Raises:
        LogError: If it is damaged, or a document stands in it twice.
    """
    return Log.of(path, HARNESS, _documents(read_lines(path)))


def _documents(rows: list[dict[str, Any]]) -> Iterator[Document]:
    for row in rows:
        scores = {name: score_of(value) for name, value in row.items() if name not in _NO_SCORES}
        # Not doc_hash: lmms-eval 0.7 hashes a field that it leaves empty, so all documents have the same.
        yield Document(
            key=str(row["doc_id"]),
            scores={name: score for name, score in scores.items() if score is not None},
            identity=str(row.get("target")),
            row=row,
        )
