"""Two logs as two lists of scores on the same documents, or a clear refusal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from skipit_nb.errors import LogError
from skipit_nb.integrations.logs.log import Document, Log

SHOWN = 5
"""Documents that a message names."""


def refuse_other_documents(a: Log, b: Log) -> None:
    """Refuse logs that do not hold the same documents.

    Raises:
        LogError: If a document is missing on one side, or is another one there.
    """
    if a.harness != b.harness:
        why = f"it is a log of {b.harness}, and '{a.path}' one of {a.harness}"
        raise LogError(b.path, why, "two runs of one harness: each scores by its own rules")
    only_a, only_b = (_missing(one, other) for one, other in ((a, b), (b, a)))
    if len(only_a) == len(a.documents):
        raise LogError(b.path, f"it shares no document with '{a.path}'", "two runs of one task")
    if only_a or only_b:
        sides = filter(None, (_named(only_a, "it lacks"), _named(only_b, "it alone holds")))
        raise LogError(
            b.path,
            f"against '{a.path}', {' and '.join(sides)}",
            "the same documents: both runs to their end, with one limit",
        )
    for key, document in a.documents.items():
        if document.identity != b.documents[key].identity:
            why = f"document {key} is not the one of '{a.path}': {_short(b.documents[key])}, there {_short(document)}"
            raise LogError(b.path, why, "two runs on the same data in the same order")


def chosen_metric(a: Log, b: Log, wanted: str | None) -> str:
    """The metric's name: the one that is wanted, or the only one there is.

    Raises:
        LogError: If there is none, or several and none was chosen.
    """
    there = [name for name in a.metrics if name in b.metrics]
    if wanted is not None:
        if wanted in there or all(wanted in document.row for log in (a, b) for document in log.documents.values()):
            return wanted
        raise LogError(a.path, f"not all documents of both runs have the metric {wanted!r}", f"one of {_listed(there)}")
    if not there:
        raise LogError(a.path, "its documents have no scores", "a run that was evaluated, not answers alone")
    if len(there) > 1:
        raise LogError(a.path, f"it has several metrics: {_listed(there)}", "one of them, metric='…' or --metric")
    return there[0]


def scores(log: Log, metric: str, order: Iterable[str]) -> list[float]:
    """The scores of documents.

    Raises:
        LogError: If one is not a share.
    """
    return [_share(log, log.documents[key], metric) for key in order]


def clusters(log: Log, metric: str, wanted: str | Mapping[str, object]) -> list[str]:
    """What each document shares with others.

    Args:
        log: The log that names it.
        metric: Whose value may hold the column, as lmms-eval's dicts do.
        wanted: A column, `outer.inner` for one inside another; or what each document's key stands for.

    Raises:
        LogError: If a document has no such column.
    """
    if isinstance(wanted, Mapping):
        known = {str(key): value for key, value in wanted.items()}
        if lacking := [key for key in log.documents if key not in known]:
            raise LogError(log.path, _named(lacking, "clusters lack"), "an entry for every document")
        return [str(known[key]) for key in log.documents]
    return [_column(log, document, wanted, metric) for document in log.documents.values()]


def _column(log: Log, document: Document, wanted: str, metric: str) -> str:
    for path in ([wanted], wanted.split("."), [metric, wanted]):
        value: Any = document.row
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            return str(value)
    raise LogError(log.path, f"document {document.key} has no {wanted!r}", f"one of {_listed(document.row)}")


def _share(log: Log, document: Document, metric: str) -> float:
    value = document.scores.get(metric, document.row.get(metric))
    if isinstance(value, int | float) and 0 <= value <= 1:  # nan is neither
        return float(value)
    why = f"{metric} of document {document.key} is {value!r}"
    raise LogError(log.path, why, "a share from 0 (wrong) to 1 (right): not points, percent or a loss")


def _missing(one: Log, other: Log) -> list[str]:
    return [key for key in one.documents if key not in other.documents]


def _named(keys: list[str], what: str) -> str:
    if not keys:
        return ""
    more = f", … ({len(keys)} in all)" if len(keys) > SHOWN else ""
    return f"{what} {', '.join(keys[:SHOWN])}{more}"


def _short(document: Document) -> str:
    return repr(document.identity[-40:])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
