"""The root namespace: a dozen names, and nothing heavy until one is used."""

import subprocess
import sys

import pytest

import skipit_nb

HEAVY = ("IPython", "altair", "anywidget", "ipywidgets", "pandas", "scipy", "sklearn", "torch", "transformers")

IMPORT = """
import sys, time
start = time.perf_counter()
import skipit_nb
print(time.perf_counter() - start, *sorted(set({heavy!r}) & set(sys.modules)))
"""


def test_the_names_are_sorted_and_few() -> None:
    assert list(skipit_nb.__all__) == sorted(skipit_nb.__all__)
    assert 8 <= len(skipit_nb.__all__) <= 16


@pytest.mark.parametrize("name", [*skipit_nb.__all__])
def test_each_name_is_there_and_says_what_it_is(name: str) -> None:
    assert getattr(skipit_nb, name).__doc__


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Sessions"):
        skipit_nb.Sessions  # noqa: B018


def test_tab_completion_offers_every_name() -> None:
    assert set(skipit_nb.__all__) <= set(dir(skipit_nb))


def test_the_import_is_light_and_takes_less_than_three_tenths_of_a_second() -> None:
    runs = [fresh_python(IMPORT.format(heavy=HEAVY)) for _ in range(3)]
    assert [loaded for _, *loaded in runs] == [[], [], []]
    assert min(float(seconds) for seconds, *_ in runs) < 0.3


def fresh_python(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()
