"""A race of many sets by one yardstick: the full model, which answers every question anyway.

Against each other, 100 sets are 99 pairs for each of them, and the error of a race has to do for all. By the full model
each set has one pair, and as only the truly best set must not be settled wrongly, that pair has the whole error. Skip
sets also differ less from the full model than from each other.

    own(s) = mean over all questions of (score of s - score of the full model)
    s is settled against w once "own(s) is at least own(w) + margin" is refuted

For that own(w) has to be known: the set that leads when the others rest runs a last lap, alone, through all questions.

Shapes:
    draw    questions in their random order
    set     skip sets
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skipit_nb.backend.selection.anytime import Values, log_capitals
from skipit_nb.backend.selection.contest import Contest

DIRECT = 0.2
"""Share of the error that is kept for pairs: for a field that is far from the full model and close to each other."""
CAUTION = 2.0
"""Standard errors by which the leader may still fall behind before the last lap: a set that rested need seldom wake."""


class YardstickContest(Contest):
    """Skip sets, and the full model, that were asked some first part of the questions each, and what that proves.

    Until the last lap sets rest on what the leader is likely to come to. Nothing is settled by that: behind the lap
    everybody is judged again by what it did come to, and wakes where that does not suffice.
    """

    def __init__(self, flops_ratios: Sequence[float], num_questions: int, *, margin: float, level: float) -> None:
        super().__init__(flops_ratios, num_questions, margin=margin, level=level)
        self.own: Values = np.full_like(self.scores, np.nan)
        """[draw, set] score less that of the full model, nan where not asked."""
        self.whole_error = 1 - level
        self._lap_is_run = False

    def take(self, start: int, sets: Sequence[int], scores: Values) -> None:
        """Note scores [question, 1 + set] of the next questions of some sets, the full model's first."""
        super().take(start, sets, scores)
        self.own[start : start + len(scores), sets] = scores[:, 1:] - scores[:, :1]

    def due(self) -> list[int]:
        """Sets to ask on; none when the race is over."""
        before, every = (self.leader, self._lap_is_run), np.arange(len(self.asked))
        self.leader = self.leading()
        self._lap_is_run = self._is_known(self.leader)
        if self._lap_is_run and before != (self.leader, True):
            self._settled[:] = False
        open_ = np.flatnonzero(~self._settled & (every != self.leader))
        self._settled[open_] = self._settles(self.leader, open_, self._hurdle(self.leader))
        wanted: list[int] = open_[~self._settled[open_]].tolist()
        if self._lap_is_run:
            return wanted
        if not wanted and self.is_settled_against(self.leader, every).all():
            return []
        return sorted([*wanted, self.leader])

    def leading(self) -> int:
        """The best of those that were asked everything; before the last lap the one with the highest hurdle."""
        abreast = np.flatnonzero(self.asked == self.asked.max())
        if self._is_known(int(abreast[0])):
            return super().leading()
        hurdles = np.round([self._hurdle(one) for one in abreast.tolist()], 12)
        return int(abreast[np.lexsort((self._ratios[abreast], hurdles))[-1]])

    def is_settled_against(self, one: int, others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """[other] whether each is certainly not better than `one` by more than the margin."""
        return self._settles(one, others, self._hurdle(one) if self._is_known(one) else None)

    def _is_known(self, one: int) -> bool:
        return bool(self.asked[one] == self.num_questions)

    def _hurdle(self, one: int) -> float:
        """What another set's own mean must be below: that of `one` and the margin; before its last lap a guess."""
        own, left = self.own[: self.asked[one], one], 1 - self.asked[one] / self.num_questions
        return float(own.mean() - CAUTION * own.std() * math.sqrt(left / len(own)) + self.margin)

    def _settles(self, one: int, others: NDArray[np.int64], hurdle: float | None) -> NDArray[np.bool_]:
        """[other] whether it cannot be better by more than the margin; without a hurdle that is told by pairs only."""
        gaps, total = self.differences(others, one), self.num_questions
        capitals = log_capitals(gaps, self.margin, total) + math.log(DIRECT * self.error)
        if hurdle is not None:
            own = log_capitals(self.own[: len(gaps), others], hurdle, total)
            capitals = np.logaddexp(capitals, own + math.log((1 - DIRECT) * self.whole_error))
        return self.settled(one, others, gaps, is_refuted=capitals.max(0, initial=-math.inf) >= 0)
