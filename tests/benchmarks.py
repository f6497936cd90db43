"""Collects what the benchmarks find: a whole run writes it to docs/benchmarks.md, above the notes, a part prints it."""

import datetime as dt
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench` on {date}: {machine}, {threads} CPU thread(s), torch {torch}, transformers {transformers}.

One run; every ratio is a median over repeats in which the arms take turns. *Predicted* is `skipit_nb.cost`: FLOPs of
the full decoder / FLOPs under the skip set. Weights are random where it says so: such a model is as slow as a trained
one, and knows nothing. Milliseconds of the studio are of a hand's event in JupyterLab and Chromium on the same machine.

| what | measured | predicted or bar | measured / predicted |
| --- | --- | --- | --- |
"""

NOTES = "\n## Notes\n"
"""Where people write on; what follows stays."""

Row = tuple[str, str, str, str]
"""What was measured, how much, what was predicted or is the bar, and the share of it that was reached."""
Record = Callable[[Row], None]


@pytest.fixture(scope="session")
def record(request: pytest.FixtureRequest) -> Iterator[Record]:
    """Note a row of the table."""
    rows: list[Row] = []
    yield rows.append
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    if request.config.args != ["tests"] or request.config.option.keyword:
        print(f"\n{table}")  # noqa: T201 - the rows of the others would be lost
    elif rows:
        notes = "".join(PAGE.read_text("utf-8").partition(NOTES)[1:])
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
