"""Every family under every kind of skip set generates what the slow reference does, however it is asked.

Each pair of values of the matrix occurs in some case; `test_conformance.py` runs all of it.
"""

import pytest
import torch

from skipit_nb.backend.live.anatomy import anatomy_of
from tests.families.all_families import BUILDERS, MISSING, family
from tests.families.exclusions import IS_NEW, LATER
from tests.families.matrix import CLOSE, KINDS, covering_cases, outcome_of, skipset_of, under

pytestmark = pytest.mark.filterwarnings("ignore::skipit_nb.backend.live.forward_pass.NoVisionTokensWarning")


@pytest.mark.parametrize("case", covering_cases(), ids=str)
def test_generation_equals_the_uncached_reference(case):
    assert outcome_of(case).is_exact


@pytest.mark.parametrize("name", BUILDERS)
def test_every_skip_set_makes_another_model_of_it(name):
    replica = family(name)
    anatomy = anatomy_of(replica.model)
    with torch.no_grad():
        usual = replica.model(**replica.one).logits[:, -1]
        for kind in KINDS:
            with under(replica.model, kind):
                change = (replica.model(**replica.one).logits[:, -1] - usual).abs().max() / usual.abs().max()
            assert change == 0 if skipset_of(kind, anatomy).is_empty else change > 10 * CLOSE, kind


def test_every_family_is_there_that_this_transformers_has():
    assert MISSING.keys() == (set() if IS_NEW else LATER)
    if MISSING:
        pytest.skip(f"left out: {MISSING}")
