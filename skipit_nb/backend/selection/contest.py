"""The loop of a race: who is asked next, and when it is over. It knows scores, not models.

Shapes:
    draw    questions in their random order
    set     skip sets
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from skipit_nb.backend.selection.anytime import Values, evidence, upper_bounds
from skipit_nb.jobs import Tick

Ask = Callable[[Sequence[int], Sequence[int]], Values]
"""Asks questions (by number) of sets (by number): [question, 1 + set] scores from 0 to 1, the full model's first."""

LAP_LOOKS = 8
"""The leader alone is asked so many times as much from look to look: larger batches, and nobody else waits."""
_SAME = 1e-12
"""Means of the same numbers in another order differ by less."""


class Contest:
    """Skip sets that were asked some first part of the questions each, and what that proves.

    Against whichever set leads, another one is settled once it is certain that it is not better by more than the
    margin. Only the truly best set must not be settled wrongly, against any of the others: so the error of one pair is
    that of the race / (sets - 1), however many pairs are looked at.
    """

    def __init__(self, flops_ratios: Sequence[float], num_questions: int, *, margin: float, level: float) -> None:
        self.num_questions, self.margin = num_questions, margin
        self.error = (1 - level) / (len(flops_ratios) - 1)
        self.scores: Values = np.full((num_questions, len(flops_ratios)), np.nan)
        """[draw, set], nan where not asked."""
        self.asked: NDArray[np.int64] = np.zeros(len(flops_ratios), dtype=int)
        """[set] how many questions."""
        self.leader = 0
        """The set with the highest score among those that were asked most; of equal ones the cheapest."""
        self._ratios = np.asarray(flops_ratios)
        self._settled = np.zeros(len(flops_ratios), dtype=bool)

    def take(self, start: int, sets: Sequence[int], scores: Values) -> None:
        """Note scores [question, 1 + set] of the next questions of some sets, the full model's first."""
        self.scores[start : start + len(scores), sets] = scores[:, 1:]
        self.asked[sets] = start + len(scores)

    def due(self) -> list[int]:
        """Sets to ask on, the leader among them if one of them has caught up with it; none when the race is over."""
        leader = self.leading()
        if leader != self.leader:
            self.leader, self._settled = leader, np.zeros_like(self._settled)
        open_ = np.flatnonzero(~self._settled)
        self._settled[open_] = self.is_settled_against(leader, open_)
        wanted = np.flatnonzero(~self._settled)
        has_company = (self.asked[wanted] == self.asked[leader]).any()
        return sorted([*wanted.tolist(), leader] if has_company else wanted.tolist())

    def leading(self) -> int:
        """The set with the highest score among those that were asked most; of equal ones the cheapest."""
        abreast = np.flatnonzero(self.asked == self.asked.max())
        means = self.scores[: self.asked.max(), abreast].mean(0).round(12)
        return int(abreast[np.lexsort((self._ratios[abreast], means))[-1]])

    def is_settled_against(self, one: int, others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """[other] whether each is certainly not better than `one` by more than the margin."""
        gaps = self.differences(others, one)
        speaks = evidence(gaps, self.margin, self.num_questions)
        return self.settled(one, others, gaps, is_refuted=speaks >= math.log(1 / self.error))

    def settled(
        self, one: int, others: NDArray[np.int64], gaps: Values, *, is_refuted: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """[other] whether each is refuted to be better, or known not to be, where both were asked everything."""
        is_known = np.minimum(self.asked[others], self.asked[one]) == self.num_questions
        is_within = gaps.sum(0) / self.num_questions <= self.margin + _SAME
        found: NDArray[np.bool_] = (is_known & is_within) | (~is_known & is_refuted) | (others == one)
        return found

    def differences(self, others: NDArray[np.int64], one: int) -> Values:
        """[draw, other] scores minus those of `one`, nan beyond what both were asked."""
        most = min(self.asked[one], self.asked[others].max(initial=0))
        gaps: Values = self.scores[:most, others] - self.scores[:most, [one]]
        return gaps

    def within_margin(self) -> list[int]:
        """Sets that are certainly at most the margin below the best one, the leader of a race that is over included.

        No other may possibly be better by more. It holds for all of them at once with the probability of the race.
        """
        every, leader = np.arange(len(self.asked)), np.array([self.leader])
        near = [one for one in every.tolist() if self.is_settled_against(one, leader).all()]
        return [one for one in near if self.is_settled_against(one, every).all()]

    def intervals(self) -> tuple[Values, Values, Values]:
        """[set] difference to the leader on the questions both were asked, and the ends of its interval."""
        gaps = self.differences(np.arange(len(self.asked)), self.leader)
        low, high = (sign * upper_bounds(sign * gaps, self.error, self.num_questions) for sign in (-1, 1))
        low[self.leader] = high[self.leader] = 0.0
        return np.nanmean(gaps, axis=0), low, high


def run(race: Contest, ask: Ask, order: Sequence[int], *, chunk: int, tick: Tick) -> Contest:
    """Ask sets on, `chunk` questions at a time, until every one is settled against the leader.

    A set that is settled rests. Should another one take the lead, it is settled against that one too by what it has
    been asked, or wakes and is asked the questions that it missed. Those that are furthest behind catch up first: sets
    that are abreast share layers.

    Args:
        race: That nobody was asked for yet.
        ask: Gives scores.
        order: Numbers of the questions, in random order.
        chunk: Questions from one look to the next.
        tick: Told how many questions the leader was asked.
    """
    due = list(range(len(race.asked)))
    tick(0, len(order))
    while due:
        start = int(race.asked[due].min())
        behind = [one for one in due if race.asked[one] == start]
        end = start + chunk * (LAP_LOOKS if due == [race.leader] else 1)
        race.take(start, behind, ask(order[start:end], behind))
        tick(int(race.asked.max()), len(order))
        due = race.due()
    tick(len(order), len(order))
    return race
