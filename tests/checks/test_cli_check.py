"""`skipit check`: the list as text or JSON, exit status 1 if a check fails, 2 if it was refused."""

import pytest

from skipit_nb.backend.checks import sameness
from skipit_nb.cli import main
from skipit_nb.results import Checks
from tests.checks.faults import leaves_a_hook_behind
from tests.efficiency.samples import row

pytestmark = pytest.mark.model
FEW = ["--limit", "2", "--device", "cpu"]


@pytest.fixture(autouse=True)
def even(monkeypatch):
    same = row("time to first token", 20.0, 20.0, low=0.98, high=1.02)
    monkeypatch.setattr(sameness, "time_arms", lambda *_, **__: [same])


def test_a_sound_model_passes_with_status_0(capsys):
    assert main(["check", "tiny", "--skip", "whole 3", *FEW]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Checks(tiny under 'whole 3': none failed of 8)")
    assert told.count("\n  ok") == 7


def test_a_failed_check_is_status_1_and_json_is_the_result(capsys, monkeypatch):
    leaves_a_hook_behind(monkeypatch, None)
    assert main(["check", "--skip", "whole 3", *FEW, "--json"]) == 1
    assert Checks.from_json(capsys.readouterr().out).check("model restored").outcome == "failed"


def test_a_set_for_another_model_is_refused_with_status_2(capsys):
    assert main(["check", "--skip", "whole 12", *FEW]) == 2
    assert "layer 12 is outside 0..11" in capsys.readouterr().err
