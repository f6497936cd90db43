"""Information between codes: known answers, the bias that counting has, and a null that means what it says."""

import numpy as np
import pytest

from skipit_nb.backend.redundancy import information as info
from skipit_nb.errors import SettingError, TooFewSamplesError
from skipit_nb.results.information import QUANTITIES

LN2 = np.log(2)


def drawn(p, n, rng):
    """n pairs from a joint distribution [x, z]."""
    return np.unravel_index(rng.choice(p.size, size=n, p=p.ravel()), p.shape)


def true_information(p):
    return float((p * np.log(p / (p.sum(1, keepdims=True) * p.sum(0)))).sum())


def test_a_copy_tells_all_and_a_coin_nothing():
    x, other = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert info.mutual_information(x, x) == pytest.approx(LN2)
    assert info.mutual_information(x, other) == pytest.approx(0, abs=1e-12)
    assert info.entropy(np.arange(5)) == pytest.approx(np.log(5))
    assert info.conditional_entropy(x, x) == pytest.approx(0, abs=1e-12)


def test_each_half_of_an_xor_tells_nothing_alone_and_all_beside_the_other():
    x, y = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert info.mutual_information(x, x ^ y) == pytest.approx(0, abs=1e-12)
    assert info.conditional_information(x, x ^ y, y) == pytest.approx(LN2)


def test_the_chain_rule_holds_in_counts():
    rng = np.random.default_rng(0)
    x, y, z = rng.integers(3, size=(3, 200))
    both = info.mutual_information(info.joint(x, y), z)
    assert both == pytest.approx(info.mutual_information(y, z) + info.conditional_information(x, z, y))


@pytest.mark.parametrize("strength", [0.0, 0.3, 0.8])
def test_correction_takes_off_most_of_the_bias(strength):
    rng = np.random.default_rng(1)
    p = (1 - strength) * np.full((4, 6), 1 / 24) + strength * np.eye(4, 6) / 4
    runs = [drawn(p, 240, rng) for _ in range(500)]
    truth = true_information(np.maximum(p, 1e-300))
    plain, corrected = (
        np.mean([info.mutual_information(*run, corrected=c) for run in runs]) - truth for c in (False, True)
    )
    assert plain > 0.01
    assert abs(corrected) < 0.3 * plain


def test_p_is_uniform_where_there_is_nothing():
    rng = np.random.default_rng(2)
    ps = [info.measured(*rng.integers((3, 4), size=(90, 2)).T, permutations=39, seed=run).p for run in range(300)]
    for level in (0.1, 0.25, 0.5):
        assert np.mean(np.array(ps) <= level) == pytest.approx(level, abs=0.07)


def test_under_a_condition_what_the_condition_tells_is_no_discovery():
    rng = np.random.default_rng(3)
    given = rng.integers(3, size=600)
    x, z = (np.where(rng.random(600) < 0.8, given, rng.integers(3, size=600)) for _ in range(2))
    assert info.measured(x, z, permutations=99).p == pytest.approx(0.01)
    added = info.measured(x, z, given, permutations=99)
    assert added.p > 0.05
    assert added.value < added.null_high


def test_information_of_the_model_in_the_box_is_found_where_the_prompt_is_read_and_nowhere_before(session):
    asked = [example for example in session.examples("digits-vqa", limit=300) if example.kind == "presence"]
    found = session.information(asked, ks=(2,), permutations=20, pid=True, progress=False)
    assert type(found).from_json(found.to_json()) == found
    told = found.of("told", "last", 2)
    assert [row.boundary for row in told] == list(range(13))
    assert (told[0].value, told[0].codes) == (0, 1)  # the last token of every prompt is the same
    assert told[12].value > told[12].null_high
    assert {row.quantity for row in found.rows} == set(QUANTITIES)
    assert list(found.frame.columns[-2:]) == ["p", "excess"]
    assert len(found.pid) == 4 * (13 + 3 * 12)
    assert found.pid_frame[found.pid_frame.part == "redundant"].value.max() <= np.log(2) + 1e-6
    with pytest.raises(SettingError, match="measured"):
        found.of("told", "vision", 3)
    with pytest.raises(SettingError, match=r"ks is .*, but should be a tuple of one size at least"):
        session.information(asked[:8], ks=())


def test_too_few_questions_are_refused_with_the_limit_it_takes(session):
    with pytest.raises(TooFewSamplesError, match=r"for k = 8 and \d+ answers: .* Take limit=\d+ or more"):
        session.information("digits-vqa", limit=8, progress=False)
