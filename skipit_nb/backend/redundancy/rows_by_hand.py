"""Rows of further modalities, such as audio, that a model's configuration does not tell: masks given by hand.

Shapes:
    batch  samples of one forward pass
    seq    positions, padding included
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from skipit_nb.backend.live.model import Inputs
from skipit_nb.errors import SettingError
from skipit_nb.results import BAND_TOKENS

RowMask = Tensor | Callable[[Inputs], Tensor]
"""[batch, seq] bool, True at the modality's rows; or what gives it for a batch's inputs, which differ in length."""


def checked_names(rows: Mapping[str, RowMask] | None) -> dict[str, RowMask]:
    """The masks by name.

    Raises:
        SettingError: If a name is taken, or none.
    """
    for name in rows or {}:
        if not isinstance(name, str) or not name or name in BAND_TOKENS:
            raise SettingError("a name in rows", name, f"a new word, such as 'audio', and none of {BAND_TOKENS}")
    return dict(rows or {})


def masks_by_hand(inputs: Inputs, rows: Mapping[str, RowMask], is_free: Tensor) -> list[Tensor]:
    """One mask [batch, seq] bool a name, for the inputs of one batch.

    Args:
        inputs: Of the batch.
        rows: By name.
        is_free: [batch, seq] bool: what may be taken, that is neither padding nor vision.

    Raises:
        SettingError: If a mask is no tensor of bools, has another shape, or takes what is padding, vision or taken.
    """
    found: list[Tensor] = []
    for name, given in rows.items():
        mask = given(inputs) if callable(given) else given
        place = f"rows[{name!r}]"
        if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
            kind = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
            raise SettingError(place, kind, "a tensor of bools, or a function of the inputs that gives one")
        if mask.shape != is_free.shape:
            expected = f"{tuple(is_free.shape)}, an entry for each position; a function of the inputs suits every batch"
            raise SettingError(f"the shape of {place}", tuple(mask.shape), expected)
        mask = mask.to(is_free.device)
        if bool((mask & ~is_free).any()):
            sample, position = (mask & ~is_free).nonzero()[0].tolist()
            free = "rows that are no padding, no vision tokens and in no other mask"
            raise SettingError(place, f"True at sample {sample}, position {position}", free)
        is_free = is_free & ~mask
        found.append(mask)
    return found
