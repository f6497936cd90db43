"""Robustness of the model in the box: what other measurements say of clean images, and the slow way on others."""

from dataclasses import replace

import pytest
import torch

from skipit_nb import SkipSet
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.robustness.corruptions import corrupted
from skipit_nb.backend.robustness.measure import single_layers
from skipit_nb.backend.tasks.task import Task
from skipit_nb.errors import CancelledError, NoExamplesError, SettingError, UnsupportedSkipError
from skipit_nb.results import Robustness
from tests.families.all_families import family

TASK, LIMIT = "digits-vqa", 8
TRIED = {"noise": (0.2,), "occlusion": (0.3,), "pgd": (8 / 255,)}


def measured(session, skipsets=(), **options):
    given = {"perturbations": TRIED, "limit": LIMIT, "batch_size": LIMIT} | options
    return session.robustness(TASK, skipsets, **given)


@pytest.fixture(scope="module")
def found(session):
    return measured(session)


def of(result, kind):
    return [row for row in result.rows if row.perturbation == kind]


def test_on_clean_images_it_says_what_a_sweep_and_a_profile_say(session, found):
    sets = [SkipSet.absent(layer, num_layers=session.num_layers) for layer in range(session.num_layers)]
    sweep = session.sweep(TASK, sets, limit=LIMIT, batch_size=LIMIT)
    full, *others = of(found, "clean")
    assert found.skipsets == (SkipSet.none(num_layers=session.num_layers), *sets)
    assert full.accuracy == sweep.baseline
    assert [row.accuracy for row in others] == [row.accuracy for row in sweep.rows]
    assert [row.log_likelihood for row in others] == pytest.approx([row.log_likelihood for row in sweep.rows])
    profile = session.profile(session.examples(TASK, limit=LIMIT), batch_size=LIMIT)
    assert found.distances() == pytest.approx(profile.distances("vision"), rel=1e-4)
    spreads = [row.spread for row in found.layers if row.perturbation == "clean"]
    assert spreads == pytest.approx([row.spread for row in profile.of("vision")], rel=1e-3)


@pytest.mark.parametrize(("kind", "arm"), [("noise", 0), ("noise", 1), ("occlusion", 0)])
def test_a_perturbed_accuracy_is_that_of_questions_asked_one_by_one(session, found, kind, arm):
    skipset, (severity,) = found.skipsets[arm], TRIED[kind]
    right = [
        session.ask(
            corrupted(example.image, kind, severity, seed=0, key=f"{example.key}/0"), example.question, skipset=skipset
        ).text
        == example.answer
        for example in session.examples(TASK, limit=LIMIT)
    ]
    assert of(found, kind)[arm].accuracy == pytest.approx(sum(right) / len(right))


def test_an_attack_makes_the_right_answers_less_likely_and_moves_distances(found):
    clean, noisy, attacked = (of(found, kind)[0].log_likelihood for kind in ("clean", "noise", "pgd"))
    assert attacked < noisy
    assert attacked < clean
    assert found.distances("pgd", 8 / 255) != found.distances()
    assert "against the full model, transferred" in found.attack


def test_every_perturbation_layer_and_arm_has_its_rows(session, found):
    depth, arms = session.num_layers, session.num_layers + 1
    assert (len(found.rows), len(found.layers), len(found.orders)) == (4 * arms, 4 * depth, 3)
    assert len(found.by_layer) == 3 * 2 * 2 * depth
    assert found.perturbations == TRIED
    assert found.provenance.task == f"{TASK}/test"
    assert len(found.provenance.samples) >= LIMIT
    assert Robustness.from_json(found.to_json()) == found
    with pytest.raises(SettingError, match=r"perturbation is 'blur 1'.*clean 0 or one of: noise 0.2, occlusion 0.3"):
        found.distances("blur", 1)


def test_the_same_seed_gives_the_same_numbers_and_the_model_is_as_before(session, found):
    weights = {name: value.clone() for name, value in session.model.state_dict().items()}
    assert measured(session) == found
    assert all(torch.equal(weights[name], value) for name, value in session.model.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in session.model.parameters())
    assert not session.model.training


def test_sets_of_ones_own_are_taken_once_and_the_full_model_is_there_anyway(session):
    result = measured(session, ["whole 5", "none", "whole 5", "vision frozen 3-4"], perturbations={"blur": (1,)})
    assert [str(skipset) for skipset in result.skipsets] == ["none", "whole 5", "vision frozen 3-4"]
    assert result.attack == ""


def test_the_full_model_may_be_asked_alone_and_says_what_it_says_in_company(session, found):
    result = measured(session, ["none"], perturbations={"noise": TRIED["noise"]})
    assert result.skipsets == found.skipsets[:1]
    assert [row.accuracy for row in result.rows] == [of(found, kind)[0].accuracy for kind in ("clean", "noise")]
    assert [(order.family, order.rho) for order in result.orders] == [("", None)]


def test_progress_runs_to_its_end_once_and_a_cancelled_one_stops(session):
    seen = []
    measured(
        session, ["whole 5"], perturbations={"noise": (0.1, 0.2)}, batch_size=5, progress=lambda *at: seen.append(at)
    )
    total = seen[0][1]
    assert seen == sorted(seen)
    assert {at[1] for at in seen} == {total}
    assert seen[-1] == (total, total)
    assert total % 3 == 0

    def cancel(done, total):
        if done:
            raise CancelledError

    with pytest.raises(CancelledError):
        measured(session, ["whole 5"], perturbations=("blur",), progress=cancel)


def test_questions_without_an_image_are_left_out_and_refused_if_all_are(session):
    asked = session.examples(TASK, limit=6)
    blind = tuple(replace(example, key=f"blind-{i}", loader=lambda: None) for i, example in enumerate(asked))
    options = {"perturbations": {"noise": (0.1,)}, "batch_size": 6}
    mixed = session.robustness(Task("own", "test", "", (*asked, *blind)), ["whole 5"], **options)
    assert mixed.provenance.samples == tuple(example.key for example in asked)
    with pytest.raises(NoExamplesError, match="questions with an image, needs at least one"):
        session.robustness(Task("own", "test", "", blind), **options)


def test_what_cannot_be_done_is_refused_before_anything_is_measured(session):
    def tick(*_):
        raise AssertionError("it has begun")

    with pytest.raises(SettingError, match="perturbations is 'fog'"):
        measured(session, perturbations=("fog",), progress=tick)
    with (
        session.model.model.multi_modal_projector.register_forward_hook(lambda _, args, out: out.detach()),
        pytest.raises(SettingError, match="no gradient comes back"),
    ):
        measured(session, perturbations={"noise": (0.1,), "fgsm": (0.1,)}, progress=tick)


def bound(name):
    return LiveModel(family(name).model, None, name=name, revision="")


def test_a_family_is_asked_only_about_layers_at_which_vision_may_be_absent():
    live = bound("qwen3_vl")
    layers = [skipset.layers("absent") for skipset in single_layers(live)]
    first = live.anatomy.last_injection + 1
    assert first > 0
    assert layers == [(layer,) for layer in range(first, live.shape.num_layers)]
    with pytest.raises(UnsupportedSkipError, match="cross-attention"):
        single_layers(bound("mllama"))
