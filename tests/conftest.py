"""What every test shares: one thread, no network, and the model in the box."""

import gc
import os
import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.benchmarks import record  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from skipit_nb import Session

# Before anything imports torch or transformers. Sums over one thread come out the same on every machine.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

# Nor do sums depend on where a weight lies in memory, as they may where MKL is left to itself: a checkpoint read back
# lies elsewhere than what was written.
os.environ.setdefault("MKL_CBWR", "AUTO")

# A shell makes what it starts in the background deaf to Ctrl-C, which some tests send.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run, and no stopwatch: the machine may be busy.
settings.register_profile("skipit", derandomize=True, deadline=None)
settings.load_profile("skipit")


FAMILIES = Path(__file__).parent / "families"

MANY_OBJECTS = 50_000
"""A collection of so many takes about 0.03 s, and a file may ask for dozens."""

# Importing all tests makes much and throws little away.
gc.disable()


def pytest_collection_finish() -> None:
    """Leave what the imports made out of every later garbage collection; many tests close sessions, and so collect."""
    gc.enable()
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def what_earlier_files_left() -> None:
    """Leave what is still there of earlier files out of later collections too: modules, tasks, the shared session."""
    if len(gc.get_objects()) > MANY_OBJECTS:
        gc.collect()
        gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what needs a GPU where there is none."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device here")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files; mark what opens the trained model or tries every family: `make check` leaves those out."""
    items.sort(key=_longest_first(items))
    for item in items:
        if "session" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.model)
        if FAMILIES in item.path.parents:
            item.add_marker(pytest.mark.families)


def _longest_first(items: list[pytest.Item]) -> Callable[[pytest.Item], tuple[float, int]]:
    """Files that ask for the longest time come first, then those with most tests: so workers end together."""
    longest, number = defaultdict[Path, float](float), Counter(item.path for item in items)
    for item in items:
        for asked in item.iter_markers("timeout"):
            longest[item.path] = max(longest[item.path], asked.args[0])
    return lambda item: (-longest[item.path], -number[item.path])


@pytest.fixture(scope="session")
def session() -> Iterator["Session"]:
    """The model in the box on the CPU, opened once for all tests. Leave it as you found it."""
    from skipit_nb import Session

    opened = Session.open(device="cpu")
    yield opened
    opened.close()


@pytest.fixture
def two_timed_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparisons time for real, but on fewer prompts: for tests about something else than times."""
    from skipit_nb.backend.evaluation import ab

    monkeypatch.setattr(ab, "TIMED_PROMPTS", 2)
