"""What a fresh kernel spends until a session is open and a chart drawn, with and without what makes it quick."""

import subprocess
import sys
from collections.abc import Callable
from statistics import median

import pytest

pytestmark = pytest.mark.bench

TURNS = 5
PLAIN = """
from contextlib import nullcontext
import skipit_nb
from skipit_nb import charts, garbage
skipit_nb.uncollected = garbage.uncollected = charts.importing_quickly = nullcontext
"""
FIRST_MINUTE = """
import time
from skipit_nb import Session
session = Session.open(device="cpu")
opened = time.process_time()
from skipit_nb.charts import profile_chart
profile_chart(session.profile("digits-vqa", limit=12), 0.1).to_dict()
print(opened, time.process_time() - opened)
"""


def cpu_seconds(before: str) -> list[float]:
    """Of a fresh Python: until the session is open, and from there to the first chart."""
    done = subprocess.run([sys.executable, "-c", before + FIRST_MINUTE], capture_output=True, text=True, check=True)
    return [float(seconds) for seconds in done.stdout.split()]


def test_a_session_opens_and_draws_its_first_chart_sooner(record: Callable[[tuple[str, ...]], None]) -> None:
    cpu_seconds("")  # the disk is read once before anything counts
    plain, quick = [], []
    for _ in range(TURNS):
        plain.append(cpu_seconds(PLAIN))
        quick.append(cpu_seconds(""))
    for part, what in enumerate(("until a session is open", "from there to the first profile and its chart")):
        one, two = (median(run[part] for run in runs) for runs in (plain, quick))
        said = f"a fresh kernel {what}, as Python imports by itself / as here, CPU time, median of {TURNS} turns"
        record((f"{said} ({one:.1f} s and {two:.1f} s)", f"{one / two:.2f}×", "–", "–"))
        assert two < one
