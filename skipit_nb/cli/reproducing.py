"""`skipit reproduce MODEL`: the checks as text, the result as JSON, and its picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from skipit_nb.cli.tables import show
from skipit_nb.errors import SettingError

if TYPE_CHECKING:
    from skipit_nb.results import Reproduction

FOLDER = Path("runs")
PICTURES = (".png", ".svg")


def add_options(command: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    command.add_argument("model", nargs="?", help="Hugging Face id or folder (default: the model in the box)")
    command.add_argument("--task", default="easy-vqa", help="task of the questions (default easy-vqa)")
    command.add_argument(
        "--limit", type=int, default=1000, help="questions, whole images; half of them judge (default 1000)"
    )
    command.add_argument("--margin", type=float, default=0.02, help="acceptable loss of accuracy (default 0.02)")
    command.add_argument("--seed", type=int, default=0, help="seed of the sampling")
    command.add_argument("--batch-size", type=int, help="questions a batch (default 32 in float32, 1 otherwise)")
    command.add_argument("--instruction", help="written below every question; '' for nothing")
    command.add_argument("--device", help="cpu, cuda, mps (default: the best there is)")
    command.add_argument("--dtype", help="float32, bfloat16, float16 (default: what suits the device)")
    command.add_argument("--device-map", help="'auto' spreads a model that is too large for one card")
    command.add_argument("--revision", help="commit or branch of a Hugging Face id")
    command.add_argument(
        "--out", type=Path, help="JSON file of the result; its pictures go beside it (default in runs/)"
    )
    command.add_argument("--json", action="store_true", help="print the whole result as JSON")


def reproduce(options: argparse.Namespace) -> None:
    """Run the checks on one model. That a check fails is a result: the exit status is 0 all the same."""
    from skipit_nb.session import Session
    from skipit_nb.zoo.course import made_folder

    if options.out is not None:
        if options.out.suffix in PICTURES or options.out.is_dir():
            raise SettingError("out", str(options.out), "the name of a JSON file; the pictures go beside it")
        made_folder(options.out.parent)
    with Session.open(
        options.model,
        device=options.device,
        dtype=options.dtype,
        device_map=options.device_map,
        revision=options.revision,
    ) as session:
        result = session.reproduce(
            options.task,
            margin=options.margin,
            limit=options.limit,
            seed=options.seed,
            instruction=options.instruction,
            batch_size=options.batch_size,
        )
    # Told before it is written: a full disk should not cost an hour's result.
    show(result.to_json() if options.json else result.report())
    written = _write(
        result, options.out or FOLDER / f"reproduce-{file_name(result.provenance.model)}-{options.task}.json"
    )
    if not options.json:
        show(f"\nWritten: {', '.join(map(str, written))}")


def file_name(model: str) -> str:
    """The last two parts of a model's name or folder, as one file name."""
    return "--".join(part for part in Path(model).parts[-2:] if part.strip("/\\.:")) or "model"


def _write(result: Reproduction, out: Path) -> list[Path]:
    """The result and its pictures beside it."""
    from skipit_nb import charts

    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(result.to_json(), "utf-8")
    pictures = [out.with_suffix(suffix) for suffix in PICTURES]
    for picture in pictures:
        charts.reproduction_chart(result).save(picture, scale_factor=2)
    return [out, *pictures]
