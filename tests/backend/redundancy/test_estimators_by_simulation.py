"""How far estimates are from the truth, and how often tests reject, over runs whose truth is known. `-s` prints it."""

import numpy as np
import pytest

from skipit_nb.backend.redundancy import information as info
from skipit_nb.backend.redundancy import pid
from skipit_nb.backend.redundancy.markov import chain_test
from tests.backend.evaluation.simulated import rate, tell

RUNS = 300


def drawn(p, n, rng):
    """n samples of a joint distribution, a row a variable."""
    return np.array(np.unravel_index(rng.choice(p.size, size=n, p=p.ravel()), p.shape))


def entropy(p):
    return -(p * np.log(np.where(p > 0, p, 1))).sum()


def biases(p, n, estimate, truth, seed):
    """Mean error of the plug-in and of the corrected estimate, and the standard deviation of the latter."""
    rng = np.random.default_rng(seed)
    found = np.array(
        [[estimate(*run, corrected=c) for c in (False, True)] for run in (drawn(p, n, rng) for _ in range(RUNS))]
    )
    plain, corrected = found.mean(0) - truth
    return plain, corrected, found[:, 1].std()


@pytest.mark.parametrize(("k", "n"), [(4, 192), (8, 384), (8, 768)])
@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_what_a_boundary_tells_is_off_by_at_most_a_thirtieth_of_a_nat_from_four_questions_a_cell(k, n, strength):
    answers = 12
    p = (1 - strength) * np.full((k, answers), 1 / k / answers) + strength * np.eye(k, answers) / k
    truth = entropy(p.sum(1)) + entropy(p.sum(0)) - entropy(p)
    plain, corrected, deviation = biases(p, n, info.mutual_information, truth, seed=k + n)
    tell(f"told: k {k}, n {n}, truth {truth:.3f}: plug-in {plain:+.3f}, corrected {corrected:+.3f} ± {deviation:.3f}")
    assert plain > 0.03
    assert abs(corrected) < 0.035
    assert abs(corrected) < plain / 2


@pytest.mark.parametrize("k", [2, 4, 8])
def test_what_a_layer_adds_needs_its_null_the_more_the_more_codes(k):
    """A chain X → Y → Z read the wrong way round: X adds nothing to Y, and counting finds something."""
    rng = np.random.default_rng(k)
    move, say = 0.7 * np.eye(k) + 0.3 / k, rng.dirichlet(np.full(12, 0.3), k)
    p = np.einsum("xy,yz->xyz", move / k, say)
    found = []
    for run in range(RUNS // 3):
        x, y, z = drawn(p, 384, np.random.default_rng(run))
        one = info.measured(x, z, y, permutations=20, seed=run)
        found.append((one.plug_in, one.value, one.value - one.null_mean))
    plain, corrected, excess = np.mean(found, axis=0)
    tell(f"added, truth 0: k {k}, n 384: plug-in {plain:+.3f}, corrected {corrected:+.3f}, excess {excess:+.4f}")
    assert abs(excess) < 0.004
    assert abs(corrected) < plain


@pytest.mark.parametrize("k", [4, 8])
def test_what_is_left_open_is_too_low_as_counted_and_nearly_right_corrected(k):
    p = (0.7 * np.eye(k) + 0.3 / k) / k
    plain, corrected, deviation = biases(p, 384, info.conditional_entropy, entropy(p) - np.log(k), seed=k)
    tell(f"uncertain: k {k}, n 384: plug-in {plain:+.3f}, corrected {corrected:+.3f} ± {deviation:.3f}")
    assert plain < 0
    assert abs(corrected) < abs(plain) / 2


def test_synergy_is_found_in_nothing_and_its_null_says_how_much():
    rng = np.random.default_rng(0)
    found, means = [], []
    for run in range(12):
        x, y, z = rng.integers(4, size=(3, 384))
        parts, (mean, _) = pid.of_codes(x, y, z), pid.null_of(x, y, z, permutations=3, seed=run)
        found.append((parts.redundant, parts.unique_first, parts.unique_second, parts.synergistic))
        means.append((mean.redundant, mean.unique_first, mean.unique_second, mean.synergistic))
    counted, chance = np.mean(found, axis=0), np.mean(means, axis=0)
    tell(f"parts, truth 0, k 4, n 384: as counted {counted.round(3)}, mean of the null {chance.round(3)}")
    assert counted[3] > 0.03
    assert counted == pytest.approx(chance, abs=0.01)


@pytest.mark.slow
def test_the_chain_test_rejects_a_chain_seldom_and_what_is_forgotten_often():
    """A chain: what a layer hides is hidden from both readers. Forgotten: only the boundary before it has it."""
    rejected = {"chain": [], "forgotten": []}
    for run in range(60):
        rng = np.random.default_rng(run)
        clusters, answers = np.arange(160) // 4, rng.integers(3, size=160)
        after = rng.standard_normal((160, 6))
        after[:, :3] += 1.5 * np.eye(3)[answers]
        before = after @ rng.standard_normal((6, 6)) + rng.standard_normal((160, 6))
        told = rng.standard_normal((160, 6))
        told[:, :3] += 1.0 * np.eye(3)[answers]
        for name, earlier in (("chain", before), ("forgotten", told)):
            rejected[name].append(chain_test(earlier, after, answers, clusters, folds=3, permutations=99).p <= 0.05)
    rates = {name: rate(hits) for name, hits in rejected.items()}
    tell(f"chain test at 5 %, 160 questions on 40 images: {rates}")
    assert rates["chain"] <= 0.1
    assert rates["forgotten"] > 0.5
