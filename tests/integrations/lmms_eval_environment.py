"""Stock lmms-eval in an environment of its own, beside this one: it wants 52 packages, torchvision among them.

It is made once and kept; our package is installed into it anew each time, as a wheel. torch and transformers are those
of this environment.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT_ITS_OWN = "lmms-eval>=0.7"
NEEDED = [
    "loguru", "datasets", "evaluate", "accelerate", "sacrebleu", "tenacity", "jsonlines", "pytablewriter", "sqlitedict",
    "tqdm-multiprocess", "python-dotenv", "pydantic", "pytz", "jinja2",
]  # fmt: skip
PLACE = Path(tempfile.gettempdir()) / f"skipit-lmms-eval-{os.getuid() if hasattr(os, 'getuid') else 0}"
"""Another place may be named in SKIPIT_LMMS_EVAL."""


def made() -> Path:
    """The environment's Python."""
    place = Path(os.environ.get("SKIPIT_LMMS_EVAL", PLACE))
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        run([sys.executable, "-m", "venv", str(place)])
        (packages,) = place.glob("lib/python*/site-packages")
        (packages / "host.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    if subprocess.run([python, "-c", "import lmms_eval.evaluator"], capture_output=True, check=False).returncode:
        install(python, "--no-deps", WITHOUT_ITS_OWN)
        install(python, *NEEDED)
    install(python, "--no-deps", "--force-reinstall", "--no-build-isolation", str(ROOT))
    return python


def install(python: Path, *what: str) -> None:
    """Install packages, or leave the test out where there is no index."""
    done = subprocess.run([python, "-m", "pip", "install", "-q", *what], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot install {what[-1]}: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")


def run(command: list[str]) -> str:
    """Run a command without a network; its output, or a failed test that shows it.

    Elsewhere: where our sources lie, Python would take them and not the package that was installed.
    """
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=offline, check=False, cwd=tempfile.gettempdir())
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
