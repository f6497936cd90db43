"""Voila serves a notebook with one of our tools: a smoke test, without a browser."""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest

from tests.kernels.environment import python_with

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

CELLS = (
    "from skipit_nb.cost import ModelShape\nfrom skipit_nb.widgets import SkipSetBuilder",
    "SkipSetBuilder(ModelShape(12, 64, 128, 4, 4, 16, 300), skipset='vision absent 8-')",
)
SECONDS = 120
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks this machine, whatever proxy is set."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where Voila serves the notebook."""
    python = python_with("voila")
    nbformat.write(
        nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        ),
        tmp_path / "story.ipynb",
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [python, "-m", "voila", "story.ipynb", "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    with (tmp_path / "log").open("w") as log:
        own = os.environ | {"HOME": str(tmp_path)}
        server = subprocess.Popen([*map(str, command)], cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT, env=own)
    yield f"http://127.0.0.1:{port}/"
    server.terminate()
    server.wait(30)


def test_a_tool_is_served_live(address: str) -> None:
    page = asked(address)
    assert page.count("application/vnd.jupyter.widget-view+json") == 1
    assert "Traceback" not in page


def asked(address: str) -> str:
    """The page, once the server is up."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), DIRECT.open(address, timeout=SECONDS) as answer:
            return str(answer.read().decode())
        time.sleep(0.2)
    raise TimeoutError(f"Voila did not answer in {SECONDS} s")
