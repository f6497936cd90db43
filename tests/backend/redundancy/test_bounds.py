"""Every implication on 10,000 random finite chains X → Y → Z, and on one live model."""

import numpy as np
import pytest

from skipit_nb.backend.redundancy import bounds
from skipit_nb.errors import SettingError, TooFewSamplesError

CHAINS, SIZE, ANSWERS, WIDTH = 10_000, 5, 3, 4


@pytest.fixture(scope="module")
def chain():
    """Random chains over points of one alphabet, from nearly still to wild; [chain, …] arrays."""
    rng = np.random.default_rng(0)
    spread = 10.0 ** rng.uniform(-1.5, 1, (CHAINS, 1, 1))
    p_x = rng.dirichlet(np.ones(SIZE), CHAINS)
    moves = _rows(rng.gamma(spread, size=(CHAINS, SIZE, SIZE)))
    still = rng.random((CHAINS, 1, 1)) ** 2
    p_xy = p_x[:, :, None] * (still * np.eye(SIZE) + (1 - still) * moves)
    p_z = _rows(rng.gamma(spread, size=(CHAINS, SIZE, ANSWERS)))
    points = rng.standard_normal((CHAINS, SIZE, WIDTH)) + rng.exponential(2, (CHAINS, 1, WIDTH))
    points /= np.linalg.norm(points, axis=2, keepdims=True)
    return Chain(p_xy, p_xy[..., None] * p_z[:, None], points)


class Chain:
    def __init__(self, p_xy, p_xyz, points):
        self.p_xy, self.p_xyz, self.points = p_xy, p_xyz, points
        self.distance = ((points[:, :, None] - points[:, None]) ** 2).sum(3) / 2
        self.mean = (p_xy * self.distance).sum((1, 2))

    def tail(self, epsilon):
        return (self.p_xy * (self.distance > epsilon)).sum((1, 2))

    @property
    def uncertain(self):
        return entropy(self.p_xy) - entropy(self.p_xy.sum(2))

    @property
    def added(self):
        """I(Y; Z | X) = H(X, Y) + H(X, Z) - H(X, Y, Z) - H(X)."""
        p = self.p_xyz
        return entropy(p.sum(3)) + entropy(p.sum(2)) - entropy(p) - entropy(p.sum((2, 3)))

    @property
    def log_risks(self):
        """H(Z | X) and H(Z | Y)."""
        return [entropy(p) - entropy(p.sum(2)) for p in (self.p_xyz.sum(2), self.p_xyz.sum(1))]

    def best_risks(self, loss):
        """The least mean of loss[chain, guess, answer] that knows X, and that knows Y."""
        return [np.einsum("nxz,ngz->nxg", p, loss).min(2).sum(1) for p in (self.p_xyz.sum(2), self.p_xyz.sum(1))]


def _rows(weights):
    weights = weights + 1e-12
    return weights / weights.sum(2, keepdims=True)


def entropy(p):
    p = p.reshape(len(p), -1)
    return -(p * np.log(np.where(p > 0, p, 1))).sum(1)


EPSILONS = (0.01, 0.1, 0.5, 1.0)


@pytest.mark.parametrize("epsilon", EPSILONS)
def test_geometric_and_proximal_imply_each_other(chain, epsilon):
    tail = chain.tail(epsilon)
    assert (tail <= bounds.tail_from_mean(chain.mean, epsilon) + 1e-12).all()
    assert (chain.mean <= bounds.mean_from_tail(epsilon, tail) + 1e-12).all()


def test_a_lipschitz_loss_changes_by_no_more_than_the_distance_allows(chain):
    rng = np.random.default_rng(1)
    loss = rng.standard_normal((CHAINS, SIZE, ANSWERS))
    steps = np.sqrt(2 * chain.distance) + np.eye(SIZE)
    slope = (np.abs(loss[:, :, None] - loss[:, None]) / steps[..., None]).max((1, 2, 3))
    change = np.einsum("nxyz,nxyz->n", chain.p_xyz, loss[:, :, None] - loss[:, None])
    assert (np.abs(change) <= bounds.loss_gap_from_distance(chain.mean, slope) + 1e-12).all()


def test_a_loss_of_two_arguments_changes_by_no_more_than_both_distances_allow(chain):
    """h(x, y): x runs over the points of a chain, y over those of the next one, drawn apart."""
    p, d = (np.roll(each, 1, axis=0) for each in (chain.p_xy, chain.distance))
    here, there = np.sqrt(2 * chain.distance), np.sqrt(2 * d)
    wild = np.random.default_rng(3).standard_normal((CHAINS, SIZE, SIZE))
    tight = here[:, :, :1] + there[:, :1]  # how far both are from their first points: α = β = 1
    for loss, reached in ((wild, 0.1), (tight, 0.6)):
        alpha = (np.abs(loss[:, :, None] - loss[:, None]) / (here + np.eye(SIZE))[..., None]).max((1, 2, 3))
        beta = (np.abs(loss[..., :, None] - loss[..., None, :]) / (there + np.eye(SIZE))[:, None]).max((1, 2, 3))
        moved = np.abs(loss[:, :, None, :, None] - loss[:, None, :, None, :])
        change = np.einsum("nij,nkl,nijkl->n", chain.p_xy, p, moved)
        allowed = bounds.loss_gap_from_turns(chain.mean, np.roll(chain.mean, 1), alpha, beta)
        assert (change <= allowed + 1e-12).all()
        assert (change > reached * allowed).any()


def test_the_fall_of_the_best_log_loss_is_exactly_the_information_added(chain):
    before, after = chain.log_risks
    assert before - after == pytest.approx(bounds.log_loss_gap(chain.added), abs=1e-10)
    h_y = entropy(chain.p_xy.sum(1))
    between = entropy(chain.p_xy.sum(2)) + h_y - entropy(chain.p_xy)
    assert (before - after <= bounds.log_loss_gap_from_entropy(h_y, between) + 1e-10).all()


@pytest.mark.parametrize("largest", [1.0, 7.0])
def test_the_best_bounded_loss_falls_by_no_more_than_pinsker_allows(chain, largest):
    rng = np.random.default_rng(2)
    for loss in (
        np.broadcast_to(1 - np.eye(ANSWERS), (CHAINS, ANSWERS, ANSWERS)),
        rng.random((CHAINS, 4, ANSWERS)),
    ):
        before, after = chain.best_risks(largest * loss)
        assert (before - after >= -1e-12).all()
        assert (before - after <= bounds.bounded_loss_gap(chain.added, largest) + 1e-9).all()


def test_fano_bounds_what_is_left_open(chain):
    differing = chain.p_xy.sum((1, 2)) - np.einsum("nxx->n", chain.p_xy)
    assert (chain.uncertain <= bounds.fano(differing, SIZE) + 1e-10).all()


@pytest.mark.parametrize("epsilon", EPSILONS)
def test_the_distance_form_of_fano_bounds_it_too(chain, epsilon):
    near = (chain.distance <= epsilon + 1e-15).sum(2)
    bound = bounds.distance_fano(chain.tail(epsilon + 1e-15), SIZE, near.min(1), near.max(1))
    assert (chain.uncertain <= bound + 1e-10).all()
    assert (bound <= np.log(SIZE) + 1e-12).all()


def test_a_bound_that_were_a_little_tighter_would_fail(chain):
    before, after = chain.log_risks
    assert (before - after > 0.999 * bounds.log_loss_gap(chain.added) + 1e-9).any()
    assert (chain.uncertain > 0.9 * bounds.fano(1 - np.einsum("nxx->n", chain.p_xy), SIZE)).any()
    assert (chain.tail(0.5) > 0.9 * bounds.tail_from_mean(chain.mean, 0.5)).any()


def test_known_values():
    assert bounds.tail_from_mean(0.01, 0.1) == pytest.approx(0.1)
    assert bounds.mean_from_tail(0.1, 0.05) == pytest.approx(0.2)
    assert bounds.bounded_loss_gap(0.02) == pytest.approx(0.1)
    assert bounds.fano(0.0, 8) == 0
    assert bounds.fano(0.5, 2) == pytest.approx(np.log(2))
    assert bounds.distance_fano(0.3, 8, 1, 1) == bounds.fano(0.3, 8)


@pytest.fixture(scope="module")
def report(session):
    """Of the model in the box without its layer 5."""
    with session.skipping("whole 5"):
        return session.bounds_report("digits-vqa", limit=8, k=3, progress=False)


def test_an_identity_layer_has_bounds_of_zero(report):
    rows = {row.implication: row for row in report.rows if row.layer == 5}
    assert len(rows) == 10
    assert {row.measured for row in rows.values()} == {0}
    loose = ("proximal ⇒ geometric", "proximal ⇒ informational (distance Fano)")  # they allow what is below ε
    assert max(abs(row.bound) for name, row in rows.items() if name not in loose) < 1e-9


def test_the_report_says_which_bounds_hold_and_which_say_anything(report):
    assert type(report).from_json(report.to_json()) == report
    frame = report.frame
    assert len(frame) == 12 * 10
    assert frame[~frame.implication.str.startswith("geometric ⇒ functional")].holds.all()
    assert report.left_out == ""
    assert 0 < (~frame.is_vacuous).sum() < len(frame)
    assert set(frame.unit) == {"share", "nats", "1 - cos"}


def test_what_is_so_anyway_is_the_loss_that_is_left_before_the_layer(report):
    for row in report.rows:
        if row.conclusion == "fall of the best log loss":
            assert row.trivial <= np.log(12)
            assert row.measured <= row.trivial + 1e-9
    first, last = (
        next(row for row in report.rows if row.layer == layer and "(0/1 loss)" in row.implication) for layer in (0, 11)
    )
    assert last.trivial < first.trivial, "late, less is left to lose"


def test_too_few_questions_are_refused_before_the_model_runs(session, monkeypatch):
    monkeypatch.setattr(type(session._open), "inputs", None)
    with pytest.raises(TooFewSamplesError, match=r"in a half, for k = 40: .* at least 40 are needed. Take limit=\d+"):
        session.bounds_report("digits-vqa", limit=14, k=40, progress=False)
    with pytest.raises(SettingError, match=r"k is 1, but should be a whole number of at least 2"):
        session.bounds_report("digits-vqa", limit=14, k=1, progress=False)


def test_an_epsilon_beyond_every_distance_is_refused(session):
    with pytest.raises(SettingError, match=r"epsilon is 2, but should be a distance in 1 - cos"):
        session.bounds_report("digits-vqa", epsilon=2)
