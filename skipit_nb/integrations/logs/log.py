"""A log as all harnesses' logs become: documents with their scores, and whatever else stands beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skipit_nb.errors import LogError


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a log."""

    key: str
    """What the harness counts documents by."""
    scores: Mapping[str, Any]
    """By the name of the metric; not yet known to be shares."""
    identity: str
    """What must be the same in another log of the same data, such as the right answer."""
    row: Mapping[str, Any]
    """All the harness wrote of it."""


@dataclass(frozen=True, slots=True)
class Log:
    """One run of one harness on one task."""

    path: Path
    harness: str
    documents: Mapping[str, Document]
    """By key, in the order of the file."""

    @classmethod
    def of(cls, path: Path, harness: str, documents: Iterable[Document]) -> Log:
        """Collect documents.

        Raises:
            LogError: If there are none, or two with one key.
        """
        found: dict[str, Document] = {}
        for document in documents:
            if document.key in found:
                why = f"document {document.key} stands in it twice"
                raise LogError(path, why, "each document once: a folder for each run, a task with one filter")
            found[document.key] = document
        if not found:
            raise LogError(path, "it holds no documents", "the samples of a run that came to its end")
        return cls(path, harness, found)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of scores that every document has."""
        first, *others = (document.scores for document in self.documents.values())
        return tuple(name for name in first if all(name in scores for scores in others))
