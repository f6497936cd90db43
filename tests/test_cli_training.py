"""`skipit train`, as a try-out of a few steps."""

import pytest

from skipit_nb.cli import main
from skipit_nb.zoo.card import read_card


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_try_out_leaves_a_model_that_opens_and_a_whole_card(tmp_path, capsys):
    assert main(["train", "--out", str(tmp_path), "--device", "cpu", "--steps-scale", "0.002"]) == 0
    assert str(tmp_path) in capsys.readouterr().out
    assert [profile["task"] for profile in read_card(tmp_path)["profiles"]] == ["easy-vqa", "digits-vqa"]
    assert main(["compare", "--model", str(tmp_path), "--task", "digits-vqa", "--limit", "4", "--b", "whole 3",
                 "--no-latency"]) == 0  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--steps-scale", "nan"], "steps_scale is nan, but should be above 0 and finite"),
        (["--steps-scale", "inf"], "steps_scale is inf, but should be above 0 and finite"),
        (["--device", "quantum"], "device 'quantum' is not to be had on this machine"),
        (["--out", "a-file"], "out is 'a-file', but should be a folder to write into"),
        (["--out", "empty", "--only-card"], "there is no card.json in it"),
    ],
)
@pytest.mark.parametrize("model", ["tiny", "smol"])
def test_what_cannot_be_trained_is_refused_before_the_first_step(model, arguments, why, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").write_text("not a folder")
    (tmp_path / "empty").mkdir()
    assert main(["train", model, *arguments]) == 2
    assert why in capsys.readouterr().err
