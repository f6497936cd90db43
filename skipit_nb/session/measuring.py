"""Where the model is redundant, and what a skip set costs by arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from skipit_nb.backend.live.memory import memory_given_back
from skipit_nb.backend.live.model import Inputs
from skipit_nb.backend.redundancy import bands, profiling, similarity
from skipit_nb.backend.redundancy.rows_by_hand import RowMask
from skipit_nb.backend.tasks.sampling import one_of_each_image, questions_of
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.cost import USUAL_TEXT, Cost, cost, usual_vision
from skipit_nb.jobs import Tick
from skipit_nb.progress import shown
from skipit_nb.results import BandDistances, RedundancyProfile, Similarity, TokenDistances
from skipit_nb.session.bound import Bound
from skipit_nb.skipset import SkipSet


class Measures(Bound):
    """Measures the model's layers, without any answer being right or wrong."""

    def profile(
        self,
        examples: str | Task | Iterable[Example] | Inputs | Sequence[Inputs],
        *,
        limit: int | None = None,
        seed: int = 0,
        flow: bool = True,
        query: str = "last",
        rows: Mapping[str, RowMask] | None = None,
        per_token: bool = False,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
        so_far: profiling.SoFar | None = None,
    ) -> RedundancyProfile:
        """Measure how far every layer moves vision and text tokens, and how much text reads the image.

        Images and videos are vision. Another modality, such as audio, joins by naming its rows.

        Args:
            examples: A task's name (its test split), a task, or examples; or ready inputs of the model, with sounds
                or videos in them: a dict of tensors, or a list of such, each one forward pass.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling.
            flow: Whether to measure cross-modal flow too; without it nothing can be recommended.
            query: Whose attention counts as flow: "last" is the last prompt token's, "text" the mean over text tokens.
            rows: For each further modality a function of the model's inputs that gives its rows, [batch, seq] bool, as
                in {"audio": lambda inputs: inputs["input_ids"] == audio_id}, or that mask. They are measured as vision
                and text are, and count as neither.
            per_token: Whether to keep the distance of every single token as well, for `token_frame`: layers × tokens
                numbers a question.
            batch_size: Questions a forward pass; by default 32 in float32, 1 otherwise.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.
            so_far: A function that gets the profile of all questions measured so far after each batch but the last;
                not with ready inputs. The profile that is given back is the same with and without it.

        Warns (`FlowNotMeasuredWarning`) if flow is wanted and no layer's attention can be computed once more.

        Raises:
            NoExamplesError: If there is nothing to measure on.
            SettingError: If query is something else, a mask does not fit, or ready inputs are none.
            NotFiniteError: If a layer gives NaN or infinity.
        """
        live, chunk = self._open, self._batch(batch_size)
        ready = profiling.ready_inputs(examples, live.device)
        if ready:
            samples = [f"inputs/{i}/{j}" for i, inputs in enumerate(ready) for j in range(len(inputs["input_ids"]))]
            made = live.provenance(samples=samples)
            with shown(progress, "profile") as tick, memory_given_back(live.device):
                return profiling.profile_inputs(
                    live, ready, made, flow=flow, query=query, rows=rows, per_token=per_token, tick=tick
                )
        questions, task = questions_of(examples, limit, seed)  # type: ignore[arg-type]
        made = live.provenance(task=task, samples=[example.key for example in questions], seed=seed)
        with shown(progress, "profile") as tick, memory_given_back(live.device):
            return profiling.profile(
                live,
                questions,
                made,
                flow=flow,
                query=query,
                rows=rows,
                per_token=per_token,
                batch_size=chunk,
                tick=tick,
                so_far=so_far,
            )

    def look(self, image: Any, question: str) -> TokenDistances:
        """Measure one question token by token: what the patch overlay shows.

        Raises:
            ImageError: If it is not an image.
            QuestionError: If the question has no text.
            NotFiniteError: If a layer gives NaN or infinity.
        """
        with memory_given_back(self._open.device):
            return profiling.look(self._open, image, question)

    def bands(
        self,
        examples: str | Task | Iterable[Example],
        *,
        limit: int | None = None,
        seed: int = 0,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
    ) -> BandDistances:
        """Measure how far every band of layers turns each kind of token, boundary against boundary.

        Arguments are those of `profile`.

        Raises:
            NoExamplesError: If there is nothing to measure on.
            NotFiniteError: If a layer gives NaN or infinity.
        """
        live = self._open
        questions, task = questions_of(examples, limit, seed)
        made = live.provenance(task=task, samples=[example.key for example in questions], seed=seed)
        with shown(progress, "bands") as tick, memory_given_back(live.device):
            return bands.bands(live, questions, made, batch_size=self._batch(batch_size), tick=tick)

    def similarity(
        self,
        examples: str | Task | Iterable[Example],
        *,
        metric: str = "cka",
        tokens: str = "vision",
        view: str = "pooled",
        limit: int | None = None,
        seed: int = 0,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
    ) -> Similarity:
        """Compare the states before and after every layer by debiased linear CKA or SVCCA: high = redundant.

        One question of each image, since both take states for independent: an image that is asked about twice has
        the same vision tokens twice, and unrelated states would look alike.

        Args:
            examples: A task's name (its test split), a task, or examples.
            metric: "cka" or "svcca".
            tokens: "vision", "text", "first", "last" or "all".
            view: "pooled", the mean state of each question, or "token", 8 tokens drawn of each.
            limit: So many images, and one question of each; None for all of them.
            seed: Of the sampling, and of what is drawn.
            batch_size: Questions a forward pass; by default 32 in float32, 1 otherwise.
            progress: As in `profile`.

        Raises:
            NoExamplesError: If there is nothing to measure on.
            SettingError: If metric, tokens or view is unknown.
            TooFewSamplesError: If there are fewer than 4 states to compare.
            NotFiniteError: If a layer gives NaN or infinity.
        """
        live = self._open
        questions, task = one_of_each_image(examples, limit, seed)
        made = live.provenance(task=task, samples=[example.key for example in questions], seed=seed)
        with shown(progress, "similarity") as tick, memory_given_back(live.device):
            return similarity.similarity(
                live,
                questions,
                made,
                metric=metric,
                tokens=tokens,
                view=view,
                batch_size=self._batch(batch_size),
                tick=tick,
            )

    def cost(
        self,
        skipset: SkipSet | str | None = None,
        *,
        num_vision: int | None = None,
        num_text: int = USUAL_TEXT,
    ) -> Cost:
        """Count FLOPs, KV bytes and active parameters of one prompt under a skip set: arithmetic, nothing is timed.

        Args:
            skipset: What is skipped; None for the full model.
            num_vision: Vision tokens; by default those of one image, or 576 where they depend on its size.
            num_text: Text tokens.
        """
        num_vision = usual_vision(self.shape) if num_vision is None else num_vision
        return cost(self.shape, skipset, num_vision=num_vision, num_text=num_text)
