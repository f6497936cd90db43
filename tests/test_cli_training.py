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
