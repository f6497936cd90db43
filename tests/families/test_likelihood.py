"""Choices ranked from a cached prefix, in every family: what generation sees, and the slow reference from scratch."""

import pytest
import torch

from skipit_nb.backend.evaluation.likelihood import log_likelihoods
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.model import LiveModel
from tests.families.all_families import BUILDERS, family
from tests.families.matrix import KINDS, skipset_of, under
from tests.families.reference import reference

NEAR = 1e-5
"""Nats; of log-likelihoods around -20 in float32, so about a millionth."""
NEAR_REFERENCE = 3e-5
"""To the reference, whose attention is another one (eager) and whose passes are longer."""
OF_REFERENCE = 1e-5
"""Of its value; 4e-6 was seen, on a processor with AVX-512."""

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*ran as it is"),
    pytest.mark.filterwarnings("ignore:.*is falling back to its reference"),
]


def choices_of(replica):
    """Choices of one, two and three tokens, one of them the beginning of another."""
    a, b, c, d, e, f, *_ = (token for token in range(20, 48) if token not in replica.suppress)
    return [(a,), (b, c), (d, e, f), (d, e)]


def found(replica, inputs, choices):
    live = LiveModel(replica.model, None, name="replica", revision="")
    return log_likelihoods(live, inputs, [choices] * len(inputs["input_ids"]))[0]


def generated(replica, inputs, choice):
    """The log-likelihood of a choice that generation is forced to write: a number a prompt."""
    length = inputs["input_ids"].shape[1]

    def only(_, ids):
        written = len(ids) - length
        return [choice[min(max(written, 0), len(choice) - 1)]]

    out = replica.model.generate(
        **inputs, max_new_tokens=len(choice), min_new_tokens=len(choice), do_sample=False,
        prefix_allowed_tokens_fn=only, return_dict_in_generate=True, output_logits=True,
    )  # fmt: skip
    assert out.sequences[:, -len(choice) :].tolist() == [list(choice)] * len(inputs["input_ids"])
    logs = torch.stack(out.logits, dim=1).float().log_softmax(-1)
    return [sum(float(row[step, token]) for step, token in enumerate(choice)) for row in logs]


def from_scratch(name, kind, inputs, choice):
    """The same by the slow reference: prompt and choice run whole, without a cache."""
    model = family(name, "eager").model
    more = torch.tensor([choice] * len(inputs["input_ids"]))
    behind = {"input_ids": more, "attention_mask": torch.ones_like(more)}
    whole = {
        key: torch.cat([value, behind.get(key, torch.zeros_like(more)).to(value.dtype)], 1)
        if value.shape == inputs["input_ids"].shape
        else value
        for key, value in inputs.items()
    }
    with torch.no_grad(), reference(model, whole["input_ids"], skipset_of(kind, anatomy_of(model))):
        logs = model(**whole, use_cache=False).logits.float().log_softmax(-1)
    rows = logs[:, -len(choice) - 1 : -1]
    return [sum(float(row[step, token]) for step, token in enumerate(choice)) for row in rows]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["llava", "gemma3", "qwen2_5_vl"])
@pytest.mark.parametrize("prompts", ["one", "padded"])
def test_each_choice_is_as_likely_as_from_scratch(name, kind, prompts):
    replica = family(name)
    inputs, choices = getattr(replica, prompts), choices_of(replica)
    with under(replica.model, kind):
        got = found(replica, inputs, choices)
    for number, choice in enumerate(choices):
        wanted = from_scratch(name, kind, inputs, choice)
        assert [row[number] for row in got] == pytest.approx(wanted, abs=NEAR_REFERENCE, rel=OF_REFERENCE)


@pytest.mark.parametrize("name", BUILDERS)
def test_each_choice_is_as_likely_as_generation_finds_it(name):
    replica = family(name)
    choices = choices_of(replica)
    # Padded, transformers' own generate gives InstructBLIP's rows other logits than alone.
    prompts = [replica.one, replica.text_only, *([] if name == "instructblip" else [replica.padded])]
    with under(replica.model, "union"):
        for inputs in prompts:
            got = found(replica, inputs, choices)
            for number, choice in enumerate(choices):
                wanted = generated(replica, inputs, choice)
                assert [row[number] for row in got] == pytest.approx(wanted, abs=NEAR, rel=1e-6)
