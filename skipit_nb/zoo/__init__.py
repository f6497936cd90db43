"""The models in the box: where their weights are, and the recipes that trained them."""

from __future__ import annotations

from pathlib import Path

from skipit_nb.errors import ModelNotFoundError

DEFAULT = "tiny"
"""The model in the box that opens without a name."""

_WEIGHTS = Path(__file__).parent / "weights"
TRAINED_PART = "trained.safetensors"
"""Holds what was trained of a model whose language model is not ours to carry."""


def model_names() -> tuple[str, ...]:
    """Give the names of the models that come with the package."""
    return tuple(sorted(folder.name for folder in _WEIGHTS.iterdir() if (folder / "config.json").exists()))


def shipped_folder(name: str = DEFAULT) -> Path:
    """Give the folder of what the package carries of a model in the box: its card, and weights or a part of them.

    Raises:
        ModelNotFoundError: If no model of that name comes with the package.
    """
    if name not in model_names():
        raise ModelNotFoundError(name, f"the models in the box are {', '.join(model_names())}")
    return _WEIGHTS / name


def model_path(name: str = DEFAULT) -> Path:
    """Give the folder of a model in the box, as `from_pretrained` takes it.

    Raises:
        ModelNotFoundError: If no model of that name comes with the package.
        MissingPackageError: If the language model that it was trained on is not installed; the message holds the line
            that installs it.
    """
    return whole_checkpoint(shipped_folder(name))


def whole_checkpoint(folder: Path) -> Path:
    """Give the folder of a whole checkpoint, for a folder that holds one or only the part that was trained.

    The first time, such a part is put together with the language model it was trained on, in some thirty seconds, and
    kept for this user.

    Args:
        folder: As the package ships it or `skipit train` leaves it.

    Raises:
        MissingPackageError: If that language model is not installed; the message holds the line that installs it.
        BrokenWeightsError: If the trained part is damaged.
    """
    if not (folder / TRAINED_PART).exists():
        return folder
    from skipit_nb.zoo.smol.assembled import assembled

    return assembled(folder)
