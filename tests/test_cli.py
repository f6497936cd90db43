"""The command line: the same numbers as the API, JSON that reads back, and refusals with exit status 2."""

import json

import pytest

from skipit_nb import Comparison, RedundancyProfile, Session, Sweep
from skipit_nb.cli import main
from skipit_nb.results import Exported, Recommendation

pytestmark = pytest.mark.model

FEW = ["--task", "digits-vqa", "--limit", "20", "--device", "cpu"]


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["profile", *FEW], RedundancyProfile),
        (["recommend", *FEW, "--max-var", "1"], Recommendation),
        (["compare", *FEW, "--b", "vision absent 0-3", "--no-latency"], Comparison),
        (["sweep", *FEW, "whole 3", "vision absent 6-"], Sweep),
    ],
)
def test_json_is_the_result_itself(capsys, arguments, kind):
    assert main([*arguments, "--json"]) == 0
    printed = capsys.readouterr().out
    assert kind.from_json(printed).to_json() == printed.strip()


def test_a_comparison_from_the_command_line_is_that_of_the_api(capsys, session):
    main(["compare", *FEW, "--b", "vision absent 0-3", "--no-latency", "--json"])
    printed = Comparison.from_json(capsys.readouterr().out)
    wanted = ("accuracy", "loyalty", "flops")
    assert printed == session.compare("digits-vqa", b="vision absent 0-3", limit=20, measure=wanted)
    main(["compare", *FEW, "--b", "vision absent 0-3", "--no-latency", "--json", "--output-type", "multiple_choice"])
    chosen = Comparison.from_json(capsys.readouterr().out)
    assert chosen.choices is not None


def test_identical_arms_print_zero_flips(capsys):
    assert main(["compare", *FEW, "--a", "none", "--b", "none", "--no-latency"]) == 0
    assert "0 flips." in capsys.readouterr().out


def test_families_of_skip_sets_are_swept_at_every_layer(capsys):
    assert main(["sweep", "--task", "digits-vqa", "--limit", "4", "--device", "cpu", "--early-exit", "--json"]) == 0
    sweep = Sweep.from_json(capsys.readouterr().out)
    assert [str(row.skipset) for row in sweep.rows][:2] == ["vision absent 0-11", "vision absent 1-11"]
    assert len(sweep.rows) == 12


def test_an_export_says_what_it_wrote_and_opens(capsys, tmp_path):
    out = str(tmp_path / "pruned")
    assert main(["export", "--skipset", "whole 3+7", "--out", out, "--device", "cpu", "--json"]) == 0
    exported = Exported.from_json(capsys.readouterr().out)
    assert (exported.form, exported.path, exported.num_layers) == ("pruned", out, 10)
    assert main(["export", "--skipset", "attn 3", "--out", out, "--device", "cpu", "--overwrite"]) == 0
    assert f"{out}: the whole model and 'attn 3' in skip_config.json" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", *FEW, "--b", "whole 12"], "layer 12 is outside 0..11"),
        (["compare", *FEW, "--b", "whole 1,2"], "has a comma"),
        (["compare", "--task", "nothing", "--b", "whole 1"], "there is no task 'nothing'"),
        (["profile", "--task", "digits-vqa", "--limit", "0"], "limit is 0"),
        (["profile", "--model", "/no/such/model"], "there is no such folder"),
        (["sweep", *FEW], "skipsets is []"),
        (["recommend", *FEW, "--max-tail", "7"], "max_tail is 7.0"),
        (["export", "--skipset", "attn 3", "--out", "no", "--form", "pruned"], "layer 3 is not left out as a whole"),
        (["profile", *FEW[:-1], "cuda:42"], "device 'cuda:42' is not to be had"),
    ],
)
def test_bad_input_is_refused_on_stderr_with_status_2(capsys, arguments, message):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_unusable_arguments_end_with_status_2():
    with pytest.raises(SystemExit) as ended:
        main(["compare", "--limit", "many"])
    assert ended.value.code == 2


@pytest.mark.usefixtures("two_timed_prompts")
def test_the_demo_tells_its_story_and_saves_its_pictures(capsys, tmp_path):
    assert main(["demo", "--task", "digits-vqa", "--limit", "20", "--device", "cpu", "--out", str(tmp_path)]) == 0
    story = capsys.readouterr().out
    assert [story.index(f"{n}. ") for n in (1, 2, 3)] == sorted(story.index(f"{n}. ") for n in (1, 2, 3))
    for name in ("1-redundancy.png", "2-conditions.png", "3-comparison.png"):
        assert (tmp_path / name).stat().st_size > 5_000


def test_doctor_prints_json(capsys):
    main(["doctor", "--json"])
    assert "torch" in json.dumps(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("draw, said", [("--limit=0", "limit is 0"), ("--seed=-1", "seed is -1")])
def test_the_demo_refuses_a_draw_that_is_none_before_the_work(draw, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Session, "open", lambda *_, **__: pytest.fail("work has begun"))
    assert main(["demo", draw]) == 2
    assert f"{said}, but" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["demo", "--out", "a-file"], ["reproduce", "--out", "a-file/found.json"]])
def test_a_place_that_cannot_be_written_to_is_refused_before_the_work(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").write_text("not a folder")
    monkeypatch.setattr(Session, "open", lambda *_, **__: pytest.fail("work has begun"))
    assert main(arguments) == 2
    assert "out is 'a-file', but should be a folder to write into" in capsys.readouterr().err
