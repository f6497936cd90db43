"""What a skip set costs in answers and time, and the model handed over under it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from pathlib import Path

from skipit_nb.backend.evaluation import ab, sweeping
from skipit_nb.backend.evaluation.choices import by_likelihood
from skipit_nb.backend.evaluation.keeping import answers_of
from skipit_nb.backend.evaluation.keeping_scores import KeptScores
from skipit_nb.backend.evaluation.ledger import Ledger
from skipit_nb.backend.export.handover import export
from skipit_nb.backend.live.memory import memory_given_back
from skipit_nb.backend.tasks.sampling import as_task
from skipit_nb.backend.tasks.scoring.two_arms import refuse_broken_groups
from skipit_nb.backend.tasks.task import GENERATE_UNTIL, MULTIPLE_CHOICE, Task
from skipit_nb.errors import SettingError
from skipit_nb.jobs import Tick
from skipit_nb.progress import shown
from skipit_nb.results import Comparison, Exported, Standing, Sweep
from skipit_nb.session.bound import Bound, at_least
from skipit_nb.skipset import SkipSet


class Judges(Bound):
    """Judges skip sets, and hands the model over."""

    def compare(  # noqa: PLR0913 - all but three by name only
        self,
        task: str | Task,
        a: SkipSet | str | None = None,
        b: SkipSet | str | None = None,
        *,
        limit: int | None = None,
        seed: int = 0,
        margin: float = 0.01,
        output_type: str | None = None,
        stop_early: bool = False,
        batch_size: int | None = None,
        measure: Sequence[str] | None = None,
        executor: Executor | None = None,
        ledger: str | Path | None = None,
        progress: Tick | bool | None = None,
        so_far: Callable[[Standing], object] | None = None,
    ) -> Comparison:
        """Ask skip sets A and B the same questions and judge the difference.

        A task with a metric of its own (POPE's F1, MME's points, MMBench's circles) has it in `.summary`, below the
        accuracy that the verdict is about.

        With an executor its workers, threads or processes here or a cluster's, open the model themselves and answer
        the same batches; in float32 the answers are the same. This session's model stays free meanwhile.

        Args:
            task: A task's name (its test split) or a task.
            a: Skip set A; None for the full model.
            b: Skip set B; None for the full model.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling.
            margin: The loss of accuracy you would accept, as a share; fix it before you look.
            output_type: "generate_until" takes what an arm writes, "multiple_choice" the choice that it finds
                likeliest; by default the task's own. `docs/likelihood.md` says which is for what.
            stop_early: Look at whole images in random order, every 128 questions or so, and stop once the verdict is
                clear. The interval then allows for looking (an e-process), so it is wider than that of all questions.
            batch_size: Questions a batch, the same in both arms; by default 32 in float32, 1 otherwise.
            measure: Any of "accuracy" (always), "loyalty", "latency", "flops", "memory" and "energy"; by default the
                first four. With an executor there are accuracy, loyalty and predicted FLOPs: workers share a machine,
                or have other ones, and the rest would be nobody's.
            executor: Any `concurrent.futures.Executor`, such as a `ProcessPoolExecutor`, or `client.get_executor()`
                of a Dask client; None for this session's own model.
            ledger: A folder that keeps every answer as soon as its batch is done. The same call on it goes on where an
                earlier one stopped, and another B does not ask A again. Times are always measured anew.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.
            so_far: Hears how it stands after whole images, up to four times a second, with an interval that holds
                however often one looks. That needs images in random order: give a limit, or stop early.

        Raises:
            SettingError: If margin or measure is out of range, or workers cannot open what this session holds.
            LimitError: If the limit is below 1.
            WorkerError: If a worker dies and its work with it, or has other weights or questions.
            LedgerError: If the ledger's folder holds something else, is damaged, or cannot be written.
        """
        live, one, two = self._open, self._bound(a), self._bound(b)
        if not 0 < margin < 1:
            raise SettingError("margin", margin, "a share above 0 and below 1, such as 0.01 for one point")
        wanted = ab.measures(measure, is_shared=executor is not None)
        runs = self._runs(executor, batch_size)
        chosen = as_task(task).answered_by(output_type)
        shuffled = len(chosen) if stop_early else None  # a task's own order need not be random
        questions = chosen.sample(shuffled if limit is None else limit, seed)
        refuse_broken_groups(chosen.metric, questions)
        if chosen.output_type == MULTIPLE_CHOICE:
            questions = by_likelihood(chosen, questions)
        batch = self._batch(batch_size)
        arms = ab.arms(one, two, wanted)
        answers = answers_of(None if ledger is None else Ledger(ledger), live, arms, chosen, batch)
        with shown(progress, "compare") as tick, memory_given_back(live.device):
            return ab.compare(
                live,
                chosen,
                questions,
                one,
                two,
                live.provenance(task=chosen.full_name, samples=[q.key for q in questions], seed=seed),
                margin=margin,
                measure=wanted,
                runs=runs,
                tick=tick,
                stop_early=stop_early,
                answers=answers,
                tell=so_far,
            )

    def sweep(
        self,
        task: str | Task,
        skipsets: Iterable[SkipSet | str],
        *,
        limit: int | None = None,
        seed: int = 0,
        batch_size: int | None = None,
        finalists: int = 0,
        memory: int | None = None,
        executor: Executor | None = None,
        ledger: str | Path | None = None,
        progress: Tick | bool | None = None,
    ) -> Sweep:
        """Ask many skip sets, and the full model, the same questions. It ranks; `compare` judges.

        All sets are scored from one prefill a batch, in which layers that they share run once: accuracy, likelihood
        of the right answer, KL to the full model and agreement with it. Other arguments are those of `compare`.

        Args:
            task: A task's name (its test split) or a task.
            skipsets: Skip sets.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling.
            batch_size: Questions a batch; by default 32 in float32, 1 otherwise.
            finalists: The best so many sets also answer by generation, which then decides their accuracy.
            memory: Bytes that the states of skip sets under way may take; by default 1 GiB, on a card half of what is
                free. A small budget costs time, not exactness.
            executor: As in `compare`.
            ledger: A folder that keeps the scores of every set, and what finalists answer, as soon as a batch is done.
                The same call on it goes on where an earlier one stopped, and more sets do not ask those before again.
                `layers_executed` then tells what this call ran.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            MemoryBudgetError: If not even one set fits into `memory`.
            NoExamplesError: If there are no skip sets.
            LimitError: If the limit is below 1.
            SettingError: If workers cannot open what this session holds.
            WorkerError: If a worker dies and its work with it, or has other weights or questions.
            LedgerError: If the ledger's folder holds something else, is damaged, or cannot be written.
            NothingAnsweredError: If each question had an error.
        """
        live, bound, chosen = self._open, [self._bound(s) for s in skipsets], as_task(task).answered_by(GENERATE_UNTIL)
        runs, batch = self._runs(executor, batch_size), self._batch(batch_size)
        most = memory if memory is None else at_least("memory", memory, 1)
        questions = chosen.sample(limit, seed)
        book = None if ledger is None else Ledger(ledger)
        with shown(progress, "sweep") as tick, memory_given_back(live.device):
            return sweeping.sweep(
                live,
                questions,
                bound,
                live.provenance(task=chosen.full_name, samples=[q.key for q in questions], seed=seed),
                finalists=at_least("finalists", finalists, 0),
                memory=most,
                runs=runs,
                tick=tick,
                answers=lambda arms: answers_of(book, live, arms, chosen, batch),
                kept=None if book is None else KeptScores.of(book, live, bound, chosen, batch, most),
                gives_partial=True,
            )

    def export(
        self, skipset: SkipSet | str | None, path: str | Path, *, form: str = "auto", overwrite: bool = False
    ) -> Exported:
        """Write the model under a skip set into a folder, for use without this toolkit or with three lines of it.

        | form                 | what is written                                                                  |
        | -------------------- | -------------------------------------------------------------------------------- |
        | `"pruned"`           | a smaller checkpoint without the skipped layers, which transformers opens as any |
        | `"config"`           | the whole model, and the set in `skip_config.json` for `exported_skips`          |
        | `"per_layer_config"` | the whole model, and the set as transformers itself would say it                 |
        | `"auto"`             | pruned where that is exact, otherwise config; the answer says which and why      |

        A form is written only if it is exact: the model that transformers would build of it must have the same layers
        and give the same logits, bit for bit, on a trial prompt. The folder is written completely or not at all; the
        open model stays as it is, and no weights are copied.

        Args:
            skipset: What is skipped; None for the model as it is.
            path: A new or empty folder.
            form: As above.
            overwrite: Whether to replace the checkpoint that is in the folder.

        Raises:
            UnsupportedSkipError: If this model cannot run the set exactly.
            UnsupportedExportError: If that form cannot say the set; "auto" and "config" can say every one.
            ExportError: If the folder is taken, the disk full, or transformers will not save the model.
        """
        live = self._open
        with live.lock:
            return export(live, self._bound(skipset), path, form=form, overwrite=overwrite)
