"""Arguments in, one call, a table or JSON out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import skipit_nb
from skipit_nb.cli import checking, commands, judging, reproducing
from skipit_nb.errors import SkipitError

REFUSED = 2
"""Exit status when the toolkit refuses what was asked, as argparse's own for unusable arguments."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 2 if it was refused (the reason is on stderr), 130 if interrupted."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except SkipitError as error:
        print(f"skipit: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("skipit: interrupted", file=sys.stderr)
        return commands.INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="skipit", description=skipit_nb.__doc__)
    parser.add_argument("--version", action="version", version=f"skipit {skipit_nb.__version__}")
    commands_of = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_lab(commands_of)
    _add_demo(commands_of)
    _add_profile(commands_of)
    _add_recommend(commands_of)
    _add_compare(commands_of)
    _add_sweep(commands_of)
    _add_judge(commands_of)
    _add_check(commands_of)
    _add_reproduce(commands_of)
    _add_export(commands_of)
    _add_train(commands_of)
    _add_doctor(commands_of)
    return parser


def _add_lab(to: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = to.add_parser("lab", help="open JupyterLab on the first notebook")
    command.add_argument("--no-browser", action="store_true", help="serve it without opening a browser")
    command.add_argument("--port", type=int, default=8888, help="port of the server (default 8888)")
    command.set_defaults(run=commands.lab)


def _add_demo(to: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = to.add_parser("demo", help="the first notebook's story: three answers as tables, pictures in a folder")
    _model_options(command)
    command.add_argument("--limit", type=int, default=500, help="questions of the A/B (default 500)")
    command.add_argument("--out", type=Path, default=Path("runs/demo"), help="folder of the pictures")
    command.set_defaults(run=commands.demo)


def _add_profile(to: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = to.add_parser("profile", help="how far each layer moves vision and text tokens, and cross-modal flow")
    _measuring_options(command, limit=200)
    command.add_argument("--no-flow", action="store_true", help="leave out cross-modal flow")
    command.set_defaults(run=commands.profile)


def _add_recommend(to: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = to.add_parser("recommend", help="a skip set that meets the paper's conditions, with a reason per layer")
    _measuring_options(command, limit=200)
    command.add_argument("--level", type=float, help="quantile of the nulls that give thresholds (default 0.05)")
    for name in ("max-distance", "epsilon", "max-tail", "max-var"):
        command.add_argument(f"--{name}", type=float, help=f"threshold {name.replace('-', '_')}, set by hand")
    command.set_defaults(run=commands.recommend)


def _add_compare(to: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = to.add_parser("compare", help="skip set A against B on the same questions")
    _measuring_options(command, limit=None)
    command.add_argument("--a", default="none", help="skip set A (default none: the full model)")
    command.add_argument("--b", required=True, help="skip set B, such as 'vision absent 0-3'")
    command.add_argument("--margin", type=float, default=0.01, help="acceptable loss of accuracy (default 0.01)")
    command.add_argument(
        "--output-type", choices=("generate_until", "multiple_choice"), help="as written, or the likeliest choice"
    )
    command.add_argument("--no-latency", action="store_true", help="measure no times")
    _ledger_option(command)
    command.set_defaults(run=commands.compare)


def _add_sweep(to: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = to.add_parser("sweep", help="many skip sets against the full model")
    _measuring_options(command, limit=None)
    command.add_argument("skipsets", nargs="*", help="skip sets in written form")
    for name in ("late-entry", "early-exit", "freeze", "whole"):
        command.add_argument(f"--{name}", action="store_true", help=f"add {name.replace('-', ' ')} at every layer")
    command.add_argument("--finalists", type=int, default=0, help="the best so many sets also answer (default 0)")
    _ledger_option(command)
    command.set_defaults(run=commands.sweep)


def _add_judge(to: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = to.add_parser("judge", help="two runs of lmms-eval, lm-eval or VLMEvalKit, paired, with a verdict")
    judging.add_options(command)
    command.set_defaults(run=judging.judge)


def _add_check(to: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = to.add_parser(
        "check", help="self-checks before numbers are trusted: exact, restored, repeatable, cheaper"
    )
    checking.add_options(command)
    command.set_defaults(run=checking.check)


def _add_reproduce(to: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = to.add_parser("reproduce", help="five checks of the paper's claims on one model: passed, failed and why")
    reproducing.add_options(command)
    command.set_defaults(run=reproducing.reproduce)


def _add_export(to: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = to.add_parser("export", help="the model under a skip set, as a checkpoint that transformers opens")
    _opening_options(command)
    command.add_argument("--skipset", required=True, help="what is skipped, such as 'whole 3+7'")
    command.add_argument("--out", type=Path, required=True, help="a new folder")
    command.add_argument("--form", default="auto", help="auto, pruned, config or per_layer_config (default auto)")
    command.add_argument("--overwrite", action="store_true", help="replace the checkpoint in --out")
    command.add_argument("--json", action="store_true", help="print what was written as JSON")
    command.set_defaults(run=commands.export)


def _add_train(to: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = to.add_parser("train", help="train a model in the box anew (tens of minutes)")
    command.add_argument("model", nargs="?", default="tiny", choices=["tiny", "smol"], help="which one (default tiny)")
    command.add_argument("--out", type=Path, help="folder of weights and card (default runs/ and the model's name)")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--device", help="cpu, cuda, mps (default: the best there is)")
    command.add_argument("--only-card", action="store_true", help="measure the layers of the model in --out again")
    command.add_argument(
        "--steps-scale", type=float, default=1.0, help="1 is the recipe; 0.01 a try-out that learns nothing, in minutes"
    )
    command.set_defaults(run=commands.train)


def _add_doctor(to: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = to.add_parser("doctor", help="what is installed, what is broken and how to mend it")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=commands.doctor)


def _opening_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", help="Hugging Face id or folder (default: the model in the box)")
    command.add_argument("--device", help="cpu, cuda, mps (default: the best there is)")
    command.add_argument("--dtype", help="float32, bfloat16, float16 (default: what suits the device)")


def _model_options(command: argparse.ArgumentParser) -> None:
    _opening_options(command)
    command.add_argument("--task", default="easy-vqa", help="task of the questions (default easy-vqa)")
    command.add_argument("--seed", type=int, default=0, help="seed of the sampling")


def _ledger_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--ledger", type=Path, help="folder that keeps what is done; the same command goes on there")


def _measuring_options(command: argparse.ArgumentParser, *, limit: int | None) -> None:
    _model_options(command)
    shown = "all" if limit is None else limit
    command.add_argument("--limit", type=int, default=limit, help=f"questions, whole images (default {shown})")
    command.add_argument("--batch-size", type=int, help="questions a batch")
    command.add_argument("--json", action="store_true", help="print the whole result as JSON")
