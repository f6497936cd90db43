"""Risk gaps and chain tests of every boundary and view, as a `Functional`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skipit_nb.backend.redundancy.markov import chain_test
from skipit_nb.backend.redundancy.probes import FAMILY, Losses, cross_validated, gap
from skipit_nb.backend.redundancy.states import PooledStates
from skipit_nb.jobs import Tick
from skipit_nb.results import Functional, FunctionalRow, Provenance


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
    settings = {"folds": folds, "strength": strength}
    blind = cross_validated(None, found.answers, found.clusters, **settings)  # type: ignore[arg-type]
    rows: list[FunctionalRow] = []
    for view in views:
        for row in _rows(found, view, blind, permutations, provenance.seed, settings):
            rows.append(row)
            tick(len(rows), len(views) * (provenance.num_layers + 1))
    family = FAMILY.format(C=strength)
    return Functional(provenance, family, float(blind.log_loss.mean()), float(blind.error.mean()), tuple(rows))


def _rows(
    found: PooledStates, view: str, blind: Losses, permutations: int, seed: int, settings: dict[str, float]
) -> Iterator[FunctionalRow]:
    states, answers, clusters = found.of(view), found.answers, found.clusters
    before: Losses | None = None
    for boundary, here in enumerate(states):
        losses = cross_validated(here, answers, clusters, **settings)  # type: ignore[arg-type]
        gaps: dict[str, float] = {}
        if before is not None:
            risk, error = gap(before.log_loss, losses.log_loss, clusters), gap(before.error, losses.error, clusters)
            chain = chain_test(states[boundary - 1], here, answers, clusters,
                               permutations=permutations, seed=seed, **settings)  # fmt: skip
            for name, interval in (("gap", risk), ("error_gap", error), ("chain", chain.gain)):
                gaps |= {"chain_gain" if name == "chain" else name: interval.value,
                         f"{name}_low": interval.low, f"{name}_high": interval.high}  # fmt: skip
            gaps["chain_p"] = chain.p
        loss, blind_loss = float(losses.log_loss.mean()), float(blind.log_loss.mean())
        yield FunctionalRow(boundary, view, loss, float(losses.error.mean()), blind_loss - loss, **gaps)
        before = losses
