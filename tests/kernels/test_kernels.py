"""One notebook's story in every regime of ipykernel: callbacks on the main thread (6, 7.4), or beside it (7.1 to 7.3).

Each kernel comes from a virtual environment of its own; all else is what is installed here. No browser: what a page
sends is sent as the page sends it, and what reaches the page is read off the wire.
"""

import json
from collections.abc import Iterator

import pytest

from tests.kernels.environment import python_with
from tests.kernels.story import Kernel, Told, kernel_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

WORKING = ("ipykernel==6.31.*", "ipykernel==7.3.*", "ipykernel")
REFUSED = "ipykernel==7.0.*"

OPEN = """
import ipykernel, time
from skipit_nb import LayerDistanceExplorer, Session
session = Session.open(device="cpu")
explorer = LayerDistanceExplorer(session, limit=6)
print(ipykernel.__version__)
explorer
"""
LONG = "explorer.set(limit=2000); explorer.run(block=False)"
CANCEL = """
began = time.monotonic()
explorer.job.cancel()
while not explorer.job.has_ended:
    time.sleep(0.002)
print(time.monotonic() - began, explorer.job.state)
"""


@pytest.fixture(scope="module", params=WORKING)
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    python = python_with(request.param)
    with kernel_of(python, tmp_path_factory.mktemp("kernel")) as running:
        opened = running.run(OPEN)
        assert opened.error == ""
        wanted = request.param.removeprefix("ipykernel").removeprefix("==").removesuffix("*")
        assert opened.printed.startswith(wanted), "this is not the kernel that was asked for"
        (bundle,) = opened.shown
        assert {"application/vnd.jupyter.widget-view+json", "text/plain"} <= {*bundle}
        yield running


def test_a_run_in_a_cell_gives_its_result(kernel: Kernel) -> None:
    told = run(kernel, "explorer.set(limit=6); explorer.run(block=True); print(len(explorer.data))")
    assert int(told.printed) > 12
    assert told.updates, "the page heard nothing of the run"


def test_other_cells_are_answered_while_a_job_runs_and_a_cancel_ends_it_soon(kernel: Kernel) -> None:
    run(kernel, LONG)
    run(kernel, "while explorer.job.done < 1 and not explorer.job.has_ended: time.sleep(0.01)")
    other = run(kernel, "print(6 * 7, explorer.job.state)")
    assert other.printed.split() == ["42", "running"]
    assert other.seconds < 1
    seconds, state = run(kernel, CANCEL).printed.split()
    assert state == "cancelled"
    assert float(seconds) < 0.5


def test_what_a_worker_finds_reaches_the_page_while_no_cell_runs(kernel: Kernel) -> None:
    run(kernel, LONG)
    during = run(kernel, "time.sleep(3)").updates
    assert any("done" in update or "state" in update for update in during), "progress was lost on its way"
    run(kernel, CANCEL)
    shown = run(kernel, "print(explorer.view.job_bar.state, repr(explorer.view.message.text))").printed
    assert shown.split() == ["cancelled", "''"]


def test_an_interrupted_cell_cancels_its_run_and_the_next_cell_works(kernel: Kernel) -> None:
    cell = kernel.start("explorer.set(limit=2000); explorer.run()")
    kernel.wait_for_progress()
    kernel.interrupt()
    assert kernel.hear(cell).error.startswith("KeyboardInterrupt")
    told = run(kernel, "while not explorer.job.has_ended: time.sleep(0.01)\nprint(explorer.job.state)")
    assert told.printed.split() == ["cancelled"]
    assert int(run(kernel, "explorer.set(limit=6); explorer.run(); print(len(explorer.data))").printed) > 0


def test_the_kernel_that_loses_updates_is_refused_when_a_widget_is_made(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with kernel_of(python_with(REFUSED), tmp_path_factory.mktemp("kernel")) as running:
        told = running.run(
            "from skipit_nb.cost import ModelShape\nfrom skipit_nb.widgets import SkipSetBuilder\n"
            "builder = SkipSetBuilder(ModelShape(4, 8, 16, 2, 2, 4, 100))\n"
            "print(len(builder.data))\nbuilder.view"
        )
        assert told.printed == "4\n"  # without a view all works
        assert told.error.startswith("BrokenInstallError: ipykernel 7.0.")
        assert "pip install 'ipykernel>=7.1'" in told.error


def run(kernel: Kernel, code: str) -> Told:
    """Run a cell, which must not raise."""
    told = kernel.run(code)
    assert told.error == "", json.dumps(told.error)
    return told
