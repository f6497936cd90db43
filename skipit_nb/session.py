"""`Session`: one open vision-language model, and every question you can ask it."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self, TypeVar

import torch
from transformers import PreTrainedModel, ProcessorMixin

from skipit_nb import zoo
from skipit_nb.backend.evaluation import ab
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.live.opening import open_checkpoint
from skipit_nb.backend.redundancy import profiling
from skipit_nb.backend.selection import conditions
from skipit_nb.backend.tasks.registry import task_names
from skipit_nb.backend.tasks.sampling import as_task, questions_of
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.cost import Cost, ModelShape, cost
from skipit_nb.errors import SessionClosedError, SettingError
from skipit_nb.jobs import Job, Tick, Worker
from skipit_nb.progress import shown
from skipit_nb.results import Answer, Comparison, Provenance, Recommendation, RedundancyProfile, Sweep, TokenDistances
from skipit_nb.skipset import SkipSet

T = TypeVar("T")

ANSWER_TOKENS = 32
"""Longest free answer, unless asked for more."""


class UnknownWordsWarning(UserWarning):
    """A question has words that the model has no token for; it answers all the same."""


class Session:
    """A live model and what can be asked of it: profile it, skip its layers, compare skip sets.

    `model` and `processor` stay plain Hugging Face objects and are never changed: a skip set is on them only inside
    `with session.skipping(...)`. Every method may be called from any thread; long ones take the model per batch, so
    that a quick question gets in between.

    Example:
        >>> session = Session.open()  # doctest: +SKIP
        >>> profile = session.profile("digits-vqa", limit=64)  # doctest: +SKIP
        >>> session.compare("digits-vqa", b=session.recommend(profile).skipset, limit=500)  # doctest: +SKIP
    """

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

    @classmethod
    def open(
        cls,
        model: str | None = None,
        *,
        device: str | None = None,
        dtype: str | None = None,
        revision: str | None = None,
    ) -> Self:
        """Open a model: the one in the box without a name, otherwise a folder or a Hugging Face id.

        Args:
            model: "tiny" or None is the trained model in the box (offline); else as `from_pretrained` takes it.
            device: "cpu", "cuda", "cuda:1" or "mps"; by default the best there is.
            dtype: "float32", "bfloat16" or "float16"; by default what suits the device (the model in the box:
                float32).
            revision: Commit or branch of a Hugging Face id.

        Raises:
            ModelNotFoundError: If it cannot be had.
            NotAVisionLanguageModelError: If it is something else.
            BrokenWeightsError: If its weights are cut short or damaged.
            DeviceError: If device or dtype is not to be had here.
        """
        given = {"device": device, "dtype": dtype, "revision": revision}
        name = model or zoo.DEFAULT
        boxed = name in zoo.model_names()
        where = str(zoo.model_path(name)) if boxed else name
        loaded, processor = open_checkpoint(where, device=device, dtype=dtype or ("float32" if boxed else None),
                                            revision=revision)  # fmt: skip
        arguments = [repr(model)] if model else []
        arguments += [f"{key}={value!r}" for key, value in given.items() if value is not None]
        commit = revision or getattr(loaded.config, "_commit_hash", None) or ""
        return cls(
            loaded, processor, name=name, revision=commit, code=f"session = Session.open({', '.join(arguments)})"
        )

    # -- what is open ---------------------------------------------------------------------------------------------

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
    def provenance(self) -> Provenance:
        """Model, device, dtype and versions, as results carry them."""
        return self._open.provenance()

    @property
    def _open(self) -> LiveModel:
        if self._live is None:
            raise SessionClosedError
        return self._live

    # -- skip and ask ---------------------------------------------------------------------------------------------

    def skipping(self, skipset: SkipSet | str | None) -> AbstractContextManager[None]:
        """Run the model under a skip set inside a `with` block; exact, cached or not; afterwards it is as before.

        Raises:
            LayerIndexError: If the set names a layer this model does not have.
            UnsupportedSkipError: If this model cannot run the set exactly.
        """
        return self._open.skipping(self._bound(skipset))

    def ask(
        self,
        image: Any,
        question: str,
        *,
        skipset: SkipSet | str | None = None,
        max_new_tokens: int = ANSWER_TOKENS,
    ) -> Answer:
        """Answer one question about an image (PIL, array or path), greedily, under a skip set.

        Warns (`UnknownWordsWarning`) of words the model has no token for: the model in the box knows few.

        Raises:
            ImageError: If it is not an image.
            QuestionError: If the question has no text.
        """
        live, bound = self._open, self._bound(skipset)
        inputs = live.inputs([image], [question])
        if unknown := live.unknown_words(question):
            warnings.warn(f"{live.name} does not know: {', '.join(unknown)}", UnknownWordsWarning, stacklevel=2)
        with live.skipping(bound):
            answer = live.generate(inputs, max_new_tokens=max_new_tokens)[0]
        return Answer(answer.text, answer.probability, bound, answer.num_tokens)

    # -- tasks ----------------------------------------------------------------------------------------------------

    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks in the box."""
        return task_names()

    def examples(
        self, task: str | Task, *, limit: int | None = None, seed: int = 0, split: str = "test"
    ) -> tuple[Example, ...]:
        """Questions of a task: whole images in seeded order until at least `limit` questions; None for all.

        Raises:
            UnknownTaskError: If there is no such task.
            LimitError: If the limit is below 1.
        """
        return as_task(task, split).sample(limit, seed)

    def example(self, task: str | Task, key: str) -> Example:
        """One question by its document key."""
        return as_task(task).example(key)

    # -- measure --------------------------------------------------------------------------------------------------

    def profile(
        self,
        examples: str | Task | Iterable[Example],
        *,
        limit: int | None = None,
        seed: int = 0,
        flow: bool = True,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
    ) -> RedundancyProfile:
        """Measure how far every layer moves vision and text tokens, and how much text reads the image.

        Args:
            examples: A task's name (its test split), a task, or examples.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling.
            flow: Whether to measure cross-modal flow too; without it nothing can be recommended.
            batch_size: Questions a forward pass; by default 32 in float32, 1 otherwise.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            NoExamplesError: If there is nothing to measure on.
        """
        live = self._open
        questions, task = questions_of(examples, limit, seed)
        made = live.provenance(task=task, samples=[example.key for example in questions], seed=seed)
        with shown(progress, "profile") as tick:
            return profiling.profile(live, questions, made, flow=flow, batch_size=self._batch(batch_size), tick=tick)

    def look(self, image: Any, question: str) -> TokenDistances:
        """Measure one question token by token: what the patch overlay shows.

        Raises:
            ImageError: If it is not an image.
            QuestionError: If the question has no text.
        """
        return profiling.look(self._open, image, question)

    def recommend(self, profile: RedundancyProfile, **thresholds: float) -> Recommendation:
        """Find the late entry and early exit that meet the paper's two conditions, with a reason for every layer.

        Args:
            profile: Measured on this model, with flow; without flow nothing is proposed.
            thresholds: `max_distance`, `epsilon`, `max_tail`, `max_var`, as in `conditions.recommend`.

        Raises:
            LayerCountError: If the profile is of a model with another number of layers.
            SettingError: If a threshold is out of range or unknown.
        """
        return conditions.recommend(conditions.of_model(profile, self.num_layers), **thresholds)

    def cost(self, skipset: SkipSet | str | None = None, *, num_vision: int | None = None, num_text: int = 16) -> Cost:
        """Count FLOPs, KV bytes and active parameters of one prompt under a skip set: arithmetic, nothing is timed.

        Args:
            skipset: What is skipped; None for the full model.
            num_vision: Vision tokens; by default those of one image.
            num_text: Text tokens.
        """
        return cost(self.shape, skipset, num_vision=num_vision, num_text=num_text)

    # -- judge ----------------------------------------------------------------------------------------------------

    def compare(
        self,
        task: str | Task,
        a: SkipSet | str | None = None,
        b: SkipSet | str | None = None,
        *,
        limit: int | None = None,
        seed: int = 0,
        margin: float = 0.01,
        batch_size: int | None = None,
        measure: Sequence[str] = ab.MEASURES,
        progress: Tick | bool | None = None,
    ) -> Comparison:
        """Ask skip sets A and B the same questions and judge the difference.

        Args:
            task: A task's name (its test split) or a task.
            a: Skip set A; None for the full model.
            b: Skip set B; None for the full model.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling.
            margin: The loss of accuracy you would accept, as a share; fix it before you look.
            batch_size: Questions a batch, the same in both arms; by default 32 in float32, 1 otherwise.
            measure: Any of "accuracy" (always), "latency" and "flops".
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            SettingError: If margin or measure is out of range.
            LimitError: If the limit is below 1.
        """
        live, one, two = self._open, self._bound(a), self._bound(b)
        if not 0 < margin < 1:
            raise SettingError("margin", margin, "a share above 0 and below 1, such as 0.01 for one point")
        if unknown := set(measure) - set(ab.MEASURES):
            raise SettingError("measure", min(unknown), f"any of {', '.join(ab.MEASURES)}")
        chosen = as_task(task)
        questions = chosen.sample(limit, seed)
        with shown(progress, "compare") as tick:
            return ab.compare(
                live,
                questions,
                one,
                two,
                live.provenance(task=chosen.full_name, samples=[q.key for q in questions], seed=seed),
                margin=margin,
                measure=measure,
                max_new_tokens=chosen.max_new_tokens,
                batch_size=self._batch(batch_size),
                tick=tick,
            )

    def sweep(
        self,
        task: str | Task,
        skipsets: Iterable[SkipSet | str],
        *,
        limit: int | None = None,
        seed: int = 0,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
    ) -> Sweep:
        """Ask many skip sets, and the full model, the same questions. It ranks; `compare` judges.

        Raises:
            NoExamplesError: If there are no skip sets.
            LimitError: If the limit is below 1.
        """
        live, bound, chosen = self._open, [self._bound(s) for s in skipsets], as_task(task)
        questions = chosen.sample(limit, seed)
        with shown(progress, "sweep") as tick:
            return ab.sweep(
                live,
                questions,
                bound,
                live.provenance(task=chosen.full_name, samples=[q.key for q in questions], seed=seed),
                max_new_tokens=chosen.max_new_tokens,
                batch_size=self._batch(batch_size),
                tick=tick,
            )

    # -- run and end ----------------------------------------------------------------------------------------------

    def submit(self, work: Callable[[Tick], T], name: str = "", *, quick: bool = False) -> Job[T]:
        """Run `work(tick)` on the session's worker thread and give its job.

        Args:
            work: Calls a session method with `progress=tick`.
            name: What it is called in messages.
            quick: A question a person waits for: it gets in between the batches of a long job, and replaces an older
                quick job of the same name.
        """
        self._open  # noqa: B018 - a closed session refuses work
        return (self._quick if quick else self._long).submit(work, name, latest_wins=quick)

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

    def _batch(self, wanted: int | None) -> int:
        """Batch size changes answers in half precision, so there it is 1 unless asked for."""
        if wanted is None:
            return 32 if self.model.dtype == torch.float32 else 1
        if not isinstance(wanted, int) or wanted < 1:
            raise SettingError("batch_size", wanted, "a whole number of at least 1")
        return wanted
