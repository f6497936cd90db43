"""α and β: the same as by power iteration, and as by turning tokens back; and without derivatives."""

import re

import pytest
import torch
from torch import nn

from skipit_nb.backend.redundancy.rest_of_network import Rest
from skipit_nb.backend.redundancy.slopes import _gradients, slopes, turns
from skipit_nb.errors import NoGradientError
from skipit_nb.jobs import no_tick

TASK = "digits-vqa"


@pytest.fixture(scope="module")
def asked(session):
    return session.examples(TASK, limit=3)[:3]


@pytest.fixture(scope="module")
def found(session, asked):
    return slopes(session._open, asked, batch_size=2, tick=no_tick)


def test_the_gradient_of_a_loss_is_the_top_singular_value_of_its_jacobian(session, asked, found):
    rows = session.lipschitz(asked, outcome="loss", iterations=1, progress=False)
    assert found.steepest.shape == (2, 12, 3)
    for kind, tokens in enumerate(("vision", "text")):
        assert found.steepest[kind].max(1) == pytest.approx([row.sigma_max for row in rows.of(tokens)], rel=1e-3)
        assert found.along[kind].max(1) == pytest.approx([row.slope_max for row in rows.of(tokens)], rel=0.02, abs=1e-5)
    assert found.why_not == ""


def test_both_kinds_are_turned_back_at_once_and_the_loss_stays_between_0_and_1(session, asked):
    there = turns(session._open, asked, batch_size=3, tick=no_tick)
    assert there.turn.shape == (2, 12, 3)
    assert there.change.shape == (12, 3)
    assert (there.turn > 0).all()
    assert ((there.change >= 0) & (there.change <= 1)).all()


def test_what_a_layer_does_not_turn_has_no_slope(session, asked):
    with session.skipping("whole 5"):
        still, moved = (measure(session._open, asked, batch_size=3, tick=no_tick) for measure in (slopes, turns))
    assert not still.along[:, 5].any()
    assert not moved.turn[:, 5].any()
    assert not moved.change[5].any()
    assert still.steepest[:, 5].all()


class Rounded(nn.Linear):
    """What a quantised kernel does: the right numbers, and nothing that autograd sees."""

    def forward(self, states):
        return super().forward(states).detach()


@pytest.fixture
def rounded(session):
    projection = session.model.model.language_model.layers[7].mlp.up_proj
    projection.__class__ = Rounded
    yield
    projection.__class__ = nn.Linear


BLIND = r"no derivative by the states after layer 6: autograd does not see through .*\.7\.mlp\.up_proj \(.*Rounded\)"


@pytest.mark.usefixtures("rounded")
def test_a_linear_layer_that_autograd_does_not_see_is_refused_and_no_smaller_constant(session, asked):
    with pytest.raises(NoGradientError, match=BLIND):
        session.lipschitz(asked, outcome="loss", iterations=1, progress=False)


@pytest.mark.usefixtures("rounded")
def test_a_model_without_derivatives_has_the_rest_of_the_report_and_says_why(session):
    report = session.bounds_report(TASK, limit=6, k=2, progress=False)
    names = set(report.frame.implication)
    assert "geometric ⇒ functional (α, β along steps)" in names
    assert "geometric ⇒ functional (α, β by gradients)" not in names
    assert re.match(rf"geometric ⇒ functional \(α, β by gradients\): the answer has {BLIND}", report.left_out)
    assert type(report).from_json(report.to_json()) == report


def test_what_autograd_says_is_told():
    state = torch.ones(1, 1, 2)
    rest = Rest(None, 3, state, state, torch.ones(1, 1))
    with pytest.raises(NoGradientError, match="does not require grad"):
        _gradients([rest], torch.ones(2, 1, 1, dtype=torch.bool), ())
