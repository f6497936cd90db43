"""The whole matrix, family by family: some six minutes of CPU time. It writes its part of docs/families.md."""

from collections import defaultdict

import pytest

from tests.families import conformance, table
from tests.families.all_families import BUILDERS
from tests.families.exclusions import IS_NEW
from tests.families.matrix import all_cases, outcome_of

pytestmark = pytest.mark.filterwarnings("ignore::skipit_nb.backend.live.forward_pass.NoVisionTokensWarning")


@pytest.fixture(scope="module")
def errors():
    """What the cases found; goes on the page once every family passed."""
    found = defaultdict(list)
    yield found
    if IS_NEW and {name for name, _ in found} == {*BUILDERS}:
        table.write(conformance.section(found))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", BUILDERS)
def test_every_case_equals_the_uncached_reference(name, errors):
    outcomes = {case: outcome_of(case) for case in all_cases(name)}
    assert not {str(case): outcome for case, outcome in outcomes.items() if not outcome.is_exact}
    for case, outcome in outcomes.items():
        errors[name, case.kind].append(outcome.error)


def test_the_page_was_measured_with_the_engine_of_now():
    measured = f"<!-- engine {conformance.fingerprint()} -->" in table.PAGE.read_text("utf-8")
    assert measured, "the engine changed since; measure again: pytest -m slow tests/families/test_conformance.py"
