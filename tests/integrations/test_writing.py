"""A comparison in lmms-eval's files: the keys that lmms-eval writes, the numbers that went in."""

import json
from pathlib import Path

import pytest

from skipit_nb.backend.evaluation.statistics.clusters import clustered_mean
from skipit_nb.errors import SettingError
from skipit_nb.integrations.lmms_eval import write
from skipit_nb.integrations.logs import read_logs

REAL = Path(__file__).parent / "data" / "lmms_eval" / "b"
"""A real run's samples, shortened, and its results without what it says of its own command line."""


@pytest.fixture(scope="module")
def compared(session):
    found = session.compare("digits-vqa", b="vision absent 2-", limit=60, measure=("accuracy",), margin=0.03)
    assert found.worse > 0
    return found


@pytest.fixture(scope="module")
def written(compared, tmp_path_factory):
    return write(compared, tmp_path_factory.mktemp("lmms"))


def test_reading_it_back_gives_the_same_numbers(compared, written):
    back = read_logs(*written, cluster="cluster", margin=0.03)
    for name in ("num_questions", "num_clusters", "worse", "better", "verdict", "p_mcnemar", "mde", "tests"):
        assert getattr(back, name) == getattr(compared, name), name
    assert back.accuracy == compared.metric("accuracy")


def test_the_folders_read_back_too(compared, written):
    a, b = (path.parents[1] for path in written)
    assert (a.name, b.name) == ("a", "b")
    assert read_logs(a, b, cluster="cluster").worse == compared.worse


def test_samples_have_the_keys_of_a_real_run_and_three_more(written):
    (real,) = REAL.glob("*.jsonl")
    theirs = json.loads(real.read_text().splitlines()[0])
    for path in written:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert {frozenset(row) for row in rows} == {frozenset([*theirs, "key", "kind"])}


def test_results_have_the_keys_of_a_real_run(written):
    theirs = json.loads(next(REAL.glob("*_results.json")).read_text())
    for path in written:
        ours = json.loads(next(path.parent.glob("*_results.json")).read_text())
        assert set(theirs) - set(ours) == {"efficiency"}  # tokens a question, which a comparison does not keep
        assert set(ours) <= set(theirs)
        real, made = theirs["results"]["easy_vqa"], ours["results"]["digits_vqa"]
        assert set(made) == {name for name in real if not name.startswith("cluster")}
        assert {type(made[name]) for name in made} <= {str, float}


def test_answers_and_scores_are_those_of_the_arm(compared, written):
    for path, arm in zip(written, "ab", strict=True):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert [row["filtered_resps"] for row in rows] == [getattr(answer, arm) for answer in compared.answers]
        assert [row["exact_match"] for row in rows] == [getattr(answer, f"score_{arm}") for answer in compared.answers]
        assert [row["doc_id"] for row in rows] == list(range(compared.num_questions))


def test_standard_errors_are_those_of_one_arm(compared, written):
    results = json.loads(next(written[1].parent.glob("*_results.json")).read_text())["results"]["digits_vqa"]
    mean = clustered_mean([a.score_b for a in compared.answers], [a.cluster for a in compared.answers])
    assert results["exact_match,none"] == mean.value
    assert results["exact_match_stderr_clustered,none"] == mean.standard_error
    assert results["exact_match_stderr,none"] != mean.standard_error


def test_the_skip_set_stands_in_the_configuration(written):
    configs = [json.loads(next(path.parent.glob("*_results.json")).read_text())["config"] for path in written]
    skips = [config["model_args"].split(",")[1] for config in configs]
    assert skips == ["skip=none", "skip=vision absent 2-11"]


def test_the_score_may_have_another_name(compared, tmp_path):
    assert read_logs(*write(compared, tmp_path, metric="score"), metric="score").worse == compared.worse


def test_a_folder_with_an_earlier_run_is_refused_and_kept(compared, tmp_path):
    first, _ = write(compared, tmp_path)
    before = first.read_bytes()
    with pytest.raises(SettingError, match="holds the samples of an earlier run"):
        write(compared, tmp_path)
    assert first.read_bytes() == before
    assert len(list(tmp_path.rglob("*_samples_*"))) == 2
