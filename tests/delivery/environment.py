"""Virtual environments as other people have them: made once, kept in `runs/`, made anew when what they hold changes.

Each gets the torch that is installed here, by a link and not by a download: a bare `pip install torch` can bring
gigabytes.
"""

import hashlib
import os
import subprocess
import sysconfig
import tomllib
import venv
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TORCH = f"torch=={metadata.version('torch').split('+')[0]}"
ASKED: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
NOWHERE = "http://127.0.0.1:9"
"""A proxy that nobody answers at: whatever asks the network fails at once."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and what one does in it."""

    folder: Path

    def command(self, name: str) -> Path:
        """A program of this environment, such as `python` or `skipit`."""
        return self.folder / "bin" / name

    def run(self, *command: str | Path, cwd: Path, **variables: str) -> str:
        """What a command prints, without a network; a test fails with its last words where the command does."""
        done = subprocess.run(
            [*map(str, command)],
            cwd=cwd,
            env=_offline() | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command[0]}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout

    def install(self, *what: str | Path) -> None:
        """Let pip install, from an index that can be reached; a refusal is a failed test."""
        command = [self.command("python"), "-m", "pip", "install", "--quiet", *what]
        done = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]


def made(name: str, *what: str | Path, pins: Path | None = None) -> Environment:
    """The environment in `runs/` that has the torch of this one and what `pip install` is told to bring.

    It is made anew when that, torch, the pins or what the package asks for has changed. Skips where there is no index.
    """
    environment = Environment(ROOT / "runs" / name)
    holds = environment.folder / "holds"
    wanted = _digest(TORCH, *ASKED, *map(str, what), pins.read_text("utf-8") if pins else "")
    if holds.exists() and holds.read_text() == wanted:
        return environment
    venv.create(environment.folder, clear=True, with_pip=True)
    _link_torch(environment.folder)
    _need_an_index(environment)
    environment.install(TORCH, *what)  # torch is there already: pip brings what it asks for
    holds.write_text(wanted)
    return environment


def _link_torch(folder: Path) -> None:
    """Show the torch of this environment, and nothing else of it, to the one in a folder."""
    shown = folder / "torch"
    shown.mkdir()
    here = Path(sysconfig.get_path("purelib"))
    for name in {file.parts[0] for file in metadata.files("torch") or ()} - {".."}:
        (shown / name).symlink_to(here / name)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "torch_of_the_tests.pth").write_text(f"{shown}\n")


def _need_an_index(environment: Environment) -> None:
    """Skip where pip finds nothing, and only there: what fails afterwards is ours."""
    command = [environment.command("python"), "-m", "pip", "download", "--quiet", "--no-deps", "easy-vqa==1.0"]
    probe = subprocess.run(
        [*map(str, command), "--dest", str(environment.folder / "probe")], capture_output=True, text=True, check=False
    )
    if probe.returncode:
        pytest.skip(f"no package index: {(probe.stderr.strip().splitlines() or ['no reason given'])[-1]}")


def _offline() -> dict[str, str]:
    """The variables of this process, with every way out closed and without those that lead back into the checkout."""
    closed = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return kept | closed | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
