"""Which perturbations are tried: clean first, ascending, and nothing that means nothing."""

import math

import pytest

from skipit_nb.backend.robustness.conditions import DEFAULTS, Perturbation, conditions
from skipit_nb.errors import SettingError
from skipit_nb.results import SEVERITY_UNITS

BLUR_OF_NOTHING = {"blur": ()}


def test_without_a_wish_all_kinds_at_three_severities_after_the_clean_images():
    clean, *others = conditions()
    assert clean == Perturbation("clean", 0.0)
    assert not clean.is_corruption
    assert not clean.is_attack
    assert [one.kind for one in others] == [kind for kind in SEVERITY_UNITS for _ in range(3)]
    assert sum(one.is_attack for one in others) == 6
    assert sum(one.is_corruption for one in others) == 9


def test_severities_come_ascending_and_once():
    found = conditions({"blur": (2, 0.5, 2.0)})[1:]
    assert [(one.kind, one.severity) for one in found] == [("blur", 0.5), ("blur", 2.0)]
    assert [one.severity for one in conditions(("pgd",))[1:]] == list(DEFAULTS["pgd"])


@pytest.mark.parametrize("severity", [0, -0.1, 1.1, math.nan, math.inf, True, "0.1", None])
def test_a_severity_that_means_nothing_is_refused(severity):
    with pytest.raises(SettingError, match=r"the severity of noise is .* above 0 and at most 1"):
        conditions({"noise": (0.1, severity)})


@pytest.mark.parametrize(
    ("wanted", "words"),
    [(("fog",), "'fog', but should be some of noise"), ("noise", r"a tuple such as \('noise',\)"),
     ((), "some of noise"), (BLUR_OF_NOTHING, "each with a severity")],
)  # fmt: skip
def test_other_wishes_are_refused(wanted, words):
    with pytest.raises(SettingError, match=words):
        conditions(wanted)


def test_a_blur_may_be_as_wide_as_you_like_but_not_endless():
    assert conditions({"blur": (40,)})[1].severity == 40.0
    with pytest.raises(SettingError, match="the severity of blur is inf, but should be a number above 0\\."):
        conditions({"blur": (math.inf,)})
