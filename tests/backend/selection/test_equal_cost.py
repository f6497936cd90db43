"""Methods at one cost: each saves just enough, on questions that chose nothing; and random sets save the same."""

import pytest

from skipit_nb import SkipSet, TokenDrop
from skipit_nb.backend.selection.equal_cost import RULES, ratio
from skipit_nb.cost import usual_cost
from skipit_nb.errors import SettingError
from skipit_nb.results import EqualCost

SPEEDUP = 1.3


@pytest.fixture(scope="module")
def found(session):
    return session.equal_cost("easy-vqa", speedup=SPEEDUP, controls=2, limit=24)


def test_every_method_saves_enough_and_no_more_than_it_must(session, found):
    assert {row.method for row in found.rows if "random" not in row.method} == set(RULES)
    assert all(row.flops_ratio >= SPEEDUP for row in found.rows)
    by_method = {row.method: row.action for row in found.rows}
    num_layers = session.num_layers
    later = SkipSet.early_exit(by_method["vtw"].layers("absent")[0] + 1, num_layers=num_layers)
    earlier = SkipSet.late_entry(len(by_method["deepinsert"].layers("absent")) - 1, num_layers=num_layers)
    fewer = by_method["fastv"].stages[0][1] + 1 / 64
    for less in (later, earlier, TokenDrop(((2, fewer),))):
        assert ratio(session._open, less) < SPEEDUP


def test_controls_cost_what_they_are_like(session, found):
    controls = [row for row in found.rows if row.method.startswith("random")]
    assert {row.method for row in controls} == {"random (like vtw)", "random (like shortgpt)"}
    for row in controls:
        like = next(r for r in found.rows if r.method == row.method.split("like ")[1].rstrip(")"))
        costs = [usual_cost(session.shape, one.skipset).flops_prefill for one in (row, like)]
        assert costs[0] == pytest.approx(costs[1], rel=0.01)


def test_the_judging_half_is_another_one(session, found):
    asked = {example.key: example.cluster for example in session.examples("easy-vqa", limit=24)}
    judged = {asked[key] for key in found.provenance.samples}
    assert found.num_calibration + len(found.provenance.samples) == len(asked)
    assert len(judged) < len(set(asked.values()))


@pytest.mark.parametrize("method", ["deepinsert", "fastv", "pyramiddrop"])
def test_a_method_scores_what_it_scores_alone(session, found, method):
    row = next(row for row in found.rows if row.method == method)
    examples = [session.example("easy-vqa", key) for key in found.provenance.samples]
    right = []
    for example in examples:
        inputs = session._open.inputs([example.image], [example.question])
        with session.skipping(row.skipset) if row.drop is None else session.dropping(row.drop):
            right.append(session._open.generate(inputs, max_new_tokens=4)[0].text == example.answer)
    assert row.accuracy == pytest.approx(sum(right) / len(right))
    assert row.delta == pytest.approx(row.accuracy - found.baseline)
    assert row.low <= row.delta <= row.high


def test_it_is_stored_and_read_back(found):
    assert EqualCost.from_json(found.to_json()) == found
    assert list(found.frame["accuracy"]) == sorted(found.frame["accuracy"], reverse=True)
    assert f"{len(found.rows)} rows" in repr(found)


def test_what_nothing_can_save_is_said(session):
    with pytest.raises(SettingError, match="at most a factor"):
        session.equal_cost("easy-vqa", speedup=1e6, limit=24)
    with pytest.raises(SettingError, match="above 1"):
        session.equal_cost("easy-vqa", speedup=1.0, limit=24)


def test_a_method_that_cannot_save_as_much_is_listed(session):
    found = session.equal_cost("easy-vqa", speedup=4.0, controls=0, limit=12)
    assert "fastv" in dict(found.missing), "two of twelve layers see every token"
    assert "factor" in dict(found.missing)["fastv"]
