"""Information of every boundary, view and size of codebook, as an `Information`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from skipit_nb.backend.redundancy import information as count
from skipit_nb.backend.redundancy import pid
from skipit_nb.backend.redundancy.quantised import Codes, codebook, halves, limit_for, refuse_small
from skipit_nb.backend.redundancy.states import Labels, PooledStates, refuse_views
from skipit_nb.errors import SettingError, TooFewSamplesError
from skipit_nb.jobs import Tick
from skipit_nb.results import Information, InformationRow, PidRow, Provenance

PID_K = 4
"""Codes of the decompositions: with more, a few thousand questions are too few."""
PER_CELL = 4
"""Counted questions for each pair of code and answer: with 1, chance alone gives a fifth of a nat after correction."""


@dataclass(frozen=True, slots=True)
class Coded:
    """One boundary, quantised; the counted half."""

    codes: Codes
    used: int
    distortion: float


def refuse_too_few(labels: Labels, seed: int, *, views: Sequence[str], ks: Sequence[int], with_pid: bool) -> None:
    """Before anything is measured.

    Raises:
        SettingError: If a view is unknown or none, there is no k, or a k is too small.
        TooFewSamplesError: If a half has fewer than 4 questions for each pair of code and answer; the message says
            how many it takes.
        MissingPackageError: If decompositions are asked for without cvxpy.
    """
    refuse_views(views)
    if not ks:
        raise SettingError("ks", ks, "a tuple of one size at least")
    refuse_small(min(ks))
    if with_pid:
        pid.solver()
    largest = max(*ks, PID_K) if with_pid else max(ks)
    least = PER_CELL * largest * len(labels.words)
    half = int(min(each.sum() for each in halves(labels.clusters, seed)))
    if half < least:
        what = f"questions in a half, for k = {largest} and {len(labels.words)} answers"
        todo = f"Take {limit_for(least, half, labels.clusters)}, if they bring no further answers, or a smaller k."
        raise TooFewSamplesError(what, half, least, todo)


def measure(
    found: PooledStates,
    provenance: Provenance,
    *,
    views: Sequence[str],
    ks: Sequence[int],
    permutations: int,
    with_pid: bool,
    tick: Tick,
) -> Information:
    """Quantise, count, correct, shuffle.

    Raises:
        SettingError: If a view is unknown.
    """
    is_fitted, is_counted = halves(found.clusters, provenance.seed)
    answers, clusters = found.answers[is_counted], found.clusters[is_counted]
    shuffles = {"clusters": clusters, "permutations": permutations, "seed": provenance.seed}
    rows: list[InformationRow] = []
    done = 0
    coded: dict[tuple[str, int], list[Coded]] = {}
    for view in views:
        states = found.of(view)
        for k in {*ks, PID_K} if with_pid else set(ks):
            books = [codebook(boundary[is_fitted], k, provenance.seed) for boundary in states]
            coded[view, k] = [
                Coded(book.codes(boundary[is_counted]), book.k, book.distortion(boundary[is_counted]))
                for book, boundary in zip(books, states, strict=True)
            ]
        for k in ks:
            rows.extend(_rows(coded[view, k], answers, view, k, shuffles))
            done += 1
            tick(done, len(views) * len(ks))
    parts = tuple(_pid(coded, answers, views, shuffles | {"permutations": permutations // 10})) if with_pid else ()
    return Information(provenance, len(answers), found.words, tuple(rows), parts)


def _rows(
    boundaries: Sequence[Coded], answers: Codes, view: str, k: int, shuffles: dict[str, Any]
) -> Iterator[InformationRow]:
    for boundary, here in enumerate(boundaries):
        about = {"boundary": boundary, "view": view, "k": k, "codes": here.used, "distortion": here.distortion}
        told = count.measured(here.codes, answers, **shuffles)
        yield InformationRow(**about, quantity="told", **asdict(told))  # type: ignore[arg-type]
        if not boundary:
            continue
        before = boundaries[boundary - 1].codes
        for quantity, x, given in (("added", here.codes, before), ("lost", before, here.codes)):
            estimate = count.measured(x, answers, given, **shuffles)
            yield InformationRow(**about, quantity=quantity, **asdict(estimate))  # type: ignore[arg-type]
        plain, corrected = (count.conditional_entropy(here.codes, before, corrected=c) for c in (False, True))
        yield InformationRow(**about, quantity="uncertain", value=corrected, plug_in=plain)  # type: ignore[arg-type]


def _pid(
    coded: dict[tuple[str, int], list[Coded]], answers: Codes, views: Sequence[str], shuffles: dict[str, Any]
) -> Iterator[PidRow]:
    """Vision beside text at every boundary; before beside after of every layer, in each view."""
    boundaries = range(len(coded[views[0], PID_K]))
    codes = {view: [one.codes for one in coded[view, PID_K]] for view in views}
    pairs = [(b, "vision + text", "", codes["vision"][b], codes["text"][b])
             for b in boundaries if {"vision", "text"} <= set(views)]  # fmt: skip
    pairs += [(b, "before + after", view, codes[view][b - 1], codes[view][b]) for view in views for b in boundaries[1:]]
    for boundary, sources, view, first, second in pairs:
        found = asdict(pid.of_codes(first, second, answers))
        means, highs = map(asdict, pid.null_of(first, second, answers, **shuffles))
        for part, value in found.items():
            yield PidRow(boundary, sources, view, PID_K, part, value, means[part], highs[part])
