"""Bytes and joules: the cache's own tensors, planted peaks and counters, and weights that a pruned model lacks."""

import json
import sys
from types import SimpleNamespace

import pytest
import torch

from skipit_nb import Session, SkipSet
from skipit_nb.backend.evaluation.efficiency.counting import energy_row, inputs_of, memory_rows, predicted_cost
from skipit_nb.backend.evaluation.efficiency.device import Plain, device_of
from skipit_nb.backend.evaluation.efficiency.energy import joules_of_arms
from skipit_nb.backend.evaluation.efficiency.memory import kv_bytes
from skipit_nb.backend.evaluation.efficiency.nvml import Nvml
from tests.efficiency.samples import Told

NONE, WHOLE = (SkipSet.parse(text, num_layers=12) for text in ("none", "whole 3+5"))


@pytest.fixture
def inputs(session):
    return inputs_of(session._open, session.examples("digits-vqa", limit=1)[:1])[0]


@pytest.mark.parametrize("text", ["none", "vision absent 4-9", "vision frozen 0-", "text absent 2"])
def test_the_cache_holds_the_predicted_bytes(session, inputs, text):
    skipset = SkipSet.parse(text, num_layers=12)
    predicted = predicted_cost(session._open, skipset, inputs).kv_bytes
    assert kv_bytes(session._open, skipset, inputs) == predicted


def test_a_skipped_layer_still_keeps_a_zero_a_token_to_count_them(session, inputs):
    length = inputs["input_ids"].shape[1]
    more = kv_bytes(session._open, WHOLE, inputs) - predicted_cost(session._open, WHOLE, inputs).kv_bytes
    assert more == 2 * 2 * length * 4, "two layers, keys and values, float32"


def test_what_pruning_would_save_is_what_an_exported_checkpoint_lacks(session, inputs, tmp_path):
    rows = {
        row.name: row for row in memory_rows(session._open, (NONE, WHOLE), [inputs], device_of(session._open.device))
    }
    session.export("whole 3+5", tmp_path / "pruned", form="pruned")
    with Session.open(str(tmp_path / "pruned"), device="cpu", dtype="float32") as pruned:
        left = sum(weight.numel() for weight in pruned.model.parameters())
    norms = 2 * 2 * 128
    assert rows["weights in memory"].a == rows["weights in memory"].b == rows["weights in use"].a
    assert 1e6 * rows["weights in use"].b - norms == pytest.approx(left)
    assert rows["would save if pruned"].b == pytest.approx(4 * (rows["weights in use"].a - rows["weights in use"].b))
    assert rows["would save if pruned"].a == 0


def test_peak_memory_is_above_what_was_there_and_the_cpu_tells_none(session, inputs):
    told = Told(peaks=(5_000_000, 3_000_000))
    rows = {row.name: row for row in memory_rows(session._open, (NONE, WHOLE), [inputs], told)}
    assert (rows["peak memory"].a, rows["peak memory"].b, rows["peak memory"].ratio) == (4, 2, 2)
    here = {row.name: row for row in memory_rows(session._open, (NONE, WHOLE), [inputs], Plain(torch.device("cpu")))}
    assert here["peak memory"].a is None
    assert here["peak memory"].method == "PyTorch keeps no peak of memory in use on cpu"


def test_joules_are_those_of_one_answer_in_turn_a_b_b_a(session, inputs):
    readings = (0, 12, 100, 104, 200, 206, 300, 316)  # A 12, B 4, B 6, A 16; one answer each
    a, b = joules_of_arms(session._open, (NONE, WHOLE), inputs, Told(joules=readings), new_tokens=1, seconds=0)
    assert (a, b) == (14, 5)


def test_a_long_stretch_is_shared_among_its_answers(session, inputs, monkeypatch):
    from skipit_nb.backend.evaluation.efficiency import energy

    now = iter(range(100))
    monkeypatch.setattr(energy, "time", SimpleNamespace(perf_counter=lambda: next(now)))
    told = Told(joules=(0, 30, 0, 30, 0, 30, 0, 30))
    a, _ = joules_of_arms(session._open, (NONE, WHOLE), inputs, told, new_tokens=1, seconds=3)
    assert a == 10, "three answers in three seconds of one second each"


def test_without_a_counter_energy_is_none_with_the_reason(session, inputs):
    row = energy_row(session._open, (NONE, WHOLE), inputs, device_of(session._open.device))
    assert (row.a, row.b, row.ratio) == (None, None, None)
    assert row.method == "PyTorch cannot ask cpu for the energy it used"


# -- NVIDIA's library, played by a module that answers as it does ------------------------------------------------------


class NVMLError(Exception):
    pass


def library(bits=0, millijoules=12_500, error=None):
    def initialise():
        if error:
            raise NVMLError(error)

    return SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=initialise,
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: millijoules,
        nvmlDeviceGetCurrentClocksThrottleReasons=lambda handle: bits,
        nvmlDeviceGetClockInfo=lambda handle, kind: {1: 1980}[kind],
        nvmlDeviceGetTemperature=lambda handle, kind: {0: 45}[kind],
    )


@pytest.mark.parametrize(
    ("bits", "reasons"),
    [
        (0x0, ()),
        (0x1 | 0x4, ()),
        (0x40, ("heat, by the hardware",)),
        (0x28, ("hardware slowdown", "heat, by the driver")),
    ],
)
def test_a_card_is_slowed_down_by_heat_and_hardware_not_by_idling_or_its_power_cap(monkeypatch, bits, reasons):
    monkeypatch.setitem(sys.modules, "pynvml", library(bits))
    card, why_not = Nvml.of("abc")
    assert why_not == ""
    assert card.slowed_by() == reasons
    assert (card.joules(), card.counts_energy, card.health()) == (12.5, True, "1980 MHz at 45 °C")


def test_without_the_library_or_its_answer_the_reason_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert Nvml.of("abc") == (None, "energy, clocks and temperature need NVML: pip install nvidia-ml-py")
    monkeypatch.setitem(sys.modules, "pynvml", library(error="Driver Not Loaded"))
    assert Nvml.of("abc") == (None, "NVML does not answer: Driver Not Loaded")


@pytest.mark.gpu
def test_a_card_tells_its_peak_and_waits():
    with Session.open(device="cuda") as opened:
        found = opened.efficiency("whole 0-5", prompts=2)
        assert found.row("peak memory").a > found.row("peak memory").b * 0.5 > 0
        assert found.row("prefill time").a > 0
        assert json.loads(found.to_json())
