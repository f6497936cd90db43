"""`skip_config.json`: a skip set in a file beside the model it is for, and that set at work."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from transformers import PreTrainedModel

from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.errors import ResultFormatError, SkipitError
from skipit_nb.results import Provenance
from skipit_nb.skipset import SkipSet

FILE = "skip_config.json"
FORMAT = 1
"""Version of the file; another one is refused, not guessed at."""


@contextlib.contextmanager
def exported_skips(model: PreTrainedModel, path: str | Path) -> Iterator[None]:
    """Run a transformers model under the skip set that was exported with it; afterwards it is as before.

    Exact as `session.skipping`, for who needs no session:

        model = AutoModelForImageTextToText.from_pretrained(path)
        with skipit_nb.exported_skips(model, path):
            model.generate(**inputs)

    Args:
        model: The model that was opened from `path`, or another copy of it.
        path: The folder with `skip_config.json`.

    Raises:
        ResultFormatError: If there is no such file, or it cannot be read.
        LayerCountError: If the model has another number of layers.
    """
    anatomy = anatomy_of(model)
    with skipping(model, anatomy, read_skip_config(path).bind(len(anatomy.layers))):
        yield


def has_skip_config(path: str | Path) -> bool:
    """Whether a skip set was exported into this folder."""
    return (Path(path).expanduser() / FILE).is_file()


def read_skip_config(path: str | Path) -> SkipSet:
    """The skip set that was exported into a folder, bound.

    Raises:
        ResultFormatError: If the file is missing, of another version, or was changed.
    """
    try:
        stored = json.loads((Path(path).expanduser() / FILE).read_text("utf-8"))
        if stored["format"] != FORMAT:
            raise ResultFormatError(FILE, f"it has format {stored['format']}, this version reads {FORMAT}")
        skipset = SkipSet.parse(stored["skipset"], num_layers=stored["num_layers"])
        if skipset.fingerprint != stored["fingerprint"]:
            raise ResultFormatError(FILE, f"its fingerprint is not that of '{skipset}'")
    except ResultFormatError:
        raise
    except (OSError, ValueError, KeyError, TypeError, SkipitError) as error:
        raise ResultFormatError(FILE, f"{type(error).__name__}: {error}") from error
    return skipset


def write_skip_config(folder: Path, skipset: SkipSet, made: Provenance) -> None:
    """Write a bound skip set beside its model."""
    content = {
        "format": FORMAT,
        "skipset": str(skipset),
        "num_layers": skipset.num_layers,
        "fingerprint": skipset.fingerprint,
        "model": made.model,
        "revision": made.revision,
        "versions": dict(made.versions),
    }
    (folder / FILE).write_text(json.dumps(content, indent=2) + "\n", "utf-8")
