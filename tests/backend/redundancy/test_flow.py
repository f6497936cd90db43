"""VAR: equal to the attention weights that transformers gives, and the model's attention comes back."""

import json
import math
from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.redundancy.attention_calls import AttentionCall
from skipit_nb.backend.redundancy.flow import FlowNotMeasuredWarning, FlowRecorder
from skipit_nb.backend.redundancy.geometric import token_kinds
from skipit_nb.errors import SettingError
from skipit_nb.results import RedundancyProfile
from tests.backend.live.tiny_llava import NUM_LAYERS, prompts, tiny_llava


@torch.no_grad()
def recorded(model, inputs):
    recorder = FlowRecorder(anatomy_of(model))
    with recorder.recording(inputs):
        model(**inputs)
    return recorder.rows()


def test_var_equals_the_mass_in_the_attention_weights():
    inputs = prompts(padded=True)
    rows = recorded(tiny_llava("sdpa"), inputs)
    eager = tiny_llava("eager")
    with torch.no_grad():
        weights = eager(**inputs, output_attentions=True).attentions
    vision = token_kinds(inputs, anatomy_of(eager))[0].float()
    for row in rows:
        mass = (weights[row.layer][:, :, -1, :] * vision[:, None]).sum(-1).mean(1)
        assert row.var == pytest.approx(float(mass.mean()), abs=1e-5)
        assert row.spread == pytest.approx(float(mass.std()), abs=1e-5)
    assert len(rows) == NUM_LAYERS


def test_the_uniform_share_is_vision_keys_over_all_keys():
    inputs = prompts(padded=False)
    assert recorded(tiny_llava(), inputs)[0].uniform == pytest.approx(16 / inputs["input_ids"].shape[1])


@pytest.mark.parametrize("query", ["last", "text"])
def test_chance_is_what_keys_called_vision_at_random_would_get(query):
    inputs, eager = prompts(padded=True), tiny_llava("eager")
    recorder = FlowRecorder(anatomy_of(eager), query=query)
    with torch.no_grad(), recorder.recording(inputs):
        eager(**inputs)
    with torch.no_grad():
        weights = eager(**inputs, output_attentions=True).attentions[1].mean(1)  # [batch, query, key]
    kinds = token_kinds(inputs, anatomy_of(eager))
    means, variances = [], []
    for sample in range(2):
        keys = (kinds[0] | kinds[1])[sample].nonzero()[:, 0]  # all but padding and the first token
        asking = [weights.shape[1] - 1] if query == "last" else kinds[1][sample].nonzero()[:, 0].tolist()
        expected = []
        for row in asking:
            seen = keys[keys <= row]
            part = float(kinds[0][sample][seen].float().mean())
            expected.append(float(weights[sample, row, seen].sum()) * part)
        means.append(sum(expected) / len(expected))
        gets = weights[sample][asking].mean(0)[keys]
        draws = [gets[torch.randperm(len(keys))[:16]].sum() for _ in range(4000)]
        variances.append(float(torch.stack(draws).var()))
    row = recorder.rows()[1]
    assert row.chance == pytest.approx(sum(means) / 2, abs=1e-5)
    assert row.chance_spread == pytest.approx(math.sqrt(sum(variances) / 2), rel=0.05)


def test_attention_is_as_before_afterwards_also_when_the_pass_raises():
    model, inputs = tiny_llava("sdpa"), prompts(padded=False)
    recorded(model, inputs)
    with pytest.raises(RuntimeError), FlowRecorder(anatomy_of(model)).recording(inputs):
        raise RuntimeError
    assert model.model.language_model.config._attn_implementation == "sdpa"
    assert all(not layer.self_attn._forward_hooks for layer in model.model.language_model.layers)


def test_a_prompt_without_vision_tokens_has_no_flow():
    inputs = {"input_ids": torch.tensor([[2, 5, 6]]), "attention_mask": torch.ones(1, 3, dtype=torch.long)}
    assert recorded(tiny_llava(), inputs) == ()


def test_heads_average_to_var_and_name_their_query():
    model, inputs = tiny_llava(), prompts(padded=True)
    for query in ("last", "text"):
        recorder = FlowRecorder(anatomy_of(model), query=query)
        with torch.no_grad(), recorder.recording(inputs):
            model(**inputs)
        for row in recorder.rows():
            assert (row.query, len(row.heads)) == (query, 4)
            assert sum(row.heads) / 4 == pytest.approx(row.var)


def test_an_unknown_query_and_a_layer_that_is_not_there_are_refused():
    model, inputs = tiny_llava(), prompts(padded=False)
    with pytest.raises(SettingError, match="query is 'first', but should be 'last' or 'text'"):
        FlowRecorder(anatomy_of(model), query="first")
    with pytest.raises(SettingError, match=r"this one is not there"), torch.no_grad():
        with FlowRecorder(anatomy_of(model), layers=[NUM_LAYERS]).recording(inputs):
            model(**inputs)


def test_queries_that_say_nothing_attend_evenly():
    model, inputs = tiny_llava(), prompts(padded=True)
    with torch.no_grad():
        model.model.language_model.layers[1].self_attn.q_proj.weight.zero_()
    for query in ("last", "text"):
        recorder = FlowRecorder(anatomy_of(model), query=query)
        with torch.no_grad(), recorder.recording(inputs):
            model(**inputs)
        rows = recorder.rows()
        assert rows[1].var == pytest.approx(rows[1].uniform, abs=1e-6)
        assert rows[1].heads == pytest.approx([rows[1].uniform] * 4, abs=1e-6)
        assert abs(rows[2].var - rows[2].uniform) > 1e-3


def test_rows_that_ask_a_few_at_a_time_add_up_to_the_same(monkeypatch):
    model, inputs, found = tiny_llava(), prompts(padded=True), []
    for at_once in (64, 2):
        monkeypatch.setattr("skipit_nb.backend.redundancy.flow.ROWS_AT_ONCE", at_once)
        recorder = FlowRecorder(anatomy_of(model), query="text")
        with torch.no_grad(), recorder.recording(inputs):
            model(**inputs)
        found.append(recorder.rows())
    for whole, parts in zip(*found, strict=True):
        assert parts.heads == pytest.approx(whole.heads, abs=1e-6)
        for name in ("var", "spread", "uniform", "chance", "chance_spread"):
            assert getattr(parts, name) == pytest.approx(getattr(whole, name), abs=1e-6)


@pytest.mark.parametrize("query", ["last", "text"])
def test_memory_grows_with_the_keys_and_not_with_all_queries(query, monkeypatch):
    monkeypatch.setattr("skipit_nb.backend.redundancy.flow.ROWS_AT_ONCE", 2)
    model, inputs, largest = tiny_llava(), prompts(padded=True), []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor) and out.dtype == torch.float32:
                largest.append(out.numel())
            return out

    seq = inputs["input_ids"].shape[1]
    recorder = FlowRecorder(anatomy_of(model), query=query)
    with torch.no_grad(), Watch(), recorder.recording(inputs):
        model(**inputs)
    assert len(recorder.rows()) == NUM_LAYERS
    assert max(largest) < 2 * 4 * seq * seq  # batch x heads x queries x keys is never made


def test_a_profile_measures_distances_and_flow_in_one_pass(session):
    passes = []
    hook = session.model.register_forward_pre_hook(lambda *_: passes.append(1))
    found = session.profile("digits-vqa", limit=8, batch_size=4, query="text")
    hook.remove()
    assert len(passes) == math.ceil(found.num_samples / 4)
    assert {row.query for row in found.flow} == {"text"}
    assert RedundancyProfile.from_json(found.to_json()) == found


def test_a_model_whose_attention_cannot_be_recomputed_has_distances_and_a_warning(session, monkeypatch):
    monkeypatch.setattr(AttentionCall, "is_understood", property(lambda _: False))
    with pytest.warns(FlowNotMeasuredWarning, match="no layer's attention can be recomputed in this model"):
        found = session.profile("digits-vqa", limit=8)
    assert found.distances("vision")
    assert found.flow == ()
    session.profile("digits-vqa", limit=8, flow=False)  # says nothing: it was not asked for


def test_a_flow_stored_before_it_had_heads_reads_back(session):
    found = session.profile("digits-vqa", limit=2)
    stored = json.loads(found.to_json())
    for row in stored["value"]["flow"]:
        del row["heads"], row["query"], row["chance"], row["chance_spread"]
    del stored["value"]["images"]
    read = RedundancyProfile.from_json(json.dumps(stored))
    rows = read.flow
    assert [row.var for row in rows] == [row.var for row in found.flow]
    assert {(row.heads, row.query, row.chance) for row in rows} == {((), "last", None)}
    assert (read.images, found.images) == (0, len({e.cluster for e in session.examples("digits-vqa", limit=2)}))


def test_every_head_has_a_row_of_its_own(session):
    found = session.profile("digits-vqa", limit=2)
    table = found.head_frame
    assert list(table.columns) == ["layer", "head", "query", "var", "var_uniform"]
    assert len(table) == sum(len(row.heads) for row in found.flow)
    assert table.groupby("layer")["var"].mean().tolist() == pytest.approx([row.var for row in found.flow])


def test_a_frame_says_nothing_of_layers_without_flow(session):
    found = session.profile("digits-vqa", limit=2)
    frame = replace(found, flow=found.flow[1::2]).frame
    assert set(frame.layer[frame["var"].isna()]) == set(range(0, 12, 2))
