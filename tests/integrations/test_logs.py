"""Runs of other harnesses, judged: real files of lmms-eval and lm-eval, tables as VLMEvalKit writes them."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from skipit_nb.backend.evaluation.judged import paired_comparison
from skipit_nb.errors import MissingPackageError, SettingError
from skipit_nb.integrations.logs import read_logs

DATA = Path(__file__).parent / "data"
LMMS = DATA / "lmms_eval"
"""The first 46 documents of two runs of lmms-eval 0.7.3 on the model in the box: A none, B `vision absent 2-`."""
LM = DATA / "lm_eval"
"""Two runs of lm-eval 0.4.13 with its dummy model, which answers at random, on two tasks of 16 documents."""


def lines(folder, task):
    (file,) = folder.rglob(f"*samples_{task}*.jsonl")
    return file, [json.loads(line) for line in file.read_text().splitlines()]


def test_runs_of_lmms_eval_give_the_numbers_that_stand_in_them():
    found = read_logs(LMMS / "a", LMMS / "b", cluster="cluster", margin=0.02)
    (_, a), (_, b) = (lines(LMMS / arm, "easy_vqa") for arm in "ab")
    assert (found.num_questions, found.num_clusters) == (46, len({row["cluster"] for row in a})) == (46, 6)
    assert (found.worse, found.better) == (4, 0)
    assert found.accuracy.a == sum(row["exact_match"] for row in a) / 46 == 1
    assert found.accuracy.b == sum(row["exact_match"] for row in b) / 46 == 42 / 46
    assert found.verdict.margin == 0.02


def test_they_are_judged_as_lists_of_scores_are():
    (_, a), (_, b) = (lines(LMMS / arm, "easy_vqa") for arm in "ab")
    scores = [[row["exact_match"] for row in rows] for rows in (a, b)]
    assert read_logs(LMMS / "a", LMMS / "b", cluster="cluster") == paired_comparison(*scores, [r["cluster"] for r in a])


def test_the_order_of_the_lines_does_not_matter(tmp_path):
    file, rows = lines(LMMS / "b", "easy_vqa")
    other = tmp_path / file.name
    other.write_text("\n".join(json.dumps(row) for row in reversed(rows)))
    assert read_logs(LMMS / "a", other, cluster="cluster") == read_logs(LMMS / "a", file, cluster="cluster")


def test_without_clusters_every_document_stands_alone():
    assert read_logs(LMMS / "a", LMMS / "b").num_clusters == 46


def test_clusters_may_come_from_elsewhere():
    _, rows = lines(LMMS / "a", "easy_vqa")
    mapping = {row["doc_id"]: row["cluster"] for row in rows}
    assert read_logs(LMMS / "a", LMMS / "b", cluster=mapping) == read_logs(LMMS / "a", LMMS / "b", cluster="cluster")


def test_a_run_against_itself_flips_nothing():
    found = read_logs(LMMS / "a", LMMS / "a")
    assert (found.worse, found.better, found.p_mcnemar, found.accuracy.value) == (0, 0, 1, 0)


def test_a_score_inside_a_dict_is_found_and_so_is_the_image_beside_it(tmp_path):
    """As lmms-eval's own tasks of yes/no questions write it: several metrics, each a dict with a score."""
    paths = []
    for arm, right in (("a", [1, 1, 0, 1]), ("b", [1, 0, 0, 1])):
        entry = [{"score": float(score), "question_id": f"q{number // 2}"} for number, score in enumerate(right)]
        rows = [
            {
                "doc_id": n,
                "target": "yes",
                "filtered_resps": "no",
                "pope_accuracy": one,
                "pope_f1_score": one,
                "input": "?",
            }
            for n, one in enumerate(entry)
        ]
        paths.append(tmp_path / f"{arm}_samples_pope.jsonl")
        paths[-1].write_text("\n".join(map(json.dumps, rows)))
    found = read_logs(*paths, metric="pope_accuracy", cluster="question_id")
    assert (found.accuracy.a, found.accuracy.b, found.num_clusters, found.worse) == (0.75, 0.5, 2, 1)


def test_runs_of_lm_eval_give_the_numbers_that_stand_in_them():
    found = read_logs(LM / "a" / tiny("choice"), LM / "b" / tiny("choice"), metric="acc", cluster="doc.image_id")
    (_, a), (_, b) = (lines(LM / arm, "tiny_choice") for arm in "ab")
    assert (found.num_questions, found.num_clusters) == (16, 8)
    assert found.accuracy.a == sum(row["acc"] for row in a) / 16 == 5 / 16
    assert found.better == sum(one["acc"] < two["acc"] for one, two in zip(a, b, strict=True)) == 3
    assert found.worse == sum(one["acc"] > two["acc"] for one, two in zip(a, b, strict=True)) == 3


def tiny(task):
    return f"samples_tiny_{task}_2026-11-25T10-00-00.000000.jsonl"


def test_a_document_hash_that_changes_from_run_to_run_does_not_part_them(tmp_path):
    """Of a row with an image lm-eval hashes the image's address in memory."""
    path = LM / "a" / tiny("choice")
    other = tmp_path / path.name
    other.write_text("\n".join(json.dumps(row | {"doc_hash": "x"}) for row in lines(LM / "a", "tiny_choice")[1]))
    assert read_logs(path, other, metric="acc").worse == 0


@pytest.mark.parametrize(("metric", "right"), [("exact_match,strict", 10), ("exact_match,first-letters", 0)])
def test_answers_that_went_through_two_filters_have_two_scores(metric, right):
    path = LM / "a" / tiny("words")
    found = read_logs(path, path, metric=metric)
    assert (found.num_questions, found.accuracy.a) == (16, right / 16)


HIT = {"A": "yes", "B": "no", "answer": "A", "category": "color"}
YES_NO = {"answer": "Yes", "category": "adversarial", "extracted": "Yes"}
OPEN = {"answer": "red", "eval_gt": "red", "eval_pred": "red", "eval_match": "[1.0]"}


def table(name, others, first, scores):
    rows = enumerate(scores, start=first)
    return pd.DataFrame([{"index": n, "question": "?", **others, "prediction": "x", name: score} for n, score in rows])


@pytest.mark.parametrize("ending", ["tsv", "csv", "xlsx"])
@pytest.mark.parametrize(
    ("name", "others", "a", "b"),
    [
        ("hit", HIT, [1, 1, 0, 1], [1, 0, 0, 1]),
        ("score", YES_NO, [True, True, False, True], [True, False, False, True]),
        ("eval_score", OPEN, [1.0, 1.0, 0.0, 1.0], [1.0, 0.0, 0.0, 1.0]),
    ],
)
def test_tables_of_vlmevalkit_give_the_numbers_that_stand_in_them(tmp_path, ending, name, others, a, b):
    if ending == "xlsx":
        pytest.importorskip("openpyxl")
    paths = [
        written(table(name, others, 7, scores), tmp_path / f"{arm}_POPE.{ending}")
        for arm, scores in zip("ab", (a, b), strict=True)
    ]
    found = read_logs(*paths)
    assert (found.num_questions, found.accuracy.a, found.accuracy.b, found.worse) == (4, 0.75, 0.5, 1)


def written(frame, path):
    if path.suffix == ".xlsx":
        frame.to_excel(path, index=False)
    else:
        frame.to_csv(path, sep="\t" if path.suffix == ".tsv" else ",", index=False)
    return path


def test_another_number_is_a_score_if_somebody_says_so(tmp_path):
    paths = [written(table("mine", HIT, 0, scores), tmp_path / f"{scores[0]}.csv") for scores in ([1, 1], [0, 1])]
    assert read_logs(*paths, metric="mine").worse == 1


def test_an_index_may_be_text(tmp_path):
    frame = table("hit", HIT, 0, [1, 0]).assign(index=["a/1", "a/2"])
    path = written(frame, tmp_path / "t.tsv")
    assert read_logs(path, path).num_questions == 2


def test_xlsx_without_openpyxl_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (tmp_path / "a.xlsx").write_bytes(b"")
    with pytest.raises(MissingPackageError, match="pip install openpyxl, or save the table as csv"):
        read_logs(tmp_path / "a.xlsx", tmp_path / "a.xlsx")


def test_the_margin_is_a_share():
    with pytest.raises(SettingError, match="margin is 2"):
        read_logs(LMMS / "a", LMMS / "b", margin=2)
