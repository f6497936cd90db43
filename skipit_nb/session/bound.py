"""An open model: what it is, the threads that work on it, and its end."""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Self, TypeVar

import torch
from transformers import PreTrainedModel, ProcessorMixin

from skipit_nb import zoo
from skipit_nb.backend.evaluation.batches import Here, Runs
from skipit_nb.backend.evaluation.opened import Opening, weights_of
from skipit_nb.backend.evaluation.workers import crew
from skipit_nb.backend.export.skip_config import has_skip_config, read_skip_config
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.live.placement import DeviceMap
from skipit_nb.backend.live.stoppable import stoppable
from skipit_nb.backend.selection.calibration import Calibration
from skipit_nb.backend.tasks.sampling import questions_of
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.cost import ModelShape
from skipit_nb.errors import SessionClosedError, SettingError
from skipit_nb.jobs import Job, Tick, Worker
from skipit_nb.results import Provenance
from skipit_nb.skipset import SkipSet

T = TypeVar("T")


class Bound:
    """What every part of a session stands on: the model, its jobs, and how skip sets and batches are read."""

    def __init__(
        self,
        model: PreTrainedModel,
        processor: ProcessorMixin | None = None,
        *,
        name: str | None = None,
        revision: str = "",
        code: str = "",
    ) -> None:
        """Bind a model you hold. Without a processor only calls with ready tensors work.

        Args:
            model: A transformers vision-language model.
            processor: Its processor.
            name: What results call it; by default its `name_or_path` or class.
            revision: Commit of the checkpoint, for the record.
            code: The line of Python that opens this session again, for `code()` of the widgets.

        Raises:
            NotAVisionLanguageModelError: If it has no decoder layers or no vision tokens.
        """
        known_as = name or getattr(model, "name_or_path", "") or type(model).__name__
        self._live: LiveModel | None = LiveModel(model, processor, name=known_as, revision=revision)
        self._long, self._quick = Worker("skipit-jobs"), Worker("skipit-questions")
        self._code = code
        self._opening: Opening | None = None
        self._skip_config: SkipSet | None = None

    @classmethod
    def open(
        cls,
        model: str | Path | None = None,
        *,
        device: str | None = None,
        dtype: str | None = None,
        revision: str | None = None,
        device_map: DeviceMap | None = None,
        offload_folder: str | Path | None = None,
        attn_implementation: str | None = None,
    ) -> Self:
        """Open a model: the one in the box without a name, otherwise a folder or a Hugging Face id.

        Args:
            model: "tiny" or None is the trained model in the box (offline), "smol" the larger one, whose language model
                is installed apart; else as `from_pretrained` takes it.
            device: "cpu", "cuda", "cuda:1" or "mps"; by default the best there is.
            dtype: "float32", "bfloat16" or "float16"; by default what suits the device (the model in the box:
                float32).
            revision: Commit or branch of a Hugging Face id.
            device_map: Instead of `device`, for a model too large for one: "auto" spreads it over cards, CPU memory
                and disk; a dict says for each module, as in {"model": 0, "lm_head": "cpu"}. Needs accelerate.
            offload_folder: Where parts on "disk" are written if they cannot be read from the checkpoint in place.
            attn_implementation: "eager", "sdpa" or "flash_attention_2"; by default transformers chooses.

        Raises:
            ModelNotFoundError: If it cannot be had.
            NotAVisionLanguageModelError: If it is something else.
            BrokenWeightsError: If its weights are cut short or damaged.
            DeviceError: If device or dtype is not to be had here.
            SettingError: If device_map or attn_implementation does not suit this model or this machine.
            MissingPackageError: If the device map needs accelerate, reading images needs torchvision, or "smol" its
                language model.
            ResultFormatError: If a skip set was exported into the folder and cannot be read.
            LayerCountError: If that set is for another number of layers.
        """
        given = {"device": device, "dtype": dtype, "revision": revision}
        more = {"device_map": device_map, "offload_folder": offload_folder and str(offload_folder),
                "attn_implementation": attn_implementation}  # fmt: skip
        more = {key: value for key, value in more.items() if value is not None}
        name = str(model or zoo.DEFAULT)
        boxed = name in zoo.model_names()
        opening = Opening(name, name, device, dtype or ("float32" if boxed else None), revision,
                          zoo.model_path if boxed else str, tuple(more.items()))  # fmt: skip
        loaded, processor = opening.checkpoint()
        arguments = [repr(name)] if model else []
        arguments += [f"{key}={value!r}" for key, value in {**given, **more}.items() if value is not None]
        commit = revision or getattr(loaded.config, "_commit_hash", None) or ""
        session = cls(
            loaded, processor, name=name, revision=commit, code=f"session = Session.open({', '.join(arguments)})"
        )
        session._opening = opening.settled(dtype=session.provenance.dtype, revision=commit)
        if not boxed and has_skip_config(name):
            session._skip_config = session._bound(read_skip_config(name))
        return session

    @property
    def model(self) -> PreTrainedModel:
        """The Hugging Face model."""
        return self._open.model

    @property
    def processor(self) -> ProcessorMixin:
        """The Hugging Face processor.

        Raises:
            MissingProcessorError: If the session was bound without one.
        """
        return self._open.processor

    @property
    def name(self) -> str:
        """Model id; "tiny" is the model in the box."""
        return self._open.name

    @property
    def shape(self) -> ModelShape:
        """The decoder's numbers."""
        return self._open.shape

    @property
    def num_layers(self) -> int:
        """Decoder layers."""
        return self.shape.num_layers

    @property
    def code(self) -> str:
        """The line of Python that opens this session again; "" if it was bound to objects."""
        return self._code

    @property
    def skip_config(self) -> SkipSet | None:
        """The skip set that was exported into the folder this session was opened from; None without one.

        It is never applied by itself: `with session.skipping(session.skip_config)`, `skipset=` or `b=` do.
        """
        return self._skip_config

    @property
    def provenance(self) -> Provenance:
        """Model, device, dtype and versions, as results carry them."""
        return self._open.provenance()

    @property
    def _open(self) -> LiveModel:
        if self._live is None:
            raise SessionClosedError
        return self._live

    def submit(
        self, work: Callable[[Tick], T], name: str = "", *, quick: bool = False, owner: Hashable = None
    ) -> Job[T]:
        """Run `work(tick)` on the session's worker thread and give its job.

        Args:
            work: Calls a session method with `progress=tick`.
            name: What it is called where one reads who has the model.
            quick: A question a person waits for: it gets in between the batches of a long job, and replaces an older
                quick job of the same owner and name.
            owner: Who asks.
        """
        anatomy = self._open.anatomy  # a closed session refuses work

        def working(tick: Tick) -> T:
            with stoppable(anatomy):
                return work(tick)

        return (self._quick if quick else self._long).submit(working, name, latest_wins=quick, owner=owner)

    @property
    def jobs(self) -> tuple[Job[object], ...]:
        """The job that has the model, and those that wait for it; empty if there are none."""
        return (*self._long.jobs, *self._quick.jobs)

    def watch(self, watcher: Callable[[Job[object]], object]) -> None:
        """Call `watcher(job)` when a long job is queued, at its progress, and at every change of its state.

        It is called from the worker's thread and must be short.
        """
        self._long.watch(watcher)

    def unwatch(self, watcher: Callable[[Job[object]], object]) -> None:
        """Call `watcher` no more."""
        self._long.unwatch(watcher)

    @property
    def weights_bytes(self) -> int:
        """Bytes of the model's weights and buffers, wherever they lie."""
        return int(self.model.get_memory_footprint())

    def close(self) -> None:
        """Cancel jobs, let go of the model and free its memory. A model you bound stays yours."""
        if self._live is None:
            return
        self._long.close()
        self._quick.close()
        with self._live.lock:  # wait for the batch at hand
            pass
        self._live = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._live is None:
            return "Session(closed)"
        made = self.provenance
        return f"Session({made.model}, {made.num_layers} layers, {made.dtype} on {made.device})"

    def _bound(self, skipset: SkipSet | str | None) -> SkipSet:
        return SkipSet.of(skipset, num_layers=self.num_layers)

    def _calibration(
        self,
        examples: str | Task | Iterable[Example],
        limit: int | None,
        seed: int,
        batch_size: int | None,
        tick: Tick,
    ) -> Calibration:
        """What methods, search and agreement measure on."""
        questions, task = questions_of(examples, limit, seed)
        made = self._open.provenance(task=task, samples=[example.key for example in questions], seed=seed)
        return Calibration(self._open, questions, made, self._batch(batch_size), tick)

    def _runs(self, executor: Executor | None, batch_size: int | None) -> Runs:
        """Who works through the batches: this session's model, or an executor's workers."""
        chunk = self._batch(batch_size)
        if executor is None:
            return Here(self._open, chunk)
        # The weights of now: whoever changed `session.model` is told, not answered from the file.
        opening = self._opening and replace(self._opening, weights=weights_of(self.model))
        return crew(executor, opening, chunk)

    def _batch(self, wanted: int | None) -> int:
        """Batch size changes answers in half precision, so there it is 1 unless asked for."""
        if wanted is None:
            return 32 if self.model.dtype == torch.float32 else 1
        return at_least("batch_size", wanted, 1)


def at_least(name: str, value: int, least: int) -> int:
    """The value, if it is at least `least`; that it is a whole number the signature has said.

    Raises:
        SettingError: If it is not.
    """
    if value < least:
        raise SettingError(name, value, f"a whole number of at least {least}")
    return value
