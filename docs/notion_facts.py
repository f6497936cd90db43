"""What was measured on the model in the box, in sentences: one function a page, every number from a stored result."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence

from notion_results import EPSILON, Found
from scipy import stats

from skipit_nb.results import SkipCost
from skipit_nb.skipset import SkipSet

VIEWS = {"vision": "Vision tokens", "text": "Text tokens", "last": "Last prompt token"}
MINUS = "\N{MINUS SIGN}"
FAR = 0.1
"""A share of tokens that is more than a few."""
CERTAIN = 0.05
READ = 1e-3
"""What is measured below this is too near 0 to be divided by."""


def geometric(found: Found) -> Iterator[str]:
    """How far each kind of token is moved, and what that does not say."""
    for tokens in ("vision", "text"):
        rows = found.profile.of(tokens)
        low, high = min(rows, key=lambda row: row.distance), max(rows, key=lambda row: row.distance)
        least, most = f"layer {low.layer} (d = {low.distance:.2g})", f"layer {high.layer} ({high.distance:.2g})"
        yield f"{tokens.capitalize()} tokens are moved least at {least}, most at {most}."
    absent = [cost.accuracy for cost in _costs(found, "vision absent")]
    lost = f"layer {_argmax(absent)} ({_points(absent[_argmax(absent)])})"
    yield f"Left out at one layer alone, vision tokens cost most accuracy at {lost}."
    half = found.profile.of("text")[found.profile.num_layers // 2 :]
    late = max(half, key=lambda row: row.distance)
    moved = {row.layer: row.kl_full_skipped for row in found.contribution.of("text", "frozen")}
    nats = f"{moved[late.layer]:.2g} nats, without that of layer 0 by {moved[0]:.2g}"
    turned = f"layer {late.layer} turns text tokens most ({late.distance:.2g})"
    yield f"In the second half {turned}; without its work on them the next token moves by {nats}."


def proximal(found: Found) -> Iterator[str]:
    """The tail at one ε, and where a mean hides it."""
    tails, means = found.profile.tails(EPSILON, "vision"), found.profile.distances("vision")
    still = [layer for layer, tail in enumerate(tails) if tail <= FAR]
    hidden = [layer for layer, tail in enumerate(tails) if means[layer] <= EPSILON and tail > FAR]
    furthest = f"layer {_argmax(tails)} ({max(tails):.0%})"
    yield f"At {_layers(still)} at most a tenth of the vision tokens go beyond ε = {EPSILON:g}; most do at {furthest}."
    yield f"The mean is below ε while more than a tenth go further: {_layers(hidden)}."
    yield f"Mean and tail order the layers with Spearman {_rank(means, tails)}."


def flow(found: Found) -> Iterator[str]:
    """VAR against flat attention, and against what blindness costs."""
    rows = found.profile.flow
    most = max(rows, key=lambda row: row.var)
    apart = max(rows, key=lambda row: max(row.heads) - min(row.heads))
    yield f"VAR is highest at layer {most.layer} ({most.var:.2f}; flat attention would give {most.uniform:.2f})."
    yield f"It is above flat at {_layers(row.layer for row in rows if row.var > row.uniform)}."
    yield f"Heads differ most at layer {apart.layer} ({min(apart.heads):.2f} to {max(apart.heads):.2f})."
    blind = found.knockout.rows
    worst = max(blind, key=lambda row: row.accuracy_drop)
    lost = f"{_points(worst.accuracy_drop)} ({_between(worst.low, worst.high)})"
    yield f"Blind at one layer alone, most accuracy is lost at layer {worst.band}: {lost}."
    yield f"The interval is above 0 at {_layers(row.start for row in blind if row.low > 0)}."
    rank = _rank([row.var for row in rows], [row.log_likelihood_drop for row in blind])
    yield f"VAR and the log-likelihood lost when blind order the layers with Spearman {rank}."


def functional(found: Found) -> Iterator[str]:
    """The risk of readers, what layers gain them, the chain, and the rest of the network as the reader."""
    yield f"A reader that sees nothing loses {found.functional.blind_log_loss:.2f} nats."
    for view in ("vision", "text", "last"):
        first, *others = found.functional.of(view)
        gains = _layers(row.boundary - 1 for row in others if row.gap_low > 0)
        most = max(others, key=lambda row: row.gap)
        losses = f"{first.log_loss:.2f} at boundary 0, {others[-1].log_loss:.2f} at the last"
        gap = f"largest gap at layer {most.boundary - 1} ({most.gap:.2f}), interval above 0 at {gains}"
        yield f"{VIEWS[view]}: {losses}; {gap}."
    ps = [row.chain_p for row in found.functional.rows if row.chain_p is not None]
    against = sum(p <= CERTAIN for p in ps)
    luck = f"{CERTAIN * len(ps):.1f} by luck alone"
    yield f"Of {len(ps)} chain tests {against} have p ≤ {CERTAIN:g} ({luck}); the smallest is {min(ps):.2g}."
    frozen = found.contribution.of("vision", "frozen")
    top = max(frozen, key=lambda row: row.kl_full_skipped)
    moved = f"layer {top.layer} ({top.kl_full_skipped:.2g} nats; at the last layer, {frozen[-1].kl_full_skipped:.2g})"
    yield f"To the rest of the network, freezing vision tokens matters most at {moved}."


def informational(found: Found) -> Iterator[str]:
    """What the largest codebook tells, and how often layers seem to add something."""
    information = found.information
    k = max(row.k for row in information.rows)
    yield f"{k} codes, counted on {information.counted} questions."
    for view, name in VIEWS.items():
        first, *_, last = information.of("told", view, k)
        added = information.of("added", view, k)
        chance = max(row.null_high or 0.0 for row in information.of("told", view, k))
        yield f"{name}: {first.value:.2f} nats before layer 0, {last.value:.2f} at the end (chance: {chance:.2f});"
        seen, most = sum(row.p <= CERTAIN for row in added), max(row.excess for row in added)
        yield f"{seen} of {len(added)} layers add something at p ≤ {CERTAIN:g}, at most {most:.2f} nats beyond chance."


def bounds(found: Found) -> Iterator[str]:
    """How many hold, how many say something, and how loose each is where it can be said."""
    rows = found.bounds.rows
    told = sum(not row.is_vacuous for row in rows)
    yield f"{sum(row.holds for row in rows)} of {len(rows)} bounds hold, {told} say something."
    loose = []
    for name in dict.fromkeys(row.implication for row in rows):
        ratios = [row.bound / row.measured for row in rows if row.implication == name and row.measured > READ]
        if ratios:
            loose.append(f"{name} {statistics.median(ratios):.2f}")
    yield f"Allowed ÷ measured, median over the layers where more than {READ:g} was measured: {'; '.join(loose)}."


def bands_and_similarity(found: Found) -> Iterator[str]:
    """The best bands, and where the two kinds of similarity disagree."""
    for tokens, name in (("vision", "vision tokens"), ("last", "the last prompt token")):
        best = found.bands.best(3, tokens)
        yield f"The three layers that turn {name} least are {best.start}-{best.stop - 1} (angle {best.angle:.3f})."
    low = min(found.similarity.layers, key=lambda row: row.value)
    chance = f"{low.chance:.3f}".replace("-", MINUS)
    yield f"CKA of the vision tokens is lowest at layer {low.layer} ({low.value:.3f}; shuffled pairs {chance})."
    rank = _rank([-row.value for row in found.similarity.layers], found.profile.distances("vision"))
    yield f"Low CKA and large distance order the layers with Spearman {rank}."


def agreement(found: Found) -> Iterator[str]:
    """Which scores foretell what, beyond chance."""
    rows = [row for row in found.agreement.rows if row.outcome == "log_likelihood" and row.rho is not None]
    above = [row for row in rows if row.rho > row.chance]
    yield f"{len(above)} of {len(rows)} rank correlations with the log-likelihood lost are above chance."
    for family in dict.fromkeys(row.family for row in rows):
        named = [f"{row.score} {row.rho:.2f}" for row in above if row.family == family] or ["none"]
        chances = [row.chance for row in rows if row.family == family]
        chance = f"{min(chances):.2f} to {max(chances):.2f}"
        yield f"{family.capitalize()}: {', '.join(named)} (chance stays below {chance})."


FACTS: dict[str, Callable[[Found], Iterator[str]]] = {
    "geometric": geometric,
    "proximal": proximal,
    "flow": flow,
    "functional": functional,
    "informational": informational,
    "bounds": bounds,
    "bands-and-similarity": bands_and_similarity,
    "agreement": agreement,
}
"""Page → its sentences about one task."""


def _costs(found: Found, family: str) -> list[SkipCost]:
    return [cost for cost in found.agreement.costs if cost.family == family]


def _points(share: float) -> str:
    return f"{100 * share:.1f} points".replace("-", MINUS)


def _between(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f}".replace("-", MINUS)


def _rank(xs: Sequence[float], ys: Sequence[float]) -> str:
    """Spearman's rank correlation, as printed."""
    return f"{stats.spearmanr(xs, ys).statistic:.2f}".replace("-", MINUS)


def _layers(layers: Iterable[int]) -> str:
    """Layers in words, such as "layers 0 and 3-5", or "no layer"."""
    chosen = list(layers)
    if not chosen:
        return "no layer"
    *others, last = str(SkipSet.whole(chosen)).removeprefix("whole ").split("+")
    return f"layer{'s' * (len(chosen) > 1)} " + (f"{', '.join(others)} and {last}" if others else last)


def _argmax(values: Sequence[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)
