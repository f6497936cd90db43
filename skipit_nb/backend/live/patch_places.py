"""Where on its picture each vision token lies: read off a processor's outputs, so that no model has to run.

Three ways to cut a picture are known, told apart by what the processor gives:

    image_grid_thw               one grid over the whole picture, after merging (Qwen2-VL, Qwen2.5-VL, GLM-4V, …)
    image_sizes and 5 axes       the whole picture, then its tiles row by row, each row closed by a newline token
                                 (LLaVA-NeXT; LLaVA-OneVision, which may also shrink the grid of tiles)
    pixel_values of one size     one grid over what resizing and cropping leave of the picture (LLaVA, SmolVLM, …)
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from transformers.image_processing_utils import select_best_resolution

from skipit_nb.results import PatchPlace

Size = tuple[int, int]
"""Height and width, as the processors have it."""

Places = list[PatchPlace | None]
"""One a vision token, in order; None for a token that stands for no part of the picture."""

_SHRINKS_ABOVE = 1.1
"""LLaVA-OneVision leaves a grid of tiles alone that is larger than its limit by no more than this."""


def patch_places(
    inputs: Mapping[str, Tensor], sizes: Sequence[Size], part: Any, config: Any, count: int
) -> tuple[PatchPlace | None, ...]:
    """Find the place of each vision token of one question.

    Args:
        inputs: What the processor gave for this one question.
        sizes: Height and width of its pictures, in order.
        part: The family's image processor, which says how it resizes, crops and merges.
        config: The model's configuration.
        count: Vision tokens of the prompt.

    Returns:
        One entry per vision token; None for newline tokens, for a class token, and for padding around the picture.
        Nothing at all where this family's way to cut a picture is not known: a wrong place would be worse.
    """
    if not sizes:
        return ()
    pixels = inputs.get("pixel_values")
    found: Places = []
    if "image_grid_thw" in inputs:
        found = _merged(inputs["image_grid_thw"].tolist(), int(getattr(part, "merge_size", 1)))
    elif pixels is not None and pixels.dim() == 5 and "image_sizes" in inputs:  # noqa: PLR2004 - image, tile, RGB, y, x
        found = _tiled(inputs, config)
    elif pixels is not None and pixels.dim() == 4 and len(pixels) == len(sizes):  # noqa: PLR2004 - image, RGB, y, x
        found = _fixed(sizes, part, config, (pixels.shape[2], pixels.shape[3]), count)
    return tuple(found) if len(found) == count else ()


# ── one merged grid ──────────────────────────────────────────────────────────────────────────────────────────────────


def _merged(grids: Iterable[Sequence[int]], merge: int) -> Places:
    """Grids in patches, of which `merge` × `merge` are a token; such a picture is squeezed, never cropped."""
    return [
        place
        for image, (frames, rows, columns) in enumerate(grids)
        for _ in range(frames)
        for place in _grid(image, 0, _equal(rows // merge), _equal(columns // merge))
    ]


# ── one grid over the crop ───────────────────────────────────────────────────────────────────────────────────────────


def _fixed(sizes: Sequence[Size], part: Any, config: Any, pixels: Size, count: int) -> Places:
    each, rest = divmod(count, len(sizes))
    patch = _patch_size(config)
    shape = _shape(each, pixels, patch)
    if rest or shape is None:
        return []
    step = [edge / cells if edge // cells != patch else patch for edge, cells in zip(pixels, shape, strict=True)]
    places: Places = []
    for image, size in enumerate(sizes):
        spans = [
            [window.part(step[axis] * i, step[axis] * (i + 1)) for i in range(shape[axis])]
            for axis, window in enumerate(_windows(size, pixels, part))
        ]
        own = _grid(image, 0, *spans)
        places += [None] * (each - len(own)) + own  # a class token comes first
    return places


def _shape(each: int, pixels: Size, patch: int) -> Size | None:
    """Rows and columns of so many tokens: one a patch, perhaps after a class token, or one for k × k patches."""
    rows, columns = (edge // patch for edge in pixels) if patch else (0, 0)
    if rows and rows * columns in (each, each - 1):
        return rows, columns
    k = math.isqrt(rows * columns // each) if each else 0
    if k and k * k * each == rows * columns and rows % k == columns % k == 0:
        return rows // k, columns // k
    side = math.isqrt(each)
    return (side, side) if side and side * side == each and pixels[0] == pixels[1] else None


@dataclass(frozen=True, slots=True)
class _Window:
    """Along one axis: the picture starts at pixel `offset` of what the model sees, and is `length` pixels long."""

    offset: float
    length: float

    def part(self, start: float, stop: float) -> tuple[float, float]:
        """From pixels to fractions of the picture; nothing of it lies outside."""
        ends = [min(max((pixel - self.offset) / self.length, 0.0), 1.0) for pixel in (start, stop)]
        return ends[0], ends[1]


def _windows(size: Size, pixels: Size, part: Any) -> list[_Window]:
    """How a picture lies in the pixels that the model sees, for y and x, after padding, resizing and cropping."""
    height, width = size
    if getattr(part, "do_pad", False) and hasattr(part, "pad_to_square"):
        longest = max(size)
        scale = [edge / longest for edge in pixels]
        return [_Window(s * ((longest - edge) // 2), s * edge) for s, edge in zip(scale, size, strict=True)]
    shortest = _entry(getattr(part, "size", None), "shortest_edge")
    if not getattr(part, "do_resize", False) or not shortest:
        resized = size if getattr(part, "do_center_crop", False) and not getattr(part, "do_resize", False) else pixels
    elif height <= width:
        resized = shortest, int(shortest * width / height)
    else:
        resized = int(shortest * height / width), shortest
    # What is cropped starts before the first pixel; what is too small is padded.
    return [_Window(-((edge - seen) // 2), edge) for edge, seen in zip(resized, pixels, strict=True)]


def _entry(sizes: Any, name: str) -> int:
    """An edge of an image processor's size, which is a dict or an object of that shape; 0 if it is not there."""
    value = sizes.get(name) if isinstance(sizes, Mapping) else getattr(sizes, name, None)
    return int(value or 0)


# ── the whole picture, then its tiles ────────────────────────────────────────────────────────────────────────────────


def _tiled(inputs: Mapping[str, Tensor], config: Any) -> Places:
    sizes = [(int(height), int(width)) for height, width in inputs["image_sizes"].tolist()]
    edge, patch = int(inputs["pixel_values"].shape[-1]), _patch_size(config)
    if not patch or not getattr(config, "image_grid_pinpoints", None):
        return []
    ruler = _Ruler(edge, patch, edge // patch)
    base = [_Window(0, edge).part(patch * i, patch * (i + 1)) for i in range(ruler.cells)]
    together = "batch_num_images" in inputs and len(sizes) > 1  # OneVision then looks at each as a whole only
    places: Places = []
    for image, size in enumerate(sizes):
        places += _grid(image, 0, base, base)
        places += [None] if together else _tiles(image, size, ruler, config)
    return places


@dataclass(frozen=True, slots=True)
class _Ruler:
    """Along one axis of tiles side by side: from tokens to pixels."""

    edge: int
    """Pixels of a tile."""
    patch: int
    """Pixels of a token; a few at a tile's end may belong to none."""
    cells: int
    """Tokens of a tile."""

    def start(self, at: float) -> float:
        """The first pixel of what lies at or after token `at`."""
        tile = int(at // self.cells)
        return tile * self.edge + (at - tile * self.cells) * self.patch

    def stop(self, at: float) -> float:
        """One after the last pixel of what lies before token `at`."""
        tile = max(math.ceil(at / self.cells) - 1, 0)
        return tile * self.edge + (at - tile * self.cells) * self.patch


def _tiles(image: int, size: Size, ruler: _Ruler, config: Any) -> Places:
    """The tokens of the tiles without those of the padding, each row closed by a newline token."""
    best = select_best_resolution(size, [tuple(pair) for pair in config.image_grid_pinpoints])
    grid = tuple(edge // ruler.edge * ruler.cells for edge in best)
    cut = _padding(size, grid)
    shrink = _shrinking(tuple(cells - 2 * gone for cells, gone in zip(grid, cut, strict=True)), ruler.cells, config)
    spans = []
    for axis, window in enumerate(_fitted(size, best)):
        kept = grid[axis] - 2 * cut[axis]
        cells = int(kept // shrink)
        ends = [cut[axis] + kept * i / cells for i in range(cells + 1)]
        spans.append([window.part(ruler.start(a), ruler.stop(b)) for a, b in itertools.pairwise(ends)])
    places, columns = _grid(image, 1, *spans), len(spans[1])
    rows = (places[start : start + columns] for start in range(0, len(places), columns))
    return [place for row in rows for place in (*row, None)]


def _padding(size: Size, grid: Sequence[int]) -> Size:
    """Rows and columns of tokens that the model cuts off at each side, as it rounds them."""
    height, width = size
    if width / height > grid[1] / grid[0]:
        return (grid[0] - int(round(height * (grid[1] / width), 7))) // 2, 0
    return 0, (grid[1] - int(round(width * (grid[0] / height), 7))) // 2


def _shrinking(grid: Sequence[int], cells: int, config: Any) -> float:
    """By how much a grid of tiles is shrunk to a limit such as "anyres_max_9"; 1 where there is none."""
    limit = str(getattr(config, "vision_aspect_ratio", "")).removeprefix("anyres_max_")
    if not limit.isdigit():
        return 1.0
    ratio = math.sqrt(grid[0] * grid[1] / (int(limit) * cells**2))
    return ratio if ratio > _SHRINKS_ABOVE else 1.0


def _fitted(size: Size, canvas: Size) -> list[_Window]:
    """How a picture lies in the middle of a canvas that it was resized to fit."""
    scale = min(canvas[0] / size[0], canvas[1] / size[1])
    fitted = [min(math.ceil(edge * scale), most) for edge, most in zip(size, canvas, strict=True)]
    return [_Window((most - edge) // 2, edge) for edge, most in zip(fitted, canvas, strict=True)]


# ── all of them ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _patch_size(config: Any) -> int:
    size = getattr(getattr(config, "vision_config", None), "patch_size", 0)
    return int(size[0] if isinstance(size, list | tuple) else size or 0)


def _equal(cells: int) -> list[tuple[float, float]]:
    return [(i / cells, (i + 1) / cells) for i in range(cells)]


def _grid(image: int, view: int, ys: Sequence[tuple[float, float]], xs: Sequence[tuple[float, float]]) -> Places:
    """A place for each row and column, in reading order; None where nothing of the picture lies."""
    return [
        PatchPlace(image, view, left, top, right, bottom) if right > left and bottom > top else None
        for top, bottom in ys
        for left, right in xs
    ]
