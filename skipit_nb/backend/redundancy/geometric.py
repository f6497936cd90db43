"""Geometric and proximal redundancy: how far each layer turns the state of each token, and how often it turns it far.

Shapes:
    batch  samples of one forward pass
    seq    positions, padding included
    kind   `TOKENS`: vision, text, first; then those whose rows are given by hand
    bin    len(EPSILONS) + 1 intervals of distance
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.model import Inputs
from skipit_nb.backend.redundancy.rows_by_hand import RowMask, checked_names, masks_by_hand
from skipit_nb.errors import NotFiniteError
from skipit_nb.results import EPSILONS, TOKENS, LayerDistance

SMALLEST_DISTANCE = 1e-9
"""Stands for the distance of a layer that turns nothing, where logarithms are taken."""

PerToken = tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]
"""One sample: the kind of each token, and its distances [layer][token]."""

STATISTICS = 3 + len(EPSILONS)
"""Per layer, kind and sample: distance, norm, update, and the tail at each ε."""


def token_kinds(inputs: Inputs, anatomy: Anatomy, rows: Mapping[str, RowMask] | None = None) -> Tensor:
    """Sort every position into its kind: [kind, batch, seq] bool; padding belongs to none.

    The first token (often the attention sink) is text but reported apart: its huge norm and odd direction would
    speak for the others. Video positions are vision. Rows given by hand are kinds of their own, taken from the text.

    Raises:
        SettingError: If a mask given by hand does not fit these inputs.
    """
    is_token = inputs.get("attention_mask", torch.ones_like(inputs["input_ids"])).bool()
    is_vision = anatomy.vision_rows(inputs["input_ids"]) & is_token
    others = masks_by_hand(inputs, rows or {}, is_token & ~is_vision)
    is_text = is_token & ~torch.stack([is_vision, *others]).any(0)
    is_first = (is_token.cumsum(1) == 1) & is_text
    return torch.stack([is_vision, is_text & ~is_first, is_first, *others])


def layer_distance(before: Tensor, after: Tensor) -> Tensor:
    """The cosine distance of each token's state before and after a layer: 0 unmoved, 1 a right angle, 2 reversed.

        d = 1 - cos(before, after) = ‖before / ‖before‖ - after / ‖after‖‖² / 2

    The second form is used: it is exactly 0 for an unmoved state and keeps its digits for small turns. In float32
    whatever the model's own format. It does not see a change of length.

    Args:
        before: [..., d_model]
        after: [..., d_model]

    Returns:
        [...] in 1 - cos, from 0 to 2.
    """
    turn = nn.functional.normalize(before.float(), dim=-1) - nn.functional.normalize(after.float(), dim=-1)
    return (turn.square().sum(-1) / 2).clamp(0, 2)


class DistanceRecorder:
    """Streams distances, tails and norms of every layer over forward passes; memory does not grow with samples.

    Layer inputs and outputs are read by hooks, so the last layer is measured before the final norm.
    """

    def __init__(self, anatomy: Anatomy, rows: Mapping[str, RowMask] | None = None) -> None:
        """Measure vision, text and first tokens, and kinds whose rows are given by hand.

        Raises:
            SettingError: If such a kind has a name that is taken.
        """
        self._anatomy = anatomy
        self._by_hand = checked_names(rows)
        self._kinds = (*TOKENS, *self._by_hand)
        self._epsilons = torch.tensor(EPSILONS)
        shape = (len(anatomy.layers), len(self._kinds), STATISTICS)
        self._sums = torch.zeros(shape, dtype=torch.float64)
        self._squares = torch.zeros(shape[:2], dtype=torch.float64)
        self._relative = torch.zeros(*shape[:2], 2, dtype=torch.float64)
        self._counts = torch.zeros(len(self._kinds), dtype=torch.float64)

    @contextlib.contextmanager
    def recording(self, inputs: Inputs) -> Iterator[None]:
        """Record the one forward pass inside the block; nothing counts if it raises.

        Raises:
            NotFiniteError: If a layer gives NaN or infinity; the error names it.
        """
        kinds = token_kinds(inputs, self._anatomy, self._by_hand)
        seen: dict[int, Tensor] = {}
        with contextlib.ExitStack() as undo:
            for index, layer in enumerate(self._anatomy.layers):
                hook = layer.register_forward_hook(self._hook(index, kinds, seen))
                undo.callback(hook.remove)
            yield
        self._add(torch.stack([seen[i] for i in range(len(seen))]).double().cpu(), kinds.any(2).cpu())

    def _hook(self, index: int, kinds: Tensor, seen: dict[int, Tensor]) -> Any:
        def hook(_: nn.Module, args: tuple[Tensor, ...], out: Tensor | tuple[Tensor, ...]) -> None:
            seen[index] = self._measure(args[0], out[0] if isinstance(out, tuple) else out, kinds)

        return hook

    def _measure(self, before: Tensor, after: Tensor, kinds: Tensor) -> Tensor:
        """[kind, batch, statistic] means over the tokens of each kind in each sample."""
        distance = layer_distance(before, after)
        norm = before.float().norm(dim=-1)
        update = (after.float() - before.float()).norm(dim=-1) / norm.clamp_min(1e-12)
        share = kinds / kinds.sum(2, keepdim=True).clamp_min(1)
        values = torch.stack([distance, norm, update]).masked_fill(~kinds.any(0), 0)  # padding may hold anything
        means = torch.einsum("kbs,nbs->kbn", share, values)
        return torch.cat([means, self._tails(distance, share)], dim=2)

    def _tails(self, distance: Tensor, share: Tensor) -> Tensor:
        """[kind, batch, ε] share of tokens with d > ε, from one histogram a layer."""
        bins = torch.bucketize(distance, self._epsilons.to(distance.device)).expand(share.shape)
        histogram = share.new_zeros(*share.shape[:2], len(EPSILONS) + 1).scatter_add_(2, bins, share)
        return histogram.flip(2).cumsum(2).flip(2)[:, :, 1:]

    def _add(self, batch: Tensor, has_kind: Tensor) -> None:
        refuse_bad_layers(batch, has_kind)
        present = batch * has_kind[None, :, :, None]
        self._sums += present.sum(2)
        self._squares += present[..., 0].square().sum(2)
        self._counts += has_kind.sum(1)
        logs = batch[..., 0].clamp_min(SMALLEST_DISTANCE).log()
        relative = (logs - logs.mean(0)) * has_kind
        self._relative += torch.stack([relative.sum(2), relative.square().sum(2)], dim=2)

    def rows(self) -> tuple[LayerDistance, ...]:
        """One row per layer and kind of token that occurred: tokens within a sample first, then samples."""
        return tuple(
            self._row(layer, kind)
            for layer in range(len(self._anatomy.layers))
            for kind in range(len(self._kinds))
            if self._counts[kind]
        )

    def _row(self, layer: int, kind: int) -> LayerDistance:
        count = float(self._counts[kind])
        distance, norm, update, *tail = (self._sums[layer, kind] / count).tolist()
        relative, relative_square = self._relative[layer, kind].tolist()
        return LayerDistance(
            layer=layer,
            tokens=self._kinds[kind],
            distance=distance,
            spread=_deviation(count, float(self._squares[layer, kind]), distance),
            tail=tuple(tail),
            norm=norm,
            update=update,
            relative_spread=_deviation(count, relative_square, relative / count),
        )


def refuse_bad_layers(values: Tensor, is_there: Tensor) -> None:
    """Raise for the first layer that gives NaN or infinity, as its distances and norms tell.

    Looked for in these and not in the states: that takes no time, and no waiting for a card at each layer.

    Args:
        values: [layer, kind or token, batch, statistic], the first of them distance, the second the norm before.
        is_there: [kind or token, batch] bool: where values count.

    Raises:
        NotFiniteError: With the layer; its input's norm tells whether the one before it is to blame.
    """
    bad = ~values.isfinite().all(3) & is_there
    if bad.any():
        layer = int(bad.any(2).any(1).nonzero()[0])
        norm = values[layer, ..., 1][bad[layer]]
        raise NotFiniteError(layer if norm.isfinite().all() else layer - 1, int(bad[layer].any(0).sum()))


def _deviation(count: float, squares: float, mean: float) -> float:
    """Standard deviation from a sum of squares; 0 with one value."""
    return math.sqrt(max((squares - count * mean**2) / max(count - 1, 1), 0.0))


@contextlib.contextmanager
def per_token_distances(anatomy: Anatomy) -> Iterator[list[Tensor]]:
    """Collect [batch, seq] distances of every layer of the forward pass inside the block, in layer order."""
    found: list[Tensor] = []

    def hook(_: nn.Module, args: tuple[Tensor, ...], out: Tensor | tuple[Tensor, ...]) -> None:
        found.append(layer_distance(args[0], out[0] if isinstance(out, tuple) else out).cpu())

    with contextlib.ExitStack() as undo:
        for layer in anatomy.layers:
            undo.callback(layer.register_forward_hook(hook).remove)
        yield found


@contextlib.contextmanager
def per_token_norms(anatomy: Anatomy) -> Iterator[list[Tensor]]:
    """Collect [batch, seq] lengths of the states before every layer of the forward pass inside the block."""
    found: list[Tensor] = []

    def hook(_: nn.Module, args: tuple[Tensor, ...]) -> None:
        found.append(args[0].float().norm(dim=-1).cpu())

    with contextlib.ExitStack() as undo:
        for layer in anatomy.layers:
            undo.callback(layer.register_forward_pre_hook(hook).remove)
        yield found


def of_samples(distances: Sequence[Tensor], kinds: Tensor, names: Sequence[str]) -> Iterator[PerToken]:
    """Single tokens of every sample, in the order of its prompt, padding left out.

    Args:
        distances: Of every layer [batch, seq], as `per_token_distances` collects them.
        kinds: [kind, batch, seq] bool, as `token_kinds` gives them.
        names: Of the kinds.
    """
    every = torch.stack(list(distances))
    for sample in range(kinds.shape[1]):
        is_token = kinds[:, sample].any(0)
        of_token = kinds[:, sample, is_token].int().argmax(0).tolist()
        yield tuple(names[kind] for kind in of_token), tuple(map(tuple, every[:, sample, is_token].tolist()))
