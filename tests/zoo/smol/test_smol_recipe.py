"""Smol's recipe as a try-out of a few steps, on a language model of two layers."""

import json
from pathlib import Path

import pytest
import torch

from skipit_nb.errors import SettingError
from skipit_nb.zoo import TRAINED_PART
from skipit_nb.zoo.architecture import NUM_VISION_TOKENS
from skipit_nb.zoo.card import read_card
from skipit_nb.zoo.classroom import Classroom, StagePlan, StageProgress, is_open
from skipit_nb.zoo.lessons import make_lesson
from skipit_nb.zoo.report import Report
from skipit_nb.zoo.smol import recipe
from skipit_nb.zoo.smol.architecture import make_model
from skipit_nb.zoo.smol.diary import LOG
from skipit_nb.zoo.smol.low_rank import add_updates
from skipit_nb.zoo.smol.prompt import make_dialect
from skipit_nb.zoo.smol.stages import run_stage
from skipit_nb.zoo.smol.words import Words
from tests.zoo.smol.small_backbone import small_backbone

pytestmark = pytest.mark.model

Smoke = tuple[Path, list[StageProgress], Report]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Smoke:
    out = tmp_path_factory.mktemp("trained")
    seen: list[StageProgress] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "read_backbone", small_backbone)
        report = recipe.train(out, seed=3, device="cpu", progress=seen.append, steps_scale=0.01, max_images=6)
    return out, seen, report


def test_training_runs_its_four_stages_in_order(smoke: Smoke) -> None:
    _, seen, report = smoke
    assert list(dict.fromkeys(step.stage for step in seen)) == ["align", "name", "read", "all"]
    assert len(seen) == sum(stage.num_steps for stage in report.plan)
    assert all(step.loss > 0 for step in seen)


def test_training_leaves_the_trained_part_its_settings_and_a_card(smoke: Smoke) -> None:
    out, _, report = smoke
    left = {file.name for file in out.iterdir()}
    assert {TRAINED_PART, "config.json", "chat_template.jinja", "card.json", "README.md", LOG} <= left
    assert read_card(out)["name"] == "smol"
    assert (out / "README.md").read_text(encoding="utf-8").startswith("# smol: ")
    assert [task.task for task in report.tasks] == ["easy-vqa", "digits-vqa"]


def test_the_log_tells_the_accuracy_on_held_out_images_at_the_end_of_each_stage(smoke: Smoke) -> None:
    out, _, _ = smoke
    lines = [json.loads(line) for line in (out / LOG).read_text(encoding="utf-8").splitlines()]
    assert [line["stage"] for line in lines] == ["align", "name", "read", "all"]
    assert all(0 <= share <= 1 for line in lines for share in line["validation"].values())


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(smoke: Smoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, _, _ = smoke
    monkeypatch.setattr(recipe, "read_backbone", small_backbone)
    recipe.train(tmp_path, seed=3, device="cpu", steps_scale=0.01, max_images=6)
    assert (tmp_path / TRAINED_PART).read_bytes() == (out / TRAINED_PART).read_bytes()


def room() -> tuple[Classroom, torch.nn.ModuleList]:
    backbone = small_backbone()
    model, dialect = make_model(backbone), make_dialect(backbone.tokenizer, NUM_VISION_TOKENS)
    updates = add_updates(model.model.language_model, rank=2)
    lessons = [make_lesson("digits-vqa", dialect, max_images=4)]
    words = Words(backbone.tokenizer)
    return Classroom(model, dialect, lessons, words, seed=0, progress=lambda _: None), updates


@pytest.mark.parametrize(
    ("stage", "learning"),
    [
        ("align", {"multi_modal_projector"}),
        ("name", {"update"}),
        ("read", {"update"}),
        ("all", {"update", "multi_modal_projector", "vision_tower"}),
    ],
)
def test_a_stage_changes_what_it_teaches_and_the_language_model_rests(stage: str, learning: set[str]) -> None:
    class_, updates = room()
    before = {name: weight.clone() for name, weight in class_.model.state_dict().items()}
    run_stage(class_, StagePlan(stage, num_steps=1, num_images=2, learning_rate=0.01), updates)
    changed = [name for name, weight in class_.model.state_dict().items() if not torch.equal(weight, before[name])]
    parts = ("update", "multi_modal_projector", "vision_tower")
    assert {next((part for part in parts if part in name), name) for name in changed} == learning


def test_naming_asks_nothing_that_is_answered_with_yes_or_no() -> None:
    items = make_lesson("digits-vqa", room()[0].dialect, max_images=4).corpus.items
    opened = [item.example.kind for row in items for item in row if is_open(item)]
    assert "count" in opened
    assert not {"presence", "comparison"} & set(opened)


def test_a_scale_without_steps_and_no_tasks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="steps_scale is 0, but should be above 0"):
        recipe.train(tmp_path, steps_scale=0)
    with pytest.raises(SettingError, match="at least one of easy-vqa, digits-vqa"):
        recipe.train(tmp_path, tasks=())
