"""Stock lmms-eval evaluates our skipped model: the same answers and accuracies as our API and our command line."""

import json
import textwrap

import pytest

from skipit_nb import Comparison
from skipit_nb.cli import main
from skipit_nb.integrations.lmms_eval import write
from skipit_nb.integrations.logs import read_logs

from .lmms_eval_environment import ROOT, made, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

LIMIT = 190
EXIT = "vision absent 2-"
ARMS = {"a": "none", "b": "vision:absent:2-"}


@pytest.fixture(scope="module")
def python():
    return str(made())


@pytest.fixture(scope="module")
def tasks(python):
    return run([python, "-m", "skipit_nb.integrations.lmms_eval"]).strip()


@pytest.fixture(scope="module")
def compared(session):
    return session.compare("easy-vqa", b=EXIT, limit=LIMIT, measure=("accuracy", "loyalty", "flops"))


@pytest.fixture(scope="module")
def runs(python, tasks, compared, tmp_path_factory):
    """A folder for each arm."""
    folder = tmp_path_factory.mktemp("stock")
    for arm, skip in ARMS.items():
        run([python, "-m", "lmms_eval", "--model", "skipit", "--model_args", f"pretrained=tiny,skip={skip}",
             "--include_path", tasks, "--tasks", "easy_vqa", "--limit", str(compared.num_questions),
             "--batch_size", "8", "--device", "cpu", "--log_samples", "--output_path", str(folder / arm)])  # fmt: skip
    return folder


def samples(folder):
    (file,) = folder.rglob("*_samples_easy_vqa.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.parametrize("arm", ARMS)
def test_every_answer_is_that_of_our_api(runs, compared, arm):
    rows = samples(runs / arm)
    assert [row["input"] for row in rows] == [answer.question for answer in compared.answers]
    assert [row["filtered_resps"] for row in rows] == [getattr(answer, arm) for answer in compared.answers]
    assert [row["exact_match"] for row in rows] == [getattr(answer, f"score_{arm}") for answer in compared.answers]


def test_every_answer_is_that_of_our_command_line(runs, compared, capsys):
    main(["compare", "--b", EXIT, "--limit", str(LIMIT), "--device", "cpu", "--no-latency", "--json"])
    printed = Comparison.from_json(capsys.readouterr().out)
    assert printed == compared
    for arm in ARMS:
        assert [row["filtered_resps"] for row in samples(runs / arm)] == [getattr(one, arm) for one in printed.answers]


def test_accuracies_are_the_same_and_the_arms_differ(runs, compared):
    accuracy = compared.metric("accuracy")
    for arm in ARMS:
        (file,) = (runs / arm).rglob("*_results.json")
        found = json.loads(file.read_text())["results"]["easy_vqa"]["exact_match,none"]
        assert found == pytest.approx(getattr(accuracy, arm), abs=1e-12)
    assert accuracy.a > accuracy.b


def test_our_statistics_on_its_logs_are_those_of_our_run(runs, compared):
    found = read_logs(runs / "a", runs / "b", cluster="cluster")
    assert (found.accuracy, found.verdict) == (compared.metric("accuracy"), compared.verdict)


def test_what_we_write_pairs_with_what_it_writes(runs, compared, tmp_path):
    _, ours = write(compared, tmp_path)
    again = read_logs(runs / "b", ours, cluster="cluster")
    assert (again.num_questions, again.worse, again.better) == (compared.num_questions, 0, 0)
    real = samples(runs / "b")[0]
    assert set(json.loads(ours.read_text().splitlines()[0])) == {*real, "key", "kind"}


CACHE = """
    import json, sys
    from lmms_eval.evaluator import simple_evaluate
    from lmms_eval.tasks import TaskManager
    from skipit_nb import Session
    from skipit_nb.integrations.lmms_eval import TASKS, SkipIt

    session = Session.open(device="cpu")
    manager = TaskManager(include_path=str(TASKS), include_defaults=False)
    for skip in ("none", "vision absent 2-", "none"):
        model = SkipIt(session=session, skip=skip, batch_size=8)
        found = simple_evaluate(model=model, tasks=["easy_vqa"], task_manager=manager, limit=60, bootstrap_iters=0,
                                use_cache=sys.argv[1])
        print("ANSWERS", json.dumps([row["filtered_resps"][0] for row in found["samples"]["easy_vqa"]]))
    print("ALIVE", session.ask(None, "is there a circle?").text is not None)
"""


def test_its_cache_never_serves_b_the_answers_of_a_and_the_model_stays(python, compared, tmp_path):
    printed = run([python, "-c", textwrap.dedent(CACHE), str(tmp_path / "cache")]).splitlines()
    first, exit_, again = (json.loads(line.partition(" ")[2]) for line in printed if line.startswith("ANSWERS"))
    assert first == again == [answer.a for answer in compared.answers[:60]]
    assert exit_ == [answer.b for answer in compared.answers[:60]] != first
    assert "ALIVE True" in printed


CHOICE = """
task: ranked
dataset_path: parquet
dataset_kwargs:
  data_files: {{test: {tasks}/easy_vqa/easy_vqa.parquet}}
test_split: test
output_type: multiple_choice
doc_to_visual: image
doc_to_text: question
doc_to_target: answer
doc_to_choice: [black, blue, brown, circle, gray, green, "no", rectangle, red, teal, triangle, yellow, "yes"]
metric_list:
  - {{metric: acc, aggregation: mean, higher_is_better: true}}
"""


def test_options_are_ranked_the_right_way_round(python, tasks, compared, tmp_path):
    """Every answer of easy-VQA is one token, so the likeliest option is what the model writes."""
    (tmp_path / "ranked.yaml").write_text(CHOICE.format(tasks=tasks))
    run([python, "-m", "lmms_eval", "--model", "skipit", "--model_args", "skip=vision:absent:2-", "--force_simple",
         "--include_path", str(tmp_path), "--tasks", "ranked", "--limit", "40", "--device", "cpu",
         "--log_samples", "--output_path", str(tmp_path / "out")])  # fmt: skip
    (file,) = tmp_path.rglob("*_samples_ranked.jsonl")
    right = [json.loads(line)["acc"] for line in file.read_text().splitlines()]
    assert right == [answer.score_b for answer in compared.answers[:40]]
    assert 0 < sum(right) < 40


def test_what_was_tested_is_the_installed_package(tasks):
    assert "site-packages" in tasks
    assert str(ROOT) not in tasks


def test_a_skip_set_that_its_parser_broke_is_refused(python, tasks):
    output = run([python, "-m", "lmms_eval", "--model", "skipit", "--model_args", "skip=2_3", "--include_path", tasks,
                  "--tasks", "easy_vqa", "--limit", "2", "--device", "cpu"])  # fmt: skip
    assert "skip is 23.0, but should be a skip set such as vision:absent:2-" in output
