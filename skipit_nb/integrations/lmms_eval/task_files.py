"""A task of ours as lmms-eval reads tasks: a folder of YAML, parquet and the rule of its score."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.errors import MissingPackageError, SettingError

RULE = Path(__file__).parent / "tasks" / "easy_vqa" / "scoring.py"
"""How an answer is scored; the file that our own easy-VQA folder holds."""

_FEATURES = {name: {"dtype": "string", "_type": "Value"} for name in ("key", "question", "answer", "kind", "cluster")}

_YAML = """\
# {version}: {questions} questions about {images} images. Written by skipit-nb.
# Images stand in an order drawn at random (seed {seed}), so that --limit asks about random images. A limit of n asks
# the questions of `session.compare(..., limit=n, seed={seed})` if that ends with an image.
task: {name}
dataset_path: parquet
dataset_kwargs:
  data_files:
    {split}: {name}.parquet
test_split: {split}
output_type: generate_until
doc_to_visual: image
doc_to_text: question
doc_to_target: answer
generation_kwargs:
  max_new_tokens: {max_new_tokens}
  do_sample: false
process_results: !function scoring.process_results
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
score_key: exact_match
cluster_key: cluster
metadata:
  version: 1
"""


def write_task(task: Task, folder: str | Path, *, seed: int = 0) -> Path:
    """Write a task as a folder for lmms-eval's `--include_path`, with its images: it then needs no network.

    `Task.from_yaml(path, trust=True)` reads it back.

    Args:
        task: Questions about one image each, scored by exact match.
        folder: Where it goes; made if missing.
        seed: Of the order of the images.

    Returns:
        The YAML file.

    Raises:
        SettingError: If a question is scored by another rule, or has no image or several.
        MissingPackageError: If pyarrow is not installed.
    """
    name, where = task.name.replace("-", "_"), Path(folder)
    questions = task.sample(len(task), seed)
    where.mkdir(parents=True, exist_ok=True)
    _write_parquet([_row(example) for example in questions], where / f"{name}.parquet")
    if RULE.parent.resolve() != where.resolve():
        shutil.copyfile(RULE, where / RULE.name)
    path = where / f"{name}.yaml"
    images = len({example.cluster for example in questions})
    facts = {"version": task.version, "questions": len(questions), "images": images, "seed": seed, "split": task.split}
    path.write_text(_YAML.format(name=name, max_new_tokens=task.max_new_tokens, **facts), "utf-8")
    return path


def _row(example: Example) -> dict[str, Any]:
    if example.scorer != "exact" or example.judge or example.answers or example.choices:
        raise SettingError(f"the scorer of {example.key}", example.scorer, "'exact', with one right answer")
    image = example.image
    if image is None or isinstance(image, list | tuple):
        raise SettingError(f"the image of {example.key}", image, "one image")
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    texts = {"key": example.key, "question": example.question, "answer": example.answer}
    return {
        **texts,
        "kind": example.kind,
        "cluster": example.cluster,
        "image": {"bytes": file.getvalue(), "path": None},
    }


def _write_parquet(rows: list[dict[str, Any]], path: Path) -> None:
    """Write the rows; an image that many share is stored once, and read back as an image."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingPackageError("pyarrow", "a task with its images", "pip install 'skipit-nb[data]'") from error
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fields = [(name, pa.string()) for name in _FEATURES]
    features = {**_FEATURES, "image": {"_type": "Image"}}
    known = {"huggingface": json.dumps({"info": {"features": features}})}
    schema = pa.schema([*fields, ("image", image)], metadata=known)
    table = pa.Table.from_pylist(rows, schema=schema)
    parquet.write_table(table, path, compression="zstd", row_group_size=len(rows), dictionary_pagesize_limit=1 << 26)
