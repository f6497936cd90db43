from pathlib import Path

import pytest
import torch
from transformers import AutoProcessor, LlavaForConditionalGeneration

from skipit_nb.errors import SettingError, UnknownTaskError
from skipit_nb.zoo.architecture import WIDTH, make_dialect, make_model
from skipit_nb.zoo.card import read_card
from skipit_nb.zoo.classroom import Classroom, StagePlan, StageProgress
from skipit_nb.zoo.lessons import make_lesson
from skipit_nb.zoo.optimizing import rate
from skipit_nb.zoo.recipe import train
from skipit_nb.zoo.report import Report
from skipit_nb.zoo.scenes import Symbols
from skipit_nb.zoo.stages import run_stage

pytestmark = pytest.mark.model

Smoke = tuple[Path, list[StageProgress], Report]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Smoke:
    out = tmp_path_factory.mktemp("trained")
    seen: list[StageProgress] = []
    report = train(out, seed=3, device="cpu", progress=seen.append, steps_scale=0.001, max_images=8)
    return out, seen, report


def test_training_runs_its_four_stages_in_order_and_reports_each_step(smoke: Smoke) -> None:
    _, seen, report = smoke
    assert list(dict.fromkeys(step.stage for step in seen)) == ["vision", "language", "align", "all"]
    assert len(seen) == sum(stage.num_steps for stage in report.plan)
    assert all(step.loss > 0 for step in seen)


def test_training_leaves_a_model_a_processor_and_a_card_in_the_folder(smoke: Smoke) -> None:
    out, _, report = smoke
    model = LlavaForConditionalGeneration.from_pretrained(out, dtype=torch.float32)
    assert model.num_parameters() == report.num_parameters
    assert AutoProcessor.from_pretrained(out).image_token_id == model.config.image_token_id
    assert read_card(out)["seed"] == 3
    assert "## How often it is right" in (out / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(smoke: Smoke, tmp_path: Path) -> None:
    out, _, _ = smoke
    train(tmp_path, seed=3, device="cpu", steps_scale=0.001, max_images=8)
    assert (tmp_path / "model.safetensors").read_bytes() == (out / "model.safetensors").read_bytes()


def test_the_report_counts_what_was_measured(smoke: Smoke) -> None:
    _, _, report = smoke
    assert [task.task for task in report.tasks] == ["easy-vqa", "digits-vqa"]
    for task in report.tasks:
        assert task.num_test_images == 8
        assert sum(kind["n"] for kind in task.kinds.values()) == task.num_test_questions
        weighted = sum(kind["n"] * kind["accuracy"] for kind in task.kinds.values())
        assert weighted / task.num_test_questions == pytest.approx(task.accuracy)


@pytest.mark.parametrize(
    ("stage", "resting"),
    [
        ("vision", "model.language_model.layers.0.mlp.up_proj.weight"),
        ("vision", "model.multi_modal_projector.linear_1.weight"),
        ("language", "model.vision_tower.encoder.layers.0.mlp.fc1.weight"),
        ("align", "model.language_model.layers.0.mlp.up_proj.weight"),
        ("align", "model.vision_tower.encoder.layers.0.mlp.fc1.weight"),
    ],
)
def test_what_a_stage_does_not_teach_rests(stage: str, resting: str) -> None:
    model = make_model(0)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    room = Classroom(
        model=model,
        dialect=make_dialect(),
        lessons=[make_lesson("digits-vqa", make_dialect(), max_images=4)],
        symbols=Symbols(WIDTH, spread=0.05),
        seed=0,
        progress=lambda _: None,
    )
    run_stage(room, StagePlan(stage, num_steps=1, num_images=2, learning_rate=0.01))
    after = model.state_dict()
    assert torch.equal(after[resting], before[resting])
    assert any(not torch.equal(after[name], before[name]) for name in after)
    assert all(weight.requires_grad for weight in model.parameters())


def test_the_rate_warms_up_and_falls_to_one_percent() -> None:
    rates = [rate(step, 100) for step in range(100)]
    assert max(rates) == 1.0 == rates[5]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[-1] == pytest.approx(0.01, abs=0.001)


def test_a_scale_without_steps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="steps_scale is 0, but should be above 0"):
        train(tmp_path, steps_scale=0)


def test_no_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="at least one of easy-vqa, digits-vqa"):
        train(tmp_path, tasks=())


def test_an_unknown_task_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UnknownTaskError, match="no task 'vqa'"):
        train(tmp_path / "out", tasks=("vqa",))
    assert not (tmp_path / "out").exists()


def test_random_weights_follow_the_seed() -> None:
    first, again, other = (make_model(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["lm_head.weight"], other["lm_head.weight"])


def test_a_stage_plan_is_a_value() -> None:
    assert StagePlan("all", 1, 2, 0.1) == StagePlan("all", 1, 2, 0.1, 6)
