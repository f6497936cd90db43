"""How a session was opened, as a value that travels, and the model that a worker opens from it."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, ProcessorMixin

from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.live.opening import open_checkpoint
from skipit_nb.errors import WorkerError
from skipit_nb.garbage import uncollected

_SAMPLED = 64
"""Numbers of each tensor that go into the fingerprint of the weights."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What to open and how. Equal openings open equal models, in whichever process."""

    model: str
    """A folder, a Hugging Face id, or whatever `find` takes."""
    name: str
    """What results call the model."""
    device: str | None = None
    """None for the best device of whoever opens it."""
    dtype: str | None = None
    revision: str | None = None
    find: Callable[[str], str | Path] = str
    """Turns `model` into what `from_pretrained` takes, there: the models in the box lie elsewhere on each machine."""
    more: tuple[tuple[str, Any], ...] = ()
    """Further keyword arguments of `open_checkpoint`."""
    weights: str = ""
    """`weights_of` the model that is expected; "" for any."""

    def settled(self, *, dtype: str, revision: str) -> Opening:
        """The same for who opens it later and elsewhere: with the precision and commit found here, and a whole path."""
        model = str(Path(self.model).absolute()) if self.find is str and Path(self.model).is_dir() else self.model
        return replace(self, model=model, dtype=dtype, revision=revision or None)

    def checkpoint(self) -> tuple[PreTrainedModel, ProcessorMixin]:
        """Load model and processor, as `open_checkpoint` does."""
        where = str(self.find(self.model))
        given = {"device": self.device, "dtype": self.dtype, "revision": self.revision, **dict(self.more)}
        with uncollected():
            return open_checkpoint(where, **given)

    def live(self) -> LiveModel:
        """Open the model.

        Raises:
            WorkerError: If its weights are not the expected ones.
        """
        model, processor = self.checkpoint()
        if self.weights and (found := weights_of(model)) and found != self.weights:
            raise WorkerError(
                f"a worker opened {self.name!r} and found other weights than this session holds",
                "Workers open the checkpoint themselves. If you changed session.model, save it with save_pretrained "
                "and open that folder; if the files differ between machines, put them where all can read them.",
            )
        return LiveModel(model, processor, name=self.name, revision=self.revision or "")


def weights_of(model: PreTrainedModel) -> str:
    """A fingerprint of the weights: 64 numbers of each tensor, so that copies agree, on any device.

    A model that was trained further, merged or pruned has another one. It does not see a change of a few numbers, and
    is "" for a model with parts on disk.
    """
    found = hashlib.sha256()
    if any(tensor.is_meta for tensor in model.parameters()):
        return ""
    for name, tensor in model.named_parameters():
        flat = tensor.detach().flatten()
        sample = flat[:: max(1, len(flat) // _SAMPLED)].cpu().contiguous()
        found.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        found.update(sample.view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def live_of(opening: Opening) -> LiveModel:
    """The model of this thread: opened at its first batch and kept until another one is asked for.

    One per thread, because a model under a skip set belongs to one batch; so a pool of two threads holds two.
    """
    held: tuple[Opening, LiveModel] | None = getattr(_mine, "held", None)
    if held is None or held[0] != opening:
        held = _mine.held = None  # the old model goes before the new one comes
        gc.collect()
        with gate.opening():
            held = _mine.held = (opening, opening.live())
    return held[1]


class _Gate:
    """Many threads may work or one may open, never both: loading sets torch's default dtype for the whole process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._working = self._waiting = 0

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Hold the gate together with others who work."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting)
            self._working += 1
        try:
            yield
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def opening(self) -> Iterator[None]:
        """Hold the gate alone; who waits to open goes before who waits to work."""
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: not self._working)
                yield  # the condition's own lock keeps the others out
            finally:
                self._waiting -= 1
                self._changed.notify_all()


_mine = threading.local()
gate = _Gate()
"""Of this process."""
