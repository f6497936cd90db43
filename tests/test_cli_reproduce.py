"""`skipit reproduce`: the checks as text, the result beside its picture, and refusals with exit status 2."""

import pytest

from skipit_nb.cli import main
from skipit_nb.cli.reproducing import file_name
from skipit_nb.results import Reproduction

pytestmark = pytest.mark.model

FEW = ["--task", "digits-vqa", "--limit", "16", "--device", "cpu"]


def test_one_command_prints_the_checks_and_writes_result_and_pictures(capsys, tmp_path, monkeypatch, session):
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", "tiny", *FEW]) == 0
    told = capsys.readouterr().out
    stored = Reproduction.from_json((tmp_path / "runs/reproduce-tiny-digits-vqa.json").read_text("utf-8"))
    assert stored == session.reproduce("digits-vqa", limit=16)
    assert told.startswith(stored.report())
    for suffix in (".png", ".svg"):
        assert (tmp_path / f"runs/reproduce-tiny-digits-vqa{suffix}").stat().st_size > 5_000


def test_a_check_that_fails_is_a_result_and_json_is_the_result_itself(capsys, tmp_path):
    out = tmp_path / "new" / "result.json"
    assert main(["reproduce", *FEW, "--margin", "0.001", "--out", str(out), "--json"]) == 0
    printed = capsys.readouterr().out
    found = Reproduction.from_json(printed)
    assert found.counts["passed"] < 5
    assert found.margin == 0.001
    assert out.read_text("utf-8") == printed.strip()
    assert out.with_suffix(".svg").read_text("utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("model", "name"),
    [("tiny", "tiny"), ("org/model-7b", "org--model-7b"), ("/data/x/model/", "x--model"), ("/model", "model")],
)
def test_a_model_gives_its_files_a_plain_name(model, name):
    assert file_name(model) == name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--margin", "0"], "margin is 0.0"),
        (["--task", "nothing"], "there is no task 'nothing'"),
        (["--task", "digits-vqa", "--limit", "0"], "limit is 0"),
        (["/no/such/model"], "there is no such folder"),
        (["--out", "picture.png"], "out is 'picture.png'"),
        (["--out", "."], "out is '.'"),
        (["--device", "cuda:42"], "device 'cuda:42' is not to be had"),
    ],
)
def test_bad_input_is_refused_on_stderr_with_status_2(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == []
