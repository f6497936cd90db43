"""A skip set the slow, obvious way: every layer on every row, hidden columns, states put back. Never cached.

Written from the definition alone: what it computes is what the real engine has to equal.
"""

import torch
from torch import Tensor

from skipit_nb import SkipSet


@torch.no_grad()
def reference_logits(
    model, inputs: dict[str, Tensor], skipset: SkipSet, *, rows_to_keep: slice = slice(None)
) -> Tensor:
    """Logits [batch, seq, vocab] of a LLaVA-like model under a bound skip set."""
    core, decoder = model.model, model.model.language_model
    ids, padding = inputs["input_ids"], inputs["attention_mask"].bool()
    vision = ids == model.config.image_token_id
    hidden = decoder.embed_tokens(ids.masked_fill(vision, 0))
    if "pixel_values" in inputs:
        features = torch.cat(list(core.get_image_features(inputs["pixel_values"], return_dict=True).pooler_output))
        hidden = hidden.masked_scatter(vision[..., None], features)
    positions = (padding.cumsum(1) - 1).clamp(min=0)
    rotary = decoder.rotary_emb(hidden, position_ids=positions)
    for index, layer in enumerate(decoder.layers):
        actions = {"vision": skipset.action(index, "vision"), "text": skipset.action(index, "text")}
        hidden = _layer(layer, hidden, rotary, padding, vision, actions)
    return model.lm_head(decoder.norm(hidden))[:, rows_to_keep]


def _layer(layer, hidden, rotary, padding, vision, actions):
    if set(actions.values()) == {"whole"}:
        return hidden
    runs = torch.zeros_like(vision)
    seen = torch.zeros_like(vision)
    for modality, rows in (("vision", vision), ("text", ~vision)):
        runs |= rows & (actions[modality] not in ("frozen", "absent"))
        seen |= rows & (actions[modality] != "absent")
    new = hidden
    if "attn" not in actions.values():
        new = (
            new
            + layer.self_attn(
                layer.input_layernorm(new), position_embeddings=rotary, attention_mask=_mask(seen & padding, hidden)
            )[0]
        )
    if "mlp" not in actions.values():
        new = new + layer.mlp(layer.post_attention_layernorm(new))
    return torch.where(runs[..., None], new, hidden)


def _mask(seen, hidden):
    """Causal, only seen columns; the diagonal stays open so that no line is empty."""
    length = seen.shape[1]
    allowed = torch.ones(length, length, dtype=torch.bool).tril()[None] & seen[:, None, :]
    allowed = allowed | torch.eye(length, dtype=torch.bool)[None]
    return torch.zeros(allowed.shape, dtype=hidden.dtype).masked_fill(~allowed, torch.finfo(hidden.dtype).min)[:, None]
