"""Agreement: known orders, a control that chance passes, and the model in the box."""

import numpy as np
import pytest
from scipy import stats

from skipit_nb import SkipSet
from skipit_nb.backend.selection.agreement import FAMILIES, correlated, memberships, spearman
from skipit_nb.backend.tasks.task import Task
from skipit_nb.errors import SettingError
from skipit_nb.results import OUTCOMES, SCORES, Agreement

TASK = "digits-vqa"
LAYERS = 8
DRAW = np.random.default_rng(0)


def row_of(of_layers, losses, family="whole"):
    member = memberships(FAMILIES[family](LAYERS), LAYERS)
    clusters = [f"image-{i // 2}" for i in range(len(losses))]
    return correlated(family, "accuracy", "distance", np.asarray(of_layers, float), member, losses, clusters, seed=0)


def losses_like(of_layers, noise=0.0, questions=40):
    return np.asarray(of_layers, float) + noise * DRAW.standard_normal((questions, len(of_layers)))


def test_the_same_order_agrees_fully_and_the_reverse_not_at_all():
    same, reverse = (
        row_of(range(LAYERS), losses_like(range(LAYERS))),
        row_of(range(LAYERS), -losses_like(range(LAYERS))),
    )
    assert (same.rho, same.low, same.high) == pytest.approx((1, 1, 1))
    assert same.p < 0.01
    assert reverse.rho == pytest.approx(-1)
    assert reverse.p > 0.99


def test_noise_widens_the_interval_around_the_estimate():
    row = row_of(range(LAYERS), losses_like(range(LAYERS), noise=20.0))
    assert row.low < row.rho <= row.high
    assert row.high - row.low > 0.1


def test_chance_is_what_random_scores_reach():
    found = [row_of(DRAW.standard_normal(LAYERS), losses_like(range(LAYERS))) for _ in range(40)]
    assert 0.2 < np.mean([row.p for row in found]) < 0.8
    assert found[0].chance == pytest.approx(0.643, abs=0.06), "the critical value of Spearman's rho for n = 8"


def test_nothing_that_varies_is_no_correlation():
    flat = row_of([1] * LAYERS, losses_like(range(LAYERS)))
    assert (flat.rho, flat.low, flat.chance, flat.p) == (None,) * 4
    assert row_of(range(LAYERS), np.zeros((10, LAYERS))).rho is None
    assert row_of([np.nan, *range(7)], losses_like(range(LAYERS))).rho is None


def test_ranks_are_those_of_scipy_with_ties():
    x, y = DRAW.integers(0, 4, (20, 9)).astype(float), DRAW.integers(0, 4, 9).astype(float)
    assert spearman(x, y) == pytest.approx([stats.spearmanr(one, y).statistic for one in x])


def test_a_band_is_foretold_by_the_mean_of_its_layers():
    member = memberships([SkipSet.late_entry(2, num_layers=4), SkipSet.early_exit(3, num_layers=4)], 4)
    assert member.tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0, 1]]


def test_bands_are_all_of_one_length_a_quarter_of_the_layers():
    bands = FAMILIES["band"](12)
    assert [str(band) for band in bands[:2]] == ["vision absent 0-2", "vision absent 1-3"]
    assert {len(band.layers("absent")) for band in bands} == {3}
    assert str(bands[-1]) == "vision absent 9-11"
    assert str(FAMILIES["band"](4)[0]) == "vision absent 0-1"


@pytest.fixture(scope="module")
def found(session):
    return session.agreement(TASK, limit=16)


def test_the_model_in_the_box_has_a_row_for_every_score_cost_and_family(found):
    assert {(row.family, row.outcome, row.score) for row in found.rows} == {
        (family, outcome, score) for family in FAMILIES for outcome in OUTCOMES for score in SCORES
    }
    assert [row.sets for row in found.rows[:: len(SCORES) * len(OUTCOMES)]] == [12, 12, 12, 11, 11, 10]
    known = [row for row in found.rows if row.rho is not None]
    assert all(-1 <= row.low <= row.high <= 1 and 0 < row.p <= 1 for row in known)


def test_costs_are_those_of_a_sweep_over_the_other_half(session, found):
    keys = found.provenance.samples[found.num_scored :]
    half = Task("half", "test", "", tuple(session.example(TASK, key) for key in keys))
    costs = found.cost_frame.set_index(["family", "skipset"]).accuracy
    for row in session.sweep(half, ["whole 0", "whole 7"]).rows:
        assert costs["whole", str(row.skipset)] == pytest.approx(-row.delta)


def test_an_agreement_reads_back_and_has_a_table(found):
    assert Agreement.from_json(found.to_json()) == found
    assert len(found.frame) == len(found.rows) == 60
    assert repr(found).startswith("Agreement(tiny, digits-vqa/test, ")


def test_one_image_is_not_enough(session):
    with pytest.raises(SettingError, match="two images"):
        session.agreement(session.examples(TASK, limit=1)[:1])
