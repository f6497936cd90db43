"""`skipit check MODEL`: whether a model's numbers can be trusted, before they are measured."""

from __future__ import annotations

import argparse

from skipit_nb.cli.tables import show


def add_options(command: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    command.add_argument("model", nargs="?", help="Hugging Face id or folder (default: the model in the box)")
    command.add_argument("--skip", help="skip set to check under (default: half of the layers without vision tokens)")
    command.add_argument("--task", default="digits-vqa", help="task of the prompts (default digits-vqa)")
    command.add_argument("--limit", type=int, default=16, help="prompts, whole images (default 16)")
    command.add_argument("--seed", type=int, default=0, help="seed of the sampling")
    command.add_argument("--device", help="cpu, cuda, mps (default: the best there is)")
    command.add_argument("--dtype", help="float32, bfloat16, float16 (default: what suits the device)")
    command.add_argument("--json", action="store_true", help="print the result as JSON")


def check(options: argparse.Namespace) -> int:
    """Run the self-checks; exit status 1 if one failed."""
    from skipit_nb.session import Session

    with Session.open(options.model, device=options.device, dtype=options.dtype) as session:
        result = session.check(options.skip, task=options.task, limit=options.limit, seed=options.seed)
    show(result.to_json() if options.json else repr(result))
    return 0 if result.passed else 1
