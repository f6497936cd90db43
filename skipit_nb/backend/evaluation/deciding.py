"""What decides an answer, written out: what a ledger tells configurations apart by."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from skipit_nb.backend.evaluation.loyalty import Loyal
from skipit_nb.backend.evaluation.opened import weights_of
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.skipset import SkipSet


def deciding(live: LiveModel, skipset: SkipSet | Loyal, task: Task, batch_size: int) -> dict[str, Any]:
    """Everything that decides an answer. Not the device: another card voids times, not answers.

    In half precision answers depend on the batch too, so its size is part of it there; in float32 it is not.
    """
    made, processor = live.provenance(), live.processor
    prepares = [type(processor).__name__, getattr(processor, "chat_template", None), _said(processor, "to_dict")]
    return {
        "model": made.model,
        "revision": made.revision,
        "class": type(live.model).__name__,
        "weights": weights_of(live.model),
        "dtype": made.dtype,
        "attention": made.attention,
        "quantization": str(getattr(live.model.config, "quantization_config", None)),
        "processor": _digest(json.dumps(prepares, sort_keys=True, default=str)),
        "skipset": str(skipset),
        "task": task.full_name,
        "task_version": task.version,
        "max_new_tokens": task.max_new_tokens,
        "until": list(task.until),
        # How it picks tokens: a repetition penalty, forbidden words, what ends an answer.
        "generation": _said(live.model.generation_config, "to_diff_dict"),
        "output_type": task.output_type,
        "batch_size": None if made.dtype == "float32" else batch_size,
        "versions": dict(made.versions),
    }


def document(example: Example) -> str:
    """What a ledger calls a question: its key, and a digest of what is asked.

    Rows of one's own are numbered, so that another question may come to stand under an earlier one's key; it must not
    find the earlier one's answer.
    """
    asked = f"{example.question}\0{example.cluster}\0{example.picture}"
    return f"{example.key} {_digest(asked)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _said(config: object, how: str) -> Any:
    """What a configuration says of itself, as plain JSON, without the version that wrote it; nothing if it is mute."""
    said: dict[str, Any] = getattr(config, how, dict)()
    return json.loads(json.dumps({name: said[name] for name in said if name != "transformers_version"}, default=str))
