"""The list of self-checks, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skipit_nb.backend.checks.costs import flops_fall, not_slowed_down
from skipit_nb.backend.checks.exactness import empty_set, model_restored
from skipit_nb.backend.checks.sameness import same_alone, same_time_twice, same_twice, same_without_cache
from skipit_nb.backend.checks.trial import Trial, usual_set
from skipit_nb.backend.evaluation.efficiency.device import Device, device_of
from skipit_nb.backend.live.limits import refuse_unsupported
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import NoExamplesError
from skipit_nb.jobs import Tick
from skipit_nb.results import Checks, Provenance, SelfCheck
from skipit_nb.skipset import SkipSet


def check(
    live: LiveModel,
    skipset: SkipSet | None,
    examples: Sequence[Example],
    provenance: Provenance,
    *,
    tick: Tick,
    device: Device | None = None,
) -> Checks:
    """Run every check, each with the model to itself.

    Args:
        live: The model.
        skipset: What to check under; None for the usual set.
        examples: The prompts.
        provenance: Of the prompts.
        tick: Told after every check.
        device: What tells of time and clocks; by default the model's own device.

    Raises:
        NoExamplesError: If there are no prompts.
        UnsupportedSkipError: If the model cannot run the set.
    """
    if not examples:
        raise NoExamplesError("a check")
    chosen = usual_set(live.anatomy) if skipset is None else skipset
    refuse_unsupported(live.model, live.anatomy, chosen)
    trial, here = Trial(live, chosen, examples), device or device_of(live.device)
    checks: tuple[Callable[[], SelfCheck], ...] = (
        lambda: empty_set(trial),
        lambda: model_restored(trial),
        lambda: same_twice(trial),
        lambda: same_without_cache(trial),
        lambda: same_alone(trial),
        lambda: flops_fall(trial),
        lambda: same_time_twice(trial, here),
        lambda: not_slowed_down(here),
    )
    rows: list[SelfCheck] = []
    for run in checks:
        tick(len(rows), len(checks))
        with live.lock:
            rows.append(run())
    tick(len(rows), len(checks))
    return Checks(provenance, chosen, tuple(rows))
