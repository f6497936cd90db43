"""Log-likelihoods of choices: one prefill, no trace of it afterwards, and the same numbers in every company."""

import copy

import pytest
import torch

from skipit_nb import SkipSet
from skipit_nb.backend.evaluation.likelihood import log_likelihoods
from skipit_nb.backend.evaluation.prefix import Prefix
from skipit_nb.backend.live.model import LiveModel
from tests.backend.live.tiny_llava import NUM_LAYERS, prompts, tiny_llava

SETS = [
    "none",
    "vision absent 0-1",
    "vision absent 2-",
    "vision frozen 1+3",
    "text frozen 2",
    "whole 1",
    "attn 2",
    "mlp 0",
]
CHOICES = [(30,), (31, 32), (33, 34, 35), (31,)]


@pytest.fixture(scope="module")
def live():
    return LiveModel(tiny_llava(), None, name="tiny", revision="")


@pytest.fixture(params=SETS)
def skipset(request):
    return SkipSet.parse(request.param, num_layers=NUM_LAYERS)


def ranked(live, inputs, choices, skipset=None):
    with live.skipping(skipset or SkipSet.none(num_layers=NUM_LAYERS)):
        return log_likelihoods(live, inputs, choices)[0]


def hooks_of(model):
    return [(list(module._forward_hooks), list(module._forward_pre_hooks)) for module in model.modules()]


def from_scratch(live, inputs, choice, skipset):
    """One prompt and one choice, run whole and without a cache."""
    more = torch.tensor([choice])
    whole = inputs | {
        "input_ids": torch.cat([inputs["input_ids"], more], 1),
        "attention_mask": torch.cat([inputs["attention_mask"], torch.ones_like(more)], 1),
    }
    with torch.no_grad(), live.skipping(skipset):
        logs = live.model(**whole, use_cache=False).logits[0].double().log_softmax(-1)
    return sum(float(logs[step - len(choice) - 1, token]) for step, token in enumerate(choice))


def test_it_is_what_each_choice_has_from_scratch(live, skipset):
    inputs = prompts(padded=False)
    wanted = [from_scratch(live, inputs, choice, skipset) for choice in CHOICES]
    assert ranked(live, inputs, [CHOICES], skipset)[0] == pytest.approx(wanted, abs=1e-5)
    assert max(wanted) < 0


def test_a_padded_batch_is_its_prompts_alone(live, skipset):
    both, one = prompts(padded=True), prompts(padded=False)
    length = one["input_ids"].shape[1]
    pad = int((both["attention_mask"][1] == 0).sum())
    other = {name: value[1:2, pad:] if value.dim() == 2 else value[1:2] for name, value in both.items()}
    assert pad > 0
    assert both["input_ids"].shape[1] == length
    few, many = CHOICES[:2], CHOICES
    got = ranked(live, both, [few, many], skipset)
    image = {"pixel_values": both["pixel_values"][:1]}
    assert got[0] == pytest.approx(ranked(live, one | image, [few], skipset)[0], abs=1e-5)
    assert got[1] == pytest.approx(ranked(live, other, [many], skipset)[0], abs=1e-5)


def test_neither_order_nor_company_matter_and_duplicates_are_alike(live):
    inputs = prompts(padded=False)
    alone = [ranked(live, inputs, [[choice]])[0][0] for choice in CHOICES]
    turned = ranked(live, inputs, [[*reversed(CHOICES), CHOICES[1]]])[0]
    assert turned == pytest.approx([*reversed(alone), alone[1]], abs=1e-5)
    assert turned[-1] == turned[2]


def test_what_begins_another_choice_is_never_less_likely(live, skipset):
    shorter, longer = ranked(live, prompts(padded=False), [[(31,), (31, 32)]], skipset)[0]
    assert shorter > longer


def test_choices_of_one_token_take_one_pass_and_longer_ones_one_more_each(live):
    passes = []
    counted = live.anatomy.decoder.register_forward_hook(lambda *_: passes.append(1))
    with counted:
        ranked(live, prompts(padded=True), [[(30,), (31,), (32,)]] * 2)
        single, passes[:] = len(passes), []
        ranked(live, prompts(padded=True), [CHOICES, [(30,), (31, 32)]])
    assert single == 1
    assert len(passes) == 3


def test_a_continuation_leaves_the_prefix_as_it_was(live, skipset):
    with torch.inference_mode(), live.skipping(skipset):
        prefix = Prefix.of(live, prompts(padded=True))
        before = copy.deepcopy(prefix.cache)
        tokens = torch.tensor([[30, 31, 32], [33, 34, 35]])
        one, two = (prefix.after(live, tokens) for _ in range(2))
    assert torch.equal(one, two)
    for kept, was in zip(prefix.cache.layers, before.layers, strict=True):
        assert type(kept) is type(was)
        assert kept.get_seq_length() == was.get_seq_length()
        assert kept.keys is was.keys or torch.equal(kept.keys, was.keys)


def test_the_model_is_as_before_also_when_a_pass_fails(live):
    weights = {name: value.clone() for name, value in live.model.state_dict().items()}
    skipset = SkipSet.parse("vision absent 2-; whole 1", num_layers=NUM_LAYERS)
    ranked(live, prompts(padded=True), [CHOICES] * 2, skipset)
    hooks, passes = hooks_of(live.model), []

    def fails(*_):
        passes.append(1)
        if len(passes) == 2:
            raise KeyboardInterrupt

    with live.anatomy.decoder.register_forward_hook(fails), pytest.raises(KeyboardInterrupt):
        ranked(live, prompts(padded=True), [CHOICES] * 2, skipset)
    assert all(torch.equal(value, weights[name]) for name, value in live.model.state_dict().items())
    assert hooks_of(live.model) == hooks
    assert all("forward" not in module.__dict__ for module in live.model.modules())
