"""Times by a clock that only the model's parts move, and arms whose times are planted."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from skipit_nb import SkipSet
from skipit_nb.backend.evaluation.efficiency import stopwatch, timing
from skipit_nb.backend.evaluation.efficiency.stopwatch import Answering, timed_answer
from skipit_nb.backend.evaluation.efficiency.timing import FIXED_TOKENS, time_arms
from tests.efficiency.samples import Told

NONE, HALF = (SkipSet.parse(text, num_layers=12) for text in ("none", "whole 0-5"))
PROCESSOR, TOWER, PROJECTOR, LAYER, HEAD = 0.003, 0.005, 0.001, 0.002, 0.0005
"""Seconds that each part takes by the planted clock."""


@pytest.fixture
def clock(session, monkeypatch):
    """Time that passes in the processor, the tower, the projector, the layers and the head, and nowhere else."""
    now = [0.0]

    def takes(seconds):
        def hook(*_):
            now[0] += seconds

        return hook

    live, model = session._open, session.model.model
    made = live.inputs
    monkeypatch.setattr(live, "inputs", lambda *args: (takes(PROCESSOR)(), made(*args))[1])
    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    parts = [(model.vision_tower, TOWER), (model.multi_modal_projector, PROJECTOR), (live.anatomy.head, HEAD)]
    parts += [(layer.input_layernorm, LAYER) for layer in live.anatomy.layers]  # a skipped layer does not call it
    hooks = [part.register_forward_hook(takes(seconds)) for part, seconds in parts]
    yield now
    for hook in hooks:
        hook.remove()


def test_every_stage_is_the_time_of_its_own_parts(session, clock):
    example, device = session.examples("digits-vqa", limit=1)[0], Told()
    run = timed_answer(session._open, NONE, example, device, at_least=4, at_most=4)
    step = 12 * LAYER + HEAD
    assert run.preprocess == pytest.approx(1000 * PROCESSOR)
    assert run.vision == pytest.approx(1000 * (TOWER + PROJECTOR))
    assert run.prefill == pytest.approx(1000 * step)
    assert run.first_token == pytest.approx(run.preprocess + run.vision + run.prefill)
    assert run.per_token == pytest.approx(1000 * step)
    assert run.total == pytest.approx(run.first_token + 3 * 1000 * step)
    assert run.new_tokens == 4
    assert device.waited == 3 + 8 + 1, "begin, prompt, end; four stages of the first step; the second step"


def test_half_of_the_layers_take_half_of_the_decoders_time_and_all_of_the_towers(session, clock):
    examples = session.examples("digits-vqa", limit=2)[:2]
    rows = time_arms(session._open, (NONE, HALF), examples, Told(), max_new_tokens=3, tick=lambda *_: None)
    ratio = {(row.name, row.mode): row.ratio for row in rows}
    assert ratio["vision time", "fixed length"] == pytest.approx(1)
    assert ratio["prefill time", "fixed length"] == pytest.approx((12 * LAYER + HEAD) / (6 * LAYER + HEAD))
    assert ratio["time per token", "fixed length"] == pytest.approx((12 * LAYER + HEAD) / (6 * LAYER + HEAD))
    assert ratio["new tokens", "free-running"] is not None


def test_reading_the_image_from_its_task_takes_none_of_the_time(session, clock):
    example = session.examples("digits-vqa", limit=1)[0]

    class Slow:
        question = example.question

        @property
        def image(self):
            clock[0] += 9.0
            return example.image

    run = timed_answer(session._open, NONE, Slow(), Told(), at_least=1, at_most=1)
    assert run.preprocess == pytest.approx(1000 * PROCESSOR)


def test_one_token_has_no_time_per_further_token(session, clock):
    example = session.examples("digits-vqa", limit=1)[0]
    run = timed_answer(session._open, NONE, example, Told(), at_least=1, at_most=1)
    assert (run.per_token, run.new_tokens) == (None, 1)
    assert run.first_token == run.total


# -- arms ------------------------------------------------------------------------------------------------------------


WARM_UP_THEN = (100, 0.9, 1.1, 0.9, 1.1)
"""How long an arm takes for the same prompt, time after time; the median is 1 without the first, and more with it."""


class Planted:
    """Answers that take a planted time: B half of A, and the first of a prompt long."""

    def __init__(self, scale=(1.0,)):
        self.asked, self.scale, self.prompts = [], scale, []

    def __call__(self, _live, skipset, example, _device, *, at_least, **_):
        arm = "b" if skipset == HALF else "a"
        if example not in self.prompts:
            self.prompts.append(example)
        before = self.asked.count((example, at_least, arm))
        self.asked.append((example, at_least, arm))
        ms = self.scale[self.prompts.index(example)] * (2.0 if arm == "a" else 1.0)
        ms *= WARM_UP_THEN[before] if at_least else 1
        return Answering(ms, ms, ms, ms, ms, ms, 2 if arm == "a" else 3)


def timed(monkeypatch, planted, examples, seed=0):
    monkeypatch.setattr(timing, "timed_answer", planted)
    live = SimpleNamespace(lock=_Open())
    return time_arms(live, (NONE, HALF), examples, Told(), max_new_tokens=16, tick=lambda *_: None, seed=seed)


class _Open:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_warm_up_is_dropped_and_the_ratio_is_that_of_pairs(monkeypatch):
    rows = timed(monkeypatch, Planted(scale=(1.0, 2.0, 5.0, 10.0)), ["p", "q", "r", "s"])
    row = next(row for row in rows if row.name == "prefill time")
    assert (row.a, row.b) == (7.0, 3.5)
    assert row.quartiles_a == tuple(np.quantile([2, 4, 10, 20], (0.25, 0.75)))
    assert (row.ratio, row.low, row.high) == (pytest.approx(2), pytest.approx(2), pytest.approx(2))
    assert "4 prompts, batch 1, 1 CPU thread;" in row.method
    assert "middle half A 3.5-12.5" in row.method


def test_arms_come_in_turn_in_an_order_drawn_for_every_prompt(monkeypatch):
    planted = Planted(scale=(1.0,) * 12)
    timed(monkeypatch, planted, list(range(12)))
    orders = Counter()
    for prompt in range(12):
        fixed = "".join(arm for example, at_least, arm in planted.asked if example == prompt and at_least)
        assert fixed in {"ababbaabba", "babaabbaab"}
        orders[fixed] += 1
    assert len(orders) == 2, "both orders occur"
    assert {at_least for _, at_least, _ in planted.asked} == {FIXED_TOKENS, None}


def test_the_order_follows_the_seed(monkeypatch):
    asked = []
    for seed in (1, 1, 2):
        planted = Planted(scale=(1.0,) * 12)
        timed(monkeypatch, planted, list(range(12)), seed)
        asked.append(planted.asked)
    assert asked[0] == asked[1] != asked[2]


def test_the_free_mode_says_how_many_tokens_each_arm_made(monkeypatch):
    rows = timed(monkeypatch, Planted(scale=(1.0, 1.0)), ["p", "q"])
    tokens = next(row for row in rows if row.name == "new tokens")
    assert (tokens.mode, tokens.a, tokens.b) == ("free-running", 2, 3)
