"""The benchmarks by name."""

from __future__ import annotations

from collections.abc import Mapping

from skipit_nb.backend.tasks.hub import options, short_answers, yes_or_no
from skipit_nb.backend.tasks.hub.benchmark import Benchmark

BENCHMARKS: Mapping[str, Benchmark] = {
    one.name: one
    for one in (
        short_answers.VQAV2,
        short_answers.GQA,
        short_answers.TEXTVQA,
        yes_or_no.POPE,
        options.SCIENCEQA,
        options.MMBENCH,
        options.MMSTAR,
        options.AI2D,
        options.SEED,
        yes_or_no.MME,
        short_answers.CLEVR,
    )
}
