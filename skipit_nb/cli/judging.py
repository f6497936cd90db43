"""`skipit judge A B`: two runs of another harness, paired by document, with a verdict."""

from __future__ import annotations

import argparse
from pathlib import Path

from skipit_nb.cli.tables import as_table, show


def add_options(command: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    where = "samples of lmms-eval or lm-eval (.jsonl), a table of VLMEvalKit (.xlsx, .tsv, .csv), or a folder with one"
    command.add_argument("a", type=Path, metavar="A", help=f"the baseline: {where}")
    command.add_argument("b", type=Path, metavar="B", help="the other run of the same task")
    command.add_argument("--metric", help="which score (default: the only one there is)")
    command.add_argument("--cluster", metavar="COLUMN", help="what documents share, such as their image's name")
    command.add_argument("--margin", type=float, default=0.01, help="acceptable loss of accuracy (default 0.01)")
    command.add_argument("--json", action="store_true", help="print the whole result as JSON")


def judge(options: argparse.Namespace) -> None:
    """Read both runs and print what they say. That B is worse is a result: the exit status is 0 all the same."""
    from skipit_nb.integrations.logs import read_logs

    result = read_logs(options.a, options.b, metric=options.metric, cluster=options.cluster, margin=options.margin)
    if options.json:
        show(result.to_json())
        return
    show(as_table(result.statistics))
    if options.cluster is None:
        show("Every document stands alone. If some share an image, name its column with --cluster.")
    show(result.verdict.sentence)
