"""Logs that cannot be judged: each refusal says which document, and what to do."""

import json
from pathlib import Path

import pandas as pd
import pytest

from skipit_nb.errors import LogError
from skipit_nb.integrations.logs import read_logs

LMMS, LM = (Path(__file__).parent / "data" / harness for harness in ("lmms_eval", "lm_eval"))
WORDS = LM / "a" / "samples_tiny_words_2026-11-25T10-00-00.000000.jsonl"
CHOICE = LM / "a" / "samples_tiny_choice_2026-11-25T10-00-00.000000.jsonl"


@pytest.fixture
def rows():
    (file,) = (LMMS / "a").rglob("*.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def judged(tmp_path, rows, **options):
    """The run in the data against changed rows of it."""
    path = tmp_path / "b_samples_easy_vqa.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return read_logs(LMMS / "a", path, **options)


def test_documents_that_one_side_lacks_are_named(tmp_path, rows):
    with pytest.raises(LogError, match=r"it lacks 40, 41, 42, 43, 44, … \(6 in all\)\. .*with one limit"):
        judged(tmp_path, rows[:40])
    with pytest.raises(LogError, match="it lacks 0 and it alone holds 99"):
        judged(tmp_path, [*rows[1:], rows[0] | {"doc_id": 99}])


def test_no_shared_document(tmp_path, rows):
    with pytest.raises(LogError, match="it shares no document with"):
        judged(tmp_path, [row | {"doc_id": 1000 + row["doc_id"]} for row in rows])


def test_a_document_that_is_another_one_there(tmp_path, rows):
    with pytest.raises(LogError, match=r"document 3 is not the one of .*'other', there .*same data in the same order"):
        judged(tmp_path, [row | ({"target": "other"} if row["doc_id"] == 3 else {}) for row in rows])


def test_a_document_twice(tmp_path, rows):
    with pytest.raises(LogError, match=r"document 5 stands in it twice.*a folder for each run"):
        judged(tmp_path, [*rows, rows[5]])


def test_a_document_twice_under_one_filter(tmp_path):
    path = tmp_path / "samples_x.jsonl"
    path.write_text(WORDS.read_text() + WORDS.read_text().splitlines()[0])
    with pytest.raises(LogError, match=r"document 0 stands in it twice.*once a filter"):
        read_logs(path, path)


def test_several_metrics_are_named_and_none_is_chosen():
    with pytest.raises(LogError, match=r"several metrics: acc, acc_norm. Expected one of them, metric="):
        read_logs(CHOICE, CHOICE)


def test_a_metric_that_is_not_there():
    with pytest.raises(LogError, match=r"have the metric 'f1'. Expected one of acc, acc_norm"):
        read_logs(CHOICE, CHOICE, metric="f1")


@pytest.mark.parametrize("score", [75.0, -0.1, float("nan")])
def test_a_score_that_is_no_share(tmp_path, rows, score):
    with pytest.raises(LogError, match=r"exact_match of document 2 is .*not points, percent or a loss"):
        judged(tmp_path, [row | ({"exact_match": score} if row["doc_id"] == 2 else {}) for row in rows])


def test_a_run_without_scores(tmp_path, rows):
    bare = [{name: value for name, value in row.items() if name != "exact_match"} for row in rows]
    with pytest.raises(LogError, match="its documents have no scores"):
        judged(tmp_path, bare)


def test_a_table_that_was_not_evaluated(tmp_path):
    path = tmp_path / "model_POPE.tsv"
    pd.DataFrame({"index": [1, 2], "answer": ["Yes", "No"], "prediction": ["Yes", "Yes"]}).to_csv(path, sep="\t")
    with pytest.raises(LogError, match=r"no scores. Expected a run that was evaluated"):
        read_logs(path, path)


def test_a_column_that_is_not_there(tmp_path, rows):
    with pytest.raises(LogError, match=r"document 0 has no 'image'. Expected one of cluster, doc_hash, doc_id"):
        judged(tmp_path, rows, cluster="image")


def test_clusters_that_are_not_said_of_all(tmp_path, rows):
    with pytest.raises(LogError, match=r"clusters lack 1, 2, 3, 4, 5, … .45 in all."):
        judged(tmp_path, rows, cluster={0: "x"})


def test_two_harnesses(tmp_path):
    with pytest.raises(LogError, match=r"it is a log of lm-eval, and .* one of lmms-eval"):
        read_logs(LMMS / "a", CHOICE)


def test_a_torn_line(tmp_path, rows):
    with pytest.raises(LogError, match="line 47 is no JSON"):
        judged(tmp_path, [*rows, '{"doc_id": 46, "tar'])


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "samples_x.jsonl"
    path.write_bytes(b'{"doc_id": 0, "target": "\xff"}')
    with pytest.raises(LogError, match=r"it cannot be read \(.*utf-8.*JSON lines in UTF-8"):
        read_logs(path, path)


def test_a_mark_of_the_byte_order_is_no_damage(tmp_path, rows):
    assert judged(tmp_path, ["\ufeff" + json.dumps(rows[0]), *rows[1:]]).num_questions == len(rows)


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "it is empty"), ("[1]", "line 1 is a list"), ('{"a": 1}', "its lines are no samples of a harness")],
)
def test_another_kind_of_file(tmp_path, text, why):
    path = tmp_path / "samples_x.jsonl"
    path.write_text(text)
    with pytest.raises(LogError, match=why):
        read_logs(path, path)


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "", '"a\n'])
def test_a_table_of_something_else(tmp_path, text):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(LogError, match="columns index and prediction"):
        read_logs(path, path)


def test_an_xlsx_that_is_none(tmp_path):
    pytest.importorskip("openpyxl")
    path = tmp_path / "x.xlsx"
    path.write_bytes(b"no zip at all")
    with pytest.raises(LogError, match="columns index and prediction"):
        read_logs(path, path)


def test_a_folder_of_several_runs_names_them():
    with pytest.raises(LogError, match=r"tiny_choice.*, samples_tiny_words.*name the one you mean"):
        read_logs(LM / "a", LM / "b")


@pytest.mark.parametrize(("name", "why"), [("nothing.jsonl", "there is no such file"), ("", "no samples file")])
def test_a_place_without_a_log(tmp_path, name, why):
    with pytest.raises(LogError, match=why):
        read_logs(tmp_path / name, tmp_path / name)


def test_a_file_of_another_ending(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("{}")
    with pytest.raises(LogError, match=r"it ends in '.json'"):
        read_logs(path, path)
