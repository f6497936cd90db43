"""What each command does: open a session, make one call, print what it gives."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skipit_nb.cli.tables import as_table, show
from skipit_nb.errors import MissingPackageError, SettingError

if TYPE_CHECKING:
    import pandas as pd

    from skipit_nb.results import Sweep
    from skipit_nb.session import Session

NOTEBOOKS = "notebooks"
INTERRUPTED = 130
"""Exit status of a command that Ctrl-C stopped, as shells have it."""


def lab(options: argparse.Namespace) -> None:
    """Replace this process by JupyterLab, on the first notebook if there is one here."""
    import importlib.util

    if importlib.util.find_spec("jupyterlab") is None:
        raise MissingPackageError("jupyterlab", "skipit lab", "pip install 'skipit-nb[lab]'")
    first = next(iter(sorted(Path(NOTEBOOKS).glob("1-*.ipynb"))), None)
    command = [sys.executable, "-m", "jupyterlab", f"--port={options.port}", *([str(first)] if first else [])]
    if options.no_browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    os.execv(sys.executable, command)  # noqa: S606 - no shell; the arguments are our own


def demo(options: argparse.Namespace) -> None:
    """Tell the first notebook's story in the terminal."""
    from skipit_nb.backend.tasks.task import refuse_draw
    from skipit_nb.cli.demo import tell
    from skipit_nb.zoo.course import made_folder

    refuse_draw(options.limit, options.seed)  # which its last chapter would do, after two were measured
    out = made_folder(options.out)
    with _session(options) as session:
        tell(session, options.task, options.limit, options.seed, out)


def profile(options: argparse.Namespace) -> None:
    """Measure redundancy."""
    with _session(options) as session:
        result = session.profile(
            options.task,
            limit=options.limit,
            seed=options.seed,
            batch_size=options.batch_size,
            flow=not options.no_flow,
        )
        _print(options, result, result.frame)


def recommend(options: argparse.Namespace) -> None:
    """Find a skip set that meets the paper's conditions."""
    names = ("level", "max_distance", "epsilon", "max_tail", "max_var")
    thresholds = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    with _session(options) as session:
        measured = session.profile(options.task, limit=options.limit, seed=options.seed, batch_size=options.batch_size)
        result = session.recommend(measured, **thresholds)
        saves = f"prefill FLOPs / {result.flops_ratio:.2f}, predicted for a usual prompt"
        _print(options, result, result.frame, f"Recommended: {result.skipset} ({saves})")


def compare(options: argparse.Namespace) -> int:
    """Run A against B; interrupted, print what there is."""
    with _session(options) as session:
        result = session.compare(
            options.task,
            options.a,
            options.b,
            limit=options.limit,
            seed=options.seed,
            margin=options.margin,
            batch_size=options.batch_size,
            measure=("accuracy", "loyalty", "flops") if options.no_latency else None,
            ledger=options.ledger,
            output_type=options.output_type,
        )
        _print(options, result, result.summary, f"{result.verdict.sentence} {len(result.flips())} flips.")
        return 0 if result.is_complete else INTERRUPTED


def sweep(options: argparse.Namespace) -> int:
    """Run many skip sets; interrupted, print what there is."""
    with _session(options) as session:
        wanted = [*options.skipsets, *_families(options, session.num_layers)]
        if not wanted:
            raise SettingError("skipsets", [], "some skip sets, or one of --late-entry --early-exit --freeze --whole")
        result = session.sweep(
            options.task,
            wanted,
            limit=options.limit,
            seed=options.seed,
            batch_size=options.batch_size,
            finalists=options.finalists,
            ledger=options.ledger,
        )
        _print(options, result, result.frame, f"The full model: {result.baseline:.4f}.", *_missing(result))
        return 0 if result.is_complete else INTERRUPTED


def _missing(result: Sweep) -> list[str]:
    """What a sweep's table does not say of itself."""
    errors = [f"{result.num_errors} questions had an error and are left out."] if result.errors else []
    return errors if result.is_complete else [*errors, f"Incomplete: interrupted, {result.num_unasked} left."]


def export(options: argparse.Namespace) -> None:
    """Write the model under a skip set into a folder."""
    with _session(options) as session:
        result = session.export(options.skipset, options.out, form=options.form, overwrite=options.overwrite)
        show(result.to_json() if options.json else str(result))


def _families(options: argparse.Namespace, num_layers: int) -> list[Any]:
    from skipit_nb.skipset import SkipSet

    layers = range(num_layers)
    made: list[SkipSet] = []
    if options.late_entry:
        made += [SkipSet.late_entry(k, num_layers=num_layers) for k in range(1, num_layers + 1)]
    if options.early_exit:
        made += [SkipSet.early_exit(k, num_layers=num_layers) for k in layers]
    if options.freeze:
        made += [SkipSet.freeze(layer, num_layers=num_layers) for layer in layers]
    if options.whole:
        made += [SkipSet.whole(layer, num_layers=num_layers) for layer in layers]
    return made


def train(options: argparse.Namespace) -> None:
    """Train a model in the box, then measure what its layers look like."""
    from skipit_nb.cli.training import complete_card, train_model

    out = options.out or Path("runs") / options.model
    if not options.only_card:
        train_model(options.model, out, seed=options.seed, device=options.device, steps_scale=options.steps_scale)
    complete_card(options.model, out, scale=options.steps_scale)
    show(f"Weights and card are in {out}")


def doctor(options: argparse.Namespace) -> int:
    """Look at the installation; exit status 1 if something is broken."""
    from skipit_nb.doctor import diagnose

    found = diagnose()
    show(found.to_json() if options.json else str(found))
    return 0 if all(finding.ok for finding in found.findings) else 1


def _session(options: argparse.Namespace) -> Session:
    from skipit_nb import Session

    return Session.open(options.model, device=options.device, dtype=options.dtype)


def _print(options: argparse.Namespace, result: Any, frame: pd.DataFrame, *lines: str) -> None:
    show(result.to_json() if options.json else "\n".join((as_table(frame), *lines)))
