"""Why a checkpoint without the skipped layers would not be the skipped model: what can be told before building it."""

from __future__ import annotations

from collections.abc import Iterator

from transformers import PreTrainedModel

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.skipset import SkipSet
from skipit_nb.skipset.cells import RUN, Cell

WHOLE = Cell("whole")


def reasons_against_pruning(model: PreTrainedModel, anatomy: Anatomy, skipset: SkipSet) -> Iterator[str]:
    """Reasons in the order in which a reader understands them; none if pruning may be tried."""
    for layer, cell in enumerate(skipset.head):
        if cell not in (RUN, WHOLE):
            yield f"layer {layer} is not left out as a whole ({', '.join(cell.clauses())})"
    removed = skipset.layers("whole")
    kept = [layer for layer in range(len(anatomy.layers)) if layer not in removed]
    if not kept:
        yield "no layer would be left"
    elif removed and anatomy.layer_types[kept[0]] == "cross_attention":
        yield f"layer {kept[0]} would come first, by whose cache transformers counts tokens, and it caches the image's"
    if removed and (last := _last_injection(model, anatomy)) >= removed[0]:
        yield (
            f"vision features are added by layer number up to layer {last}, "
            f"so without layer {removed[0]} they would land elsewhere"
        )
    yield from reasons_against_new_weights(model)


def reasons_against_new_weights(model: PreTrainedModel) -> Iterator[str]:
    """Why the weights cannot be written under other names, one tensor for one."""
    if getattr(model, "hf_quantizer", None) is not None:
        yield "its weights are quantised"
    if getattr(model, "_hf_peft_config_loaded", False):
        yield "it has adapters; merge them first"
    if any(parameter.is_meta for parameter in model.parameters()):
        yield "some of its weights are not in memory (offloaded)"


def _last_injection(model: PreTrainedModel, anatomy: Anatomy) -> int:
    """The last layer by whose number vision features are added from outside; -1 if there is none."""
    pairs = getattr(model.config, "deepstack_layer_map", None) or ()  # Granite: (vision layer, decoder layer)
    return max(anatomy.last_injection, *(int(layer) for _, layer in pairs), -1)
