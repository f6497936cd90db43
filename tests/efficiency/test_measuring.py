"""A session's own call, and what a comparison takes from it."""

import pytest
import torch

from skipit_nb.backend.evaluation import ab
from skipit_nb.backend.evaluation.efficiency import compared, timing
from skipit_nb.backend.evaluation.efficiency.compared import NotMeasuredWarning
from skipit_nb.backend.evaluation.efficiency.measuring import MEASURES
from skipit_nb.errors import SettingError
from skipit_nb.results import Efficiency

TASK = "digits-vqa"


@pytest.fixture(scope="module")
def found(session):
    return session.efficiency("whole 0-5", task=TASK, prompts=2)


def test_it_names_arms_prompts_and_machine_and_reads_back(session, found):
    assert (str(found.a), str(found.b)) == ("none", "whole 0-5")
    assert len(found.provenance.samples) == 2
    assert found.conditions.threads == torch.get_num_threads()
    assert Efficiency.from_json(found.to_json()) == found
    assert str(found.conditions) in repr(found)


def test_amdahls_line_of_flops_is_what_was_counted(found):
    line = next(line for line in found.expectations if line.of == "FLOPs to first token")
    tower, whole = found.row("vision FLOPs").a, found.row("FLOPs to first token").a
    assert line.share == pytest.approx(tower / whole)
    assert line.expected == pytest.approx(line.measured, rel=1e-6)
    assert line.decoder > line.expected > 1


def test_half_of_the_layers_read_the_prompt_faster(session):
    row = session.efficiency("whole 0-", prompts=3, measure=("latency",)).row("prefill time")
    assert row.ratio > 1.5


def test_only_what_was_asked_for_is_measured_and_anything_else_refused(session):
    found = session.efficiency("whole 3", prompts=1, measure=("flops",))
    assert {row.name for row in found.rows} == {
        "vision FLOPs", "prefill FLOPs", "FLOPs to first token", "FLOPs per token"
    }  # fmt: skip
    with pytest.raises(SettingError, match="some of latency, flops, memory, energy"):
        session.efficiency("whole 3", measure=("speed",))
    with pytest.raises(SettingError, match="measure is 'flops', but should be a list"):
        session.efficiency("whole 3", measure="flops")
    with pytest.raises(SettingError, match="prompts is 0"):
        session.efficiency("whole 3", prompts=0)


def test_a_comparison_gains_rows_and_says_what_it_could_not_measure(session):
    with pytest.warns(NotMeasuredWarning) as told:
        result = session.compare(TASK, b="whole 3+5", limit=4, measure=("accuracy", "flops", "memory", "energy"))
    assert [str(warning.message).split(" was not measured")[0] for warning in told] == ["peak memory", "energy"]
    names = list(result.summary.metric)
    assert len(set(names)) == len(names)
    assert {"FLOPs to first token", "prefill FLOPs", "KV cache", "KV cache, measured", "weights in use"} <= set(names)
    assert result.metric("prefill FLOPs").value == pytest.approx(1.2, abs=0.01)


def test_the_usual_comparison_measures_neither_memory_nor_energy():
    here, elsewhere = ({*ab.measures(None, is_shared=is_shared)} for is_shared in (False, True))
    assert here & {*MEASURES} == {"latency", "flops"}
    assert elsewhere & {*MEASURES} == {"flops"}
    for name in ("latency", "memory", "energy"):
        with pytest.raises(SettingError, match=f"measure is '{name}', but should be left out with an executor"):
            ab.measures(("accuracy", name), is_shared=True)


def test_answers_kept_in_a_ledger_never_count_as_times(session, tmp_path, monkeypatch):
    timed = []
    real = timing.timed_answer

    def noting(*args, **kwargs):
        timed.append(args[2].key)
        return real(*args, **kwargs)

    monkeypatch.setattr(timing, "timed_answer", noting)
    monkeypatch.setattr(ab, "TIMED_PROMPTS", 1)
    asked = {"b": "whole 3", "limit": 2, "measure": ("accuracy", "latency"), "ledger": tmp_path / "ledger"}
    first = session.compare(TASK, **asked)
    once = list(timed)
    again = session.compare(TASK, **asked)
    assert again.answers == first.answers
    assert timed == once * 2
    assert len(once) == 2 + 8 + 4, "warm-up, fixed length, free-running"
    assert again.metric("prefill time") != first.metric("prefill time")


def test_nothing_is_measured_where_nothing_is_asked(session):
    call = {"measure": ("accuracy",), "max_new_tokens": 3, "tick": None}
    assert compared.saved(session._open, (), session.examples(TASK, limit=1), **call) == []
    assert compared.saved(session._open, (), (), **call | {"measure": ("latency",)}) == []
