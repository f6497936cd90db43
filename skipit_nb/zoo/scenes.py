"""Symbolic images: for each of the 8 x 8 patches, what is to be seen there.

The tower learns to read them off the pixels, and the decoder learns to answer from them before it has seen
an image. They are known of training images only: easy-VQA's colours and shapes are read out of the training
questions, Digits-VQA's canvases are our own.

Shapes:
    image   images of the batch
    patch   64, row by row from the upper left
    facet   color, shape, digit, place, count
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy

from skipit_nb.backend.tasks.digits_vqa import Canvas
from skipit_nb.backend.tasks.easy_vqa import COLORS, SHAPES, is_negated
from skipit_nb.zoo.architecture import IMAGE_PX, PATCH_PX
from skipit_nb.zoo.corpus import Item
from skipit_nb.zoo.vocabulary import vocabulary

UNKNOWN = -100
"""A facet that the training questions do not tell; the losses pass over it."""
NOTHING = "nothing"
FACETS: dict[str, tuple[str, ...]] = {
    "color": (NOTHING, *COLORS),
    "shape": (NOTHING, *SHAPES),
    "digit": (NOTHING, *map(str, range(10))),
    "place": (NOTHING, "alone", "leftmost", "between", "rightmost"),
    "count": (NOTHING, "1", "2", "3", "4"),
}

_PATCHES_A_SIDE = IMAGE_PX // PATCH_PX
_NOTHING_WEIGHT = 0.2  # four patches in five show nothing
_COVERED = 0.25
_SIZES = [len(names) for names in FACETS.values()]


class Symbols(nn.Module):
    """A vector for each thing that can be seen; a patch is the sum over its facets.

    Where a question has a word for it, the vector is that word's embedding: so a decoder that sees "7" and
    reads "7" need not learn that they belong together. Counts have vectors of their own; a patch that is one
    of 3 digits should not look like a digit 3.
    """

    def __init__(self, width: int, spread: float) -> None:
        super().__init__()
        self.own = nn.Embedding(sum(_SIZES), width)
        nn.init.normal_(self.own.weight, std=spread)
        words = [_word(facet, name) for facet, names in FACETS.items() for name in names]
        self.words = [vocabulary().index(word) if word else -1 for word in words]

    def forward(self, scene: Tensor, embeddings: Tensor) -> Tensor:
        """Give the vector of each patch.

        Args:
            scene: Scenes without unknown facets, image x patch x facet.
            embeddings: The decoder's embeddings, vocabulary x width.

        Returns:
            Vectors, image x patch x width.
        """
        words = torch.tensor(self.words, device=scene.device)
        table = torch.where(words[:, None] >= 0, embeddings[words.clamp(min=0)], self.own.weight)
        offsets = torch.tensor([sum(_SIZES[:i]) for i in range(len(_SIZES))], device=scene.device)
        return table[scene + offsets].sum(dim=2)


class SymbolReader(nn.Module):
    """Reads scenes off patch features; thrown away after its stage."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.read = nn.Linear(width, sum(_SIZES))

    def forward(self, features: Tensor, scene: Tensor) -> Tensor:
        """Give the cross-entropy of the scene, in nats, summed over facets."""
        logits = self.read(self.norm(features)).flatten(0, 1).split(_SIZES, dim=-1)
        losses = []
        for facet, one in enumerate(logits):
            weight = torch.ones(_SIZES[facet], device=one.device)
            weight[0] = _NOTHING_WEIGHT
            labels = scene[..., facet].flatten().to(one.device)
            losses.append(cross_entropy(one, labels, weight=weight, ignore_index=UNKNOWN))
        return torch.stack(losses).sum()


def told(items: Sequence[Item], facet: str) -> int:
    """Give the color or shape that the training questions about an image tell, or UNKNOWN."""
    names = FACETS[facet][1:]
    for item in items:
        example = item.example
        if example.answer in names:
            return FACETS[facet].index(example.answer)
        named = [name for name in names if name in example.question.rstrip("?").split()]
        is_there = example.answer == ("no" if is_negated(example.question) else "yes")
        if named and (is_there or example.question.startswith("what")):
            return FACETS[facet].index(named[0])
    return UNKNOWN


def shape_scenes(mask: Tensor, colors: Tensor, shapes: Tensor) -> Tensor:
    """Give color and shape to the patches that a shape covers, nothing to the others.

    Args:
        mask: Where the shape is, image x 64 x 64 pixels.
        colors: Number of the color of each image, or UNKNOWN.
        shapes: Number of the shape of each image, or UNKNOWN.

    Returns:
        Scenes, image x patch x facet.
    """
    cover = avg_pool2d(mask[:, None].float(), PATCH_PX).flatten(1)
    # A small shape may cover no patch by a quarter: then the one that it covers most.
    covered = (cover >= _COVERED) | (cover == cover.max(dim=1, keepdim=True).values)
    scene = torch.zeros(*covered.shape, len(FACETS), dtype=torch.long)
    scene[..., 0] = torch.where(covered, colors[:, None], 0)
    scene[..., 1] = torch.where(covered, shapes[:, None], 0)
    return scene


def digit_scenes(canvases: Sequence[Canvas]) -> Tensor:
    """Give digit, place and count to the patches whose middle lies in a digit's square, nothing to the others."""
    scene = torch.zeros(len(canvases), _PATCHES_A_SIDE, _PATCHES_A_SIDE, len(FACETS), dtype=torch.long)
    for number, canvas in enumerate(canvases):
        for order, (digit, box) in enumerate(zip(canvas.digits, canvas.boxes, strict=True)):
            facets = torch.tensor([0, 0, 1 + digit, _place(order, len(canvas.boxes)), len(canvas.boxes)])
            scene[number, _patches(box.top, box.size), _patches(box.left, box.size)] = facets
    return scene.flatten(1, 2)


def _word(facet: str, name: str) -> str | None:
    if facet == "place":
        return {"leftmost": "left", "rightmost": "right"}.get(name)
    return None if name == NOTHING or facet == "count" else name


def _patches(start: int, size: int) -> slice:
    """Give the patches whose middle lies in start, ..., start + size - 1."""
    half = PATCH_PX // 2
    return slice(-((half - start) // PATCH_PX), -((half - start - size) // PATCH_PX))


def _place(order: int, count: int) -> int:
    if count == 1:
        return FACETS["place"].index("alone")
    if order == 0:
        return FACETS["place"].index("leftmost")
    return FACETS["place"].index("rightmost" if order == count - 1 else "between")
