"""The models in the box: where their weights are, and the recipe that trained them."""

from __future__ import annotations

from pathlib import Path

from skipit_nb.errors import ModelNotFoundError

DEFAULT = "tiny"
"""The model in the box that opens without a name."""

_WEIGHTS = Path(__file__).parent / "weights"


def model_names() -> tuple[str, ...]:
    """Give the names of the models that come with the package."""
    return tuple(sorted(folder.name for folder in _WEIGHTS.iterdir() if (folder / "config.json").exists()))


def model_path(name: str = DEFAULT) -> Path:
    """Give the folder of a model in the box, as `from_pretrained` takes it.

    Raises:
        ModelNotFoundError: If no model of that name comes with the package.
    """
    if name not in model_names():
        raise ModelNotFoundError(name, f"the models in the box are {', '.join(model_names())}")
    return _WEIGHTS / name
