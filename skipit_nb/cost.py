"""What a skip set costs, by arithmetic: FLOPs, KV bytes and parameters of a decoder under a `SkipSet`.

Conventions, also printed with every number: one multiply-add is 2 FLOPs; attention is counted as a full square (no
half for the causal mask, nor for a window); the LM head runs for one position, as in `generate`. What is no product of
matrices is left out: norms, rotary embeddings, softmax, and of linear attention the short convolutions and triangular
systems (together 0.1 % of a prompt where Qwen3.5 is 4,096 wide) and a new token's step of the state (0.5 % of what it
takes). The vision tower is not part of it: skipping decoder layers does not change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, NamedTuple

from skipit_nb.errors import SettingError
from skipit_nb.skipset import MODALITIES, SkipSet
from skipit_nb.tokendrop import TokenDrop

if TYPE_CHECKING:
    import pandas as pd

FLOPS_PER_MAC = 2

USUAL_VISION, USUAL_TEXT = 576, 16
"""Tokens of a usual prompt: those of LLaVA-1.5's one image, for models where the image's size decides, and a short
question. Skip sets are ranked by what they save of it; `compare` and `efficiency` count the prompts themselves."""

UPDATING = ("run", "attn", "mlp")
"""Actions under which a modality's tokens are updated."""


@dataclass(frozen=True, slots=True)
class LayerShape:
    """What one decoder layer multiplies and keeps: multiply-adds per token, which for a matrix is its size."""

    query: int
    """Query projection."""
    key_value: int
    """Key and value projections; 0 where the layer reads keys that another one made."""
    output: int
    """Output projection."""
    scores: int
    """Per pair of query and key: heads x (width of a key + width of a value)."""
    mlp: int
    expansion: int = 0
    """Per key that a pass reads, where the cache keeps keys and values compressed into one (DeepSeek's MLA)."""
    extra: int = 0
    """What runs beside attention and MLP, such as per-layer embeddings."""
    state: int = 0
    """The state of linear attention, for every place in the chunks of a prompt; a decoding step multiplies no matrices
    with it."""
    chunk: int = 1
    """Places of a chunk of linear attention; the last one is filled up."""
    kept: int = 0
    """Numbers that the KV cache keeps of a token."""
    window: int | None = None
    """Positions that a decoding step reaches back, its own included; None for all."""
    reads_images: bool = False
    """Whether its keys are image features (cross-attention) rather than tokens of the sequence."""
    only_last_row: bool = False
    """Whether it makes no keys, and `generate` runs it for the last token of a prompt only, from which it goes on."""


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
    """Vision tokens of an image of one tile, or its features where layers read them by cross-attention; 0 where they
    depend on its size."""
    layers: tuple[LayerShape, ...] = ()
    """Every layer's own numbers, as read from a live model; empty where the numbers above say it all."""
    beside: int = 0
    """Per token: the decoder's own matrices beside its layers, such as Gemma 4's for the inputs of each layer."""

    def layer(self, index: int, *, published: bool = False) -> LayerShape:
        """The numbers of one layer; `published` gives every head its own keys, as the papers' formula does."""
        if self.layers and not published:
            return self.layers[index]
        width = self.num_heads * self.head_dim
        kv_width = width if published else self.num_kv_heads * self.head_dim
        return LayerShape(
            query=self.d_model * width,
            key_value=2 * self.d_model * kv_width,
            output=self.d_model * width,
            scores=2 * width,
            mlp=self.mlp_matrices * self.d_model * self.d_ff,
            kept=2 * self.num_kv_heads * self.head_dim,
        )

    @property
    def has_cross_attention(self) -> bool:
        """Whether images reach the decoder as keys of some layers rather than as tokens of the sequence."""
        return any(layer.reads_images for layer in self.layers)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one prompt costs under one skip set. All of it is arithmetic; nothing here was timed."""

    flops_prefill: float
    """FLOPs of reading the prompt: the decoder, and the LM head for one row."""
    flops_per_token: float
    """FLOPs of the first generated token after the prompt (its attention reads the whole prompt)."""
    kv_bytes: float
    """Bytes of keys and values kept for the prompt."""
    active_parameters: int
    """Weights of the layers' matrices that some token of the prompt goes through; of experts, those of one token.
    Skipped ones stay in memory."""
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
    skipset: SkipSet | TokenDrop | str | None = None,
    *,
    num_vision: int | None = None,
    num_text: int = 64,
    published: bool = False,
) -> Cost:
    """Count what one prompt costs on a decoder of this shape under a skip set.

        layer = q + k + v + o projections + 2 · queries · keys · width + MLP          (multiply-adds; × 2 = FLOPs)

    A live model's shape carries the sizes of its own matrices, layer by layer; a shape made by hand is uniform.

    Absent tokens are in none of the terms. Frozen tokens have keys and values, and, as this toolkit runs them, also
    query projections; the papers' formula leaves those out. A layer without a running token computes nothing and
    keeps no keys. Dropped tokens are in none of the terms from their stage on; where a layer's own attention ranks
    them, its queries, keys and values of the tokens before it are made once more.

    Args:
        shape: The decoder.
        skipset: What is skipped, or which tokens are dropped; None for the full model.
        num_vision: Vision tokens in the prompt, or image features where layers read them by cross-attention; by
            default those of one image.
        num_text: Text tokens in the prompt: all that are not vision tokens.
        published: Count as the papers do (ShortV, FastV, VTW): no LM head, as many K/V heads as heads, no query
            projections of frozen tokens, all layers alike. Reproduces the TFLOPs of ShortV's Table 1.

    Raises:
        SettingError: If a number of tokens is negative, or there are none.
        LayerIndexError: If tokens are dropped behind the last layer.

    Source:
        Yuan et al. 2025, "ShortV", arXiv:2504.00502, for the published form.
    """
    drop = skipset if isinstance(skipset, TokenDrop) else None
    bound = SkipSet.of(None if isinstance(skipset, TokenDrop) else skipset, num_layers=shape.num_layers)
    prompt = {"vision": shape.num_vision if num_vision is None else num_vision, "text": num_text}
    if drop is not None:
        drop.check(shape.num_layers)
    for name, count in prompt.items():
        if count < 0 or sum(prompt.values()) == 0:
            raise SettingError(f"num_{name}", count, "a number of tokens, at least 0, and not 0 for both")
    layers = [shape.layer(i, published=published) for i in range(shape.num_layers)]
    prompts = [_left(prompt, drop, i) for i in range(shape.num_layers)]
    works = [_work(shape, i, bound, left, NO_TOKENS, published=published) for i, left in enumerate(prompts)]
    steps = [_work(shape, i, bound, ONE_TOKEN, left, published=published) for i, left in enumerate(prompts)]
    ranking = [0 if published else _ranking(layers[i], prompt, drop, i) for i in range(shape.num_layers)]
    flops = tuple(map(sum, zip(map(_flops, layers, works), ranking, strict=True)))
    head, beside = (0, 0) if published else (FLOPS_PER_MAC * shape.d_model * shape.vocab, FLOPS_PER_MAC * shape.beside)
    return Cost(
        flops_prefill=sum(flops) + sum(prompt.values()) * beside + head,
        flops_per_token=sum(map(_flops, layers, steps)) + beside + head,
        kv_bytes=sum(map(_kept, layers, works)) * shape.bytes_per_value,
        active_parameters=sum(map(_parameters, layers, works)),
        layer_flops=flops,
    )


def usual_cost(shape: ModelShape, skipset: SkipSet | TokenDrop | str | None = None) -> Cost:
    """Count what a usual prompt costs: the vision tokens of one image, and `USUAL_TEXT` text tokens."""
    return cost(shape, skipset, num_vision=usual_vision(shape), num_text=USUAL_TEXT)


def usual_vision(shape: ModelShape) -> int:
    """Vision tokens of one image; `USUAL_VISION` where its size decides."""
    return shape.num_vision or USUAL_VISION


Tokens = Mapping[str, int]
"""How many tokens of each modality."""

NO_TOKENS: Tokens = {"vision": 0, "text": 0}
ONE_TOKEN: Tokens = {"vision": 0, "text": 1}


def _left(prompt: Tokens, drop: TokenDrop | None, layer: int) -> Tokens:
    """The tokens of a prompt that are present at a layer."""
    return prompt if drop is None else {**prompt, "vision": drop.kept(layer, prompt["vision"])}


def _ranking(layer: LayerShape, prompt: Tokens, drop: TokenDrop | None, index: int) -> int:
    """FLOPs of ranking the tokens: one query's scores and, before a layer runs, the queries and keys they are of."""
    ranks_itself = drop is not None and drop.ranked_by == "at"
    if drop is None or index + (not ranks_itself) not in dict(drop.stages):
        return 0
    there = sum(_left(prompt, drop, index - ranks_itself).values())
    made = there * (layer.query + layer.key_value) if ranks_itself else 0
    return FLOPS_PER_MAC * (made + there * layer.scores // 2)


class _Work(NamedTuple):
    """How many tokens of one forward pass do what at one layer."""

    updated: int = 0
    """Go on with another state."""
    fed: int = 0
    """Go through the MLP."""
    places: int = 0
    """Places in the chunks of linear attention, filled or not."""
    attending: int = 0
    """Read keys."""
    keys: int = 0
    """Keys that each of them reads."""
    made: int = 0
    """Have a key and a value made for them."""
    asking: int = 0
    """Have a query made for them; frozen ones too, though they ask nothing."""


def _work(shape: ModelShape, index: int, skipset: SkipSet, new: Tokens, past: Tokens, *, published: bool) -> _Work:
    """Count what `new` tokens do at one layer, after `past` ones whose keys the cache holds."""
    layer, is_prompt = shape.layer(index, published=published), not any(past.values())
    actions = {name: skipset.action(index, name) for name in MODALITIES}
    present = {name for name in MODALITIES if actions[name] != "absent"}
    rows, sources = _rows_and_sources(shape, layer)
    brought = ONE_TOKEN if layer.only_last_row else new
    updated = sum(brought[name] for name in rows if actions[name] in UPDATING)
    made = sum(new[name] for name in sources & present)
    keys = made + sum(past[name] for name in sources & present)
    if not updated or not keys:
        return _Work()
    fed = 0 if "mlp" in actions.values() else updated
    places = -(-updated // layer.chunk) * layer.chunk if is_prompt else 0
    if "attn" in actions.values():
        return _Work(updated, fed, places)
    asks_alone = published or not layer.key_value
    asking = updated if asks_alone else sum(brought[name] for name in rows & present)
    reached = keys if is_prompt or layer.window is None else min(keys, layer.window)
    return _Work(updated, fed, places, attending=updated, keys=reached, made=made, asking=asking)


def _rows_and_sources(shape: ModelShape, layer: LayerShape) -> tuple[set[str], set[str]]:
    """The modalities whose tokens are rows of a layer, and those that its keys are made of."""
    if not shape.has_cross_attention:
        return set(MODALITIES), set(MODALITIES)
    return {"text"}, {"vision"} if layer.reads_images else {"text"}


def _flops(layer: LayerShape, work: _Work) -> int:
    return FLOPS_PER_MAC * (
        work.asking * layer.query
        + work.made * layer.key_value
        + work.keys * layer.expansion
        + work.attending * (work.keys * layer.scores + layer.output)
        + work.places * layer.state
        + work.fed * layer.mlp
        + work.updated * layer.extra
    )


def _kept(layer: LayerShape, work: _Work) -> int:
    """Numbers in the KV cache."""
    return layer.kept * (work.made if layer.window is None else min(work.made, layer.window - 1))


def _parameters(layer: LayerShape, work: _Work) -> int:
    """Weights of the matrices that some token goes through."""
    attention = layer.query + layer.key_value + layer.expansion + layer.output
    return bool(work.attending) * attention + bool(work.fed) * layer.mlp + bool(work.updated) * layer.extra
