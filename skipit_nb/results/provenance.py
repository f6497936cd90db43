"""What a reader needs to believe a result: which model, on what, with which versions and samples."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a number comes from. Two results may be compared when theirs agree."""

    model: str
    """Model id or folder name; "tiny" is the model in the box."""
    revision: str
    """Commit of the checkpoint, or "" where it has none."""
    num_layers: int
    """Decoder layers of the model."""
    dtype: str
    """Number format of the weights, such as "float32"."""
    device: str
    """Where the model ran, such as "cpu" or "cuda:0 NVIDIA H100"."""
    attention: str
    """Attention implementation, such as "sdpa"."""
    versions: tuple[tuple[str, str], ...] = ()
    """Package names and versions, sorted by name."""
    task: str = ""
    """Task and split of the samples, or "" for samples the caller made."""
    samples: tuple[str, ...] = ()
    """Document keys of the samples, in order."""
    seed: int = 0
    """Seed of the sampling."""
