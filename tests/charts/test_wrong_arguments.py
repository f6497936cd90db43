"""Charts refuse what they cannot draw in a sentence, and take what a person would write."""

import inspect

import pytest

from skipit_nb import charts
from skipit_nb.errors import LayerIndexError, SettingError, SkipSetSyntaxError
from skipit_nb.skipset import SkipSet
from tests.charts import sample_results as sample

OVER_LAYERS = {
    "distance": lambda **more: charts.distance_chart(sample.profile(), **more),
    "tail": lambda **more: charts.tail_chart(sample.profile(), 0.02, **more),
    "norm": lambda **more: charts.norm_chart(sample.profile(), **more),
    "profile": lambda **more: charts.profile_chart(sample.profile(), 0.02, **more),
}


@pytest.mark.parametrize("name", charts.__all__)
@pytest.mark.parametrize(
    "given", [None, "vision absent 3", sample.provenance()], ids=["None", "text", "another result"]
)
def test_another_thing_than_its_result_is_refused_by_name(name, given):
    chart = getattr(charts, name)
    first, *others = inspect.signature(chart).parameters.values()
    rest = [2 for other in others if other.default is inspect.Parameter.empty and other.kind is not other.KEYWORD_ONLY]
    with pytest.raises(SettingError, match=rf"^{first.name} is .*, but should be an? {first.annotation}"):
        chart(given, *rest)


@pytest.mark.parametrize("draw", OVER_LAYERS.values(), ids=OVER_LAYERS)
def test_kinds_of_tokens_come_in_any_list_but_not_as_one_text(draw):
    assert draw(tokens=["vision"]).to_dict() == draw(tokens=("vision",)).to_dict()
    with pytest.raises(SettingError, match=r"tokens .*'vision'.*a list"):
        draw(tokens="vision")


@pytest.mark.parametrize("draw", [*OVER_LAYERS.values(), lambda **more: charts.flow_chart(sample.profile(), **more)])
def test_a_skip_set_may_be_written_down(draw):
    assert draw(skipset="vision absent 3-").to_dict() == draw(skipset=SkipSet.early_exit(3)).to_dict()
    assert draw(skipset="none").to_dict() == draw().to_dict()
    with pytest.raises(LayerIndexError):
        draw(skipset="vision absent 40")
    with pytest.raises(SkipSetSyntaxError):
        draw(skipset="vision gone 4")


def test_an_unknown_argument_is_told_with_those_there_are():
    with pytest.raises(TypeError, match="It takes profile, epsilon, tokens, scale, skipset"):
        charts.profile_chart(sample.profile(), 0.02, log=True)
