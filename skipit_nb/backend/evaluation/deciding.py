"""What decides an answer, written out: what a ledger tells configurations apart by."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from skipit_nb.backend.evaluation.loyalty import Loyal
from skipit_nb.backend.evaluation.opened import weights_of
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.task import Task
from skipit_nb.skipset import SkipSet


def deciding(live: LiveModel, skipset: SkipSet | Loyal, task: Task, batch_size: int) -> dict[str, Any]:
    """Everything that decides an answer. Not the device: another card voids times, not answers.

    In half precision answers depend on the batch too, so its size is part of it there; in float32 it is not.
    """
    made, processor = live.provenance(), live.processor
    image_processor = getattr(processor, "image_processor", None)
    prepares = [
        type(processor).__name__,
        getattr(processor, "chat_template", None),
        image_processor.to_dict() if image_processor else None,
    ]
    return {
        "model": made.model,
        "revision": made.revision,
        "class": type(live.model).__name__,
        "weights": weights_of(live.model),
        "dtype": made.dtype,
        "attention": made.attention,
        "quantization": str(getattr(live.model.config, "quantization_config", None)),
        "processor": hashlib.sha256(json.dumps(prepares, sort_keys=True, default=str).encode()).hexdigest()[:16],
        "skipset": str(skipset),
        "task": task.full_name,
        "task_version": task.version,
        "max_new_tokens": task.max_new_tokens,
        "until": list(task.until),
        "output_type": task.output_type,
        "batch_size": None if made.dtype == "float32" else batch_size,
        "versions": dict(made.versions),
    }
