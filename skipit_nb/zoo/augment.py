"""easy-VQA has 3,800 training images; moving each shape about its ground makes many more of them.

Shapes:
    image   images of the batch
    pixels  3 x 64 x 64
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_VISIBLE = 10  # of 255: a shape differs from its ground by more than this in some channel


@dataclass(frozen=True)
class Movable:
    """Images of one shape on an even ground, with what is needed to move the shape."""

    images: Tensor
    """Pixels, image x 3 x 64 x 64, 0 to 255."""
    grounds: Tensor
    """Colour of each ground, image x 3 x 1 x 1."""
    room: Tensor
    """Free pixels above, below, left and right of the shape, image x 4."""

    def moved(self, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """Give the chosen images, mirrored half of the time, the shape moved to anywhere on its ground."""
        up, down, left, right = self.room[chosen].unbind(1)
        dy = _uniform(-up, down, generator)
        dx = _uniform(-left, right, generator)
        moved = _shifted(self.images[chosen], self.grounds[chosen], dy, dx)
        mirrored = torch.rand(len(chosen), generator=generator) < 0.5  # noqa: PLR2004  a fair coin
        return torch.where(mirrored[:, None, None, None], moved.flip(-1), moved)

    def mask(self, moved: Tensor, chosen: Tensor) -> Tensor:
        """Say where the shape is, image x 64 x 64 pixels."""
        return _differs(moved, self.grounds[chosen])


def movable(images: Tensor) -> Movable:
    """Find the ground (the colour of most corners) and the shape of each image."""
    corners = images[:, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    grounds = corners.median(dim=-1).values[..., None, None]
    shape = _differs(images, grounds)
    up, left = _free_before(shape.any(dim=2)), _free_before(shape.any(dim=1))
    down, right = _free_before(shape.any(dim=2).flip(1)), _free_before(shape.any(dim=1).flip(1))
    return Movable(images, grounds, torch.stack([up, down, left, right], dim=1))


def _differs(images: Tensor, grounds: Tensor) -> Tensor:
    return ((images.int() - grounds.int()).abs() > _VISIBLE).any(dim=1)


def _free_before(taken: Tensor) -> Tensor:
    return taken.int().argmax(dim=1)


def _uniform(low: Tensor, high: Tensor, generator: torch.Generator) -> Tensor:
    return low + (torch.rand(len(low), generator=generator) * (high - low + 1)).floor().long()


def _shifted(images: Tensor, grounds: Tensor, dy: Tensor, dx: Tensor) -> Tensor:
    side = torch.arange(images.shape[-1])
    rows, columns = side[None] - dy[:, None], side[None] - dx[:, None]
    inside = ((rows >= 0) & (rows < len(side)))[:, :, None] & ((columns >= 0) & (columns < len(side)))[:, None, :]
    last = len(side) - 1
    picked = images[
        torch.arange(len(images))[:, None, None, None],
        torch.arange(images.shape[1])[None, :, None, None],
        rows.clamp(0, last)[:, None, :, None],
        columns.clamp(0, last)[:, None, None, :],
    ]
    return torch.where(inside[:, None], picked, grounds)
