"""How soon a what-if is answered by the model in the box, with no other job."""

import time
from collections.abc import Callable

import numpy as np
import pytest

from skipit_nb import Session

pytestmark = pytest.mark.bench

SETS = ("vision absent 0-3", "vision frozen 3-", "whole 5", "text frozen 8-; attn 1")
MOST_MS = 300


def test_a_what_if_takes_less_than_300_ms(session: Session, record: Callable[[tuple[str, ...]], None]) -> None:
    times = []
    for i, example in enumerate(session.examples("easy-vqa", limit=50)):
        start = time.perf_counter()
        session.what_if(example.image, example.question, SETS[i % len(SETS)])
        times.append(1000 * (time.perf_counter() - start))
    middle, late = np.percentile(times, [50, 95])
    what = f"`session.what_if` on the model in the box, p95 of {len(times)} questions (median {middle:.0f} ms)"
    record((what, f"{late:.0f} ms", f"bar: {MOST_MS} ms", "–"))
    assert late < MOST_MS
