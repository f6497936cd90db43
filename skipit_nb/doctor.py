"""What is installed here, what is broken, and how to mend it. Needs nothing that could itself be broken."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING

from skipit_nb.results.stored import Stored
from skipit_nb.zoo.smol.backbone import INSTALL, PACKAGE, missing_packages

if TYPE_CHECKING:
    import pandas as pd

PACKAGES = (
    "skipit-nb",
    "torch",
    "transformers",
    "torchvision",
    "ipywidgets",
    "anywidget",
    "altair",
    "vl-convert-python",
    "ipykernel",
    "jupyterlab",
    "easy-vqa",
)
"""The packages whose versions a report on a problem should name."""

OPTIONAL = {
    "easy-vqa": "Only the task easy-vqa needs it",
    "ipykernel": "Only a notebook needs it",
    "jupyterlab": "Only `skipit lab` needs it",
}
"""Packages that may be missing, and who would miss them."""

WEIGHTS = Path(__file__).parent / "zoo" / "weights"
"""Where the models in the box are."""

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    ok: bool
    """False: something will not work until it is mended. True with a `mend`: a hint, nothing is broken."""
    what: str
    """What was found."""
    mend: str = ""
    """What to do about it."""

    def __str__(self) -> str:
        """One line, and a second one that says what to do."""
        line = f"{'ok    ' if self.ok else 'BROKEN'}  {self.what}"
        return f"{line}\n        → {self.mend}" if self.mend else line


@dataclass(frozen=True, slots=True)
class Diagnosis(Stored):
    """This machine and this Python environment, as far as skipping layers is concerned."""

    python: str
    """Python's version."""
    system: str
    """Operating system and processor."""
    versions: tuple[tuple[str, str], ...]
    """`PACKAGES` and their versions, "" where one is not installed."""
    devices: tuple[str, ...]
    """Devices that a model can run on, the best one first; empty if torch cannot be imported."""
    cpu_threads: int
    """Threads that torch computes with, or the processor's if torch cannot be imported."""
    memory_gib: float | None
    """Memory of the machine in GiB; None where the system does not tell."""
    disk_free_gib: float
    """Free disk space in the current folder in GiB."""
    findings: tuple[Finding, ...]
    """Everything that was looked at."""

    @property
    def ok(self) -> bool:
        """True if nothing is broken."""
        return all(finding.ok for finding in self.findings)

    @property
    def frame(self) -> pd.DataFrame:
        """One row per finding: `ok`, `what`, `mend`."""
        import pandas as pd

        rows = [(finding.ok, finding.what, finding.mend) for finding in self.findings]
        return pd.DataFrame(rows, columns=["ok", "what", "mend"])

    def __str__(self) -> str:
        """A page to read, or to put into a report on a problem."""
        memory = "unknown" if self.memory_gib is None else f"{self.memory_gib:.1f} GiB"
        facts = [
            ("python", f"{self.python} on {self.system}"),
            *((name, version or "not installed") for name, version in self.versions),
            ("devices", ", ".join(self.devices) or "unknown"),
            ("cpu threads", str(self.cpu_threads)),
            ("memory", memory),
            ("free disk", f"{self.disk_free_gib:.1f} GiB"),
        ]
        broken = sum(not finding.ok for finding in self.findings)
        verdict = "Nothing is broken." if self.ok else f"{broken} broken, marked above: mend and run this again."
        return "\n".join([*(f"{name:<18}{value}" for name, value in facts), "", *map(str, self.findings), "", verdict])


def diagnose() -> Diagnosis:
    """Look at this machine and environment: versions, devices, and what is broken with how to mend it.

    Imports torch (seconds), and torchvision in a process of its own if it is installed. Never raises because of
    a broken package; that is what it reports.
    """
    torch_works, devices, threads = _torch()
    return Diagnosis(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        versions=tuple((name, _version(name)) for name in PACKAGES),
        devices=devices,
        cpu_threads=threads,
        memory_gib=_memory_gib(),
        disk_free_gib=shutil.disk_usage(Path.cwd()).free / GIB,
        findings=(torch_works, *check_requirements(), *check_torchvision(), *check_weights(WEIGHTS), check_smol()),
    )


def check_requirements(distribution: str = "skipit-nb") -> Iterator[Finding]:
    """Hold what is installed against what a distribution asks for, with what its extra `lab` asks for beside it."""
    try:
        from packaging.requirements import Requirement

        requirements = [Requirement(line) for line in metadata.requires(distribution) or ()]
    except ImportError as error:  # a distribution that is not found is one too
        yield Finding(ok=False, what=f"{distribution} is not properly installed: {error}", mend="pip install skipit-nb")
        return
    for name, specifier in sorted(
        {
            (one.name, str(one.specifier))
            for one in requirements
            if not one.marker or one.marker.evaluate({"extra": "lab"})
        }
    ):
        yield _held_against(name, specifier)


def check_torchvision() -> Iterator[Finding]:
    """Import torchvision, if it is installed: built for another torch it fails, and takes image processors along."""
    version = _version("torchvision")
    if not version:
        return
    trial = subprocess.run(
        [sys.executable, "-c", "import torchvision"], capture_output=True, text=True, check=False, timeout=120
    )
    if trial.returncode == 0:
        yield Finding(ok=True, what=f"torchvision {version} works with torch {_version('torch')}")
        return
    reason = (trial.stderr.strip().splitlines() or ["no reason given"])[-1]
    yield Finding(
        ok=False,
        what=f"torchvision {version} does not work with torch {_version('torch')} ({reason}). "
        "transformers' image processors fail with it",
        mend="pip uninstall torchvision (nothing here needs it), or install the version made for this torch",
    )


def check_weights(folder: Path) -> Iterator[Finding]:
    """Hold the size of each weights file below a folder against what its own header promises."""
    files = sorted(folder.rglob("*.safetensors"))
    if not files:
        yield Finding(
            ok=False,
            what="the weights of the model in the box are missing",
            mend="pip install --force-reinstall --no-deps skipit-nb, or, in a clone: git checkout -- skipit_nb/zoo",
        )
    for file in files:
        name = file.relative_to(folder)
        problem = _damage(file)
        if not problem:
            yield Finding(ok=True, what=f"weights {name} are whole ({file.stat().st_size / 2**20:.1f} MiB)")
            continue
        yield Finding(
            ok=False,
            what=f"weights {name} are damaged: {problem}",
            mend="pip install --force-reinstall --no-deps skipit-nb, or, in a clone: git checkout -- skipit_nb/zoo",
        )


def check_smol() -> Finding:
    """Whether the larger model in the box can be opened: it needs a language model that is installed apart."""
    if missing := missing_packages():
        what = f"Session.open('smol') needs {' and '.join(missing)}, not installed. Only that model needs them"
        return Finding(ok=True, what=what, mend=INSTALL)
    return Finding(ok=True, what=f"Session.open('smol') has its language model, {PACKAGE} {_version(PACKAGE)}")


def _torch() -> tuple[Finding, tuple[str, ...], int]:
    """Whether torch works, the devices it sees, best first, and its threads."""
    try:
        torch = import_module("torch")
        devices = (*_cuda(torch), *(("mps",) if torch.backends.mps.is_available() else ()), "cpu")
        return Finding(ok=True, what=f"torch {torch.__version__} works"), devices, int(torch.get_num_threads())
    except Exception as error:  # noqa: BLE001 - whatever a broken torch raises is what we report
        what = f"torch cannot be imported: {type(error).__name__}: {error}"
        return Finding(ok=False, what=what, mend="pip install --force-reinstall torch"), (), os.cpu_count() or 1


def _cuda(torch: object) -> tuple[str, ...]:
    cuda = torch.cuda  # type: ignore[attr-defined]  # imported by name, so that the rest works without it
    if not cuda.is_available():
        return ()
    return tuple(
        f"cuda:{index} {cuda.get_device_name(index)} ({cuda.get_device_properties(index).total_memory / GIB:.0f} GiB)"
        for index in range(cuda.device_count())
    )


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _held_against(name: str, wanted: str) -> Finding:
    """One package against the versions that are wanted."""
    from packaging.specifiers import SpecifierSet

    installed, mend = _version(name), f"pip install '{name}{wanted}'"
    if not installed and name in OPTIONAL:
        return Finding(ok=True, what=f"{name} is not installed. {OPTIONAL[name]}", mend=mend)
    if not installed:
        return Finding(ok=False, what=f"{name} is not installed", mend=mend)
    if not SpecifierSet(wanted).contains(installed, prereleases=True):
        return Finding(ok=False, what=f"{name} {installed} is installed, but {wanted} is needed", mend=mend)
    return Finding(ok=True, what=f"{name} {installed}" + (f" is within {wanted}" if wanted else ""))


def _damage(file: Path) -> str:
    """What is wrong with a safetensors file, "" if nothing: eight bytes of length, a JSON header, then the tensors."""
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            size = file.stat().st_size
            if length > size:
                return "its header is cut short"
            header = json.loads(opened.read(length))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"its header cannot be read ({type(error).__name__})"
    promised = 8 + length + max(ends, default=0)
    return "" if size == promised else f"it has {size} bytes instead of {promised}"


def _memory_gib() -> float | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return None
