"""Published methods as rules: what each takes on layers of known effect, and on the model in the box."""

import math

import pytest
import torch

from skipit_nb import Session, SkipSet
from skipit_nb.backend.selection.calibration import Calibration
from skipit_nb.backend.selection.methods import METHODS, propose
from skipit_nb.cost import usual_cost
from skipit_nb.errors import SettingError
from skipit_nb.jobs import no_tick
from skipit_nb.results import Proposal

TASK = "digits-vqa"
LIMIT = 6
IDLE = 5
"""The layer of the model in the box that is replaced by nothing."""


@pytest.fixture(scope="module")
def data(session):
    """The model in the box, and questions to measure it on."""
    examples = session.examples(TASK, limit=LIMIT)
    made = session._open.provenance(task=TASK, samples=[e.key for e in examples])
    return Calibration(session._open, examples, made, 32, no_tick)


@pytest.fixture
def idle_data(data):
    """The same with one layer that does nothing."""
    layer = data.live.anatomy.layers[IDLE]
    layer.forward = lambda hidden, *_, **__: hidden
    yield data
    del layer.forward


@pytest.mark.parametrize(("method", "knobs"), [("angular", {"layers": 1}), ("shortgpt", {"layers": 1}),
                                               ("llm-drop", {"sublayers": 2})])  # fmt: skip
def test_a_layer_that_does_nothing_is_the_first_pick(idle_data, method, knobs):
    found = propose(method, idle_data, **knobs)
    assert str(found.skipset) == f"whole {IDLE}"
    assert {c.score for c in found.candidates if c.chosen} == {0.0}


def test_a_layer_that_does_nothing_contributes_nothing(idle_data):
    scores = {str(c.skipset): c.score for c in propose("shortv", idle_data, layers=1).candidates}
    assert scores[f"vision frozen {IDLE}"] == pytest.approx(min(scores.values()), abs=1e-6)


def test_shortv_takes_what_changes_no_answer(data):
    found = propose("shortv", data, layers=3)
    last = data.num_layers - 1
    scores = {c.skipset.layers("frozen")[0]: c.score for c in found.candidates}
    assert scores[last] == pytest.approx(0, abs=1e-6), "nobody reads the vision tokens after the last layer"
    assert last in found.skipset.layers("frozen")
    chosen, others = ([c.score for c in found.candidates if c.chosen is kind] for kind in (True, False))
    assert max(chosen) <= min(others)


def test_vtw_takes_the_earliest_exit_below_its_threshold(data):
    found = propose("vtw", data, max_kl=0.01)
    scores = {c.skipset: c.score for c in found.candidates}
    earliest = next(s for s in scores if scores[s] <= 0.01)
    assert found.skipset == earliest
    assert propose("vtw", data, max_kl=100.0, first=9).skipset == SkipSet.early_exit(9, num_layers=data.num_layers)


def test_angular_takes_one_band(data):
    found = propose("angular", data, layers=3)
    assert len(found.candidates) == data.num_layers - 2
    first, *_, last = found.skipset.layers("whole")
    assert last - first == 2


def test_sublayers_are_measured_around_their_own_residual(data, session):
    found = {str(c.skipset): c.score for c in propose("llm-drop", data, sublayers=1).candidates}
    example = data.examples[0]
    one = Calibration(data.live, [example], data.provenance, 1, no_tick).sublayer_distances()
    layer, seen = session._open.anatomy.layers[4], {}
    hooks = [
        layer.register_forward_hook(lambda _, args, out: seen.update(before=args[0], after=out)),
        layer.self_attn.register_forward_hook(lambda _, __, out: seen.update(attn=out[0])),
    ]
    with torch.no_grad():
        session.model(**session._open.inputs([example.image], [example.question]))
    for hook in hooks:
        hook.remove()
    between = seen["before"] + seen["attn"]
    for name, x, y in (("attn 4", seen["before"], between), ("mlp 4", between, seen["after"])):
        slow = 1 - torch.cosine_similarity(x.double(), y.double(), dim=-1).mean()
        measured = {str(skipset): value for skipset, value in one.items()}
        assert measured[name] == pytest.approx(float(slow), abs=1e-6)
    assert set(found) == {f"{part} {i}" for part in ("attn", "mlp") for i in range(data.num_layers)}


def test_deepinsert_enters_at_a_share_of_the_depth(data):
    assert str(propose("deepinsert", data, depth=0.25).skipset) == "vision absent 0-2"
    assert propose("deepinsert", data, depth=0.0).skipset.is_empty


def test_a_session_proposes_and_says_what_it_knows(session):
    assert set(session.methods()) == set(METHODS)
    found = session.propose("shortgpt", TASK, layers=2, limit=LIMIT, tokens="vision")
    assert Proposal.from_json(found.to_json()) == found
    assert list(found.frame.columns) == ["skipset", "score", "chosen"]
    assert found.frame.chosen.sum() == 2
    assert len(found.provenance.samples) >= LIMIT
    assert (found.unit, found.redundant_when, found.source) == ("1 - cos", "low", "arXiv:2403.03853")
    assert repr(found) == f"Proposal(shortgpt, '{found.skipset}', from 12 candidates)"


@pytest.mark.parametrize(("method", "knobs", "words"), [
    ("fastv", {}, "method is 'fastv'"),
    ("shortgpt", {}, "how many layers shortgpt should skip"),
    ("shortgpt", {"layers": 13}, "layers is 13"),
    ("shortgpt", {"layers": 1, "sublayers": 2}, "one of layers, tokens"),
    ("shortv", {"layers": 0}, "from 1 to 12"),
    ("angular", {"layers": 2, "tokens": "sound"}, "tokens is 'sound'"),
    ("llm-drop", {"sublayers": 1, "part": "norm"}, "one of both, attn, mlp"),
    ("vtw", {"max_kl": -1.0}, "max_kl is -1.0"),
    ("vtw", {"max_kl": math.nan}, "max_kl is nan"),
    ("deepinsert", {"depth": 1.0}, "depth is 1.0"),
])  # fmt: skip
def test_what_a_method_does_not_take_is_refused(data, method, knobs, words):
    with pytest.raises(SettingError, match=words):
        propose(method, data, **knobs)


# -- controls -----------------------------------------------------------------------------------------------------


def cost_of(session, skipset):
    return usual_cost(session.shape, skipset).flops_prefill


@pytest.mark.parametrize("text", ["whole 3+5", "vision absent 0-3", "vision frozen 2; attn 7; mlp 1"])
def test_controls_cost_the_same_and_are_all_different(session, text):
    skipset = SkipSet.parse(text, num_layers=12)
    found = session.controls(skipset, count=10)
    assert len({*found, skipset}) == 11
    assert {cost_of(session, other) for other in found} == {cost_of(session, skipset)}
    assert session.controls(skipset, count=10) == found
    assert session.controls(skipset, count=10, seed=1) != found


def test_contiguous_controls_keep_a_band_whole(session):
    found = session.controls("vision absent 0-3", count=8, contiguous=True)
    assert sorted(found) == sorted(SkipSet.absent(range(a, a + 4), num_layers=12) for a in range(1, 9))


def test_controls_of_nothing_are_refused(session):
    with pytest.raises(SettingError, match="a set that skips something"):
        session.controls("none")
    with pytest.raises(SettingError, match="count is 0"):
        session.controls("whole 3", count=0)


def test_a_session_without_processor_has_controls_too():
    from tests.backend.live.tiny_llava import tiny_llava

    assert sorted(map(str, Session(tiny_llava()).controls("whole 1"))) == ["whole 0", "whole 2", "whole 3"]
