"""Run a notebook from top to bottom and print what its kernel used, as JSON.

Started by the Python of an environment under test, so it may import nothing but what every Jupyter has.
"""

import json
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


def main(path: Path) -> None:
    """Run it where it lies; the first cell that fails ends it with the cell's traceback."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=1200, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    )
    started = time.perf_counter()
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        kernel = Path(f"/proc/{client.km.provisioner.pid}")
        (peak,) = PEAK.findall((kernel / "status").read_text())
        user, system = (kernel / "stat").read_text().rpartition(")")[2].split()[11:13]
    busy = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    used = {"peak_mb": int(peak) * 1024 / 1e6, "cpu_seconds": busy, "seconds": time.perf_counter() - started}
    sys.stdout.write(json.dumps({"notebook": path.name, **used}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
