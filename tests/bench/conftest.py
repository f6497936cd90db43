"""Collects the ratios that the benchmarks find and writes them to docs/benchmarks.md, above the notes."""

import datetime as dt
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench` on {date}: {machine}, {threads} CPU thread(s), torch {torch}, transformers {transformers}.

One run; every figure is a median over repeats in which the arms take turns. *Predicted* is `skipit_nb.cost`: FLOPs of
the full decoder / FLOPs under the skip set. Weights are random where it says so: such a model is as slow as a trained
one, and knows nothing.

| what | measured | predicted or bar | measured / predicted |
| --- | --- | --- | --- |
"""

NOTES = "\n## Notes\n"
"""Where people write on; what follows stays."""

Row = tuple[str, str, str, str]


@pytest.fixture(scope="session")
def record() -> Iterator[Callable[[Row], None]]:
    rows: list[Row] = []
    yield rows.append
    if rows:
        notes = "".join(PAGE.read_text("utf-8").partition(NOTES)[1:])
        table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
        PAGE.write_text(_head() + table + notes, encoding="utf-8")


def _head() -> str:
    import torch
    import transformers

    return HEAD.format(
        date=dt.datetime.now(tz=dt.UTC).date().isoformat(),
        machine=_processor(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        transformers=transformers.__version__,
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
