"""Risk gaps and chain tests of every boundary and view, as a `Functional`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from skipit_nb.backend.redundancy.markov import chain_test
from skipit_nb.backend.redundancy.probes import FAMILY, Losses, cross_validated, error_gap, gap, refuse_folds
from skipit_nb.backend.redundancy.states import PooledStates, refuse_views
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import SettingError
from skipit_nb.jobs import Tick
from skipit_nb.results import Functional, FunctionalRow, Provenance


@dataclass(frozen=True, slots=True)
class Asked:
    """How readers are fitted and compared; the names are those of `chain_test`."""

    folds: int
    strength: float
    permutations: int
    seed: int


def refuse(
    examples: Sequence[Example], *, views: Sequence[str], folds: int, strength: float, permutations: int
) -> None:
    """Refuse what cannot be measured, before the model runs for it.

    Raises:
        SettingError: If a view is unknown or none, or a number is out of range.
        TooFewSamplesError: If there are fewer images than folds.
    """
    refuse_views(views)
    if permutations < 1:
        raise SettingError("permutations", permutations, "a whole number of at least 1")
    refuse_folds(folds, strength, len({example.cluster for example in examples}))


def measure(
    found: PooledStates,
    provenance: Provenance,
    *,
    views: Sequence[str],
    folds: int,
    strength: float,
    permutations: int,
    tick: Tick,
) -> Functional:
    """Fit a reader at every boundary, compare neighbours.

    Raises:
        SettingError: If a view is unknown, or there are fewer than two folds.
        TooFewSamplesError: If there are fewer images than folds.
    """
    asked = Asked(folds, strength, permutations, provenance.seed)
    blind = cross_validated(None, found.answers, found.clusters, folds=folds, strength=strength)
    rows: list[FunctionalRow] = []
    wanted = tuple(dict.fromkeys(views))
    for view in wanted:
        for row in _rows(found, view, blind, asked):
            rows.append(row)
            tick(len(rows), len(wanted) * (provenance.num_layers + 1))
    family = FAMILY.format(C=strength)
    return Functional(provenance, family, float(blind.log_loss.mean()), float(blind.error.mean()), tuple(rows))


def _rows(found: PooledStates, view: str, blind: Losses, asked: Asked) -> Iterator[FunctionalRow]:
    answers, clusters = found.answers, found.clusters
    before: Losses | None = None
    for boundary, here in enumerate(found.of(view)):
        losses = cross_validated(here, answers, clusters, folds=asked.folds, strength=asked.strength)
        gaps = {} if before is None else _gaps(found, view, boundary, (before, losses), asked)
        loss, blind_loss = float(losses.log_loss.mean()), float(blind.log_loss.mean())
        yield FunctionalRow(boundary, view, loss, float(losses.error.mean()), blind_loss - loss, **gaps)
        before = losses


def _gaps(
    found: PooledStates, view: str, boundary: int, losses: tuple[Losses, Losses], asked: Asked
) -> dict[str, float]:
    """What the layer before a boundary gains the reader, and whether the chain holds there."""
    (before, here), clusters, states = losses, found.clusters, found.of(view)
    risk = gap(before.log_loss, here.log_loss, clusters, folds=asked.folds)
    error = error_gap(before.error, here.error, clusters, folds=asked.folds)
    chain = chain_test(states[boundary - 1], states[boundary], found.answers, clusters, **asdict(asked))
    named = (("gap", "gap", risk), ("error_gap", "error_gap", error), ("chain_gain", "chain", chain.gain))
    gaps = {"chain_p": chain.p}
    for value, ends, interval in named:
        gaps |= {value: interval.value, f"{ends}_low": interval.low, f"{ends}_high": interval.high}
    return gaps
