"""Search over skip sets: add one move at a time, score again, keep the best; then confirm on other questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from skipit_nb.backend.evaluation import sweeping
from skipit_nb.backend.evaluation.batches import Here
from skipit_nb.backend.selection.budget import Budget
from skipit_nb.backend.selection.calibration import Calibration, is_supported
from skipit_nb.backend.selection.racing import Raced
from skipit_nb.backend.selection.splitting import halves
from skipit_nb.errors import SettingError
from skipit_nb.results import SearchResult, SearchStep, Sweep, SweepRow
from skipit_nb.skipset import SkipSet

MOVES: dict[str, Callable[..., SkipSet]] = {
    "whole": SkipSet.whole,
    "attn": SkipSet.attn,
    "mlp": SkipSet.mlp,
    "vision frozen": SkipSet.freeze,
    "vision absent": SkipSet.absent,
}
OBJECTIVES: dict[str, Callable[[SweepRow], float]] = {
    "log_likelihood": lambda row: -float("inf") if row.log_likelihood is None else row.log_likelihood,
    "accuracy": lambda row: row.accuracy,
    "kl": lambda row: -(row.kl or 0.0),
}
"""High = better."""


def search(
    data: Calibration,
    *,
    budget: Budget,
    moves: str | Iterable[SkipSet],
    beam: int,
    objective: str,
    racing: float | None = None,
) -> SearchResult:
    """Find the best skip set within a budget: greedy (`beam=1`) or beam search, confirmed on images it never saw.

        frontier ← the `beam` best of { s | m : s in frontier, m in moves },  every one scored anew

    The winner is the best set that saves enough, or the cheapest that loses little enough. Time is measured for those
    sets of a step that the search goes on from. What it scored in
    the search flatters it, being the best of many; its number is the one on the other half of the images.

    SLEB, the greedy form over whole layers by likelihood, scores text, bars the first and last layer (leave them out
    of `moves`) and has no second half of data.

    Args:
        data: The questions of both halves.
        budget: FLOPs or time to save, or accuracy to lose at most.
        moves: "whole", "attn", "mlp", "vision frozen" or "vision absent" for that action at every layer; or sets to
            choose from.
        beam: Sets to go on from.
        objective: "log_likelihood" of the right answer, "accuracy", or "kl" to the full model, which needs no labels.
        racing: Race the sets of a step, with this margin, rather than ask each of them everything: the one to go on
            from is at most so much below the best of its step, with 95 %, on the questions of the search. Needs
            `beam=1` and accuracy. None for no race.

    Raises:
        SettingError: If a setting is out of range.
        UnsupportedSkipError: If the model can make none of the moves.

    Source:
        Song et al. 2024, "SLEB", arXiv:2402.09025 (the greedy search).
    """
    _check(beam, objective)
    _check_racing(racing, beam, objective)
    available = data.supported(_moves_of(moves, data.num_layers))
    first, second = halves(data.examples, data.provenance.seed)
    score = OBJECTIVES[objective]
    steps = _steps(data.on(first), available, budget, beam, score, racing)
    tried = steps if racing is None else _best_of_each(steps)
    winner = budget.winner(tried, lambda step: score(step.row))
    finalists = list(dict.fromkeys([*([winner.row] if winner else []), *undominated([step.row for step in tried])]))
    confirmed = _swept(data.on(second), [row.skipset for row in finalists])
    return SearchResult(
        provenance=data.on([*first, *second]).provenance,
        num_search=len(first),
        objective=objective,
        speedup=budget.speedup,
        margin=budget.margin,
        latency=budget.latency,
        steps=tuple(steps),
        winner=winner.row.skipset if winner else SkipSet.none(num_layers=data.num_layers),
        baseline=confirmed.baseline,
        confirmed=confirmed.rows,
    )


def _steps(
    data: Calibration,
    moves: Sequence[SkipSet],
    budget: Budget,
    beam: int,
    score: Callable[[SweepRow], float],
    racing: float | None,
) -> list[SearchStep]:
    """Every set tried, best first within a step, until the budget is reached or nothing is left to try."""
    steps: list[SearchStep] = []
    frontier, number = [SkipSet.none(num_layers=data.num_layers)], 0
    while frontier:
        number += 1
        tried = {step.row.skipset for step in steps} | set(frontier)
        news = [s for s in dict.fromkeys(s | move for s in frontier for move in moves) if s not in tried]
        runnable = [s for s in news if is_supported(data.live, s)]
        asked = _tried(data, runnable, number, score, racing)
        made = [SearchStep(number, kept=False, row=row, questions=questions) for row, questions in asked]
        best = list(filter(budget.is_eligible, made if racing is None else made[:1]))[:beam]
        kept = {id(step): budget.measured(replace(step, kept=True), data) for step in best}
        steps += [kept.get(id(step), step) for step in made]
        frontier = [step.row.skipset for step in kept.values() if not budget.is_reached(step)]
    return steps


def _best_of_each(steps: Sequence[SearchStep]) -> list[SearchStep]:
    """The first of every step: those that lost a race were asked fewer questions, which may flatter them."""
    first: dict[int, SearchStep] = {}
    for step in steps:
        first.setdefault(step.step, step)
    return list(first.values())


def _tried(
    data: Calibration, skipsets: Sequence[SkipSet], step: int, score: Callable[[SweepRow], float], racing: float | None
) -> list[tuple[SweepRow, int]]:
    """Each set and how many questions it was asked: the winner of the race first if there was one, then by score."""
    if not skipsets:
        return []
    if racing is None or len(skipsets) == 1:
        asked, winner = [(row, len(data.examples)) for row in _swept(data, skipsets).rows], None
    else:
        raced = Raced.on(data, skipsets, (data.provenance.seed, step), margin=racing)
        asked, winner = raced.swept(), raced.winner
    return sorted(asked, key=lambda one: (one[0].skipset == winner, score(one[0])), reverse=True)


def undominated(rows: Sequence[SweepRow]) -> list[SweepRow]:
    """Those that no other row beats in accuracy or cost without losing in the other, cheapest first."""
    best: list[SweepRow] = []
    for row in sorted(rows, key=lambda row: (-row.flops_ratio, -row.accuracy)):
        if not best or row.accuracy > best[-1].accuracy:
            best.append(row)
    return best


def _swept(data: Calibration, skipsets: Sequence[SkipSet]) -> Sweep:
    return sweeping.sweep(
        data.live,
        data.examples,
        skipsets,
        data.provenance,
        finalists=0,
        memory=None,
        runs=Here(data.live, data.batch_size),
        tick=data.tick,
    )


def _moves_of(moves: str | Iterable[SkipSet], num_layers: int) -> list[SkipSet]:
    if isinstance(moves, str):
        if moves not in MOVES:
            raise SettingError("moves", moves, f"one of {', '.join(MOVES)}, or a list of skip sets")
        return [MOVES[moves](i, num_layers=num_layers) for i in range(num_layers)]
    found = [SkipSet.of(move, num_layers=num_layers) for move in moves]
    if not found:
        raise SettingError("moves", found, "at least one skip set")
    return found


def _check_racing(racing: float | None, beam: int, objective: str) -> None:
    if racing is None:
        return
    if not 0 <= racing < 1:
        raise SettingError("racing", racing, "a share of at least 0 and below 1, or None")
    if beam != 1:
        raise SettingError("beam", beam, "1 where sets race: a race has one winner")
    if objective != "accuracy":
        raise SettingError("objective", objective, "accuracy where sets race: the test needs scores from 0 to 1")


def _check(beam: int, objective: str) -> None:
    if beam < 1:
        raise SettingError("beam", beam, "a whole number of at least 1")
    if objective not in OBJECTIVES:
        raise SettingError("objective", objective, f"one of {', '.join(OBJECTIVES)}")
