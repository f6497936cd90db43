"""lmms-eval's task files: the part that is taken, and the rest, which is refused by name."""

import textwrap

import pytest

from skipit_nb.backend.tasks import Task, score
from skipit_nb.errors import SettingError, TaskDataError
from tests.backend.tasks.published import color, png, write

ROWS = [
    {
        "image": png(image),
        "question": f" What is {image}? ",
        "answer": f"Thing {image}.",
        "image_id": image // 2,
        "options": ["x", "y"],
        "label": image % 2,
    }
    for image in range(4)
]

PLAIN = """
    dataset_path: parquet
    dataset_kwargs:
      data_files:
        test: rows.parquet
    task: things
    test_split: test
    output_type: generate_until
    doc_to_visual: image
    doc_to_text: "{{question.strip()}}\\nAnswer briefly."
    doc_to_target: answer
    cluster_key: image_id
    generation_kwargs:
      max_new_tokens: 5
      temperature: 0
      do_sample: false
    metric_list:
      - metric: exact_match
        aggregation: mean
        higher_is_better: true
        ignore_case: true
        ignore_punctuation: true
    metadata:
      - version: 0.0
"""

WITH_CODE = """
    dataset_path: parquet
    dataset_kwargs: {data_files: {test: rows.parquet}}
    test_split: test
    doc_to_visual: !function utils.doc_to_visual
    doc_to_text: !function utils.doc_to_text
    doc_to_target: "answer"
    process_results: !function utils.process_results
    metric_list: [{metric: near}]
    lmms_eval_specific_kwargs:
      default: {pre_prompt: "", post_prompt: " Briefly."}
      other_model: {post_prompt: " Never."}
"""

UTILS = """
    def doc_to_visual(doc):
        return [doc["image"].convert("L").convert("RGB")] if doc["image_id"] else [doc["image"].convert("RGB")]

    def doc_to_text(doc, lmms_eval_specific_kwargs=None):
        return doc["question"].strip() + lmms_eval_specific_kwargs["post_prompt"]

    def process_results(doc, results):
        doc["answer"] = "changed"
        return {"near": float(results[0] in ("a", "b")), "other": 0.0}
"""


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "rows.parquet", ROWS)
    (tmp_path / "utils.py").write_text(textwrap.dedent(UTILS))
    return tmp_path


def task_of(folder, text, trust=False):
    path = folder / "things.yaml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return Task.from_yaml(path, trust=trust)


def changed(line, other):
    assert line in PLAIN
    return PLAIN.replace(line, other)


def test_a_task_file_becomes_a_task(folder):
    task = task_of(folder, PLAIN)
    first = task.examples[0]
    assert task.full_name == "things/test"
    assert (len(task), task.max_new_tokens) == (4, 5)
    assert (first.question, first.answer, first.cluster) == ("What is 0?\nAnswer briefly.", "Thing 0.", "0")
    assert [color(example.image) for example in task.examples] == [0, 1, 2, 3]
    assert score("thing 0", first).value == 1


def test_exact_match_without_flags_forgives_nothing(folder):
    text = changed("ignore_case: true", "x: 0").replace("ignore_punctuation: true", "y: 0")
    first = task_of(folder, text).examples[0]
    assert [score(said, first).value for said in ("Thing 0.", "thing 0.", "Thing 0")] == [1, 0, 0]


def test_whole_clusters_are_drawn(folder):
    assert len(task_of(folder, PLAIN).sample(1, seed=0)) == 2


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv"])
def test_rows_may_stand_in_json_and_csv(folder, kind):
    path = folder / f"rows.{kind}"
    path.write_text(
        {
            "json": '[{"question": "a?", "answer": "NA", "image_id": 0}]',
            "jsonl": '{"question": "a?", "answer": "NA", "image_id": 0}\n\n',
            "csv": 'question,answer,image_id\na?,"NA",0\n',
        }[kind]
    )
    text = changed("doc_to_visual: image", "").replace("dataset_path: parquet", f"dataset_path: {kind[:4]}")
    example = task_of(folder, text.replace("rows.parquet", path.name)).examples[0]
    assert (example.question, example.answer, example.image) == ("a?\nAnswer briefly.", "NA", None)


def test_a_multiple_choice_is_read_from_what_is_written(folder):
    text = changed("output_type: generate_until", "output_type: multiple_choice\n    doc_to_choice: options")
    example = task_of(folder, text.replace("doc_to_target: answer", 'doc_to_target: "{{label}}"')).examples[1]
    assert (example.answer, example.choices, example.scorer) == ("B", ("x", "y"), "choice")
    assert [score(said, example).value for said in ("B", "y", "x")] == [1, 1, 0]
    listed = text.replace("doc_to_choice: options", 'doc_to_choice: ["no", "yes"]').replace(
        "doc_to_target: answer", "doc_to_target: label"
    )
    assert task_of(folder, listed).examples[1].choices == ("no", "yes")
    assert task_of(folder, listed).output_type == "multiple_choice", "`compare` ranks the options instead"


def test_a_file_may_include_another(folder):
    (folder / "shared.yaml").write_text("generation_kwargs: {max_new_tokens: 9}\ntask: shared\n")
    task = task_of(folder, "include: shared.yaml\n" + textwrap.dedent(changed("max_new_tokens: 5", "until: ['\\n']")))
    assert (task.name, task.max_new_tokens) == ("things", 16)
    (folder / "shared.yaml").write_text("include: things.yaml\n")
    with pytest.raises(TaskDataError, match="it includes itself"):
        Task.from_yaml(folder / "things.yaml")


# ── code ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_code_is_refused_unless_it_is_trusted_and_is_not_even_imported(folder):
    (folder / "utils.py").write_text("raise RuntimeError('imported')")
    with pytest.raises(TaskDataError, match=r"the function 'utils\..*it is code, .* Expected trust=True"):
        task_of(folder, WITH_CODE)
    with pytest.raises(TaskDataError, match=r"cannot be imported: RuntimeError\('imported'\)"):
        task_of(folder, WITH_CODE, trust=True)


def test_trusted_code_is_called_as_the_harness_calls_it(folder):
    first = task_of(folder, WITH_CODE, trust=True).examples[0]
    assert first.question == "What is 0? Briefly."
    assert color(first.image) == 0
    assert [score(said, first).value for said in ("a", "c", "b")] == [1, 0, 1]
    assert score("a", first).rule == "process_results near"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("utils.nothing", "has no function 'nothing'"),
        ("others.doc_to_text", "there is no '.*others.py'"),
        ("doc_to_text", "Expected a module beside the task file"),
    ],
)
def test_a_function_that_is_not_there_is_named(folder, name, message):
    with pytest.raises(TaskDataError, match=message):
        task_of(folder, WITH_CODE.replace("utils.doc_to_text", name), trust=True)


def test_other_tags_build_nothing(folder):
    with pytest.raises(TaskDataError, match="could not determine a constructor"):
        task_of(folder, changed("task: things", "task: !!python/object/apply:os.getcwd []"), trust=True)


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "other", "message"),
    [
        ("dataset_path: parquet", "dataset_path: lmms-lab/POPE", "dataset_path is 'lmms-lab/POPE'.*load_task reads"),
        (
            "rows.parquet",
            "nowhere.parquet",
            "data_files is 'nowhere.parquet'. Expected data_files to be files that are there",
        ),
        ("test: rows.parquet", "train: rows.parquet", "data_files is None. Expected .* the files of split 'test'"),
        ("output_type: generate_until", "output_type: loglikelihood", "output_type is 'loglikelihood'"),
        ("metric: exact_match", "metric: anls", r"metric_list is \['anls'\]"),
        ("do_sample: false", "do_sample: true", "Expected generation_kwargs to be greedy"),
        ("task: things", "task: things\n    num_fewshot: 3", "num_fewshot is 3"),
        (
            "task: things",
            "task: things\n    filter_list: []",
            r"filter_list is \[\]. Expected filter_list to be left out",
        ),
        ("{{question.strip()}}", "{{question.replace('a', 'b')}}", "more than a column and its parts"),
        ("doc_to_target: answer", "doc_to_target: gold", "no column 'gold' for its answer"),
    ],
)
def test_what_is_not_taken_is_refused_by_name(folder, line, other, message):
    with pytest.raises(TaskDataError, match=message):
        task_of(folder, changed(line, other))


@pytest.mark.parametrize("text", ["- a list", "just a text", "a: [unclosed", "a:\n\tb: 1"])
def test_what_is_no_task_file_is_refused(folder, text):
    with pytest.raises(TaskDataError, match="Expected a task file in YAML"):
        task_of(folder, text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(TaskDataError, match="No such file"):
        Task.from_yaml(tmp_path / "none.yaml")


def test_a_data_file_that_is_cut_short_is_refused(folder):
    (folder / "rows.parquet").write_bytes((folder / "rows.parquet").read_bytes()[:50])
    with pytest.raises(TaskDataError, match=r"rows.parquet' makes no question"):
        task_of(folder, PLAIN)


def test_too_few_tokens_are_refused(folder):
    with pytest.raises(SettingError, match="max_new_tokens is 0"):
        task_of(folder, changed("max_new_tokens: 5", "max_new_tokens: 0"))
