"""The paper's conditions beside what they are about: flow, contribution, information, bounds, agreement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager

from skipit_nb.backend.live.memory import memory_given_back
from skipit_nb.backend.redundancy import bounds_report, functional, informational, jacobian
from skipit_nb.backend.redundancy.contribution import ACTIONS, contribution
from skipit_nb.backend.redundancy.knockout import bands_of, knockout
from skipit_nb.backend.redundancy.states import PooledStates, labelled, pooled_states
from skipit_nb.backend.selection import agreement
from skipit_nb.backend.tasks.sampling import as_task, questions_of
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.errors import SettingError
from skipit_nb.jobs import Tick
from skipit_nb.progress import shown
from skipit_nb.results import (
    Agreement,
    BoundsReport,
    Contribution,
    Functional,
    Information,
    Knockout,
    Lipschitz,
    Provenance,
)
from skipit_nb.session.bound import Bound, at_least


class Theorises(Bound):
    """Measures what the paper's implications connect."""

    def information(
        self,
        examples: str | Task | Iterable[Example],
        *,
        views: Sequence[str] = ("vision", "text", "last"),
        ks: Sequence[int] = (2, 4, 8),
        permutations: int = 200,
        pid: bool = False,
        limit: int | None = None,
        seed: int = 0,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
    ) -> Information:
        """Measure what quantised states of every boundary tell about the answer, in nats, beside what chance gives.

        Args:
            examples: A task's name (its test split), a task, or examples.
            views: Which states: means of the vision tokens, of the text tokens, the last prompt token.
            ks: Sizes of the codebooks.
            permutations: Shuffles of each null; a tenth as many of a decomposition's.
            pid: Whether to decompose as well what vision and text, before and after a layer, tell. Needs cvxpy.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling, the halves, the codebooks and the shuffles.
            batch_size: Questions a forward pass; by default 32 in float32, 1 otherwise.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            NoExamplesError: If there is nothing to measure on.
            TooFewSamplesError: If there are too few questions for these codebooks; the message says how many.
            ConstantAnswerError: If all answers are the same.
            NotFiniteError: If a layer gives NaN or infinity.
            SettingError: If a view or a k is unknown, or there are fewer permutations than 1, than 10 with `pid`.
            MissingPackageError: If `pid` is asked for without cvxpy.
        """
        asked = questions_of(examples, limit, seed)
        at_least("permutations", permutations, 10 if pid else 1)
        informational.refuse_too_few(labelled(asked[0]), seed, views=views, ks=ks, with_pid=pid)
        with self._pooled(asked, seed, batch_size, progress, "information") as (found, made, tick):
            return informational.measure(
                found, made, views=views, ks=ks, permutations=permutations, with_pid=pid, tick=tick
            )

    def functional(
        self,
        examples: str | Task | Iterable[Example],
        *,
        views: Sequence[str] = ("vision", "text", "last"),
        folds: int = 5,
        strength: float = 0.1,
        permutations: int = 200,
        limit: int | None = None,
        seed: int = 0,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
    ) -> Functional:
        """Measure how well a logistic regression reads the answer from every boundary, and what each layer gains it.

        Tests as well whether the boundaries are a chain: whether the one before a layer helps beside the one after.

        Args:
            examples: A task's name (its test split), a task, or examples.
            views: As in `information`.
            folds: Of the cross-validation; no image is in two.
            strength: C of the logistic regression: larger trusts the states more.
            permutations: Of the chain test.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling and the permutations.
            batch_size: Questions a forward pass; by default 32 in float32, 1 otherwise.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            NoExamplesError: If there is nothing to measure on.
            TooFewSamplesError: If there are fewer images than folds.
            ConstantAnswerError: If all answers are the same.
            NotFiniteError: If a layer gives NaN or infinity.
            SettingError: If a view is unknown, or a number out of range.
        """
        questions, _ = asked = questions_of(examples, limit, seed)
        functional.refuse(questions, views=views, folds=folds, strength=strength, permutations=permutations)
        with self._pooled(asked, seed, batch_size, progress, "functional") as (found, made, tick):
            return functional.measure(
                found, made, views=views, folds=folds, strength=strength, permutations=permutations, tick=tick
            )

    def bounds_report(
        self,
        examples: str | Task | Iterable[Example],
        *,
        view: str = "last",
        k: int = 8,
        epsilon: float = 0.05,
        limit: int | None = None,
        seed: int = 0,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
    ) -> BoundsReport:
        """Set, for every layer, what was measured beside what each implication of the theory allows.

        Lipschitz constants among it: α of the vision tokens and β of the text tokens, by gradients and along the
        layers' own steps, on half of the images; what they allow stands beside what the other half does. The model runs
        two to three times more for every layer. Where a model has no derivatives, such as a quantised one, the report
        says so and has the rest.

        Args:
            examples: A task's name (its test split), a task, or examples.
            view: As in `information`, one of them.
            k: Size of the codebooks.
            epsilon: ε of the tail P[d > ε], in 1 - cos.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling, the halves and the codebooks.
            batch_size: Questions a forward pass; by default 32 in float32, 1 otherwise.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            NoExamplesError: If there is nothing to measure on.
            TooFewSamplesError: If there are too few questions for k.
            ConstantAnswerError: If all answers are the same.
            NotFiniteError: If a layer gives NaN or infinity.
            SettingError: If the view, k or ε is out of range.
        """
        if not 0 < epsilon < 2:  # noqa: PLR2004 - the largest distance
            raise SettingError("epsilon", epsilon, "a distance in 1 - cos, above 0 and below 2")
        questions, _ = asked = questions_of(examples, limit, seed)
        bounds_report.refuse_too_few(labelled(questions).clusters, k, seed)
        with self._pooled(asked, seed, batch_size, progress, "bounds") as (found, made, tick):
            found.of(view)  # a view that is not there is refused before the long part
            size = self._batch(batch_size)
            measured = bounds_report.measure(self._open, questions, seed, batch_size=size, tick=tick)
            return bounds_report.report(found, measured, made, view=view, k=k, epsilon=epsilon)

    def lipschitz(
        self,
        examples: str | Task | Iterable[Example],
        *,
        outcome: str = "log_probabilities",
        iterations: int = 10,
        limit: int | None = 8,
        seed: int = 0,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
    ) -> Lipschitz:
        """Measure how steeply the rest of the network answers to a turn of the vision or text tokens after each layer.

        The top singular value of its Jacobian, by power iteration, beside the slope along the layer's own step. It
        keeps the graph of a whole forward pass, and runs the model twice more a layer: a few questions will do.

        Args:
            examples: A task's name (its test split), a task, or examples.
            outcome: "log_probabilities" of the next token, or the "loss", 1 - p(first token of the right answer).
            iterations: Of the power iteration; the result says how much the last one still added.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling.
            batch_size: Questions a forward pass; by default 32 in float32, 1 otherwise.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            NoExamplesError: If there is nothing to measure on.
            SettingError: If the outcome is unknown, or there is no iteration.
            NoGradientError: If the model cannot be differentiated twice, such as a quantised one.
        """
        live, (questions, task) = self._open, questions_of(examples, limit, seed)
        made = live.provenance(task=task, samples=[example.key for example in questions], seed=seed)
        size = self._batch(batch_size)
        with shown(progress, "lipschitz") as tick, memory_given_back(live.device):
            return jacobian.lipschitz(
                live, questions, made, outcome=outcome, iterations=iterations, batch_size=size, tick=tick
            )

    @contextmanager
    def _pooled(
        self,
        asked: tuple[tuple[Example, ...], str],
        seed: int,
        batch_size: int | None,
        progress: Tick | bool | None,
        name: str,
    ) -> Iterator[tuple[PooledStates, Provenance, Tick]]:
        """The pooled states of the questions, under one progress bar."""
        live, (questions, task) = self._open, asked
        made = live.provenance(task=task, samples=[example.key for example in questions], seed=seed)
        with shown(progress, name) as tick, memory_given_back(live.device):
            yield pooled_states(live, questions, batch_size=self._batch(batch_size), tick=tick), made, tick

    def knockout(
        self,
        task: str | Task,
        bands: int | Iterable[range] | None = None,
        *,
        limit: int | None = None,
        seed: int = 0,
        batch_size: int | None = None,
        executor: Executor | None = None,
        progress: Tick | bool | None = None,
    ) -> Knockout:
        """Let text rows not look at vision rows in bands of layers: does the answer need what VAR says it reads?

        A simulation by masking, in the prompt's pass: nothing gets faster. The full model and every band run whole.

        Args:
            task: A task's name (its test split) or a task.
            bands: Ranges of layers; a width for all windows of so many layers; None for every single layer.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling.
            batch_size: Questions a batch; by default 32 in float32, 1 otherwise.
            executor: As in `compare`: its workers run the batches.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            SettingError: If a width or a band is out of range.
            LayerIndexError: If a band names a layer this model does not have.
            UnsupportedSkipError: If text rows of a band see images by other means than attention to vision rows.
            NoImagesError: If no question has an image.
            NotFiniteError: If a layer gives NaN or infinity.
            LimitError: If the limit is below 1.
            WorkerError: If a worker dies and its work with it, or has other weights or questions.
        """
        live, chosen, runs = self._open, as_task(task), self._runs(executor, batch_size)
        wanted = bands_of(live.anatomy, bands)
        questions = chosen.sample(limit, seed)
        made = live.provenance(task=chosen.full_name, samples=[q.key for q in questions], seed=seed)
        with shown(progress, "knockout") as tick, memory_given_back(live.device):
            return knockout(questions, wanted, made, runs=runs, tick=tick)

    def contribution(
        self,
        task: str | Task,
        *,
        actions: Sequence[str] = ACTIONS,
        limit: int | None = None,
        seed: int = 0,
        batch_size: int | None = None,
        memory: int | None = None,
        executor: Executor | None = None,
        progress: Tick | bool | None = None,
    ) -> Contribution:
        """Measure what each layer contributes through vision and through text tokens: KL of the next token without it.

        Every layer alone, for each modality and action, from one prefill a batch, as `sweep` does. The right answers
        play no part in it.

        Args:
            task: A task's name (its test split) or a task.
            actions: "frozen", "absent" or both.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling.
            batch_size: Questions a batch; by default 32 in float32, 1 otherwise.
            memory: As in `sweep`.
            executor: As in `compare`: its workers run the batches.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            SettingError: If an action is unknown, or this model can run it nowhere.
            NoImagesError: If no question has an image.
            MemoryBudgetError: If not even one skip set fits into `memory`.
            NotFiniteError: If a layer gives NaN or infinity.
            LimitError: If the limit is below 1.
            WorkerError: If a worker dies and its work with it, or has other weights or questions.
        """
        live, chosen, runs = self._open, as_task(task), self._runs(executor, batch_size)
        questions = chosen.sample(limit, seed)
        made = live.provenance(task=chosen.full_name, samples=[q.key for q in questions], seed=seed)
        with shown(progress, "contribution") as tick, memory_given_back(live.device):
            return contribution(live, questions, made, actions=actions, memory=memory, runs=runs, tick=tick)

    def agreement(
        self,
        examples: str | Task | Iterable[Example],
        *,
        limit: int | None = None,
        seed: int = 0,
        epsilon: float = 0.02,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
    ) -> Agreement:
        """Ask whether scores that need no answers foretell what skipping costs: rank correlation with a control.

        Args:
            examples: A task's name (its test split), a task, or examples; half of the images give scores, half costs.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling, the halves, the resampling and the control.
            epsilon: ε of the tail probability, in 1 - cos.
            batch_size: Questions a batch; by default 32 in float32, 1 otherwise.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            SettingError: If all questions are about one image, or ε is out of range.
            UnsupportedSkipError: If the model's attention takes no masks of ours.
        """
        with shown(progress, "agreement") as tick, memory_given_back(self._open.device):
            return agreement.agreement(self._calibration(examples, limit, seed, batch_size, tick), epsilon=epsilon)
