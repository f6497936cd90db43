"""A virtual environment with an ipykernel of its own in front of everything that is installed here."""

import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "runs" / "kernels"
MINUTES = 10


def python_with(requirement: str) -> Path:
    """The Python of that environment, made on first use and kept in `runs/`; skips where pip cannot install it."""
    folder = KEPT / requirement.replace("==", "-").replace(".*", "")
    python, whole = folder / "bin" / "python", folder / "whole"
    if whole.exists():
        return python
    venv.create(folder, clear=True, with_pip=True)
    command = [python, "-m", "pip", "install", "--quiet", requirement]
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, check=False, timeout=60 * MINUTES, cwd=folder
    )
    if done.returncode:
        pytest.skip(
            f"pip cannot install {requirement}: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
        )
    # After the installation, or pip would take what is here for installed there.
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "everything_else.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    whole.touch()
    return python
