"""A comparison of ours in the files that lmms-eval writes, one folder an arm, for whoever reads those."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from skipit_nb.backend.evaluation.statistics.clusters import clustered_mean
from skipit_nb.errors import SettingError
from skipit_nb.results import Comparison

ARMS = ("a", "b")
_UNKNOWN = (
    "chat_template", "chat_template_sha", "end_time", "fewshot_as_multiturn", "git_branch", "git_hash",
    "lmms_eval_version", "start_time", "system_instruction", "system_instruction_sha", "total_evaluation_time_seconds",
)  # fmt: skip
"""What lmms-eval writes of its own run; there was none."""


def write(result: Comparison, folder: str | Path, *, metric: str = "exact_match") -> tuple[Path, Path]:
    """Write both arms as lmms-eval writes a run with `--log_samples`: `DATE_results.json`, `DATE_samples_TASK.jsonl`.

    `read_logs(*write(result, folder), cluster="cluster")` gives the numbers of `result` again. Documents are counted in
    the order in which they were asked; questions with an error are left out of both arms.

    Args:
        result: Of `session.compare`.
        folder: Arm A goes into its folder `a`, B into `b`, each in a folder of the model's name.
        metric: What lmms-eval would call the score.

    Returns:
        The samples files of A and of B.

    Raises:
        SettingError: If files of an earlier run are there: lmms-eval's readers would mix the two.
    """
    date = datetime.now(tz=UTC).strftime("%Y%m%d_%H%M%S")
    name = "__".join(result.provenance.model.strip("/").split("/")[-2:])
    places = [Path(folder) / arm / name for arm in ARMS]
    for place in places:
        if any(place.glob("*_samples_*.jsonl")):
            raise SettingError("folder", str(folder), "a new one: it holds the samples of an earlier run")
    first, second = (_write_arm(result, arm, place, date, metric) for arm, place in zip(ARMS, places, strict=True))
    return first, second


def _write_arm(result: Comparison, arm: str, place: Path, date: str, metric: str) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    task, samples = _task(result), list(_samples(result, arm, metric))
    path = place / f"{date}_samples_{task}.jsonl"
    path.write_text("".join(json.dumps(sample, ensure_ascii=False) + "\n" for sample in samples), "utf-8")
    found = _results(result, arm, samples, metric) | {"date": date}
    (place / f"{date}_results.json").write_text(json.dumps(found, indent=2, ensure_ascii=False), "utf-8")
    return path


def _samples(result: Comparison, arm: str, metric: str) -> Iterator[dict[str, Any]]:
    for number, answer in enumerate(result.answers):
        yield {
            "doc_id": number,
            "target": answer.target,
            "filtered_resps": getattr(answer, arm),
            "token_counts": [None],
            "doc_hash": _sha256(answer.key),
            metric: getattr(answer, f"score_{arm}"),
            "cluster": answer.cluster,
            "kind": answer.kind,
            "key": answer.key,
            "input": answer.question,
        }


def _results(result: Comparison, arm: str, samples: Sequence[dict[str, Any]], metric: str) -> dict[str, Any]:
    task, made, count = _task(result), result.provenance, len(samples)
    hashes = "".join(f"sample_{number}{sample['doc_hash']}" for number, sample in enumerate(samples))
    return {
        "results": {
            task: {"alias": task} | _errors([s[metric] for s in samples], [s["cluster"] for s in samples], metric)
        },
        "group_subtasks": {task: []},
        "configs": {task: {"task": task, "test_split": made.task.rpartition("/")[2], "output_type": "generate_until"}},
        "versions": {task: None},
        "n-shot": {task: 0},
        "higher_is_better": {task: {metric: True}},
        "n-samples": {task: {"original": None, "effective": count}},
        "config": _config(result, arm),
        "usage": {},
        "task_hashes": {task: _sha256(hashes)},
        "model_source": "skipit",
        "model_name": made.model,
        "model_name_sanitized": "__".join(made.model.strip("/").split("/")[-2:]),
        **dict.fromkeys(_UNKNOWN),
    }


def _errors(scores: Sequence[float], clusters: Sequence[str], metric: str) -> dict[str, Any]:
    """The mean, its standard error as if questions were independent, and the one that knows their images."""
    alone, clustered = (clustered_mean(scores, groups) for groups in ([str(n) for n in range(len(scores))], clusters))
    errors = {"stderr": alone, "stderr_clt": alone, "stderr_clustered": clustered}
    return {f"{metric},none": alone.value} | {
        f"{metric}_{name},none": mean.standard_error if math.isfinite(mean.standard_error) else "N/A"
        for name, mean in errors.items()
    }


def _config(result: Comparison, arm: str) -> dict[str, Any]:
    made = result.provenance
    skip = str(getattr(result, arm))
    return {
        "model": "skipit",
        "model_args": f"pretrained={made.model},skip={skip},dtype={made.dtype}",
        "model_backend": f"skipit_nb {dict(made.versions).get('skipit-nb', '')}".strip(),
        "batch_size": None,
        "device": made.device,
        "limit": len(result.answers),
        "random_seed": made.seed,
    }


def _task(result: Comparison) -> str:
    return (result.provenance.task.partition("/")[0] or "own").replace("-", "_")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
