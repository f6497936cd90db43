"""What a skip set costs, by arithmetic: FLOPs, KV bytes and parameters of a decoder under a `SkipSet`.

Conventions, also printed with every number: one multiply-add is 2 FLOPs; attention is counted as a full square (no
half for the causal mask); the LM head runs for one position, as in `generate`. Norms, rotary embeddings and softmax
are left out. The vision tower is not part of it: skipping decoder layers does not change it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.errors import SettingError
from skipit_nb.skipset import SkipSet

if TYPE_CHECKING:
    import pandas as pd

FLOPS_PER_MAC = 2


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The numbers of a decoder that decide its cost."""

    num_layers: int
    d_model: int
    """Width of the residual stream."""
    d_ff: int
    """Width of the MLP."""
    num_heads: int
    num_kv_heads: int
    head_dim: int
    vocab: int
    bytes_per_value: int = 4
    """4 for float32, 2 for bfloat16 and float16: decides KV bytes."""
    mlp_matrices: int = 3
    """3 for a gated MLP (up, gate, down), 2 for a plain one."""
    num_vision: int = 0
    """Vision tokens of one image in this model's own size; 0 if it depends on the image."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one prompt costs under one skip set. All of it is arithmetic; nothing here was timed."""

    flops_prefill: float
    """FLOPs of reading the prompt: decoder layers and one row of the LM head."""
    flops_per_token: float
    """FLOPs of the first generated token after the prompt (its attention reads the whole prompt)."""
    kv_bytes: float
    """Bytes of keys and values kept for the prompt."""
    active_parameters: int
    """Parameters of the decoder layers that compute something for text or vision. Skipped layers stay in memory."""
    layer_flops: tuple[float, ...]
    """Prefill FLOPs of each layer."""

    def speedup_over(self, other: Cost) -> float:
        """Predicted prefill speed-up of this cost over `other`: FLOPs of `other` / FLOPs of this; above 1 is faster."""
        return other.flops_prefill / self.flops_prefill

    @property
    def frame(self) -> pd.DataFrame:
        """One row: flops_prefill, flops_per_token, kv_bytes, active_parameters."""
        import pandas as pd

        return pd.DataFrame([{k: v for k, v in asdict(self).items() if k != "layer_flops"}])


def cost(
    shape: ModelShape,
    skipset: SkipSet | str | None = None,
    *,
    num_vision: int | None = None,
    num_text: int = 64,
    published: bool = False,
) -> Cost:
    """Count what one prompt costs on a decoder of this shape under a skip set.

        layer = q + k + v + o projections + 2 · queries · keys · width + MLP          (multiply-adds; × 2 = FLOPs)

    Absent tokens are in none of the terms. Frozen tokens have keys and values, and, as this toolkit runs them, also
    query projections; the papers' formula leaves those out.

    Args:
        shape: The decoder.
        skipset: What is skipped; None for the full model.
        num_vision: Vision tokens in the prompt; by default those of one image.
        num_text: Text tokens in the prompt.
        published: Count as the papers do (ShortV, FastV, VTW): no LM head, as many K/V heads as heads, no query
            projections of frozen tokens. Reproduces the TFLOPs of ShortV's Table 1.

    Raises:
        SettingError: If a number of tokens is negative, or there are none.

    Source:
        Yuan et al. 2025, "ShortV", arXiv:2504.00502, for the published form.
    """
    bound = SkipSet.of(skipset, num_layers=shape.num_layers)
    counts = {"vision": shape.num_vision if num_vision is None else num_vision, "text": num_text}
    for name, count in counts.items():
        if count < 0 or sum(counts.values()) == 0:
            raise SettingError(f"num_{name}", count, "a number of tokens, at least 0, and not 0 for both")
    head = 0 if published else shape.d_model * shape.vocab
    layers = tuple(
        FLOPS_PER_MAC * _layer_macs(shape, bound, i, counts, published=published) for i in range(shape.num_layers)
    )
    step = {"vision": 0, "text": 1}
    decode = sum(_layer_macs(shape, bound, i, step, past=counts, published=published) for i in range(shape.num_layers))
    return Cost(
        flops_prefill=sum(layers) + FLOPS_PER_MAC * head,
        flops_per_token=FLOPS_PER_MAC * (decode + head),
        kv_bytes=sum(_kv_bytes(shape, bound, i, counts) for i in range(shape.num_layers)),
        active_parameters=sum(_parameters(shape, bound, i) for i in range(shape.num_layers)),
        layer_flops=layers,
    )


def _layer_macs(
    shape: ModelShape,
    skipset: SkipSet,
    layer: int,
    counts: dict[str, int],
    *,
    past: dict[str, int] | None = None,
    published: bool,
) -> float:
    """Multiply-adds of one layer for `counts` new tokens, with `past` tokens already in its cache."""
    actions = {name: skipset.action(layer, name) for name in counts}
    running = sum(n for name, n in counts.items() if actions[name] in ("run", "attn", "mlp"))
    if running == 0:
        return 0
    visible = sum(n for name, n in counts.items() if actions[name] != "absent")
    keys = visible + sum(n for name, n in (past or {}).items() if actions[name] != "absent")
    width, kv_width = shape.num_heads * shape.head_dim, shape.num_kv_heads * shape.head_dim
    if published:
        kv_width = width
    queries = running if published else visible
    attention = (
        shape.d_model * (queries * width + 2 * visible * kv_width + running * width) + 2 * running * keys * width
    )
    mlp = shape.mlp_matrices * running * shape.d_model * shape.d_ff
    skipped = set(actions.values())
    return (0 if "attn" in skipped else attention) + (0 if "mlp" in skipped else mlp)


def _kv_bytes(shape: ModelShape, skipset: SkipSet, layer: int, counts: dict[str, int]) -> float:
    actions = {name: skipset.action(layer, name) for name in counts}
    kept = sum(n for name, n in counts.items() if actions[name] in ("run", "frozen", "mlp"))
    return 2 * kept * shape.num_kv_heads * shape.head_dim * shape.bytes_per_value


def _parameters(shape: ModelShape, skipset: SkipSet, layer: int) -> int:
    actions = {skipset.action(layer, name) for name in ("vision", "text")}
    attention = shape.d_model * shape.head_dim * 2 * (shape.num_heads + shape.num_kv_heads)
    mlp = shape.mlp_matrices * shape.d_model * shape.d_ff
    if actions == {"whole"}:
        return 0
    return (0 if "attn" in actions else attention) + (0 if "mlp" in actions else mlp)
