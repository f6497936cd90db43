"""What is made inside the block is collected later, and Python's settings are the user's own again."""

import gc
import subprocess
import sys
import threading

import pytest

from skipit_nb.garbage import uncollected

IN_A_FRESH_PYTHON = """
import gc
from skipit_nb.garbage import MANY, uncollected

def generation(one):
    return next((old for old in range(3) if any(one is other for other in gc.get_objects(old))), "frozen")

before = []
if {frozen}:
    gc.freeze()
with uncollected():
    made = [[] for _ in range({made})]
    young = generation(made)
print(young, generation(made), generation(before), gc.isenabled())
made.append(made)
del made, young
print(gc.collect() > 0)
"""


@pytest.fixture(autouse=True)
def as_before():
    assert gc.isenabled()
    yield
    assert gc.isenabled()


def test_nothing_is_collected_inside_and_everything_after():
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()


def test_an_error_leaves_it_on():
    with pytest.raises(KeyError), uncollected():
        raise KeyError


def test_who_had_it_off_has_it_off():
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_blocks_of_two_threads_overlap_and_the_last_word_is_on():
    inside, leave = threading.Event(), threading.Event()

    def other():
        with uncollected():
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=other)
    with uncollected():
        thread.start()
        inside.wait(30)
    leave.set()
    thread.join(30)


@pytest.mark.parametrize(
    ("made", "frozen", "is_old"), [("MANY + 1", False, True), ("MANY + 1", True, False), ("MANY // 2", False, False)]
)
def test_much_that_was_made_is_old_unless_something_is_frozen(made, frozen, is_old):
    code = IN_A_FRESH_PYTHON.format(made=made, frozen=frozen)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found, freed = done.stdout.splitlines()
    young, later, earlier, is_on = found.split()
    assert (young, later == "2", earlier == "frozen", is_on) == ("0", is_old, frozen, "True")
    assert freed == "True", "an old cycle is found by a collection of everything"
