"""Questions of one's own: frames, dicts, folders, functions."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skipit_nb.backend.tasks import Task, load_task, score
from skipit_nb.errors import ImageError, NoExamplesError, SettingError, TaskDataError

RED, BLUE = Image.new("RGB", (4, 4), (255, 0, 0)), Image.new("RGB", (4, 4), (0, 0, 255))


def rows():
    return [
        {"image": RED, "question": "what color is it?", "answer": "red"},
        {"image": BLUE, "question": "what color is it?", "answer": "blue"},
        {"image": RED.copy(), "question": "is it red?", "answer": True},
        {"image": None, "question": "how many sides has a square?", "answer": 4},
    ]


def test_dicts_become_questions():
    task = Task.from_dicts(rows(), name="mine")
    assert [example.answer for example in task.examples] == ["red", "blue", "yes", "4"]
    assert [example.key for example in task.examples] == [f"mine/own/{number:05d}" for number in range(4)]
    assert task.full_name == "mine/own"
    assert task.examples[1].image.getpixel((0, 0)) == (0, 0, 255)
    assert task.examples[3].image is None


def test_questions_about_the_same_pixels_are_one_cluster():
    first, second, third, fourth = Task.from_dicts(rows()).examples
    assert first.cluster == third.cluster
    assert len({first.cluster, second.cluster, fourth.cluster}) == 3


def test_rows_are_not_changed_even_by_a_rule_that_writes_into_them():
    given = [
        {
            "image": None,
            "question": "q",
            "answer": "red",
            "answers": [{"answer": "Red."}, {"answer": "red"}],
            "tags": ["x"],
        }
    ]
    before = copy.deepcopy(given)

    def process_results(doc, results):
        doc["answers"][0]["answer"] = "changed"
        doc["tags"].append("changed")
        doc["answer"] = "changed"
        return {"exact_match": float(results[0] == "red")}

    task = Task.from_dicts(given, process_results=process_results)
    assert [score("red", task.examples[0]).value for _ in range(2)] == [1, 1]
    assert given == before
    soft = Task.from_dicts(given, doc_to_target="answers", scorer="vqa_soft")
    assert soft.examples[0].answers == ("Red.", "red")
    assert score("RED", soft.examples[0]).value == 1
    assert given == before


def test_columns_templates_and_functions_are_one_another_s_equals():
    given = [{"picture": RED, "q": " What? ", "labels": {"gold": "Red"}, "id": 7}]
    by = {
        "columns": {"doc_to_text": "q", "doc_to_target": "{{labels.gold}}", "cluster_key": "id"},
        "templates": {"doc_to_text": "{{q}}", "doc_to_target": "{{labels['gold']}}", "cluster_key": "{{id}}"},
        "functions": {
            "doc_to_text": lambda doc: doc["q"], "doc_to_target": lambda doc: doc["labels"]["gold"],
            "cluster_key": lambda doc: doc["id"],
        },
    }  # fmt: skip
    made = [Task.from_dicts(given, doc_to_visual="picture", **reading).examples[0] for reading in by.values()]
    assert {(one.question, one.answer, one.cluster) for one in made} == {(" What? ", "Red", "7")}


def test_a_function_gives_the_image_when_it_is_asked_for():
    calls = []

    def doc_to_visual(doc):
        calls.append(doc["id"])
        return [RED, BLUE]

    given = [{"id": number, "question": "q", "answer": "a"} for number in range(3)]
    task = Task.from_dicts(given, doc_to_visual=doc_to_visual, cluster_key="id")
    assert calls == []
    assert [image.getpixel((0, 0))[2] for image in task.examples[1].image] == [0, 255]
    assert calls == [1]


def test_the_types_of_pandas_become_words():
    frame = pd.DataFrame({
        "question": ["a", "b", "c", "d"],
        "answer": pd.array([1, 2, 3, 4], dtype="Int64"),
        "truth": pd.array([True, False, True, False], dtype="boolean"),
        "share": [1.0, 2.5, 3.0, np.float32(0.5)],
        "kind": pd.Categorical(["x", "y", "x", "y"]),
    })  # fmt: skip
    answers = {
        column: [e.answer for e in Task.from_frame(frame, doc_to_visual=None, doc_to_target=column).examples]
        for column in ("answer", "truth", "share")
    }
    assert answers == {
        "answer": ["1", "2", "3", "4"],
        "truth": ["yes", "no", "yes", "no"],
        "share": ["1", "2.5", "3", "0.5"],
    }
    assert Task.from_frame(frame, doc_to_visual=None).kinds == ("x", "y")


@pytest.mark.parametrize("nothing", [None, float("nan"), np.float64("nan"), pd.NA, pd.NaT, "", "  "])
def test_a_question_or_an_answer_that_is_nothing_is_refused_by_its_row(nothing):
    for column, what in (("question", "no question"), ("answer", "no answer")):
        given = [
            {"image": None, "question": "q", "answer": "a"},
            {"image": None, "question": "q", "answer": "a", column: nothing},
        ]
        with pytest.raises(TaskDataError, match=f"row 1 makes no question: it has {what}"):
            Task.from_dicts(given)


@pytest.mark.parametrize("nothing", [None, float("nan"), pd.NA, []])
def test_an_image_that_is_nothing_is_a_question_without_one(nothing):
    assert Task.from_dicts([{"image": nothing, "question": "q", "answer": "a"}]).examples[0].image is None


def options(**more):
    return {"image": None, "question": "what is it?", "choices": ["a cow", "a dog", "12"], **more}


@pytest.mark.parametrize(
    ("answer", "letter"),
    [("B", "B"), ("b", "B"), ("a dog", "B"), (1, "B"), (np.int8(1), "B"), ("1", "B"), ("12", "C"), (0, "A")],
)
def test_the_right_option_may_be_a_letter_a_text_or_a_number(answer, letter):
    example = Task.from_dicts([options(answer=answer)]).examples[0]
    assert (example.answer, example.scorer) == (letter, "choice")
    assert example.question.startswith("what is it?\nA. a cow\nB. a dog\nC. 12\nAnswer with the option's letter")
    assert score(letter.lower(), example).value == 1


@pytest.mark.parametrize("answer", ["D", "a horse", 3, -1])
def test_an_answer_that_is_no_option_is_refused(answer):
    with pytest.raises(
        TaskDataError, match=r"row 0 makes no question: its answer is .* Expected one of its options a cow, a dog, 12"
    ) as caught:
        Task.from_dicts([options(answer=answer)])
    assert str(answer) in str(caught.value)


def test_a_template_says_the_whole_question_and_a_column_gets_its_options():
    example = Task.from_dicts([options(answer="A")], doc_to_text="{{question|upper}} {{choices[1]}}?").examples[0]
    assert example.question == "WHAT IS IT? a dog?"
    assert example.choices == ("a cow", "a dog", "12")


def test_options_may_stand_in_columns_of_their_own():
    example = Task.from_dicts(
        [{"image": None, "question": "q", "A": "x", "B": "y", "C": None, "answer": "y"}]
    ).examples[0]
    assert (example.choices, example.answer) == (("x", "y"), "B")


def test_a_rule_of_one_s_own_scores():
    def process_results(doc, results):
        return {"near": abs(float(results[0]) - float(doc["answer"])) < 2, "parsed": True}

    example = Task.from_dicts(
        [{"question": "q", "answer": "10"}], doc_to_visual=None, process_results=process_results
    ).examples[0]
    found = score("11", example)
    assert (found.value, found.parsed, found.rule) == (1.0, True, "process_results near")
    assert score("12", example).value == 0
    with pytest.raises(ValueError, match="could not convert") as caught:
        score("eleven", example)
    assert caught.value.__notes__ == ["while process_results scored an answer to own/own/00000"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (37.0, "what process_results gives as score is 37.0, but should be a number from 0 to 1"),
        (None, "gives as score is None"),
        ("right", "gives as score is 'right'"),
        (float("nan"), "gives as score is nan"),
        ({}, "score_key is None, but should be one of what process_results gives"),
        ({"a": 1, "b": 0}, "score_key is None, but should be one of what process_results gives: a, b"),
    ],
)
def test_a_rule_that_gives_no_share_is_refused(given, message):
    task = Task.from_dicts(
        [{"question": "q", "answer": "a"}], doc_to_visual=None, process_results=lambda doc, results: given
    )
    with pytest.raises(SettingError, match=message):
        score("a", task.examples[0])


def test_which_of_several_numbers_counts_can_be_said():
    def process_results(doc, results):
        return {"strict": 0, "loose": 0.5, "acc": 1}

    given = [{"question": "q", "answer": "a"}]
    by_key = {
        key: score(
            "a", Task.from_dicts(given, doc_to_visual=None, process_results=process_results, score_key=key).examples[0]
        ).value
        for key in (None, "strict", "loose")
    }
    assert by_key == {None: 1, "strict": 0, "loose": 0.5}


@pytest.mark.parametrize(
    ("reading", "error", "message"),
    [
        (
            {"doc_to_text": "prompt"},
            TaskDataError,
            "row 0 .* no column 'prompt' for its question. Expected one of image",
        ),
        ({"doc_to_visual": "photo"}, TaskDataError, "no column 'photo' for its image"),
        ({"scorer": "bleu"}, SettingError, "scorer is 'bleu'"),
        ({"metric": "bleu"}, SettingError, "metric is 'bleu'"),
        ({"max_new_tokens": 0}, SettingError, "max_new_tokens is 0"),
        ({"name": "a/b"}, SettingError, "name is 'a/b'"),
        ({"doc_to_choice": "question"}, TaskDataError, "its options are 'q', .*|its options are 'q'"),
        ({"doc_to_target": "{{question.x}}"}, TaskDataError, "the field {{question.x}} .* the row does not have it"),
    ],
)
def test_readings_that_fit_no_row_are_refused(reading, error, message):
    with pytest.raises(error, match=message):
        Task.from_dicts([{"image": None, "question": "q", "answer": "a"}], **reading)


@pytest.mark.parametrize(
    "expression",
    ["__import__('os').system('true')", "question.__class__()", "1 + 1", "question if x", "", "choices[x]"],
)
def test_a_template_runs_nothing(expression):
    with pytest.raises(TaskDataError, match=r"more than a column and its parts|the row does not have it"):
        Task.from_dicts([options(answer="A")], doc_to_text=f"{{{{{expression}}}}}")
    with pytest.raises(TaskDataError, match="it has statements"):
        Task.from_dicts([options(answer="A")], doc_to_text="{% for x in y %}")


def test_no_rows_are_no_task():
    with pytest.raises(NoExamplesError, match="task 'own' needs at least one example"):
        Task.from_dicts([])


# ── a folder ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "shelf"
    place.mkdir()
    RED.save(place / "red.png")
    BLUE.save(place / "blue.jpg")
    (place / "questions.csv").write_text(
        "image,question,answer\nred.png,what?,red\nblue.jpg,what?,NA\nred.png,is it red?,none\n,why?,null\n",
        encoding="utf-8",
    )
    return place


def test_a_folder_of_images_with_a_table_is_a_task(folder):
    task = Task.from_folder(folder)
    assert task.full_name == "shelf/own"
    # What pandas would take for gaps are answers here.
    assert [example.answer for example in task.examples] == ["red", "NA", "none", "null"]
    first, second, third, fourth = task.examples
    assert first.cluster == third.cluster != second.cluster
    assert first.image.getpixel((0, 0)) == (255, 0, 0)
    assert fourth.image is None


def test_a_table_with_a_column_an_option_is_a_multiple_choice(folder):
    (folder / "questions.csv").write_text("image,question,A,B,C,answer\nred.png,what color?,red,blue,,red\n")
    example = Task.from_folder(folder).examples[0]
    assert (example.choices, example.answer, example.scorer) == (("red", "blue"), "A", "choice")


def test_a_question_of_a_folder_travels(folder):
    example = Task.from_folder(folder).examples[0]
    back = pickle.loads(pickle.dumps(example))  # noqa: S301  written a line ago
    assert back == example
    assert back.image.tobytes() == example.image.tobytes()


def test_what_a_folder_lacks_is_named(folder):
    with pytest.raises(TaskDataError, match=r"there is no questions.csv"):
        Task.from_folder(folder.parent)
    (folder / "blue.jpg").unlink()
    with pytest.raises(
        TaskDataError, match=r"line 3 of questions.csv makes no question: there is no image '.*blue.jpg'"
    ):
        Task.from_folder(folder)


def test_a_table_that_is_no_text_is_refused(folder):
    (folder / "questions.csv").write_bytes(b"\xff\xfe\x00bad")
    with pytest.raises(TaskDataError, match=r"questions.csv' makes no question"):
        Task.from_folder(folder)


def test_a_broken_file_fails_when_it_is_opened(folder):
    (folder / "red.png").write_bytes((folder / "red.png").read_bytes()[:40])
    example = Task.from_folder(folder).examples[0]
    with pytest.raises(ImageError, match=r"red.png' is not an image") as caught:
        _ = example.image
    assert caught.value.__notes__ == ["while opening the image of shelf/own/00000"]


# ── any task ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_task_in_the_box_can_be_drawn_and_scored_by_another_rule():
    few = load_task("digits-vqa", limit=10, seed=2)
    assert few.examples == load_task("digits-vqa").sample(10, seed=2)
    strict = few.scored_by("exact_match")
    assert score(few.examples[0].answer.upper() + ".", strict.examples[0]).value == 0
    with pytest.raises(SettingError, match="data_files is 'x', but should be left out: digits-vqa is in the box"):
        load_task("digits-vqa", data_files="x")


@pytest.mark.model
def test_the_model_in_the_box_is_compared_on_questions_of_one_s_own(session):
    from skipit_nb.backend.tasks import put_together

    drawn = load_task("digits-vqa", limit=6).examples
    given = [{"image": e.image, "question": e.question, "answer": e.answer, "kind": e.kind} for e in drawn]
    given.append(
        {"image": Image.new("RGB", (1, 1)), "question": "how many digits are there?", "answer": "0", "kind": "count"}
    )
    task = Task.from_dicts(given, name="mine", max_new_tokens=4)
    found = session.compare(task, b="whole 11", measure=("accuracy",))
    assert found.num_questions == len(given)
    assert found.num_clusters == len({example.cluster for example in drawn}) + 1
    scores = [score(answer.a, example) for answer, example in zip(found.answers, task.examples, strict=True)]
    assert put_together("accuracy", task.examples, scores)["accuracy"] == pytest.approx(found.metric("accuracy").a)


@pytest.mark.parametrize("reader", ["image", lambda row: row["image"]], ids=["column", "function"])
def test_a_cluster_of_ones_own_does_not_hide_that_the_image_is_another(reader):
    white, black = (Image.new("RGB", (8, 8), color) for color in ("white", "black"))
    rows = [{"image": image, "id": 1, "question": "Which?", "answer": "a"} for image in (white, black, white)]
    first, second, third = Task.from_dicts(rows, doc_to_visual=reader, cluster_key="id").examples
    assert first.cluster == second.cluster
    assert first.picture == third.picture != second.picture
