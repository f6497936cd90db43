"""A layer that gives NaN or infinity is named by every measure; what padding holds is nobody's concern."""

import pytest
import torch

from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.redundancy.bands import BandRecorder
from skipit_nb.backend.redundancy.geometric import DistanceRecorder
from skipit_nb.errors import NotFiniteError
from tests.backend.live.tiny_llava import prompts, tiny_llava

TASK = "digits-vqa"

MEASURES = {
    "profile": lambda session: session.profile(TASK, limit=2),
    "bands": lambda session: session.bands(TASK, limit=2),
    "similarity": lambda session: session.similarity(TASK, limit=4),
    "look": lambda session: session.look(session.examples(TASK, limit=1)[0].image, "how many?"),
    "knockout": lambda session: session.knockout(TASK, [range(1)], limit=2),
    "contribution": lambda session: session.contribution(TASK, actions=("frozen",), limit=2),
    "sweep": lambda session: session.sweep(TASK, ["vision absent 9-"], limit=2),
    "functional": lambda session: session.functional(TASK, limit=40),
}


def broken(layer, value):
    """Puts `value` into one number of the layer's output, at the last token of the prompt."""

    def hook(_, __, out):
        out = out.clone()
        out[:, -1, 5] = value
        return out

    return layer.register_forward_hook(hook)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("name", MEASURES)
def test_the_layer_that_gives_no_number_is_named(session, name, value):
    hook = broken(session._open.anatomy.layers[3], value)
    try:
        with pytest.raises(NotFiniteError, match=r"^layer 3 gives NaN or infinity for \d+ question"):
            MEASURES[name](session)
    finally:
        hook.remove()


@pytest.mark.parametrize("name", ["profile", "bands", "look", "contribution"])
def test_embeddings_and_the_head_are_named_too(session, name):
    before = session._open.anatomy.layers[0].register_forward_pre_hook(lambda _, args: (args[0] * torch.nan, *args[1:]))
    with pytest.raises(NotFiniteError, match=r"^the states before layer 0 hold NaN"):
        MEASURES[name](session)
    before.remove()
    if name == "contribution":
        head = session._open.anatomy.head.register_forward_hook(lambda _, __, out: out * torch.nan)
        with pytest.raises(NotFiniteError, match=r"^the head gives NaN"):
            MEASURES[name](session)
        head.remove()


@pytest.mark.parametrize("kind", [DistanceRecorder, BandRecorder])
def test_padding_may_hold_anything(kind):
    model, inputs = tiny_llava(), prompts(padded=True)
    anatomy, found = anatomy_of(model), []
    padding = inputs["attention_mask"] == 0
    for value in (None, torch.nan):
        recorder = kind(anatomy)
        hooks = []
        if value is not None:  # the last layer's output: no other row sees what its padding holds
            hooks.append(anatomy.layers[-1].register_forward_hook(
                lambda _, __, out: out.masked_fill(padding[..., None], torch.nan)))  # fmt: skip
        with torch.no_grad(), recorder.recording(inputs):
            model(**inputs)
        for hook in hooks:
            hook.remove()
        found.append(recorder.rows() if kind is DistanceRecorder else recorder.bands())
    assert found[0] == found[1]
