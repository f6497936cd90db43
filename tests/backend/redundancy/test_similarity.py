"""CKA and SVCCA: what they do not see, what they see, and the trap of the biased form."""

import math

import pytest
import torch

from skipit_nb.backend.redundancy.similarity import FEWEST_STATES, linear_cka, svcca
from skipit_nb.errors import LimitError, SettingError, TooFewSamplesError
from skipit_nb.results import Similarity


def noise(seed, states=400, features=16):
    return torch.randn(states, features, generator=torch.Generator().manual_seed(seed))


def rotation(features=16):
    return torch.linalg.qr(noise(9, features, features))[0]


@pytest.mark.parametrize("metric", [linear_cka, svcca])
@pytest.mark.parametrize("change", [lambda x: x, lambda x: x @ rotation(), lambda x: 7 * x, lambda x: x + 3],
                         ids=["identity", "rotation", "rescale", "shift"])  # fmt: skip
def test_no_rotation_scale_or_shift_is_seen(metric, change):
    assert metric(noise(0), change(noise(0))) == pytest.approx(1, abs=1e-5)


def test_cka_sees_a_stretch_that_svcca_does_not():
    stretched = noise(0) * torch.linspace(1, 3, 16)
    assert linear_cka(noise(0), stretched) < 0.95
    assert svcca(noise(0), stretched) == pytest.approx(1, abs=0.01)


def test_independent_noise_has_nothing_in_common_also_with_fewer_states_than_features():
    few = [linear_cka(noise(seed, 40, 512), noise(seed + 100, 40, 512)) for seed in range(20)]
    assert abs(sum(few) / 20) < 0.02
    assert max(map(abs, few)) < 0.1
    x, y = (noise(seed, 40, 512).double() for seed in (0, 100))
    x, y = x - x.mean(0), y - y.mean(0)
    biased = (x.T @ y).square().sum() / ((x.T @ x).norm() * (y.T @ y).norm())
    assert biased > 0.9, "the trap: unrelated states look the same"
    assert svcca(noise(0, 40, 512), noise(100, 40, 512)) == pytest.approx(1, abs=0.02), "its trap"


def test_an_image_that_is_asked_about_twice_would_bring_the_bias_back():
    x, y = (noise(seed, 30, 64).repeat_interleave(5, dim=0) for seed in (0, 100))
    assert linear_cka(x, y) > 0.6, "unrelated, but five questions share each state"
    assert abs(linear_cka(x, y[torch.randperm(150, generator=torch.Generator().manual_seed(0))])) < 0.05, "and hidden"


def test_every_question_is_about_another_image_and_a_larger_limit_adds_to_them(session):
    few, more = (session.similarity("digits-vqa", limit=limit) for limit in (6, 9))
    about = {example.key: example.cluster for example in session.examples("digits-vqa")}
    images = [about[key] for key in more.provenance.samples]
    assert len(set(images)) == len(images) == more.num_states == 9
    assert more.provenance.samples[:6] == few.provenance.samples
    assert session.similarity("digits-vqa", limit=6, seed=1).provenance.samples != few.provenance.samples
    with pytest.raises(LimitError):
        session.similarity("digits-vqa", limit=0)


def test_the_debiased_form_is_the_unbiased_estimator_of_song():
    def unbiased(k, g):
        n = len(k)
        k, g = k.clone().fill_diagonal_(0), g.clone().fill_diagonal_(0)
        middle = k.sum() * g.sum() / ((n - 1) * (n - 2))
        return ((k * g).sum() + middle - 2 / (n - 2) * (k.sum(0) @ g.sum(0))) / (n * (n - 3))

    for states in (10, 60):  # fewer and more than features
        x = noise(0, states).double()
        y = x @ noise(5, 16, 16).double() + noise(1, states).double()
        k, g = x @ x.T, y @ y.T
        expected = unbiased(k, g) / (unbiased(k, k) * unbiased(g, g)).sqrt()
        assert linear_cka(x, y) == pytest.approx(float(expected), rel=1e-9)


def test_states_that_do_not_vary_have_no_similarity():
    same = noise(0, 1).expand(10, 16)
    assert math.isnan(linear_cka(same, noise(1, 10)))
    assert math.isnan(svcca(noise(1, 10), same))


@pytest.mark.parametrize("metric", ["cka", "svcca"])
def test_late_layers_of_the_model_in_the_box_leave_vision_tokens_as_they_were(session, metric):
    found = session.similarity("digits-vqa", metric=metric, view="token", limit=16, batch_size=5)
    assert found.num_states == 8 * len(found.provenance.samples)
    assert list(found.frame.layer) == list(range(12))
    assert all(0.95 < layer.value <= 1.0001 for layer in found.layers[7:])
    assert all(layer.chance < layer.value for layer in found.layers)
    assert Similarity.from_json(found.to_json()) == found


def test_the_first_token_is_the_same_in_every_question_at_the_embeddings(session):
    layers = session.similarity("digits-vqa", tokens="first", limit=16).layers
    assert layers[0].value is None


def test_what_cannot_be_compared_is_refused(session):
    with pytest.raises(SettingError, match="one of cka, svcca"):
        session.similarity("digits-vqa", metric="rsa", limit=4)
    with pytest.raises(SettingError, match="one of pooled, token"):
        session.similarity("digits-vqa", view="mean", limit=4)
    example = session.examples("digits-vqa", limit=1)[:1]
    with pytest.raises(
        TooFewSamplesError, match=f"states of vision tokens, .*there are 1, but at least {FEWEST_STATES}"
    ):
        session.similarity(example)
